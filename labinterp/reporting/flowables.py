"""What ReportLab lacks: paragraphs that know their role, symbols as vectors, the number line.

One file, since each of them brackets what it draws in the same way for the structure tree.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable, Paragraph, Table

from labinterp.reporting import fonts, palette, style
from labinterp.reporting.glyphs import TURNED, drawable
from labinterp.reporting.number_line import Geometry, fitting
from labinterp.reporting.path_picture import LOOK, Pen, written
from labinterp.reporting.tagging import CLOSED, Element, marked, opening

if TYPE_CHECKING:
    from labinterp.reporting.palette import Symbol
    from labinterp.reporting.path_picture import Arrow, Box, Picture

Role = Literal["H1", "H2", "P", "L", "LI", "TH", "TD", "Table", "Figure"]
_SYMBOL: Final = 3.0
"""Half the width of a symbol [pt]."""
_GUTTER: Final = 9.5
"""Room for the symbols before the flag's words [pt]."""
_DASHES: Final[dict[bool, tuple[Any, ...]]] = {False: (), True: (2.4, 1.4)}
_HEAD: Final = 3.2
"""Length of an arrow's head [pt]."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a paragraph: text, a link, an item of a list set as running text, a note."""

    kind: Literal["text", "link", "item", "note"] = "text"
    url: str = ""


SWITCH: Final = "run"
"""Name of the call in a paragraph's markup that passes to another of its runs."""


class Text(Paragraph):  # type: ignore[misc]
    """A paragraph that knows what it is, and brackets what it draws with its element's mark.

    Attributes:
        runs: its stretches; its markup calls `SWITCH` with the number of the next one.
        sign: drawn before its first line (a bullet).
        label, elements: of the structure tree: the sign's, and one for each run.
        at, untold: the run that is being drawn and the text that is not drawn yet, in a list each:
            the parts of a paragraph share them.
        sizes: what it takes [pt], for the width that its lines are broken for [pt].
    """

    def __init__(
        self,
        markup: str,
        look: Any,
        role: Role = "P",
        *,
        runs: tuple[Run, ...] = (Run(),),
        sign: str = "",
        **more: Any,
    ) -> None:
        super().__init__(markup, look, **more)
        self.role: Role = role
        self.runs, self.sign = runs, sign
        self.label: Element | None = None
        self.elements: list[Element] = []
        self.at = [0]
        self.untold = ["".join(getattr(fragment, "text", "") for fragment in self.frags)]
        self.sizes: dict[float, tuple[float, float]] = {}

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """The size [pt] in so much room [pt]; lines are broken once for each width."""
        if width not in self.sizes:
            self.sizes = {width: super().wrap(width, height)}
        return self.sizes[width]

    def split(self, width: float, height: float) -> list[Any]:
        """The parts of a paragraph are parts of the same element."""
        parts = super().split(width, height)
        self.sizes = {}  # splitting takes the lines away
        for place, part in enumerate(parts):
            if part is not self:
                part.role, part.runs, part.elements = self.role, self.runs, self.elements
                part.sign, part.label = ("" if place else self.sign), self.label
                part.at, part.untold = self.at, self.untold
        return list(parts)

    def draw(self) -> None:
        """Sign and text, each marked; a call in the text passes to the next run."""
        if self.sign:
            with marked(self.canv, self.label):
                self._draw_sign()
        self._end_lines_with_spaces()
        self.canv.setNamedCB(SWITCH, self._switch)
        self.canv.setNamedCB(TURNED, _turn)
        with marked(self.canv, self._element()):
            super().draw()

    def _element(self) -> Element | None:
        return self.elements[self.at[0]] if self.elements else None

    def _draw_sign(self) -> None:
        first = self.blPara.lines[0] if self.blPara.kind else self.blPara
        drawn = self.canv.beginText(self.style.bulletIndent, self.height - first.fontSize)
        drawn.setFont(self.style.bulletFontName, self.style.bulletFontSize)
        drawn.setFillColor(self.style.textColor)
        drawn.textOut(self.sign)
        self.canv.drawText(drawn)

    def _end_lines_with_spaces(self) -> None:
        """A space behind each line that was broken at one: read aloud, words stay apart."""
        is_rich = self.blPara.kind == 1
        for line in self.blPara.lines:
            words = line.words if is_rich else line[1]
            shown = "".join(word.text for word in words) if is_rich else "".join(words)
            self.untold[0] = rest = _behind(self.untold[0], len(shown.replace(" ", "")))
            if not rest.startswith(" "):
                continue
            if not is_rich:
                words.append("")
            elif not words[-1].text.endswith(" "):
                words[-1].text += " "

    def _switch(self, canvas: Any, _kind: str, label: str) -> None:
        self.at[0] = int(label)
        code = canvas._curr_tx_info["tx"]._code  # noqa: SLF001 - there is no public way
        code.extend((CLOSED, opening(canvas, self._element())))


