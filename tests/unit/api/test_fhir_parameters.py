"""What `$interpret-panel` is asked beside the panel has its effect, or is named as having none."""

from __future__ import annotations

import copy
import dataclasses
import json
from base64 import b64decode, b64encode
from hashlib import sha1
from pathlib import Path

import pytest

from app import create_app
from labinterp.usecases import journey
from tests.unit.api.conftest import new_caller

FHIR = "application/fhir+json"
OPERATION = "/fhir/$interpret-panel"
MESSAGES = Path(__file__).parents[2] / "contract" / "fhir_messages"
PANEL = json.loads((MESSAGES / "01-in-bundle-collection.json").read_text("utf-8"))


def document(*parameters):
    panel = copy.deepcopy(PANEL)
    panel.pop("identifier", None)
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "panel", "resource": panel}, *parameters],
    }


def ask(caller, *parameters):
    answer = caller.post(OPERATION, document(*parameters), content_type=FHIR)
    assert answer.status_code == 200, answer.text
    return answer.json


def named(answer, kind):
    found = [one["resource"] for one in answer["entry"]]
    return [one for one in found if one["resourceType"] == kind]


def issues(answer):
    (outcome,) = named(answer, "OperationOutcome")
    return {tuple(one.get("expression", ())): one["details"]["text"] for one in outcome["issue"]}


def observation(answer, measurand):
    found = (one for one in named(answer, "Observation") if one["id"].endswith(f"-{measurand}"))
    return next(found)


def code(name, value):
    return {"name": name, "valueCode": value}


def pdf(value):
    return {"name": "deliver", "part": [{"name": "pdf", "valueBoolean": value}]}


# ---- the document


def test_the_document_is_in_the_answer_where_it_is_asked_for(caller):
    (report,) = named(ask(caller, pdf(value=True)), "DiagnosticReport")
    (form,) = report["presentedForm"]
    data = b64decode(form["data"])
    assert data.startswith(b"%PDF")
    assert form["contentType"] == "application/pdf"
    assert form["language"] == "en"
    assert form["size"] == len(data)
    assert form["hash"] == b64encode(sha1(data, usedforsecurity=False).digest()).decode()
    assert form["title"].startswith("Laboratory interpretation LI-")
    assert form["creation"].startswith("2026-11-24T09:00:00")
    assert caller.get(f"/fhir/Binary/{report['id']}").data == data


@pytest.mark.parametrize("asked", [(), (pdf(value=False),)])
def test_else_its_address_is_and_its_size_and_hash_once_it_is_drawn(caller, services, asked):
    (report,) = named(ask(caller, *asked), "DiagnosticReport")
    (form,) = report["presentedForm"]
    assert set(form) == {"contentType", "language", "url", "title"}
    assert journey.draw_due(services, "w", 1) == 1
    drawn = caller.get(form["url"].removeprefix("https://labinterp.example.org")).data
    for path in ("DiagnosticReport", "Bundle"):
        found = caller.get(f"/fhir/{path}/{report['id']}").json
        found = found["entry"][0]["resource"] if path == "Bundle" else found
        (later,) = found["presentedForm"]
        assert later["size"] == len(drawn)
        assert later["hash"] == b64encode(sha1(drawn, usedforsecurity=False).digest()).decode()
        assert "data" not in later
    (searched,) = named(caller.get("/fhir/DiagnosticReport").json, "DiagnosticReport")
    assert searched["presentedForm"] == [later]


def test_a_superseded_version_names_its_own_document(caller, services):
    (first,) = named(ask(caller, pdf(value=True)), "DiagnosticReport")
    (second,) = named(ask(caller, code("rangePolicy", "service-only")), "DiagnosticReport")
    assert second["meta"]["versionId"] == "2"
    old = caller.get(f"/fhir/DiagnosticReport/{first['id']}/_history/1").json
    (form,) = old["presentedForm"]
    assert form["url"].endswith(f"/Binary/{first['id']}/_history/1")
    assert "hash" not in form
    answer = caller.get(form["url"].removeprefix("https://labinterp.example.org"))
    assert answer.data.startswith(b"%PDF")
    assert answer.headers["ETag"] == 'W/"1"'


# ---- whose unit leads, whose interval decides


