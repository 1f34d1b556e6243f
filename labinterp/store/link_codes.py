"""The code that opens a mail's link for who has no account: made, mailed, tried, used up.

The code itself is stored nowhere: whoever knows the service's secret reckons it from the row and
its nonce. One code is in force at a time; a new one ends the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, literal, or_, select, update

from labinterp.store.moment import Moment, db_now, microseconds
from labinterp.store.tables import delivery, report

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection, Row


@dataclass(frozen=True, slots=True)
class Link:
    """A link that still opens, and the code in force; `nonce` is None where there is none."""

    id: str
    organisation_id: str
    panel_id: str
    version: int
    recipient: str
    report_id: str
    number: str
    nonce: str | None
    made_at: datetime | None


def link_of(connection: Connection, token_digest: str, now: datetime) -> Link | None:
    """The link with this token, of whichever organisation: the token is the credential."""
    return _one(connection, delivery.c.link_digest == token_digest, _opens(now))


def link_named(connection: Connection, delivery_id: str, now: datetime) -> Link | None:
    """The link of this delivery, if it still opens."""
    return _one(connection, delivery.c.id == delivery_id, _opens(now))


def _one(connection: Connection, *fits: ColumnElement[bool]) -> Link | None:
    row: Row[Any] | None = connection.execute(
        select(delivery, report.c.number)
        .join_from(delivery, report, report.c.id == delivery.c.report_id)
        .where(*fits)
    ).first()
    if row is None:
        return None
    return Link(
        row.id,
        row.organisation_id,
        row.panel_id,
        row.version,
        row.recipient,
        row.report_id,
        row.number or "",
        row.code_nonce,
        row.code_made_at,
    )


def _opens(now: datetime) -> ColumnElement[bool]:
    return and_(delivery.c.link_withdrawn_at.is_(None), delivery.c.link_expires_at > now)


def make_code(
    connection: Connection,
    delivery_id: str,
    nonce: str,
    now: datetime,
    *,
    after: datetime,
    most: int,
) -> bool:
    """A new code, due to be mailed; false when the last one is too young, or there were too many.

    Args:
        connection: in a transaction.
        delivery_id: whose.
        nonce: what it is reckoned from.
        now: when it is made.
        after: no code was made since then.
        most: codes that one link may have in all.
    """
    done = connection.execute(
        update(delivery)
        .where(
            delivery.c.id == delivery_id,
            func.coalesce(delivery.c.codes, 0) < most,
            or_(delivery.c.code_made_at.is_(None), delivery.c.code_made_at < after),
        )
        .values(
            code_nonce=nonce,
            code_made_at=now,
            code_due_at=db_now(),
            code_tries=0,
            codes=func.coalesce(delivery.c.codes, 0) + 1,
        )
    )
    return done.rowcount == 1


def due_codes(connection: Connection, limit: int) -> tuple[str, ...]:
    """Deliveries whose code waits to be mailed."""
    rows = connection.execute(
        select(delivery.c.id)
        .where(delivery.c.code_due_at <= db_now())
        .order_by(delivery.c.code_due_at)
        .limit(limit)
    )
    return tuple(row.id for row in rows)


def claim_code(connection: Connection, delivery_id: str, again: timedelta) -> bool:
    """Take it for one try; it is due again after a while unless that try ends it."""
    done = connection.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.code_due_at <= db_now())
        .values(code_due_at=db_now() + microseconds(again))
    )
    return done.rowcount == 1


def end_mailing(connection: Connection, delivery_id: str, nonce: str | None) -> None:
    """This code is mailed, or need not be any more."""
    connection.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.code_nonce.is_not_distinct_from(nonce))
        .values(code_due_at=None)
    )


def count_try(connection: Connection, delivery_id: str, nonce: str, most: int) -> bool:
    """Count one try of this code, before it is compared; false when there were too many."""
    done = connection.execute(
        update(delivery)
        .where(
            delivery.c.id == delivery_id,
            delivery.c.code_nonce == nonce,
            delivery.c.code_tries < most,
        )
        .values(code_tries=delivery.c.code_tries + 1)
    )
    return done.rowcount == 1


def use_up(connection: Connection, delivery_id: str, nonce: str, now: datetime) -> bool:
    """End this code, because it was right; note the first opening of the link."""
    done = connection.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.code_nonce == nonce)
        .values(
            code_nonce=None,
            code_due_at=None,
            opened_at=func.coalesce(delivery.c.opened_at, literal(now, Moment)),
        )
    )
    return done.rowcount == 1
