"""How one measurand moved over time, as a small drawing: the value axis is the one of its results.

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
from labinterp.reporting.palette import BAND, BAND_EDGE, COLOUR_OF, CRITICAL, MUTED, TRACK_EDGE
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
_JOIN: Final = 1.5
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
        *(_mark(plane, point) for point in ordered),
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
    return (
        f'<path class="tr-frame" d="M{_LEFT} {_BOTTOM}H{_RIGHT}" fill="none" '
        f'stroke="{TRACK_EDGE}" stroke-width="1"/>'
    )


def _ground(plane: _Plane, line: LineGeometryInputs) -> Iterator[str]:
    """The interval as a band, with its ends; critical limits dashed."""
    top = _TOP if line.high is None else plane.y(line.high)
    bottom = _BOTTOM if line.low is None else plane.y(line.low)
    size = f'x="{_LEFT}" y="{top:g}" width="{_RIGHT - _LEFT}" height="{bottom - top:.1f}"'
    yield f'<rect class="nl-band" {size} fill="{BAND}"/>'
    for end in (line.low, line.high):
        if end is not None and plane.holds(end):
            yield _across("end", plane.y(end), BAND_EDGE, "none")
    for limit in (line.critical_low, line.critical_high):
        if limit is not None and plane.holds(limit):
            yield _across("critical", plane.y(limit), CRITICAL, "4 2")


def _across(name: str, y: float, colour: str, dashes: str) -> str:
    return (
        f'<path class="nl-{name}" d="M{_LEFT} {y:g}H{_RIGHT}" fill="none" stroke="{colour}" '
        f'stroke-width="1" stroke-dasharray="{dashes}"/>'
    )


def _joins(plane: _Plane, points: Sequence[Point]) -> Iterator[str]:
    """A line through each run of neighbours in time that can be compared and are numbers."""
    for is_joined, run in groupby(points, lambda one: one.comparable and not one.comparator):
        places = [_place(plane, point) for point in run]
        if is_joined and len(places) > 1:
            yield (
                f'<path class="tr-join" d="M{"L".join(places)}" fill="none" stroke="{MUTED}" '
                f'stroke-width="{_JOIN}"/>'
            )


def _place(plane: _Plane, point: Point) -> str:
    return f"{plane.x(point.at):g} {plane.y(point.value):g}"


def _mark(plane: _Plane, point: Point) -> str:
    """A disc, hollow for another laboratory or method; an arrow where no number was measured."""
    colour = COLOUR_OF[point.standing]
    x, y = plane.x(point.at), plane.y(point.value)
    if point.comparator:
        way = 1 if point.comparator[0] in "<≤" else -1
        tip, barb = y + way * 14, y + way * 9
        dashes = "none" if point.comparable else "2 2"
        path = f"M{x - 5:g} {y:g}H{x + 5:g}M{x:g} {y:g}V{tip:g}M{x - 4:g} {barb:g}L{x:g} {tip:g}"
        return (
            f'<path class="tr-arrow" d="{path}L{x + 4:g} {barb:g}" fill="none" stroke="{colour}" '
            f'stroke-width="2" stroke-dasharray="{dashes}"/>'
        )
    name, fill = ("point", colour) if point.comparable else ("hollow", "#FFFFFF")
    return (
        f'<circle class="tr-{name}" cx="{x:g}" cy="{y:g}" r="{_RADIUS}" fill="{fill}" '
        f'stroke="{colour}" stroke-width="1.5"/>'
    )


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
    return (
        f'<text class="nl-label" x="{x:g}" y="{y:g}" font-size="{_LABEL_SIZE}" fill="{MUTED}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
