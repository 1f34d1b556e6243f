"""An endpoint is told of each event once, signed, again until it listens, and of nothing clinical."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from app import create_app
from labinterp.delivery import webhook as wire_form
from labinterp.outbound import Outbound
from labinterp.store import webhooks as rows
from labinterp.store.door_tables import notice
from labinterp.store.moment import db_now
from labinterp.usecases import administer, journey
from tests.receiver import receiving

from .conftest import LIMITS_OUT_OF_THE_WAY, new_caller

HOOKS = "/api/v1/webhooks"
PANELS = "/api/v1/panels"
PANEL = {
    "patient": {
        "identifier": {"value": "TEST-1"},
        "family": "Beispiel",
        "birth_date": "1971-05-01",
        "sex": "female",
    },
    "results": [{"test": "Potassium", "value": "3.40", "unit": "mmol/L"}],
}
CRITICAL = {**PANEL, "results": [{"test": "Potassium", "value": "1.9", "unit": "mmol/L"}]}
NAMELESS = {**PANEL, "patient": {"birth_date": "1971-05-01", "sex": "female"}}


def _agreeing(_, got):
    """An endpoint that gives a challenge back and takes everything else."""
    sent = json.loads(got.body) if got.body else {}
    return 200, {}, json.dumps({"challenge": sent.get("challenge")}).encode()


@pytest.fixture
def receiver():
    with receiving() as state:
        state.usual = _agreeing
        yield state


@pytest.fixture
def services(services, receiver):
    outbound = Outbound(allowed=frozenset({f"127.0.0.1:{receiver.port}"}), step=1, total=2)
    policy = dataclasses.replace(services.policy, **LIMITS_OUT_OF_THE_WAY)
    return dataclasses.replace(services, outbound=outbound, policy=policy)


@pytest.fixture
def app(services):
    return create_app(services)


@pytest.fixture
def admin(app, services, organisation):
    return new_caller(app, services, organisation, "admin")


def _register(admin, receiver, *events):
    answer = admin.post(HOOKS, {"url": f"{receiver.address}/hook", "events": list(events)})
    assert answer.status_code == 201, answer.json
    receiver.got.clear()
    return answer.json


def _work(services):
    """What the workers do until nothing is due."""
    while journey.draw_due(services, "w", 10) + journey.notify_due(services, "w", 10):
        pass


def _hurry(services):
    """The waits between tries are over."""
    services.store.write(
        lambda held: held.execute(
            update(notice).where(notice.c.due_at.is_not(None)).values(due_at=db_now())
        )
    )


def _key(secret):
    return base64.b64decode(secret.removeprefix("whsec_"))


def _signature(secret, got):
    content = b".".join(
        (got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body)
    )
    made = hmac.new(_key(secret), content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(made).decode()


def _told(receiver):
    return [json.loads(got.body) for got in receiver.got]


# ---- registering


def test_an_endpoint_answers_a_challenge_before_it_is_told_anything(admin, receiver):
    answer = admin.post(HOOKS, {"url": f"{receiver.address}/hook"})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    (got,) = receiver.got
    assert json.loads(got.body)["type"] == "endpoint.verify"
    assert got.headers["webhook-signature"] == _signature(answer.json["secret"], got)
    assert len(answer.json["events"]) == 5
    listed = admin.get(HOOKS).json["webhooks"]
    assert [one["id"] for one in listed] == [answer.json["id"]]
    assert listed[0]["secret"] is None
    assert admin.get(answer.headers["Location"]).json["status"] == "active"


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b""),
        (302, {"Location": "/elsewhere"}, b""),
        (200, {}, b""),
        (200, {}, b"[[["),
        (200, {}, b'{"challenge": "guessed"}'),
        (200, {}, b'{"challenge": null}'),
        (200, {}, b"[" * 100_000),
        None,
    ],
)
def test_an_endpoint_that_does_not_give_it_back_is_not_registered(admin, receiver, answer):
    receiver.usual = answer or (lambda *_: None)
    refused = admin.post(HOOKS, {"url": receiver.address})
    assert (refused.status_code, refused.json["code"]) == (422, "webhook-not-verified")
    assert refused.json["errors"][0]["where"] == "url"
    assert admin.get(HOOKS).json["webhooks"] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost:8443/",
        "ftp://hooks.example.org/",
        "https://user:word@hooks.example.org/",
        "nonsense",
    ],
)
def test_an_address_we_may_not_call_is_refused_by_name(admin, url):
    refused = admin.post(HOOKS, {"url": url})
    assert (refused.status_code, refused.json["code"]) == (422, "url-refused")
    assert refused.json["errors"][0]["where"] == "url"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": None},
        {"url": 5},
        {"url": "https://hooks.example.org", "events": ["nonsense"]},
        {"url": "https://hooks.example.org", "events": "all"},
        {"url": "https://hooks.example.org", "secret": "mine"},
    ],
)
def test_a_body_that_is_none_is_told_what_is_wrong(admin, body):
    refused = admin.post(HOOKS, body)
    assert refused.status_code == 422
    assert refused.json["errors"]


def test_webhooks_are_for_administrators_of_their_organisation(
    app, services, admin, receiver, caller
):
    made = _register(admin, receiver)
    assert caller.get(HOOKS).status_code == 403
    other = administer.create_organisation(services, "Another")
    stranger = new_caller(app, services, other, "admin")
    assert stranger.get(HOOKS).json["webhooks"] == []
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/secret"),
        ("GET", "/deliveries"),
        ("POST", f"/deliveries/{made['id']}/redeliver"),
    ):
        assert stranger.open(method, f"{HOOKS}/{made['id']}{path}").status_code == 404
    stored = stranger.post(PANELS, PANEL)
    assert stored.status_code == 201
    _work(services)
    assert receiver.got == []


def test_an_organisation_has_so_many_endpoints_and_no_more(admin, receiver, monkeypatch):
    monkeypatch.setattr("labinterp.usecases.endpoints._MOST", 1)
    _register(admin, receiver)
    refused = admin.post(HOOKS, {"url": receiver.address})
    assert (refused.status_code, refused.json["code"]) == (409, "webhooks-too-many")


# ---- what is told


def test_a_ready_report_is_told_signed_and_without_anything_clinical(admin, receiver, services):
    made = _register(admin, receiver)
    stored = admin.post(PANELS, PANEL).json
    assert receiver.got == []
    _work(services)
    (got,) = receiver.got
    assert (got.method, got.path) == ("POST", "/hook")
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-signature"] == _signature(made["secret"], got)
    assert json.loads(got.body) == {
        "id": got.headers["webhook-id"],
        "type": "interpretation.completed",
        "created": services.now().isoformat(),
        "panel_id": stored["id"],
        "version": 1,
        "link": f"https://labinterp.example.org/api/v1/panels/{stored['id']}?version=1",
    }
    for word in (b"TEST-1", b"Beispiel", b"3.40", b"otassium", b"1971"):
        assert word not in got.body
    assert admin.get(f"{PANELS}/{stored['id']}").json["report"]["status"] == "ready"
    (told,) = admin.get(f"{HOOKS}/{made['id']}/deliveries").json["deliveries"]
    assert (told["status"], told["attempts"], told["last_answer"]) == ("sent", 1, "HTTP 200")


def test_a_critical_result_is_told_at_once(admin, receiver, services):
    _register(admin, receiver)
    admin.post(PANELS, CRITICAL)
    journey.notify_due(services, "w", 10)
    assert [one["type"] for one in _told(receiver)] == ["critical.detected"]
    _work(services)
    assert [one["type"] for one in _told(receiver)][1:] == ["interpretation.completed"]


def test_a_panel_without_a_document_is_told_at_once(admin, receiver, services):
    _register(admin, receiver)
    admin.post(PANELS, NAMELESS)
    journey.notify_due(services, "w", 10)
    assert [one["type"] for one in _told(receiver)] == ["interpretation.completed"]


def test_corrections_and_withdrawals_are_told_with_their_version(admin, receiver, services):
    _register(admin, receiver)
    stored = admin.post(PANELS, PANEL).json["id"]
    _work(services)
    admin.post(f"{PANELS}/{stored}/corrections", {**PANEL, "status": "corrected"})
    _work(services)
    cancelled = {**PANEL, "status": "cancelled"}
    assert admin.post(f"{PANELS}/{stored}/corrections", cancelled).status_code == 201
    _work(services)
    assert admin.get(f"{PANELS}/{stored}").json["report"]["status"] == "ready"
    assert [(one["type"], one["version"]) for one in _told(receiver)] == [
        ("interpretation.completed", 1),
        ("interpretation.corrected", 2),
        ("interpretation.withdrawn", 3),
    ]


def test_a_document_that_was_given_up_is_told(admin, receiver, services):
    _register(admin, receiver)
    stored = admin.post(PANELS, PANEL).json["id"]

    def cannot(_):
        raise RuntimeError("no drawing today")

    broken = dataclasses.replace(
        services,
        draw=cannot,
        policy=dataclasses.replace(services.policy, report_attempts=1),
    )
    journey.draw_due(broken, "w", 10)
    _work(services)
    assert [(one["type"], one["panel_id"]) for one in _told(receiver)] == [
        ("interpretation.failed", stored)
    ]


def test_an_endpoint_is_told_only_what_it_asked_for(admin, receiver, services):
    _register(admin, receiver, "interpretation.corrected")
    admin.post(PANELS, CRITICAL)
    _work(services)
    assert receiver.got == []


def test_each_event_is_told_once_even_when_the_request_is_repeated(admin, receiver, services):
    _register(admin, receiver)
    for _ in range(3):
        admin.post(PANELS, CRITICAL, headers={"Idempotency-Key": "one"})
        _work(services)
    assert [one["type"] for one in _told(receiver)] == [
        "critical.detected",
        "interpretation.completed",
    ]


# ---- trying again


def test_an_endpoint_that_fails_is_tried_again_with_growing_waits_then_left(
    admin, receiver, services
):
    made = _register(admin, receiver, "interpretation.completed")
    admin.post(PANELS, NAMELESS)
    receiver.usual = (503, {}, b"later")
    seen = []
    for _ in range(12):
        _work(services)
        (told,) = admin.get(f"{HOOKS}/{made['id']}/deliveries").json["deliveries"]
        seen.append((told["status"], told["attempts"]))
        _hurry(services)
    assert seen == [("deferred", count) for count in range(1, 9)] + [("failed", 9)] * 4
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert told["last_answer"] == "HTTP 503"
    stands = admin.get(f"{HOOKS}/{made['id']}").json
    assert (stands["status"], stands["why"]) == ("error", "HTTP 503")
    ready = admin.get("/readyz").json
    assert "1 events were given up" in next(
        check["message"] for check in ready["checks"] if check["name"] == "webhooks"
    )
    # A person mends the endpoint and asks for it again: the same event, and all is well.
    receiver.usual = _agreeing
    again = admin.post(f"{HOOKS}/{made['id']}/deliveries/{told['id']}/redeliver")
    assert (again.status_code, again.json["status"]) == (202, "queued")
    _work(services)
    assert receiver.got[-1].headers["webhook-id"] == told["id"]
    assert admin.get(f"{HOOKS}/{made['id']}").json["status"] == "active"


def test_the_waits_are_those_that_were_promised(admin, receiver, services):
    made = _register(admin, receiver)
    admin.post(PANELS, NAMELESS)
    receiver.usual = (500, {}, b"")
    for seconds in (5, 30, 120, 600, 3600, 10_800, 21_600, 43_200):
        with services.store.reading() as connection:
            before = connection.execute(db_now().select()).scalar_one()
        _work(services)
        with services.store.reading() as connection:
            due = connection.execute(notice.select()).one().due_at
        wait = (due - timedelta(microseconds=before)).timestamp()
        assert seconds <= wait < seconds * 1.1 + 5
        _hurry(services)
    assert made


def test_one_dead_endpoint_is_left_alone_and_delays_no_other(admin, receiver, services):
    dead = _register(admin, receiver)
    with receiving() as other:
        other.usual = _agreeing
        allowed = services.outbound.allowed | {f"127.0.0.1:{other.port}"}
        wired = dataclasses.replace(
            services, outbound=dataclasses.replace(services.outbound, allowed=allowed)
        )
        alive = create_app(wired).test_client()
        key = {"Authorization": admin._key["Authorization"]}
        made = alive.post(HOOKS, json={"url": other.address}, headers=key)
        assert made.status_code == 201
        other.got.clear()
        receiver.usual = lambda *_: None  # breaks the connection
        for _ in range(4):
            admin.post(PANELS, NAMELESS)
        _work(wired)
        assert len(other.got) == 4
        assert len(receiver.got) == 1
        states = admin.get(f"{HOOKS}/{dead['id']}/deliveries").json["deliveries"]
        assert sorted(one["attempts"] for one in states) == [0, 0, 0, 1]


def test_a_name_that_now_leads_inside_is_not_called(admin, receiver, services):
    """The address was public when it was registered; the guard looks at each try."""
    made = _register(admin, receiver)
    admin.post(PANELS, NAMELESS)
    guarded = dataclasses.replace(services, outbound=Outbound(look_up=lambda *_: ("10.0.0.1",)))
    assert journey.notify_due(guarded, "w", 1) == 1
    (told,) = admin.get(f"{HOOKS}/{made['id']}/deliveries").json["deliveries"]
    assert told["status"] == "deferred"
    assert receiver.got == []


def test_two_workers_tell_an_event_once(admin, receiver, services):
    _register(admin, receiver)
    admin.post(PANELS, NAMELESS)
    inner = []

    def while_telling(handler, got):
        if not inner:
            inner.append(journey.notify_due(services, "other", 10))
        return _agreeing(handler, got)

    receiver.usual = while_telling
    assert journey.notify_due(services, "w", 10) == 1
    assert inner == [0]
    assert len(receiver.got) == 1


# ---- secrets and the end


def test_while_a_secret_is_changed_both_sign_and_after_that_the_new_one(
    admin, receiver, services, clock
):
    made = _register(admin, receiver)
    changed = admin.post(f"{HOOKS}/{made['id']}/secret")
    assert changed.status_code == 200
    assert changed.json["secret"] != made["secret"]
    assert changed.json["former_secret_until"]
    admin.post(PANELS, NAMELESS)
    _work(services)
    got = receiver.got[-1]
    assert got.headers["webhook-signature"].split() == [
        _signature(changed.json["secret"], got),
        _signature(made["secret"], got),
    ]
    clock.move(timedelta(hours=25))
    admin.post(PANELS, NAMELESS)
    _work(services)
    got = receiver.got[-1]
    assert got.headers["webhook-signature"] == _signature(changed.json["secret"], got)


def test_the_secret_is_not_readable_in_the_database(admin, receiver, services, sqlite_store):
    made = _register(admin, receiver)
    with sqlite_store.reading() as connection:
        raw = connection.execute(rows.webhook.select()).one()
    assert _key(made["secret"]) not in raw.secret_sealed


def test_a_deleted_endpoint_is_told_nothing_more(admin, receiver, services):
    made = _register(admin, receiver)
    admin.post(PANELS, NAMELESS)
    assert admin.open("DELETE", f"{HOOKS}/{made['id']}").status_code == 204
    admin.post(PANELS, NAMELESS)
    _work(services)
    assert receiver.got == []
    assert admin.get(f"{HOOKS}/{made['id']}").status_code == 404
    assert admin.open("DELETE", f"{HOOKS}/{made['id']}").status_code == 404


def test_a_signature_is_that_of_the_published_example():
    """Standard Webhooks' own test vector."""
    from datetime import UTC, datetime

    key = _key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = wire_form.signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        (key,),
        datetime.fromtimestamp(1614265330, UTC),
    )
    assert made.headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
