"""Each block as lines of plain text, for a terminal, a record and the verification code."""

from __future__ import annotations

import textwrap
from functools import singledispatch
from typing import TYPE_CHECKING, Final

from labinterp.reporting import words
from labinterp.reporting.blocks import (
    Block,
    Bullets,
    CriticalBox,
    Facts,
    Paragraph,
    ResultRow,
    ResultTable,
    Section,
    Sources,
    numbers_in,
    sentences,
    text_of,
)
from labinterp.reporting.conclusion_blocks import (
    Causes,
    FindingEntry,
    Findings,
    Steps,
    UndecidedList,
    VerdictBlock,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WIDTH: Final = 100
"""Longest line [characters]."""


def section_text(section: Section) -> str:
    """One section under its heading."""
    lines = [line for block in section.blocks for line in block_lines(block)]
    wrapped = [part for line in lines for part in _wrapped(line)]
    title = [section.title, "-" * len(section.title)] if section.title else []
    return "\n".join((*title, *wrapped)).replace(words.NBSP, " ")


def _wrapped(line: str) -> list[str]:
    """A long line broken at spaces, its continuation under its text."""
    bare = line.lstrip("- ")
    indent = " " * (len(line) - len(bare))
    return textwrap.wrap(
        line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [""]


@singledispatch
def block_lines(block: Block) -> Iterable[str]:
    """The lines of one block, unwrapped."""
    raise TypeError(f"no text form for {type(block).__name__}")


@block_lines.register(Paragraph)
def _paragraph(block: Paragraph) -> Iterable[str]:
    return (text_of(block.line),)


@block_lines.register(Bullets)
def _bullets(block: Bullets) -> Iterable[str]:
    return (f"- {text_of(item)}" for item in block.items)


@block_lines.register(Facts)
def _facts(block: Facts) -> Iterable[str]:
    return (f"{row.label}: {row.value}" for row in block.rows)


@block_lines.register(UndecidedList)
def _undecided(block: UndecidedList) -> Iterable[str]:
    return (
        f"- {missing or 'No single result'} would settle: {'; '.join(titles)}"
        for missing, titles in block.together
    )


@block_lines.register(CriticalBox)
def _critical(block: CriticalBox) -> Iterator[str]:
    for item in block.entries:
        numbers = numbers_in(item.source_numbers)
        yield f"- {sentences(item.line + ',', item.limit, numbers, *item.doubts)}"
    yield block.policy
    yield from block.acknowledged


def row_line(row: ResultRow) -> str:
    """`Potassium 2.9 mmol/L: Low (3.5–5.3; laboratory’s own)`."""
    return _row_line(row, row.interval_whose)


def row_brief(row: ResultRow) -> str:
    """The same with the owner of the interval in a word or two."""
    return _row_line(row, row.interval_whose.split(":")[0])


def _row_line(row: ResultRow, whose: str) -> str:
    doubt = ", doubtful" if row.doubtful else ""
    grade = f", {row.grade}" if row.grade else ""
    interval = f" ({row.interval}; {whose})" if row.interval else ""
    reason = f" {row.why_unknown}" if row.why_unknown else ""
    shown = f"{row.name} {row.value_and_unit}".rstrip()
    return f"{shown}: {row.flag}{grade}{doubt}{interval}{reason}"


@block_lines.register(ResultTable)
def _table(block: ResultTable) -> Iterator[str]:
    for group in block.groups:
        yield f"{group.title}:"
        for row in group.rows:
            yield f"  {row_line(row)}"
            yield from (f"    {remark}" for remark in _row_remarks(row))
    yield from (f"({place}) {note}" for place, note in enumerate(block.footnotes, start=1))
    if block.no_history:
        yield block.no_history


def _row_remarks(row: ResultRow) -> Iterator[str]:
    if row.second:
        yield f"= {row.second}"
    if row.as_named:
        yield f"sent as {row.as_named}"
    if row.result_status:
        yield f"result status {row.result_status}"
    if row.previous:
        yield sentences(f"previous {row.previous},", row.previous_at + ":", row.change)
    yield from (text for text in (row.at_the_limit, *row.doubts, *row.notes) if text)


@block_lines.register(Findings)
def _findings(block: Findings) -> Iterator[str]:
    for item in block.leading:
        yield from finding_lines(item)
    if block.also:
        yield "Also noted:"
        yield from (f"- {finding_brief(item)}" for item in block.also)
    if block.none:
        yield block.none


def finding_lines(item: FindingEntry) -> Iterator[str]:
    """A finding in full."""
    yield f"- {item.title} [{', '.join(finding_labels(item))}]"
    yield f"  {sentences(item.text, item.action, *item.doubts, *item.remarks)}"
    if item.explains:
        yield f"  Explains: {'; '.join(item.explains)}"
    yield f"  {finding_trace(item)}"


def finding_labels(item: FindingEntry) -> tuple[str, ...]:
    """Strength where it has one, certainty, urgency where there is one."""
    urgency = "" if item.urgency == "none" else f"urgency {item.urgency_words}"
    labels = (item.strength, f"certainty {item.certainty_words}", urgency)
    return tuple(label for label in labels if label)


def finding_trace(item: FindingEntry) -> str:
    """Where a finding comes from: inputs, rule, version, sources."""
    inputs = f"From {', '.join(item.inputs)}." if item.inputs else ""
    return sentences(inputs, f"Rule {item.rule}.", numbers_in(item.source_numbers))


def finding_brief(item: FindingEntry) -> str:
    """A finding in one line."""
    how = ", ".join(part for part in (item.strength, item.certainty_words) if part)
    return sentences(f"{item.title} ({how}; {item.rule})", numbers_in(item.source_numbers))


@block_lines.register(VerdictBlock)
def _verdict(block: VerdictBlock) -> Iterator[str]:
    yield sentences(f"{block.headline}.", block.text)
    for item in block.symptoms:
        by = f" ({'; '.join(item.mechanisms)})" if item.mechanisms else ""
        yield f"- {item.label}: {item.words}{by}"
    if block.paths:
        yield "Paths these results activate:"
        for path in block.paths:
            yield f"- {sentences(path.sentence, numbers_in(path.source_numbers))}"


@block_lines.register(Steps)
def _steps(block: Steps) -> Iterator[str]:
    for group in block.groups:
        yield f"{group.title}:"
        for step in group.steps:
            numbers = numbers_in(step.source_numbers)
            yield f"- {sentences(step.text.rstrip('.') + '.', step.detail, numbers)}"


@block_lines.register(Causes)
def _causes(block: Causes) -> Iterator[str]:
    for cause in block.entries:
        told = sentences(cause.typical, cause.clue, numbers_in(cause.source_numbers))
        hint = f" Recorded here: {', '.join(cause.suggested_by)}." if cause.suggested_by else ""
        yield f"- {cause.label} ({cause.frequency}): {told}{hint}"


@block_lines.register(Sources)
def _sources(block: Sources) -> Iterator[str]:
    for item in block.entries:
        told = source_line(item.title, item.publisher, item.year)
        yield f"{item.number}. {told} {item.url or ''}".rstrip()


def source_line(title: str, publisher: str, year: int | None) -> str:
    """Title, publisher and year of a source."""
    parts = (title, publisher, str(year) if year else "n.d.")
    return ". ".join(part.rstrip(".") for part in parts if part) + "."
