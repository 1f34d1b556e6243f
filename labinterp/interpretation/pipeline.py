"""The table of contents: from a submission to an explained answer, one step a line.

    identify → normalise → validate → derive → classify → compare → artefacts → patterns →
    mechanisms → comment

Each step uses only what stands above it. The pipeline is a function of its arguments: no disk,
clock, network or name;
what it cannot read, place or believe becomes a Problem in the answer, and it raises for no
submission.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from labinterp.interpretation import artefacts, urgency
from labinterp.interpretation.answer import Parts, assemble
from labinterp.interpretation.classify import classify, graded
from labinterp.interpretation.compare import compare, moves
from labinterp.interpretation.compiled import judges_of
from labinterp.interpretation.derive import derive
from labinterp.interpretation.explain import Explained, explain
from labinterp.interpretation.facts import (
    Fact,
    Facts,
    of_classification,
    of_panel,
    of_rejected,
    results_of,
)
from labinterp.interpretation.findings import with_findings
from labinterp.interpretation.grading import Case
from labinterp.interpretation.notices import notices, unknown_age
from labinterp.interpretation.reading import Reading, read
from labinterp.interpretation.recognise import recognise
from labinterp.interpretation.scope import Scope, scope_of
from labinterp.interpretation.sentences import sentence_case
from labinterp.interpretation.settings import Settings, settle
from labinterp.interpretation.strata import Stratum, find_patterns, find_red_flags
from labinterp.model.submission import Choices, Submission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labinterp.interpretation.artefacts import Suspected
    from labinterp.model.codes import Urgency
    from labinterp.model.interpretation import Finding, Interpretation, Undecided
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.panel import Change, Classification, Panel, Problem
    from labinterp.model.patient import Patient

NO_CHOICES: Final = Choices()
_IMPLAUSIBLE: Final = "value-implausible"
Rivals = dict[str, "list[Fact]"]


def interpret(
    submission: Submission, knowledge: Knowledge, defaults: Choices = NO_CHOICES
) -> Interpretation:
    """The explained answer to one submission.

    Args:
        submission: the panel as received.
        knowledge: everything we know.
        defaults: the organisation's settings; the submission's own choices go before them.
    """
    settings, unknown_settings = settle(submission.choices, defaults, knowledge)
    recognised = recognise(submission, knowledge)
    patient = recognised.patient
    reading = read(submission, patient, knowledge)
    panel = derive(reading.panel, knowledge, settings.asked_for)
    changes = compare(panel.results, reading.earlier, knowledge)
    moved = moves(panel.results, changes, panel.collected_at or submission.received_at)
    placed = _classify(panel, settings, knowledge, changes)
    problems = (
        *unknown_settings,
        *recognised.problems,
        *reading.problems,
        *placed.problems,
        *unknown_age(placed.classifications, patient),
    )
    if moved:
        placed = replace(placed, facts=replace(placed.facts, moves=moved))
    strata = _strata(knowledge, panel, placed, reading, problems)
    rivals = _rivals(reading, patient, settings, knowledge)
    urgent = _urgency(knowledge, placed, rivals, strata)
    return assemble(
        Parts(
            submission=submission,
            knowledge=knowledge,
            settings=settings,
            recognised=recognised,
            classifications=placed.classifications,
            changes=changes,
            facts=strata.facts,
            suspected=strata.suspected,
            patterns=strata.patterns,
            red_flags=strata.red_flags,
            explained=strata.explained,
            urgency=urgent.overall,
            urgency_because=urgent.because,
            urgencies=urgent.findings,
            undecided=urgent.undecided,
            problems=problems,
            notices=notices(strata.scope, patient, panel, knowledge),
        )
    )


# ---- classify


@dataclass(frozen=True, slots=True)
class _Placed:
    """Results with their standing, as facts, and what was noticed on the way."""

    classifications: tuple[Classification, ...]
    facts: Facts
    problems: tuple[Problem, ...]


def _classify(
    panel: Panel, settings: Settings, knowledge: Knowledge, changes: Mapping[str, Change]
) -> _Placed:
    """Every result's standing, then its severity."""
    placed = [
        classify(result, panel.patient, settings, knowledge, changes.get(result.measurand.id))
        for result in panel.results
    ]
    first = tuple(one for one, _ in placed)
    facts = of_panel(panel, first, knowledge.measurands, judges_of(knowledge))
    classifications = graded(first, facts)
    if any(one.band is not None for one in classifications):
        facts = replace(facts, results=results_of(classifications))
    return _Placed(classifications, facts, tuple(one for _, problems in placed for one in problems))


