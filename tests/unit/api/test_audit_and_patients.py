"""Who answers for an organisation reads its audit as FHIR, hands a patient's data over, and erases it."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from labinterp.usecases import administer, audit_trail

from .conftest import new_caller

PANEL = {
    "patient": {"identifier": {"value": "MRN-7", "system": "urn:example:mrn"}, "family": "Quill"},
    "collected_at": "2026-11-24T08:00:00Z",
    "results": [{"test": "Potassium", "value": "2.9", "unit": "mmol/L"}],
}
WHOM = {"identifier": "MRN-7", "system": "urn:example:mrn"}
WHY = {**WHOM, "reason": "asked for by letter"}


@pytest.fixture
def admin(app, services, organisation):
    return new_caller(app, services, organisation, "admin")


@pytest.fixture
def panel_id(admin):
    return admin.post("/api/v1/panels", PANEL).json["id"]


def found(caller, question):
    answer = caller.get(f"/fhir/AuditEvent{question}")
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json.get("entry", ())]


def subtypes(events):
    return [one["subtype"][0]["code"] for one in events]


def test_events_are_found_by_what_they_were_about_and_read_by_id(admin, panel_id):
    admin.get(f"/api/v1/panels/{panel_id}")
    about = found(admin, f"?entity=DiagnosticReport/{panel_id}")
    assert subtypes(about) == ["panel-read", "panel-accepted"]
    assert subtypes(found(admin, f"?entity={panel_id}&subtype=panel-accepted")) == [
        "panel-accepted"
    ]
    agent = about[0]["agent"][0]["who"]["identifier"]["value"]
    assert set(subtypes(about)) <= set(subtypes(found(admin, f"?agent={agent}")))
    assert found(admin, "?action=D") == []
    read = admin.get(f"/fhir/AuditEvent/{about[1]['id']}")
    assert read.json == about[1]
    AuditEvent.model_validate(read.json)
    assert admin.get("/fhir/AuditEvent/none-such").status_code == 404


def test_looking_leaves_an_event_and_each_has_its_place_in_the_chain(admin, services, panel_id):
    found(admin, "")
    events = found(admin, "?subtype=audit-read")
    assert subtypes(events) == ["audit-read", "audit-read"]
    details = {one["type"]: one["valueString"] for one in events[0]["entity"][-1]["detail"]}
    (head,) = [one for one in audit_trail.verify(services).heads if one.hash == details["hash"]]
    assert str(head.sequence) == details["sequence"]
    assert panel_id


def test_pages_follow_one_another_and_end(admin, panel_id):
    question = f"/fhir/AuditEvent?entity={panel_id}&_count=1"
    seen = []
    admin.get(f"/api/v1/panels/{panel_id}")
    while question:
        page = admin.get(question).json
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        following = [one["url"] for one in page["link"] if one["relation"] == "next"]
        question = following[0].partition("example.org")[2] if following else None
    assert len(seen) == len(set(seen)) == 2


@pytest.mark.parametrize("question", ["?date=yesterday", "?_cursor=x", "?_cursor=-1"])
def test_a_question_that_cannot_be_read_is_refused_by_name(admin, question):
    answer = admin.get(f"/fhir/AuditEvent{question}")
    assert answer.status_code == 400
    assert question[1:].split("=")[0] in answer.text


def test_dates_are_kept_to(admin, panel_id):
    assert found(admin, "?date=ge2026-11-24&date=lt2026-11-25")
    assert found(admin, "?date=gt2026-11-24") == []
    assert panel_id


def test_the_audit_and_a_whole_patient_are_for_administrators(caller):
    for answer in (
        caller.get("/fhir/AuditEvent"),
        caller.get("/fhir/AuditEvent/x"),
        caller.post("/api/v1/patients/export", WHOM),
        caller.post("/api/v1/patients/erase", WHY),
    ):
        assert answer.status_code == 403


def test_a_patients_data_comes_as_one_file_that_names_all_it_holds(admin, panel_id):
    answer = admin.post("/api/v1/patients/export", WHOM)
    assert answer.status_code == 200
    assert answer.mimetype == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        index = json.loads(archive.read("index.json"))
        assert sorted(archive.namelist()) == sorted([*index["files"], "index.json"])
        record = archive.read(f"panels/{panel_id}/1/record.json").decode()
    assert index["panels"] == [panel_id]
    assert "Quill" in record
    assert subtypes(found(admin, "?subtype=patient-exported")) == ["patient-exported"]


def test_a_patient_is_erased_with_a_reason_and_is_gone(admin, panel_id):
    assert admin.post("/api/v1/patients/erase", {**WHOM, "reason": "a\nb"}).status_code == 422
    assert admin.post("/api/v1/patients/erase", WHOM).status_code == 422
    answer = admin.post("/api/v1/patients/erase", WHY)
    assert answer.json == {"panels": 1, "messages": 0, "exports": 0}
    assert admin.get(f"/api/v1/panels/{panel_id}").status_code in (404, 410)
    assert admin.post("/api/v1/patients/erase", WHY).status_code == 404
    assert admin.post("/api/v1/patients/export", WHOM).status_code == 404
    (event,) = found(admin, "?subtype=panel-erased")
    assert event["outcomeDesc"] == "asked for by letter"
    assert "MRN-7" not in json.dumps(event)


def test_nobody_hands_over_or_erases_another_organisations_patient(app, services, admin, panel_id):
    other = administer.create_organisation(services, "Other")
    stranger = new_caller(app, services, other, "admin")
    assert stranger.post("/api/v1/patients/export", WHOM).status_code == 404
    assert stranger.post("/api/v1/patients/erase", WHY).status_code == 404
    assert admin.get(f"/api/v1/panels/{panel_id}").status_code == 200
