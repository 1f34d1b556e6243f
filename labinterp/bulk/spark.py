"""The record batches driven by PySpark, on one machine or a cluster.

Nothing of PySpark is imported: the frame that is given has the methods. The workers need labinterp
and pyarrow, as `--py-files` or installed.

    from labinterp.bulk import spark
    answers = spark.interpreted(frame, now=datetime.now(UTC))
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from labinterp import knowledge
from labinterp.bulk import batches, columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

_WORDS: Final = {"string": "string", "double": "double", "bool": "boolean"}


def interpreted(frame: Any, *, now: datetime, knowledge_folder: Path | None = None) -> Any:
    """The frame's panels, a row a panel.

    Args:
        frame: a `pyspark.sql.DataFrame` with the columns that `batches` names. What belongs to one
            patient is brought together first, unless each row is a panel.
        now: stands for the time of receipt; the same for all, so that a repeated run is the same.
        knowledge_folder: where every worker finds the medical knowledge; None for the package's.
    """
    batches.refuse_columns(frame.columns)
    if batches.PANEL not in frame.columns and "patient" in frame.columns:
        together = [name for name in batches.TOGETHER if name in frame.columns]
        frame = frame.repartition("patient").sortWithinPartitions(*together)
    return frame.mapInArrow(mapper(now, knowledge_folder), ddl(columns.schema()))


def mapper(now: datetime, knowledge_folder: Path | None = None) -> Any:
    """What a worker does with its partition: an iterator of record batches to another."""
    return partial(_mapped, now=now, knowledge_folder=knowledge_folder)


def ddl(schema: pa.Schema) -> str:
    """The schema in Spark's words."""
    return ", ".join(f"`{field.name}` {_word(field.type)}" for field in schema)


def _mapped(
    stream: Iterable[pa.RecordBatch], *, now: datetime, knowledge_folder: Path | None
) -> Iterator[pa.RecordBatch]:
    return batches.interpreted(stream, knowledge.load(knowledge_folder), now)


def _word(type_: Any) -> str:
    import pyarrow as pa  # noqa: PLC0415 - an extra

    if pa.types.is_list(type_):
        return f"array<{_word(type_.value_type)}>"
    if pa.types.is_struct(type_):
        inner = ", ".join(f"`{field.name}`: {_word(field.type)}" for field in type_)
        return f"struct<{inner}>"
    return _WORDS[str(type_)]
