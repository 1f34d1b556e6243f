"""Where each result stands: by the laboratory's interval, by ours, by critical limits.

Or why that cannot be said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from labinterp.interpretation import conditions
from labinterp.interpretation.critical import critical_limits, with_critical
from labinterp.interpretation.intervals import (
    Choice,
    choose,
    fits_anyone,
    person_like,
)
from labinterp.interpretation.judging import (
    by_laboratory,
    by_row,
    by_scheme,
    region,
    with_others,
)
from labinterp.interpretation.keeping import Kept, kept
from labinterp.interpretation.laboratory import LabInterval, read_laboratory_interval, with_lab_flag
from labinterp.interpretation.measure import (
    lies_in,
)
from labinterp.model.panel import Classification, Problem, Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.interpretation.facts import Facts
    from labinterp.interpretation.settings import Settings
    from labinterp.model.codes import Standing
    from labinterp.model.interval import DecisionLimit
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.measurand import Measurand, SeverityBand
    from labinterp.model.panel import Change
    from labinterp.model.patient import Patient

_SEVERITY: Final[dict[Standing, int]] = {
    "within": 0, "unknown": 0, "low": 1, "high": 1, "critically_low": 2, "critically_high": 2,
}  # fmt: skip


def classify(
    result: Result,
    patient: Patient,
    settings: Settings,
    knowledge: Knowledge,
    change: Change | None = None,
) -> tuple[Classification, tuple[Problem, ...]]:
    """One result's standing, with everything it rests on; some limits ask how it changed."""
    if not result.usable:
        return Classification(result, "unknown", result.why_unusable), ()
    if result.text is not None:
        return _in_words(result), ()
    person = person_like(patient, knowledge)
    if change is not None or not _waivers(knowledge).isdisjoint(patient.conditions):
        return _classified(result, person, settings, knowledge, patient=patient, change=change)
    alike = _alike(result, person, settings, knowledge)
    placed = alike.placed.of_result(result)
    return placed, tuple(replace(one, where=result.where) for one in alike.problems)


@dataclass(frozen=True, slots=True)
class _Alike:
    """What holds for every result with this value, unit and interval in such a patient."""

    placed: Classification
    problems: tuple[Problem, ...]


_PLACED: Final = Kept[_Alike](most=10_000)


def _alike(result: Result, person: Patient, settings: Settings, knowledge: Knowledge) -> _Alike:
    """The classification of a result whose change and whose patient's conditions do not count."""
    reported, quantity = result.reported, result.quantity
    key = (
        id(knowledge),
        id(settings),
        id(person),
        id(result.measurand),
        None if result.inputs else id(result.conversion),
        None if quantity is None else (str(quantity.number), quantity.unit, quantity.comparator),
        result.extent if result.inputs else None,
        result.inputs,
        result.equation,
        result.provisional,
        None if reported is None else (reported.interval, reported.unit, reported.flag),
    )
    found = _PLACED.get(key)
    if found is None:
        placed, problems = _classified(
            result, person, settings, knowledge, patient=person, change=None
        )
        placed = replace(placed, alike={})
        found = _Alike(placed, problems)
        _PLACED.put(key, (knowledge, settings, person, result), found)
    return found


@kept(most=8)
def _waivers(knowledge: Knowledge) -> frozenset[str]:
    """Conditions in which some policy passes over a limit of its own."""
    limits = (limit for one in knowledge.measurands.values() for limit in one.critical_limits)
    return frozenset(name for one in limits if one.waiver for name in one.waiver.conditions)


def _classified(
    result: Result,
    person: Patient,
    settings: Settings,
    knowledge: Knowledge,
    *,
    patient: Patient,
    change: Change | None,
) -> tuple[Classification, tuple[Problem, ...]]:
    lab, problems = read_laboratory_interval(result, settings)
    choice = choose(result.measurand, person, settings, knowledge)
    if settings.range_policy == "lab-only":
        choice = Choice()
    placed = _placed(result, lab, choice, person)
    limits = critical_limits(result.measurand, person, settings, knowledge)
    placed = with_critical(placed, limits, patient, change)
    decisions = _decisions(result, person, settings)
    if decisions:
        placed = replace(placed, decisions=decisions)
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
        return by_laboratory(result, lab, choice)
    if choice.candidates:
        placed = _by_candidates(result, choice, patient)
        return replace(placed, adults_only=True) if choice.adults_only else placed
    if choice.scheme:
        return by_scheme(result, choice.scheme)
    return Classification(result, "unknown", "no interval for this patient")


# ---- against our intervals


def _by_candidates(result: Result, choice: Choice, patient: Patient) -> Classification:
    """A standing if everyone the patient could be would have it; else what would settle it."""
    judged = [(one, by_row(result, one, choice.donor)) for one in choice.candidates]
    first = judged[0][1]
    standings = {one.standing for _, one in judged}
    if len(standings) == 1 and not choice.partial:
        found = first.of(result)
        if found.interval is not None and choice.others:
            found = replace(found, interval=with_others(found.interval, choice))
        return found
    settled_by = _settling(patient)
    needs = " and ".join(settled_by) or "more about the patient"
    trouble = (
        "there is no interval for some of those the patient could be"
        if choice.partial
        else "the intervals for different people disagree about it"
    )
    why = f"{trouble}; the patient's {needs} would settle it"
    adults: list[Standing] = [
        one.standing or "unknown" for candidate, one in judged if candidate.is_adult
    ]
    urgent = max(adults, key=lambda one: _SEVERITY[one], default=None)
    return Classification(result, "unknown", why, urgent_standing=urgent, settled_by=settled_by)


def _settling(patient: Patient) -> tuple[str, ...]:
    unknown = {
        "age": patient.age_days is None,
        "sex": patient.sex not in ("female", "male"),
        "weeks of gestation": patient.pregnancy == "pregnant" and patient.gestation_weeks is None,
    }
    return tuple(name for name, is_unknown in unknown.items() if is_unknown)


# ---- critical and decision limits


def _decisions(result: Result, patient: Patient, settings: Settings) -> tuple[DecisionLimit, ...]:
    """The regions this result certainly lies in, of the schemes in force for its measurand."""
    fitting = _fitting(result.measurand, patient, settings)
    return tuple(one for one in fitting if lies_in(result, region(result, one)) is True)


@kept(identical=3)
def _fitting(
    measurand: Measurand, patient: Patient, settings: Settings
) -> tuple[DecisionLimit, ...]:
    """The regions that fit this patient, of the schemes in force."""
    name = measurand.id
    schemes = {settings.schemes.get(name), *settings.named.get(name, ())}
    return tuple(
        limit
        for limit in measurand.decision_limits
        if limit.scheme in schemes and fits_anyone(limit.applies_to, patient)
    )


# ---- severity


def graded(classifications: Iterable[Classification], facts: Facts) -> tuple[Classification, ...]:
    """Each result with the first severity band that holds."""
    banded = ((one, _band(one, facts)) for one in classifications)
    return tuple(one if band is None else replace(one, band=band) for one, band in banded)


def _band(classification: Classification, facts: Facts) -> SeverityBand | None:
    if not classification.result.usable:
        return None
    found = conditions.first(classification.result.measurand.severity_bands, facts)
    return None if found is None else found[0]
