"""The patient page on paper: large type, words before numbers, nothing that needs colour."""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import CondPageBreak, Flowable, Spacer

from labinterp.model.report import Report
from labinterp.reporting import fonts, palette
from labinterp.reporting.archive import archived
from labinterp.reporting.blocks import View
from labinterp.reporting.flowables import Flag, Grid, NumberLine, Role, Text
from labinterp.reporting.glyphs import drawable, escape
from labinterp.reporting.palette import COLOUR_OF, SYMBOL_OF
from labinterp.reporting.paper import Paper, properties

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from labinterp.reporting.number_line import Geometry
    from labinterp.reporting.patient_page import Made, PatientPage, PatientRow, PatientSection

_SHARES: Final = (0.25, 0.2, 0.18, 0.18, 0.19)
_LINE_HEIGHT: Final = 16.0
_GAP: Final = 5.0
_KEPT_TOGETHER: Final = 70.0
"""A heading needs so much room below it, or it goes to the next page [pt]."""
_LARGEST: Final = 220.0
"""A section is not parted unless it is taller [pt]; its texts need `_LIST_SPACE` between them."""
_LIST_SPACE: Final = 24.0
_TALL: Final = 10_000.0
_BOXES: Final = {
    "critical": (palette.CRITICAL_GROUND, palette.CRITICAL),
    "notice": (palette.PALE, palette.MUTED),
}
_RUNNING: Final = 9.0


def draw(made: Made, released_at: datetime) -> Report:
    """The finished page; the same page gives the same bytes.

    Raises:
        ReportFailure: a character that cannot be printed.
    """
    page = made.page
    paper = _PatientPaper(io.BytesIO(), page, released_at)
    paper.draw(list(_story(made, paper.width)))
    view = _as_view(page)
    pdf = archived(paper.written(), paper.tree, properties(view, released_at))
    return Report(
        pdf=pdf,
        summary="",
        digest=hashlib.sha256(pdf).hexdigest(),
        pages=paper.pages,
        file_name=f"patient-page-{page.number}-v{page.version}-{page.language}.pdf",
    )


class _PatientPaper(Paper):
    """The report's paper with the patient's running lines: no patient number, no code."""

    def __init__(self, out: io.BytesIO, page: PatientPage, released_at: datetime) -> None:
        super().__init__(out, _as_view(page), released_at)
        self.patient_page = page

    def _furnish(self, canvas: Any, page: int, pages: int) -> None:
        """The page number in words, and the mark of test data."""
        told = self.patient_page.paging.replace("{page}", str(page)).replace("{pages}", str(pages))
        shown = drawable(told, fonts.covered())
        canvas.setFont(fonts.REGULAR, _RUNNING)
        canvas.setFillColor(HexColor(palette.MUTED))
        y = self.bottomMargin - 16
        canvas.drawRightString(self.pagesize[0] - self.rightMargin, y, shown)
        if self.patient_page.mark:
            canvas.setFont(fonts.BOLD, _RUNNING)
            canvas.setFillColor(HexColor(palette.CRITICAL))
            canvas.drawString(self.leftMargin, y, drawable(self.patient_page.mark, fonts.covered()))


def _as_view(page: PatientPage) -> View:
    """What the paper needs to know of a document."""
    return View(
        title=page.title,
        status="final",
        status_line="",
        number=page.number,
        version=page.version,
        file_name="",
        language=page.language,
        page_size=page.page_size,
        demo=bool(page.mark),
        superseded=False,
        urgency="none",
        urgency_words="",
        verdict="cannot_tell",
        running="",
        footer="",
        verification="",
        sections=(),
    )


def _story(made: Made, width: float) -> Iterator[Flowable]:
    page = made.page
    yield _text(page.title, "title", "H1")
    for line in page.about_patient:
        yield _text(line, "small")
    yield Spacer(0, _GAP)
    for section in page.sections:
        yield from _section(section, made.lines, width)