def _turn(canvas: Any, _kind: str, label: str) -> None:
    """Where letters stand from the last to the first, the file says so."""
    code = canvas._curr_tx_info["tx"]._code  # noqa: SLF001 - there is no public way
    code.append("/ReversedChars BMC" if label == "begins" else CLOSED)


def first_in(cell: Any) -> Any:
    """What stands first in a cell."""
    return cell[0] if isinstance(cell, list | tuple) and cell else cell


def _behind(text: str, count: int) -> str:
    """What is left of a text behind so many characters that are no space."""
    for place, character in enumerate(text):
        if not count:
            return text[place:]
        count -= character != " "
    return ""


class Grid(Table):  # type: ignore[misc]
    """A table that knows whether it holds data (`Table`), a list (`L`) or only places things.

    Attributes:
        repeats: rows that head every part of it.
        goes_on: by what stands first in a row: what the head of a part says that begins there.
    """

    _argH: list[Any]  # noqa: N815 - ReportLab's name

    def __init__(self, rows: list[Any], *, role: Role | None = None, **more: Any) -> None:
        super().__init__(rows, **more)
        self.role: Role | None = role
        self.rows = rows
        self.repeats: int = more.get("repeatRows", 0)
        self.goes_on: dict[int, Text] = {}

    def split(self, width: float, height: float) -> list[Any]:
        """The parts of a table of data; a later part says which group of rows goes on in it."""
        parts = list(super().split(width, height))
        for part in parts:
            part.role, part.repeats, part.goes_on = self.role, self.repeats, self.goes_on
        if len(parts) > 1 and self.repeats:
            parts[-1].say_what_goes_on()
        return parts

    def say_what_goes_on(self) -> None:
        """In the head of a later part: the group of its first row, unless that heads a group."""
        head = self._cellvalues[0]
        title = first_in(head[0])
        told = self.goes_on.get(id(first_in(self._cellvalues[self.repeats][0])))
        self._cellvalues[0] = [[title, told] if told else title, *head[1:]]
        self._rowHeights = self._argH = [None, *self._argH[1:]]

    def _drawBkgrnd(self) -> None:  # noqa: N802 - ReportLab's name
        with marked(self.canv, None):
            super()._drawBkgrnd()

    def _drawLines(self) -> None:  # noqa: N802 - ReportLab's name
        with marked(self.canv, None):
            super()._drawLines()


class Flag(Flowable):  # type: ignore[misc]
    """Words with their symbol before them; the words are the flag, the symbol repeats it."""

    def __init__(self, symbol: Symbol, colour: str, words: Text) -> None:
        super().__init__()
        self.symbol, self.colour, self.words = symbol, colour, words

    def wrap(self, available: float, height: float) -> tuple[float, float]:
        """The size [pt] in so much room [pt]."""
        _, self.height = self.words.wrap(available - _GUTTER, height)
        self.width = available
        return available, self.height

    def draw(self) -> None:
        """The symbol beside the first line, then the words."""
        middle = self.height - self.words.style.leading / 2 - 0.6
        with marked(self.canv, None):
            draw_symbol(self.canv, self.symbol, 4.0, middle, self.colour)
        self.words.drawOn(self.canv, _GUTTER, 0)


def draw_symbol(canvas: Any, symbol: Symbol, x: float, y: float, colour: str) -> None:
    """A symbol around a point [pt], as a vector: never a character of a font."""
    canvas.saveState()
    canvas.setFillColor(HexColor(colour))
    canvas.setStrokeColor(HexColor(colour))
    canvas.setLineWidth(0.9)
    match symbol:
        case "disc":
            canvas.circle(x, y, 1.7, stroke=0, fill=1)
        case "circle":
            canvas.circle(x, y, 2.1, stroke=1, fill=0)
        case "diamond":
            _polygon(canvas, [(x - 2.6, y), (x, y + 2.8), (x + 2.6, y), (x, y - 2.8)])
        case "up" | "down":
            _triangle(canvas, x, y, 1 if symbol == "up" else -1, 2.4)
        case "double-up" | "double-down":
            way = 1 if symbol == "double-up" else -1
            _triangle(canvas, x, y + 2.2, way, 1.9)
            _triangle(canvas, x, y - 2.2, way, 1.9)
    canvas.restoreState()


