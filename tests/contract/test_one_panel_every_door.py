"""One panel through any door is one Interpretation: a table of doors, each with what it sends."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from labinterp import formats, interpretation, knowledge

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
COLLECTED = "2026-01-02T08:00:00+00:00"
RESULTS = (
    ("2823-3", "Potassium", "2.90", "mmol/L"),
    ("2601-3", "Magnesium", "0.45", "mmol/L"),
    ("2000-8", "Calcium", "1.95", "mmol/L"),
)


def _json():
    results = [
        {
            "code": {"system": "http://loinc.org", "code": code},
            "test": name,
            "value": value,
            "unit": unit,
        }
        for code, name, value, unit in RESULTS
    ]
    patient = {
        "identifier": {"value": "MRN-1", "system": "urn:example:mrn"},
        "birth_date": "1971-05-04",
        "sex": "female",
    }
    return json.dumps({"patient": patient, "collected_at": COLLECTED, "results": results})


def _fhir():
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:example:mrn", "value": "MRN-1"}],
        "gender": "female",
        "birthDate": "1971-05-04",
    }
    observations = [
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": name},
            "effectiveDateTime": COLLECTED,
            "valueQuantity": {
                "value": f"@{value}@",
                "unit": unit,
                "system": "http://unitsofmeasure.org",
                "code": unit,
            },
        }
        for code, name, value, unit in RESULTS
    ]
    entries = [{"resource": one} for one in (patient, *observations)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return json.dumps(bundle).replace('"@', "").replace('@"', "")


def _hl7v2():
    head = "MSH|^~\\&|LIS||||20260110||ORU^R01|1|P|2.5.1"
    patient = "PID|1||MRN-1^^^urn:example:mrn^MR||||19710504|F"
    order = "OBR|1||A-1|CHEM|||20260102080000+0000||||||||||||||||||F"
    results = [
        f"OBX|{number}|NM|{code}^{name}^LN||{value}|{unit}|||||F"
        for number, (code, name, value, unit) in enumerate(RESULTS, start=1)
    ]
    return "\r".join((head, patient, order, *results, ""))


DOORS = {"json": _json, "fhir": _fhir, "hl7v2": _hl7v2}
"""Format to what it sends. To add a door, add what its sender would send of this panel."""


def _meaning(door):
    (received,) = formats.read(door, DOORS[door]().encode(), NOW).received
    answer = interpretation.interpret(received.submission, knowledge.load())
    results = tuple(_without_place(result) for result in answer.results)
    return dataclasses.replace(answer, results=results), received.identity


def _without_place(result):
    """Where a result stood, and its status, which only some doors send of each result."""
    reported = result.reported and dataclasses.replace(result.reported, status=None)
    return dataclasses.replace(result, where="", reported=reported)


@pytest.mark.parametrize("door", [door for door in DOORS if door != "json"])
def test_it_means_the_same_as_in_our_own_form(door):
    assert _meaning(door) == _meaning("json")
