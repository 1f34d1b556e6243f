"""A mail that was taken and then came back is a person's: what notices say is written down once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from labinterp import telemetry
from labinterp.delivery.bounce import ReturnAddress
from labinterp.delivery.mailer import SendOutcome
from labinterp.errors import Conflict, TemporaryFailure
from labinterp.store import audit
from labinterp.usecases import bounces, journey
from tests.unit.delivery.test_bounce import notice
from tests.unit.usecases.conftest import a_panel
from tests.unit.usecases.test_delivery_work import due_now, told

RETURNS = ReturnAddress("bounces@trust.example", b"the secret of these tests")


@dataclass
class Box:
    """A mailbox in memory."""

    mails: list
    read: int = 0

    def unread(self, most):
        for content in self.mails[self.read : most]:
            yield content
            self.read += 1


@pytest.fixture
def box():
    return Box([])


@pytest.fixture
def services(services, box):
    return replace(services, bounces=box, returns=RETURNS)


@pytest.fixture
def panel_id(services, ward):
    panel_id = journey.take(services, ward, a_panel(email=("a@example.org",))).panel_id
    journey.draw_due(services, "w", 10)
    journey.deliver_due(services, "w", 10)
    return panel_id


def counted(outcome):
    return telemetry.MAILS.labels(outcome)._value.get()


def the_one(services, ward, panel_id):
    (row,) = told(services, ward, panel_id)
    return row


@pytest.mark.hazard("mail-lost")
def test_a_mail_that_came_back_is_bounced_with_the_servers_words(services, ward, panel_id, box):
    before = counted("bounced")
    box.mails.append(notice("postfix-unknown-user", the_one(services, ward, panel_id).id))
    assert bounces.read_bounces(services) == 1
    row = the_one(services, ward, panel_id)
    assert row.status == "bounced"
    assert row.last_answer.startswith("550 5.1.1")
    assert counted("bounced") == before + 1
    assert journey.due_counts(services).deliveries["bounced"] == 1
    with services.store.reading() as connection:
        _, deed, _ = audit.events(connection, ward.organisation_id)[0]
    assert (deed.subtype, deed.outcome, deed.panel_id) == ("delivery-bounced", "8", panel_id)


def test_the_same_notice_again_changes_nothing(services, ward, panel_id, box):
    content = notice("postfix-unknown-user", the_one(services, ward, panel_id).id)
    box.mails += [content, content]
    assert bounces.read_bounces(services) == 1
    with services.store.reading() as connection:
        deeds = [deed.subtype for _, deed, _ in audit.events(connection, ward.organisation_id)]
    assert deeds.count("delivery-bounced") == 1


def test_a_delay_is_said_and_the_mail_stays_sent(services, ward, panel_id, box):
    box.mails.append(notice("sendmail-delayed", the_one(services, ward, panel_id).id))
    assert bounces.read_bounces(services) == 0
    row = the_one(services, ward, panel_id)
    assert row.status == "sent"
    assert row.last_answer.startswith("delayed on its way")


@pytest.mark.parametrize("name", ["delivered", "out-of-office", "disposition"])
def test_other_mail_changes_nothing(services, ward, panel_id, box, name):
    before = the_one(services, ward, panel_id)
    box.mails.append(notice(name, before.id))
    assert bounces.read_bounces(services) == 0
    assert the_one(services, ward, panel_id) == before


def test_a_notice_of_a_delivery_nobody_knows_is_passed_over(services, ward, panel_id, box):
    box.mails += [notice("postfix-unknown-user"), notice("gave-up-after-days")]
    assert bounces.read_bounces(services) == 0
    assert box.read == 2


def test_a_mail_with_an_unknown_end_that_comes_back_is_not_sent_again(services, ward, outbox, box):
    panel_id = journey.take(services, ward, a_panel(email=("a@example.org",))).panel_id
    journey.draw_due(services, "w", 10)
    outbox.answers = [SendOutcome("unknown", "no answer after the data")]
    journey.deliver_due(services, "w", 10)
    box.mails.append(notice("postfix-unknown-user", the_one(services, ward, panel_id).id))
    assert bounces.read_bounces(services) == 1
    due_now(services)
    assert journey.deliver_due(services, "w", 10) == 0
    assert the_one(services, ward, panel_id).status == "bounced"


def test_what_was_never_sent_cannot_come_back(services, ward, outbox, box):
    panel_id = journey.take(services, ward, a_panel(email=("a@example.org",))).panel_id
    journey.draw_due(services, "w", 10)
    outbox.answers = [SendOutcome("deferred", "451 try later")]
    journey.deliver_due(services, "w", 10)
    box.mails.append(notice("postfix-unknown-user", the_one(services, ward, panel_id).id))
    assert bounces.read_bounces(services) == 0
    assert the_one(services, ward, panel_id).status == "deferred"


def test_a_bounced_one_is_sent_anew_with_a_link_of_its_own(services, ward, panel_id, box):
    old = the_one(services, ward, panel_id)
    box.mails.append(notice("postfix-unknown-user", old.id))
    bounces.read_bounces(services)
    services.now.move(60)
    made = journey.retry_delivery(services, ward, old.id, to="right@example.org")
    assert made.to == "right@example.org"
    assert made.id != old.id
    journey.deliver_due(services, "w", 10)
    was, now = told(services, ward, panel_id)
    assert was.status == "withdrawn"
    assert "came back (550 5.1.1" in was.last_answer
    assert now.status == "sent"
    assert len({message["Message-ID"] for message, _ in services.mailer.sent}) == 2
    with pytest.raises(Conflict):
        journey.retry_delivery(services, ward, old.id)


def test_a_bounced_one_may_be_sent_anew_to_the_same_address(services, ward, panel_id, box, clock):
    old = the_one(services, ward, panel_id)
    box.mails.append(notice("exchange-mailbox-full", old.id))
    bounces.read_bounces(services)
    clock.move(60)
    assert journey.retry_delivery(services, ward, old.id).to == old.to
    journey.deliver_due(services, "w", 10)
    assert [row.status for row in told(services, ward, panel_id)] == ["withdrawn", "sent"]


def test_a_correction_takes_a_bounced_one_off_the_list_and_tells_its_reader(
    services, ward, panel_id, box
):
    box.mails.append(notice("postfix-unknown-user", the_one(services, ward, panel_id).id))
    bounces.read_bounces(services)
    journey.correct(services, ward, panel_id, a_panel("Potassium 3.9 mmol/L"))
    rows = told(services, ward, panel_id)
    assert [row.status for row in rows] == ["withdrawn", "queued"]


def test_without_a_mailbox_nothing_is_read(services):
    assert bounces.read_bounces(replace(services, bounces=None)) == 0


def test_a_database_that_is_away_leaves_the_notice_unread(
    services, ward, panel_id, box, monkeypatch
):
    box.mails.append(notice("postfix-unknown-user", the_one(services, ward, panel_id).id))

    def away(_work):
        raise TemporaryFailure("away")

    monkeypatch.setattr(services.store, "write", away)
    with pytest.raises(TemporaryFailure):
        bounces.read_bounces(services)
    assert box.read == 0


def test_a_mail_given_up_on_counts_as_failed_and_not_as_its_last_try(services, ward, outbox):
    impatient = replace(services, policy=replace(services.policy, delivery_attempts=2))
    journey.take(impatient, ward, a_panel(email=("a@example.org",)))
    journey.draw_due(impatient, "w", 10)
    outbox.answers = [SendOutcome("deferred", "451 later")] * 2
    before = counted("deferred"), counted("failed")
    for _ in range(2):
        journey.deliver_due(impatient, "w", 10)
        due_now(impatient)
    assert (counted("deferred"), counted("failed")) == (before[0] + 1, before[1] + 1)
    with services.store.reading() as connection:
        _, deed, _ = audit.events(connection, ward.organisation_id)[0]
    assert deed.subtype == "delivery-failed"
