"""A FHIR Subscription is asked for, shaken hands with, told by ids alone, and ended."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from app import create_app
from labinterp.outbound import Outbound
from labinterp.store.door_tables import notice
from labinterp.store.moment import db_now
from labinterp.usecases import administer, clients, journey
from tests.receiver import receiving
from tests.signing import EC, form, key_set, signed

from .conftest import LIMITS_OUT_OF_THE_WAY, new_caller

HOME = "/fhir/Subscription"
FHIR = "application/fhir+json"
PANELS = "/api/v1/panels"
PANEL = {
    "patient": {"birth_date": "1971-05-01", "sex": "female"},
    "results": [{"test": "Potassium", "value": "3.40", "unit": "mmol/L"}],
}


@pytest.fixture
def receiver():
    with receiving() as state:
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


def _asked(receiver, **changed):
    channel = {
        "type": "rest-hook",
        "endpoint": f"{receiver.address}/hook",
        "payload": FHIR,
        "header": ["X-Hook-Id: ward7", "Authorization: Bearer theirs"],
        **changed.pop("channel", {}),
    }
    document = {
        "resourceType": "Subscription",
        "id": "theirs",
        "status": "requested",
        "reason": "Tell the EHR when an interpretation is ready or corrected",
        "criteria": "DiagnosticReport?category=LAB",
        "channel": {name: value for name, value in channel.items() if value is not None},
        "contact": [{"system": "phone", "value": "+44 20 7946 0000", "rank": 1}],
        **changed,
    }
    return {name: value for name, value in document.items() if value is not None}


def _post(admin, document):
    return admin.post(HOME, document, content_type=FHIR)


def _work(services):
    while journey.draw_due(services, "w", 10) + journey.notify_due(services, "w", 10):
        pass


def _active(admin, receiver, services, **changed):
    made = _post(admin, _asked(receiver, **changed))
    assert made.status_code == 201, made.json
    _work(services)
    receiver.got.clear()
    return made.json["id"]


def test_it_is_requested_then_active_once_its_endpoint_has_answered(admin, receiver, services):
    made = _post(admin, _asked(receiver))
    assert made.status_code == 201
    assert made.content_type == FHIR
    assert made.json["status"] == "requested"
    assert made.json["id"] != "theirs"
    address = made.headers["Location"]
    assert address == f"https://labinterp.example.org{HOME}/{made.json['id']}"
    _work(services)
    (got,) = receiver.got
    assert (got.method, got.path, got.headers["content-type"]) == ("POST", "/hook", FHIR)
    assert (got.headers["x-hook-id"], got.headers["authorization"]) == ("ward7", "Bearer theirs")
    found = admin.get(f"{HOME}/{made.json['id']}").json
    assert found["status"] == "active"
    assert found["criteria"] == "DiagnosticReport?category=LAB"
    assert found["contact"][0]["rank"] == 1
    assert found["channel"]["header"] == ["X-Hook-Id: ward7", "Authorization: (not shown)"]
    listed = admin.get(HOME).json
    assert (listed["type"], listed["total"]) == ("searchset", 1)
    assert listed["entry"][0]["fullUrl"] == address


def test_it_is_told_which_report_by_id_and_nothing_of_it(admin, receiver, services):
    made = _active(admin, receiver, services)
    stored = admin.post(PANELS, PANEL).json["id"]
    _work(services)
    (got,) = receiver.got
    bundle = json.loads(got.body)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "history")
    status = bundle["entry"][0]["resource"]
    words = {each["name"]: each for each in status["parameter"]}
    base = "https://labinterp.example.org/fhir"
    assert words["subscription"]["valueReference"]["reference"] == f"{base}/Subscription/{made}"
    assert words["type"]["valueCode"] == "event-notification"
    focus = {part["name"]: part for part in words["notification-event"]["part"]}["focus"]
    assert focus["valueReference"]["reference"] == f"{base}/DiagnosticReport/{stored}"
    assert bundle["entry"][1]["fullUrl"] == f"{base}/DiagnosticReport/{stored}"
    assert "resource" not in bundle["entry"][1]
    assert b"3.40" not in got.body
    assert got.headers["webhook-id"]


def test_without_a_payload_the_body_is_empty(admin, receiver, services):
    _active(admin, receiver, services, channel={"payload": None, "header": None})
    admin.post(PANELS, PANEL)
    _work(services)
    (got,) = receiver.got
    assert got.body == b""
    assert "content-type" not in got.headers


def test_the_notification_is_valid_fhir(admin, receiver, services):
    from fhir.resources.R4B.bundle import Bundle
    from fhir.resources.R4B.subscription import Subscription

    made = _active(admin, receiver, services)
    admin.post(PANELS, PANEL)
    _work(services)
    Bundle.model_validate(json.loads(receiver.got[0].body))
    Subscription.model_validate(admin.get(f"{HOME}/{made}").json)


@pytest.mark.parametrize(
    ("criteria", "told"),
    [
        ("DiagnosticReport", [1, 2, 3]),
        ("DiagnosticReport?status=final", [1]),
        ("DiagnosticReport?status=preliminary", []),
        ("DiagnosticReport?status=corrected,amended", [2]),
        ("DiagnosticReport?category=http://terminology.hl7.org/CodeSystem/v2-0074|LAB", [1, 2, 3]),
        ("DiagnosticReport?status=entered-in-error&category=LAB", [3]),
    ],
)
def test_criteria_choose_by_status(admin, receiver, services, criteria, told):
    _active(admin, receiver, services, criteria=criteria)
    stored = admin.post(PANELS, PANEL).json["id"]
    for status in ("corrected", "cancelled"):
        admin.post(f"{PANELS}/{stored}/corrections", {**PANEL, "status": status})
    _work(services)
    tags = [json.loads(got.body)["entry"][1]["response"]["etag"] for got in receiver.got]
    assert tags == [f'W/"{version}"' for version in told]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"resourceType": "Observation"}, "Subscription"),
        ({"status": "off"}, "Subscription.status"),
        ({"status": None}, "Subscription.status"),
        ({"criteria": None}, "Subscription.criteria"),
        ({"criteria": "Observation?code=2823-3"}, "Subscription.criteria"),
        ({"criteria": "DiagnosticReport?patient=1"}, "Subscription.criteria"),
        ({"criteria": "DiagnosticReport?status=nonsense"}, "Subscription.criteria"),
        ({"channel": {"type": "websocket"}}, "Subscription.channel.type"),
        ({"channel": {"endpoint": None}}, "Subscription.channel.endpoint"),
        ({"channel": {"payload": "application/fhir+xml"}}, "Subscription.channel.payload"),
        ({"channel": {"header": "X: y"}}, "Subscription.channel.header"),
        ({"channel": {"header": ["Host: other"]}}, "Subscription.channel.header[0]"),
        ({"channel": {"header": ["A: b", "X: a\r\nB: c"]}}, "Subscription.channel.header[1]"),
        ({"channel": {"header": ["X" * 5000]}}, "Subscription.channel.header[0]"),
        ({"end": "soon"}, "Subscription.end"),
        ({"end": "2020-01-01T00:00:00Z"}, "Subscription.end"),
        ({"end": "2030-01-01T00:00:00"}, "Subscription.end"),
        ({"channel": {"endpoint": "https://10.0.0.1/"}}, "Subscription.channel.endpoint"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_place(admin, receiver, changed, where):
    refused = _post(admin, _asked(receiver, **changed))
    assert refused.status_code == 422
    assert where in refused.get_data(as_text=True)
    assert admin.get(HOME).json["total"] == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"{", b"5", b"[" * 10_000])
def test_a_body_that_is_no_resource_is_refused(admin, body):
    assert admin.post(HOME, body=body, content_type=FHIR).status_code in {400, 413, 422}


def test_another_content_type_is_refused(admin, receiver):
    refused = admin.post(HOME, _asked(receiver), content_type="application/fhir+xml")
    assert refused.status_code == 415


def test_an_endpoint_that_never_answers_is_off_and_told_nothing(admin, receiver, services):
    receiver.usual = (500, {}, b"")
    made = _post(admin, _asked(receiver)).json["id"]
    for _ in range(9):
        _work(services)
        services.store.write(
            lambda held: held.execute(
                update(notice).where(notice.c.due_at.is_not(None)).values(due_at=db_now())
            )
        )
    found = admin.get(f"{HOME}/{made}").json
    assert (found["status"], found["error"]) == ("off", "HTTP 500")
    receiver.usual = (200, {}, b"")
    receiver.got.clear()
    admin.post(PANELS, PANEL)
    _work(services)
    assert receiver.got == []
    # Asking for the handshake again is how it is mended.
    (tried,) = admin.get(f"/api/v1/webhooks/{made}/deliveries").json["deliveries"]
    again = admin.post(f"/api/v1/webhooks/{made}/deliveries/{tried['id']}/redeliver")
    assert again.status_code == 202
    _work(services)
    assert admin.get(f"{HOME}/{made}").json["status"] == "active"


def test_after_its_end_it_is_off_and_told_nothing(admin, receiver, services, clock):
    ends = (services.now() + timedelta(days=1)).isoformat()
    made = _active(admin, receiver, services, end=ends)
    clock.move(timedelta(days=2))
    assert admin.get(f"{HOME}/{made}").json["status"] == "off"
    admin.post(PANELS, PANEL)
    _work(services)
    assert receiver.got == []


def test_a_deleted_one_is_told_nothing(admin, receiver, services):
    made = _active(admin, receiver, services)
    admin.post(PANELS, PANEL)
    assert admin.open("DELETE", f"{HOME}/{made}").status_code == 204
    _work(services)
    assert receiver.got == []
    assert admin.get(f"{HOME}/{made}").status_code == 404


def test_another_organisation_sees_none_of_it(app, admin, receiver, services):
    made = _active(admin, receiver, services)
    other = administer.create_organisation(services, "Another")
    stranger = new_caller(app, services, other, "admin")
    assert stranger.get(HOME).json["total"] == 0
    assert stranger.get(f"{HOME}/{made}").status_code == 404
    assert stranger.open("DELETE", f"{HOME}/{made}").status_code == 404


def test_a_system_subscribes_with_a_token_of_its_own(app, services, organisation, receiver):
    client = clients.create_client(
        services,
        organisation.id,
        name="EHR",
        scopes_allowed=("system/*.rs", "system/Subscription.cruds"),
        key_set=key_set(EC),
    )

    def bearer(scope):
        assertion = signed(client.id, "https://labinterp.example.org/oauth/token", services.now())
        answer = app.test_client().post("/oauth/token", data=form(assertion, scope))
        return {"Authorization": f"Bearer {answer.json['access_token']}"}

    http = app.test_client()
    wanted = {"json": _asked(receiver), "content_type": FHIR}
    reading = bearer("system/*.rs")
    refused = http.post(HOME, headers=reading, **wanted)
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert http.get(HOME, headers=reading).status_code == 200
    made = http.post(HOME, headers=bearer("system/Subscription.c"), **wanted)
    assert made.status_code == 201
    path = f"{HOME}/{made.json['id']}"
    assert http.delete(path, headers=reading).status_code == 403
    assert http.delete(path, headers=bearer("system/Subscription.write")).status_code == 204
