"""A report from an order: same order, same bytes; a failure leaves no half document."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.errors import ReportFailure
from labinterp.model.report import Report, ReportOrder
from labinterp.reporting import style
from labinterp.reporting.edition import printed
from labinterp.reporting.paper import Paper
from labinterp.reporting.pdf import story
from labinterp.reporting.text import summary
from labinterp.reporting.view import build

if TYPE_CHECKING:
    from labinterp.reporting.blocks import View

GOAL: Final = 2
"""A report should not be longer [pages]."""
_FEWEST_LINES: Final = 4
"""A last page with fewer lines is drawn together."""


def draw(order: ReportOrder) -> Report:
    """The finished document with its summary.

    Raises:
        ReportFailure: no identifier, or a character that cannot be printed.
    """
    if not order.identity.identifier:
        raise ReportFailure(
            "No report is made without a patient identifier; send one with its issuer.",
            code="no-identifier",
        )
    view = build(order)
    pdf, pages = pdf_of(view, order)
    return Report(
        pdf=pdf,
        summary=summary(view),
        digest=hashlib.sha256(pdf).hexdigest(),
        pages=pages,
        file_name=view.file_name,
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    pdf: bytes
    pages: int
    used: float
    """Height used on the last page [pt]."""


def pdf_of(view: View, order: ReportOrder) -> tuple[bytes, int]:
    """The bytes and the number of pages; drawn tighter where that saves a page."""
    normal = _drawn(view, order, tight=False)
    nearly_empty = normal.used < _FEWEST_LINES * style.styles().body.leading
    if normal.pages > GOAL or (normal.pages > 1 and nearly_empty):
        tight = _drawn(view, order, tight=True)
        if tight.pages < normal.pages:
            return tight.pdf, tight.pages
    return normal.pdf, normal.pages


def _drawn(view: View, order: ReportOrder, *, tight: bool) -> _Drawn:
    out = io.BytesIO()
    paper = Paper(out, view, order.issued_at)
    paper.draw(story(printed(view), style.styles(tight=tight), paper.width))
    return _Drawn(out.getvalue(), paper.pages, paper.used)
