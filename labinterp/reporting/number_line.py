"""Where a result lies in its interval: one geometry, drawn alike by the PDF and by SVG.

Positions are fractions of the axis, so each renderer chooses its own size. Nothing is conveyed by
the graphic alone: the row says the value, the flag and the interval in words, and `alt` says them
again. Geometry, words and SVG stay in one file, because they are checked against one another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from labinterp.reporting.palette import (
    BAND,
    BAND_EDGE,
    COLOUR_OF,
    CRITICAL,
    LOOKS,
    MUTED,
    TRACK,
    TRACK_EDGE,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from labinterp.model.codes import Standing
    from labinterp.model.interpretation import LineGeometryInputs

_BOTH: Final = 2
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
        standing: decides the colour of the value's mark.
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
    standing: Standing = "unknown"


@dataclass(frozen=True, slots=True)
class Captions:
    """The words a number line needs; the places come from its inputs."""

    alt: str
    value: str
    number: Callable[[Decimal], str] = field(default=str)
    standing: Standing = "unknown"


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
        standing=captions.standing,
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

    All of them if they fit, else the interval's ends only, these outside of a narrow band if they
    must, else none.

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
    outward = _outward(labels, width, text_width)
    return outward if _apart(outward, text_width, gap) else ()


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


def _outward(
    labels: tuple[Label, ...], width: float, text_width: Callable[[str], float]
) -> tuple[tuple[Label, float], ...]:
    """Both ends of the interval, each beside its mark and away from the other."""
    ends = tuple(label for label in labels if label.kind == "interval")
    if len(ends) != _BOTH:
        return ()
    low, high = ends
    left, right = low.at * width - text_width(low.text), high.at * width
    inside = left >= 0 and right + text_width(high.text) <= width
    return ((low, left), (high, right)) if inside else ()


def _left(label: Label, width: float, text: float) -> float:
    """The left edge of a centred text, moved inwards at the ends of the axis."""
    return min(max(label.at * width - text / 2, 0.0), max(width - text, 0.0))


def _apart(
    placed: tuple[tuple[Label, float], ...], text_width: Callable[[str], float], gap: float
) -> bool:
    pairs = pairwise(placed)
    return all(left + text_width(label.text) + gap <= after for (label, left), (_, after) in pairs)


SVG_WIDTH: Final = 300
SVG_HEIGHT: Final = 44
_EDGE: Final = 10
"""Room at both ends of the axis, for arrows and chevrons [SVG units]."""
_MIDDLE: Final = 20
_LABEL_SIZE: Final = 14
"""So large that labels are 11 px when the line is shown 240 px wide [SVG units]."""
_DIGIT: Final = 0.58
"""Width of a digit of common system fonts, as a part of the type size."""


def svg(line: Geometry, title: str | None = None, *, bare: bool = False) -> str:
    """The number line as inline SVG: no style attributes, no script; CSS may restyle its classes.

    Classes: `nl`, and `nl-` with track, band, end, critical, decision, previous, value, number,
    label.
    Without CSS the presentation attributes give the colours of the printed report.

    Args:
        line: what `geometry` gave.
        title: a short form where the table says the rest; else the whole alternative text.
        bare: leave colours and strokes to the style sheet of the page, which knows the classes and,
            as `nl-is-`, the standing; half the weight.
    """
    colour = COLOUR_OF[line.standing]
    drawn = "".join(_svg_parts(line, colour))
    return (
        f'<svg class="nl nl-is-{line.standing}" viewBox="0 0 {SVG_WIDTH} {SVG_HEIGHT}" role="img">'
        f"<title>{escape(title or line.alt)}</title>"
        f"{LOOKS.sub('', drawn) if bare else drawn}</svg>"
    )


def _svg_parts(line: Geometry, colour: str) -> Iterator[str]:
    yield from _svg_track(line)
    yield from _uprights("critical", line.critical, 9, CRITICAL, "4 2")
    yield from _uprights("decision", line.decision, 9, MUTED, "1 2")
    yield from _svg_previous(line, colour)
    yield from _svg_value(line, colour)
    yield from _svg_labels(line)


def _element(tag: str, name: str, content: str = "", /, **attributes: object) -> str:
    """One SVG element with its class; underscores in attribute names stand for hyphens."""
    pairs = {"class": f"nl-{name}", **attributes}
    told = " ".join(f'{key.replace("_", "-")}="{value}"' for key, value in pairs.items())
    return f"<{tag} {told}>{content}</{tag}>" if content else f"<{tag} {told}/>"


def _x(at: float) -> float:
    return round(_EDGE + at * (SVG_WIDTH - 2 * _EDGE), 1)


def _svg_track(line: Geometry) -> Iterator[str]:
    start, end = (_x(at) for at in line.band)
    size: dict[str, object] = {
        "x": _EDGE,
        "y": _MIDDLE - 3,
        "width": SVG_WIDTH - 2 * _EDGE,
        "height": 6,
    }
    yield _element("rect", "track", **size, fill=TRACK, stroke=TRACK_EDGE, stroke_width=0.5)
    size = {"x": start, "y": _MIDDLE - 5, "width": round(end - start, 1), "height": 10}
    yield _element("rect", "band", **size, fill=BAND)
    ends = zip(line.band, (line.low_end, line.high_end), strict=True)
    yield from _uprights("end", [at for at, drawn in ends if drawn], 6, BAND_EDGE, "none")


def _uprights(
    name: str, places: Iterable[float], reach: int, colour: str, dashes: str
) -> Iterator[str]:
    """Limits of one kind across the track, as one path."""
    path = "".join(f"M{_x(at):g} {_MIDDLE - reach}v{2 * reach}" for at in places)
    if path:
        look: dict[str, object] = {"stroke_width": 1.5, "stroke_dasharray": dashes}
        yield _element("path", name, d=path, fill="none", stroke=colour, **look)


def _svg_value(line: Geometry, colour: str) -> Iterator[str]:
    """A solid triangle, its tip on the line; else a bracket with an arrow, or a chevron."""
    at = _x(line.value)
    if line.kind == "point":
        yield _element("polygon", "value", points=_triangle(at, 6, 12), fill=colour)
        return
    off = line.kind in ("off_left", "off_right")
    path = _chevron(line.kind, at) if off else _bracket(line.kind, at)
    yield _element("path", "value", d=path, fill="none", stroke=colour, stroke_width=2)
    if off:
        anchor = "start" if line.kind == "off_left" else "end"
        place: dict[str, object] = {"x": at, "y": _MIDDLE - 8, "text_anchor": anchor}
        look: dict[str, object] = {"font_size": _LABEL_SIZE, "fill": colour}
        yield _element("text", "number", escape(line.value_text), **place, **look)


def _triangle(at: float, half: int, height: int) -> str:
    tip = _MIDDLE - 1
    left, right = round(at - half, 1), round(at + half, 1)
    return f"{at:g},{tip} {left:g},{tip - height} {right:g},{tip - height}"


def _chevron(kind: ValueKind, at: float) -> str:
    way = -1 if kind == "off_left" else 1
    back, tip = at - way * 4, at + way * 3
    return f"M{back:g} {_MIDDLE - 6}L{tip:g} {_MIDDLE}L{back:g} {_MIDDLE + 6}"


def _bracket(kind: ValueKind, at: float) -> str:
    """An open bracket at the number, and an arrow away from it."""
    way = -1 if kind == "below" else 1
    lip, tip, barb = at + way * 4, at + way * 16, at + way * 11
    bracket = f"M{lip:g} {_MIDDLE - 9}H{at:g}V{_MIDDLE + 9}H{lip:g}"
    arrow = f"M{at:g} {_MIDDLE}H{tip:g}M{barb:g} {_MIDDLE - 4}L{tip:g} {_MIDDLE}"
    return f"{bracket}{arrow}L{barb:g} {_MIDDLE + 4}"


def _svg_previous(line: Geometry, colour: str) -> Iterator[str]:
    if line.previous is not None:
        mark = _triangle(_x(line.previous), 5, 10)
        yield _element(
            "polygon", "previous", points=mark, fill="#FFFFFF", stroke=colour, stroke_width=1.2
        )


def _svg_labels(line: Geometry) -> Iterator[str]:
    placed = fitting(
        line.labels,
        SVG_WIDTH - 2 * _EDGE,
        lambda text: len(text) * _LABEL_SIZE * _DIGIT,
        _LABEL_SIZE / 2,
    )
    told = "".join(
        f'<tspan x="{_EDGE + left:.4g}">{escape(label.text)}</tspan>' for label, left in placed
    )
    if told:
        look: dict[str, object] = {"font_size": _LABEL_SIZE, "fill": MUTED}
        yield _element("text", "label", told, y=SVG_HEIGHT - 2, **look)
