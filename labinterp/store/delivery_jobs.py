"""The job of sending: claims on delivery rows, and what may be written under one.

See `deliveries` for the rows. Every write after the claim repeats its token.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from labinterp.store.deliveries import OPEN
from labinterp.store.moment import db_now, microseconds
from labinterp.store.reports import Claim, is_due
from labinterp.store.sealed import place
from labinterp.store.tables import delivery

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from labinterp.store.crypto import Vault

RETRIABLE: Final = ("failed", "refused", "deferred", "queued")
"""A bounced one is not among them: its link's secret is gone, so a new message takes its place."""
CLOSED_KINDS: Final = {"sent": "sent", "refused": "refused"}


def due_deliveries(
    connection: Connection, implausible: timedelta, limit: int
) -> tuple[tuple[str, int, int], ...]:
    """Ids, attempts and unfinished attempts of rows a worker may take, oldest first."""
    rows = connection.execute(
        select(delivery.c.id, delivery.c.attempts, delivery.c.unfinished)
        .where(delivery.c.status.in_(OPEN), is_due(delivery.c.due_at, implausible))
        .order_by(delivery.c.due_at)
        .limit(limit)
    )
    return tuple((row.id, row.attempts, row.unfinished) for row in rows)


def claim_delivery(
    connection: Connection,
    delivery_id: str,
    worker: str,
    *,
    lease: timedelta,
    implausible: timedelta,
) -> Claim | None:
    """Take one due row; None when somebody else was faster."""
    token = secrets.token_urlsafe(24)
    row = connection.execute(
        update(delivery)
        .where(
            delivery.c.id == delivery_id,
            delivery.c.status.in_(OPEN),
            is_due(delivery.c.due_at, implausible),
        )
        .values(
            attempts=delivery.c.attempts + 1,
            unfinished=delivery.c.unfinished + 1,
            lease_token=token,
            leased_by=worker[:100],
            due_at=db_now() + microseconds(lease),
        )
        .returning(
            delivery.c.organisation_id,
            delivery.c.panel_id,
            delivery.c.version,
            delivery.c.attempts,
        )
    ).first()
    if row is None:
        return None
    return Claim(delivery_id, token, row.organisation_id, row.panel_id, row.version, row.attempts)


def park_delivery(
    connection: Connection, delivery_id: str, *, why: str, implausible: timedelta
) -> bool:
    """Give a due row to a person; false when it moved meanwhile."""
    done = connection.execute(
        update(delivery)
        .where(
            delivery.c.id == delivery_id,
            delivery.c.status.in_(OPEN),
            is_due(delivery.c.due_at, implausible),
        )
        .values(status="failed", last_answer=why[:500], due_at=None, lease_token=None)
    )
    return done.rowcount == 1


def _held(claim: Claim, *states: str) -> ColumnElement[bool]:
    return and_(
        delivery.c.id == claim.id,
        delivery.c.organisation_id == claim.organisation_id,
        delivery.c.status.in_(states or OPEN),
        delivery.c.lease_token == claim.token,
    )


def still_held(connection: Connection, claim: Claim, lease: timedelta) -> bool:
    """Ask at the last moment before the mail leaves, and start the lease anew."""
    done = connection.execute(
        update(delivery)
        .where(_held(claim), delivery.c.due_at > db_now())
        .values(due_at=db_now() + microseconds(lease))
    )
    return done.rowcount == 1


def link_token(connection: Connection, vault: Vault, claim: Claim) -> str | None:
    """The secret of the mail's link, as long as the mail is not sent."""
    sealed = connection.execute(select(delivery.c.link_sealed).where(_held(claim))).scalar()
    if sealed is None:
        return None
    return vault.open(sealed, place("link", claim.organisation_id, claim.id)).decode()


def message_id(connection: Connection, claim: Claim) -> str:
    """The Message-ID made with the row; the same at every attempt."""
    return str(connection.execute(select(delivery.c.message_id).where(_held(claim))).scalar_one())


