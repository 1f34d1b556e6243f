"""What follows from the findings.

Next steps to consider, commoner causes, and what the report lacked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.interpretation import conditions
from labinterp.interpretation.facts import ADJUSTED_CALCIUM, IONISED_CALCIUM, LOW, Facts
from labinterp.interpretation.keeping import kept
from labinterp.model.codes import URGENCIES, Urgency, most_urgent
from labinterp.model.interpretation import Completeness, Finding, NextStep, OtherCause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from labinterp.model.knowledge import Cause, Knowledge, Step
    from labinterp.model.panel import Classification, Problem
    from labinterp.model.patient import Patient
    from labinterp.model.rule import Condition
    from labinterp.model.submission import Submission

_FREQUENCIES: Final = ("very-common", "common", "uncommon", "rare")
_ASK_MAGNESIUM: Final = "repeat-mg-k-ca"
_ASK_CALCIUM: Final = "measure-ionised-calcium"
_MEDICATION: Final = "medication-effect"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A step as findings ask for it: how urgent the most urgent of them is, and which they are."""

    urgency: Urgency
    because: tuple[str, ...]


def next_steps(
    findings: Iterable[Finding], facts: Facts, knowledge: Knowledge
) -> tuple[NextStep, ...]:
    """Each step once, as urgent as the most urgent finding that asks for it.

    The most urgent first.
    """
    findings = tuple(findings)
    asked: dict[str, _Asked] = {}
    for one in findings:
        for step in one.steps:
            known = asked.get(step, _Asked("none", ()))
            because = known.because if one.id in known.because else (*known.because, one.id)
            asked[step] = _Asked(most_urgent(known.urgency, one.urgency), because)
    for step, because in _always(facts, asked, findings):
        asked.setdefault(step, _Asked("none", because))
    steps = [
        _next_step(knowledge.next_steps[step], how)
        for step, how in asked.items()
        if step in knowledge.next_steps and _is_offered(knowledge.next_steps[step], facts)
    ]
    return tuple(sorted(steps, key=lambda one: -URGENCIES.index(one.urgency)))


def _next_step(step: Step, asked: _Asked) -> NextStep:
    return NextStep(
        step.id,
        step.label,
        step.detail,
        most_urgent(step.urgency, asked.urgency),
        asked.because,
        step.sources,
    )


def _is_offered(step: Step, facts: Facts) -> bool:
    """A step that a finding speaks against is left out; what cannot be told does not stop it."""
    return step.offered_unless is None or conditions.holds(step.offered_unless, facts) is not True


