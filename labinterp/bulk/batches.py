"""Record batches in, record batches out: what Spark, Dask, Ray, DuckDB and Polars can drive.

A row that comes in is one result, with its patient and collection beside it; rows of one panel
stand together. Or it is a whole panel: one column, `panel`, with our own JSON or a FHIR document as
text. What goes out is `columns.schema()`, a row a panel.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from labinterp import knowledge
from labinterp.bulk import arrow, columns, pool
from labinterp.bulk.outcomes import Refused, outcome_of
from labinterp.errors import Place, SubmissionError
from labinterp.formats import json_panel, ndjson
from labinterp.formats.limits import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from labinterp.bulk.outcomes import Outcome
    from labinterp.model.knowledge import Knowledge

PANEL: Final = "panel"
TOGETHER: Final = ("patient_system", "patient", "collected_at")
"""Rows that are the same in these, one after the other, are one panel."""
_OF_PATIENT: Final = ("sex", "birth_date", "age_years")
_OF_RESULT: Final = ("test", "value", "unit", "flag", "note")
_REST: Final = ("code", "code_system", "reference_low", "reference_high", "material")
COLUMNS: Final = (*TOGETHER, *_OF_PATIENT, *_OF_RESULT, *_REST)
"""Any may be missing but `value` and one of `test` and `code`; no other is taken."""
_LOINC: Final = "http://loinc.org"
_UNNAMED: Final = "lacks a value, or both a test and a code; nothing of it was used"
Row: TypeAlias = "Mapping[str, Any]"


def interpret_batch(
    batch: pa.RecordBatch, known: Knowledge, now: datetime, first: int = 1
) -> pa.RecordBatch:
    """What the panels of a batch mean, a row a panel, in their order.

    Args:
        batch: whole panels; the rows of each stand together.
        known: the medical knowledge.
        now: stands for the time of receipt.
        first: the number of the first row, by which `where` counts.

    Raises:
        SubmissionError: a column is not known, or one that is needed is missing.
    """
    refuse_columns(batch.schema.names)
    rows = batch.to_pylist()
    if PANEL in batch.schema.names:
        return columns.batch_of(list(_documents(rows, known, Context(now), first)))
    outcomes: list[Outcome] = []
    for begin, panel in _panels(rows):
        outcomes += _answered(first + begin, panel, known, now)
    return columns.batch_of(outcomes)


def interpreted(
    batches: Iterable[pa.RecordBatch], known: Knowledge, now: datetime
) -> Iterator[pa.RecordBatch]:
    """The same of a stream, in which a panel may reach from one batch into the next."""
    return (
        interpret_batch(batch, known, now, first)
        for first, batch in _numbered(whole_panels(batches))
    )


def in_processes(
    batches: Iterable[pa.RecordBatch],
    now: datetime,
    workers: int,
    knowledge_folder: Path | None = None,
) -> Iterator[pa.RecordBatch]:
    """The same by several processes of this machine, in the order of the stream.

    Args:
        batches: taken only a little ahead of what is answered.
        now: stands for the time of receipt.
        workers: how many processes.
        knowledge_folder: the medical knowledge; None for that of the package.
    """
    tasks = _numbered(whole_panels(batches))
    return pool.in_order(_interpreter, (now, knowledge_folder), tasks, workers)


def whole_panels(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches that end with a panel."""
    arrow.needed("For record batches")
    import pyarrow as pa  # noqa: PLC0415 - an extra

    held: pa.RecordBatch | None = None
    for batch in batches:
        refuse_columns(batch.schema.names)
        if PANEL in batch.schema.names:
            yield batch
            continue
        both = batch if held is None else pa.concat_batches([held, batch])
        end = _last_panel(both)
        held = both.slice(end)
        if end:
            yield both.slice(0, end)
    if held is not None and held.num_rows:
        yield held


def refuse_columns(names: Sequence[str]) -> None:
    """A column that is not known could hold what changes an answer.

    Raises:
        SubmissionError: there is one, or one that is needed is missing.
    """
    if list(names) == [PANEL]:
        return
    for name in names:
        if name not in COLUMNS:
            message = f"The column {name} is not known; leave it out. Known: {', '.join(COLUMNS)}."
            raise SubmissionError(message, code="unknown-member")
    if "value" not in names or not {"test", "code"} & set(names):
        message = f"The columns value, and test or code, are needed; or {PANEL} alone."
        raise SubmissionError(message, code="missing-member")


