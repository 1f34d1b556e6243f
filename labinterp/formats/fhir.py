"""FHIR R4: a Bundle, a DiagnosticReport, an Observation or Parameters; one panel for each patient.

Every Observation ends as a result, as part of the patient's state, or as a problem or refusal that
names its FHIRPath place; results whose patient cannot be told are never given to another.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import Place, SubmissionError
from labinterp.formats import fhir_observation, fhir_patient, json_panel
from labinterp.formats.dates import read_moment
from labinterp.formats.fhir_document import (
    Document,
    Located,
    code_in,
    codings,
    document_of,
    inner,
    items,
    line,
    refuse_other_versions,
    text,
    words,
)
from labinterp.formats.json_text import parsed
from labinterp.formats.limits import Context, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labinterp.model.submission import Received

_DEPTH: Final = 40
"""FHIR nests deeper than a panel: a coding in a range of a contained Observation is at 18."""
_NOT_LABORATORY: Final = (
    "vital-signs",
    "social-history",
    "imaging",
    "survey",
    "exam",
    "therapy",
    "activity",
    "procedure",
)
_REPORT_STATUS: Final = {
    "preliminary": "preliminary",
    "partial": "preliminary",
    "registered": "preliminary",
    "amended": "corrected",
    "corrected": "corrected",
    "appended": "corrected",
    "cancelled": "cancelled",
    "entered-in-error": "cancelled",
    "final": "final",
}
_POLICIES: Final = ("lab-then-service", "lab-only", "service-only")
_NOBODY: Final = ""
_SAID_NO: Final = ("LA32-8", "373067005", "N")


@dataclass(frozen=True, slots=True)
class Group:
    """One patient's part of a document.

    Attributes:
        key: what tells patients apart; empty where the document names none.
        patient: the resource, where it was sent.
    """

    key: str
    patient: Located | None = None
    observations: tuple[Located, ...] = ()
    others: tuple[Located, ...] = ()
    reports: tuple[Located, ...] = ()


@dataclass(slots=True)
class _Panel:
    """What is being gathered for one patient."""

    results: list[dict[str, Any]] = field(default_factory=list)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    symptoms: list[dict[str, Any]] = field(default_factory=list)


def read(body: bytes, context: Context) -> Reading:
    """One panel for each patient of a FHIR document."""
    refuse_other_versions(body)
    limits = replace(context.limits, depth=_DEPTH)
    root = parsed(body, limits)
    return read_document(document_of(root), context)


def read_document(document: Document, context: Context) -> Reading:
    """The same, of a document that was taken apart.

    Raises:
        SubmissionError: it holds no Observation, or its only panel cannot be accepted.
    """
    groups, refused = _groups(document)
    if not groups:
        places = (*refused, *document.problems)
        message = "The document holds no Observation of a laboratory."
        raise SubmissionError(message, code="nothing-recognised", errors=places)
    received, failed = [], list(refused)
    for group in groups:
        try:
            received.append(received_of_group(document, group, context, alone=len(groups) == 1))
        except SubmissionError as error:
            if len(groups) == 1 and not refused:
                raise
            failed += error.errors or (Place(_where(group), error.code, error.message),)
    return Reading(tuple(received), tuple(failed))


def received_of_group(
    document: Document, group: Group, context: Context, *, alone: bool = True
) -> Received:
    """One patient's panel.

    Raises:
        SubmissionError: nothing of it can be accepted.
    """
    panel, problems = _panel(document, group, context.received_at)
    problems += [(one.where, one.code, one.message) for one in document.problems]
    return json_panel.received_of(
        panel,
        context.received_at,
        "fhir",
        problems=problems,
        where="" if alone else _where(group),
        limits=context.limits,
    )


def _where(group: Group) -> str:
    first = group.patient or next(iter(group.observations), None)
    return first.path if first else "Bundle"


# ---- who is whose


def _groups(document: Document) -> tuple[list[Group], list[Place]]:
    """The Observations by patient, and those whose patient cannot be told."""
    patients = document.of("Patient")
    owners = _owners(document)
    groups: dict[str, Group] = {}
    refused: list[Place] = []
    for one in document.of("Observation"):
        key, patient = _patient_of(document, one, owners.get(one.path), patients)
        if key is None:
            message = "several patients were sent, and nothing says whose result this is"
            refused.append(Place(one.path, "multiple-patients", message))
            continue
        group = groups.setdefault(key, Group(key, patient))
        groups[key] = replace(group, observations=(*group.observations, one))
    for one in document.resources:
        if one.kind in ("Observation", "Patient"):
            continue
        key, _ = _patient_of(document, one, None, patients)
        if key is not None and key in groups:
            groups[key] = _with(groups[key], one)
    return list(groups.values()), refused


def _with(group: Group, one: Located) -> Group:
    if one.kind == "DiagnosticReport":
        return replace(group, reports=(*group.reports, one))
    return replace(group, others=(*group.others, one))


def _owners(document: Document) -> dict[str, Located]:
    """The report that each Observation hangs on, through panels as well; by the path."""
    found: dict[str, Located] = {}
    for report in document.of("DiagnosticReport"):
        waiting = [(report, one) for one in fhir_observation.observations_in(report.resource)]
        while waiting:
            origin, reference = waiting.pop()
            member = document.find(reference, origin)
            if member is not None and member.path not in found:
                found[member.path] = report
                references = fhir_observation.observations_in(member.resource)
                waiting += [(member, one) for one in references]
    return found


def _patient_of(
    document: Document, one: Located, report: Located | None, patients: tuple[Located, ...]
) -> tuple[str | None, Located | None]:
    """Whose resource this is: its own subject's, its report's, or the only patient's."""
    for holder in (one, report, one.owner):
        if holder is None:
            continue
        subject = inner(holder.resource, "subject") or inner(holder.resource, "patient")
        key, patient = _subject(document, subject, holder)
        if key:
            return key, patient
    if len(patients) == 1:
        return patients[0].path, patients[0]
    return (None, None) if patients else (_NOBODY, None)