def _triangle(canvas: Any, x: float, y: float, way: int, size: float) -> None:
    base = y - way * size
    _polygon(canvas, [(x - _SYMBOL, base), (x + _SYMBOL, base), (x, y + way * size)])


def _polygon(
    canvas: Any, corners: list[tuple[float, float]], *, stroke: int = 0, fill: int = 1
) -> None:
    path = canvas.beginPath()
    path.moveTo(*corners[0])
    for corner in corners[1:]:
        path.lineTo(*corner)
    path.close()
    canvas.drawPath(path, stroke=stroke, fill=fill)


class _Figure(Flowable, ABC):  # type: ignore[misc]
    """A graphic with words in its place; those in it end with a space, so that copied ones do."""

    element: Element | None = None
    role: Role = "Figure"

    def draw(self) -> None:
        """The graphic, as content of its element."""
        if self.element is not None:
            left, bottom = self.canv.absolutePosition(0, 0)
            edges = (left, bottom, left + self.width, bottom + self.height)
            self.element.box = tuple(round(edge, 2) for edge in edges)
        with marked(self.canv, self.element):
            self.draw_marked()

    @abstractmethod
    def draw_marked(self) -> None:
        """The graphic itself."""


class NumberLine(_Figure):
    """A result in its interval, drawn from the shared geometry; its words stand in the same row."""

    def __init__(self, line: Geometry, height: float) -> None:
        super().__init__()
        self.line, self.colour, self.height = line, palette.COLOUR_OF[line.standing], height
        self.alt = line.alt

    def wrap(self, available: float, height: float) -> tuple[float, float]:
        """As wide as there is room [pt]."""
        del height
        self.width = available
        return available, self.height

    def draw_marked(self) -> None:
        """Track, band, limits, earlier value, value, labels."""
        self.middle = self.height - 8.1
        self._track()
        self._limits()
        self._previous()
        self._value()
        self._labels()

    def _x(self, at: float) -> float:
        return style.EDGE + at * (self.width - 2 * style.EDGE)

    def _track(self) -> None:
        canvas, y = self.canv, self.middle
        canvas.setFillColor(HexColor(palette.TRACK))
        canvas.setStrokeColor(HexColor(palette.TRACK_EDGE))
        canvas.setLineWidth(0.25)
        canvas.rect(self._x(0), y - 2.2, self._x(1) - self._x(0), 4.4, stroke=1, fill=1)
        start, end = (self._x(at) for at in self.line.band)
        canvas.setFillColor(HexColor(palette.BAND))
        canvas.rect(start, y - 3.4, end - start, 6.8, stroke=0, fill=1)
        canvas.setStrokeColor(HexColor(palette.BAND_EDGE))
        canvas.setLineWidth(0.8)
        for at, drawn in ((start, self.line.low_end), (end, self.line.high_end)):
            if drawn:
                canvas.line(at, y - 4.2, at, y + 4.2)

    def _limits(self) -> None:
        for places, colour, dashes in (
            (self.line.critical, palette.CRITICAL, (2.0, 1.2)),
            (self.line.decision, palette.MUTED, (0.8, 1.2)),
        ):
            self.canv.setStrokeColor(HexColor(colour))
            self.canv.setLineWidth(0.8)
            self.canv.setDash(*dashes)
            for at in places:
                self.canv.line(self._x(at), self.middle - 4.4, self._x(at), self.middle + 5.6)
        self.canv.setDash()

    def _previous(self) -> None:
        if self.line.previous is None:
            return
        self.canv.setStrokeColor(HexColor(self.colour))
        self.canv.setFillColor(HexColor("#FFFFFF"))
        self.canv.setLineWidth(0.7)
        x, y = self._x(self.line.previous), self.middle
        corners = [(x, y + 0.6), (x - 2.8, y + 6.0), (x + 2.8, y + 6.0)]
        _polygon(self.canv, corners, stroke=1)

    def _value(self) -> None:
        x, y = self._x(self.line.value), self.middle
        self.canv.setFillColor(HexColor(self.colour))
        self.canv.setStrokeColor(HexColor(self.colour))
        self.canv.setLineWidth(1.1)
        match self.line.kind:
            case "point":
                _polygon(self.canv, [(x, y + 0.4), (x - 3.4, y + 7.4), (x + 3.4, y + 7.4)])
            case "below" | "above":
                self._open(x, y, -1 if self.line.kind == "below" else 1)
            case "off_left" | "off_right":
                self._chevron(x, y, -1 if self.line.kind == "off_left" else 1)

    def _open(self, x: float, y: float, way: int) -> None:
        """An open bracket at the number and an arrow away from it: never a point."""
        lines = [
            (x, y - 5, x, y + 5),
            (x, y + 5, x + way * 2.2, y + 5),
            (x, y - 5, x + way * 2.2, y - 5),
            (x, y, x + way * 8, y),
            (x + way * 8, y, x + way * 5.4, y + 2.2),
            (x + way * 8, y, x + way * 5.4, y - 2.2),
        ]
        self.canv.lines(lines)

    def _chevron(self, x: float, y: float, way: int) -> None:
        """The value lies beyond the axis: a chevron at its end, and the number."""
        back = x - way * 2.5
        self.canv.lines([(back, y + 4, x + way * 2, y), (x + way * 2, y, back, y - 4)])
        shown, size = self.line.value_text, style.LABEL
        left = x - (fonts.width(shown, size) if way > 0 else 0)
        self._write(left, y + 5, shown, self.colour)

    def _labels(self) -> None:
        placed = fitting(
            self.line.labels,
            self.width - 2 * style.EDGE,
            lambda text: fonts.width(text, style.LABEL),
            3.0,
        )
        for label, left in placed:
            colour = palette.CRITICAL if label.kind == "critical" else palette.MUTED
            self._write(style.EDGE + left, self.middle - 10.0, label.text, colour)

    def _write(self, x: float, y: float, text: str, colour: str) -> None:
        self.canv.setFont(fonts.REGULAR, style.LABEL)
        self.canv.setFillColor(HexColor(colour))
        self.canv.drawString(x, y, f"{text} ")


