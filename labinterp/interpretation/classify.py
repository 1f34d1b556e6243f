"""Where each result stands: by the laboratory's interval, by ours, by critical limits.

Or why that cannot be said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

from labinterp.interpretation import conditions
from labinterp.interpretation.facts import HIGH, LOW, Facts
from labinterp.interpretation.intervals import (
    Candidate,
    Choice,
    choose,
    fits_anyone,
    printed_ends,
)
from labinterp.interpretation.laboratory import LabInterval, read_laboratory_interval, with_lab_flag
from labinterp.interpretation.measure import (
    bounds_text,
    columns,
    compared_bounds,
    compared_column,
    extent_in,
    is_reported_in,
    lies_in,
    position_in,
    side,
)
from labinterp.model.panel import Classification, Problem, Result, UsedInterval
from labinterp.model.quantity import PRINTED_COMPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from labinterp.interpretation.settings import Settings
    from labinterp.model.codes import Standing
    from labinterp.model.interval import Bounds, CriticalLimit, DecisionLimit
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.measurand import Measurand, SeverityBand
    from labinterp.model.patient import Patient

_SEVERITY: Final[dict[Standing, int]] = {
    "within": 0, "unknown": 0, "low": 1, "high": 1, "critically_low": 2, "critically_high": 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Judged:
    """A result against one interval."""

    standing: Standing | None
    interval: UsedInterval
    at_the_limit: bool = False
    note: str | None = None
    position: Fraction | None = None


def classify(
    result: Result, patient: Patient, settings: Settings, knowledge: Knowledge
) -> tuple[Classification, tuple[Problem, ...]]:
    """One result's standing, with everything it rests on."""
    if not result.usable:
        return Classification(result, "unknown", result.why_unusable), ()
    if result.text is not None:
        return _in_words(result), ()
    lab, problems = read_laboratory_interval(result, settings)
    choice = choose(result.measurand, patient, settings, knowledge)
    if settings.range_policy == "lab-only":
        choice = Choice()
    placed = _placed(result, lab, choice, patient)
    placed = _with_critical(placed, patient, settings)
    placed = replace(placed, decisions=_decisions(result, patient, settings))
    placed, flag_problems = with_lab_flag(placed)
    return placed, (*problems, *flag_problems)


def _in_words(result: Result) -> Classification:
    """`low`, `within` and `high` in words are standings; other words are not."""
    if result.text in ("low", "within", "high"):
        standing: Standing = (
            "low" if result.text == "low" else "high" if result.text == "high" else "within"
        )
        return Classification(result, standing)
    return Classification(result, "unknown", f"reported in words: {result.text}")


def _placed(
    result: Result, lab: LabInterval | None, choice: Choice, patient: Patient
) -> Classification:
    """The laboratory's interval decides where it was sent and makes sense; else ours."""
    if lab is not None:
        return _by_laboratory(result, lab, choice)
    if choice.candidates:
        return replace(_by_candidates(result, choice, patient), adults_only=choice.adults_only)
    if choice.scheme:
        return _by_scheme(result, choice.scheme)
    return Classification(result, "unknown", "no interval for this patient")


# ---- against one interval


def _by_laboratory(result: Result, lab: LabInterval, choice: Choice) -> Classification:
    """The laboratory's interval.

    A printed lower limit of zero says nothing, so ours may still call a value low.
    """
    extent = extent_in(result, lab.unit)
    if extent is None:
        return Classification(result, "unknown", result.why_unusable)
    standing = side(
        extent, lab.low, lab.high, low_included=lab.low_included, high_included=lab.high_included
    )
    used = UsedInterval(
        lab.unit, _text(lab.low), _text(lab.high), lab.low_included, lab.high_included, "laboratory", "reference",
        "laboratory", "as printed with the result", (), text=f"laboratory's interval {lab.shown}",
    )  # fmt: skip
    on = _is_on(extent, lab.low, lab.high)
    judged = _Judged(standing, used, on, _limit_note(on), position_in(extent, lab.low, lab.high))
    if standing == "within" and not lab.low and choice.candidates:
        ours = _judge(result, choice.candidates[0], choice.donor)
        if ours.standing == "low":
            note = (
                "the printed interval has no lower limit that says anything; ours was used "
                "to call it low"
            )
            judged = replace(ours, note=note)
    return _classification(result, judged)


