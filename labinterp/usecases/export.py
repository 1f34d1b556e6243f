"""FHIR bulk export: stored answers as NDJSON, a file for each type of resource.

What is exported is the newest version of every panel as it was when the export was asked for; one
that changes meanwhile is left to the next export since then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from labinterp.access import Actor, require
from labinterp.errors import AccessDenied, Place, SubmissionError
from labinterp.reporting import fhir
from labinterp.store import audit, background, lists
from labinterp.store.audit import Deed
from labinterp.store.background import NewJob, Slice, Written
from labinterp.store.lists import Wanted
from labinterp.store.moment import microseconds_since_epoch
from labinterp.store.records import written
from labinterp.store.store import fresh_id
from labinterp.usecases.acting import who
from labinterp.usecases.fhir_orders import attachment, fhir_order
from labinterp.usecases.job_requests import asked_by
from labinterp.usecases.read import newest_record
from labinterp.usecases.storing import nudge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from labinterp.store.background import JobRecord
    from labinterp.store.rows import PanelRecord, PanelSummary
    from labinterp.usecases.services import Services

_REPORT: Final = "DiagnosticReport"
TYPES: Final = (
    *(_REPORT, "Observation", "Provenance"),
    *("Patient", "Device", "DetectedIssue"),
)
_PANELS: Final = 25
_OVERLAP: Final = timedelta(minutes=5)
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)


def may_read(actor: Actor, kind: str) -> bool:
    """Does this caller hold the right to read resources of this type?"""
    held = actor.resources
    return held is None or bool({f"{kind}.r", "*.r"} & held)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be exported.

    Attributes:
        kinds: types of resources; none named is all that the actor may read.
        since: only what was answered at or after this moment.
        without: types of which nothing is wanted after all.
    """

    kinds: tuple[str, ...] = ()
    since: datetime | None = None
    without: frozenset[str] = frozenset()


def begin(
    services: Services,
    actor: Actor,
    wish: Wish,
    *,
    url: str = "",
    request_id: str = "",
) -> str:
    """Have the organisation's answers written; the job's id.

    Args:
        services: the wired parts.
        actor: who asks; nothing is written that they may not read.
        wish: what is to be written.
        url: the request, for the manifest.
        request_id: for the audit.

    Raises:
        AccessDenied: nothing of what is wanted may be read.
        SubmissionError: a type that is not exported here.
    """
    if actor.resources is None:
        require(actor, "panels:read")
    since = wish.since
    wanted = [kind for kind in _permitted(actor, wish.kinds) if kind not in wish.without]
    now = services.now()
    job_id = fresh_id(now)
    request = asked_by(
        actor, url, request_id, kinds=wanted, since=since.isoformat() if since else None
    )
    listed = _wanted(since, now)

    def work(connection: Connection) -> None:
        total = lists.how_many(connection, services.store.vault, actor.organisation_id, listed)
        new = NewJob(
            id=job_id,
            organisation_id=actor.organisation_id,
            kind="export",
            status="queued",
            request=request,
            state={"after": None, "parts": 0, "ended": False},
            total=total,
            created_at=now,
        )
        background.add_job(connection, new)
        deed = Deed("E", "export-begun", entity=f"job:{job_id}")
        audit.record(connection, who(actor, request_id), deed, now)

    services.store.write(work)
    nudge(services, "background")
    return job_id


def slices(services: Services, actor: Actor, job: JobRecord) -> Iterator[Slice]:
    """The rest of the export, from where it stands."""
    state, done = dict(job.state), job.done
    since = job.request["since"]
    while not state["ended"]:
        wanted = replace(
            _wanted(datetime.fromisoformat(since) if since else None, job.created_at),
            after=tuple(state["after"]) if state["after"] else None,
            limit=_PANELS,
        )
        page, records = _records(services, actor, job, wanted)
        if page:
            last = page[-1]
            state["after"] = [microseconds_since_epoch(last.received_at), last.id]
        done += len(records)
        state["ended"] = len(records) < _PANELS
        lines = _lines(services, actor, records, job.request["kinds"], state["parts"])
        state["parts"] += 1
        yield Slice(dict(state), done, lines)


def _wanted(since: datetime | None, until: datetime) -> Wanted:
    """What lies between two moments, both in it; and what came just before but was stored later.

    A panel has the moment at which it came. An export that was made before it was stored did not
    hold it; without the overlap the next one since then would not, either.
    """
    earliest = since if since is None or since < _FIRST else since - _OVERLAP
    return Wanted(since=earliest, until=until + timedelta.resolution)


def _records(
    services: Services, actor: Actor, job: JobRecord, wanted: Wanted
) -> tuple[tuple[PanelSummary, ...], list[PanelRecord]]:
    """The next panels, newest first; that they were read is written down before they are told."""
    store = services.store
    with store.reading() as connection:
        page = lists.summaries(connection, store.vault, job.organisation_id, wanted)
        found = [newest_record(connection, services, job.organisation_id, one.id) for one in page]
    now = services.now()

    def mark(connection: Connection) -> None:
        for one in found:
            deed = Deed(
                "R",
                "panel-exported",
                panel_id=one.id,
                version=one.version,
                patient_key=one.patient_ref,
                entity=f"job:{job.id}",
            )
            audit.record(connection, who(actor, job.request["request_id"]), deed, now)

    if found:
        store.write(mark)
    return page, found


def _lines(
    services: Services, actor: Actor, records: list[PanelRecord], kinds: list[str], part: int
) -> tuple[Written, ...]:
    found: dict[str, list[str]] = {kind: [] for kind in kinds}
    for record in records:
        document = attachment(services, actor, record) if _REPORT in found else None
        for one in fhir.resources(fhir_order(services, record, document), services.knowledge):
            if one["resourceType"] in found:
                found[one["resourceType"]].append(written(one))
    return tuple(
        Written(f"{kind}.ndjson", part, tuple(lines)) for kind, lines in found.items() if lines
    )


def _permitted(actor: Actor, kinds: tuple[str, ...]) -> list[str]:
    unknown = [kind for kind in kinds if kind not in TYPES]
    if unknown:
        message = f"is not exported here; {', '.join(TYPES)} are"
        places = tuple(
            Place(f"_type={kind}"[:100], "parameter-invalid", message) for kind in unknown
        )
        raise SubmissionError(f"A type {message}.", code="bad-request", errors=places)
    refused = [kind for kind in kinds if not may_read(actor, kind)]
    found = [kind for kind in kinds or TYPES if may_read(actor, kind)]
    if refused or not found:
        named = ", ".join(f"system/{kind}.rs" for kind in refused or TYPES)
        raise AccessDenied(f"This needs {named}, which this token lacks.")
    return found
