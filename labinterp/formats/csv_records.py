"""The records of a delimited table.

A broken one loses only itself, and no quotation mark can swallow the rest of the file.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.errors import TooLarge
from labinterp.formats.characters import forbidden_character

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from labinterp.formats.limits import Limits

DELIMITERS: Final = ("\t", ";", "|", ",")
"""Tried in this order; on a tie the earlier wins, for a comma is also a decimal sign."""
LONGEST_RECORD: Final = 20
"""A record goes over so many lines at most."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `fault` says why its cells cannot be used."""

    line: int
    cells: tuple[str, ...]
    fault: str | None = None


def lines_of(text: str, limits: Limits) -> list[str]:
    """The physical lines, without blank ones at the end.

    Raises:
        TooLarge: more than the limits allow.
    """
    lines = split_lines(text)
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) > limits.rows:
        raise TooLarge(f"The table has {len(lines)} rows; at most {limits.rows} are taken.")
    return lines


def split_lines(text: str) -> list[str]:
    """The lines as any system ends them; the last is what stands behind the last end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def records(
    lines: Sequence[str], delimiter: str, limits: Limits, may_break: Container[int] | None = None
) -> list[Record]:
    """Each record that is not blank, with the line it begins on (from 1).

    Args:
        lines: the physical lines.
        delimiter: the sign between cells.
        limits: how much is taken.
        may_break: columns whose cells may hold line breaks; None for all. Elsewhere a quotation
            mark that runs on is a slip, which must not swallow the rows below.
    """
    return records_before(len(lines), lines, delimiter, limits, may_break)[0]


def records_before(
    stop: int,
    lines: Sequence[str],
    delimiter: str,
    limits: Limits,
    may_break: Container[int] | None,
    *,
    first: int = 1,
) -> tuple[list[Record], int]:
    """The records that begin before a place in these lines, and the place behind the last of them.

    Args:
        stop: an index of `lines`; of those before it none goes beyond the lines at hand.
        lines: physical lines that follow one another.
        delimiter: as for `records`.
        limits: as for `records`.
        may_break: as for `records`.
        first: the number of the first of these lines.
    """
    found: list[Record] = []
    position = 0
    while position < stop:
        cells, used, fault = _record(lines, position, delimiter, limits, may_break)
        number = position + first
        position += used
        if fault or any(cell.strip() for cell in cells):
            found.append(Record(number, cells, fault))
    return found, position


def _record(
    lines: Sequence[str],
    start: int,
    delimiter: str,
    limits: Limits,
    may_break: Container[int] | None,
) -> tuple[tuple[str, ...], int, str | None]:
    """Cells, how many lines they took, and a fault; an unclosed quote ends after a few lines."""
    for used in range(1, LONGEST_RECORD + 1):
        if start + used > len(lines):
            break
        text = lines[start] if used == 1 else "\n".join(lines[start : start + used])
        if len(text) > limits.cell_characters * 20:
            return (), 1, "is longer than a row may be"
        try:
            cells = next(csv.reader([text], delimiter=delimiter, strict=True))
        except csv.Error as error:
            if "end of data" in str(error):
                continue
            return (), 1, f"has a misplaced quotation mark ({error})"
        if _breaks_elsewhere(cells, may_break):
            break
        return _checked(cells, used, limits)
    return (), 1, "opens a quotation mark that is not closed"


def _breaks_elsewhere(cells: Sequence[str], may_break: Container[int] | None) -> bool:
    return may_break is not None and any(
        "\n" in cell and column not in may_break for column, cell in enumerate(cells)
    )


def _checked(
    cells: list[str], used: int, limits: Limits
) -> tuple[tuple[str, ...], int, str | None]:
    if len(cells) > limits.columns:
        return (), used, f"has {len(cells)} cells; at most {limits.columns} are taken"
    for column, cell in enumerate(cells, start=1):
        if len(cell) > limits.cell_characters:
            return (), used, f"has {len(cell)} characters in cell {column}"
        character = forbidden_character(cell, lines=True)
        if character:
            return (), used, f"holds the control character {character} in cell {column}"
    return tuple(cell.strip() for cell in cells), used, None
