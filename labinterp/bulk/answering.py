"""The second going over: each patient's lines are read together, and said what they mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from labinterp import knowledge
from labinterp.bulk import sorting
from labinterp.bulk.outcomes import Refused, encoded, outcome_of
from labinterp.bulk.tally import Tally
from labinterp.errors import LabinterpError, Place
from labinterp.formats import bulk_lines, bulk_tables, ndjson
from labinterp.formats.limits import Context, Limits, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from labinterp.bulk.inputs import Input
    from labinterp.bulk.outcomes import Format, Outcome
    from labinterp.model.submission import Received

_SLICE: Final = 400_000
"""So many bytes of lines are read and answered at once; a single patient's always are."""
_LIMITS: Final = Limits(body_bytes=2**40, rows=2**40, panels=2**40, elements=Limits().elements)


@dataclass(frozen=True, slots=True)
class Task:
    """A part of the patients of a group: slice `at` of `of`."""

    group: int
    at: int
    of: int


@dataclass(frozen=True, slots=True)
class Done:
    """What a task gave: what is kept of its outcomes, and what was counted."""

    lines: tuple[bytes, ...]
    tally: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """What every process of a run is told.

    Attributes:
        folder: where the groups are.
        tables: what is known of the tables.
        now: when the run began.
        knowledge_folder: the medical knowledge; None for that of the package.
        digest: of the knowledge that the run began with.
    """

    inputs: tuple[Input, ...]
    folder: Path
    tables: Mapping[str, Any]
    now: str
    form: Format
    knowledge_folder: Path | None
    digest: str


def tasks_of(group: int, size: int, begin: int) -> Iterator[Task]:
    """The slices of a group of so many bytes, from `begin` on."""
    of = 1 + size // _SLICE
    return (Task(group, at, of) for at in range(begin, of))


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
    return [Batch(table, tuple(patients)) for table, patients in by_table.items()]


def answerer(setting: Setting) -> Callable[[Task], Done]:
    """What does tasks; each process makes its own.

    Raises:
        LabinterpError: the medical knowledge was changed since the run began.
    """
    return _Answerer(setting).done


class _Answerer:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._known = knowledge.load(setting.knowledge_folder)
        if self._known.digest != setting.digest:
            message = "The medical knowledge was changed while it was in use."
            raise LabinterpError(message, code="checkpoint-of-another-run")
        self._reader = Reader(setting)
        self._group: tuple[int, list[list[Line]]] | None = None

    def done(self, task: Task) -> Done:
        tally, lines = Tally(), list[bytes]()
        for batch in batches(self._slice(task), self._setting.inputs):
            outcomes = self._outcomes(batch)
            tally.count(outcomes)
            lines += encoded(self._setting.form, outcomes)
        return Done(tuple(lines), tally.document())

    def _outcomes(self, batch: Batch) -> list[Outcome]:
        reading = self._reader.reading(batch)
        return [
            *(outcome_of(one, self._reader.subject(one), self._known) for one in reading.received),
            *(Refused(place) for place in reading.refused),
        ]

    def _slice(self, task: Task) -> list[Line]:
        """The lines of a slice; the group is read once for all of its slices."""
        if self._group is None or self._group[0] != task.group:
            slices: list[list[Line]] = [[] for _ in range(task.of)]
            kept = _kept(self._setting.folder / sorting.name_of(task.group))
            for line in lines_of(kept):
                slices[sorting.share(line.key, task.of)].append(line)
            self._group = (task.group, slices)
        return self._group[1][task.at]


def _kept(path: Path) -> list[bytes]:
    """The lines of a file, without their ends; none where there is no such file."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


class Reader:
    """Reads batches."""

    def __init__(self, setting: Setting) -> None:
        self._inputs, self._setting = setting.inputs, setting
        self._everyone = lines_of(_kept(setting.folder / sorting.EVERYONE))
        self._context = Context(datetime.fromisoformat(setting.now), _LIMITS)
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
        start = (self._setting.folder / sorting.head_name(batch.table)).read_bytes()
        table: Mapping[str, Any] = self._setting.tables[str(batch.table)]
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
