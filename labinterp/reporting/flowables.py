"""What ReportLab lacks: paragraphs that know their role, symbols as vectors, the number line."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable, Paragraph, Table

from labinterp.reporting import fonts, palette, style
from labinterp.reporting.glyphs import drawable
from labinterp.reporting.number_line import Geometry, fitting
from labinterp.reporting.path_picture import LOOK, Pen, written

if TYPE_CHECKING:
    from labinterp.reporting.palette import Symbol
    from labinterp.reporting.path_picture import Arrow, Box, Picture

Role = Literal["H1", "H2", "P", "LI", "TH", "TD", "Table", "Figure", "Caption"]
_SYMBOL: Final = 3.0
"""Half the width of a symbol [pt]."""
_GUTTER: Final = 9.5
"""Room for the symbols before the flag's words [pt]."""
_DASHES: Final[dict[bool, tuple[Any, ...]]] = {False: (), True: (2.4, 1.4)}
_HEAD: Final = 3.2
"""Length of an arrow's head [pt]."""


class Text(Paragraph):  # type: ignore[misc]
    """A paragraph that knows what it is, so that a structure tree can be made of it."""

    def __init__(self, markup: str, look: Any, role: Role = "P", **more: Any) -> None:
        super().__init__(markup, look, **more)
        self.role: Role = role


class Grid(Table):  # type: ignore[misc]
    """A table that knows whether it holds data (`Table`) or only places things (no role)."""

    def __init__(self, rows: list[Any], *, role: Role | None = None, **more: Any) -> None:
        super().__init__(rows, **more)
        self.role: Role | None = role


class Flag(Flowable):  # type: ignore[misc]
    """Words with their symbol before them; the words are the flag, the symbol repeats it."""

    def __init__(self, symbol: Symbol, colour: str, words: Text) -> None:
        super().__init__()
        self.symbol, self.colour, self.words = symbol, colour, words
        self.role: Role = "P"

    def wrap(self, available: float, height: float) -> tuple[float, float]:
        """The size [pt] in so much room [pt]."""
        _, self.height = self.words.wrap(available - _GUTTER, height)
        self.width = available
        return available, self.height

    def draw(self) -> None:
        """The symbol beside the first line, then the words."""
        middle = self.height - self.words.style.leading / 2 - 0.6
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


class NumberLine(Flowable):  # type: ignore[misc]
    """A result in its interval, drawn from the shared geometry; its words stand in the same row."""

    def __init__(self, line: Geometry, height: float) -> None:
        super().__init__()
        self.line, self.colour, self.height = line, palette.COLOUR_OF[line.standing], height
        self.role: Role = "Figure"
        self.alt = line.alt

    def wrap(self, available: float, height: float) -> tuple[float, float]:
        """As wide as there is room [pt]."""
        del height
        self.width = available
        return available, self.height

    def draw(self) -> None:
        """Track, band, limits, earlier value, value, labels."""
        self.middle = self.height - 8.4
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
            self._write(style.EDGE + left, self.middle - 9.7, label.text, colour)

    def _write(self, x: float, y: float, text: str, colour: str) -> None:
        self.canv.setFont(fonts.REGULAR, style.LABEL)
        self.canv.setFillColor(HexColor(colour))
        self.canv.drawString(x, y, text)


PATH_PEN: Final = Pen(
    size=style.SMALLEST,
    leading=7.8,
    width_of=lambda text: fonts.width(text, style.SMALLEST),
    pad=1.7,
    gap=3.4,
)
"""How the boxes of a path picture are set on paper [pt]."""
TALLEST: Final = 400.0
"""A path picture that is taller stands on no page beside other things, and is told instead [pt]."""


class PathPicture(Flowable):  # type: ignore[misc]
    """The active causal paths, drawn from the shared geometry; its sentence is its alternative."""

    def __init__(self, made: Picture) -> None:
        super().__init__()
        self.made, self.width, self.height = made, made.width, made.height
        self.role: Role = "Figure"
        self.alt = made.alt

    def wrap(self, available: float, height: float) -> tuple[float, float]:
        """The size [pt] that it was laid out for."""
        del available, height
        return self.width, self.height

    def draw(self) -> None:
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
            shown = drawable(line, fonts.covered())
            canvas.drawString(box.x + PATH_PEN.pad, self.height - y, shown)
