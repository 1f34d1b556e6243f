"""A patient's panels side by side: one row for each measurand, one column for each sample.

Only what can be compared stands in one row on one axis. A result whose unit could not be converted,
or whose test is not known, is shown apart, as it was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from labinterp.formats.taken_back import is_taken_back
from labinterp.interpretation.compare import reference_change_value
from labinterp.reporting import words
from labinterp.reporting.lookups import unit_text, value_and_unit
from labinterp.reporting.result_rows import second_unit, unread_rows
from labinterp.web import trend_strip
from labinterp.web.trend_strip import Point
from labinterp.web.words import day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from labinterp.model.codes import Standing
    from labinterp.model.interpretation import InterpretedResult
    from labinterp.model.knowledge import Knowledge
    from labinterp.usecases.journey import PanelRecord

COLUMNS: Final = 8
DRAWN: Final = 60
"""Results of one row that are drawn at most, the newest; more would be a smear."""
OTHER_LABORATORY: Final = "≠ lab"
OTHER_METHOD: Final = "≠ method"
OTHER_UNIT: Final = "≠ unit"
MARKS: Final[Mapping[str, str]] = {
    OTHER_LABORATORY: "another laboratory than the newest result of this row",
    OTHER_METHOD: "another method of measuring",
    OTHER_UNIT: "reported in another unit; compared after conversion",
}
_GROUPS: Final = ("electrolytes", "minerals", "vitamins", "supporting")
_METHODS: Final[Mapping[str, str]] = {
    "sodium": "sodium_method",
    "vitamin_b12": "b12_method",
    "calcium": "calcium_method",
    "adjusted_calcium": "calcium_method",
}
"""Measurands whose specimen says by which method they were measured, and in which field."""
_TEN: Final = 10


@dataclass(frozen=True, slots=True)
class Sample:
    """One column: when, where, and the panel it is a link to."""

    panel_id: str
    version: int
    status: str
    collected_at: datetime | None
    at: datetime
    laboratory: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One result in a cell: as sent, its standing, and how it differs from the row's newest."""

    shown: str
    flag: str
    standing: Standing = "unknown"
    second: str = ""
    doubtful: bool = False
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One measurand over the samples.

    Attributes:
        cells: one for each column, each with the results of that sample; mostly one.
        change: the newest result against the one before, in words; empty where there is none.
        strip: the course as SVG; empty for fewer than two numbers.
        unit: of the strip's axis, where not all were sent in it.
    """

    name: str
    cells: tuple[tuple[Entry, ...], ...]
    change: str = ""
    strip: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """What the page shows.

    Attributes:
        samples: the columns of this page, newest first.
        rows: what can be compared. apart: what cannot, as sent.
        page, pages: which of how many.
        total: samples in all. cancelled: panels left out because they were taken back.
        names: every spelling of who the patient is, where panels differ.
    """

    samples: tuple[Sample, ...]
    rows: tuple[Row, ...]
    apart: tuple[Row, ...]
    page: int
    pages: int
    total: int
    cancelled: int
    names: tuple[str, ...]

    @property
    def marks(self) -> dict[str, str]:
        """Each mark on this page and what it means."""
        used = {
            mark
            for row in self.rows
            for cell in row.cells
            for entry in cell
            for mark in entry.marks
        }
        return {mark: meaning for mark, meaning in MARKS.items() if mark in used}


@dataclass(frozen=True, slots=True)
class _Held:
    """A result with what must be known to compare it with others of its measurand."""

    column: int
    sample: Sample
    result: InterpretedResult
    method: str

    @property
    def unit(self) -> str:
        return words.one_unit_form(unit_text(self.result))

    @property
    def is_withdrawn(self) -> bool:
        return self.result.reported is not None and is_taken_back(self.result.reported.status)

    @property
    def per_unit(self) -> Decimal:
        """What one of the unit as sent is in the unit all results of a measurand share."""
        conversion = self.result.conversion
        return conversion.factor if conversion else Decimal(1)


def history(
    records: Sequence[PanelRecord], knowledge: Knowledge, page: int = 1, columns: int = COLUMNS
) -> History:
    """The panels of one patient, compared.

    Args:
        records: the newest version of each panel, latest collection first.
        knowledge: variation by which a change is judged.
        page: which samples are the columns; the axes hold those of every page.
        columns: at most so many.
    """
    counted = [record for record in records if record.status != "cancelled"]
    samples = [_sample(record) for record in counted]
    pages = max(1, -(-len(samples) // columns))
    page = min(max(page, 1), pages)
    first = (page - 1) * columns
    shown = range(first, min(first + columns, len(samples)))
    held = _held(counted, samples)
    return History(
        samples=tuple(samples[column] for column in shown),
        rows=tuple(_rows(held, shown, knowledge)),
        apart=tuple(_apart(counted, held, shown)),
        page=page,
        pages=pages,
        total=len(samples),
        cancelled=len(records) - len(counted),
        names=tuple(dict.fromkeys(map(_who, records))),
    )


def _who(record: PanelRecord) -> str:
    identity = record.identity
    name = ", ".join(part for part in (identity.family, identity.given) if part) or "no name"
    born = f", born {day(identity.birth_date)}" if identity.birth_date else ""
    return name + born


def _sample(record: PanelRecord) -> Sample:
    collected = record.interpretation.collected_at
    at = _moment(collected)
    laboratory: Any = record.panel.get("laboratory") or {}
    return Sample(
        panel_id=record.id,
        version=record.version,
        status=record.status,
        collected_at=at,
        at=at or record.received_at,
        laboratory=str(laboratory.get("name") or "").strip(),
    )


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _held(records: Iterable[PanelRecord], samples: Sequence[Sample]) -> dict[str, list[_Held]]:
    """Every result whose test is known, newest first, by measurand."""
    found: dict[str, list[_Held]] = {}
    for column, record in enumerate(records):
        specimen: Any = record.panel.get("specimen") or {}
        for result in record.interpretation.results:
            method = str(specimen.get(_METHODS.get(result.measurand, "")) or "")
            one = _Held(column, samples[column], result, method)
            found.setdefault(result.measurand, []).append(one)
    return dict(sorted(found.items(), key=lambda item: _rank(item[1][0].result)))


def _rank(result: InterpretedResult) -> int:
    return _GROUPS.index(result.group) if result.group in _GROUPS else len(_GROUPS)


def _is_comparable(held: _Held) -> bool:
    """Can it stand on the row's axis? A value in words stands in the row, and on no axis."""
    return held.result.value is not None or held.result.read_in_words or held.is_withdrawn


