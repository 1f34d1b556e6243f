"""How strongly each mechanism holds: the first line of its grading that does, under every cap.

A bare flag is never enough for "likely". What a probable artefact could have produced is shown with
its doubt and explains nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from labinterp.interpretation import conditions
from labinterp.interpretation.conditions import Weighed, weigh
from labinterp.interpretation.facts import ADJUSTED_CALCIUM, Facts
from labinterp.interpretation.findings import heard, silenced, undecided

if TYPE_CHECKING:
    from labinterp.model.codes import Strength
    from labinterp.model.interpretation import Undecided
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.patient import Patient, Symptom
    from labinterp.model.rule import Grading, Mechanism

ORDER: Final[tuple[Strength, ...]] = ("opposes", "unlikely", "possible", "likely")
HEMIFACIAL: Final = "hemifacial-spasm"
EYELID_CAP: Final = "eyelid-only-cap"
ONE_SIDED_CAP: Final = "one-sided-cap"
PROVISIONAL_CAP: Final = "calcium-resolution"
ARTEFACT_BLOCKS: Final = "artefact-blocks-attribution"
_MOTOR: Final = frozenset({"twitch", "hyperexcitability", "motor", "movement"})
_SEVERE: Final = ("critical-", "severe-")


@dataclass(frozen=True, slots=True)
class Case:
    """One patient's panel as mechanisms see it.

    Attributes:
        facts: as assessed: substitutes in place, doubtful results unanswerable.
        reported: as reported, to show what an artefact hides.
    """

    knowledge: Knowledge
    patient: Patient
    facts: Facts
    reported: Facts

    def holds(self, name: str) -> bool:
        """Does this named condition of the knowledge hold?"""
        condition = self.knowledge.named_conditions.get(name)
        return condition is not None and conditions.holds(condition, self.facts) is True

    @property
    def motor_symptoms(self) -> tuple[Symptom, ...]:
        """The recorded symptoms that are movement, or the want of it."""
        terms = self.knowledge.terms.get("symptom", {})
        return tuple(
            one
            for one in self.patient.symptoms
            if one.id in terms and terms[one.id].domain in _MOTOR
        )

    def is_one_sided(self, symptom: Symptom) -> bool:
        """Is this symptom one of one side of the face?"""
        groups = self.knowledge.symptom_groups
        if symptom.id in groups.get("one-sided", ()):
            return True
        return symptom.id in groups.get("side-matters", ()) and symptom.side in ("left", "right")


@dataclass(frozen=True, slots=True)
class Graded:
    """A mechanism that holds, how strongly, and what that rests on.

    Attributes:
        strength: after the caps; None when a probable artefact leaves it open.
        inherited: the strength is another mechanism's, through which alone this one acts.
        cap: the rule that lowered it, if one did.
    """

    rule: Mechanism
    strength: Strength | None
    weighed: Weighed
    line: Grading
    inherited: bool = False
    cap: str | None = None


def weaker(one: Strength, other: Strength) -> Strength:
    """The weaker of two strengths."""
    return min(one, other, key=ORDER.index)


def grade(case: Case) -> tuple[tuple[Graded, ...], tuple[Undecided, ...]]:
    """Every mechanism that holds, and those that something missing leaves open."""
    grader = _Grader(case, _ceilings(case))
    mechanisms = case.knowledge.mechanisms
    graded = [one for rule in mechanisms.values() if (one := grader.grade(rule)) is not None]
    held = {one.rule.id for one in graded}
    missing = (
        undecided(rule, weighed, teller)
        for rule, weighed, teller in heard(mechanisms, case.facts, case.knowledge)
        if rule.id not in held
    )
    return tuple(graded), tuple(one for one in missing if one is not None)


@dataclass(slots=True)
class _Grader:
    """Grades mechanisms one after the other, remembering those that others act through."""

    case: Case
    ceilings: _Ceilings
    known: dict[str, Graded | None] = field(default_factory=dict)

    def grade(self, rule: Mechanism) -> Graded | None:
        """A mechanism's grade; None if no line of it holds."""
        if rule.id not in self.known:
            self.known[rule.id] = None  # a circle of inheritance ends here
            one = self._first_line(rule)
            self.known[rule.id] = self._hidden(rule, one) or one
        return self.known[rule.id]

    def _first_line(self, rule: Mechanism) -> Graded | None:
        facts = silenced(self.case.facts, rule, self.case.knowledge)
        found = conditions.first(rule.grading, facts)
        if found is None:
            return None
        line, weighed = found
        inherited = line.inherits_from is not None
        graded = Graded(rule, self._strength(line), weighed, line, inherited)
        return _capped(graded, self.ceilings)

    def _strength(self, line: Grading) -> Strength:
        """A line's own strength, or that of the mechanism it acts through, under its ceiling."""
        strength = line.strength
        source = self.case.knowledge.mechanisms.get(line.inherits_from or "")
        if source is not None:
            graded = self.grade(source)
            strength = graded.strength if graded else None
        strength = strength or "unlikely"
        return weaker(strength, line.at_most) if line.at_most else strength

    def _hidden(self, rule: Mechanism, one: Graded | None) -> Graded | None:
        """The line that would come first, did it not rest on what an artefact could have made."""
        blocked = self.case.facts.blocked
        if not blocked:
            return None
        reported = silenced(self.case.reported, rule, self.case.knowledge)
        for line in rule.grading:
            if one is not None and line is one.line:
                return None
            if conditions.holds(line.when, reported) is True:
                weighed = weigh(line.when, reported)
                if blocked.keys().isdisjoint(weighed.about):
                    return None
                return Graded(rule, None, weighed, line, cap=ARTEFACT_BLOCKS)
        return None


