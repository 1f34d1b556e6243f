"""The printed editions of a view: the same report, as full as two pages allow.

Nothing clinical is left out. A statement cites its first sources, the list holds the sources that
are cited, and what the rarer causes look like is left to the record. The brief edition also tells
in fewer lines what the full one tells in boxes.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING, Final

from labinterp.reporting import abbreviations, words
from labinterp.reporting.blocks import (
    Block,
    Bullets,
    Fact,
    Facts,
    Paragraph,
    ResultRow,
    ResultTable,
    Section,
    Sources,
    Span,
    View,
    said,
    sentences,
    text_of,
)
from labinterp.reporting.conclusion_blocks import (
    CauseEntry,
    Causes,
    FindingEntry,
    Findings,
    Steps,
    UndecidedList,
    VerdictBlock,
)
from labinterp.reporting.plain import section_text
from labinterp.reporting.urgent import told_together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.reporting.blocks import Line

_COMMON: Final = ("very common", "common")
_SPECIMEN: Final = re.compile(
    r" \(.*?\)| / [\w ]+?(?= or |$)|, (?:serum or plasma|plasma|blood|intact|inorganic|total)"
)
"""What a measurand's name adds that a reader can do without here."""
_NUMBERS: Final = ("source_numbers", "interval_numbers")
LEFT_OUT: Final = "A statement cites at most {count} of its sources here; the record has {total}."


@dataclass(frozen=True, slots=True)
class Edition:
    """How much of a view is printed.

    Attributes:
        cited: sources cited with a leading finding. cited_briefly: with any other statement.
        causes: commoner causes told in words; the others are named.
        settled: open questions told; in brief the rest is counted.
        brief: whether boxes, remarks and steps are told in fewer lines.
        drawn: whether the causal paths are drawn; in brief the picture stands for their sentences.
    """

    cited: int
    cited_briefly: int
    causes: int
    settled: int
    brief: bool
    drawn: bool = True


FULL: Final = Edition(cited=3, cited_briefly=2, causes=5, settled=99, brief=False)
BRIEF: Final = Edition(cited=2, cited_briefly=1, causes=2, settled=7, brief=True)
CITED_ONCE: Final = replace(BRIEF, cited=1)
PICTURED: Final = replace(BRIEF, cited=1, causes=1, settled=3)
UNDRAWN: Final = replace(BRIEF, drawn=False)
BRIEFEST: Final = replace(PICTURED, drawn=False)


def printed(view: View, edition: Edition = FULL) -> View:
    """The view as this edition prints it."""
    sections = told_together(view.sections) if edition.brief else view.sections
    short = tuple(
        replace(section, blocks=tuple(shortened(block, edition) for block in section.blocks))
        for section in sections
    )
    short = _explained(short)
    if edition.brief:
        short = tuple(map(_in_brief, short))
    cited = set(_cited(short))
    return replace(view, sections=tuple(_with_cited(section, cited, edition) for section in short))


