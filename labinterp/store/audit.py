"""The audit: who did what to which patient's data, when, from where, and how it ended.

Rows are only ever added, in the transaction of what they record, each linked to the one before it
(`chain`); the shape is FHIR's AuditEvent (`action` C R U D E, `outcome` 0 done, 4 refused, 8
failed). No name and no value of a patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import or_, select

from labinterp.store import chain
from labinterp.store.store import before_commit, fresh_id
from labinterp.store.tables import audit_event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

Action = Literal["C", "R", "U", "D", "E"]
Done = Literal["0", "4", "8"]
_LONGEST_WHY: Final = 300
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Who:
    """Who did it, and from where."""

    organisation_id: str | None
    kind: str
    id: str
    name: str
    address: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done.

    Attributes:
        subtype: `panel-accepted`, `report-read`, `sign-in`, …
        entity: another thing than a panel it is about (`key:…`, `delivery:…`).
    """

    action: Action
    subtype: str
    outcome: Done = "0"
    why: str | None = None
    panel_id: str | None = None
    version: int | None = None
    patient_key: str | None = None
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it stands in the audit.

    Attributes:
        sequence: its place in its organisation's chain; None where an older version wrote it and
            the database was not upgraded since.
        hash: which stands for it and for all before it.
    """

    id: str
    recorded_at: datetime
    who: Who
    deed: Deed
    sequence: int | None
    hash: str | None


def record(connection: Connection, who: Who, deed: Deed, now: datetime) -> None:
    """Add one event to the audit when this transaction is about to commit."""
    row = {
        "id": fresh_id(now),
        "organisation_id": who.organisation_id,
        "recorded_at": now,
        "action": deed.action,
        "subtype": deed.subtype,
        "outcome": deed.outcome,
        "why": deed.why[:_LONGEST_WHY] if deed.why is not None else None,
        "actor_kind": who.kind,
        "actor_id": who.id,
        "actor_name": who.name[:200],
        "address": who.address[:64],
        "request_id": who.request_id[:80],
        "panel_id": deed.panel_id,
        "version": deed.version,
        "patient_key": deed.patient_key,
        "entity": deed.entity,
    }
    before_commit(connection, chain.add, row)


def events(
    connection: Connection, organisation_id: str, *, panel_id: str | None = None, limit: int = 100
) -> tuple[tuple[Who, Deed, datetime], ...]:
    """The organisation's newest events first, of one panel or of all."""
    query = select(audit_event).where(audit_event.c.organisation_id == organisation_id)
    if panel_id is not None:
        query = query.where(audit_event.c.panel_id == panel_id)
    rows = connection.execute(
        query.order_by(audit_event.c.recorded_at.desc(), audit_event.c.sequence.desc()).limit(limit)
    )
    return tuple((event.who, event.deed, event.recorded_at) for event in map(_event, rows))


def in_order(
    connection: Connection,
    organisation_id: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    panel_ids: Collection[str] | None = None,
    patient_key: str | None = None,
) -> Iterator[Event]:
    """An organisation's events in the order of its chain, a few at a time.

    Args:
        connection: a transaction that only reads.
        organisation_id: whose; `chain.OF_SERVICE` for what belongs to no organisation.
        since: recorded at or after.
        until: recorded before.
        panel_ids: about one of these panels, or about `patient_key`.
        patient_key: about this patient.
    """
    query = select(audit_event).where(_belongs(organisation_id))
    if since is not None:
        query = query.where(audit_event.c.recorded_at >= since)
    if until is not None:
        query = query.where(audit_event.c.recorded_at < until)
    if panel_ids is not None or patient_key is not None:
        query = query.where(
            or_(
                audit_event.c.panel_id.in_(sorted(panel_ids or ())),
                audit_event.c.patient_key == patient_key,
            )
        )
    ordered = query.order_by(audit_event.c.sequence, audit_event.c.recorded_at, audit_event.c.id)
    rows = connection.execute(ordered, execution_options={"yield_per": _AT_ONCE})
    yield from map(_event, rows)


def newest(connection: Connection, organisation_id: str, limit: int) -> tuple[Event, ...]:
    """The last events of an organisation, oldest of them first."""
    rows = connection.execute(
        select(audit_event)
        .where(_belongs(organisation_id))
        .order_by(audit_event.c.sequence.desc())
        .limit(limit)
    ).all()
    return tuple(map(_event, reversed(rows)))


def page(
    connection: Connection,
    organisation_id: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    of: Mapping[str, Collection[str]] | None = None,
    before: int | None = None,
    limit: int = 100,
) -> tuple[Event, ...]:
    """An organisation's events, the newest first.

    Args:
        connection: a transaction that only reads.
        organisation_id: whose.
        since: recorded at or after.
        until: recorded before.
        of: by name of what is asked (`SEARCHED`), the values that are wanted.
        before: only what stands before this place of the chain.
        limit: at most so many.
    """
    query = select(audit_event).where(
        audit_event.c.organisation_id == organisation_id, audit_event.c.sequence.is_not(None)
    )
    if since is not None:
        query = query.where(audit_event.c.recorded_at >= since)
    if until is not None:
        query = query.where(audit_event.c.recorded_at < until)
    if before is not None:
        query = query.where(audit_event.c.sequence < before)
    for name, values in (of or {}).items():
        query = query.where(or_(*(column.in_(sorted(values)) for column in SEARCHED[name])))
    rows = connection.execute(query.order_by(audit_event.c.sequence.desc()).limit(limit)).all()
    return tuple(map(_event, rows))


SEARCHED: Final = {
    "_id": (audit_event.c.id,),
    "agent": (audit_event.c.actor_id,),
    "subtype": (audit_event.c.subtype,),
    "action": (audit_event.c.action,),
    "outcome": (audit_event.c.outcome,),
    "entity": (audit_event.c.panel_id, audit_event.c.entity),
}


def _belongs(organisation_id: str) -> ColumnElement[bool]:
    column = audit_event.c.organisation_id
    return column.is_(None) if organisation_id == chain.OF_SERVICE else column == organisation_id


def _event(row: Row[Any]) -> Event:
    return Event(
        id=row.id,
        recorded_at=row.recorded_at,
        who=Who(
            row.organisation_id,
            row.actor_kind,
            row.actor_id,
            row.actor_name,
            row.address or "",
            row.request_id or "",
        ),
        deed=Deed(
            row.action,
            row.subtype,
            row.outcome,
            row.why,
            row.panel_id,
            row.version,
            row.patient_key,
            row.entity,
        ),
        sequence=row.sequence,
        hash=row.hash,
    )
