"""`/api/v1/receivers`: systems that are sent results as HL7 v2, over MLLP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, url_for
from marshmallow import fields

from labinterp.api import answers, bodies, wire
from labinterp.api.openapi import answered, content
from labinterp.api.resource import Resource, actor, operation, request_id, services
from labinterp.formats.fields import Base, Text
from labinterp.store.records import to_document
from labinterp.usecases import receivers
from labinterp.usecases.receivers import Wanted

if TYPE_CHECKING:
    from labinterp.store.rows import WebhookRecord

resource = Resource("receivers", "Send results to a system as HL7 v2 messages.")


class ReceiverSchema(Base):
    """A system to be sent results."""

    name = Text(metadata={"description": "What it is called", "example": "EHR of ward 7"})
    url = Text(
        1_000,
        required=True,
        metadata={
            "description": "mllps and public, or a host of OUTBOUND_ALLOW; with the port",
            "pattern": "^mllps?://[^\\s@#/?]+:[0-9]+/?$",
            "example": "mllps://ehr.example.org:2575",
        },
    )
    application = Text(metadata={"description": "Its name, for MSH-5", "example": "EHR"})
    facility = Text(metadata={"description": "Its place, for MSH-6", "example": "WARD7"})
    document = fields.Boolean(
        load_default=True,
        truthy={True},
        falsy={False},
        metadata={"description": "whether the PDF goes along"},
    )


_RECEIVER: Final = ReceiverSchema()


@resource.post("/receivers")
@operation(
    "Register a system that is sent each result",
    scope="admin",
    body={"required": True, **content(ReceiverSchema)},
    answers={
        201: answered(
            "It is sent results from now on", wire.ReceiverDocument, headers=("Location",)
        )
    },
    refusals=(400, 409, 413, 415, 422),
)
def create() -> Response:
    """`ORU^R01` of each new version, with the conclusion and the PDF; corrections as such."""
    sent = bodies.loaded(_RECEIVER)
    wanted = Wanted(
        name=sent.get("name") or sent.get("application") or sent["url"],
        url=sent["url"],
        application=sent.get("application") or "",
        facility=sent.get("facility") or "",
        document=sent["document"],
    )
    made = receivers.create_receiver(services(), actor(), wanted, request_id=request_id())
    document = _document(made)
    return answers.json(to_document(document), 201, headers={"Location": document.links["self"]})


@resource.get("/receivers")
@operation(
    "List the receivers",
    scope="admin",
    answers={200: answered("All of them", wire.Receivers)},
)
def page() -> Response:
    """Oldest first."""
    found = receivers.all_receivers(services(), actor())
    return answers.json(to_document(wire.Receivers(tuple(map(_document, found)))))


@resource.get("/receivers/<receiver_id>")
@operation(
    "Read one receiver",
    scope="admin",
    answers={200: answered("How it stands", wire.ReceiverDocument)},
    refusals=(404,),
)
def read(receiver_id: str) -> Response:
    """What became of each result is under `links.deliveries`; so is sending one again."""
    found = receivers.read_receiver(services(), actor(), receiver_id)
    return answers.json(to_document(_document(found)))


@resource.delete("/receivers/<receiver_id>")
@operation(
    "Delete a receiver",
    scope="admin",
    answers={204: {"description": "It is sent nothing any more"}},
    refusals=(404,),
)
def remove(receiver_id: str) -> Response:
    """Results that were not sent yet are withdrawn."""
    receivers.delete_receiver(services(), actor(), receiver_id, request_id=request_id())
    return Response(status=204)


def _document(found: WebhookRecord) -> wire.ReceiverDocument:
    chosen = found.document or {}
    return wire.ReceiverDocument(
        id=found.id,
        name=str(chosen.get("name", "")),
        url=found.url,
        application=str(chosen.get("application", "")),
        facility=str(chosen.get("facility", "")),
        document=bool(chosen.get("document", True)),
        status="error" if found.status == "error" else "active",
        why=found.why,
        created_at=found.created_at,
        links={
            "self": url_for("receivers.read", receiver_id=found.id),
            "deliveries": url_for("webhooks.deliveries", webhook_id=found.id),
        },
    )
