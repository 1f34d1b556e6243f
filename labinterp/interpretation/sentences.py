"""Clauses in plain words, with the value that was weighed: what a clinician reads as evidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from labinterp.interpretation.conditions import Clause, measurands_of
from labinterp.interpretation.keeping import Kept
from labinterp.model.interpretation import Evidence
from labinterp.model.quantity import PRINTED_COMPARATOR, SYMBOL_OF
from labinterp.model.rule import (
    AgeIs,
    Compared,
    Computed,
    ConditionIs,
    DifferenceAtLeast,
    FindingIs,
    HistoryIs,
    MedicationIs,
    Moved,
    SexIs,
    SpecimenAtLeast,
    SpecimenIs,
    StatusIs,
    SymptomIs,
    TextIs,
)
from labinterp.model.truth import word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from decimal import Decimal

    from labinterp.interpretation.facts import Fact, Facts
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.measurand import Measurand

_STANDINGS: Final = {
    "low": "is below its interval",
    "critically_low": "is critically low",
    "within": "is within its interval",
    "high": "is above its interval",
    "critically_high": "is critically high",
    "unknown": "has no standing",
}
_CLAIMS: Final = {
    "low": "low",
    "high": "high",
    "within": "within its interval",
    "not_low": "not low",
    "not_high": "not high",
    "low_or_lowest_third": "low, or in the lowest third of its interval",
    "high_or_highest_third": "high, or in the highest third of its interval",
    "outside": "outside its interval",
    "present": "reported",
    "missing": "not reported",
}
_COMPARED: Final = {
    "lt": ("is below", "is not below"),
    "le": ("is at or below", "is above"),
    "gt": ("is above", "is not above"),
    "ge": ("is at or above", "is below"),
}
_COMPUTED: Final = {
    "implausible_value": ("A value or unit cannot be right", "Every value and unit is plausible"),
    "discordant_duplicate": (
        "One test was reported twice at one time with unlike values",
        "No test was reported twice with unlike values",
    ),
    "beyond_critical_limit": (
        "At or beyond a critical limit of the policy in use",
        "No result is at or beyond a critical limit",
    ),
    "other_result_outside": (
        "Outside its interval, and covered by no other rule",
        "No further result is outside its interval",
    ),
}
DECIMALS_OF_DERIVED: Final = 2
_ABSENT: Final = Kept[Evidence](most=5_000)


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells clauses over one set of facts."""

    knowledge: Knowledge
    facts: Facts

    def evidence(self, clauses: Iterable[Clause]) -> tuple[Evidence, ...]:
        """One piece of evidence for each clause, the same sentence once."""
        found: dict[str, Evidence] = {}
        for clause in clauses:
            piece = self._piece(clause)
            found.setdefault(piece.sentence, piece)
        return tuple(found.values())

    def _piece(self, clause: Clause) -> Evidence:
        """A clause as evidence; one about a single result is put into words once for that result.

        Of a result that was not reported, once for the knowledge.
        """
        leaf = clause.leaf
        if not isinstance(leaf, StatusIs | Compared) or leaf.measurand in self.facts.blocked:
            return self._told(clause)
        fact = self.facts.results.get(leaf.measurand)
        if fact is None:
            key = (id(self.knowledge), id(leaf), clause.truth, clause.excludes)
            absent = _ABSENT.get(key)
            return absent or _ABSENT.put(key, (self.knowledge, leaf), self._told(clause))
        asked = (id(leaf), clause.truth, clause.excludes, self.facts.ionised_settles)
        said = fact.said.get(asked)
        if said is None or said[0] is not leaf:
            said = fact.said[asked] = (leaf, self._told(clause))
        return said[1]

    def _told(self, clause: Clause) -> Evidence:
        about = self._about(clause)
        doubtful = any(self._is_doubtful(name) for name in about)
        return Evidence(self.sentence(clause), word(clause.truth), about, doubtful)

    def sentence(self, clause: Clause) -> str:
        """A clause in words; one that must not hold says so."""
        told = _TELLERS[type(clause.leaf)](self, clause.leaf, clause.truth)
        told = sentence_case(told)
        if not clause.excludes:
            return told
        if clause.truth is None:
            return f"{told}; it would speak against this"
        return told

    def term(self, kind: str, ids: Iterable[str]) -> str:
        """Vocabulary labels in a list."""
        terms: Mapping[str, Any] = self.knowledge.terms.get(kind, {})
        labels = [terms[one].label if one in terms else one.replace("-", " ") for one in ids]
        return ", ".join(
            label[:1].lower() + label[1:] if label[1:2].islower() else label for label in labels
        )

    def _about(self, clause: Clause) -> tuple[str, ...]:
        if isinstance(clause.leaf, Computed):
            return self.facts.computed_about.get(clause.leaf.name.replace("-", "_"), ())
        return measurands_of(clause.leaf)

    def _is_doubtful(self, measurand: str) -> bool:
        fact = self.facts.results.get(measurand)
        return measurand in self.facts.blocked or (
            fact is not None and bool(fact.doubts or fact.provisional)
        )


