"""FHIR R4 as senders write it: what is read, what is asked about, and that nothing is lost."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labinterp import formats
from labinterp.errors import SubmissionError, UnsupportedFormat
from labinterp.formats.fhir_document import bundle_identifier
from labinterp.interpretation import interpret
from tests.build import knowledge

MESSAGES = Path(__file__).parent / "fhir_messages"
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


def example(name):
    return json.loads((MESSAGES / f"{name}.json").read_text("utf-8"))


def read(document):
    return formats.read("fhir", json.dumps(document).encode(), NOW)


def answer(document):
    (received,) = read(document).received
    return interpret(received.submission, knowledge())


def observation(value="2.90", code="2823-3", **more):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "valueQuantity": {
            "value": float(value),
            "unit": "mmol/L",
            "system": UCUM,
            "code": "mmol/L",
        },
        "effectiveDateTime": "2026-03-04T08:10:00+01:00",
        **more,
    }


def bundle(*resources, **more):
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": one} for n, one in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries, **more}


def patient(name, **more):
    return {
        "resourceType": "Patient",
        "id": name,
        "gender": "female",
        "birthDate": "1979-06-14",
        **more,
    }


def submitted(*resources, **more):
    (received,) = read(bundle(*resources, **more)).received
    return received.submission


def problems(*resources):
    return {(where, code) for where, code, _ in submitted(*resources).problems}


# ---- whole messages


@pytest.mark.parametrize(
    "name",
    ["01-in-bundle-collection", "02-in-parameters-interpret-panel", "03-in-bundle-transaction"],
)
def test_the_collection_gives_the_same_panel_bare_as_a_parameter_and_as_a_transaction(name):
    found = answer(example(name))
    standings = {one.measurand: one.standing for one in found.results}
    assert standings == {
        "potassium": "high",
        "sodium": "within",
        "calcium": "low",
        "adjusted_calcium": "within",
        "magnesium": "low",
        "ionized_calcium": "unknown",
        "vitamin_b12": "low",
        "vitamin_d_25oh": "unknown",
        "pth": "within",
        "albumin": "low",
    }
    assert found.patient.age_at_collection.text == "46 years"
    assert found.patient.pregnancy == "not_pregnant"
    assert {one.code for one in found.problems} == {
        "status-preliminary",
        "not-measured",
        "status-ignored",
        "clinical-information",
    }


def test_a_search_result_without_a_patient_is_read_and_says_what_that_costs():
    found = answer(example("04-in-bundle-searchset"))
    codes = {one.code for one in found.problems}
    assert {"patient-missing", "sender-outcome", "status-preliminary"} <= codes
    assert {one.measurand for one in found.results} >= {
        "potassium",
        "sodium",
        "calcium",
        "magnesium",
    }


def test_a_report_with_contained_results_is_read():
    found = answer(example("05-in-diagnosticreport-contained"))
    assert [one.measurand for one in found.results if one.reported] == ["potassium", "magnesium"]


def test_a_lone_observation_is_a_panel():
    (one,) = answer(observation()).results
    assert (one.measurand, one.reported.value, one.reported.unit) == ("potassium", "2.9", "mmol/L")


def test_the_identifier_of_a_bundle_is_known():
    named = bundle(observation(), identifier={"system": "urn:x", "value": "7"})
    assert bundle_identifier(named) == "urn:x|7"
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "panel", "resource": named}]}
    assert bundle_identifier(wrapped) == "urn:x|7"
    assert bundle_identifier(bundle(observation())) is None


# ---- whose result it is


@pytest.mark.hazard("wrong-patient")
def test_two_patients_are_two_panels_and_a_result_of_neither_is_refused():
    to = lambda name: {"subject": {"reference": f"Patient/{name}"}}  # noqa: E731
    reading = read(
        bundle(
            patient("a"),
            patient("b", gender="male"),
            observation("4.1", **to("a")),
            observation("2.4", **to("b")),
            observation("3.3"),
        )
    )
    values = [[one.value for one in got.submission.results] for got in reading.received]
    assert values == [["4.1"], ["2.4"]]
    assert [got.submission.sex for got in reading.received] == ["female", "male"]
    ((where, code),) = [(one.where, one.code) for one in reading.refused]
    assert (where, code) == ("Bundle.entry[4].resource", "multiple-patients")


def test_a_result_belongs_to_the_patient_of_the_report_it_hangs_on():
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "subject": {"reference": "Patient/b"},
        "result": [{"reference": "urn:uuid:3"}],
    }
    reading = read(bundle(patient("a"), patient("b"), report, observation("2.4")))
    assert [got.where for got in reading.received] == [""]
    assert reading.received[0].identity.identifier is None
    assert [one.value for one in reading.received[0].submission.results] == ["2.4"]


def test_a_patient_known_by_identifier_only_is_known():
    subject = {"identifier": {"system": "urn:mrn", "value": "SYN-1"}}
    (received,) = read(bundle(observation(subject=subject))).received
    assert (received.identity.identifier, received.identity.issuer) == ("SYN-1", "urn:mrn")


@pytest.mark.parametrize(("birth", "years"), [("1979", 46), ("1979-06", 46), ("1979-02", 47)])
def test_part_of_a_birth_date_gives_an_age_and_says_so(birth, years):
    got = submitted(patient("a", birthDate=birth), observation())
    assert got.age_text.startswith(str(years))
    assert ("Bundle.entry[0].resource.birthDate", "demographics-missing") in {
        (where, code) for where, code, _ in got.problems
    }


# ---- values


@pytest.mark.parametrize(
    ("member", "value", "unit"),
    [
        ({"valueString": "2.1 pmol/L"}, "2.1", "pmol/L"),
        ({"valueString": "<4 ng/mL"}, "<4", "ng/mL"),
        ({"valueString": "3,8 mmol/l"}, "3,8", "mmol/l"),
        ({"valueString": "3,8"}, "3,8", None),
        ({"valueString": "haemolysed, 3.8 at 9 am"}, "haemolysed, 3.8 at 9 am", None),
        ({"valueInteger": 4}, "4", None),
        ({"valueCodeableConcept": {"text": "Positive"}}, "Positive", None),
        ({"valueBoolean": True}, "positive", None),
        ({"valueQuantity": {"value": 2.9, "unit": "mEq/L"}}, "2.9", "mEq/L"),
        (
            {"valueQuantity": {"value": 2.9, "unit": "x", "system": UCUM, "code": "meq/L"}},
            "2.9",
            "meq/L",
        ),
        (
            {
                "valueQuantity": {
                    "value": 2.9,
                    "unit": "mmol/L",
                    "system": "http://snomed.info/sct",
                    "code": "258813002",
                }
            },
            "2.9",
            "mmol/L",
        ),
    ],
)
def test_each_kind_of_value_is_read_as_it_was_sent(member, value, unit):
    sent = observation()
    del sent["valueQuantity"]
    (one,) = submitted({**sent, **member}).results
    assert (one.value, one.unit) == (value, unit)


@pytest.mark.hazard("wrong-number")
def test_digits_are_kept():
    body = json.dumps(observation()).replace('"value": 2.9', '"value": 2.900')
    (received,) = formats.read("fhir", body.encode(), NOW).received
    assert received.submission.results[0].value == "2.900"


@pytest.mark.hazard("lost-comparator")
def test_a_comparator_is_kept():
    sent = observation()
    sent["valueQuantity"]["comparator"] = "<"
    (one,) = submitted(sent).results
    assert (one.comparator, one.value) == ("<", "2.9")


@pytest.mark.hazard("invented-normal")
def test_a_reason_for_no_value_is_told():
    sent = observation(
        dataAbsentReason={"coding": [{"code": "not-performed", "display": "Not Performed"}]}
    )
    del sent["valueQuantity"]
    (one,) = submitted(sent).results
    assert (one.value, one.not_measured) == (None, "Not Performed")


def test_components_are_results_at_their_own_places():
    part = observation("0.61", code="2601-3")
    whole = {
        **observation(),
        "component": [{"code": part["code"], "valueQuantity": part["valueQuantity"]}],
    }
    places = [one.where for one in submitted(whole).results]
    assert places == ["Bundle.entry[0].resource", "Bundle.entry[0].resource.component[0]"]


def test_a_panel_of_members_is_no_result_of_its_own():
    whole = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Electrolytes"},
        "hasMember": [{"reference": "urn:uuid:1"}],
    }
    assert [one.value for one in submitted(whole, observation("4.1")).results] == ["4.1"]


# ---- status and ranges


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        ("final", "final"),
        ("amended", "corrected"),
        ("corrected", "corrected"),
        ("cancelled", "cancelled"),
        ("entered-in-error", "entered-in-error"),
    ],
)
def test_the_status_is_the_senders(sent, read_as):
    assert submitted(observation(status=sent)).results[0].status == read_as


def test_a_withdrawn_report_withdraws_its_results():
    report = {
        "resourceType": "DiagnosticReport",
        "status": "cancelled",
        "result": [{"reference": "urn:uuid:1"}],
    }
    got = submitted(report, observation())
    assert got.results[0].status == "cancelled"
    assert ("Bundle.entry[1].resource.status", "status-ignored") in {
        one[:2] for one in got.problems
    }


@pytest.mark.parametrize(
    ("ranges", "read_as"),
    [
        ([{"low": {"value": 3.5}, "high": {"value": 5.1}}], ("3.5", "5.1", None)),
        ([{"text": "3.5 - 5.1"}], (None, None, "3.5 - 5.1")),
        ([{"low": {"value": 0}, "high": {"value": 0}}], None),
        ([{"low": {"value": 3.5}}, {"low": {"value": 4}}], None),
        (
            [
                {"low": {"value": 3.5}},
                {"low": {"value": 4}, "appliesTo": [{"coding": [{"code": "248153007"}]}]},
            ],
            ("3.5", None, None),
        ),
        (
            [
                {"low": {"value": 3.5}},
                {"low": {"value": 4}, "type": {"coding": [{"code": "therapeutic"}]}},
            ],
            ("3.5", None, None),
        ),
        (
            [
                {"low": {"value": 3.5}, "age": {"high": {"value": 18, "code": "a"}}},
                {"low": {"value": 4}, "age": {"low": {"value": 18, "code": "a"}}},
            ],
            ("4", None, None),
        ),
        ([{"low": {"value": 3.5}, "modifierExtension": [{"url": "urn:x"}]}], None),
    ],
)
def test_the_range_that_fits_the_patient_is_used(ranges, read_as):
    (one,) = submitted(patient("a"), observation(referenceRange=ranges)).results
    got = one.interval and (one.interval.low, one.interval.high, one.interval.text)
    assert got == read_as


# ---- the patient's state


def test_pregnancy_comes_from_what_was_recorded():
    weeks = observation("33", code="18185-9")
    weeks["valueQuantity"] = {"value": 231, "code": "d"}
    got = submitted(patient("a"), observation(), weeks)
    assert (got.pregnancy, got.gestation_weeks) == ("pregnant", 33)
    assert len(got.results) == 1


def test_medicines_and_conditions_in_the_bundle_are_the_patients():
    taken = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": {"text": "Omeprazole"},
    }
    stopped = {**taken, "status": "stopped", "medicationCodeableConcept": {"text": "Lithium"}}
    kidney = {"resourceType": "Condition", "code": {"text": "CKD"}}
    over = {
        "resourceType": "Condition",
        "code": {"text": "Coeliac disease"},
        "clinicalStatus": {"coding": [{"code": "resolved"}]},
    }
    got = submitted(patient("a"), observation(), taken, stopped, kidney, over)
    assert [one.text for one in got.medications] == ["Omeprazole"]
    assert [one.text for one in got.conditions] == ["CKD"]


@pytest.mark.parametrize(
    ("said", "degree"),
    [
        ("Slightly haemolysed", "slight"),
        ("grossly hemolyzed", "gross"),
        ("Haemolysed", "moderate"),
        ("not haemolysed", "none"),
    ],
)
def test_haemolysis_comes_from_the_specimens_condition(said, degree):
    specimen = {"resourceType": "Specimen", "condition": [{"text": said}]}
    got = submitted(patient("a"), observation(specimen={"reference": "urn:uuid:2"}), specimen)
    assert got.specimen_fields["haemolysis"] == degree


# ---- what is not read


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"resourceType": "Patient"},
        {"resourceType": "Bundle", "type": "history", "entry": []},
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Parameters", "parameter": []},
        {"resourceType": "Parameters", "parameter": [{"name": "panel", "valueString": "x"}]},
        bundle(patient("a")),
    ],
)
def test_a_document_without_a_panel_is_refused_by_its_place(document):
    with pytest.raises(SubmissionError) as caught:
        read(document)
    assert caught.value.errors or caught.value.code == "nothing-recognised"


def test_xml_is_refused_by_name():
    with pytest.raises(UnsupportedFormat) as caught:
        formats.read("fhir", b'<Bundle xmlns="http://hl7.org/fhir"/>', NOW)
    assert caught.value.code == "version-unsupported"


def test_a_vital_sign_is_told_and_is_no_result():
    pulse = observation("70", code="8867-4", category=[{"coding": [{"code": "vital-signs"}]}])
    got = submitted(observation(), pulse)
    assert len(got.results) == 1
    assert ("Bundle.entry[1].resource", "unmapped-code") in {one[:2] for one in got.problems}


# ---- dirty documents


def paths_in(node, path=()):
    yield path
    listed = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for name, inner in listed:
        yield from paths_in(inner, (*path, name))


WHOLE = example("01-in-bundle-collection")
PATHS = [path for path in paths_in(WHOLE) if path]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=20),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just([{}]),
    st.just({"reference": "#x"}),
    st.just("\x00"),
    st.just("9" * 300),
)


@given(
    edits=st.lists(
        st.tuples(st.sampled_from(PATHS), st.sampled_from(["drop", "junk", "twice"]), JUNK),
        min_size=1,
        max_size=4,
    )
)
def test_a_dirty_document_is_read_or_refused_and_loses_no_observation(edits):
    document = copy.deepcopy(WHOLE)
    for path, how, junk in edits:
        edit(document, path, how, junk)
    sent = [
        f"Bundle.entry[{index}].resource"
        for index, one in enumerate(
            document.get("entry") or [] if isinstance(document.get("entry"), list) else []
        )
        if isinstance(one, dict)
        and isinstance(one.get("resource"), dict)
        and one["resource"].get("resourceType") == "Observation"
        and "82810-3" not in json.dumps(one)
        and "DELETE" not in json.dumps(one)
    ]
    try:
        reading = read(document)
    except SubmissionError:
        return
    told = [one.where for one in reading.refused]
    for got in reading.received:
        told += [one.where for one in got.submission.results]
        told += [where for where, _, _ in got.submission.problems]
        interpret(got.submission, knowledge())
    for place in sent:
        assert any(where.startswith(place) for where in told), place


def edit(document, path, how, junk):
    holder = document
    for step in path[:-1]:
        try:
            holder = holder[step]
        except (KeyError, IndexError, TypeError):
            return
    try:
        if how == "drop":
            del holder[path[-1]]
        elif how == "junk":
            holder[path[-1]] = junk
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[path[-1]]))
    except (KeyError, IndexError, TypeError):
        return
