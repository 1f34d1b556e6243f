"""FHIR R4: a Bundle, a DiagnosticReport, an Observation or Parameters; one panel for each patient.

Every Observation ends as a result, as part of the patient's state, or as a problem or refusal that
names its FHIRPath place; results whose patient cannot be told are never given to another.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from labinterp.errors import Place, SubmissionError
from labinterp.formats import fhir_observation, fhir_parameters, fhir_patient, json_panel
from labinterp.formats.dates import read_moment
from labinterp.formats.fhir_bundle import Group, groups_of
from labinterp.formats.fhir_document import (
    Document,
    Located,
    code_in,
    codings,
    document_of,
    inner,
    items,
    line,
    loose,
    refuse_other_versions,
    text,
    words,
)
from labinterp.formats.fhir_version import met_otherwise, refuse_other_releases
from labinterp.formats.json_text import parsed
from labinterp.formats.limits import Context, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
_SAID_NO: Final = ("LA32-8", "373067005", "N")


@dataclass(slots=True)
class _Panel:
    """What is being gathered for one patient."""

    results: list[dict[str, Any]] = field(default_factory=list)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    symptoms: list[dict[str, Any]] = field(default_factory=list)


def read(body: bytes, context: Context) -> Reading:
    """One panel for each patient of a FHIR document."""
    refuse_other_versions(body)
    root = parsed_document(body, context)
    refuse_other_releases(root)
    return read_document(document_of(root), context)


def parsed_document(body: bytes, context: Context) -> Any:
    """The body as JSON that may nest as FHIR does; numbers keep their digits."""
    return parsed(body, replace(context.limits, depth=_DEPTH))


def read_resources(resources: Iterable[Located], context: Context) -> Reading:
    """Resources that came one by one: a panel for each patient and time of collection."""
    document = loose(resources)
    groups, refused = groups_of(document)
    received, failed = [], list(refused)
    for group in (part for whole in groups for part in _by_collection(whole)):
        try:
            received.append(received_of_group(document, group, context, alone=False))
        except SubmissionError as error:
            failed.append(Place(group.where, error.code, error.message))
    return Reading(tuple(received), tuple(failed))


def received_of_observations(
    observations: Iterable[Located],
    context: Context,
    *,
    patient: Located | None = None,
    specimens: Iterable[Located] = (),
) -> Received:
    """Observations that are known to be of one patient and one panel, as that panel.

    Args:
        observations: each with the place by which its sender finds it.
        context: when they came, and how much is taken.
        patient: whose they are, where it was sent.
        specimens: what they may refer to.

    Raises:
        SubmissionError: nothing of it can be accepted.
    """
    mine = tuple(observations)
    context_of_them = (*([patient] if patient else []), *specimens)
    document = loose((*mine, *context_of_them))
    group = Group("", patient, mine, tuple(specimens))
    return received_of_group(document, group, context)


def _by_collection(group: Group) -> list[Group]:
    """A group in parts of one time of collection; what has no time is a part of its own."""
    parts: dict[str | None, list[Located]] = {}
    for one in group.observations:
        moment = fhir_observation.effective(one.resource, one.path)[0]
        parts.setdefault(moment, []).append(one)
    return [replace(group, observations=tuple(mine)) for mine in parts.values()]


def read_document(document: Document, context: Context) -> Reading:
    """The same, of a document that was taken apart.

    Raises:
        SubmissionError: it holds no Observation, or its only panel cannot be accepted.
    """
    groups, refused = groups_of(document)
    if not groups:
        places = (*refused, *document.problems)
        message = "The document holds no Observation of a laboratory."
        raise SubmissionError(message, code="nothing-recognised", errors=places)
    received, failed = [], list(refused)
    alone, untold = len(groups) == 1, document.problems
    for group in groups:
        try:
            received.append(received_of_group(document, group, context, untold, alone=alone))
        except SubmissionError as error:
            if len(groups) == 1 and not refused:
                raise
            failed += error.errors or (Place(group.where, error.code, error.message),)
        else:  # what is wrong with an entry of nobody's is told once, not to each of thousands
            untold = tuple(one for one in untold if ".entry[" not in one.where)
    return Reading(tuple(received), tuple(failed))


def received_of_group(
    document: Document,
    group: Group,
    context: Context,
    problems_of_all: Iterable[Place] | None = None,
    *,
    alone: bool = True,
) -> Received:
    """One patient's panel.

    Args:
        document: what it is part of.
        group: the patient's part.
        context: when it came, and how much is taken.
        problems_of_all: those of the document that are to be told with it; all where it is None.
        alone: is it the only one?

    Raises:
        SubmissionError: nothing of it can be accepted.
    """
    panel, problems = _panel(document, group, context.received_at)
    told = document.problems if problems_of_all is None else problems_of_all
    problems += [(one.where, one.code, one.message) for one in told]
    try:
        return json_panel.received_of(
            panel,
            context.received_at,
            "fhir",
            problems=problems,
            where="" if alone else group.where,
            limits=context.limits,
        )
    except SubmissionError as error:
        places = fhir_parameters.asked_of(document.parameters).places
        error.errors = tuple(
            replace(one, where=places.get(one.where, one.where)) for one in error.errors
        )
        raise


# ---- one panel


def _panel(
    document: Document, group: Group, received_at: datetime
) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    made = _Panel()
    at = _moment(document, group, received_at)
    patient = _patient(group, at, made)
    specimen = _specimen(document, group, made)
    fasting = fhir_patient.fasting_of(group.observations)
    if fasting:
        comment = "; ".join(filter(None, (specimen.get("comment"), fasting)))
        specimen = {**specimen, "comment": comment[:500]}
    statuses = group.report_statuses or {}
    person = fhir_patient.person_of(patient, at)
    asked = fhir_parameters.asked_of(document.parameters)
    for one in group.observations:
        if code_in(inner(one.resource, "code"), *fhir_patient.CONTEXT):
            made.problems += filter(None, (fhir_patient.problem_of_state(one, at),))
        else:
            _add(document, one, person, statuses.get(one.path, ""), made)
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
        **asked.panel,
    }
    made.problems += asked.problems
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
        made.problems.append((group.where, "patient-missing", message))
    pregnancy = fhir_patient.pregnancy_of(group.observations, at)
    return {**patient, "pregnancy": pregnancy} if pregnancy else patient


def _specimen(document: Document, group: Group, made: _Panel) -> dict[str, Any]:
    """The specimen that most results name; a result of another one carries its own."""
    used = _specimens(document, group)
    unused = [one for one in group.others if one.kind == "Specimen"]
    times = Counter(one.path for one in used)
    chosen = max(times, key=times.__getitem__, default=None)
    if chosen is None and len(unused) == 1:
        chosen = unused[0].path
    specimen: dict[str, Any] = {}
    for one in {each.path: each for each in (*used, *unused)}.values():
        if one.path == chosen or one.path in times:
            read_one, problems = fhir_patient.specimen_of(one.resource, one.path)
            made.problems += problems
            specimen = read_one if one.path == chosen else specimen
        else:
            message = "no result names this specimen; it was kept and not used"
            made.problems.append((one.path, "not-supported", message))
    return specimen


def _specimens(document: Document, group: Group) -> list[Located]:
    named = [_specimen_resource(document, one) for one in group.observations]
    return [one for one in named if one is not None]


def _specimen_resource(document: Document, one: Located) -> Located | None:
    found = document.find(inner(one.resource, "specimen"), one)
    return found if found is not None and found.kind == "Specimen" else None


def _add(
    document: Document, one: Located, person: fhir_observation.Person, report: str, made: _Panel
) -> None:
    """One Observation: a sign, or results."""
    kind = _kind(one.resource)
    if kind == "exam" or (kind == "survey" and "valueQuantity" not in one.resource):
        _add_sign(one, made)
        return
    if kind:
        message = f"is no laboratory result ({kind}); it was kept and not interpreted"
        made.problems.append((one.path, "unmapped-code", message))
        return
    made.problems += [(each.where, each.code, each.message) for each in met_otherwise(one)]
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
    for one in (*_specimens(document, group), *group.others):
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