def _subject(
    document: Document, subject: Mapping[str, Any], holder: Located
) -> tuple[str, Located | None]:
    found = document.find(subject, holder)
    if found is not None and found.kind == "Patient":
        return found.path, found
    identifier = inner(subject, "identifier")
    if text(identifier, "value"):
        wanted = (text(identifier, "system"), text(identifier, "value"))
        for patient in document.of("Patient"):
            listed = items(patient.resource, "identifier")
            if wanted in [(text(each, "system"), text(each, "value")) for each in listed]:
                return patient.path, patient
        logical = Located({"resourceType": "Patient", "identifier": [identifier]}, holder.path)
        return "|".join(wanted), logical
    return text(subject, "reference").strip(), None


# ---- one panel


def _panel(
    document: Document, group: Group, received_at: datetime
) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    made = _Panel()
    at = _moment(document, group, received_at)
    patient = _patient(group, at, made)
    specimen = _specimen(document, group, made)
    statuses = {one.path: _report_status(document, one) for one in group.observations}
    person = fhir_patient.person_of(patient, at)
    for one in group.observations:
        _add(document, one, person, statuses[one.path], made)
    panel: dict[str, Any] = {
        "patient": patient,
        "specimen": specimen,
        "results": made.results,
        "status": _status(group),
        "collected_at": _collected(document, group, made),
        "laboratory": _laboratory(document, group),
        "symptoms": made.symptoms,
        "conditions": fhir_patient.conditions_of(group.others),
        "medications": fhir_patient.medications_of(document, group.others),
        **_asked(document, made),
    }
    return {name: member for name, member in panel.items() if member}, made.problems


def _moment(document: Document, group: Group, received_at: datetime) -> datetime:
    sent = _collected(document, group, _Panel())
    return datetime.fromisoformat(sent) if sent else received_at


def _patient(group: Group, at: datetime, made: _Panel) -> dict[str, Any]:
    patient: dict[str, Any] = {}
    if group.patient is not None:
        patient, problems = fhir_patient.patient_of(group.patient.resource, group.patient.path, at)
        made.problems += problems
    else:
        message = "no Patient was sent; age and sex are unknown, and no report is made"
        made.problems.append((_where(group), "patient-missing", message))
    pregnancy = fhir_patient.pregnancy_of(group.observations, at)
    return {**patient, "pregnancy": pregnancy} if pregnancy else patient


def _specimen(document: Document, group: Group, made: _Panel) -> dict[str, Any]:
    """The specimen that most results name; a result of another one carries its own."""
    named = [_specimen_resource(document, one) for one in group.observations]
    paths = [one.path for one in named if one is not None]
    chosen = max(dict.fromkeys(paths), key=paths.count, default=None)
    if chosen is None:
        lone = [one for one in group.others if one.kind == "Specimen"]
        chosen = lone[0].path if len(lone) == 1 else None
    found = next((one for one in document.of("Specimen") if one.path == chosen), None)
    if found is None:
        return {}
    specimen, problems = fhir_patient.specimen_of(found.resource, found.path)
    made.problems += problems
    return specimen


def _specimen_resource(document: Document, one: Located) -> Located | None:
    found = document.find(inner(one.resource, "specimen"), one)
    return found if found is not None and found.kind == "Specimen" else None


