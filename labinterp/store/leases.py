"""Who holds work now, and taking it back from a process that is known to be gone.

A lease ends by itself; this only saves the wait after a crash. It is safe also when the process
lives after all: its token stops working as soon as somebody else claims the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Table, and_, select, update

from labinterp.store.door_tables import background_job, notice
from labinterp.store.moment import db_now
from labinterp.store.tables import delivery, report

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection

_STATES = {
    "report": ("drawing",),
    "delivery": ("queued", "deferred"),
    "notice": ("queued", "deferred"),
    "background_job": ("queued",),
}
_TABLES = (report, delivery, notice, background_job)


def holders(connection: Connection) -> frozenset[str]:
    """The workers that hold at least one row."""
    return frozenset(
        name
        for table in _TABLES
        for name in connection.execute(select(table.c.leased_by).where(_held(table)).distinct())
        .scalars()
        .all()
        if name
    )


def release(connection: Connection, workers: Collection[str]) -> int:
    """Make what these workers hold due now; how many rows."""
    return sum(
        connection.execute(
            update(table)
            .where(_held(table), table.c.leased_by.in_(workers))
            .values(due_at=db_now())
        ).rowcount
        for table in _TABLES
    )


def _held(table: Table) -> ColumnElement[bool]:
    return and_(
        table.c.status.in_(_STATES[table.name]),
        table.c.lease_token.is_not(None),
        table.c.due_at > db_now(),
    )
