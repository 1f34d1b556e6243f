"""The conditions of one knowledge laid out so that a panel is weighed against all of them quickly.

`conditions` says what a condition means; nothing here decides anything of its own. A condition's
truth, and the clauses behind it, follow from the truths of its leaves alone, so each leaf is asked
once for a set of results, and what `conditions` makes of one row of truths is kept for the next
panel with the same row. Leaves about results that were not reported are answered once for each kind
of patient; facts of one panel that differ only in what was found share the answers of its results.
"""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from labinterp.interpretation import conditions
from labinterp.interpretation.facts import ADJUSTED_CALCIUM
from labinterp.interpretation.keeping import kept
from labinterp.model.rule import (
    Compared,
    Computed,
    DifferenceAtLeast,
    FindingIs,
    Moved,
    Rule,
    StatusIs,
    TextIs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from labinterp.interpretation.conditions import Line, Weighed
    from labinterp.interpretation.facts import Fact, Facts
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.rule import Condition, Leaf
    from labinterp.model.truth import Truth

_MOST_ROWS: Final = 250
"""Rows of truths that are kept for one condition."""
_MOST_PATIENTS: Final = 2_000
"""Kinds of patient that are kept for one knowledge."""
_MOST_GROUPS: Final = 16
"""Groups of rules that are laid out for one knowledge."""
_OF_RESULTS: Final = (StatusIs, Compared, TextIs)
_OF_TWO: Final = (DifferenceAtLeast, Moved)

RuleKind = TypeVar("RuleKind", bound=Rule)
Row = Any
"""The truths of one condition's leaves, in order; of one leaf its truth alone."""


class Judge:
    """One condition with the places of its leaves and the rows that were weighed."""

    __slots__ = ("_leaves", "condition", "made", "row")

    def __init__(self, condition: Condition, places: dict[int, int]) -> None:
        """Lay the leaves of a condition out.

        Args:
            condition: the condition.
            places: identity of each of its leaves to the leaf's place among all.
        """
        self.condition = condition
        self._leaves = {id(leaf): places[id(leaf)] for leaf in conditions.leaves(condition)}
        self.row: Callable[[list[Truth]], Row] = (
            itemgetter(*dict.fromkeys(self._leaves.values())) if self._leaves else tuple
        )
        self.made: dict[Row, Weighed] = {}

    def weighed(self, truths: list[Truth]) -> Weighed:
        """What `conditions` makes of these truths."""
        row = self.row(truths)
        made = self.made.get(row)
        if made is None:
            if len(self.made) >= _MOST_ROWS:
                self.made.clear()
            places = self._leaves
            made = conditions.weigh_by(self.condition, lambda leaf: truths[places[id(leaf)]])
            self.made[row] = made
        return made


class Judges:
    """All conditions of one knowledge."""

    __slots__ = (
        "_laid_out",
        "_leaves",
        "_lines",
        "_of_finding",
        "_of_measurand",
        "_of_two",
        "_patients",
        "by_condition",
    )

    def __init__(self, knowledge: Knowledge) -> None:
        """Find every condition of the knowledge, wherever it stands."""
        found = {id(one): one for one in _conditions(knowledge) if one is not None}
        self._leaves: list[Leaf] = []
        places: dict[str, int] = {}
        place_of: dict[int, int] = {}
        for condition in found.values():
            for leaf in conditions.leaves(condition):
                place = places.setdefault(repr(leaf), len(self._leaves))
                if place == len(self._leaves):
                    self._leaves.append(leaf)
                place_of[id(leaf)] = place
        self.by_condition = {key: Judge(one, place_of) for key, one in found.items()}
        self._of_measurand: dict[str, list[tuple[int, Leaf]]] = {}
        self._of_two: list[tuple[int, Leaf]] = []
        self._of_finding: dict[str, list[int]] = {}
        for place, leaf in enumerate(self._leaves):
            if isinstance(leaf, _OF_RESULTS):
                self._of_measurand.setdefault(leaf.measurand, []).append((place, leaf))
            elif isinstance(leaf, _OF_TWO):
                self._of_two.append((place, leaf))
            elif isinstance(leaf, FindingIs):
                self._of_finding.setdefault(leaf.rule, []).append(place)
            elif isinstance(leaf, Computed):
                self._of_finding.setdefault(leaf.name.replace("-", "_"), []).append(place)
        self._patients: dict[Any, list[Truth]] = {}
        self._laid_out: dict[int, tuple[Mapping[str, Any], list[Any]]] = {}
        self._lines = {id(lines): (lines, self._judges_of(lines)) for lines in _lines(knowledge)}

    def knows(self, lines: tuple[Any, ...]) -> bool:
        """Are these lines of the knowledge?"""
        return id(lines) in self._lines

    def first(self, lines: tuple[Line, ...], facts: Facts) -> tuple[Line, Weighed] | None:
        """The first of the knowledge's own lines whose condition holds."""
        truths = self.truths(facts)
        for line, row, made, judge in self._lines[id(lines)][1]:
            weighed = made.get(row(truths)) or judge.weighed(truths)
            if weighed.truth is True:
                return line, weighed
        return None

    def found(
        self, rules: Mapping[str, RuleKind], facts: Facts
    ) -> list[tuple[RuleKind, Weighed]] | None:
        """Those of some rules that hold or cannot be told, in their order.

        None where one of them is not of the knowledge.
        """
        known = facts.told.get(id(rules))
        if known is not None and known[0] is rules:
            return cast("list[tuple[RuleKind, Weighed]]", known[1])
        laid_out = self._group(rules)
        if laid_out is None:
            return None
        truths = self.truths(facts)
        found = []
        for rule, row, made, judge in laid_out:
            weighed = made.get(row(truths)) or judge.weighed(truths)
            if weighed.truth is not False:
                found.append((rule, weighed))
        facts.told[id(rules)] = (rules, found)
        return found

    def _group(self, rules: Mapping[str, Any]) -> list[Any] | None:
        """Each rule beside what weighs it, laid out at first use."""
        known = self._laid_out.get(id(rules))
        if known is None or known[0] is not rules:
            if len(self._laid_out) >= _MOST_GROUPS:
                self._laid_out.clear()
            if any(id(rule.when) not in self.by_condition for rule in rules.values()):
                return None
            known = self._laid_out[id(rules)] = (rules, self._judges_of(rules.values()))
        return known[1]

    def _judges_of(self, lines: Iterable[Any]) -> list[Any]:
        judges = ((line, self.by_condition[id(line.when)]) for line in lines)
        return [(line, judge.row, judge.made, judge) for line, judge in judges]

    def truths(self, facts: Facts) -> list[Truth]:
        """The truth of every leaf on these facts."""
        known = facts.told.get(self)
        if known is None:
            known = self._of_results(facts).copy()
            for answers in (facts.findings, facts.computed):
                for name, truth in answers.items():
                    for place in self._of_finding.get(name, ()):
                        known[place] = truth
            facts.told[self] = known
        return known

    def _of_results(self, facts: Facts) -> list[Truth]:
        """The answers where nothing was found; the same for all facts with these results."""
        results, as_reported = facts.results, facts.as_reported
        key = (
            id(results),
            id(facts.blocked) if facts.blocked else None,
            facts.ionised_settles,
            None if as_reported is None or as_reported is results else id(as_reported),
            id(facts.moves) if facts.moves else None,
        )
        known = facts.answered.get(key)
        if known is None:
            held = (results, facts.blocked, as_reported, facts.moves)
            known = facts.answered[key] = (held, self._answers(facts))
        return known[1]

    def _answers(self, facts: Facts) -> list[Truth]:
        truths = self._of_patient(facts).copy()
        for name, fact in facts.results.items():
            asked = self._of_measurand.get(name)
            if asked is None:
                continue
            if name in facts.blocked or (name == ADJUSTED_CALCIUM and facts.ionised_settles):
                for place, leaf in asked:
                    truths[place] = conditions.truth_of(leaf, facts)
            else:
                for place, truth in self._of_fact(name, fact, asked, facts):
                    truths[place] = truth
        for place, leaf in self._of_two:
            truths[place] = conditions.truth_of(leaf, facts)
        return truths

    def _of_fact(
        self, name: str, fact: Fact, asked: list[tuple[int, Leaf]], facts: Facts
    ) -> list[tuple[int, Truth]]:
        """What one result answers; it answers the same wherever nothing silences it."""
        known = fact.told.get((self, name))
        if known is None:
            known = [(place, conditions.truth_of(leaf, facts)) for place, leaf in asked]
            fact.told[self, name] = known
        return known

    def _of_patient(self, facts: Facts) -> list[Truth]:
        """The answers of a patient of whom no result was reported."""
        key = (
            frozenset(facts.symptoms.items()),
            facts.conditions,
            facts.medications,
            facts.history,
            tuple((name, str(value)) for name, value in facts.specimen.items()),
            None if facts.age_years is None else int(facts.age_years),
            facts.sex,
        )
        known = self._patients.get(key)
        if known is None:
            if len(self._patients) >= _MOST_PATIENTS:
                self._patients.clear()
            alone = replace(
                facts,
                results={},
                blocked={},
                as_reported=None,
                ionised_settles=False,
                findings={},
                computed={},
                moves={},
            )
            known = [conditions.truth_of(leaf, alone) for leaf in self._leaves]
            self._patients[key] = known
        return known


@kept(most=8)
def judges_of(knowledge: Knowledge) -> Judges:
    """The conditions of this knowledge, laid out at first use."""
    return Judges(knowledge)


def _lines(knowledge: Knowledge) -> Iterator[tuple[Any, ...]]:
    """Every list of which the first line that holds speaks."""
    yield from (pattern.urgency_upgrades for pattern in knowledge.patterns.values())
    yield from (mechanism.grading for mechanism in knowledge.mechanisms.values())
    yield from (measurand.severity_bands for measurand in knowledge.measurands.values())


def _conditions(knowledge: Knowledge) -> Iterator[Condition | None]:
    """Every whole condition of the knowledge; one that is overlooked is weighed as it stands."""
    for rules in (
        knowledge.artefacts,
        knowledge.patterns,
        knowledge.mechanisms,
        knowledge.red_flags,
        knowledge.urgency_rules,
    ):
        yield from (rule.when for rule in rules.values())
    for artefact in knowledge.artefacts.values():
        yield from (*artefact.strengthens, *artefact.weakens, artefact.upgrade_when)
    for pattern in knowledge.patterns.values():
        yield from (*pattern.strengthens, *pattern.weakens)
        yield from (upgrade.when for upgrade in pattern.urgency_upgrades)
    for mechanism in knowledge.mechanisms.values():
        yield from (line.when for line in mechanism.grading)
    for measurand in knowledge.measurands.values():
        yield from (band.when for band in measurand.severity_bands)
    for formula in knowledge.formulas.values():
        yield from (condition for condition, _ in formula.cautions)
        yield formula.valid_when
    yield from (step.offered_unless for step in knowledge.next_steps.values())
    yield from knowledge.named_conditions.values()
