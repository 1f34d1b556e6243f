"""The audit: who did what to which patient's data, when, from where, and how it ended.

Rows are only ever added, in the transaction of what they record; the shape is FHIR's AuditEvent
(`action` C R U D E, `outcome` 0 done, 4 refused, 8 failed). No name and no value of a patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import insert, select

from labinterp.store.store import fresh_id
from labinterp.store.tables import audit_event

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

Action = Literal["C", "R", "U", "D", "E"]
Done = Literal["0", "4", "8"]


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


def record(connection: Connection, who: Who, deed: Deed, now: datetime) -> None:
    """Add one event to the audit."""
    connection.execute(
        insert(audit_event).values(
            id=fresh_id(now),
            organisation_id=who.organisation_id,
            recorded_at=now,
            action=deed.action,
            subtype=deed.subtype,
            outcome=deed.outcome,
            why=deed.why,
            actor_kind=who.kind,
            actor_id=who.id,
            actor_name=who.name[:200],
            address=who.address[:64],
            request_id=who.request_id[:80],
            panel_id=deed.panel_id,
            version=deed.version,
            patient_key=deed.patient_key,
            entity=deed.entity,
        )
    )


def events(
    connection: Connection, organisation_id: str, *, panel_id: str | None = None, limit: int = 100
) -> tuple[tuple[Who, Deed, datetime], ...]:
    """The organisation's newest events first, of one panel or of all."""
    query = select(audit_event).where(audit_event.c.organisation_id == organisation_id)
    if panel_id is not None:
        query = query.where(audit_event.c.panel_id == panel_id)
    rows = connection.execute(
        query.order_by(audit_event.c.recorded_at.desc(), audit_event.c.id.desc()).limit(limit)
    )
    return tuple(
        (
            Who(
                row.organisation_id,
                row.actor_kind,
                row.actor_id,
                row.actor_name,
                row.address or "",
                row.request_id or "",
            ),
            Deed(
                row.action,
                row.subtype,
                row.outcome,
                row.why,
                row.panel_id,
                row.version,
                row.patient_key,
                row.entity,
            ),
            row.recorded_at,
        )
        for row in rows
    )