def _always(
    facts: Facts, asked: Mapping[str, _Asked], findings: Iterable[Finding]
) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Low calcium or potassium asks for magnesium, a provisional calcium for an ionised one."""
    low = [
        name
        for name in ("potassium", ADJUSTED_CALCIUM, IONISED_CALCIUM)
        if name in facts.results and facts.results[name].standing in LOW
    ]
    if low and "magnesium" not in facts.results and _ASK_MAGNESIUM not in asked:
        yield _ASK_MAGNESIUM, _about(low, findings)
    calcium = facts.results.get(ADJUSTED_CALCIUM)
    is_open = calcium is not None and calcium.provisional and calcium.standing != "within"
    if is_open and _ASK_CALCIUM not in asked:
        yield _ASK_CALCIUM, _about([ADJUSTED_CALCIUM], findings)


def _about(measurands: Iterable[str], findings: Iterable[Finding]) -> tuple[str, ...]:
    """The findings about these results, for the reason of a step."""
    named = set(measurands)
    return tuple(one.id for one in findings if named.intersection(one.affects))


# ---- commoner causes


def other_causes(patient: Patient, facts: Facts, knowledge: Knowledge) -> tuple[OtherCause, ...]:
    """Causes no result shows.

    Those that something recorded suggests first, then the commoner first; last those of which
    every step is left out, as lifestyle is beside a red flag.
    """
    left_out = frozenset(
        cause
        for cause, unless in _may_be_left_out(knowledge)
        if all(conditions.holds(one, facts) is True for one in unless)
    )
    symptoms = tuple(dict.fromkeys(symptom.id for symptom in patient.symptoms))
    recorded = (
        ("symptom", symptoms),
        ("medication", patient.medications),
        ("condition", patient.conditions),
        ("history", patient.history),
    )
    return _causes(knowledge, recorded, left_out)


@kept(most=8)
def _may_be_left_out(knowledge: Knowledge) -> tuple[tuple[str, tuple[Condition, ...]], ...]:
    """Causes of which no step is always offered, with what each of their steps is left out for."""
    asked = (
        (cause.id, [knowledge.next_steps[one].offered_unless for one in cause.next_steps])
        for cause in knowledge.causes.values()
    )
    return tuple(
        (cause, tuple(one for one in unless if one is not None))
        for cause, unless in asked
        if unless and None not in unless
    )


_Recorded = tuple[tuple[str, tuple[str, ...]], ...]


@kept(most=2_000)
def _causes(
    knowledge: Knowledge, recorded: _Recorded, left_out: frozenset[str]
) -> tuple[OtherCause, ...]:
    causes = [
        OtherCause(
            cause.id,
            cause.label,
            cause.typical,
            cause.clue,
            cause.frequency,
            cause.sources,
            _suggested_by(cause, recorded, knowledge),
        )
        for cause in knowledge.causes.values()
    ]
    return tuple(sorted(causes, key=lambda one: _cause_rank(one, left_out)))


def _cause_rank(cause: OtherCause, left_out: Collection[str]) -> tuple[bool, bool, int]:
    frequency = cause.frequency
    place = _FREQUENCIES.index(frequency) if frequency in _FREQUENCIES else len(_FREQUENCIES)
    return not cause.suggested_by, cause.id in left_out, place


def _suggested_by(cause: Cause, recorded: _Recorded, knowledge: Knowledge) -> tuple[str, ...]:
    """Labels of what was recorded and points to this cause."""
    found = []
    for kind, ids in recorded:
        terms = knowledge.terms.get(kind, {})
        for one in ids:
            term = terms.get(one)
            is_drug = kind == "medication" and cause.id == _MEDICATION
            if term is not None and (
                one in cause.suggested_by or one == cause.id or (is_drug and term.twitch_effect)
            ):
                found.append(term.label)
    return tuple(dict.fromkeys(found))


# ---- completeness


def completeness(
    submission: Submission,
    classifications: Iterable[Classification],
    problems: Iterable[Problem],
) -> tuple[Completeness, ...]:
    """What the report lacked, and what that cost."""
    placed = tuple(classifications)
    measured = [one for one in placed if not one.result.inputs]
    lacking = [
        (
            submission.laboratory is None,
            "laboratory",
            "not named: method-dependent limits cannot be matched to it",
        ),
        (
            submission.collected_at is None,
            "collection_time",
            "not given: age and change are reckoned from the time of receipt",
        ),
        (
            submission.specimen_material is None and "type" not in submission.specimen_fields,
            "specimen",
            "material not given: names without a system were read as serum or plasma",
        ),
        (
            submission.age_days is None,
            "age",
            "not given: adult intervals were used, or several had to agree",
        ),
        (
            submission.sex not in ("female", "male"),
            "sex",
            "not given: intervals of both sexes had to agree",
        ),
        (
            "haemolysis" not in submission.specimen_fields and submission.haemolysis_index is None,
            "haemolysis",
            "not stated: a falsely high potassium cannot be excluded",
        ),
    ]
    found = [
        Completeness(element, message) for is_lacking, element, message in lacking if is_lacking
    ]
    return (*found, *_intervals_lacking(measured), *_units_lacking(problems))


def _intervals_lacking(measured: Iterable[Classification]) -> tuple[Completeness, ...]:
    without = [
        one.result.measurand.name
        for one in measured
        if one.interval is not None and one.interval.owner == "service"
    ]
    if not without:
        return ()
    names = "; ".join(dict.fromkeys(without))
    return (
        Completeness(
            "interval",
            f"not printed with {names}. Ours was used; the laboratory’s may differ",
        ),
    )


def _units_lacking(problems: Iterable[Problem]) -> tuple[Completeness, ...]:
    messages = [one.message for one in problems if one.code in ("unit-missing", "unit-inferred")]
    return tuple(Completeness("unit", message) for message in messages)
