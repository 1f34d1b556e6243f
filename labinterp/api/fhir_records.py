"""A stored panel as FHIR resources, and where each of them is read."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from labinterp.api.resource import actor, request_id, services
from labinterp.errors import NotFound
from labinterp.reporting import fhir
from labinterp.usecases import fhir_orders, journey

if TYPE_CHECKING:
    from labinterp.store.rows import PanelRecord

_WITH_DOCUMENT: Final = ("DiagnosticReport", "Bundle")


def base() -> str:
    """Where our FHIR server is."""
    return fhir_orders.fhir_base(services())


def bundle(
    record: PanelRecord, document: dict[str, Any] | None = None, leads: str = ""
) -> dict[str, Any]:
    """The whole answer."""
    order = fhir_orders.fhir_order(services(), record, document, leads)
    return fhir.bundle(order, services().knowledge)


def resources(record: PanelRecord, kind: str) -> list[dict[str, Any]]:
    """All resources of one type in a stored answer."""
    document = fhir_orders.attachment(services(), actor(), record) if _needs(kind) else None
    if kind == "Bundle":
        return [bundle(record, document)]
    order = fhir_orders.fhir_order(services(), record, document)
    made = fhir.resources(order, services().knowledge)
    return [one for one in made if one["resourceType"] == kind]


def _needs(kind: str) -> bool:
    return kind in _WITH_DOCUMENT


def resource(kind: str, resource_id: str, version: int | None = None) -> dict[str, Any]:
    """One resource of a stored answer.

    Raises:
        NotFound: no such resource in this organisation.
    """
    record = journey.read_panel(
        services(), actor(), fhir.panel_of(resource_id), version, request_id=request_id()
    )
    return _named(record, kind, resource_id)


def history(kind: str, resource_id: str) -> dict[str, Any]:
    """Every version of a resource, newest first, as a Bundle of type history.

    Raises:
        NotFound: no such resource in this organisation.
    """
    panel_id = fhir.panel_of(resource_id)
    newest = journey.read_panel(services(), actor(), panel_id, request_id=request_id())
    records = [newest] + [
        journey.read_panel(services(), actor(), panel_id, version, request_id=request_id())
        for version in range(newest.version - 1, 0, -1)
    ]
    found = [
        one for record in records for one in resources(record, kind) if one["id"] == resource_id
    ]
    if not found:
        raise NotFound("There is no such resource, or it is not yours.")
    first = found[-1]["meta"]["versionId"]
    return {
        "resourceType": "Bundle",
        "type": "history",
        "total": len(found),
        "link": [{"relation": "self", "url": f"{base()}/{kind}/{resource_id}/_history"}],
        "entry": [_past(one, is_first=one["meta"]["versionId"] == first) for one in found],
    }


def _past(made: dict[str, Any], *, is_first: bool) -> dict[str, Any]:
    kind, resource_id, meta = made["resourceType"], made["id"], made["meta"]
    created = {"method": "POST", "url": kind}
    changed = {"method": "PUT", "url": f"{kind}/{resource_id}"}
    return {
        "fullUrl": f"{base()}/{kind}/{resource_id}",
        "resource": made,
        "request": created if is_first else changed,
        "response": {
            "status": "201 Created" if is_first else "200 OK",
            "etag": f'W/"{meta["versionId"]}"',
            "lastModified": meta["lastUpdated"],
        },
    }


def _named(record: PanelRecord, kind: str, resource_id: str) -> dict[str, Any]:
    found = next((one for one in resources(record, kind) if one["id"] == resource_id), None)
    if found is None:
        raise NotFound("There is no such resource, or it is not yours.")
    return found


def binary(record: PanelRecord, pdf: bytes) -> dict[str, Any]:
    """A version's PDF as a Binary, which whoever may read the report may read."""
    return {
        "resourceType": "Binary",
        "id": record.id,
        "meta": {"versionId": str(record.version), "lastUpdated": fhir.instant(record.received_at)},
        "contentType": "application/pdf",
        "securityContext": {"reference": f"DiagnosticReport/{record.id}"},
        "data": b64encode(pdf).decode(),
    }


def address(made: dict[str, Any]) -> str:
    """Where this version of a resource is read."""
    return f"{base()}/{made['resourceType']}/{made['id']}/_history/{made['meta']['versionId']}"
