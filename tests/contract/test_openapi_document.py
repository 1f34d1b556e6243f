"""The OpenAPI document is valid, is the one that is stored, and describes every address there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from openapi_spec_validator import validate

from labinterp.access import SCOPES
from labinterp.api.document import document
from labinterp.api.registration import describe

STORED = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
OPEN_TO_ALL = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/openapi.json",
    "/api/problems",
    "/.well-known/smart-configuration",
    "/fhir/.well-known/smart-configuration",
    "/fhir/metadata",
    "/fhir/OperationDefinition/interpret-panel",
    "/fhir/OperationDefinition/pull-panel",
    "/oauth/token",
    "/cds-services",
}
OTHER_DOCUMENTS = ("/oauth/", "/cds-services")
"""Where a refusal is told in the words of another standard."""


@pytest.fixture(scope="module")
def openapi():
    return document()


def operations(openapi):
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                yield f"{method.upper()} {path}", operation


def test_it_is_valid_openapi_3_1(openapi):
    assert openapi["openapi"] == "3.1.0"
    validate(openapi)


def test_the_stored_copy_is_this_document(openapi):
    stored = json.loads(STORED.read_text(encoding="utf-8"))

    assert stored == json.loads(json.dumps(openapi)), "make openapi writes it anew"


def test_every_address_of_the_api_is_described(openapi):
    app = Flask(__name__)
    describe(app)
    rules = {
        re.sub(r"<(?:[^:<>]*(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
    }

    assert rules == set(openapi["paths"])


def test_only_the_listed_addresses_are_open(openapi):
    without_scope = {
        name.split()[1] for name, operation in operations(openapi) if not operation["security"]
    }

    assert without_scope == OPEN_TO_ALL


def test_every_other_operation_names_a_scope_that_keys_have(openapi):
    for name, operation in operations(openapi):
        assert operation.get("x-scope") in (SCOPES if operation["security"] else (None,)), name


def test_every_operation_says_what_it_is_for_and_has_its_own_id(openapi):
    ids = [operation["operationId"] for _, operation in operations(openapi)]

    assert len(ids) == len(set(ids))
    for name, operation in operations(openapi):
        assert operation["summary"], name
        assert operation["description"], name


def test_every_refusal_is_a_problem_document(openapi):
    for name, operation in operations(openapi):
        for status, answer in operation["responses"].items():
            if status.startswith("4") and not name.split()[1].startswith(OTHER_DOCUMENTS):
                assert answer == {"$ref": f"#/components/responses/Problem{status}"}, name


def test_a_panel_takes_no_member_it_does_not_name(openapi):
    panels = {
        name: schema
        for name, schema in openapi["components"]["schemas"].items()
        if name == "Panel" or (name.startswith("Panel") and "PanelRecord" not in name)
    }

    assert panels["Panel"]["additionalProperties"] is False
    assert panels["PanelResult"]["additionalProperties"] is False


def test_nothing_that_is_referred_to_is_missing(openapi):
    text = json.dumps(openapi)

    for kind, name in set(re.findall(r'"#/components/(\w+)/([\w-]+)"', text)):
        assert name in openapi["components"][kind]
