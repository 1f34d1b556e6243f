"""Weighs condition trees: true, false or cannot tell, each clause leaving its trace.

Kleene's logic with two peculiarities of the clinical sheet: an unknown clause inside `none` does
not stop the rule, but
is named as not measured; and a measured ionised calcium within its interval silences what an
adjusted calcium asserts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, cast

from labinterp.interpretation.facts import ADJUSTED_CALCIUM, HIGH, LOW, Fact, Facts
from labinterp.interpretation.keeping import kept
from labinterp.interpretation.measure import canonical_per
from labinterp.model import units
from labinterp.model.quantity import Extent
from labinterp.model.rule import (
    AgeIs,
    All,
    AnyOf,
    AtLeast,
    Compared,
    Computed,
    Condition,
    ConditionIs,
    DifferenceAtLeast,
    FindingIs,
    HistoryIs,
    Leaf,
    MedicationIs,
    Moved,
    NoneOf,
    SexIs,
    SpecimenAtLeast,
    SpecimenIs,
    StatusIs,
    SymptomIs,
    TextIs,
)
from labinterp.model.truth import Truth, all_of, any_of, at_least

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from labinterp.model.measurand import Measurand

COMPUTED: Final = (
    "implausible_value",
    "discordant_duplicate",
    "beyond_critical_limit",
    "other_result_outside",
)
"""What rules may name that data cannot express; the pipeline supplies the answers."""

_THIRD: Final = Fraction(1, 3)
_OPPOSITE_SILENT: Final = frozenset({"not_low", "not_high"})


@dataclass(frozen=True, slots=True)
class Clause:
    """One leaf that was weighed.

    Attributes:
        excludes: it stands under `none`: the rule holds only while this does not.
    """

    leaf: Leaf
    truth: Truth
    excludes: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """A condition's truth and the clauses that decided it."""

    truth: Truth
    clauses: tuple[Clause, ...]
    made: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What follows from it whatever the values are, for the next panel that is weighed alike."""

    @property
    def about(self) -> tuple[str, ...]:
        """The measurands that the clauses which hold rest on, each once."""
        known = self.made.get("about")
        if known is None:
            held = (one for one in self.clauses if one.truth is True and not one.excludes)
            names = (name for one in held for name in measurands_of(one.leaf))
            known = self.made["about"] = tuple(dict.fromkeys(names))
        return cast("tuple[str, ...]", known)

    @property
    def missing(self) -> tuple[str, ...]:
        """Measurands whose values would settle what is unknown; a move wants an earlier one."""
        known = self.made.get("missing")
        if known is None:
            open_ones = (one for one in self.open_clauses if not isinstance(one.leaf, Moved))
            names = (name for one in open_ones for name in measurands_of(one.leaf))
            known = self.made["missing"] = tuple(dict.fromkeys(names))
        return cast("tuple[str, ...]", known)

    @property
    def open_clauses(self) -> tuple[Clause, ...]:
        """What cannot be told of what has to hold."""
        known = self.made.get("open")
        if known is None:
            unknown = (one for one in self.clauses if one.truth is None and not one.excludes)
            known = self.made["open"] = tuple(unknown)
        return cast("tuple[Clause, ...]", known)

    @property
    def holds_partly(self) -> bool:
        """Does some clause hold, while others cannot be told?"""
        known = self.made.get("partly")
        if known is None:
            known = self.truth is None and any(
                one.truth is True and not one.excludes for one in self.clauses
            )
            self.made["partly"] = known
        return bool(known)


def weigh(condition: Condition, facts: Facts) -> Weighed:
    """The truth of a condition over these facts, with the clauses behind it."""
    judges = facts.judges
    if judges is not None:
        judge = judges.by_condition.get(id(condition))
        if judge is not None:
            return judge.weighed(judges.truths(facts))
    return weigh_by(condition, lambda leaf: truth_of(leaf, facts))


def weigh_by(condition: Condition, truth_of_leaf: Callable[[Leaf], Truth]) -> Weighed:
    """The truth of a condition tree, given the truth of each of its leaves."""
    combine = _COMBINED.get(type(condition))
    if combine is None:
        leaf = cast("Leaf", condition)
        truth = truth_of_leaf(leaf)
        return Weighed(truth, (Clause(leaf, truth),))
    parts = cast("_Combined", condition).parts
    return combine(condition, [weigh_by(part, truth_of_leaf) for part in parts])


def holds(condition: Condition, facts: Facts) -> Truth:
    """The truth alone."""
    return weigh(condition, facts).truth


def _all(_: All, parts: list[Weighed]) -> Weighed:
    truth = all_of(part.truth for part in parts)
    return Weighed(truth, tuple(clause for part in parts for clause in part.clauses))


def _any(_: AnyOf, parts: list[Weighed]) -> Weighed:
    truth = any_of(part.truth for part in parts)
    return Weighed(truth, _decisive(parts, truth))


def _at_least(node: AtLeast, parts: list[Weighed]) -> Weighed:
    truth = at_least(node.count, (part.truth for part in parts))
    return Weighed(truth, _decisive(parts, truth))


def _decisive(parts: list[Weighed], truth: Truth) -> tuple[Clause, ...]:
    """Of alternatives only those that made the truth.

    The true ones of a true, the open ones of an unknown.
    """
    kept = [part for part in parts if truth is False or part.truth is truth]
    if truth is None:
        kept = [part for part in parts if part.truth is not False]
    return tuple(clause for part in kept for clause in part.clauses)


def _none(_: NoneOf, parts: list[Weighed]) -> Weighed:
    truth = not any(part.truth is True for part in parts)
    clauses = tuple(
        Clause(clause.leaf, clause.truth, excludes=True)
        for part in parts
        for clause in part.clauses
    )
    return Weighed(truth, clauses)


_Combined = All | AnyOf | NoneOf | AtLeast
_COMBINED: Final[dict[type, Callable[[Any, list[Weighed]], Weighed]]] = {
    All: _all,
    AnyOf: _any,
    NoneOf: _none,
    AtLeast: _at_least,
}


# ---- leaves


def truth_of(leaf: Leaf, facts: Facts) -> Truth:
    """The truth of one leaf."""
    return _WEIGHERS[type(leaf)](leaf, facts)


def measurands_of(leaf: Leaf) -> tuple[str, ...]:
    """The measurands a leaf asks about."""
    if isinstance(leaf, StatusIs | Compared | TextIs | Moved):
        return (leaf.measurand,)
    if isinstance(leaf, DifferenceAtLeast):
        return (leaf.first, leaf.second)
    return ()


def leaves(condition: Condition) -> Iterable[Leaf]:
    """Every leaf of a condition tree."""
    if isinstance(condition, All | AnyOf | NoneOf | AtLeast):
        for part in condition.parts:
            yield from leaves(part)
    else:
        yield condition


def _status(leaf: StatusIs, facts: Facts) -> Truth:
    fact = facts.results.get(leaf.measurand)
    if leaf.status in ("present", "missing"):
        is_present = fact is not None and (fact.extent is not None or fact.text is not None)
        return is_present if leaf.status == "present" else not is_present
    if fact is None or leaf.measurand in facts.blocked or fact.standing == "unknown":
        return None
    truth = _STATUSES[leaf.status](fact)
    if leaf.measurand == ADJUSTED_CALCIUM and facts.ionised_settles:
        return True if leaf.status in _OPPOSITE_SILENT else truth and leaf.status == "within"
    return truth


def _third(fact: Fact, is_high: bool) -> Truth:
    """Beyond the interval on that side, or inside its outer third."""
    if fact.standing in (HIGH if is_high else LOW):
        return True
    if fact.standing != "within":
        return False
    if fact.position is None:
        return None
    return fact.position >= 1 - _THIRD if is_high else fact.position <= _THIRD


_STATUSES: Final[dict[str, Callable[[Fact], Truth]]] = {
    "low": lambda fact: fact.standing in LOW,
    "high": lambda fact: fact.standing in HIGH,
    "within": lambda fact: fact.standing == "within",
    "not_low": lambda fact: fact.standing not in LOW,
    "not_high": lambda fact: fact.standing not in HIGH,
    "outside": lambda fact: fact.standing != "within",
    "low_or_lowest_third": lambda fact: _third(fact, is_high=False),
    "high_or_highest_third": lambda fact: _third(fact, is_high=True),
}


def _compared(leaf: Compared, facts: Facts) -> Truth:
    fact = facts.results.get(leaf.measurand)
    if fact is None or fact.extent is None or leaf.measurand in facts.blocked:
        return None
    if leaf.measurand == ADJUSTED_CALCIUM and facts.ionised_settles:
        return False
    return compare(fact, leaf)


def compare(fact: Fact, leaf: Compared) -> Truth:
    """The value against a number of ours.

    In the reported unit where the source prints the number in it too, else converted exactly.
    """
    if fact.extent is None:
        return None
    canonical, printed = _limit(leaf, fact.measurand)
    if printed is not None and fact.quantity is not None:
        limit, unit = printed
        if _same_number(fact.measurand, fact.quantity.unit, unit):
            reported = Extent(Fraction(fact.quantity.number), fact.quantity.comparator)
            return reported.compare(leaf.operator, limit)
    return fact.extent.compare(leaf.operator, canonical)


_Limit = tuple[Fraction, "tuple[Fraction, str] | None"]


@kept(identical=2)
def _limit(leaf: Compared, measurand: Measurand) -> _Limit:
    """A rule's number in the canonical unit, and in another if its source prints it; kept."""
    printed = _equivalents(measurand).get((Fraction(leaf.limit), leaf.unit))
    return Fraction(leaf.limit) * canonical_per(measurand, leaf.unit), printed


