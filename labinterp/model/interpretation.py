"""The whole answer, shaped as the contract prints it (§4): what is stored, shown, drawn and sent.

Field names are the public JSON's; members may be added, never renamed. Numbers are exact decimals.
One file, read from top to bottom as the contract's own page is.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from labinterp.model.codes import Certainty, Standing, Strength, Urgency, Verdict
from labinterp.model.truth import TruthWord


@dataclass(frozen=True, slots=True)
class KnowledgeVersion:
    """Which knowledge made this answer."""

    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class EngineVersion:
    """Which program made this answer."""

    version: str


@dataclass(frozen=True, slots=True)
class AgeAtCollection:
    """Age when the specimen was taken."""

    days: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class InterpretedPatient:
    """What of the patient the answer rests on."""

    sex: str
    age_at_collection: AgeAtCollection | None
    pregnancy: str = "unknown"
    gestation_weeks: int | None = None
    symptoms: tuple[NamedTerm, ...] = ()
    medications: tuple[NamedTerm, ...] = ()
    conditions: tuple[NamedTerm, ...] = ()
    history: tuple[NamedTerm, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedTerm:
    """A vocabulary entry as understood, beside what was sent."""

    id: str
    label: str
    reported: str


@dataclass(frozen=True, slots=True)
class ReportedValue:
    """Exactly as sent."""

    value: str | None
    comparator: str | None
    unit: str | None
    interval: str | None = None
    flag: str | None = None
    note: str | None = None
    name: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit, for printing; a comparator stays with it."""

    number: Decimal
    unit: str
    comparator: str | None = None
    printed_unit: str | None = None


@dataclass(frozen=True, slots=True)
class ConversionRecord:
    """How the unit was converted."""

    from_unit: str
    to_unit: str
    factor: Decimal
    basis: str
    source: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IntervalRecord:
    """The interval the standing rests on."""

    low: Decimal | None
    high: Decimal | None
    unit: str
    owner: Literal["laboratory", "service"]
    kind: Literal["reference", "decision"]
    set: str
    applies_to: str
    source: tuple[str, ...]
    low_included: bool = True
    high_included: bool = True
    fallback: bool = False
    printed_unit: str | None = None
    text: str = ""
    others: tuple[str, ...] = ()
    title: str = ""
    """The set or scheme by the name that readers see."""


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision limit, critical limit or severity band this result lies in."""

    name: str
    limit: str
    source: tuple[str, ...]
    scheme: str | None = None
    kind: Literal["decision", "critical", "severity"] = "decision"
    unverified: bool = False
    scheme_title: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """How the result moved since the latest earlier one."""

    earlier: Amount
    earlier_at: str | None
    difference: Decimal | None
    percent: Decimal | None
    reference_change_value: Decimal | None
    significant: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class LineGeometryInputs:
    """What a number line needs, all in the unit of the reported value: no drawing, only numbers."""

    unit: str
    value: Decimal
    comparator: str | None
    low: Decimal | None
    high: Decimal | None
    critical_low: Decimal | None
    critical_high: Decimal | None
    decision: tuple[Decimal, ...]
    plausible_low: Decimal | None
    plausible_high: Decimal | None
    previous: Decimal | None = None


@dataclass(frozen=True, slots=True)
class InterpretedResult:
    """One result with everything said of it."""

    measurand: str
    name: str
    loinc: str | None
    group: str
    where: str
    reported: ReportedValue | None
    value: Amount | None
    conventional: Amount | None
    conversion: ConversionRecord | None
    interval: IntervalRecord | None
    standing: Standing
    why_unknown: str | None
    at_the_limit: bool
    at_the_limit_note: str | None
    flag: str | None
    decisions: tuple[DecisionRecord, ...]
    change: ChangeRecord | None
    doubts: tuple[str, ...]
    derived_from: tuple[str, ...]
    derivation: str | None = None
    notes: tuple[str, ...] = ()
    band: str | None = None
    band_label: str | None = None
    provisional: bool = False
    line: LineGeometryInputs | None = None
    matched_by: str | None = None
    read_in_words: bool = False
    """Reported in words that are understood (`low`, `positive`), without a number."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One clause weighed: its sentence, its truth, the results it looked at."""

    sentence: str
    truth: TruthWord
    about: tuple[str, ...] = ()
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """How strongly a mechanism accounts for one recorded symptom."""

    symptom: str
    label: str
    strength: Strength


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the results together mean, traceable to rule, version, evidence and sources.

    Attributes:
        id: `finding/<rule>`; what next steps name in `because`.
        doubts: artefacts or problems this rests on, in sentences.
        explains: mechanisms only.
        strength: artefacts only: probable, suspect.
        leading: false for what stands under "also noted".
    """

    id: str
    rule: str
    version: str
    title: str
    text: str
    certainty: Certainty
    urgency: Urgency
    evidence: tuple[Evidence, ...]
    doubts: tuple[str, ...]
    sources: tuple[str, ...]
    kind: Literal["artefact", "pattern", "mechanism", "red_flag", "urgency"] = "pattern"
    explains: tuple[Explanation, ...] | None = None
    strength: Literal["probable", "suspect", "likely", "possible", "unlikely", "opposes"] | None = (
        None
    )
    affects: tuple[str, ...] = ()
    action: str | None = None
    steps: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    not_measured: tuple[str, ...] = ()
    strengthened_by: tuple[str, ...] = ()
    weakened_by: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    leading: bool = True


@dataclass(frozen=True, slots=True)
class Undecided:
    """A rule that could not be decided, and what would settle it."""

    rule: str
    title: str
    missing: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something to consider, how soon, and which findings ask for it."""

    id: str
    text: str
    detail: str
    urgency: Urgency
    because: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OtherCause:
    """A commoner cause that no result here shows."""

    id: str
    label: str
    typical: str
    clue: str
    frequency: str
    sources: tuple[str, ...]
    suggested_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SymptomVerdict:
    """The highest strength over all mechanisms for one recorded symptom."""

    symptom: str
    label: str
    strength: Strength | Literal["not_explained", "cannot_tell"]
    mechanisms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """One causal path this panel activates, as node labels and in sentences.

    Attributes:
        starts_with: label of the first node: where the path starts.
        opposes: whether it works against excitability.
        steps: the sentence of each step, one fewer than there are nodes.
        edges: ids of the steps, as `knowledge show` knows them.
        mechanisms: the findings that the path rests on, by rule.
        recorded: whether it ends in a symptom that was recorded.
    """

    nodes: tuple[str, ...]
    labels: tuple[str, ...]
    sentence: str
    starts_with: str
    opposes: bool
    sources: tuple[str, ...]
    steps: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    mechanisms: tuple[str, ...] = ()
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Twitching:
    """Do these results explain the twitching?"""

    verdict: Verdict
    text: str
    rules: tuple[str, ...]
    drivers: tuple[str, ...]
    per_symptom: tuple[SymptomVerdict, ...]
    paths: tuple[Path, ...]
    red_flags: tuple[Finding, ...]
    other_causes: tuple[OtherCause, ...]


