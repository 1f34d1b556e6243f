"""One patient's data is handed over whole, or erased whole; and what has had its time ends."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest
from fhir.resources.R4B.bundle import Bundle
from sqlalchemy import insert, select

from labinterp import formats
from labinterp.access import SCOPES
from labinterp.errors import Conflict, NotFound, SubmissionError
from labinterp.model.submission import Recipients
from labinterp.store import background, patient_pages
from labinterp.store.background import NewJob, Piece
from labinterp.store.door_tables import (
    cds_card,
    cds_feedback,
    metadata,
    webhook,
)
from labinterp.store.rows import PatientPageRecord
from labinterp.store.store import fresh_id
from labinterp.store.tables import panel, tombstone
from labinterp.usecases import acknowledge, administer, audit_trail, journey, messages, patients
from labinterp.usecases import retention as ending
from tests.conftest import wired
from tests.contract.test_hl7v2_doors import numbered
from tests.unit.usecases.conftest import drawn

MRN = "urn:example:mrn"


@pytest.fixture
def services(either_store, clock, outbox, queue):
    return wired(either_store, clock=clock, outbox=outbox, queue=queue, draw=drawn)


@pytest.fixture
def actor(services):
    return administer.system_actor(administer.create_organisation(services, "Ward"))


def a_body(identifier="MRN-1", value="2.40", system=MRN, **more):
    return json.dumps(
        {
            "patient": {
                "identifier": {"value": identifier, "system": system},
                "family": "Quillfeather",
                "birth_date": "1971-05-05",
                "sex": "female",
            },
            "collected_at": "2026-11-24T08:00:00Z",
            "results": [
                {"test": "Potassium", "value": value, "unit": "mmol/L", "identifier": f"r-{value}"}
            ],
            "deliver": {"email": ["ann@example.org"]},
            **more,
        }
    ).encode()


def accepted(services, actor, key=None, **more):
    (received,) = formats.read("json", a_body(**more), services.now()).received
    return journey.take(services, actor, received, idempotency_key=key).panel_id


def worked(services):
    while journey.draw_due(services, "w", 10) + journey.deliver_due(services, "w", 10):
        pass


def lived(services, actor):
    """A patient with a bit of everything: two panels, a correction, mails, a message, an event."""
    with_webhook(services, actor)
    first = accepted(services, actor, key="one")
    worked(services)
    (received,) = formats.read("json", a_body(value="4.1"), services.now()).received
    journey.correct(services, actor, first, received, idempotency_key="two")
    worked(services)
    journey.send(services, actor, first, Recipients(("b@example.org",)), idempotency_key="three")
    acknowledge.acknowledge(
        services, actor, first, told="Sister A", how="telephone", read_back=True
    )
    services.store.write(lambda held: released(held, services, actor, first))
    (hl7,) = messages.take(services, numbered("7"), lambda _: actor, door="http")
    return first, hl7.panels[0]


def released(connection, services, actor, panel_id):
    page = PatientPageRecord(
        id=fresh_id(services.now()),
        panel_id=panel_id,
        version=2,
        asked="en",
        language="en",
        released_at=services.now(),
        released_by="Dr A",
        contact="the surgery",
        knowledge_digest="d",
        digest="d",
        file_name="page.pdf",
    )
    patient_pages.add_page(
        connection,
        services.store.vault,
        actor.organisation_id,
        page,
        page={"said": "Quillfeather"},
        pdf=b"%PDF Quillfeather",
        released_by_id="u",
    )


def with_webhook(services, actor):
    services.store.write(
        lambda held: held.execute(
            insert(webhook).values(
                id="hook",
                organisation_id=actor.organisation_id,
                kind="webhook",
                url="https://hooks.example.org/",
                events="report.ready critical.detected",
                status="active",
                created_at=services.now(),
            )
        )
    )


def everything(services, but=()):
    """Every row of every table, as text."""
    with services.store.reading() as connection:
        return {
            table.name: [repr(row) for row in connection.execute(select(table))]
            for table in metadata.sorted_tables
            if table.name not in but
        }


def ids_of(services, panel_id):
    """The ids of all rows that hang on a panel."""
    with services.store.reading() as connection:
        return {panel_id} | {
            str(value)
            for table in metadata.sorted_tables
            if "panel_id" in table.c and "id" in table.c and table.name != "audit_event"
            for value in connection.execute(
                select(table.c.id).where(table.c.panel_id == panel_id)
            ).scalars()
        }


# ---- handing over


def test_everything_of_a_patient_is_handed_over(services, actor):
    first, _ = lived(services, actor)
    other = accepted(services, actor, identifier="MRN-2", value="3.3")
    patient = patients.patient_of(services, actor, "MRN-1")
    assert patient.panel_ids == (first,)
    files = dict(patients.exported(services, actor, patient))
    index = json.loads(files["index.json"])
    assert sorted([*index["files"], "index.json"]) == sorted(files)
    assert index["patient"] == {"identifier": "MRN-1", "system": MRN}
    for version in (1, 2):
        folder = f"panels/{first}/{version}"
        record = json.loads(files[f"{folder}/record.json"])
        assert record["panel"]["patient"]["family"] == "Quillfeather"
        assert {item["to"] for item in record["deliveries"]} >= {"ann@example.org"}
        Bundle.model_validate(json.loads(files[f"{folder}/fhir.json"]))
        assert any(name.startswith(folder) and name.endswith(".pdf") for name in files)
    pages = [name for name in files if name.startswith(f"panels/{first}/patient-pages/")]
    assert len(pages) == 2
    assert all(b"Quillfeather" in files[name] for name in pages)
    events = [json.loads(line) for line in files["audit.ndjson"].splitlines()]
    assert {"panel-accepted", "panel-corrected"} <= {
        event["subtype"][0]["code"] for event in events
    }
    assert other not in str(files)


def test_a_message_is_handed_over_as_it_came(services, actor):
    _, hl7 = lived(services, actor)
    patient = patients.patient_of_panel(services, actor, hl7)
    files = dict(patients.exported(services, actor, patient))
    (body,) = (body for name, body in files.items() if name.startswith("messages/"))
    assert body == numbered("7")


def test_what_was_handed_over_and_to_whom_stands_in_the_audit(services, actor):
    lived(services, actor)
    patient = patients.patient_of(services, actor, "MRN-1")
    list(patients.exported(services, actor, patient))
    subtypes = [
        event.deed.subtype for event in audit_trail.newest(services, actor.organisation_id, 9)
    ]
    assert "patient-exported" in subtypes
    assert "panel-read" in subtypes


# ---- erasing


def test_erasing_leaves_no_row_and_no_word_of_the_patient(services, actor):
    first, hl7 = lived(services, actor)
    kept = accepted(services, actor, identifier="MRN-2", value="3.3")
    gone = ids_of(services, first) | ids_of(services, hl7)
    before = everything(services)
    for name in (
        "notice",
        "patient_page",
        "acknowledgement",
        "result_identity",
        "message",
        "idempotency",
    ):
        assert before[name], name
    for patient in (
        patients.patient_of(services, actor, "MRN-1"),
        patients.patient_of(services, actor, "N-7"),
    ):
        patients.erase(services, actor, patient, "asked for by the patient")
    rows = everything(services, but=("audit_event", "tombstone"))
    text = repr(rows)
    assert [each for each in gone if each in text] == []
    assert rows["message"] == []
    assert len(rows["panel"]) == 1
    assert journey.read_panel(services, actor, kept).identity.identifier == "MRN-2"
    with pytest.raises(NotFound):
        journey.read_panel(services, actor, first)


def test_a_tombstone_and_the_audit_stay_and_name_nobody(services, actor):
    first, _ = lived(services, actor)
    done = patients.erase(services, actor, patients.patient_of(services, actor, "MRN-1"), "asked")
    assert done.panels == 1
    with services.store.reading() as connection:
        (stone,) = connection.execute(select(tombstone)).all()
        verified = audit_trail.verify(services)
    assert (stone.panel_id, stone.versions, stone.why) == (first, 2, "asked")
    assert verified.breaks == ()
    last = audit_trail.newest(services, actor.organisation_id, 1)[0].deed
    assert (last.action, last.subtype, last.panel_id, last.why) == (
        "D",
        "panel-erased",
        first,
        "asked",
    )
    left = repr(everything(services))
    assert "Quillfeather" not in left
    assert "MRN-1" not in left


def test_two_issuers_of_one_identifier_are_two_people(services, actor):
    one = accepted(services, actor)
    two = accepted(services, actor, system="urn:other", value="3.0")
    with pytest.raises(Conflict) as refused:
        patients.patient_of(services, actor, "MRN-1")
    assert "urn:example:mrn, urn:other" in refused.value.message
    assert patients.patient_of(services, actor, "MRN-1", MRN).panel_ids == (one,)
    patients.erase(services, actor, patients.patient_of(services, actor, "MRN-1", MRN), "asked")
    assert patients.patient_of(services, actor, "MRN-1").panel_ids == (two,)


def test_another_organisations_patient_is_nobody(services, actor):
    accepted(services, actor)
    other = administer.system_actor(administer.create_organisation(services, "Elsewhere"))
    with pytest.raises(NotFound):
        patients.patient_of(services, other, "MRN-1")
    assert len(everything(services)["panel"]) == 1


def test_a_worker_in_the_middle_of_it_writes_and_sends_nothing(services, actor, outbox):
    panel_id = accepted(services, actor)

    def erased_meanwhile(order):
        patient = patients.patient_of(services, actor, "MRN-1")
        patients.erase(services, actor, patient, "asked")
        return drawn(order)

    journey.draw_due(dataclasses.replace(services, draw=erased_meanwhile), "w", 1)
    worked(services)
    assert outbox.sent == []
    rows = everything(services, but=("audit_event", "tombstone"))
    assert panel_id not in repr(rows)
    assert rows["report_file"] == []


def test_a_mail_that_is_about_to_leave_does_not(services, actor, outbox):
    accepted(services, actor)
    journey.draw_due(services, "w", 1)

    def erase():
        patient = patients.patient_of(services, actor, "MRN-1")
        patients.erase(services, actor, patient, "asked")

    outbox.before_data = erase
    journey.deliver_due(services, "w", 1)
    assert outbox.sent == []


def test_a_refused_message_of_the_patient_goes_too(services, actor):
    accepted(services, actor, identifier="N-8")
    broken = numbered("8").replace(b"4.1|mmol/L", b"|")
    for body in (broken, numbered("81").replace(b"4.1|mmol/L", b"|")):
        messages.take(services, body, lambda _: actor, door="http")
    assert len(everything(services)["message"]) == 2
    patients.erase(services, actor, patients.patient_of(services, actor, "N-8"), "asked")
    assert len(everything(services)["message"]) == 1


def test_bulk_exports_go_whole_and_a_body_that_comes_in_is_waited_for(services, actor):
    accepted(services, actor)
    patient = patients.patient_of(services, actor, "MRN-1")
    for kind in ("export", "bulk"):
        new = NewJob(kind, actor.organisation_id, kind, "queued", {}, {}, 0, services.now())
        where = (actor.organisation_id, kind)

        def work(held, new=new, where=where):
            background.add_job(held, new)
            piece = Piece("Patient.ndjson", 0, b"Quillfeather", 1)
            background.add_piece(held, services.store.vault, where, piece)

        services.store.write(work)
    with pytest.raises(Conflict) as refused:
        patients.erase(services, actor, patient, "asked")
    assert refused.value.code == "jobs-open"
    services.store.write(
        lambda held: background.remove_job(held, actor.organisation_id, "bulk", "bulk")
    )
    assert patients.erase(services, actor, patient, "asked").exports == 1
    assert everything(services)["job_part"] == []


@pytest.mark.parametrize("why", ["", "  ", "two\nlines", "x" * 201])
def test_a_reason_is_one_line(services, actor, why):
    accepted(services, actor)
    with pytest.raises(SubmissionError):
        patients.erase(services, actor, patients.patient_of(services, actor, "MRN-1"), why)


def test_only_an_administrator_hands_over_or_erases(services, actor):
    accepted(services, actor)
    clerk = dataclasses.replace(actor, scopes=frozenset(SCOPES) - {"admin"})
    with pytest.raises(Exception, match="admin"):
        patients.patient_of(services, clerk, "MRN-1")


# ---- what has had its time


def kept_for(services, **days):
    policy = {name: timedelta(days=count) for name, count in days.items()}
    return dataclasses.replace(services, policy=dataclasses.replace(services.policy, **policy))


def test_panels_end_after_their_time_and_not_before(services, actor, clock):
    old, _ = lived(services, actor)
    clock.move(timedelta(days=20))
    new = accepted(services, actor, identifier="MRN-2", value="3.3")
    clock.move(timedelta(days=15))
    kept = kept_for(services, panels_kept=30, messages_kept=0)
    assert ending.due(kept).panels == 2
    assert ending.run(kept).panels == 2
    with services.store.reading() as connection:
        assert connection.execute(select(panel.c.id)).scalars().all() == [new]
        assert old in connection.execute(select(tombstone.c.panel_id)).scalars().all()
    assert ending.run(kept) == ending.Ended()
    assert audit_trail.verify(services).breaks == ()


def test_by_default_panels_stay_and_messages_end_after_ninety_days(services, actor, clock):
    lived(services, actor)
    clock.move(timedelta(days=89))
    assert journey.tidy(services) >= 0
    assert len(everything(services)["message"]) == 1
    clock.move(timedelta(days=2))
    assert ending.due(services).messages == 1
    journey.tidy(services)
    rows = everything(services)
    assert rows["message"] == []
    assert len(rows["panel"]) == 2


def test_cards_words_on_them_and_ended_links_go(services, actor, clock):
    user = administer.create_user(
        services, actor.organisation_id, email="p@example.org", name="P", scopes=["panels:read"]
    )
    administer.sign_in_link(services, user.id)
    now = services.now()

    def work(held):
        held.execute(
            insert(cds_card).values(
                id="c",
                organisation_id=actor.organisation_id,
                service="s",
                rule="r",
                indicator="info",
                shown_at=now,
            )
        )
        held.execute(
            insert(cds_feedback).values(
                id="f",
                organisation_id=actor.organisation_id,
                service="s",
                card_id="c",
                outcome="accepted",
                details_sealed=b"",
                received_at=now,
            )
        )

    services.store.write(work)
    assert ending.step(services) == ending.Ended()
    clock.move(timedelta(days=366))
    assert ending.run(services) == ending.Ended(cards=2, links=1)
    assert ending.run(services) == ending.Ended()
