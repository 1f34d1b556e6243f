"""What a sender's software may do to a document: each fault by itself, and several patients at once.

Whatever was done, each result is its own patient's or is refused by its place, and none is lost.
"""

from __future__ import annotations

import contextlib
import copy
import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labinterp import formats
from labinterp.errors import LabinterpError
from labinterp.interpretation import interpret
from tests.build import knowledge

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
NAMES = ("a", "b", "c")


def read(document):
    return formats.read("fhir", json.dumps(document).encode(), NOW)


def person(name, **more):
    return {
        "fullUrl": f"urn:uuid:{name}",
        "resource": {
            "resourceType": "Patient",
            "id": name,
            "identifier": [{"system": "urn:mrn", "value": name}],
            "gender": "female",
            "birthDate": "1971-05-01",
            **more,
        },
    }


def potassium(value, subject, **more):
    return {
        "resource": {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
            "effectiveDateTime": "2026-03-04T08:00:00Z",
            "subject": subject,
            "valueQuantity": {
                "value": value,
                "unit": "mmol/L",
                "system": "http://unitsofmeasure.org",
                "code": "mmol/L",
            },
            **more,
        }
    }


def bundle(*entries):
    return {"resourceType": "Bundle", "type": "collection", "entry": list(entries)}


def by_patient(reading):
    """Place of each result to the number of the patient it was given to."""
    return {
        one.where: got.identity.identifier
        for got in reading.received
        for one in got.submission.results
    }


def places(reading):
    told = [one.where for one in reading.refused]
    for got in reading.received:
        told += [one.where for one in got.submission.results]
        told += [where for where, _, _ in got.submission.problems]
    return told


# ---- whose a result is, where addresses are wrong


def test_nobody_is_given_a_result_whose_subjects_address_several_have():
    entries = [person("a"), person("b"), potassium(2.9, {"reference": "urn:uuid:a"})]
    entries[1]["fullUrl"] = "urn:uuid:a"
    reading = read(bundle(*entries, potassium(3.9, {"reference": "Patient/b"})))
    assert by_patient(reading) == {"Bundle.entry[3].resource": "b"}
    ((where, code),) = [(one.where, one.code) for one in reading.refused]
    assert (where, code) == ("Bundle.entry[2].resource", "multiple-patients")
    told = {where for got in reading.received for where, _, _ in got.submission.problems}
    assert "Bundle.entry[1].resource" in told


def test_one_patient_sent_twice_is_one_patient():
    entries = [person("a"), person("a", telecom=[{"value": "1"}])]
    reading = read(bundle(*entries, potassium(2.9, {"reference": "urn:uuid:a"})))
    assert by_patient(reading) == {"Bundle.entry[2].resource": "a"}


def test_a_relative_reference_is_meant_on_the_server_of_who_refers():
    entries = []
    for server in ("one", "two"):
        base = f"https://{server}.example.org/fhir"
        entries.append({**person(server, id="1"), "fullUrl": f"{base}/Patient/1"})
        result = potassium(2.9, {"reference": "Patient/1"})
        entries.append({**result, "fullUrl": f"{base}/Observation/1"})
    nowhere = potassium(2.9, {"reference": "Patient/1"})
    reading = read(bundle(*entries, nowhere))
    assert by_patient(reading) == {
        "Bundle.entry[1].resource": "one",
        "Bundle.entry[3].resource": "two",
    }
    assert [one.where for one in reading.refused] == ["Bundle.entry[4].resource"]


def test_a_number_without_issuer_that_two_patients_have_names_neither():
    entries = [person(name, identifier=[{"value": "1"}]) for name in "ab"]
    result = potassium(2.9, {"identifier": {"value": "1"}})
    other = potassium(3.9, {"reference": "Patient/a"})
    reading = read(bundle(*entries, result, other))
    assert [one.where for one in reading.refused] == ["Bundle.entry[2].resource"]


def test_a_condition_that_could_be_anybodys_is_named():
    condition = {"resource": {"resourceType": "Condition", "code": {"text": "x"}}}
    entries = [person("a"), person("b"), potassium(2.9, {"reference": "Patient/a"}), condition]
    assert [one.where for one in read(bundle(*entries)).refused] == ["Bundle.entry[3].resource"]


