"""Where a result lies in its interval: one geometry, drawn alike by the PDF and by SVG.

Positions are fractions of the axis, so each renderer chooses its own size. Nothing is conveyed by
the graphic
alone: the row says the value, the flag and the interval in words, and `alt` says them again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from labinterp.model.interpretation import LineGeometryInputs

ALT_LENGTH: Final = 150
"""Longest alternative text [characters]."""
CRITICAL_MARGIN: Final = Decimal("0.3")
"""Room beyond a critical limit, as a part of the interval's width."""

ValueKind = Literal["point", "below", "above", "off_left", "off_right"]
LabelKind = Literal["interval", "critical", "decision"]


@dataclass(frozen=True, slots=True)
class Label:
    """A number under the axis, at its place."""

    at: float
    text: str
    kind: LabelKind


@dataclass(frozen=True, slots=True)
class Geometry:
    """What is drawn on one number line; places are fractions of the axis, from the left.

    Attributes:
        band: the interval; an open end reaches the end of the axis and has no end mark.
        low_end, high_end: whether that end of the band is a limit, and so gets its mark.
        critical: critical limits, dashed. decision: decision limits, dotted.
        value: place of the value; for `below` and `above` the place of the open bracket.
        kind: a point, an open bracket with an arrow away from it, or a chevron off the axis.
        previous: place of the earlier value; `previous_off` when it lies beyond the axis.
        labels: in order of place, all that may be printed; `fitting` says which do fit.
        alt: alternative text, at most 150 characters.
    """

    value: float
    kind: ValueKind
    value_text: str
    band: tuple[float, float]
    low_end: bool
    high_end: bool
    critical: tuple[float, ...] = ()
    decision: tuple[float, ...] = ()
    previous: float | None = None
    previous_off: bool = False
    labels: tuple[Label, ...] = ()
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Captions:
    """The words a number line needs; the places come from its inputs."""

    alt: str
    value: str
    number: Callable[[Decimal], str] = field(default=str)


def geometry(
    inputs: LineGeometryInputs, captions: Captions, others: Iterable[Decimal] = ()
) -> Geometry | None:
    """The number line of one result; None where there is no interval.

    Args:
        inputs: limits and values, all in the unit of the reported value.
        captions: alternative text, the value as printed, and how a limit is printed.
        others: values of the same measurand elsewhere in the report or its history, so that all
            share one axis.
    """
    ends = axis(inputs, others)
    if ends is None:
        return None
    place = _Axis(*ends)
    kind = _kind(inputs, place)
    return Geometry(
        value=place.of(inputs.value),
        kind=kind,
        value_text=captions.value,
        band=(
            0.0 if inputs.low is None else place.of(inputs.low),
            1.0 if inputs.high is None else place.of(inputs.high),
        ),
        low_end=_on(inputs.low, place),
        high_end=_on(inputs.high, place),
        critical=_places((inputs.critical_low, inputs.critical_high), place),
        decision=_places(inputs.decision, place),
        previous=None if inputs.previous is None else place.of(inputs.previous),
        previous_off=inputs.previous is not None and not place.holds(inputs.previous),
        labels=_labels(inputs, place, captions.number),
        alt=captions.alt[:ALT_LENGTH],
    )


def axis(
    inputs: LineGeometryInputs, others: Iterable[Decimal] = ()
) -> tuple[Decimal, Decimal] | None:
    """The ends of the axis in the unit of the value; None where there is no interval.

    It shows one interval's width on either side, the critical limits, and the value, clipped at
    what is plausible.
    A one-sided interval counts its own limit as its width.
    """
    width = _width(inputs)
    if width is None:
        return None
    low, high = _interval(inputs)
    margin = CRITICAL_MARGIN * width
    values = (inputs.value, *others)
    start = min(low - width, *values, *_beyond(inputs.critical_low, -margin))
    end = max(high + width, *values, *_beyond(inputs.critical_high, margin))
    start, end = _clipped(start, end, inputs)
    return (start, end) if start < end else None


