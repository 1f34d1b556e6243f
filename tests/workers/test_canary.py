"""An invented patient, unmistakable, goes through every door; nothing but what must holds a word of them.

Real processes (web server, worker, relay), a real broker that is looked into while its messages
wait, a real mail server, and the database's file as it lies on the disk.
"""

from __future__ import annotations

import io
import json
import time
from contextlib import contextmanager
from email import message_from_bytes, policy

import pytest
import redis
import requests
from sqlalchemy import LargeBinary, select

from app import create_app
from labinterp import telemetry
from labinterp.local.ports import free_port
from labinterp.store.door_tables import metadata
from labinterp.usecases import administer, journey
from tests.contract.test_hl7v2_doors import framed, listening, talk
from tests.unit.web.browsing import Person
from tests.workers.harness import until

pytestmark = [pytest.mark.redis, pytest.mark.slow]

FAMILY, GIVEN, NUMBER = "Zyxquarrel", "Vexomira", "CANARY77341"
STREET, PHONE = "Quibblemere", "555010377"
BORN = ("1931-07-29", "19310729", "29/07/1931", "29 July 1931", "29 Jul 1931", "29.07.1931")
WORDS = (FAMILY, GIVEN, NUMBER, STREET, PHONE, *BORN)
TEXT = f"""MRN: {NUMBER}
Name: {FAMILY}, {GIVEN}
DOB: 29/07/1931
Sex: F
Collected: 2026-01-02T08:00:00+00:00
Potassium 2.90 mmol/L
Magnesium 0.45 mmol/L"""


def _in(where):
    """Which canaries stand in it, whatever it is written with."""
    found = where if isinstance(where, bytes) else str(where).encode("utf-8", "replace")
    folded = found.lower()
    return [
        word
        for word in WORDS
        for encoding in ("utf-8", "utf-16-le")
        if word.lower().encode(encoding) in folded
    ]


def _json(**more):
    return {
        "patient": {
            "identifier": {"value": NUMBER, "system": "urn:example:mrn"},
            "family": FAMILY,
            "given": GIVEN,
            "birth_date": "1931-07-29",
            "sex": "female",
        },
        "collected_at": "2026-01-02T08:00:00+00:00",
        "results": [{"test": "Potassium", "value": "2.90", "unit": "mmol/L"}],
        "deliver": {"email": ["clinician@example.org"]},
        **more,
    }


