"""Mail that people ask for: again, to somebody else, not too often, and never without a report."""

from __future__ import annotations

from datetime import timedelta

import pytest

from labinterp.delivery.mailer import SendOutcome
from labinterp.errors import Conflict, NotFound, SubmissionError, TemporaryFailure
from labinterp.model.submission import Recipients
from labinterp.usecases import journey
from tests.unit.usecases.conftest import a_panel, with_policy

ANN = Recipients(("ann@example.org",))


@pytest.fixture
def panel_id(services, ward):
    accepted = journey.take(services, ward, a_panel(email=("a@example.org",)))
    journey.draw_due(services, "w", 10)
    journey.deliver_due(services, "w", 10)
    return accepted.panel_id


def test_sending_again_is_a_new_message_with_its_own_id_and_link(services, ward, panel_id, outbox):
    (made,) = journey.send(services, ward, panel_id, Recipients(("a@example.org",)))
    assert made.status == "queued"
    journey.deliver_due(services, "w", 10)
    assert len({message["Message-ID"] for message, _ in outbox.sent}) == 2
    assert len(journey.list_deliveries(services, ward, panel_id)) == 2


def test_sending_before_the_report_is_ready_waits_for_it(services, ward, outbox):
    panel_id = journey.take(services, ward, a_panel()).panel_id
    journey.send(services, ward, panel_id, ANN)
    assert journey.deliver_due(services, "w", 10) == 0
    journey.draw_due(services, "w", 10)
    assert journey.deliver_due(services, "w", 10) == 1


def test_the_same_key_sends_once(services, ward, panel_id, outbox):
    first = journey.send(services, ward, panel_id, ANN, idempotency_key="k")
    again = journey.send(services, ward, panel_id, ANN, idempotency_key="k")
    assert [item.id for item in first] == [item.id for item in again]
    with pytest.raises(Conflict):
        journey.send(services, ward, panel_id, Recipients(("b@example.org",)), idempotency_key="k")


def test_there_is_nothing_to_send_without_a_report(services, ward):
    panel_id = journey.take(services, ward, a_panel(identifier=None)).panel_id
    with pytest.raises(Conflict) as refused:
        journey.send(services, ward, panel_id, ANN)
    assert refused.value.code == "report-not-available"
    assert "identifier" in refused.value.message


def test_somebody_must_be_named(services, ward, panel_id):
    with pytest.raises(SubmissionError):
        journey.send(services, ward, panel_id, Recipients())


def test_a_panel_is_not_sent_without_end(services, ward, panel_id, clock):
    few = with_policy(services, sends_per_hour=2)
    journey.send(few, ward, panel_id, Recipients(("b@example.org", "c@example.org")))
    with pytest.raises(TemporaryFailure) as refused:
        journey.send(few, ward, panel_id, ANN)
    assert refused.value.code == "too-many-requests"
    clock.move(timedelta(hours=1, seconds=1))
    assert journey.send(few, ward, panel_id, ANN)


@pytest.fixture
def refused(services, ward, outbox):
    journey.take(services, ward, a_panel(email=("typo@example.org",)))
    journey.draw_due(services, "w", 10)
    outbox.answers = [SendOutcome("refused", "550 no such user")]
    journey.deliver_due(services, "w", 10)
    (item,) = journey.all_deliveries(services, ward, "refused")
    return item


def test_a_refused_message_can_be_tried_again_by_a_person(services, ward, refused, outbox):
    again = journey.retry_delivery(services, ward, refused.id)
    assert (again.id, again.status, again.attempts) == (refused.id, "queued", 0)
    journey.deliver_due(services, "w", 10)
    assert journey.all_deliveries(services, ward, "sent")[0].id == refused.id
    with pytest.raises(Conflict) as conflict:
        journey.retry_delivery(services, ward, refused.id)
    assert conflict.value.code == "delivery-not-retriable"


def test_a_corrected_address_is_a_new_message_in_place_of_the_old(services, ward, refused, outbox):
    made = journey.retry_delivery(services, ward, refused.id, to="right@example.org")
    assert made.id != refused.id
    journey.deliver_due(services, "w", 10)
    assert [to for _, to in outbox.sent] == ["right@example.org"]
    (old,) = journey.all_deliveries(services, ward, "withdrawn")
    assert old.id == refused.id


def test_a_corrected_address_must_be_one(services, ward, refused):
    with pytest.raises(SubmissionError) as conflict:
        journey.retry_delivery(services, ward, refused.id, to="nobody")
    assert conflict.value.errors[0].where == "to[0]"


def test_a_message_of_a_superseded_version_is_not_tried_again(services, ward, refused):
    journey.correct(services, ward, refused.panel_id, a_panel())
    with pytest.raises(Conflict):
        journey.retry_delivery(services, ward, refused.id)


def test_a_withdrawn_link_opens_nothing(services, ward, panel_id, outbox):
    token = outbox.sent[0][0].get_body(("plain",)).get_content().split("/r/")[1].split()[0]
    (told,) = journey.list_deliveries(services, ward, panel_id)
    journey.withdraw_link(services, ward, told.id)
    with pytest.raises(NotFound):
        journey.open_mail_link(services, ward, token)
