"""A stored answer as FHIR R4: one Bundle of plain data, the DiagnosticReport first.

Ids follow from the panel's, so that each resource can be read again by its own: the report, its
Patient, Device, Provenance and Binary have the panel's id, an Observation the panel's and its
measurand's, a DetectedIssue the panel's and its rule's. An OperationOutcome has none: it is told
and not kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from labinterp.reporting import fhir_conclusion
from labinterp.reporting import fhir_words as words
from labinterp.reporting.fhir_observation import observation
from labinterp.reporting.fhir_outcome import outcome_of_problems
from labinterp.reporting.fhir_words import Resource, present

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from labinterp.model.interpretation import Finding, Interpretation
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.submission import Identity

ID_LENGTH: Final = 64
_REPORT_STATUS: Final = {
    "preliminary": "preliminary",
    "corrected": "corrected",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True)
class FhirOrder:
    """What a Bundle is made from.

    Attributes:
        base: address of the FHIR server, without a slash at its end.
        status: of the panel: final, preliminary, corrected, cancelled.
        panel: as received, for how each result was sent.
        title: of the document.
        has_document: one is made, or will be.
        document: what is known of it once it is ready: size, hash, creation, its data where wanted.
        superseded: a newer version has another document under the plain address.
        leads: which unit system is shown first, `si` or `conventional`; that of the panel, else of
            the interval each result was compared with, where it is empty.
        snomed: conclusions are also said in SNOMED CT.
    """

    base: str
    id: str
    version: int
    status: str
    interpretation: Interpretation
    identity: Identity
    panel: Mapping[str, Any]
    received_at: datetime
    title: str = ""
    has_document: bool = True
    document: Mapping[str, Any] | None = None
    superseded: bool = False
    language: str = "en"
    leads: str = ""
    snomed: bool = False


def bundle(order: FhirOrder, knowledge: Knowledge) -> Resource:
    """A Bundle of type collection: everything that one panel's answer consists of."""
    return {
        "resourceType": "Bundle",
        "id": order.id,
        "meta": _meta(order),
        "type": "collection",
        "timestamp": instant(order.received_at),
        "entry": [
            {"fullUrl": f"{order.base}/{one['resourceType']}/{one['id']}", "resource": one}
            if "id" in one
            else {"resource": one}
            for one in resources(order, knowledge)
        ],
    }


def resources(order: FhirOrder, knowledge: Knowledge) -> tuple[Resource, ...]:
    """Each resource of the answer, the DiagnosticReport first."""
    observations = tuple(_observations(order, knowledge))
    issues = tuple(_issues(order))
    found = [
        _report(order, observations),
        _patient(order),
        _device(order),
        *observations,
        *issues,
        _provenance(order, observations, issues),
    ]
    for one in found:
        one.setdefault("meta", _meta(order))
    problems = outcome_of_problems(order.interpretation)
    return (*found, problems) if problems else tuple(found)