def _fhir(**patient):
    about = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:example:mrn", "value": NUMBER}],
        "name": [{"family": FAMILY, "given": [GIVEN]}],
        "gender": "female",
        "birthDate": "1931-07-29",
        "address": [{"line": [f"7 {STREET} Lane"]}],
        "telecom": [{"system": "phone", "value": PHONE}],
        **patient,
    }
    result = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "effectiveDateTime": "2026-01-02T08:00:00+00:00",
        "valueQuantity": {"value": 2.91, "unit": "mmol/L", "code": "mmol/L"},
    }
    entries = [{"resource": one} for one in (about, result)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _hl7(value="2.92", born="19310729", number="1"):
    return "\r".join(
        (
            f"MSH|^~\\&|LIS|LAB|US|HERE|20260110||ORU^R01|C-{number}|P|2.5.1",
            f"PID|1||{NUMBER}^^^LAB^MR||{FAMILY}^{GIVEN}||{born}|F|||7 {STREET} Lane||{PHONE}",
            f"NK1|1|{FAMILY}^Bert|SPO|7 {STREET} Lane|{PHONE}",
            f"OBR|1||A-{number}|CHEM|||20260102080000+0000||||||||||||||||||F",
            f"OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L|||||F",
            "",
        )
    ).encode()


def _csv(born="1931-07-29", value="2.93"):
    return (
        "Patient ID,Family name,Given name,DOB,Sex,Collected,LOINC,Test,Result,Units\n"
        f"{NUMBER},{FAMILY},{GIVEN},{born},F,2026-01-02T08:00:00+00:00,2823-3,Potassium,{value},mmol/L\n"
    )


class Door:
    """A client of the real web server that keeps every answer."""

    def __init__(self, base, key):
        self.base, self.answers = base, []
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"

    def send(self, path, body, media_type="application/json", **more):
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = {"Content-Type": media_type, **more}
        answer = self.session.post(f"{self.base}{path}", data=data, headers=headers, timeout=30)
        self.answers.append(answer)
        return answer

    def upload(self, name, body):
        answer = self.session.post(
            f"{self.base}/api/v1/panels/import", files={"file": (name, body)}, timeout=30
        )
        self.answers.append(answer)
        return answer


@pytest.fixture
def everything(site_with, tmp_path):
    """The installation with its web server, an administrator's key, and what this process logs."""
    port = free_port()
    site = site_with(PORT=str(port), LOG_LEVEL="debug")
    log = io.StringIO()
    telemetry.configure("debug", log)
    site.start("web")
    base = f"http://127.0.0.1:{port}"
    until(lambda: _answers(base), 60)
    _, key = administer.create_key(
        site.services, site.actor.organisation_id, name="k", scopes=["admin"]
    )
    yield site, Door(base, key), log
    telemetry.configure("info")


def _answers(base):
    try:
        return requests.get(f"{base}/healthz", timeout=2).ok
    except requests.ConnectionError:
        return False


def _through_every_door(site, door):
    """Each accepts the patient; the answers that name an address keep it in their headers."""
    assert door.send("/api/v1/panels", _json(), **{"Idempotency-Key": "k1"}).status_code == 201
    attached = _json(deliver={"email": ["a@example.org"], "as": "attachment"})
    assert door.send("/api/v1/panels", attached).status_code == 201
    assert door.send("/api/v1/interpretations", _json()).status_code == 200
    fhir = "application/fhir+json"
    assert door.send("/fhir/$interpret-panel", _fhir(), fhir).status_code == 200
    transaction = {**_fhir(), "type": "transaction"}
    for one in transaction["entry"]:
        one["request"] = {"method": "POST", "url": one["resource"]["resourceType"]}
    door.send("/fhir", transaction, fhir)
    assert b"MSA|AA" in door.send("/api/v1/hl7v2", _hl7(), "application/hl7-v2").content
    assert door.upload("panel.csv", _csv()).json()["stored"] == 1
    bulk = json.dumps(_fhir()).encode() + b"\n"
    assert door.send("/api/v1/bulk", bulk, "application/x-ndjson").status_code == 202
    with listening(site.services) as port:
        talk(port, framed(_hl7("2.94", number="2")))
    first = door.answers[0].json()["id"]
    corrected = _json(results=[{"test": "Potassium", "value": "3.10", "unit": "mmol/L"}])
    assert door.send(f"/api/v1/panels/{first}/corrections", corrected).status_code == 201
    return first


def _by_hand(site):
    """Pasted, typed and uploaded on the pages; where each page led."""
    user = administer.users(site.services)[0]
    administer.set_password(site.services, user.id, "correct horse battery")
    person = Person(create_app(site.services).test_client())
    led = [person.sign_in(email=user.email)]
    patient = {
        "identifier": NUMBER,
        "family": FAMILY,
        "given": GIVEN,
        **dict(zip(("birth-day", "birth-month", "birth-year"), ("29", "7", "1931"), strict=True)),
    }
    led.append(person.enter(TEXT, **patient))
    led.append(person.enter("", **patient, file=(io.BytesIO(_csv().encode()), "panel.csv")))
    led.append(person.send(person.get("/"), "/search", {"patient": NUMBER}))
    return [address for address in led if address]


def _refusals(door):
    """What is wrong with the patient, or beside them, by each door."""
    person = _json()["patient"]
    for wrong in (
        {"patient": {**person, "birth_date": "29.07.1931"}},
        {"patient": {**person, "birth_date": FAMILY}},
        {"patient": {**person, "sex": FAMILY}},
        {"patient": {**person, "age": {"value": FAMILY, "unit": "years"}}},
        {"patient": {**person, "identifier": [NUMBER]}},
        {"patient": f"{FAMILY} {NUMBER}"},
        {"results": []},
        {"collected_at": "yesterday"},
    ):
        yield door.send("/api/v1/panels", _json(**wrong))
    yield door.send("/api/v1/panels", json.dumps(_json()).encode()[:-9])
    yield door.send("/api/v1/panels", f"{FAMILY} {NUMBER}".encode())
    yield door.send(f"/api/v1/panels/{NUMBER}/corrections", _json())
    fhir = "application/fhir+json"
    for patient in ({"birthDate": FAMILY}, {"gender": FAMILY}, {"identifier": NUMBER}):
        yield door.send("/fhir/$interpret-panel", _fhir(**patient), fhir)
    yield door.send("/api/v1/hl7v2", _hl7(born=FAMILY, number="3"), "application/hl7-v2")
    yield door.send("/api/v1/hl7v2", _hl7(number="4").replace(b"PID|1||", b"PID|1|"), "text/plain")
    yield door.upload("panel.csv", _csv(born=FAMILY))
    yield door.upload("panel.csv", _csv().partition("\n")[2])


@contextmanager
def _broker(site):
    client = redis.Redis.from_url(site.environment["REDIS_URL"])
    yield client
    client.close()


def _messages(site):
    """Everything the broker holds, as its own dump of each key."""
    with _broker(site) as client:
        return {key: client.dump(key) or b"" for key in client.scan_iter()}


def _waiting(site):
    """The messages in words, before anybody took them."""
    with _broker(site) as client:
        return [
            message
            for key in client.scan_iter()
            if client.type(key) == b"list"
            for message in client.lrange(key, 0, -1)
        ]


def test_nothing_but_what_must_holds_a_word_of_a_patient(everything, smtp):
    site, door, log = everything
    first = _through_every_door(site, door)
    led = _by_hand(site)
    refused = list(_refusals(door))

    waiting = _waiting(site)
    assert waiting
    assert _in(repr(waiting) + repr(_messages(site))) == []

    site.start("worker")
    site.start("relay")
    until(lambda: site.is_sent(first), 60)
    until(lambda: len(smtp.mails) >= 2, 60)
    assert journey.read_panel(site.services, site.actor, first).identity.family == FAMILY

    _looks_at_answers(door, refused, led)
    _looks_at_mails(smtp)
    metrics = door.session.get(f"{door.base}/metrics", timeout=10).text
    assert "labinterp_panels_accepted_total" in metrics
    assert _in(metrics) == []
    _looks_at_the_database(site)
    time.sleep(0.5)  # the processes write their last lines
    written = log.getvalue() + "".join(
        (site.folder / f"{name}.log").read_text() for name in ("web", "worker", "relay")
    )
    assert '"event"' in written
    assert _in(written) == []


def _looks_at_answers(door, refused, led):
    """Refusals quote nobody, and no address names anybody."""
    told = [one for one in refused if one.status_code >= 400 or "hl7" in one.request.path_url]
    assert len(told) > 12
    assert [one.text for one in told if _in(one.text)] == []
    for answer in door.answers:
        assert _in(repr(answer.headers)) == []
    assert len(led) == 4
    assert _in(led) == []


def _looks_at_mails(smtp):
    for content in smtp.mails:
        mail = message_from_bytes(content, policy=policy.default)
        assert _in(str(mail["Subject"]) + repr(mail.items())) == []
        for part in mail.walk():
            assert _in(str(part.get_filename())) == []
            if part.get_content_maintype() == "text":
                assert _in(part.get_content()) == []


def _looks_at_the_database(site):
    """Neither its file and log on the disk, nor any column that is not sealed."""
    files = sorted((site.folder / "data").glob("labinterp.db*"))
    assert files
    for path in files:
        assert _in(path.read_bytes()) == []
    with site.services.store.reading() as connection:
        for table in metadata.sorted_tables:
            plain = [each for each in table.c if not isinstance(each.type, LargeBinary)]
            for row in connection.execute(select(*plain)):
                assert _in(repr(row)) == [], table.name
