"""The order that a page's report is built from: the same one its PDF is drawn from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from labinterp.formats.taken_back import panel_status
from labinterp.store.panels import StoredVersion
from labinterp.usecases.orders import report_order

if TYPE_CHECKING:
    from labinterp.access import Actor
    from labinterp.model.report import ReportOrder
    from labinterp.usecases.journey import PanelRecord
    from labinterp.usecases.services import Services


def order_of(services: Services, actor: Actor, record: PanelRecord) -> ReportOrder:
    """What a stored version's report says, whether its document is drawn yet or not."""
    collected_at = record.interpretation.collected_at
    stored = StoredVersion(
        panel_id=record.id,
        version=record.version,
        newest_version=record.newest_version,
        status=panel_status(record.panel),
        origin=record.origin,
        format="",
        received_at=record.received_at,
        collected_at=datetime.fromisoformat(collected_at) if collected_at else None,
        panel=record.panel,
        interpretation=record.interpretation,
        identity=record.identity,
        patient_key=record.patient_ref,
    )
    issued_at = record.report.ready_at or record.received_at
    return report_order(services, actor.organisation_id, stored, record.report, issued_at)
