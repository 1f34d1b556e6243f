"""What must hold across files; any of it broken keeps the service from starting.

Each check yields places with file and line, so that whoever edits the medicine sees what to mend.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from labinterp.errors import Place
from labinterp.knowledge import walking
from labinterp.knowledge.reader import Document, Where
from labinterp.knowledge.walking import Spot
from labinterp.model.interval import AppliesTo, Interval
from labinterp.model.knowledge import Knowledge
from labinterp.model.rule import (
    Compared,
    Computed,
    Condition,
    ConditionIs,
    DifferenceAtLeast,
    FindingIs,
    HistoryIs,
    Leaf,
    MedicationIs,
    SpecimenAtLeast,
    SpecimenIs,
    StatusIs,
    SymptomIs,
    TextIs,
)
from labinterp.model.spelling import folded_name, folded_unit

STRATA: Final = ("artefacts", "patterns", "mechanisms")
"""Rules look at findings of a folder before their own only; flags and urgency come after all."""

_SINGLE_FILES: Final = (
    "map.yaml",
    "policies.yaml",
    "range_sets.yaml",
    "sources.yaml",
    "units.yaml",
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The documents and what was built of them."""

    documents: Sequence[Document]
    knowledge: Knowledge

    def folder(self, name: str) -> list[Document]:
        """The documents of one folder."""
        return [document for document in self.documents if document.name.startswith(f"{name}/")]


def faults(shelf: Shelf) -> Iterator[Place]:
    """Everything that is wrong across files."""
    for check in CHECKS:
        yield from check(shelf)


# ---- names


def ids_are_file_names(shelf: Shelf) -> Iterator[Place]:
    """An id is its file's name; so it is also unique in its folder."""
    for document in shelf.documents:
        folder, _, name = document.name.rpartition("/")
        expected = name.removesuffix(".yaml")
        if folder in ("", "vocabulary") or folder.startswith("texts/"):
            continue
        if document.data.get("id") != expected:
            message = f"the id is “{document.data.get('id')}”, the file's name “{expected}”"
            yield document.place(("id",), message)


def measurands_are_unique(shelf: Shelf) -> Iterator[Place]:
    """One measurand, one entry."""
    yield from _repeated(
        (Spot(row.document, (*row.where, "id"), row.value["id"]) for row in _measurands(shelf)),
        "the measurand",
    )


def names_are_unique(shelf: Shelf) -> Iterator[Place]:
    """One test name, folded, is one measurand; what could be several is listed as ambiguous."""
    seen: dict[str, str] = {}
    for row in _measurands(shelf):
        owner = row.value["id"]
        names = [owner, row.value["name"], *row.value["names"]]
        for name in dict.fromkeys(map(folded_name, names)):
            other = seen.setdefault(name, owner)
            if other != owner:
                yield row.place(f"the name “{name}” is also {other}'s")
            if name in shelf.knowledge.ambiguous_names:
                yield row.place(f"the name “{name}” is listed as ambiguous")


def codes_are_unique(shelf: Shelf) -> Iterator[Place]:
    """One code is one measurand; a code of another measurand is no measurand's own."""
    own = [code for code in walking.rows(shelf.folder("analytes"), "codes")]
    spots = (
        Spot(code.document, code.where, code.value["code"])
        for code in own
        if not code.value.get("is_other")
    )
    yield from _repeated(spots, "the code")
    for code in own:
        if loinc_check_digit(code.value["code"]) != code.value["code"][-1]:
            yield code.place(f"{code.value['code']} fails LOINC's check digit")


def terms_are_unique(shelf: Shelf) -> Iterator[Place]:
    """One term, folded, means one entry of its vocabulary; a medicine may belong to several classes."""
    for document in shelf.folder("vocabulary"):
        seen: dict[str, str] = {}
        has_classes = document.data.get("kind") == "medication"
        for row in walking.rows([document], "terms"):
            names = [row.value["id"], row.value["label"]]
            names += [] if has_classes else row.value["synonyms"]
            for name in dict.fromkeys(map(folded_name, names)):
                other = seen.setdefault(name, row.value["id"])
                if other != row.value["id"]:
                    yield row.place(f"“{name}” is also {other}'s")


def spellings_are_unique(shelf: Shelf) -> Iterator[Place]:
    """One spelling of a unit, folded, is one UCUM code."""
    seen: dict[str, str] = {}
    for row in walking.rows(_files(shelf, "units.yaml"), "units"):
        code = row.value["ucum"]
        for spelling in (code, row.value["printed"], *row.value.get("spellings", ())):
            other = seen.setdefault(folded_unit(spelling), code) if spelling else code
            if other != code:
                yield row.place(f"“{spelling}” is also {other}'s")
    for row in walking.rows(shelf.folder("analytes"), "units"):
        yield from _own_spellings(row, seen)


def _own_spellings(row: Spot, seen: Mapping[str, str]) -> Iterator[Place]:
    code = row.value["ucum"]
    if seen.get(folded_unit(code)) != code:
        yield row.place(f"the unit {code} is not in units.yaml")
    if row.value.get("only_when_named"):
        return
    for spelling in row.value.get("spellings", ()):
        if seen.get(folded_unit(spelling), code) != code:
            yield row.place(f"“{spelling}” is {seen[folded_unit(spelling)]} everywhere else")


# ---- references


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
    """Conditions name measurands, terms, fields and findings that exist, the last of earlier strata."""
    for spot, condition in walking.conditions(shelf.documents):
        for leaf in walking.leaves(condition):
            problem = _leaf_problem(shelf.knowledge, spot.document.name, leaf)
            if problem:
                yield spot.place(problem)


