"""What a stored panel's FHIR resources are made from, and its document as an Attachment."""

from __future__ import annotations

import time
from base64 import b64encode
from hashlib import sha1
from typing import TYPE_CHECKING, Any, Final

from labinterp.reporting.fhir import FhirOrder, instant
from labinterp.store import panels, reports
from labinterp.store.audit import Deed
from labinterp.usecases.acting import audited
from labinterp.usecases.report_work import draw_at_once

if TYPE_CHECKING:
    from labinterp.access import Actor
    from labinterp.store.rows import PanelRecord, ReportRecord
    from labinterp.usecases.services import Services

_STAGES: Final = ("ready", "queued", "drawing")
_LOOKS: Final = 50
_PAUSE: Final = 0.1
"""Between two looks whether another process has drawn what is waited for [s]; about 5 s in all."""


def fhir_base(services: Services) -> str:
    """Where our FHIR server is."""
    return f"{services.policy.base_url.rstrip('/')}/fhir"


def fhir_order(
    services: Services,
    record: PanelRecord,
    document: dict[str, Any] | None = None,
    leads: str = "",
) -> FhirOrder:
    """What a record's resources are made from."""
    return FhirOrder(
        base=fhir_base(services),
        id=record.id,
        version=record.version,
        status=record.status,
        interpretation=record.interpretation,
        identity=record.identity,
        panel=record.panel,
        received_at=record.received_at,
        title=f"Laboratory interpretation {record.report.number or ''}".strip(),
        has_document=record.report.status in _STAGES,
        document=document,
        superseded=record.superseded,
        leads=leads,
        snomed=services.policy.snomed_ct,
    )


def attachment(services: Services, actor: Actor, record: PanelRecord) -> dict[str, Any] | None:
    """Size, hash and time of a version's finished document; None while there is none.

    A superseded version's document is drawn anew for whoever asks, so it has none of these.
    """
    if record.superseded:
        return None
    found = _finished(services, actor, record)
    return _facts(*found) if found else None


def document_at_once(
    services: Services, actor: Actor, record: PanelRecord, *, request_id: str = ""
) -> dict[str, Any] | None:
    """The same with the document's data, drawn now if nobody has; None where that takes too long.

    To hand a sender the document of what they just sent is part of accepting it.
    """
    draw_at_once(services, record.report.id)
    for _ in range(_LOOKS):
        found = _finished(services, actor, record)
        if found:
            deed = Deed("R", "report-read", panel_id=record.id, version=record.version)
            audited(services, actor, deed, request_id)
            return {**_facts(*found), "data": b64encode(found[1]).decode()}
        if not _is_under_way(services, actor, record):
            return None
        time.sleep(_PAUSE)
    return None


def _finished(
    services: Services, actor: Actor, record: PanelRecord
) -> tuple[ReportRecord, bytes] | None:
    organisation_id = actor.organisation_id
    with services.store.reading() as connection:
        if panels.newest_version(connection, organisation_id, record.id) != record.version:
            return None
        row = reports.read_report(connection, organisation_id, record.id, record.version)
        if row.status != "ready":
            return None
        kept = reports.read_file(connection, services.store.vault, organisation_id, row.id)
    return (row, kept[0]) if kept else None


def _is_under_way(services: Services, actor: Actor, record: PanelRecord) -> bool:
    with services.store.reading() as connection:
        row = reports.read_report(connection, actor.organisation_id, record.id, record.version)
    return row.status in reports.OPEN


def _facts(row: ReportRecord, pdf: bytes) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "size": len(pdf),
        "hash": b64encode(sha1(pdf, usedforsecurity=False).digest()).decode(),
    }
    return {**facts, "creation": instant(row.ready_at)} if row.ready_at else facts
