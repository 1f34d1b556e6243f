"""Corrections: a stored answer never changes, the old version says so, and everyone is told."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from labinterp.delivery.mailer import SendOutcome
from labinterp.errors import Conflict, NotFound, SubmissionError
from labinterp.usecases import journey
from tests.unit.usecases.conftest import a_panel, with_policy

WRONG = ("Potassium 7.9 mmol/L H", "Sodium 139 mmol/L")
RIGHT = ("Potassium 4.1 mmol/L", "Magnesium 0.80 mmol/L")


@pytest.fixture
def panel_id(services, ward):
    accepted = journey.take(services, ward, a_panel(*WRONG, email=("a@example.org",)))
    return accepted.panel_id


def sent(services):
    journey.draw_due(services, "w", 10)
    journey.deliver_due(services, "w", 10)


def states(services, ward, panel_id):
    return [
        (item.version, item.to, item.status)
        for item in journey.list_deliveries(services, ward, panel_id)
    ]


@pytest.mark.hazard("changed-answer")
def test_a_correction_is_a_new_version_and_the_old_one_stays_readable(services, ward, panel_id):
    before = journey.read_panel(services, ward, panel_id)
    corrected = journey.correct(services, ward, panel_id, a_panel(*RIGHT))
    assert (corrected.panel_id, corrected.version) == (panel_id, 2)
    new = journey.read_panel(services, ward, panel_id)
    old = journey.read_panel(services, ward, panel_id, 1)
    assert (new.version, new.status, new.superseded) == (2, "corrected", False)
    assert (old.version, old.status, old.superseded) == (1, "superseded", True)
    assert old.interpretation == before.interpretation
    assert old.panel == before.panel


def test_a_correction_keeps_the_number_and_raises_the_version(services, ward, panel_id):
    journey.correct(services, ward, panel_id, a_panel(*RIGHT))
    old = journey.read_panel(services, ward, panel_id, 1).report
    new = journey.read_panel(services, ward, panel_id).report
    assert old.number == new.number == "LI-2026-000001"
    assert (old.version, new.version) == (1, 2)


def test_the_report_says_what_changed(services, ward, panel_id):
    journey.correct(services, ward, panel_id, a_panel(*RIGHT))
    journey.draw_due(services, "w", 10)
    pdf = journey.read_report(services, ward, panel_id).pdf.decode()
    assert "v2 corrected" in pdf
    assert "Potassium: was 7.9 mmol/L, now 4.1 mmol/L." in pdf
    assert "Magnesium: added, 0.80 mmol/L." in pdf
    assert "Sodium: no longer reported, was 139 mmol/L." in pdf


@pytest.mark.hazard("correction-missed")
def test_the_old_document_is_marked_superseded_even_if_drawn_before(services, ward, panel_id):
    journey.draw_due(services, "w", 10)
    assert b"v1 final" in journey.read_report(services, ward, panel_id).pdf
    journey.correct(services, ward, panel_id, a_panel(*RIGHT))
    old = journey.read_report(services, ward, panel_id, 1)
    assert old.superseded
    assert b"v1 superseded" in old.pdf
    assert old.pdf == journey.read_report(services, ward, panel_id, 1).pdf


def test_unsent_mail_of_the_old_version_is_withdrawn_and_its_reader_told_of_the_new(
    services, ward, panel_id, outbox
):
    journey.correct(services, ward, panel_id, a_panel(*RIGHT))
    sent(services)
    assert states(services, ward, panel_id) == [
        (1, "a@example.org", "withdrawn"),
        (2, "a@example.org", "sent"),
    ]
    assert len(outbox.sent) == 1


@pytest.mark.hazard("correction-missed")
def test_who_received_the_old_version_is_told(services, ward, panel_id, outbox):
    sent(services)
    journey.correct(services, ward, panel_id, a_panel(*RIGHT, email=("b@example.org",)))
    sent(services)
    assert states(services, ward, panel_id) == [
        (1, "a@example.org", "sent"),
        (2, "b@example.org", "sent"),
        (2, "a@example.org", "sent"),
    ]


def test_who_should_have_been_told_of_the_old_version_is_told_of_the_new(services, ward, outbox):
    first = a_panel(*WRONG, identifier=None, email=("a@example.org",))
    panel_id = journey.take(services, ward, first).panel_id
    assert states(services, ward, panel_id) == [(1, "a@example.org", "failed")]
    journey.correct(services, ward, panel_id, a_panel(*RIGHT))
    sent(services)
    assert states(services, ward, panel_id) == [
        (1, "a@example.org", "withdrawn"),
        (2, "a@example.org", "sent"),
    ]
    assert "no report" in journey.list_deliveries(services, ward, panel_id)[0].last_answer


def test_a_failed_drawing_of_the_old_version_is_nobodys_work_any_more(services, ward, panel_id):
    def fail(order):
        raise ValueError

    hopeless = with_policy(replace(services, draw=fail), report_attempts=1)
    journey.draw_due(hopeless, "w", 10)
    assert journey.due_counts(services).reports == {"failed": 1}
    journey.correct(services, ward, panel_id, a_panel(*RIGHT))
    sent(services)
    counts = journey.due_counts(services)
    assert (counts.reports, counts.deliveries) == ({}, {})
    old = journey.read_report(services, ward, panel_id, 1)
    assert (old.status, old.number) == ("not_made", "LI-2026-000001")
    assert "corrected" in old.why


def test_a_refused_address_is_a_matter_of_the_new_version(services, ward, panel_id, outbox):
    outbox.answers = [SendOutcome("refused", "550 no such user")] * 2
    sent(services)
    journey.correct(services, ward, panel_id, a_panel(*RIGHT))
    sent(services)
    assert states(services, ward, panel_id) == [
        (1, "a@example.org", "withdrawn"),
        (2, "a@example.org", "refused"),
    ]
    assert journey.due_counts(services).deliveries == {"refused": 1}


@pytest.mark.hazard("correction-missed")
def test_links_of_the_old_version_end_with_the_correction(services, ward, panel_id, outbox):
    sent(services)
    text = outbox.sent[0][0].get_body(("plain",)).get_content()
    token = text.split("/r/")[1].split()[0]
    assert journey.open_mail_link(services, ward, token) == panel_id
    journey.correct(services, ward, panel_id, a_panel(*RIGHT))
    with pytest.raises(NotFound) as refused:
        journey.open_mail_link(services, ward, token)
    assert refused.value.code == "link-not-valid"


@pytest.mark.hazard("wrong-patient")
def test_results_are_never_moved_to_another_patient(services, ward, panel_id):
    for other in (
        a_panel(*RIGHT, identifier="MRN-2"),
        a_panel(*RIGHT, issuer="urn:other"),
        a_panel(*RIGHT, identifier=None),
    ):
        with pytest.raises(SubmissionError) as refused:
            journey.correct(services, ward, panel_id, other)
        assert refused.value.code == "another-patient"
    assert journey.read_panel(services, ward, panel_id).version == 1


def test_a_correction_may_add_the_identifier_that_was_missing(services, ward):
    panel_id = journey.take(services, ward, a_panel(identifier=None)).panel_id
    assert journey.read_report(services, ward, panel_id).status == "not_made"
    journey.correct(services, ward, panel_id, a_panel())
    sent(services)
    assert journey.read_report(services, ward, panel_id).status == "ready"


def test_a_correction_repeated_under_its_key_is_one_version(services, ward, panel_id):
    more = {"idempotency_key": "k", "body_digest": "b"}
    first = journey.correct(services, ward, panel_id, a_panel(*RIGHT), **more)
    again = journey.correct(services, ward, panel_id, a_panel(*RIGHT), **more)
    assert (first.version, again.version, again.replayed) == (2, 2, True)
    with pytest.raises(Conflict):
        journey.take(services, ward, a_panel(*RIGHT), **more)


def test_two_corrections_at_once_do_not_share_a_version(services, ward, panel_id):
    start = threading.Barrier(4)

    def correct(number):
        start.wait()
        try:
            return journey.correct(
                services, ward, panel_id, a_panel(f"Potassium 4.{number} mmol/L")
            ).version
        except Conflict:
            return None

    with ThreadPoolExecutor(4) as pool:
        versions = [each.result() for each in [pool.submit(correct, n) for n in range(4)]]
    made = [version for version in versions if version]
    assert len(made) == len(set(made)) >= 1
    assert journey.read_panel(services, ward, panel_id).version == max(made)


@pytest.mark.parametrize("identifier", ["MRN-1", None])
def test_a_replayed_acceptance_reads_as_it_did_before_the_correction(services, ward, identifier):
    more = {"idempotency_key": "k", "body_digest": "b"}
    panel = a_panel(*WRONG, email=("a@example.org",), identifier=identifier)
    first = journey.take(services, ward, panel, **more)
    now = journey.read_panel(services, ward, first.panel_id, 1)
    answered = journey.panel_document(journey.as_accepted(now))
    assert journey.panel_document(now) == answered
    sent(services)
    journey.correct(services, ward, first.panel_id, a_panel(*RIGHT))
    again = journey.take(services, ward, panel, **more)
    record = journey.read_panel(services, ward, again.panel_id, again.version)
    assert journey.panel_document(journey.as_accepted(record)) == answered