def _same_number(measurand: Measurand, one: str, other: str) -> bool:
    try:
        return canonical_per(measurand, one) == canonical_per(measurand, other)
    except units.UnitError:
        return False


_Table = dict[tuple[Fraction, str], tuple[Fraction, str]]


@kept()
def _equivalents(measurand: Measurand) -> _Table:
    """Cut-offs printed in two units, read once per measurand."""
    pairs = measurand.printed_equivalents.items()
    return {_amount(one, measurand): _amount(other, measurand) for one, other in pairs}


def _amount(text: str, measurand: Measurand) -> tuple[Fraction, str]:
    number, _, printed = text.partition(" ")
    ucum = next((one.ucum for one in measurand.units if one.printed == printed), printed)
    return Fraction(Decimal(number)), ucum


def _difference(leaf: DifferenceAtLeast, facts: Facts) -> Truth:
    results = facts.results if facts.as_reported is None else facts.as_reported
    first, second = results.get(leaf.first), results.get(leaf.second)
    if first is None or second is None or first.extent is None or second.extent is None:
        return None
    if first.extent.comparator or second.extent.comparator:
        return None
    measurand = first.measurand
    factor = canonical_per(measurand, leaf.unit)
    return first.extent.number - second.extent.number >= Fraction(leaf.limit) * factor


