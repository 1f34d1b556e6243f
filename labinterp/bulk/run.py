"""A whole run: sort, answer, end; from its beginning or from where one was broken off."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from labinterp.bulk import answering, sorting
from labinterp.bulk.tally import Tally
from labinterp.errors import SubmissionError
from labinterp.formats.limits import Context, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from labinterp.bulk.inputs import Input
    from labinterp.bulk.work import Work
    from labinterp.errors import Place
    from labinterp.model.knowledge import Knowledge

Format = Literal["ndjson", "summary"]
_OUT: Final = "out"
_LIMITS: Final = Limits(body_bytes=2**40, rows=2**40, panels=2**40, elements=Limits().elements)


class Progress(Protocol):
    """Is told how far a run is."""

    def sorted(self, lines: int, size: int) -> None:
        """So many lines are sorted; these bytes were the newest of them."""

    def answered(self, panels: int, share: float) -> None:
        """So many panels are answered; that share of all lines is done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done.

    Attributes:
        out: the file that is written at the end, in one step.
        now: when the run began.
    """

    inputs: tuple[Input, ...]
    out: Path
    form: Format
    now: datetime


def run(asked: Asked, work: Work, known: Knowledge, progress: Progress) -> dict[str, Any]:
    """Do it, from where `work` stands; its summary.

    Raises:
        SubmissionError: a file cannot be read, or another one than that of the broken run.
    """
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
                "batch": 0,
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
    _answer(asked, work, known, tally, progress)
    summary = {"knowledge": plan["knowledge"], **tally.summary(work.state["lines"])}
    if asked.form == "summary":
        text = json.dumps(summary, indent=2, ensure_ascii=False)
        work.append(_OUT, [text.encode(), b"\n"])
    work.end(_OUT, asked.out)
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
        tally.refused(places)
        _write(asked, work, [answering.refusal(place) for place in places])
        work.state["tally"] = tally.document()

    sorting.sort(asked.inputs, work, refuse, progress.sorted)


def _answer(asked: Asked, work: Work, known: Knowledge, tally: Tally, progress: Progress) -> None:
    from datetime import datetime  # noqa: PLC0415 - only to read back what was kept

    context = Context(datetime.fromisoformat(work.state["now"]), _LIMITS)
    everyone = answering.lines_of(work.lines(sorting.EVERYONE))
    reader = answering.Reader(asked.inputs, work, everyone, context)
    groups = work.state["groups"]
    for group in range(work.state["group"], groups):
        lines = answering.lines_of(work.lines(sorting.name_of(group)))
        some = answering.batches(lines, asked.inputs)
        for at in range(work.state["batch"], len(some)):
            reading = reader.reading(some[at])
            answers = [
                answering.answer(one, reader.subject(one), known, tally) for one in reading.received
            ]
            tally.refused(reading.refused)
            answers += [answering.refusal(place) for place in reading.refused]
            _write(asked, work, answers)
            work.keep({**work.state, "batch": at + 1, "tally": tally.document()})
            progress.answered(tally.panels, (group + (at + 1) / len(some)) / groups)
        work.forget(sorting.name_of(group))
        work.keep({**work.state, "group": group + 1, "batch": 0})


def _write(asked: Asked, work: Work, lines: Sequence[bytes]) -> None:
    """In a summary no panel is written."""
    if asked.form == "ndjson" and lines:
        work.append(_OUT, lines)
