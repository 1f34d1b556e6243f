"""Results are fetched from a registered FHIR server, and taken as if they had been sent."""

from __future__ import annotations

import dataclasses
import json
import time

import pytest

from app import create_app
from labinterp.outbound import Outbound
from labinterp.store import fhir_servers
from tests.receiver import receiving
from tests.unit.api.conftest import LIMITS_OUT_OF_THE_WAY, new_caller
from tests.unit.api.test_cds import VIEW, cards_of, example
from tests.unit.api.test_fhir_transaction import FHIR, bundle, patient, potassium

TOKEN = "a-token-of-ours"
SERVERS = "/api/v1/fhir-servers"


@pytest.fixture
def ehr():
    """A FHIR server; each test says what it answers."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def base(ehr):
    return f"http://127.0.0.1:{ehr.port}/fhir"


@pytest.fixture
def wired(services, ehr):
    policy = dataclasses.replace(services.policy, **LIMITS_OUT_OF_THE_WAY)
    outbound = Outbound(allowed=frozenset({f"127.0.0.1:{ehr.port}"}), step=0.5, total=1.0)
    return dataclasses.replace(services, policy=policy, outbound=outbound)


@pytest.fixture
def caller(wired, organisation):
    return new_caller(
        create_app(wired), wired, organisation, "panels:write", "panels:read", "admin"
    )


@pytest.fixture
def registered(caller, base, wired, organisation):
    """The server is registered, as an administrator would do it."""
    answer = caller.post(SERVERS, {"base": "https://ehr.example.org/fhir", "token": TOKEN})
    assert answer.status_code == 201, answer.json
    record = fhir_servers_of(wired, organisation)[0]
    local = dataclasses.replace(record, id="0" * 26, base=base)
    wired.store.write(lambda one: fhir_servers.add_server(one, wired.store.vault, local))
    return base


def fhir_servers_of(wired, organisation):
    with wired.store.reading() as connection:
        return fhir_servers.servers(connection, wired.store.vault, organisation.id)


def pull(caller, base, who="p1"):
    asked = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "fhirServer", "valueUri": base},
            {"name": "patient", "valueString": who},
        ],
    }
    return caller.post("/fhir/$pull-panel", asked, content_type=FHIR)


def told(document, status=200):
    return status, {"Content-Type": FHIR}, json.dumps(document).encode()


def observation(value="2.90", who="p1", **more):
    made = potassium(who, value, **more)["resource"]
    return {**made, "id": f"k-{value}", "subject": {"reference": f"Patient/{who}"}}


def page(*resources, following=None):
    links = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}


def serving(ehr, *pages, who="p1"):
    """Answers the patient, the first search with these pages, and any other with nothing."""
    left = [*pages]
    person = {**patient(who)["resource"], "id": who}

    def answer(_, got):
        if "/Patient/" in got.path:
            return told(person)
        return told(left.pop(0) if left else page())

    ehr.usual = answer


def code_of(answer):
    return answer.json["issue"][0]["details"]["coding"][0]["code"]


def nothing_stored(caller):
    return caller.get("/api/v1/panels").json["panels"] == []


def test_what_is_fetched_gives_the_answer_that_sending_it_gives(caller, ehr, registered):
    serving(ehr, page(observation(), following=f"{registered}?page=2"), page(observation("2.80")))
    fetched = pull(caller, registered)
    assert fetched.status_code == 200, fetched.json
    got = [one.path for one in ehr.got]
    assert got[0] == "/fhir/Patient/p1"
    assert "category=laboratory" in got[1]
    assert "2823-3" in "".join(got)
    assert "/fhir?page=2" in got
    assert {one.headers["authorization"] for one in ehr.got} == {f"Bearer {TOKEN}"}

    person = {**patient("p1")["resource"], "id": "p1"}
    entries = [{"resource": one} for one in (person, observation(), observation("2.80"))]
    sent = caller.post(
        "/fhir/$interpret-panel", {**bundle(kind="collection"), "entry": entries}, content_type=FHIR
    )
    assert conclusions(fetched) == conclusions(sent)


def conclusions(answer):
    first = answer.json["entry"][0]["resource"]
    values = [
        one["resource"]["valueQuantity"]["value"]
        for one in answer.json["entry"]
        if one["resource"]["resourceType"] == "Observation"
    ]
    return first["conclusion"], values


def test_only_a_registered_server_is_called(caller, ehr, base):
    answer = pull(caller, base)
    assert (answer.status_code, code_of(answer)) == (422, "server-not-registered")
    assert ehr.got == []


def test_another_organisations_server_is_not_called(wired, caller, ehr, registered):
    from labinterp.usecases import administer

    other = administer.create_organisation(wired, "Ward 8")
    stranger = new_caller(create_app(wired), wired, other, "panels:write")
    assert code_of(pull(stranger, registered)) == "server-not-registered"
    assert ehr.got == []


@pytest.mark.parametrize(("status", "ours"), [(401, 422), (403, 422), (404, 422), (500, 503)])
def test_a_server_that_refuses_or_fails_is_told_and_nothing_is_stored(
    caller, ehr, registered, status, ours
):
    ehr.usual = told({"resourceType": "OperationOutcome"}, status)
    answer = pull(caller, registered)
    assert answer.status_code == ours
    assert TOKEN not in answer.text
    assert nothing_stored(caller)


def test_not_all_requests_wait_for_other_servers_at_once(
    wired, caller, ehr, registered, organisation
):
    serving(ehr, page(observation()))
    with wired.turns.taken(organisation.id), wired.turns.taken(organisation.id):
        answer = pull(caller, registered)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        chart = {**example(21), "fhirServer": registered}
        assert caller.post(f"/cds-services/{VIEW}", chart).status_code == 503
        assert ehr.got == []
        with wired.turns.taken("another organisation"):
            pass
    assert pull(caller, registered).status_code == 200


def test_a_slow_server_is_given_up(caller, ehr, registered):
    def late(*_):
        time.sleep(1.5)

    ehr.usual = late
    began = time.monotonic()
    assert pull(caller, registered).status_code == 503
    assert time.monotonic() - began < 1.4


@pytest.mark.parametrize(
    "elsewhere",
    [
        *("http://127.0.0.1:1/fhir?page=2", "http://169.254.169.254/fhir", "../other"),
        *(
            "{base}/../other?page=2",
            "{base}/x/%2e%2E/%2e./other",
            "{base}/..;a/x",
            "{base}@127.0.0.2/fhir",
        ),
    ],
)
def test_a_next_page_elsewhere_is_refused(caller, ehr, registered, elsewhere):
    serving(ehr, page(observation(), following=elsewhere.format(base=registered)))
    answer = pull(caller, registered)
    assert (answer.status_code, code_of(answer)) == (422, "url-refused")
    assert nothing_stored(caller)
    assert all(one.path.startswith("/fhir") for one in ehr.got)


@pytest.mark.parametrize("who", ["..", ".", "Patient/.."])
def test_a_patients_id_that_is_a_step_upwards_is_not_asked_for(caller, ehr, registered, who):
    answer = pull(caller, registered, who)
    assert answer.status_code == 422
    assert "patient" in answer.json["issue"][0]["expression"][0]
    request = {**example(21), "fhirServer": registered}
    request["context"] = {**request["context"], "patientId": who}
    assert caller.post(f"/cds-services/{VIEW}", request).status_code == 400
    assert ehr.got == []


def test_pages_without_end_are_given_up(caller, ehr, registered):
    serving(ehr, *[page(following=f"{registered}?page=2")] * 100)
    answer = pull(caller, registered)
    assert (answer.status_code, code_of(answer)) == (422, "pull-failed")


@pytest.mark.parametrize("where", ["result", "patient"])
def test_another_patients_results_are_refused(caller, ehr, registered, where):
    serving(
        ehr,
        page(observation(), observation("2.80", who="p2" if where == "result" else "p1")),
        who="p1" if where == "result" else "p2",
    )
    answer = pull(caller, registered)
    assert (answer.status_code, code_of(answer)) == (422, "another-patient")
    assert nothing_stored(caller)


@pytest.mark.parametrize("body", [b"[]", b"{", b"<Bundle/>", b'{"resourceType": "Basic"}'])
def test_an_answer_that_is_no_bundle_is_refused(caller, ehr, registered, body):
    person = {**patient("p1")["resource"], "id": "p1"}
    ehr.answers = [told(person)]
    ehr.usual = (200, {}, body)
    assert pull(caller, registered).status_code == 422
    assert nothing_stored(caller)


def test_what_is_asked_must_name_server_and_patient(caller):
    answer = caller.post("/fhir/$pull-panel", {"resourceType": "Parameters"}, content_type=FHIR)
    assert answer.status_code == 422
    assert len(answer.json["issue"]) == 2


# ---- the list of servers


def test_servers_are_registered_listed_and_removed_without_their_tokens(caller):
    made = caller.post(SERVERS, {"base": "https://ehr.example.org/fhir/", "token": TOKEN})
    assert made.json["base"] == "https://ehr.example.org/fhir"
    assert made.json["has_token"] is True
    again = caller.post(SERVERS, {"base": "https://ehr.example.org/fhir"})
    assert again.status_code == 409
    listed = caller.get(SERVERS)
    assert TOKEN not in made.text + listed.text
    assert [one["id"] for one in listed.json["items"]] == [made.json["id"]]
    assert caller.open("DELETE", f"{SERVERS}/{made.json['id']}").status_code == 204
    assert caller.open("DELETE", f"{SERVERS}/{made.json['id']}").status_code == 404
    assert caller.get(SERVERS).json["items"] == []


@pytest.mark.parametrize(
    "base",
    [
        *("https://127.0.0.1/fhir", "https://10.0.0.1", "http://a.example"),
        *("https://a.example/fhir?x=", "https://a.example/fhir/../admin"),
    ],
)
def test_an_address_that_may_not_be_called_is_not_registered(caller, base):
    answer = caller.post(SERVERS, {"base": base})
    assert (answer.status_code, answer.json["code"]) == (422, "url-refused")


@pytest.mark.parametrize("token", ["two words", "a\u00e9", "\u00b2"])
def test_a_token_that_fits_no_header_is_refused_when_it_is_registered(caller, token):
    answer = caller.post(SERVERS, {"base": "https://ehr.example.org/fhir", "token": token})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["where"] == "token"


# ---- CDS Hooks


def test_a_chart_without_prefetch_is_read_from_a_registered_server(caller, ehr, registered):
    whole = example(20)["prefetch"]

    def answer(_, got):
        kind = got.path.removeprefix("/fhir/").partition("/")[0].partition("?")[0]
        return told({"Patient": whole["patient"], "Observation": whole["labs"]}.get(kind))

    ehr.usual = answer
    request = {**example(21), "fhirServer": registered}
    request.pop("fhirAuthorization", None)
    assert cards_of(caller.post(f"/cds-services/{VIEW}", request))
    assert {one.headers["authorization"] for one in ehr.got} == {f"Bearer {TOKEN}"}
