"""A Parquet file read as what it holds: rows of a table, or documents a row, in bounded memory.

A file with a column `resourceType` holds FHIR resources, one with `results` our own panels, one
with a single column of text a document in each row; any other is a table, whose columns are named
as those of a CSV file are. So each kind goes on as the same bytes in a text file would.
"""

from __future__ import annotations

import csv
import io
import math
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final, Literal

from labinterp.bulk import arrow
from labinterp.errors import SubmissionError
from labinterp.store.records import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

MAGIC: Final = b"PAR1"
_ROWS: Final = 2_000
_NESTED: Final = ("resourceType", "results")


def kind_of(path: Path) -> Literal["ndjson", "csv"]:
    """Whether its rows are documents or those of a table.

    Raises:
        SubmissionError: it cannot be read, or pyarrow is not there.
    """
    names = _opened(path).schema_arrow.names
    return "ndjson" if len(names) == 1 or any(name in names for name in _NESTED) else "csv"


def chunks(path: Path) -> Iterator[bytes]:
    """Its rows as lines of text.

    Raises:
        SubmissionError: as in `kind_of`.
    """
    import pyarrow as pa  # noqa: PLC0415 - an extra; `_opened` says where it is missing

    opened = _opened(path)
    names = opened.schema_arrow.names
    if kind_of(path) == "csv":
        yield _rows([names])
    try:
        for batch in opened.iter_batches(batch_size=_ROWS, use_threads=False):
            yield _lines(batch, names)
    except (pa.ArrowException, OSError):
        raise _unreadable(path) from None


def _opened(path: Path) -> Any:
    arrow.needed("To read Parquet")
    import pyarrow as pa  # noqa: PLC0415 - an extra
    import pyarrow.parquet as pq  # noqa: PLC0415 - an extra

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError):
        raise _unreadable(path) from None


def _lines(batch: pa.RecordBatch, names: Sequence[str]) -> bytes:
    rows = batch.to_pylist()
    if len(names) == 1:
        return b"".join(_line(row[names[0]]) for row in rows)
    if any(name in names for name in _NESTED):
        return b"".join(written(_document(row)).encode() + b"\n" for row in rows)
    return _rows([[_cell(row[name]) for name in names] for row in rows])


def _line(value: object) -> bytes:
    """A document; what is none is left to its reader, which says so by the row."""
    text = value if isinstance(value, bytes) else str("" if value is None else value).encode()
    return text.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def _rows(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    plain = _document(value)
    if isinstance(plain, list):
        return "; ".join(_cell(one) for one in plain)
    if plain is None:
        return ""
    return plain if isinstance(plain, str) else written(plain).strip('"')


def _document(value: Any) -> Any:
    """Plain data; what a row does not have is left out, since columns know only empty."""
    if isinstance(value, dict):
        kept = {name: _document(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner not in (None, [], {})}
    if isinstance(value, list):
        return [_document(one) for one in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _unreadable(path: Path) -> SubmissionError:
    return SubmissionError(f"{path}: it is no whole Parquet file", code="file-unreadable")
