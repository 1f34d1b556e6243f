"""What a client's signed token was exchanged for, and which signed tokens were used already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from labinterp.store.door_tables import access_token, client, seen_assertion

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class NewAccessToken:
    """A token just made; only its digest is kept."""

    id: str
    client_id: str
    organisation_id: str
    digest: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token in force: whose it is and what it holds."""

    client_id: str
    scopes: tuple[str, ...]


def first_use(connection: Connection, issuer: str, token_id: str, expires_at: datetime) -> bool:
    """Note that a signed token was used; false when it had been: the one insert is the judge.

    Args:
        connection: of the transaction that also does what the token was for.
        issuer: whose token.
        token_id: its `jti`.
        expires_at: until when a replay would still be believed.
    """
    make = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert
    noted = connection.execute(
        make(seen_assertion)
        .values(issuer=issuer, token_id=token_id, expires_at=expires_at)
        .on_conflict_do_nothing()
        .returning(seen_assertion.c.token_id)
    )
    return noted.first() is not None


def add_access_token(connection: Connection, new: NewAccessToken) -> None:
    """A token that lets a client in until it ends."""
    connection.execute(
        insert(access_token).values(
            id=new.id,
            client_id=new.client_id,
            organisation_id=new.organisation_id,
            digest=new.digest,
            scopes=" ".join(new.scopes),
            created_at=new.created_at,
            expires_at=new.expires_at,
        )
    )


def held_token(connection: Connection, digest: str, now: datetime) -> HeldToken | None:
    """The token with this digest, if it and its client are in force."""
    row = connection.execute(
        select(access_token.c.client_id, access_token.c.scopes)
        .join_from(access_token, client, client.c.id == access_token.c.client_id)
        .where(
            access_token.c.digest == digest,
            access_token.c.expires_at > now,
            client.c.revoked_at.is_(None),
        )
    ).first()
    return HeldToken(row.client_id, tuple(row.scopes.split())) if row else None


def any_ended(connection: Connection, now: datetime) -> bool:
    """Is there anything to forget?"""
    return any(
        connection.execute(select(exists().where(table.c.expires_at <= now))).scalar_one()
        for table in (access_token, seen_assertion)
    )


def forget_ended(connection: Connection, now: datetime) -> int:
    """Remove tokens that have ended, and ids that no replay could use; how many."""
    return sum(
        connection.execute(delete(table).where(table.c.expires_at <= now)).rowcount
        for table in (access_token, seen_assertion)
    )
