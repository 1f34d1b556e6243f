"""What FHIR allows and readers overlook: contained results, nested panels, other releases."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from labinterp import formats
from labinterp.errors import UnsupportedFormat
from labinterp.interpretation import interpret
from tests.build import knowledge
from tests.contract.test_fhir_input import bundle, observation, patient, problems, read, submitted

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


def report(*references, **more):
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "result": [{"reference": one} for one in references],
        **more,
    }


def test_results_contained_in_a_result_are_results():
    inside = {**observation("0.61", code="2601-3"), "id": "mg"}
    whole = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Electrolytes"},
        "hasMember": [{"reference": "#mg"}],
        "contained": [inside],
    }
    (one,) = submitted(patient("a"), whole).results
    assert one.where == "Bundle.entry[1].resource.contained[0]"


def test_a_cancelled_report_withdraws_the_members_of_its_panels_too():
    whole = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Electrolytes"},
        "hasMember": [{"reference": "urn:uuid:2"}],
    }
    got = submitted(report("urn:uuid:1", status="cancelled"), whole, observation())
    assert [one.status for one in got.results] == ["cancelled"]


def test_reports_that_go_round_in_a_circle_are_read():
    first = {**observation(), "hasMember": [{"reference": "urn:uuid:1"}]}
    second = {**observation("139", code="2951-2"), "hasMember": [{"reference": "urn:uuid:0"}]}
    assert len(submitted(first, second, report("urn:uuid:0")).results) == 2


def test_a_registered_result_is_pending_whatever_number_stands_in_it():
    (one,) = submitted(patient("a"), observation(status="registered")).results
    assert (one.value, one.not_measured is not None) == (None, True)


def test_an_unknown_status_loses_only_its_own_result():
    got = submitted(patient("a"), observation(status="wibble"), observation("139", code="2951-2"))
    assert ("Bundle.entry[1].resource.status", "code-invalid") in {one[:2] for one in got.problems}
    found = {one.measurand: one.standing for one in interpret(got, knowledge()).results}
    assert (found["potassium"], found["sodium"]) == ("unknown", "within")


def test_one_patient_sent_in_two_reports_is_one_panel():
    def mine(name):
        person = {**patient(name), "identifier": [{"system": "urn:mrn", "value": "SYN-1"}]}
        inside = {**observation("4.1" if name == "p" else "4.2"), "id": "k"}
        return report("#k", subject={"reference": f"#{name}"}, contained=[person, inside])

    (received,) = read(bundle(mine("p"), mine("q"))).received
    assert [one.value for one in received.submission.results] == ["4.1", "4.2"]


@pytest.mark.hazard("wrong-patient")
def test_contained_patients_of_one_id_are_not_mixed():
    def mine(sex, value):
        person = {**patient("p"), "gender": sex}
        inside = {**observation(value), "id": "k"}
        return report("#k", subject={"reference": "#p"}, contained=[person, inside])

    received = read(bundle(mine("female", "2.4"), mine("male", "4.2"))).received
    found = [(got.submission.sex, got.submission.results[0].value) for got in received]
    assert found == [("female", "2.4"), ("male", "4.2")]


@pytest.mark.hazard("wrong-patient")
def test_a_result_of_nobody_is_the_only_patients_and_never_one_of_two():
    to = {"subject": {"reference": "Patient/gone"}}
    (received,) = read(bundle(observation(**to), observation("139", code="2951-2"))).received
    assert len(received.submission.results) == 2
    reading = read(bundle(patient("a"), observation(**to), observation("139", code="2951-2")))
    assert [one.where for one in reading.refused] == ["Bundle.entry[2].resource"]


def test_the_other_patients_specimen_tells_nothing():
    to = lambda name: {"subject": {"reference": f"Patient/{name}"}}  # noqa: E731
    theirs = {
        "resourceType": "Specimen",
        **to("b"),
        "collection": {"collectedDateTime": "2026-03-01T08:00:00Z"},
        "condition": [{"text": "grossly haemolysed"}],
    }
    mine = observation(**to("a"), effectiveDateTime=None)
    (one, _) = read(
        bundle(patient("a"), patient("b"), mine, observation(**to("b")), theirs)
    ).received
    assert (one.submission.collected_at, one.submission.specimen_fields) == (None, {})


def test_a_bundle_in_a_bundle_is_read_and_what_is_no_laboratorys_is_told():
    inside = bundle(observation())
    sent = (patient("a"), inside, {"resourceType": "Immunization", "status": "completed"})
    (one,) = submitted(*sent).results
    assert one.where == "Bundle.entry[1].resource.entry[0].resource"
    assert ("Bundle.entry[2].resource", "not-supported") in problems(*sent)


def test_a_type_that_is_a_number_loses_only_its_own_entry():
    sent = (patient("a"), observation(), {"resourceType": 0})
    assert ("Bundle.entry[2].resource", "not-supported") in problems(*sent)


def test_complaints_are_symptoms_wherever_they_are_recorded():
    listed = {"resourceType": "Condition", "code": {"text": "Eyelid twitching"}}
    looked_for = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"code": "exam"}]}],
        "code": {"text": "Facial twitching"},
        "valueBoolean": True,
    }
    found = interpret(submitted(patient("a"), observation(), listed, looked_for), knowledge())
    assert {one.id for one in found.patient.symptoms} >= {"eyelid-twitch", "facial-twitch"}
    assert "term-unknown" not in {one.code for one in found.problems}


def test_fasting_is_told_beside_the_specimen():
    fasting = observation(code="49541-6", valueCodeableConcept={"coding": [{"display": "Yes", "code": "LA33-6"}]})  # fmt: skip
    assert submitted(patient("a"), observation(), fasting).specimen_comment == "fasting: Yes"


# ---- other releases


@pytest.mark.parametrize(
    "declared",
    [
        {"fhirVersion": "5.0.0"},
        {"implicitRules": "http://hl7.org/fhir/STU3/"},
        {"meta": {"profile": ["http://hl7.org/fhir/DSTU2/bundle.html"]}},
        {"meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/Bundle|3.0.2"]}},
    ],
)
def test_a_document_that_says_it_is_of_another_release_is_refused_by_name(declared):
    with pytest.raises(UnsupportedFormat) as caught:
        read(bundle(observation(), **declared))
    assert caught.value.code == "version-unsupported"


@pytest.mark.parametrize(
    "declared",
    [
        {"fhirVersion": "4.0.1"},
        {"meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/Bundle|4.0.1"]}},
        {"meta": {"profile": ["https://example.org/fhir/lab-bundle|3.1.0"]}},
        {
            "meta": {
                "profile": [
                    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab|5.0.1"
                ]
            }
        },
    ],
)
def test_the_version_of_a_profile_is_not_that_of_fhir(declared):
    assert len(read(bundle(observation(), **declared)).received) == 1


def test_what_older_releases_call_otherwise_is_read_and_told():
    whole = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Panel"},
        "related": [{"type": "has-member", "target": {"reference": "urn:uuid:2"}}],
    }
    person = {**patient("a"), "name": [{"family": ["van", "Test"], "given": ["Ada"]}]}
    old = {**observation(), "comments": "haemolysed", "interpretation": {"coding": [{"code": "L"}]}}
    (received,) = read(bundle(person, whole, old)).received
    (one,) = received.submission.results
    assert (one.flag, one.note, received.identity.family) == ("L", "haemolysed", "van Test")
    told = {where for where, code, _ in received.submission.problems if code == "version-unsupported"}  # fmt: skip
    assert told == {"Bundle.entry[1].resource.related", "Bundle.entry[2].resource.comments"}


def test_a_message_of_many_results_and_references_is_read_in_a_moment():
    results = [{**observation(code=f"{n}-1"), "id": f"o{n}"} for n in range(450)]
    references = [f"Observation/o{n}" for n in range(450)] * 5
    body = json.dumps(bundle(patient("a"), report(*references), *results)).encode()
    begun = time.perf_counter()
    (received,) = formats.read("fhir", body, NOW).received
    assert len(received.submission.results) == 450
    assert time.perf_counter() - begun < 10


def _fasted(**said):
    return {"resourceType": "Specimen", "collection": said}


@pytest.mark.parametrize(
    ("member", "value", "told"),
    [
        ("fastingStatusCodeableConcept", {"coding": [{"code": "NF"}]}, "not fasting"),
        ("fastingStatusCodeableConcept", {"text": "since supper"}, "since supper"),
        ("fastingStatusDuration", {"value": 8.5, "unit": "h"}, "8.5 h"),
        ("fastingStatusDuration", {"comparator": ">", "value": 8, "code": "h"}, "> 8 h"),
    ],
)
def test_fasting_of_a_specimen_is_told_and_nothing_is_concluded_from_it(member, value, told):
    got = submitted(patient("a"), _fasted(**{member: value}), observation())
    assert got.specimen_comment == f"fasting: {told}"
    ((where, code, message),) = got.problems
    assert where == f"Bundle.entry[1].resource.collection.{member}"
    assert code == "clinical-information"
    assert told in message


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"valueCodeableConcept": {"coding": [{"code": "LA32-8"}]}}, "no"),
        ({"valueBoolean": True}, "yes"),
        ({"valueString": "10 hours"}, "10 hours"),
    ],
)
def test_fasting_that_was_recorded_is_told_and_nothing_is_concluded_from_it(value, told):
    said = observation(code="49541-6")
    del said["valueQuantity"]
    got = submitted(patient("a"), observation(), {**said, **value})
    assert got.specimen_comment == f"fasting: {told}"
    ((where, code, _),) = got.problems
    assert (where, code) == ("Bundle.entry[2].resource", "clinical-information")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"status": "entered-in-error", "valueCodeableConcept": {"text": "x"}}, "status-ignored"),
        ({"valueCodeableConcept": {"text": "perhaps"}}, "clinical-information"),
    ],
)
@pytest.mark.parametrize("loinc", ["82810-3", "49541-6"])
def test_a_state_that_is_not_used_is_named(loinc, sent, code):
    said = observation(code=loinc, **sent)
    del said["valueQuantity"]
    assert code in {one[1] for one in submitted(patient("a"), observation(), said).problems}


def test_a_specimen_that_no_result_names_is_named():
    mine = {"resourceType": "Specimen", "id": "s", "condition": [{"coding": [{"code": "HEM"}]}]}
    other = {"resourceType": "Specimen", "id": "t"}
    named = observation(specimen={"reference": "Specimen/s"})
    found = problems(patient("a"), mine, other, named)
    assert ("Bundle.entry[2].resource", "not-supported") in found
    assert ("Bundle.entry[1].resource.condition", "haemolysis-degree-missing") in found


def test_what_is_doubtful_of_each_named_specimen_is_told():
    haemolysed = [
        {"resourceType": "Specimen", "id": one, "condition": [{"coding": [{"code": "HEM"}]}]}
        for one in "st"
    ]
    results = [
        observation(specimen={"reference": "Specimen/s"}),
        observation("0.61", code="2601-3", specimen={"reference": "Specimen/t"}),
    ]
    found = problems(patient("a"), *haemolysed, *results)
    assert {where for where, code in found if code == "haemolysis-degree-missing"} == {
        f"Bundle.entry[{index}].resource.condition" for index in (1, 2)
    }
