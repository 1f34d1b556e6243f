"""Background jobs: what a caller asks after, and the worker's side, one turn after the other.

A turn does slices until its time is up. Each slice is written with how far the job is, so a turn
that ends in the middle (a killed worker, a lease that ran out) is gone on with exactly there. What
a slice does outside of that write can be done twice without harm: a row that was stored is found
again by its content.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from labinterp import telemetry
from labinterp.access import Actor
from labinterp.errors import NotFound, TemporaryFailure
from labinterp.store import audit, background, people
from labinterp.store.audit import Deed
from labinterp.usecases import bulk, export
from labinterp.usecases.acting import who

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Connection

    from labinterp.store.background import JobClaim, JobFile, JobRecord, Slice
    from labinterp.usecases.services import Services

_WORK: Final[Mapping[str, Callable[[Services, Actor, JobRecord], Iterator[Slice]]]] = {
    "bulk": bulk.slices,
    "export": export.slices,
}
_AGAIN: Final = timedelta(seconds=30)
_GIVEN_UP: Final = "it could not be gone on with; the operator's log says why"
_log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class JobState:
    """A job and, once it is done, the files it wrote."""

    job: JobRecord
    files: tuple[JobFile, ...]


def read_job(services: Services, actor: Actor, kind: str, job_id: str) -> JobState:
    """How a job stands.

    Raises:
        NotFound: no such job in this organisation, or its time is over.
    """
    with services.store.reading() as connection:
        job = background.read_job(connection, actor.organisation_id, kind, job_id, services.now())
        finished = job.status == "done"
        written = background.files(connection, job.organisation_id, job.id) if finished else ()
    return JobState(job, written)


def read_file(
    services: Services, actor: Actor, kind: str, job_id: str, name: str, *, request_id: str = ""
) -> Iterator[bytes]:
    """A file of a finished job, piece by piece; the read leaves its mark first.

    Raises:
        NotFound: no such job or file.
    """
    state = read_job(services, actor, kind, job_id)
    if name not in {one.name for one in state.files}:
        raise NotFound("There is no such file of this job.")
    deed = Deed("R", "job-file-read", entity=f"job:{job_id}")
    now = services.now()
    services.store.write(
        lambda connection: audit.record(connection, who(actor, request_id), deed, now)
    )
    return _streamed(services, (actor.organisation_id, job_id), name)


def remove_job(
    services: Services, actor: Actor, kind: str, job_id: str, *, request_id: str = ""
) -> None:
    """Stop a job and forget what it wrote; panels that it stored stay.

    Raises:
        NotFound: no such job in this organisation.
    """
    read_job(services, actor, kind, job_id)
    now = services.now()

    def work(connection: Connection) -> None:
        if background.remove_job(connection, actor.organisation_id, kind, job_id):
            deed = Deed("D", "job-removed", entity=f"job:{job_id}")
            audit.record(connection, who(actor, request_id), deed, now)

    services.store.write(work)


def background_due(services: Services, worker: str, limit: int) -> int:
    """Give due jobs a turn each; how many had one.

    Args:
        services: the wired parts.
        worker: its name, for the row.
        limit: at most so many.

    Raises:
        TemporaryFailure: the database cannot be had; leases end by themselves.
    """
    with services.store.reading() as connection:
        due = background.due_jobs(connection, services.policy.implausible, limit)
    return sum(_turn(services, worker, job_id) for job_id in due)


def _turn(services: Services, worker: str, job_id: str) -> bool:
    policy = services.policy
    claim = services.store.write(
        lambda connection: background.claim_job(
            connection, job_id, worker, lease=policy.job_lease, implausible=policy.implausible
        )
    )
    if claim is None:
        return False
    if claim.job.attempts > policy.job_attempts:
        _finish(services, claim, _GIVEN_UP)
        return True
    try:
        finished = _worked(services, claim)
    except TemporaryFailure:
        raise
    except Exception as error:  # noqa: BLE001  # one job's fault stays with it
        _log.error("job-turn-failed", job_id=job_id, **telemetry.error_facts(error))
        services.store.write(lambda held: background.put_back(held, claim, _AGAIN))
        return True
    if finished:
        _finish(services, claim)
    return True


def _worked(services: Services, claim: JobClaim) -> bool:
    """Slices until the turn is over; whether the job is at its end."""
    store, began, until = services.store, services.now(), None
    actor = _actor(services, claim.job)
    for made in _WORK[claim.job.kind](services, actor, claim.job):
        kept = store.write(partial(_record, services, claim, made))
        if not kept:
            _log.warning("claim-lost", kind="background", job_id=claim.job.id)
            return False
        if until is None:  # what took long to read is worked on for as long, at least
            now = services.now()
            until = now + max(services.policy.job_turn, now - began)
        if services.now() >= until:
            store.write(lambda held: background.put_back(held, claim))
            return False
    return True


def _record(services: Services, claim: JobClaim, made: Slice, connection: Connection) -> bool:
    lease = services.policy.job_lease
    return background.record_slice(connection, services.store.vault, claim, made, lease)


def _finish(services: Services, claim: JobClaim, why: str | None = None) -> None:
    now = services.now()
    ends = now + services.policy.job_kept
    kept = services.store.write(
        lambda held: background.finish_job(held, claim, now=now, expires_at=ends, why=why)
    )
    if kept:
        outcome = "failed" if why else "done"
        _log.info("job-finished", job_id=claim.job.id, kind=claim.job.kind, outcome=outcome)


def _actor(services: Services, job: JobRecord) -> Actor:
    """Whoever asked for the job, with what they might do then and the choices of now."""
    asked = job.request["actor"]
    resources = asked["resources"]
    with services.store.reading() as connection:
        choices = people.choices_in_force(connection, job.organisation_id)
        name = people.organisation_name(connection, job.organisation_id)
    return Actor(
        organisation_id=job.organisation_id,
        organisation=name,
        kind=asked["kind"],
        id=asked["id"],
        name=asked["name"],
        scopes=frozenset(asked["scopes"]),
        address=asked["address"],
        choices=choices,
        resources=None if resources is None else frozenset(resources),
    )


def _streamed(services: Services, where: tuple[str, str], name: str) -> Iterator[bytes]:
    """Each piece in a transaction of its own: a slow reader holds none open."""
    store = services.store
    with store.reading() as connection:
        places = background.positions(connection, *where, name)
    for position, _ in places:
        with store.reading() as connection:
            found = tuple(background.pieces(connection, store.vault, where, name, {position}))
        yield from found
