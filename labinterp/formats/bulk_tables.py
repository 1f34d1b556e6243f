"""A large table, read part by part: first every row is put with its patient's, then each patient's.

What only the whole table says (its charset, which columns hold numbers, the order of day and month)
is gathered in the first going over and stands in a document (`table`) that holds no cell of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labinterp.formats import csv_table
from labinterp.formats.csv_columns import Head, Survey, head_of
from labinterp.formats.csv_records import Record, split_lines
from labinterp.formats.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from labinterp.errors import Place
    from labinterp.formats.csv_table import Key
    from labinterp.formats.limits import Context, Reading

_HEAD_LINES: Final = 40
"""The header is looked for in the first lines; the records of so many of them are enough."""
_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a table gave.

    Attributes:
        rows: those that can be read, each with what its patient is known by.
        refused: those that cannot.
        table: what is known of the table with this part.
    """

    rows: Sequence[tuple[Record, Key]]
    refused: tuple[Place, ...]
    table: Mapping[str, Any]


def begun(start: bytes, charset: str, guessed: str | None) -> dict[str, Any]:
    """What is known of a table before any of its rows is read.

    Args:
        start: its beginning, of whole lines.
        charset: `utf-8` or `cp1252`.
        guessed: the sentence that says that the charset was guessed.

    Raises:
        SubmissionError: no row names the columns.
    """
    table = {"charset": charset, "guessed": guessed, "left": 0, "survey": Survey().document()}
    _head(start, table)
    return table


def start_of(body: bytes) -> bytes:
    """So many of a table's first lines as the others here ask for."""
    return b"".join(body.splitlines(keepends=True)[:_HEAD_LINES])


def is_of_one_patient(table: Mapping[str, Any], start: bytes) -> bool:
    """Whether all its rows are one patient's, because it has no column for the number."""
    columns = _head(start, table).columns
    return columns.layout == "long" and "identifier" not in columns.members


def lines_of(body: bytes, table: Mapping[str, Any]) -> list[str]:
    """The lines of a piece, each of which ends in it or is the table's last."""
    lines = split_lines(body.decode(table["charset"]))
    return lines if lines[-1] else lines[:-1]


def part(
    lines: Sequence[str], start: bytes, table: Mapping[str, Any], *, first: int, is_last: bool
) -> Part:
    """The rows of some lines; the last few of them are left to be read with those that follow.

    Args:
        lines: those that were left before, and those that follow.
        start: the table's beginning.
        table: what is known so far.
        first: the number of the first of the lines.
        is_last: whether no line follows; then none is left.
    """
    head = _head(start, table)
    survey = Survey.of(table["survey"])
    records, taken = head.records_of_part(lines, _LIMITS, first=first, is_last=is_last)
    rows, refused = csv_table.sorted_out(records, head.columns, survey)
    known = {**table, "left": len(lines) - taken, "survey": survey.document()}
    return Part(rows, tuple(refused), known)


def panels_of(
    rows: Iterable[Record], start: bytes, table: Mapping[str, Any], context: Context
) -> Reading:
    """The panels of all the rows of some patients."""
    ordered = sorted(rows, key=lambda row: row.line)
    survey = Survey.of(table["survey"])
    return csv_table.panels_of(ordered, _head(start, table), survey, context, table["guessed"])


def written(row: Record) -> str:
    """A row as a line that `rows_of` reads."""
    return json.dumps([row.line, *row.cells], ensure_ascii=False)


def rows_of(kept: bytes) -> list[Record]:
    """The rows that were written."""
    documents = (json.loads(line) for line in kept.split(b"\n") if line)
    return [Record(line, tuple(cells)) for line, *cells in documents]


def _head(start: bytes, table: Mapping[str, Any]) -> Head:
    text = start.decode(table["charset"])
    lines = split_lines(text)[:_HEAD_LINES]
    return head_of(lines, _LIMITS)
