"""Whatever a form is filled with, the answer is a page that says what is wrong: never a 500, never a panel."""

import io
import json

import pytest

from labinterp.usecases import journey
from tests.unit.web.browsing import ABOUT, fields, said

LONG = "x" * 5000
NASTY = [
    "\x00\x07",
    "\u202e tceles",
    "\ud7ff\ufffe",
    "{{ 7*7777 }}{% raise %}",
    "'; DROP TABLE panel; --",
    "../../../etc/passwd",
    "<svg onload=alert(1)>",
    "٣٣",
    "NaN",
    "1e400",
    "-5",
    LONG,
]
FIELDS = [
    "identifier",
    "issuer",
    "family",
    "birth-day",
    "birth-year",
    "age",
    "sex",
    "pregnant",
    "gestation-weeks",
    "sample-day",
    "sample-time",
    "zone",
    "laboratory",
    "material",
    "haemolysis-index",
    "haemolysis",
    "site",
    "other-symptoms",
    "medications",
    "history",
    "free-rows",
    "text",
]


def post(person, path, held):
    answer = person.client.post(path, data=held)
    assert answer.status_code < 500, (held, said(answer.text)[:300])
    assert "<svg onload" not in answer.text
    assert "54439" not in answer.text
    return answer


@pytest.mark.parametrize("name", FIELDS)
def test_no_field_breaks_the_form(person, name):
    form = fields(person.get("/panels/new"), "/panels/new") | ABOUT
    for nasty in NASTY:
        answer = post(person, "/panels/new", form | {"text": "Sodium 139 mmol/L"} | {name: nasty})
        if answer.status_code == 200 and "confirm" in answer.text:
            held = fields(answer.text, "/panels/check") | {"confirm": "1"}
            post(person, "/panels/check", held)


@pytest.mark.parametrize("name", ["row-0-value", "row-0-test", "row-0-unit", "row-0-use", "draft"])
def test_no_answer_breaks_the_check_page(person, name):
    held = fields(person.check("Sodium 139 mmol/L"), "/panels/check")
    for nasty in NASTY:
        post(person, "/panels/check", held | {name: nasty})


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00\x01",
        b"{" * 5000,
        b'{"results": []}',
        b'{"results": [{"test": "Sodium", "value": NaN, "unit": "mmol/L"}]}',
        b'{"results": 5}',
        b"test;value\n" * 3,
        b"MSH|^~\\&|",
        b'{"resourceType": "Bundle"}',
        b"test,value,unit\n" + b"Sodium,139,mmol/L\n" * 600,
    ],
)
def test_no_file_breaks_the_form_and_none_of_these_is_stored(person, services, ann_acts, body):
    form = fields(person.get("/panels/new"), "/panels/new") | ABOUT
    answer = person.client.post(
        "/panels/new",
        data=form | {"file": (io.BytesIO(body), "../../evil.json")},
        content_type="multipart/form-data",
    )
    assert answer.status_code in (200, 413, 422)
    assert journey.list_panels(services, ann_acts).items == ()


def test_a_file_of_two_patients_is_checked_in_two_parts_and_stored_as_two_panels(
    person, services, ann_acts
):
    rows = [
        "patient_id,birth_date,sex,collected_at,test,value,unit",
        "MRN-7,1980-02-03,female,2026-01-02T08:00:00Z,Potassium,2.4,mmol/L",
        "MRN-8,1970-02-03,male,2026-01-02T08:00:00Z,Sodium,139,mmol/L",
    ]
    table = (io.BytesIO("\n".join(rows).encode()), "two.csv")
    empty = {name: "" for name in ABOUT if name != "symptom"} | {"symptom": []}
    check = person.check("", **empty, file=table)
    assert "2 understood" in said(check)
    assert person.confirm(check) == "/panels"
    stored = journey.list_panels(services, ann_acts).items
    assert {item.identity.identifier for item in stored} == {"MRN-7", "MRN-8"}


def test_our_own_json_can_be_pasted_and_keeps_its_patient(person):
    panel = {
        "patient": {"identifier": {"value": "MRN-9"}, "birth_date": "1980-02-03"},
        "collected_at": "2026-01-02T08:00:00Z",
        "results": [{"test": "Potassium", "value": "2.40", "unit": "mmol/L"}],
    }
    empty = {name: "" for name in ABOUT if name != "symptom"} | {"symptom": []}
    page = said(person.get(person.confirm(person.check(json.dumps(panel), **empty))))
    assert "MRN-9" in page
    assert "2.40 mmol/L" in page


def test_another_persons_draft_is_of_no_use_without_their_session(person, app):
    held = fields(person.check(), "/panels/check")
    assert app.test_client().post("/panels/check", data=held | {"confirm": "1"}).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/panels/%00",
        "/panels/" + "a" * 3000,
        "/r/..%2f..",
        "/knowledge/%ff",
        "/panels/x?version=99999999999",
    ],
)
def test_odd_addresses_are_not_found(person, path):
    assert person.client.get(path).status_code in (404, 400)
