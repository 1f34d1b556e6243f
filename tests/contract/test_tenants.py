"""Two organisations: nothing of the one is there for the other, at any route, by any method.

The routes are those of the running app and of the OpenAPI document. Each is tried with the real ids
of another organisation. A route with an id of a kind that is not known here fails, so that nobody can
add one and forget it; so does one whose ids nobody proved to be real.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import shutil

import pytest
from sqlalchemy import select

from app import create_app
from labinterp.access import SCOPES
from labinterp.api import fhir_search
from labinterp.jobs import InlineQueue
from labinterp.outbound import Outbound
from labinterp.store.door_tables import metadata
from labinterp.store.store import open_store
from labinterp.usecases import administer, clients, journey, sessions
from tests.conftest import OPENING, VAULT, Clock, Outbox, wired
from tests.receiver import receiving
from tests.signing import EC, form, key_set, signed

pytestmark = pytest.mark.xdist_group("tenants")
METHODS = ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE")
READS = ("GET", "HEAD")
PASSWORD = "correct horse battery"
UNLIMITED = {
    "request_rate": "1000000 per minute",
    "stranger_rate": "1000000 per minute",
    "account_rate": "1000000 per minute",
    "address_rate": "1000000 per minute",
}
OF_NOBODY = {
    "filename": "a file of the pages",
    "item_id": "a piece of knowledge",
    "piece": "a piece of knowledge",
    "rule": "a piece of knowledge",
    "service_id": "a CDS service, the same for all",
    ("documentation_page.file", "name"): "a file of the documentation",
    ("web.sign_in_link", "token"): "the link is itself the credential",
    ("web.sign_in_by_link", "token"): "the link is itself the credential",
    ("web.ask_code", "token"): "the answer is the same for a link that is none",
    ("web.open_by_code", "token"): "link and mailed code are the credential",
    ("web.linked_report", "token"): "link and mailed code are the credential",
}
"""Parts of addresses that are no organisation's, and why."""
OPEN = {
    *("health.alive", "health.ready", "metrics.read"),
    *("documentation.openapi", "documentation.problems"),
    *("documentation_page.swagger", "documentation_page.file"),
    *(
        "fhir.metadata",
        "fhir.operation_definition",
        "fhir.definition_of_pulling",
        "oauth.at_root",
        "oauth.at_fhir",
    ),
    *("oauth.token", "cds.discover"),
    *("web.sign_in", "web.sign_in_by_password", "web.sign_in_link", "web.sign_in_by_link"),
    *("web.sign_in_code", "web.sign_in_with_code"),
    *("web.sign_out", "web.static", "web.accessibility", "web.privacy", "web.help_page"),
    *("web.mail_link", "web.ask_code", "web.open_by_code", "web.linked_report"),
}
"""What anybody may ask without saying who they are."""
PANEL = {
    "patient": {
        "identifier": {"value": "ZEBRA-4711", "system": "urn:example:zebra"},
        "family": "Quaggastein",
        "given": "Zinaida",
        "birth_date": "1971-05-04",
        "sex": "female",
    },
    "collected_at": "2026-11-24T08:00:00Z",
    "results": [
        {"test": "Potassium", "value": "1.93", "unit": "mmol/L"},
        {"test": "Magnesium", "value": "0.41", "unit": "mmol/L"},
    ],
    "deliver": {"email": ["zebra@example.org"], "as": "link"},
}
MARKS = ("ZEBRA-4711", "urn:example:zebra", "Quaggastein", "Zinaida", "zebra@example.org")
RELEASED = {"language": "en", "contact": "the ward", "released_by": "Dr A. Example"}
SENDER = {"name": "Zebra LIS", "application": "ZEBRALIS", "facility": "ZEBRALAB", "settings": {}}
MESSAGE = (
    b"MSH|^~\\&|ZEBRALIS|ZEBRALAB|US|HERE|20260304113200||ORU^R01|Z-1|P|2.5.1\r"
    b"PID|1||ZEBRA-4711^^^urn:example:zebra^MR||Quaggastein^Zinaida||19790614|F\r"
    b"OBR|1||Z-1|CHEM|||20260304081000||||||||||||||||||F\r"
    b"OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|3.5-5.1||||F\r"
)
SERVER = "https://zebra.example.org/fhir"
SUBSCRIPTION = {
    "resourceType": "Subscription",
    "status": "requested",
    "criteria": "DiagnosticReport",
    "channel": {"type": "rest-hook"},
}
BODIES = {
    "panels.correct": PANEL,
    "patient_page.release": RELEASED,
    "deliveries.send": {"email": ["somebody@example.org"]},
    "senders.change": {"settings": {}},
    "senders.dry_run": {"settings": {}},
    "messages.replay": {"dry_run": True},
    "webhooks.rotate": None,
    "webhooks.redeliver": None,
}
"""What is posted to the API's routes with an id: what the owner could post."""
FORMS = {
    "web.acknowledge": {"told": "Dr A.", "how": "in person", "read-back": "yes"},
    "web.release_patient_page": RELEASED,
    "web.preview_patient_page": RELEASED,
    "web.send": {"email": "somebody@example.org", "as": "link", "confirmed": "1"},
    "web.user_scopes": {"scopes": "panels:read"},
    "web.user_state": {"active": "no"},
    "web.retry_delivery": {"to": "somebody@example.org"},
}
"""The same for pages; forms not named here have no fields."""
LAST = (
    *("patient_page.withdraw", "web.withdraw_patient_page", "web.withdraw_link", "panels.correct"),
    *("bulk.remove", "fhir-export.remove", "subscriptions.remove", "senders.remove"),
    *("receivers.remove", "fhir-servers.remove"),
    *("webhooks.remove", "web.revoke_key", "web.user_scopes", "web.user_state"),
)
"""Of what an owner does, what takes away what another route needs; in this order, at the end."""


