"""Endpoints that are told of reports: registering, listing, changing secrets, telling again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from labinterp.access import Actor, require
from labinterp.delivery import webhook
from labinterp.errors import Conflict, LabinterpError, Place, SubmissionError
from labinterp.store import notices, webhooks
from labinterp.store.rows import WebhookRecord
from labinterp.store.store import fresh_id
from labinterp.usecases import endpoints
from labinterp.usecases.acting import who
from labinterp.usecases.endpoints import note, room
from labinterp.usecases.notices import EVENTS
from labinterp.usecases.storing import nudge

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from labinterp.store.rows import NoticeRecord
    from labinterp.usecases.services import Services

KIND: Final = "webhook"
_LISTED: Final = 500


@dataclass(frozen=True, slots=True)
class WithSecret:
    """An endpoint and its secret, which is shown this once."""

    endpoint: WebhookRecord
    secret: str


def create_webhook(
    services: Services,
    actor: Actor,
    url: str,
    events: Iterable[str] = (),
    *,
    request_id: str = "",
) -> WithSecret:
    """Register an endpoint after it has answered a challenge signed with its new secret.

    Raises:
        SubmissionError: `url-refused`, `event-unknown`, or `webhook-not-verified`: the endpoint
            did not give the challenge back. Nothing was stored.
        Conflict: there are as many as are allowed.
    """
    require(actor, "admin")
    now = services.now()
    services.outbound.check(url)
    record = WebhookRecord(
        id=fresh_id(now),
        organisation_id=actor.organisation_id,
        kind="webhook",
        url=url,
        events=_events(events),
        status="active",
        created_at=now,
    )
    secret = webhook.new_secret()
    _verify(services, record, secret)

    def work(connection: Connection) -> None:
        room(services, connection, actor)
        webhooks.add_webhook(connection, services.store.vault, record, secret)
        note(services, connection, who(actor, request_id), record, ("C", "webhook-created"))

    services.store.write(work)
    return WithSecret(record, webhook.shown(secret))


def all_webhooks(services: Services, actor: Actor) -> tuple[WebhookRecord, ...]:
    """The organisation's webhooks, oldest first."""
    require(actor, "admin")
    return endpoints.registered(services, actor, KIND)


def read_webhook(services: Services, actor: Actor, webhook_id: str) -> WebhookRecord:
    """One webhook.

    Raises:
        NotFound: there is no such one in this organisation.
    """
    require(actor, "admin")
    return endpoints.read(services, actor, KIND, webhook_id)


def rotate_secret(
    services: Services, actor: Actor, webhook_id: str, *, request_id: str = ""
) -> WithSecret:
    """A new secret; for a while each event is signed with both.

    Raises:
        NotFound: there is no such webhook in this organisation.
    """
    require(actor, "admin")
    secret = webhook.new_secret()
    former_until = services.now() + services.policy.secret_overlap

    def work(connection: Connection) -> WebhookRecord:
        record = endpoints.read_in(services, connection, actor, KIND, webhook_id)
        webhooks.change_secret(
            connection,
            services.store.vault,
            actor.organisation_id,
            webhook_id,
            secret,
            former_until=former_until,
        )
        note(services, connection, who(actor, request_id), record, ("U", "webhook-secret-changed"))
        return replace(record, former_until=former_until)

    return WithSecret(services.store.write(work), webhook.shown(secret))


def delete_webhook(
    services: Services, actor: Actor, webhook_id: str, *, request_id: str = ""
) -> None:
    """Tell it nothing any more; events not yet told are withdrawn.

    Raises:
        NotFound: there is no such webhook in this organisation.
    """
    require(actor, "admin")
    endpoints.delete(services, actor, KIND, webhook_id, request_id=request_id)


def deliveries(services: Services, actor: Actor, webhook_id: str) -> tuple[NoticeRecord, ...]:
    """What became of each event, newest first.

    Raises:
        NotFound: there is no such webhook in this organisation.
    """
    require(actor, "admin")
    with services.store.reading() as connection:
        _read_any(services, connection, actor, webhook_id)
        return notices.of_webhook(connection, actor.organisation_id, webhook_id, _LISTED)


def redeliver(
    services: Services, actor: Actor, webhook_id: str, notice_id: str, *, request_id: str = ""
) -> NoticeRecord:
    """Tell an event again, whatever became of it; its id stays.

    Raises:
        NotFound: there is no such event of this webhook.
        Conflict: it is being sent at this moment, or was withdrawn.
    """
    require(actor, "admin")
    organisation_id = actor.organisation_id

    def work(connection: Connection) -> NoticeRecord:
        record = _read_any(services, connection, actor, webhook_id)
        notices.read_notice(connection, organisation_id, webhook_id, notice_id)
        if not notices.requeue_notice(connection, organisation_id, notice_id):
            raise Conflict("This event is being sent at this moment, or was withdrawn.")
        note(services, connection, who(actor, request_id), record, ("E", "notice-redelivered"))
        return notices.read_notice(connection, organisation_id, webhook_id, notice_id)

    found = services.store.write(work)
    nudge(services, "notice")
    return found


def _read_any(
    services: Services, connection: Connection, actor: Actor, webhook_id: str
) -> WebhookRecord:
    """A webhook or a Subscription: what became of their events is read alike."""
    return webhooks.by_id(connection, services.store.vault, actor.organisation_id, webhook_id)


def _events(wanted: Iterable[str]) -> tuple[str, ...]:
    asked = set(wanted) or set(EVENTS)
    unknown = asked - set(EVENTS)
    if unknown:
        message = f"Events are some of {', '.join(EVENTS)}."
        raise SubmissionError(
            message, code="event-unknown", errors=(Place("events", "event-unknown", message),)
        )
    return tuple(event for event in EVENTS if event in asked)


def _verify(services: Services, record: WebhookRecord, secret: bytes) -> None:
    word = secrets.token_urlsafe(24)
    message = webhook.challenge(record.id, word, (secret,), services.now())
    with services.turns.taken(record.organisation_id):
        try:
            answer = services.outbound.send(
                "POST", record.url, headers=message.headers, body=message.body
            )
        except SubmissionError:
            raise
        except LabinterpError as error:
            raise _not_verified(error.message) from error
    if not answer.is_success:
        raise _not_verified(f"It answered HTTP {answer.status}.")
    if not webhook.answers_challenge(answer.body, word):
        raise _not_verified('It did not answer {"challenge": "<the word it was sent>"}.')


def _not_verified(why: str) -> SubmissionError:
    message = f"The endpoint was not verified. {why}"
    return SubmissionError(
        message,
        code="webhook-not-verified",
        errors=(Place("url", "webhook-not-verified", message),),
    )
