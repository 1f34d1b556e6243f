"""CDS Hooks: discovery, cards for a chart and for draft orders, trust, and what became of cards."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jsonschema
import pytest

from app import create_app
from labinterp.outbound import Outbound
from labinterp.usecases import clients
from tests.receiver import receiving
from tests.signing import EC, key_set, signed
from tests.unit.api.conftest import LIMITS_OUT_OF_THE_WAY, new_caller

EXAMPLES = Path(__file__).parents[2] / "contract" / "cds"
VIEW, SIGN, SELECT = "twitch-labs", "twitch-labs-order-sign", "twitch-labs-order-select"
BASE = "https://labinterp.example.org"


def example(number):
    (path,) = EXAMPLES.glob(f"{number}-*.json")
    return json.loads(path.read_text("utf-8"))


def valid(kind, document):
    schema = json.loads((EXAMPLES / f"{kind}.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    return document


def cards_of(answer):
    assert answer.status_code == 200, answer.json
    return valid("response", answer.json)["cards"]


def issue_of(answer):
    assert answer.json["resourceType"] == "OperationOutcome"
    return answer.json["issue"][0]


def labs_of(request):
    return [entry["resource"] for entry in request["prefetch"]["labs"]["entry"]]


def without_findings():
    request = example(20)
    labs = request["prefetch"]["labs"]
    labs["entry"] = [
        one
        for one in labs["entry"]
        if one["resource"].get("code", {}).get("coding", [{}])[0].get("code") == "2951-2"
    ]
    request["prefetch"] = {"patient": request["prefetch"]["patient"], "labs": labs}
    return request


# ---- discovery


def test_the_services_are_open_to_all_and_ask_for_no_more_than_rules_read(app):
    answer = app.test_client().get("/cds-services")
    services = {one["hook"]: one for one in valid("discovery", answer.json)["services"]}
    assert set(services) == {"patient-view", "order-sign", "order-select"}
    labs = services["patient-view"]["prefetch"]["labs"]
    assert "{{context.patientId}}" in labs
    assert "2823-3" in labs
    assert len(labs) < 2000


# ---- cards


def test_a_chart_with_low_results_gets_its_cards(caller):
    cards = cards_of(caller.post(f"/cds-services/{VIEW}", example(20)))
    assert 1 <= len(cards) <= 3
    assert any("magnesium" in one["summary"].lower() for one in cards)
    assert any("1.3 mg/dL" in one["summary"] for one in cards)
    assert cards[0]["links"][0]["url"].startswith(f"{BASE}/knowledge/rules/")


def test_a_chart_without_a_finding_gets_no_card(caller):
    assert cards_of(caller.post(f"/cds-services/{VIEW}", without_findings())) == []


def test_a_client_that_looked_and_has_nothing_gets_no_card(caller):
    request = example(20)
    request["prefetch"] = {"patient": request["prefetch"]["patient"], "labs": None}
    assert cards_of(caller.post(f"/cds-services/{VIEW}", request)) == []
    request["prefetch"]["labs"] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    assert cards_of(caller.post(f"/cds-services/{VIEW}", request)) == []


def test_results_of_several_days_are_read_together_the_newest_of_each_test(caller):
    request = example(20)
    labs = labs_of(request)
    labs[0]["effectiveDateTime"] = "2026-02-20T08:00:00+01:00"
    older = {**labs[2], "id": "older", "effectiveDateTime": "2026-02-01T08:00:00+01:00"}
    older["valueQuantity"] = {**older["valueQuantity"], "value": 9.9}
    request["prefetch"]["labs"]["entry"].append({"resource": older})
    cards = cards_of(caller.post(f"/cds-services/{VIEW}", request))
    assert any("1.3 mg/dL" in one["summary"] for one in cards)
    assert not any("9.9" in one["summary"] for one in cards)


def test_who_opens_the_chart_may_be_left_out(caller):
    request = example(20)
    del request["context"]["userId"]
    assert cards_of(caller.post(f"/cds-services/{VIEW}", request))


@pytest.mark.hazard("wrong-patient")
def test_results_of_another_patient_are_left_out(caller):
    request = example(20)
    for one in labs_of(request):
        one["subject"] = {"reference": "Patient/somebody-else"}
    assert cards_of(caller.post(f"/cds-services/{VIEW}", request)) == []


def test_text_from_outside_is_no_markup_in_a_card(caller):
    request = example(20)
    labs_of(request)[0]["code"]["text"] = (
        "Magnesium <img src=x onerror=alert(1)> [x](http://evil.example)"
    )
    for card in cards_of(caller.post(f"/cds-services/{VIEW}", request)):
        assert "<img" not in card["detail"]
        assert "](http" not in card["detail"]


def test_a_draft_that_worsens_a_low_result_is_warned_of(caller):
    cards = cards_of(caller.post(f"/cds-services/{SIGN}", example(23)))
    assert cards[0]["summary"].startswith("furosemide may lower")
    assert cards[0]["indicator"] == "warning"
    assert "Magnesium" in cards[0]["detail"]


def test_a_draft_that_worsens_nothing_gets_no_card(caller):
    request = example(23)
    drug = request["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"]
    drug["coding"][0]["display"] = drug["text"] = "paracetamol"
    assert cards_of(caller.post(f"/cds-services/{SIGN}", request)) == []


def test_an_order_of_one_test_is_offered_the_others(caller):
    (card,) = cards_of(caller.post(f"/cds-services/{SELECT}", example(24)))
    assert card["indicator"] == "info"
    assert card["selectionBehavior"] == "any"
    kinds = {one["actions"][0]["resource"]["resourceType"] for one in card["suggestions"]}
    assert kinds == {"ServiceRequest"}


# ---- what is missing, and what is no call


def test_a_search_of_several_pages_is_followed_on_its_own_server_alone(services, organisation):
    whole = example(20)["prefetch"]
    entries = whole["labs"]["entry"]
    pages = {"": (entries[:1], "2"), "2": (entries[1:], "elsewhere")}

    def found(path):
        asked.append(path)
        if path.startswith("/Patient/"):
            return json.dumps(whole["patient"]).encode()
        listed, after = pages[path.partition("page=")[2]]
        url = f"{base}/Observation?page={after}"
        if after == "elsewhere":
            url = "https://elsewhere.example.org/Observation?page=3"
        link = [{"relation": "next", "url": url}]
        bundle = {"resourceType": "Bundle", "type": "searchset", "link": link, "entry": listed}
        return json.dumps(bundle).encode()

    asked = []
    with receiving() as receiver:
        receiver.usual = lambda _, got: (200, {}, found(got.path))
        host = f"127.0.0.1:{receiver.port}"
        base = f"http://{host}"
        policy = dataclasses.replace(
            services.policy, cds_fhir_servers=frozenset({base}), **LIMITS_OUT_OF_THE_WAY
        )
        wired = dataclasses.replace(
            services, policy=policy, outbound=Outbound(allowed=frozenset({host}))
        )
        caller = new_caller(create_app(wired), wired, organisation, "panels:write")
        request = {**example(21), "fhirServer": base}
        shown = cards_of(caller.post(f"/cds-services/{VIEW}", request))
    sent = cards_of(caller.post(f"/cds-services/{VIEW}", example(20)))
    assert {one["summary"] for one in shown} == {one["summary"] for one in sent}
    assert "/Observation?page=2" in asked
    assert "/Observation?page=3" not in asked


def test_a_patients_id_is_one_part_of_the_address_whatever_it_holds(services, organisation):
    asked = []

    def found(_, got):
        asked.append(got.path)
        return 404, {}, b"{}"

    with receiving() as receiver:
        receiver.usual = found
        host = f"127.0.0.1:{receiver.port}"
        policy = dataclasses.replace(
            services.policy,
            cds_fhir_servers=frozenset({f"http://{host}"}),
            **LIMITS_OUT_OF_THE_WAY,
        )
        wired = dataclasses.replace(
            services, policy=policy, outbound=Outbound(allowed=frozenset({host}))
        )
        caller = new_caller(create_app(wired), wired, organisation, "panels:write")
        request = {**example(21), "fhirServer": f"http://{host}"}
        request["context"] = {**request["context"], "patientId": "../x?y=1&patient=2"}
        assert caller.post(f"/cds-services/{VIEW}", request).status_code == 412
    assert "/Patient/..%2Fx%3Fy%3D1%26patient%3D2" in asked


@pytest.mark.parametrize("number", [21, 22])
def test_what_is_missing_and_cannot_be_fetched_is_named(caller, number):
    answer = caller.post(f"/cds-services/{VIEW}", example(number))
    assert answer.status_code == 412
    issues = answer.json["issue"]
    assert "prefetch.labs" in [place for one in issues for place in one["expression"]]
    assert issues[0]["details"]["coding"][0]["code"] == "prefetch-missing"


def test_what_is_missing_is_fetched_from_a_listed_server_with_the_clients_token(
    services, organisation
):
    request = example(21)
    whole = example(20)["prefetch"]

    def found(path):
        kind = path.lstrip("/").split("/")[0].split("?")[0]
        return json.dumps(
            {"Patient": whole["patient"], "Observation": whole["labs"]}.get(kind)
        ).encode()

    with receiving() as receiver:
        receiver.usual = lambda _, got: (200, {}, found(got.path))
        host = f"127.0.0.1:{receiver.port}"
        base = f"http://{host}"
        policy = dataclasses.replace(
            services.policy, cds_fhir_servers=frozenset({base}), **LIMITS_OUT_OF_THE_WAY
        )
        wired = dataclasses.replace(
            services, policy=policy, outbound=Outbound(allowed=frozenset({host}))
        )
        caller = new_caller(create_app(wired), wired, organisation, "panels:write")
        request["fhirServer"] = base
        assert cards_of(caller.post(f"/cds-services/{VIEW}", request))
        request["fhirServer"] = "http://169.254.169.254"
        assert caller.post(f"/cds-services/{VIEW}", request).status_code == 412


@pytest.mark.parametrize("missing", ["hook", "hookInstance"])
def test_a_call_without_what_every_call_has_is_refused_by_its_place(caller, missing):
    request = example(20)
    del request[missing]
    answer = caller.post(f"/cds-services/{VIEW}", request)
    assert answer.status_code == 400
    assert issue_of(answer)["expression"] == [missing]


def test_a_call_of_another_hook_is_refused(caller):
    answer = caller.post(f"/cds-services/{VIEW}", {**example(20), "hook": "order-sign"})
    assert answer.status_code == 400
    assert issue_of(answer)["expression"] == ["hook"]


def test_an_unknown_service_is_not_found(caller):
    answer = caller.post("/cds-services/no-such", example(20))
    assert answer.status_code == 404
    assert issue_of(answer)["code"] == "not-found"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"hook": 1, "context": [], "prefetch": "x"}'])
def test_what_is_no_call_is_a_refusal_of_the_callers(caller, body):
    answer = caller.post(f"/cds-services/{VIEW}", body=body)
    assert answer.status_code == 400
    assert answer.json["resourceType"] == "OperationOutcome"


# ---- trust


def test_a_registered_client_signs_its_calls_and_each_token_holds_once(app, services, organisation):
    clients.create_client(
        services,
        organisation.id,
        name="EHR",
        scopes_allowed=("panels:write",),
        key_set=key_set(EC),
        issuer="https://ehr.example.org",
    )
    path = f"/cds-services/{VIEW}"
    token = signed("https://ehr.example.org", BASE + path, services.now())
    bearer = {"Authorization": f"Bearer {token}"}
    answer = app.test_client().post(path, json=example(20), headers=bearer)
    assert cards_of(answer)
    again = app.test_client().post(path, json=example(20), headers=bearer)
    assert again.status_code == 401
    assert issue_of(again)["code"] == "login"


def test_a_token_for_another_address_is_refused(app, services, organisation):
    clients.create_client(
        services,
        organisation.id,
        name="EHR",
        scopes_allowed=("panels:write",),
        key_set=key_set(EC),
        issuer="https://ehr.example.org",
    )
    token = signed("https://ehr.example.org", f"{BASE}/cds-services/other", services.now())
    answer = app.test_client().post(
        f"/cds-services/{VIEW}", json=example(20), headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 401


def test_nobody_calls_without_saying_who(app):
    assert app.test_client().post(f"/cds-services/{VIEW}", json=example(20)).status_code == 401


def test_only_listed_origins_may_call_from_a_browser(services):
    policy = dataclasses.replace(
        services.policy, cds_origins=frozenset({"https://ehr.example.org"})
    )
    client = create_app(dataclasses.replace(services, policy=policy)).test_client()
    asked = client.options("/cds-services", headers={"Origin": "https://ehr.example.org"})
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "https://ehr.example.org"
    assert "authorization" in asked.headers["Access-Control-Allow-Headers"]
    refused = client.post(f"/cds-services/{VIEW}", headers={"Origin": "https://ehr.example.org"})
    assert refused.status_code == 401
    assert "Access-Control-Allow-Origin" in refused.headers
    other = client.options("/cds-services", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


# ---- feedback


def test_feedback_is_kept_and_the_last_word_on_a_card_is_counted(caller, caller_with, clock):
    (first, *_) = cards_of(caller.post(f"/cds-services/{VIEW}", example(20)))
    for number in (40, 41):
        told = example(number)
        told["feedback"][0]["card"] = first["uuid"]
        valid("feedback", told)
        assert caller.post(f"/cds-services/{VIEW}/feedback", told).status_code == 200
        clock.move(1)
    counted = caller_with("admin").get("/api/v1/cds/feedback").json["rules"]
    rule = first["links"][0]["url"].rpartition("/")[2]
    assert {"rule": rule, "shown": 1, "accepted": 0, "overridden": 1} in counted


def test_feedback_that_names_no_card_is_refused(caller):
    assert caller.post(f"/cds-services/{VIEW}/feedback", {"feedback": []}).status_code == 400


# ---- the how-to


def test_the_call_of_the_how_to_gets_a_card(caller):
    page = Path(__file__).parents[3] / "docs" / "how-to" / "add-cds-hooks.md"
    body = page.read_text("utf-8").split("-d '")[1].split("'")[0]
    (card,) = cards_of(caller.post(f"/cds-services/{VIEW}", body=body.encode()))
    assert "2.9 mmol/L" in card["summary"]
