"""SMART Backend Services: a signed token for a short one, and what that one opens."""

from __future__ import annotations

import dataclasses
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey

from app import create_app
from labinterp.outbound import Outbound
from labinterp.store import tokens
from labinterp.usecases import clients, tidy
from tests.conftest import START
from tests.receiver import receiving
from tests.signing import EC, RSA, form, key_set, signed

TOKEN = "/oauth/token"
URL = "https://labinterp.example.org/oauth/token"
PANEL = {
    "patient": {"identifier": {"value": "TEST-1"}, "birth_date": "1971-05-01", "sex": "female"},
    "results": [{"test": "Potassium", "value": "2.90", "unit": "mmol/L"}],
}


@pytest.fixture
def client_of(services, organisation):
    def made(*scopes, **more):
        keys = {} if "key_set_url" in more else {"key_set": key_set(EC, RSA)}
        return clients.create_client(
            services, organisation.id, name="EHR", scopes_allowed=scopes, **keys, **more
        )

    return made


def _post(app, sent, **more):
    return app.test_client().post(TOKEN, data=sent, **more)


def _token(app, services, client, scope, **more):
    answer = _post(app, form(signed(client.id, URL, services.now(), **more), scope))
    assert answer.status_code == 200, answer.json
    return answer.json


def _bearer(app, token, method, path, **more):
    headers = {"Authorization": f"Bearer {token}"}
    return app.test_client().open(path, method=method, headers=headers, **more)


