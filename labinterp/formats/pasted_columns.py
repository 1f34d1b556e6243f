"""Pasted tables with a column for each date: which value belongs to which day.

A header names two dates or more; below it each row is read once for each of them, with the values
of the other days blanked out, so that every place in the line stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from labinterp.formats.pasted_lead import MOMENT

_CELLS: Final = re.compile(r"\S+(?: \S+)*")
_BORDERS: Final = ("|", "\t", ";")
_VALUE: Final = re.compile(r"[*!]{0,3}(?:[<>]=?|[≤≥])?\s?[+-]?[0-9]")
_NONE: Final = re.compile(r"[-–—.]{1,3}|n/?a", re.IGNORECASE)
_BARE: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_FEWEST: Final = 2
UNCLEAR: Final = "it has not one value for each date above it; which belongs to which?"
NO_VALUE: Final = "there is no value below any of the dates"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class DateColumns:
    """The dates of a header; `border` parts its cells, or wide blanks where there is none."""

    border: str
    dates: tuple[tuple[int, str], ...]

    def by_date(self, line: str) -> list[tuple[str, str]] | str | None:
        """The row once for each date; why that cannot be told; None where it is no row.

        A date for which the row has no value is left out.
        """
        cells = _cells(line, self.border)
        if len(cells) < _FEWEST or (self.border and self.border not in line):
            return None
        columns = self._columns(line, cells)
        if columns is None:
            return UNCLEAR
        filled = [
            (date, span)
            for date, span in columns
            if line[slice(*span)].strip() and not _NONE.fullmatch(line[slice(*span)].strip())
        ]
        if not filled:
            return NO_VALUE
        return [
            (date, _without(line, [other for _, other in columns if other != span]))
            for date, span in filled
        ]

    def _columns(self, line: str, cells: list[Span]) -> list[tuple[str, Span]] | None:
        if self.border:
            return [(date, cells[index]) for index, date in self.dates if index < len(cells)]
        values, rest = cells[1 : 1 + len(self.dates)], cells[1 + len(self.dates) :]
        texts = [line[slice(*span)] for span in values]
        are_values = all(_VALUE.match(text) or _NONE.fullmatch(text) for text in texts)
        too_many = any(_BARE.fullmatch(line[slice(*span)]) for span in rest)
        if len(values) < len(self.dates) or not are_values or too_many:
            return None
        return [(date, span) for (_, date), span in zip(self.dates, values, strict=True)]


def date_columns(line: str) -> DateColumns | None:
    """The dates that a header names; None where this is no such header."""
    border = next((sign for sign in _BORDERS if sign in line), "")
    cells = _cells(line, border)
    texts = [line[slice(*span)].strip() for span in cells]
    dates = tuple((index, text) for index, text in enumerate(texts) if MOMENT.fullmatch(text))
    others = [text for text in texts if not MOMENT.fullmatch(text)]
    if len(dates) < _FEWEST or any(_VALUE.match(text) for text in others):
        return None
    return DateColumns(border, dates)


def _cells(line: str, border: str) -> list[Span]:
    if not border:
        return [match.span() for match in _CELLS.finditer(line)]
    spans, start = [], 0
    for cell in line.split(border):
        spans.append((start, start + len(cell)))
        start += len(cell) + len(border)
    return spans


def _without(line: str, spans: list[Span]) -> str:
    for start, end in spans:
        line = line[:start] + " " * (end - start) + line[end:]
    return line
