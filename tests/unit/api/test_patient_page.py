"""A page for the patient, released, read and withdrawn through the API."""

from __future__ import annotations

import dataclasses

import pytest

from app import create_app

from .conftest import LIMITS_OUT_OF_THE_WAY, new_caller

PANEL = {
    "patient": {"identifier": {"value": "MRN-7"}, "birth_date": "1972-02-03", "sex": "female"},
    "collected_at": "2026-11-24T08:00:00Z",
    "results": [{"test": "Magnesium", "value": "0.62", "unit": "mmol/L"}],
}
SAID = {"language": "fr", "contact": "le cabinet, 01 23 45", "released_by": "Dr A. Example"}


@pytest.fixture
def app(services):
    policy = dataclasses.replace(services.policy, patient_page=True, **LIMITS_OUT_OF_THE_WAY)
    return create_app(dataclasses.replace(services, policy=policy))


@pytest.fixture
def page(caller):
    return f"/api/v1/panels/{caller.post('/api/v1/panels', PANEL).json['id']}/patient-page"


def test_a_page_is_released_read_and_withdrawn(caller, page):
    assert caller.get(page).status_code == 404
    made = caller.post(page, SAID)
    assert made.status_code == 201
    assert made.headers["Location"].endswith(page)
    assert made.json["language"] == "fr"
    assert made.json["reviewed"] is False
    (found,) = [one for one in made.json["sections"] if one["id"] == "found"]
    assert found["results"][0]["word"] == "Bas"
    assert found["results"][0]["value"].startswith("0,62")
    assert caller.get(page).json == made.json
    pdf = caller.get(f"{page}.pdf")
    assert pdf.mimetype == "application/pdf"
    assert pdf.data.startswith(b"%PDF-")
    assert caller.open("DELETE", page).status_code == 204
    assert caller.get(page).json["code"] == "patient-page-not-released"
    assert caller.get(f"{page}.pdf").status_code == 404


@pytest.mark.parametrize("name", ["language", "contact", "released_by"])
def test_what_is_missing_is_named(caller, page, name):
    refused = caller.post(page, {key: value for key, value in SAID.items() if key != name})
    assert refused.status_code == 422
    assert [one["where"] for one in refused.json["errors"]] == [name]


def test_an_unknown_member_is_refused_by_name(caller, page):
    refused = caller.post(page, {**SAID, "tone": "kind"})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["where"] == "tone"


def test_it_is_off_unless_the_operator_allows_it(services, organisation):
    policy = dataclasses.replace(services.policy, **LIMITS_OUT_OF_THE_WAY)
    app = create_app(dataclasses.replace(services, policy=policy))
    caller = new_caller(
        app, services, organisation, "panels:write", "panels:read", "deliveries:write"
    )
    panel_id = caller.post("/api/v1/panels", PANEL).json["id"]
    refused = caller.post(f"/api/v1/panels/{panel_id}/patient-page", SAID)
    assert refused.status_code == 409
    assert refused.json["code"] == "patient-page-off"


def test_another_organisation_finds_nothing(caller, neighbour, page):
    caller.post(page, SAID)
    assert neighbour.get(page).status_code == 404
    assert neighbour.get(f"{page}.pdf").status_code == 404
    assert neighbour.post(page, SAID).status_code == 404
    assert neighbour.open("DELETE", page).status_code == 404
    assert caller.get(page).status_code == 200


def test_a_version_that_is_not_the_newest_is_not_released(caller, page):
    assert caller.post(page, {**SAID, "version": 2}).json["code"] == "superseded"
    assert caller.post(page, {**SAID, "version": "one"}).status_code == 422
    assert caller.post(page, {**SAID, "version": 1}).status_code == 201


@pytest.mark.parametrize("language", [5, None, [], "xx", "x" * 40, "d\u0000e"])
def test_a_language_that_is_none_is_refused_by_its_place(caller, page, language):
    refused = caller.post(page, {**SAID, "language": language})
    assert refused.status_code == 422
    assert [one["where"] for one in refused.json["errors"]] == ["language"]
