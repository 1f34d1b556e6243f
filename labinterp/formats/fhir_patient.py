"""Of whom and of what: Patient, Specimen and the resources that tell the patient's state."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from labinterp.formats.fhir_document import code_in, codings, inner, items, line, says, text, words
from labinterp.formats.fhir_observation import Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from labinterp.formats.ages import PlaceOfProblem
    from labinterp.formats.fhir_document import Document, Located

PREGNANCY_STATUS: Final = "82810-3"
GESTATION: Final = "18185-9"
DELIVERY_DATES: Final = ("11778-8", "11779-6")
FASTING: Final = "49541-6"
CONTEXT: Final = (PREGNANCY_STATUS, GESTATION, *DELIVERY_DATES, FASTING)
"""Observations that tell the patient's state; they are no results."""
_PREGNANT, _NOT_PREGNANT = "77386006", "60001007"
_FASTED: Final = {
    "F": "fasting",
    "NF": "not fasting",
    "NG": "not given",
    "LA33-6": "yes",
    "LA32-8": "no",
}
"""Codes of v2-0916 and LOINC answers that come without words."""
_SEXES: Final = ("female", "male", "other", "unknown")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_PART: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?", re.ASCII)
_MATERIALS: Final = {
    "119364003": "serum",
    "119361006": "plasma",
    "119297000": "whole blood",
    "122575003": "urine",
}
_DEGREES: Final = (
    (("slight", "mild", "leicht", "legere", "faible"), "slight"),
    (("moderate", "massig", "mittel"), "moderate"),
    (("gross", "marked", "severe", "stark", "heavily"), "gross"),
)
_HAEMOLYSED: Final = ("hemoly", "haemoly", "hamoly")
_TERM_DAYS: Final = 280
_DAYS_A_WEEK: Final = 7
_LONGEST_GESTATION: Final = 45
_INACTIVE: Final = ("inactive", "resolved", "remission")
_NOT_SO: Final = ("refuted", "entered-in-error")
_NOT_TAKEN: Final = ("entered-in-error", "not-taken", "cancelled", "stopped", "draft")
_MOST_TERMS: Final = 200


def patient_of(
    sent: Mapping[str, Any], path: str, at: datetime
) -> tuple[dict[str, Any], list[PlaceOfProblem]]:
    """A Patient in the panel's form.

    Args:
        sent: the resource.
        path: its place.
        at: collection (or arrival), for an age from part of a birth date.
    """
    problems: list[PlaceOfProblem] = []
    found: dict[str, Any] = {}
    identifier = _identifier(sent)
    if identifier:
        found["identifier"] = identifier
    found.update(_name(sent))
    gender = text(sent, "gender").strip()
    if gender in _SEXES:
        found["sex"] = gender
    elif gender:
        message = f"{line(gender, 20)!r} is no gender of FHIR; the sex counts as unknown"
        problems.append((f"{path}.gender", "code-invalid", message))
    found.update(_birth(sent, path, at, problems))
    return found, problems


def _identifier(sent: Mapping[str, Any]) -> dict[str, str] | None:
    """The medical record number where one says so, else the first."""
    listed = [one for one in items(sent, "identifier") if line(text(one, "value"))]
    current = [one for one in listed if text(one, "use") != "old"] or listed
    chosen = next((one for one in current if code_in(inner(one, "type"), "MR")), None)
    chosen = chosen or next(iter(current), None)
    if chosen is None:
        return None
    made = {"value": line(text(chosen, "value")), "system": line(text(chosen, "system"))}
    return {name: said for name, said in made.items() if said}


def _name(sent: Mapping[str, Any]) -> dict[str, str]:
    listed = items(sent, "name")
    chosen: Mapping[str, Any] = next((one for one in listed if text(one, "use") == "official"), {})
    chosen = chosen or next((one for one in listed if text(one, "use") != "old"), {})
    given = chosen.get("given")
    names = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    parts = chosen.get("family")
    in_parts = [one for one in parts if isinstance(one, str)] if isinstance(parts, list) else []
    made = {
        "family": line(" ".join(in_parts) or text(chosen, "family") or text(chosen, "text")),
        "given": line(" ".join(names)),
    }
    return {name: said for name, said in made.items() if said}


