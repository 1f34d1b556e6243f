"""What the columns of a table are, and whether a row of it is a result or a panel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from labinterp.errors import Place, SubmissionError
from labinterp.formats.characters import folded, quoted
from labinterp.formats.csv_records import (
    DELIMITERS,
    LONGEST_RECORD,
    Record,
    records,
    records_before,
)
from labinterp.formats.dates import Order, order_of
from labinterp.formats.headings import MEMBER_OF, RESULT_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from labinterp.formats.limits import Limits

Layout = Literal["long", "wide"]

_HEADER_WITHIN: Final = 20
"""The header is looked for in so many records; reports begin with titles."""
_FEWEST_COLUMNS: Final = 2
_WITH_UNIT: Final = re.compile(
    r"(.{1,100}?)\s{0,5}[\[(]\s{0,5}([^\s()\[\]]{0,20}(?:/|%)[^()\[\]]{0,30}?)\s{0,5}[\])]\s{0,5}"
)
_UNIT_BESIDE: Final = re.compile(r"(.{1,100}?)[\s_]{1,3}(?:units?|einheit|unit[eé])", re.IGNORECASE)
_DECISIVE: Final = frozenset(("value", "comparator", "unit"))
"""Members of a result of which two unlike ones cannot be chosen from."""
_DATES: Final = frozenset(("birth_date", "collected_at"))
_NUMBER: Final = re.compile(r"[<>≤≥]?=?\s?[+-]?[0-9]{1,15}(?:[.,][0-9]{1,15})?")
_ALSO_PANEL: Final = {"result_status": "status", "note": "comment"}
"""In a wide table there is no single result these could speak of."""


@dataclass(frozen=True, slots=True)
class TestColumn:
    """A column of a wide table that holds one test's values."""

    index: int
    name: str
    unit: str | None
    unit_index: int | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The meaning of a table's columns.

    Attributes:
        members: member to its column.
        tests: of a wide table, the columns that are tests.
        unused: headings that mean nothing here, with their columns.
        rivals: further columns of a value, comparator or unit that has one already.
        width: how many cells the header has.
        line: where the header stands.
    """

    layout: Layout
    members: Mapping[str, int]
    tests: tuple[TestColumn, ...]
    unused: tuple[tuple[int, str], ...]
    width: int
    line: int
    rivals: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """Where a table's header stands and what it says; enough to read any of its rows."""

    columns: Columns
    delimiter: str

    def records(self, lines: Sequence[str], limits: Limits) -> list[Record]:
        """The records of all the lines of a table."""
        return records(lines, self.delimiter, limits, _may_break(self.columns))

    def records_of_part(
        self, lines: Sequence[str], limits: Limits, *, first: int, is_last: bool
    ) -> tuple[list[Record], int]:
        """The records of some of its lines, and how many lines they took.

        Args:
            lines: lines of the table that follow one another.
            limits: how much is taken.
            first: the number of the first of them.
            is_last: whether none follows; else the last few are left, for a record that began
                there may go on.
        """
        stop = len(lines) if is_last else max(0, len(lines) - LONGEST_RECORD)
        may_break = _may_break(self.columns)
        return records_before(stop, lines, self.delimiter, limits, may_break, first=first)


