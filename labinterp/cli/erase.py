"""`labinterp erase`: `labinterp patients erase` under its short name."""

from __future__ import annotations

from typing import Any

from labinterp.cli.patients import register_action


def register(subparsers: Any) -> None:
    """Add the command's parser."""
    register_action(subparsers, "erase")
