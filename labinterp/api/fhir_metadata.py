"""What this FHIR server says of itself: its CapabilityStatement and its OperationDefinition."""

from __future__ import annotations

from typing import Any, Final

import labinterp
from labinterp.api import fhir_search

OPERATION: Final = "interpret-panel"
PULL: Final = "pull-panel"
_BULK: Final = "http://hl7.org/fhir/uv/bulkdata"
_SMART: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_VERSIONED: Final = (
    *("DiagnosticReport", "Observation", "Provenance", "Bundle"),
    *("Patient", "Device", "DetectedIssue"),
)
INTERACTIONS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(_VERSIONED, ("read", "vread", "history-instance")),
    **dict.fromkeys(fhir_search.PARAMETERS, ("read", "vread", "history-instance", "search-type")),
    "AuditEvent": ("read", "search-type"),
    "Binary": ("read", "vread"),
    "OperationDefinition": ("read",),
    "Subscription": ("read", "create", "delete", "search-type"),
}
"""Each resource type with what may be done with it; a test compares them with the routes."""
_DATE: Final = "2026-01-01"


def capability_statement(base: str) -> dict[str, Any]:
    """What may be asked of this server."""
    operation = {"name": OPERATION, "definition": f"{base}/OperationDefinition/{OPERATION}"}
    pull = {"name": PULL, "definition": f"{base}/OperationDefinition/{PULL}"}
    exports = {"name": "export", "definition": f"{_BULK}/OperationDefinition/export"}
    return {
        "resourceType": "CapabilityStatement",
        "id": "labinterp",
        "url": f"{base}/metadata",
        "version": labinterp.__version__,
        "name": "Labinterp",
        "title": "Interpretation of laboratory panels",
        "status": "active",
        "date": _DATE,
        "kind": "instance",
        "software": {"name": "labinterp", "version": labinterp.__version__},
        "implementation": {"description": "Interpretation service", "url": base},
        "fhirVersion": "4.0.1",
        "instantiates": [f"{_BULK}/CapabilityStatement/bulk-data"],
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": _SMART,
                                    "code": "SMART-on-FHIR",
                                    "display": "SMART-on-FHIR",
                                }
                            ]
                        }
                    ],
                    "description": "SMART Backend Services, or an API key",
                },
                "resource": [_resource(kind, operation) for kind in INTERACTIONS],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "operation": [operation, pull, exports],
            }
        ],
    }


def _resource(kind: str, operation: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": kind,
        "interaction": [{"code": code} for code in INTERACTIONS[kind]],
        "versioning": "versioned" if "vread" in INTERACTIONS[kind] else "no-version",
    }
    known = fhir_search.KNOWN.get(kind, {})
    searched = [{"name": name, "type": known[name]} for name in known if "." not in name]
    if searched:
        made["searchParam"] = searched
    if kind == "Patient":
        definition = f"{_BULK}/OperationDefinition/patient-export"
        return {**made, "operation": [{"name": "export", "definition": definition}]}
    return {**made, "operation": [operation]} if kind == "DiagnosticReport" else made


def operation_definition(base: str) -> dict[str, Any]:
    """What `$interpret-panel` takes and gives."""
    return {
        "resourceType": "OperationDefinition",
        "id": OPERATION,
        "url": f"{base}/OperationDefinition/{OPERATION}",
        "version": labinterp.__version__,
        "name": "InterpretPanel",
        "title": "Interpret a laboratory panel",
        "status": "active",
        "kind": "operation",
        "date": _DATE,
        "description": "Stores a panel and answers with its interpretation, once per identifier.",
        "affectsState": True,
        "code": OPERATION,
        "resource": ["DiagnosticReport"],
        "system": True,
        "type": True,
        "instance": False,
        "parameter": [
            _taken("panel", "Resource", "1", "A Bundle, a DiagnosticReport or an Observation", 1),
            _taken("rangePolicy", "code", "1", "lab-then-service, lab-only or service-only"),
            _taken(
                "unitSystem", "code", "1", "si or conventional: which one leads; both are answered"
            ),
            {
                "name": "deliver",
                "use": "in",
                "min": 0,
                "max": "1",
                "documentation": "May also be sent flat, as deliver.pdf and deliver.email",
                "part": [
                    _taken("pdf", "boolean", "1", "Wait for the PDF; the answer then holds it"),
                    _taken("email", "string", "*", "Whom to tell"),
                ],
            },
            {"name": "return", "use": "out", "min": 1, "max": "1", "type": "Bundle"},
        ],
    }


def definition_of_pulling(base: str) -> dict[str, Any]:
    """What `$pull-panel` takes and gives."""
    return {
        "resourceType": "OperationDefinition",
        "id": PULL,
        "url": f"{base}/OperationDefinition/{PULL}",
        "version": labinterp.__version__,
        "name": "PullPanel",
        "title": "Fetch a patient's laboratory results and interpret them",
        "status": "active",
        "kind": "operation",
        "date": _DATE,
        "description": "Searches a registered server and takes what it finds as if it were sent.",
        "affectsState": True,
        "code": PULL,
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [
            _taken("fhirServer", "uri", "1", "The base address of a registered FHIR server", 1),
            _taken("patient", "string", "1", "The id of the patient there", 1),
            {"name": "return", "use": "out", "min": 1, "max": "1", "type": "Bundle"},
        ],
    }


def _taken(name: str, kind: str, most: str, about: str, least: int = 0) -> dict[str, Any]:
    made = {"name": name, "use": "in", "min": least, "max": most, "type": kind}
    return {**made, "documentation": about}
