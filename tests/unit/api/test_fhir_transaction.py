"""`POST /fhir`: a transaction is stored whole or not at all, a batch panel by panel."""

from __future__ import annotations

import json

import pytest

FHIR = "application/fhir+json"


def patient(name):
    return {
        "fullUrl": f"urn:uuid:{name}",
        "request": {"method": "POST", "url": "Patient"},
        "resource": {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:mrn", "value": name}],
            "gender": "female",
            "birthDate": "1971-05-01",
        },
    }


def potassium(name, value="3.4", **more):
    return {
        "request": {"method": "POST", "url": "Observation"},
        "resource": {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
            **({"subject": {"reference": f"urn:uuid:{name}"}} if name else {}),
            "effectiveDateTime": "2026-01-02T08:00:00Z",
            "valueQuantity": {
                "value": float(value),
                "unit": "mmol/L",
                "system": "http://unitsofmeasure.org",
                "code": "mmol/L",
            },
            **more,
        },
    }


def bundle(*entries, kind="transaction", **more):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **more}


def send(caller, document):
    return caller.post("/fhir", body=json.dumps(document).encode(), content_type=FHIR)


def stored(caller):
    return len(caller.get("/api/v1/panels").json["panels"])


def test_a_transaction_of_two_patients_is_answered_entry_by_entry(caller):
    sent = bundle(patient("a"), patient("b"), potassium("b", "2.4"), potassium("a"))
    answer = send(caller, sent)
    assert answer.status_code == 200
    assert answer.json["type"] == "transaction-response"
    told = [one["response"] for one in answer.json["entry"]]
    assert [one["status"] for one in told] == ["201 Created"] * 4
    assert told[0]["location"].startswith("Patient/")
    panels = [one["location"].split("/")[1] for one in told]
    assert panels[0] == panels[3] != panels[1] == panels[2]
    report = caller.get(f"/fhir/DiagnosticReport/{panels[2]}")
    assert report.status_code == 200
    assert stored(caller) == 2


def test_what_cannot_be_read_keeps_all_of_a_transaction_out(caller):
    sent = bundle(patient("a"), patient("b"), potassium("b"), potassium(""))
    answer = send(caller, sent)
    assert answer.status_code == 422
    assert answer.json["issue"][0]["expression"] == ["Bundle.entry[3].resource"]
    assert stored(caller) == 0


def test_one_panel_without_a_readable_result_keeps_the_others_of_a_transaction_out(caller):
    unknown = potassium("b", code={"text": "Frobnication"})
    answer = send(caller, bundle(patient("a"), patient("b"), potassium("a"), unknown))
    assert answer.status_code == 422
    assert stored(caller) == 0


def test_a_batch_loses_only_what_cannot_be_read(caller):
    sent = bundle(patient("a"), patient("b"), potassium("b"), potassium(""), kind="batch")
    answer = send(caller, sent)
    assert answer.status_code == 200
    told = [one["response"]["status"] for one in answer.json["entry"]]
    assert told[2] == "201 Created"
    assert told[3].startswith("422")
    assert stored(caller) == 1


def test_the_same_transaction_again_is_stored_once(caller):
    sent = bundle(patient("a"), potassium("a"), identifier={"system": "urn:x", "value": "7"})
    first, again = send(caller, sent), send(caller, sent)
    assert first.json["entry"] == again.json["entry"]
    assert stored(caller) == 1


def test_a_corrected_result_makes_the_next_version_of_its_report(caller):
    known = {"identifier": [{"system": "urn:lab", "value": "R1"}]}
    first = send(caller, bundle(patient("a"), potassium("a", "3.4", **known)))
    place = first.json["entry"][1]["response"]["location"].split("/")[1]
    corrected = potassium("a", "2.4", status="corrected", **known)
    second = send(caller, bundle(patient("a"), corrected))
    assert second.json["entry"][1]["response"]["location"] == f"Bundle/{place}/_history/2"
    assert stored(caller) == 1
    report = caller.get(f"/fhir/DiagnosticReport/{place}").json
    assert report["status"] == "corrected"


@pytest.mark.parametrize("method", ["DELETE", "GET", "PATCH"])
def test_a_transaction_that_asks_for_more_than_storing_is_refused_by_its_place(caller, method):
    entry = potassium("a")
    entry["request"]["method"] = method
    answer = send(caller, bundle(patient("a"), entry))
    assert answer.status_code == 422
    assert answer.json["issue"][0]["expression"] == ["Bundle.entry[1].request.method"]


@pytest.mark.parametrize(
    "document", [{}, {"resourceType": "Bundle", "type": "collection"}, bundle()]
)
def test_what_is_no_transaction_is_refused(caller, document):
    answer = send(caller, document)
    assert answer.status_code == 422
    assert answer.json["resourceType"] == "OperationOutcome"


def test_a_slash_behind_the_base_address_changes_nothing(caller):
    body = b'{"resourceType": "Bundle", "type": "history"}'
    plain, slashed = (
        caller.post(path, body=body, content_type=FHIR) for path in ("/fhir", "/fhir/")
    )
    assert (slashed.status_code, slashed.json["resourceType"]) == (422, "OperationOutcome")
    assert plain.status_code == slashed.status_code
