"""Outcomes as Arrow columns: a row a panel, its results and findings as lists in it.

The one form for Parquet files and for record batches. Texts as they were sent keep their digits;
`number` beside them is for reckoning and is a float.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.bulk import arrow
from labinterp.bulk.outcomes import Answered, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal
    from pathlib import Path
    from typing import BinaryIO

    import pyarrow as pa

    from labinterp.model.interpretation import Finding, InterpretedResult

_LENGTH: Final = 8
_ROWS: Final = 20_000
"""Of a row group of a Parquet file."""


def schema() -> pa.Schema:
    """The columns of an answer; documented in docs/how-to/interpret-many.md."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    text, texts, number = pa.string(), pa.list_(pa.string()), pa.float64()
    result = {
        "measurand": text,
        "name": text,
        "loinc": text,
        "where": text,
        "reported_value": text,
        "reported_comparator": text,
        "reported_unit": text,
        "number": number,
        "comparator": text,
        "unit": text,
        "low": number,
        "high": number,
        "interval_unit": text,
        "interval_owner": text,
        "standing": text,
        "why_unknown": text,
        "at_the_limit": pa.bool_(),
        "flag": text,
        "doubts": texts,
        "derived_from": texts,
    }
    finding = {"kind": text, "rule": text, "title": text, "certainty": text, "urgency": text}
    problem = {"code": text, "message": text, "where": text}
    return pa.schema(
        {
            "where": text,
            "status": text,
            "patient": text,
            "patient_system": text,
            "patient_reference": text,
            "collected_at": text,
            "urgency": text,
            "verdict": text,
            "results": pa.list_(pa.struct(result)),
            "findings": pa.list_(pa.struct(finding)),
            "undecided": texts,
            "problems": pa.list_(pa.struct(problem)),
            "code": text,
            "message": text,
            "knowledge_digest": text,
        }
    )


def batch_of(outcomes: Sequence[Outcome]) -> pa.RecordBatch:
    """A record batch, a row an outcome, in their order."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    return pa.RecordBatch.from_pylist([_row(one) for one in outcomes], schema=schema())


def framed(batch: pa.RecordBatch) -> bytes:
    """A batch with its length before it, to be put after others in a file."""
    body: bytes = batch.serialize().to_pybytes()
    return len(body).to_bytes(_LENGTH, "little") + body


def write_parquet(framed_batches: Path, target: Path) -> None:
    """A Parquet file of the batches in a file; a row group of them is in memory at once."""
    arrow.needed("To write Parquet")
    import pyarrow as pa  # noqa: PLC0415 - an extra
    import pyarrow.parquet as pq  # noqa: PLC0415 - an extra

    columns = schema()
    with framed_batches.open("rb") as opened, pq.ParquetWriter(target, columns) as writer:
        some: list[pa.RecordBatch] = []
        for batch in _batches(opened, columns):
            some.append(batch)
            if sum(one.num_rows for one in some) >= _ROWS:
                writer.write_table(pa.Table.from_batches(some, columns))
                some = []
        if some:
            writer.write_table(pa.Table.from_batches(some, columns))


def _batches(opened: BinaryIO, columns: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa  # noqa: PLC0415 - an extra

    while length := opened.read(_LENGTH):
        body = opened.read(int.from_bytes(length, "little"))
        yield pa.ipc.read_record_batch(pa.py_buffer(body), columns)


def _row(outcome: Outcome) -> dict[str, Any]:
    if not isinstance(outcome, Answered):
        place = outcome.place
        problems = [
            {"code": one.code, "message": one.message, "where": one.where}
            for one in outcome.errors or (place,)
        ]
        return {
            "where": place.where,
            "status": "refused",
            **_whose(outcome),
            "code": place.code,
            "message": place.message,
            "problems": problems,
        }
    found = outcome.found
    findings = (*found.artefacts, *found.patterns, *found.mechanisms)
    return {
        "where": outcome.received.where,
        "status": "interpreted",
        **_whose(outcome),
        "collected_at": found.collected_at,
        "urgency": found.urgency,
        "verdict": found.twitching.verdict,
        "results": [_result(one) for one in found.results],
        "findings": [_finding(one) for one in findings],
        "undecided": [one.rule for one in found.undecided],
        "problems": [
            {"code": one.code, "message": one.message, "where": one.where} for one in found.problems
        ],
        "knowledge_digest": found.knowledge.digest,
    }


def _whose(outcome: Outcome) -> dict[str, str | None]:
    return {
        "patient": outcome.patient.get("value"),
        "patient_system": outcome.patient.get("system"),
        "patient_reference": outcome.patient.get("reference"),
    }


def _result(one: InterpretedResult) -> dict[str, Any]:
    reported, value, interval = one.reported, one.value, one.interval
    return {
        "measurand": one.measurand,
        "name": one.name,
        "loinc": one.loinc,
        "where": one.where,
        "reported_value": reported and reported.value,
        "reported_comparator": reported and reported.comparator,
        "reported_unit": reported and reported.unit,
        "number": value and float(value.number),
        "comparator": value and value.comparator,
        "unit": value and value.unit,
        "low": interval and _number(interval.low),
        "high": interval and _number(interval.high),
        "interval_unit": interval and interval.unit,
        "interval_owner": interval and interval.owner,
        "standing": one.standing,
        "why_unknown": one.why_unknown,
        "at_the_limit": one.at_the_limit,
        "flag": one.flag,
        "doubts": list(one.doubts),
        "derived_from": list(one.derived_from),
    }


def _finding(one: Finding) -> dict[str, str]:
    return {
        "kind": one.kind,
        "rule": one.rule,
        "title": one.title,
        "certainty": one.certainty,
        "urgency": one.urgency,
    }


def _number(exact: Decimal | None) -> float | None:
    return None if exact is None else float(exact)