def _judge(result: Result, candidate: Candidate, donor: Measurand | None) -> _Judged:
    """The result against one interval of ours.

    And whether the other printed column would say otherwise.
    """
    row = candidate.interval
    unit, low, high = compared_column(result, row)
    extent = extent_in(result, unit)
    if extent is None:
        raise AssertionError("a result with an interval has a value")
    standing = side(
        extent, low, high, low_included=row.low_included, high_included=row.high_included
    )
    printed = _printed(result.measurand, unit)
    ends = printed_ends(
        low, high, printed, low_included=row.low_included, high_included=row.high_included
    )
    borrowed = f", which is for {donor.spoken.lower()}" if donor else ""
    whose = "default interval" if candidate.fallback else "interval"
    used = UsedInterval(
        unit, _text(low), _text(high), row.low_included, row.high_included, "service", row.kind,
        "fallback" if candidate.fallback else row.set, row.applies_to.text + borrowed, row.sources,
        fallback=candidate.fallback, row=row, text=f"{whose} {ends}{borrowed}",
    )  # fmt: skip
    on = _is_on(extent, low, high)
    note = _limit_note(on) or _rounding_note(result, candidate, standing, unit, low, high)
    return _Judged(standing, used, note is not None, note, position_in(extent, low, high))


def _rounding_note(
    result: Result,
    candidate: Candidate,
    standing: Standing | None,
    unit: str,
    low: Decimal | None,
    high: Decimal | None,
) -> str | None:
    """Would the source's other column, or a limit rounded into the reported unit.

    Give another standing?
    """
    for other, other_low, other_high in columns(candidate.interval):
        if other != unit:
            extent = extent_in(result, other)
            if extent is not None and side(extent, other_low, other_high) != standing:
                ends = printed_ends(other_low, other_high, _printed(result.measurand, other))
                return (
                    f"by the same source's {ends} the standing would differ: the value lies "
                    "at the limit"
                )
    if result.quantity is None or is_reported_in(result, unit):
        return None
    rounded = [_rounded_into_reported(result, unit, end) for end in (low, high)]
    reported = extent_in(result, result.quantity.unit)
    if reported is not None and side(reported, *rounded) != standing:
        ends = printed_ends(*rounded, _printed(result.measurand, result.quantity.unit))
        return (
            f"against the limits rounded to {ends} the standing would differ: the value "
            "lies at the limit"
        )
    return None


def _rounded_into_reported(result: Result, unit: str, end: Decimal | None) -> Decimal | None:
    """A limit in the reported unit, with as many decimals as the result was reported with."""
    if end is None or result.quantity is None or result.conversion is None:
        return None
    factor = result.conversion.factor
    canonical = Fraction(end) * _factor(result, unit)
    places = max(0, -int(result.quantity.number.as_tuple().exponent))
    exact = canonical / factor
    scaled = exact * 10**places
    whole = (scaled.numerator * 2 + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole).scaleb(-places)


def _factor(result: Result, unit: str) -> Fraction:
    one = extent_in(result, unit)
    if one is None or result.extent is None or not one.number:
        return Fraction(1)
    return result.extent.number / one.number


def _is_on(extent: object, low: Decimal | None, high: Decimal | None) -> bool:
    number = getattr(extent, "number", None)
    return number is not None and any(
        end is not None and Fraction(end) == number for end in (low, high)
    )


def _limit_note(on: bool) -> str | None:
    return "exactly on the limit" if on else None


def _classification(result: Result, judged: _Judged) -> Classification:
    why = None if judged.standing else _why_open(result, judged.interval)
    return Classification(
        result,
        judged.standing or "unknown",
        why,
        judged.interval,
        judged.at_the_limit,
        judged.note,
        position=judged.position if judged.standing == "within" else None,
    )


