"""Symptoms, medicines, conditions and history as the vocabularies know them.

What is unknown is asked about and kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast

from labinterp.interpretation.lookup import Lookup, code_system, lookup_of, name_key
from labinterp.model.interpretation import NamedTerm
from labinterp.model.panel import Problem
from labinterp.model.patient import Patient, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.model.knowledge import Knowledge, Term
    from labinterp.model.submission import ReportedTerm, Submission

_DOSE: Final = re.compile(r"\s+[0-9].*$")
_BRACKET: Final = re.compile(r"\s*\(.*\)\s*$")
_ONSETS: Final = ("sudden", "gradual")
_SIDES: Final = {"left": "left", "right": "right", "both": "both", "bilateral": "both"}
_PREGNANCY: Final = "pregnancy"
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Recognised:
    """The patient with vocabulary ids, each term beside what was sent, and the questions left."""

    patient: Patient
    symptoms: tuple[NamedTerm, ...]
    medications: tuple[NamedTerm, ...]
    conditions: tuple[NamedTerm, ...]
    history: tuple[NamedTerm, ...]
    problems: tuple[Problem, ...]


def recognise(submission: Submission, knowledge: Knowledge) -> Recognised:
    """The patient of a submission in the terms of the knowledge."""
    lookup = lookup_of(knowledge)
    problems: list[Problem] = []

    def terms(kind: str, reported: Iterable[ReportedTerm]) -> list[tuple[ReportedTerm, Term]]:
        found: list[tuple[ReportedTerm, Term]] = []
        for one in reported:
            meant = _meant(kind, one, lookup)
            found.extend((one, term) for term in meant)
            if not meant:
                problems.append(_unknown(kind, one))
        return found

    complaints = tuple(one for one in submission.conditions if _is_symptom(one, lookup))
    diagnoses = tuple(one for one in submission.conditions if one not in complaints)
    symptoms = terms("symptom", (*submission.symptoms, *complaints))
    medications = terms("medication", submission.medications)
    conditions = terms("condition", diagnoses)
    history = terms("history", submission.history)
    patient = Patient(
        sex=submission.sex,
        age_days=submission.age_days,
        age_text=submission.age_text,
        pregnancy="pregnant" if _PREGNANCY in _ids(conditions) else submission.pregnancy,
        gestation_weeks=submission.gestation_weeks,
        symptoms=_symptoms(symptoms, knowledge),
        medications=_ids(medications),
        conditions=_with_pregnancy(_ids(conditions), submission, knowledge),
        history=_ids(history),
    )
    return Recognised(
        patient,
        _named(symptoms),
        _named(medications),
        _named(conditions),
        _named(history),
        (*problems, *_at_odds(patient)),
    )


def _is_symptom(reported: ReportedTerm, lookup: Lookup) -> bool:
    """Problem lists hold complaints among the diagnoses; one that is no condition is a symptom."""
    return not _meant("condition", reported, lookup) and bool(_meant("symptom", reported, lookup))


def _meant(kind: str, reported: ReportedTerm, lookup: Lookup) -> tuple[Term, ...]:
    """By code, then by id, label or synonym; a dose or a bracket behind the name is set aside."""
    if reported.code is not None:
        pair = (code_system(reported.code.system, reported.code.code), reported.code.code)
        if term := lookup.term_codes.get(kind, {}).get(pair):
            return (term,)
    spellings = lookup.terms.get(kind, {})
    key = name_key(reported.text)
    for wanted in (key, _DOSE.sub("", key), _BRACKET.sub("", key), *_singulars(key)):
        if found := spellings.get(wanted):
            return found
    return ()


def _singulars(key: str) -> tuple[str, ...]:
    """`eyelid twitching` and `fasciculations` as the vocabulary writes them."""
    endings = (("ing", ""), ("s", ""), ("es", ""), ("ing", "e"))
    return tuple(key.removesuffix(end) + other for end, other in endings if key.endswith(end))


def _symptoms(
    recorded: Iterable[tuple[ReportedTerm, Term]], knowledge: Knowledge
) -> tuple[Symptom, ...]:
    """Each symptom once with its onset, side and duration; a long twitch adds its course."""
    found: dict[tuple[str, str, str], Symptom] = {}
    for reported, term in recorded:
        symptom = Symptom(
            term.id,
            cast("Literal['sudden', 'gradual', 'unknown']", _onset(reported)),
            cast(
                "Literal['left', 'right', 'both', 'unknown']",
                _SIDES.get((reported.side or "").casefold(), "unknown"),
            ),
            reported.duration_days,
        )
        found[term.id, symptom.onset, symptom.side] = symptom
        for course in _courses(symptom, term, knowledge):
            found.setdefault((course, "unknown", "unknown"), Symptom(course))
    return tuple(found.values())


def _onset(reported: ReportedTerm) -> str:
    onset = (reported.onset or "").casefold()
    return onset if onset in _ONSETS else "unknown"


def _courses(symptom: Symptom, term: Term, knowledge: Knowledge) -> tuple[str, ...]:
    """The symptoms that a twitch of this duration counts as, by the vocabulary's own limit."""
    if term.domain != "twitch" or symptom.duration_days is None:
        return ()
    return tuple(
        course.id
        for course in knowledge.terms.get("symptom", {}).values()
        if course.longer_than_days is not None and symptom.duration_days > course.longer_than_days
    )


def _ids(found: Iterable[tuple[ReportedTerm, Term]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term.id for _, term in found))


def _with_pregnancy(
    conditions: tuple[str, ...], submission: Submission, knowledge: Knowledge
) -> tuple[str, ...]:
    """A stated pregnancy is the condition `pregnancy`, so that rules need to know one form only."""
    known = _PREGNANCY in knowledge.terms.get("condition", {})
    if submission.pregnancy == "pregnant" and known and _PREGNANCY not in conditions:
        return (*conditions, _PREGNANCY)
    return conditions


def _at_odds(patient: Patient) -> tuple[Problem, ...]:
    """A pregnant man may be a slip of either; both are used as sent, and asked about."""
    if patient.sex != "male" or patient.pregnancy != "pregnant":
        return ()
    message = (
        "the patient is recorded as male and as pregnant; intervals for pregnancy were used. "
        "Please confirm sex and pregnancy"
    )
    return (Problem("sex-pregnancy-conflict", message, "patient.pregnancy"),)


def _named(found: Iterable[tuple[ReportedTerm, Term]]) -> tuple[NamedTerm, ...]:
    return tuple(NamedTerm(term.id, term.label, reported.text) for reported, term in found)


def _unknown(kind: str, reported: ReportedTerm) -> Problem:
    return Problem(
        "term-unknown",
        (
            f"the {kind} {reported.text[:_LONGEST_SHOWN]!r} is not in the vocabulary; it "
            "was kept and not used"
        ),
        reported.where,
    )