def _explained(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """At the end, what the abbreviations stand for that this edition prints."""
    *told, last = sections
    used = abbreviations.used_in("\n".join(map(section_text, told)))
    if not used:
        return sections
    meanings = "; ".join(f"{short}, {meaning}" for short, meaning in used.items())
    note = Paragraph(said(f"Abbreviations: {meanings}."), "note")
    return (*told, replace(last, blocks=(note, *last.blocks)))


@singledispatch
def shortened(block: Block, _edition: Edition) -> Block:
    """A block as it is printed; most are printed as they are."""
    return block


@shortened.register(Facts)
def _facts(block: Facts, edition: Edition) -> Facts:
    """What is missing is said together, in one line; in brief the wide facts share lines."""
    missing: dict[str, list[str]] = {}
    for row in block.rows:
        if row.missing:
            missing.setdefault(row.value, []).append(row.label)
    told = "; ".join(f"{value}: {', '.join(labels)}" for value, labels in missing.items())
    last = (Fact("", words.capital(told), wide=True),) if told else ()
    rows = (*(row for row in block.rows if not row.missing), *last)
    return Facts(_wide_together(rows) if edition.brief else rows)


def _wide_together(rows: tuple[Fact, ...]) -> tuple[Fact, ...]:
    wide = [row for row in rows if row.wide]
    if not wide[1:]:
        return rows
    first, *others = wide
    rest = (words.ended(f"{row.label}: {row.value}" if row.label else row.value) for row in others)
    joined = replace(first, value=sentences(words.ended(first.value), *rest))
    return (*(row for row in rows if not row.wide), joined)


@shortened.register(ResultTable)
def _results(block: ResultTable, edition: Edition) -> ResultTable:
    """In brief, the owner that most intervals share is named once, below the table."""
    owners = Counter(
        row.interval_whose for row in block.rows if row.interval and row.interval_numbers
    )
    shared = owners.most_common(1)[0][0] if edition.brief and owners else ""
    groups = tuple(
        replace(group, rows=tuple(_row(row, edition, shared) for row in group.rows))
        for group in block.groups
    )
    note = f"Intervals marked “cited”: {shared.removeprefix('cited: ')}." if shared else ""
    if not edition.brief:
        return replace(block, groups=groups)
    legend = sentences(note, block.legend, block.no_history)
    return replace(block, groups=groups, legend=legend, no_history="")


def _row(row: ResultRow, edition: Edition, shared: str) -> ResultRow:
    return replace(
        row,
        interval_numbers=row.interval_numbers[: edition.cited_briefly],
        interval_whose=_whose(row.interval_whose, shared),
        as_named="" if _says_the_same(row.as_named, row.name) else row.as_named,
    )


def _whose(whose: str, shared: str) -> str:
    """The shared owner as one word, with what else is said of this row."""
    return f"cited{whose.removeprefix(shared)}" if shared and whose.startswith(shared) else whose


def _says_the_same(sent: str, printed_name: str) -> bool:
    """Whether the laboratory's name of a test is contained in ours."""
    theirs, ours = (set(re.findall(r"\w+", name.casefold())) for name in (sent, printed_name))
    return theirs <= ours


@shortened.register(Findings)
def _findings(block: Findings, edition: Edition) -> Findings:
    return replace(
        block,
        leading=tuple(_entry(item, edition, edition.cited) for item in block.leading),
        also=tuple(_entry(item, edition, edition.cited_briefly) for item in block.also),
    )


def _entry(item: FindingEntry, edition: Edition, count: int) -> FindingEntry:
    remarks = item.brief_remarks if edition.brief else item.remarks
    return replace(item, source_numbers=item.source_numbers[:count], remarks=remarks)


@shortened.register(VerdictBlock)
def _verdict(block: VerdictBlock, edition: Edition) -> VerdictBlock:
    """The paths with shared steps told once; all of them where steps are not known apart.

    In brief the picture stands for them, with their sources below it.
    """
    paths = tuple(
        replace(path, source_numbers=path.source_numbers[: edition.cited])
        for path in block.told or block.paths
    )
    if not (edition.drawn and edition.brief and block.drawn):
        return replace(block, paths=paths, told=(), drawn=block.drawn if edition.drawn else ())
    cited = {number for path in paths for number in path.source_numbers}
    return replace(block, paths=(), told=(), source_numbers=tuple(sorted(cited)))


@shortened.register(Steps)
def _steps(block: Steps, edition: Edition) -> Steps:
    """In brief, only the most urgent steps keep their details."""
    return Steps(
        tuple(
            replace(
                group,
                steps=tuple(
                    replace(
                        step,
                        source_numbers=step.source_numbers[: edition.cited_briefly],
                        detail="" if edition.brief and place else step.detail,
                    )
                    for step in group.steps
                ),
            )
            for place, group in enumerate(block.groups)
        )
    )


@shortened.register(Causes)
def _causes(block: Causes, edition: Edition) -> Causes:
    """The commonest, and those that something recorded points to, in words; others by name."""
    common = () if edition.brief else _COMMON
    told = [cause for cause in block.entries if cause.suggested_by or cause.frequency in common]
    kept = tuple(told[: edition.causes])
    others = [cause for cause in block.entries if cause not in kept]
    shown = [item for item in others if item.frequency in _COMMON] if edition.brief else others
    named = (_named(frequency, group) for frequency, group in _by_frequency(shown))
    left = _further([cause for cause in others if cause not in shown])
    brief = tuple(replace(cause, source_numbers=cause.source_numbers[:1]) for cause in kept)
    return Causes(brief, (*named, *left))


def _by_frequency(causes: list[CauseEntry]) -> Iterator[tuple[str, list[CauseEntry]]]:
    """Each frequency once, in the order first met: the causes themselves stand by relevance."""
    for frequency in dict.fromkeys(cause.frequency for cause in causes):
        yield frequency, [cause for cause in causes if cause.frequency == frequency]


def _further(causes: list[CauseEntry]) -> tuple[str, ...]:
    """How many causes are named in the record alone."""
    count = len(causes)
    told = words.plural(count, "less common cause", "less common causes")
    return (f"{told} in the record",) if count else ()


def _named(frequency: str, causes: list[CauseEntry]) -> str:
    """`Common: caffeine; eye strain`."""
    return f"{words.capital(frequency)}: {'; '.join(cause.label for cause in causes)}"


@shortened.register(Paragraph)
def _paragraph(block: Paragraph, edition: Edition) -> Paragraph:
    return Paragraph(block.brief, block.role) if edition.brief and block.brief else block


@shortened.register(UndecidedList)
def _undecided(block: UndecidedList, edition: Edition) -> UndecidedList:
    """In brief, what would settle most, by names without brackets; the rest is counted."""
    if not edition.brief:
        return block
    together = tuple(
        (words.capital(_SPECIMEN.sub("", missing)), tuple(map(_bare, titles)))
        for missing, titles in block.together[: edition.settled]
    )
    left = sum(len(titles) for _, titles in block.together[edition.settled :])
    return replace(block, together=together, left_out=left)


def _bare(title: str) -> str:
    """A title without what it adds in brackets or after a dash."""
    return re.split(r" \(| - ", title)[0]


def _in_brief(section: Section) -> Section:
    """What a section's place decides: the end, and remarks on what arrived, as running text."""
    if section.id == "about":
        lines = (_line_of(block) for block in section.blocks)
        told = tuple(span for line in lines for span in (*line, Span(" ")))
        return replace(section, blocks=(Paragraph(told, "note"),))
    if section.id == "completeness":
        return replace(section, blocks=tuple(map(_joined, section.blocks)))
    return section


def _line_of(block: Block) -> Line:
    if isinstance(block, Facts):
        return _in_line(block)
    return block.line if isinstance(block, Paragraph) else ()


def _joined(block: Block) -> Block:
    """A list as running text."""
    if not isinstance(block, Bullets):
        return block
    return Paragraph(said(" ".join(map(text_of, block.items))), "note")


def _in_line(block: Facts) -> Line:
    spans: list[Span] = []
    for row in block.rows:
        spans += [Span(f"{row.label}: ", "strong"), Span(f"{row.value.rstrip('.')}. ")]
    return tuple(spans)


def _cited(value: object) -> Iterator[int]:
    """Every source number in these blocks."""
    if isinstance(value, tuple):
        for item in value:
            yield from _cited(item)
    elif is_dataclass(value) and not isinstance(value, Sources):
        for field in fields(value):
            content = getattr(value, field.name)
            yield from content if field.name in _NUMBERS else _cited(content)
    elif isinstance(value, str):
        yield from _in_brackets(value)


def _in_brackets(text: str) -> Iterator[int]:
    """The source numbers that a sentence already cites: `[2, 5]`."""
    for group in re.findall(r"\[(\d+(?:, \d+)*)\]", text):
        yield from map(int, group.split(", "))


def _with_cited(section: Section, cited: set[int], edition: Edition) -> Section:
    blocks = tuple(
        _only(block, cited, edition) if isinstance(block, Sources) else block
        for block in section.blocks
    )
    return replace(section, blocks=blocks)


def _only(block: Sources, cited: set[int], edition: Edition) -> Sources:
    """The cited ones; in brief by title, year and address."""
    kept = tuple(entry for entry in block.entries if entry.number in cited)
    if edition.brief:
        kept = tuple(replace(entry, publisher="") for entry in kept)
    total = len(block.entries)
    note = LEFT_OUT.format(count=edition.cited, total=total) if len(kept) < total else ""
    return Sources(kept, note)
