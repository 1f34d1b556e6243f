"""The report as plain text: a summary that pastes cleanly into a record, and all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.reporting import record_text
from labinterp.reporting.plain import section_text
from labinterp.reporting.record_text import SUPERSEDED, TEST_DATA
from labinterp.reporting.view import as_view

if TYPE_CHECKING:
    from labinterp.model.report import ReportOrder
    from labinterp.reporting.blocks import View


def summary(report: View | ReportOrder) -> str:
    """At most 25 lines that paste cleanly into a record."""
    return record_text.summary(as_view(report))


def _marks(view: View) -> tuple[str, ...]:
    """What must be read before anything else."""
    marks = ((TEST_DATA, view.demo), (SUPERSEDED, view.superseded))
    return tuple(mark for mark, holds in marks if holds)


def long_text(report: View | ReportOrder) -> str:
    """The whole report as text, for a terminal."""
    view = as_view(report)
    head = "\n".join((*_marks(view), view.title, view.status_line))
    body = (section_text(section) for section in view.sections)
    return "\n\n".join((head, *body, "End of report")) + "\n"
