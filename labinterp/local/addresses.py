"""Addresses of our own pages, for whoever prints them; the pages themselves define the routes."""

from __future__ import annotations


def sign_in(base_url: str, token: str) -> str:
    """Where a one-time token signs someone in."""
    return f"{base_url.rstrip('/')}/login/link/{token}"


def result(base_url: str, panel_id: str) -> str:
    """The page of one panel."""
    return f"{base_url.rstrip('/')}/panels/{panel_id}"


def pdf(base_url: str, panel_id: str) -> str:
    """The report of one panel, for someone who is signed in."""
    return f"{result(base_url, panel_id)}/report.pdf"
