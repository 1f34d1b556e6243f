"""Names of the code systems that panels and answers use.

And the closed vocabularies of the contract.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
HPO: Final = "http://human-phenotype-ontology.org"
UCUM: Final = "http://unitsofmeasure.org"

Standing = Literal["critically_low", "low", "within", "high", "critically_high", "unknown"]
Urgency = Literal["none", "routine", "soon", "same_day", "emergency"]
Certainty = Literal["strong", "moderate", "limited", "cannot_tell"]
Strength = Literal["likely", "possible", "unlikely", "opposes"]
Verdict = Literal["likely", "possible", "unlikely", "not_explained", "cannot_tell"]
Sex = Literal["female", "male", "other", "unknown"]
RangePolicy = Literal["lab-then-service", "lab-only", "service-only"]

URGENCIES: Final[tuple[Urgency, ...]] = get_args(Urgency)
"""From least to most urgent."""

FLAG_OF_STANDING: Final[dict[Standing, str | None]] = {
    "critically_low": "LL",
    "low": "L",
    "within": "N",
    "high": "H",
    "critically_high": "HH",
    "unknown": None,
}
"""The letters of HL7 table 0078; they exist only at the edges."""


def most_urgent(*urgencies: Urgency) -> Urgency:
    """The most urgent of these; `none` when there are none."""
    return max(urgencies, key=URGENCIES.index, default="none")


def at_least_as_urgent(urgency: Urgency, floor: Urgency) -> bool:
    """Is this urgency the floor or above it?"""
    return URGENCIES.index(urgency) >= URGENCIES.index(floor)
