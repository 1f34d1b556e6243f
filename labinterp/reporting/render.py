"""A report from an order: same order, same bytes; a failure leaves no half document."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.errors import ReportFailure
from labinterp.model.report import Report, ReportOrder
from labinterp.reporting import style
from labinterp.reporting.archive import Attached, archived
from labinterp.reporting.edition import (
    BRIEF,
    BRIEFEST,
    CITED_ONCE,
    FULL,
    PICTURED,
    UNDRAWN,
    Edition,
    printed,
)
from labinterp.reporting.paper import Paper, properties
from labinterp.reporting.pdf import story
from labinterp.reporting.text import summary
from labinterp.reporting.view import build

if TYPE_CHECKING:
    from labinterp.reporting.blocks import View
    from labinterp.reporting.sealing import Seal
    from labinterp.reporting.tagging import Element

GOAL: Final = 2
"""A report should not be longer [pages]."""
LITTLE: Final = 1
"""Nor one that has nothing to interpret [pages]."""
_SHORTER: Final = (
    (FULL, True, 0.8),
    (BRIEF, False, 0.65),
    (BRIEF, True, 0.0),
    (CITED_ONCE, True, 0.5),
    (PICTURED, True, 0.5),
    (UNDRAWN, True, 0.5),
    (BRIEFEST, True, 0.5),
)
"""Editions in the order they are tried, with the least part of the full length each can take: one
that cannot reach the goal is not drawn; one is always tried, to save paper."""
_FULLER: Final = ((FULL, True), (BRIEF, False))
_WORTH_A_PAGE: Final = 0.25
"""A last page that is filled less is drawn together with the one before, if it can be."""


def draw(order: ReportOrder, attached: Attached | None = None, seal: Seal | None = None) -> Report:
    """The finished document with its summary.

    Args:
        order: what the report is drawn from.
        attached: the same answer for machines, kept inside the document.
        seal: who signs it; nobody if not given.

    Raises:
        ReportFailure: no identifier, or a character that cannot be printed.
    """
    if not order.identity.identifier:
        raise ReportFailure(
            "No report is made without a patient identifier; send one with its issuer.",
            code="no-identifier",
        )
    view = build(order)
    drawn = best_drawn(view, order)
    said = properties(view, order.issued_at)
    pdf = archived(drawn.pdf, drawn.tree, said, attached, to_be_signed=seal is not None)
    if seal is not None:
        from labinterp.reporting.signing import signed  # noqa: PLC0415 - heavy, and rarely wanted

        pdf = signed(pdf, seal, order.issued_at)
    return Report(
        pdf=pdf,
        summary=summary(view),
        digest=hashlib.sha256(pdf).hexdigest(),
        pages=drawn.pages,
        file_name=view.file_name,
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """One edition as ReportLab drew it.

    Attributes:
        pdf: its bytes, with marked content and no structure tree.
        tree: the structure tree of that content.
    """

    pdf: bytes
    tree: Element
    pages: int
    last: float
    """How far the last page is filled, as a part of it."""

    def is_good(self, goal: int) -> bool:
        """Few pages, and the last of them worth its paper."""
        return self.pages == 1 or (self.pages <= goal and self.last >= _WORTH_A_PAGE)


def best_drawn(view: View, order: ReportOrder) -> Drawn:
    """The edition that is as full as two pages allow, else the shortest."""
    goal = LITTLE if view.section("nothing_readable") or view.section("withdrawn") else GOAL
    first = best = _drawn(view, order, FULL, tight=False)
    length = first.pages - 1 + first.last
    for edition, tight, part in _SHORTER:
        if best.is_good(goal):
            break
        if length * part > goal:
            continue
        shorter = _drawn(view, order, edition, tight=tight)
        if shorter.pages < best.pages:
            best = shorter
    return best if best.is_good(goal) else _fuller(best, view, order)


def _fuller(best: Drawn, view: View, order: ReportOrder) -> Drawn:
    """As many pages used better, where the last of them would be all but empty."""
    if best.pages == 1 or best.last >= _WORTH_A_PAGE:
        return best
    for edition, tight in _FULLER:
        other = _drawn(view, order, edition, tight=tight)
        if other.pages <= best.pages and other.last >= _WORTH_A_PAGE:
            return other
    return best


def _drawn(view: View, order: ReportOrder, edition: Edition, *, tight: bool) -> Drawn:
    out = io.BytesIO()
    paper = Paper(out, view, order.issued_at)
    paper.draw(story(printed(view, edition), style.styles(tight=tight), paper.width))
    return Drawn(out.getvalue(), paper.tree, paper.pages, paper.used / paper.height)
