"""Every panel of an organisation in its newest version, page by page, for what reads all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from labinterp.store import sealed
from labinterp.store.panels import is_newest
from labinterp.store.tables import panel, panel_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from labinterp.store.store import Store

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class StoredPanel:
    """A panel as it was received; what was answered is not read."""

    id: str
    received_at: datetime
    panel: Mapping[str, object]


def panels(store: Store, organisation_id: str) -> Iterator[StoredPanel]:
    """In the order of their ids; no transaction is open between two pages."""
    after = ""
    while page := _page(store, organisation_id, after):
        yield from page
        after = page[-1].id


def _page(store: Store, organisation_id: str, after: str) -> tuple[StoredPanel, ...]:
    query = (
        select(
            panel.c.id,
            panel_version.c.version,
            panel_version.c.received_at,
            panel_version.c.panel_sealed,
        )
        .join_from(panel, panel_version, is_newest())
        .where(panel.c.organisation_id == organisation_id, panel.c.id > after)
        .order_by(panel.c.id)
        .limit(_PAGE)
    )
    with store.reading() as connection:
        rows = connection.execute(query).all()
    return tuple(
        StoredPanel(
            row.id,
            row.received_at,
            sealed.open_document(
                store.vault, row.panel_sealed, "panel", organisation_id, row.id, row.version
            ),
        )
        for row in rows
    )
