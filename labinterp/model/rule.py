"""Rules and their condition trees.

One three-valued language for artefacts, patterns, mechanisms, flags.

A rule file reads `when: {all: [{magnesium: low}, {potassium: "< 3.0 mmol/L"}]}`; each leaf becomes
one of the frozen nodes below. Nodes hold no behaviour; `interpretation.conditions` weighs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from labinterp.model.codes import Certainty, Strength, Urgency
from labinterp.model.quantity import Operator

Status = Literal[
    "low",
    "high",
    "within",
    "not_low",
    "not_high",
    "low_or_lowest_third",
    "high_or_highest_third",
    "outside",
    "present",
    "missing",
]


# ---- combinators: truth from the truth of parts


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """No part is known to hold; an unknown part does not make it unknown.

    But is named as not measured.
    """

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least `count` of the parts hold."""

    count: int
    parts: tuple[Condition, ...]


# ---- leaves about results


@dataclass(frozen=True, slots=True)
class StatusIs:
    """The measurand's standing by the interval in use: `{magnesium: low}`.

    Low includes critically low.
    """

    measurand: str
    status: Status


@dataclass(frozen=True, slots=True)
class Compared:
    """The measurand's value against a number of the rule: `{potassium: "< 3.0 mmol/L"}`."""

    measurand: str
    operator: Operator
    limit: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class DifferenceAtLeast:
    """value(first) − value(second) ≥ limit, as reported: serum against plasma potassium."""

    first: str
    second: str
    limit: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The measurand changed, either way, by more than so many reference change values.

    Since an earlier result of the last `days`: `{moved: creatinine, beyond: 5, within: 7 days}`.
    """

    measurand: str
    times: Decimal
    days: Decimal


@dataclass(frozen=True, slots=True)
class TextIs:
    """A qualitative result says so: `{intrinsic_factor_antibody: "= positive"}`."""

    measurand: str
    text: str


# ---- leaves about the patient and the specimen


@dataclass(frozen=True, slots=True)
class SymptomIs:
    """Any of the symptoms is recorded.

    With `onset`, its recorded onset (unknown if none) is one of these.
    """

    symptoms: tuple[str, ...]
    onset: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConditionIs:
    """Any of these conditions is recorded."""

    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MedicationIs:
    """Any of these medicines (or a member of these classes) is recorded."""

    medications: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HistoryIs:
    """This history fact is recorded."""

    history: str


@dataclass(frozen=True, slots=True)
class SpecimenIs:
    """A specimen field has one of these words; a field not stated never matches."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpecimenAtLeast:
    """A numeric specimen field is at least this."""

    field: str
    limit: Decimal


@dataclass(frozen=True, slots=True)
class AgeIs:
    """Age at collection, in whole years, against a number."""

    operator: Operator
    years: Decimal


@dataclass(frozen=True, slots=True)
class SexIs:
    """The sex that intervals use."""

    sex: Literal["female", "male"]


@dataclass(frozen=True, slots=True)
class FindingIs:
    """A finding of an earlier stratum was made."""

    rule: str


@dataclass(frozen=True, slots=True)
class Computed:
    """What data cannot express; `name` is a key of `interpretation.conditions.COMPUTED`."""

    name: str


Leaf = (
    StatusIs
    | Compared
    | DifferenceAtLeast
    | Moved
    | TextIs
    | SymptomIs
    | ConditionIs
    | MedicationIs
    | HistoryIs
    | SpecimenIs
    | SpecimenAtLeast
    | AgeIs
    | SexIs
    | FindingIs
    | Computed
)
Condition = All | AnyOf | NoneOf | AtLeast | Leaf


# ---- rules


@dataclass(frozen=True, slots=True)
class Review:
    """Who wrote and checked a piece of knowledge, and when it is due again (ISO dates)."""

    status: Literal["draft", "reviewed", "unverified"]
    authored_by: str
    checked_by: str | None = None
    reviewed_on: str | None = None
    next_review: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A panel in the notation of the files, and what the rule says of it.

    Found, not found, cannot tell.
    """

    given: Mapping[str, object]
    expect: Literal["found", "not found", "cannot tell"]
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every rule has, whatever its stratum.

    Attributes:
        id: kebab-case, the file's name; never renamed.
        title: what the finding is called.
        when: the condition tree.
        text: the sentence shown when it holds.
        certainty: how good the evidence is.
        sources: ids that resolve in `sources.yaml`.
        unverified: the item (or, by `unverified_fields`, a part) was not confirmed in a source.
        version: changes when the file's content does.
    """

    id: str
    title: str
    when: Condition
    text: str
    certainty: Certainty
    sources: tuple[str, ...]
    version: str
    review: Review
    why_it_matters: str = ""
    unverified: bool = False
    unverified_fields: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A condition under which a pattern is more urgent."""

    when: Condition
    urgency: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact(Rule):
    """A pre-analytical fault that could have produced some of the results.

    Attributes:
        strength: probable, or suspect.
        effects: measurand to the direction it pushes: up, down.
        unaffected: measurands that stay reliable.
        upgrade_when: makes a suspect artefact probable.
        use_instead: affected measurand to the one to read instead.
        action: what to consider (always a repeat or a confirmation).
    """

    strength: Literal["probable", "suspect"]
    effects: Mapping[str, Literal["up", "down"]]
    action: str
    unaffected: tuple[str, ...] = ()
    strengthens: tuple[Condition, ...] = ()
    weakens: tuple[Condition, ...] = ()
    upgrade_when: Condition | None = None
    use_instead: Mapping[str, str] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()
    effect_notes: Mapping[str, str] = field(default_factory=dict)
    """Effects that are slight or come late, in words: they doubt only what is outside there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern(Rule):
    """Several results that mean more together than each alone."""

    urgency: Urgency
    urgency_upgrades: tuple[Upgrade, ...] = ()
    strengthens: tuple[Condition, ...] = ()
    weakens: tuple[Condition, ...] = ()
    next_steps: tuple[str, ...] = ()
    twitch_strength: Strength | None = None
    twitch_via: tuple[str, ...] = ()
    twitch_note: str | None = None


@dataclass(frozen=True, slots=True)
class Grading:
    """One line of a mechanism's grading; the first whose condition holds gives the strength.

    Attributes:
        strength: None when `inherits_from` names the mechanism whose strength is taken.
        at_most: a ceiling on an inherited strength.
    """

    when: Condition
    strength: Strength | None
    inherits_from: str | None = None
    at_most: Strength | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism(Rule):
    """How one measurand, low or high, makes nerve and muscle fire, or opposes it.

    `when` holds as soon as any line of `grading` does.

    Attributes:
        measurand: the one it is about; `alternatives` can stand in for it. Empty for a state of the
            body (direction `state`: dehydration), which is graded through what it does.
        steps: the causal chain in sentences.
        by_sign: symptom id to the strength for that sign.
    """

    measurand: str
    direction: Literal["low", "high", "state"]
    grading: tuple[Grading, ...]
    alternatives: tuple[str, ...] = ()
    role: str = ""
    steps: tuple[str, ...] = ()
    by_sign: Mapping[str, Strength] = field(default_factory=dict)
    signs: tuple[str, ...] = ()
    associated_symptoms: tuple[str, ...] = ()
    threshold_text: str | None = None
    onset: str = ""
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RedFlag(Rule):
    """A clinical picture that must not be missed whatever the results show."""

    urgency: Urgency
    next_steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgencyRule(Rule):
    """How fast one result (with the symptoms) asks to be acted on."""

    urgency: Urgency
    next_steps: tuple[str, ...] = ()