BY_CODE = {"web.ask_code", "web.open_by_code", "web.linked_report"}
"""Not for an organisation's people but for whoever reads a code in a mailbox: see the tests of link codes."""
FOR_KEYS = {"fhir-audit.read"}
"""Under `/fhir`, but for administrators: no token has a scope that lets it in."""


class System:
    """A caller with a key or a token."""

    def __init__(self, app, key):
        self._client = app.test_client()
        self._key = {"Authorization": f"Bearer {key}"} if key else {}

    def open(self, method, path, endpoint="", document=None, **more):
        given = BODIES.get(endpoint, document)
        sent = {} if given is None else {"data": json.dumps(given)}
        kind = "application/fhir+json" if path.startswith("/fhir") else "application/json"
        told = {"content_type": kind} if sent and "content_type" not in more else {}
        headers = {**self._key, **more.pop("headers", {})}
        return self._client.open(
            path, method=method, headers=headers, buffered=True, **told, **{**sent, **more}
        )


class Person:
    """Somebody signed in, whose posts carry the token of the form."""

    def __init__(self, app, email):
        self._client = app.test_client()
        page = self._client.get("/login").text
        self._token = self._csrf(page)
        answer = self._client.post(
            "/login", data={"email": email, "password": PASSWORD, "csrf_token": self._token}
        )
        assert answer.status_code == 303
        self._token = self._csrf(self._client.get("/account").text)

    def open(self, method, path, endpoint="", **more):
        sent = {}
        if method not in READS:
            sent = {"data": {**FORMS.get(endpoint, {}), "csrf_token": self._token}}
        return self._client.open(path, method=method, buffered=True, **{**sent, **more})

    @staticmethod
    def _csrf(page):
        return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]


@dataclasses.dataclass(frozen=True)
class Made:
    """What was made of an organisation, in words: credentials, and the ids of what it has."""

    id: str
    key: str
    token: str
    email: str
    has: dict = dataclasses.field(default_factory=dict)


class Organisation:
    """One side at the app."""

    def __init__(self, app, made):
        self.id, self.has = made.id, made.has
        self.key, self.client = System(app, made.key), System(app, made.token)
        self.person = Person(app, made.email)

    def at(self, path):
        return self.person if _is_page(path) else self.key


def _services(path, clock, outbox, outbound=None):
    store = open_store(f"sqlite:///{path}", VAULT, OPENING)
    made = wired(
        store, clock=clock, outbox=outbox, queue=InlineQueue(), patient_page=True, **UNLIMITED
    )
    return dataclasses.replace(made, outbound=outbound) if outbound else made


