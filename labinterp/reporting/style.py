"""How the PDF looks: sizes, spaces, paragraph styles; in three settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm

from labinterp.reporting import fonts, palette

MARGIN: Final = 16 * mm
RUNNING_LINE: Final = 11 * mm
"""Distance of the running lines from the edge of the paper: inside the margins [pt]."""
PAGE_SIZES: Final = {"A4": A4, "Letter": LETTER, "letter": LETTER}
SMALLEST: Final = 7.0
"""No text of a report is smaller, labels of a number line apart (6.5) [pt]."""
LABEL: Final = 6.5
EDGE: Final = 9.0
"""Room beside the axis of a number line, for arrows and chevrons [pt]."""


Setting = Literal["normal", "tight", "dense"]
"""How close things stand; type is the same in the last two."""


@dataclass(frozen=True, slots=True)
class Styles:
    """The paragraph styles of one setting, and the spaces between blocks [pt]."""

    title: ParagraphStyle
    heading: ParagraphStyle
    body: ParagraphStyle
    bullet: ParagraphStyle
    cell: ParagraphStyle
    small: ParagraphStyle
    note: ParagraphStyle
    column: ParagraphStyle
    group: ParagraphStyle
    gap: float
    cell_pad: float
    line_height: float
    """Height of a row's number line [pt]."""


@lru_cache(maxsize=3)
def styles(setting: Setting = "normal") -> Styles:
    """The styles; `tight` saves about a tenth of the height, `dense` a few lines more."""
    fonts.covered()
    tight, dense = setting != "normal", setting == "dense"
    body = 8.5 if tight else 8.8
    lead = 9.8 if dense else 10.0 if tight else 11.0
    small = 7.0 if tight else 7.2
    note = 7.2 if tight else 7.4
    before = 0.4 if dense else 1.0 if tight else 6
    more = 1.1 if dense else 1.3
    bold = fonts.BOLD
    base = ParagraphStyle(
        "base",
        fontName=fonts.REGULAR,
        textColor=HexColor(palette.INK),
        splitLongWords=1,
        bulletFontName=fonts.REGULAR,
        allowWidows=0,
        allowOrphans=0,
    )
    muted = HexColor(palette.MUTED)

    def made(name: str, size: float, leading: float, **more: object) -> ParagraphStyle:
        return ParagraphStyle(name, parent=base, fontSize=size, leading=leading, **more)

    return Styles(
        title=made("title", 14, 17, fontName=bold),
        heading=made(
            "heading", 10.5, 11.8, fontName=bold, spaceBefore=before, spaceAfter=more - 0.1
        ),
        body=made("body", body, lead),
        bullet=made("bullet", body, lead, leftIndent=9, bulletIndent=1),
        cell=made("cell", body, lead - 0.6),
        small=made("small", small, small + 1.4, textColor=muted),
        note=made("note", note, note + more, textColor=muted),
        column=made("column", 7.4, 8.6 if dense else 9.0, fontName=bold, textColor=muted),
        group=made("group", 7.6, 8.6 if dense else 9.2, fontName=bold),
        gap=0.8 if dense else 1.2 if tight else 2.5,
        cell_pad=0.4 if dense else 1.2 if tight else 1.9,
        line_height=18.0 if dense else 18.5 if tight else 20.5,
    )
