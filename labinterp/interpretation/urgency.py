"""How soon: the highest of single results, patterns and red flags.

Lowered only by the sheet's own exceptions.

Urgency reads values as they were reported. Where age, sex or which of two results is right is not
known, the more
dangerous reading counts. A probable artefact in a well patient may lower an emergency to same day,
never further.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from labinterp.interpretation import conditions
from labinterp.interpretation.conditions import Weighed, leaves, weigh
from labinterp.interpretation.critical import is_critical
from labinterp.interpretation.facts import HIGH, LOW, Fact, Facts
from labinterp.interpretation.findings import (
    Doubts,
    finding,
    found,
    undecided,
)
from labinterp.interpretation.keeping import kept
from labinterp.interpretation.sentences import Teller
from labinterp.model.codes import Certainty, Urgency, at_least_as_urgent, most_urgent
from labinterp.model.interpretation import Finding, Undecided
from labinterp.model.rule import Computed, UrgencyRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from labinterp.interpretation.scope import Scope
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.panel import Classification, Problem

CRITICAL_FLOOR: Final = "critical-floor"
WELL: Final = "well-despite-result"
_ADULT_BAND: Final = (
    "judged by the adult band, since the result is outside the interval for this patient as well"
)
_IMPLAUSIBLE: Final = "implausible_value"
_WRONG: Final = frozenset({"value-implausible", "unit-unknown", "unit-missing"})
_BEYOND: Final = "beyond_critical_limit"
_OTHER: Final = "other_result_outside"


@dataclass(frozen=True, slots=True)
class Urgencies:
    """What single results ask for, before patterns and red flags are added."""

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]


def as_urgent(facts: Facts, classifications: Iterable[Classification]) -> Facts:
    """Facts in which a result that an unknown age or sex leaves open stands as an adult's would."""
    standings = {
        one.result.measurand.id: one.urgent_standing
        for one in classifications
        if one.urgent_standing is not None
    }
    if not standings:
        return facts
    results = {
        name: replace(fact, standing=standings[name]) if name in standings else fact
        for name, fact in facts.results.items()
    }
    return replace(facts, results=results)


def variants(facts: Facts, rivals: Mapping[str, Sequence[Fact]]) -> tuple[Facts, ...]:
    """The facts once for each of two unlike results of one test; without rivals just the facts."""
    readings = (
        replace(facts, results={**facts.results, name: other})
        for name, others in rivals.items()
        for other in others
    )
    return (facts, *readings)


def with_computed(
    facts: Facts, classifications: Iterable[Classification], problems: Iterable[Problem]
) -> Facts:
    """The answers that data cannot express, but for what other rules cover."""
    placed = [one for one in classifications if one.result.usable or is_critical(one)]
    critical = tuple(dict.fromkeys(one.result.measurand.id for one in placed if is_critical(one)))
    problems = tuple(problems)
    codes = {one.code for one in problems}
    named = (one.measurand for one in problems if one.code in _WRONG and one.measurand)
    computed = {
        _IMPLAUSIBLE: bool(codes & _WRONG),
        "discordant_duplicate": "duplicate-result" in codes,
        _BEYOND: bool(critical),
        _OTHER: False,  # until every other rule has spoken
    }
    return replace(
        facts,
        computed={**facts.computed, **computed},
        computed_about={
            **facts.computed_about,
            _BEYOND: critical,
            _IMPLAUSIBLE: tuple(dict.fromkeys(named)),
        },
    )


def single_results(
    knowledge: Knowledge, facts: Facts, rivals: Mapping[str, Sequence[Fact]], doubts: Doubts
) -> Urgencies:
    """The urgency rules that hold, in any reading of the panel, each once."""
    findings: dict[str, Finding] = {}
    open_ones: dict[str, Undecided] = {}
    for facts_read in variants(facts, rivals):
        for one in _rules(knowledge, facts_read, doubts):
            if isinstance(one, Finding):
                findings.setdefault(one.rule, one)
            else:
                open_ones.setdefault(one.rule, one)
    others = _others(knowledge, facts, findings.values(), doubts)
    settled = {*findings, *(one.rule for one in others)}
    return Urgencies(
        tuple(sorted((*findings.values(), *others), key=lambda one: one.rule)),
        tuple(one for rule, one in open_ones.items() if rule not in settled),
    )


