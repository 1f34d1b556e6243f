"""A report from an order: same order, same bytes; a failure leaves no half document."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.errors import ReportFailure
from labinterp.model.report import Report, ReportOrder
from labinterp.reporting import style
from labinterp.reporting.edition import BRIEF, BRIEFEST, FULL, Edition, printed
from labinterp.reporting.paper import Paper
from labinterp.reporting.pdf import story
from labinterp.reporting.text import summary
from labinterp.reporting.view import build

if TYPE_CHECKING:
    from labinterp.reporting.blocks import View

GOAL: Final = 2
"""A report should not be longer [pages]."""
_SHORTER: Final = ((FULL, True), (BRIEF, False), (BRIEF, True), (BRIEFEST, True))
_WORTH_A_PAGE: Final = 0.25
"""A last page that is filled less is drawn together with the one before, if it can be."""


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
    nearly_empty: bool
    """Whether the last page holds less than is worth a page."""


def pdf_of(view: View, order: ReportOrder) -> tuple[bytes, int]:
    """The bytes and the number of pages: as full as two pages allow, else the shortest."""
    best = _drawn(view, order, FULL, tight=False)
    for edition, tight in _SHORTER:
        if best.pages <= GOAL and not best.nearly_empty:
            break
        shorter = _drawn(view, order, edition, tight=tight)
        if shorter.pages < best.pages:
            best = shorter
    return best.pdf, best.pages


def _drawn(view: View, order: ReportOrder, edition: Edition, *, tight: bool) -> _Drawn:
    out = io.BytesIO()
    look = style.styles(tight=tight)
    paper = Paper(out, view, order.issued_at)
    paper.draw(story(printed(view, edition), look, paper.width))
    nearly_empty = paper.pages > 1 and paper.used < _WORTH_A_PAGE * paper.height
    return _Drawn(out.getvalue(), paper.pages, nearly_empty)
