"""What a real mail server says, and what becomes of the mail: sent once, later, or a person's."""

from email import message_from_bytes

import pytest

from labinterp.usecases import journey

pytestmark = pytest.mark.redis


def message_ids(smtp):
    return [message_from_bytes(mail)["Message-ID"] for mail in smtp.mails]


@pytest.mark.hazard("mail-lost")
def test_a_mail_put_off_is_sent_later(site, smtp):
    smtp.replies = [("RCPT", "450 greylisted"), ("DATA", "452 disk full")]
    panel_id = site.accept()
    site.work_until(lambda: site.is_sent(panel_id))
    assert site.record(panel_id).deliveries[0].attempts == 3
    assert len(smtp.mails) == 1


def test_a_recipient_refused_is_a_persons_and_not_tried_again(site, smtp):
    smtp.replies = [("RCPT", "550 5.1.1 no such user")]
    panel_id = site.accept()
    site.work_until(lambda: site.mails(panel_id) == ["refused"])
    site.work()
    (delivery,) = site.record(panel_id).deliveries
    assert delivery.attempts == 1
    assert delivery.last_answer == "550 5.1.1 no such user"
    assert smtp.mails == []


def test_one_recipients_refusal_does_not_hide_anothers_mail(site, smtp):
    smtp.replies = [("RCPT", "550 no such user")]
    panel_id = site.accept(to=["a@example.org", "b@example.org"])
    site.work_until(lambda: sorted(site.mails(panel_id)) == ["refused", "sent"])
    assert len(smtp.mails) == 1


@pytest.mark.hazard("mail-twice")
def test_a_lost_answer_after_the_data_repeats_the_same_message_id(site, smtp):
    smtp.replies = [("DATA", "drop")]
    panel_id = site.accept()
    site.work_until(lambda: site.is_sent(panel_id))
    first, second = message_ids(smtp)
    assert first == second


@pytest.mark.hazard("mail-lost")
def test_answers_lost_again_and_again_end_with_a_person(site, smtp):
    smtp.replies = [("DATA", "drop")] * 10
    panel_id = site.accept()
    site.work_until(lambda: site.mails(panel_id) == ["failed"])
    assert len(set(message_ids(smtp))) == 1
    assert len(smtp.mails) == 3


def test_our_own_fault_keeps_the_mail_queued(site, smtp):
    smtp.replies = [("RCPT", "530 sign in first")] * 3
    panel_id = site.accept()
    site.work_until(lambda: site.record(panel_id).deliveries[0].last_answer)
    assert site.mails(panel_id) == ["queued"]
    assert journey.due_counts(site.services).mail_trouble == 1
    site.work_until(lambda: site.is_sent(panel_id))
    assert len(smtp.mails) == 1


def test_a_mail_server_that_is_down_is_waited_for(site, smtp):
    smtp.stop()
    panel_id = site.accept()
    site.work_until(lambda: site.mails(panel_id) == ["deferred"])
    smtp.start()
    site.work_until(lambda: site.is_sent(panel_id))
    assert len(smtp.mails) == 1


def test_a_slow_mail_server_is_not_asked_twice(site_with, smtp):
    site = site_with(SMTP_ANSWER_TIMEOUT="10")
    smtp.replies = [("DATA", 1.0)]
    panel_id = site.accept()
    site.work_until(lambda: site.is_sent(panel_id))
    assert len(smtp.mails) == 1
    assert site.record(panel_id).deliveries[0].attempts == 1
