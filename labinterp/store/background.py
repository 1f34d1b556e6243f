"""Background jobs: slow work that a caller asks after; the row is the job, as with a report.

A worker takes a due row for one turn. Each slice of a turn is written together with how far the job
is (`state`) and with what it made (`job_part`), and every such write repeats the claim's token: so
what a lost worker had not written is done again, and what it had written is not. Claiming, writing
and sweeping stay together: the token's rule has to hold in all of them.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, exists, func, insert, or_, select, update

from labinterp.errors import NotFound
from labinterp.store import sealed
from labinterp.store.door_tables import background_job, job_part
from labinterp.store.moment import db_now, microseconds
from labinterp.store.reports import is_due
from labinterp.store.store import is_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection, Row

    from labinterp.store.crypto import Vault

INPUT: Final = "in"
"""The name of the parts that hold what was sent; never served."""
_LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be written: `receiving` while its body still comes in, or `queued`."""

    id: str
    organisation_id: str
    kind: str
    status: str
    request: Mapping[str, Any]
    state: Mapping[str, Any]
    total: int | None
    created_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it stands.

    Attributes:
        status: receiving, queued, done, failed.
        request: what was asked, and by whom.
        state: how far the worker is; its own business.
        done, total: lines or panels.
        why: for failed, the reason.
    """

    id: str
    organisation_id: str
    kind: str
    status: str
    request: Mapping[str, Any]
    state: Mapping[str, Any]
    done: int
    total: int | None
    why: str | None
    attempts: int
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobClaim:
    """A worker's hold on a job, and the job as it was then."""

    token: str
    job: JobRecord


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of the bytes of a file, its place in it, and how many lines they are."""

    name: str
    position: int
    body: bytes
    lines: int


@dataclass(frozen=True, slots=True)
class Written:
    """Lines for one of a job's files."""

    name: str
    position: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """What a slice of work leaves: how far the job is now, and what it wrote."""

    state: Mapping[str, Any]
    done: int
    written: tuple[Written, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file that a job wrote: its name, and how many lines it has."""

    name: str
    lines: int


def add_job(connection: Connection, new: NewJob) -> None:
    """A new job; due at once where it is `queued`."""
    connection.execute(
        insert(background_job).values(
            id=new.id,
            organisation_id=new.organisation_id,
            kind=new.kind,
            status=new.status,
            request=json.dumps(new.request),
            state=json.dumps(new.state),
            done=0,
            total=new.total,
            attempts=0,
            due_at=db_now() if new.status == "queued" else None,
            created_at=new.created_at,
            expires_at=new.expires_at,
        )
    )


def add_piece(connection: Connection, vault: Vault, where: tuple[str, str], piece: Piece) -> None:
    """A piece of a file of the job that `where` (organisation and job) names."""
    organisation_id, job_id = where
    context = sealed.place("job-part", organisation_id, job_id, piece.name, piece.position)
    connection.execute(
        insert(job_part).values(
            job_id=job_id,
            name=piece.name,
            position=piece.position,
            organisation_id=organisation_id,
            sealed=vault.seal(piece.body, context),
            lines=piece.lines,
        )
    )


def queue_job(connection: Connection, job_id: str, state: Mapping[str, Any], total: int) -> None:
    """All of its body is here: the job begins."""
    connection.execute(
        update(background_job)
        .where(background_job.c.id == job_id, background_job.c.status == "receiving")
        .values(
            status="queued",
            state=json.dumps(state),
            total=total,
            due_at=db_now(),
            expires_at=None,
        )
    )


def read_job(
    connection: Connection, organisation_id: str, kind: str, job_id: str, now: datetime
) -> JobRecord:
    """A job of this kind.

    Raises:
        NotFound: no such job in this organisation, or its time is over.
    """
    row = (
        is_id(job_id)
        and connection.execute(
            select(background_job).where(
                background_job.c.id == job_id,
                background_job.c.organisation_id == organisation_id,
                background_job.c.kind == kind,
                or_(background_job.c.expires_at.is_(None), background_job.c.expires_at > now),
            )
        ).first()
    )
    if not row:
        raise NotFound("There is no such job, or it is not yours, or it has expired.")
    return _record(row)


def files(connection: Connection, organisation_id: str, job_id: str) -> tuple[JobFile, ...]:
    """The files that a job wrote, by name."""
    rows = connection.execute(
        select(job_part.c.name, func.sum(job_part.c.lines))
        .where(
            job_part.c.organisation_id == organisation_id,
            job_part.c.job_id == job_id,
            _is_output(),
        )
        .group_by(job_part.c.name)
        .order_by(job_part.c.name)
    )
    return tuple(JobFile(name, int(lines)) for name, lines in rows)


def positions(
    connection: Connection, organisation_id: str, job_id: str, name: str
) -> tuple[tuple[int, int], ...]:
    """The pieces of a file in their order: each one's place, and its lines."""
    rows = connection.execute(
        select(job_part.c.position, job_part.c.lines)
        .where(
            job_part.c.organisation_id == organisation_id,
            job_part.c.job_id == job_id,
            job_part.c.name == name,
        )
        .order_by(job_part.c.position)
    )
    return tuple((position, lines) for position, lines in rows)


def pieces(
    connection: Connection,
    vault: Vault,
    where: tuple[str, str],
    name: str,
    wanted: Collection[int] | None = None,
) -> Iterator[bytes]:
    """The bytes of a file, piece by piece; only those at `wanted` places, if any are named."""
    organisation_id, job_id = where
    for position, _ in positions(connection, organisation_id, job_id, name):
        if wanted is not None and position not in wanted:
            continue
        kept = connection.execute(
            select(job_part.c.sealed).where(
                job_part.c.job_id == job_id,
                job_part.c.name == name,
                job_part.c.position == position,
            )
        ).scalar_one()
        yield vault.open(kept, sealed.place("job-part", organisation_id, job_id, name, position))


def remove_job(connection: Connection, organisation_id: str, kind: str, job_id: str) -> bool:
    """The job and all it wrote; a worker in the middle of it finds its claim gone."""
    held = connection.execute(
        update(background_job)
        .where(
            background_job.c.id == job_id,
            background_job.c.organisation_id == organisation_id,
            background_job.c.kind == kind,
        )
        .values(status="removed", lease_token=None, due_at=None)
    )
    if held.rowcount != 1:
        return False
    connection.execute(delete(job_part).where(job_part.c.job_id == job_id))
    connection.execute(delete(background_job).where(background_job.c.id == job_id))
    return True


def expired_jobs(
    connection: Connection, now: datetime, limit: int
) -> tuple[tuple[str, str, str], ...]:
    """Jobs whose time is over: organisation, kind and id of each."""
    rows = connection.execute(
        select(background_job.c.organisation_id, background_job.c.kind, background_job.c.id)
        .where(background_job.c.expires_at <= now)
        .limit(limit)
    )
    return tuple((organisation_id, kind, job_id) for organisation_id, kind, job_id in rows)


def due_jobs(connection: Connection, implausible: timedelta, limit: int) -> tuple[str, ...]:
    """Jobs a worker may take, those that waited longest first; none while one is held.

    Slow work never takes more than one worker, so that reports and mails go on beside it.
    """
    rows = connection.execute(
        select(background_job.c.id)
        .where(
            background_job.c.status == "queued",
            is_due(background_job.c.due_at, implausible),
            ~_any_held(implausible),
        )
        .order_by(background_job.c.due_at)
        .limit(limit)
    )
    return tuple(rows.scalars())


def claim_job(
    connection: Connection,
    job_id: str,
    worker: str,
    *,
    lease: timedelta,
    implausible: timedelta,
) -> JobClaim | None:
    """Take one due job; None when somebody else was faster."""
    token = secrets.token_urlsafe(24)
    row = connection.execute(
        update(background_job)
        .where(
            background_job.c.id == job_id,
            background_job.c.status == "queued",
            is_due(background_job.c.due_at, implausible),
        )
        .values(
            attempts=background_job.c.attempts + 1,
            lease_token=token,
            leased_by=worker[:100],
            due_at=db_now() + microseconds(lease),
        )
        .returning(background_job)
    ).first()
    return None if row is None else JobClaim(token, _record(row))


def record_slice(
    connection: Connection, vault: Vault, claim: JobClaim, made: Slice, lease: timedelta
) -> bool:
    """Write a slice and hold the job for longer; false, and nothing, where the claim is lost."""
    kept = _moved(
        connection,
        claim,
        state=json.dumps(made.state),
        done=made.done,
        attempts=0,
        due_at=db_now() + microseconds(lease),
    )
    if kept:
        where = (claim.job.organisation_id, claim.job.id)
        for one in made.written:
            body = "".join(f"{line}\n" for line in one.lines).encode()
            add_piece(connection, vault, where, Piece(one.name, one.position, body, len(one.lines)))
    return kept


def put_back(connection: Connection, claim: JobClaim, delay: timedelta | None = None) -> bool:
    """The turn is over: whoever waits longest is next."""
    due_at = db_now() + microseconds(delay) if delay else db_now()
    return _moved(connection, claim, due_at=due_at, lease_token=None)


def finish_job(
    connection: Connection,
    claim: JobClaim,
    *,
    now: datetime,
    expires_at: datetime,
    why: str | None = None,
) -> bool:
    """It is done; or failed, where there is a reason why. What was sent is not kept."""
    moved = _moved(
        connection,
        claim,
        status="failed" if why else "done",
        why=why[:_LONGEST] if why else None,
        due_at=None,
        lease_token=None,
        finished_at=now,
        expires_at=expires_at,
    )
    if moved:
        connection.execute(delete(job_part).where(job_part.c.job_id == claim.job.id, ~_is_output()))
    return moved


def _is_output() -> ColumnElement[bool]:
    """Names of files that are served hold a dot; those of what was sent do not."""
    return job_part.c.name.contains(".")


def _any_held(implausible: timedelta) -> ColumnElement[bool]:
    other = background_job.alias()
    return exists().where(
        other.c.status == "queued",
        other.c.lease_token.is_not(None),
        other.c.due_at > db_now(),
        other.c.due_at <= db_now() + microseconds(implausible),
    )


def _moved(connection: Connection, claim: JobClaim, **values: Any) -> bool:
    done = connection.execute(
        update(background_job)
        .where(
            and_(
                background_job.c.id == claim.job.id,
                background_job.c.status == "queued",
                background_job.c.lease_token == claim.token,
            )
        )
        .values(**values)
    )
    return done.rowcount == 1


def _record(row: Row[Any]) -> JobRecord:
    return JobRecord(
        id=row.id,
        organisation_id=row.organisation_id,
        kind=row.kind,
        status=row.status,
        request=json.loads(row.request),
        state=json.loads(row.state),
        done=row.done,
        total=row.total,
        why=row.why,
        attempts=row.attempts,
        created_at=row.created_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
    )