def _rows(held: Mapping[str, list[_Held]], shown: range, knowledge: Knowledge) -> Iterable[Row]:
    for measurand, results in held.items():
        comparable = [one for one in results if _is_comparable(one)]
        if any(one.column in shown for one in comparable):
            yield _row(measurand, comparable, shown, knowledge)


def _row(measurand: str, results: list[_Held], shown: range, knowledge: Knowledge) -> Row:
    numbers = [one for one in results if one.result.value is not None and not one.is_withdrawn]
    lead = (numbers or results)[0]
    here = [one for one in numbers if one.column >= shown.start]
    name = lead.result.name
    return Row(
        name=f"{name} (calculated)" if lead.result.derived_from else name,
        cells=_cells(results, shown, lead),
        change=_change(measurand, here, knowledge),
        strip=_strip(numbers, lead),
        unit=unit_text(lead.result) if {one.unit for one in numbers} != {lead.unit} else "",
    )


def _cells(results: Iterable[_Held], shown: range, lead: _Held) -> tuple[tuple[Entry, ...], ...]:
    cells: dict[int, dict[Entry, None]] = {column: {} for column in shown}
    for one in results:
        if one.column in cells:
            cells[one.column][_entry(one, lead)] = None
    return tuple(tuple(cells[column]) for column in shown)


def _entry(held: _Held, lead: _Held) -> Entry:
    result = held.result
    return Entry(
        shown="withdrawn" if held.is_withdrawn else value_and_unit(result) or "no value",
        second="" if held.is_withdrawn or held.unit == lead.unit else second_unit(result),
        standing=result.standing,
        flag="" if held.is_withdrawn else words.FLAG_WORDS[result.standing],
        doubtful=bool(result.doubts),
        marks=_differences(held, lead),
    )


def _differences(held: _Held, lead: _Held) -> tuple[str, ...]:
    differs = (
        (OTHER_LABORATORY, held.sample.laboratory.casefold() != lead.sample.laboratory.casefold()),
        (OTHER_METHOD, held.method != lead.method),
        (OTHER_UNIT, bool(held.unit) and held.unit != lead.unit),
    )
    return tuple(mark for mark, is_so in differs if is_so)