SUBJECT = st.one_of(
    st.sampled_from(NAMES).map(lambda name: {"reference": f"urn:uuid:{name}"}),
    st.sampled_from(NAMES).map(lambda name: {"reference": f"Patient/{name}"}),
    st.sampled_from(NAMES).map(lambda n: {"identifier": {"system": "urn:mrn", "value": n}}),
    st.sampled_from(
        [None, {}, [], "urn:uuid:a", {"reference": 5}, {"reference": "#a"}, {"display": "a"}]
    ),
    st.sampled_from(["urn:uuid:gone", "Patient/gone", "https://x.example/fhir/Patient/gone"]).map(
        lambda gone: {"reference": gone}
    ),
)


def meant(subject):
    """Whom a subject names, as far as it names one of ours."""
    said = subject if isinstance(subject, dict) else {}
    number = said.get("identifier", {}).get("value")
    reference = said.get("reference")
    reference = reference if isinstance(reference, str) else ""
    short = reference.removeprefix("urn:uuid:").removeprefix("Patient/")
    return number or (short if short in NAMES else None)


@given(subjects=st.lists(SUBJECT, min_size=1, max_size=8), order=st.randoms(use_true_random=False))
def test_results_of_several_patients_are_never_mixed(subjects, order):
    results = [potassium(float(f"3.{index}"), subject) for index, subject in enumerate(subjects)]
    entries = [*map(person, NAMES), *results]
    order.shuffle(entries)
    try:
        reading = read(bundle(*entries))
        given_to, told = by_patient(reading), places(reading)
    except LabinterpError as error:
        given_to, told = {}, [one.where for one in error.errors]
    for index, entry in enumerate(entries):
        if entry["resource"]["resourceType"] == "Observation":
            where = f"Bundle.entry[{index}].resource"
            assert any(place.startswith(where) for place in told), where
            if where in given_to:
                assert given_to[where] == meant(entry["resource"]["subject"])


# ---- shapes


def deep(levels, inside):
    return inside if levels == 0 else {"extension": [deep(levels - 1, inside)]}


def loop():
    """Results contained in one another's report that are members of each other."""
    first = potassium(2.9, {"reference": "#p"}, id="x", hasMember=[{"reference": "#y"}])
    second = potassium(3.1, {"reference": "#p"}, id="y", hasMember=[{"reference": "#x"}])
    patient = person("a", id="p")["resource"]
    inside = {**first["resource"], "contained": [second["resource"], patient]}
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "result": [{"reference": "#x"}, {"reference": "#y"}, {"reference": "#gone"}],
        "contained": [inside],
    }


def test_members_of_each_other_are_read_once_however_deep_they_are_contained():
    report = loop()
    inside = report["contained"][0]
    assert places(read(report)).count("DiagnosticReport.contained[0].contained[0]") == 1
    assert set(by_patient(read(report))) == {
        "DiagnosticReport.contained[0]",
        "DiagnosticReport.contained[0].contained[0]",
    }
    assert inside["contained"][1]["resourceType"] == "Patient"
    assert set(by_patient(read(report)).values()) == {"a"}


WHOLE = bundle(
    *map(person, NAMES),
    *(
        potassium(float(f"3.{index}"), {"reference": f"Patient/{n}"})
        for index, n in enumerate(NAMES)
    ),
)
FAULTS = {
    "no resource": lambda entry: entry.pop("resource"),
    "a resource that is a list": lambda entry: entry.update(resource=[entry["resource"]]),
    "a resource that is text": lambda entry: entry.update(resource=json.dumps(entry["resource"])),
    "a resource type that is a number": lambda entry: entry["resource"].update(resourceType=5),
    "a resource type that is a list": lambda entry: entry["resource"].update(resourceType=["x"]),
    "a resource type of nothing": lambda entry: entry["resource"].update(resourceType=None),
    "a resource type in capitals": lambda entry: entry["resource"].update(
        resourceType=entry["resource"]["resourceType"].upper()
    ),
    "numbers as text": lambda entry: _each_number(entry["resource"], str),
    "numbers as lists": lambda entry: _each_number(entry["resource"], lambda value: [value]),
    "numbers as words": lambda entry: _each_number(entry["resource"], lambda _: "see note"),
    "numbers as truths": lambda entry: _each_number(entry["resource"], bool),
    "another's address": lambda entry: entry.update(fullUrl="urn:uuid:b"),
    "an address that is a number": lambda entry: entry.update(fullUrl=7),
    "the id of another": lambda entry: entry["resource"].update(id="b"),
    "a subject that is gone": lambda entry: entry["resource"].update(
        subject={"reference": "urn:uuid:gone"}
    ),
    "another's subject": lambda entry: entry["resource"].update(
        subject={"reference": "urn:uuid:b"}
    ),
    "itself within": lambda entry: entry["resource"].update(
        contained=[copy.deepcopy(entry["resource"])]
    ),
    "members that are itself": lambda entry: entry["resource"].update(
        id="me", hasMember=[{"reference": "Observation/me"}, {"reference": "#"}]
    ),
    "extensions 20 deep": lambda entry: entry["resource"].update(deep(14, {})),
    "a thousand extensions": lambda entry: entry["resource"].update(
        extension=[{"url": "urn:x", "valueString": "x"}] * 1_000
    ),
    "members under unknown names": lambda entry: entry["resource"].update(
        {"__proto__": {}, "": [], "constructor": None}
    ),
}


