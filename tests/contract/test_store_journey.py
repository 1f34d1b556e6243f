"""The whole journey with every real part but broker and mail server, on both databases."""

from __future__ import annotations

import json

import pytest

from labinterp import formats
from labinterp.access import SCOPES, Actor
from labinterp.errors import SubmissionError
from labinterp.model.interpretation import Interpretation
from labinterp.model.submission import Choices
from labinterp.store.records import from_document, read_back, to_document, written
from labinterp.usecases import administer, journey
from tests.conftest import wired

PANEL = {
    "patient": {
        "identifier": {"value": "MRN-1", "system": "urn:example:mrn"},
        "family": "Testcase",
        "sex": "female",
        "age": {"value": 54, "unit": "years"},
    },
    "collected_at": "2026-11-24T08:00:00Z",
    "results": [
        {"test": "Magnesium", "value": "1.10", "unit": "mg/dL"},
        {"test": "Potassium", "value": "2.90", "unit": "mmol/L"},
        {"test": "Calcium", "value": "7.2", "unit": "mg/dL"},
        {"test": "Albumin", "value": "4.1", "unit": "g/dL"},
    ],
    "symptoms": ["facial-twitch"],
    "deliver": {"email": ["clinician@example.org"]},
}


def received(services, **changed):
    body = json.dumps({**PANEL, **changed}).encode()
    return formats.read("json", body, services.now()).received[0]


@pytest.fixture
def services(either_store, clock, outbox, queue):
    return wired(either_store, clock=clock, outbox=outbox, queue=queue)


@pytest.fixture
def ward(services):
    organisation = administer.create_organisation(services, "Ward 7")
    return Actor(organisation.id, "Ward 7", "key", "k", "key", frozenset(SCOPES))


def test_a_panel_becomes_an_answer_a_document_and_a_mail(services, ward, outbox):
    accepted = journey.take(services, ward, received(services))
    answered = journey.interpret_only(services, received(services), ward)
    assert journey.draw_due(services, "w", 10) == 1
    assert journey.deliver_due(services, "w", 10) == 1
    record = journey.read_panel(services, ward, accepted.panel_id)
    assert record.interpretation == answered
    standings = {each.measurand: each.standing for each in record.interpretation.results}
    assert standings["magnesium"] in {"low", "critically_low"}
    assert standings["potassium"] in {"low", "critically_low"}
    assert [each["value"] for each in record.panel["results"]] == ["1.10", "2.90", "7.2", "4.1"]
    state = journey.read_report(services, ward, accepted.panel_id)
    assert state.pdf.startswith(b"%PDF-")
    assert [to for _, to in outbox.sent] == ["clinician@example.org"]
    assert "Testcase" not in outbox.sent[0][0].as_string()


@pytest.mark.hazard("changed-answer")
def test_an_answer_reads_back_exactly_as_it_was_made(services, ward):
    answered = journey.interpret_only(services, received(services), ward)
    assert from_document(Interpretation, read_back(written(to_document(answered)))) == answered


def test_an_earlier_panel_shows_as_change(services, ward):
    earlier = {
        "collected_at": "2026-11-20T08:00:00Z",
        "results": [{"test": "Potassium", "value": "4.2", "unit": "mmol/L"}],
    }
    journey.take(services, ward, received(services, **earlier))
    newest = journey.take(services, ward, received(services))
    found = journey.read_panel(services, ward, newest.panel_id).interpretation
    (potassium,) = [each for each in found.results if each.measurand == "potassium"]
    assert str(potassium.change.earlier.number) == "4.2"
    assert potassium.change.difference < 0


def test_a_corrected_panel_is_told_and_its_document_says_what_changed(services, ward, outbox):
    accepted = journey.take(services, ward, received(services))
    journey.draw_due(services, "w", 10)
    journey.deliver_due(services, "w", 10)
    corrected = {"results": [{"test": "Potassium", "value": "3.90", "unit": "mmol/L"}]}
    journey.correct(services, ward, accepted.panel_id, received(services, **corrected))
    journey.draw_due(services, "w", 10)
    journey.deliver_due(services, "w", 10)
    assert [to for _, to in outbox.sent] == ["clinician@example.org"] * 2
    assert outbox.sent[0][0]["Subject"] != outbox.sent[1][0]["Subject"]
    old = journey.read_report(services, ward, accepted.panel_id, 1)
    new = journey.read_report(services, ward, accepted.panel_id)
    assert old.superseded
    assert old.number == new.number
    assert old.pdf != new.pdf


def test_a_file_is_imported_row_by_row_and_again_without_doubles(services, ward):
    file = (
        b"patient_id,test,value,unit,collected_at\n"
        b"P1,Potassium,2.9,mmol/L,2026-11-20T08:00:00Z\n"
        b"P2,Potassium,abc,mmol/L,2026-11-20T08:00:00Z\n"
        b"P3,Potassium,4.0,mmol/L,2026-11-20T08:00:00Z\n"
    )

    def imported():
        return journey.import_file(
            services, ward, file, media_type="text/csv", file_name="results.csv"
        )

    first, again = imported(), imported()
    assert [outcome.status for outcome in first] == ["stored", "refused", "stored"]
    assert first[1].errors
    assert [outcome.duplicate for outcome in again] == [True, False, True]
    assert [outcome.panel_id for outcome in again] == [outcome.panel_id for outcome in first]
    assert len(journey.list_panels(services, ward).items) == 2


def test_an_organisations_choices_hold_where_its_panels_do_not_say(services, ward):
    ours = services.knowledge.defaults
    other = next(
        name
        for name, one in services.knowledge.range_sets.items()
        if one.shipped and name != ours.range_set
    )
    administer.set_choices(services, ward.organisation_id, Choices(range_set=other))
    _, key = administer.create_key(
        services, ward.organisation_id, name="feed", scopes=("panels:write",)
    )
    actor = administer.actor_of_key(services, key)
    assert actor.choices == Choices(range_set=other)
    silent = journey.interpret_only(services, received(services), actor)
    asking = journey.interpret_only(services, received(services, range_set=ours.range_set), actor)
    assert (silent.range_set, asking.range_set) == (other, ours.range_set)


def test_a_choice_that_the_knowledge_does_not_hold_is_named(services, ward):
    choices = Choices(range_set="mars", schemes={"vitamin_d_25oh": "none", "mars": "x"})
    with pytest.raises(SubmissionError) as refused:
        administer.set_choices(services, ward.organisation_id, choices)
    assert [place.where for place in refused.value.errors] == [
        "range_set",
        "schemes.vitamin_d_25oh",
        "schemes.mars",
    ]
