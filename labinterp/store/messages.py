"""Messages as they came and as they were answered, sealed; the unique constraint is the judge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, insert, or_, select, update

from labinterp.errors import NotFound
from labinterp.store.door_tables import message
from labinterp.store.records import read_back, written
from labinterp.store.sealed import place
from labinterp.store.store import is_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

    from labinterp.store.crypto import Vault

_LONGEST: Final = 200
_LONGEST_PART: Final = 190
_AT_ONCE: Final = 100
_APART: Final = "|"
_OF_CONTROL_ID: Final = (
    message.c.organisation_id == bindparam("organisation_id"),
    message.c.sender == bindparam("sender"),
    message.c.control_id == bindparam("control_id"),
)
_OF_DIGEST: Final = message.c.digest == bindparam("digest")
_SAME: Final = select(message).where(*_OF_CONTROL_ID, _OF_DIGEST)
_REUSED: Final = select(message.c.id).where(*_OF_CONTROL_ID, ~_OF_DIGEST).limit(1)
_REPLACE: Final = delete(message).where(*_OF_CONTROL_ID, _OF_DIGEST, message.c.panels == "[]")
_ADD: Final = insert(message)


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


@dataclass(frozen=True, slots=True)
class MessageSummary:
    """A stored message without its content.

    Attributes:
        door: `http` or `mllp`.
        outcome: AA, AE or AR, as it was answered.
        panels: those it became.
    """

    id: str
    door: str
    application: str
    facility: str
    control_id: str
    outcome: str
    panels: tuple[str, ...]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A stored message with its content.

    Attributes:
        body: as it came.
        answers: as they were sent.
    """

    summary: MessageSummary
    body: bytes
    answers: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MessagesWanted:
    """What a list of messages is to hold; None does not restrict.

    Attributes:
        sender: an application or a facility, or both with `|` between.
        after: where the page before ended.
    """

    sender: str | None = None
    control_id: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[int, str] | None = None
    limit: int = 50


def page(
    connection: Connection, organisation_id: str, wanted: MessagesWanted
) -> tuple[MessageSummary, ...]:
    """The messages that fit, newest first."""
    rows = connection.execute(
        select(*_LISTED)
        .where(message.c.organisation_id == organisation_id, *_conditions(wanted))
        .order_by(message.c.received_at.desc(), message.c.id.desc())
        .limit(wanted.limit)
    )
    return tuple(_summary(row) for row in rows)


def read_message(
    connection: Connection, vault: Vault, organisation_id: str, message_id: str
) -> StoredMessage:
    """One message, opened.

    Raises:
        NotFound: no such message in this organisation.
    """
    row = (
        is_id(message_id)
        and connection.execute(
            select(message).where(
                message.c.organisation_id == organisation_id, message.c.id == message_id
            )
        ).first()
    )
    if not row:
        raise NotFound("There is no such message, or it is not yours.")
    body = vault.open(row.body_sealed, _place("message", organisation_id, message_id))
    return StoredMessage(_summary(row), body, _record(vault, row).frames)


def answer_otherwise(
    connection: Connection, vault: Vault, organisation_id: str, record: MessageRecord
) -> bool:
    """What a stored message is answered when it comes again, and which panels it became."""
    frames = written([frame.hex() for frame in record.frames])
    sealed = vault.seal(frames.encode(), _place("message-answer", organisation_id, record.id))
    done = connection.execute(
        update(message)
        .where(message.c.organisation_id == organisation_id, message.c.id == record.id)
        .values(answer_sealed=sealed, outcome=record.outcome, panels=written(list(record.panels)))
    )
    return done.rowcount == 1


def find(connection: Connection, vault: Vault, known: Known) -> MessageRecord | None:
    """The same message, if it came before."""
    row = connection.execute(_SAME, _columns(known)).first()
    return _record(vault, row) if row else None


def is_reused(connection: Connection, known: Known) -> bool:
    """Did another message of this sender come under this control id?"""
    return connection.execute(_REUSED, _columns(known)).first() is not None


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
    connection.execute(_REPLACE, _columns(known))
    frames = written([frame.hex() for frame in record.frames])
    answer_place = _place("message-answer", known.organisation_id, record.id)
    connection.execute(
        _ADD,
        {
            **_columns(known),
            "id": record.id,
            "door": door,
            "body_sealed": vault.seal(body, _place("message", known.organisation_id, record.id)),
            "answer_sealed": vault.seal(frames.encode(), answer_place),
            "outcome": record.outcome,
            "panels": written(list(record.panels)),
            "received_at": record.received_at,
        },
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


_LISTED: Final = (
    *(message.c.id, message.c.door, message.c.sender, message.c.control_id),
    *(message.c.outcome, message.c.panels, message.c.received_at),
)


def _conditions(wanted: MessagesWanted) -> Iterator[ColumnElement[bool]]:
    if wanted.sender is not None:
        yield _is_sender(wanted.sender)
    if wanted.control_id is not None:
        yield message.c.control_id == _short(wanted.control_id, _LONGEST)
    if wanted.outcome is not None:
        yield message.c.outcome == wanted.outcome
    if wanted.since is not None:
        yield message.c.received_at >= wanted.since
    if wanted.until is not None:
        yield message.c.received_at < wanted.until
    if wanted.after is not None:
        moment, last = wanted.after
        yield message.c.received_at <= moment
        yield or_(message.c.received_at < moment, message.c.id < last)


def _is_sender(text: str) -> ColumnElement[bool]:
    application, apart, facility = text.partition(_APART)
    if apart:
        return message.c.sender == _sender(Known("", (application, facility), "", ""))
    name = _short(text, _LONGEST_PART)
    return or_(
        message.c.sender.startswith(f"{name}{_APART}", autoescape=True),
        message.c.sender.endswith(f"{_APART}{name}", autoescape=True),
    )


def _summary(row: Any) -> MessageSummary:
    application, _, facility = row.sender.partition(_APART)
    return MessageSummary(
        id=row.id,
        door=row.door,
        application=application,
        facility=facility,
        control_id=row.control_id,
        outcome=row.outcome,
        panels=tuple(read_back(row.panels)),
        received_at=row.received_at,
    )


def _columns(known: Known) -> dict[str, str]:
    """By what a message is told from others, as its row has it."""
    return {
        "organisation_id": known.organisation_id,
        "sender": _sender(known),
        "control_id": _short(known.control_id, _LONGEST),
        "digest": known.digest,
    }


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
