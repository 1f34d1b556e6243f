"""Everything we know, with a version and a digest.

Read once at start, never changed while running.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from labinterp.model.codes import Certainty, Urgency
from labinterp.model.interval import CriticalLimit, DecisionLimit
from labinterp.model.measurand import Measurand
from labinterp.model.patient_text import NO_PATIENT_PAGE, PatientKnowledge
from labinterp.model.rule import (
    Artefact,
    Condition,
    Example,
    Mechanism,
    Pattern,
    RedFlag,
    Review,
    UrgencyRule,
)


@dataclass(frozen=True, slots=True)
class Source:
    """A published source that claims cite.

    Attributes:
        access: how much of it was read, and whether first or second hand.
    """

    id: str
    title: str
    publisher: str
    year: int | None
    url: str | None
    kind: str = ""
    access: str = ""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class RangeSet:
    """A published set of intervals, or a composed one that picks rows from several.

    Attributes:
        shipped: false when the set (or all it would pick) is unverified or unusable; it cannot be
            chosen.
        picks: for a composed set: measurand to the sets tried in order, adults and children apart.
        schemes: measurand to the decision scheme used instead of an interval.
    """

    id: str
    title: str
    country: str
    kind: str
    shipped: bool
    measurands: tuple[str, ...] = ()
    composed: bool = False
    picks: Mapping[str, RangePick] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    schemes: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True, slots=True)
class RangePick:
    """Which sets a composed set takes a measurand's rows from, first match wins."""

    adult: tuple[str, ...]
    child: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is used where neither the request nor the organisation says otherwise (contract §5.

    12).
    """

    range_set: str
    range_policy: str
    critical_policy: str
    schemes: Mapping[str, str]
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Measurand to the schemes whose regions are named beside its results."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme of decision limits: a guideline's bands, or a laboratory's.

    Attributes:
        title: its name for readers.
        about: what it grades; of schemes about the same one is named at a time.
        selectable: measurands for which it can be chosen, since all its regions are verified.
        limits: measurand to its regions.
    """

    id: str
    title: str
    about: str
    selectable: tuple[str, ...] = ()
    limits: Mapping[str, tuple[DecisionLimit, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CriticalPolicy:
    """A laboratory's list of critical limits.

    Attributes:
        title: its name for readers.
        selectable: it can be chosen, since all its limits are verified.
        limits: measurand to its limits.
    """

    id: str
    title: str
    selectable: bool
    limits: Mapping[str, tuple[CriticalLimit, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Equation:
    """Another form of a formula, which can be chosen in its place.

    Attributes:
        title: its name for readers.
        constants: those that differ.
        caution: printed in place of the formula's first caution.
        unverified: nobody has seen the source; it cannot be chosen.
    """

    id: str
    title: str
    constants: Mapping[str, Decimal]
    caution: str
    sources: tuple[str, ...]
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Formula:
    """A derived quantity: what it needs, when it holds, and worked examples.

    The arithmetic is code.

    Attributes:
        id: the measurand it gives, and the function's name in `interpretation.formulas`.
        inputs: measurand ids, all needed, in the function's order.
        units: the UCUM unit each input is handed over in.
        unit: UCUM unit of what comes out.
        valid_when: condition under which it may be computed; None for always.
        constants: the formula's numbers by name (slope, baseline), each sourced here, none in code.
        caution: sentences printed with the value; each shown when its condition holds (None:
            always).
    """

    id: str
    title: str
    inputs: tuple[str, ...]
    units: tuple[str, ...]
    unit: str
    expression: str
    sources: tuple[str, ...]
    constants: Mapping[str, Decimal] = field(default_factory=dict)
    valid_when: Condition | None = None
    invalid_note: str = ""
    cautions: tuple[tuple[Condition | None, str], ...] = ()
    examples: tuple[Mapping[str, str], ...] = ()
    enabled: bool = True
    unverified: bool = False
    review: Review | None = None
    version: str = "1"
    equations: Mapping[str, Equation] = field(default_factory=dict)

    def by(self, equation: str | None) -> Formula:
        """The formula in this other form, where it has it; else as it stands."""
        chosen = self.equations.get(equation or "")
        if chosen is None:
            return self
        return replace(
            self,
            constants={**self.constants, **chosen.constants},
            cautions=((None, chosen.caution), *self.cautions[1:]),
            sources=chosen.sources,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A next step to consider; never a dose, never an order.

    Attributes:
        offered_unless: when this is known to hold the step is left out (a calcium protocol beside a
            calcium that is not low); None for a step that is always offered.
    """

    id: str
    label: str
    detail: str
    urgency: Urgency
    certainty: Certainty
    sources: tuple[str, ...]
    unverified: bool = False
    offered_unless: Condition | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of twitching that no laboratory result shows.

    Attributes:
        frequency: very-common, common, uncommon or rare; order of the list.
        suggested_by: vocabulary ids (symptoms, medicines, conditions) that make it stand out when
            recorded.
    """

    id: str
    label: str
    typical: str
    clue: str
    frequency: str
    next_steps: tuple[str, ...]
    certainty: Certainty
    sources: tuple[str, ...]
    unverified: bool = False
    suggested_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of a vocabulary: a symptom, medicine, condition or history fact.

    Attributes:
        kind: symptom, medication, condition, history.
        domain: for a symptom: twitch, hyperexcitability, sensory, …
        synonyms: other names, including the members of a class of medicines.
        codes: (system, code) pairs that were checked.
        effects: measurand to `down`, `up`, `assay-down`, `assay-up`.
        twitch_effect: symptom id that it can cause by itself.
        longer_than_days: for a symptom that is a twitch's course: a twitch lasting longer than this
            [days] counts as this symptom too.
    """

    id: str
    kind: str
    label: str
    synonyms: tuple[str, ...] = ()
    domain: str | None = None
    codes: tuple[tuple[str, str], ...] = ()
    effects: Mapping[str, str] = field(default_factory=dict)
    twitch_effect: str | None = None
    note: str = ""
    certainty: Certainty = "moderate"
    sources: tuple[str, ...] = ()
    unverified: bool = False
    longer_than_days: int | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """Diet and prevention for one measurand, with its cautions."""

    id: str
    measurand: str | None
    foods: tuple[str, ...]
    text: str
    prevention: str
    cautions: tuple[str, ...]
    certainty: Certainty
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step of the causal map: from a node to a node, in a sentence, with its sources."""

    id: str
    start: str
    end: str
    sentence: str
    sources: tuple[str, ...]
    mechanism: str | None = None
    opposes: bool = False


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything in `reference_ranges/`, checked and linked.

    Attributes:
        version: calendar version, `2026.11.0`.
        digest: SHA-256 over all files; the same files give the same digest on every machine.
        unit_spellings: folded spelling (`model.spelling.folded_unit`) to UCUM code.
        twitch_rules: id to the sentence and sources of the rules in `interpretation.explain`.
        statements: fixed sentences by key (report-design §7), per language: {"en": {...}}.
        examples: further whole-panel examples by name.
    """

    version: str
    digest: str
    sources: Mapping[str, Source]
    unit_spellings: Mapping[str, str]
    printed_units: Mapping[str, str]
    range_sets: Mapping[str, RangeSet]
    defaults: Defaults
    measurands: Mapping[str, Measurand]
    formulas: Mapping[str, Formula]
    artefacts: Mapping[str, Artefact]
    patterns: Mapping[str, Pattern]
    mechanisms: Mapping[str, Mechanism]
    red_flags: Mapping[str, RedFlag]
    urgency_rules: Mapping[str, UrgencyRule]
    next_steps: Mapping[str, Step]
    causes: Mapping[str, Cause]
    terms: Mapping[str, Mapping[str, Term]]
    """kind ("symptom", "medication", "condition", "history") to id to term."""
    advice: Mapping[str, Advice]
    paths: tuple[PathStep, ...]
    nodes: Mapping[str, str]
    """Node of the causal map to its label."""
    specimen_fields: Mapping[str, tuple[str, ...]]
    """Specimen field to its allowed words; an empty tuple for a number."""
    twitch_rules: Mapping[str, tuple[str, tuple[str, ...]]]
    statements: Mapping[str, Mapping[str, str]]
    critical_policies: Mapping[str, str]
    """Policy id to its printed name."""
    schemes: Mapping[str, tuple[str, ...]]
    """Measurand to the decision schemes that can be chosen for it."""
    decision_schemes: Mapping[str, Scheme] = field(default_factory=dict)
    """Every scheme of decision limits, also those that cannot be chosen."""
    policies: Mapping[str, CriticalPolicy] = field(default_factory=dict)
    """Every list of critical limits, also those that cannot be chosen."""
    examples: tuple[Example, ...] = ()
    overdue: tuple[str, ...] = ()
    case_sensitive_spellings: Mapping[str, str] = field(default_factory=dict)
    """Exact spelling (`spelling.exact_unit`) to UCUM code: `mM` is mmol/L, `MM` is nothing."""
    ambiguous_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Folded name (`spelling.folded_name`) to the measurands it might mean: asked, not guessed."""

    symptom_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Named groups of symptoms that the twitching rules speak of: `tetany-features`, `one-sided`,
    `side-matters`, `eyelid-only`."""
    named_conditions: Mapping[str, Condition] = field(default_factory=dict)
    """Conditions the engine itself asks: `critical-floor`, `provisional-calcium-believed`,
    `tetany-features`, `well-despite-result`."""
    critical_fallbacks: tuple[str, ...] = ()
    """Critical policies asked in turn for a measurand on which the policy in use is silent."""
    ignores_normal_ionised: tuple[str, ...] = ()
    """Rules in which a normal ionised calcium does not silence a low or high adjusted calcium."""
    reviews: Mapping[str, Review] = field(default_factory=dict)
    """File of `reference_ranges/` to who wrote and checked it and when it is due again."""
    finding_codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Measurand to `low` and `high` to the HPO term of the finding."""
    patient: PatientKnowledge = NO_PATIENT_PAGE
    """What the patient page may say."""

    @property
    def rule_count(self) -> int:
        """How many rules are looked at for each panel."""
        return sum(
            map(
                len,
                (
                    self.artefacts,
                    self.patterns,
                    self.mechanisms,
                    self.red_flags,
                    self.urgency_rules,
                ),
            )
        )
