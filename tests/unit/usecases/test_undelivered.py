"""A critical report that is late: the operator has one mail about it, and nothing clinical in it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from labinterp.delivery.mailer import SendOutcome
from labinterp.store.moment import db_now
from labinterp.store.tables import delivery
from labinterp.usecases import journey
from labinterp.usecases.due import due_counts
from labinterp.usecases.undelivered import LATE_AFTER
from tests.unit.usecases.conftest import a_panel, with_policy

OPERATOR = "operator@example.org"
REFUSED = SendOutcome("refused", "550 nobody here")


@pytest.fixture
def services(sqlite_services):
    return with_policy(sqlite_services, operator_mail=OPERATOR)


def refused(services, ward, outbox, flag="LL"):
    taken = journey.take(
        services, ward, a_panel(f"Potassium 2.0 mmol/L {flag}", email=("reader@example.org",))
    )
    journey.draw_due(services, "w", 10)
    outbox.answers = [REFUSED]
    journey.deliver_due(services, "w", 10)
    return taken.panel_id


def may_be_told_again(services):
    """The wait after a failed mail is over by the database's clock, which measures it."""
    held = update(delivery).where(delivery.c.alarm_due_at.is_not(None))
    with services.store.engine.begin() as connection:
        connection.execute(held.values(alarm_due_at=db_now() - 1))


def told(outbox):
    return [message for message, recipient in outbox.sent if recipient == OPERATOR]


def test_the_operator_is_told_after_half_an_hour_and_once(services, ward, outbox, clock):
    refused(services, ward, outbox)
    clock.move(LATE_AFTER - timedelta(minutes=1))
    journey.deliver_due(services, "w", 10)
    assert told(outbox) == []
    assert due_counts(services).deliveries_due == 0
    clock.move(timedelta(minutes=2))
    assert due_counts(services).deliveries_due == 1
    for _ in range(3):
        journey.deliver_due(services, "w", 10)
        clock.move(timedelta(hours=1))
    (message,) = told(outbox)
    text = message.get_body(("plain",)).get_content()
    assert message["Subject"] == "Critical: 1 report not delivered after 30 minutes"
    assert "LI-2026-000001, Ward 7: refused" in text
    assert "/deliveries?show=failed" in text
    for private in ("Potassium", "2.0", "MRN-1", "reader@example.org"):
        assert private not in message.as_string()


def test_several_are_told_in_one_mail(services, ward, outbox, clock):
    for _ in range(2):
        refused(services, ward, outbox)
    clock.move(LATE_AFTER + timedelta(minutes=1))
    journey.deliver_due(services, "w", 10)
    (message,) = told(outbox)
    assert message["Subject"] == "Critical: 2 reports not delivered after 30 minutes"


def test_a_mail_to_the_operator_that_no_server_takes_is_not_forgotten(
    services, ward, outbox, clock
):
    refused(services, ward, outbox)
    clock.move(LATE_AFTER + timedelta(minutes=1))
    outbox.answers = [SendOutcome("deferred", "no connection")]
    journey.deliver_due(services, "w", 10)
    assert told(outbox) == []
    assert due_counts(services).deliveries_due == 0  # until the try may be repeated
    may_be_told_again(services)
    assert due_counts(services).deliveries_due == 1
    for _ in range(2):
        journey.deliver_due(services, "w", 10)
        may_be_told_again(services)
    (message,) = told(outbox)
    assert "LI-2026-000001, Ward 7: refused" in message.get_body(("plain",)).get_content()
    assert due_counts(services).deliveries_due == 0


@pytest.mark.parametrize("why", ["not critical", "acknowledged", "nobody to tell"])
def test_nobody_is_told_of(services, ward, outbox, clock, why):
    panel_id = refused(services, ward, outbox, "L" if why == "not critical" else "LL")
    if why == "acknowledged":
        journey.acknowledge(
            services, ward, panel_id, told="Ward sister", how="by telephone", read_back=True
        )
    clock.move(LATE_AFTER + timedelta(minutes=1))
    used = with_policy(services, operator_mail="") if why == "nobody to tell" else services
    assert due_counts(used).deliveries_due == 0
    journey.deliver_due(used, "w", 10)
    assert told(outbox) == []