def _each_number(node, change):
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, dict | list):
            _each_number(value, change)
        elif isinstance(value, float):
            node[name] = change(value)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("index", [0, 3])
def test_a_fault_in_one_entry_leaves_the_other_patients_results_as_they_were(fault, index):
    document = copy.deepcopy(WHOLE)
    FAULTS[fault](document["entry"][index])
    reading = read(document)
    told = places(reading)
    assert any(place.startswith("Bundle.entry[3].resource") for place in told)
    others = {
        where: number for where, number in by_patient(reading).items() if not where.endswith("[3]")
    }
    assert others["Bundle.entry[5].resource"] == "c"
    moved = fault in ("another's address", "the id of another")  # b's own address is shared then
    if not (index == 0 and moved):
        assert others["Bundle.entry[4].resource"] == "b"


@given(
    faults=st.lists(
        st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(0, 5)), min_size=1, max_size=4
    )
)
def test_faults_together_are_read_or_refused_and_lose_no_result(faults):
    document = copy.deepcopy(WHOLE)
    for fault, index in faults:
        entry = document["entry"][index]
        if isinstance(entry.get("resource"), dict) and isinstance(
            entry["resource"].get("resourceType"), str
        ):
            FAULTS[fault](entry)
    try:
        reading = read(document)
        told = places(reading)
        for got in reading.received:
            interpret(got.submission, knowledge())
    except LabinterpError:  # refused as a whole: too many members, say
        return
    for index in (3, 4, 5):
        where = f"Bundle.entry[{index}].resource"
        assert any(place.startswith(where) for place in told), (where, told)


@pytest.mark.parametrize("levels", [100, 2000, 100_000])
def test_a_document_that_nests_without_end_is_refused(levels):
    body = json.dumps(WHOLE).replace(
        '"resourceType": "Observation"',
        '"resourceType": "Observation", "extension": '
        + '[{"extension": ' * levels
        + "[]"
        + "}]" * levels,
        1,
    )
    with pytest.raises(LabinterpError):
        formats.read("fhir", body.encode(), NOW)


def test_what_is_wrong_with_an_entry_of_nobodys_is_told_once():
    entries = [*map(person, NAMES), {"resource": {"resourceType": "Basic"}}]
    results = [potassium(3.0, {"reference": f"urn:uuid:{name}"}) for name in NAMES]
    reading = read(bundle(*entries, *results))
    assert len(reading.received) == 3
    assert places(reading).count("Bundle.entry[3].resource") == 1


@pytest.mark.parametrize(
    "entries",
    [
        [person("a", birthDate=f"19{n % 90 + 10}-01-01") for n in range(1000)],
        [person(f"p{n}") for n in range(1000)],
        [{"resource": {"resourceType": "Basic", "id": "x"}}] * 1000,
    ],
    ids=["of one address", "of many patients", "of unread resources"],
)
def test_a_large_document_is_read_in_time(entries):
    subjects = [entry["resource"].get("id", "a") for entry in entries]
    results = [potassium(3.0, {"reference": f"urn:uuid:{name}"}) for name in subjects]
    began = time.perf_counter()
    with contextlib.suppress(LabinterpError):
        read(bundle(*entries, *results))
    assert time.perf_counter() - began < 10, "quadratic would be minutes"
