"""The report of a panel whose results were all taken back: what was, and that nothing replaces it.

It has no results, no findings and no urgency, for there is nothing to be judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp.reporting import heading, words
from labinterp.reporting.blocks import Bullets, Paragraph, Section, said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labinterp.model.interpretation import Interpretation, InterpretedResult
    from labinterp.model.report import ReportOrder

_STATUS: Final = "cancelled"
_ERROR: Final = "entered-in-error"
AGAIN: Final = (
    "The laboratory has taken back every result of report {number}. Nothing replaces them: this "
    "version holds no result and no interpretation. Do not act on version {before} or on any "
    "earlier one."
)
AT_ONCE: Final = (
    "The laboratory cancelled every result that it sent. Nothing was interpreted and nothing "
    "replaces them: none of them counts as measured, or as within an interval."
)


def is_withdrawn(answer: Interpretation) -> bool:
    """Were all results taken back, so that nothing could be read?"""
    return answer.status == _STATUS and all(one.value is None for one in answer.results)


def title(order: ReportOrder) -> str:
    """The mark before the report's title."""
    return "WITHDRAWN" if order.version > 1 else "CANCELLED"


def section(order: ReportOrder) -> Section:
    """What was taken back."""
    text = AGAIN.format(number=order.number, before=order.version - 1)
    told = order.changes or tuple(_sentences(order.interpretation))
    blocks = (
        Paragraph(said(text if order.version > 1 else AT_ONCE)),
        Bullets(tuple(said(line) for line in dict.fromkeys(told))),
    )
    name = "Withdrawn report" if order.version > 1 else "Cancelled by the laboratory"
    return Section("withdrawn", name, blocks, "notice")


def sections(order: ReportOrder) -> tuple[Section, ...]:
    """All but the last section."""
    found = (heading.superseded(order), section(order), heading.identity(order))
    return tuple(one for one in found if one is not None)


def _sentences(answer: Interpretation) -> Iterator[str]:
    """Each result with its status, and the reason where one was given."""
    reasons = {one.where: one.message for one in answer.problems if one.code == "not-measured"}
    for result in answer.results:
        if result.reported is not None:
            yield _sentence(result, reasons.get(result.where, ""))


def _sentence(result: InterpretedResult, reason: str) -> str:
    status = (result.reported.status if result.reported else None) or _STATUS
    word = "entered in error" if status.casefold() == _ERROR else "cancelled"
    named = (result.reported.name if result.reported else None) or result.name or "unnamed test"
    told = f"{named}: {word}."
    note = result.reported.note if result.reported else None
    return " ".join(part for part in (told, reason and words.ended(reason), note) if part)
