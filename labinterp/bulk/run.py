"""A whole run: sort, answer, end; from its beginning or from where one was broken off."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from labinterp import knowledge
from labinterp.bulk import answering, arrow, pool, sorting
from labinterp.bulk.outcomes import Refused, encoded
from labinterp.bulk.tally import Tally
from labinterp.errors import SubmissionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from labinterp.bulk.inputs import Input
    from labinterp.bulk.outcomes import Format
    from labinterp.bulk.work import Work
    from labinterp.errors import Place
    from labinterp.model.knowledge import Knowledge

_OUT: Final = "out"
_MADE: Final = "made"


class Progress(Protocol):
    """Is told how far a run is."""

    def sorted(self, lines: int, size: int, share: float) -> None:
        """So many lines are sorted; these bytes were the newest of them; that share is done."""

    def answered(self, panels: int, share: float) -> None:
        """So many panels are answered; that share of all lines is done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done.

    Attributes:
        out: the file that is written at the end, in one step.
        now: when the run began.
        workers: how many processes answer; the output is the same with any number.
        knowledge_folder: the medical knowledge; None for that of the package.
    """

    inputs: tuple[Input, ...]
    out: Path
    form: Format
    now: datetime
    workers: int = 1
    knowledge_folder: Path | None = None


def run(asked: Asked, work: Work, progress: Progress) -> dict[str, Any]:
    """Do it, from where `work` stands; its summary.

    Raises:
        SubmissionError: a file cannot be read, or another one than that of the broken run.
        LabinterpError: a process that helped came to its end; the run can be gone on with.
    """
    if asked.form == "parquet":
        arrow.needed("To write Parquet")
    known = knowledge.load(asked.knowledge_folder)
    plan = plan_of(asked, known)
    if not work.state:
        work.begin(
            {
                "plan": plan,
                "now": asked.now.isoformat(),
                "file": 0,
                "pieces": 0,
                "lines": 0,
                "tables": {},
                "groups": sorting.groups_for(asked.inputs),
                "group": 0,
                "slice": 0,
                "tally": Tally().document(),
            }
        )
    elif work.state["plan"] != plan:
        message = (
            "The files, the format, the version or the medical knowledge are not those of the run"
            f" that was broken off. Remove {work.folder} to begin anew."
        )
        raise SubmissionError(message, code="checkpoint-of-another-run")
    tally = Tally(work.state["tally"])
    _sort(asked, work, tally, progress)
    _answer(asked, work, tally, progress)
    summary = {"knowledge": plan["knowledge"], **tally.summary(work.state["lines"])}
    work.end(_made(asked, work, summary), asked.out)
    return summary


def plan_of(asked: Asked, known: Knowledge) -> dict[str, Any]:
    """What must be the same for a run to be gone on with."""
    from labinterp import __version__  # noqa: PLC0415 - the package's own, loaded lazily there

    stats = [one.path.stat() for one in asked.inputs]
    return {
        "inputs": [
            [str(one.path.resolve()), one.kind, stat.st_size, stat.st_mtime_ns]
            for one, stat in zip(asked.inputs, stats, strict=True)
        ],
        "format": asked.form,
        "knowledge": {"version": known.version, "digest": known.digest},
        "engine": __version__,
    }


def _sort(asked: Asked, work: Work, tally: Tally, progress: Progress) -> None:
    def refuse(places: Sequence[Place]) -> None:
        refused = [Refused(place) for place in places]
        tally.count(refused)
        _write(work, encoded(asked.form, refused))
        work.state["tally"] = tally.document()

    sorting.sort(asked.inputs, work, refuse, progress.sorted)


def _answer(asked: Asked, work: Work, tally: Tally, progress: Progress) -> None:
    """Slice by slice; what is written and counted is kept after each."""
    setting = answering.Setting(
        asked.inputs,
        work.folder,
        work.state["tables"],
        work.state["now"],
        asked.form,
        asked.knowledge_folder,
        work.state["plan"]["knowledge"]["digest"],
    )
    groups = work.state["groups"]
    done = pool.in_order(answering.answerer, (setting,), _tasks(work), asked.workers)
    for task, outcome in zip(_tasks(work), done, strict=True):
        _write(work, outcome.lines)
        tally.add(outcome.tally)
        is_last = task.at + 1 == task.of
        if is_last:
            work.forget(sorting.name_of(task.group))
        at = {"group": task.group + 1, "slice": 0} if is_last else {"slice": task.at + 1}
        work.keep({**work.state, **at, "tally": tally.document()})
        progress.answered(tally.panels, (task.group + (task.at + 1) / task.of) / groups)


def _tasks(work: Work) -> Iterator[answering.Task]:
    """From where the state stands now."""
    first, begin = work.state["group"], work.state["slice"]
    sizes = [work.size(sorting.name_of(group)) for group in range(work.state["groups"])]
    return (
        task
        for group in range(first, len(sizes))
        for task in answering.tasks_of(group, sizes[group], begin if group == first else 0)
    )


def _made(asked: Asked, work: Work, summary: dict[str, Any]) -> str:
    """The file in the folder that is the output."""
    if asked.form == "summary":
        text = json.dumps(summary, indent=2, ensure_ascii=False)
        work.append(_OUT, [text.encode(), b"\n"])
    if asked.form != "parquet":
        return _OUT
    from labinterp.bulk import columns  # noqa: PLC0415 - needs pyarrow

    work.append(_OUT, [])
    columns.write_parquet(work.folder / _OUT, work.folder / _MADE)
    return _MADE


def _write(work: Work, lines: Sequence[bytes]) -> None:
    if lines:
        work.append(_OUT, lines)
