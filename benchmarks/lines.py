"""Lines of FHIR Observations as a laboratory exports them: invented, the same each time."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULTS = (
    ("2823-3", "Potassium", "mmol/L", 4.1, 0.7, 2),
    ("2601-3", "Magnesium", "mmol/L", 0.8, 0.15, 2),
    ("2000-8", "Calcium", "mmol/L", 2.3, 0.2, 2),
    ("1751-7", "Albumin", "g/L", 40.0, 4.0, 0),
    ("2951-2", "Sodium", "mmol/L", 139.0, 4.0, 0),
    ("2132-9", "Vitamin B12", "ng/L", 400.0, 120.0, 0),
)
"""LOINC, name, unit, middle and spread of the invented values, and their digits."""
_FAULTS = 997
"""One line in so many cannot be read."""
_STRIDE = 7_919
"""A patient's lines stand far apart: so many others are between them."""


def observations(count: int, *, seed: int = 5, scattered: bool = False) -> Iterator[bytes]:
    """So many lines, six of each patient.

    Args:
        count: how many.
        seed: of the values.
        scattered: a patient's lines stand far from each other, and some lines are broken.
    """
    pick = random.Random(seed)  # noqa: S311 - invented results
    patients = max(count // len(RESULTS), 1)
    for number in range(count):
        code, name, unit, middle, spread, digits = RESULTS[number % len(RESULTS)]
        value = f"{max(0.1, pick.gauss(middle, spread)):.{digits}f}"
        patient = number // len(RESULTS)
        if scattered:
            patient = (number * _STRIDE) % patients
            if number % _FAULTS == 0:
                yield b'{"resourceType": "Observation", "broken\n'
                continue
        yield _line(number, patient, (code, name, value, unit))


def _line(number: int, patient: int, result: tuple[str, str, str, str]) -> bytes:
    code, name, value, unit = result
    text = json.dumps(
        {
            "resourceType": "Observation",
            "id": f"test-{number}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": name},
            "subject": {"reference": f"Patient/TEST-{patient}"},
            "effectiveDateTime": "2026-01-02T08:00:00Z",
            "valueQuantity": {
                "value": 0,
                "unit": unit,
                "system": "http://unitsofmeasure.org",
                "code": unit,
            },
        }
    )
    return text.replace('"value": 0,', f'"value": {value},').encode() + b"\n"
