"""What an attacker tries first, at every route there is: the routes are asked of the app itself."""

from __future__ import annotations

import dataclasses
import gzip
import re

import pytest

from app import create_app
from labinterp.access import SCOPES
from labinterp.usecases import administer
from labinterp.usecases.recipients import address_of
from tests.unit.web.browsing import PASSWORD, Person

READS = {"GET", "HEAD"}
NO_ID = "0" * 26
OURS_AND_THE_SAME_FOR_ALL = ("web.static", "documentation_page.file", "documentation_page.swagger")


@pytest.fixture
def site(services):
    """The whole app, somebody who may do everything in it, and their key."""
    rate = "1000000 per minute"
    rates = dict.fromkeys(("request_rate", "stranger_rate", "account_rate", "address_rate"), rate)
    app = create_app(
        dataclasses.replace(services, policy=dataclasses.replace(services.policy, **rates))
    )
    organisation = administer.create_organisation(services, "Ward 7")
    administer.create_user(
        services,
        organisation.id,
        email="ann@example.org",
        name="Ann",
        scopes=SCOPES,
        password=PASSWORD,
    )
    _, key = administer.create_key(services, organisation.id, name="all", scopes=SCOPES)
    return app, key


def signed_in(app):
    person = Person(app.test_client())
    person.sign_in()
    return person


def token_of(person):
    return re.search(r'name="csrf_token" value="([^"]+)"', person.get("/account"))[1]


def addresses(app):
    """Every rule with one address that fits it."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        path = re.sub(r"<int:\w+>", "1", rule.rule)
        yield rule, re.sub(r"<(?:\w+(?:\(.*?\))?:)?\w+>", NO_ID, path)


def is_page(rule):
    return rule.endpoint.startswith("web.")


def test_no_form_is_taken_without_the_token_of_this_very_session(site):
    """Neither without one, nor with somebody else's, nor with one in the address."""
    app, _ = site
    person, stolen = signed_in(app), token_of(signed_in(app))
    right = token_of(person)
    tried = 0
    for rule, path in addresses(app):
        for method in (rule.methods - READS - {"OPTIONS"}) if is_page(rule) else ():
            answers = [
                person.client.open(path, method=method, data=data, query_string=asked)
                for data, asked in (
                    ({"active": "no"}, {}),
                    ({"csrf_token": stolen}, {}),
                    ({}, {"csrf_token": right}),
                )
            ]
            assert [one.status_code for one in answers] == [400] * 3, (method, path)
            tried += 1
    assert tried > 25
    person.get("/")


def test_nobodys_browser_keeps_or_shares_what_is_somebodys(site):
    """Every answer, found or not: not stored, its type believed, no frame, no other origin."""
    app, key = site
    person = signed_in(app)
    told = {"Authorization": f"Bearer {key}", "Origin": "https://evil.example"}
    for rule, path in addresses(app):
        client = person.client if is_page(rule) else app.test_client()
        if "GET" not in rule.methods:
            continue
        answer = client.get(path, headers=told, buffered=True)
        seen = (path, answer.status_code, dict(answer.headers))
        assert answer.headers["X-Content-Type-Options"] == "nosniff", seen
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], seen
        allowed = answer.headers.get("Access-Control-Allow-Origin")
        assert allowed is None or (allowed == "*" and "smart-configuration" in path), seen
        assert "Access-Control-Allow-Credentials" not in answer.headers, seen
        if rule.endpoint not in OURS_AND_THE_SAME_FOR_ALL:
            assert "no-store" in answer.headers["Cache-Control"], seen
        if not is_page(rule):
            assert "Set-Cookie" not in answer.headers, seen


def test_no_door_reads_a_compressed_body(site):
    """A few kilobytes must not become gigabytes; what is not announced is not unpacked either."""
    app, key = site
    bomb = gzip.compress(b"0" * 30_000_000)
    client = app.test_client()
    for rule, path in addresses(app):
        if is_page(rule) or "POST" not in rule.methods:
            continue
        for kind in ("application/json", "application/fhir+json", "application/hl7-v2"):
            answer = client.post(
                path,
                data=bomb,
                content_type=kind,
                headers={"Authorization": f"Bearer {key}", "Content-Encoding": "gzip"},
            )
            assert 400 <= answer.status_code < 500, (path, kind, answer.status_code)


def test_nobody_is_led_to_another_site_after_signing_in(site):
    app, _ = site
    for path in (
        "//evil.example/",
        "/%5Cevil.example",
        "/%09/evil.example",
        "/panels?next=//evil.example",
        "/login?next=https://evil.example",
    ):
        answer = app.test_client().get(path, headers={"Host": "evil.example"})
        if answer.status_code in (302, 303, 307, 308):
            assert not re.match(r"(https?:)?[/\\]{2}evil", answer.headers["Location"]), path
    for path in ("//evil.example/", "/panels?next=//evil.example"):
        person = Person(app.test_client())
        person.client.get(path)
        where = person.sign_in()
        assert re.match(r"/(?![/\\])", where), (path, where)


def test_a_host_that_was_made_up_stands_in_no_address_of_ours(site, services):
    app, _ = site
    person = signed_in(app)
    name, token = app.config["SESSION_COOKIE_NAME"], token_of(person)
    cookie = f"{name}={person.client.get_cookie(name).value}"
    answer = app.test_client(use_cookies=False).post(
        "/administration/users",
        data={
            "csrf_token": token,
            "name": "Bob",
            "email": "bob@example.org",
            "user-scopes": "panels:read",
            "organisation_id": NO_ID,
            "active": "yes",
            "password_hash": "x",
        },
        headers={"Host": "evil.example", "Cookie": cookie},
    )
    assert answer.status_code == 200
    assert "evil.example" not in answer.text
    assert services.policy.base_url in answer.text
    made = next(one for one in administer.users(services) if one.email == "bob@example.org")
    assert made.organisation == "Ward 7"
    assert made.password_hash is None


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("ann@аррӏе.com", "ann@xn--80ak6aa92e.com"),
        ("ann@xn--80ak6aa92e.com", "ann@xn--80ak6aa92e.com"),
        ("ann@example。org", "ann@example.org"),
        ("ＡＮＮ@example.org", None),
        ("\u212aate@example.org", "Kate@example.org"),
        ("ann@example.org\u202e", None),
        ("ann@example.org\r\nBcc: eve@example.org", None),
        ("ann@example.org,eve@example.org", None),
        ("ann@example.org;eve@example.org", None),
        ("ann@[127.0.0.1]", None),
    ],
)
def test_an_address_that_only_looks_like_another_is_seen_or_refused(typed, seen):
    if seen:
        assert address_of(typed) == seen
    else:
        with pytest.raises(ValueError, match="address"):
            address_of(typed)
