"""Cancelled and entered in error, by every door: kept as it came, answered, never interpreted."""

from __future__ import annotations

import io
import json

import pytest
from sqlalchemy import func, select

from app import create_app
from labinterp.access import SCOPES, Actor
from labinterp.cli import main
from labinterp.reporting.text import long_text
from labinterp.store.door_tables import message as message_table
from labinterp.usecases import administer, journey
from labinterp.web.orders import order_of
from tests.contract.test_hl7v2_doors import framed, listening, talk

PANELS = "/api/v1/panels"
JSON = "application/json"
FHIR = "application/fhir+json"
NUMBER = {"value": "MRN-1", "system": "urn:example:mrn"}


@pytest.fixture
def client(services):
    organisation = administer.create_organisation(services, "Ward 7")
    _, key = administer.create_key(services, organisation.id, name="k", scopes=tuple(SCOPES))
    client = create_app(services).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


def _panel(whole, **more):
    result = {"test": "Potassium", "value": "2.40", "unit": "mmol/L", **more}
    about = {"patient": {"identifier": NUMBER}, "results": [result]}
    return json.dumps({**about, "status": whole} if whole else about)


def _observation(status, **more):
    return {
        "resourceType": "Observation",
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": "Potassium"},
        "subject": {"identifier": NUMBER},
        "effectiveDateTime": "2026-01-02T08:00:00Z",
        **more,
    }


VALUE = {"valueQuantity": {"value": 2.4, "unit": "mmol/L", "code": "mmol/L"}}
REASON = {"dataAbsentReason": {"text": "specimen clotted"}}


def _message(letter, value="2.40", order="F"):
    return (
        f"MSH|^~\\&|LIS|LAB|US|HERE|20260304113200+0100||ORU^R01|M-{letter}|P|2.5.1\r"
        "PID|1||MRN-1^^^urn:example:mrn^MR||Doe^Jane||19790614|F\r"
        f"OBR|1||A-1|CHEM|||20260304081000+0100||||||||||||||||||{order}\r"
        f"OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L|3.5-5.1||||{letter}\r"
    ).encode()


def _by_json(client, _services, panel):
    answer = client.post(PANELS, data=panel, content_type=JSON)
    assert answer.status_code == 201, answer.json


def _by_fhir(client, _services, resource):
    answer = client.post("/fhir/$interpret-panel", data=json.dumps(resource), content_type=FHIR)
    assert answer.status_code == 200, answer.json
    report, *others = (entry["resource"] for entry in answer.json["entry"])
    assert report["status"] in ("cancelled", "entered-in-error")
    statuses = {one["status"] for one in others if one["resourceType"] == "Observation"}
    assert statuses <= {"cancelled", "entered-in-error"}


