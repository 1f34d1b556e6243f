"""What a report says and in which order; PDF, text and web page all render from this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.reporting import closing, conclusions, heading, withdrawn, words
from labinterp.reporting.blocks import ResultTable, Section, View
from labinterp.reporting.lookups import lookups
from labinterp.reporting.plain import section_text
from labinterp.reporting.result_rows import results

if TYPE_CHECKING:
    from labinterp.model.report import ReportOrder

TITLE: Final = "Interpretation of laboratory results"
LANGUAGE: Final = "en-GB"
"""The language the clinician's report is written in."""


def as_view(report: View | ReportOrder) -> View:
    """The view of an order; a view stays itself."""
    return report if isinstance(report, View) else build(report)


def build(order: ReportOrder) -> View:
    """Every section of one report, in reading order."""
    answer = order.interpretation
    said = _sections(order)
    code = closing.verification_code(order.number, order.version, _words_of(said))
    name, identifier = heading.name_of(order.identity), heading.identifier_of(order.identity)
    return View(
        title=_title(order),
        status=order.status,
        status_line=_status_line(order),
        number=order.number,
        version=order.version,
        file_name=file_name(order),
        language=LANGUAGE,
        page_size=order.page_size,
        demo=order.demo,
        superseded=order.status == "superseded",
        urgency=answer.urgency,
        urgency_words=words.URGENCY_WORDS[answer.urgency],
        verdict=answer.twitching.verdict,
        running=closing.running(order, name, identifier),
        footer=closing.footer(order, code),
        verification=code,
        sections=(*said, closing.about(order, code)),
    )


def _title(order: ReportOrder) -> str:
    if withdrawn.is_withdrawn(order.interpretation):
        return f"{withdrawn.title(order)}: {TITLE}"
    return f"CORRECTED: {TITLE}" if order.status == "corrected" else TITLE


def file_name(order: ReportOrder) -> str:
    """The file's name; nothing of the patient is in it."""
    return f"lab-summary-{order.number}-v{order.version}.pdf"


def _sections(order: ReportOrder) -> tuple[Section, ...]:
    """All but the last section, whose verification code is taken over these."""
    answer = order.interpretation
    if withdrawn.is_withdrawn(answer):
        return withdrawn.sections(order)
    look = lookups(answer)
    table = results(answer, look, order.panel)
    sections = (
        heading.superseded(order),
        heading.changes(order),
        heading.identity(order),
        conclusions.red_flags(answer, look),
        heading.urgency(answer),
        heading.critical(order, look),
        heading.nothing_readable(answer),
        heading.completeness(answer, _reasons(table)),
        table,
        conclusions.sample_doubts(answer, look),
        conclusions.twitching(answer, look),
        conclusions.findings(answer, look),
        conclusions.next_steps(answer, look),
        conclusions.other_causes(answer, look),
        conclusions.undecided(answer),
        closing.not_shown(answer),
        closing.sources(answer),
    )
    return tuple(section for section in sections if section is not None)


def _reasons(table: Section) -> dict[str, str]:
    """Why a row is not classified, by its place."""
    blocks = (block for block in table.blocks if isinstance(block, ResultTable))
    return {row.where: row.why_unknown for block in blocks for row in block.rows}


def _words_of(sections: tuple[Section, ...]) -> str:
    return "\n\n".join(section_text(section) for section in sections)


def _status_line(order: ReportOrder) -> str:
    status = words.STATUS_WORDS.get(order.status, order.status)
    if order.status == "cancelled" and withdrawn.is_withdrawn(order.interpretation):
        status = withdrawn.title(order).capitalize()
    report = f"Report {order.number} version {order.version}" if order.number else ""
    parts = (status, report, f"issued {words.moment(order.issued_at)}")
    return " · ".join(part for part in parts if part)
