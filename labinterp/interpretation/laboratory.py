"""What the laboratory itself said of a result.

Its interval, where that makes sense, and its flag, never weakened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.identify import Identified
from labinterp.interpretation.measure import to_canonical
from labinterp.interpretation.printed_interval import PrintedInterval, is_given, read_interval
from labinterp.interpretation.yardstick import betrayed_unit
from labinterp.model import units
from labinterp.model.codes import FLAG_OF_STANDING, Standing
from labinterp.model.measurand import AcceptedUnit, Measurand
from labinterp.model.panel import Classification, Problem, Result
from labinterp.model.spelling import exact_unit, folded_unit

if TYPE_CHECKING:
    from decimal import Decimal

    from labinterp.interpretation.settings import Settings

_CRITICAL_FLAGS: Final[dict[str, Standing]] = {"LL": "critically_low", "HH": "critically_high"}
_FLAGS: Final = {"L": "low", "LU": "low", "H": "high", "HU": "high", "N": "within"}
_ABNORMAL_CRITICAL: Final = "AA"


@dataclass(frozen=True, slots=True)
class LabInterval:
    """The laboratory's interval in a unit that is understood."""

    low: Decimal | None
    high: Decimal | None
    unit: str
    low_included: bool
    high_included: bool
    shown: str


def read_laboratory_interval(
    result: Result, settings: Settings
) -> tuple[LabInterval | None, tuple[Problem, ...]]:
    """The interval sent with a result, or None with the Problem that keeps it from being used."""
    interval = result.reported.interval if result.reported else None
    if settings.range_policy == "service-only" or interval is None or not is_given(interval):
        return None, ()
    printed = read_interval(interval)
    if printed is None:
        shown = (interval.text or f"{interval.low} to {interval.high}")[:60]
        return None, (_refused(result, "range-unparsed", f"the interval {shown!r} cannot be read"),)
    if printed.contradicts_itself:
        return None, (
            _refused(
                result, "range-ambiguous", f"the interval {printed.text} has its limits reversed"
            ),
        )
    unit = _unit(printed, result)
    if unit is None:
        return None, (
            _refused(
                result, "range-unparsed", f"the interval's unit {printed.unit!r} is not known"
            ),
        )
    if result.quantity and to_canonical(result, unit.ucum) != to_canonical(
        result, result.quantity.unit
    ):
        return None, (
            _refused(
                result,
                "range-ambiguous",
                f"the interval {printed.text.strip()} is printed in {unit.printed}, which is not"
                " the result's unit",
            ),
        )
    if _belongs_elsewhere(printed, unit, result):
        return None, (
            _refused(
                result,
                "range-ambiguous",
                f"the interval {printed.text} cannot be in {unit.printed}",
            ),
        )
    shown = printed.text.strip()
    shown = shown if any(sign.isalpha() for sign in shown) else f"{shown} {unit.printed}"
    return LabInterval(
        printed.low, printed.high, unit.ucum, printed.low_included, printed.high_included, shown
    ), ()


def _refused(result: Result, code: str, what: str) -> Problem:
    message = f"{result.measurand.spoken}: {what}; our own interval was used where there is one"
    return Problem(code, message, result.where, result.measurand.id)


def _unit(printed: PrintedInterval, result: Result) -> AcceptedUnit | None:
    """The unit the interval is printed in; the result's own where it says none."""
    if result.quantity is None:
        return None
    own = result.measurand.accepted(result.quantity.unit) or AcceptedUnit(
        result.quantity.unit, result.quantity.unit
    )
    if printed.unit is None:
        return own
    wanted = folded_unit(printed.unit)
    reported = result.reported.unit if result.reported else None
    if reported and wanted == folded_unit(reported):
        return own
    return _accepted(result.measurand, printed.unit, wanted)


def _accepted(measurand: Measurand, exact: str, folded: str) -> AcceptedUnit | None:
    for unit in measurand.units:
        spellings = (unit.ucum, unit.printed, *unit.spellings)
        if exact_unit(exact) in spellings or folded in {folded_unit(one) for one in spellings}:
            return unit
    return None


def _belongs_elsewhere(printed: PrintedInterval, unit: AcceptedUnit, result: Result) -> bool:
    """Is the interval impossible in this unit, or plainly that of another unit?"""
    identified = Identified(result.measurand, "")
    if betrayed_unit(printed, unit, identified) is not None:
        return True
    bounds = result.measurand.plausibility
    if bounds is None:
        return False
    try:
        factor = to_canonical(result, unit.ucum) / to_canonical(result, bounds.unit)
    except units.UnitError:
        return True
    low, high = printed.low, printed.high
    return (
        high is not None
        and bounds.reject_below is not None
        and Fraction(high) * factor < bounds.reject_below
    ) or (
        low is not None
        and bounds.reject_above is not None
        and Fraction(low) * factor > bounds.reject_above
    )


def with_lab_flag(placed: Classification) -> tuple[Classification, tuple[Problem, ...]]:
    """The laboratory's critical flags are never weakened.

    Any other that differs from ours is told.
    """
    result = placed.result
    flag = ((result.reported.flag if result.reported else None) or "").strip().upper()
    critical = _CRITICAL_FLAGS.get(flag) or _abnormal(flag, placed.standing)
    if critical is not None:
        return _raised(placed, critical, flag)
    theirs = _FLAGS.get(flag)
    ours = placed.standing.removeprefix("critically_")
    if theirs is None or placed.standing == "unknown" or theirs == ours:
        return placed, ()
    return placed, (_differs(placed, flag, placed.standing),)


def is_critical_flag(flag: str) -> bool:
    """Does this flag, as it was sent, say critical?"""
    plain = flag.strip().upper()
    return plain in _CRITICAL_FLAGS or plain == _ABNORMAL_CRITICAL


def _abnormal(flag: str, standing: Standing) -> Standing | None:
    if flag != _ABNORMAL_CRITICAL:
        return None
    if standing in ("low", "critically_low"):
        return "critically_low"
    return "critically_high" if standing in ("high", "critically_high") else None


def _raised(
    placed: Classification, critical: Standing, flag: str
) -> tuple[Classification, tuple[Problem, ...]]:
    if placed.standing == critical:
        return placed, ()
    note = f"critical by the laboratory's flag {flag}"
    raised = replace(
        placed,
        standing=critical,
        why_unknown=None,
        at_the_limit_note=placed.at_the_limit_note or note,
    )
    return raised, (_differs(placed, flag, critical),)


def _differs(placed: Classification, flag: str, shown: Standing) -> Problem:
    ours = FLAG_OF_STANDING[placed.standing] or "none"
    message = (
        f"{placed.result.measurand.spoken}: the laboratory's flag is {flag}, by the "
        "interval in use it would be "
        f"{ours}; it is shown as {shown.replace('_', ' ')}"
    )
    return Problem("flag-differs", message, placed.result.where, placed.result.measurand.id)