def _birth(
    sent: Mapping[str, Any], path: str, at: datetime, problems: list[PlaceOfProblem]
) -> dict[str, Any]:
    """The birth date, or an age where only its year or month was sent."""
    said = text(sent, "birthDate").strip()
    where = f"{path}.birthDate"
    if not said:
        return {}
    if _DAY.fullmatch(said):
        try:
            return {"birth_date": date.fromisoformat(said).isoformat()}
        except ValueError:
            problems.append((where, "bad-date", f"{said} is not in the calendar; age is unknown"))
            return {}
    part = _PART.fullmatch(said)
    if part is None or not 0 <= at.year - int(part[1]) <= 130:  # noqa: PLR2004 - nobody is older
        message = f"{line(said, 20)!r} is no date such as 1980-02-03; age is unknown"
        problems.append((where, "bad-date", message))
        return {}
    months = (at.year - int(part[1])) * 12 + (at.month - int(part[2]) if part[2] else 0)
    years = max(0, months // 12 - (0 if part[2] else 1))
    message = f"only {said} was sent; the age was taken as {years} years, and may be one more"
    problems.append((where, "demographics-missing", message))
    return {"age": {"value": years, "unit": "years"}}


# ---- the specimen


def specimen_of(sent: Mapping[str, Any], path: str) -> tuple[dict[str, Any], list[PlaceOfProblem]]:
    """A Specimen in the panel's form."""
    problems: list[PlaceOfProblem] = []
    kind = inner(sent, "type")
    material = next((_MATERIALS[code] for _, code, _ in codings(kind) if code in _MATERIALS), "")
    container = "; ".join(
        part
        for one in items(sent, "container")
        for part in (words(inner(one, "type")), words(inner(one, "additiveCodeableConcept")))
        if part
    )
    conditions = items(sent, "condition")
    comment = "; ".join(
        part
        for part in (*map(words, conditions), *(text(one, "text") for one in items(sent, "note")))
        if part
    )
    fasting, where = _fasting_before(inner(sent, "collection"))
    if fasting:
        comment = "; ".join(filter(None, (comment, f"fasting: {fasting}")))
        problems.append((f"{path}.collection.{where}", "clinical-information", _told(fasting)))
    found = {
        "material": material or line(words(kind)),
        "container": line(container),
        "comment": line(comment, 500),
        "haemolysis": _haemolysis(conditions, comment, path, problems),
    }
    return {name: said for name, said in found.items() if said}, problems


def _haemolysis(
    conditions: Iterable[Mapping[str, Any]],
    comment: str,
    path: str,
    problems: list[PlaceOfProblem],
) -> str:
    """The degree as it was said; haemolysis without one is told, and what it raises is doubted."""
    coded = any(code_in(one, "HEM") for one in conditions)
    if not coded and not says(comment, *_HAEMOLYSED):
        return ""
    if says(comment, "not hemoly", "not haemoly", "no hemoly", "no haemoly", "non hemoly"):
        return "none"
    for spelled, degree in _DEGREES:
        if says(comment, *spelled):
            return degree
    message = "haemolysed, to a degree that was not said; read as moderate: ask the laboratory"
    problems.append((f"{path}.condition", "haemolysis-degree-missing", message))
    return "moderate"


def _fasting_before(collection: Mapping[str, Any]) -> tuple[str, str]:
    """Whether, or how long, the patient had fasted, and in which member that was said."""
    name = "fastingStatusCodeableConcept"
    concept = inner(collection, name)
    if concept:
        return line(_in_words(concept), 100), name
    name = "fastingStatusDuration"
    lasted = inner(collection, name)
    unit = text(lasted, "unit") or text(lasted, "code")
    said = " ".join(filter(None, (text(lasted, "comparator"), text(lasted, "value"), unit)))
    return line(said, 100), name


def _in_words(concept: Mapping[str, Any]) -> str:
    """A concept in words, also where it came as a code alone."""
    listed = codings(concept)
    said = text(concept, "text").strip() or next((one[2] for one in listed if one[2]), "")
    return said or next((_FASTED.get(code, code) for _, code, _ in listed), "")


def _told(fasting: str) -> str:
    return f"“fasting: {fasting}” is told beside the specimen; nothing is concluded from it"


def fasting_of(observations: Iterable[Located]) -> str:
    """What was recorded of fasting, in words; it is told beside the specimen."""
    said = [
        _value_in_words(one.resource)
        for one in observations
        if code_in(inner(one.resource, "code"), FASTING) and not _is_withdrawn(one)
    ]
    return line("; ".join(f"fasting: {one}" for one in said if one), 100)


def problem_of_state(one: Located, at: datetime) -> PlaceOfProblem | None:
    """What of a recorded state is not used; None where all of it is."""
    said = _value_in_words(one.resource)
    if _is_withdrawn(one):
        message = f"is {text(one.resource, 'status')}; it was not used"
        return f"{one.path}.status", "status-ignored", message
    if code_in(inner(one.resource, "code"), FASTING):
        message = _told(said) if said else "says nothing of fasting; it was not used"
        return one.path, "clinical-information", message
    if pregnancy_of((one,), at) is None:
        message = f"“{said}” is nothing that is known of a pregnancy; it was not used"
        return one.path, "clinical-information", message
    return None


def _is_withdrawn(one: Located) -> bool:
    return text(one.resource, "status") in ("entered-in-error", "cancelled")


def _value_in_words(resource: Mapping[str, Any]) -> str:
    """The value of an Observation of the patient's state, as it may be told."""
    concept = inner(resource, "valueCodeableConcept")
    yes_or_no = resource.get("valueBoolean")
    quantity = inner(resource, "valueQuantity") or inner(resource, "valueDuration")
    said = (
        _in_words(concept)
        or text(resource, "valueString")
        or text(resource, "valueDateTime")
        or " ".join(filter(None, (text(quantity, "value"), text(quantity, "unit"))))
    )
    if isinstance(yes_or_no, bool):
        said = said or ("yes" if yes_or_no else "no")
    return line(said, 100)


def collected(sent: Mapping[str, Any]) -> str:
    """When the specimen was taken, as it was sent."""
    collection = inner(sent, "collection")
    return text(collection, "collectedDateTime") or text(
        inner(collection, "collectedPeriod"), "start"
    )


# ---- the patient's state


def pregnancy_of(observations: Iterable[Located], at: datetime) -> dict[str, Any] | None:
    """Pregnancy and completed weeks, from what was recorded; None where nothing was."""
    status, weeks = "", None
    for one in observations:
        code = inner(one.resource, "code")
        if _is_withdrawn(one):
            continue
        value = inner(one.resource, "valueCodeableConcept")
        if code_in(code, PREGNANCY_STATUS):
            status = _pregnancy_word(value) or status
        elif code_in(code, GESTATION):
            weeks = _weeks(inner(one.resource, "valueQuantity")) or weeks
        elif code_in(code, *DELIVERY_DATES):
            weeks = _weeks_before(text(one.resource, "valueDateTime"), at) or weeks
    if weeks is not None and status != "not_pregnant":
        return {"status": "pregnant", "gestation_weeks": weeks}
    return {"status": status} if status else None


def _pregnancy_word(value: Mapping[str, Any]) -> str:
    if code_in(value, _PREGNANT):
        return "pregnant"
    if code_in(value, _NOT_PREGNANT):
        return "not_pregnant"
    return "unknown" if codings(value) else ""


def _weeks(sent: Mapping[str, Any]) -> int | None:
    try:
        number = float(text(sent, "value"))
    except ValueError:
        return None
    in_days = (text(sent, "code") or text(sent, "unit")) in ("d", "day", "days")
    weeks = int(number / _DAYS_A_WEEK if in_days else number)
    return weeks if 0 <= weeks <= _LONGEST_GESTATION else None


def _weeks_before(delivery: str, at: datetime) -> int | None:
    try:
        due = date.fromisoformat(delivery[:10])
    except ValueError:
        return None
    weeks = (_TERM_DAYS - (due - at.date()).days) // _DAYS_A_WEEK
    return weeks if 0 <= weeks <= _LONGEST_GESTATION else None


def person_of(patient: Mapping[str, Any], at: datetime) -> Person:
    """What ranges ask of the patient."""
    years: float | None = None
    if "birth_date" in patient:
        years = (at.date() - date.fromisoformat(patient["birth_date"])).days / 365.25
    elif "age" in patient:
        years = float(patient["age"]["value"])
    pregnancy = patient.get("pregnancy", {}).get("status")
    return Person(patient.get("sex"), years, pregnancy == "pregnant" if pregnancy else None)


def conditions_of(mine: Iterable[Located]) -> list[dict[str, Any]]:
    """The patient's conditions that are recorded as present."""
    found = []
    for one in mine:
        if one.kind != "Condition":
            continue
        said = [
            code
            for name in ("clinicalStatus", "verificationStatus")
            for code in (
                text(one.resource, name),
                *(code for _, code, _ in codings(inner(one.resource, name))),
            )
        ]
        if not {*_INACTIVE, *_NOT_SO}.intersection(said):
            found.append(_term(inner(one.resource, "code")))
    return [one for one in found if one][:_MOST_TERMS]


def medications_of(document: Document, mine: Iterable[Located]) -> list[dict[str, Any]]:
    """The patient's medicines that are taken."""
    found = []
    for one in mine:
        if not one.kind.startswith("Medication") or one.kind == "Medication":
            continue
        if text(one.resource, "status") in _NOT_TAKEN:
            continue
        concept = inner(one.resource, "medicationCodeableConcept")
        concept = concept or inner(inner(one.resource, "medication"), "concept")
        drug = document.find(inner(one.resource, "medicationReference"), one)
        if not concept and drug is not None:
            concept = inner(drug.resource, "code")
        display = text(inner(one.resource, "medicationReference"), "display")
        found.append(_term(concept or {"text": display}))
    return [one for one in found if one][:_MOST_TERMS]


def _term(concept: Mapping[str, Any]) -> dict[str, Any]:
    said = line(words(concept))
    listed = codings(concept)
    if not said and not listed:
        return {}
    term: dict[str, Any] = {"id": said} if said else {}
    if listed:
        system, code, display = listed[0]
        coded = {"system": line(system) or "unknown", "code": line(code), "display": line(display)}
        term["code"] = {name: one for name, one in coded.items() if one}
    return term
