"""The second going over: each patient's lines are read together, and said what they mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from labinterp import interpretation
from labinterp.bulk.sorting import head_name
from labinterp.errors import LabinterpError, Place
from labinterp.formats import bulk_lines, bulk_tables, ndjson
from labinterp.formats.limits import Reading
from labinterp.formats.taken_back import takes_back
from labinterp.store.records import to_document, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from labinterp.bulk.inputs import Input
    from labinterp.bulk.tally import Tally
    from labinterp.bulk.work import Work
    from labinterp.formats.limits import Context
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.submission import Received

_BATCH: Final = 400_000
"""So many bytes of lines are read at once; a single patient's always are."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line or a row as it was sorted."""

    file: int
    number: int
    key: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """All the lines of some patients, read at once; `table` is the file they are of, if a table."""

    table: int | None
    patients: tuple[tuple[Line, ...], ...]


def lines_of(kept: Iterable[bytes]) -> list[Line]:
    """What was sorted, as it was written."""
    parts = (line.split(b"\t", 3) for line in kept)
    return [Line(int(file), int(number), key, text) for file, number, key, text in parts]


def batches(lines: Iterable[Line], inputs: Sequence[Input]) -> list[Batch]:
    """Patients in the order of their first lines, those of one table together."""
    patients: dict[bytes, list[Line]] = {}
    for line in lines:
        patients.setdefault(line.key, []).append(line)
    by_table: dict[int | None, list[tuple[Line, ...]]] = {}
    for found in patients.values():
        table = found[0].file if inputs[found[0].file].kind == "csv" else None
        by_table.setdefault(table, []).append(tuple(found))
    return [
        Batch(table, some) for table, all_of in by_table.items() for some in _in_batches(all_of)
    ]


def _in_batches(patients: list[tuple[Line, ...]]) -> Iterator[tuple[tuple[Line, ...], ...]]:
    some: list[tuple[Line, ...]] = []
    size = 0
    for one in patients:
        some.append(one)
        size += sum(len(line.text) for line in one)
        if size >= _BATCH:
            yield tuple(some)
            some, size = [], 0
    if some:
        yield tuple(some)


class Reader:
    """Reads batches.

    Args:
        inputs: the files.
        work: the folder; its state holds what is known of the tables.
        everyone: lines that say something of any patient's.
        context: when they came, and how much is taken.
    """

    def __init__(
        self, inputs: Sequence[Input], work: Work, everyone: Sequence[Line], context: Context
    ) -> None:
        self._inputs, self._work = inputs, work
        self._everyone, self._context = everyone, context
        self._texts: dict[str, bytes] = {}

    def reading(self, batch: Batch) -> Reading:
        """The panels of a batch; what one patient's lines do to a reader stays with that one."""
        self._texts.clear()
        try:
            return self._read(batch)
        except Exception as error:  # noqa: BLE001 - whatever a reader makes of hostile lines
            if len(batch.patients) > 1:
                alone = [self.reading(Batch(batch.table, (one,))) for one in batch.patients]
                return Reading(
                    tuple(panel for one in alone for panel in one.received),
                    tuple(place for one in alone for place in one.refused),
                )
            return Reading((), tuple(self._refused(batch.patients[0], error)))

    def subject(self, received: Received) -> str | None:
        """What names the patient of a panel of the last batch: `Patient/123`."""
        text = self._texts.get(received.where)
        return bulk_lines.whose(text) if text else None

    def _read(self, batch: Batch) -> Reading:
        lines = [line for patient in batch.patients for line in patient]
        if batch.table is None:
            ordered = sorted((*lines, *self._everyone), key=lambda one: (one.file, one.number))
            placed = [(self._place(line), line.text) for line in ordered]
            self._texts.update(placed)
            return ndjson.read_lines(placed, self._context)
        start = (self._work.folder / head_name(batch.table)).read_bytes()
        table: Mapping[str, Any] = self._work.state["tables"][str(batch.table)]
        rows = bulk_tables.rows_of(b"\n".join(line.text for line in lines))
        reading = bulk_tables.panels_of(rows, start, table, self._context)
        return _in_file(reading, self._inputs[batch.table].place.removesuffix("row"))

    def _place(self, line: Line) -> str:
        return f"{self._inputs[line.file].place} {line.number}"

    def _refused(self, lines: Iterable[Line], error: Exception) -> Iterator[Place]:
        """Each line by its name; the parser's own words are not told, for they may quote it."""
        known = isinstance(error, LabinterpError)
        code = error.code if isinstance(error, LabinterpError) else "unreadable"
        message = error.message if isinstance(error, LabinterpError) else "cannot be read"
        if not known:
            message = f"{message} ({type(error).__name__})"
        for line in lines:
            yield Place(self._place(line), code, message)


def _in_file(reading: Reading, label: str) -> Reading:
    if not label:
        return reading
    return Reading(
        tuple(replace(one, where=f"{label}{one.where}") for one in reading.received),
        tuple(replace(one, where=f"{label}{one.where}") for one in reading.refused),
    )


def answer(received: Received, subject: str | None, known: Knowledge, tally: Tally) -> bytes:
    """One panel as a line of the output.

    Args:
        received: the panel.
        subject: what names its patient where no identifier was sent.
        known: the medical knowledge.
        tally: counts it.
    """
    found = interpretation.interpret(received.submission, known)
    if not (interpretation.readable(found) or takes_back(received.submission)):
        tally.unreadable(received.submission, found)
        return refusal(
            Place(
                received.where, "nothing-readable", "No result of this panel can be interpreted."
            ),
            tuple(Place(one.where, one.code, one.message) for one in found.problems),
        )
    tally.interpreted(received.submission, found)
    return _line(
        {
            "where": received.where,
            "status": "interpreted",
            "patient": _patient(received, subject),
            "collected_at": found.collected_at,
            "interpretation": to_document(found),
        }
    )


def refusal(place: Place, errors: tuple[Place, ...] = ()) -> bytes:
    """What was refused as a line of the output."""
    return _line(
        {
            "where": place.where,
            "status": "refused",
            "code": place.code,
            "message": place.message,
            "errors": to_document(errors or (place,)),
        }
    )


def _patient(received: Received, subject: str | None) -> dict[str, str]:
    """By what the sender finds the patient again; no name."""
    said = {
        "value": received.identity.identifier,
        "system": received.identity.issuer,
        "reference": None if received.identity.identifier else subject,
    }
    return {name: text for name, text in said.items() if text}


def _line(document: Mapping[str, Any]) -> bytes:
    return written(document).encode() + b"\n"
