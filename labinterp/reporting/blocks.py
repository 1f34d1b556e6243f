"""What a report is made of before it has a look: sections of a few kinds of block, in plain words.

No markup anywhere: a text here is text, and each renderer escapes it in its own way. Numbers are
    already words
(`2.90`, `0.70–1.00`), with the signs of report typography. Each block has a `kind`, so that a
template can choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from labinterp.reporting.conclusion_blocks import (
    Causes,
    Findings,
    Steps,
    UndecidedList,
    VerdictBlock,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.model.codes import Standing, Urgency, Verdict
    from labinterp.reporting.number_line import Geometry
    from labinterp.reporting.palette import Symbol

Emphasis = Literal["plain", "strong", "muted", "italic", "critical"]
Tone = Literal["plain", "critical", "notice"]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text with one emphasis; `link` is an absolute address or None."""

    text: str
    emphasis: Emphasis = "plain"
    link: str | None = None


Line = tuple[Span, ...]
"""One line of text, in runs."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or a few; `note` is smaller and muted, `brief` a shorter form if there is one."""

    line: Line
    role: Literal["body", "note"] = "body"
    brief: Line = ()
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list whose order matters little."""

    items: tuple[Line, ...]
    kind: Literal["bullets"] = "bullets"


@dataclass(frozen=True, slots=True)
class Fact:
    """A label with its value; `wide` asks for a line of its own, `missing`: the value says so."""

    label: str
    value: str
    wide: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """A box of labels and values."""

    rows: tuple[Fact, ...]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True, slots=True)
class CriticalEntry:
    """One result at or beyond a critical limit, with the limit and whose it is.

    Attributes:
        measurand: its id, for what a page hangs on it (acknowledging).
        line: `Potassium 2.4 mmol/L, critical low`.
        limit: `critical limit ≤ 2.5 mmol/L (swlp (UK)) [4]`.
        doubts: sample doubts about it, in sentences; it stays critical.
    """

    measurand: str
    where: str
    line: str
    limit: str
    source_numbers: tuple[int, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CriticalBox:
    """The critical results, what to do by policy, and who acknowledged them."""

    entries: tuple[CriticalEntry, ...]
    policy: str
    acknowledged: tuple[str, ...]
    kind: Literal["critical"] = "critical"


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One result as it is printed.

    Attributes:
        where: its place in what was sent (`results[2]`); unique, also when one test came twice.
        name: ends `(calculated)` for a derived quantity.
        as_named: what the laboratory called it, where that differs from `name`.
        value: as sent, comparator included (`< 50`, `2.90`); empty when there was none. unit: as
            sent.
        value_and_unit: both with a no-break space.
        second: value in the other unit system, muted; empty when there is none.
        flag: the words of the standing. grade: severity band or decision region in words.
        strong: whether value and flag are bold (abnormal, and not doubted).
        at_the_limit: the sentence, when rounding or uncertainty decides.
        doubts: sentences. why_unknown: reason for `Not classified`.
        interval: `0.70–1.00`, `≤ 5.0`, with its unit only where that differs from the value's.
        interval_whose: the laboratory's own, or which of ours.
        line: number line, or None where there is no interval.
        previous, change: empty without an earlier result.
        marks: numbers of the table's footnotes.
        notes: further remarks in sentences (the laboratory's among them).
    """

    measurand: str
    where: str
    name: str
    value: str
    unit: str
    value_and_unit: str
    standing: Standing
    symbol: Symbol
    flag: str
    as_named: str = ""
    second: str = ""
    grade: str = ""
    strong: bool = False
    critical: bool = False
    derived: bool = False
    at_the_limit: str = ""
    doubtful: bool = False
    doubts: tuple[str, ...] = ()
    why_unknown: str = ""
    result_status: str = ""
    interval: str = ""
    interval_whose: str = ""
    interval_numbers: tuple[int, ...] = ()
    line: Geometry | None = None
    previous: str = ""
    previous_at: str = ""
    change: str = ""
    marks: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def unsaid_reason(self) -> str:
        """Why it is not classified, where the column of intervals does not say so already."""
        said_there = self.why_unknown.rstrip(".").casefold() == self.interval_whose.casefold()
        return "" if said_there else self.why_unknown


@dataclass(frozen=True, slots=True)
class ResultGroup:
    """Rows under one heading: critical, electrolytes, minerals, vitamins, supporting."""

    id: str
    title: str
    rows: tuple[ResultRow, ...]


@dataclass(frozen=True, slots=True)
class ResultTable:
    """The results; without any earlier result `history` is false and `no_history` says so."""

    groups: tuple[ResultGroup, ...]
    history: bool
    footnotes: tuple[str, ...]
    no_history: str = ""
    legend: str = ""
    kind: Literal["results"] = "results"

    @property
    def rows(self) -> tuple[ResultRow, ...]:
        """All rows in the printed order."""
        return tuple(row for group in self.groups for row in group.rows)


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A cited source; `url` None where there is no address."""

    number: int
    id: str
    title: str
    year: int | None
    url: str | None
    publisher: str = ""
    access: str = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """The numbered sources; `note` says which are left out, if any are."""

    entries: tuple[SourceEntry, ...]
    note: str = ""
    kind: Literal["sources"] = "sources"


Block = (
    Paragraph
    | Bullets
    | Facts
    | CriticalBox
    | ResultTable
    | Findings
    | VerdictBlock
    | Steps
    | Causes
    | UndecidedList
    | Sources
)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its blocks; an empty title means: no heading is printed.

    Attributes:
        id: stable (`identity`, `red_flags`, `critical`, `results`, …); usable as an HTML id.
        tone: `critical` and `notice` are boxed.
    """

    id: str
    title: str
    blocks: tuple[Block, ...]
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class View:
    """The whole report in order, before it is drawn.

    Attributes:
        title: `Interpretation of laboratory results`, with CORRECTED where it is one.
        status_line: status, number, version, issued.
        running: name and identifier, on every page.
        footer: knowledge, engine, verification code; on every page and in the last section.
        verification: a code over everything the report says.
    """

    title: str
    status: str
    status_line: str
    number: str
    version: int
    file_name: str
    language: str
    page_size: str
    demo: bool
    superseded: bool
    urgency: Urgency
    urgency_words: str
    verdict: Verdict
    running: str
    footer: str
    verification: str
    sections: tuple[Section, ...]

    def section(self, name: str) -> Section | None:
        """The section of this id, if the report has it."""
        return next((section for section in self.sections if section.id == name), None)


def text_of(line: Line) -> str:
    """A line without its emphasis."""
    return "".join(span.text for span in line)


def said(*parts: str | Span) -> Line:
    """A line of texts and spans; empty texts fall away."""
    spans = (Span(part) if isinstance(part, str) else part for part in parts)
    return tuple(span for span in spans if span.text)


def sentences(*parts: str) -> str:
    """The parts that say something, in one paragraph."""
    return " ".join(part.strip() for part in parts if part and part.strip())


def numbers_in(rows: Iterable[int]) -> str:
    """Source numbers as printed: `[2, 5]`; empty for none."""
    listed = ", ".join(str(number) for number in rows)
    return f"[{listed}]" if listed else ""
