"""`/api/v1/fhir-servers`: from which FHIR servers results may be fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response

from labinterp.api import answers, bodies, wire
from labinterp.api.openapi import answered, content
from labinterp.api.resource import (
    VERSION_PREFIX,
    Resource,
    actor,
    operation,
    request_id,
    services,
)
from labinterp.formats.fields import Base, Text
from labinterp.store.records import to_document
from labinterp.usecases import fhir_servers

if TYPE_CHECKING:
    from labinterp.store.rows import ServerRecord

resource = Resource("fhir-servers", "From which FHIR servers results may be fetched.")


class FhirServerSchema(Base):
    """A FHIR server."""

    base = Text(
        500,
        required=True,
        metadata={
            "description": "https and public, or a host of OUTBOUND_ALLOW",
            "pattern": "^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]*)*$",
            "example": "https://ehr.example.org/fhir",
        },
    )
    token = Text(
        4_000, metadata={"description": "what it is sent as a bearer token; it is never shown"}
    )


_SERVER: Final = FhirServerSchema()


@resource.post("/fhir-servers")
@operation(
    "Allow results to be fetched from a FHIR server",
    scope="admin",
    body={"required": True, **content(FhirServerSchema)},
    answers={
        201: answered(
            "Results may be fetched from there", wire.FhirServerDocument, headers=("Location",)
        )
    },
    refusals=(400, 409, 413, 415, 422),
)
def create() -> Response:
    """Nothing is fetched until somebody asks for a patient with `/fhir/$pull-panel`."""
    wanted = bodies.loaded(_SERVER)
    made = fhir_servers.register(
        services(), actor(), wanted["base"], wanted.get("token") or "", request_id=request_id()
    )
    document = _document(made)
    headers = {"Location": f"{VERSION_PREFIX}/fhir-servers", "Cache-Control": "no-store"}
    return answers.json(to_document(document), 201, headers=headers)


@resource.get("/fhir-servers")
@operation(
    "List the FHIR servers",
    scope="admin",
    answers={200: answered("All of them, without their tokens", wire.FhirServers)},
)
def page() -> Response:
    """Oldest first."""
    found = fhir_servers.registered(services(), actor())
    return answers.json(to_document(wire.FhirServers(tuple(map(_document, found)))))


@resource.delete("/fhir-servers/<server_id>")
@operation(
    "Fetch nothing more from a FHIR server",
    scope="admin",
    answers={204: {"description": "Its token is forgotten"}},
    refusals=(404,),
)
def remove(server_id: str) -> Response:
    """What was fetched before stays."""
    fhir_servers.remove(services(), actor(), server_id, request_id=request_id())
    return Response(status=204)


def _document(found: ServerRecord) -> wire.FhirServerDocument:
    return wire.FhirServerDocument(found.id, found.base, bool(found.token), found.created_at)
