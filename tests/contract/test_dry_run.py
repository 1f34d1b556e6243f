"""`POST /api/v1/interpretations` explains any form of a panel, and keeps nothing of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app import create_app
from labinterp.access import SCOPES
from labinterp.usecases import administer

HERE = Path(__file__).parent
FHIR, HL7 = "application/fhir+json", "application/hl7-v2"


@pytest.fixture
def post(services):
    organisation = administer.create_organisation(services, "Ward 7")
    _, key = administer.create_key(services, organisation.id, name="k", scopes=tuple(SCOPES))
    client = create_app(services).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"

    def call(body, content_type):
        answer = client.post("/api/v1/interpretations", data=body, content_type=content_type)
        assert client.get("/api/v1/panels").json["panels"] == []
        return answer

    return call


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("fhir_messages/01-in-bundle-collection.json", FHIR),
        ("fhir_messages/02-in-parameters-interpret-panel.json", "application/json+fhir"),
        ("fhir_messages/05-in-diagnosticreport-contained.json", FHIR),
        ("hl7v2/01-oru-251-panel.hl7", HL7),
        ("hl7v2/30-mllp-framed.bin", "x-application/hl7-v2+er7"),
    ],
)
def test_a_message_is_explained_and_not_kept(post, name, content_type):
    answer = post((HERE / name).read_bytes(), content_type)
    assert answer.status_code == 200, answer.text
    assert answer.json["results"]
    assert all(result["where"] for result in answer.json["results"] if not result["derived_from"])


def test_a_result_that_cannot_be_read_is_told_by_its_place(post):
    bundle = json.loads((HERE / "fhir_messages/01-in-bundle-collection.json").read_bytes())
    nameless = {"resourceType": "Observation", "status": "final", "valueString": "140 mmol/L"}
    bundle["entry"].append({"resource": nameless})
    answer = post(json.dumps(bundle), FHIR)
    assert answer.status_code == 200, answer.text
    place = f"Bundle.entry[{len(bundle['entry']) - 1}].resource"
    assert any(one["where"].startswith(place) for one in answer.json["problems"])


def test_several_patients_are_not_mixed(post):
    answer = post((HERE / "hl7v2/08-batch-fhs-bhs.hl7").read_bytes(), HL7)
    assert (answer.status_code, answer.json["code"]) == (422, "several-panels")


def test_what_holds_no_panel_is_refused(post):
    assert post(b"{}", FHIR).status_code == 422
    assert post(b"MSH", HL7).status_code == 422
    assert post(b"<a/>", "application/fhir+xml").status_code == 415