def _rules(knowledge: Knowledge, facts: Facts, doubts: Doubts) -> Iterable[Finding | Undecided]:
    """Each rule that holds, or that an open `<` or `>` result may fulfil."""
    teller = Teller(knowledge, facts)
    censored = frozenset(name for name, fact in facts.results.items() if _is_censored(fact))
    for rule, weighed in found(_divided(knowledge)[0], facts):
        if weighed.truth is True:
            yield _urgent(rule, weighed, teller, doubts)
        elif censored and _may_hold(weighed, censored):
            yield _urgent(rule, weighed, teller, doubts, certain="cannot_tell")
        elif (one := undecided(rule, weighed, teller)) is not None:
            yield one


@kept(most=8)
def _divided(knowledge: Knowledge) -> tuple[dict[str, UrgencyRule], tuple[UrgencyRule, ...]]:
    """The rules of single results, and those that speak of what no other rule covers."""
    rules = knowledge.urgency_rules
    last = tuple(rule for rule in rules.values() if _asks(rule, _OTHER))
    return {name: rule for name, rule in rules.items() if rule not in last}, last


def _asks(rule: UrgencyRule, name: str) -> bool:
    asked = (leaf for leaf in leaves(rule.when) if isinstance(leaf, Computed))
    return any(leaf.name.replace("-", "_") == name for leaf in asked)


def _may_hold(weighed: Weighed, censored: frozenset[str]) -> bool:
    """Is all that is open a `<` or `>` whose values may be as dangerous as the rule asks?"""
    unknown = weighed.open_clauses
    measurands = [name for one in unknown for name in conditions.measurands_of(one.leaf)]
    return len(measurands) == len(unknown) > 0 and censored.issuperset(measurands)


def _is_censored(fact: Fact) -> bool:
    """Is it known only to be more, or less, than a number?"""
    return fact.extent is not None and fact.extent.comparator is not None


def _urgent(
    rule: UrgencyRule,
    weighed: Weighed,
    teller: Teller,
    doubts: Doubts,
    certain: Certainty | None = None,
) -> Finding:
    return finding(
        rule,
        weighed,
        teller,
        doubts=doubts,
        certain=certain,
        kind="urgency",
        urgency=rule.urgency,
        steps=rule.next_steps,
        affects=_about(weighed, teller),
    )


def _about(weighed: Weighed, teller: Teller) -> tuple[str, ...]:
    """The measurands an urgency rests on, those of computed answers included."""
    computed = [
        one.leaf.name.replace("-", "_") for one in weighed.clauses if isinstance(one.leaf, Computed)
    ]
    named = [name for one in computed for name in teller.facts.computed_about.get(one, ())]
    return tuple(dict.fromkeys((*weighed.about, *named)))


def _others(
    knowledge: Knowledge, facts: Facts, covering: Iterable[Finding], doubts: Doubts
) -> tuple[Finding, ...]:
    """The rule for results outside their interval that no other rule speaks of."""
    covered = {name for one in covering for name in one.affects if one.rule != _BEYOND}
    outside = tuple(
        name
        for name, fact in facts.results.items()
        if fact.standing in LOW | HIGH and name not in covered and name == fact.measurand.id
    )
    told = replace(
        facts,
        computed={**facts.computed, _OTHER: bool(outside)},
        computed_about={**facts.computed_about, _OTHER: outside},
    )
    return tuple(
        _urgent(rule, weigh(rule.when, told), Teller(knowledge, told), doubts)
        for rule in _divided(knowledge)[1]
        if conditions.holds(rule.when, told) is True
    )


