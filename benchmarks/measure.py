"""Interleaved rounds of two things, and the ratio between them with its spread."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Figure:
    """One ratio: how many times the yardstick's time ours takes (or the other way round).

    Attributes:
        name: what was measured.
        yardstick: what it was measured beside.
        ratios: one per round, ours divided by the yardstick.
        ours, theirs: median seconds for one unit of work, for orientation only.
        part: which of the goals it belongs to: `P3`.
        goal: the ratio is to be no more than this; none where it is only looked at.
        note: what must be known of it to read it rightly.
    """

    name: str
    yardstick: str
    ratios: tuple[float, ...]
    ours: float
    theirs: float
    part: str = ""
    goal: float | None = None
    note: str = ""

    @property
    def median(self) -> float:
        """The ratio to quote."""
        return statistics.median(self.ratios)

    @property
    def is_met(self) -> bool:
        """Is the goal reached, where there is one?"""
        return self.goal is None or self.median <= self.goal


def beside(
    name: str,
    yardstick: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    rounds: int = 9,
    clock: Callable[[], float] = time.process_time,
    part: str = "",
    goal: float | None = None,
    note: str = "",
) -> Figure:
    """Measure both in turn, so that a machine that slows down slows both."""
    ours(), theirs()
    pairs = [(_seconds(ours, clock), _seconds(theirs, clock)) for _ in range(rounds)]
    return Figure(
        name,
        yardstick,
        tuple(a / b for a, b in pairs),
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        part,
        goal,
        note,
    )


def _seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start
