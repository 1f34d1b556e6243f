"""A panel goes in as FHIR, its interpretation comes out, and all of it is read again."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from labinterp.api import fhir_metadata
from labinterp.usecases import journey

FHIR = "application/fhir+json"
OPERATION = "/fhir/$interpret-panel"
BASE = "https://labinterp.example.org/fhir"


def _bundle(*patients, **members):
    entries = []
    for name in patients or ("SYN-1",):
        patient = f"https://lab.example.org/Patient/{name}"
        entries.append(
            {
                "fullUrl": patient,
                "resource": {
                    "resourceType": "Patient",
                    "identifier": [{"system": "urn:example:mrn", "value": name}],
                    "gender": "female",
                    "birthDate": "1971-05-04",
                },
            }
        )
        entries += [
            _observation(patient, "2823-3", "Potassium", "2.90", "mmol/L"),
            _observation(patient, "19123-9", "Magnesium", "1.30", "mg/dL"),
        ]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries, **members}


def _observation(patient, code, name, value, unit):
    return {
        "resource": {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": name},
            "subject": {"reference": patient},
            "effectiveDateTime": "2026-01-02T08:00:00Z",
            "valueQuantity": {
                "value": float(value),
                "unit": unit,
                "system": "http://unitsofmeasure.org",
                "code": unit,
            },
        }
    }


def _post(caller, document, path=OPERATION, **more):
    return caller.post(path, document, content_type=FHIR, **more)


def _kinds(answer):
    return [entry["resource"]["resourceType"] for entry in answer.json["entry"]]


def _named(answer, kind):
    return [
        entry["resource"]
        for entry in answer.json["entry"]
        if entry["resource"]["resourceType"] == kind
    ]


@pytest.mark.parametrize("path", [OPERATION, "/fhir/DiagnosticReport/$interpret-panel"])
def test_a_bundle_is_answered_with_its_report_first(caller, path):
    answer = _post(caller, _bundle(), path)
    assert answer.status_code == 200, answer.json
    assert answer.content_type == f"{FHIR}; charset=utf-8"
    assert answer.headers["ETag"] == 'W/"1"'
    kinds = _kinds(answer)
    assert kinds[0] == "DiagnosticReport"
    assert {"Patient", "Device", "Observation", "DetectedIssue", "Provenance"} <= set(kinds)
    (report,) = _named(answer, "DiagnosticReport")
    assert report["status"] == "final"
    assert report["category"][0]["coding"][0]["code"] == "LAB"
    assert report["presentedForm"][0]["url"] == f"{BASE}/Binary/{report['id']}"
    assert report["conclusion"]
    location = f"{BASE}/DiagnosticReport/{report['id']}/_history/1"
    assert answer.headers["Location"] == location


def test_an_observation_is_in_the_unit_of_its_interval_and_names_the_other(caller):
    answer = _post(caller, _bundle())
    magnesium = next(
        one for one in _named(answer, "Observation") if one["id"].endswith("-magnesium")
    )
    assert magnesium["valueQuantity"]["code"] == "mmol/L"
    assert magnesium["code"]["coding"][0]["code"] == "2601-3"
    assert magnesium["interpretation"][0]["coding"][0]["code"] in ("L", "LL")
    assert "service" in magnesium["referenceRange"][0]["text"]
    assert any("mg/dL" in note["text"] for note in magnesium["note"])
    assert magnesium["derivedFrom"][0]["display"].endswith("1.3 mg/dL")


def test_a_report_of_unknown_collection_says_that_it_is_unknown(caller):
    sent = _bundle()
    for entry in sent["entry"]:
        entry["resource"].pop("effectiveDateTime", None)
    answer = _post(caller, sent)
    (report,) = _named(answer, "DiagnosticReport")
    assert "effectiveDateTime" not in report
    (why,) = report["effectivePeriod"]["extension"]
    assert why["url"].endswith("/data-absent-reason")
    assert why["valueCode"] == "unknown"


def test_digits_are_kept(caller, panel):
    made = caller.post("/api/v1/panels", panel).json["id"]
    found = caller.get(f"/fhir/Observation/{made}-potassium")
    assert '"value":2.90' in found.text


def test_everything_answered_is_read_again_by_its_own_address(caller):
    answer = _post(caller, _bundle())
    for entry in answer.json["entry"]:
        if entry["resource"]["resourceType"] == "OperationOutcome":
            continue
        path = entry["fullUrl"].removeprefix("https://labinterp.example.org")
        found = caller.get(path)
        assert found.json == entry["resource"]
        assert found.headers["Last-Modified"]
        assert caller.get(f"{path}/_history/1").json == found.json
        assert caller.get(f"{path}/_history/2").status_code == 404
    etag = {"If-None-Match": 'W/"1"'}
    assert caller.get(path, headers=etag).status_code == 304


@pytest.mark.hazard("stranger-reads")
def test_what_is_another_organisations_is_not_found(caller, neighbour):
    report = _post(caller, _bundle()).json["entry"][0]["resource"]
    refused = neighbour.get(f"/fhir/DiagnosticReport/{report['id']}")
    assert refused.status_code == 404
    assert refused.json["resourceType"] == "OperationOutcome"


def test_several_patients_have_a_report_each(caller):
    answer = _post(caller, _bundle("SYN-1", "SYN-2"))
    assert _kinds(answer)[:2] == ["DiagnosticReport", "DiagnosticReport"]
    first, second = _named(answer, "DiagnosticReport")
    assert first["subject"] != second["subject"]


def test_the_same_bundle_again_is_answered_as_the_first_time(caller):
    identifier = {"system": "urn:example:bundles", "value": "1"}
    first = _post(caller, _bundle(identifier=identifier))
    assert _post(caller, _bundle(identifier=identifier)).json == first.json
    assert _post(caller, _bundle()).json == first.json  # its results are known by code and time
    other = _bundle(identifier=identifier)
    other["entry"][1]["resource"]["valueQuantity"]["value"] = 3.1
    assert _post(caller, other).status_code == 422


def test_the_document_is_told_to_be_drawn_and_then_read(caller, services):
    report = _post(caller, _bundle()).json["entry"][0]["resource"]
    path = f"/fhir/Binary/{report['id']}"
    waiting = caller.get(path)
    assert waiting.status_code == 202
    assert waiting.json["resourceType"] == "OperationOutcome"
    assert waiting.headers["Retry-After"]
    assert journey.draw_due(services, "w", 10) == 1
    assert caller.get(path).data.startswith(b"%PDF")
    assert caller.get(path, headers={"Accept": FHIR}).json["contentType"] == "application/pdf"


def test_preferences_say_how_much_is_answered(caller):
    minimal = _post(caller, _bundle(), headers={"Prefer": "return=minimal"})
    assert minimal.data == b""
    assert minimal.headers["Location"]
    told = _post(caller, _bundle(), headers={"Prefer": "return=OperationOutcome"})
    assert told.json["resourceType"] == "OperationOutcome"


def test_gzip_is_read_and_written(caller):
    body = gzip.compress(json.dumps(_bundle()).encode())
    headers = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    answer = caller.post(OPERATION, body=body, content_type=FHIR, headers=headers)
    assert answer.headers["Content-Encoding"] == "gzip"
    document = json.loads(gzip.decompress(answer.data))
    assert document["entry"][0]["resource"]["resourceType"] == "DiagnosticReport"


@pytest.mark.hazard("hostile-input")
def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(caller):
    body = gzip.compress(b" " * 20_000_000)
    headers = {"Content-Encoding": "gzip"}
    refused = caller.post(OPERATION, body=body, content_type=FHIR, headers=headers)
    assert refused.status_code == 413


@pytest.mark.parametrize("media_type", [FHIR, "application/json", "application/json+fhir"])
def test_each_name_of_fhir_json_is_read_and_accepted(caller, media_type):
    headers = {"Accept": f"{media_type}; fhirVersion=4.0"}
    answer = caller.post(OPERATION, _bundle(), content_type=media_type, headers=headers)
    assert answer.status_code == 200


def _refusals():
    xml = {"Accept": "application/fhir+xml"}
    yield ("GET", "/fhir/metadata", {"headers": xml}), 406, "not-acceptable"
    release = {"Accept": f"{FHIR}; fhirVersion=3.0"}
    yield ("GET", "/fhir/metadata", {"headers": release}), 406, "not-acceptable"
    yield ("GET", "/fhir/metadata?_format=xml", {}), 406, "not-acceptable"
    yield ("GET", "/fhir/Nothing/1", {}), 404, "not-found"
    yield ("GET", "/fhir/DiagnosticReport/none", {}), 404, "not-found"
    yield ("GET", OPERATION, {}), 405, "method-not-allowed"
    body = {"data": b"<Bundle/>", "content_type": "application/fhir+xml"}
    yield ("POST", OPERATION, body), 415, "unsupported-format"
    yield ("POST", OPERATION, {"data": b"{", "content_type": FHIR}), 400, None
    yield ("POST", OPERATION, {"data": b"\x1f", "content_type": FHIR}), 400, None
    empty = {"data": b'{"resourceType":"Bundle","type":"collection"}', "content_type": FHIR}
    yield ("POST", OPERATION, empty), 422, None


@pytest.mark.parametrize(("asked", "status", "code"), list(_refusals()))
def test_every_refusal_is_an_operation_outcome(caller, asked, status, code):
    method, path, more = asked
    refused = caller.open(method, path, **more)
    assert refused.status_code == status, refused.text
    assert refused.content_type.startswith(FHIR)
    assert refused.json["resourceType"] == "OperationOutcome"
    (issue, *_) = refused.json["issue"]
    assert code in (None, issue["details"]["coding"][0]["code"])
    assert refused.headers["X-Request-ID"] in issue["diagnostics"]


def test_a_stranger_and_a_key_without_the_scope_are_told_so_in_fhir(stranger, caller_with):
    for caller, status in ((stranger, 401), (caller_with("knowledge:read"), 403)):
        refused = _post(caller, _bundle())
        assert refused.status_code == status
        assert refused.json["resourceType"] == "OperationOutcome"


def test_the_capability_statement_says_what_the_routes_do(stranger, app):
    document = stranger.get("/fhir/metadata").json
    (rest,) = document["rest"]
    told = {
        (one["type"], interaction["code"])
        for one in rest["resource"]
        for interaction in one["interaction"]
    }
    served = set()
    for rule in app.url_map.iter_rules():
        if re.match("/fhir/.", rule.rule) and "$" not in rule.rule and ".well" not in rule.rule:
            served |= _interactions(rule)
    assert told == served
    ours = "https://labinterp.example.org"
    for operation in rest["operation"]:
        if not operation["definition"].startswith(ours):  # HL7's own, of bulk exports
            continue
        path = operation["definition"].removeprefix(ours)
        assert stranger.get(path).json["code"] == operation["name"]
        assert any(rule.rule == f"/fhir/${operation['name']}" for rule in app.url_map.iter_rules())


def _interactions(rule):
    if rule.rule == "/fhir/metadata" or rule.rule.endswith("/_search"):
        return set()
    head, *rest = rule.rule.removeprefix("/fhir/").split("/")
    kinds = [head]
    if head.startswith("<any("):
        kinds = head.removeprefix("<any(").partition(")")[0].split(",")
    by_method = {"GET": "read" if rest else "search-type", "POST": "create", "DELETE": "delete"}
    if "_history" in rest:
        by_method = {"GET": "history-instance" if rest[-1] == "_history" else "vread"}
    return {
        (kind, code)
        for kind in kinds
        for method, code in by_method.items()
        if method in rule.methods
    }


def test_the_answers_are_valid_fhir(caller, stranger):
    from fhir.resources.R4B.bundle import Bundle
    from fhir.resources.R4B.capabilitystatement import CapabilityStatement
    from fhir.resources.R4B.operationdefinition import OperationDefinition

    Bundle.model_validate(_post(caller, _bundle()).json)
    CapabilityStatement.model_validate(stranger.get("/fhir/metadata").json)
    OperationDefinition.model_validate(fhir_metadata.operation_definition(BASE))


@pytest.mark.parametrize("by_form", [False, True])
def test_answers_are_searched_by_patient_and_date(caller, by_form):
    for name in ("SYN-1", "SYN-2"):
        _post(caller, _bundle(name))

    def found(kind, **asked):
        if by_form:
            return caller.open("POST", f"/fhir/{kind}/_search", data=asked).json.get("entry", [])
        return caller.open("GET", f"/fhir/{kind}", query_string=asked).json.get("entry", [])

    assert len(found("DiagnosticReport")) == 2
    (only,) = found("DiagnosticReport", **{"patient.identifier": "urn:example:mrn|SYN-1"})
    report = only["resource"]
    (same,) = found("DiagnosticReport", patient=report["subject"]["reference"])
    assert same["resource"] == report
    assert len(found("DiagnosticReport", identifier=report["id"])) == 1
    assert len(found("DiagnosticReport", date="2026-01-02")) == 2
    assert found("DiagnosticReport", date="gt2026-01") == []
    assert found("DiagnosticReport", patient="Patient/none") == []
    potassium = found("Observation", code="http://loinc.org|2823-3")
    assert len(potassium) == 2
    assert {one["search"]["mode"] for one in potassium} == {"match"}


def test_pages_are_followed_by_their_links(caller):
    for name in ("SYN-1", "SYN-2", "SYN-3"):
        _post(caller, _bundle(name))
    path, seen = "/fhir/DiagnosticReport?_count=2", []
    while path:
        page = caller.get(path).json
        seen += [one["resource"]["id"] for one in page["entry"]]
        links = {link["relation"]: link["url"] for link in page["link"]}
        path = links.get("next", "").removeprefix("https://labinterp.example.org")
    assert len(set(seen)) == 3


def test_an_unknown_parameter_is_refused_only_where_that_is_asked(caller):
    path = "/fhir/DiagnosticReport?colour=red"
    assert caller.get(path).status_code == 200
    refused = caller.get(path, headers={"Prefer": "handling=strict"})
    assert refused.status_code == 400
    assert refused.json["issue"][0]["expression"] == ["DiagnosticReport?colour"]
    assert caller.get("/fhir/DiagnosticReport?date=soon").status_code == 400
