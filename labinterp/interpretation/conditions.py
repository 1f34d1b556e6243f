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
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

from labinterp.interpretation import cutoffs
from labinterp.interpretation.facts import ADJUSTED_CALCIUM, HIGH, LOW, Fact, Facts
from labinterp.interpretation.measure import canonical_per
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


COMPUTED: Final = (
    "implausible_value",
    "discordant_duplicate",
    "beyond_critical_limit",
    "other_result_outside",
)
"""What rules may name that data cannot express; the pipeline supplies the answers."""

_THIRD: Final = Fraction(1, 3)
_OPPOSITE_SILENT: Final = frozenset({"not_low", "not_high"})


class _Line(Protocol):
    """What speaks where its condition holds: of a grading, a severity band, an upgrade."""

    @property
    def when(self) -> Condition: ...


Line = TypeVar("Line", bound=_Line)


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
    """A condition's truth and the clauses that decided it, with what follows from these.

    Attributes:
        about: the measurands that the clauses which hold rest on, each once.
        open_clauses: what cannot be told of what has to hold.
        missing: measurands whose values would settle that; a move wants an earlier one.
        holds_partly: some clause holds, while others cannot be told.
    """

    truth: Truth
    clauses: tuple[Clause, ...]
    about: tuple[str, ...] = field(init=False, repr=False, compare=False)
    open_clauses: tuple[Clause, ...] = field(init=False, repr=False, compare=False)
    missing: tuple[str, ...] = field(init=False, repr=False, compare=False)
    holds_partly: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Draw the conclusions: one who is weighed for many panels draws them once."""
        wanted = [one for one in self.clauses if not one.excludes]
        held = [one for one in wanted if one.truth is True]
        unknown = tuple(one for one in wanted if one.truth is None)
        settling = (one for one in unknown if not isinstance(one.leaf, Moved))
        derived = {
            "about": _named_in(held),
            "open_clauses": unknown,
            "missing": _named_in(settling),
            "holds_partly": self.truth is None and len(held) > 0,
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)


def _named_in(clauses: Iterable[Clause]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in clauses for name in measurands_of(one.leaf)))


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
    return Weighed(*_weighed(condition, truth_of_leaf))


_Part = tuple[Truth, tuple[Clause, ...]]


def _weighed(condition: Condition, truth_of_leaf: Callable[[Leaf], Truth]) -> _Part:
    combine = _COMBINED.get(type(condition))
    if combine is None:
        leaf = cast("Leaf", condition)
        truth = truth_of_leaf(leaf)
        return truth, (Clause(leaf, truth),)
    parts = cast("_Combined", condition).parts
    return combine(condition, [_weighed(part, truth_of_leaf) for part in parts])


def holds(condition: Condition, facts: Facts) -> Truth:
    """The truth alone."""
    return weigh(condition, facts).truth


def first(lines: tuple[Line, ...], facts: Facts) -> tuple[Line, Weighed] | None:
    """The first of several lines whose condition holds; None where none does."""
    judges = facts.judges
    if judges is not None and judges.knows(lines):
        return judges.first(lines, facts)
    every = ((line, weigh(line.when, facts)) for line in lines)
    return next((one for one in every if one[1].truth is True), None)


def _all(_: All, parts: list[_Part]) -> _Part:
    truth = all_of(truth for truth, _ in parts)
    return truth, tuple(clause for _, clauses in parts for clause in clauses)


def _any(_: AnyOf, parts: list[_Part]) -> _Part:
    truth = any_of(truth for truth, _ in parts)
    return truth, _decisive(parts, truth)


def _at_least(node: AtLeast, parts: list[_Part]) -> _Part:
    truth = at_least(node.count, (truth for truth, _ in parts))
    return truth, _decisive(parts, truth)


def _decisive(parts: list[_Part], truth: Truth) -> tuple[Clause, ...]:
    """Of alternatives only those that made the truth.

    The true ones of a true, the open ones of an unknown.
    """
    kept = [part for part in parts if truth is False or part[0] is truth]
    if truth is None:
        kept = [part for part in parts if part[0] is not False]
    return tuple(clause for _, clauses in kept for clause in clauses)


def _none(_: NoneOf, parts: list[_Part]) -> _Part:
    truth = not any(part is True for part, _ in parts)
    clauses = tuple(
        Clause(clause.leaf, clause.truth, excludes=True)
        for _, clauses in parts
        for clause in clauses
    )
    return truth, clauses


_Combined = All | AnyOf | NoneOf | AtLeast
_COMBINED: Final[dict[type, Callable[[Any, list[_Part]], _Part]]] = {
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
    return cutoffs.compare(fact, leaf)


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
