"""One rule language for every stratum.

Which rules hold, how sure that is, and what would settle the rest.

A finding that rests on doubted results is shown as doubtful, never hidden. `strengthens` and
`weakens` shift the
certainty by one step and switch nothing on or off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypedDict, TypeVar, Unpack

from labinterp.interpretation import conditions
from labinterp.interpretation.conditions import Weighed, measurands_of, weigh
from labinterp.interpretation.keeping import kept
from labinterp.interpretation.sentences import Teller
from labinterp.model.interpretation import Explanation, Finding, Undecided
from labinterp.model.rule import Condition, Rule

if TYPE_CHECKING:
    from labinterp.interpretation.facts import Facts
    from labinterp.model.codes import Certainty, Urgency
    from labinterp.model.knowledge import Knowledge

_STEPS: Final[tuple[Certainty, ...]] = ("limited", "moderate", "strong")
RuleKind = TypeVar("RuleKind", bound=Rule)

Doubts = Mapping[str, tuple["Doubt", ...]]


@dataclass(frozen=True, slots=True)
class Doubt:
    """An artefact that could have produced a result.

    Attributes:
        rule: the artefact's id.
        is_probable: it is probable, so that the result cannot be relied on.
        sentence: the doubt in words.
    """

    rule: str
    is_probable: bool
    sentence: str


def found(rules: Mapping[str, RuleKind], facts: Facts) -> list[tuple[RuleKind, Weighed]]:
    """Every rule that holds or cannot be told, weighed."""
    known = None if facts.judges is None else facts.judges.found(rules, facts)
    if known is not None:
        return known
    every = [(rule, weigh(rule.when, facts)) for rule in rules.values()]
    return [(rule, weighed) for rule, weighed in every if weighed.truth is not False]


def true_ones(clauses: Iterable[Condition], facts: Facts) -> tuple[Condition, ...]:
    """The conditions that hold."""
    return tuple(one for one in clauses if conditions.holds(one, facts) is True)


class Further(TypedDict, total=False):
    """What each stratum says of its own findings."""

    kind: Literal["artefact", "pattern", "mechanism", "red_flag", "urgency"]
    explains: tuple[Explanation, ...]
    strength: Literal["probable", "suspect", "likely", "possible", "unlikely", "opposes"] | None
    affects: tuple[str, ...]
    action: str
    steps: tuple[str, ...]
    caveats: tuple[str, ...]


def finding(
    rule: Rule,
    weighed: Weighed,
    teller: Teller,
    *,
    doubts: Doubts,
    urgency: Urgency = "none",
    certain: Certainty | None = None,
    strengthens: Iterable[Condition] = (),
    weakens: Iterable[Condition] = (),
    **further: Unpack[Further],
) -> Finding:
    """A rule that holds, as a finding with its evidence, certainty and doubts.

    Args:
        rule: the rule.
        weighed: its condition.
        teller: tells clauses over the facts.
        doubts: artefacts by the measurand they could have produced.
        urgency: how soon.
        certain: what it is certain to be, where that does not follow from the rule and its doubts.
        strengthens: what makes it a step more certain.
        weakens: what makes it a step less certain.
        further: what its stratum says.
    """
    stronger, weaker = (true_ones(one, teller.facts) for one in (strengthens, weakens))
    resting = doubts_of(weighed.about, doubts, teller.facts)
    return Finding(
        id=f"finding/{rule.id}",
        rule=rule.id,
        version=rule.version,
        title=rule.title,
        text=rule.text.strip(),
        certainty=certain or certainty(rule, len(stronger) > 0, len(weaker) > 0, resting),
        urgency=urgency,
        evidence=teller.evidence(weighed.clauses),
        doubts=tuple(dict.fromkeys(one.sentence for one in resting)) if resting else (),
        sources=rule.sources,
        not_measured=_not_measured(weighed, teller),
        strengthened_by=_told(stronger, teller) if stronger else (),
        weakened_by=_told(weaker, teller) if weaker else (),
        unverified=_unverified(rule),
        **further,
    )


def certainty(
    rule: Rule, is_strengthened: bool, is_weakened: bool, doubts: Iterable[Doubt]
) -> Certainty:
    """The rule's own certainty, one step up or down by what speaks for or against it."""
    doubts = tuple(doubts)
    if any(doubt.is_probable for doubt in doubts) or rule.certainty == "cannot_tell":
        return "cannot_tell"
    base = _STEPS.index("limited" if rule.unverified else rule.certainty)
    shifted = base + is_strengthened - is_weakened - (len(doubts) > 0)
    return _STEPS[min(max(shifted, 0), len(_STEPS) - 1)]