def _interpreter(
    now: datetime, knowledge_folder: Path | None
) -> Callable[[tuple[int, pa.RecordBatch]], pa.RecordBatch]:
    return partial(_interpret_task, known=knowledge.load(knowledge_folder), now=now)


def _interpret_task(
    task: tuple[int, pa.RecordBatch], known: Knowledge, now: datetime
) -> pa.RecordBatch:
    first, batch = task
    return interpret_batch(batch, known, now, first)


def _numbered(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Each with the number of its first row in the stream."""
    first = 1
    for batch in batches:
        yield first, batch
        first += batch.num_rows


def _last_panel(batch: pa.RecordBatch) -> int:
    """The row that the last panel begins with; one of a patient who is not named is whole."""
    names = [name for name in TOGETHER if name in batch.schema.names]
    end = batch.num_rows
    if not end:
        return 0
    if "patient" not in names or batch["patient"][end - 1].as_py() is None:
        return int(end)
    last = [batch[name][end - 1] for name in names]
    at = end - 1
    while at and [batch[name][at - 1] for name in names] == last:
        at -= 1
    return int(at)


def _panels(rows: Sequence[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Each panel with the index of its first row."""
    begin = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or _key(rows[at]) is None or _key(rows[at]) != _key(rows[at - 1]):
            yield begin, list(rows[begin:at])
            begin = at


def _key(row: Row) -> tuple[Any, ...] | None:
    """None where nothing tells the patient from others."""
    return tuple(row.get(name) for name in TOGETHER) if row.get("patient") is not None else None


def _documents(
    rows: Sequence[Row], known: Knowledge, context: Context, first: int
) -> Iterator[Outcome]:
    for number, row in enumerate(rows, start=first):
        reading = ndjson.read_lines([(f"row {number}", (row[PANEL] or "").encode())], context)
        yield from (outcome_of(one, None, known) for one in reading.received)
        yield from (Refused(place) for place in reading.refused)


def _answered(first: int, rows: Sequence[Row], known: Knowledge, now: datetime) -> list[Outcome]:
    """The panel, and each row that cannot be part of it; a refused one says whose it was."""
    whose = _said(rows[:1], {"patient": "value", "patient_system": "system"})
    outcomes: list[Outcome] = []
    named: list[tuple[int, Row]] = []
    for number, row in enumerate(rows, start=first):
        if _text(row.get("value")) and (row.get("test") or row.get("code")):
            named.append((number, row))
        else:
            place = Place(f"row {number}", "row-not-read", _UNNAMED)
            outcomes.append(Refused(place, patient=whose))
    if not named:
        return outcomes
    begin, end = named[0][0], named[-1][0]
    where = f"row {begin}" if begin == end else f"rows {begin}-{end}"
    try:
        panel = _panel([row for _, row in named])
        received = json_panel.received_of(panel, now, "arrow", where=where)
    except SubmissionError as error:
        place = Place(where, error.code, error.message)
        return [*outcomes, Refused(place, error.errors, patient=whose)]
    return [*outcomes, outcome_of(received, None, known)]


def _panel(rows: Sequence[Row]) -> dict[str, Any]:
    """The contract's form; what is of the patient stands in the first row that has it."""
    identifier = _said(rows, {"patient": "value", "patient_system": "system"})
    patient = _said(rows, {"sex": "sex", "birth_date": "birth_date"})
    age = _said(rows, {"age_years": "value"})
    if identifier:
        patient["identifier"] = identifier
    if age:
        patient["age"] = {**age, "unit": "years"}
    whole = {
        **_said(rows, {"collected_at": "collected_at"}),
        "patient": patient,
        "specimen": _said(rows, {"material": "material"}),
        "results": [_result(row) for row in rows],
    }
    return {name: inner for name, inner in whole.items() if inner}


def _said(rows: Sequence[Row], names: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for column, member in names.items():
        texts = (_text(row.get(column)) for row in rows)
        text = next((text for text in texts if text), None)
        if text:
            found[member] = text
    return found


def _result(row: Row) -> dict[str, Any]:
    result: dict[str, Any] = _said([row], {name: name for name in _OF_RESULT})
    interval = _said([row], {"reference_low": "low", "reference_high": "high"})
    if row.get("code"):
        result["code"] = {"system": row.get("code_system") or _LOINC, "code": _text(row["code"])}
    if interval:
        result["reference_interval"] = interval
    return result


def _text(value: Any) -> str:
    """As it would be sent: dates as ISO 8601, numbers with the digits that they have."""
    if value is None or value != value:  # noqa: PLR0124 - only no number differs from itself
        return ""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
