"""NDJSON: one outcome a line, and a panel for each patient and collection of lone Observations."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from labinterp import formats
from labinterp.errors import SubmissionError
from labinterp.formats.fhir import received_of_observations
from labinterp.formats.fhir_document import Located
from labinterp.formats.limits import Context
from tests.contract.test_fhir_input import MESSAGES, bundle, example, observation, patient

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
OURS = {"results": [{"test": "Potassium", "value": "2.90", "unit": "mmol/L"}]}


def read(*lines, end="\n"):
    body = end.join(one if isinstance(one, str) else json.dumps(one) for one in lines)
    return formats.read("ndjson", body.encode(), NOW)


def test_each_line_is_a_panel_in_its_place_and_a_bad_line_loses_only_itself():
    reading = read(
        bundle(patient("a"), observation("2.4")), "{not json", "", OURS, {"results": []}, end="\r\n"
    )
    assert [one.where for one in reading.received] == ["line 1", "line 4"]
    assert [one.submission.results[0].value for one in reading.received] == ["2.4", "2.90"]
    assert [one.where for one in reading.refused] == ["line 2", "line 5"]


def test_two_patients_of_one_line_are_two_panels_of_that_line():
    to = lambda name: {"subject": {"reference": f"Patient/{name}"}}  # noqa: E731
    reading = read(
        bundle(
            patient("a"),
            patient("b"),
            observation("2.4", **to("a")),
            observation("4.4", **to("b")),
            observation("9.9"),
        )
    )
    assert [one.where for one in reading.received] == [
        "line 1: Bundle.entry[0].resource",
        "line 1: Bundle.entry[1].resource",
    ]
    assert [(one.where, one.code) for one in reading.refused] == [
        ("line 1: Bundle.entry[4].resource", "multiple-patients")
    ]


def test_lone_observations_are_a_panel_for_each_patient_and_collection():
    at = lambda name, day: {  # noqa: E731
        "subject": {"reference": f"Patient/{name}"},
        "effectiveDateTime": f"2026-03-{day:02}T08:00:00Z",
    }
    reading = read(
        observation("1.1", **at("a", 1)),
        observation("2.2", **at("b", 1)),
        observation("3.3", code="2951-2", **at("a", 1)),
        observation("4.4", **at("a", 2)),
        patient("b"),
    )
    found = [[one.value for one in got.submission.results] for got in reading.received]
    assert found == [["1.1", "3.3"], ["4.4"], ["2.2"]]
    assert [got.submission.sex for got in reading.received] == ["unknown", "unknown", "female"]


def test_an_export_of_observations_is_one_panel_of_its_patient():
    body = (MESSAGES / "20-bulk-observations.ndjson").read_bytes()
    (received,) = formats.read("ndjson", body, NOW).received
    places = {one.where for one in received.submission.results}
    assert places == {f"line {number}" for number in range(1, body.count(b"\n{") + 2)}


def test_observations_that_were_grouped_already_are_their_patients_panel():
    mine = [Located(observation("4.1"), "line 7"), Located(observation("139"), "line 9")]
    person = Located(patient("a"), "line 1")
    got = received_of_observations(mine, Context(NOW), patient=person)
    assert [one.where for one in got.submission.results] == ["line 7", "line 9"]
    assert got.submission.sex == "female"


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\xef\xbb\xbf\n"])
def test_a_file_without_a_line_is_refused(body):
    with pytest.raises(SubmissionError):
        formats.read("ndjson", body, NOW)


def test_whole_messages_stand_on_a_line():
    reading = read(example("01-in-bundle-collection"), example("05-in-diagnosticreport-contained"))
    assert [one.where for one in reading.received] == ["line 1", "line 2"]


@pytest.mark.parametrize("subject", [{"display": "A"}, {"identifier": {}}])
@pytest.mark.hazard("wrong-patient")
def test_an_observation_whose_patient_cannot_be_told_is_mixed_with_no_other(subject):
    known = {**_OBSERVATION, "subject": {"reference": "Patient/1"}}
    unknown = {**_OBSERVATION, "subject": subject}
    body = "\n".join(json.dumps(one) for one in (known, unknown, unknown)).encode()
    reading = formats.read("ndjson", body, datetime(2026, 1, 10, tzinfo=UTC))
    assert [len(one.panel["results"]) for one in reading.received] == [1, 1, 1]


def test_contained_patients_of_the_same_name_are_not_one():
    lines = [
        {
            **_OBSERVATION,
            "subject": {"reference": "#p"},
            "contained": [{"resourceType": "Patient", "id": "p", "identifier": [{"value": name}]}],
        }
        for name in ("A", "B")
    ]
    body = "\n".join(map(json.dumps, lines)).encode()
    reading = formats.read("ndjson", body, datetime(2026, 1, 10, tzinfo=UTC))
    assert {one.identity.identifier for one in reading.received} == {"A", "B"}


_OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "Potassium"},
    "effectiveDateTime": "2026-01-02",
    "valueQuantity": {"value": 3, "unit": "mmol/L"},
}