def doubts_of(measurands: Iterable[str], doubts: Doubts, facts: Facts) -> tuple[Doubt, ...]:
    """The doubts on these results; a provisional value is one too."""
    gathered: list[Doubt] = []
    for name in measurands:
        gathered.extend(doubts.get(name, ()))
        fact = facts.results.get(name)
        if fact is not None and fact.provisional:
            sentence = (
                f"{facts.name(name)} is provisional: unadjusted, for want of albumin or "
                "ionised calcium"
            )
            gathered.append(Doubt("provisional", is_probable=False, sentence=sentence))
    return tuple(dict.fromkeys(gathered))


def undecided(rule: Rule, weighed: Weighed, teller: Teller) -> Undecided | None:
    """What would settle a rule that cannot be told.

    None where no part of it holds and nothing that it asks about came: too little to speak of.
    """
    if weighed.truth is not None:
        return None
    asked, facts = weighed.missing, teller.facts
    if facts.results.keys().isdisjoint(asked):
        if not weighed.holds_partly:
            return None
        wanted: tuple[str, ...] = ("{}",) * len(asked)
    else:
        wanted = tuple(_wanted(name, facts) for name in asked)
    if any(wanted):
        return _named(rule, weighed, teller.knowledge, wanted)
    return Undecided(rule.id, rule.title, asked, _open_sentences(weighed, teller))


@kept(identical=3)
def _named(
    rule: Rule, weighed: Weighed, knowledge: Knowledge, wanted: tuple[str, ...]
) -> Undecided:
    """What is wanted of each measurand, by its name."""
    names = (knowledge.measurands.get(name) for name in weighed.missing)
    spoken = (
        known.spoken if known else name.replace("_", " ")
        for name, known in zip(weighed.missing, names, strict=True)
    )
    told = [want.format(name) for want, name in zip(wanted, spoken, strict=True) if want]
    text = f"cannot tell; {' or '.join(dict.fromkeys(told))} would settle it"
    return Undecided(rule.id, rule.title, weighed.missing, text)


def _open_sentences(weighed: Weighed, teller: Teller) -> str:
    open_ones = [teller.sentence(one) for one in weighed.open_clauses]
    return f"cannot tell; {'; '.join(dict.fromkeys(open_ones))}" if open_ones else "cannot tell"


def _wanted(measurand: str, facts: Facts) -> str:
    """What is wanted of a measurand: its result, a better one, or what to judge it by."""
    fact = facts.results.get(measurand)
    if fact is None:
        return "{}"
    if measurand in facts.blocked:
        return "a clean repeat of {}"
    if fact.cannot_be_right:
        return "a repeat of {}"
    if fact.standing == "unknown" and not fact.limits and fact.extent is not None:
        return "an interval for {}"
    return ""


def _not_measured(weighed: Weighed, teller: Teller) -> tuple[str, ...]:
    """What stands under `none` and was not measured: named, for it would have spoken against."""
    unknown = [one for one in weighed.clauses if one.excludes and one.truth is None]
    return tuple(
        dict.fromkeys(
            teller.facts.name(name) for one in unknown for name in measurands_of(one.leaf)
        )
    )


def _told(held: Iterable[Condition], teller: Teller) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            teller.sentence(clause)
            for condition in held
            for clause in weigh(condition, teller.facts).clauses
            if clause.truth is True and not clause.excludes
        )
    )


def _unverified(rule: Rule) -> tuple[str, ...]:
    if rule.unverified:
        return ("not confirmed in a source", *rule.unverified_fields)
    return rule.unverified_fields


def with_findings(facts: Facts, findings: Iterable[Finding]) -> Facts:
    """The facts of the next stratum: these rules were found."""
    more = dict.fromkeys((one.rule for one in findings), True)
    return replace(facts, findings={**facts.findings, **more}) if more else facts


def heard(
    rules: Mapping[str, RuleKind], facts: Facts, knowledge: Knowledge
) -> Iterator[tuple[RuleKind, Weighed, Teller]]:
    """The rules that hold or cannot be told, each on the facts it hears, with their teller."""
    if not facts.ionised_settles:
        teller = Teller(knowledge, facts)
        for rule, weighed in found(rules, facts):
            yield rule, weighed, teller
        return
    for rule in rules.values():
        own = silenced(facts, rule, knowledge)
        weighed = weigh(rule.when, own)
        if weighed.truth is not False:
            yield rule, weighed, Teller(knowledge, own)


def silenced(facts: Facts, rule: Rule, knowledge: Knowledge) -> Facts:
    """The facts for a rule: some are not silenced by a normal ionised calcium."""
    if facts.ionised_settles and rule.id in knowledge.ignores_normal_ionised:
        return replace(facts, ionised_settles=False)
    return facts
