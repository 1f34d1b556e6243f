"""Critical reports that somebody should have had by now, and nobody is known to have been told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import distinct, func, select

from labinterp.store.tables import delivery, panel

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_NOT_SENT: Final = ("queued", "deferred", "refused", "bounced", "failed")


def critical_undelivered(connection: Connection, organisation_id: str, before: datetime) -> int:
    """Panels with an unacknowledged critical result and mail from before then that was not sent.

    Mail about an older version counts no more; neither does what somebody withdrew.
    """
    query = (
        select(func.count(distinct(panel.c.id)))
        .join_from(delivery, panel, panel.c.id == delivery.c.panel_id)
        .where(
            delivery.c.organisation_id == organisation_id,
            delivery.c.status.in_(_NOT_SENT),
            delivery.c.created_at < before,
            delivery.c.version == panel.c.newest_version,
            panel.c.critical.is_(True),
            panel.c.acknowledged_at.is_(None),
        )
    )
    return connection.execute(query).scalar_one()
