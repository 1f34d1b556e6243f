"""Everything one report is drawn from, gathered from what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labinterp.model.report import ReportOrder
from labinterp.reporting.words import moment
from labinterp.store import acknowledgements, deliveries, people
from labinterp.usecases.changes import changes_of

if TYPE_CHECKING:
    from datetime import datetime

    from labinterp.store.panels import StoredVersion
    from labinterp.store.rows import AcknowledgementRecord, ReportRecord
    from labinterp.usecases.services import Services


def document_status(stored: StoredVersion) -> str:
    """What a version is called: as sent, `corrected` from the second on, `superseded` when old."""
    if stored.version < stored.newest_version:
        return "superseded"
    if stored.version > 1 and stored.status == "final":
        return "corrected"
    return stored.status


def report_order(
    services: Services,
    organisation_id: str,
    stored: StoredVersion,
    record: ReportRecord,
    issued_at: datetime,
) -> ReportOrder:
    """The order for one version's document; the same rows give the same order."""
    with services.store.reading() as connection:
        name = people.organisation_name(connection, organisation_id)
        told = deliveries.of_panel(connection, organisation_id, stored.panel_id, stored.version)
        noted = acknowledgements.acknowledgements(connection, organisation_id, stored.panel_id)
        changes = changes_of(connection, services.store.vault, organisation_id, stored)
    return ReportOrder(
        number=record.number or "",
        version=stored.version,
        status=document_status(stored),
        interpretation=stored.interpretation,
        identity=stored.identity,
        panel=stored.panel,
        received_at=stored.received_at,
        issued_at=issued_at,
        collected_at=stored.collected_at,
        contact=services.policy.contact,
        operator_line=services.policy.operator_line,
        organisation=name,
        recipients=tuple(dict.fromkeys(item.to for item in told if item.status != "withdrawn")),
        changes=tuple(change.text for change in changes),
        acknowledgements=tuple(
            _sentence(entry) for entry in noted if entry.version == stored.version
        ),
        demo=services.policy.demo,
        page_size=services.policy.page_size,
        panel_id=stored.panel_id,
    )


def _sentence(entry: AcknowledgementRecord) -> str:
    read_back = "read back" if entry.read_back else "not read back"
    return f"{entry.told} was told ({entry.how}, {read_back}) by {entry.by}, {moment(entry.at)}."