def test_the_configuration_says_where_and_how_to_ask(app):
    for path in ("/.well-known/smart-configuration", "/fhir/.well-known/smart-configuration"):
        answer = app.test_client().get(path)
        assert answer.status_code == 200
        assert answer.content_type == "application/json"
        found = answer.json
        assert found["token_endpoint"] == URL
        assert found["grant_types_supported"] == ["client_credentials"]
        assert found["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
        assert found["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
        assert "client-confidential-asymmetric" in found["capabilities"]


@pytest.mark.parametrize("key", [RSA, EC])
def test_a_signed_token_is_exchanged_for_a_short_one(app, services, client_of, key):
    client = client_of("system/*.rs", "system/Bundle.c")
    sent = form(signed(client.id, URL, services.now(), key=key), "system/*.rs system/Patient.cruds")
    answer = _post(app, sent)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["token_type"] == "bearer"
    assert 0 < answer.json["expires_in"] <= 300
    assert answer.json["scope"] == "system/*.rs system/Patient.rs"


def test_the_token_opens_what_it_was_granted_and_nothing_else(app, services, client_of):
    client = client_of("panels:write", "panels:read")
    token = _token(app, services, client, "panels:write")["access_token"]
    stored = _bearer(app, token, "POST", "/api/v1/panels", json=PANEL)
    assert stored.status_code == 201
    refused = _bearer(app, token, "GET", f"/api/v1/panels/{stored.json['id']}")
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    reading = _token(app, services, client, "system/*.read")["access_token"]
    assert _bearer(app, reading, "GET", f"/api/v1/panels/{stored.json['id']}").status_code == 200


def test_the_organisation_is_that_of_the_client(app, services, client_of, administrator_elsewhere):
    client = client_of("panels:write", "panels:read")
    token = _token(app, services, client, "panels:write panels:read")["access_token"]
    stored = _bearer(app, token, "POST", "/api/v1/panels", json=PANEL).json["id"]
    assert administrator_elsewhere.get(f"/api/v1/panels/{stored}").status_code == 404


@pytest.fixture
def administrator_elsewhere(app, services):
    from labinterp.usecases import administer

    other = administer.create_organisation(services, "Another")
    _, key = administer.create_key(services, other.id, name="k", scopes=("admin",))

    class Elsewhere:
        def get(self, path):
            return _bearer(app, key, "GET", path)

    return Elsewhere()


def test_a_token_ends_and_then_says_so(app, services, clock, client_of):
    token = _token(app, services, client_of("panels:read"), "panels:read")["access_token"]
    clock.move(timedelta(seconds=299))
    assert _bearer(app, token, "GET", "/api/v1/panels").status_code == 200
    clock.move(timedelta(seconds=1))
    answer = _bearer(app, token, "GET", "/api/v1/panels")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("presented", ["lt_", "lt_nonsense", "lt_" + "x" * 5000, "lt_ÿ"])
def test_a_token_that_was_never_given_opens_nothing(app, presented):
    answer = app.test_client().get("/api/v1/panels", headers={"X-API-Key": presented})
    assert answer.status_code == 401


def test_a_revoked_client_gets_nothing_more_and_its_tokens_end(app, services, client_of):
    client = client_of("panels:read")
    token = _token(app, services, client, "panels:read")["access_token"]
    clients.revoke_client(services, client.id)
    assert _bearer(app, token, "GET", "/api/v1/panels").status_code == 401
    answer = _post(app, form(signed(client.id, URL, services.now()), "panels:read"))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.hazard("stranger-writes")
def test_a_signed_token_is_taken_once(app, services, client_of):
    client = client_of("panels:read")
    sent = form(signed(client.id, URL, services.now()), "panels:read")
    assert _post(app, sent).status_code == 200
    again = _post(app, sent)
    assert (again.status_code, again.json["error"]) == (401, "invalid_client")
    assert "jti" in again.json["error_description"]


def test_of_many_uses_at_once_one_is_the_first(either_store):
    later = START + timedelta(minutes=5)

    def use(_):
        return either_store.write(
            lambda connection: tokens.first_use(connection, "iss", "jti", later)
        )

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(use, range(8))) == [False] * 7 + [True]


def test_what_has_ended_is_forgotten(services, app, clock, client_of):
    _token(app, services, client_of("panels:read"), "panels:read")
    assert tidy.tidy(services) == 0
    clock.move(timedelta(minutes=6))
    assert tidy.tidy(services) == 2
    assert tidy.tidy(services) == 0


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"scope": None}, 400, "invalid_scope"),
        ({"scope": "admin system/AuditEvent.rs"}, 400, "invalid_scope"),
        ({"scope": "x " * 4000}, 400, "invalid_scope"),
        ({"client_assertion": None}, 401, "invalid_client"),
        ({"client_assertion": "nonsense"}, 401, "invalid_client"),
        ({"client_assertion_type": None}, 401, "invalid_client"),
        ({"client_assertion_type": "password"}, 401, "invalid_client"),
    ],
)
def test_a_request_that_is_none_is_told_what_is_wrong(app, client_of, changed, status, error):
    client = client_of("panels:read")
    sent = form(signed(client.id, URL, START), "panels:read", **changed)
    answer = _post(app, sent)
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert answer.json["error_description"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_parameter_sent_twice_or_another_body_is_no_request(app, services, client_of):
    client = client_of("panels:read")
    sent = form(signed(client.id, URL, services.now()), "panels:read")
    twice = _post(app, {**sent, "scope": ["panels:read", "admin"]})
    assert (twice.status_code, twice.json["error"]) == (400, "invalid_request")
    other = app.test_client().post(TOKEN, json=sent)
    assert (other.status_code, other.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "https://labinterp.example.org/fhir"},
        {"aud": URL + "/"},
        {"sub": "somebody"},
        {"exp": None},
        {"jti": None},
        {"key": ECKey.generate_key("P-384", {"kid": "ec-1"})},
        {"key": ECKey.generate_key("P-384", {"kid": "unknown"})},
        {"header": {"jku": "https://attacker.example.org/jwks.json"}},
    ],
)
def test_an_assertion_that_does_not_hold_is_an_invalid_client(app, services, client_of, wrong):
    client = client_of("panels:read")
    answer = _post(app, form(signed(client.id, URL, services.now(), **wrong), "panels:read"))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_who_keeps_failing_is_slowed_down(services, client_of):
    policy = dataclasses.replace(services.policy, stranger_rate="3 per minute")
    app = create_app(dataclasses.replace(services, policy=policy))
    answers = [_post(app, form("nonsense", "panels:read")).status_code for _ in range(5)]
    assert answers == [401, 401, 401, 429, 429]


def test_an_unknown_issuer_is_an_invalid_client(app, services):
    answer = _post(app, form(signed("nobody", URL, services.now()), "panels:read"))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


# ---- keys at an address


@pytest.fixture
def published(services):
    """A client's own server with its keys, which the operator lists."""
    with receiving() as server:
        server.usual = (200, {"Content-Type": "application/json"}, b"{}")
        outbound = Outbound(allowed=frozenset({f"127.0.0.1:{server.port}"}))
        wired = dataclasses.replace(services, outbound=outbound)
        yield server, wired


def _publish(server, *keys):
    server.usual = (200, {}, json.dumps(key_set(*keys)).encode())


def test_keys_at_an_address_are_fetched_once_and_kept(published, organisation):
    server, wired = published
    _publish(server, EC)
    url = f"{server.address}/jwks.json"
    client = clients.create_client(
        wired, organisation.id, name="EHR", scopes_allowed=("panels:read",), key_set_url=url
    )
    app = create_app(wired)
    for _ in range(3):
        _token(app, wired, client, "panels:read", header={"jku": url})
    assert [got.path for got in server.got] == ["/jwks.json"]


