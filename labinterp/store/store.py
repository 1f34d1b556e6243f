"""The open database: transactions for reading and for writing."""

from __future__ import annotations


class Store:
    """One database with its vault; every repository function takes one of its connections."""
