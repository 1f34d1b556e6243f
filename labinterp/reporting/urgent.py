"""Red flags, urgency and critical results in one box, red flags first: for the brief edition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.reporting import words
from labinterp.reporting.blocks import (
    Bullets,
    CriticalBox,
    Line,
    Paragraph,
    Section,
    Span,
    numbers_in,
    said,
    sentences,
    text_of,
)
from labinterp.reporting.conclusion_blocks import FindingEntry, Findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.reporting.blocks import Block

_JOINED: Final = ("red_flags", "urgency", "critical")
_CITED: Final = 2


def told_together(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """The sections with what is urgent in one box, where the first of it stood."""
    urgent = [section for section in sections if section.id in _JOINED]
    if len(urgent) < len(_JOINED) - 1:
        return sections
    title = next(section.title for section in urgent if section.id == "urgency")
    blocks = tuple(block for section in urgent for block in section.blocks)
    box = Section("urgency", title, _in_one(blocks), "critical")
    first = urgent[0].id
    return tuple(
        box if section.id == first else section
        for section in sections
        if section.id == first or section.id not in _JOINED
    )


def _in_one(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """One list of flags, reasons and critical results; below it the policy and the verdict."""
    lines = tuple(line for block in blocks for line in _lines(block))
    below = " ".join(text for block in blocks for text in _below(block))
    return (Bullets(lines), Paragraph(said(below)))


def _lines(block: Block) -> Iterator[Line]:
    if isinstance(block, Findings):
        yield from map(_flag, block.leading)
    elif isinstance(block, Bullets) and block.items:
        yield said(Span("Because: ", "strong"), " ".join(map(text_of, block.items)))
    elif isinstance(block, CriticalBox):
        for item in block.entries:
            limit = words.ended(sentences(f"({item.limit})", numbers_in(item.source_numbers)))
            rest = sentences(limit, *item.doubts)
            yield said(Span(item.line, "critical"), f" {rest}")


def _flag(item: FindingEntry) -> Line:
    trace = sentences(f"Rule {item.rule}.", numbers_in(item.source_numbers[:_CITED]))
    return said(
        Span(f"Red flag: {item.title}. ", "critical"),
        sentences(item.text, item.action, *item.doubts, *item.remarks),
        Span(f" {trace}", "muted"),
    )


def _below(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield text_of(block.line)
    elif isinstance(block, CriticalBox):
        yield sentences(block.policy, *block.acknowledged)