def in_scope(
    single: Urgencies, scope: Scope, facts: Facts
) -> tuple[tuple[Finding, ...], tuple[Undecided, ...]]:
    """Where the adult rules do not speak, those about a critical value still do.

    So does one about results that are all outside an interval made for this patient: what is low
    for a child as well as for an adult is not less urgent in the child.
    """
    if scope.notice is None:
        return single.findings, single.undecided
    outside = {name for name, fact in facts.results.items() if fact.standing in LOW | HIGH}
    critical = {
        name for name, fact in facts.results.items() if fact.standing.startswith("critically")
    }
    kept: list[Finding] = []
    left: list[Undecided] = []
    for one in single.findings:
        if critical.intersection(one.affects):
            kept.append(one)
        elif one.affects and outside.issuperset(one.affects):
            kept.append(replace(one, caveats=(*one.caveats, _ADULT_BAND)))
        else:
            left.append(scope.undecided(one))
    return tuple(kept), (*left, *single.undecided)


# ---- the highest, and what may lower it


def overall(
    urgencies: Iterable[Finding],
    patterns: Iterable[Finding],
    red_flags: Iterable[Finding],
    artefacts: Iterable[Finding],
    *,
    facts: Facts,
    suspected: Mapping[str, str],
    knowledge: Knowledge,
    floor: Urgency,
) -> tuple[Urgency, tuple[Finding, ...]]:
    """The overall urgency, and the findings that ask for it, with lowered ones lowered."""
    flags = tuple(red_flags)
    may_lower = not flags and _is_well(facts, knowledge)
    lowered = tuple(
        _lowered(one) if may_lower and _rests_on(one, suspected) else one
        for one in (*urgencies, *patterns)
    )
    every = (*flags, *lowered, *artefacts)
    highest = most_urgent(floor, *(one.urgency for one in every))
    because = {one.rule: one for one in every if one.urgency == highest and highest != "none"}
    return highest, tuple(because.values())


def _is_well(facts: Facts, knowledge: Knowledge) -> bool:
    """Is a normal ECG or a well patient recorded, so that a probable artefact may be believed?"""
    condition = knowledge.named_conditions.get(WELL)
    return condition is not None and conditions.holds(condition, facts) is True


def _rests_on(one: Finding, suspected: Mapping[str, str]) -> bool:
    """Does the urgency come solely from results that a probable artefact could have produced?"""
    resting = [evidence for evidence in one.evidence if evidence.truth != "no" and evidence.about]
    names = {name for evidence in resting for name in evidence.about}
    return bool(names) and names <= set(suspected)


def _lowered(one: Finding) -> Finding:
    if not at_least_as_urgent(one.urgency, "same_day"):
        return one
    note = (
        "lowered to same day: a probable artefact could have produced it and the patient "
        "is recorded as well; repeat at once"
    )
    return (
        replace(one, urgency="same_day", caveats=(*one.caveats, note))
        if one.urgency == "emergency"
        else one
    )


def floor(
    knowledge: Knowledge,
    facts: Facts,
    rivals: Mapping[str, Sequence[Fact]],
    rejected: Mapping[str, Fact],
) -> Urgency:
    """Never below same day at a critical limit or a critical number, whatever silences the rest.

    A number that cannot be right counts as it was sent: it is asked about on the same day.
    """
    condition = knowledge.named_conditions.get(CRITICAL_FLOOR)
    if rejected:
        facts = replace(facts, results={**rejected, **facts.results})
    for read in variants(facts, rivals):
        is_silenced = read.ionised_settles or bool(read.blocked)
        loud = replace(read, ionised_settles=False, blocked={}) if is_silenced else read
        if loud.computed.get(_BEYOND) is True:
            return "same_day"
        if any(fact.standing.startswith("critically") for fact in loud.results.values()):
            return "same_day"
        if condition is not None and conditions.holds(condition, loud) is True:
            return "same_day"
    return "none"
