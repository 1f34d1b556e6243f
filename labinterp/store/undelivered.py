"""Critical reports that somebody should have had by now, and nobody is known to have been told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, distinct, func, or_, select, update

from labinterp.store.moment import db_now, microseconds
from labinterp.store.tables import delivery, organisation, panel, report

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection

_NOT_SENT: Final = ("queued", "deferred", "refused", "bounced", "failed")
_AT_ONCE: Final = 200


def critical_undelivered(connection: Connection, organisation_id: str, before: datetime) -> int:
    """Panels with an unacknowledged critical result and mail from before then that was not sent.

    Mail about an older version counts no more; neither does what somebody withdrew.
    """
    query = (
        select(func.count(distinct(panel.c.id)))
        .join_from(delivery, panel, panel.c.id == delivery.c.panel_id)
        .where(delivery.c.organisation_id == organisation_id, _is_late(before))
    )
    return connection.execute(query).scalar_one()


def _is_late(before: datetime) -> ColumnElement[bool]:
    return and_(
        delivery.c.status.in_(_NOT_SENT),
        delivery.c.created_at < before,
        delivery.c.version == panel.c.newest_version,
        panel.c.critical.is_(True),
        panel.c.acknowledged_at.is_(None),
    )


@dataclass(frozen=True, slots=True)
class Late:
    """A message that the operator has not been told of: nothing of its patient or its reader."""

    id: str
    number: str
    organisation: str
    status: str


def untold(connection: Connection, before: datetime) -> tuple[Late, ...]:
    """Late messages of all organisations that nobody is being told of just now, oldest first."""
    rows = connection.execute(
        select(delivery.c.id, report.c.number, organisation.c.name, delivery.c.status)
        .join_from(delivery, panel, panel.c.id == delivery.c.panel_id)
        .join(report, report.c.id == delivery.c.report_id)
        .join(organisation, organisation.c.id == delivery.c.organisation_id)
        .where(_is_late(before), _is_untold())
        .order_by(delivery.c.created_at, delivery.c.id)
        .limit(_AT_ONCE)
    )
    return tuple(Late(row.id, row.number or "no number", row.name, row.status) for row in rows)


def _is_untold() -> ColumnElement[bool]:
    return and_(
        delivery.c.alarmed_at.is_(None),
        or_(delivery.c.alarm_due_at.is_(None), delivery.c.alarm_due_at <= db_now()),
    )


def claim_alarm(connection: Connection, delivery_id: str, again: timedelta) -> bool:
    """Take it for one mail to the operator; it can be taken again soon, unless that was told."""
    done = connection.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id, _is_untold())
        .values(alarm_due_at=db_now() + microseconds(again))
    )
    return done.rowcount == 1


def told(connection: Connection, delivery_ids: tuple[str, ...], now: datetime) -> None:
    """The operator knows of these; they are not told again."""
    connection.execute(
        update(delivery).where(delivery.c.id.in_(delivery_ids)).values(alarmed_at=now)
    )
