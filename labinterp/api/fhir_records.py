"""A stored panel as FHIR resources, and where each of them is read."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from labinterp.api.resource import actor, request_id, services
from labinterp.errors import NotFound
from labinterp.reporting import fhir
from labinterp.usecases import journey
from labinterp.usecases.fhir_orders import fhir_base, fhir_order

if TYPE_CHECKING:
    from labinterp.store.rows import PanelRecord


def base() -> str:
    """Where our FHIR server is."""
    return fhir_base(services())


def order(record: PanelRecord, document: dict[str, Any] | None = None) -> fhir.FhirOrder:
    """What a record's resources are made from."""
    return fhir_order(record, base(), document)


def bundle(record: PanelRecord, document: dict[str, Any] | None = None) -> dict[str, Any]:
    """The whole answer."""
    return fhir.bundle(order(record, document), services().knowledge)


def resource(kind: str, resource_id: str, version: int | None = None) -> dict[str, Any]:
    """One resource of a stored answer.

    Raises:
        NotFound: no such resource in this organisation.
    """
    record = journey.read_panel(
        services(), actor(), fhir.panel_of(resource_id), version, request_id=request_id()
    )
    if kind == "Bundle" and resource_id == record.id:
        return bundle(record)
    made = fhir.resources(order(record), services().knowledge)
    found = next(
        (one for one in made if (one["resourceType"], one["id"]) == (kind, resource_id)), None
    )
    if found is None:
        raise NotFound("There is no such resource, or it is not yours.")
    return found


def document_of(panel_id: str, version: int) -> dict[str, Any] | None:
    """The finished PDF as members of an Attachment; None while it is drawn."""
    state = journey.read_report(services(), actor(), panel_id, version, request_id=request_id())
    if state.pdf is None:
        return None
    digest = sha1(state.pdf, usedforsecurity=False).digest()
    return {
        "data": b64encode(state.pdf).decode(),
        "size": len(state.pdf),
        "hash": b64encode(digest).decode(),
    }


def address(made: dict[str, Any]) -> str:
    """Where this version of a resource is read."""
    return f"{base()}/{made['resourceType']}/{made['id']}/_history/{made['meta']['versionId']}"
