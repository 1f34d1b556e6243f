"""A report read by a mail's link and a mailed code: by its recipient, once, for a while."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from labinterp.delivery.mailer import SendOutcome
from labinterp.errors import NotFound, SubmissionError
from labinterp.usecases import journey, link_codes
from labinterp.usecases.due import due_counts
from tests.unit.usecases.conftest import a_panel, with_policy


@pytest.fixture
def services(sqlite_services):
    return sqlite_services


@pytest.fixture
def token(services, ward, outbox):
    """Of the link in the one mail that was sent."""
    journey.take(services, ward, a_panel(email=("a@example.org",)))
    journey.draw_due(services, "w", 10)
    journey.deliver_due(services, "w", 10)
    return text_of(outbox.sent[0]).split("/r/")[1].split()[0]


def text_of(sent):
    return sent[0].get_body(("plain",)).get_content()


def mailed(services, outbox):
    journey.deliver_due(services, "w", 10)
    return re.search(r"Your code: (\d{6})\b", text_of(outbox.sent[-1]))[1]


def wrong(code):
    return f"{(int(code) + 1) % 10**6:06}"


@pytest.mark.hazard("stranger-reads")
def test_the_code_goes_to_the_address_of_the_link_and_says_nothing_else(services, token, outbox):
    link_codes.ask_code(services, token)
    assert due_counts(services).deliveries_due == 1
    code = mailed(services, outbox)
    message, recipient = outbox.sent[-1]
    assert recipient == "a@example.org"
    whole = message.as_string()
    for private in ("Potassium", "MRN-1", "/r/", token):
        assert private not in whole
    assert code not in message["Subject"]
    assert code not in message["Message-ID"]
    assert due_counts(services).deliveries_due == 0


def test_the_right_code_opens_that_one_document_and_is_used_up(services, token, outbox):
    link_codes.ask_code(services, token)
    code = mailed(services, outbox)
    opened = link_codes.open_by_code(services, token, f" {code[:3]} {code[3:]} ")
    found = link_codes.linked_report(services, opened.delivery_id, token)
    assert found.pdf
    assert found.number.startswith("LI-")
    with pytest.raises(SubmissionError):
        link_codes.open_by_code(services, token, code)
    with pytest.raises(NotFound):
        link_codes.linked_report(services, "another", token)


@pytest.mark.hazard("stranger-reads")
def test_a_code_ends_after_five_tries_and_after_a_quarter_of_an_hour(
    services, token, outbox, clock
):
    link_codes.ask_code(services, token)
    code = mailed(services, outbox)
    for _ in range(link_codes.TRIES):
        with pytest.raises(SubmissionError):
            link_codes.open_by_code(services, token, wrong(code))
    with pytest.raises(SubmissionError):
        link_codes.open_by_code(services, token, code)
    clock.move(timedelta(minutes=2))
    link_codes.ask_code(services, token)
    late = mailed(services, outbox)
    clock.move(link_codes.LIFETIME + timedelta(seconds=1))
    with pytest.raises(SubmissionError):
        link_codes.open_by_code(services, token, late)


def test_codes_are_made_one_a_minute_and_not_for_ever(services, token, outbox, clock):
    for _ in range(3):
        link_codes.ask_code(services, token)
    journey.deliver_due(services, "w", 10)
    assert len(outbox.sent) == 2
    for _ in range(link_codes.CODES + 5):
        clock.move(timedelta(minutes=2))
        link_codes.ask_code(services, token)
        journey.deliver_due(services, "w", 10)
    assert len(outbox.sent) == 1 + link_codes.CODES


@pytest.mark.parametrize("of", ["nobody", "withdrawn", "over", "forbidden"])
def test_no_code_is_mailed_for_a_link_that_opens_nothing(  # noqa: PLR0917 - fixtures
    services, ward, token, outbox, clock, of
):
    used, presented = services, token
    if of == "nobody":
        presented = "x" * 43
    elif of == "withdrawn":
        (told,) = journey.all_deliveries(services, ward)
        journey.withdraw_link(services, ward, told.id)
    elif of == "over":
        clock.move(services.policy.link_lifetime + timedelta(days=1))
    else:
        used = with_policy(services, link_codes=False)
    link_codes.ask_code(used, presented)
    journey.deliver_due(used, "w", 10)
    assert len(outbox.sent) == 1


def test_a_code_that_no_server_takes_is_tried_again_and_one_that_is_refused_is_not(
    services, token, outbox
):
    outbox.answers = [SendOutcome("refused", "550 nobody here")]
    link_codes.ask_code(services, token)
    journey.deliver_due(services, "w", 10)
    assert len(outbox.sent) == 1
    assert due_counts(services).deliveries_due == 0
