"""Delivery rows: one message to one recipient, and the job of sending it in one.

A row waits (`due_at` None) until its report is ready; whoever makes the report ready, or gives it
up, moves the rows that wait for it in the same transaction. While a worker holds a row its state
stays queued or deferred; the lease token says that it is being sent. `unfinished` is counted at the
claim and taken back by every outcome that is known, so it counts attempts that nobody saw end.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, insert, or_, select, update

from labinterp.errors import NotFound
from labinterp.store.moment import db_now, microseconds
from labinterp.store.reports import Claim, is_due
from labinterp.store.rows import DeliveryRecord
from labinterp.store.sealed import place
from labinterp.store.store import is_id
from labinterp.store.tables import delivery, report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from labinterp.store.crypto import Vault

OPEN: Final = ("queued", "deferred")
RETRIABLE: Final = ("failed", "refused", "deferred", "queued")
WITHOUT_REPORT: Final = "no-report"
CLOSED_KINDS: Final = {"sent": "sent", "refused": "refused"}


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A message that is to be sent.

    Attributes:
        token: what the mail's link carries; stored hashed, and sealed only until it is sent.
    """

    id: str
    panel_id: str
    version: int
    report_id: str
    recipient: str
    as_attachment: bool
    origin: str
    message_id: str
    token: str
    token_digest: str
    link_expires_at: datetime
    note: str | None = None
    failed_because: str | None = None


def add_deliveries(
    connection: Connection,
    vault: Vault,
    organisation_id: str,
    new: Iterable[NewDelivery],
    *,
    report_status: str,
    now: datetime,
    first: int = 0,
) -> None:
    """One row per recipient: due now if the report is ready, waiting for it, or failed with it."""
    rows = [
        {**_row(vault, organisation_id, item, now), "position": position}
        for position, item in enumerate(new, first)
    ]
    if not rows:
        return
    due = db_now() if report_status == "ready" else None
    for row in rows:
        connection.execute(insert(delivery).values(**row, due_at=due))


def _row(vault: Vault, organisation_id: str, item: NewDelivery, now: datetime) -> dict[str, object]:
    return {
        "id": item.id,
        "organisation_id": organisation_id,
        "report_id": item.report_id,
        "panel_id": item.panel_id,
        "version": item.version,
        "recipient": item.recipient,
        "as_attachment": item.as_attachment,
        "note": item.note,
        "origin": item.origin,
        "status": "failed" if item.failed_because else "queued",
        "attempts": 0,
        "unfinished": 0,
        "last_answer": item.failed_because,
        "last_kind": WITHOUT_REPORT if item.failed_because else None,
        "message_id": item.message_id,
        "link_digest": item.token_digest,
        "link_sealed": vault.seal(item.token.encode(), place("link", organisation_id, item.id)),
        "link_expires_at": item.link_expires_at,
        "created_at": now,
    }


def _selected() -> Select[Any]:
    return select(delivery, report.c.number).join_from(
        delivery, report, report.c.id == delivery.c.report_id
    )


def of_panel(
    connection: Connection, organisation_id: str, panel_id: str, version: int | None = None
) -> tuple[DeliveryRecord, ...]:
    """What became of each message about a panel (or one version of it), oldest first."""
    query = _selected().where(
        delivery.c.organisation_id == organisation_id, delivery.c.panel_id == panel_id
    )
    if version is not None:
        query = query.where(delivery.c.version == version)
    rows = connection.execute(
        query.order_by(
            delivery.c.created_at, delivery.c.version, delivery.c.position, delivery.c.id
        )
    )
    return tuple(_record(row) for row in rows)


def of_organisation(
    connection: Connection, organisation_id: str, states: tuple[str, ...], limit: int
) -> tuple[DeliveryRecord, ...]:
    """Messages in these states, newest first; all when none is named."""
    query = _selected().where(delivery.c.organisation_id == organisation_id)
    if states:
        query = query.where(delivery.c.status.in_(states))
    rows = connection.execute(
        query.order_by(delivery.c.created_at.desc(), delivery.c.id.desc()).limit(limit)
    )
    return tuple(_record(row) for row in rows)


def read_delivery(connection: Connection, organisation_id: str, delivery_id: str) -> DeliveryRecord:
    """One message.

    Raises:
        NotFound: no such delivery in this organisation.
    """
    row = (
        is_id(delivery_id)
        and connection.execute(
            _selected().where(
                delivery.c.organisation_id == organisation_id, delivery.c.id == delivery_id
            )
        ).first()
    )
    if not row:
        raise NotFound("There is no such delivery, or it is not yours.")
    return _record(row)


def _record(row: Row[Any]) -> DeliveryRecord:
    return DeliveryRecord(
        id=row.id,
        panel_id=row.panel_id,
        version=row.version,
        to=row.recipient,
        status=row.status,
        attempts=row.attempts,
        last_answer=row.last_answer,
        next_try=row.due_at if row.status == "deferred" else None,
        as_attachment=row.as_attachment,
        created_at=row.created_at,
        report_number=row.number,
        sent_at=row.sent_at,
        opened_at=row.opened_at,
        link_expires_at=row.link_expires_at,
        note=row.note,
        origin=row.origin,
    )