@pytest.fixture(scope="module")
def made_once(sqlite_template, tmp_path_factory):
    """A database with two organisations; each test gets a copy."""
    path = tmp_path_factory.mktemp("tenants") / "labinterp.db"
    shutil.copyfile(sqlite_template, path)
    outbox = Outbox()
    with receiving() as receiver:
        receiver.usual = lambda _, got: (
            200,
            {},
            json.dumps({"challenge": json.loads(got.body or b"{}").get("challenge")}).encode(),
        )
        allowed = frozenset({f"127.0.0.1:{receiver.port}"})
        services = _services(path, Clock(), outbox, Outbound(allowed=allowed, step=1, total=2))
        app = create_app(services)
        sides = [
            _organisation(app, services, "Zebra Trust", "owner@example.org"),
            _organisation(app, services, "Another Trust", "other@example.org"),
        ]
        sides[0].has.update(_filled(Organisation(app, sides[0]), services, receiver, outbox))
    with services.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    services.store.close()
    return path, sides


@pytest.fixture
def services(made_once, tmp_path):
    path = tmp_path / "labinterp.db"
    shutil.copyfile(made_once[0], path)
    made = _services(path, Clock(), Outbox())
    yield made
    made.store.close()


@pytest.fixture
def app(services):
    return create_app(services)


@pytest.fixture
def owner(app, made_once):
    """An organisation with one of everything that has an id."""
    return Organisation(app, made_once[1][0])


@pytest.fixture
def other(app, made_once):
    """An organisation whose people and systems may do all that can be done in their own."""
    return Organisation(app, made_once[1][1])


@pytest.mark.hazard("stranger-reads", "stranger-writes")
def test_no_route_gives_or_changes_what_another_organisation_has(app, services, owner, other):
    before = _rows_of(services, owner)
    tried = set()
    for rule, path in _addresses(app, owner):
        taken = _taken(app, rule)
        for method in METHODS:
            if taken.get(method) in BY_CODE:
                continue
            answer = other.at(path).open(method, path, taken.get(method, ""))
            expected = 404 if method in taken else 405
            told = (method, rule.rule, answer.status_code, answer.text[:300])
            assert answer.status_code == expected, told
            assert not any(mark in answer.text for mark in MARKS), told
            tried.add((method, _template(rule.rule)))
            if path.startswith("/fhir") and method in ("GET", "DELETE"):
                is_for_keys = method in taken and rule.endpoint in FOR_KEYS
                refused = 403 if is_for_keys else expected
                assert other.client.open(method, path).status_code == refused, told
    assert _rows_of(services, owner) == before
    assert _documented(app) <= tried


def test_the_ids_that_were_tried_are_real_ones(app, owner):
    """The owner's own requests at the same addresses find what is there, in every method."""
    found = set()
    rules = sorted(_addresses(app, owner), key=lambda one: _turn(one[0].endpoint))
    for rule, path in rules:
        for method in sorted(_methods_of(rule), key=("GET", "HEAD", "POST", "DELETE").index):
            answer = owner.at(path).open(method, path, rule.endpoint)
            assert answer.status_code < 500, (method, path, answer.text[:300])
            if answer.status_code not in (404, 405):
                found.add((rule.rule, method))
    wanted = {(rule.rule, method) for rule, _ in rules for method in _methods_of(rule)}
    assert wanted - found == set()


def test_what_lists_lists_nothing_of_another_organisation(app, owner, other):
    ids = {
        one
        for name, values in owner.has.items()
        if name not in ("name", "resource")
        for one in values
    }
    for rule in _rules(app):
        if _paths(app, rule, owner) or "GET" not in rule.methods:
            continue
        path = _built(app, rule, **_anything(rule))
        answer = other.at(path).open("GET", path, headers={"Prefer": "respond-async"})
        assert answer.status_code in (200, 202, 303, 404, 503), (path, answer.text[:300])
        told = answer.text
        assert [mark for mark in (*MARKS, *ids) if mark in told] == [], path


