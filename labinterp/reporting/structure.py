"""The structure tree of a story: each flowable gets its element before anything is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reportlab.platypus import Spacer

from labinterp.reporting.flowables import Flag, Grid, NumberLine, PathPicture, Text
from labinterp.reporting.tagging import Element

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def structured(story: Iterable[Any]) -> Element:
    """The document's tree, in reading order; the flowables know their places in it."""
    root = Element("Document")
    _place(story, root)
    return root


def _place(items: Iterable[Any], parent: Element) -> None:
    """Items one after the other; those of one list are in one list element."""
    running: Element | None = None
    for item in _laid_out(items):
        if isinstance(item, Text) and item.role == "LI":
            running = running or parent.add("L")
            _list_item(item, running)
            continue
        if not isinstance(item, Spacer):
            running = None
        _place_one(item, parent)


def _laid_out(items: Iterable[Any]) -> Iterator[Any]:
    """Items, with the content of tables that only lay out in their place."""
    for item in items:
        if isinstance(item, Grid) and item.role is None:
            yield from _laid_out(cell for row in item.rows for cell in row)
        elif isinstance(item, list | tuple):
            yield from _laid_out(item)
        else:
            yield item


def _place_one(item: Any, parent: Element) -> None:
    if isinstance(item, Grid):
        if item.role == "L":
            _facts(item, parent.add("L"))
        else:
            _table(item, parent.add("Table"))
    elif isinstance(item, Flag):
        _place_one(item.words, parent)
    elif isinstance(item, NumberLine | PathPicture):
        item.element = parent.add("Figure", alt=item.alt)
    elif isinstance(item, Text):
        _text(item, parent)


def _text(item: Text, parent: Element) -> None:
    """A paragraph or heading; in a cell the cell has the role."""
    if item.role == "L":
        _inline_list(item, parent)
        return
    role = item.role if item.role in {"H1", "H2"} else "P"
    _runs(item, parent.add(role))


def _list_item(item: Text, parent: Element) -> None:
    made = parent.add("LI")
    item.label = made.add("Lbl") if item.sign else None
    _runs(item, made.add("LBody"))


def _facts(grid: Grid, parent: Element) -> None:
    """Labels with their values, as a list."""
    for item in _laid_out(cell for row in grid.rows for cell in row):
        if isinstance(item, Text):
            _runs(item, parent.add("LI").add("LBody"))


def _runs(item: Text, own: Element) -> None:
    """One element for all of it, but for its links."""
    item.elements = [_run(run.url, own) for run in item.runs]


def _run(url: str, own: Element) -> Element:
    return Element("Link", url=url, alt=url, within=own) if url else own


def _inline_list(item: Text, parent: Element) -> None:
    """A list set as running text; what stands behind it is a paragraph."""
    made = parent.add("L")
    own = made
    for run in item.runs:
        if run.kind == "item":
            own = made.add("LI").add("LBody")
        elif run.kind == "note":
            own = parent.add("P")
        item.elements.append(_run(run.url, own))


def _table(grid: Grid, table: Element) -> None:
    """Header and body; a header cell of a column, a row or a group of rows says which."""
    head, body = table.add("THead"), table.add("TBody")
    for place, row in enumerate(grid.rows):
        is_head = place < grid.repeats
        made = (head if is_head else body).add("TR")
        for cell, span in _cells(row):
            _cell(cell, span, made, is_head=is_head)


def _cells(row: list[Any]) -> Iterator[tuple[Any, int]]:
    """The cells of a row with the columns each takes; an empty text belongs to the one before."""
    place = 0
    while place < len(row):
        end = place + 1
        while end < len(row) and row[end] == "":
            end += 1
        yield row[place], end - place
        place = end


def _cell(cell: Any, span: int, row: Element, *, is_head: bool) -> None:
    items = list(_laid_out([cell]))
    first = items[0] if items else None
    heads = isinstance(first, Text) and first.role == "TH"
    scope = ("Column" if is_head else "Row") if heads else ""
    made = row.add("TH" if heads else "TD", scope=scope, span=span)
    _place(items, made)
    if is_head:
        for kid in made.kids:
            if isinstance(kid, Element):
                kid.repeats = True