PATH_PEN: Final = Pen(
    size=style.SMALLEST,
    leading=7.8,
    width_of=lambda text: fonts.width(text, style.SMALLEST),
    pad=1.7,
    gap=2.8,
)
"""How the boxes of a path picture are set on paper [pt]."""
TALLEST: Final = 400.0
"""A path picture that is taller stands on no page beside other things, and is told instead [pt]."""


class PathPicture(_Figure):
    """The active causal paths, drawn from the shared geometry; its sentence is its alternative."""

    def __init__(self, made: Picture) -> None:
        super().__init__()
        self.made, self.width, self.height = made, made.width, made.height
        self.alt = made.alt

    def wrap(self, available: float, height: float) -> tuple[float, float]:
        """The size [pt] that it was laid out for."""
        del available, height
        return self.width, self.height

    def draw_marked(self) -> None:
        """Arrows, then boxes."""
        self.canv.saveState()
        for arrow in self.made.arrows:
            self._arrow(arrow)
        for box in self.made.boxes:
            self._box(box)
        self.canv.restoreState()

    def _arrow(self, arrow: Arrow) -> None:
        canvas = self.canv
        canvas.setStrokeColor(HexColor(palette.MUTED))
        canvas.setFillColor(HexColor(palette.MUTED))
        canvas.setLineWidth(0.7)
        canvas.setDash(*_DASHES[arrow.opposes])
        corners = [(x, self.height - y) for x, y in arrow.points]
        canvas.lines([(*one, *other) for one, other in pairwise(corners)])
        canvas.setDash()
        head = arrow.head(_HEAD)
        _polygon(canvas, [(x, self.height - y) for x, y in head])

    def _box(self, box: Box) -> None:
        canvas, look = self.canv, LOOK[box.kind]
        canvas.setFillColor(HexColor(look.fill))
        canvas.setStrokeColor(HexColor(look.edge))
        canvas.setLineWidth(look.line * 0.6)
        canvas.setDash(*_DASHES[box.opposes])
        bottom = self.height - box.bottom
        canvas.roundRect(box.x, bottom, box.width, box.height, 1.2, stroke=1, fill=1)
        canvas.setDash()
        canvas.setFont(fonts.REGULAR, PATH_PEN.size)
        canvas.setFillColor(HexColor(palette.INK))
        for y, line in written(box, PATH_PEN):
            canvas.drawString(box.x + PATH_PEN.pad, self.height - y, f"{drawable(line)} ")