@dataclass(slots=True)
class Survey:
    """What only all rows of a table together say of its columns.

    Attributes:
        numeric: of a wide table, columns without a unit that hold a number.
        filled: columns that mean nothing here and hold something.
        orders: the orders of day and month that a column of dates proves.
    """

    numeric: set[int] = field(default_factory=set)
    filled: set[int] = field(default_factory=set)
    orders: dict[str, set[Order]] = field(default_factory=dict)

    def see(self, record: Record, columns: Columns) -> None:
        """Take a row into account."""
        for index, name in columns.unused:
            cell = cell_of(record, index)
            if cell:
                self.filled.add(index)
                if name and columns.layout == "wide" and index not in self.numeric:
                    self._see_number(index, cell)
        for member in _DATES & columns.members.keys():
            order = order_of((cell_of(record, columns.members[member]),))
            if order:
                self.orders.setdefault(member, set()).add(order)

    def _see_number(self, index: int, cell: str) -> None:
        if _NUMBER.fullmatch(cell):
            self.numeric.add(index)

    def order(self, member: str) -> Order | None:
        """The order of day and month in a column; None where no row proves it, or rows differ."""
        proved = self.orders.get(member, set())
        return next(iter(proved)) if len(proved) == 1 else None

    def document(self) -> dict[str, Any]:
        """As JSON; no cell of the table is in it."""
        return {
            "numeric": sorted(self.numeric),
            "filled": sorted(self.filled),
            "orders": {member: sorted(orders) for member, orders in self.orders.items()},
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Survey:
        """The same from what `document` made."""
        orders = {member: set(orders) for member, orders in document["orders"].items()}
        return cls(set(document["numeric"]), set(document["filled"]), orders)


def head_of(lines: Sequence[str], limits: Limits) -> Head:
    """The header, by the delimiter whose header names most; it stands in the first few lines.

    Raises:
        SubmissionError: no row names the columns.
    """
    best = max(
        (_headed(lines, delimiter, limits) for delimiter in _delimiters(lines)),
        key=lambda found: found[0],
    )
    score, delimiter, columns = best
    if columns is None or not score:
        message = (
            "no row names the columns; needed are test (or LOINC), value and unit, "
            "or one column a test with its unit: Potassium (mmol/L)"
        )
        raise SubmissionError(
            f"The table: {message}",
            code="header-missing",
            errors=(Place("row 1", "header-missing", message),),
        )
    return Head(columns, delimiter)


def _may_break(columns: Columns) -> frozenset[int]:
    """Columns of remarks, and those that mean nothing here."""
    remarks = (columns.members.get(member) for member in ("note", "comment"))
    return frozenset(
        (
            *(index for index in remarks if index is not None),
            *(index for index, _ in columns.unused),
        )
    )


def is_table(lines: Sequence[str], limits: Limits) -> bool:
    """Whether some first row names at least a test and a value, or tests with their units."""
    return any(
        columns is not None and score > 1
        for score, _, columns in (
            _headed(lines, delimiter, limits) for delimiter in _delimiters(lines)
        )
    )


def is_separator_line(cells: Sequence[str]) -> bool:
    """Whether this is a spreadsheet's `sep=;`, which is no row."""
    return cells[:1] == ("sep=",)


def _delimiters(lines: Sequence[str]) -> tuple[str, ...]:
    first = lines[0].strip().casefold() if lines else ""
    return (first[4],) if re.fullmatch(r"sep=.", first) else DELIMITERS


def _headed(
    lines: Sequence[str], delimiter: str, limits: Limits
) -> tuple[int, str, Columns | None]:
    """How many headings the best row of the first few names, under one delimiter."""
    best: tuple[int, str, Columns | None] = (0, delimiter, None)
    for record in records(lines[:_HEADER_WITHIN], delimiter, limits):
        columns, score = _columns(record)
        if columns is not None and score > best[0]:
            best = (score, delimiter, columns)
    return best


def _columns(record: Record) -> tuple[Columns | None, int]:
    """The record as a header, with the number of headings known; None when it is none."""
    if record.fault or sum(bool(cell) for cell in record.cells) < _FEWEST_COLUMNS:
        return None, 0
    members = _members(record.cells)
    has_test = "test" in members or "code" in members
    if has_test and "value" in members:
        unused = _unused(record.cells, members.values())
        rivals = _rivals(record.cells, members)
        columns = Columns("long", members, (), unused, len(record.cells), record.line, rivals)
        return columns, len(members)
    return _wide(record)


def _members(cells: Sequence[str]) -> dict[str, int]:
    members: dict[str, int] = {}
    for index, cell in enumerate(cells):
        member = MEMBER_OF.get(folded(cell))
        if member:
            members.setdefault(member, index)
    return members


def _rivals(cells: Sequence[str], members: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(
        (member, index)
        for index, cell in enumerate(cells)
        if (member := MEMBER_OF.get(folded(cell))) in _DECISIVE and members[member] != index
    )


def _wide(record: Record) -> tuple[Columns | None, int]:
    cells = record.cells
    members = {
        _ALSO_PANEL.get(member, member): index
        for member, index in _members(cells).items()
        if member not in RESULT_MEMBERS or member in _ALSO_PANEL
    }
    taken = set(members.values())
    tests = tuple(
        TestColumn(index, match[1], match[2], None)
        for index, cell in enumerate(cells)
        if index not in taken and (match := _WITH_UNIT.fullmatch(cell))
    )
    beside = _units_beside(cells, taken)
    tests += tuple(
        TestColumn(index, cells[index], None, unit_index) for index, unit_index in beside.items()
    )
    used = {*taken, *(test.index for test in tests), *beside.values()}
    columns = Columns("wide", members, tests, _unused(cells, used), len(cells), record.line)
    score = len(members) + 2 * len(tests)
    has_who_or_when = bool({"identifier", "collected_at", "birth_date"} & members.keys())
    if not tests and not (has_who_or_when and columns.unused):
        return None, 0
    return columns, score


def _units_beside(cells: Sequence[str], taken: set[int]) -> dict[int, int]:
    """Column of a test to the column that holds its unit: `Potassium`, `Potassium unit`."""
    by_name = {folded(cell): index for index, cell in enumerate(cells) if index not in taken}
    beside = {}
    for index, cell in enumerate(cells):
        match = _UNIT_BESIDE.fullmatch(cell)
        if match and (test := by_name.get(folded(match[1]))) is not None and test != index:
            beside[test] = index
    return beside


def _unused(cells: Sequence[str], used: Iterable[int]) -> tuple[tuple[int, str], ...]:
    taken = set(used)
    return tuple((index, quoted(cell)) for index, cell in enumerate(cells) if index not in taken)


def with_numeric_tests(columns: Columns, numeric: Iterable[int]) -> Columns:
    """In a wide table a heading without a unit is a test where its column holds numbers."""
    if columns.layout == "long":
        return columns
    found = set(numeric)
    tests = columns.tests + tuple(
        TestColumn(index, name, None) for index, name in columns.unused if index in found
    )
    unused = tuple(column for column in columns.unused if column[0] not in found)
    ordered = tuple(sorted(tests, key=lambda test: test.index))
    return Columns("wide", columns.members, ordered, unused, columns.width, columns.line)


def cell_of(record: Record, index: int) -> str:
    """A cell of a row; the empty text where the row is shorter."""
    return record.cells[index] if index < len(record.cells) else ""
