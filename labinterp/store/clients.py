"""Clients: systems that sign what they send, known by their id (SMART) or their issuer (CDS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, or_, select, update

from labinterp.store.door_tables import client
from labinterp.store.people import choices_of
from labinterp.store.records import read_back, written
from labinterp.store.rows import ClientRecord
from labinterp.store.store import is_id
from labinterp.store.tables import organisation

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select


def add_client(connection: Connection, new: ClientRecord) -> None:
    """A system and where its public keys are.

    Raises:
        sqlalchemy.exc.IntegrityError: another client has this issuer.
    """
    connection.execute(
        insert(client).values(
            id=new.id,
            organisation_id=new.organisation_id,
            name=new.name,
            scopes=" ".join(new.scopes),
            issuer=new.issuer,
            key_set=written(new.key_set) if new.key_set is not None else None,
            key_set_url=new.key_set_url,
            created_at=new.created_at,
        )
    )


def clients(connection: Connection, organisation_id: str | None) -> tuple[ClientRecord, ...]:
    """An organisation's clients, oldest first; everyone's when none is named (the command line)."""
    query = _selected()
    if organisation_id is not None:
        query = query.where(client.c.organisation_id == organisation_id)
    rows = connection.execute(query.order_by(client.c.created_at, client.c.id))
    return tuple(_record(row) for row in rows)


def client_by_id(connection: Connection, client_id: str) -> ClientRecord | None:
    """The client with this id, in force or not."""
    if not is_id(client_id):
        return None
    row = connection.execute(_selected().where(client.c.id == client_id)).first()
    return _record(row) if row else None


def client_by_issuer(connection: Connection, issuer: str) -> ClientRecord | None:
    """The client that signs under this name, in force or not."""
    row = connection.execute(_selected().where(client.c.issuer == issuer)).first()
    return _record(row) if row else None


def revoke_client(connection: Connection, client_id: str, now: datetime) -> bool:
    """From this commit on nothing it signs, and no token of its, is taken.

    Returns:
        False when there is no such client in force.
    """
    done = connection.execute(
        update(client)
        .where(client.c.id == client_id, client.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return done.rowcount == 1


def note_client_use(
    connection: Connection, client_id: str, now: datetime, before: datetime
) -> None:
    """When a client was last let in, written at most once per span."""
    connection.execute(
        update(client)
        .where(
            client.c.id == client_id,
            or_(client.c.last_used_at.is_(None), client.c.last_used_at < before),
        )
        .values(last_used_at=now)
    )


def _selected() -> Select[Any]:
    return select(
        client, organisation.c.name.label("organisation"), organisation.c.choices
    ).join_from(client, organisation)


def _record(row: Row[Any]) -> ClientRecord:
    return ClientRecord(
        id=row.id,
        organisation_id=row.organisation_id,
        organisation=row.organisation,
        name=row.name,
        scopes=tuple(row.scopes.split()),
        issuer=row.issuer,
        key_set=read_back(row.key_set) if row.key_set else None,
        key_set_url=row.key_set_url,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        choices=choices_of(row.choices),
    )