def sentence_case(text: str) -> str:
    """A sentence with a capital.

    What begins with a symbol or an abbreviation (`pH`, `eGFR`) stays.
    """
    return text[:1].upper() + text[1:] if text[1:2].islower() else text


def value_text(fact: Fact) -> str:
    """The value as it was reported, or as it was derived, rounded once."""
    if fact.text is not None:
        return fact.text
    quantity = fact.quantity
    if quantity is None:
        return ""
    sign = PRINTED_COMPARATOR[quantity.comparator] if quantity.comparator else ""
    return (
        f"{sign}{number_text(quantity.number, fact.measurand, quantity.unit)} "
        f"{unit_text(fact.measurand, quantity.unit)}"
    ).strip()


def number_text(number: Decimal, measurand: Measurand, unit: str) -> str:
    """The reported digits; a derived number with more of them than any report is rounded once."""
    if -int(number.as_tuple().exponent) <= 6:  # noqa: PLR2004 - no laboratory reports more decimals
        return f"{number:f}"
    accepted = measurand.accepted(unit)
    places = (
        accepted.decimals if accepted and accepted.decimals is not None else DECIMALS_OF_DERIVED
    )
    return f"{round(number, places):f}"


def unit_text(measurand: Measurand, unit: str) -> str:
    """A unit as it is printed."""
    accepted = measurand.accepted(unit)
    printed = accepted.printed if accepted else unit
    return "" if printed in ("1", "[pH]") else printed


def _named(teller: Teller, measurand: str) -> str:
    fact = teller.facts.results.get(measurand)
    name = teller.facts.name(measurand)
    if fact is None:
        return name
    via = f" (by {fact.substitute.spoken.lower()})" if fact.substitute else ""
    provisional = " (unadjusted, provisional)" if fact.provisional else ""
    return f"{name}{via}{provisional} {value_text(fact)}".strip()


def _status(teller: Teller, leaf: StatusIs, truth: bool | None) -> str:
    fact = teller.facts.results.get(leaf.measurand)
    if leaf.status in ("present", "missing"):
        return f"{_named(teller, leaf.measurand)} {'was reported' if fact else 'was not measured'}"
    if fact is None:
        return f"{teller.facts.name(leaf.measurand)} was not measured"
    if leaf.measurand in teller.facts.blocked:
        return _blocked(teller, leaf.measurand)
    if truth is None:
        why = f": {fact.why_unknown}" if fact.why_unknown else ""
        return f"{_named(teller, leaf.measurand)} cannot be said to be {_CLAIMS[leaf.status]}{why}"
    limits = f" ({fact.limits})" if fact.limits else ""
    if (
        teller.facts.ionised_settles
        and truth is False
        and leaf.status in ("low", "high", "outside")
    ):
        return (
            f"{_named(teller, leaf.measurand)} {_STANDINGS[fact.standing]}{limits}, but "
            "ionised calcium is within"
        )
    third = f"; {'' if truth else 'not '}{_CLAIMS[leaf.status]}" if "third" in leaf.status else ""
    return f"{_named(teller, leaf.measurand)} {_STANDINGS[fact.standing]}{limits}{third}"


def _blocked(teller: Teller, measurand: str) -> str:
    why = teller.facts.blocked[measurand]
    return f"{_named(teller, measurand)} cannot be relied on: {why[:1].lower() + why[1:]}"


def _compared(teller: Teller, leaf: Compared, truth: bool | None) -> str:
    fact = teller.facts.results.get(leaf.measurand)
    measurand = teller.knowledge.measurands.get(leaf.measurand)
    unit = unit_text(measurand, leaf.unit) if measurand else leaf.unit
    limit = f"{leaf.limit:f} {unit}".strip()
    if fact is None:
        return (
            f"{teller.facts.name(leaf.measurand)} was not measured (asked: "
            f"{SYMBOL_OF[leaf.operator]} {limit})"
        )
    if leaf.measurand in teller.facts.blocked:
        return _blocked(teller, leaf.measurand)
    if truth is None:
        return f"{_named(teller, leaf.measurand)} cannot be compared with {limit}"
    holds, fails = _COMPARED[leaf.operator]
    return f"{_named(teller, leaf.measurand)} {holds if truth else fails} {limit}"


def _as_reported(teller: Teller, measurand: str) -> str:
    """The value before any substitute took its place, as comparisons of two results read it."""
    results = teller.facts.as_reported or teller.facts.results
    fact = results.get(measurand)
    return f"{teller.facts.name(measurand)} {value_text(fact) if fact else ''}".strip()