def _strip(numbers: Sequence[_Held], lead: _Held) -> str:
    """The course on the axis of the newest result, in its unit."""
    numbers = numbers[:DRAWN]
    points = [_point(one, lead) for one in numbers]
    if len(points) < 2:  # noqa: PLR2004  (one result is no course)
        return ""
    oldest, newest = numbers[-1], numbers[0]
    title = (
        f"{lead.result.name}: {len(points)} results from {day(oldest.sample.at)} "
        f"({value_and_unit(oldest.result)}) to {day(newest.sample.at)} "
        f"({value_and_unit(newest.result)})."
    )
    return trend_strip.svg(points, lead.result.line, title.replace(words.NBSP, " "))


def _point(held: _Held, lead: _Held) -> Point:
    value = held.result.value
    number = value.number if value else Decimal(0)
    line = held.result.line
    own = line.value if line and held.unit == lead.unit else number / lead.per_unit
    hollow = {OTHER_LABORATORY, OTHER_METHOD} & set(_differences(held, lead))
    return Point(
        at=held.sample.at,
        value=own,
        comparator=value.comparator if value else None,
        standing=held.result.standing,
        comparable=not hollow,
    )


# ---- the change, in words


def _change(measurand: str, numbers: Sequence[_Held], knowledge: Knowledge) -> str:
    """The newest of these against the one before it, by the reference change value."""
    columns = list(dict.fromkeys(one.column for one in numbers))
    if len(columns) < 2:  # noqa: PLR2004  (a change is between two)
        return ""
    newest, before = ([one for one in numbers if one.column == at] for at in columns[:2])
    if any(_are_unequal(results) for results in (newest, before)):
        return "Two results of one sample differ; no change is reckoned."
    told = _moved(newest[0], before[0], measurand, knowledge)
    differs = _differences(before[0], newest[0])
    if OTHER_LABORATORY in differs or OTHER_METHOD in differs:
        told += "; of another laboratory or method, so part of it may be theirs"
    if newest[0].result.doubts or before[0].result.doubts:
        told += "; one of the two is doubtful"
    return f"{words.capital(told)}."


def _are_unequal(results: Iterable[_Held]) -> bool:
    return len({one.result.value for one in results}) > 1


def _moved(newest: _Held, before: _Held, measurand: str, knowledge: Knowledge) -> str:
    now, then = newest.result.value, before.result.value
    if now is None or then is None:
        return ""
    since = day(before.sample.at)
    if now.comparator or then.comparator:
        return (
            f"was {value_and_unit(before.result)} on {since}; a difference from or to a value "
            "with < or > cannot be reckoned"
        )
    if now.number == then.number:
        return f"unchanged since {since}"
    if not then.number:
        return f"was {value_and_unit(before.result)} on {since}"
    percent = 100 * (Fraction(now.number) - Fraction(then.number)) / Fraction(then.number)
    moved = f"{'up' if percent > 0 else 'down'} {_whole(abs(percent))} % since {since}"
    held = knowledge.measurands.get(measurand)
    expected = reference_change_value(held, knowledge) if held else None
    if expected is None:
        return f"{moved}; no variation data to judge it by"
    judged = "more than" if abs(percent) > expected else "within"
    return f"{moved}, {judged} expected variation ({_whole(expected)} %)"


def _whole(percent: Fraction) -> str:
    """A percentage as the report prints it: one digit more below ten."""
    number = Decimal(percent.numerator) / Decimal(percent.denominator)
    places = Decimal("0.1") if percent < _TEN else Decimal(1)
    return f"{number.quantize(places, ROUND_HALF_UP):f}"


# ---- what cannot be compared


def _apart(
    records: Sequence[PanelRecord], held: Mapping[str, list[_Held]], shown: range
) -> Iterable[Row]:
    """Results in a unit that could not be converted, and tests that are not known; as sent."""
    kept: dict[tuple[str, str], dict[int, list[Entry]]] = {}
    for results in held.values():
        for one in results:
            if not _is_comparable(one) and one.column in shown:
                shown_as = value_and_unit(one.result) or "no value"
                entry = Entry(shown_as, words.FLAG_WORDS["unknown"])
                key = (one.result.name, unit_text(one.result))
                kept.setdefault(key, {}).setdefault(one.column, []).append(entry)
    for column in shown:
        record = records[column]
        for row in unread_rows(record.interpretation, record.panel):
            entry = Entry(row.value_and_unit or "no value", row.flag)
            kept.setdefault((row.name, row.unit), {}).setdefault(column, []).append(entry)
    for (name, unit), cells in kept.items():
        yield Row(
            f"{name}, {unit}" if unit else name,
            tuple(tuple(cells.get(column, ())) for column in shown),
        )
