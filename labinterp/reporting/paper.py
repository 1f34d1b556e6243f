"""The page around the content: running lines, page numbers, marks across it, properties."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from labinterp.reporting import fonts, palette, scripts, style
from labinterp.reporting.archive import Properties
from labinterp.reporting.glyphs import drawable
from labinterp.reporting.structure import structured
from labinterp.reporting.tagging import Element, furniture

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from labinterp.reporting.blocks import View

TEST_DATA: Final = "TEST DATA, NOT A PATIENT"
RUNNING: Final = 7.4
"""Size of the running lines [pt]."""
SUPERSEDED: Final = "SUPERSEDED"
TEST_MARK: Final = "TEST DATA"
_MARK_ALPHA: Final = 0.12


def properties(view: View, issued_at: datetime) -> Properties:
    """What the file says of itself; nothing of the patient is in it."""
    return Properties(
        title=f"{view.title} {view.number}".strip(),
        author="labinterp",
        subject=f"Report {view.number} version {view.version}",
        language=view.language,
        made_at=issued_at,
    )


class Pages(Canvas):  # type: ignore[misc]
    """A canvas that writes the running lines last, when it knows how many pages there are.

    Attributes:
        marks: how many stretches of each page are marked.
    """

    def __init__(self, *arguments: Any, issued_at: datetime, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._kept: list[dict[str, Any]] = []
        self.marks: Counter[int] = Counter()
        self.furnish: Callable[[Any, int, int], None] = lambda _canvas, _page, _pages: None
        document = self._doc
        document._timeStamp = stamp(issued_at)  # noqa: SLF001 - there is no public way
        document.signature = hashlib.md5(issued_at.isoformat().encode(), usedforsecurity=False)

    def showPage(self) -> None:  # noqa: N802 - ReportLab's name
        """Keep the page until all are known."""
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Nothing yet: of several layouts of one report only the chosen one is written."""

    def write(self) -> None:
        """Finish every page with its running lines, then the document."""
        for page, kept in enumerate(self._kept, start=1):
            self.__dict__.update(kept)
            with furniture(self):
                self.furnish(self, page, len(self._kept))
            super().showPage()
        super().save()


