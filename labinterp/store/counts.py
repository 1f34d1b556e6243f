"""How much work waits, and for how long: what readiness, alarms and the relay look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from labinterp.store.door_tables import background_job, notice
from labinterp.store.moment import db_now, microseconds
from labinterp.store.tables import delivery, report

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

_OPEN_REPORTS: Final = ("queued", "drawing")
_OPEN_DELIVERIES: Final = ("queued", "deferred")
_COUNTED_REPORTS: Final = (*_OPEN_REPORTS, "failed")
_COUNTED_DELIVERIES: Final = (*_OPEN_DELIVERIES, "refused", "bounced", "failed")
_OPEN_JOBS: Final = ("queued",)
_COUNTED_JOBS: Final = (*_OPEN_JOBS, "failed")
_COUNTED_NOTICES: Final = (*_OPEN_DELIVERIES, "failed")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kind of work: rows per open state, rows due now, and the age of the oldest of those."""

    states: dict[str, int]
    due: int
    oldest: timedelta | None


def reports_waiting(connection: Connection, implausible: timedelta) -> Waiting:
    """Reports to be drawn, and those given up."""
    return _waiting(connection, report, _COUNTED_REPORTS, _OPEN_REPORTS, implausible)


def deliveries_waiting(connection: Connection, implausible: timedelta) -> Waiting:
    """Messages to be sent, and those a person has to look at."""
    return _waiting(connection, delivery, _COUNTED_DELIVERIES, _OPEN_DELIVERIES, implausible)


def notices_waiting(connection: Connection, implausible: timedelta) -> Waiting:
    """Events to be told, and those given up."""
    return _waiting(connection, notice, _COUNTED_NOTICES, _OPEN_DELIVERIES, implausible)


def jobs_waiting(connection: Connection, implausible: timedelta) -> Waiting:
    """Background jobs whose turn it is; one that was begun waits again after each turn."""
    return _waiting(connection, background_job, _COUNTED_JOBS, _OPEN_JOBS, implausible)


def mail_trouble(connection: Connection) -> int:
    """Messages that wait because the mail server refused us."""
    return connection.execute(
        select(func.count())
        .select_from(delivery)
        .where(delivery.c.status.in_(_OPEN_DELIVERIES), delivery.c.last_kind == "operator")
    ).scalar_one()


def _waiting(
    connection: Connection,
    table: Table,
    counted: tuple[str, ...],
    still_open: tuple[str, ...],
    implausible: timedelta,
) -> Waiting:
    states: Any = connection.execute(
        select(table.c.status, func.count())
        .where(table.c.status.in_(counted))
        .group_by(table.c.status)
    ).all()
    due_at = table.c.due_at
    row = connection.execute(
        select(
            func.count(),
            (db_now() - func.min(due_at)).label("age"),
        ).where(
            table.c.status.in_(still_open),
            (due_at <= db_now()) | (due_at > db_now() + microseconds(implausible)),
        )
    ).one()
    age = None if row.age is None else timedelta(microseconds=max(0, int(row.age)))
    return Waiting(dict(map(tuple, states)), row[0], age)
