"""Faults of the specimen that could have produced some of the results.

And which results they make doubtful.

An artefact doubts only what it could have made: haemolysis raises potassium, so a low potassium
under it stays
believed. A probable one takes its results out of patterns and of every explanation, unless a
substitute was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from labinterp.interpretation import conditions
from labinterp.interpretation.facts import (
    ADJUSTED_CALCIUM,
    HIGH,
    IONISED_CALCIUM,
    LOW,
    TOTAL_CALCIUM,
    Fact,
    Facts,
)
from labinterp.interpretation.findings import Doubt, Doubts, finding, found, undecided
from labinterp.interpretation.sentences import Teller

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from labinterp.model.interpretation import Finding, Undecided
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.panel import Result
    from labinterp.model.rule import Artefact

_REPEAT: Final = "repeat-sample-clean"
"""An artefact always carries a repeat or a confirmation; a probable one asks for it soon."""
_CALCIUMS: Final = frozenset({TOTAL_CALCIUM, ADJUSTED_CALCIUM, IONISED_CALCIUM})

Strength = Literal["probable", "suspect"]


@dataclass(frozen=True, slots=True)
class Suspected:
    """What the artefacts amount to.

    Attributes:
        findings: artefacts found, the probable first.
        doubts: measurand to the artefacts that could have produced its result.
        blocked: measurand to the probable artefact that makes it unanswerable.
        substitutes: measurand to the one that is read instead.
    """

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    doubts: Doubts
    blocked: dict[str, str]
    substitutes: Mapping[str, str]

    @property
    def replaced(self) -> dict[str, str]:
        """Measurands that a substitute is read for, with the artefact's doubt in words."""
        return {
            name: self.doubts[name][0].sentence
            for name in self.substitutes
            if self.doubts.get(name)
        }


def suspect(knowledge: Knowledge, facts: Facts, results: Iterable[Result]) -> Suspected:
    """The artefacts that fit the results as they were reported."""
    if facts.ionised_settles:
        facts = replace(facts, ionised_settles=False)
    teller = Teller(knowledge, facts)
    findings: list[Finding] = []
    open_ones: list[Undecided] = []
    doubts: dict[str, tuple[Doubt, ...]] = {}
    substitutes: dict[str, str] = {}
    for rule, weighed in found(knowledge.artefacts, facts):
        if weighed.truth is None:
            if (missing := undecided(rule, weighed, teller)) is not None:
                open_ones.append(missing)
            continue
        strength = _strength(rule, facts)
        affected = _affected(rule, facts)
        findings.append(
            finding(
                rule,
                weighed,
                teller,
                doubts={},
                urgency="soon" if strength == "probable" else "none",
                strengthens=rule.strengthens,
                weakens=rule.weakens,
                kind="artefact",
                strength=strength,
                affects=affected,
                action=rule.action.strip(),
                steps=rule.next_steps or (_REPEAT,),
            )
        )
        for name in affected:
            doubts[name] = (*doubts.get(name, ()), _doubt(rule, strength, facts.name(name)))
        if strength == "probable":
            substitutes.update(_substitutes(rule, facts))
    inherited = _inherited(doubts, results)
    return Suspected(
        tuple(sorted(findings, key=lambda one: (one.strength != "probable", one.rule))),
        tuple(open_ones),
        inherited,
        _blocked(inherited, substitutes, knowledge),
        substitutes,
    )


def _strength(rule: Artefact, facts: Facts) -> Strength:
    """Probable may be weakened to suspect; suspect is upgraded only by its own condition."""
    if rule.strength == "probable":
        weakened = any(conditions.holds(one, facts) is True for one in rule.weakens)
        return "suspect" if weakened else "probable"
    upgraded = rule.upgrade_when is not None and conditions.holds(rule.upgrade_when, facts) is True
    return "probable" if upgraded else "suspect"


def _affected(rule: Artefact, facts: Facts) -> tuple[str, ...]:
    """The reported results that this artefact could have produced."""
    return tuple(
        name
        for name, direction in rule.effects.items()
        if name in facts.results
        and name not in rule.unaffected
        and could_have_produced(direction, facts.results[name], is_slight=name in rule.effect_notes)
    )


def could_have_produced(direction: str, fact: Fact, *, is_slight: bool = False) -> bool:
    """What pushes up cannot have made a low result, what pushes down cannot have made a high one.

    Args:
        direction: up or down.
        fact: the result.
        is_slight: the effect is slight or comes only with a heavy fault: a result within is not
            its work.
    """
    if fact.text is not None and fact.standing == "unknown":
        return False
    is_up = direction == "up"
    if is_slight:
        return fact.standing in (HIGH if is_up else LOW)
    return fact.standing not in (LOW if is_up else HIGH)


def _doubt(rule: Artefact, strength: Strength, name: str) -> Doubt:
    sentence = f"{name}: pattern fits {rule.title[:1].lower() + rule.title[1:]} ({strength})"
    return Doubt(rule.id, strength == "probable", sentence)


def _substitutes(rule: Artefact, facts: Facts) -> dict[str, str]:
    """Affected results with another that can be read in their place, and was reported."""
    return {
        name: other
        for name, other in rule.use_instead.items()
        if name in facts.results
        and other in facts.results
        and facts.results[other].standing != "unknown"
    }


def _inherited(
    doubts: Mapping[str, tuple[Doubt, ...]], results: Iterable[Result]
) -> dict[str, tuple[Doubt, ...]]:
    """What is derived from a doubted result is doubted; derivations may build on one another."""
    inherited = dict(doubts)
    if not inherited:
        return inherited
    derived = [one for one in results if one.inputs]
    for _ in derived:
        for result in derived:
            more = [doubt for name in result.inputs for doubt in inherited.get(name, ())]
            known = inherited.get(result.measurand.id, ())
            if more:
                inherited[result.measurand.id] = tuple(dict.fromkeys((*known, *more)))
    return inherited


def _blocked(
    doubts: Doubts, substitutes: Mapping[str, str], knowledge: Knowledge
) -> dict[str, str]:
    """Results that a probable artefact makes unanswerable, with the artefact's title."""
    blocked = {}
    for name, held in doubts.items():
        probable = next((doubt for doubt in held if doubt.is_probable), None)
        if probable is not None and not _is_replaced(name, substitutes):
            blocked[name] = knowledge.artefacts[probable.rule].title
    return blocked


def _is_replaced(name: str, substitutes: Mapping[str, str]) -> bool:
    """Is another value put in its place? An ionised calcium never is.

    It decides by its own limits.
    """
    return name in substitutes and substitutes[name] not in _CALCIUMS


def assessed(facts: Facts, suspected: Suspected) -> Facts:
    """The facts for patterns and explanations.

    Substitutes in place, the unanswerable blocked, doubts attached.
    """
    if not suspected.doubts:
        return facts
    results = {
        name: replace(fact, doubts=tuple(doubt.sentence for doubt in suspected.doubts[name]))
        if suspected.doubts.get(name)
        else fact
        for name, fact in facts.results.items()
    }
    for name, other in suspected.substitutes.items():
        if _is_replaced(name, suspected.substitutes):
            results[name] = replace(results[other], substitute=results[other].measurand, doubts=())
    return replace(facts, results=results, blocked=suspected.blocked, as_reported=facts.results)


def doubts_after_substitution(suspected: Suspected) -> Doubts:
    """A value read from its substitute is no longer doubted."""
    return {
        name: held
        for name, held in suspected.doubts.items()
        if not _is_replaced(name, suspected.substitutes)
    }
