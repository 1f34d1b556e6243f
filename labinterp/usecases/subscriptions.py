"""FHIR Subscriptions: endpoints like webhooks, asked for and read as FHIR has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.delivery import subscription
from labinterp.errors import Place, SubmissionError
from labinterp.outbound import AddressRefused
from labinterp.store import notices, webhooks
from labinterp.store.rows import NoticeRecord, WebhookRecord
from labinterp.store.store import fresh_id
from labinterp.usecases import endpoints
from labinterp.usecases.acting import who
from labinterp.usecases.endpoints import note, room
from labinterp.usecases.notices import COMPLETED, CORRECTED, WITHDRAWN
from labinterp.usecases.storing import nudge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from labinterp.access import Actor
    from labinterp.usecases.services import Services

KIND: Final = "subscription"
_EVENTS: Final = (COMPLETED, CORRECTED, WITHDRAWN)
_SET_BY_US: Final = ("id", "meta", "status", "error")


def create_subscription(
    services: Services, actor: Actor, document: Any, *, request_id: str = ""
) -> WebhookRecord:
    """Take a Subscription in, requested; a worker's handshake makes it active.

    The caller has made sure that the actor may.

    Raises:
        SubmissionError: what it asks for cannot be done; each place is named.
        Conflict: there are as many endpoints as are allowed.
    """
    now = services.now()
    asked, faults = subscription.read(document, now)
    if asked is None:
        raise SubmissionError("This Subscription cannot be taken.", errors=faults)
    _check(services, asked.endpoint)
    kept = {name: value for name, value in document.items() if name not in _SET_BY_US}
    record = WebhookRecord(
        id=fresh_id(now),
        organisation_id=actor.organisation_id,
        kind="subscription",
        url=asked.endpoint,
        events=_EVENTS,
        status="requested",
        created_at=now,
        ends_at=asked.ends_at,
        document=kept,
    )
    handshake = NoticeRecord(
        id=fresh_id(now),
        webhook_id=record.id,
        event=notices.HANDSHAKE,
        status="queued",
        attempts=0,
        created_at=now,
    )

    def work(connection: Connection) -> None:
        room(services, connection, actor)
        webhooks.add_webhook(connection, services.store.vault, record, None)
        notices.add_notice(connection, handshake, actor.organisation_id)
        by = who(actor, request_id)
        note(services, connection, by, record, ("C", "subscription-created"))

    services.store.write(work)
    nudge(services, "notice")
    return record


def all_subscriptions(services: Services, actor: Actor) -> tuple[WebhookRecord, ...]:
    """The organisation's Subscriptions, oldest first."""
    return endpoints.registered(services, actor, KIND)


def read_subscription(services: Services, actor: Actor, subscription_id: str) -> WebhookRecord:
    """One Subscription.

    Raises:
        NotFound: there is no such one in this organisation.
    """
    return endpoints.read(services, actor, KIND, subscription_id)


def delete_subscription(
    services: Services, actor: Actor, subscription_id: str, *, request_id: str = ""
) -> None:
    """Tell it nothing any more.

    Raises:
        NotFound: there is no such one in this organisation.
    """
    endpoints.delete(services, actor, KIND, subscription_id, request_id=request_id)


def _check(services: Services, endpoint: str) -> None:
    """The guard's answer, at its place in the document."""
    try:
        services.outbound.check(endpoint)
    except AddressRefused as error:
        place = Place("Subscription.channel.endpoint", error.code, error.message)
        raise SubmissionError(error.message, code=error.code, errors=(place,)) from error


def subscription_document(services: Services, record: WebhookRecord) -> Mapping[str, Any]:
    """A Subscription as FHIR has it, with how it stands now."""
    over = record.ends_at is not None and record.ends_at <= services.now()
    kept = subscription.shown(record.document or {})
    stands = {"status": "off" if over else record.status}
    why = {"error": record.why} if record.why and not over else {}
    told = {name: value for name, value in kept.items() if name != "resourceType"}
    return {"resourceType": subscription.TYPE, "id": record.id, **stands, **why, **told}
