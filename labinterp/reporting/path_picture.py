"""The causal paths a panel activates as one picture: one geometry, drawn alike by PDF and by SVG.

Every state stands once in a box; arrows read "leads to". `down` gives each box a line of its own,
for a page of any width; `across` runs each chain from left to right, for paper. Where the steps
lead is known before anything is placed, so boxes never overlap and no arrow crosses a box. Nothing
is conveyed by the picture alone: `alt` says it in words. Ranking, placing and drawing stay in one
file, because a change of one is checked against the other two.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from labinterp.reporting import words
from labinterp.reporting.palette import BAND, BAND_EDGE, INK, LOOKS, MUTED, PALE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from labinterp.model.interpretation import Path

Place = tuple[float, float]
Kind = Literal["start", "between", "end"]
OPPOSES: Final = "(opposes twitching)"
MOST: Final = 24
"""A picture has at most so many boxes; of more, the paths that come last are told in words only."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How text is set, in the renderer's unit.

    Attributes:
        size: of the type. leading: from line to line. width_of: width of a text.
        pad: room between a box and its text. gap: least room between two boxes.
    """

    size: float
    leading: float
    width_of: Callable[[str], float]
    pad: float
    gap: float


@dataclass(frozen=True, slots=True)
class Box:
    """A state; `x` and `y` are its left upper corner."""

    id: str
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    kind: Kind
    opposes: bool

    @property
    def middle(self) -> float:
        """Half way down."""
        return self.y + self.height / 2

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Arrow:
    """From a state to what it leads to, in upright and level stretches."""

    start: str
    end: str
    points: tuple[Place, ...]
    opposes: bool

    def head(self, size: float) -> tuple[Place, Place, Place]:
        """The tip and the two corners behind it."""
        (x0, y0), (x1, y1) = self.points[-2:]
        dx, dy = _sign(x1 - x0), _sign(y1 - y0)
        back_x, back_y, half = x1 - dx * size, y1 - dy * size, size * 0.55
        return (
            (x1, y1),
            (back_x - dy * half, back_y - dx * half),
            (back_x + dy * half, back_y + dx * half),
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn, with its size; the origin is the left upper corner.

    Attributes:
        alt: the whole picture as one sentence.
        left_out: paths that are told in words only.
    """

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    alt: str
    left_out: int = 0


