"""What we conclude: one step per file; `pipeline` is the table of contents.

Functions of their arguments: no disk, clock, network, framework or patient name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.interpretation.pipeline import interpret

if TYPE_CHECKING:
    from labinterp.model.interpretation import Interpretation

__all__ = ["interpret", "readable"]


def readable(interpretation: Interpretation) -> bool:
    """Is at least one result identified and read, as a number in a known unit or in words?"""
    return any(
        one.reported is not None and (one.value is not None or one.read_in_words)
        for one in interpretation.results
    )
