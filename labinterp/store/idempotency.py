"""Remembering which request was answered under which key; the unique constraint is the judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from labinterp.store.tables import idempotency

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Remembered:
    """The digest of the first body, and the answer it got."""

    body_digest: str
    answer: str


def remembered(
    connection: Connection, organisation_id: str, key: str, now: datetime
) -> Remembered | None:
    """What was answered under this key; None when it is free or long forgotten."""
    row = connection.execute(
        select(idempotency.c.body_digest, idempotency.c.answer).where(
            idempotency.c.organisation_id == organisation_id,
            idempotency.c.key == key,
            (idempotency.c.expires_at.is_(None)) | (idempotency.c.expires_at > now),
        )
    ).first()
    return Remembered(row.body_digest, row.answer) if row else None


def take(
    connection: Connection,
    organisation_id: str,
    key: str,
    body_digest: str,
    *,
    now: datetime,
    expires_at: datetime | None,
) -> None:
    """Take the key in this transaction, before anything else is done in it.

    Raises:
        sqlalchemy.exc.IntegrityError: another request took it first.
    """
    connection.execute(
        delete(idempotency).where(
            idempotency.c.organisation_id == organisation_id,
            idempotency.c.key == key,
            idempotency.c.expires_at <= now,
        )
    )
    connection.execute(
        insert(idempotency).values(
            organisation_id=organisation_id,
            key=key,
            body_digest=body_digest,
            answer="",
            created_at=now,
            expires_at=expires_at,
        )
    )


def keep_answer(connection: Connection, organisation_id: str, key: str, answer: str) -> None:
    """What is answered again; in the transaction that took the key."""
    connection.execute(
        update(idempotency)
        .where(idempotency.c.organisation_id == organisation_id, idempotency.c.key == key)
        .values(answer=answer)
    )


def any_expired(connection: Connection, now: datetime) -> bool:
    """Is there a key whose time is over?"""
    query = select(idempotency.c.key).where(idempotency.c.expires_at <= now).limit(1)
    return connection.execute(query).first() is not None


def forget_expired(connection: Connection, now: datetime) -> int:
    """Remove keys whose time is over; how many there were."""
    return connection.execute(delete(idempotency).where(idempotency.c.expires_at <= now)).rowcount
