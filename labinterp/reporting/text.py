"""The report as plain text: a summary that pastes cleanly into a record, and all of it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from labinterp.reporting import words
from labinterp.reporting.blocks import Block, ResultRow, ResultTable, View
from labinterp.reporting.conclusion_blocks import Findings, Steps, VerdictBlock
from labinterp.reporting.plain import block_lines, row_brief, section_text
from labinterp.reporting.view import as_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.model.report import ReportOrder
    from labinterp.reporting.blocks import Block, ResultRow, View

TEST_DATA: Final = "TEST DATA, NOT A PATIENT"
SUPERSEDED: Final = "SUPERSEDED: replaced by a newer version"
SUMMARY_LINES: Final = 25
"""Most lines of a summary."""
_SUMMARY_WIDTH: Final = 110
_ROWS: Final = 10
_STEPS: Final = 4


def summary(report: View | ReportOrder) -> str:
    """At most 25 lines: who, how urgent, the results that matter, what they mean, what next."""
    view = as_view(report)
    head = (*_marks(view), view.title, view.status_line, view.running)
    lines = [*head, *_urgent_lines(view), *_result_lines(view), *_meaning_lines(view)]
    tail = _tail_lines(view)
    kept = [_short(line) for line in lines if line][: SUMMARY_LINES - len(tail)]
    return "\n".join((*kept, *tail)) + "\n"


def _marks(view: View) -> tuple[str, ...]:
    """What must be read before anything else."""
    marks = ((TEST_DATA, view.demo), (SUPERSEDED, view.superseded))
    return tuple(mark for mark, holds in marks if holds)


def _short(line: str) -> str:
    return textwrap.shorten(line.replace(words.NBSP, " "), _SUMMARY_WIDTH, placeholder=" …")


def _urgent_lines(view: View) -> Iterator[str]:
    if view.section("withdrawn"):
        yield from (line for block in _blocks(view, "withdrawn") for line in block_lines(block))
        return
    yield f"URGENCY: {view.urgency_words}"
    for block in _blocks(view, "red_flags"):
        if isinstance(block, Findings):
            yield from (f"Red flag: {item.title}" for item in block.leading[:3])


def _result_lines(view: View) -> Iterator[str]:
    """Results outside their interval or unclassified in full, those within named together."""
    rows = [row for block in _blocks(view, "results") for row in _rows(block)]
    within = [f"{row.name} {row.value_and_unit}" for row in rows if row.standing == "within"]
    others = [row for row in rows if row.standing != "within"]
    yield from (row_brief(row) for row in others[:_ROWS])
    if len(others) > _ROWS:
        more = words.plural(len(others) - _ROWS, "further result", "further results")
        yield f"{more} in the report."
    if within:
        yield _named("Within interval: ", within)


def _named(start: str, names: list[str]) -> str:
    """As many names as one line holds, and how many more there are."""
    for count in range(len(names), 0, -1):
        more = f"; and {len(names) - count} more" if count < len(names) else ""
        line = f"{start}{'; '.join(names[:count])}{more}"
        if len(line) <= _SUMMARY_WIDTH:
            return line
    return f"{start}{words.plural(len(names), 'result', 'results')}"


def _rows(block: Block) -> tuple[ResultRow, ...]:
    return block.rows if isinstance(block, ResultTable) else ()


def _meaning_lines(view: View) -> Iterator[str]:
    for block in _blocks(view, "sample_doubts"):
        if isinstance(block, Findings):
            yield from (f"Sample: {item.title}" for item in block.leading[:2])
    for block in _blocks(view, "twitching"):
        if isinstance(block, VerdictBlock):
            yield f"Explains twitching: {block.headline}"
    for block in _blocks(view, "findings"):
        if isinstance(block, Findings):
            yield from (f"- {item.title} ({item.certainty_words})" for item in block.leading)
    yield from _step_lines(view)


def _step_lines(view: View) -> Iterator[str]:
    steps = [
        f"{group.title}: {step.text}"
        for block in _blocks(view, "next_steps")
        if isinstance(block, Steps)
        for group in block.groups
        for step in group.steps
    ]
    yield from steps[:_STEPS]
    if len(steps) > _STEPS:
        yield f"{words.plural(len(steps) - _STEPS, 'further step', 'further steps')} in the report."


def _tail_lines(view: View) -> tuple[str, ...]:
    return (
        "Interpretation support; it adds to the laboratory’s report and does not replace it.",
        f"{view.number} v{view.version} · {view.footer}",
    )


def _blocks(view: View, section: str) -> tuple[Block, ...]:
    found = view.section(section)
    return found.blocks if found else ()


def long_text(report: View | ReportOrder) -> str:
    """The whole report as text, for a terminal."""
    view = as_view(report)
    head = "\n".join((*_marks(view), view.title, view.status_line))
    body = (section_text(section) for section in view.sections)
    return "\n\n".join((head, *body, "End of report")) + "\n"
