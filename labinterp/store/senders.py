"""Sending systems, known by the names in MSH-3 and MSH-4, and what was agreed with each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, insert, select, update

from labinterp.errors import NotFound
from labinterp.store.door_tables import sender
from labinterp.store.records import read_back, written
from labinterp.store.rows import SenderRecord
from labinterp.store.store import is_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Row

_BY_NAMES: Final = select(sender).where(
    sender.c.application == bindparam("application"), sender.c.facility == bindparam("facility")
)


def add_sender(connection: Connection, new: SenderRecord) -> None:
    """A new one.

    Raises:
        sqlalchemy.exc.IntegrityError: another sender has these names.
    """
    connection.execute(
        insert(sender).values(
            id=new.id,
            organisation_id=new.organisation_id,
            name=new.name,
            application=new.application,
            facility=new.facility,
            settings=written(new.settings),
            created_at=new.created_at,
            changed_at=new.changed_at,
        )
    )


def senders(connection: Connection, organisation_id: str | None) -> tuple[SenderRecord, ...]:
    """An organisation's senders, oldest first; everyone's when none is named (the command line)."""
    query = select(sender)
    if organisation_id is not None:
        query = query.where(sender.c.organisation_id == organisation_id)
    return tuple(map(_record, connection.execute(query.order_by(sender.c.created_at, sender.c.id))))


def by_names(connection: Connection, application: str, facility: str) -> SenderRecord | None:
    """The sender of these names, whosever it is."""
    names = {"application": application, "facility": facility}
    row = connection.execute(_BY_NAMES, names).first()
    return _record(row) if row else None


def read_sender(connection: Connection, organisation_id: str, sender_id: str) -> SenderRecord:
    """One sender.

    Raises:
        NotFound: no such sender in this organisation.
    """
    row = (
        is_id(sender_id)
        and connection.execute(
            select(sender).where(
                sender.c.organisation_id == organisation_id, sender.c.id == sender_id
            )
        ).first()
    )
    if not row:
        raise NotFound("There is no such sender.")
    return _record(row)


def change_sender(
    connection: Connection,
    organisation_id: str,
    sender_id: str,
    *,
    name: str,
    settings: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Another name or other settings.

    Returns:
        False when there is no such sender.
    """
    done = connection.execute(
        update(sender)
        .where(sender.c.organisation_id == organisation_id, sender.c.id == sender_id)
        .values(name=name, settings=written(settings), changed_at=now)
    )
    return done.rowcount == 1


def remove_sender(connection: Connection, organisation_id: str, sender_id: str) -> bool:
    """Forget it; its messages stay.

    Returns:
        False when there is no such sender.
    """
    done = connection.execute(
        delete(sender).where(sender.c.organisation_id == organisation_id, sender.c.id == sender_id)
    )
    return done.rowcount == 1


def _record(row: Row[Any]) -> SenderRecord:
    return SenderRecord(
        id=row.id,
        organisation_id=row.organisation_id,
        name=row.name,
        application=row.application,
        facility=row.facility,
        settings=read_back(row.settings),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
