"""Mail: nothing twice because a worker ran twice, nothing lost, and no end that nobody sees."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pikepdf
import pytest
from sqlalchemy import select, update

from labinterp.delivery.mailer import SendOutcome
from labinterp.errors import TemporaryFailure
from labinterp.reporting.render import draw
from labinterp.store.moment import db_now, microseconds
from labinterp.store.tables import delivery, report
from labinterp.usecases import journey
from tests.unit.usecases.conftest import a_panel, an_actor, with_policy


@pytest.fixture
def panel_id(services, ward):
    """A panel whose report is ready and whose one message is due."""
    accepted = journey.take(services, ward, a_panel(email=("a@example.org",)))
    journey.draw_due(services, "w", 10)
    return accepted.panel_id


def told(services, ward, panel_id):
    return journey.list_deliveries(services, ward, panel_id)


def row(services):
    with services.store.reading() as connection:
        return connection.execute(select(delivery)).one()


def due_now(services):
    with services.store.writing() as connection:
        connection.execute(update(delivery).values(due_at=db_now() - 1))


def test_no_mail_leaves_before_its_report_is_ready(services, ward, outbox):
    accepted = journey.take(services, ward, a_panel(email=("a@example.org",)))
    assert journey.deliver_due(services, "w", 10) == 0
    journey.draw_due(services, "w", 10)
    assert journey.deliver_due(services, "w", 10) == 1
    (sent,) = told(services, ward, accepted.panel_id)
    assert (sent.status, sent.attempts, sent.last_answer) == ("sent", 1, "250 queued")
    assert len(outbox.sent) == 1


@pytest.mark.hazard("stranger-reads")
def test_the_mail_has_our_number_a_link_and_nothing_of_the_patient(
    services, ward, panel_id, outbox
):
    journey.deliver_due(services, "w", 10)
    message, to = outbox.sent[0]
    text = message.as_string()
    assert to == "a@example.org"
    assert "LI-2026-000001" in message["Subject"]
    assert "https://labinterp.example.org/r/" in text
    for secret in ("Testcase", "MRN-1", "Potassium", "2.9"):
        assert secret not in text


@pytest.mark.hazard("stranger-reads")
def test_the_link_opens_the_panel_for_the_same_organisation_only(
    services, ward, neighbour, panel_id, outbox, *, clock
):
    journey.deliver_due(services, "w", 10)
    text = outbox.sent[0][0].get_body(("plain",)).get_content()
    token = text.split("/r/")[1].split()[0]
    assert journey.open_mail_link(services, ward, token) == panel_id
    assert told(services, ward, panel_id)[0].opened_at is not None
    from labinterp.errors import NotFound

    for actor, presented in ((neighbour, token), (ward, token + "x"), (ward, "")):
        with pytest.raises(NotFound):
            journey.open_mail_link(services, actor, presented)
    clock.move(services.policy.link_lifetime + timedelta(seconds=1))
    with pytest.raises(NotFound):
        journey.open_mail_link(services, ward, token)


def test_the_links_secret_is_gone_once_the_mail_is_sent(services, ward, panel_id):
    assert row(services).link_sealed is not None
    journey.deliver_due(services, "w", 10)
    assert row(services).link_sealed is None


@pytest.mark.hazard("mail-twice")
def test_of_several_workers_one_sends(services, ward, panel_id, outbox):
    start = threading.Barrier(3)

    def deliver(number):
        start.wait()
        return journey.deliver_due(services, f"w{number}", 10)

    with ThreadPoolExecutor(3) as pool:
        moved = [each.result() for each in [pool.submit(deliver, n) for n in range(3)]]
    assert sum(moved) == 1
    assert len(outbox.sent) == 1


def test_a_deferred_mail_is_tried_again_with_the_same_message_id(services, ward, panel_id, outbox):
    outbox.answers = [SendOutcome("deferred", "451 greylisted")]
    journey.deliver_due(services, "w", 10)
    (waiting,) = told(services, ward, panel_id)
    assert (waiting.status, waiting.last_answer) == ("deferred", "451 greylisted")
    assert waiting.next_try is not None
    due_now(services)
    journey.deliver_due(services, "w", 10)
    (sent,) = told(services, ward, panel_id)
    assert (sent.status, sent.attempts) == ("sent", 2)
    assert outbox.sent[0][0]["Message-ID"] == row(services).message_id


@pytest.mark.hazard("mail-lost")
def test_after_the_last_try_a_person_is_told(services, ward, panel_id, outbox):
    impatient = with_policy(services, delivery_attempts=2)
    outbox.answers = [SendOutcome("deferred", "451 later")] * 2
    for _ in range(2):
        journey.deliver_due(impatient, "w", 10)
        due_now(services) if row(services).status == "deferred" else None
    (given_up,) = told(services, ward, panel_id)
    assert given_up.status == "failed"
    assert "2 tries" in given_up.last_answer
    assert "451 later" in given_up.last_answer
    assert journey.deliver_due(impatient, "w", 10) == 0


def test_a_refused_address_is_not_tried_again(services, ward, panel_id, outbox):
    outbox.answers = [SendOutcome("refused", "550 no such user")]
    journey.deliver_due(services, "w", 10)
    assert told(services, ward, panel_id)[0].status == "refused"
    assert journey.deliver_due(services, "w", 10) == 0


def test_our_own_fault_costs_no_attempt_and_alarms(services, ward, panel_id, outbox):
    outbox.answers = [SendOutcome("operator", "535 authentication failed")] * 20
    for _ in range(20):
        journey.deliver_due(services, "w", 10)
        due_now(services)
    (waiting,) = told(services, ward, panel_id)
    assert (waiting.status, waiting.attempts) == ("queued", 0)
    assert journey.due_counts(services).mail_trouble == 1
    journey.deliver_due(services, "w", 10)
    assert told(services, ward, panel_id)[0].status == "sent"
    assert journey.due_counts(services).mail_trouble == 0


def test_an_unknown_end_is_tried_few_times_with_one_message_id_then_a_person_looks(
    services, ward, panel_id, outbox
):
    outbox.answers = [SendOutcome("unknown", "no answer after the data")] * 9
    for _ in range(4):
        journey.deliver_due(services, "w", 10)
        if row(services).status == "deferred":
            due_now(services)
    (parked,) = told(services, ward, panel_id)
    assert parked.status == "failed"
    assert "may have arrived" in parked.last_answer
    assert len(outbox.sent) == 3
    assert len({message["Message-ID"] for message, _ in outbox.sent}) == 1


def test_a_worker_killed_while_sending_counts_as_an_unknown_end(services, ward, panel_id, outbox):
    class Killed(BaseException):
        pass

    def die():
        raise Killed

    outbox.before_data = die
    for _ in range(3):
        with pytest.raises(Killed):
            journey.deliver_due(services, "w", 10)
        due_now(services)
    outbox.before_data = None
    assert journey.deliver_due(services, "w", 10) == 1
    assert told(services, ward, panel_id)[0].status == "failed"
    assert outbox.sent == []


@pytest.mark.hazard("mail-twice")
def test_a_worker_that_slept_through_its_lease_does_not_send(services, ward, panel_id, outbox):
    def oversleep():
        outbox.before_data = None
        due_now(services)
        assert journey.deliver_due(services, "fast", 10) == 1

    outbox.before_data = oversleep
    journey.deliver_due(services, "slow", 10)
    assert len(outbox.sent) == 1
    (sent,) = told(services, ward, panel_id)
    assert sent.status == "sent"


@pytest.mark.hazard("correction-missed")
def test_a_correction_at_the_last_moment_stops_the_mail(services, ward, panel_id, outbox):
    def correct():
        outbox.before_data = None
        journey.correct(services, ward, panel_id, a_panel("Potassium 3.9 mmol/L"))

    outbox.before_data = correct
    journey.deliver_due(services, "w", 10)
    assert outbox.sent == []
    old, new = told(services, ward, panel_id)
    assert (old.status, new.status, new.version) == ("withdrawn", "queued", 2)


def test_a_mail_that_left_while_it_was_withdrawn_is_said_to_be_sent(
    services, ward, panel_id, outbox
):
    class Slow:
        def send(self, _message, _recipient, *, still_ours):
            assert still_ours()
            journey.correct(services, ward, panel_id, a_panel("Potassium 3.9 mmol/L"))
            return SendOutcome("sent", "250 queued")

    journey.deliver_due(replace(services, mailer=Slow()), "w", 10)
    old, new = told(services, ward, panel_id)
    assert (old.status, new.status, new.to) == ("sent", "queued", old.to)


def test_the_answer_after_the_data_is_written_even_if_the_database_is_slow(
    services, ward, panel_id, outbox, monkeypatch
):
    real = type(services.store).write
    failures = []

    def sometimes(store, work):
        if outbox.sent and len(failures) < 3:
            failures.append(1)
            raise TemporaryFailure("busy")
        return real(store, work)

    monkeypatch.setattr(type(services.store), "write", sometimes)
    journey.deliver_due(services, "w", 10)
    assert told(services, ward, panel_id)[0].status == "sent"
    assert len(failures) == 3


@pytest.mark.hazard("mail-lost")
def test_one_recipients_refusal_does_not_hide_anothers_success(services, ward, outbox):
    accepted = journey.take(services, ward, a_panel(email=("a@example.org", "b@example.org")))
    journey.draw_due(services, "w", 10)
    outbox.answers = [SendOutcome("refused", "550 no")]
    journey.deliver_due(services, "w", 10)
    states = sorted(item.status for item in told(services, ward, accepted.panel_id))
    assert states == ["refused", "sent"]


def test_an_attachment_is_the_stored_document(services, ward, outbox):
    accepted = journey.take(services, ward, a_panel(email=("a@example.org",), attachment=True))
    journey.draw_due(services, "w", 10)
    journey.deliver_due(services, "w", 10)
    (attached,) = outbox.sent[0][0].iter_attachments()
    assert attached.get_content() == journey.read_report(services, ward, accepted.panel_id).pdf
    assert attached.get_filename() == "report-LI-2026-000001.pdf"


def test_an_attachment_opens_with_the_operators_password_only_and_the_mail_says_so(
    sqlite_services, outbox
):
    written = replace(sqlite_services, draw=draw)
    strict, ward = with_policy(written, attachment_password="correct horse"), an_actor(written)
    accepted = journey.take(strict, ward, a_panel(email=("a@example.org",), attachment=True))
    journey.draw_due(strict, "w", 10)
    journey.deliver_due(strict, "w", 10)
    mail = outbox.sent[0][0]
    (attached,) = mail.iter_attachments()
    assert attached.get_content() != journey.read_report(strict, ward, accepted.panel_id).pdf
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(attached.get_content()))
    with pikepdf.open(io.BytesIO(attached.get_content()), password="correct horse") as pdf:
        assert len(pdf.pages) >= 1
    text = mail.get_body(("plain",)).get_content()
    assert "It opens with the password" in text
    assert "correct horse" not in str(mail)


@pytest.mark.hazard("mail-lost")
def test_the_sweep_finds_a_message_that_still_waits_for_a_ready_report(services, ward, panel_id):
    with services.store.writing() as connection:
        connection.execute(update(delivery).values(due_at=None))
    assert journey.deliver_due(services, "w", 10) == 1


def test_a_message_that_cannot_be_written_becomes_a_persons(services, ward, panel_id):
    with services.store.writing() as connection:
        connection.execute(update(report).values(number="LI-2026\r\nBcc: x@y.org"))
    for _ in range(4):
        journey.deliver_due(services, "w", 10)
        if row(services).status == "deferred":
            due_now(services)
    assert told(services, ward, panel_id)[0].status == "failed"


def test_a_next_try_implausibly_far_ahead_counts_as_due(services, ward, panel_id, outbox):
    with services.store.writing() as connection:
        connection.execute(
            update(delivery).values(due_at=db_now() + microseconds(timedelta(days=400)))
        )
    assert journey.deliver_due(services, "w", 10) == 1
    assert len(outbox.sent) == 1
