"""Which foods the patient page names: where a deficiency is shown, and nothing makes it unsafe.

The rules are data; where it cannot be told whether something makes an advice unsafe, it is left
out. Advice about food is no treatment, so leaving it out loses nobody anything.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from labinterp.reporting.lookups import all_findings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.model.interpretation import Interpretation, InterpretedResult
    from labinterp.model.patient_text import FoodRule, LeastValue, PatientRules, Unsafe

_HIGH: Final = ("high", "critically_high")
_LOW: Final = ("low", "critically_low")
_YEAR: Final = Decimal("365.25")
"""A year [days], as the age bands of the knowledge count."""
_AT_LEAST: Final = (None, ">", ">=", "≥")


def foods(answer: Interpretation, rules: PatientRules) -> tuple[str, ...]:
    """Ids of the advices whose foods may be named, in the order of the rules."""
    if not _is_grown(answer, rules) or unsafe(answer, rules.unsafe):
        return ()
    return tuple(rule.id for rule in rules.foods if _is_wanted(answer, rule))


def _is_grown(answer: Interpretation, rules: PatientRules) -> bool:
    """An adult who is not pregnant: the advice is made for nobody else."""
    age = answer.patient.age_at_collection
    if age is None or answer.patient.pregnancy == "pregnant":
        return False
    return age.days >= rules.adults_only * _YEAR


def _is_wanted(answer: Interpretation, rule: FoodRule) -> bool:
    shown = any(
        finding.rule in rule.shown_by and not finding.doubts for finding in answer.mechanisms
    )
    known = not rule.needs_known or any(_is_well(answer, name) for name in rule.needs_known)
    low = not rule.needs_low or any(
        result.standing in _LOW for name in rule.needs_low for result in _of(answer, name)
    )
    return shown and known and low and not unsafe(answer, rule.unsafe)


def _is_well(answer: Interpretation, measurand: str) -> bool:
    """Reported, believed, and within its interval."""
    return any(
        result.value is not None and not result.doubts and result.standing == "within"
        for result in _of(answer, measurand)
    )


def unsafe(answer: Interpretation, danger: Unsafe) -> bool:
    """Whether any of this is so, or may be."""
    patient = answer.patient
    found = {finding.rule for finding in all_findings(answer)}
    return (
        answer.urgency in danger.urgencies
        or _any_of(danger.conditions, (term.id for term in patient.conditions))
        or _any_of(danger.medications, (term.id for term in patient.medications))
        or _any_of(danger.findings, found)
        or any(result.standing in _HIGH for name in danger.high for result in _of(answer, name))
        or any(_may_be_below(answer, least) for least in danger.below)
    )


def _any_of(named: Iterable[str], recorded: Iterable[str]) -> bool:
    return not set(named).isdisjoint(recorded)


def _may_be_below(answer: Interpretation, least: LeastValue) -> bool:
    """A result under the limit, or one of which only an upper bound is known."""
    return any(
        result.value is not None
        and (result.value.number < least.limit or result.value.comparator not in _AT_LEAST)
        for result in _of(answer, least.measurand)
    )


def _of(answer: Interpretation, measurand: str) -> tuple[InterpretedResult, ...]:
    return tuple(result for result in answer.results if result.measurand == measurand)
