"""How one measurand moved over time, as a small drawing: the value axis is the one of its results.

Colours and strokes are those of the pages' style sheet, which knows the classes.

It repeats a row of the history's table and says nothing that the table does not. Time runs from
the oldest (left) to the newest (right), by the calendar. A result of another laboratory or method
is hollow and not joined; one sent with `<` or `>` is an arrow, never a point.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

from labinterp.reporting import words
from labinterp.reporting.number_line import axis
from labinterp.web.words import day

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from labinterp.model.codes import Standing
    from labinterp.model.interpretation import LineGeometryInputs

WIDTH: Final = 300
HEIGHT: Final = 96
_LEFT, _RIGHT, _TOP, _BOTTOM = 10, 246, 10, 68
_FIGURES: Final = 3
"""Figures of a limit that was converted for the axis."""
_LABEL_SIZE: Final = 14
"""So large that labels are 11 px when the strip is shown 240 px wide [SVG units]."""
_DATES_AT: Final = 90
_RADIUS: Final = 4


@dataclass(frozen=True, slots=True)
class Point:
    """One result on a strip.

    Attributes:
        at: when its specimen was taken.
        value: in the unit of the axis.
        comparator: `<`, `>` and their like; such a result is an arrow.
        standing: decides the colour.
        comparable: of the same laboratory and method as the newest one.
    """

    at: datetime
    value: Decimal
    comparator: str | None
    standing: Standing
    comparable: bool = True


@dataclass(frozen=True, slots=True)
class _Plane:
    """Places of times and values in the drawing."""

    low: Decimal
    high: Decimal
    first: datetime
    last: datetime

    def y(self, value: Decimal) -> float:
        part = (value - self.low) / (self.high - self.low)
        kept = min(max(part, Decimal(0)), Decimal(1))
        return round(_BOTTOM - float(kept) * (_BOTTOM - _TOP), 1)

    def x(self, at: datetime) -> float:
        whole = (self.last - self.first).total_seconds()
        part = (at - self.first).total_seconds() / whole if whole else 1.0
        return round(_LEFT + part * (_RIGHT - _LEFT), 1)

    def holds(self, value: Decimal | None) -> bool:
        return value is not None and self.low <= value <= self.high


def svg(points: Sequence[Point], line: LineGeometryInputs | None, title: str) -> str:
    """The strip as inline SVG: no style attributes, no script; empty for fewer than two results.

    Args:
        points: in the unit of the axis, in any order.
        line: the newest result's limits, in that unit; None where it has no interval.
        title: what the drawing shows, for those who do not see it.
    """
    if len(points) < 2:  # noqa: PLR2004  (one result is no course)
        return ""
    ordered = sorted(points, key=lambda point: point.at)
    low, high = _ends(ordered, line)
    plane = _Plane(low, high, ordered[0].at, ordered[-1].at)
    parts = (
        f'<svg class="nl tr" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        *(_ground(plane, line) if line else ()),
        _frame(),
        *_joins(plane, ordered),
        *_marks(plane, ordered),
        *(_limits(plane, line) if line else ()),
        *_dates(plane),
        "</svg>",
    )
    return "".join(parts)


def _ends(points: Sequence[Point], line: LineGeometryInputs | None) -> tuple[Decimal, Decimal]:
    """The ends of the value axis: those of the number lines, else all the values with some room."""
    values = [point.value for point in points]
    found = axis(line, values) if line else None
    if found is not None:
        return found
    low, high = min(values), max(values)
    room = (high - low) / 4 or abs(high) / 4 or Decimal(1)
    return low - room, high + room


def _frame() -> str:
    """The axis of time."""
    return f'<path class="tr-frame" d="M{_LEFT} {_BOTTOM}H{_RIGHT}"/>'


def _ground(plane: _Plane, line: LineGeometryInputs) -> Iterator[str]:
    """The interval as a band, with its ends; critical limits dashed."""
    top = _TOP if line.high is None else plane.y(line.high)
    bottom = _BOTTOM if line.low is None else plane.y(line.low)
    size = f'x="{_LEFT}" y="{top:g}" width="{_RIGHT - _LEFT}" height="{bottom - top:.1f}"'
    yield f'<rect class="nl-band" {size}/>'
    for end in (line.low, line.high):
        if end is not None and plane.holds(end):
            yield _across("end", plane.y(end))
    for limit in (line.critical_low, line.critical_high):
        if limit is not None and plane.holds(limit):
            yield _across("critical", plane.y(limit))


def _across(name: str, y: float) -> str:
    return f'<path class="nl-{name}" d="M{_LEFT} {y:g}H{_RIGHT}"/>'


def _joins(plane: _Plane, points: Sequence[Point]) -> Iterator[str]:
    """A line through each run of neighbours in time that can be compared and are numbers."""
    for is_joined, run in groupby(points, lambda one: one.comparable and not one.comparator):
        places = [_place(plane, point) for point in run]
        if is_joined and len(places) > 1:
            yield f'<path class="tr-join" d="M{"L".join(places)}"/>'


def _place(plane: _Plane, point: Point) -> str:
    return f"{plane.x(point.at):g} {plane.y(point.value):g}"


def _marks(plane: _Plane, points: Sequence[Point]) -> Iterator[str]:
    """The results in the order of time, neighbours of one standing in one group of its colour."""
    for standing, alike in groupby(points, lambda one: one.standing):
        yield f'<g class="nl-is-{standing}">{"".join(_mark(plane, one) for one in alike)}</g>'


def _mark(plane: _Plane, point: Point) -> str:
    """A disc, hollow for another laboratory or method; an arrow where no number was measured."""
    apart = "" if point.comparable else " tr-hollow"
    x, y = plane.x(point.at), plane.y(point.value)
    if point.comparator:
        way = 1 if point.comparator[0] in "<≤" else -1
        tip, barb = y + way * 14, y + way * 9
        path = f"M{x - 5:g} {y:g}H{x + 5:g}M{x:g} {y:g}V{tip:g}M{x - 4:g} {barb:g}L{x:g} {tip:g}"
        return f'<path class="tr-arrow{apart}" d="{path}L{x + 4:g} {barb:g}"/>'
    return f'<circle class="{apart.strip() or "tr-point"}" cx="{x:g}" cy="{y:g}" r="{_RADIUS}"/>'


def _limits(plane: _Plane, line: LineGeometryInputs) -> Iterator[str]:
    """The interval's ends in numbers beside the band, moved apart where they would touch."""
    ends = [end for end in (line.high, line.low) if end is not None and plane.holds(end)]
    at = [plane.y(end) for end in ends]
    if len(at) > 1 and at[1] - at[0] < _LABEL_SIZE:
        middle = (at[0] + at[1]) / 2
        at = [middle - _LABEL_SIZE / 2, middle + _LABEL_SIZE / 2]
    for end, y in zip(ends, at, strict=True):
        yield _text(_RIGHT + 6, y + 5, words.rounded(end, _FIGURES), "start")


def _dates(plane: _Plane) -> Iterator[str]:
    """When the oldest and the newest were taken."""
    yield _text(_LEFT, _DATES_AT, day(plane.first), "start")
    yield _text(_RIGHT + 6, _DATES_AT, day(plane.last), "end")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:g}" y="{y:g}"{side}>{escape(text)}</text>'