def _difference(teller: Teller, leaf: DifferenceAtLeast, truth: bool | None) -> str:
    first, second = (_as_reported(teller, name) for name in (leaf.first, leaf.second))
    limit = f"{leaf.limit:f} {leaf.unit}"
    if truth is None:
        return f"{first} and {second} cannot be compared: both are needed"
    return f"{first} exceeds {second} by {'at least' if truth else 'less than'} {limit}"


def _moved(teller: Teller, leaf: Moved, truth: bool | None) -> str:
    move = teller.facts.moves.get(leaf.measurand)
    if truth is None or move is None:
        name = teller.facts.name(leaf.measurand)
        return f"{name} cannot be compared with an earlier one of the last {leaf.days:f} days"
    far = "more than" if truth else "not more than"
    return (
        f"{_named(teller, leaf.measurand)} {move.text}: {far} {leaf.times:f} times that, "
        "from the lower value"
    )


def _text(teller: Teller, leaf: TextIs, truth: bool | None) -> str:
    fact = teller.facts.results.get(leaf.measurand)
    name = teller.facts.name(leaf.measurand)
    if fact is None:
        return f"{name} was not measured"
    said = fact.text or "not reported in words"
    return f"{name} is {said}, not {leaf.text}" if truth is False else f"{name} is {said}"


def _recorded(kind: str, what: str, teller: Teller, leaf: Any, truth: bool | None) -> str:
    asked = getattr(leaf, what)
    recorded = getattr(teller.facts, what)
    if truth:
        onset = f" ({' or '.join(leaf.onset)} onset)" if getattr(leaf, "onset", ()) else ""
        return f"Recorded: {teller.term(kind, (one for one in asked if one in recorded))}{onset}"
    none = "Not recorded" if len(asked) == 1 else "None recorded"
    return f"{none}: {teller.term(kind, asked)}"


def _history(teller: Teller, leaf: HistoryIs, truth: bool | None) -> str:
    return f"{'Recorded' if truth else 'Not recorded'}: {teller.term('history', (leaf.history,))}"


def _specimen(teller: Teller, leaf: SpecimenIs, _: bool | None) -> str:
    stated = teller.facts.specimen.get(leaf.field)
    name = leaf.field.replace("_", " ")
    return (
        f"Specimen {name}: {str(stated).replace('-', ' ') if stated is not None else 'not stated'}"
    )


def _specimen_at_least(teller: Teller, leaf: SpecimenAtLeast, truth: bool | None) -> str:
    stated = teller.facts.specimen.get(leaf.field)
    name = leaf.field.replace("_", " ")
    if stated is None:
        return f"Specimen {name}: not stated"
    return f"Specimen {name} {stated} is {'at least' if truth else 'below'} {leaf.limit:f}"


def _age(teller: Teller, leaf: AgeIs, truth: bool | None) -> str:
    if teller.facts.age_years is None:
        return "Age is not known"
    holds, fails = _COMPARED[leaf.operator]
    return f"Age {int(teller.facts.age_years)} years {holds if truth else fails} {leaf.years:f}"


def _sex(teller: Teller, _: SexIs, truth: bool | None) -> str:
    return "Sex is not known" if truth is None else f"Sex: {teller.facts.sex}"


def _finding(teller: Teller, leaf: FindingIs, truth: bool | None) -> str:
    known = teller.knowledge
    rule = (
        known.artefacts.get(leaf.rule)
        or known.patterns.get(leaf.rule)
        or known.red_flags.get(leaf.rule)
    )
    return f"{'Found' if truth else 'Not found'}: {rule.title if rule else leaf.rule}"


def _computed(teller: Teller, leaf: Computed, truth: bool | None) -> str:
    name = leaf.name.replace("-", "_")
    holds, fails = _COMPUTED.get(name, (name.replace("_", " "), f"not {name.replace('_', ' ')}"))
    about = ", ".join(_named(teller, one) for one in teller.facts.computed_about.get(name, ()))
    if not truth:
        return fails if truth is False else f"{holds}: cannot be told"
    return f"{holds}: {about}" if about else holds


_TELLERS: Final[dict[type, Callable[[Teller, Any, bool | None], str]]] = {
    StatusIs: _status,
    Compared: _compared,
    DifferenceAtLeast: _difference,
    Moved: _moved,
    TextIs: _text,
    SymptomIs: partial(_recorded, "symptom", "symptoms"),
    ConditionIs: partial(_recorded, "condition", "conditions"),
    MedicationIs: partial(_recorded, "medication", "medications"),
    HistoryIs: _history,
    SpecimenIs: _specimen,
    SpecimenAtLeast: _specimen_at_least,
    AgeIs: _age,
    SexIs: _sex,
    FindingIs: _finding,
    Computed: _computed,
}