def test_no_search_and_no_cursor_reaches_into_another_organisation(owner, other):
    (panel_id, *_) = owner.has["panel_id"]
    ours = {**PANEL, "deliver": {"email": []}}
    ids = dict(owner.has["resource"])
    values = {
        "patient": f"Patient/{panel_id}",
        "subject": f"Patient/{panel_id}",
        "patient.identifier": "urn:example:zebra|ZEBRA-4711",
        "subject.identifier": "urn:example:zebra|ZEBRA-4711",
        "identifier": panel_id,
        "target": f"DiagnosticReport/{panel_id}",
        "date": "ge2000",
        "recorded": "ge2000",
        "_lastUpdated": "ge2000",
        "code": "2823-3",
    }
    for kind, parameters in fhir_search.PARAMETERS.items():
        for name in parameters:
            asked = {name: ids[kind] if name == "_id" else values[name]}
            assert "entry" in owner.key.open("GET", f"/fhir/{kind}", query_string=asked).json, name
            told = other.key.open("GET", f"/fhir/{kind}", query_string=asked).json
            assert "entry" not in told, (kind, name)
            told = other.key.open("POST", f"/fhir/{kind}/_search", data=asked).json
            assert "entry" not in told, (kind, name)
    for name in ("ZEBRA-4711", "urn:example:zebra|ZEBRA-4711"):
        assert owner.key.open("GET", "/api/v1/panels", query_string={"patient": name}).json[
            "panels"
        ]
        found = other.key.open("GET", "/api/v1/panels", query_string={"patient": name})
        assert found.json["panels"] == []
    owner.key.open("POST", "/api/v1/panels", document=PANEL)
    cursor = owner.key.open("GET", "/api/v1/panels", query_string={"limit": 1}).json["next_cursor"]
    mine = other.key.open("POST", "/api/v1/panels", document=ours).json["id"]
    found = other.key.open("GET", "/api/v1/panels", query_string={"cursor": cursor})
    assert {one["id"] for one in found.json.get("panels", ())} <= {mine}


def test_the_same_key_body_and_patient_are_two_panels_of_two_organisations(owner, other):
    told = {"headers": {"Idempotency-Key": "one-and-the-same"}}
    mine, theirs = (
        side.key.open("POST", "/api/v1/panels", document=PANEL, **told) for side in (owner, other)
    )
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json["id"] != theirs.json["id"]
    assert "Idempotent-Replayed" not in theirs.headers
    told = json.dumps(theirs.json["interpretation"])
    assert '"change": null' in told or '"change":null' in told or '"change"' not in told


def test_a_form_cannot_name_another_organisations_panel(owner, other, services):
    before = _rows_of(services, owner)
    (panel_id, *_) = owner.has["panel_id"]
    sent = {"text": "Potassium 2.9 mmol/L", "corrects": panel_id, "zone": "Europe/London"}
    page = other.person.open("GET", "/panels/new").text
    sent["csrf_token"] = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
    assert other.person.open("POST", "/panels/new", data=sent).status_code == 404
    assert _rows_of(services, owner) == before


def test_feedback_on_another_organisations_card_is_counted_for_neither_rule(owner, other):
    card = owner.has["card"][0]
    before = owner.key.open("GET", "/api/v1/cds/feedback").json
    told = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-24T09:00:00Z"}
    other.key.open("POST", "/cds-services/twitch-labs/feedback", document={"feedback": [told]})
    assert owner.key.open("GET", "/api/v1/cds/feedback").json == before
    named = [one["rule"] for one in other.key.open("GET", "/api/v1/cds/feedback").json["rules"]]
    assert not any(named)


def test_no_route_but_the_listed_ones_is_open_to_a_stranger(app, owner):
    stranger = System(app, None)
    for rule in _rules(app):
        for path in _paths(app, rule, owner) or (_built(app, rule, **_anything(rule)),):
            for method in _methods_of(rule):
                status = stranger.open(method, path).status_code
                if rule.endpoint in OPEN:
                    assert status not in (401, 403), (method, path, status)
                elif _is_page(path):
                    # A post without its token ends before anybody is asked for.
                    assert status == 303 if method in READS else status == 400, (method, path)
                else:
                    assert status == 401, (method, path, status)


def test_a_key_without_scopes_opens_nothing(app, services, owner):
    _, text = administer.create_key(services, owner.id, name="none", scopes=("knowledge:read",))
    caller = System(app, text)
    for rule in _rules(app):
        view = app.view_functions[rule.endpoint]
        if getattr(view, "scope", None) in (None, "knowledge:read"):
            continue
        for path in _paths(app, rule, owner) or (_built(app, rule, **_anything(rule)),):
            for method in _methods_of(rule):
                status = caller.open(method, path, rule.endpoint).status_code
                assert status == 403, (method, path, status)


