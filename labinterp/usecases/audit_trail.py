"""Reading the audit: the events of one organisation, as FHIR too, and whether the chains hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labinterp.access import require
from labinterp.errors import NotFound, Place, SubmissionError
from labinterp.reporting.fhir_audit import AuditEntry, audit_event
from labinterp.store import audit, chain
from labinterp.store.audit import Deed, Who
from labinterp.store.chain import Break, Head
from labinterp.usecases.acting import audited

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from labinterp.access import Actor
    from labinterp.store.audit import Event
    from labinterp.usecases.services import Services


_LONGEST_CURSOR: Final = 18


@dataclass(frozen=True, slots=True)
class Verified:
    """What reckoning the chains anew found.

    Attributes:
        heads: the newest link of each; noted somewhere else, it proves all events up to it.
        breaks: where chains do not hold.
    """

    heads: tuple[Head, ...]
    breaks: tuple[Break, ...]


def verify(services: Services, noted: Mapping[str, Head] | None = None) -> Verified:
    """Reckon every chain anew, from its first event.

    Args:
        services: the wired parts.
        noted: by chain, a link that was noted earlier and must still be there.
    """
    written_down = noted or {}
    with services.store.reading() as connection:
        heads = chain.heads(connection)
        found = [
            chain.first_break(connection, head, written_down.get(head.chain)) for head in heads
        ]
        unlinked = chain.unlinked(connection)
    breaks = [each for each in found if each is not None]
    gone = written_down.keys() - {head.chain for head in heads}
    breaks += [Break(name, 1, "the whole chain is missing") for name in sorted(gone)]
    if unlinked:
        breaks.append(Break("none", None, f"{unlinked} events are in no chain"))
    return Verified(heads, tuple(breaks))


def newest(services: Services, organisation_id: str, limit: int) -> tuple[Event, ...]:
    """The last events of an organisation, oldest of them first."""
    with services.store.reading() as connection:
        return audit.newest(connection, organisation_id, limit)


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the audit is looked for.

    Attributes:
        since: recorded at or after.
        until: recorded before.
        of: by name (`_id`, `agent`, `subtype`, `action`, `outcome`, `entity`), any of these.
        cursor: of the page before.
    """

    since: datetime | None
    until: datetime | None
    of: Mapping[str, Collection[str]]
    cursor: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of FHIR AuditEvents, the newest first, and where the next begins."""

    events: tuple[dict[str, Any], ...]
    next_cursor: str | None


def searched(services: Services, actor: Actor, asked: Asked, *, request_id: str = "") -> Found:
    """A page of an organisation's events; that they were read leaves its mark first.

    Raises:
        SubmissionError: the cursor is none of ours.
    """
    require(actor, "admin")
    before = _place(asked.cursor)
    audited(services, actor, Deed("R", "audit-read"), request_id)
    with services.store.reading() as connection:
        events = audit.page(
            connection,
            actor.organisation_id,
            since=asked.since,
            until=asked.until,
            of=asked.of,
            before=before,
            limit=asked.limit + 1,
        )
    kept = events[: asked.limit]
    more = len(events) > asked.limit
    return Found(tuple(map(as_fhir, kept)), str(kept[-1].sequence) if more else None)


def read(
    services: Services, actor: Actor, event_id: str, *, request_id: str = ""
) -> dict[str, Any]:
    """One event of the organisation, as a FHIR AuditEvent.

    Raises:
        NotFound: there is none with this id in this organisation.
    """
    require(actor, "admin")
    with services.store.reading() as connection:
        found = audit.page(connection, actor.organisation_id, of={"_id": (event_id,)}, limit=1)
    if not found:
        raise NotFound("There is no such event, or it is not yours.")
    audited(services, actor, Deed("R", "audit-read", entity=f"event:{event_id}"), request_id)
    return as_fhir(found[0])


def _place(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _LONGEST_CURSOR):
        places = (Place("_cursor", "parameter-invalid", "is not one that a page gave"),)
        raise SubmissionError(
            "_cursor is not one that a page gave.", code="bad-request", errors=places
        )
    return int(cursor)


def exported(
    services: Services,
    who: Who,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[dict[str, Any]]:
    """An organisation's events as FHIR AuditEvents, oldest first; the export leaves its mark.

    Args:
        services: the wired parts.
        who: who exports, and by its organisation whose events (None: what belongs to none).
        since: recorded at or after.
        until: recorded before.
    """
    services.store.write(
        lambda held: audit.record(held, who, Deed("R", "audit-exported"), services.now())
    )
    whose = who.organisation_id or chain.OF_SERVICE
    with services.store.reading() as connection:
        for event in audit.in_order(connection, whose, since=since, until=until):
            yield as_fhir(event)


def as_fhir(event: Event) -> dict[str, Any]:
    """One event as a FHIR AuditEvent."""
    who, deed = event.who, event.deed
    return audit_event(
        AuditEntry(
            id=event.id,
            recorded_at=event.recorded_at,
            action=deed.action,
            subtype=deed.subtype,
            outcome=deed.outcome,
            why=deed.why,
            actor_kind=who.kind,
            actor_id=who.id,
            actor_name=who.name,
            address=who.address,
            request_id=who.request_id,
            organisation_id=who.organisation_id,
            panel_id=deed.panel_id,
            version=deed.version,
            patient_key=deed.patient_key,
            thing=deed.entity,
            sequence=event.sequence,
            hash=event.hash,
        )
    )
