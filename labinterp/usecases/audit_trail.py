"""Reading the audit: the events of one organisation, as FHIR too, and whether the chains hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labinterp.reporting.fhir_audit import AuditEntry, audit_event
from labinterp.store import audit, chain
from labinterp.store.audit import Deed, Who
from labinterp.store.chain import Break, Head

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from labinterp.store.audit import Event
    from labinterp.usecases.services import Services


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
