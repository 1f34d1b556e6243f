"""Puts the parts of an answer together, in the shape of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp import __version__
from labinterp.interpretation import sources
from labinterp.interpretation.comments import completeness, next_steps, other_causes
from labinterp.interpretation.findings import found, heard
from labinterp.interpretation.keeping import kept
from labinterp.interpretation.paths import active_paths
from labinterp.interpretation.results import Printer, in_order
from labinterp.interpretation.sentences import sentence_case
from labinterp.model.interpretation import (
    AgeAtCollection,
    EngineVersion,
    Finding,
    Interpretation,
    InterpretedPatient,
    InterpretedResult,
    KnowledgeVersion,
    ProblemRecord,
    Twitching,
    Undecided,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from labinterp.interpretation.artefacts import Suspected
    from labinterp.interpretation.explain import Explained
    from labinterp.interpretation.facts import Facts
    from labinterp.interpretation.recognise import Recognised
    from labinterp.interpretation.settings import Settings
    from labinterp.interpretation.strata import Stratum
    from labinterp.model.codes import Urgency
    from labinterp.model.knowledge import CriticalPolicy, Knowledge, RangeSet
    from labinterp.model.panel import Change, Classification, Problem
    from labinterp.model.rule import Rule
    from labinterp.model.submission import Submission

_STATED: Final = ("purpose", "intervals", "not-excluded", "common-causes")
"""Keys of the fixed statements every answer carries, in the order in which reports print them."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the steps concluded, ready to be put together."""

    submission: Submission
    knowledge: Knowledge
    settings: Settings
    recognised: Recognised
    classifications: tuple[Classification, ...]
    changes: Mapping[str, Change]
    facts: Facts
    suspected: Suspected
    patterns: Stratum
    red_flags: Stratum
    explained: Explained
    urgency: Urgency
    urgency_because: tuple[Finding, ...]
    urgencies: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    problems: tuple[Problem, ...]
    notices: tuple[str, ...]


def assemble(parts: Parts) -> Interpretation:
    """The whole answer."""
    knowledge = parts.knowledge
    results = _results(parts)
    findings = _askers(parts)
    steps = next_steps(findings, parts.facts, knowledge)
    twitching = _twitching(parts)
    made = {one.rule for one in (*findings, *parts.explained.mechanisms)}
    undecided = _undecided(parts, made)
    cited = [
        *sources.of_findings(
            parts.red_flags.findings,
            parts.urgency_because,
            parts.suspected.findings,
            parts.patterns.findings,
            parts.explained.mechanisms,
        ),
        *sources.of_results(results),
        *sources.of_rest(steps, twitching.other_causes, twitching.paths),
        *(
            source
            for rule in twitching.rules
            for source in knowledge.twitch_rules.get(rule, ("", ()))[1]
        ),
    ]
    return Interpretation(
        knowledge=KnowledgeVersion(knowledge.version, knowledge.digest),
        engine=EngineVersion(__version__),
        range_set=parts.settings.range_set,
        range_set_title=_title(knowledge.range_sets, parts.settings.range_set),
        critical_policy=parts.settings.critical_policy,
        critical_policy_title=_title(knowledge.policies, parts.settings.critical_policy),
        scheme_titles=_scheme_titles(parts.settings, knowledge),
        schemes=_schemes(parts.settings),
        urgency=parts.urgency,
        urgency_because=parts.urgency_because,
        patient=_patient(parts),
        status=parts.submission.status,
        collected_at=parts.submission.collected_at.isoformat()
        if parts.submission.collected_at
        else None,
        results=results,
        artefacts=parts.suspected.findings,
        patterns=parts.patterns.findings,
        mechanisms=parts.explained.mechanisms,
        undecided=undecided,
        next_steps=steps,
        twitching=twitching,
        problems=_problems(parts.problems),
        completeness=completeness(parts.submission, parts.classifications, parts.problems),
        sources=sources.numbered(cited, knowledge),
        rules_looked_at=knowledge.rule_count,
        artefact_checks=_artefact_checks(knowledge),
        statements=_statements(knowledge),
        notices=parts.notices,
        urgency_findings=parts.urgencies,
        not_assessed=_not_assessed(parts, made.union(one.rule for one in undecided)),
    )


@kept(most=8)
def _artefact_checks(knowledge: Knowledge) -> tuple[str, ...]:
    return tuple(rule.title for rule in knowledge.artefacts.values())


