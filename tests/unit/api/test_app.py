"""What holds for every answer: its id, its headers, its limits, and who may ask at all."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import re

import pytest
import structlog

from app import create_app
from labinterp import telemetry
from labinterp.access import SCOPES
from labinterp.api.document import document
from labinterp.usecases import administer

PANEL_ID = "0" * 26
WORDS = {"version": 1, "service_id": "twitch-labs", "name": "x", "piece": "x"}
IN_THE_CLEAR = "http://lab.example.org"
OPEN_TO_ALL = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/openapi.json",
    "/api/problems",
    "/api/docs",
    "/api/docs/<path:name>",
}


def api_rules(app):
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") or rule.rule in OPEN_TO_ALL:
            yield rule


def filled(rule):
    return (
        re.sub(r"<any\(([^,)]*)[^>]*>", r"\1", rule.rule)
        .replace("<panel_id>", "x")
        .replace("<panel:panel_id>", PANEL_ID)
        .replace("<piece>", "x")
    )


def test_every_address_of_the_api_asks_for_a_key_but_those_listed(app, stranger):
    for rule in api_rules(app):
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            answer = stranger.open(method, filled(rule))
            if rule.rule in OPEN_TO_ALL:
                assert answer.status_code != 401, rule
            else:
                assert answer.status_code == 401, rule


def test_every_address_with_a_scope_refuses_a_key_without_it(app, caller_with):
    for rule in api_rules(app):
        scope = getattr(app.view_functions[rule.endpoint], "scope", None)
        if scope is None:
            assert rule.rule in OPEN_TO_ALL
            continue
        without = caller_with(*(set(SCOPES) - {scope, "admin"}))
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            answer = without.open(method, filled(rule))
            assert (answer.status_code, answer.json["code"]) == (403, "forbidden"), rule
            assert scope in answer.json["detail"]


def test_an_administrators_key_may_do_everything(app, caller_with, panel):
    administrator = caller_with("admin")

    assert administrator.post("/api/v1/panels", panel).status_code == 201
    assert administrator.get("/api/v1/knowledge").status_code == 200


def test_a_view_that_names_no_scope_is_closed(app, caller):
    def forgotten():
        return ""

    blueprint = app.blueprints["panels"]
    app.view_functions["panels.forgotten"] = forgotten
    app.url_map.add(
        app.url_rule_class("/api/v1/forgotten", endpoint="panels.forgotten", methods=["GET"])
    )

    assert blueprint.name == "panels"
    assert caller.get("/api/v1/forgotten").status_code == 403


def test_every_answer_carries_an_id(stranger):
    first, second = (stranger.get("/healthz").headers["X-Request-ID"] for _ in range(2))

    assert first != second
    assert re.fullmatch(r"[0-9a-f]{32}", first)


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/panels", "/api/no-such-thing"])
def test_the_id_that_was_sent_is_the_id_of_the_answer(stranger, path):
    answer = stranger.get(path, headers={"X-Request-ID": "ward-7.0001_a"})

    assert answer.headers["X-Request-ID"] == "ward-7.0001_a"


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "né", "a;b", "<script>"])
def test_an_id_of_another_form_is_replaced(stranger, sent):
    answer = stranger.get("/healthz", headers={"X-Request-ID": sent})

    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/panels", "/api/docs", "/api/nothing", "/"])
def test_every_answer_carries_the_security_headers(stranger, path):
    headers = stranger.get(path, base_url=IN_THE_CLEAR).headers

    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"


def test_a_service_without_https_asks_no_browser_for_it(services):
    app = limited(services, base_url=IN_THE_CLEAR)
    answer = app.test_client().get("/healthz", base_url=IN_THE_CLEAR)

    assert "Strict-Transport-Security" not in answer.headers


def test_over_https_it_stays_https(app):
    answer = app.test_client().get("/healthz", base_url="https://lab.example.org")

    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_no_cache_keeps_what_is_about_a_patient(caller, panel):
    stored = caller.post("/api/v1/panels", panel)

    assert stored.headers["Cache-Control"] == "no-store"
    assert caller.get(stored.headers["Location"]).headers["Cache-Control"] == "no-store"
    assert caller.get("/api/v1/panels").headers["Cache-Control"] == "no-store"


def test_the_api_sets_no_cookie(caller, stranger, panel):
    answers = [caller.post("/api/v1/panels", panel), caller.get("/api/v1/panels")]
    answers += [stranger.get(path) for path in ("/api/v1/panels", "/api/none", "/healthz")]

    assert not any("Set-Cookie" in answer.headers for answer in answers)


def test_a_session_of_the_pages_opens_no_door_of_the_api(app, services, organisation):
    user = administer.create_user(
        services, organisation.id, email="a@example.org", name="A", scopes=("admin",)
    )
    client = app.test_client()
    link = f"/login/link/{administer.sign_in_link(services, user.id)}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(link).get_data(as_text=True))
    client.post(link, data={"csrf_token": token[1]})

    assert client.get("/").status_code == 200
    assert client.get("/api/v1/panels").status_code == 401


def test_an_unknown_address_of_the_api_is_a_problem_document(stranger):
    answer = stranger.get("/api/v2/panels")

    assert (answer.status_code, answer.json["code"]) == (404, "not-found")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "TRACE", "BREW"])
def test_a_method_an_address_does_not_take_is_told_which_it_does(caller, method):
    answer = caller.open(method, "/api/v1/panels")

    assert (answer.status_code, answer.json["code"]) == (405, "method-not-allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_options_says_what_an_address_takes_without_a_key(stranger):
    answer = stranger.open("OPTIONS", "/api/v1/panels")

    assert answer.status_code == 200
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_options_and_405_name_the_documented_methods_and_no_other(caller):
    for path, told in document()["paths"].items():
        taken = {method.upper() for method in told} - {"PARAMETERS"}
        there = path.format(**{name: a_word_for(name, told) for name in names_in(path)})

        for method in ("OPTIONS", "PATCH"):
            allowed = caller.open(method, there).headers["Allow"].split(", ")

            assert set(allowed) - {"OPTIONS", "HEAD"} == taken, (method, there)


def names_in(path):
    return re.findall(r"{(\w+)}", path)


def a_word_for(name, told):
    every = (each for part in (told, *told.values()) for each in parameters_of(part))
    schema = next((each["schema"] for each in every if each["name"] == name), {})
    return str(WORDS.get(name) or schema.get("enum", [PANEL_ID])[0])


def parameters_of(part):
    return part.get("parameters", ()) if isinstance(part, dict) else ()


def test_head_answers_as_get_without_a_body(caller):
    answer = caller.open("HEAD", "/api/v1/panels")

    assert (answer.status_code, answer.data) == (200, b"")


def limited(services, **rates):
    policy = dataclasses.replace(services.policy, **rates)
    return create_app(dataclasses.replace(services, policy=policy))


def test_a_key_that_asks_too_often_is_told_when_to_come_back(services, organisation):
    app = limited(services, request_rate="3 per minute", stranger_rate="1000 per minute")
    _, key = administer.create_key(services, organisation.id, name="k", scopes=("panels:read",))
    _, other = administer.create_key(services, organisation.id, name="o", scopes=("panels:read",))
    client = app.test_client()

    answers = [client.get("/api/v1/panels", headers={"X-API-Key": key}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json["code"] == "too-many-requests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert client.get("/api/v1/panels", headers={"X-API-Key": other}).status_code == 200


@pytest.mark.hazard("stranger-writes")
def test_guessing_keys_is_slowed_down(services):
    client = limited(services, stranger_rate="2 per minute").test_client()

    statuses = [
        client.get("/api/v1/panels", headers={"X-API-Key": f"guess-{n}"}).status_code
        for n in range(3)
    ]

    assert statuses == [401, 401, 429]


def test_a_proxy_is_believed_only_where_one_is_configured(services):
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}

    def asked_of(app):
        return app.test_client().get("/healthz", headers=told, base_url=IN_THE_CLEAR)

    clear = {"base_url": IN_THE_CLEAR}
    assert "Strict-Transport-Security" not in asked_of(limited(services, **clear)).headers
    believing = limited(services, trusted_proxies=1, **clear)
    assert "Strict-Transport-Security" in asked_of(believing).headers


@pytest.fixture
def log():
    """What this process logs, as the lines of JSON that an operator collects."""
    before = structlog.get_config()
    stream = io.StringIO()
    telemetry.configure("info", stream=stream)
    yield stream
    structlog.configure(**before)  # its own defaults would write to standard output from here on
    logging.basicConfig(level=logging.WARNING, handlers=[logging.NullHandler()], force=True)


@pytest.mark.hazard("stranger-reads")
def test_what_is_logged_of_a_request_holds_no_patient(caller, panel, log):
    stored = caller.post("/api/v1/panels", panel)
    caller.get(stored.headers["Location"] + "?version=1&foo=MRN-1")
    caller.post("/api/v1/panels", {**panel, "colour": "MRN-1"})

    written = log.getvalue()
    lines = [json.loads(line) for line in written.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [line["status"] for line in requests] == [201, 422, 422]
    assert requests[0]["route"] == "/api/v1/panels"
    assert requests[0]["request_id"] == stored.headers["X-Request-ID"]
    for secret in ("MRN-1", "urn:example:mrn", "1971", "2.90", "foo"):
        assert secret not in written
