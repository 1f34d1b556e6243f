"""Reading what is stored: one panel, many, a patient's, a document; each read leaves its mark."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from labinterp.access import Actor, require
from labinterp.errors import NotFound
from labinterp.formats.taken_back import panel_status
from labinterp.store import acknowledgements, deliveries, lists, panels, reports
from labinterp.store.audit import Deed
from labinterp.store.lists import Wanted
from labinterp.store.rows import Page, PanelRecord, PanelSummary, ReportRecord
from labinterp.usecases.acting import audited
from labinterp.usecases.changes import changes_of
from labinterp.usecases.cursors import cursor_of, position_of
from labinterp.usecases.orders import document_status, report_order
from labinterp.usecases.outcomes import Accepted, ReportState
from labinterp.usecases.storing import NOTHING_TO_SEND

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.store.crypto import Vault
    from labinterp.store.panels import StoredVersion
    from labinterp.store.rows import DeliveryRecord, DeliveryStatus
    from labinterp.usecases.services import Services

_MOST: Final = 200
_REF: Final = re.compile(r"[0-9a-f]{40}")


def read_panel(
    services: Services,
    actor: Actor,
    panel_id: str,
    version: int | None = None,
    *,
    request_id: str = "",
) -> PanelRecord:
    """One version of a panel with everything known of it; the newest when none is named.

    Raises:
        NotFound: no such panel or version in this organisation.
    """
    require(actor, "panels:read")
    with services.store.reading() as connection:
        stored = panels.read_version(
            connection, services.store.vault, actor.organisation_id, panel_id, version
        )
        record = _record(connection, services.store.vault, actor.organisation_id, stored)
    deed = Deed(
        "R",
        "panel-read",
        panel_id=panel_id,
        version=record.version,
        patient_key=record.patient_ref,
    )
    audited(services, actor, deed, request_id)
    return record


def newest_record(
    connection: Connection, services: Services, organisation_id: str, panel_id: str
) -> PanelRecord:
    """The newest version, in the caller's transaction, which must leave the mark of the read."""
    stored = panels.read_version(connection, services.store.vault, organisation_id, panel_id)
    return _record(connection, services.store.vault, organisation_id, stored)


def _record(
    connection: Connection, vault: Vault, organisation_id: str, stored: StoredVersion
) -> PanelRecord:
    told = deliveries.of_panel(connection, organisation_id, stored.panel_id, stored.version)
    return PanelRecord(
        id=stored.panel_id,
        version=stored.version,
        status=document_status(stored),
        received_at=stored.received_at,
        panel=stored.panel,
        interpretation=stored.interpretation,
        identity=stored.identity,
        report=reports.read_report(connection, organisation_id, stored.panel_id, stored.version),
        deliveries=told,
        newest_version=stored.newest_version,
        superseded=stored.version < stored.newest_version,
        patient_ref=stored.patient_key,
        acknowledgements=acknowledgements.acknowledgements(
            connection, organisation_id, stored.panel_id
        ),
        origin=stored.origin,
        changes=changes_of(connection, vault, organisation_id, stored),
    )


def accepted_record(services: Services, actor: Actor, accepted: Accepted) -> PanelRecord:
    """What is answered to whoever sent this panel: the same at every replay.

    Telling a sender what was just made of their own panel is part of accepting it: it needs no
    scope to read, and the audit of the acceptance covers it.
    """
    with services.store.reading() as connection:
        stored = panels.read_version(
            connection,
            services.store.vault,
            actor.organisation_id,
            accepted.panel_id,
            accepted.version,
        )
        return as_accepted(_record(connection, services.store.vault, actor.organisation_id, stored))


def as_accepted(record: PanelRecord) -> PanelRecord:
    """The record as it was answered when this version was accepted, for a replayed request."""
    made = record.report.number is not None
    return replace(
        record,
        status=_status_when_new(record),
        report=_report_when_new(record.report) if made else record.report,
        deliveries=tuple(
            _delivery_when_new(item, "queued" if made else "failed")
            for item in record.deliveries
            if item.origin in {"accept", "correct"}
        ),
        newest_version=record.version,
        superseded=False,
        acknowledgements=(),
    )


def _report_when_new(report: ReportRecord) -> ReportRecord:
    return ReportRecord(
        id=report.id,
        panel_id=report.panel_id,
        version=report.version,
        status="queued",
        number=report.number,
    )


def _delivery_when_new(item: DeliveryRecord, status: DeliveryStatus) -> DeliveryRecord:
    return replace(
        item,
        status=status,
        attempts=0,
        last_answer=NOTHING_TO_SEND if status == "failed" else None,
        next_try=None,
        sent_at=None,
        opened_at=None,
    )


def _status_when_new(record: PanelRecord) -> str:
    if not record.superseded:
        return record.status
    sent = panel_status(record.panel)
    return "corrected" if record.version > 1 and sent == "final" else sent


