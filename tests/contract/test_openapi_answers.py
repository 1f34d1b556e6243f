"""What is really answered is what the OpenAPI document says, member for member."""

from __future__ import annotations

import copy
import json
import re

import jsonschema
import pytest

from labinterp import knowledge
from labinterp.api.document import document
from labinterp.usecases import administer, journey

PANEL = {
    "patient": {
        "identifier": {"value": "MRN-1", "system": "urn:example:mrn"},
        "birth_date": "1971-05-04",
        "sex": "female",
    },
    "collected_at": "2026-01-02T08:00:00Z",
    "specimen": {"material": "serum"},
    "results": [
        {"test": "Magnesium", "value": "1.1", "unit": "mg/dL"},
        {"test": "Potassium", "value": "2.9", "unit": "mmol/L", "flag": "L"},
        {"test": "Calcium", "value": "7.2", "unit": "mg/dL"},
        {"test": "Albumin", "value": "4.1", "unit": "g/dL"},
        {"test": "Sodium", "value": ">139", "unit": "mEq/L", "reference_interval": "135-145"},
        {"test": "25-OH vitamin D", "value": "18", "unit": "ng/mL"},
        {"test": "Unobtainium", "value": "1", "unit": "ng/mL"},
    ],
    "symptoms": ["facial-twitch", "carpopedal-spasm"],
    "medications": ["omeprazole"],
    "deliver": {"email": ["clinician@example.org"]},
    "previous": [
        {
            "collected_at": "2025-12-01T08:00:00Z",
            "results": [{"test": "Potassium", "value": "4.1", "unit": "mmol/L"}],
        }
    ],
}


@pytest.fixture(scope="module")
def openapi():
    """The document, with every object closed: an answer's member that it does not name is a fault."""
    made = json.loads(json.dumps(document()))
    for schema in made["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return made


@pytest.fixture
def client(services):
    from app import create_app

    organisation = administer.create_organisation(services, "Ward 7")
    _, key = administer.create_key(services, organisation.id, name="k", scopes=("admin",))
    client = create_app(services).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


def validate(openapi, method, template, answer):
    responses = openapi["paths"][template][method]["responses"]
    told = responses.get(str(answer.status_code))
    assert told, f"{answer.status_code} is not documented for {method} {template}"
    if "$ref" in told:
        told = openapi["components"]["responses"][told["$ref"].rsplit("/", 1)[1]]
    content = told["content"]
    assert answer.mimetype in content
    if answer.mimetype.endswith("json"):
        schema = copy.deepcopy(content[answer.mimetype]["schema"]) | {
            "components": openapi["components"]
        }
        jsonschema.Draft202012Validator(schema).validate(answer.json)
    for name in told.get("headers", {}):
        if name != "Idempotent-Replayed":
            assert name in answer.headers, name


@pytest.fixture
def check(openapi, client):
    """Calls an address by its template and holds the answer against the document."""

    def call(method, template, status, query="", **parts):
        body = parts.pop("body", None)
        path = re.sub(r"{(\w+)}", lambda found: parts[found[1]], template) + query
        answer = client.open(path, method=method.upper(), **({"json": body} if body else {}))
        assert answer.status_code == status, answer.get_data(as_text=True)
        validate(openapi, method, template, answer)
        return answer

    return call


def test_the_way_of_a_panel(check, services):
    one = "/api/v1/panels/{panel_id}"
    check("post", "/api/v1/interpretations", 200, body=PANEL)
    panel_id = check("post", "/api/v1/panels", 201, body=PANEL).json["id"]
    check("get", one, 200, panel_id=panel_id)
    check("get", f"{one}/report.pdf", 202, panel_id=panel_id)
    journey.draw_due(services, "test", 10)
    check("get", f"{one}/report.pdf", 200, panel_id=panel_id)
    check("get", f"{one}/deliveries", 200, panel_id=panel_id)
    whom = {"email": ["second@example.org"]}
    check("post", f"{one}/deliveries", 202, panel_id=panel_id, body=whom)
    check("post", f"{one}/corrections", 201, panel_id=panel_id, body=PANEL)
    check("get", one, 200, "?version=1", panel_id=panel_id)
    check("get", "/api/v1/panels", 200)
    check("get", "/api/v1/panels", 200, "?limit=1&urgency=emergency")


def test_a_panel_without_a_patient(check):
    bare = {"results": PANEL["results"]}
    panel_id = check("post", "/api/v1/panels", 201, body=bare).json["id"]
    check("get", "/api/v1/panels/{panel_id}/report.pdf", 409, panel_id=panel_id)


def test_refusals(check):
    check("post", "/api/v1/interpretations", 422, body={"results": [], "colour": "red"})
    check("post", "/api/v1/panels", 415)
    check("get", "/api/v1/panels", 422, "?limit=0")
    check("get", "/api/v1/panels/{panel_id}", 404, panel_id="nothing")
    check("post", "/api/v1/panels/{panel_id}/corrections", 404, panel_id="x", body=PANEL)


def test_the_knowledge(check):
    check("get", "/api/v1/knowledge", 200)
    for kind in knowledge.KINDS:
        listed = check("get", "/api/v1/knowledge/{kind}", 200, kind=kind).json
        for line in listed[:: max(1, len(listed) // 4)]:
            check("get", "/api/v1/knowledge/{kind}/{piece}", 200, kind=kind, piece=line["id"])
        check("get", "/api/v1/knowledge/{kind}/{piece}", 404, kind=kind, piece="nothing")


def test_what_monitors_ask(check):
    check("get", "/healthz", 200)
    check("get", "/readyz", 200)
    check("get", "/metrics", 200)
    check("get", "/api/openapi.json", 200)
    check("get", "/api/problems", 200)
