"""Taking panels out of the database with everything that was made of them.

What is left is a tombstone for each, and the audit, which names nobody. Rows that only mention a
panel in their text (a remembered answer, a message) are looked for first, in a transaction that
makes nobody wait; the rest hangs on the panel by keys and goes with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import delete, func, insert, select, text

from labinterp.store.door_tables import (
    background_job,
    cds_card,
    cds_feedback,
    message,
    notice,
    result_identity,
)
from labinterp.store.records import read_back
from labinterp.store.tables import (
    acknowledgement,
    delivery,
    idempotency,
    identity,
    organisation,
    panel,
    panel_measurand,
    panel_standing,
    panel_version,
    patient_page,
    report,
    report_file,
    tombstone,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Column, Connection

    from labinterp.store.store import Store

_AT_ONCE: Final = 500
_ID: Final = re.compile(r"[0-9a-v]{26}")
_OPEN_JOBS: Final = ("receiving", "queued")
Kind = Literal["panel", "message", "card", "feedback"]
_AGED: Final[dict[Kind, Column[datetime]]] = {
    "panel": panel.c.received_at,
    "message": message.c.received_at,
    "card": cds_card.c.shown_at,
    "feedback": cds_feedback.c.received_at,
}


@dataclass(frozen=True, slots=True)
class Traces:
    """Rows that mention panels in their text.

    Attributes:
        keys: of remembered answers.
        messages: as received, which may hold other patients' panels too.
    """

    keys: tuple[str, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erasing:
    """By whom, when and why panels are erased; it is what their tombstones say."""

    organisation_id: str
    actor_id: str
    why: str
    now: datetime


def traces(connection: Connection, organisation_id: str, panel_ids: Collection[str]) -> Traces:
    """Where these panels, or the mails about them, are mentioned."""
    named = set(panel_ids)
    for start in range(0, len(named), _AT_ONCE):
        some = sorted(panel_ids)[start : start + _AT_ONCE]
        query = select(delivery.c.id).where(
            delivery.c.organisation_id == organisation_id, delivery.c.panel_id.in_(some)
        )
        named |= set(connection.execute(query).scalars())
    answers = connection.execute(
        select(idempotency.c.key, idempotency.c.answer).where(
            idempotency.c.organisation_id == organisation_id
        ),
        execution_options={"yield_per": _AT_ONCE},
    )
    keys = tuple(row.key for row in answers if not named.isdisjoint(_ID.findall(row.answer)))
    came = connection.execute(
        select(message.c.id, message.c.panels).where(
            message.c.organisation_id == organisation_id, message.c.panels != "[]"
        ),
        execution_options={"yield_per": _AT_ONCE},
    )
    held = tuple(row.id for row in came if not named.isdisjoint(read_back(row.panels)))
    return Traces(keys, held)


def open_jobs(connection: Connection, organisation_id: str, kind: str) -> tuple[str, ...]:
    """Background jobs of this kind that still hold what they were sent."""
    rows = connection.execute(
        select(background_job.c.id)
        .where(
            background_job.c.organisation_id == organisation_id,
            background_job.c.kind == kind,
            background_job.c.status.in_(_OPEN_JOBS),
        )
        .order_by(background_job.c.created_at)
    )
    return tuple(rows.scalars())


def jobs(connection: Connection, organisation_id: str, kind: str) -> tuple[str, ...]:
    """All background jobs of this kind."""
    rows = connection.execute(
        select(background_job.c.id).where(
            background_job.c.organisation_id == organisation_id, background_job.c.kind == kind
        )
    )
    return tuple(rows.scalars())


def forget(connection: Connection, organisation_id: str, found: Traces) -> None:
    """Remove the rows that only mention panels."""
    for start in range(0, len(found.keys), _AT_ONCE):
        some = found.keys[start : start + _AT_ONCE]
        connection.execute(
            delete(idempotency).where(
                idempotency.c.organisation_id == organisation_id, idempotency.c.key.in_(some)
            )
        )
    remove(connection, "message", organisation_id, found.messages)


def remove(connection: Connection, kind: Kind, organisation_id: str, ids: Collection[str]) -> int:
    """Remove rows on which no others hang: messages, cards, words on cards; how many."""
    table, listed, removed = _AGED[kind].table, sorted(ids), 0
    for start in range(0, len(listed), _AT_ONCE):
        done = connection.execute(
            delete(table).where(
                table.c.organisation_id == organisation_id,
                table.c.id.in_(listed[start : start + _AT_ONCE]),
            )
        )
        removed += done.rowcount
    return removed


def erase_panel(connection: Connection, panel_id: str, erasing: Erasing) -> bool:
    """Remove a panel with all its versions, reports, mails and events; false when it was gone.

    A worker in the middle of it finds its claim gone, and writes and sends nothing.
    """
    mine = (panel.c.organisation_id == erasing.organisation_id, panel.c.id == panel_id)
    newest = connection.execute(
        select(panel.c.newest_version).where(*mine).with_for_update()
    ).scalar()
    if newest is None:
        return False
    reports = select(report.c.id).where(report.c.panel_id == panel_id)
    connection.execute(delete(delivery).where(delivery.c.panel_id == panel_id))
    connection.execute(delete(report_file).where(report_file.c.report_id.in_(reports)))
    for table in (
        patient_page,
        report,
        acknowledgement,
        notice,
        result_identity,
        identity,
        panel_standing,
        panel_measurand,
        panel_version,
    ):
        connection.execute(delete(table).where(table.c.panel_id == panel_id))
    connection.execute(delete(panel).where(*mine))
    connection.execute(
        insert(tombstone).values(
            panel_id=panel_id,
            organisation_id=erasing.organisation_id,
            versions=newest,
            erased_at=erasing.now,
            why=erasing.why,
            actor_id=erasing.actor_id,
        )
    )
    return True


def finish(store: Store) -> None:
    """Let the file itself forget: SQLite's log is written back and emptied.

    Deleted rows are overwritten already (`secure_delete`). PostgreSQL reuses their room after its
    own vacuum; nothing here may run that.
    """
    if store.engine.dialect.name == "sqlite":
        with store.engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


# ---- what has been kept for its time


def organisations_with_old(connection: Connection, kind: Kind, before: datetime) -> tuple[str, ...]:
    """Organisations whose oldest row of this kind came before this moment."""
    moment = _AGED[kind]
    oldest = (
        select(func.min(moment))
        .where(moment.table.c.organisation_id == organisation.c.id)
        .correlate(organisation)
        .scalar_subquery()
    )
    return tuple(connection.execute(select(organisation.c.id).where(oldest < before)).scalars())


def old(
    connection: Connection, kind: Kind, organisation_id: str, before: datetime, limit: int
) -> tuple[str, ...]:
    """An organisation's rows that came before; of a panel its newest version counts."""
    moment = _AGED[kind]
    rows = connection.execute(
        select(moment.table.c.id)
        .where(moment.table.c.organisation_id == organisation_id, moment < before)
        .order_by(moment)
        .limit(limit)
    )
    return tuple(rows.scalars())


def how_many_old(connection: Connection, kind: Kind, before: datetime) -> int:
    """How many came before, of all organisations."""
    moment = _AGED[kind]
    query = select(func.count()).select_from(moment.table).where(moment < before)
    return int(connection.execute(query).scalar_one())
