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
from labinterp.reporting.plain import section_text
from labinterp.reporting.text import summary
from labinterp.reporting.view import build

if TYPE_CHECKING:
    from labinterp.reporting.blocks import View
    from labinterp.reporting.sealing import Seal
    from labinterp.reporting.style import Setting
    from labinterp.reporting.tagging import Element

GOAL: Final = 2
"""A report should not be longer [pages]."""
LITTLE: Final = 1
"""Nor one that has little to say [pages]."""
_CHARACTERS: Final = 7200
"""No full page holds more [characters]."""
_EDITIONS: Final[tuple[tuple[Edition, Setting, float], ...]] = (
    (FULL, "normal", 1.0),
    (FULL, "tight", 0.9),
    (BRIEF, "normal", 0.8),
    (BRIEF, "tight", 0.0),
    (CITED_ONCE, "tight", 0.5),
    (PICTURED, "tight", 0.5),
    (UNDRAWN, "tight", 0.5),
    (BRIEFEST, "tight", 0.5),
    (PICTURED, "dense", 0.5),
    (BRIEFEST, "dense", 0.5),
)
"""Editions in the order they are tried, with the part of the full length that each takes about: one
that cannot reach the goal is not drawn; one is always tried, to save paper."""
_FULLER: Final = _EDITIONS[:3]
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
    """One edition as ReportLab laid it out.

    Attributes:
        paper: it is written when it is chosen.
    """

    paper: Paper

    @property
    def pdf(self) -> bytes:
        """Its bytes, with marked content and no structure tree."""
        return self.paper.written()

    @property
    def tree(self) -> Element:
        """The structure tree of that content."""
        return self.paper.tree

    @property
    def pages(self) -> int:
        """How many there are."""
        return self.paper.pages

    @property
    def last(self) -> float:
        """How far the last page is filled, as a part of it."""
        return self.paper.used / float(self.paper.height)

    def is_good(self, goal: int) -> bool:
        """Few pages, and the last of them worth its paper."""
        return self.pages == 1 or (self.pages <= goal and self.last >= _WORTH_A_PAGE)


def best_drawn(view: View, order: ReportOrder) -> Drawn:
    """The edition that is as full as two pages allow, else the shortest."""
    goal = LITTLE if _has_little_to_say(view, order) else GOAL
    length = sum(len(section_text(section)) for section in printed(view).sections) / _CHARACTERS
    hopeful = [each for each in _EDITIONS if length * each[2] <= goal] or _EDITIONS[-1:]
    tried: list[Drawn] = []
    for edition, setting, _ in hopeful:
        tried.append(_drawn(view, order, edition, setting))
        if tried[-1].is_good(goal):
            return tried[-1]
    return _fuller(min(tried, key=lambda drawn: drawn.pages), view, order)


def _has_little_to_say(view: View, order: ReportOrder) -> bool:
    """Nothing could be read, nothing stands any more, or nothing found asks for anything."""
    answer = order.interpretation
    found = (*answer.artefacts, *answer.patterns, *answer.mechanisms, *answer.twitching.red_flags)
    asks = bool(found) or answer.urgency != "none"
    return bool(view.section("nothing_readable") or view.section("withdrawn")) or not asks


def _fuller(best: Drawn, view: View, order: ReportOrder) -> Drawn:
    """As many pages used better, where there must be as many."""
    if best.pages == 1:
        return best
    for edition, setting, _ in _FULLER:
        other = _drawn(view, order, edition, setting)
        if other.pages <= best.pages and other.last >= _WORTH_A_PAGE:
            return other
    return best


def _drawn(view: View, order: ReportOrder, edition: Edition, setting: Setting) -> Drawn:
    paper = Paper(io.BytesIO(), view, order.issued_at)
    paper.draw(story(printed(view, edition), style.styles(setting), paper.width))
    return Drawn(paper)