# ---- caps


@dataclass(frozen=True, slots=True)
class _Ceilings:
    """What caps the grades of this panel's mechanisms.

    Attributes:
        is_calcium_open: the calcium could not be adjusted, or not reliably.
        is_eyelid_only: only an eyelid twitches, and no result is severely altered.
        is_one_sided: all movement is of one side of the face.
    """

    is_calcium_open: bool = False
    is_eyelid_only: bool = False
    is_one_sided: bool = False


def _ceilings(case: Case) -> _Ceilings:
    """Signs of tetany lift all of them."""
    if case.holds("tetany-features"):
        return _Ceilings()
    motor = case.motor_symptoms
    return _Ceilings(
        _is_calcium_open(case),
        _is_eyelid_only(case, motor) and not _has_severe_band(case.facts),
        bool(motor) and all(map(case.is_one_sided, motor)),
    )


def _capped(graded: Graded, ceilings: _Ceilings) -> Graded:
    """The grade under every cap that applies, with the rule of the one that lowered it."""
    strength = graded.strength
    for ceiling, name in _caps(graded, ceilings):
        if strength is not None and ORDER.index(strength) > ORDER.index(ceiling):
            graded = replace(graded, strength=ceiling, cap=name)
            strength = ceiling
    return graded


def _caps(graded: Graded, ceilings: _Ceilings) -> tuple[tuple[Strength, str], ...]:
    """The ceilings on this grade."""
    caps: list[tuple[Strength, str]] = []
    if ceilings.is_calcium_open and ADJUSTED_CALCIUM in graded.weighed.about:
        caps.append(("possible", PROVISIONAL_CAP))
    if ceilings.is_eyelid_only:
        caps.append(("possible", EYELID_CAP))
    if ceilings.is_one_sided:
        caps.append((graded.rule.by_sign.get(HEMIFACIAL, "unlikely"), ONE_SIDED_CAP))
    return tuple(caps)


def _is_calcium_open(case: Case) -> bool:
    """Could the calcium not be adjusted, or not reliably, and does nothing speak for it?"""
    fact = case.facts.results.get(ADJUSTED_CALCIUM)
    if fact is None or not (fact.provisional or case.holds("adjusted-calcium-unusable")):
        return False
    return not case.holds("provisional-calcium-believed")


def _is_eyelid_only(case: Case, motor: tuple[Symptom, ...]) -> bool:
    members = case.knowledge.symptom_groups.get("eyelid-only", ())
    return bool(motor) and all(one.id in members for one in motor)


def _has_severe_band(facts: Facts) -> bool:
    return any(
        fact.band is not None and fact.band.startswith(_SEVERE) and name not in facts.blocked
        for name, fact in facts.results.items()
    )
