"""One result against one interval: on which side of it, how near its limits, and in whose words.

Limits are inclusive unless the source excludes them, and nothing is rounded before it is compared.
Where another printed column, or limits rounded into the reported unit, would give another standing,
the result lies at the limit and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from labinterp.interpretation.intervals import Candidate, Choice, printed_ends, with_decimals
from labinterp.interpretation.keeping import kept
from labinterp.interpretation.measure import (
    columns,
    compared_bounds,
    compared_column,
    exact,
    extent_in,
    is_reported_in,
    lies_in,
    position_in,
    side,
    to_canonical,
)
from labinterp.model.panel import Classification, Result, UsedInterval
from labinterp.model.quantity import PRINTED_COMPARATOR, Extent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labinterp.interpretation.laboratory import LabInterval
    from labinterp.model.codes import Standing
    from labinterp.model.interval import Bounds, DecisionLimit
    from labinterp.model.measurand import Measurand

ON_THE_LIMIT = "exactly on the limit"


@dataclass(frozen=True, slots=True)
class Judged:
    """A result against one interval.

    Attributes:
        standing: low, within or high; None where a `<` or `>` allows both.
        note: why the result lies at the limit; None when it does not.
        position: 0 at the lower limit, 1 at the upper.
    """

    standing: Standing | None
    interval: UsedInterval
    note: str | None = None
    position: Fraction | None = None

    def of(self, result: Result) -> Classification:
        """The classification this amounts to."""
        return Classification(
            result,
            self.standing or "unknown",
            None if self.standing else _why_open(result, self.interval),
            self.interval,
            at_the_limit=self.note is not None,
            at_the_limit_note=self.note,
            position=self.position if self.standing == "within" else None,
        )


@dataclass(frozen=True, slots=True)
class _Span:
    """Two ends in one unit."""

    unit: str
    low: Decimal | None
    high: Decimal | None
    low_included: bool = True
    high_included: bool = True

    def side(self, extent: Extent) -> Standing | None:
        """On which side the values lie."""
        return side(
            extent,
            self.low,
            self.high,
            low_included=self.low_included,
            high_included=self.high_included,
        )

    def text(self, measurand: Measurand) -> str:
        """As it is printed, with its unit."""
        return printed_ends(
            self.low,
            self.high,
            printed_unit(measurand, self.unit),
            low_included=self.low_included,
            high_included=self.high_included,
        )

    def has_end_at(self, extent: Extent) -> bool:
        """Is the number exactly one of the ends?"""
        ends = (end for end in (self.low, self.high) if end is not None)
        return any(exact(end) == extent.number for end in ends)


def printed_unit(measurand: Measurand, unit: str) -> str:
    """A unit as this measurand's laboratories print it."""
    accepted = measurand.accepted(unit)
    return accepted.printed if accepted else unit


def _why_open(result: Result, interval: UsedInterval) -> str:
    quantity = result.quantity
    sign = PRINTED_COMPARATOR[quantity.comparator] if quantity and quantity.comparator else ""
    number = f"{quantity.number:f}" if quantity else ""
    return f"{sign}{number} allows values inside and outside the {interval.text}"


# ---- the laboratory's interval


def by_laboratory(result: Result, lab: LabInterval, choice: Choice) -> Classification:
    """The standing by the laboratory's interval.

    A printed lower limit of zero, or none, says nothing about low values: there ours is asked.
    """
    extent = extent_in(result, lab.unit)
    if extent is None:
        return Classification(result, "unknown", result.why_unusable)
    span = _Span(lab.unit, lab.low, lab.high, lab.low_included, lab.high_included)
    used = _used(span, text=f"laboratory's interval {lab.shown}", owner="laboratory")
    judged = _judged(span, extent, used)
    if judged.standing == "within" and not lab.low and choice.candidates:
        ours = by_row(result, choice.candidates[0], choice.donor)
        if ours.standing == "low":
            note = "the printed interval has no lower limit that says anything; ours calls it low"
            judged = replace(ours, note=note)
    return judged.of(result)


def _judged(span: _Span, extent: Extent, used: UsedInterval) -> Judged:
    note = ON_THE_LIMIT if span.has_end_at(extent) else None
    return Judged(span.side(extent), used, note, position_in(extent, span.low, span.high))


def _used(span: _Span, *, text: str, owner: str, kind: str = "reference") -> UsedInterval:
    return UsedInterval(
        unit=span.unit,
        low=_text(span.low),
        high=_text(span.high),
        low_included=span.low_included,
        high_included=span.high_included,
        owner=owner,
        kind=kind,
        set=owner,
        applies_to="as printed with the result",
        sources=(),
        text=text,
    )


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


# ---- an interval of ours


def by_row(result: Result, candidate: Candidate, donor: Measurand | None) -> Judged:
    """The result against one of our intervals, in the unit it was reported in where that exists."""
    unit, _, _ = compared_column(result, candidate.interval)
    span, used = _row_in(candidate, donor, result.measurand, unit)
    judged = _judged(span, extent_in(result, unit) or Extent(Fraction(0)), used)
    if judged.note is None:
        note = _rounding_note(result, candidate, span, judged.standing)
        return judged if note is None else replace(judged, note=note)
    return judged