def fitting(
    labels: tuple[Label, ...], width: float, text_width: Callable[[str], float], gap: float
) -> tuple[tuple[Label, float], ...]:
    """The labels that can be printed without touching, each with the left edge of its text.

    All of them if they fit, else the interval's ends only, else none.

    Args:
        labels: in order of place.
        width: of the axis [the renderer's unit].
        text_width: width of a text [the renderer's unit].
        gap: least space between two texts [the renderer's unit].
    """
    for chosen in (labels, tuple(label for label in labels if label.kind == "interval")):
        placed = _placed(chosen, width, text_width)
        if _apart(placed, text_width, gap):
            return placed
    return ()


@dataclass(frozen=True, slots=True)
class _Axis:
    start: Decimal
    end: Decimal

    def holds(self, value: Decimal) -> bool:
        return self.start <= value <= self.end

    def of(self, value: Decimal) -> float:
        """The place of a value as a fraction, clipped to the axis, rounded to be reproducible."""
        fraction = (value - self.start) / (self.end - self.start)
        return float(round(min(max(fraction, Decimal(0)), Decimal(1)), 5))


def _width(inputs: LineGeometryInputs) -> Decimal | None:
    if inputs.low is not None and inputs.high is not None:
        return inputs.high - inputs.low or None
    limit = inputs.high if inputs.low is None else inputs.low
    return None if limit is None else abs(limit) or Decimal(1)


def _interval(inputs: LineGeometryInputs) -> tuple[Decimal, Decimal]:
    """Both ends; a missing one is where the other is, so the axis shows its width both ways."""
    ends = [end for end in (inputs.low, inputs.high) if end is not None]
    return ends[0], ends[-1]


def _beyond(limit: Decimal | None, margin: Decimal) -> tuple[Decimal, ...]:
    return () if limit is None else (limit + margin,)


def _clipped(start: Decimal, end: Decimal, inputs: LineGeometryInputs) -> tuple[Decimal, Decimal]:
    if inputs.plausible_low is not None:
        start = max(start, inputs.plausible_low)
    if inputs.plausible_high is not None:
        end = min(end, inputs.plausible_high)
    return start, end


def _kind(inputs: LineGeometryInputs, place: _Axis) -> ValueKind:
    if inputs.value < place.start:
        return "off_left"
    if inputs.value > place.end:
        return "off_right"
    if inputs.comparator in ("<", "<=", "≤"):
        return "below"
    if inputs.comparator in (">", ">=", "≥"):
        return "above"
    return "point"


def _on(limit: Decimal | None, place: _Axis) -> bool:
    return limit is not None and place.holds(limit)


def _places(limits: Iterable[Decimal | None], place: _Axis) -> tuple[float, ...]:
    return tuple(place.of(limit) for limit in limits if limit is not None and place.holds(limit))


def _labels(
    inputs: LineGeometryInputs, place: _Axis, number: Callable[[Decimal], str]
) -> tuple[Label, ...]:
    interval: LabelKind = "interval"
    critical: LabelKind = "critical"
    limits = (
        (inputs.low, interval),
        (inputs.high, interval),
        (inputs.critical_low, critical),
        (inputs.critical_high, critical),
    )
    labels = [
        Label(place.of(limit), number(limit), kind)
        for limit, kind in limits
        if limit is not None and place.holds(limit)
    ]
    return tuple(sorted(labels, key=lambda label: label.at))


def _placed(
    labels: tuple[Label, ...], width: float, text_width: Callable[[str], float]
) -> tuple[tuple[Label, float], ...]:
    return tuple((label, _left(label, width, text_width(label.text))) for label in labels)


def _left(label: Label, width: float, text: float) -> float:
    """The left edge of a centred text, moved inwards at the ends of the axis."""
    return min(max(label.at * width - text / 2, 0.0), max(width - text, 0.0))


def _apart(
    placed: tuple[tuple[Label, float], ...], text_width: Callable[[str], float], gap: float
) -> bool:
    pairs = pairwise(placed)
    return all(left + text_width(label.text) + gap <= after for (label, left), (_, after) in pairs)
