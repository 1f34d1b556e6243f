"""The printed edition of a view: the same report, shortened to what two pages hold.

Nothing clinical is left out: the rarer causes are named without their description, a statement
    cites its first
sources, and the list of sources holds those that are cited. The record and the page have all of it.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING, Final

from labinterp.reporting import words
from labinterp.reporting.blocks import (
    Block,
    Fact,
    Facts,
    ResultRow,
    ResultTable,
    Section,
    Sources,
    View,
)
from labinterp.reporting.conclusion_blocks import (
    CauseEntry,
    Causes,
    FindingEntry,
    Findings,
    Steps,
    VerdictBlock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_CITED: Final = 3
_CITED_BRIEFLY: Final = 2
"""Sources cited with a statement that leads, and with any other."""
_CAUSES: Final = 5
_COMMON: Final = ("very common", "common")
LEFT_OUT: Final = "A statement cites at most {count} of its sources here; the record has {total}."
_NUMBERS: Final = ("source_numbers", "interval_numbers")


def printed(view: View) -> View:
    """The view as it is printed."""
    sections = tuple(
        replace(section, blocks=tuple(shortened(block) for block in section.blocks))
        for section in view.sections
    )
    cited = set(_cited(sections))
    return replace(view, sections=tuple(_with_cited(section, cited) for section in sections))


@singledispatch
def shortened(block: Block) -> Block:
    """A block as it is printed; most are printed as they are."""
    return block


@shortened.register(Facts)
def _facts(block: Facts) -> Facts:
    """What is missing is said together, in one line."""
    missing: dict[str, list[str]] = {}
    for row in block.rows:
        if row.missing:
            missing.setdefault(row.value, []).append(row.label)
    told = "; ".join(f"{value}: {', '.join(labels)}" for value, labels in missing.items())
    last = (Fact("", words.capital(told), wide=True),) if told else ()
    return Facts((*(row for row in block.rows if not row.missing), *last))


@shortened.register(ResultTable)
def _results(block: ResultTable) -> ResultTable:
    groups = tuple(replace(group, rows=tuple(map(_row, group.rows))) for group in block.groups)
    return replace(block, groups=groups)


def _row(row: ResultRow) -> ResultRow:
    return replace(row, interval_numbers=row.interval_numbers[:_CITED_BRIEFLY])


@shortened.register(Findings)
def _findings(block: Findings) -> Findings:
    return replace(
        block,
        leading=tuple(_cites(item, _CITED) for item in block.leading),
        also=tuple(_cites(item, _CITED_BRIEFLY) for item in block.also),
    )


def _cites(item: FindingEntry, count: int) -> FindingEntry:
    return replace(item, source_numbers=item.source_numbers[:count])


@shortened.register(VerdictBlock)
def _verdict(block: VerdictBlock) -> VerdictBlock:
    """The paths with shared steps told once; all of them where steps are not known apart."""
    told = block.told or block.paths
    paths = tuple(replace(path, source_numbers=path.source_numbers[:_CITED]) for path in told)
    return replace(block, paths=paths, told=())


@shortened.register(Steps)
def _steps(block: Steps) -> Steps:
    groups = tuple(
        replace(
            group,
            steps=tuple(
                replace(step, source_numbers=step.source_numbers[:_CITED_BRIEFLY])
                for step in group.steps
            ),
        )
        for group in block.groups
    )
    return Steps(groups)


@shortened.register(Causes)
def _causes(block: Causes) -> Causes:
    """The commonest, and those that something recorded points to, in words; the others by name."""
    told = [cause for cause in block.entries if cause.suggested_by or cause.frequency in _COMMON]
    kept = tuple(told[:_CAUSES])
    named = tuple(_named(cause) for cause in block.entries if cause not in kept)
    brief = tuple(replace(cause, source_numbers=cause.source_numbers[:1]) for cause in kept)
    return Causes(brief, named)


def _named(cause: CauseEntry) -> str:
    return f"{cause.label} ({cause.frequency})"


def _cited(value: object) -> Iterator[int]:
    """Every source number in these blocks."""
    if isinstance(value, tuple):
        for item in value:
            yield from _cited(item)
    elif is_dataclass(value) and not isinstance(value, Sources):
        for field in fields(value):
            content = getattr(value, field.name)
            yield from content if field.name in _NUMBERS else _cited(content)


def _with_cited(section: Section, cited: set[int]) -> Section:
    blocks = tuple(
        _only(block, cited) if isinstance(block, Sources) else block for block in section.blocks
    )
    return replace(section, blocks=blocks)


def _only(block: Sources, cited: set[int]) -> Sources:
    kept = tuple(entry for entry in block.entries if entry.number in cited)
    total = len(block.entries)
    note = LEFT_OUT.format(count=_CITED, total=total) if len(kept) < total else ""
    return Sources(kept, note)