# ---- the two sides


def _organisation(app, services, name, email):
    made = administer.create_organisation(services, name)
    _, key = administer.create_key(services, made.id, name="all", scopes=SCOPES)
    administer.create_user(
        services, made.id, email=email, name="A. Person", scopes=SCOPES, password=PASSWORD
    )
    client = clients.create_client(
        services,
        made.id,
        name=name,
        scopes_allowed=("system/*.cruds",),
        key_set=key_set(EC),
    )
    base = services.policy.base_url
    assertion = signed(client.id, f"{base}/oauth/token", services.now())
    answer = app.test_client().post("/oauth/token", data=form(assertion, "system/*.cruds"))
    assert answer.status_code == 200, answer.json
    token = answer.json["access_token"]
    return Made(made.id, key, token, email)


def _filled(side, services, receiver, outbox):
    """The ids of one of everything, each made as its door makes it."""

    def posted(path, document=None, **more):
        answer = side.key.open("POST", path, document=document, **more)
        assert answer.status_code in (200, 201, 202), (path, answer.text)
        return answer

    hook = posted("/api/v1/webhooks", {"url": f"{receiver.address}/hook", "events": []}).json["id"]
    channel = {"type": "rest-hook", "endpoint": f"{receiver.address}/hook"}
    receiver_url = receiver.address.replace("http://", "mllp://")
    sent_to = posted("/api/v1/receivers", {"url": receiver_url}).json["id"]
    subscription = posted("/fhir/Subscription", {**SUBSCRIPTION, "channel": channel}).json["id"]
    panel_id = posted("/api/v1/panels", PANEL).json["id"]
    _work(services)
    posted(f"/api/v1/panels/{panel_id}/patient-page", RELEASED)
    line = json.dumps(PANEL).encode()
    told = {"data": line, "content_type": "application/x-ndjson"}
    bulk = posted("/api/v1/bulk", **told).headers["Content-Location"].rpartition("/")[2]
    begun = side.key.open("GET", "/fhir/$export", headers={"Prefer": "respond-async"})
    export = begun.headers["Content-Location"].rpartition("/")[2]
    _work(services)
    with services.store.reading() as connection:
        names = {
            row.name
            for row in connection.execute(select(metadata.tables["job_part"]))
            if row.job_id in (bulk, export)
        }
    notices = side.key.open("GET", f"/api/v1/webhooks/{hook}/deliveries").json
    report = side.key.open("GET", f"/fhir/Bundle/{panel_id}").json
    resources = {
        (one["resource"]["resourceType"], one["resource"]["id"])
        for one in report["entry"]
        if "id" in one["resource"]
    }
    deliveries = side.key.open("GET", f"/api/v1/panels/{panel_id}/deliveries").json["deliveries"]
    page = side.person.open("GET", f"/panels/{panel_id}").text
    users = administer.users(services, side.id)
    spare = administer.create_user(
        services, side.id, email="spare@example.org", name="Spare", scopes=("panels:read",)
    )
    key, _ = administer.create_key(services, side.id, name="spare", scopes=("panels:read",))
    mail = outbox.sent[0][0]
    has = {
        "panel_id": [panel_id],
        "webhook_id": [hook],
        "notice_id": [one["id"] for one in notices["deliveries"]],
        "subscription_id": [subscription],
        "sender_id": [posted("/api/v1/senders", SENDER).json["id"]],
        "receiver_id": [sent_to],
        "server_id": [posted("/api/v1/fhir-servers", {"base": SERVER}).json["id"]],
        "message_id": [_message(side, posted)],
        "job_id": [bulk, export],
        "name": sorted(names),
        "resource": sorted({("Bundle", panel_id), *resources}),
        "delivery_id": [one["id"] for one in deliveries],
        "user_id": [spare.id, *(one.id for one in users)],
        "key_id": [key.id],
        "session_id": [_session(services, side)],
        "ref": re.findall(r"/patients/([^/\"]+)/history", page)[:1],
        "token": re.findall(r"/r/([\w-]+)", mail.get_body(("plain",)).get_content())[:1],
        "card": [_card(side)],
        "event_id": [_event(side)],
    }
    assert all(has.values()), has
    return has


