"""Delivery rows: one message to one recipient, and the job of sending it in one.

A row waits (`due_at` None) until its report is ready; whoever makes the report ready, or gives it
up, moves the rows that wait for it in the same transaction. While a worker holds a row its state
stays queued or deferred; the lease token says that it is being sent. `unfinished` is counted at the
claim and taken back by every outcome that is known, so it counts attempts that nobody saw end.
The claims themselves are in `delivery_jobs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, insert, select, update

from labinterp.errors import NotFound
from labinterp.store.moment import db_now
from labinterp.store.rows import DeliveryRecord
from labinterp.store.sealed import place
from labinterp.store.store import is_id
from labinterp.store.tables import delivery, report

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select

    from labinterp.store.crypto import Vault

OPEN: Final = ("queued", "deferred")
WITHOUT_REPORT: Final = "no-report"


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

    What had failed, was refused or came back leaves a person's list too, with its last answer kept:
    it is a matter of the new version now.

    Returns:
        (address, as attachment) of everyone who had been told, or should have been.
    """
    mine = and_(delivery.c.organisation_id == organisation_id, delivery.c.panel_id == panel_id)
    told = connection.execute(
        select(delivery.c.recipient, delivery.c.as_attachment)
        .where(mine, delivery.c.status != "withdrawn")
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
        .where(mine, delivery.c.status.in_(("failed", "refused", "bounced")))
        .values(status="withdrawn", link_sealed=None)
    )
    connection.execute(
        update(delivery)
        .where(mine, delivery.c.link_withdrawn_at.is_(None))
        .values(link_withdrawn_at=db_now())
    )
    return tuple((row.recipient, row.as_attachment) for row in told)


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
            delivery.c.link_expires_at > now,
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
    connection: Connection, organisation_id: str, panel_id: str, since: datetime
) -> int:
    """Messages about this panel that people asked for again since then."""
    return connection.execute(
        select(func.count())
        .select_from(delivery)
        .where(
            delivery.c.organisation_id == organisation_id,
            delivery.c.panel_id == panel_id,
            delivery.c.origin == "send",
            delivery.c.created_at > since,
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


def end_bounced(connection: Connection, organisation_id: str, delivery_id: str, why: str) -> None:
    """A row that came back leaves a person's list: another takes its place."""
    connection.execute(
        update(delivery)
        .where(
            delivery.c.organisation_id == organisation_id,
            delivery.c.id == delivery_id,
            delivery.c.status == "bounced",
        )
        .values(status="withdrawn", last_answer=why[:500], link_withdrawn_at=db_now())
    )
