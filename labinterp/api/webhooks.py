"""`/api/v1/webhooks`: endpoints that are told of reports, and what became of each event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, url_for

from labinterp.api import answers, bodies, wire
from labinterp.api.openapi import answered, content
from labinterp.api.resource import Resource, actor, operation, request_id, services
from labinterp.formats.fields import Base, Many, Text, Word
from labinterp.store.records import to_document
from labinterp.usecases import webhooks
from labinterp.usecases.notices import EVENTS

if TYPE_CHECKING:
    from labinterp.store.rows import NoticeRecord, WebhookRecord

resource = Resource("webhooks", "Tell an endpoint that a report is ready or corrected.")

_NO_STORE: Final = {"Cache-Control": "no-store"}


class WebhookSchema(Base):
    """An endpoint to be told."""

    url = Text(
        1_000,
        required=True,
        metadata={
            "description": "https and public, or a host of OUTBOUND_ALLOW; it answers a challenge",
            "pattern": "^https?://[^\\s@#]+$",
            "example": "https://hooks.example.org/labinterp",
        },
    )
    events = Many(
        Word(EVENTS, required=True),
        len(EVENTS),
        metadata={"description": "what it is told of; everything if not given"},
    )


_ENDPOINT: Final = WebhookSchema()


@resource.post("/webhooks")
@operation(
    "Register an endpoint, after it has answered a challenge",
    scope="admin",
    body={"required": True, **content(WebhookSchema)},
    answers={
        201: answered(
            "It is told from now on; the secret is shown this once",
            wire.WebhookDocument,
            headers=("Location",),
        )
    },
    refusals=(400, 409, 413, 415, 422),
)
def create() -> Response:
    """The endpoint is sent `{"type": "endpoint.verify", "challenge": "…"}` and gives it back."""
    wanted = bodies.loaded(_ENDPOINT)
    made = webhooks.create_webhook(
        services(), actor(), wanted["url"], wanted.get("events") or (), request_id=request_id()
    )
    document = _document(made.endpoint, made.secret)
    headers = {"Location": document.links["self"], **_NO_STORE}
    return answers.json(to_document(document), 201, headers=headers)


@resource.get("/webhooks")
@operation(
    "List the endpoints",
    scope="admin",
    answers={200: answered("All of them, without their secrets", wire.Webhooks)},
)
def page() -> Response:
    """Oldest first."""
    found = webhooks.all_webhooks(services(), actor())
    return answers.json(to_document(wire.Webhooks(tuple(map(_document, found)))))


@resource.get("/webhooks/<webhook_id>")
@operation(
    "Read one endpoint",
    scope="admin",
    answers={200: answered("The endpoint, without its secret", wire.WebhookDocument)},
    refusals=(404,),
)
def read(webhook_id: str) -> Response:
    """How it stands."""
    found = webhooks.read_webhook(services(), actor(), webhook_id)
    return answers.json(to_document(_document(found)))


@resource.delete("/webhooks/<webhook_id>")
@operation(
    "Delete an endpoint",
    scope="admin",
    answers={204: {"description": "It is told nothing any more"}},
    refusals=(404,),
)
def remove(webhook_id: str) -> Response:
    """Events that were not told yet are withdrawn."""
    webhooks.delete_webhook(services(), actor(), webhook_id, request_id=request_id())
    return Response(status=204)


@resource.post("/webhooks/<webhook_id>/secret")
@operation(
    "Change the secret",
    scope="admin",
    answers={200: answered("The new secret, shown this once", wire.WebhookDocument)},
    refusals=(404,),
)
def rotate(webhook_id: str) -> Response:
    """For a day each event is signed with both, the new one first."""
    made = webhooks.rotate_secret(services(), actor(), webhook_id, request_id=request_id())
    document = _document(made.endpoint, made.secret)
    return answers.json(to_document(document), headers=dict(_NO_STORE))


@resource.get("/webhooks/<webhook_id>/deliveries")
@operation(
    "What became of each event",
    scope="admin",
    answers={200: answered("The newest events", wire.Notices)},
    refusals=(404,),
)
def deliveries(webhook_id: str) -> Response:
    """`sent` means that the endpoint answered 2xx; `failed`, that all tries are used up."""
    found = webhooks.deliveries(services(), actor(), webhook_id)
    return answers.json(to_document(wire.Notices(tuple(map(_notice, found)))))


@resource.post("/webhooks/<webhook_id>/deliveries/<notice_id>/redeliver")
@operation(
    "Tell an event again",
    scope="admin",
    answers={202: answered("It is told again, under the same id", wire.NoticeDocument)},
    refusals=(404, 409),
)
def redeliver(webhook_id: str, notice_id: str) -> Response:
    """Also one that was taken; its tries begin anew."""
    found = webhooks.redeliver(services(), actor(), webhook_id, notice_id, request_id=request_id())
    return answers.json(to_document(_notice(found)), 202)


def _document(endpoint: WebhookRecord, secret: str | None = None) -> wire.WebhookDocument:
    where = {"webhook_id": endpoint.id}
    return wire.WebhookDocument(
        id=endpoint.id,
        url=endpoint.url,
        events=endpoint.events,
        status="error" if endpoint.status == "error" else "active",
        why=endpoint.why,
        created_at=endpoint.created_at,
        former_secret_until=endpoint.former_until,
        links={
            "self": url_for("webhooks.read", **where),  # type: ignore[arg-type]  # texts
            "deliveries": url_for("webhooks.deliveries", **where),  # type: ignore[arg-type]
        },
        secret=secret,
    )


def _notice(found: NoticeRecord) -> wire.NoticeDocument:
    return wire.NoticeDocument(
        id=found.id,
        type=found.event,
        panel_id=found.panel_id,
        version=found.version,
        status=found.status,
        attempts=found.attempts,
        last_answer=found.last_answer,
        created_at=found.created_at,
        next_try=found.next_try,
        sent_at=found.sent_at,
    )
