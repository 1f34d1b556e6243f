"""Lists of panels: newest first, page by page, each question answered from an index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from labinterp.model.submission import Identity
from labinterp.store import sealed
from labinterp.store.panels import identifier_key, is_newest, patient_key
from labinterp.store.rows import PanelSummary
from labinterp.store.tables import (
    identity,
    panel,
    panel_measurand,
    panel_standing,
    panel_version,
    report,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from labinterp.store.crypto import Vault


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is to hold; None does not restrict. `after` is where the page before ended.

    Whoever asks for a time of collection is answered in the order of collection, all else in that
    of arrival: so each page is read from an index.
    """

    patient: str | None = None
    issuer: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    collected_since: datetime | None = None
    collected_until: datetime | None = None
    ids: frozenset[str] | None = None
    measurands: frozenset[str] | None = None
    standing: str | None = None
    urgency: str | None = None
    unacknowledged: bool = False
    after: tuple[int, str] | None = None
    limit: int = 50

    @property
    def by_collection(self) -> bool:
        """Is a time of collection asked for?"""
        return self.collected_since is not None or self.collected_until is not None


def summaries(
    connection: Connection, vault: Vault, organisation_id: str, wanted: Wanted
) -> tuple[PanelSummary, ...]:
    """The newest versions that fit, newest first; at most `wanted.limit`."""
    order = _order(wanted)
    query = (
        select(
            panel,
            panel_version.c.status,
            identity.c.sealed.label("identity_sealed"),
            report.c.status.label("report_status"),
            report.c.number,
        )
        .join_from(panel, panel_version, is_newest())
        .join(
            identity,
            and_(identity.c.panel_id == panel.c.id, identity.c.version == panel.c.newest_version),
        )
        .join(
            report,
            and_(report.c.panel_id == panel.c.id, report.c.version == panel.c.newest_version),
        )
        .where(
            panel.c.organisation_id == organisation_id,
            *_conditions(vault, organisation_id, wanted, order),
        )
        .order_by(*(column.desc() for column in order))
        .limit(wanted.limit)
    )
    return tuple(_summary(vault, row) for row in connection.execute(query))


def how_many(connection: Connection, vault: Vault, organisation_id: str, wanted: Wanted) -> int:
    """How many newest versions fit."""
    query = (
        select(func.count())
        .select_from(panel)
        .where(
            panel.c.organisation_id == organisation_id,
            *_conditions(vault, organisation_id, wanted, _order(wanted)),
        )
    )
    return connection.execute(query).scalar_one()


def _order(wanted: Wanted) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The columns a list is in the order of: those of the index that answers it."""
    if wanted.by_collection:
        return panel.c.collected_at, panel.c.id
    if wanted.standing is not None:
        return panel_standing.c.received_at, panel_standing.c.panel_id
    return panel.c.received_at, panel.c.id


def _conditions(
    vault: Vault,
    organisation_id: str,
    wanted: Wanted,
    order: tuple[ColumnElement[Any], ColumnElement[Any]],
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.standing is not None:
        found += [
            panel_standing.c.organisation_id == organisation_id,
            panel_standing.c.standing == wanted.standing,
            panel_standing.c.panel_id == panel.c.id,
        ]
    if wanted.patient is not None:
        key = identifier_key(vault, organisation_id, wanted.patient) or ""
        found.append(panel.c.identifier_key == key)
    if wanted.patient is not None and wanted.issuer:
        who = Identity(identifier=wanted.patient, issuer=wanted.issuer)
        found.append(panel.c.patient_key == patient_key(vault, organisation_id, who))
    if wanted.ids is not None:
        found.append(panel.c.id.in_(sorted(wanted.ids)))
    if wanted.measurands is not None:
        measured = select(panel_measurand.c.panel_id).where(
            panel_measurand.c.organisation_id == organisation_id,
            panel_measurand.c.measurand.in_(sorted(wanted.measurands)),
            panel_measurand.c.panel_id == panel.c.id,
        )
        found.append(measured.exists())
    if wanted.urgency is not None:
        found.append(panel.c.urgency == wanted.urgency)
    if wanted.unacknowledged:
        found += [panel.c.critical.is_(True), panel.c.acknowledged_at.is_(None)]
    return [*found, *_times(wanted, order)]


def _times(
    wanted: Wanted, order: tuple[ColumnElement[Any], ColumnElement[Any]]
) -> Iterator[ColumnElement[bool]]:
    arrived = panel.c.received_at if wanted.by_collection else order[0]
    if wanted.since is not None:
        yield arrived >= wanted.since
    if wanted.until is not None:
        yield arrived < wanted.until
    if wanted.collected_since is not None:
        yield panel.c.collected_at >= wanted.collected_since
    if wanted.collected_until is not None:
        yield panel.c.collected_at < wanted.collected_until
    if wanted.after is not None:
        moment, last = wanted.after
        yield order[0] <= moment
        yield or_(order[0] < moment, order[1] < last)


def _summary(vault: Vault, row: Row[Any]) -> PanelSummary:
    return PanelSummary(
        id=row.id,
        version=row.newest_version,
        status=row.status,
        received_at=row.received_at,
        collected_at=row.collected_at,
        identity=sealed.open_identity(
            vault, row.identity_sealed, row.organisation_id, row.id, row.newest_version
        ),
        urgency=row.urgency,
        standings=tuple(row.standings.split()),
        report_status=row.report_status,
        report_number=row.number,
        acknowledged=row.acknowledged_at is not None,
        patient_ref=row.patient_key,
    )
