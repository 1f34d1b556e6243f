"""Remembering which request was answered under which key; the unique constraint is the judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, insert, select, update

from labinterp.store.tables import idempotency

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_OF_KEY: Final = (
    idempotency.c.organisation_id == bindparam("organisation_id"),
    idempotency.c.key == bindparam("key"),
)
_REMEMBERED: Final = select(idempotency.c.body_digest, idempotency.c.answer).where(
    *_OF_KEY,
    idempotency.c.expires_at.is_(None) | (idempotency.c.expires_at > bindparam("now")),
)
_LET_GO: Final = delete(idempotency).where(*_OF_KEY, idempotency.c.expires_at <= bindparam("now"))
_TAKE: Final = insert(idempotency)
_KEEP: Final = update(idempotency).where(
    idempotency.c.organisation_id == bindparam("of_organisation"),
    idempotency.c.key == bindparam("of_key"),
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """The digest of the first body, and the answer it got."""

    body_digest: str
    answer: str


def remembered(
    connection: Connection, organisation_id: str, key: str, now: datetime
) -> Remembered | None:
    """What was answered under this key; None when it is free or long forgotten."""
    wanted = {"organisation_id": organisation_id, "key": key, "now": now}
    row = connection.execute(_REMEMBERED, wanted).first()
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
    taken = {"organisation_id": organisation_id, "key": key}
    if expires_at is not None:  # one that lasts was never let go
        connection.execute(_LET_GO, {**taken, "now": now})
    connection.execute(
        _TAKE,
        {
            **taken,
            "body_digest": body_digest,
            "answer": "",
            "created_at": now,
            "expires_at": expires_at,
        },
    )


def keep_answer(connection: Connection, organisation_id: str, key: str, answer: str) -> None:
    """What is answered again; in the transaction that took the key."""
    kept = {"of_organisation": organisation_id, "of_key": key, "answer": answer}
    connection.execute(_KEEP, kept)


def any_expired(connection: Connection, now: datetime) -> bool:
    """Is there a key whose time is over?"""
    query = select(idempotency.c.key).where(idempotency.c.expires_at <= now).limit(1)
    return connection.execute(query).first() is not None


def forget_expired(connection: Connection, now: datetime) -> int:
    """Remove keys whose time is over; how many there were."""
    return connection.execute(delete(idempotency).where(idempotency.c.expires_at <= now)).rowcount
