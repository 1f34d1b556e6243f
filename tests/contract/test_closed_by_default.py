"""What a careless operator gets: private files, limits at every door, cookies and headers that hold."""

from __future__ import annotations

import dataclasses
import stat

import pytest

from app import create_app
from labinterp.store.store import open_store
from labinterp.store.upgrade import upgrade
from labinterp.usecases import administer
from tests.conftest import OPENING, START, VAULT
from tests.unit.web.browsing import PASSWORD, Person


def _app(services, **policy):
    return create_app(
        dataclasses.replace(services, policy=dataclasses.replace(services.policy, **policy))
    )


def test_a_new_database_is_its_owners_alone(tmp_path):
    path = tmp_path / "new" / "labinterp.db"
    store = open_store(f"sqlite:///{path}", VAULT, OPENING)
    upgrade(store, START)
    with store.reading():
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    store.close()
    assert set(modes) >= {"labinterp.db", "labinterp.db-wal"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("path", ["/metrics", "/fhir/metadata", "/cds-services", "/api/problems"])
def test_what_is_open_to_all_is_not_open_without_end(services, path):
    client = _app(services, request_rate="3 per minute").test_client()
    answers = [client.get(path) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    elsewhere = client.get(path, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 200


def test_whoever_watches_the_service_is_always_answered(services):
    client = _app(services, request_rate="1 per minute").test_client()
    assert {client.get("/healthz").status_code for _ in range(5)} == {200}


def test_a_person_who_asks_for_pages_without_end_is_told_to_wait(services):
    organisation = administer.create_organisation(services, "Ward 7")
    administer.create_user(
        services,
        organisation.id,
        email="ann@example.org",
        name="Ann",
        scopes=("panels:read",),
        password=PASSWORD,
    )
    person = Person(_app(services, request_rate="4 per minute").test_client())
    person.sign_in()
    answers = [person.client.get("/panels") for _ in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert person.client.get("/assets/labinterp.css", buffered=True).status_code == 200


def test_over_https_the_cookie_belongs_to_this_host_alone(services):
    client = _app(services, base_url="https://lab.example.org").test_client()
    cookie = client.get("/login", base_url="https://lab.example.org").headers["Set-Cookie"]
    assert cookie.startswith("__Host-labinterp=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("path", ["/login", "/healthz", "/nothing", "/assets/labinterp.css"])
def test_behind_a_proxy_that_ends_tls_browsers_are_told_to_stay_with_https(services, path):
    client = _app(services, base_url="https://lab.example.org").test_client()
    sent = client.get(path, buffered=True).headers["Strict-Transport-Security"]
    assert sent == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("path", ["/", "/api/v1/panels", "/fhir/metadata", "/healthz"])
def test_a_request_is_never_echoed(services, path):
    answer = _app(services).test_client().open(path, method="TRACE", headers={"X-Secret": "told"})
    assert answer.status_code == 405
    assert "told" not in answer.text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
def test_nobody_talks_their_way_out_of_a_limit(services, header):
    client = _app(services, request_rate="2 per minute").test_client()
    told = [
        client.get("/metrics", headers={header: f"192.0.2.{number}"}).status_code
        for number in range(3)
    ]
    assert told == [200, 200, 429]