@kept(identical=3)
def _row_in(
    candidate: Candidate, donor: Measurand | None, measurand: Measurand, unit: str
) -> tuple[_Span, UsedInterval]:
    """A row's ends as printed in one of its units, and the record of their use."""
    row = candidate.interval
    low, high = next((low, high) for name, low, high in columns(row) if name == unit)
    if row.kind != "decision":
        low, high = (with_decimals(end, measurand, unit) for end in (low, high))
    span = _Span(unit, low, high, row.low_included, row.high_included)
    borrowed = f", which is for {donor.spoken}" if donor else ""
    whose = "default interval" if candidate.fallback else "interval"
    text = f"{whose} {span.text(measurand)}{borrowed}"
    used = replace(
        _used(span, text=text, owner="service", kind=row.kind),
        set="fallback" if candidate.fallback else row.set,
        title="" if candidate.fallback else row.set_title,
        applies_to=row.applies_to.text + borrowed,
        sources=row.sources,
        fallback=candidate.fallback,
        row=row,
    )
    return span, used


@kept(identical=2)
def with_others(used: UsedInterval, choice: Choice) -> UsedInterval:
    """The same with the rows of its set that were not for this patient, in words."""
    return replace(used, others=choice.others)


def _rounding_note(
    result: Result, candidate: Candidate, span: _Span, standing: Standing | None
) -> str | None:
    """Whether another printed column, or rounded limits, would give another standing."""
    others = [
        replace(span, unit=unit, low=low, high=high)
        for unit, low, high in columns(candidate.interval)
        if unit != span.unit
    ]
    if not others and result.quantity is not None and not is_reported_in(result, span.unit):
        others = [_rounded(result, span, result.quantity.unit)]
    for other in others:
        extent = extent_in(result, other.unit)
        if extent is not None and other.side(extent) != standing:
            return f"at the limit: against {other.text(result.measurand)} the standing would differ"
    return None


def _rounded(result: Result, span: _Span, unit: str) -> _Span:
    """The limits in the reported unit, with as many decimals as the result was reported with."""
    factor = to_canonical(result, span.unit) / to_canonical(result, unit)
    exponent = result.quantity.number.as_tuple().exponent if result.quantity else 0
    return _rounded_to(span, unit, factor.numerator, factor.denominator, max(0, -int(exponent)))


@kept()
def _rounded_to(span: _Span, unit: str, numerator: int, denominator: int, places: int) -> _Span:
    factor = Fraction(numerator, denominator)
    low, high = (_half_up(end, factor, places) for end in (span.low, span.high))
    return replace(span, unit=unit, low=low, high=high)


def _half_up(end: Decimal | None, factor: Fraction, places: int) -> Decimal | None:
    if end is None:
        return None
    scaled = Fraction(end) * factor * 10**places
    whole = (scaled.numerator * 2 + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole).scaleb(-places)


# ---- a decision scheme


def by_scheme(result: Result, regions: Sequence[DecisionLimit]) -> Classification:
    """The standing that the scheme's regions amount to: the limits are where it turns."""
    span = _turning_points(result, regions)
    extent = extent_in(result, span.unit)
    if extent is None:
        return Classification(result, "unknown", result.why_unusable)
    title = regions[0].scheme_title
    text = f"decision limits of {title}: {span.text(result.measurand)}"
    used = replace(
        _used(span, text=text, owner="service", kind="decision"),
        set=regions[0].scheme,
        title=title,
        applies_to=regions[0].applies_to.text,
        sources=tuple(dict.fromkeys(source for one in regions for source in one.sources)),
    )
    truths = [(one.standing, lies_in(result, region(result, one))) for one in regions]
    possible = {standing for standing, truth in truths if truth is not False}
    if not possible:
        return Classification(result, "unknown", f"{title} says nothing about this value", used)
    certain = {standing for standing, truth in truths if truth is True} - {"within"}
    standing = next(iter(certain or possible)) if len(certain or possible) == 1 else None
    return replace(_judged(span, extent, used), standing=standing).of(result)


def region(result: Result, limit: DecisionLimit) -> Bounds:
    """A scheme's region in the reported unit where its source prints it in that."""
    return compared_bounds(result, limit.bounds, limit.also_printed) or limit.bounds


def _turning_points(result: Result, regions: Sequence[DecisionLimit]) -> _Span:
    """Where the scheme stops being low, and where it starts being high."""
    bounds = [(one.standing, region(result, one)) for one in regions]
    unit = bounds[0][1].unit
    lows = [
        end
        for standing, one in bounds
        for end in (one.lt, one.le)
        if standing == "low" and one.unit == unit and end is not None
    ]
    highs = [
        end
        for standing, one in bounds
        for end in (one.gt, one.ge)
        if standing == "high" and one.unit == unit and end is not None
    ]
    return _Span(unit, max(lows, default=None), min(highs, default=None))
