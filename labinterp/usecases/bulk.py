"""A large body of panels: kept as it comes in, then read and accepted piece by piece.

NDJSON is read a piece (about a megabyte) at a time, and Observations that stand alone by patient; a
table is one piece, since its rows may belong together. Each panel is stored as by an import.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from labinterp import formats
from labinterp.access import Actor, require
from labinterp.errors import Place, SubmissionError, TooLarge
from labinterp.formats import bulk_lines
from labinterp.formats.limits import Limits, Reading
from labinterp.store import audit, background
from labinterp.store.audit import Deed
from labinterp.store.background import INPUT, NewJob, Piece, Slice, Written
from labinterp.store.records import to_document, written
from labinterp.store.store import fresh_id
from labinterp.usecases.acting import who
from labinterp.usecases.imports import refused_row, row_outcome
from labinterp.usecases.job_requests import asked_by
from labinterp.usecases.storing import nudge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from labinterp.store.background import JobRecord
    from labinterp.usecases.outcomes import ImportOutcome
    from labinterp.usecases.services import Services

STORED: Final = "stored.ndjson"
REFUSED: Final = "refused.ndjson"
_PIECE: Final = 1_000_000
_ROWS: Final = 25
_EVERYONE: Final = "alone-all"


def receive(
    services: Services,
    actor: Actor,
    chunks: Iterable[bytes],
    media_type: str,
    *,
    url: str = "",
    request_id: str = "",
) -> str:
    """Keep a body as it comes in, and have a worker read it; the job's id.

    Raises:
        AccessDenied: the actor may not.
        UnsupportedFormat: neither NDJSON nor a table.
        TooLarge: a table, or a line, that is longer than is read at once.
        SubmissionError: there is nothing in it.
    """
    require(actor, "panels:write")
    form = formats.detect(b"", media_type)
    now = services.now()
    job_id = fresh_id(now)
    new = NewJob(
        id=job_id,
        organisation_id=actor.organisation_id,
        kind="bulk",
        status="receiving",
        request=asked_by(actor, url, request_id, format=form),
        state={},
        total=None,
        created_at=now,
        expires_at=now + services.policy.job_kept,
    )
    services.store.write(lambda connection: background.add_job(connection, new))
    try:
        sizes = _kept(services, new, chunks, form)
    except BaseException:
        services.store.write(
            lambda connection: background.remove_job(
                connection, new.organisation_id, "bulk", job_id
            )
        )
        raise
    state = {"unit": 0, "offset": 0, "parts": 0, "base": 0, "groups": 1 + sizes.size // _PIECE}

    def begin(connection: Connection) -> None:
        background.queue_job(connection, job_id, state, sizes.lines)
        deed = Deed("C", "bulk-received", entity=f"job:{job_id}")
        audit.record(connection, who(actor, request_id), deed, now)

    services.store.write(begin)
    nudge(services, "background")
    return job_id


@dataclass(frozen=True, slots=True)
class _Sizes:
    size: int
    lines: int


def _kept(services: Services, new: NewJob, chunks: Iterable[bytes], form: str) -> _Sizes:
    """Write a body in pieces that end with a line; how long it was."""
    size = lines = place = 0
    longest = services.policy.body_limit
    for piece in _pieces(chunks, longest):
        size += len(piece)
        if form != "ndjson" and size > longest:
            raise TooLarge(
                f"A table of at most {longest} bytes is read at once; divide it, or send NDJSON."
            )
        count = piece.count(b"\n") + (not piece.endswith(b"\n"))
        kept = Piece(INPUT, place, piece, count)
        services.store.write(partial(_keep, services, new, kept))
        lines, place = lines + count, place + 1
    if not place:
        raise SubmissionError("The body is empty.", code="nothing-recognised")
    return _Sizes(size, lines)


def _keep(services: Services, new: NewJob, piece: Piece, connection: Connection) -> None:
    where = (new.organisation_id, new.id)
    background.add_piece(connection, services.store.vault, where, piece)


def _pieces(chunks: Iterable[bytes], longest: int) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        held += chunk
        if len(held) >= _PIECE:
            end = held.rfind(b"\n") + 1
            if end:
                yield held[:end]
                held = held[end:]
            elif len(held) > longest:
                raise TooLarge(f"A line is longer than is read: {longest} bytes at most.")
    if held:
        yield held


@dataclass(frozen=True, slots=True)
class _Unit:
    """A piece of the input that is read at once.

    Attributes:
        lines: how many of the input's lines it has.
        moved: lines that are read elsewhere, for the files they go to.
    """

    reading: Reading
    lines: int
    moved: tuple[Written, ...] = ()


def slices(services: Services, actor: Actor, job: JobRecord) -> Iterator[Slice]:
    """The rest of the job, from where it stands."""
    state = dict(job.state)
    units = _units(services, job)
    while state["unit"] < len(units):
        unit = _unit(services, job, units[state["unit"]], state["groups"])
        received = unit.reading.received
        while True:
            first, last = state["offset"], state["offset"] + _ROWS
            outcomes = [
                row_outcome(services, actor, one, job.request["request_id"], "bulk")
                for one in received[first:last]
            ]
            moved = unit.moved if first == 0 else ()
            ended = last >= len(received)
            if ended:
                outcomes += map(refused_row, unit.reading.refused)
                state |= {
                    "unit": state["unit"] + 1,
                    "offset": 0,
                    "base": state["base"] + unit.lines,
                }
                done = state["base"]
            else:
                state["offset"] = last
                done = state["base"] + unit.lines * last // len(received)
            lines = _told(services, outcomes, state["parts"])
            state["parts"] += 1
            yield Slice(dict(state), done, (*moved, *lines))
            if ended:
                break


def _units(services: Services, job: JobRecord) -> list[tuple[str, int | None]]:
    """The name and, of the input, the place of each piece that is read at once."""
    if job.request["format"] != "ndjson":
        return [(INPUT, None)]
    with services.store.reading() as connection:
        places = background.positions(connection, job.organisation_id, job.id, INPUT)
    named: list[tuple[str, int | None]] = [(INPUT, place) for place, _ in places]
    return named + [(_group(number), None) for number in range(job.state["groups"])]


def _unit(services: Services, job: JobRecord, unit: tuple[str, int | None], groups: int) -> _Unit:
    name, place = unit
    if job.request["format"] != "ndjson":
        return _Unit(_read(services, job, b"".join(_bytes(services, job, INPUT))), job.total or 0)
    if place is None:
        return _alone(services, job, name)
    return _piece(services, job, place, groups)


def _piece(services: Services, job: JobRecord, place: int, groups: int) -> _Unit:
    """A piece of NDJSON: the lines that are whole, and where the others go."""
    with services.store.reading() as connection:
        places = background.positions(connection, job.organisation_id, job.id, INPUT)
    first = 1 + sum(lines for before, lines in places if before < place)
    body = b"".join(_bytes(services, job, INPUT, place))
    whole: list[tuple[int, bytes]] = []
    moved: dict[str, list[str]] = {}
    for number, line in enumerate(body.split(b"\n"), start=first):
        if not line.strip():
            continue
        patient = bulk_lines.whose(line)
        if patient is None:
            whole.append((number, line))
            continue
        group = _EVERYONE if patient == bulk_lines.EVERYONE else _group_of(patient, groups)
        text = line.removeprefix(b"\xef\xbb\xbf").strip().decode()
        moved.setdefault(group, []).append(f"{number}\t{text}")
    reading = _read(services, job, bulk_lines.at_their_lines(whole)) if whole else Reading(())
    lines = dict(places)[place] - sum(map(len, moved.values()))
    return _Unit(
        reading,
        lines,
        tuple(Written(name, place, tuple(found)) for name, found in sorted(moved.items())),
    )


def _alone(services: Services, job: JobRecord, name: str) -> _Unit:
    """The lines of one group of patients, and those that are about everyone."""
    mine = _numbered(services, job, name)
    of_all = _numbered(services, job, _EVERYONE)
    lines = len(mine) + (len(of_all) if name == _group(0) else 0)
    if not mine:
        return _Unit(Reading(()), lines)
    return _Unit(
        _read(services, job, bulk_lines.at_their_lines(sorted(mine + of_all))),
        lines,
    )


def _numbered(services: Services, job: JobRecord, name: str) -> list[tuple[int, bytes]]:
    kept = b"".join(_bytes(services, job, name))
    split = (line.partition(b"\t") for line in kept.split(b"\n") if line)
    return [(int(number), line) for number, _, line in split]


def _bytes(
    services: Services, job: JobRecord, name: str, place: int | None = None
) -> tuple[bytes, ...]:
    store = services.store
    wanted = None if place is None else {place}
    with store.reading() as connection:
        return tuple(
            background.pieces(connection, store.vault, (job.organisation_id, job.id), name, wanted)
        )


def _read(services: Services, job: JobRecord, body: bytes) -> Reading:
    """What a piece holds; one that cannot be read at all is refused, and the others go on."""
    form = job.request["format"]
    most = 2 * services.policy.bulk_limit
    limits = Limits(body_bytes=most, rows=most, panels=most)
    try:
        return formats.read(form, body, services.now(), limits)
    except SubmissionError as error:
        said = error.errors or (Place("body", error.code, error.message),)
        return Reading((), tuple(replace(one, where=one.where or "body") for one in said))


def _group(number: int) -> str:
    return f"alone-{number:04}"


def _group_of(patient: str, groups: int) -> str:
    digest = hashlib.sha256(patient.encode("utf-8", "surrogatepass")).digest()
    return _group(int.from_bytes(digest[:8], "big") % groups)


def _told(services: Services, outcomes: list[ImportOutcome], part: int) -> tuple[Written, ...]:
    """Each outcome as a line, in the file of its kind."""
    base = services.policy.base_url.rstrip("/")
    found: dict[str, list[str]] = {}
    for one in outcomes:
        url = f"{base}/api/v1/panels/{one.panel_id}" if one.panel_id else None
        name = STORED if one.status == "stored" else REFUSED
        found.setdefault(name, []).append(written({**to_document(one), "url": url}))
    return tuple(Written(name, part, tuple(lines)) for name, lines in found.items())
