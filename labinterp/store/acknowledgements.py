"""Who was told of a critical result: written down once, never changed."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from labinterp.store.rows import AcknowledgementRecord
from labinterp.store.tables import acknowledgement, panel


def acknowledge(
    connection: Connection, organisation_id: str, entry: AcknowledgementRecord, by_id: str
) -> None:
    """Write down who was told, and take the panel off the list of the unacknowledged."""
    connection.execute(
        insert(acknowledgement).values(
            id=entry.id,
            organisation_id=organisation_id,
            panel_id=entry.panel_id,
            version=entry.version,
            at=entry.at,
            by_id=by_id,
            by_name=entry.by,
            told=entry.told,
            how=entry.how,
            read_back=entry.read_back,
        )
    )
    connection.execute(
        update(panel)
        .where(
            panel.c.organisation_id == organisation_id,
            panel.c.id == entry.panel_id,
            panel.c.newest_version == entry.version,
        )
        .values(acknowledged_at=entry.at)
    )


def acknowledgements(
    connection: Connection, organisation_id: str, panel_id: str
) -> tuple[AcknowledgementRecord, ...]:
    """Who was told of this panel's critical results, oldest first."""
    rows = connection.execute(
        select(acknowledgement)
        .where(
            acknowledgement.c.organisation_id == organisation_id,
            acknowledgement.c.panel_id == panel_id,
        )
        .order_by(acknowledgement.c.at, acknowledgement.c.id)
    )
    return tuple(
        AcknowledgementRecord(
            row.id, row.panel_id, row.version, row.at, row.by_name, row.told, row.how, row.read_back
        )
        for row in rows
    )
