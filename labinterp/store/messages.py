"""Messages as they came and as they were answered, sealed; the unique constraint is the judge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select

from labinterp.store.door_tables import message
from labinterp.store.records import read_back, written
from labinterp.store.sealed import place

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from labinterp.store.crypto import Vault

_LONGEST: Final = 200
_LONGEST_PART: Final = 190
_AT_ONCE: Final = 100
_APART: Final = "|"


@dataclass(frozen=True, slots=True)
class Known:
    """By what a message is told from others.

    Attributes:
        sender: application and facility.
        digest: of its bytes.
    """

    organisation_id: str
    sender: tuple[str, str]
    control_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A stored message.

    Attributes:
        frames: the answers it got, each a message of its own.
        panels: the panels it became.
    """

    id: str
    outcome: str
    frames: tuple[bytes, ...]
    panels: tuple[str, ...]
    received_at: datetime


def find(connection: Connection, vault: Vault, known: Known) -> MessageRecord | None:
    """The same message, if it came before."""
    row = connection.execute(select(message).where(*_same(known))).first()
    return _record(vault, row) if row else None


def is_reused(connection: Connection, known: Known) -> bool:
    """Did another message of this sender come under this control id?"""
    query = select(message.c.id).where(
        message.c.organisation_id == known.organisation_id,
        message.c.sender == _sender(known),
        message.c.control_id == _short(known.control_id, _LONGEST),
        message.c.digest != known.digest,
    )
    return connection.execute(query.limit(1)).first() is not None


def add(
    connection: Connection,
    vault: Vault,
    known: Known,
    record: MessageRecord,
    *,
    door: str,
    body: bytes,
) -> None:
    """A message with its answer, in the transaction of its panels; a refused one is replaced.

    Raises:
        sqlalchemy.exc.IntegrityError: the same message was stored first.
    """
    connection.execute(delete(message).where(*_same(known), message.c.panels == "[]"))
    frames = written([frame.hex() for frame in record.frames])
    connection.execute(
        insert(message).values(
            id=record.id,
            organisation_id=known.organisation_id,
            door=door,
            sender=_sender(known),
            control_id=_short(known.control_id, _LONGEST),
            digest=known.digest,
            body_sealed=vault.seal(body, _place("message", known.organisation_id, record.id)),
            answer_sealed=vault.seal(
                frames.encode(), _place("message-answer", known.organisation_id, record.id)
            ),
            outcome=record.outcome,
            panels=written(list(record.panels)),
            received_at=record.received_at,
        )
    )


def bodies(
    connection: Connection,
    vault: Vault,
    organisation_id: str,
    sender: tuple[str, str],
    limit: int,
) -> tuple[tuple[str, bytes], ...]:
    """The newest messages of a sender: control id and bytes."""
    rows = connection.execute(
        select(message)
        .where(
            message.c.organisation_id == organisation_id,
            message.c.sender == _sender(Known(organisation_id, sender, "", "")),
        )
        .order_by(message.c.received_at.desc(), message.c.id.desc())
        .limit(limit)
    )
    return tuple(
        (row.control_id, vault.open(row.body_sealed, _place("message", organisation_id, row.id)))
        for row in rows
    )


def read(
    connection: Connection, vault: Vault, organisation_id: str, message_id: str
) -> tuple[tuple[str, ...], bytes]:
    """The panels a message became, and its bytes."""
    row = connection.execute(
        select(message.c.panels, message.c.body_sealed).where(
            message.c.organisation_id == organisation_id, message.c.id == message_id
        )
    ).one()
    body = vault.open(row.body_sealed, _place("message", organisation_id, message_id))
    return tuple(read_back(row.panels)), body


def refused_with(
    connection: Connection, vault: Vault, organisation_id: str, identifier: str
) -> tuple[str, ...]:
    """Messages of which no panel was made and in which this identifier stands as a whole word."""
    word = re.compile(rb"(?<![0-9A-Za-z])" + re.escape(identifier.encode()) + rb"(?![0-9A-Za-z])")
    rows = connection.execute(
        select(message.c.id, message.c.body_sealed).where(
            message.c.organisation_id == organisation_id, message.c.panels == "[]"
        ),
        execution_options={"yield_per": _AT_ONCE},
    )
    return tuple(
        row.id
        for row in rows
        if word.search(vault.open(row.body_sealed, _place("message", organisation_id, row.id)))
    )


def _same(known: Known) -> tuple[Any, ...]:
    return (
        message.c.organisation_id == known.organisation_id,
        message.c.sender == _sender(known),
        message.c.control_id == _short(known.control_id, _LONGEST),
        message.c.digest == known.digest,
    )


def _sender(known: Known) -> str:
    return _APART.join(_short(part, _LONGEST_PART) for part in known.sender)


def _short(text: str, longest: int) -> str:
    """A text as it is, or, where it is too long to be kept, one that still tells it from others."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 65]}#{sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def _place(kind: str, *row: object) -> str:
    return place(kind, *row)


def _record(vault: Vault, row: Row[Any]) -> MessageRecord:
    sealed = vault.open(row.answer_sealed, _place("message-answer", row.organisation_id, row.id))
    return MessageRecord(
        id=row.id,
        outcome=row.outcome,
        frames=tuple(bytes.fromhex(frame) for frame in read_back(sealed)),
        panels=tuple(read_back(row.panels)),
        received_at=row.received_at,
    )