def _leaf_problem(knowledge: Knowledge, name: str, leaf: Leaf) -> str | None:
    if isinstance(leaf, StatusIs | Compared | TextIs):
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
            documents = _files(shelf, "map.yaml")
        for spot in walking.spots(documents, key):
            if isinstance(spot.value, str) and spot.value not in targets:
                yield spot.place(f"{key}: there is no “{spot.value}”")


def settings_resolve(shelf: Shelf) -> Iterator[Place]:
    """Sets, policies and schemes that rows and defaults name exist and can be chosen."""
    knowledge, policies = shelf.knowledge, _files(shelf, "policies.yaml")
    listed = {name for spot in walking.spots(policies, "critical_policies") for name in spot.value}
    for row in walking.rows(shelf.folder("analytes"), "intervals"):
        if row.value["set"] not in knowledge.range_sets:
            yield row.place(f"there is no range set “{row.value['set']}”")
    for row in walking.rows(shelf.folder("analytes"), "critical_limits"):
        if row.value["policy"] not in listed:
            yield row.place(f"there is no critical policy “{row.value['policy']}”")
    yield from _defaults(knowledge, policies)


def _defaults(knowledge: Knowledge, policies: Sequence[Document]) -> Iterator[Place]:
    chosen = knowledge.defaults
    for spot in walking.spots(policies, "defaults"):
        range_set = knowledge.range_sets.get(chosen.range_set)
        if range_set is None or not range_set.shipped:
            yield spot.place(f"the default set “{chosen.range_set}” cannot be chosen")
        if chosen.critical_policy not in knowledge.critical_policies:
            yield spot.place(f"the default policy “{chosen.critical_policy}” cannot be chosen")
        for measurand, scheme in chosen.schemes.items():
            if scheme not in knowledge.schemes.get(measurand, ()):
                yield spot.place(f"the default scheme “{scheme}” of {measurand} cannot be chosen")


# ---- limits


def intervals_do_not_tie(shelf: Shelf) -> Iterator[Place]:
    """No person may fit two equally specific rows of one set."""
    for row in _measurands(shelf):
        measurand = shelf.knowledge.measurands[row.value["id"]]
        usable = [i for i in measurand.intervals if i.usable and not i.unverified]
        for one, other in combinations(usable, 2):
            if one.set == other.set and tie(one.applies_to, other.applies_to):
                where = (*row.where, "intervals", measurand.intervals.index(other))
                yield row.document.place(where, f"{other.id} ties with {one.id}")


def tie(one: AppliesTo, other: AppliesTo) -> bool:
    """Do two rows fit some person equally well? A narrower restriction of another kind breaks the tie."""
    if one.other != other.other or one.sex != other.sex:
        return False
    return _general(one) == _general(other) and _ages_overlap(one, other)


def _general(applies: AppliesTo) -> str | None:
    return None if applies.pregnancy == "not_pregnant" else applies.pregnancy


def _ages_overlap(one: AppliesTo, other: AppliesTo) -> bool:
    starts_before = one.age_below is None or (other.age_from or 0) < one.age_below
    ends_after = other.age_below is None or (one.age_from or 0) < other.age_below
    return starts_before and ends_after


def ends_are_in_order(shelf: Shelf) -> Iterator[Place]:
    """A lower end lies below its upper end, in intervals and in plausible bounds."""
    for row in _measurands(shelf):
        measurand = shelf.knowledge.measurands[row.value["id"]]
        intervals = (*measurand.intervals, *filter(None, [measurand.fallback]))
        for interval in intervals:
            if _disordered(interval):
                yield row.place(f"{interval.id}: the lower end is not below the upper")
        bounds = measurand.plausibility
        if bounds is not None:
            ends = [
                bounds.reject_below,
                bounds.query_below,
                bounds.query_above,
                bounds.reject_above,
            ]
            known = [end for end in ends if end is not None]
            if known != sorted(known):
                yield row.place(f"{measurand.id}: plausible bounds are not in order")


def _disordered(interval: Interval) -> bool:
    return interval.low is not None and interval.high is not None and interval.low >= interval.high


# ---- texts


def languages_match(shelf: Shelf) -> Iterator[Place]:
    """Every language has every statement."""
    english = shelf.knowledge.statements.get("en", {})
    for document in shelf.folder("texts"):
        missing = sorted(set(english) - set(document.data.get("statements", {})))
        if document.name.endswith("/statements.yaml") and missing:
            yield document.place(("statements",), f"the statement “{missing[0]}” is missing")


def loinc_check_digit(code: str) -> str:
    """The check digit LOINC codes end with (mod 10, Luhn)."""
    total = 0
    for n, digit in enumerate(reversed(code.partition("-")[0])):
        doubled = int(digit) * (2 if n % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - Luhn's own nine
    return str(-total % 10)


def _measurands(shelf: Shelf) -> Iterator[Spot]:
    return walking.rows(shelf.folder("analytes"), "measurands")


def _files(shelf: Shelf, name: str) -> list[Document]:
    return [document for document in shelf.documents if document.name == name]


def _repeated(spots: Iterator[Spot], what: str) -> Iterator[Place]:
    seen: dict[str, Spot] = {}
    for spot in spots:
        first = seen.setdefault(spot.value, spot)
        if first is not spot:
            line = first.document.line(first.where)
            yield spot.place(f"{what} {spot.value} stands also in {first.document.name}:{line}")


def condition_leaves(condition: Condition) -> Iterator[Leaf]:
    """The leaves of a condition tree."""
    return walking.leaves(condition)


CHECKS: Final = (
    ids_are_file_names,
    measurands_are_unique,
    names_are_unique,
    codes_are_unique,
    terms_are_unique,
    spellings_are_unique,
    sources_resolve,
    conditions_resolve,
    references_resolve,
    keys_resolve,
    settings_resolve,
    intervals_do_not_tie,
    ends_are_in_order,
    languages_match,
)