def _why_open(result: Result, interval: UsedInterval) -> str:
    quantity = result.quantity
    sign = PRINTED_COMPARATOR[quantity.comparator] if quantity and quantity.comparator else ""
    number = f"{quantity.number:f}" if quantity else ""
    return f"{sign}{number} allows values inside and outside the {interval.text}"


# ---- against our intervals


def _by_candidates(result: Result, choice: Choice, patient: Patient) -> Classification:
    """A standing if everyone the patient could be would have it; else what would settle it."""
    judged = [(one, _judge(result, one, choice.donor)) for one in choice.candidates]
    first = judged[0][1]
    standings = {one.standing for _, one in judged}
    if len(standings) == 1:
        found = _classification(result, first)
        if found.interval is not None and choice.others:
            found = replace(found, interval=replace(found.interval, others=choice.others))
        return found
    settled_by = _settling(patient)
    needs = " and ".join(settled_by) or "more about the patient"
    why = (
        f"the intervals for different people disagree about it; the patient's {needs} would "
        "settle it"
    )
    adults = [one.standing or "unknown" for candidate, one in judged if candidate.is_adult]
    urgent = max(adults, key=lambda one: _SEVERITY[one], default=None)
    return Classification(result, "unknown", why, urgent_standing=urgent, settled_by=settled_by)


def _settling(patient: Patient) -> tuple[str, ...]:
    unknown = {
        "age": patient.age_days is None,
        "sex": patient.sex not in ("female", "male"),
        "weeks of gestation": patient.pregnancy == "pregnant" and patient.gestation_weeks is None,
    }
    return tuple(name for name, is_unknown in unknown.items() if is_unknown)


# ---- against a scheme


def _by_scheme(result: Result, regions: Sequence[DecisionLimit]) -> Classification:
    """The standing that the scheme's regions amount to.

    The limits are where it turns low and high.
    """
    truths = [(one, lies_in(result, _region(result, one))) for one in regions]
    low, high = _turning_points(result, regions)
    used = _scheme_interval(result, regions, low, high)
    standings = {one.standing for one, truth in truths if truth is not False}
    extreme = [one.standing for one, truth in truths if truth is True and one.standing != "within"]
    standing: Standing | None = extreme[0] if extreme else None
    if standing is None and len(standings) == 1:
        standing = next(iter(standings))
    extent = extent_in(result, used.unit)
    on = extent is not None and _is_on(extent, low, high)
    position = None if extent is None else position_in(extent, low, high)
    if not standings:
        return Classification(
            result, "unknown", f"{regions[0].scheme} says nothing about this value", used
        )
    return _classification(result, _Judged(standing, used, on, _limit_note(on), position))


def _region(result: Result, limit: DecisionLimit) -> Bounds:
    return compared_bounds(result, limit.bounds, limit.also_printed) or limit.bounds


def _turning_points(
    result: Result, regions: Sequence[DecisionLimit]
) -> tuple[Decimal | None, Decimal | None]:
    """Where the scheme stops being low, and where it starts being high, in the compared unit."""
    unit = _region(result, regions[0]).unit
    bounds = [(one.standing, _region(result, one)) for one in regions]
    same = [(standing, one) for standing, one in bounds if one.unit == unit]
    lows = [
        end
        for standing, one in same
        if standing == "low"
        for end in (one.lt, one.le)
        if end is not None
    ]
    highs = [
        end
        for standing, one in same
        if standing == "high"
        for end in (one.gt, one.ge)
        if end is not None
    ]
    return max(lows, default=None), min(highs, default=None)


def _scheme_interval(
    result: Result, regions: Sequence[DecisionLimit], low: Decimal | None, high: Decimal | None
) -> UsedInterval:
    first = _region(result, regions[0])
    sources = tuple(dict.fromkeys(source for one in regions for source in one.sources))
    scheme = regions[0].scheme
    ends = printed_ends(low, high, _printed(result.measurand, first.unit))
    return UsedInterval(
        first.unit, _text(low), _text(high), True, True, "service", "decision", scheme,
        regions[0].applies_to.text, sources, text=f"decision limits of {scheme} {ends}",
    )  # fmt: skip


