"""The blocks of conclusions: findings, verdict, next steps, commoner causes, the undecided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from labinterp.model.codes import Certainty, Urgency, Verdict
    from labinterp.model.interpretation import Path
    from labinterp.model.truth import TruthWord


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause a rule weighed, for "why this appears"."""

    sentence: str
    truth: TruthWord
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class FindingEntry:
    """A finding in words: observation, meaning, what could be considered.

    Attributes:
        anchor: usable as an HTML id.
        strength: words for an artefact (`probable`) or a mechanism; empty otherwise.
        inputs: the results it rests on, as printed (`Magnesium 1.1 mg/dL`).
        source_numbers: numbers of the report's source list.
        remarks: caveats, what was not measured, what strengthens or weakens it; sentences.
        steps: titles of the next steps it asks for.
    """

    id: str
    anchor: str
    sort: Literal["artefact", "pattern", "mechanism", "red_flag", "urgency"]
    title: str
    text: str
    certainty: Certainty
    certainty_words: str
    urgency: Urgency
    urgency_words: str
    rule: str
    version: str
    strength: str = ""
    inputs: tuple[str, ...] = ()
    source_numbers: tuple[int, ...] = ()
    clauses: tuple[Clause, ...] = ()
    doubts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    brief_remarks: tuple[str, ...] = ()
    """The remarks without the caveats of the rule, for the brief edition."""
    explains: tuple[str, ...] = ()
    action: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """The leading findings in full, the rest under "also noted"; `none` when there is none."""

    leading: tuple[FindingEntry, ...]
    also: tuple[FindingEntry, ...] = ()
    none: str = ""
    kind: Literal["findings"] = "findings"


@dataclass(frozen=True, slots=True)
class SymptomLine:
    """How far the results account for one recorded symptom."""

    label: str
    strength: str
    words: str
    mechanisms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PathLine:
    """One active causal path: as a sentence, and as the labels of its nodes."""

    sentence: str
    labels: tuple[str, ...]
    opposes: bool
    source_numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VerdictBlock:
    """Do these results explain the twitching?"""

    verdict: Verdict
    headline: str
    text: str
    symptoms: tuple[SymptomLine, ...]
    paths: tuple[PathLine, ...]
    told: tuple[PathLine, ...] = ()
    """The paths with every shared step told once."""
    drawn: tuple[Path, ...] = ()
    """The paths as the answer has them, to be drawn."""
    source_numbers: tuple[int, ...] = ()
    """Cited below the picture, where it stands for the sentences."""
    rules: tuple[str, ...] = ()
    kind: Literal["verdict"] = "verdict"


@dataclass(frozen=True, slots=True)
class StepEntry:
    """Something to consider; `because` are the titles of the findings that ask for it."""

    id: str
    text: str
    detail: str
    because: tuple[str, ...]
    source_numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StepGroup:
    """Steps of one urgency."""

    urgency: Urgency
    title: str
    steps: tuple[StepEntry, ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """What to consider next, most urgent first."""

    groups: tuple[StepGroup, ...]
    kind: Literal["steps"] = "steps"


@dataclass(frozen=True, slots=True)
class CauseEntry:
    """A commoner cause no result shows; `suggested_by`: what was recorded that points to it."""

    label: str
    frequency: str
    typical: str
    clue: str
    suggested_by: tuple[str, ...]
    source_numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Causes:
    """The commoner causes; always printed where twitching is asked about."""

    entries: tuple[CauseEntry, ...]
    named: tuple[str, ...] = ()
    """Further causes by name only, in the printed edition."""
    kind: Literal["causes"] = "causes"


@dataclass(frozen=True, slots=True)
class UndecidedEntry:
    """A rule that could not be decided, and what would settle it."""

    title: str
    text: str
    settled_by: tuple[str, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class UndecidedList:
    """What could not be decided; those that one thing would settle are told together."""

    entries: tuple[UndecidedEntry, ...]
    together: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(what is missing, titles it would settle), most useful first."""
    left_out: int = 0
    """Titles that only the record names, in the brief edition."""
    kind: Literal["undecided"] = "undecided"
