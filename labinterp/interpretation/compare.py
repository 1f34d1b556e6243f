"""How results moved since the latest earlier ones.

And whether that is more than biology and the method explain.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.facts import of_result
from labinterp.interpretation.sentences import value_text
from labinterp.interpretation.validate import LONG_AGO, aware
from labinterp.model.panel import Change, Move, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from labinterp.model.knowledge import Knowledge
    from labinterp.model.measurand import Measurand, Variation

RCV: Final = "reference_change_value"
_PRECISION: Final = 10**12
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
Earlier = tuple["datetime | None", Result]


def compare(
    results: Iterable[Result], earlier: Iterable[Earlier], knowledge: Knowledge
) -> dict[str, Change]:
    """The change of each usable result since the latest earlier one, by measurand."""
    latest = _latest(earlier)
    changes: dict[str, Change] = {}
    for result in results:
        known = latest.get(result.measurand.id)
        if known is not None and result.usable and result.extent is not None:
            change = _change(result, known, knowledge)
            if change is not None:
                changes[result.measurand.id] = change
    return changes


def _latest(earlier: Iterable[Earlier]) -> Mapping[str, Earlier]:
    """The latest earlier result of each measurand; those without a time are older than any."""
    dated = sorted(
        (
            one
            for one in earlier
            if one[1].usable and one[1].extent is not None and one[1].quantity is not None
        ),
        key=lambda one: (
            one[0] is not None,
            aware(one[0]) if one[0] else LONG_AGO,
            one[1].where,
        ),
    )
    return {result.measurand.id: (when, result) for when, result in dated}


def _change(result: Result, known: Earlier, knowledge: Knowledge) -> Change | None:
    when, before = known
    if result.extent is None or before.extent is None or before.quantity is None:
        return None
    if result.extent.comparator or before.extent.comparator:
        text = (
            f"was {_shown(before)}{_on(when)}; a difference from or to a value with < or "
            "> cannot be reckoned"
        )
        return Change(result.measurand.id, before.quantity, when, None, None, None, None, text)
    difference = result.extent.number - before.extent.number
    percent = 100 * difference / before.extent.number if before.extent.number else None
    expected = reference_change_value(result.measurand, knowledge)
    significant = None if percent is None or expected is None else abs(percent) > expected
    return Change(
        result.measurand.id,
        before.quantity,
        when,
        difference,
        percent,
        expected,
        significant,
        _text(before, when, percent, expected, significant),
    )


def moves(
    results: Iterable[Result], changes: Mapping[str, Change], collected_at: datetime
) -> dict[str, Move]:
    """How far each result moved, where variation, times and both values are known."""
    found: dict[str, Move] = {}
    for result in results:
        change = changes.get(result.measurand.id)
        if change is None or change.earlier_at is None or result.extent is None:
            continue
        times = _times(result.extent.number, change)
        if times is not None:
            passed = aware(collected_at) - aware(change.earlier_at)
            found[result.measurand.id] = Move(times, _days(passed), change.text)
    return found


def _days(passed: timedelta) -> Fraction:
    return Fraction(passed // timedelta(seconds=1), 86_400)


def _times(now: Fraction, change: Change) -> Fraction | None:
    """Reference change values between two values, from the lower of them."""
    if change.difference is None or not change.reference_change_value:
        return None
    lower = min(now, now - change.difference)
    if lower <= 0:
        return None
    return 100 * abs(change.difference) / lower / change.reference_change_value


def reference_change_value(measurand: Measurand, knowledge: Knowledge) -> Fraction | None:
    """The change [%] that biology and method alone seldom exceed.

    None without variation data or a sourced factor.

    Source: the formula and its factor are those of `formulas/reference_change_value.yaml`.
    """
    formula = knowledge.formulas.get(RCV)
    study = _study(measurand)
    if formula is None or study is None or "z" not in formula.constants:
        return None
    if study.within_subject is None or study.analytical is None:
        return None
    spread = Fraction(study.within_subject) ** 2 + Fraction(study.analytical) ** 2
    return Fraction(formula.constants["z"]) * _root(2 * spread)


def _study(measurand: Measurand) -> Variation | None:
    """The first verified study that has both variations."""
    return next(
        (
            study
            for study in measurand.variation
            if not study.unverified
            and study.within_subject is not None
            and study.analytical is not None
        ),
        None,
    )


def _root(number: Fraction) -> Fraction:
    """A square root to twelve places, the same on every machine."""
    return Fraction(isqrt(int(number * _PRECISION**2)), _PRECISION)


def _text(
    before: Result,
    when: datetime | None,
    percent: Fraction | None,
    expected: Fraction | None,
    significant: bool | None,
) -> str:
    """`down 21 % since 2 Oct 2026, more than expected variation (11 %)`."""
    if percent is None:
        return f"was {_shown(before)}{_on(when)}"
    if not percent:
        return f"unchanged{_since(when)}"
    moved = f"{'up' if percent > 0 else 'down'} {_whole(abs(percent))} %{_since(when)}"
    if expected is None:
        return f"{moved}; no variation data to judge it by"
    if significant:
        return f"{moved}, more than expected variation ({_whole(expected)} %)"
    return f"{moved}, within expected variation ({_whole(expected)} %)"


def _since(when: datetime | None) -> str:
    return f" since {_day(when)}" if when else " since an earlier result"


def _on(when: datetime | None) -> str:
    return f" on {_day(when)}" if when else " earlier"


def _day(when: datetime) -> str:
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def _whole(percent: Fraction) -> str:
    with localcontext() as context:
        context.prec = 30
        number = Decimal(percent.numerator) / Decimal(percent.denominator)
    return f"{round(number, 1):f}" if abs(percent) < 10 else f"{round(number):d}"  # noqa: PLR2004 - one digit more below ten


def _shown(result: Result) -> str:
    return value_text(of_result(result))
