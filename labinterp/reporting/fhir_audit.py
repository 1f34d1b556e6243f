"""An event of the audit as a FHIR R4 AuditEvent: ids, codes and times; no name of a patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from datetime import datetime

_SERVICE: Final = "labinterp"
_EVENTS: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_SUBTYPES: Final = "urn:labinterp:audit"
_OBJECTS: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ACTORS: Final = "urn:labinterp:actor"
_ORGANISATIONS: Final = "urn:labinterp:organisation"
_PATIENTS: Final = "urn:labinterp:patient-fingerprint"
_THINGS: Final = "urn:labinterp:thing"
_REST, _SIGN_IN = ("rest", "RESTful Operation"), ("110114", "User Authentication")
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_IP_ADDRESS: Final = "2"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event as it is written out.

    Attributes:
        thing: another thing than a panel it was about (`key:…`, `delivery:…`).
        hash: its link in the chain, with its place; None where it has none.
    """

    id: str
    recorded_at: datetime
    action: str
    subtype: str
    outcome: str
    why: str | None
    actor_kind: str
    actor_id: str
    actor_name: str
    address: str
    request_id: str
    organisation_id: str | None
    panel_id: str | None
    version: int | None
    patient_key: str | None
    thing: str | None
    sequence: int | None
    hash: str | None


def audit_event(entry: AuditEntry) -> dict[str, Any]:
    """The resource; members without a value are left out."""
    document: dict[str, Any] = _without_empty(
        {
            "resourceType": "AuditEvent",
            "id": entry.id,
            "type": _type(entry.subtype),
            "subtype": [{"system": _SUBTYPES, "code": entry.subtype}],
            "action": entry.action,
            "recorded": entry.recorded_at.isoformat(timespec="microseconds"),
            "outcome": entry.outcome,
            "outcomeDesc": entry.why,
            "agent": [_agent(entry)],
            "source": {"observer": {"display": _SERVICE}},
            "entity": [_about(entry), *_details(entry)],
        }
    )
    return document


def _type(subtype: str) -> dict[str, Any]:
    system, (code, display) = (
        (_DICOM, _SIGN_IN) if subtype.startswith("sign-") else (_EVENTS, _REST)
    )
    return {"system": system, "code": code, "display": display}


def _agent(entry: AuditEntry) -> dict[str, Any]:
    network = {"address": entry.address, "type": _IP_ADDRESS} if entry.address else None
    return {
        "type": {"coding": [{"system": _ACTORS, "code": entry.actor_kind}]},
        "who": {"identifier": {"system": _ACTORS, "value": entry.actor_id}},
        "name": entry.actor_name,
        "requestor": True,
        "network": network,
    }


def _about(entry: AuditEntry) -> dict[str, Any] | None:
    """What was read, made or sent; a report's version is one of the DiagnosticReport's."""
    if entry.panel_id:
        version = f"/_history/{entry.version}" if entry.version else ""
        what: dict[str, Any] = {"reference": f"DiagnosticReport/{entry.panel_id}{version}"}
        return {"what": what, "type": {"system": _OBJECTS, "code": "2", "display": "System Object"}}
    if entry.thing:
        return {"what": {"identifier": {"system": _THINGS, "value": entry.thing}}}
    return None


def _details(entry: AuditEntry) -> list[dict[str, Any] | None]:
    more = (("thing", entry.thing if entry.panel_id else None), ("request-id", entry.request_id))
    chain = (
        ("sequence", None if entry.sequence is None else str(entry.sequence)),
        ("hash", entry.hash),
    )
    detail = [{"type": name, "valueString": value} for name, value in (*more, *chain) if value]
    return [
        {
            "what": {"identifier": {"system": _PATIENTS, "value": entry.patient_key}},
            "type": {"system": _OBJECTS, "code": "1", "display": "Person"},
        }
        if entry.patient_key
        else None,
        {
            "what": {
                "identifier": {
                    "system": _ORGANISATIONS,
                    "value": entry.organisation_id or "service",
                }
            },
            "type": {"system": _OBJECTS, "code": "3", "display": "Organization"},
            "detail": detail,
        },
    ]


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_empty(part) for name, part in value.items() if part not in (None, "", [])
        }
    if isinstance(value, list):
        return [_without_empty(part) for part in value if part is not None]
    return value