def finish_delivery(
    connection: Connection, claim: Claim, *, kind: str, answer: str, now: datetime
) -> bool:
    """The mail is with the server (`sent`), or will never be (`refused`).

    A mail that left while a correction withdrew its row is still said to be sent.
    """
    states = (*OPEN, "withdrawn") if kind == "sent" else OPEN
    done = connection.execute(
        update(delivery)
        .where(_held(claim, *states))
        .values(
            status=CLOSED_KINDS[kind],
            last_answer=answer[:500],
            last_kind=kind,
            unfinished=delivery.c.unfinished - 1,
            sent_at=now if kind == "sent" else None,
            due_at=None,
            lease_token=None,
            **({"link_sealed": None} if kind == "sent" else {}),
        )
    )
    return done.rowcount == 1


def defer_delivery(
    connection: Connection, claim: Claim, *, kind: str, answer: str, delay: timedelta
) -> bool:
    """Try again after the delay: `deferred`, `unknown`, or `operator` (which costs no attempt)."""
    ours = kind == "operator"
    done = connection.execute(
        update(delivery)
        .where(_held(claim))
        .values(
            status="queued" if ours else "deferred",
            attempts=delivery.c.attempts - (1 if ours else 0),
            unfinished=delivery.c.unfinished - (0 if kind == "unknown" else 1),
            last_answer=answer[:500],
            last_kind=kind,
            due_at=db_now() + microseconds(delay),
            lease_token=None,
        )
    )
    return done.rowcount == 1


def give_up_delivery(connection: Connection, claim: Claim, *, answer: str) -> bool:
    """After the last try: a person's."""
    done = connection.execute(
        update(delivery)
        .where(_held(claim))
        .values(status="failed", last_answer=answer[:500], due_at=None, lease_token=None)
    )
    return done.rowcount == 1


@dataclass(frozen=True, slots=True)
class Bounced:
    """Whose row came back."""

    organisation_id: str
    panel_id: str
    version: int


def bounce_delivery(connection: Connection, delivery_id: str, answer: str) -> Bounced | None:
    """A mail that had left came back: a person's, unless that is known already.

    A row whose last attempt had no known end may have left too; one that is being sent just now is
    let be. What a correction withdrew stays withdrawn.
    """
    row = connection.execute(
        update(delivery)
        .where(
            delivery.c.id == delivery_id,
            delivery.c.lease_token.is_(None),
            or_(
                delivery.c.status == "sent",
                and_(
                    delivery.c.status.in_((*OPEN, "failed")),
                    delivery.c.unfinished > 0,
                ),
            ),
        )
        .values(
            status="bounced",
            last_answer=answer[:500],
            last_kind="bounced",
            due_at=None,
            link_sealed=None,
        )
        .returning(delivery.c.organisation_id, delivery.c.panel_id, delivery.c.version)
    ).first()
    return None if row is None else Bounced(*row)


def note_delay(connection: Connection, delivery_id: str, answer: str) -> bool | None:
    """A server on the way still tries: said beside the row, which stays `sent`; None if no row."""
    known = is_known(connection, delivery_id)
    connection.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.status == "sent")
        .values(last_answer=answer[:500])
    )
    return False if known else None


def is_known(connection: Connection, delivery_id: str) -> bool:
    """Is there such a row?"""
    found = connection.execute(select(delivery.c.id).where(delivery.c.id == delivery_id))
    return found.first() is not None


def requeue_delivery(
    connection: Connection, organisation_id: str, delivery_id: str, *, ready: bool
) -> bool:
    """A person asks for another try; the counts begin again, the Message-ID stays."""
    done = connection.execute(
        update(delivery)
        .where(
            delivery.c.organisation_id == organisation_id,
            delivery.c.id == delivery_id,
            delivery.c.status.in_(RETRIABLE),
            or_(delivery.c.lease_token.is_(None), delivery.c.due_at <= db_now()),
        )
        .values(
            status="queued",
            attempts=0,
            unfinished=0,
            due_at=db_now() if ready else None,
            lease_token=None,
        )
    )
    return done.rowcount == 1
