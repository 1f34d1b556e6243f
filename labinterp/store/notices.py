"""Notice rows: one event for one endpoint, and the job of telling it in one.

As with a delivery, `due_at` is the moment from which a worker may take the row, the attempt is
counted by the claim, and every write after it repeats the claim's token.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from labinterp.errors import NotFound
from labinterp.store.door_tables import notice
from labinterp.store.moment import db_now, microseconds
from labinterp.store.reports import is_due
from labinterp.store.rows import NoticeRecord
from labinterp.store.store import is_id

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection, Row, Select

OPEN: Final = ("queued", "deferred")
_CLOSED: Final = ("sent", "failed", "withdrawn")
_AT_ONCE: Final = 1000
REFUSED: Final = "refused: "
"""So begins the answer of an endpoint that has read an event and will not have it."""
HANDSHAKE: Final = "handshake"
"""Not an event: asks a new Subscription's endpoint whether it is there."""


@dataclass(frozen=True, slots=True)
class NoticeClaim:
    """A worker's hold on one row."""

    id: str
    token: str
    organisation_id: str
    webhook_id: str
    event: str
    panel_id: str | None
    version: int | None
    attempts: int
    created_at: datetime


def add_notice(connection: Connection, new: NoticeRecord, organisation_id: str) -> bool:
    """An event to be told, once for each endpoint, event and version; false when it is there."""
    make = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert
    added = connection.execute(
        make(notice)
        .values(
            id=new.id,
            organisation_id=organisation_id,
            webhook_id=new.webhook_id,
            event=new.event,
            panel_id=new.panel_id,
            version=new.version,
            status=new.status,
            attempts=0,
            due_at=db_now(),
            created_at=new.created_at,
        )
        .on_conflict_do_nothing()
        .returning(notice.c.id)
    )
    return added.first() is not None


def of_webhook(
    connection: Connection, organisation_id: str, webhook_id: str, limit: int
) -> tuple[NoticeRecord, ...]:
    """What became of an endpoint's events, newest first."""
    rows = connection.execute(
        select(notice)
        .where(notice.c.organisation_id == organisation_id, notice.c.webhook_id == webhook_id)
        .order_by(notice.c.created_at.desc(), notice.c.id.desc())
        .limit(limit)
    )
    return tuple(_record(row) for row in rows)


def read_notice(
    connection: Connection, organisation_id: str, webhook_id: str, notice_id: str
) -> NoticeRecord:
    """One event of an endpoint.

    Raises:
        NotFound: there is no such one.
    """
    row = (
        is_id(notice_id)
        and connection.execute(
            select(notice).where(
                notice.c.organisation_id == organisation_id,
                notice.c.webhook_id == webhook_id,
                notice.c.id == notice_id,
            )
        ).first()
    )
    if not row:
        raise NotFound("There is no such event of this endpoint.")
    return _record(row)


def due_notices(connection: Connection, implausible: timedelta, limit: int) -> tuple[str, ...]:
    """Rows a worker may take, oldest first."""
    rows = connection.execute(
        select(notice.c.id)
        .where(notice.c.status.in_(OPEN), is_due(notice.c.due_at, implausible))
        .order_by(notice.c.due_at)
        .limit(limit)
    )
    return tuple(rows.scalars())


def claim_notice(
    connection: Connection,
    notice_id: str,
    worker: str,
    *,
    lease: timedelta,
    implausible: timedelta,
) -> NoticeClaim | None:
    """Take one due row; None when somebody else was faster."""
    token = secrets.token_urlsafe(24)
    row = connection.execute(
        update(notice)
        .where(
            notice.c.id == notice_id,
            notice.c.status.in_(OPEN),
            is_due(notice.c.due_at, implausible),
        )
        .values(
            attempts=notice.c.attempts + 1,
            lease_token=token,
            leased_by=worker[:100],
            due_at=db_now() + microseconds(lease),
        )
        .returning(
            notice.c.organisation_id,
            notice.c.webhook_id,
            notice.c.event,
            notice.c.panel_id,
            notice.c.version,
            notice.c.attempts,
            notice.c.created_at,
        )
    ).first()
    return None if row is None else NoticeClaim(notice_id, token, *row)


def finish_notice(connection: Connection, claim: NoticeClaim, answer: str, now: datetime) -> bool:
    """The endpoint took it."""
    return _moved(connection, claim, status="sent", last_answer=answer, due_at=None, sent_at=now)