def drawn(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The paths that a picture shows: to what was recorded and what opposes; else all of them."""
    wanted = [path for path in paths if path.recorded or path.opposes]
    chosen: list[Path] = []
    seen: set[str] = set()
    for path in wanted if any(path.recorded for path in paths) else paths:
        if len(seen.union(path.nodes)) <= MOST:
            chosen.append(path)
            seen.update(path.nodes)
    return tuple(chosen)


def picture(
    paths: Sequence[Path], pen: Pen, width: float, way: Literal["down", "across"] = "down"
) -> Picture | None:
    """The picture of the active paths; None where there is none.

    Args:
        paths: as the answer has them.
        pen: how text is set.
        width: room for the picture [the renderer's unit].
        way: `across` where it fits, else `down`.
    """
    shown = drawn(paths)
    if not shown:
        return None
    plan = _planned(shown)
    widths = _column_widths(plan, pen, width) if way == "across" else None
    if widths is None:
        boxes, arrows = _down(plan, pen, width)
    else:
        boxes, arrows = _across(plan, pen, widths)
    return Picture(
        width=width,
        height=1
        + max(*(box.bottom for box in boxes), *(y for arrow in arrows for _, y in arrow.points)),
        boxes=boxes,
        arrows=arrows,
        alt=sentence(shown),
        left_out=len(paths) - len(shown),
    )


@dataclass(frozen=True, slots=True)
class Look:
    """How a box is drawn; the width of its edge says start and end where there are no colours."""

    fill: str
    edge: str
    line: float


LOOK: Final[dict[Kind, Look]] = {
    "start": Look(BAND, BAND_EDGE, 1.4),
    "between": Look("#FFFFFF", MUTED, 0.7),
    "end": Look(PALE, INK, 1.4),
}


# ---- in words

_LEGEND: Final = "Arrows read “leads to”; filled: where a path starts"
_DASHED: Final = "; dashed: opposes twitching"


def legend(paths: Sequence[Path]) -> str:
    """What the marks of their picture mean; nothing of marks that it has not."""
    return f"{_LEGEND}{_DASHED if any(path.opposes for path in drawn(paths)) else ''}."


def not_drawn(paths: Sequence[Path]) -> str:
    """The paths that their picture does not show, in one sentence; empty where there are none."""
    shown = drawn(paths)
    return sentence([path for path in paths if path not in shown])


def sentence(paths: Sequence[Path]) -> str:
    """The paths as one sentence, each step said once: `low magnesium, then PTH falls, then …`."""
    told: set[tuple[str, str]] = set()
    chains: list[str] = []
    for path in paths:
        labels = [_inside(label) for label in path.labels]
        ending = ", which opposes twitching" if path.opposes else ""
        for first, last in _new_stretches(path.nodes, told):
            chains.append(", then ".join(labels[first : last + 1]) + ending)
    return words.ended(words.capital("; ".join(chains)))


def _new_stretches(nodes: Sequence[str], told: set[tuple[str, str]]) -> Iterator[tuple[int, int]]:
    """First and last place of each run of steps that were not told; then they are."""
    first = None
    for n, step in enumerate(pairwise(nodes)):
        if step not in told and first is None:
            first = n
        elif step in told and first is not None:
            yield first, n
            first = None
        told.add(step)
    if first is not None:
        yield first, len(nodes) - 1


def _inside(label: str) -> str:
    """A label within a sentence; an abbreviation keeps its capitals."""
    return label if label[1:2].isupper() else f"{label[:1].lower()}{label[1:]}"


# ---- which box follows which


@dataclass(slots=True)
class _Plan:
    """The states in an order in which every cause stands before its effects.

    Attributes:
        labels: what stands in each box, a line at least for each.
        after: where each state leads, shortest way first.
        order: the states; each is grown from the last of its causes, its `parent`.
        kids: states grown from a state; the last of them has the longest way to go.
        joins: further causes of each state.
        opposing: steps that work against excitability.
    """

    labels: dict[str, tuple[str, ...]]
    after: dict[str, list[str]]
    starts: list[str]
    opposing: set[tuple[str, str]]
    order: list[str] = field(default_factory=list)
    kids: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    joins: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def kind(self, node: str) -> Kind:
        """Whether paths start here, end here, or go on."""
        return "start" if node in self.starts else "between" if self.after.get(node) else "end"

    def opposes(self, node: str) -> bool:
        """Whether every step to or from this state is against excitability."""
        steps = [(a, b) for a, ends in self.after.items() for b in ends if node in (a, b)]
        return all(step in self.opposing for step in steps)

    def joined_from(self, node: str) -> list[str]:
        """States that this one leads to without their being grown from it."""
        return [end for end, causes in self.joins.items() if node in causes]


def _planned(paths: Sequence[Path]) -> _Plan:
    labels: dict[str, tuple[str, ...]] = {}
    after: dict[str, list[str]] = {}
    opposing: set[tuple[str, str]] = set()
    for path in paths:
        for node, label in zip(path.nodes, path.labels, strict=True):
            labels.setdefault(node, (label,))
        for start, end in pairwise(path.nodes):
            ends = after.setdefault(start, [])
            if end not in ends:
                ends.append(end)
            if path.opposes:
                opposing.add((start, end))
    _merge_endings(labels, after, opposing)
    entered = {end for ends in after.values() for end in ends}
    plan = _Plan(labels, after, [node for node in labels if node not in entered], opposing)
    for node in plan.starts:
        if plan.opposes(node):
            labels[node] = (*labels[node], OPPOSES)
    _grow_all(plan)
    return plan


def _merge_endings(
    labels: dict[str, tuple[str, ...]],
    after: dict[str, list[str]],
    opposing: set[tuple[str, str]],
) -> None:
    """Endings of the very same causes share a box."""
    causes: dict[tuple[tuple[str, bool], ...], list[str]] = {}
    for node in labels:
        if node not in after:
            into = tuple(
                (start, (start, node) in opposing) for start, ends in after.items() if node in ends
            )
            causes.setdefault(into, []).append(node)
    for into, (first, *others) in causes.items():
        for other in others:
            labels[first] = (*labels[first], *labels.pop(other))
            for start, _ in into:
                after[start].remove(other)


def _grow_all(plan: _Plan) -> None:
    """Put the states in order, the longest way last."""
    reach: dict[str, int] = {}

    def far(node: str) -> int:
        if node not in reach:
            reach[node] = max((far(end) + 1 for end in plan.after.get(node, ())), default=0)
        return reach[node]

    waiting: dict[str, set[str]] = defaultdict(set)
    for start, ends in plan.after.items():
        ends.sort(key=far)
        for end in ends:
            waiting[end].add(start)

    def grow(node: str) -> None:
        plan.order.append(node)
        for end in plan.after.get(node, ()):
            waiting[end].discard(node)
            if waiting[end]:
                plan.joins[end].append(node)
            else:
                plan.kids[node].append(end)
                grow(end)

    plan.starts.reverse()
    for start in sorted(plan.starts, key=lambda node: (plan.opposes(node), far(node))):
        grow(start)


# ---- each box on a line of its own

_INDENT: Final = 1.5
"""Of a branch [type sizes]."""
_TRUNK: Final = 0.6
"""From a box's left edge to the arrow that leaves below it [type sizes]."""
_LANE: Final = 0.9
"""Between two upright stretches beside the boxes [type sizes]."""
_ASIDE: Final = 0.25
"""From a box's middle to where joins leave it (below) and reach it (above) [type sizes]."""


def _down(plan: _Plan, pen: Pen, width: float) -> tuple[tuple[Box, ...], tuple[Arrow, ...]]:
    depth = _depths(plan)
    lanes = _lanes(
        {
            end: (min(plan.order.index(one) for one in causes), plan.order.index(end))
            for end, causes in plan.joins.items()
        }
    )
    lane = _LANE * pen.size
    room = width - 1 - lane * (1 + max(lanes.values())) if lanes else width - 1
    boxes: dict[str, Box] = {}
    y = 1.0
    for node in plan.order:
        x = 1 + depth[node] * _INDENT * pen.size
        boxes[node] = _box(plan, node, pen, (x, y), room - x)
        y = boxes[node].bottom + pen.gap
    aside, trunk = _ASIDE * pen.size, _TRUNK * pen.size
    points: dict[tuple[str, str], tuple[Place, ...]] = {}
    for node, kids in plan.kids.items():
        points.update({(node, kid): _branch(boxes[node], boxes[kid], trunk) for kid in kids})
    for end, causes in plan.joins.items():
        beside, into = room + lane * (lanes[end] + 1), boxes[end]
        for cause in causes:
            out = boxes[cause].middle + aside
            points[cause, end] = (
                (boxes[cause].right, out),
                (beside, out),
                (beside, into.middle - aside),
                (into.right, into.middle - aside),
            )
    return tuple(boxes.values()), _arrows(plan, points)


def _depths(plan: _Plan) -> dict[str, int]:
    """How far each box is indented: as its parent's if it goes on furthest, else one more."""
    depth: dict[str, int] = dict.fromkeys(plan.starts, 0)
    for node in plan.order:
        kids = plan.kids.get(node, [])
        depth.update({kid: depth[node] + (kid != kids[-1]) for kid in kids})
    return depth


def _branch(box: Box, kid: Box, trunk: float) -> tuple[Place, ...]:
    """Straight down to a box at the same indent, else down and to the right."""
    x = box.x + trunk
    if kid.x == box.x:
        return ((x, box.bottom), (x, kid.y))
    return ((x, box.bottom), (x, kid.middle), (kid.x, kid.middle))


def _lanes(spans: dict[str, tuple[int, int]]) -> dict[str, int]:
    """A lane for each span, so that none lies on another; short ones innermost."""
    taken: list[list[tuple[int, int]]] = []
    lanes: dict[str, int] = {}
    for name, (first, last) in sorted(spans.items(), key=lambda one: one[1][1] - one[1][0]):
        free = (
            n
            for n, others in enumerate(taken)
            if all(last < start or end < first for start, end in others)
        )
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((first, last))
        lanes[name] = lane
    return lanes


# ---- each chain from left to right

_COLUMN_GAP: Final = 2.4
"""Between two columns of boxes [type sizes]."""
_OUT: Final = 0.6
"""From a box's right edge to the arrows that leave it upright [type sizes]."""
_BESIDE: Final = 1.0
"""From the upright stretch of the innermost join to the box it leads to [type sizes]."""
_MOST_LINES: Final = 5


def _columns(plan: _Plan) -> dict[str, int]:
    """The column of each state: one beyond the last of its causes."""
    column = dict.fromkeys(plan.order, 0)
    for node in plan.order:
        for end in plan.after.get(node, ()):
            column[end] = max(column[end], column[node] + 1)
    return column


def _column_widths(plan: _Plan, pen: Pen, width: float) -> tuple[float, ...] | None:
    """Columns whose boxes have the fewest lines that fit; None where none fit."""
    column = _columns(plan)
    count = max(column.values()) + 1
    free = width - 2 - (count - 1) * _column_gap(plan, pen)
    needed = [
        [
            max(
                _least_width(plan.labels[node], pen, lines) + 2 * pen.pad
                for node in plan.order
                if column[node] == place
            )
            for place in range(count)
        ]
        for lines in range(1, _MOST_LINES + 1)
    ]
    widths = next((row for row in needed if sum(row) <= free), None)
    if widths is None:
        return None
    return tuple(_lowered(plan, pen, widths, needed, free))


def _lowered(
    plan: _Plan, pen: Pen, widths: list[float], needed: list[list[float]], free: float
) -> list[float]:
    """Give what room is left to the columns with the tallest boxes, as far as it goes."""
    column = _columns(plan)

    def tall(place: int) -> int:
        inner = widths[place] - 2 * pen.pad
        return max(
            sum(len(_wrapped(label, pen, inner)) for label in plan.labels[node])
            for node in plan.order
            if column[node] == place
        )

    spare = True
    while spare:
        spare = False
        for place in sorted(range(len(widths)), key=tall, reverse=True):
            wider = min((row[place] for row in needed if row[place] > widths[place]), default=free)
            if sum(widths) - widths[place] + wider <= free:
                widths[place], spare = wider, True
                break
    return widths


def _column_gap(plan: _Plan, pen: Pen) -> float:
    """Room for what leaves a column upright, and for every join of the next."""
    return (_COLUMN_GAP + _LANE * max(_join_lanes(plan).values(), default=0)) * pen.size


def _join_lanes(plan: _Plan) -> dict[str, int]:
    """A lane for each state that is joined, among those of its column."""
    column = _columns(plan)
    lanes: dict[str, int] = {}
    for node in plan.joins:
        lanes[node] = sum(column[other] == column[node] for other in lanes)
    return lanes


def _least_width(labels: Iterable[str], pen: Pen, lines: int) -> float:
    """The width in which every label takes at most so many lines, and no word is cut."""
    least = 0.0
    for label in labels:
        words = label.split()
        tries = sorted(
            pen.width_of(" ".join(words[start:end]))
            for start in range(len(words))
            for end in range(start + 1, len(words) + 1)
        )
        longest = max(map(pen.width_of, words))
        wide = (one for one in tries if one >= longest)
        least = max(least, next(one for one in wide if len(_wrapped(label, pen, one)) <= lines))
    return least + 0.01


@dataclass(slots=True)
class _Rows:
    """Which row each state is in; a join that finds its row taken gets one for itself."""

    of: dict[str, int] = field(default_factory=dict)
    of_join: dict[tuple[str, str], int] = field(default_factory=dict)
    count: int = 0

    def new(self) -> int:
        """A row below all others."""
        self.count += 1
        return self.count - 1


def _rows(plan: _Plan) -> _Rows:
    """The longest chain first, its branches below it."""
    rows = _Rows()

    def place(node: str, row: int) -> None:
        rows.of[node] = row
        kids = plan.kids.get(node, [])
        if kids:
            place(kids[-1], row)
        for kid in reversed(kids[:-1]):
            place(kid, rows.new())
        free = not kids
        for end in plan.joined_from(node):
            rows.of_join[node, end] = row if free else rows.new()
            free = False

    starts = [node for node in reversed(plan.order) if node in plan.starts]
    for start in sorted(starts, key=plan.opposes):
        place(start, rows.new())
    return rows


def _across(
    plan: _Plan, pen: Pen, widths: Sequence[float]
) -> tuple[tuple[Box, ...], tuple[Arrow, ...]]:
    column, rows, gap = _columns(plan), _rows(plan), _column_gap(plan, pen)
    lefts = [1 + sum(widths[:n]) + gap * n for n in range(len(widths))]
    sized = {
        node: _box(plan, node, pen, (lefts[column[node]], 0.0), widths[column[node]])
        for node in plan.order
    }
    middles = _middles(sized, rows, pen)
    boxes = {
        node: replace(box, y=middles[rows.of[node]] - box.height / 2) for node, box in sized.items()
    }
    points: dict[tuple[str, str], tuple[Place, ...]] = {}
    for node, kids in plan.kids.items():
        for kid in kids:
            turn = boxes[node].right + _OUT * pen.size
            points[node, kid] = _turning(boxes[node], turn, boxes[kid].middle, turn, boxes[kid])
    lanes = _join_lanes(plan)
    for end, causes in plan.joins.items():
        beside = boxes[end].x - (_BESIDE + _LANE * lanes[end]) * pen.size
        for cause in causes:
            row, turn = middles[rows.of_join[cause, end]], boxes[cause].right + _OUT * pen.size
            points[cause, end] = _turning(boxes[cause], turn, row, beside, boxes[end])
    return tuple(boxes.values()), _arrows(plan, points)


def _turning(start: Box, turn: float, row: float, beside: float, end: Box) -> tuple[Place, ...]:
    """Out of a box, up or down to a row, along it, up or down to a box, and into it."""
    corners = (
        (start.right, start.middle),
        (turn, start.middle),
        (turn, row),
        (beside, row),
        (beside, end.middle),
        (end.x, end.middle),
    )
    kept: list[Place] = []
    for corner in dict.fromkeys(corners):
        if len(kept) > 1 and any(kept[-2][n] == kept[-1][n] == corner[n] for n in (0, 1)):
            kept.pop()
        kept.append(corner)
    return tuple(kept)


def _middles(boxes: dict[str, Box], rows: _Rows, pen: Pen) -> list[float]:
    """The middle of each row; a row without a box is only as high as an arrow needs."""
    heights = [pen.size * 0.4] * rows.count
    for node, box in boxes.items():
        heights[rows.of[node]] = max(heights[rows.of[node]], box.height)
    middles: list[float] = []
    top = 1.0
    for height in heights:
        middles.append(top + height / 2)
        top += height + pen.gap
    return middles


# ---- boxes and arrows


def _box(plan: _Plan, node: str, pen: Pen, corner: Place, room: float) -> Box:
    """A box as wide as its longest line, at most as wide as there is room."""
    inner = room - 2 * pen.pad
    lines = tuple(line for label in plan.labels[node] for line in _wrapped(label, pen, inner))
    return Box(
        id=node,
        x=corner[0],
        y=corner[1],
        width=min(max(map(pen.width_of, lines)), inner) + 2 * pen.pad,
        height=len(lines) * pen.leading + 2 * pen.pad,
        lines=lines,
        kind=plan.kind(node),
        opposes=plan.opposes(node),
    )


def _wrapped(label: str, pen: Pen, width: float) -> tuple[str, ...]:
    """A text in lines no wider than this, where its words are not."""
    lines: list[str] = []
    for word in label.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and pen.width_of(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines)


def _arrows(plan: _Plan, points: dict[tuple[str, str], tuple[Place, ...]]) -> tuple[Arrow, ...]:
    return tuple(
        Arrow(start, end, tuple((round(x, 2), round(y, 2)) for x, y in way), opposes)
        for (start, end), way in points.items()
        for opposes in [(start, end) in plan.opposing]
    )


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


# ---- as SVG

SVG_WIDTH: Final = 340
"""Shown at least 288 px wide, so that its type is 11 px or more."""
_SVG_SIZE: Final = 13
_LETTERS: Final = (("ijlI.,;:' ", 0.32), ("ftr()-", 0.43), ("mwMW", 0.98))
_CAPITAL: Final = 0.72
_LETTER: Final = 0.64
"""Widths of letters in the widest of common system fonts, as parts of the type size."""
_HEAD: Final = 0.5
"""Length of an arrow's head [type sizes]."""


def _letter_width(letter: str) -> float:
    narrow_or_wide = next((width for letters, width in _LETTERS if letter in letters), None)
    return narrow_or_wide or (_CAPITAL if letter.isupper() else _LETTER)


SVG_PEN: Final = Pen(
    size=_SVG_SIZE,
    leading=16,
    width_of=lambda text: _SVG_SIZE * sum(map(_letter_width, text)),
    pad=5,
    gap=13,
)


def svg(made: Picture, name: str = "paths", *, bare: bool = False) -> str:
    """The picture as inline SVG: no style attributes, no script; CSS may restyle its classes.

    Classes: `pp`; `pp-box`, `pp-text`, `pp-arrow`, `pp-head`, each with `pp-opposes` where it works
    against excitability; boxes also `pp-start`, `pp-between`, `pp-end`.

    Args:
        made: what `picture` gave, set with `SVG_PEN`.
        name: begins the ids within, so that a page may hold several.
        bare: leave colours, strokes and the size of type to the style sheet of the page.
    """
    drawn = "".join((*map(_svg_arrow, made.arrows), *map(_svg_box, made.boxes)))
    frame = f'viewBox="0 0 {made.width:g} {made.height:g}"'
    parts = (
        f'<svg class="pp" {frame} role="img" aria-labelledby="{name}-title {name}-desc">',
        f'<title id="{name}-title">The causal paths these results activate</title>',
        f'<desc id="{name}-desc">{escape(made.alt)}</desc>',
        LOOKS.sub("", drawn) if bare else drawn,
        "</svg>",
    )
    return "".join(parts)


def _svg_arrow(arrow: Arrow) -> str:
    side, dashes = (" pp-opposes", ' stroke-dasharray="5 3"') if arrow.opposes else ("", "")
    line = " ".join(f"{x:g},{y:g}" for x, y in arrow.points)
    head = " ".join(f"{x:.1f},{y:.1f}" for x, y in arrow.head(_HEAD * _SVG_SIZE))
    return (
        f'<polyline class="pp-arrow{side}" points="{line}" fill="none" stroke="{MUTED}"'
        f' stroke-width="1.3"{dashes}/>'
        f'<polygon class="pp-head{side}" points="{head}" fill="{MUTED}"/>'
    )


def _svg_box(box: Box) -> str:
    look = LOOK[box.kind]
    side, dashes = (" pp-opposes", ' stroke-dasharray="5 3"') if box.opposes else ("", "")
    lines = "".join(
        f'<text class="pp-text" x="{box.x + SVG_PEN.pad:g}" y="{y:g}" font-size="{_SVG_SIZE}"'
        f' fill="{INK}">{escape(line)}</text>'
        for y, line in written(box, SVG_PEN)
    )
    return (
        f'<rect class="pp-box pp-{box.kind}{side}" x="{box.x:g}" y="{box.y:g}"'
        f' width="{box.width:g}" height="{box.height:g}" rx="2" fill="{look.fill}"'
        f' stroke="{look.edge}" stroke-width="{look.line:g}"{dashes}/>{lines}'
    )


def written(box: Box, pen: Pen) -> Iterator[tuple[float, str]]:
    """Each line of a box with its base line."""
    for n, line in enumerate(box.lines):
        yield round(box.y + pen.pad + n * pen.leading + pen.leading * 0.76, 2), line