# ---- critical and decision limits


def _with_critical(placed: Classification, patient: Patient, settings: Settings) -> Classification:
    """A value at or beyond a critical limit of the policy is critical.

    Whatever its interval says.
    """
    result = placed.result
    may_be_critical = False
    for limit in _critical_limits(result.measurand, patient, settings):
        for bounds, critical in ((limit.low, "critically_low"), (limit.high, "critically_high")):
            if bounds is None:
                continue
            truth = lies_in(result, bounds)
            if truth is True:
                return _critical(placed, limit, bounds, critical)
            may_be_critical = may_be_critical or truth is None
    return _open_end(placed) if may_be_critical else placed


def _critical(
    placed: Classification, limit: CriticalLimit, bounds: Bounds, critical: str
) -> Classification:
    standing: Standing = "critically_low" if critical == "critically_low" else "critically_high"
    return replace(
        placed,
        standing=standing,
        why_unknown=None,
        critical=limit,
        critical_bounds=bounds,
        settled_by=(),
    )


def _open_end(placed: Classification) -> Classification:
    """`<0.5` is low, and some of what it allows is critically so.

    No one standing, yet the side is known.
    """
    if placed.standing not in ("low", "high"):
        return placed
    side_known: Literal["low", "high"] = "low" if placed.standing == "low" else "high"
    why = f"{side_known} or critically {side_known}: the comparator allows both"
    return replace(placed, standing="unknown", why_unknown=why, known_side=side_known)


def _critical_limits(
    measurand: Measurand, patient: Patient, settings: Settings
) -> Iterable[CriticalLimit]:
    """The limits of the policy in force; they stay in force in childhood and pregnancy."""
    person = replace(patient, pregnancy="unknown", gestation_weeks=None)
    return (
        limit
        for limit in measurand.critical_limits
        if limit.policy == settings.critical_policy
        and not limit.unverified
        and fits_anyone(limit.applies_to, person)
    )


def _decisions(result: Result, patient: Patient, settings: Settings) -> tuple[DecisionLimit, ...]:
    """The regions this result certainly lies in, of the scheme in force for its measurand."""
    limits = result.measurand.decision_limits
    scheme = settings.schemes.get(result.measurand.id)
    if scheme is None:
        schemes = {limit.scheme for limit in limits}
        scheme = next(iter(schemes)) if len(schemes) == 1 else None
    return tuple(
        limit
        for limit in limits
        if limit.scheme == scheme
        and fits_anyone(limit.applies_to, patient)
        and lies_in(result, _region(result, limit)) is True
    )


# ---- severity


def graded(classifications: Iterable[Classification], facts: Facts) -> tuple[Classification, ...]:
    """Each result with the first severity band that holds."""
    return tuple(replace(one, band=_band(one, facts)) for one in classifications)


def _band(classification: Classification, facts: Facts) -> SeverityBand | None:
    if not classification.result.usable:
        return None
    bands = classification.result.measurand.severity_bands
    return next((band for band in bands if conditions.holds(band.when, facts) is True), None)


def is_critical(classification: Classification) -> bool:
    """Is the result at or beyond a critical limit?"""
    return classification.standing in ("critically_low", "critically_high")


def is_outside(classification: Classification) -> bool:
    """Is the result outside its interval?"""
    return classification.standing in LOW | HIGH


def critical_text(classification: Classification) -> str | None:
    """The critical limit a result is at or beyond, in words."""
    bounds = classification.critical_bounds
    if bounds is None:
        return None
    return bounds_text(bounds, _printed(classification.result.measurand, bounds.unit))


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _printed(measurand: Measurand, unit: str) -> str:
    accepted = measurand.accepted(unit)
    return accepted.printed if accepted else unit
