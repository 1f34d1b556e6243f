"""Several patients in one message, and what stands in the Bundle that answers it."""

from __future__ import annotations

import pytest

from tests.unit.api.test_fhir_transaction import FHIR, bundle, patient, potassium, stored

OPERATION = "/fhir/$interpret-panel"
BASE = "https://labinterp.example.org"


def ask(caller, *entries, **more):
    return caller.post(OPERATION, bundle(*entries, kind="collection", **more), content_type=FHIR)


def kinds(answer):
    return [one["resource"]["resourceType"] for one in answer.json["entry"]]


TWO = (patient("a"), patient("b"), potassium("b", "2.4"), potassium("a"))


def test_each_patient_has_a_report_that_holds_their_results_alone(caller):
    answer = ask(caller, *TWO)
    found = [one["resource"] for one in answer.json["entry"]]
    reports = [one for one in found if one["resourceType"] == "DiagnosticReport"]
    values = {one["id"]: one["valueQuantity"]["value"] for one in found if "valueQuantity" in one}
    told = [[values[one["reference"].split("/")[1]] for one in each["result"]] for each in reports]
    assert sorted(told) == [[2.4], [3.4]]
    assert stored(caller) == 2


def test_one_patient_without_a_readable_result_is_named_and_the_others_are_kept(caller):
    unknown = potassium("b", code={"text": "Frobnication"})
    answer = ask(caller, patient("a"), patient("b"), potassium("a"), unknown)
    assert answer.status_code == 200
    assert kinds(answer).count("DiagnosticReport") == 1
    places = [
        place
        for one in answer.json["entry"]
        if one["resource"]["resourceType"] == "OperationOutcome"
        for issue in one["resource"]["issue"]
        for place in issue.get("expression", ())
    ]
    assert any(place.startswith("Bundle.entry[3].resource") for place in places)
    assert stored(caller) == 1


def test_the_same_message_of_two_patients_again_is_answered_as_the_first_time(caller):
    known = {"identifier": {"system": "urn:x", "value": "9"}}
    first, again = ask(caller, *TWO, **known), ask(caller, *TWO, **known)
    assert first.json == again.json
    assert stored(caller) == 2


@pytest.mark.parametrize("entries", [TWO, (patient("a"), potassium("a", note=[{"text": "x"}]))])
def test_every_address_in_an_answer_can_be_read_and_what_has_none_has_no_id(caller, entries):
    answer = ask(caller, *entries, potassium("a", code={"text": "Frobnication"}))
    assert "OperationOutcome" in kinds(answer)
    for one in answer.json["entry"]:
        assert ("id" in one["resource"]) == ("fullUrl" in one)
        if "fullUrl" in one:
            path = one["fullUrl"].removeprefix(BASE)
            assert caller.get(path).json == one["resource"]
    if "id" in answer.json:
        assert caller.get(f"/fhir/Bundle/{answer.json['id']}").json == answer.json
