"""What the abbreviations of a page stand for; the words are those of the report."""

from __future__ import annotations

from labinterp.reporting.abbreviations import MEANING, used_in

__all__ = ["MEANING", "used_in"]
