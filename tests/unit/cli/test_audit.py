"""What an operator asks the audit: is it whole, who did what, and all of it as FHIR."""

import json

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from sqlalchemy import text

from labinterp.cli import DONE, INPUT_AT_FAULT
from labinterp.usecases import administer, read
from tests.unit.usecases.conftest import an_actor


@pytest.fixture
def ward(services):
    made = an_actor(services)
    administer.create_key(services, made.organisation_id, name="Ward key", scopes=["panels:read"])
    read.list_panels(services, made)
    return made


def test_a_whole_chain_is_printed_by_its_newest_link(run, ward):
    code, out, err = run("audit", "verify")
    assert (code, err) == (DONE, "1 chains hold\n")
    assert out.startswith(f"{ward.organisation_id}:3:")
    assert run("audit", "verify", "--noted", out.strip())[0] == DONE


def test_a_tampered_event_is_named_by_its_place(run, ward, services):
    services.store.write(
        lambda held: [
            held.execute(text(words))
            for words in (
                "DROP TRIGGER audit_event_is_not_changed",
                "UPDATE audit_event SET actor_name = 'nobody' WHERE sequence = 2",
            )
        ]
    )
    code, _, err = run("audit", "verify")
    assert code == INPUT_AT_FAULT
    assert f"chain {ward.organisation_id} breaks at event 2: event" in err
    assert "was changed" in err


@pytest.mark.parametrize("noted", ["x", "a:b:c", "org:1"])
def test_a_note_that_is_none_is_refused(run, ward, noted):
    assert run("audit", "verify", "--noted", noted)[0] == INPUT_AT_FAULT


def test_a_chain_that_was_noted_and_is_gone_is_missed(run, ward):
    code, _, err = run("audit", "verify", "--noted", "another:7:abc")
    assert code == INPUT_AT_FAULT
    assert "the whole chain is missing" in err


def test_the_newest_events_are_listed(run, ward):
    _, out, _ = run("audit", "list", "--organisation", "Ward 7", "--limit", "2")
    assert "organisation-created" not in out
    assert "key-created" in out
    assert "key:key-1" in out.splitlines()[-1]


def test_events_are_exported_as_fhir_which_leaves_its_mark(run, ward, clock):
    code, out, _ = run("audit", "export", "--organisation", "Ward 7")
    assert code == DONE
    documents = [json.loads(line) for line in out.splitlines()]
    for document in documents:
        AuditEvent.model_validate(document)
    assert [one["subtype"][0]["code"] for one in documents] == [
        "organisation-created",
        "key-created",
        "panels-listed",
        "audit-exported",
    ]
    listed = documents[2]
    assert listed["agent"][0]["network"] == {"address": "192.0.2.1", "type": "2"}
    assert listed["agent"][0]["who"]["identifier"]["value"] == "key-1"
    clock.move(86_400)
    code, out, _ = run("audit", "export", "--organisation", "Ward 7", "--from", "2026-11-25")
    assert [json.loads(line)["subtype"][0]["code"] for line in out.splitlines()] == [
        "audit-exported"
    ]
    assert run("audit", "export", "--organisation", "Ward 7", "--to", "soon")[0] == INPUT_AT_FAULT
    assert run("audit", "export", "--organisation", "service")[0] == DONE