@pytest.mark.parametrize(
    ("leads", "unit", "other", "loinc"),
    [("si", "mmol/L", "mg/dL", "2601-3"), ("conventional", "mg/dL", "mmol/L", "19123-9")],
)
def test_the_unit_that_was_asked_for_leads_and_the_other_stands_beside_it(
    caller, leads, unit, other, loinc
):
    answer = ask(caller, code("unitSystem", leads))
    magnesium = observation(answer, "magnesium")
    assert magnesium["valueQuantity"]["code"] == unit
    (limits,) = magnesium["referenceRange"]
    assert {limits[end]["code"] for end in ("low", "high")} == {unit}
    assert magnesium["code"]["coding"][0]["code"] == loinc
    assert any(other in one["text"] for one in magnesium["note"])
    again = caller.get(f"/fhir/Observation/{magnesium['id']}").json
    assert again == magnesium


def test_the_flag_is_the_same_in_either_unit(caller):
    told = [
        [one.get("interpretation") for one in named(ask(caller, code("unitSystem", leads)), kind)]
        for leads in ("si", "conventional")
        for kind in ("Observation",)
    ]
    assert told[0] == told[1]


def test_the_interval_that_was_asked_for_decides(caller):
    by_policy = {}
    for policy in ("lab-only", "service-only"):
        potassium = observation(ask(caller, code("rangePolicy", policy)), "potassium")
        by_policy[policy] = potassium["referenceRange"][0]["text"]
    assert "the laboratory's" in by_policy["lab-only"]
    assert "the service's" in by_policy["service-only"]


# ---- what has no effect is named


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        (code("unitSystem", "imperial"), "unitSystem"),
        (code("rangePolicy", "mine"), "rangePolicy"),
        ({"name": "rangePolicy"}, "rangePolicy"),
        ({"name": "colour", "valueCode": "red"}, "colour"),
        ({"name": "deliver.pdf", "valueString": "yes"}, "deliver.pdf"),
        ({"name": "deliver.email"}, "deliver.email"),
        ({"name": "panel", "resource": PANEL}, "panel"),
        ({}, "''"),
    ],
)
def test_a_parameter_without_effect_is_named_by_its_place(caller, parameter, said):
    told = issues(ask(caller, parameter))
    assert said in told[("Parameters.parameter[1]",)]


def test_a_part_without_effect_is_named_by_its_place(caller):
    parts = [{"name": "pdf", "valueCode": "x"}, {"name": "fax", "valueString": "1"}]
    told = issues(ask(caller, {"name": "deliver", "part": parts}))
    assert "deliver.pdf" in told[("Parameters.parameter[1].part[0]",)]
    assert "deliver.fax" in told[("Parameters.parameter[1].part[1]",)]


def test_what_is_said_twice_counts_the_first_time(caller):
    told = issues(ask(caller, code("unitSystem", "si"), code("unitSystem", "conventional")))
    assert "unitSystem" in told[("Parameters.parameter[2]",)]


def test_each_address_is_told(caller, services):
    flat = [{"name": "deliver.email", "valueString": f"{one}@example.org"} for one in "ab"]
    part = {"name": "deliver", "part": [{"name": "email", "valueUri": "mailto:c@example.org"}]}
    (report,) = named(ask(caller, *flat, part), "DiagnosticReport")
    told = caller.get(f"/api/v1/panels/{report['id']}/deliveries").json["deliveries"]
    assert sorted(one["to"] for one in told) == [f"{one}@example.org" for one in "abc"]


# ---- the conclusion in codes


def test_snomed_codes_are_sent_only_where_the_operator_allows_them(services, organisation):
    told = {}
    for allowed in (False, True):
        policy = dataclasses.replace(services.policy, snomed_ct=allowed)
        app = create_app(dataclasses.replace(services, policy=policy))
        answer = ask(new_caller(app, services, organisation, "panels:write"))
        (report,) = named(answer, "DiagnosticReport")
        told[allowed] = {
            (coding["system"], coding["code"])
            for one in report["conclusionCode"]
            for coding in one["coding"]
        }
    snomed = {code for system, code in told[True] if system == "http://snomed.info/sct"}
    assert snomed == {"190855004", "190634004", "14140009"}
    assert told[False] == {one for one in told[True] if one[0] != "http://snomed.info/sct"}
    assert all(system.startswith("https://labinterp.example.org/") for system, _ in told[False])


def test_an_address_that_is_none_is_named_by_its_parameter(caller):
    parts = [{"name": "email", "valueString": one} for one in ("a@example.org", "no address")]
    parameter = {"name": "deliver", "part": parts}
    answer = caller.post(OPERATION, document(parameter), content_type=FHIR)
    assert answer.status_code == 422
    (issue,) = answer.json["issue"]
    assert issue["expression"] == ["Parameters.parameter[1].part[1]"]
