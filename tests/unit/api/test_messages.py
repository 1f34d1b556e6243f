"""Stored messages are found, taken apart by name, and read again when more was agreed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hl7types.hl7.v2_5_1.segments import OBR

from labinterp.formats.hl7v2_names import fields_of
from labinterp.store.tables import audit_event
from labinterp.usecases import journey

from .conftest import new_caller

MESSAGES = "/api/v1/messages"
EXAMPLES = Path(__file__).parents[2] / "contract" / "hl7v2"
SETTINGS = {"codes": {"MAG": "magnesium"}, "units": {"MMOLL": "mmol/L"}, "zone": "Europe/Paris"}


def a_message(number=1, *, value="0.52", status="F", code="MAG", patient="N-1", order="A-1"):
    """One local code and unit that nobody agreed on, and a result that needs no agreement."""
    return (
        f"MSH|^~\\&|LIS|NORTHLAB|US|HERE|20260304113200||ORU^R01|M-{number}|P|2.5.1\r"
        f"PID|1||{patient}^^^LAB^MR||Doe^Jane||19790614|F\r"
        f"OBR|1||{order}|CHEM|||20260304081000||||||||||||||||||F\r"
        f"OBX|1|NM|{code}^Sera M level^L||{value}|MMOLL|0.70-1.00|L|||{status}\r"
        f"OBX|2|NM|2823-3^Potassium^LN||4.1|mmol/L|3.5-5.1||||F\r"
    ).encode()


@pytest.fixture
def admin(app, services, organisation):
    return new_caller(app, services, organisation, "admin")


@pytest.fixture
def send(caller):
    def sent(body):
        answer = caller.post("/api/v1/hl7v2", body=body, content_type="application/hl7-v2")
        return answer.data.decode(errors="replace")

    return sent


@pytest.fixture
def agree(admin):
    def agreed(settings=SETTINGS):
        named = {"application": "LIS", "facility": "NORTHLAB", "settings": settings}
        assert admin.post("/api/v1/senders", named).status_code == 201

    return agreed


def entries(admin, **wanted):
    answer = admin.open("GET", MESSAGES, query_string=wanted)
    assert answer.status_code == 200, answer.json
    return answer.json["messages"]


def the_only(admin):
    (entry,) = entries(admin)
    return entry


def replayed(admin, entry, *, dry_run):
    answer = admin.post(entry["links"]["replay"], {"dry_run": dry_run})
    assert answer.status_code == 200, answer.json
    return answer.json


def record_of(caller, panel_id, version=None):
    asked = f"?version={version}" if version else ""
    return caller.get(f"/api/v1/panels/{panel_id}{asked}").json


def standings(record):
    return {one["measurand"]: one["standing"] for one in record["interpretation"]["results"]}


def test_messages_are_found_by_sender_id_status_and_time(send, admin, clock):
    send(a_message(1))
    clock.move(3600)
    send(a_message(2, order="A-2", value="pending"))
    send(a_message(3, order="A-3").replace(b"|NORTHLAB|", b"|SOUTHLAB|"))
    ids = [one["control_id"] for one in entries(admin)]
    assert sorted(ids) == ["M-1", "M-2", "M-3"]
    assert ids[2] == "M-1"
    for wanted, expected in (
        ({"sender": "LIS"}, {"M-1", "M-2", "M-3"}),
        ({"sender": "SOUTHLAB"}, {"M-3"}),
        ({"sender": "LIS|NORTHLAB"}, {"M-1", "M-2"}),
        ({"sender": "LI"}, set()),
        ({"control_id": "M-2"}, {"M-2"}),
        ({"status": "AE"}, {"M-2"}),
        ({"to": "2026-11-24T09:30:00Z"}, {"M-1"}),
        ({"from": "2026-11-24T09:30:00Z", "status": "AA"}, {"M-3"}),
    ):
        assert {one["control_id"] for one in entries(admin, **wanted)} == expected, wanted


def test_a_list_is_read_page_by_page(send, admin, clock):
    for number in range(5):
        send(a_message(number, order=f"A-{number}"))
        clock.move(1)
    seen, address = [], f"{MESSAGES}?limit=2"
    while address:
        page = admin.get(address).json
        seen += [one["control_id"] for one in page["messages"]]
        address = page["next"]
    assert seen == ["M-4", "M-3", "M-2", "M-1", "M-0"]


def test_a_message_is_taken_apart_by_the_standards_names(send, admin):
    send(a_message(value="x"))
    document = admin.get(the_only(admin)["links"]["self"]).json
    assert document["text"].startswith("MSH|^~\\&|LIS|NORTHLAB")
    assert "MSA|AE|M-1" in document["answers"][0]
    named = {
        field["where"]: (
            field["name"],
            [[(c["name"], c["text"]) for c in r] for r in field["repetitions"]],
        )
        for segment in document["segments"]
        for field in segment["fields"]
    }
    assert named["OBX[1]-3"] == (
        "Observation Identifier",
        [[("Identifier", "MAG"), ("Text", "Sera M level"), ("Name of Coding System", "L")]],
    )
    assert named["PID[1]-5"][1] == [[("Family Name", "Doe"), ("Given Name", "Jane")]]
    assert named["MSH[1]-2"][1] == [[("", "^~\\&")]]
    codes = {(one["where"], one["code"]) for one in document["problems"]}
    assert ("OBX[1]-5", "value-not-numeric") in codes
    assert any(where.startswith("OBX[1]") and code != "value-not-numeric" for where, code in codes)


def test_a_look_stands_in_the_audit_and_a_stranger_sees_nothing(
    send, admin, caller, neighbour, services
):
    send(a_message())
    entry = the_only(admin)
    admin.get(entry["links"]["self"])
    with services.store.reading() as connection:
        rows = connection.execute(audit_event.select()).all()
    assert [row.panel_id for row in rows if row.subtype == "message-read"] == entry["panels"]
    assert neighbour.get(entry["links"]["self"]).status_code == 404
    assert neighbour.post(entry["links"]["replay"], {"dry_run": False}).status_code == 404
    assert entries(neighbour) == []
    assert caller.get(MESSAGES).status_code == 403
    assert caller.get(entry["links"]["self"]).status_code == 403


def test_a_dry_run_says_row_by_row_what_would_change_and_changes_nothing(
    send, admin, caller, agree, services
):
    send(a_message())
    agree()
    entry = the_only(admin)
    found = replayed(admin, entry, dry_run=True)
    (panel,) = found["panels"]
    assert (panel["change"], panel["panel_id"], panel["version"]) == (
        "corrected",
        entry["panels"][0],
        1,
    )
    rows = {row["where"]: row for row in panel["rows"]}
    assert rows["OBX[1]"]["changes"]
    assert "magnesium" not in str(rows["OBX[1]"]["before"])
    assert rows["OBX[1]"]["after"] == ["magnesium: 0.52 mmol/L, low, flag L"]
    assert not rows["OBX[2]"]["changes"]
    assert "collection time" in str(rows["panel"]["after"])
    assert record_of(caller, entry["panels"][0])["version"] == 1
    assert "magnesium" not in standings(record_of(caller, entry["panels"][0]))


def test_a_replay_is_a_correction_and_former_recipients_are_told(  # noqa: PLR0917 - fixtures
    send, admin, caller, agree, services, outbox
):
    send(a_message())
    entry = the_only(admin)
    (panel_id,) = entry["panels"]
    mail = caller.post(f"/api/v1/panels/{panel_id}/deliveries", {"email": ["ward@example.org"]})
    assert mail.status_code == 202, mail.json
    work(services)
    agree()
    found = replayed(admin, entry, dry_run=False)
    assert [(one["change"], one["version"]) for one in found["panels"]] == [("corrected", 2)]
    record = record_of(caller, panel_id)
    assert (record["version"], standings(record)["magnesium"]) == (2, "low")
    assert "magnesium" not in standings(record_of(caller, panel_id, 1))
    work(services)
    assert [to for _, to in outbox.sent] == ["ward@example.org"] * 2
    again = replayed(admin, entry, dry_run=False)
    assert [one["change"] for one in again["panels"]] == ["unchanged"]
    with services.store.reading() as connection:
        rows = connection.execute(audit_event.select()).all()
    subtypes = [row.subtype for row in rows]
    assert subtypes.count("message-replayed") == 2
    assert subtypes.count("panel-corrected") == 1


def test_what_a_later_message_corrected_stays_corrected(send, admin, caller, agree):
    send(a_message(1))
    send(a_message(2, value="0.48", status="C"))
    agree()
    first = next(one for one in entries(admin) if one["control_id"] == "M-1")
    later = next(one for one in entries(admin) if one["control_id"] == "M-2")
    (panel_id,) = later["panels"]
    replayed(admin, first, dry_run=False)
    value = [one["value"] for one in record_of(caller, panel_id)["panel"]["results"]]
    assert value == ["0.48", "4.1"]
    replayed(admin, later, dry_run=False)
    (magnesium,) = [
        one
        for one in record_of(caller, panel_id)["interpretation"]["results"]
        if one["measurand"] == "magnesium"
    ]
    assert magnesium["reported"]["value"] == "0.48"


def test_a_message_that_made_no_panel_makes_one_and_is_answered_anew(send, admin, caller, agree):
    agree({"missing_patient": "refuse"})
    body = a_message().replace(b"PID|1||N-1^^^LAB^MR||Doe^Jane||19790614|F\r", b"")
    assert "MSA|AE|M-1" in send(body)
    entry = the_only(admin)
    assert entry["panels"] == []
    sender = admin.get("/api/v1/senders").json["items"][0]["links"]["self"]
    admin.post(sender, {"settings": {**SETTINGS, "missing_patient": "accept"}})
    assert replayed(admin, entry, dry_run=True)["panels"][0]["change"] == "new"
    assert the_only(admin)["panels"] == []
    made = replayed(admin, entry, dry_run=False)["panels"][0]
    assert (made["change"], made["version"]) == ("new", 1)
    assert standings(record_of(caller, made["panel_id"]))["magnesium"] == "low"
    assert the_only(admin)["status"] == "AA"
    assert "MSA|AA|M-1" in send(body)
    assert the_only(admin)["panels"] == [made["panel_id"]]


def test_a_message_of_another_kind_cannot_be_replayed_and_says_why(send, admin):
    send(a_message().replace(b"ORU^R01", b"ORM^O01"))
    found = replayed(admin, the_only(admin), dry_run=False)
    assert found["panels"] == []
    assert [one["code"] for one in found["faults"]] == ["message-type-unsupported"]


@pytest.mark.parametrize("body", [{}, {"dry_run": "yes"}, {"dry_run": None}, {"dry": True}])
def test_whether_it_is_in_earnest_is_said(send, admin, body):
    send(a_message())
    answer = admin.post(the_only(admin)["links"]["replay"], body)
    assert answer.status_code == 422


def test_names_are_those_of_the_standard_as_another_library_has_them():
    lines = OBR.__doc__
    for number, (kind, name) in enumerate(fields_of("OBR"), start=1):
        assert f"OBR.{number} - {name}" in lines
        assert kind.isupper()


def work(services):
    while journey.draw_due(services, "w", 10) + journey.deliver_due(services, "w", 10):
        pass


def test_every_example_can_be_looked_at_and_tried(send, admin):
    for path in sorted(EXAMPLES.glob("[01]*.hl7")):
        send(path.read_bytes())
    send(a_message(9).replace(b"Sera M level", b"\\X00\\ \\Xzz\\ & ~ ^^ \\unclosed \x00\x07"))
    found = entries(admin)
    assert len(found) > 10
    for entry in found:
        document = admin.get(entry["links"]["self"])
        assert document.status_code == 200, (entry, document.text)
        assert document.json["segments"][0]["name"] == "MSH"
        assert {one["change"] for one in replayed(admin, entry, dry_run=True)["panels"]} <= {
            "unchanged"
        }, entry
