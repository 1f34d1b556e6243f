"""Lists on a terminal: columns as wide as their longest word."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def show(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print the rows under their heads; a word with control characters is printed without them."""
    cells = [list(heads), *([_word(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(padded).rstrip())


def _word(cell: object) -> str:
    text = "-" if cell is None or cell == "" else str(cell)
    return "".join(mark if mark.isprintable() else "?" for mark in text)