# ---- moved together with the report


def release_waiting(connection: Connection, report_id: str) -> int:
    """The report is ready: what waited for it is due now."""
    return connection.execute(
        update(delivery)
        .where(
            delivery.c.report_id == report_id,
            delivery.c.status.in_(OPEN),
            delivery.c.due_at.is_(None),
        )
        .values(due_at=db_now())
    ).rowcount


def fail_waiting(connection: Connection, report_id: str, why: str) -> int:
    """There will be no report: what waited for it is a person's."""
    return connection.execute(
        update(delivery)
        .where(
            delivery.c.report_id == report_id,
            delivery.c.status.in_(OPEN),
            delivery.c.due_at.is_(None),
        )
        .values(status="failed", last_answer=why[:500], last_kind=WITHOUT_REPORT)
    ).rowcount


def wait_again(connection: Connection, organisation_id: str, report_id: str) -> int:
    """The report is tried anew: what had failed for want of it waits again."""
    return connection.execute(
        update(delivery)
        .where(
            delivery.c.organisation_id == organisation_id,
            delivery.c.report_id == report_id,
            delivery.c.status == "failed",
            delivery.c.last_kind == WITHOUT_REPORT,
        )
        .values(status="queued", last_answer=None, last_kind=None, due_at=None)
    ).rowcount


def settle_stranded(connection: Connection) -> int:
    """The sweep's safety net: no row waits for a report that is ready already."""
    stranded = select(report.c.id).where(report.c.status == "ready")
    return connection.execute(
        update(delivery)
        .where(
            delivery.c.status == "queued",
            delivery.c.due_at.is_(None),
            delivery.c.report_id.in_(stranded),
        )
        .values(due_at=db_now())
    ).rowcount


def withdraw_unsent(
    connection: Connection, organisation_id: str, panel_id: str, why: str
) -> tuple[tuple[str, bool], ...]:
    """A correction: nothing of the old versions is sent any more, and their links end.

    Returns:
        (address, as attachment) of everyone who had been told, or was about to be.
    """
    mine = and_(delivery.c.organisation_id == organisation_id, delivery.c.panel_id == panel_id)
    told = connection.execute(
        select(delivery.c.recipient, delivery.c.as_attachment)
        .where(mine, delivery.c.status.in_((*OPEN, "sent")))
        .order_by(delivery.c.created_at)
        .with_for_update()
    ).all()
    connection.execute(
        update(delivery)
        .where(mine, delivery.c.status.in_(OPEN))
        .values(status="withdrawn", last_answer=why, due_at=None, link_sealed=None)
    )
    connection.execute(
        update(delivery)
        .where(mine, delivery.c.link_withdrawn_at.is_(None))
        .values(link_withdrawn_at=db_now())
    )
    return tuple((row.recipient, row.as_attachment) for row in told)


# ---- the job


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


# ---- links


def withdraw_link(connection: Connection, organisation_id: str, delivery_id: str) -> bool:
    """The mail's link opens nothing any more."""
    done = connection.execute(
        update(delivery)
        .where(
            delivery.c.organisation_id == organisation_id,
            delivery.c.id == delivery_id,
            delivery.c.link_withdrawn_at.is_(None),
        )
        .values(link_withdrawn_at=db_now())
    )
    return done.rowcount == 1


def open_link(
    connection: Connection, organisation_id: str, token_digest: str, now: datetime
) -> DeliveryRecord | None:
    """The delivery this link belongs to, if it still opens; notes the first opening."""
    row = connection.execute(
        _selected().where(
            delivery.c.organisation_id == organisation_id,
            delivery.c.link_digest == token_digest,
            delivery.c.link_withdrawn_at.is_(None),
            delivery.c.link_expires_at > db_now(),
        )
    ).first()
    if row is None:
        return None
    connection.execute(
        update(delivery)
        .where(delivery.c.id == row.id, delivery.c.opened_at.is_(None))
        .values(opened_at=now)
    )
    return _record(row)


def recently_sent(
    connection: Connection, organisation_id: str, panel_id: str, span: timedelta
) -> int:
    """Messages about this panel that people asked for again within this span."""
    return connection.execute(
        select(func.count())
        .select_from(delivery)
        .where(
            delivery.c.organisation_id == organisation_id,
            delivery.c.panel_id == panel_id,
            delivery.c.origin == "send",
            delivery.c.created_at > db_now() - microseconds(span),
        )
    ).scalar_one()


def withdraw_delivery(
    connection: Connection, organisation_id: str, delivery_id: str, why: str
) -> bool:
    """Nothing is sent for this row any more, and its link ends."""
    done = connection.execute(
        update(delivery)
        .where(
            delivery.c.organisation_id == organisation_id,
            delivery.c.id == delivery_id,
            delivery.c.status.in_(OPEN),
        )
        .values(
            status="withdrawn",
            last_answer=why,
            due_at=None,
            link_sealed=None,
            link_withdrawn_at=db_now(),
        )
    )
    return done.rowcount == 1
