"""Bulk in and bulk out over HTTP: begun, asked after, fetched, removed."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest

from app import create_app
from labinterp.store import reports
from labinterp.usecases import clients, journey
from labinterp.usecases.report_work import draw_at_once
from tests.signing import EC, form, key_set, signed
from tests.unit.api.conftest import LIMITS_OUT_OF_THE_WAY, new_caller

NDJSON = "application/x-ndjson"
BASE = "https://labinterp.example.org"


@pytest.fixture
def body(panel):
    other = {**panel, "patient": {**panel["patient"], "identifier": {"value": "MRN-2"}}}
    return "\n".join((json.dumps(panel), "{", json.dumps(other), "")).encode()


def turns(services):
    for _ in range(100):
        if not journey.background_due(services, "w", 1):
            return
    raise AssertionError("it does not come to an end")


def local(address):
    assert address.startswith(BASE)
    return address.removeprefix(BASE)


def test_a_body_is_taken_asked_after_and_told_of_line_by_line(caller, services, body):
    begun = caller.post("/api/v1/bulk", body=body, content_type=NDJSON)
    assert begun.status_code == 202, begun.text
    job = local(begun.headers["Content-Location"])
    running = caller.get(job)
    assert running.status_code == 202
    assert running.headers["X-Progress"] == "0 of 3 done"
    assert int(running.headers["Retry-After"]) > 0
    turns(services)
    done = caller.get(job)
    assert done.status_code == 200
    assert done.json["request"] == f"{BASE}/api/v1/bulk"
    (good,) = done.json["output"]
    (bad,) = done.json["error"]
    assert (good["type"], good["count"], bad["type"], bad["count"]) == ("stored", 2, "refused", 1)
    lines = [json.loads(one) for one in caller.get(local(good["url"])).text.splitlines()]
    assert [one["where"] for one in lines] == ["line 1", "line 3"]
    assert caller.get(local(lines[0]["url"])).json["id"] == lines[0]["panel_id"]
    refused = json.loads(caller.get(local(bad["url"])).text)
    assert (refused["where"], refused["status"]) == ("line 2", "refused")
    assert caller.get(f"{job}/files/in").status_code == 404
    assert caller.open("DELETE", job).status_code == 202
    assert caller.get(job).status_code == 404
    assert caller.get(local(good["url"])).status_code == 404
    assert len(caller.get("/api/v1/panels").json["panels"]) == 2


def test_a_body_longer_than_others_are_taken_is_taken_in_bulk_up_to_its_own_limit(
    services, organisation, body
):
    policy = dataclasses.replace(
        services.policy, body_limit=len(body) // 2, bulk_limit=len(body), **LIMITS_OUT_OF_THE_WAY
    )
    services = dataclasses.replace(services, policy=policy)
    caller = new_caller(create_app(services), services, organisation, "panels:write")
    assert caller.post("/api/v1/bulk", body=body, content_type=NDJSON).status_code == 202
    refused = caller.post("/api/v1/bulk", body=body + b"{}", content_type=NDJSON)
    assert (refused.status_code, refused.json["code"]) == (413, "too-large")


TABLE = "MRN,collected,test,value,unit\n" + "".join(
    f"T{number},2026-01-02T08:00:00Z,Potassium,{value},mmol/L\n"
    for number, value in enumerate(("4.1", "2.90", "nonsense", "3.9"))
)


def imported(caller, text, name="rows.csv"):
    file = (io.BytesIO(text.encode()), name)
    return caller.open("POST", "/api/v1/panels/import", data={"file": file})


def test_a_file_too_long_to_be_answered_at_once_is_imported_in_the_background(
    services, organisation
):
    policy = dataclasses.replace(
        services.policy, body_limit=200, bulk_limit=2_000, **LIMITS_OUT_OF_THE_WAY
    )
    services = dataclasses.replace(services, policy=policy)
    caller = new_caller(create_app(services), services, organisation, "panels:write", "panels:read")
    assert imported(caller, TABLE[:120]).status_code == 200
    begun = imported(caller, TABLE)
    assert begun.status_code == 202, begun.text
    job = local(begun.headers["Content-Location"])
    assert caller.get(job).headers["X-Progress"] == "0 of 5 done"
    turns(services)
    done = caller.get(job).json
    files = [local(one["url"]) for one in (*done["output"], *done["error"])]
    outcomes = [json.loads(line) for file in files for line in caller.get(file).text.splitlines()]
    assert {(one["where"], one["status"]) for one in outcomes} == {
        ("row 2", "stored"),
        ("row 3", "stored"),
        ("row 4", "refused"),
        ("row 5", "stored"),
    }
    for text, name in ((TABLE * 20, "rows.csv"), ('{"a": "' + "b" * 400, "panel.json")):
        refused = imported(caller, text, name)
        assert (refused.status_code, refused.json["code"]) == (413, "too-large")


def test_the_template_is_fetched_by_the_api_and_taken_as_it_stands(caller, stranger):
    fetched = caller.get("/api/v1/panels/template.csv")
    assert fetched.status_code == 200
    assert fetched.content_type == "text/csv; charset=utf-8"
    assert "attachment" in fetched.headers["Content-Disposition"]
    answer = imported(caller, fetched.text).json
    assert (answer["stored"], answer["refused"]) == (1, 0)
    assert stranger.get("/api/v1/panels/template.csv").status_code == 401


def test_what_is_no_bulk_body_is_refused(caller, stranger, caller_with):
    for told, sent, status in (
        ("application/json", b"{}", 415),
        (NDJSON, b"", 422),
    ):
        assert caller.post("/api/v1/bulk", body=sent, content_type=told).status_code == status
    assert stranger.post("/api/v1/bulk", body=b"{}", content_type=NDJSON).status_code == 401
    reader = caller_with("panels:read")
    assert reader.post("/api/v1/bulk", body=b"{}", content_type=NDJSON).status_code == 403


def test_another_organisation_finds_no_job(caller, neighbour, services, body):
    begun = caller.post("/api/v1/bulk", body=body, content_type=NDJSON)
    job = local(begun.headers["Content-Location"])
    turns(services)
    for method, path in (("GET", job), ("DELETE", job), ("GET", f"{job}/files/stored.ndjson")):
        assert neighbour.open(method, path).status_code == 404
    assert caller.get(job).status_code == 200


class Bearer:
    def __init__(self, app, services, organisation, *scopes):
        client = clients.create_client(
            services, organisation.id, name="EHR", scopes_allowed=scopes, key_set=key_set(EC)
        )
        sent = form(signed(client.id, f"{BASE}/oauth/token", services.now()), " ".join(scopes))
        self._client = app.test_client()
        self._token = self._client.post("/oauth/token", data=sent).json["access_token"]

    def open(self, path, method="GET", **headers):
        headers = {"Authorization": f"Bearer {self._token}", **headers}
        return self._client.open(path, method=method, headers=headers, buffered=True)

    def export(self, query="", below="/fhir/"):
        headers = {"Prefer": "respond-async", "Accept": "application/fhir+json"}
        return self.open(f"{below}$export{query}", **headers)


def test_answers_are_exported_as_a_bulk_client_asks(app, services, organisation, caller, panel):
    stored = caller.post("/api/v1/panels", panel).json["id"]
    with services.store.reading() as connection:
        report = reports.read_report(connection, organisation.id, stored, 1)
    draw_at_once(services, report.id)
    client = Bearer(app, services, organisation, "system/*.rs")
    begun = client.export("?_type=DiagnosticReport,Observation,Provenance")
    assert begun.status_code == 202, begun.text
    status = local(begun.headers["Content-Location"])
    assert client.open(status).headers["X-Progress"] == "0 of 1 done"
    turns(services)
    done = client.open(status, Accept="application/json")
    assert done.status_code == 200
    assert "Expires" in done.headers
    assert done.json["request"].endswith("$export?_type=DiagnosticReport,Observation,Provenance")
    assert done.json["requiresAccessToken"] is True
    files = {one["type"]: one for one in done.json["output"]}
    assert set(files) == {"DiagnosticReport", "Observation", "Provenance"}
    for kind, one in files.items():
        fetched = client.open(local(one["url"]), Accept="application/fhir+ndjson")
        assert fetched.content_type == "application/fhir+ndjson"
        lines = [json.loads(line) for line in fetched.text.splitlines()]
        assert len(lines) == one["count"]
        assert {line["resourceType"] for line in lines} == {kind}
        first = client.open(f"/fhir/{kind}/{lines[0]['id']}")
        assert first.status_code == 200
        assert first.json == lines[0]
    assert '"value":2.90' in client.open(local(files["Observation"]["url"])).text
    (report,) = client.open(local(files["DiagnosticReport"]["url"])).text.splitlines()
    assert stored in report
    assert json.loads(report)["presentedForm"][0]["hash"]
    assert client.open(status, "DELETE").status_code == 202
    gone = client.open(status)
    assert gone.status_code == 404
    assert gone.json["resourceType"] == "OperationOutcome"


def test_an_export_holds_what_is_newer_and_many_pages_of_it(  # noqa: PLR0917
    app, services, organisation, caller, panel, clock, monkeypatch
):
    from labinterp.usecases import export

    monkeypatch.setattr(export, "_PANELS", 2)
    for number in range(5):
        clock.move(600)
        if number == 2:
            since = services.now().isoformat().replace("+00:00", "Z")
        patient = {**panel["patient"], "identifier": {"value": f"MRN-{number}"}}
        assert caller.post("/api/v1/panels", {**panel, "patient": patient}).status_code == 201
    clock.move(60)
    client = Bearer(app, services, organisation, "system/*.rs")
    found = {}
    for query in ("?_type=Patient", f"?_type=Patient&_since={since}"):
        status = local(client.export(query, "/fhir/Patient/").headers["Content-Location"])
        turns(services)
        (file,) = client.open(status).json["output"]
        lines = client.open(local(file["url"])).text.splitlines()
        found[query] = {json.loads(line)["identifier"][0]["value"] for line in lines}
    assert list(map(len, found.values())) == [5, 3]


def test_a_token_exports_no_more_than_it_may_read(app, services, organisation, caller, panel):
    caller.post("/api/v1/panels", panel)
    client = Bearer(app, services, organisation, "system/Observation.rs")
    refused = client.export("?_type=Observation,Provenance")
    assert refused.status_code == 403
    assert refused.json["resourceType"] == "OperationOutcome"
    status = local(client.export().headers["Content-Location"])
    turns(services)
    (file,) = client.open(status).json["output"]
    assert file["type"] == "Observation"
    whole = Bearer(app, services, organisation, "system/*.rs")
    wide = local(whole.export().headers["Content-Location"])
    turns(services)
    urls = {one["type"]: local(one["url"]) for one in whole.open(wide).json["output"]}
    assert set(urls) >= {"DiagnosticReport", "Patient", "Device"}
    assert client.open(urls["Patient"]).status_code == 403
    assert client.open(urls["Observation"]).status_code == 200


@pytest.mark.parametrize(
    ("query", "prefer"),
    [
        ("", ""),
        ("?_type=Immunization", "respond-async"),
        ("?_since=yesterday", "respond-async"),
        ("?_outputFormat=csv", "respond-async"),
        ("?_typeFilter=Observation?code=x", "respond-async"),
        ("?_elements=id", "respond-async"),
    ],
)
def test_what_cannot_be_exported_is_an_operation_outcome(caller, query, prefer):
    refused = caller.get(f"/fhir/$export{query}", headers={"Prefer": prefer})
    assert refused.status_code == 400
    assert refused.json["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("category", "kinds"),
    [
        ("vital-signs%252Claboratory", {"Observation", "DiagnosticReport"}),
        ("exam", {"DiagnosticReport"}),
    ],
)
def test_a_filter_by_category_leaves_what_is_kept_here_or_nothing(
    caller, services, panel, category, kinds
):
    caller.post("/api/v1/panels", panel)
    query = f"?_type=DiagnosticReport,Observation&_typeFilter=Observation%3Fcategory%3D{category}"
    begun = caller.get(f"/fhir/$export{query}", headers={"Prefer": "respond-async"})
    turns(services)
    output = caller.get(local(begun.headers["Content-Location"])).json["output"]
    assert {one["type"] for one in output} == kinds


def test_a_lenient_export_leaves_out_what_is_not_known_here(caller):
    headers = {"Prefer": "respond-async, handling=lenient"}
    query = "?_type=Observation,Immunization&_elements=id"
    assert caller.get(f"/fhir/$export{query}", headers=headers).status_code == 202
