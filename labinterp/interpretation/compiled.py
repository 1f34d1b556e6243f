"""The conditions of one knowledge laid out so that a panel is weighed against all of them quickly.

`conditions` says what a condition means; nothing here decides anything of its own. A condition's
truth, and the clauses behind it, follow from the truths of its leaves alone, so each leaf is asked
once for a set of facts, and what `conditions` makes of one row of truths is kept for the next panel
with the same row. Leaves about results that were not reported are answered once for each kind of
patient.
"""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from labinterp.interpretation import conditions
from labinterp.interpretation.facts import ADJUSTED_CALCIUM
from labinterp.interpretation.keeping import kept
from labinterp.model.rule import (
    Compared,
    Computed,
    DifferenceAtLeast,
    FindingIs,
    Moved,
    StatusIs,
    TextIs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from labinterp.interpretation.conditions import Weighed
    from labinterp.interpretation.facts import Fact, Facts
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.rule import Condition, Leaf
    from labinterp.model.truth import Truth

_MOST_ROWS: Final = 250
"""Rows of truths that are kept for one condition."""
_MOST_PATIENTS: Final = 2_000
"""Kinds of patient that are kept for one knowledge."""
_OF_RESULTS: Final = (StatusIs, Compared, TextIs)
_OF_STRATA: Final = (FindingIs, Computed, DifferenceAtLeast, Moved)

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

    __slots__ = ("_elsewhere", "_leaves", "_of_measurand", "_patients", "by_condition")

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
        self._elsewhere: list[tuple[int, Leaf]] = []
        for place, leaf in enumerate(self._leaves):
            if isinstance(leaf, _OF_RESULTS):
                self._of_measurand.setdefault(leaf.measurand, []).append((place, leaf))
            elif isinstance(leaf, _OF_STRATA):
                self._elsewhere.append((place, leaf))
        self._patients: dict[Any, list[Truth]] = {}

    def weighed(self, asked: Iterable[Condition], facts: Facts) -> list[Weighed] | None:
        """Conditions of the knowledge in their order; None where one is not of the knowledge."""
        truths, judges = self.truths(facts), self.by_condition
        found = []
        for one in asked:
            judge = judges.get(id(one))
            if judge is None:
                return None
            found.append(judge.made.get(judge.row(truths)) or judge.weighed(truths))
        return found

    def truths(self, facts: Facts) -> list[Truth]:
        """The truth of every leaf on these facts."""
        known = facts.told.get(self)
        if known is None:
            known = self._told(facts)
            facts.told[self] = known
        return known

    def _told(self, facts: Facts) -> list[Truth]:
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
        for place, leaf in self._elsewhere:
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
            alone = replace(facts, results={}, blocked={}, as_reported=None, ionised_settles=False)
            known = [conditions.truth_of(leaf, alone) for leaf in self._leaves]
            self._patients[key] = known
        return known


@kept(most=8)
def judges_of(knowledge: Knowledge) -> Judges:
    """The conditions of this knowledge, laid out at first use."""
    return Judges(knowledge)


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