def _by_transaction(client, _services, resource):
    entry = {"resource": resource, "request": {"method": "POST", "url": "Observation"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    answer = client.post("/fhir", data=json.dumps(bundle), content_type=FHIR)
    assert answer.status_code == 200, answer.json


def _by_http(client, _services, body):
    answer = client.post("/api/v1/hl7v2", data=body, content_type="application/hl7-v2")
    assert b"MSA|AA|M-" in answer.data


def _by_mllp(_client, services, body):
    with listening(services) as port:
        (answer,) = talk(port, framed(body))
    assert b"MSA|AA|M-" in answer


def _by_file(client, _services, body):
    name, text = body
    answer = client.post(f"{PANELS}/import", data={"file": (io.BytesIO(text), name)})
    assert (answer.json["stored"], answer.json["refused"]) == (1, 0)


CSV = b"Patient ID,Test,Result,Units,Status\nMRN-1,Potassium,2.40,mmol/L,cancelled\n"
DOORS = {
    "json, the panel": (_by_json, _panel("cancelled")),
    "json, its result": (_by_json, _panel(None, status="entered-in-error")),
    "json, without a value": (_by_json, _panel(None, value=None, status="cancelled")),
    "fhir, entered in error": (_by_fhir, _observation("entered-in-error", **VALUE)),
    "fhir, cancelled": (_by_fhir, _observation("cancelled", **REASON)),
    "fhir transaction": (_by_transaction, _observation("cancelled", **VALUE)),
    "ndjson": (_by_file, ("a.ndjson", json.dumps(_observation("cancelled", **REASON)).encode())),
    "csv": (_by_file, ("a.csv", CSV)),
    "hl7v2 file": (_by_file, ("a.hl7", _message("X"))),
    "mllp": (_by_mllp, _message("X", "")),
    **{f"hl7v2, {letter}": (_by_http, _message(letter)) for letter in "XDW"},
    "hl7v2, X without a value": (_by_http, _message("X", "")),
    "hl7v2, the order": (_by_http, _message("X", "", order="X")),
}


@pytest.mark.parametrize("door", DOORS)
def test_what_is_taken_back_at_once_is_stored_and_answered(door, client, services):
    send, body = DOORS[door]
    send(client, services, body)
    (listed,) = client.get(PANELS).json["panels"]
    record = client.get(f"{PANELS}/{listed['id']}").json
    assert record["status"] == "cancelled"
    assert record["interpretation"]["urgency"] == "none"
    assert {one["standing"] for one in record["interpretation"]["results"]} <= {"unknown"}
    said = " ".join(one["message"] for one in record["interpretation"]["problems"])
    assert "not interpreted" in said
    (kept,) = record["panel"]["results"]
    assert kept["test"] == "Potassium"


@pytest.mark.parametrize("letter", ["I", "N", "F"])
def test_a_message_of_no_value_at_all_is_kept_and_acknowledged(letter, client, services):
    _by_http(client, services, _message(letter, ""))
    with services.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(message_table)) == 1


def test_a_result_taken_back_beside_one_that_cannot_be_read_is_kept(client):
    results = [
        {"test": "Potassium", "value": "2.4", "unit": "mmol/L", "status": "cancelled"},
        {"test": "Sodium", "value": "haemolysed", "unit": "mmol/L"},
    ]
    answer = client.post(PANELS, data=json.dumps({"results": results}), content_type=JSON)
    assert (answer.status_code, answer.json["status"]) == (201, "final")
    where = {one["where"] for one in answer.json["interpretation"]["problems"]}
    assert {"results[0]", "results[1]"} <= {place.partition(".")[0] for place in where}


def test_a_panel_without_any_value_that_nobody_took_back_is_still_refused(client):
    results = [{"test": "Potassium", "unit": "mmol/L", "not_measured": "clotted"}]
    answer = client.post(PANELS, data=json.dumps({"results": results}), content_type=JSON)
    assert answer.status_code == 422


def test_it_is_explained_without_being_stored_and_on_the_command_line(client, tmp_path, capsys):
    answer = client.post("/api/v1/interpretations", data=_panel("cancelled"), content_type=JSON)
    assert (answer.status_code, answer.json["urgency"]) == (200, "none")
    file = tmp_path / "panel.json"
    file.write_text(_panel("cancelled"), encoding="utf-8")
    assert main(["interpret", str(file)]) == 0
    said = capsys.readouterr().out
    assert "CANCELLED" in said
    assert "Potassium: cancelled" in said
    assert "Urgency" not in said


def test_what_comes_after_a_cancelled_result_is_the_next_version(client, services):
    for letter in ("X", "C"):
        _by_http(client, services, _message(letter, "" if letter == "X" else "4.1"))
    (listed,) = client.get(PANELS).json["panels"]
    record = client.get(f"{PANELS}/{listed['id']}").json
    assert (record["version"], record["status"]) == (2, "corrected")


FIRST = {
    "patient": {"identifier": NUMBER, "sex": "female", "birth_date": "1979-06-14"},
    "collected_at": "2026-01-02T08:00:00Z",
    "results": [
        {"test": "Potassium", "value": "7.9", "unit": "mmol/L", "identifier": "A-1/K"},
        {"test": "Sodium", "value": "139", "unit": "mmol/L", "identifier": "A-1/Na"},
    ],
    "deliver": {"email": ["clinician@example.org"]},
}


def _taken_back(status, **more):
    results = [{**one, "status": status, **more} for one in FIRST["results"]]
    return {**FIRST, "results": results, "deliver": {}}


def _work(services):
    journey.draw_due(services, "w", 10)
    journey.deliver_due(services, "w", 10)


def _sent(client, panel):
    answer = client.post(PANELS, data=json.dumps(panel), content_type=JSON)
    assert answer.status_code == 201, answer.json
    return answer.json


def test_a_withdrawn_panel_has_a_short_report_that_says_what_was_and_tells_its_readers(
    client, services, outbox
):
    first = _sent(client, FIRST)
    _work(services)
    again = _sent(client, _taken_back("entered-in-error", note="another patient's tube"))
    assert (again["id"], again["version"], again["status"]) == (first["id"], 2, "cancelled")
    texts = [one["text"] for one in again["changes"]]
    assert texts[0] == "Potassium: was 7.9 mmol/L, now withdrawn (another patient's tube)."
    _work(services)
    subjects = [letter["Subject"] for letter, _ in outbox.sent]
    number = client.get(f"{PANELS}/{first['id']}").json["report"]["number"]
    assert subjects == [
        f"A report is ready ({number})",
        f"A report was withdrawn ({number}, version 2)",
    ]
    report = client.get(f"{PANELS}/{first['id']}/report.pdf")
    assert report.status_code == 200
    said = _words_of(services, again)
    assert "WITHDRAWN: Interpretation" in said
    assert "Nothing replaces them" in said
    assert "Do not act on version 1" in said
    assert all(text in said for text in texts)
    for word in ("No rule asked", "Explains twitching", "Not explained", "No interpretable"):
        assert word not in said


def test_a_panel_cancelled_at_once_has_a_report_that_says_so(client, services):
    panel = _taken_back("cancelled", value=None, not_measured="specimen clotted")
    first = _sent(client, panel)
    _work(services)
    assert client.get(f"{PANELS}/{first['id']}/report.pdf").status_code == 200
    said = _words_of(services, first)
    assert "CANCELLED: Interpretation" in said
    assert "Potassium: cancelled." in said
    assert "specimen clotted" in said
    assert "version 0" not in said


def test_record_and_report_of_a_corrected_panel_list_what_changed(client, services):
    first = _sent(client, FIRST)
    corrected = {**FIRST["results"][0], "value": "4.1", "status": "corrected"}
    _sent(client, {**FIRST, "results": [corrected]})
    record = client.get(f"{PANELS}/{first['id']}").json
    (change,) = record["changes"]
    assert (change["was"], change["now"]) == ("7.9 mmol/L", "4.1 mmol/L")
    assert change["text"] in _words_of(services, first)
    assert client.get(f"{PANELS}/{first['id']}?version=1").json["changes"] == []


def _words_of(services, made):
    (organisation,) = administer.organisations(services)
    actor = Actor(organisation.id, "Ward 7", "key", "k", "k", frozenset(SCOPES), "192.0.2.1")
    record = journey.read_panel(services, actor, made["id"])
    return " ".join(long_text(order_of(services, actor, record)).split())
