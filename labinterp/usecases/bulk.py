"""A large body of panels: kept as it comes in, then read and accepted piece by piece.

It is read a piece (about a megabyte) at a time. What may belong to something elsewhere in the body
(an Observation that stands alone, a row of a table) is put with the rest of its patient, and read
when all pieces have been sorted so. Each panel is stored as by an import.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from labinterp import formats
from labinterp.access import Actor, require
from labinterp.errors import Place, SubmissionError, TooLarge
from labinterp.formats import bulk_lines, bulk_tables
from labinterp.formats.bulk_pieces import TextChunks, cut
from labinterp.formats.limits import Context, Limits, Reading
from labinterp.formats.sender_settings import settings_of
from labinterp.store import audit, background
from labinterp.store.audit import Deed
from labinterp.store.background import INPUT, NewJob, Piece, Slice, Written
from labinterp.store.records import to_document, written
from labinterp.store.store import fresh_id
from labinterp.usecases import senders
from labinterp.usecases.acting import who
from labinterp.usecases.imports import refused_row, row_outcome
from labinterp.usecases.job_requests import asked_by
from labinterp.usecases.storing import nudge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
    sender: str = "",
    request_id: str = "",
) -> str:
    """Keep a body as it comes in, and have a worker read it; the job's id.

    All of it is read with what is agreed with the sender when it comes, whatever is agreed later.

    Raises:
        AccessDenied: the actor may not.
        NotFound: there is no such sender.
        UnsupportedFormat: neither NDJSON nor a table.
        TooLarge: a table of one patient that is longer than is read at once.
        SubmissionError: there is nothing in it, or it is a table without a header.
    """
    require(actor, "panels:write")
    agreed = senders.document_by_id(services, actor, sender)
    form = formats.detect(b"", media_type)
    now = services.now()
    job_id = fresh_id(now)
    new = NewJob(
        id=job_id,
        organisation_id=actor.organisation_id,
        kind="bulk",
        status="receiving",
        request=asked_by(actor, url, request_id, format=form, settings=agreed),
        state={},
        total=None,
        created_at=now,
        expires_at=now + services.policy.job_kept,
    )
    services.store.write(lambda connection: background.add_job(connection, new))
    try:
        kept = _kept(services, new, chunks, form)
    except BaseException:
        services.store.write(
            lambda connection: background.remove_job(
                connection, new.organisation_id, "bulk", job_id
            )
        )
        raise
    state = {
        "unit": 0,
        "offset": 0,
        "parts": 0,
        "base": 0,
        "groups": 1 + kept.size // _PIECE,
        "overlong": kept.overlong,
        "table": kept.table,
    }

    def begin(connection: Connection) -> None:
        background.queue_job(connection, job_id, state, kept.lines)
        deed = Deed("C", "bulk-received", entity=f"job:{job_id}")
        audit.record(connection, who(actor, request_id), deed, now)

    services.store.write(begin)
    nudge(services, "background")
    return job_id


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is known of a body when all of it is here.

    Attributes:
        size: in bytes.
        overlong: numbers of lines that are longer than is read, and were left blank.
        table: of a table, what its readers have to know.
    """

    size: int
    lines: int
    overlong: tuple[int, ...]
    table: dict[str, Any] | None


def _kept(services: Services, new: NewJob, chunks: Iterable[bytes], form: str) -> _Kept:
    """Write a body in pieces that end with a line; what is known of it then."""
    is_table = form != "ndjson"
    text = TextChunks(chunks) if is_table else None
    longest = _PIECE if is_table else services.policy.body_limit
    size = lines = place = 0
    start = b""
    overlong: list[int] = []
    piece_size = min(_PIECE, longest)
    for piece in cut(text or chunks, size=piece_size, longest=longest, feeds_only=not is_table):
        start = start or piece.body
        kept = Piece(INPUT, place, piece.body, piece.lines)
        services.store.write(partial(_keep, services, new, kept))
        overlong += piece.overlong
        size, lines, place = size + len(piece.body), lines + piece.lines, place + 1
    if not place:
        raise SubmissionError("The body is empty.", code="nothing-recognised")
    table = None
    if text:
        table = bulk_tables.begun(start, text.charset, text.guessed)
        if size > services.policy.body_limit and bulk_tables.is_of_one_patient(table, start):
            raise TooLarge(
                "The table has no column for the patient's number, so that it is one patient's; "
                f"of one patient at most {services.policy.body_limit} bytes are read."
            )
    return _Kept(size, lines, tuple(overlong), table)


