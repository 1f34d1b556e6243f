"""Patterns and red flags: the strata between artefacts and mechanisms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from labinterp.interpretation.conditions import first
from labinterp.interpretation.findings import (
    Doubts,
    finding,
    found,
    heard,
    undecided,
)
from labinterp.interpretation.sentences import Teller
from labinterp.model.codes import URGENCIES, Urgency, most_urgent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.interpretation.facts import Facts
    from labinterp.interpretation.scope import Scope
    from labinterp.model.interpretation import Finding, Undecided
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.rule import Pattern

LEADING: Final = 5
"""At most so many findings lead an answer; the rest stands under "also noted"."""
_CERTAINTIES: Final = ("strong", "moderate", "limited", "cannot_tell")


@dataclass(frozen=True, slots=True)
class Stratum:
    """What one stratum of rules amounts to."""

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]


def find_patterns(knowledge: Knowledge, facts: Facts, doubts: Doubts, scope: Scope) -> Stratum:
    """The patterns that hold, the most urgent first, and those that are left open."""
    findings: list[Finding] = []
    open_ones: list[Undecided] = []
    for rule, weighed, teller in heard(knowledge.patterns, facts, knowledge):
        if weighed.truth is None:
            if (missing := undecided(rule, weighed, teller)) is not None:
                open_ones.append(missing)
            continue
        one = finding(
            rule,
            weighed,
            teller,
            doubts=doubts,
            urgency=pattern_urgency(rule, teller.facts),
            strengthens=rule.strengthens,
            weakens=rule.weakens,
            steps=rule.next_steps,
            caveats=_note(rule),
        )
        if scope.covers(rule):
            findings.append(one)
        else:
            open_ones.append(scope.undecided(one))
    return Stratum(ranked(findings), tuple(open_ones))


def pattern_urgency(rule: Pattern, facts: Facts) -> Urgency:
    """The pattern's urgency: its first upgrade that holds, never below its own."""
    upgrade = first(rule.urgency_upgrades, facts)
    return rule.urgency if upgrade is None else most_urgent(rule.urgency, upgrade[0].urgency)


def _note(rule: Pattern) -> tuple[str, ...]:
    return (f"Twitching: {rule.twitch_note}",) if rule.twitch_note else ()


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By urgency, then certainty, then id; the first few lead."""
    ordered = sorted(
        findings,
        key=lambda one: (
            -URGENCIES.index(one.urgency),
            _CERTAINTIES.index(one.certainty),
            one.rule,
        ),
    )
    noted = (replace(one, leading=False) for one in ordered[LEADING:])
    return (*ordered[:LEADING], *noted)


def find_red_flags(knowledge: Knowledge, facts: Facts, doubts: Doubts) -> Stratum:
    """Red flags, read from everything as it was reported; no artefact and no age silences them."""
    findings: list[Finding] = []
    open_ones: list[Undecided] = []
    teller = Teller(knowledge, facts)
    for rule, weighed in found(knowledge.red_flags, facts):
        if weighed.truth is None:
            if (missing := undecided(rule, weighed, teller)) is not None:
                open_ones.append(missing)
            continue
        findings.append(
            finding(
                rule,
                weighed,
                teller,
                doubts=doubts,
                urgency=rule.urgency,
                kind="red_flag",
                steps=rule.next_steps,
            )
        )
    ordered = sorted(findings, key=lambda one: (-URGENCIES.index(one.urgency), one.rule))
    return Stratum(tuple(ordered), tuple(open_ones))