# ---- artefacts, red flags, patterns, mechanisms


@dataclass(frozen=True, slots=True)
class _Strata:
    """What each stratum of rules found.

    Attributes:
        reported: facts as reported, with the artefacts found.
        facts: facts as assessed: substitutes in place, doubtful results unanswerable.
        rejected: values that cannot be right, as they were sent.
    """

    scope: Scope
    suspected: Suspected
    red_flags: Stratum
    patterns: Stratum
    explained: Explained
    reported: Facts
    facts: Facts
    rejected: dict[str, Fact]


def _strata(
    knowledge: Knowledge,
    panel: Panel,
    placed: _Placed,
    reading: Reading,
    problems: tuple[Problem, ...],
) -> _Strata:
    """Each stratum on the facts that the one before it leaves standing."""
    scope = scope_of(panel.patient)
    facts = urgency.with_computed(placed.facts, placed.classifications, problems)
    wrong = {one.measurand for one in problems if one.code == _IMPLAUSIBLE and one.measurand}
    rejected = of_rejected(panel.results, wrong)
    as_sent = replace(facts, results={**rejected, **facts.results}) if rejected else facts
    suspected = artefacts.suspect(knowledge, as_sent, panel.results)
    reported = with_findings(facts, suspected.findings)
    red_flags = find_red_flags(knowledge, reported, suspected.doubts)
    reported = with_findings(reported, red_flags.findings)
    assessed = artefacts.assessed(reported, suspected)
    doubts = artefacts.doubts_after_substitution(suspected)
    patterns = find_patterns(knowledge, assessed, doubts, scope)
    unanswerable = reading.unusable | (suspected.blocked.keys() - suspected.substitutes.keys())
    explained = explain(Case(knowledge, panel.patient, assessed, reported), doubts, unanswerable)
    return _Strata(
        scope,
        suspected,
        red_flags,
        patterns,
        explained if scope.notice is None else _out_of_scope(explained, scope),
        reported,
        assessed,
        rejected,
    )


def _out_of_scope(explained: Explained, scope: Scope) -> Explained:
    """Mechanisms are graded for adults only.

    For others each stays open, and so does the verdict.
    """
    open_ones = tuple(scope.undecided(one) for one in explained.mechanisms)
    return replace(
        explained,
        verdict="cannot_tell",
        text=f"{sentence_case(scope.notice or '')}.",
        drivers=(),
        per_symptom=(),
        mechanisms=(),
        undecided=(*open_ones, *explained.undecided),
        active=(),
    )


# ---- urgency


@dataclass(frozen=True, slots=True)
class _Urgent:
    """The overall urgency, what asks for it, and the rules of single results."""

    overall: Urgency
    because: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]


def _urgency(knowledge: Knowledge, placed: _Placed, rivals: Rivals, strata: _Strata) -> _Urgent:
    """Urgency reads everything as reported, in every reading that is left open."""
    facts = urgency.as_urgent(strata.reported, placed.classifications)
    single = urgency.single_results(knowledge, facts, rivals, strata.suspected.doubts)
    findings, open_ones = urgency.in_scope(single, strata.scope, facts)
    patterns = strata.patterns.findings
    if strata.suspected.blocked or strata.suspected.substitutes:
        as_reported = find_patterns(
            knowledge, strata.reported, strata.suspected.doubts, strata.scope
        )
        patterns = (*patterns, *as_reported.findings)
    overall, because = urgency.overall(
        findings,
        patterns,
        strata.red_flags.findings,
        strata.suspected.findings,
        facts=facts,
        suspected=strata.suspected.blocked | strata.suspected.replaced,
        knowledge=knowledge,
        floor=urgency.floor(knowledge, facts, rivals, strata.rejected),
    )
    return _Urgent(overall, because, findings, open_ones)


def _rivals(reading: Reading, patient: Patient, settings: Settings, knowledge: Knowledge) -> Rivals:
    """Unlike results of one time as facts, each for a reading of its own."""
    facts: dict[str, list[Fact]] = {}
    for result in reading.rivals:
        placed, _ = classify(result, patient, settings, knowledge)
        facts.setdefault(result.measurand.id, []).append(of_classification(placed))
    return facts
