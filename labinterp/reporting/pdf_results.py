"""The table of results for the PDF: whole rows, repeated header, word and symbol before colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reportlab.lib.colors import HexColor

from labinterp.reporting import fonts, palette, words
from labinterp.reporting.blocks import ResultGroup, ResultRow, ResultTable, numbers_in, sentences
from labinterp.reporting.flowables import Flag, Grid, NumberLine, Role, Text, first_in
from labinterp.reporting.glyphs import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reportlab.platypus import Flowable

    from labinterp.reporting.style import Styles

_CELL: Final = 240
_REMARK: Final = 2000
"""Longest text of a cell, and of a row of remarks [characters]; longer ones take more rows."""
_MARK: Final = 6.5
"""Size of a footnote's mark; on the line, for a raised one touches the line above [pt]."""
_TITLES: Final = ("Test", "Result", "Flag", "Reference interval", "Position", "Previous and change")
_SHARES: Final = (0.225, 0.125, 0.18, 0.24, 0.23)
_SHARES_WITH_HISTORY: Final = (0.165, 0.12, 0.165, 0.175, 0.2, 0.175)


def table(block: ResultTable, look: Styles, width: float) -> Grid:
    """All groups in one table.

    Args:
        block: the rows, already ordered.
        look: normal or tight.
        width: of the text column [pt].
    """
    shares = _SHARES_WITH_HISTORY if block.history else _SHARES
    rows: list[list[Any]] = [[_text(title, look.column, "TH") for title in _TITLES[: len(shares)]]]
    commands = _frame(look)
    goes_on: dict[int, Text] = {}
    for group in block.groups:
        first = len(rows) + 1
        _add_group(group, rows, commands, look, len(shares))
        told = _text(f"{group.title}, continued", look.group)
        goes_on |= {id(first_in(row[0])): told for row in rows[first:]}
    made = Grid(
        rows,
        role="Table",
        colWidths=[share * width for share in shares],
        style=commands,
        repeatRows=1,
        splitByRow=1,
        splitInRow=0,
        hAlign="LEFT",
    )
    made.goes_on = goes_on
    return made


def _frame(look: Styles) -> list[Any]:
    return [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("FONTNAME", (0, 0), (-1, -1), fonts.REGULAR),
        ("FONTSIZE", (0, 0), (-1, -1), 1),
        ("LEADING", (0, 0), (-1, -1), 1),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), look.cell_pad),
        ("BOTTOMPADDING", (0, 0), (-1, -1), look.cell_pad),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, HexColor(palette.MUTED)),
        ("LINEBELOW", (0, -1), (-1, -1), 0.5, HexColor(palette.RULE)),
    ]


def _add_group(
    group: ResultGroup, rows: list[list[Any]], commands: list[Any], look: Styles, columns: int
) -> None:
    first = len(rows)
    rows.append([_text(group.title, look.group, "TH"), *[""] * (columns - 1)])
    commands += [
        ("SPAN", (0, first), (-1, first)),
        ("BACKGROUND", (0, first), (-1, first), HexColor(palette.PALE)),
        ("TOPPADDING", (0, first), (-1, first), 0.5),
        ("BOTTOMPADDING", (0, first), (-1, first), 0.9),
        ("NOSPLIT", (0, first), (0, first + 1)),
    ]
    for row in group.rows:
        _add_row(row, rows, commands, look, columns)


def _add_row(
    row: ResultRow, rows: list[list[Any]], commands: list[Any], look: Styles, columns: int
) -> None:
    place = len(rows)
    commands.append(("LINEABOVE", (0, place), (-1, place), 0.4, HexColor(palette.RULE)))
    cells = [_name(row, look), _value(row, look), _flag(row, look), _interval(row, look)]
    cells.append(_position(row, look))
    rows.append([*cells, _history(row, look)][:columns])
    remarks = sentences(row.at_the_limit, row.unsaid_reason, *row.doubts, *row.notes)
    for part in range(0, len(remarks), _REMARK):
        below = len(rows)
        rows.append([_text(remarks[part : part + _REMARK], look.note), *[""] * (columns - 1)])
        commands += [("SPAN", (0, below), (-1, below)), ("TOPPADDING", (0, below), (-1, below), 0)]
    if remarks:
        commands.append(("NOSPLIT", (0, place), (0, place + 1)))


def _text(told: str, look: Any, role: Role = "P", longest: int = _REMARK) -> Text:
    return Text(escape(words.clipped(told, longest)), look, role)


def _cell(told: str) -> str:
    """A text of a narrow column, escaped."""
    return escape(words.clipped(told, _CELL))


def _name(row: ResultRow, look: Styles) -> list[Flowable]:
    marks = "".join(f'\u00a0<font size="{_MARK}">({mark})</font>' for mark in row.marks)
    name = Text(f"{_cell(row.name)}{marks}", look.cell, "TH")
    sent = (f"sent as “{row.as_named}”",) if row.as_named else ()
    status = (f"result status: {row.result_status}",) if row.result_status else ()
    return [name, *_smalls((*sent, *status), look)]


def _value(row: ResultRow, look: Styles) -> list[Flowable]:
    shown = _cell(row.value_and_unit or "no value")
    colour = palette.COLOUR_OF[row.standing] if row.strong else palette.INK
    weighed = f'<font color="{colour}"><b>{shown}</b></font>' if row.strong else shown
    return [Text(weighed, look.cell), *_smalls((row.second,), look)]


def _flag(row: ResultRow, look: Styles) -> list[Flowable]:
    """The flag's words with their symbol; a doubted flag stays visible, not bold."""
    colour = palette.COLOUR_OF[row.standing]
    flag = _cell(row.flag)
    weighed = f"<b>{flag}</b>" if row.strong else flag
    made: list[Flowable] = [
        Flag(row.symbol, colour, Text(f'<font color="{colour}">{weighed}</font>', look.cell))
    ]
    if row.at_the_limit:
        limit = f'<font color="{palette.ABNORMAL}">At the limit</font>'
        made.append(Flag("diamond", palette.ABNORMAL, Text(limit, look.cell)))
    return [*made, *_smalls(("Doubtful" if row.doubtful else "", row.grade), look)]


def _interval(row: ResultRow, look: Styles) -> list[Flowable]:
    whose = sentences(row.interval_whose, numbers_in(row.interval_numbers))
    main = (_text(row.interval, look.cell),) if row.interval else ()
    return [*main, *_smalls((whose,), look)]


def _position(row: ResultRow, look: Styles) -> Flowable:
    if row.line is None:
        return _text("not drawn", look.small)
    return NumberLine(row.line, look.line_height)


def _history(row: ResultRow, look: Styles) -> list[Flowable]:
    if not row.previous:
        return [_text("no previous result", look.small)]
    day = "" if row.previous_at in row.change else row.previous_at
    return [_text(row.previous, look.cell), *_smalls((day, row.change), look)]


def _smalls(texts: Iterable[str], look: Styles) -> Iterator[Text]:
    return (_text(text, look.small, longest=_CELL) for text in texts if text)