def _add(
    document: Document, one: Located, person: fhir_observation.Person, report: str, made: _Panel
) -> None:
    """One Observation: the patient's state, a sign, or results."""
    code = inner(one.resource, "code")
    if code_in(code, *fhir_patient.CONTEXT):
        return
    kind = _kind(one.resource)
    if kind == "exam" or (kind == "survey" and "valueQuantity" not in one.resource):
        _add_sign(one, made)
        return
    if kind:
        message = f"is no laboratory result ({kind}); it was kept and not interpreted"
        made.problems.append((one.path, "unmapped-code", message))
        return
    read_one = fhir_observation.results_of(one.resource, one.path, person, report)
    made.problems += read_one.problems
    own = _own_specimen(document, one)
    made.results += [{**result, **own} for result in read_one.results]


def _kind(observation: Mapping[str, Any]) -> str:
    """A category that is none of a laboratory; empty for a laboratory's, or for none."""
    listed = [code for concept in items(observation, "category") for _, code, _ in codings(concept)]
    if not listed or "laboratory" in listed or "LAB" in listed:
        return ""
    loinc_of_chemistry = "valueQuantity" in observation and "exam" in listed
    return "" if loinc_of_chemistry else next((one for one in listed if one in _NOT_LABORATORY), "")


def _add_sign(one: Located, made: _Panel) -> None:
    """A sign that was looked for: found unless its value says no."""
    value = one.resource.get("valueBoolean")
    concept = inner(one.resource, "valueCodeableConcept")
    if value is False or code_in(concept, *_SAID_NO):
        return
    said = line(words(inner(one.resource, "code")))
    listed = codings(inner(one.resource, "code"))
    term: dict[str, Any] = {"id": said} if said else {}
    if listed:
        term["code"] = {"system": line(listed[0][0]) or "unknown", "code": line(listed[0][1])}
    if term:
        made.symptoms.append(term)


def _own_specimen(document: Document, one: Located) -> dict[str, Any]:
    found = _specimen_resource(document, one)
    if found is None:
        return {}
    specimen, _ = fhir_patient.specimen_of(found.resource, found.path)
    return {"specimen": specimen} if specimen else {}


def _report_status(document: Document, one: Located) -> str:
    report = _owners(document).get(one.path)
    return text(report.resource, "status") if report is not None else ""


def _status(group: Group) -> str:
    """The panel's status: that of its reports, the least settled of several."""
    said = {_REPORT_STATUS.get(text(one.resource, "status"), "final") for one in group.reports}
    for word in ("preliminary", "corrected", "final"):
        if word in said:
            return word
    return "cancelled" if said else "final"


def _collected(document: Document, group: Group, made: _Panel) -> str | None:
    """The panel's collection time: the latest of its results', else its report's or specimen's."""
    times = [fhir_observation.effective(one.resource, one.path)[0] for one in group.observations]
    known = [one for one in times if one]
    if known:
        return max(known, key=datetime.fromisoformat)
    for report in group.reports:
        sent, problems = fhir_observation.effective(report.resource, report.path)
        if sent:
            made.problems += problems
            return sent
    for one in document.of("Specimen"):
        read_time = read_moment(fhir_patient.collected(one.resource) or "")
        if read_time.text:
            return read_time.text
    return None


def _laboratory(document: Document, group: Group) -> dict[str, str]:
    """Who measured: the performer of the report, else of a result."""
    for one in (*group.reports, *group.observations):
        for performer in items(one.resource, "performer"):
            found = document.find(performer, one)
            name = text(found.resource, "name") if found and found.kind == "Organization" else ""
            name = line(name or text(performer, "display"))
            if name:
                return {"name": name}
    return {}


def _asked(document: Document, made: _Panel) -> dict[str, Any]:
    """What the other parameters choose: whose ranges decide, and whom to tell."""
    asked: dict[str, Any] = {}
    for name, sent in document.parameters.items():
        if name == "rangePolicy":
            policy = text(sent, "valueCode") or text(sent, "valueString")
            if policy in _POLICIES:
                asked["range_policy"] = policy
            else:
                known = ", ".join(_POLICIES)
                message = f"{line(policy, 40)!r} is no range policy; {known} are"
                made.problems.append(("Parameters.parameter", "setting-unknown", message))
        elif name == "deliver":
            asked.update(_deliver(sent))
        elif name not in ("unitSystem", "deliver.pdf"):
            message = f"the parameter {line(name, 40)!r} is not known; it was passed over"
            made.problems.append(("Parameters.parameter", "setting-unknown", message))
    return asked


def _deliver(sent: Mapping[str, Any]) -> dict[str, Any]:
    addresses = [
        text(part, "valueString") or text(part, "valueUri").removeprefix("mailto:")
        for part in items(sent, "part")
        if text(part, "name") == "email"
    ]
    given = [line(one, 320) for one in addresses if one]
    return {"deliver": {"email": given}} if given else {}
