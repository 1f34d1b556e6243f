"""The patient page on paper: large type, words before numbers, nothing that needs colour."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
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

_SHARES: Final = (0.24, 0.26, 0.17, 0.17, 0.16)
_LINE_HEIGHT: Final = 13.2
_BESIDE: Final = ("help-now", "help-soon")
"""Lists that stand side by side, each half as wide, so that all of it fits one page."""
_BETWEEN: Final = 12.0
"""Room between them [pt]."""
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


Setting = Literal["normal", "tight"]
"""How close things stand; the type is the same."""


def draw(made: Made, released_at: datetime) -> Report:
    """The finished page; the same page gives the same bytes.

    Raises:
        ReportFailure: a character that cannot be printed.
    """
    page = made.page
    paper = _drawn(made, released_at, "normal")
    if paper.pages > 1:
        closer = _drawn(made, released_at, "tight")
        paper = closer if closer.pages < paper.pages else paper
    view = _as_view(page)
    pdf = archived(paper.written(), paper.tree, properties(view, released_at))
    return Report(
        pdf=pdf,
        summary="",
        digest=hashlib.sha256(pdf).hexdigest(),
        pages=paper.pages,
        file_name=f"patient-page-{page.number}-v{page.version}-{page.language}.pdf",
    )


def _drawn(made: Made, released_at: datetime, setting: Setting) -> _PatientPaper:
    paper = _PatientPaper(io.BytesIO(), made.page, released_at)
    paper.draw(list(_story(made, paper.width, styles(setting))))
    return paper


class _PatientPaper(Paper):
    """The report's paper with the patient's running lines: no patient number, no code."""

    above_and_below = 13 * mm

    def __init__(self, out: io.BytesIO, page: PatientPage, released_at: datetime) -> None:
        super().__init__(out, _as_view(page), released_at)
        self.patient_page = page

    def _furnish(self, canvas: Any, page: int, pages: int) -> None:
        """The page number in words, and the mark of test data."""
        told = self.patient_page.paging.replace("{page}", str(page)).replace("{pages}", str(pages))
        shown = drawable(told)
        canvas.setFont(fonts.REGULAR, _RUNNING)
        canvas.setFillColor(HexColor(palette.MUTED))
        y = self.bottomMargin - 16
        canvas.drawRightString(self.pagesize[0] - self.rightMargin, y, shown)
        if self.patient_page.mark:
            canvas.setFont(fonts.BOLD, _RUNNING)
            canvas.setFillColor(HexColor(palette.CRITICAL))
            canvas.drawString(self.leftMargin, y, drawable(self.patient_page.mark))


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


def _story(made: Made, width: float, look: Styles) -> Iterator[Flowable]:
    page = made.page
    yield _text(page.title, look.title, "H1")
    for line in page.about_patient:
        yield _text(line, look.small)
    yield Spacer(0, look.gap)
    beside = [section for section in page.sections if section.id in _BESIDE]
    for section in page.sections:
        if section not in beside:
            yield from _section(section, made.lines, width, look)
        elif section is beside[0]:
            yield from _side_by_side(beside, width, look)


def _section(
    section: PatientSection, lines: tuple[Geometry | None, ...], width: float, look: Styles
) -> Iterator[Flowable]:
    content = list(_content(section, lines, width, look))
    if section.tone in _BOXES:
        yield _box(content, section.tone, width)
        yield Spacer(0, look.gap)
        return
    heading = [_text(section.title, look.heading, "H2")] if section.title else []
    whole = sum(item.wrap(width, _TALL)[1] for item in (*heading, *content))
    yield CondPageBreak(_KEPT_TOGETHER if section.rows else min(whole + _LIST_SPACE, _LARGEST))
    yield from heading
    yield from content
    yield Spacer(0, look.gap)


def _side_by_side(sections: list[PatientSection], width: float, look: Styles) -> Iterator[Flowable]:
    """Lists beside one another; read aloud, one comes after the other."""
    columns = [list(_content(section, (), width, look)) for section in sections]
    commands = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("FONTNAME", (0, 0), (-1, -1), fonts.REGULAR),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), _BETWEEN),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ]
    share = width / len(columns)
    grid = Grid([columns], colWidths=[share] * len(columns), style=commands, hAlign="LEFT")
    _, height = grid.wrap(width, _TALL)
    heading = [_text(one.title, look.heading, "H2") for one in sections if one.title]
    above = sum(one.wrap(width, _TALL)[1] + one.style.spaceBefore for one in heading)
    yield CondPageBreak(height + above + look.gap)
    yield from heading
    yield grid
    yield Spacer(0, look.gap)


def _content(
    section: PatientSection, lines: tuple[Geometry | None, ...], width: float, look: Styles
) -> Iterator[Flowable]:
    is_strong = section.tone or section.id in _BESIDE
    first = look.strong if is_strong else look.body if section.title else look.small
    yield from (_text(told, first) for told in section.before)
    if section.rows:
        yield _table(section, lines, width, look)
        yield Spacer(0, look.gap)
    yield from (_text(told, look.bullet, "LI", sign="•") for told in section.bullets)
    yield from (_text(told, look.body) for told in section.after)


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


def _table(
    section: PatientSection, lines: tuple[Geometry | None, ...], width: float, look: Styles
) -> Grid:
    head: list[Any] = [_text(told, look.column, "TH") for told in section.header]
    rows = [[*head, []]]
    rows += [_row(row, line, look) for row, line in zip(section.rows, lines, strict=True)]
    commands = [
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("FONTNAME", (0, 0), (-1, -1), fonts.REGULAR),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), look.cell_pad),
        ("BOTTOMPADDING", (0, 0), (-1, -1), look.cell_pad),
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


def _row(row: PatientRow, line: Geometry | None, look: Styles) -> list[Any]:
    """The word before the number: it is what counts."""
    told = _text(row.word, look.cell_strong)
    return [
        _text(row.test, look.cell, "TH"),
        Flag(SYMBOL_OF[row.standing], COLOUR_OF[row.standing], told),
        _text(row.value, look.cell),
        _text(row.range, look.cell),
        NumberLine(line, _LINE_HEIGHT) if line else [],
    ]


def _text(told: str, style: ParagraphStyle, role: Role = "P", **more: Any) -> Text:
    return Text(escape(told), style, role, **more)


@dataclass(frozen=True, slots=True)
class Styles:
    """The paragraph styles of one setting, and the spaces between things [pt]."""

    title: ParagraphStyle
    heading: ParagraphStyle
    body: ParagraphStyle
    strong: ParagraphStyle
    bullet: ParagraphStyle
    small: ParagraphStyle
    cell: ParagraphStyle
    cell_strong: ParagraphStyle
    column: ParagraphStyle
    gap: float
    cell_pad: float


@lru_cache(maxsize=2)
def styles(setting: Setting = "normal") -> Styles:
    """The styles; the text is 12 pt, and nothing is smaller than 10 pt."""
    fonts.covered()
    tight = setting == "tight"
    base = ParagraphStyle(
        "patient",
        fontName=fonts.REGULAR,
        textColor=HexColor(palette.INK),
        bulletFontName=fonts.REGULAR,
        splitLongWords=1,
        allowWidows=0,
        allowOrphans=0,
    )
    lead = 13.4 if tight else 15.0
    after = 0.8 if tight else 2.0

    def made(name: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
        return ParagraphStyle(name, parent=base, fontSize=size, leading=leading, **more)

    bold = fonts.BOLD
    muted = HexColor(palette.MUTED)
    before = 1.0 if tight else 4.0
    return Styles(
        title=made("title", 20, 22 if tight else 24, fontName=bold, spaceAfter=after + 1),
        heading=made("heading", 14, 16, fontName=bold, spaceBefore=before, spaceAfter=after),
        body=made("body", 12, lead, spaceAfter=after),
        strong=made("strong", 12, lead, fontName=bold, spaceAfter=after),
        bullet=made("bullet", 12, lead - 0.4, leftIndent=12, bulletIndent=2),
        small=made("small", 11, 12.4 if tight else 13.6),
        cell=made("cell", 11, 12.0 if tight else 12.6),
        cell_strong=made("cell-strong", 11, 12.0 if tight else 12.6, fontName=bold),
        column=made("column", 10, 11.6, fontName=bold, textColor=muted),
        gap=2.0 if tight else 5.0,
        cell_pad=1.0 if tight else 2.0,
    )
