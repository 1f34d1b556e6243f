"""Whatever a file names exists: sources, measurands, terms, findings, steps, sets and policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from labinterp.knowledge import walking
from labinterp.model.rule import (
    Compared,
    Computed,
    ConditionIs,
    DifferenceAtLeast,
    FindingIs,
    HistoryIs,
    Leaf,
    MedicationIs,
    Moved,
    SpecimenAtLeast,
    SpecimenIs,
    StatusIs,
    SymptomIs,
    TextIs,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from labinterp.errors import Place
    from labinterp.knowledge.reader import Document, Where
    from labinterp.knowledge.walking import Shelf, Spot
    from labinterp.model.knowledge import Knowledge

STRATA: Final = ("artefacts", "patterns", "mechanisms")
"""Rules look at findings of a folder before their own only; flags and urgency come after all."""


def sources_resolve(shelf: Shelf) -> Iterator[Place]:
    """Every claim names a source that is in the bibliography, or says that it is unverified."""
    known = shelf.knowledge.sources
    documents = [document for document in shelf.documents if document.name != "sources.yaml"]
    for spot in walking.spots(documents, "sources"):
        for n, name in enumerate(spot.value):
            if name not in known:
                where = (*spot.where, n)
                yield spot.document.place(where, f"the source “{name}” is not in sources.yaml")
        if not spot.value and not _may_lack_source(spot):
            yield spot.place("has no source and is not marked unverified")


def _may_lack_source(spot: Spot) -> bool:
    """Notes, and rules of the house that are logic, need none; whatever is unverified says so."""
    owner = _owner(spot.document, spot.where)
    if owner.get("unverified") or owner.get("usable") is False:
        return True
    return "notes" in spot.where or (
        spot.document.name in ("policies.yaml", "vocabulary/history.yaml")
    )


def _owner(document: Document, where: Where) -> Mapping[str, object]:
    value: object = document.data
    for key in where[:-1]:
        value = value[key]  # type: ignore[index] # the way was walked before
    return value if isinstance(value, Mapping) else {}


def conditions_resolve(shelf: Shelf) -> Iterator[Place]:
    """Conditions name what exists: measurands, terms, fields, findings of earlier strata."""
    for spot, condition in walking.conditions(shelf.documents):
        for leaf in walking.leaves(condition):
            problem = _leaf_problem(shelf.knowledge, spot.document.name, leaf)
            if problem:
                yield spot.place(problem)


def _leaf_problem(knowledge: Knowledge, name: str, leaf: Leaf) -> str | None:
    if isinstance(leaf, StatusIs | Compared | TextIs | Moved):
        return _unknown(knowledge.measurands, (leaf.measurand,), "measurand")
    if isinstance(leaf, DifferenceAtLeast):
        return _unknown(knowledge.measurands, (leaf.first, leaf.second), "measurand")
    if isinstance(leaf, FindingIs):
        return _finding_problem(knowledge, name, leaf)
    if isinstance(leaf, Computed):
        return None
    return _term_problem(knowledge, leaf)


def _term_problem(knowledge: Knowledge, leaf: Leaf) -> str | None:
    terms = knowledge.terms
    if isinstance(leaf, SymptomIs):
        return _unknown(terms["symptom"], leaf.symptoms, "symptom")
    if isinstance(leaf, ConditionIs):
        return _unknown(terms["condition"], leaf.conditions, "condition")
    if isinstance(leaf, MedicationIs):
        return _unknown(terms["medication"], leaf.medications, "medicine")
    if isinstance(leaf, HistoryIs):
        return _unknown(terms["history"], (leaf.history,), "history fact")
    if isinstance(leaf, SpecimenIs | SpecimenAtLeast):
        return _specimen_problem(knowledge, leaf)
    return None


def _specimen_problem(knowledge: Knowledge, leaf: SpecimenIs | SpecimenAtLeast) -> str | None:
    if leaf.field not in knowledge.specimen_fields:
        return f"there is no specimen field “{leaf.field}”"
    words = knowledge.specimen_fields[leaf.field]
    if isinstance(leaf, SpecimenAtLeast):
        return f"“{leaf.field}” is not a number" if words else None
    return _unknown(dict.fromkeys(words), leaf.values, f"word of “{leaf.field}”")


def _finding_problem(knowledge: Knowledge, name: str, leaf: FindingIs) -> str | None:
    folder = name.partition("/")[0]
    earlier = STRATA[: STRATA.index(folder)] if folder in STRATA else STRATA
    if folder == "next_steps":
        earlier = (*STRATA, "red_flags")
    known = {rule for stratum in earlier for rule in getattr(knowledge, stratum)}
    return _unknown(dict.fromkeys(known), (leaf.rule,), "finding of an earlier stratum")


def _unknown(known: Mapping[str, object], names: Sequence[str], what: str) -> str | None:
    missing = [name for name in names if name not in known]
    return f"there is no {what} “{missing[0]}”" if missing else None


def references_resolve(shelf: Shelf) -> Iterator[Place]:
    """Steps, mechanisms, measurands and sets that files name exist."""
    knowledge = shelf.knowledge
    known: dict[str, Mapping[str, object]] = {
        "next_steps": knowledge.next_steps,
        "via": knowledge.mechanisms,
        "unaffected": knowledge.measurands,
        "alternatives": knowledge.measurands,
        "interval_donors": knowledge.measurands,
        "unless_found": {**knowledge.patterns, **knowledge.artefacts},
        "without_earlier": knowledge.terms["condition"],
        "inputs": knowledge.measurands,
        "suggested_by": {k: v for terms in knowledge.terms.values() for k, v in terms.items()},
        "signs": knowledge.terms["symptom"],
        "associated_symptoms": knowledge.terms["symptom"],
        "adult": knowledge.range_sets,
        "child": knowledge.range_sets,
    }
    for key, targets in known.items():
        for item in walking.rows(shelf.documents, key):
            if item.value not in targets:
                yield item.place(f"{key}: there is no “{item.value}”")


def keys_resolve(shelf: Shelf) -> Iterator[Place]:
    """Mappings keyed by measurand or symptom, and single references, name what exists."""
    knowledge = shelf.knowledge
    keyed: dict[str, Mapping[str, object]] = {
        "effects": knowledge.measurands,
        "use_instead": knowledge.measurands,
        "picks": knowledge.measurands,
        "finding_codes": knowledge.measurands,
        "by_sign": knowledge.terms["symptom"],
    }
    single: dict[str, Mapping[str, object]] = {
        "inherits_from": knowledge.mechanisms,
        "mechanism": knowledge.mechanisms,
        "derived_by": knowledge.formulas,
        "stands_in_for": knowledge.measurands,
        "measurand": knowledge.measurands,
        "twitch_effect": knowledge.terms["symptom"],
        "from": knowledge.nodes,
        "to": knowledge.nodes,
    }
    for key, targets in keyed.items():
        for spot in walking.spots(shelf.documents, key):
            for name in spot.value:
                if name not in targets:
                    yield spot.place(f"{key}: there is no “{name}”")
    yield from _singles(shelf, single)


def _singles(shelf: Shelf, single: Mapping[str, Mapping[str, object]]) -> Iterator[Place]:
    for key, targets in single.items():
        documents = shelf.documents
        if key in ("from", "to"):
            documents = shelf.single("map.yaml")
        for spot in walking.spots(documents, key):
            if isinstance(spot.value, str) and spot.value not in targets:
                yield spot.place(f"{key}: there is no “{spot.value}”")


def waivers_resolve(shelf: Shelf) -> Iterator[Place]:
    """The exception of a critical limit names known conditions and a rise in a unit of ours."""
    known = shelf.knowledge.terms["condition"]
    for row in shelf.measurand_rows():
        measurand = shelf.knowledge.measurands[row.value["id"]]
        for limit in measurand.critical_limits:
            if limit.waiver is None:
                continue
            problem = _unknown(known, limit.waiver.conditions, "condition")
            if limit.waiver.unit not in {one.ucum for one in measurand.units}:
                problem = f"“{limit.waiver.unit}” is not a unit of it"
            if problem:
                yield row.place(f"waived: {problem}")


def settings_resolve(shelf: Shelf) -> Iterator[Place]:
    """Sets, policies and schemes that rows and defaults name exist and can be chosen."""
    knowledge, policies = shelf.knowledge, shelf.single("policies.yaml")
    listed = {name for spot in walking.spots(policies, "critical_policies") for name in spot.value}
    for row in walking.rows(shelf.folder("analytes"), "intervals"):
        if row.value["set"] not in knowledge.range_sets:
            yield row.place(f"there is no range set “{row.value['set']}”")
    for row in walking.rows(shelf.folder("analytes"), "critical_limits"):
        if row.value["policy"] not in listed:
            yield row.place(f"there is no critical policy “{row.value['policy']}”")
    for row in walking.rows(shelf.folder("analytes"), "decision_limits"):
        if row.value["scheme"] not in knowledge.decision_schemes:
            yield row.place(f"the scheme “{row.value['scheme']}” has no title in policies.yaml")
    for spot in walking.spots(policies, "decision_schemes"):
        for one in knowledge.decision_schemes.values():
            if not one.limits:
                yield spot.place(f"no measurand has a region of the scheme “{one.id}”")
    yield from _defaults(knowledge, policies)


def _named(knowledge: Knowledge, spot: Spot) -> Iterator[Place]:
    """What is named beside results is verified, as what is chosen must be."""
    for measurand, schemes in knowledge.defaults.named.items():
        for scheme in schemes:
            if scheme not in knowledge.schemes.get(measurand, ()):
                yield spot.place(f"the scheme “{scheme}” of {measurand} cannot be named")


def _defaults(knowledge: Knowledge, policies: Sequence[Document]) -> Iterator[Place]:
    chosen = knowledge.defaults
    for spot in walking.spots(policies, "defaults"):
        range_set = knowledge.range_sets.get(chosen.range_set)
        if range_set is None or not range_set.shipped:
            yield spot.place(f"the default set “{chosen.range_set}” cannot be chosen")
        if chosen.critical_policy not in knowledge.critical_policies:
            yield spot.place(f"the default policy “{chosen.critical_policy}” cannot be chosen")
        for policy in knowledge.critical_fallbacks:
            if policy not in knowledge.critical_policies:
                yield spot.place(
                    f"the policy “{policy}” is asked where others are silent and cannot be chosen"
                )
        for measurand, scheme in chosen.schemes.items():
            if scheme not in knowledge.schemes.get(measurand, ()):
                yield spot.place(f"the default scheme “{scheme}” of {measurand} cannot be chosen")
        yield from _named(knowledge, spot)