@kept(most=500)
def _schemes(settings: Settings) -> tuple[str, ...]:
    return tuple(f"{name}: {scheme}" for name, scheme in sorted(settings.schemes.items()))


def _title(known: Mapping[str, RangeSet] | Mapping[str, CriticalPolicy], name: str) -> str:
    """What readers call this set or policy."""
    found = known.get(name)
    return found.title if found is not None else name


@kept(identical=2, most=500)
def _scheme_titles(settings: Settings, knowledge: Knowledge) -> tuple[str, ...]:
    """Whose limits serve as intervals, as readers know them, each once."""
    schemes = (
        knowledge.decision_schemes[name]
        for _, name in sorted(settings.schemes.items())
        if name in knowledge.decision_schemes
    )
    return tuple(dict.fromkeys(f"{one.about}: {one.title}" for one in schemes))


def _results(parts: Parts) -> tuple[InterpretedResult, ...]:
    printer = Printer(
        parts.knowledge,
        parts.settings,
        parts.recognised.patient,
        parts.facts,
        parts.suspected.doubts,
        parts.changes,
        frozenset(one.rule for one in (*parts.patterns.findings, *parts.suspected.findings)),
    )
    return tuple(printer.result(one) for one in in_order(parts.classifications, parts.knowledge))


def _askers(parts: Parts) -> tuple[Finding, ...]:
    """The findings that ask for steps, in the order they are read."""
    return (
        *parts.red_flags.findings,
        *parts.urgencies,
        *parts.suspected.findings,
        *parts.patterns.findings,
    )


def _twitching(parts: Parts) -> Twitching:
    explained = parts.explained
    return Twitching(
        verdict=explained.verdict,
        text=explained.text,
        rules=explained.rules,
        drivers=explained.drivers,
        per_symptom=explained.per_symptom,
        paths=active_paths(parts.knowledge, explained.active, parts.recognised.patient.symptoms),
        red_flags=parts.red_flags.findings,
        other_causes=other_causes(parts.recognised.patient, parts.facts, parts.knowledge),
    )


def _undecided(parts: Parts, made: AbstractSet[str]) -> tuple[Undecided, ...]:
    """Rules left open, each once, in one order; but for those that made a finding."""
    every: Iterable[Undecided] = (
        *parts.red_flags.undecided,
        *parts.suspected.undecided,
        *parts.patterns.undecided,
        *parts.explained.undecided,
        *parts.undecided,
    )
    return tuple({one.rule: one for one in every if one.rule not in made}.values())


def _problems(problems: Iterable[Problem]) -> tuple[ProblemRecord, ...]:
    """Problems as the answer prints them, the same one once."""
    records = (
        ProblemRecord(one.code, sentence_case(one.message), one.where, one.measurand)
        for one in problems
    )
    return tuple(dict.fromkeys(records))


def _not_assessed(parts: Parts, spoken_of: AbstractSet[str]) -> tuple[str, ...]:
    """Rules that cannot be told and of which no part holds.

    Too many to list with what is missing.
    """
    facts, groups = parts.facts, _groups(parts.knowledge)
    if not facts.ionised_settles:
        every = (found(rules, facts) for rules in groups)
        left = [rule.id for rules in every for rule, weighed in rules if weighed.truth is None]
    else:
        asked = (one for rules in groups for one in heard(rules, facts, parts.knowledge))
        left = [rule.id for rule, weighed, _ in asked if weighed.truth is None]
    return tuple(one for one in left if one not in spoken_of)


def _groups(knowledge: Knowledge) -> tuple[Mapping[str, Rule], ...]:
    return (
        knowledge.artefacts,
        knowledge.patterns,
        knowledge.mechanisms,
        knowledge.red_flags,
        knowledge.urgency_rules,
    )


def _patient(parts: Parts) -> InterpretedPatient:
    patient, recognised = parts.recognised.patient, parts.recognised
    age = None
    if patient.age_days is not None:
        age = AgeAtCollection(patient.age_days, patient.age_text or f"{patient.age_days} days")
    return InterpretedPatient(
        patient.sex,
        age,
        patient.pregnancy,
        patient.gestation_weeks,
        recognised.symptoms,
        recognised.medications,
        recognised.conditions,
        recognised.history,
    )


@kept(most=8)
def _statements(knowledge: Knowledge) -> tuple[str, ...]:
    """The fixed sentences this answer is printed with, in order."""
    texts = knowledge.statements.get("en", {})
    return tuple(texts[key].strip() for key in _STATED if key in texts)
