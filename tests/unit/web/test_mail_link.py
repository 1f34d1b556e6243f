"""A mail's link in the browser of somebody who has no account."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from labinterp.usecases import journey
from labinterp.usecases.link_codes import LIFETIME
from tests.conftest import Outbox
from tests.unit.web.browsing import Person, said


@pytest.fixture
def outbox():
    return Outbox()


@pytest.fixture
def deliver(services, outbox):
    return lambda: journey.deliver_due(replace(services, mailer=outbox), "test", 10)


@pytest.fixture
def link(person, draw, deliver, outbox):
    back = person.send(person.get(person.enter()), "/send", {"email": "reader@clinic.example"}, 200)
    person.send(back, "/send", {"confirmed": "1"})
    draw()
    deliver()
    return re.search(r"/r/[\w-]+", text_of(outbox))[0]


@pytest.fixture
def reader(app):
    return Person(app.test_client())


def text_of(outbox):
    return outbox.sent[-1][0].get_body(("plain",)).get_content()


def code_for(reader, link, deliver, outbox):
    asked = reader.send(reader.get(link), "/code", {}, 200)
    deliver()
    return asked, re.search(r"Your code: (\d{6})", text_of(outbox))[1]


@pytest.mark.hazard("stranger-reads")
def test_a_reader_without_an_account_reads_that_one_report_with_a_mailed_code(
    reader, link, deliver, outbox
):
    assert reader.client.get(f"{link}/report").status_code == 303
    asked, code = code_for(reader, link, deliver, outbox)
    assert outbox.sent[-1][1] == "reader@clinic.example"
    assert "reader@clinic.example" not in asked
    led = reader.send(asked, link, {"code": code})
    assert led.endswith(f"{link}/report")
    page = reader.get(f"{link}/report")
    assert "Report LI-2026-000001" in said(page)
    assert "MRN-1" not in page
    document = reader.client.get(f"{link}/report?pdf=1")
    assert document.data.startswith(b"%PDF")
    assert document.headers["Cache-Control"] == "no-store"
    assert reader.client.get("/panels").headers["Location"].endswith("/login")


def test_a_wrong_code_says_so_beside_its_field(reader, link, deliver, outbox):
    asked, code = code_for(reader, link, deliver, outbox)
    page = reader.send(asked, link, {"code": code[::-1] if code != code[::-1] else "x"}, 422)
    assert "This code is not right" in said(page)
    assert "<title>Error: " in page
    assert 'id="code-error"' in page


@pytest.mark.hazard("stranger-reads")
def test_a_link_that_is_none_reads_like_one_that_is(reader, link):
    real, none = (reader.get(path) for path in (link, "/r/" + "x" * 43))
    assert said(real) == said(none)
    asked = [said(reader.send(page, "/code", {}, 200)) for page in (real, none)]
    assert asked[0] == asked[1]


def test_what_a_code_opened_ends_by_itself_and_with_the_link(  # noqa: PLR0917 - fixtures
    reader, person, link, deliver, outbox, clock
):
    asked, code = code_for(reader, link, deliver, outbox)
    reader.send(asked, link, {"code": code})
    page = person.get("/deliveries")
    person.send(page, "/withdraw", {})
    assert reader.client.get(f"{link}/report").status_code == 404
    clock.move(LIFETIME + timedelta(seconds=1))
    assert reader.client.get(f"{link}/report").status_code == 303


def test_where_codes_are_forbidden_the_link_asks_to_sign_in(services, stranger):
    object.__setattr__(services.policy, "link_codes", False)  # frozen for everyone else
    assert stranger.client.get("/r/" + "x" * 43).headers["Location"].endswith("/login")
