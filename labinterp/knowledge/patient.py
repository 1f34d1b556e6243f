"""Builds what the patient page may say, and checks that each language can say all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from labinterp.model.patient_text import (
    FoodRule,
    LeastValue,
    PatientKnowledge,
    PatientRules,
    PatientTexts,
    PatientWarning,
    Unsafe,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from labinterp.errors import Place
    from labinterp.knowledge.entry import Entry
    from labinterp.knowledge.reader import Document
    from labinterp.knowledge.walking import Shelf

RULES: Final = "patient_page.yaml"
TEXTS: Final = "patient_texts"
PARTS: Final = (
    "sentences",
    "measurands",
    "standings",
    "verdicts",
    "findings",
    "causes",
    "foods",
    "warnings",
)


def rules(row: Entry) -> PatientRules:
    """`patient_page.yaml`."""
    return PatientRules(
        finding_texts=row.words("finding_texts"),
        general_texts=row.words("general_texts"),
        covers={key: tuple(keys) for key, keys in (row.data.get("covers") or {}).items()},
        causes=row.texts("causes"),
        foods=tuple(map(_food, row.rows("foods"))),
        unsafe=_unsafe(row.inner("foods_unsafe")),
        warnings=tuple(map(_warning, row.rows("warnings"))),
        adults_only=row.inner("foods_unsafe").needed_number("adults_only"),
        most_findings=cast("int", row.whole("most_findings")),
    )


def _food(row: Entry) -> FoodRule:
    return FoodRule(
        id=row.text("id"),
        shown_by=row.texts("shown_by"),
        unsafe=_unsafe(row.inner("unsafe")),
        needs_known=row.texts("needs_known"),
        needs_low=row.texts("needs_low"),
    )


def _unsafe(row: Entry) -> Unsafe:
    return Unsafe(
        conditions=row.texts("conditions"),
        medications=row.texts("medications"),
        findings=row.texts("findings"),
        high=row.texts("high"),
        below=tuple(
            LeastValue(item.text("measurand"), item.needed_number("limit"), item.text("unit"))
            for item in row.rows("below")
        ),
        urgencies=row.texts("urgencies"),
    )


def _warning(row: Entry) -> PatientWarning:
    return PatientWarning(row.text("id"), cast("Any", row.text("when")), row.texts("red_flags"))


def texts(row: Entry) -> PatientTexts:
    """One file of `patient_texts/`."""
    told: Mapping[str, Any] = {part: row.words(part) for part in PARTS}
    return PatientTexts(
        language=row.text("id"), name=row.text("name"), reviewed=row.truth("reviewed"), **told
    )


# ---- across files


def rules_name_what_there_is(shelf: Shelf) -> Iterator[Place]:
    """Every id in the rules is that of a rule, a cause, an advice, a measurand or a term."""
    for document in shelf.single(RULES):
        for where, name, known in _names(shelf):
            if name not in known:
                yield document.place(where, f"there is no “{name}”")


def units_are_the_measurands_own(shelf: Shelf) -> Iterator[Place]:
    """A value is compared in the unit that answers give it in."""
    known = shelf.knowledge.measurands
    for document in shelf.single(RULES):
        for least in shelf.knowledge.patient.rules.unsafe.below:
            if least.measurand in known and known[least.measurand].unit != least.unit:
                yield document.place(
                    ("foods_unsafe", "below"), f"{least.measurand} is kept in another unit"
                )


def _names(shelf: Shelf) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Each id in the rules with the way to it and what it may be."""
    knowledge = shelf.knowledge
    told = knowledge.patient.rules
    found = {
        *knowledge.artefacts,
        *knowledge.patterns,
        *knowledge.mechanisms,
        *knowledge.red_flags,
        *knowledge.urgency_rules,
    }
    yield from ((("finding_texts", name), name, found) for name in told.finding_texts)
    yield from ((("causes",), name, knowledge.causes) for name in told.causes)
    yield from (
        (("warnings",), name, knowledge.red_flags) for s in told.warnings for name in s.red_flags
    )
    for food in told.foods:
        yield ("foods",), food.id, knowledge.advice
        yield from ((("foods",), name, found) for name in food.shown_by)
        needed = (*food.needs_known, *food.needs_low)
        yield from ((("foods",), name, knowledge.measurands) for name in needed)
        yield from ((("foods", *way), *rest) for way, *rest in _unsafe_names(shelf, food.unsafe))
    yield from (
        (("foods_unsafe", *way), name, known)
        for way, name, known in _unsafe_names(shelf, told.unsafe)
    )


def _unsafe_names(shelf: Shelf, unsafe: Unsafe) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    knowledge = shelf.knowledge
    found = {*knowledge.patterns, *knowledge.mechanisms, *knowledge.artefacts}
    for names, known in (
        (unsafe.conditions, knowledge.terms["condition"]),
        (unsafe.medications, knowledge.terms["medication"]),
        (unsafe.findings, found),
        (unsafe.high, knowledge.measurands),
        (tuple(least.measurand for least in unsafe.below), knowledge.measurands),
    ):
        yield from (((), name, known) for name in names)


def languages_are_whole(shelf: Shelf) -> Iterator[Place]:
    """Every language has each sentence that the rules may ask for, and those of English."""
    wanted = asked_for(shelf.knowledge.patient)
    for document in shelf.folder(TEXTS):
        for part in PARTS:
            yield from _missing(document, part, wanted[part])


def _missing(document: Document, part: str, wanted: frozenset[str]) -> Iterator[Place]:
    has = document.data.get(part) or {}
    for key in sorted(wanted - has.keys()):
        yield document.place((part,), f"{part}: “{key}” is missing")
    for key in sorted(has.keys() - wanted):
        yield document.place((part, key), f"{part}: nothing asks for “{key}”")


def asked_for(patient: PatientKnowledge) -> dict[str, frozenset[str]]:
    """What each part of a language must have."""
    told = patient.rules
    english = patient.texts.get("en")
    return {
        "sentences": frozenset(english.sentences if english else ()),
        "measurands": frozenset(english.measurands if english else ()),
        "standings": frozenset(english.standings if english else ()),
        "verdicts": frozenset(english.verdicts if english else ()),
        "findings": frozenset({*told.finding_texts.values(), *told.general_texts.values()}),
        "causes": frozenset(told.causes),
        "foods": frozenset(food.id for food in told.foods),
        "warnings": frozenset(warning.id for warning in told.warnings),
    }


CHECKS: Final = (rules_name_what_there_is, units_are_the_measurands_own, languages_are_whole)