@dataclass(frozen=True, slots=True)
class ProblemRecord:
    """What could not be read, placed or believed."""

    code: str
    message: str
    where: str
    measurand: str | None = None


@dataclass(frozen=True, slots=True)
class Completeness:
    """What the incoming report lacked, and what that cost."""

    element: str
    message: str


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A source cited in this answer; `number` is its number in the report."""

    id: str
    title: str
    year: int | None
    url: str | None
    number: int
    publisher: str = ""
    access: str = ""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The whole answer; stored as it is, never rewritten by newer knowledge."""

    knowledge: KnowledgeVersion
    engine: EngineVersion
    range_set: str
    critical_policy: str
    schemes: tuple[str, ...]
    urgency: Urgency
    urgency_because: tuple[Finding, ...]
    patient: InterpretedPatient
    status: str
    collected_at: str | None
    results: tuple[InterpretedResult, ...]
    artefacts: tuple[Finding, ...]
    patterns: tuple[Finding, ...]
    mechanisms: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    next_steps: tuple[NextStep, ...]
    twitching: Twitching
    problems: tuple[ProblemRecord, ...]
    completeness: tuple[Completeness, ...]
    sources: tuple[SourceRecord, ...]
    rules_looked_at: int
    artefact_checks: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    urgency_findings: tuple[Finding, ...] = ()
    """What single results ask for; `urgency_because` names the most urgent of all findings."""
    not_assessed: tuple[str, ...] = ()
    """Rules of which nothing that they ask about was sent."""
    range_set_title: str = ""
    critical_policy_title: str = ""
    scheme_titles: tuple[str, ...] = ()
    """What `range_set`, `critical_policy` and `schemes` name, as readers know it."""
