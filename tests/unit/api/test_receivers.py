"""Results go out as HL7 v2 to a real socket: whole, once, corrected and taken back as such."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import socket
import threading
from contextlib import suppress

import hl7
import pytest
from sqlalchemy import update

from app import create_app
from labinterp.model.report import Report
from labinterp.outbound import Outbound
from labinterp.store.door_tables import notice
from labinterp.store.moment import db_now
from labinterp.usecases import administer, journey
from tests.certificates import authority

from .conftest import LIMITS_OUT_OF_THE_WAY, new_caller

RECEIVERS = "/api/v1/receivers"
PANELS = "/api/v1/panels"
PDF = b"%PDF-1.7 a document with \x00\xff bytes"
PANEL = {
    "patient": {
        "identifier": {"value": "TEST-1", "system": "NORTHLAB"},
        "family": "Beispiel|Ärger",
        "given": "Zoë",
        "birth_date": "1971-05-01",
        "sex": "female",
    },
    "collected_at": "2026-01-02T08:00:00Z",
    "laboratory": {"name": "North & South ^ Laboratory"},
    "specimen": {"material": "serum"},
    "results": [
        {
            "test": "Potassium",
            "value": "2.90",
            "unit": "mmol/L",
            "reference_interval": "3.5-5.3",
        },
        {"test": "Magnesium", "value": "<0.30", "unit": "mmol/L"},
        {"test": "Vitamin B12", "value": "150", "unit": "ng/L"},
        {
            "test": "Urine sodium",
            "value": "40",
            "unit": "mmol/L",
            "specimen": {"material": "urine"},
        },
    ],
}


def _taken(_):
    return "AA", ""


class Ehr:
    """A receiver on a real port; `answers` say what it thinks of each message, None: nothing."""

    def __init__(self, tls=None):
        self.got = []
        self.usual = _taken
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with suppress(OSError):
                    self._converse(connection)

    def _converse(self, connection):
        with (
            self._tls.wrap_socket(connection, server_side=True) if self._tls else connection as held
        ):
            held.settimeout(5)
            body = b""
            while not body.endswith(b"\x1c\r"):
                piece = held.recv(65536)
                if not piece:
                    return
                body += piece
            message = body.removeprefix(b"\x0b").removesuffix(b"\x1c\r")
            self.got.append(message)
            answer = self.usual(message)
            if answer is None:
                return
            parsed = hl7.parse(message.decode())
            code, more = answer
            ack = f"MSH|^~\\&|EHR|W7|||20261124||ACK|X|P|2.5.1\rMSA|{code}|{parsed['MSH'][0][10]}\r{more}"
            held.sendall(b"\x0b" + ack.encode() + b"\x1c\r")

    def close(self):
        self._socket.close()


@pytest.fixture
def ehr():
    made = Ehr()
    yield made
    made.close()


def drawn(order):
    return Report(PDF, "text", hashlib.sha256(PDF).hexdigest(), 1, "report.pdf")


@pytest.fixture
def services(services, ehr):
    outbound = Outbound(allowed=frozenset({f"127.0.0.1:{ehr.port}"}), step=1, total=2)
    policy = dataclasses.replace(services.policy, demo=False, **LIMITS_OUT_OF_THE_WAY)
    return dataclasses.replace(services, outbound=outbound, policy=policy, draw=drawn)


@pytest.fixture
def app(services):
    return create_app(services)


@pytest.fixture
def admin(app, services, organisation):
    return new_caller(app, services, organisation, "admin")


@pytest.fixture
def receiver(admin, ehr):
    asked = {"url": f"mllp://127.0.0.1:{ehr.port}", "application": "EHR", "facility": "WARD7"}
    answer = admin.post(RECEIVERS, asked)
    assert answer.status_code == 201, answer.json
    return answer.json


def work(services):
    """What the workers do until nothing is due."""
    while journey.draw_due(services, "w", 10) + journey.notify_due(services, "w", 10):
        pass


def hurry(services):
    """The waits between tries are over."""
    services.store.write(
        lambda held: held.execute(
            update(notice).where(notice.c.due_at.is_not(None)).values(due_at=db_now())
        )
    )


def rows_of(message):
    """Our own name of a test to its OBX."""
    rows = {}
    for obx in hl7.parse(message.decode()).segments("OBX"):
        code = obx[3][0]
        rows[str(code[3][0]) if len(code) > 3 else str(code[0][0])] = obx
    return rows


def sent(admin, receiver):
    return admin.get(receiver["links"]["deliveries"]).json["deliveries"]


def test_a_result_goes_out_whole_and_reads_back_the_same_at_our_own_door(
    admin, services, receiver, ehr, neighbour
):
    record = admin.post(PANELS, PANEL).json
    work(services)
    (message,) = ehr.got
    parsed = hl7.parse(message.decode())
    msh, obr = parsed.segment("MSH"), parsed.segment("OBR")
    assert [str(msh[number]) for number in (3, 5, 6, 11, 12)] == [
        "LABINTERP",
        "EHR",
        "WARD7",
        "P",
        "2.5.1",
    ]
    assert str(obr[3][0][0]) == record["id"]
    assert str(obr[25]) == "F"
    rows = rows_of(message)
    potassium = rows["potassium"]
    assert str(potassium[3][0][0]) == "2823-3"
    assert [str(potassium[number]) for number in (2, 5, 7, 8, 11)] == [
        "NM",
        "2.90",
        "3.5-5.3",
        "L",
        "F",
    ]
    assert str(potassium[6]) == "mmol/L^mmol/L^UCUM"
    assert [str(rows["magnesium"][number]) for number in (2, 5)] == ["SN", "<^0.30"]
    assert str(rows["48767-8"][2]) == "TX"
    assert "Urgency" in str(rows["48767-8"][5])
    assert base64.b64decode(str(rows["11502-2"][5][0][4])) == PDF
    assert [(one["status"], one["last_answer"]) for one in sent(admin, receiver)] == [
        ("sent", "AA")
    ]
    # The same message into the door of another organisation.
    answer = neighbour.post("/api/v1/hl7v2", body=message, content_type="application/hl7-v2")
    assert b"MSA|AA|" in answer.data, answer.data
    assert "urine_sodium" in rows
    (again,) = neighbour.get(PANELS).json["panels"]
    theirs = neighbour.get(f"{PANELS}/{again['id']}").json
    for member in ("identifier", "family", "given", "birth_date", "sex"):
        assert theirs["panel"]["patient"][member] == PANEL["patient"][member]
    assert theirs["panel"]["laboratory"]["name"] == PANEL["laboratory"]["name"]
    said = [
        {
            one["measurand"]: (one["value"], one["standing"], one["loinc"])
            for one in each["interpretation"]["results"]
            if one["value"]
        }
        for each in (record, theirs)
    ]
    assert said[0] == said[1]
    # And into our own, where it would go round for ever.
    answer = admin.post("/api/v1/hl7v2", body=message, content_type="application/hl7-v2")
    assert b"MSA|AR|" in answer.data
    assert b"own-message" in answer.data


def test_a_correction_says_so_and_what_is_withdrawn_is_deleted(admin, services, receiver, ehr):
    path = f"{PANELS}/{admin.post(PANELS, PANEL).json['id']}"
    work(services)
    corrected = [{**PANEL["results"][0], "value": "3.9"}, PANEL["results"][1]]
    admin.post(f"{path}/corrections", {**PANEL, "results": corrected})
    work(services)
    rows = rows_of(ehr.got[1])
    assert [str(rows["potassium"][number]) for number in (5, 11)] == ["3.9", "C"]
    assert str(rows["vitamin_b12"][11]) == "D"
    assert str(rows["vitamin_b12"][5]) == ""
    assert str(hl7.parse(ehr.got[1].decode()).segment("OBR")[25]) == "C"
    assert b"NTE|1|L|Potassium: was 2.90 mmol/L, now 3.9 mmol/L." in ehr.got[1]
    wrong = [{**one, "status": "entered-in-error"} for one in corrected]
    admin.post(f"{path}/corrections", {**PANEL, "results": wrong})
    work(services)
    assert {str(row[11]) for row in rows_of(ehr.got[2]).values()} == {"W", "D"}
    assert str(rows_of(ehr.got[2])["potassium"][11]) == "W"
    assert str(rows_of(ehr.got[2])["11502-2"][11]) == "D"
    assert b"Base64" not in ehr.got[2]
    assert len({str(hl7.parse(one.decode())["MSH"][0][10]) for one in ehr.got}) == 3
    assert len({str(hl7.parse(one.decode()).segment("OBR")[3]) for one in ehr.got}) == 1


def test_what_is_refused_is_parked_with_the_reason_and_can_be_sent_again(
    admin, services, receiver, ehr
):
    ehr.usual = lambda _: (
        "AE",
        "ERR||PID^1^3|204^Unknown key identifier^HL70357|E||||No patient BEISPIEL TEST-1\r",
    )
    admin.post(PANELS, PANEL)
    work(services)
    hurry(services)
    work(services)
    assert len(ehr.got) == 1
    (event,) = sent(admin, receiver)
    assert (event["status"], event["attempts"]) == ("failed", 1)
    assert event["last_answer"].startswith("refused: AE 204 Unknown key identifier at PID-1-3")
    assert "TEST-1" not in event["last_answer"]
    assert "BEISPIEL" not in event["last_answer"]
    assert admin.get(receiver["links"]["self"]).json["status"] == "error"
    ehr.usual = _taken
    again = f"{receiver['links']['deliveries']}/{event['id']}/redeliver"
    assert admin.post(again, body=b"").status_code == 202
    work(services)
    assert [one["status"] for one in sent(admin, receiver)] == ["sent"]
    assert str(rows_of(ehr.got[1])["potassium"][11]) == "F"
    assert admin.get(receiver["links"]["self"]).json["status"] == "active"


def test_who_does_not_answer_is_asked_again_with_the_same_id(admin, services, receiver, ehr):
    ehr.usual = lambda _: None
    admin.post(PANELS, PANEL)
    work(services)
    assert [one["status"] for one in sent(admin, receiver)] == ["deferred"]
    ehr.usual = lambda _: ("CA", "")
    hurry(services)
    work(services)
    assert [one["status"] for one in sent(admin, receiver)] == ["sent"]
    assert ehr.got[0] == ehr.got[1]


def test_an_older_version_that_waits_is_left_out(admin, services, receiver, ehr):
    path = f"{PANELS}/{admin.post(PANELS, PANEL).json['id']}"
    journey.draw_due(services, "w", 10)
    admin.post(f"{path}/corrections", {**PANEL, "results": PANEL["results"][:1]})
    work(services)
    assert [str(row[11]) for row in rows_of(ehr.got[0]).values()] == ["F", "F", "F"]
    assert len(ehr.got) == 1
    assert sorted(one["status"] for one in sent(admin, receiver)) == ["sent", "withdrawn"]


def test_what_may_have_come_although_nobody_said_so_is_corrected(admin, services, receiver, ehr):
    ehr.usual = lambda _: None
    path = f"{PANELS}/{admin.post(PANELS, PANEL).json['id']}"
    work(services)
    admin.post(f"{path}/corrections", {**PANEL, "results": PANEL["results"][:1]})
    ehr.usual = _taken
    hurry(services)
    work(services)
    assert str(rows_of(ehr.got[-1])["potassium"][11]) == "C"
    assert str(rows_of(ehr.got[-1])["magnesium"][11]) == "D"


def test_a_panel_without_a_patient_goes_without_a_document(admin, services, receiver, ehr):
    nobody = {**PANEL, "patient": {"sex": "female"}}
    admin.post(PANELS, nobody)
    work(services)
    assert "11502-2" not in rows_of(ehr.got[0])
    assert str(hl7.parse(ehr.got[0].decode()).segment("PID")[3]) == ""


def test_a_receiver_with_tls_is_believed_under_its_authority_alone(admin, services, ehr, tmp_path):
    root, context_of = authority(tmp_path)
    sealed = Ehr(context_of("localhost"))
    allowed = frozenset({f"localhost:{sealed.port}"})
    asked = {"url": f"mllps://localhost:{sealed.port}", "document": False}
    told = []
    for authorities in ("", str(root)):
        outbound = Outbound(allowed=allowed, step=1, total=2, authorities=authorities)
        some = dataclasses.replace(services, outbound=outbound)
        if not told:
            caller = admin_of(some)
            receiver = caller.post(RECEIVERS, asked).json
            caller.post(PANELS, PANEL)
        work(some)
        told.append(sent(caller, receiver)[0])
        hurry(some)
    sealed.close()
    assert [one["status"] for one in told] == ["deferred", "sent"]
    assert "certificate" in told[0]["last_answer"]
    assert "11502-2" not in rows_of(sealed.got[0])


def admin_of(services):
    organisation = administer.create_organisation(services, "Ward 8")
    return new_caller(create_app(services), services, organisation, "admin")


REFUSED = (
    "mllps://127.0.0.1:2575",
    "mllps://10.1.2.3:2575",
    "mllps://169.254.169.254:80",
    "mllp://ehr.example.org:2575",
    "mllps://ehr.example.org",
    "mllps://user@ehr.example.org:2575",
    "mllps://ehr.example.org:2575/path",
    "https://ehr.example.org/hl7",
    "file:///etc/passwd",
)


def test_addresses_are_guarded_as_those_of_webhooks(admin, ehr):
    for url in REFUSED:
        answer = admin.post(RECEIVERS, {"url": url})
        assert (answer.status_code, answer.json["code"]) == (422, "url-refused"), url
    answer = admin.post("/api/v1/webhooks", {"url": f"mllp://127.0.0.1:{ehr.port}"})
    assert answer.status_code == 422


def test_a_receiver_is_listed_and_deleted_by_its_owner_alone(admin, receiver, neighbour, caller):
    own = receiver["links"]["self"]
    assert [one["id"] for one in admin.get(RECEIVERS).json["items"]] == [receiver["id"]]
    assert neighbour.get(RECEIVERS).json["items"] == []
    assert neighbour.get(own).status_code == 404
    assert caller.get(own).status_code == 403
    assert admin.get(f"/api/v1/webhooks/{receiver['id']}").status_code == 404
    assert neighbour.open("DELETE", own).status_code == 404
    assert admin.open("DELETE", own).status_code == 204
    assert admin.get(own).status_code == 404
