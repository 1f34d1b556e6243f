"""What is wrong, as an OperationOutcome: one issue for each problem, none with a patient's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.reporting.fhir_words import Resource, present

if TYPE_CHECKING:
    from collections.abc import Iterable

    from labinterp.model.interpretation import Interpretation

SYSTEM: Final = "urn:labinterp:issue"
ISSUE_OF_CODE: Final = {
    "unauthenticated": "login",
    "forbidden": "forbidden",
    "not-found": "not-found",
    "method-not-allowed": "not-supported",
    "not-acceptable": "not-supported",
    "unsupported-format": "not-supported",
    "version-unsupported": "not-supported",
    "not-supported": "not-supported",
    "conflict": "conflict",
    "request-in-progress": "lock-error",
    "idempotency-key-reused": "duplicate",
    "duplicate-result": "duplicate",
    "repeated-result": "duplicate",
    "too-large": "too-long",
    "too-many-requests": "throttled",
    "temporarily-unavailable": "transient",
    "internal-error": "exception",
    "structure": "structure",
    "json-invalid": "structure",
    "unreadable": "structure",
    "unmapped-code": "code-invalid",
    "code-invalid": "code-invalid",
    "patient-missing": "required",
    "unit-missing": "required",
    "report-being-drawn": "incomplete",
}
"""Our stable codes to FHIR's issue types; any other is a `business-rule` or `processing`."""


def issue(
    code: str,
    text: str,
    expression: str | None = None,
    *,
    severity: str = "error",
    diagnostics: str | None = None,
) -> Resource:
    """One issue: FHIR's type, our stable code, words for people, the place."""
    return present(
        {
            "severity": severity,
            "code": ISSUE_OF_CODE.get(
                code, "processing" if severity == "error" else "business-rule"
            ),
            "details": {"coding": [{"system": SYSTEM, "code": code}], "text": text},
            "diagnostics": diagnostics,
            "expression": [expression] if expression else None,
        }
    )


def outcome(issues: Iterable[Resource]) -> Resource:
    """An OperationOutcome of these."""
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def outcome_of_problems(answer: Interpretation) -> dict[str, Any]:
    """Everything of a panel that was not read, placed or believed; empty where all was."""
    issues = [
        issue(one.code, one.message, one.where, severity="warning") for one in answer.problems
    ]
    issues += [
        issue("incomplete", f"{one.element}: {one.message}", severity="information")
        for one in answer.completeness
    ]
    return outcome(issues) if issues else {}