class Paper(BaseDocTemplate):  # type: ignore[misc]
    """One report on its paper; once drawn it knows how many pages there are, how full the last is.

    Attributes:
        above_and_below: the margins there [pt]; a kind of paper has its own.
        pages: how many there are.
        tree: what is on them.
        used: height used on the last page [pt].
        out: what it is written to.
    """

    above_and_below = style.MARGIN

    def __init__(self, out: io.BytesIO, view: View, issued_at: datetime) -> None:
        fonts.covered()
        said = properties(view, issued_at)
        size = style.PAGE_SIZES.get(view.page_size, style.PAGE_SIZES["A4"])
        super().__init__(
            out,
            pagesize=size,
            leftMargin=style.MARGIN,
            rightMargin=style.MARGIN,
            topMargin=self.above_and_below,
            bottomMargin=self.above_and_below,
            title=said.title,
            author=said.author,
            subject=said.subject,
            creator=said.author,
            lang=said.language,
            initialFontName=fonts.REGULAR,
            displayDocTitle=1,
            invariant=1,
            pageCompression=1,
        )
        frame = Frame(
            self.leftMargin,
            self.bottomMargin,
            self.width,
            self.height,
            leftPadding=0,
            rightPadding=0,
            topPadding=0,
            bottomPadding=0,
        )
        self.addPageTemplates([PageTemplate("report", [frame], onPage=self._open)])
        self.view, self.issued_at = view, issued_at
        self.pages, self.used, self.out = 0, 0.0, out
        self.tree = Element("Document")

    def draw(self, story: list[Flowable]) -> None:
        """Build the document with page numbers and marked content."""
        self.tree = structured(story)
        self.build(story, canvasmaker=self._canvas)

    def written(self) -> bytes:
        """The finished bytes of what was drawn."""
        self.pages_drawn.write()
        return self.out.getvalue()

    def _canvas(self, *arguments: Any, **more: Any) -> Pages:
        self.pages_drawn = Pages(*arguments, issued_at=self.issued_at, **more)
        return self.pages_drawn

    def _open(self, canvas: Any, _document: Any) -> None:
        """Each page is furnished once all are known."""
        canvas.furnish = self._furnish

    def afterPage(self) -> None:  # noqa: N802 - ReportLab's name
        """Remember how far the last page went."""
        self.pages = self.page
        self.used = self.height - (self.frame._y - self.frame._y1p)  # noqa: SLF001 - not public

    def _furnish(self, canvas: Any, page: int, pages: int) -> None:
        """Who, which report, which page: on every page."""
        top = self.pagesize[1] - style.RUNNING_LINE
        bottom = style.RUNNING_LINE - 6
        left, right = self.leftMargin, self.pagesize[0] - self.rightMargin
        canvas.setStrokeColor(HexColor(palette.RULE))
        canvas.setLineWidth(0.5)
        canvas.line(left, top - 5, right, top - 5)
        canvas.line(left, bottom + 9, right, bottom + 9)
        report = f"{self.view.number} v{self.view.version}"
        self._ends(canvas, top - 1, self.view.running, report, fonts.BOLD)
        self._ends(canvas, bottom, self.view.footer, f"Page {page} of {pages}", fonts.REGULAR)
        mark = SUPERSEDED if self.view.superseded else TEST_MARK if self.view.demo else ""
        if mark:
            draw_across(canvas, mark, self.pagesize)
        if self.view.demo:
            _centred(canvas, (left + right) / 2, bottom - 9, TEST_DATA)

    def _ends(self, canvas: Any, y: float, left: str, right: str, face: str) -> None:
        """One text at the left margin (a second line goes above it), one at the right."""
        told = drawable(right)
        room = self.width - fonts.width(told, RUNNING) - 12
        canvas.setFillColor(HexColor(palette.INK))
        lines = in_two_lines(drawable(left), room, face)
        for line, shown in enumerate(reversed(lines)):
            place = (self.leftMargin, y + line * (RUNNING + 1.2))
            scripts.draw(canvas, place, shown, RUNNING, face)
        canvas.setFont(fonts.REGULAR, RUNNING)
        canvas.drawRightString(self.pagesize[0] - self.rightMargin, y, told)


def in_two_lines(text: str, room: float, face: str) -> tuple[str, ...]:
    """A text in at most two lines of so much room [pt]; what does not fit is cut visibly."""
    lines = simpleSplit(text, face, RUNNING, room) if scripts.is_plain(text) else [text]
    return tuple(shortened(line, room, face) for line in (*lines[:1], " ".join(lines[1:])) if line)


def shortened(text: str, room: float, face: str) -> str:
    """A text cut to the room [pt], the cut shown by an ellipsis."""
    if scripts.width(text, RUNNING, face) <= room:
        return text
    kept = text
    while kept and scripts.width(f"{kept}…", RUNNING, face) > room:
        kept = kept[:-1]
    return f"{kept}…"


def _centred(canvas: Any, x: float, y: float, text: str) -> None:
    canvas.setFont(fonts.BOLD, RUNNING)
    canvas.setFillColor(HexColor(palette.CRITICAL))
    canvas.drawCentredString(x, y, text)


def draw_across(canvas: Any, mark: str, pagesize: tuple[float, float]) -> None:
    """A mark across the whole page, so pale that everything under it can be read."""
    canvas.saveState()
    canvas.setFillColor(HexColor(palette.INK))
    canvas.setFillAlpha(_MARK_ALPHA)
    canvas.setFont(fonts.BOLD, 76)
    canvas.translate(pagesize[0] / 2, pagesize[1] / 2)
    canvas.rotate(55)
    canvas.drawCentredString(0, -26, mark)
    canvas.restoreState()


def stamp(moment: datetime) -> SimpleNamespace:
    """The document's date in the shape ReportLab keeps: the moment of issue, never the clock."""
    at = moment.astimezone(UTC)
    parts = (at.year, at.month, at.day, at.hour, at.minute, at.second)
    return SimpleNamespace(
        t=at.timestamp(), lt=at.timetuple(), YMDhms=parts, dhh=0, dmm=0, tzname="UTC"
    )
