"""Writing down whom to tell of what, in the transaction of what is told: the row is the job.

| event | when |
|---|---|
| `interpretation.completed` | the document of a first version is ready, or none is made |
| `interpretation.corrected` | the same for a later version |
| `interpretation.withdrawn` | a version says that its results are cancelled; at once |
| `interpretation.failed` | the document was given up |
| `critical.detected` | a version with a critical result, or an emergency, is accepted; at once |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp.delivery import subscription
from labinterp.store import notices, panels, webhooks
from labinterp.store.rows import NoticeRecord
from labinterp.store.store import fresh_id

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.store.reports import Claim
    from labinterp.store.rows import WebhookRecord
    from labinterp.usecases.services import Services
    from labinterp.usecases.storing import Order

COMPLETED: Final = "interpretation.completed"
CORRECTED: Final = "interpretation.corrected"
WITHDRAWN: Final = "interpretation.withdrawn"
FAILED: Final = "interpretation.failed"
CRITICAL: Final = "critical.detected"
EVENTS: Final = (COMPLETED, CORRECTED, WITHDRAWN, FAILED, CRITICAL)
_CANCELLED: Final = "cancelled"


@dataclass(frozen=True, slots=True)
class _About:
    """The version that is told of; `status` as its sender gave it."""

    organisation_id: str
    panel_id: str
    version: int
    status: str = ""


def tell_accepted(
    services: Services,
    connection: Connection,
    organisation_id: str,
    order: Order,
    report_status: str,
) -> None:
    """Of a version that is being stored: what need not wait for its document."""
    status = order.received.submission.status
    found: list[str] = []
    if panels.is_critical(order.interpretation):
        found.append(CRITICAL)
    if status == _CANCELLED:
        found.append(WITHDRAWN)
    elif report_status == "not_made":
        found.append(_finished(order.version))
    about = _About(organisation_id, order.panel_id, order.version, status)
    _tell(services, connection, about, found)


def tell_drawn(services: Services, connection: Connection, claim: Claim) -> int:
    """Of a document that is being stored; how many endpoints are told."""
    status = panels.status_of(connection, claim.organisation_id, claim.panel_id, claim.version)
    if status == _CANCELLED:
        return 0
    about = _About(claim.organisation_id, claim.panel_id, claim.version, status)
    return _tell(services, connection, about, [_finished(claim.version)])


def tell_failed(
    services: Services,
    connection: Connection,
    organisation_id: str,
    panel_id: str,
    version: int,
) -> int:
    """Of a document that is being given up; how many endpoints are told."""
    return _tell(services, connection, _About(organisation_id, panel_id, version), [FAILED])


def _finished(version: int) -> str:
    return COMPLETED if version == 1 else CORRECTED


def _tell(services: Services, connection: Connection, about: _About, events: list[str]) -> int:
    """One row for each endpoint that wants the event; of a test nobody is told."""
    if not events or panels.is_test(connection, about.organisation_id, about.panel_id):
        return 0
    now = services.now()
    vault = services.store.vault
    return sum(
        notices.add_notice(connection, _notice(endpoint, event, about, now), about.organisation_id)
        for event in events
        for endpoint in webhooks.told_of(connection, vault, about.organisation_id, event, now)
        if _wants(endpoint, event, about.status)
    )


def _notice(endpoint: WebhookRecord, event: str, about: _About, now: datetime) -> NoticeRecord:
    return NoticeRecord(
        id=fresh_id(now),
        webhook_id=endpoint.id,
        event=event,
        status="queued",
        attempts=0,
        created_at=now,
        panel_id=about.panel_id,
        version=about.version,
    )


def _wants(endpoint: WebhookRecord, event: str, status: str) -> bool:
    if endpoint.document is None or endpoint.kind == "receiver":
        return True
    word = event.rpartition(".")[2]
    return subscription.wants(str(endpoint.document["criteria"]), word, status)
