"""What is answered is found again: by what it is about, when it was taken, and what became of it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from labinterp.usecases import administer
from tests.unit.api.conftest import new_caller
from tests.unit.api.test_fhir_transaction import FHIR, bundle, patient, potassium

BASE = "https://labinterp.example.org"


@pytest.fixture
def reports(caller, clock):
    """Ids of one report a day, collected on the first to the fifth of a month, newest last."""
    made = []
    for day in (3, 1, 5, 2, 4):
        clock.move(60)
        name = f"p{day}"
        taken = potassium(name, effectiveDateTime=f"2026-03-0{day}T08:00:00Z")
        made.append((day, send(caller, patient(name), taken)))
    return dict(made)


def send(caller, *entries):
    sent = bundle(*entries, kind="collection")
    answer = caller.post("/fhir/$interpret-panel", sent, content_type=FHIR)
    assert answer.status_code == 200, answer.text
    return answer.json["entry"][0]["resource"]["id"]


def pages(caller, path):
    """The ids of each page, following the links."""
    while path:
        page = caller.get(path)
        assert page.status_code == 200, page.text
        yield [one["resource"]["id"] for one in page.json.get("entry", ())]
        links = {link["relation"]: link["url"] for link in page.json["link"]}
        assert links["self"].removeprefix(BASE).partition("?")[0] == path.partition("?")[0]
        path = links.get("next", "").removeprefix(BASE)


def found(caller, query, kind="DiagnosticReport"):
    return [one for page in pages(caller, f"/fhir/{kind}?{query}") for one in page]


OF_A_TIME = {
    "date=2026-03-02": [2],
    "date=2026-03-02T08:00:00Z": [2],
    "date=2026-03-02T09:00:00%2B01:00": [2],
    "date=ge2026-03-02&date=lt2026-03-05": [4, 3, 2],
    "date=gt2026-03-02&date=le2026-03-04": [4, 3],
    "date=sa2026-03-04": [5],
    "date=eb2026-03-02": [1],
    "date=2026-03": [5, 4, 3, 2, 1],
    "date=2025": [],
    "date=ge2026-03-04&date=lt2026-03-02": [],
}


@pytest.mark.parametrize("count", [1, 2, 20])
def test_reports_of_a_time_are_found_on_full_pages_latest_first(caller, reports, count):
    for query, days in OF_A_TIME.items():
        listed = list(pages(caller, f"/fhir/DiagnosticReport?{query}&_count={count}"))
        assert [one for page in listed for one in page] == [reports[day] for day in days], query
        assert all(len(page) == count for page in listed[:-1])


def test_what_was_answered_lately_is_found(caller, reports, clock):
    since = (clock() - timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found(caller, f"_lastUpdated=ge{since}&_count=1") == [reports[4], reports[2]]
    assert found(caller, f"_lastUpdated=gt{since}") == [reports[4]]
    assert found(caller, f"_lastUpdated=ge{since}&date=le2026-03-03") == [reports[2]]


def test_some_are_found_by_identifier_or_id(caller, reports):
    one, other = reports[1], reports[5]
    assert found(caller, f"identifier={one}") == [one]
    assert found(caller, f"identifier={BASE}/fhir/DiagnosticReport|{one}") == [one]
    assert found(caller, f"identifier=urn:other|{one}") == []
    assert set(found(caller, f"identifier={one},{other}&_count=1")) == {one, other}
    assert found(caller, f"_id={one},{other}&date=2026-03-05") == [other]
    assert found(caller, f"_id={one}-potassium", "Observation") == [f"{one}-potassium"]
    assert found(caller, f"_id={one}-magnesium", "Observation") == []


def test_a_patient_without_a_number_is_found_by_reference(caller):
    nobody = patient("x")
    del nobody["resource"]["identifier"]
    mine = send(caller, nobody, potassium("x"))
    send(caller, patient("y"), potassium("y"))
    assert found(caller, f"patient=Patient/{mine}") == [mine]
    assert found(caller, "patient=Patient/none") == []


# ---- versions and their origin


@pytest.fixture
def corrected(caller, clock):
    """A report in its second version."""
    known = {"identifier": [{"system": "urn:lab", "value": "R1"}]}
    first = send(caller, patient("a"), potassium("a", "3.4", **known))
    clock.move(60)
    assert first == send(caller, patient("a"), potassium("a", "2.4", status="corrected", **known))
    return first


@pytest.mark.parametrize("kind", ["DiagnosticReport", "Observation", "Provenance", "Bundle"])
def test_the_versions_of_a_resource_are_listed_newest_first(caller, corrected, kind):
    name = f"{corrected}-potassium" if kind == "Observation" else corrected
    history = caller.get(f"/fhir/{kind}/{name}/_history").json
    assert (history["type"], history["total"]) == ("history", 2)
    for version, entry in zip(("2", "1"), history["entry"], strict=True):
        assert entry["resource"]["meta"]["versionId"] == version
        assert entry["response"]["etag"] == f'W/"{version}"'
        assert entry["resource"] == caller.get(f"/fhir/{kind}/{name}/_history/{version}").json
    assert [entry["request"]["method"] for entry in history["entry"]] == ["PUT", "POST"]


def test_a_history_of_nothing_is_not_found(caller, neighbour, corrected):
    for who, path in (
        (neighbour, f"DiagnosticReport/{corrected}"),
        (caller, f"Observation/{corrected}-magnesium"),
        (caller, "DiagnosticReport/none"),
    ):
        answer = who.get(f"/fhir/{path}/_history")
        assert answer.status_code == 404
        assert answer.json["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("prefix", ["", f"{BASE}/fhir/"])
def test_where_a_resource_comes_from_is_found_by_it(caller, corrected, reports, prefix):
    for target in (f"DiagnosticReport/{corrected}", f"Observation/{corrected}-potassium"):
        assert found(caller, f"target={prefix}{target}", "Provenance") == [corrected]
    assert found(caller, f"target=Observation/{corrected}-magnesium", "Provenance") == []
    assert found(caller, "target=DiagnosticReport/none", "Provenance") == []
    assert len(found(caller, "recorded=ge2026-11-24", "Provenance")) == 6
    (recorded,) = caller.get(f"/fhir/Provenance?target=DiagnosticReport/{corrected}").json["entry"]
    assert recorded["resource"]["activity"]["coding"][0]["code"] == "UPDATE"


def test_histories_and_searches_are_valid_fhir(caller, corrected):
    from fhir.resources.R4B.bundle import Bundle

    for path in (f"DiagnosticReport/{corrected}/_history", "Provenance", "DiagnosticReport"):
        Bundle.model_validate(json.loads(caller.get(f"/fhir/{path}").text))


# ---- pages that are full, and tell no patient


def sodium(name, **more):
    made = potassium(name, "139", **more)
    coding = {"system": "http://loinc.org", "code": "2951-2"}
    made["resource"]["code"] = {"coding": [coding], "text": "Sodium"}
    return made


@pytest.fixture
def mixed(caller, clock):
    """Reports of potassium, each between two of sodium; oldest first."""
    made = []
    for day in range(1, 10):
        clock.move(60)
        taken = potassium if day % 3 == 2 else sodium
        sent = taken(f"p{day}", effectiveDateTime=f"2026-03-0{day}T08:00:00Z")
        made.append(send(caller, patient(f"p{day}"), sent))
    return made


def test_results_of_a_code_fill_their_pages_and_the_last_has_no_next(caller, mixed):
    wanted = [f"{mixed[day - 1]}-potassium" for day in (8, 5, 2)]
    for code in ("2823-3", "http://loinc.org|2823-3", "2823-3,1-8"):
        for query in (f"code={code}", f"code={code}&date=ge2026-03-01"):
            listed = list(pages(caller, f"/fhir/Observation?{query}&_count=2"))
            assert listed == [wanted[:2], wanted[2:]], query
    assert found(caller, "code=urn:other|2823-3", "Observation") == []
    assert found(caller, "code=2823-3&code=2951-2", "Observation") == []


def test_a_correction_is_found_by_what_it_holds_now(caller, clock):
    known = {"identifier": [{"system": "urn:lab", "value": "R1"}]}
    first = send(caller, patient("a"), potassium("a", "3.4", **known))
    clock.move(60)
    send(caller, patient("a"), potassium("a", "2.4", status="corrected", **known))
    assert found(caller, "code=2823-3", "Observation") == [f"{first}-potassium"]


@pytest.mark.parametrize("way", ["GET", "POST"])
def test_no_address_of_a_further_page_names_the_patient(caller, clock, way):
    for value in ("3.4", "3.5", "3.6"):
        clock.move(86_400)
        day = clock().strftime("%Y-%m-%dT08:00:00Z")
        send(caller, patient("zebra"), potassium("zebra", value, effectiveDateTime=day))
    query = f"patient.identifier={known_of(patient('zebra'))}&_count=1"
    if way == "GET":
        first = caller.get(f"/fhir/DiagnosticReport?{query}")
    else:
        form = "application/x-www-form-urlencoded"
        first = caller.post(
            "/fhir/DiagnosticReport/_search", body=query.encode(), content_type=form
        )
    links = {link["relation"]: link["url"] for link in first.json["link"]}
    assert "zebra" not in links["next"]
    assert ("zebra" in links["self"]) is (way == "GET")
    rest = [one for page in pages(caller, links["next"].removeprefix(BASE)) for one in page]
    assert len({first.json["entry"][0]["resource"]["id"], *rest}) == 3


def known_of(entry):
    (identifier,) = entry["resource"]["identifier"]
    return f"{identifier['system']}|{identifier['value']}"


@pytest.mark.parametrize("page", ["x", "", "AAAA", "ä"])
def test_a_page_nobody_was_given_is_refused(caller, page):
    answer = caller.get(f"/fhir/Observation?_page={page}")
    assert answer.status_code == 422
    assert answer.json["issue"][0]["details"]["coding"][0]["code"] == "cursor-invalid"


def test_a_page_of_one_organisation_leads_nobody_else_anywhere(app, services, caller, mixed):
    link = caller.get("/fhir/Observation?_count=1").json["link"][1]["url"].removeprefix(BASE)
    other = administer.create_organisation(services, "Ward 8")
    neighbour = new_caller(app, services, other, "panels:read")
    assert neighbour.get(link).status_code == 422
    assert caller.get(link.replace("/Observation", "/DiagnosticReport")).status_code == 422
