"""Mails that tell people what was changed about their accounts: the row is the job.

`due_at` is the moment from which a worker may take the row, and None when nothing more becomes of
it. The attempt is counted by the claim, and whoever writes afterwards must still hold that attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, func, insert, select, update

from labinterp.store.moment import db_now, microseconds
from labinterp.store.reports import is_due
from labinterp.store.store import fresh_id
from labinterp.store.tables import account_mail, organisation, user_account

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection, Select

QUEUED: Final = "queued"
GIVEN_UP: Final = ("refused", "failed")
_ANSWER: Final = 500
_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class AccountMail:
    """A worker's hold on one row, and what its mail says."""

    id: str
    attempts: int
    user_id: str
    recipient: str
    organisation: str
    event: str
    created_at: datetime


def add(
    connection: Connection, organisation_id: str, user_id: str, event: str, now: datetime
) -> None:
    """Somebody is to be told; in the transaction of what they are told of.

    A mail that nobody has tried yet speaks for all that is alike: whoever makes a thousand keys
    fills nobody's mailbox.
    """
    waiting = select(account_mail.c.id).where(
        account_mail.c.user_account_id == user_id,
        account_mail.c.event == event,
        account_mail.c.status == QUEUED,
        account_mail.c.attempts == 0,
    )
    if connection.execute(waiting.limit(1)).first() is not None:
        return
    connection.execute(
        insert(account_mail).values(
            id=fresh_id(now),
            organisation_id=organisation_id,
            user_account_id=user_id,
            event=event,
            status=QUEUED,
            attempts=0,
            due_at=db_now(),
            created_at=now,
        )
    )


def due(connection: Connection, implausible: timedelta, limit: int) -> tuple[str, ...]:
    """Rows a worker may take, oldest first."""
    rows = connection.execute(
        select(account_mail.c.id)
        .where(account_mail.c.status == QUEUED, is_due(account_mail.c.due_at, implausible))
        .order_by(account_mail.c.due_at)
        .limit(limit)
    )
    return tuple(rows.scalars())


def count_due(connection: Connection, implausible: timedelta) -> int:
    """How many of them there are."""
    return connection.execute(
        select(func.count())
        .select_from(account_mail)
        .where(account_mail.c.status == QUEUED, is_due(account_mail.c.due_at, implausible))
    ).scalar_one()


def claim(
    connection: Connection, mail_id: str, *, lease: timedelta, implausible: timedelta
) -> AccountMail | None:
    """Take one due row for one try; None when somebody else was faster."""
    taken = connection.execute(
        update(account_mail)
        .where(
            account_mail.c.id == mail_id,
            account_mail.c.status == QUEUED,
            is_due(account_mail.c.due_at, implausible),
        )
        .values(attempts=account_mail.c.attempts + 1, due_at=db_now() + microseconds(lease))
    )
    if taken.rowcount != 1:
        return None
    row = connection.execute(
        select(account_mail, user_account.c.email, organisation.c.name)
        .join_from(account_mail, user_account)
        .join(organisation, organisation.c.id == account_mail.c.organisation_id)
        .where(account_mail.c.id == mail_id)
    ).one()
    return AccountMail(
        row.id,
        row.attempts,
        row.user_account_id,
        row.email,
        row.name,
        row.event,
        row.created_at,
    )


def still_held(connection: Connection, held: AccountMail) -> bool:
    """Has nobody else taken it since?"""
    return connection.execute(select(account_mail.c.id).where(_is(held))).first() is not None


def end(connection: Connection, held: AccountMail, status: str, answer: str) -> bool:
    """Nothing more becomes of it by itself: `sent`, `refused` or `failed`."""
    return _moved(connection, held, status=status, due_at=None, last_answer=answer[:_ANSWER])


def defer(connection: Connection, held: AccountMail, delay: timedelta, answer: str) -> bool:
    """Try again after the delay."""
    due_at = db_now() + microseconds(delay)
    return _moved(connection, held, due_at=due_at, last_answer=answer[:_ANSWER])


def _moved(connection: Connection, held: AccountMail, **values: Any) -> bool:
    done = connection.execute(update(account_mail).where(_is(held)).values(**values))
    return done.rowcount == 1


def requeue(connection: Connection, organisation_id: str, mail_id: str) -> bool:
    """Somebody wants a mail that was given up to be tried again."""
    done = connection.execute(
        update(account_mail)
        .where(
            account_mail.c.organisation_id == organisation_id,
            account_mail.c.id == mail_id,
            account_mail.c.status.in_(GIVEN_UP),
        )
        .values(status=QUEUED, attempts=0, due_at=db_now())
    )
    return done.rowcount == 1


def any_ended(connection: Connection, before: datetime) -> bool:
    """Is there a row that nothing more becomes of, written before this moment?"""
    return connection.execute(_ended(before).limit(1)).first() is not None


def forget_ended(connection: Connection, before: datetime) -> int:
    """Remove such rows, the oldest first and not all at once; how many."""
    oldest = _ended(before).order_by(account_mail.c.created_at).limit(_AT_ONCE)
    done = connection.execute(delete(account_mail).where(account_mail.c.id.in_(oldest)))
    return done.rowcount


def _ended(before: datetime) -> Select[tuple[str]]:
    return select(account_mail.c.id).where(
        account_mail.c.created_at < before, account_mail.c.status != QUEUED
    )


def _is(held: AccountMail) -> ColumnElement[bool]:
    return and_(
        account_mail.c.id == held.id,
        account_mail.c.status == QUEUED,
        account_mail.c.attempts == held.attempts,
    )