def _section(
    section: PatientSection, lines: tuple[Geometry | None, ...], width: float
) -> Iterator[Flowable]:
    content = list(_content(section, lines, width))
    if section.tone in _BOXES:
        yield _box(content, section.tone, width)
        yield Spacer(0, _GAP)
        return
    heading = [_text(section.title, "heading", "H2")] if section.title else []
    whole = sum(item.wrap(width, _TALL)[1] for item in (*heading, *content))
    yield CondPageBreak(_KEPT_TOGETHER if section.rows else min(whole + _LIST_SPACE, _LARGEST))
    yield from heading
    yield from content
    yield Spacer(0, _GAP)


def _content(
    section: PatientSection, lines: tuple[Geometry | None, ...], width: float
) -> Iterator[Flowable]:
    strong = bool(section.tone)
    yield from (_text(told, "strong" if strong else "body") for told in section.before)
    if section.rows:
        yield _table(section, lines, width)
        yield Spacer(0, _GAP)
    yield from (_text(told, "bullet", "LI", sign="•") for told in section.bullets)
    yield from (_text(told, "body") for told in section.after)


def _box(content: list[Flowable], tone: str, width: float) -> Grid:
    ground, bar = _BOXES[tone]
    commands = [
        ("FONTNAME", (0, 0), (-1, -1), fonts.REGULAR),
        ("BACKGROUND", (0, 0), (-1, -1), HexColor(ground)),
        ("LINEBEFORE", (0, 0), (0, -1), 3, HexColor(bar)),
        ("LEFTPADDING", (0, 0), (-1, -1), 9),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
    ]
    return Grid([[item] for item in content], colWidths=[width], style=commands, hAlign="LEFT")


def _table(section: PatientSection, lines: tuple[Geometry | None, ...], width: float) -> Grid:
    head: list[Any] = [_text(told, "column", "TH") for told in section.header]
    rows = [[*head, []]]
    rows += [_row(row, line) for row, line in zip(section.rows, lines, strict=True)]
    commands = [
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("FONTNAME", (0, 0), (-1, -1), fonts.REGULAR),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, HexColor(palette.MUTED)),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, HexColor(palette.RULE)),
    ]
    return Grid(
        rows,
        role="Table",
        colWidths=[share * width for share in _SHARES],
        style=commands,
        repeatRows=1,
        hAlign="LEFT",
    )


def _row(row: PatientRow, line: Geometry | None) -> list[Any]:
    """The word before the number: it is what counts."""
    word = Flag(SYMBOL_OF[row.standing], COLOUR_OF[row.standing], _text(row.word, "cell-strong"))
    return [
        _text(row.test, "cell", "TH"),
        word,
        _text(row.value, "cell"),
        _text(row.range, "cell"),
        NumberLine(line, _LINE_HEIGHT) if line else [],
    ]


def _text(told: str, look: str, role: Role = "P", **more: Any) -> Text:
    return Text(escape(told, fonts.covered()), _styles()[look], role, **more)


@lru_cache(maxsize=1)
def _styles() -> dict[str, ParagraphStyle]:
    """The paragraph styles; nothing is smaller than 10 pt."""
    fonts.covered()
    base = ParagraphStyle(
        "patient",
        fontName=fonts.REGULAR,
        textColor=HexColor(palette.INK),
        bulletFontName=fonts.REGULAR,
        splitLongWords=1,
        allowWidows=0,
        allowOrphans=0,
    )

    def made(name: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
        return ParagraphStyle(name, parent=base, fontSize=size, leading=leading, **more)

    return {
        "title": made("title", 20, 24, fontName=fonts.BOLD, spaceAfter=4),
        "heading": made("heading", 14, 17, fontName=fonts.BOLD, spaceBefore=4, spaceAfter=2),
        "body": made("body", 12, 15, spaceAfter=2),
        "strong": made("strong", 12.5, 15.5, fontName=fonts.BOLD),
        "bullet": made("bullet", 12, 14.6, leftIndent=14, bulletIndent=3),
        "small": made("small", 11, 13.6),
        "cell": made("cell", 11, 12.6),
        "cell-strong": made("cell-strong", 11, 12.6, fontName=fonts.BOLD),
        "column": made("column", 10, 11.6, fontName=fonts.BOLD, textColor=HexColor(palette.MUTED)),
    }
