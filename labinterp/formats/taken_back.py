"""Results that their laboratory takes back: cancelled, deleted, or entered in error.

They are kept as they came and listed, and never interpreted. A panel of nothing else is a panel
all the same: that its results do not count is what its sender says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labinterp.model.submission import Submission

TAKEN_BACK: Final = frozenset(
    {"cancelled", "canceled", "entered-in-error", "wrong", "deleted", "x", "d", "w"}
)


def is_taken_back(status: str | None) -> bool:
    """Does a result's status, as sent, take it back?"""
    return (status or "").strip().casefold() in TAKEN_BACK


def is_withdrawn(panel: Mapping[str, Any]) -> bool:
    """Is every result of a panel in the contract's form taken back?"""
    return all(is_taken_back(status_of(one, panel)) for one in panel["results"])


def panel_status(panel: Mapping[str, Any]) -> str:
    """Cancelled where every result is taken back, else as sent."""
    return "cancelled" if is_withdrawn(panel) else str(panel.get("status", "final"))


def status_of(result: Mapping[str, Any], panel: Mapping[str, Any]) -> str:
    """A result's own status, else its panel's."""
    return str(result.get("status") or panel.get("status") or "final").strip().casefold()


def takes_back(submission: Submission) -> bool:
    """Is one of its results taken back, so that it says something though nothing can be read?"""
    return any(is_taken_back(one.status or submission.status) for one in submission.results)
