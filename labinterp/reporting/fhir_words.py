"""What FHIR calls things: code systems, concepts and quantities, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from labinterp.model.codes import FLAG_OF_STANDING, LOINC, UCUM

if TYPE_CHECKING:
    from decimal import Decimal

    from labinterp.model.codes import Standing

Resource = dict[str, Any]

TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
TERMINOLOGY_V2: Final = f"{TERMINOLOGY}/v2"
FLAG_WORDS: Final = {
    "N": "Normal",
    "L": "Low",
    "H": "High",
    "LL": "Critical low",
    "HH": "Critical high",
    "IND": "Indeterminate",
}
SEVERITY: Final = {
    "emergency": "high",
    "same_day": "high",
    "soon": "moderate",
    "routine": "low",
    "none": "low",
}
UNKNOWN: Final[Resource] = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "unknown",
        }
    ]
}
"""In place of a member that must be there and is not known.

As a whole Period, not beside a dateTime that is left out: many checks ask for a member without `_`.
"""
LABORATORY_REPORT: Final = ("11502-2", "Laboratory report")


def concept(system: str, code: str, display: str, text: str | None = None) -> Resource:
    """A CodeableConcept with one coding."""
    made: Resource = {"coding": [{"system": system, "code": code, "display": display}]}
    return {**made, "text": text} if text else made


def loinc(code: str, display: str, text: str | None = None) -> Resource:
    """A LOINC concept."""
    return concept(LOINC, code, display, text)


def laboratory() -> Resource:
    """The category of a laboratory's Observation."""
    return concept(f"{TERMINOLOGY}/observation-category", "laboratory", "Laboratory")


def flag(standing: Standing) -> Resource:
    """How a result stands, as v3-ObservationInterpretation; IND where nothing can be said."""
    code = FLAG_OF_STANDING[standing] or "IND"
    return concept(f"{TERMINOLOGY}/v3-ObservationInterpretation", code, FLAG_WORDS[code])


def quantity(number: Decimal, unit: str, printed: str | None, comparator: str | None) -> Resource:
    """A Quantity with its digits; its unit is a UCUM code."""
    made: Resource = {"value": number}
    if comparator in ("<", "<=", ">", ">="):
        made["comparator"] = comparator
    if unit in ("", "1"):
        return {**made, "system": UCUM, "code": "1"}
    return {**made, "unit": printed or unit, "system": UCUM, "code": unit}


def present(resource: Resource) -> Resource:
    """Without members that say nothing; FHIR has no empty ones."""
    return {name: value for name, value in resource.items() if value not in (None, "", [], {})}