def defer_notice(connection: Connection, claim: NoticeClaim, answer: str, delay: timedelta) -> bool:
    """Try again after the delay."""
    due_at = db_now() + microseconds(delay)
    return _moved(connection, claim, status="deferred", last_answer=answer, due_at=due_at)


def give_up_notice(
    connection: Connection, claim: NoticeClaim, answer: str, status: str = "failed"
) -> bool:
    """No more tries: a person's, or withdrawn with its endpoint."""
    return _moved(connection, claim, status=status, last_answer=answer, due_at=None)


def hold_back(connection: Connection, webhook_id: str, delay: timedelta) -> int:
    """An endpoint that was not there is left alone for a while: its other due events wait too."""
    return connection.execute(
        update(notice)
        .where(
            notice.c.webhook_id == webhook_id,
            notice.c.status.in_(OPEN),
            notice.c.due_at <= db_now(),
        )
        .values(due_at=db_now() + microseconds(delay))
    ).rowcount


def told_before(connection: Connection, webhook_id: str, panel_id: str, version: int) -> int | None:
    """The newest earlier version that an endpoint has, or may have, been told; None: none.

    What it refused it does not have; what it did not answer it may.
    """
    newest: int | None = connection.execute(
        select(func.max(notice.c.version)).where(
            notice.c.webhook_id == webhook_id,
            notice.c.panel_id == panel_id,
            notice.c.version < version,
            or_(
                and_(notice.c.attempts > 0, notice.c.status != "withdrawn"),
                notice.c.attempts > 1,  # the last of them only found that it is not needed
                notice.c.sent_at.is_not(None),
            ),
            func.coalesce(notice.c.last_answer, "").not_like(f"{REFUSED}%"),
        )
    ).scalar_one()
    return newest


def withdraw_of(connection: Connection, organisation_id: str, webhook_id: str, why: str) -> int:
    """The endpoint is gone: nothing more is told it."""
    return connection.execute(
        update(notice)
        .where(
            notice.c.organisation_id == organisation_id,
            notice.c.webhook_id == webhook_id,
            notice.c.status.in_((*OPEN, "failed")),
        )
        .values(status="withdrawn", last_answer=why, due_at=None, lease_token=None)
    ).rowcount


def requeue_notice(connection: Connection, organisation_id: str, notice_id: str) -> bool:
    """Somebody asks for it again, sent or not; false while it is being sent."""
    done = connection.execute(
        update(notice)
        .where(
            notice.c.organisation_id == organisation_id,
            notice.c.id == notice_id,
            notice.c.status != "withdrawn",
            or_(notice.c.lease_token.is_(None), notice.c.due_at <= db_now()),
        )
        .values(status="queued", attempts=0, due_at=db_now(), lease_token=None)
    )
    return done.rowcount == 1


def any_ended(connection: Connection, before: datetime) -> bool:
    """Is there a row that nothing more becomes of, written before this moment?"""
    return connection.execute(_ended(before).limit(1)).first() is not None


def forget_ended(connection: Connection, before: datetime) -> int:
    """Remove such rows, the oldest first and not all at once; how many."""
    oldest = _ended(before).order_by(notice.c.created_at).limit(_AT_ONCE)
    return connection.execute(delete(notice).where(notice.c.id.in_(oldest))).rowcount


def _ended(before: datetime) -> Select[tuple[str]]:
    return select(notice.c.id).where(notice.c.created_at < before, notice.c.status.in_(_CLOSED))


def _moved(connection: Connection, claim: NoticeClaim, **values: Any) -> bool:
    values["last_answer"] = values["last_answer"][:500]
    done = connection.execute(update(notice).where(_held(claim)).values(**values, lease_token=None))
    return done.rowcount == 1


def _held(claim: NoticeClaim) -> ColumnElement[bool]:
    return and_(
        notice.c.id == claim.id,
        notice.c.organisation_id == claim.organisation_id,
        notice.c.status.in_(OPEN),
        notice.c.lease_token == claim.token,
    )


def _record(row: Row[Any]) -> NoticeRecord:
    return NoticeRecord(
        id=row.id,
        webhook_id=row.webhook_id,
        event=row.event,
        status=row.status,
        attempts=row.attempts,
        created_at=row.created_at,
        panel_id=row.panel_id,
        version=row.version,
        last_answer=row.last_answer,
        next_try=row.due_at if row.status == "deferred" else None,
        sent_at=row.sent_at,
    )