def _moved(leaf: Moved, facts: Facts) -> Truth:
    """Cannot be told without variation data, or without an earlier result of those days."""
    move = facts.moves.get(leaf.measurand)
    if move is None or not 0 <= move.days <= Fraction(leaf.days):
        return None
    return move.times > Fraction(leaf.times)


def _text(leaf: TextIs, facts: Facts) -> Truth:
    fact = facts.results.get(leaf.measurand)
    if fact is None or fact.text is None or leaf.measurand in facts.blocked:
        return None
    return fact.text == leaf.text


def _symptom(leaf: SymptomIs, facts: Facts) -> Truth:
    wanted = set(leaf.onset)
    return any(
        symptom in facts.symptoms and (not wanted or bool(wanted & facts.symptoms[symptom]))
        for symptom in leaf.symptoms
    )


def _specimen(leaf: SpecimenIs, facts: Facts) -> Truth:
    stated = facts.specimen.get(leaf.field)
    return stated is not None and str(stated) != "unknown" and str(stated) in leaf.values


def _specimen_at_least(leaf: SpecimenAtLeast, facts: Facts) -> Truth:
    stated = facts.specimen.get(leaf.field)
    return isinstance(stated, Decimal) and stated.is_finite() and stated >= leaf.limit


def _age(leaf: AgeIs, facts: Facts) -> Truth:
    if facts.age_years is None:
        return None
    whole_years = Fraction(facts.age_years.numerator // facts.age_years.denominator)
    compared = {
        "lt": whole_years < leaf.years,
        "le": whole_years <= leaf.years,
        "gt": whole_years > leaf.years,
        "ge": whole_years >= leaf.years,
    }
    return compared[leaf.operator]


def _sex(leaf: SexIs, facts: Facts) -> Truth:
    return facts.sex == leaf.sex if facts.sex in ("female", "male") else None


_WEIGHERS: Final[dict[type, Callable[[Any, Facts], Truth]]] = {
    StatusIs: _status,
    Compared: _compared,
    DifferenceAtLeast: _difference,
    Moved: _moved,
    TextIs: _text,
    SymptomIs: _symptom,
    ConditionIs: lambda leaf, facts: not facts.conditions.isdisjoint(leaf.conditions),
    MedicationIs: lambda leaf, facts: not facts.medications.isdisjoint(leaf.medications),
    HistoryIs: lambda leaf, facts: leaf.history in facts.history,
    SpecimenIs: _specimen,
    SpecimenAtLeast: _specimen_at_least,
    AgeIs: _age,
    SexIs: _sex,
    FindingIs: lambda leaf, facts: facts.findings.get(leaf.rule, False),
    Computed: lambda leaf, facts: facts.computed.get(leaf.name.replace("-", "_")),
}
LEAVES: Final = tuple(_WEIGHERS)