def instant(moment: datetime) -> str:
    """A moment with milliseconds and zone."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def observation_id(panel_id: str, measurand: str, place: int = 0) -> str:
    """`<panel>-<measurand>`; a second result of the same test has its number behind a dot."""
    name = measurand.replace("_", "-")
    return f"{panel_id}-{name}" + (f".{place + 1}" if place else "")


def panel_of(resource_id: str) -> str:
    """The panel that a resource of ours belongs to, by its id."""
    return resource_id.partition("-")[0]


def _meta(order: FhirOrder) -> Resource:
    return {"versionId": str(order.version), "lastUpdated": instant(order.received_at)}


def _reference(kind: str, identifier: str) -> Resource:
    return {"reference": f"{kind}/{identifier}"}


def _observations(order: FhirOrder, knowledge: Knowledge) -> Iterator[Resource]:
    seen: dict[str, int] = {}
    leads = order.leads or str(order.panel.get("unit_system") or "")
    sent = {
        str(row.get("where") or f"results[{index}]"): row
        for index, row in enumerate(order.panel.get("results") or ())
    }
    for result in order.interpretation.results:
        place = seen.get(result.measurand, 0)
        seen[result.measurand] = place + 1
        made = observation(result, knowledge, sent.get(result.where, {}), order.status, leads)
        inputs = [
            _reference("Observation", observation_id(order.id, name))
            for name in result.derived_from
            if any(one.measurand == name for one in order.interpretation.results)
        ]
        yield present(
            {
                "resourceType": "Observation",
                "id": observation_id(order.id, result.measurand, place),
                **made,
                "subject": _reference("Patient", order.id),
                "effectiveDateTime": made.get("effectiveDateTime")
                or order.interpretation.collected_at,
                "issued": instant(order.received_at),
                "device": _reference("Device", order.id),
                "derivedFrom": inputs or made.get("derivedFrom"),
            }
        )


def _report(order: FhirOrder, observations: tuple[Resource, ...]) -> Resource:
    answer = order.interpretation
    code, display = words.LABORATORY_REPORT
    status = _REPORT_STATUS.get(order.status, "final")
    if status == "final" and any(one["status"] == "preliminary" for one in observations):
        status = "preliminary"
    return present(
        {
            "resourceType": "DiagnosticReport",
            "id": order.id,
            "identifier": [{"system": f"{order.base}/DiagnosticReport", "value": order.id}],
            "status": status,
            "category": [words.concept(f"{words.TERMINOLOGY_V2}-0074", "LAB", "Laboratory")],
            "code": words.loinc(code, display, "Interpretation of a laboratory panel"),
            "subject": _reference("Patient", order.id),
            "effectiveDateTime": answer.collected_at,
            "effectivePeriod": None if answer.collected_at else words.UNKNOWN,
            "issued": instant(order.received_at),
            "result": [_reference("Observation", one["id"]) for one in observations],
            "conclusion": conclusion(answer),
            "conclusionCode": fhir_conclusion.codes(answer, order.base, snomed=order.snomed),
            "presentedForm": [_document(order)] if order.has_document else [],
        }
    )


def _document(order: FhirOrder) -> Resource:
    return present(
        {
            "contentType": "application/pdf",
            "language": order.language,
            "url": f"{order.base}/Binary/{order.id}"
            + (f"/_history/{order.version}" if order.superseded else ""),
            "title": order.title,
            **(order.document or {}),
        }
    )


def conclusion(answer: Interpretation) -> str:
    """What the results mean, in plain sentences."""
    findings = (*answer.artefacts, *answer.patterns, *answer.mechanisms)
    leading = [one.title.rstrip(".") + "." for one in findings if one.leading]
    steps = [step.text.rstrip(".") + "." for step in answer.next_steps]
    urgency = f"Urgency: {answer.urgency.replace('_', ' ')}."
    return " ".join((urgency, answer.twitching.text, *dict.fromkeys((*leading, *steps)))).strip()


def _patient(order: FhirOrder) -> Resource:
    who, patient = order.identity, order.interpretation.patient
    name = present({"family": who.family, "given": [who.given] if who.given else []})
    known = patient.sex in ("female", "male", "other", "unknown")
    return present(
        {
            "resourceType": "Patient",
            "id": order.id,
            "identifier": [present({"system": _uri(who.issuer), "value": who.identifier})]
            if who.identifier
            else [],
            "name": [name] if name else [],
            "gender": patient.sex if known else "unknown",
            "birthDate": who.birth_date.isoformat() if who.birth_date else None,
        }
    )


def _uri(issuer: str | None) -> str | None:
    """An issuer that is an address stays one; a bare name is no URI and is left out."""
    return issuer if issuer and ":" in issuer and " " not in issuer else None


def _device(order: FhirOrder) -> Resource:
    answer = order.interpretation
    return {
        "resourceType": "Device",
        "id": order.id,
        "deviceName": [{"name": "labinterp", "type": "user-friendly-name"}],
        "type": {"text": "Decision-support software"},
        "version": [
            {"type": {"text": "program"}, "value": answer.engine.version},
            {"type": {"text": "knowledge"}, "value": answer.knowledge.version},
            {"type": {"text": "knowledge digest"}, "value": answer.knowledge.digest},
        ],
    }


def _issues(order: FhirOrder) -> Iterator[Resource]:
    """Artefacts, patterns, mechanisms and red flags, each traceable to its rule and evidence."""
    answer = order.interpretation
    found = (*answer.artefacts, *answer.patterns, *answer.mechanisms, *answer.twitching.red_flags)
    told: set[str] = set()
    for finding in found:
        if finding.rule not in told:
            told.add(finding.rule)
            yield _issue(order, finding)


def _issue(order: FhirOrder, finding: Finding) -> Resource:
    about = {one.measurand for one in order.interpretation.results}
    named = dict.fromkeys(name for clause in finding.evidence for name in clause.about)
    evidence = [
        _reference("Observation", observation_id(order.id, name)) for name in named if name in about
    ]
    detail = [finding.text, f"Certainty: {finding.certainty.replace('_', ' ')}.", *finding.doubts]
    return present(
        {
            "resourceType": "DetectedIssue",
            "id": f"{order.id}-{finding.rule}"[:ID_LENGTH],
            "status": "preliminary" if order.status == "preliminary" else "final",
            "code": fhir_conclusion.finding_code(finding, order.base),
            "severity": words.SEVERITY[finding.urgency],
            "patient": _reference("Patient", order.id),
            "identifiedDateTime": instant(order.received_at),
            "author": _reference("Device", order.id),
            "implicated": evidence,
            "detail": " ".join(part for part in detail if part),
        }
    )


def _provenance(
    order: FhirOrder, observations: tuple[Resource, ...], issues: tuple[Resource, ...]
) -> Resource:
    made = [_reference("DiagnosticReport", order.id)]
    made += [_reference(one["resourceType"], one["id"]) for one in (*observations, *issues)]
    activity = "CREATE" if order.version == 1 else "UPDATE"
    return {
        "resourceType": "Provenance",
        "id": order.id,
        "target": made,
        "recorded": instant(order.received_at),
        "activity": words.concept(
            f"{words.TERMINOLOGY}/v3-DataOperation", activity, activity.lower()
        ),
        "agent": [
            {
                "type": words.concept(
                    f"{words.TERMINOLOGY}/provenance-participant-type", "assembler", "Assembler"
                ),
                "who": _reference("Device", order.id),
            }
        ],
        "entity": [
            {
                "role": "source",
                "what": {
                    "identifier": {"system": f"{order.base}/received", "value": order.id},
                    "display": "The panel as it was received",
                },
            }
        ],
    }