def _message(side, posted):
    posted("/api/v1/hl7v2", data=MESSAGE, content_type="application/hl7-v2")
    return side.key.open("GET", "/api/v1/messages").json["messages"][0]["id"]


def _event(side):
    return side.key.open("GET", "/fhir/AuditEvent").json["entry"][0]["resource"]["id"]


def _card(side):
    from tests.unit.api.test_cds import VIEW, example

    return side.key.open("POST", f"/cds-services/{VIEW}", document=example(20)).json["cards"][0][
        "uuid"
    ]


def _work(services):
    """What the workers do until nothing is due."""
    turns = (
        journey.draw_due,
        journey.deliver_due,
        journey.notify_due,
        journey.background_due,
    )
    while sum(turn(services, "w", 10) for turn in turns):
        pass


def _session(services, side):
    """Where the person of a side is signed in as well."""
    user = next(one for one in administer.users(services, side.id) if one.password_hash)
    return sessions.begin(services, administer.actor_of_user(services, user.id))


def _rows_of(services, side):
    """Everything that is stored of an organisation."""
    with services.store.reading() as connection:
        return {
            table.name: sorted(
                repr(row)
                for row in connection.execute(select(table))
                if side.id in (getattr(row, "organisation_id", None), row[0])
            )
            for table in metadata.sorted_tables
        }


# ---- the routes


def _rules(app):
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)


def _methods_of(rule):
    return rule.methods - {"OPTIONS"}


def _taken(app, rule):
    """The methods that are taken at this address, and by which view."""
    return {
        method: each.endpoint
        for each in app.url_map.iter_rules()
        if each.rule == rule.rule
        for method in each.methods
    }


def _template(rule):
    """The address as OpenAPI writes it."""
    return re.sub(r"<(?:[^<>]+:)?(\w+)>", r"{\1}", rule)


def _is_page(path):
    from labinterp.api.registration import answers_machines

    return not answers_machines(path) and not path.startswith("/api/docs")


def _addresses(app, side):
    """Every route with an id, at each address that this side's ids make of it."""
    found = []
    for rule in _rules(app):
        paths = _paths(app, rule, side)
        found += [(rule, path) for path in paths]
    return found


def _paths(app, rule, side):
    """The addresses of a route; none where no part of it is an organisation's."""
    parts = {
        name
        for name in rule.arguments
        if name not in OF_NOBODY and (rule.endpoint, name) not in OF_NOBODY
    }
    parts -= {"kind", "version"} if rule.endpoint != "fhir.search" else {"kind"}
    if not parts:
        return []
    if "resource_id" in parts:
        assert parts == {"resource_id"}, rule
        values = [
            {"kind": kind, "resource_id": one}
            for kind, one in side.has["resource"]
            if kind in rule._converters["kind"].items
        ]
    else:
        unknown = parts - side.has.keys()
        assert not unknown, f"{rule.rule}: what is {unknown}? Give it an id in `_filled`."
        names = sorted(parts)
        values = [
            dict(zip(names, made, strict=True))
            for made in itertools.product(*(side.has[name] for name in names))
        ]
    version = {"version": 1} if "version" in rule.arguments else {}
    return [_built(app, rule, **one, **version) for one in values]


def _anything(rule):
    """Some value for each part of an address that is no organisation's."""
    known = {"kind": "analytes", "piece": "potassium", "item_id": "measurand/potassium"}
    if rule.rule.startswith("/fhir"):
        known["kind"] = "Observation"
    known["filename"] = "site.css"
    return {name: known.get(name, "anything") for name in rule.arguments}


def _built(app, rule, /, **values):
    with app.test_request_context():
        for each in app.url_map.iter_rules(rule.endpoint):
            if each is rule:
                return each.build(values, append_unknown=False)[1]
    raise AssertionError(rule)


def _documented(app):
    """Each operation of the OpenAPI document whose address holds somebody's id."""
    document = app.test_client().get("/api/openapi.json").json
    found = set()
    for path, operations in document["paths"].items():
        named = set(re.findall(r"\{(\w+)\}", path)) - {"kind", "version", *OF_NOBODY}
        found |= {
            (method.upper(), path) for method in operations if named and method.upper() in METHODS
        }
    return found


def _turn(endpoint):
    """When the owner tries it."""
    return LAST.index(endpoint) if endpoint in LAST else -1