def test_a_new_key_is_fetched_at_once_but_at_most_once_a_minute(published, organisation, clock):
    server, wired = published
    _publish(server, EC)
    client = clients.create_client(
        wired,
        organisation.id,
        name="EHR",
        scopes_allowed=("panels:read",),
        key_set_url=server.address,
    )
    app = create_app(wired)

    def ask(key):
        return _post(app, form(signed(client.id, URL, wired.now(), key=key), "panels:read"))

    assert ask(EC).status_code == 200
    assert [ask(RSA).status_code for _ in range(5)] == [401] * 5
    assert len(server.got) == 1
    clock.move(61)
    _publish(server, EC, RSA)
    assert ask(RSA).status_code == 200
    assert len(server.got) == 2
    # A key that its owner withdrew works for a quarter of an hour at most.
    _publish(server, EC)
    clock.move(timedelta(minutes=15))
    assert ask(RSA).status_code == 401


def test_while_one_request_asks_a_slow_address_others_do_not_wait_with_it(
    published, organisation, monkeypatch
):
    server, wired = published
    monkeypatch.setattr("labinterp.usecases.key_sets._LONGEST_WAIT", 0.05)
    asked, answer = threading.Event(), threading.Event()

    def late(*_):
        asked.set()
        answer.wait(10)
        return 200, {}, json.dumps(key_set(EC)).encode()

    server.usual = late
    client = clients.create_client(
        wired,
        organisation.id,
        name="EHR",
        scopes_allowed=("panels:read",),
        key_set_url=server.address,
    )
    app = create_app(wired)
    found = []

    def ask():
        found.append(
            _post(app, form(signed(client.id, URL, wired.now()), "panels:read")).status_code
        )

    first = threading.Thread(target=ask)
    first.start()
    assert asked.wait(10)
    ask()
    answer.set()
    first.join()
    assert found == [401, 200]


def test_an_address_that_is_down_leaves_the_keys_it_gave_for_a_day(published, organisation, clock):
    server, wired = published
    _publish(server, EC)
    client = clients.create_client(
        wired,
        organisation.id,
        name="EHR",
        scopes_allowed=("panels:read",),
        key_set_url=server.address,
    )
    app = create_app(wired)

    def ask():
        return _post(app, form(signed(client.id, URL, wired.now()), "panels:read")).status_code

    assert ask() == 200
    for wrong in [(500, {}, b""), (302, {"Location": "/x"}, b""), (200, {}, b"[" * 5000)]:
        server.usual = wrong
        clock.move(timedelta(hours=1))
        assert ask() == 200
    clock.move(timedelta(hours=24))
    assert ask() == 401


def test_keys_are_not_fetched_from_where_we_may_not_go(app, services, organisation):
    from labinterp.errors import SubmissionError

    for url in ("http://ehr.example.org/jwks", "https://127.0.0.1/jwks", "https://10.0.0.1/jwks"):
        with pytest.raises(SubmissionError) as caught:
            clients.create_client(
                services,
                organisation.id,
                name="EHR",
                scopes_allowed=("panels:read",),
                key_set_url=url,
            )
        assert caught.value.code == "url-refused"


# ---- registration


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"key_set": {"keys": []}}, "key-set-invalid"),
        ({"key_set": {"keys": [EC.as_dict(private=True)]}}, "key-set-invalid"),
        ({"key_set": None}, "key-set-invalid"),
        ({"key_set_url": "https://ehr.example.org/jwks"}, "key-set-invalid"),
        ({"scopes_allowed": ("system/nonsense",)}, "scope-unknown"),
        ({"scopes_allowed": ()}, "scope-unknown"),
        ({"name": ""}, "name-invalid"),
        ({"issuer": ""}, "issuer-invalid"),
    ],
)
def test_a_client_that_could_not_be_used_is_not_registered(services, organisation, changed, code):
    from labinterp.errors import SubmissionError

    given = {"name": "EHR", "scopes_allowed": ("panels:read",), "key_set": key_set(EC), **changed}
    with pytest.raises(SubmissionError) as caught:
        clients.create_client(services, organisation.id, **given)
    assert caught.value.code == code


def test_an_issuer_belongs_to_one_client(services, organisation, client_of):
    from labinterp.errors import Conflict

    client_of("panels:read", issuer="https://ehr.example.org")
    with pytest.raises(Conflict):
        client_of("panels:read", issuer="https://ehr.example.org")


def test_a_cds_client_is_known_by_its_issuer(services, client_of):
    issuer = "https://ehr.example.org"
    client = client_of("panels:read", issuer=issuer)
    audience = "https://labinterp.example.org/cds-services/one"
    token = signed(issuer, audience, services.now(), sub=None, iat=int(services.now().timestamp()))
    assert clients.proved(services, token, (audience,), "cds").id == client.id
    from labinterp.errors import AccessDenied

    with pytest.raises(AccessDenied, match="before"):
        clients.proved(services, token, (audience,), "cds")