def list_panels(
    services: Services,
    actor: Actor,
    *,
    patient: str | None = None,
    from_: datetime | None = None,
    to: datetime | None = None,
    collected_from: datetime | None = None,
    collected_to: datetime | None = None,
    ids: frozenset[str] | None = None,
    measurands: frozenset[str] | None = None,
    standing: str | None = None,
    urgency: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """The newest version of each panel that fits, newest first.

    Whoever asks for a time of collection is answered in that order, all else in that of arrival.

    Args:
        services: the wired parts.
        actor: who asks.
        patient: an identifier, or `issuer|identifier`.
        from_: received at or after.
        to: received before.
        collected_from: collected at or after.
        collected_to: collected before; what has no time of collection fits neither.
        ids: only these.
        measurands: one of these was measured.
        standing: any of its results has this one.
        urgency: exactly this one.
        cursor: where the page before ended.
        limit: at most so many, up to 200.

    Raises:
        SubmissionError: code `cursor-invalid`.
    """
    require(actor, "panels:read")
    issuer, identifier = _patient(patient)
    size = max(1, min(limit, _MOST))
    wanted = Wanted(
        patient=identifier,
        issuer=issuer,
        since=from_,
        until=to,
        collected_since=collected_from,
        collected_until=collected_to,
        ids=ids,
        measurands=measurands,
        standing=standing,
        urgency=urgency,
        after=position_of(cursor),
        limit=size + 1,
    )
    found = _summaries(services, actor, wanted)
    deed = Deed("E", "panels-listed", entity=f"panels:{len(found[:size])}")
    audited(services, actor, deed)
    more = _cursor(found[size - 1], wanted) if len(found) > size else None
    return Page(found[:size], more)


def critical_unacknowledged(services: Services, actor: Actor) -> tuple[PanelSummary, ...]:
    """Panels with a critical result that nobody has acknowledged, newest first."""
    require(actor, "panels:read")
    return _summaries(services, actor, Wanted(unacknowledged=True, limit=_MOST))


def _summaries(services: Services, actor: Actor, wanted: Wanted) -> tuple[PanelSummary, ...]:
    with services.store.reading() as connection:
        return lists.summaries(connection, services.store.vault, actor.organisation_id, wanted)


def _patient(text: str | None) -> tuple[str | None, str | None]:
    """Issuer and identifier of `issuer|identifier`; the issuer may be missing."""
    if text is None:
        return None, None
    issuer, bar, identifier = text.rpartition("|")
    return (issuer or None, identifier) if bar else (None, text)


def _cursor(last: PanelSummary, wanted: Wanted) -> str:
    moment = last.received_at
    if wanted.by_collection and last.collected_at is not None:
        moment = last.collected_at
    return cursor_of(moment, last.id)


def patient_history(
    services: Services, actor: Actor, patient_ref: str, *, request_id: str = ""
) -> tuple[PanelRecord, ...]:
    """The newest version of each of a patient's panels, latest collection first.

    Raises:
        NotFound: no panel of such a patient in this organisation.
    """
    require(actor, "panels:read")
    if not _REF.fullmatch(patient_ref):
        raise NotFound("There is no such patient, or they are not yours.")
    with services.store.reading() as connection:
        stored = panels.versions_of_patient(
            connection, services.store.vault, actor.organisation_id, patient_ref, _MOST
        )
        found = tuple(
            _record(connection, services.store.vault, actor.organisation_id, each)
            for each in stored
        )
    if not found:
        raise NotFound("There is no such patient, or they are not yours.")
    audited(services, actor, Deed("R", "history-read", patient_key=patient_ref), request_id)
    return found


def read_report(
    services: Services,
    actor: Actor,
    panel_id: str,
    version: int | None = None,
    *,
    request_id: str = "",
) -> ReportState:
    """The document of one version, or why it is not there.

    A superseded version's document is drawn anew from what is stored, marked superseded.

    Raises:
        NotFound: no such panel or version in this organisation.
    """
    require(actor, "panels:read")
    with services.store.reading() as connection:
        stored = panels.read_version(
            connection, services.store.vault, actor.organisation_id, panel_id, version
        )
        record = reports.read_report(connection, actor.organisation_id, panel_id, stored.version)
    superseded = stored.version < stored.newest_version
    pdf, digest = _document(services, actor, stored, record)
    deed = Deed(
        "R",
        "report-read",
        panel_id=panel_id,
        version=stored.version,
        patient_key=stored.patient_key,
    )
    audited(services, actor, deed, request_id)
    waiting = record.status in reports.OPEN
    return ReportState(
        status=record.status,
        number=record.number,
        version=stored.version,
        why=record.why,
        pdf=pdf,
        file_name=record.file_name,
        retry_after=services.policy.retry_after if waiting else None,
        superseded=superseded,
        digest=digest,
    )


def _document(
    services: Services, actor: Actor, stored: StoredVersion, record: ReportRecord
) -> tuple[bytes | None, str | None]:
    if record.status != "ready":
        return None, None
    if stored.version < stored.newest_version:
        drawn = services.draw(
            report_order(
                services,
                actor.organisation_id,
                stored,
                record,
                record.ready_at or stored.received_at,
            )
        )
        return drawn.pdf, drawn.digest
    with services.store.reading() as connection:
        kept = reports.read_file(connection, services.store.vault, actor.organisation_id, record.id)
    if kept is None or hashlib.sha256(kept[0]).hexdigest() != record.digest:
        raise RuntimeError("a stored document does not have its recorded digest")
    return kept[0], record.digest