def _keep(services: Services, new: NewJob, piece: Piece, connection: Connection) -> None:
    where = (new.organisation_id, new.id)
    background.add_piece(connection, services.store.vault, where, piece)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A piece of the input that is read at once.

    Attributes:
        lines: how many of the input's lines it has.
        moved: lines that are read elsewhere, for the files they go to.
        table: of a table, what its readers know after this piece.
    """

    reading: Reading
    lines: int
    moved: tuple[Written, ...] = ()
    table: Mapping[str, Any] | None = None


def slices(services: Services, actor: Actor, job: JobRecord) -> Iterator[Slice]:
    """The rest of the job, from where it stands."""
    state = dict(job.state)
    units = _units(services, job)
    while state["unit"] < len(units):
        unit = _unit(services, job, units[state["unit"]], state)
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
                    "table": unit.table or state["table"],
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
    places = _places(services, job)
    named: list[tuple[str, int | None]] = [(INPUT, place) for place, _ in places]
    return named + [(_group(number), None) for number in range(job.state["groups"])]


def _places(services: Services, job: JobRecord) -> tuple[tuple[int, int], ...]:
    with services.store.reading() as connection:
        return background.positions(connection, job.organisation_id, job.id, INPUT)


def _unit(
    services: Services, job: JobRecord, unit: tuple[str, int | None], state: Mapping[str, Any]
) -> _Unit:
    name, place = unit
    if place is None:
        alone = _rows_alone if state["table"] else _alone
        return alone(services, job, name, state)
    read_piece = _table_piece if state["table"] else _piece
    found = read_piece(services, job, place, state)
    return replace(found, reading=_with_overlong(found, _span(services, job, place), state))


def _span(services: Services, job: JobRecord, place: int) -> range:
    """The numbers of the lines of a piece of the input."""
    places = _places(services, job)
    first = 1 + sum(lines for before, lines in places if before < place)
    return range(first, first + dict(places)[place])


def _with_overlong(found: _Unit, numbers: range, state: Mapping[str, Any]) -> Reading:
    """The reading, and a refusal for each line of the piece that was too long to be kept."""
    word, code = ("row", "row-not-read") if state["table"] else ("line", "too-large")
    refused = tuple(
        Place(f"{word} {number}", code, "is longer than is read; nothing of it was used")
        for number in state["overlong"]
        if number in numbers
    )
    return replace(found.reading, refused=found.reading.refused + refused)


def _piece(services: Services, job: JobRecord, place: int, state: Mapping[str, Any]) -> _Unit:
    """A piece of NDJSON: the lines that are whole, and where the others go."""
    numbers = _span(services, job, place)
    body = b"".join(_bytes(services, job, INPUT, place))
    whole: list[tuple[int, bytes]] = []
    moved: dict[str, list[str]] = {}
    for number, line in enumerate(body.split(b"\n"), start=numbers.start):
        if not line.strip():
            continue
        patient = bulk_lines.whose(line)
        if patient is None:
            whole.append((number, line))
            continue
        everyone = patient == bulk_lines.EVERYONE
        group = _EVERYONE if everyone else _group_of(patient, state["groups"])
        text = line.removeprefix(b"\xef\xbb\xbf").strip().decode()
        moved.setdefault(group, []).append(f"{number}\t{text}")
    reading = _read(services, job, bulk_lines.at_their_lines(whole)) if whole else Reading(())
    return _Unit(reading, len(numbers) - sum(map(len, moved.values())), _moved(moved, place))


def _moved(lines: Mapping[str, list[str]], place: int) -> tuple[Written, ...]:
    return tuple(Written(name, place, tuple(found)) for name, found in sorted(lines.items()))


def _table_piece(services: Services, job: JobRecord, place: int, state: Mapping[str, Any]) -> _Unit:
    """A piece of a table: its rows, each put with its patient's, and what they say of columns."""
    numbers = _span(services, job, place)
    table = state["table"]
    before: list[str] = []
    for earlier in range(place - 1, -1, -1):
        if len(before) >= table["left"]:
            break
        before = bulk_tables.lines_of(_whole(services, job, earlier), table) + before
    left = before[len(before) - table["left"] :]
    lines = left + bulk_tables.lines_of(_whole(services, job, place), table)
    part = bulk_tables.part(
        lines,
        _whole(services, job, 0),
        table,
        first=numbers.start - len(left),
        is_last=numbers.stop > (job.total or 0),
    )
    moved: dict[str, list[str]] = {}
    for row, patient in part.rows:
        group = _group_of("\x1f".join(patient), state["groups"])
        moved.setdefault(group, []).append(bulk_tables.written(row))
    lines_done = len(numbers) - len(part.rows)
    reading = Reading((), part.refused)
    return _Unit(reading, lines_done, _moved(moved, place), part.table)


def _rows_alone(services: Services, job: JobRecord, name: str, state: Mapping[str, Any]) -> _Unit:
    """All the rows of some patients."""
    kept = b"".join(_bytes(services, job, name))
    rows = bulk_tables.rows_of(kept)
    settings = settings_of(job.request.get("settings") or {})
    context = Context(services.now(), _limits(services), settings=settings)
    start = _whole(services, job, 0)
    return _Unit(bulk_tables.panels_of(rows, start, state["table"], context), len(rows))


def _whole(services: Services, job: JobRecord, place: int) -> bytes:
    return b"".join(_bytes(services, job, INPUT, place))


def _alone(services: Services, job: JobRecord, name: str, _: Mapping[str, Any]) -> _Unit:
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
    try:
        return formats.read(form, body, services.now(), _limits(services))
    except SubmissionError as error:
        said = error.errors or (Place("body", error.code, error.message),)
        return Reading((), tuple(replace(one, where=one.where or "body") for one in said))


def _limits(services: Services) -> Limits:
    most = 2 * services.policy.bulk_limit
    return Limits(body_bytes=most, rows=most, panels=most)


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
