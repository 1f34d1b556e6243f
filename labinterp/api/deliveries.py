"""`/api/v1/panels/{id}/deliveries`: send the report to someone, and see what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.api import answers, bodies, wire
from labinterp.api.openapi import answered, content
from labinterp.api.panels import IDEMPOTENCY_KEY
from labinterp.api.resource import Resource, actor, operation, request_id, services
from labinterp.errors import Place, SubmissionError
from labinterp.formats.panel_schema import PanelSendSchema
from labinterp.model.submission import Recipients
from labinterp.usecases import journey

if TYPE_CHECKING:
    from flask import Response

    from labinterp.store.rows import DeliveryRecord

resource = Resource("deliveries", "Send reports, and see what became of each message.")

_WHOM: Final = PanelSendSchema()


@resource.post("/panels/<panel_id>/deliveries")
@operation(
    "Send the report to someone, or again",
    scope="deliveries:write",
    body={"required": True, **content(PanelSendSchema)},
    parameters=(IDEMPOTENCY_KEY,),
    answers={202: answered("Queued: one message for each address", wire.Deliveries)},
    refusals=(400, 404, 409, 413, 415, 422),
)
def send(panel_id: str) -> Response:
    """Each address has its own message and its own outcome; how often is limited."""
    key, recipients = bodies.idempotency_key(), _recipients()
    made = journey.send(
        services(),
        actor(),
        panel_id,
        recipients,
        idempotency_key=key,
        request_id=request_id(),
    )
    return answers.json(_document(made), 202)


@resource.get("/panels/<panel_id>/deliveries")
@operation(
    "What became of each message",
    scope="panels:read",
    answers={200: answered("Every message of this panel", wire.Deliveries)},
    refusals=(404,),
)
def read(panel_id: str) -> Response:
    """`sent` means handed to the recipient's mail server."""
    found = journey.list_deliveries(services(), actor(), panel_id)
    return answers.json(_document(found))


def _recipients() -> Recipients:
    wanted = bodies.loaded(_WHOM)
    addresses = tuple(wanted.get("email") or ())
    if not addresses:
        message = "Name at least one address, such as clinician@example.org."
        raise SubmissionError(
            f"email: {message}", errors=(Place("email", "missing-member", message),)
        )
    return Recipients(email=addresses, as_attachment=wanted.get("as") == "attachment")


def _document(records: tuple[DeliveryRecord, ...]) -> dict[str, Any]:
    return {"deliveries": [journey.delivery_document(record) for record in records]}
