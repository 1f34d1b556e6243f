"""An administrator finds a message, sees what is wrong with it, and has it read again."""

import re

import pytest

from labinterp.access import SYSTEM, Actor
from labinterp.usecases import administer, messages, senders
from tests.unit.web.browsing import PASSWORD, Person, said

MESSAGE = (
    b"MSH|^~\\&|LIS|SOUTHLAB|US|HERE|20260304113200||ORU^R01|SL-1|P|2.5.1\r"
    b"PID|1||TEST-2^^^LAB^MR||Doe^<b>Jane</b>||19790614|F\r"
    b"OBR|1||A-1|CHEM|||20260304081000||||||||||||||||||F\r"
    b"OBX|1|NM|MAG^Sera M level^L||0.52|MMOLL|0.70-1.00|L|||F\r"
    b"OBX|2|NM|2823-3^Potassium^LN||4.1|mmol/L|3.5-5.1||||F\r"
)
SETTINGS = {"codes": {"MAG": "magnesium"}, "units": {"MMOLL": "mmol/L"}}


@pytest.fixture
def acting(organisation):
    return Actor(organisation.id, organisation.name, "system", SYSTEM, "t", frozenset(("admin",)))


@pytest.fixture
def chief(app, services, organisation):
    administer.create_user(
        services,
        organisation.id,
        email="chief@example.org",
        name="Chief Example",
        scopes=("admin",),
        password=PASSWORD,
    )
    person = Person(app.test_client())
    person.sign_in("chief@example.org")
    return person


def test_a_message_is_found_looked_at_tried_and_read_again(chief, person, services, acting):
    messages.take(services, MESSAGE, lambda _: acting, door="http")
    assert "/administration/messages" in chief.get("/administration")
    page = chief.get("/administration/messages?sender=SOUTHLAB&status=AA")
    assert "No message fits." in said(chief.get("/administration/messages?sender=NORTHLAB"))
    address = re.search(r"/administration/messages/\w+", page)[0]
    person.get("/administration/messages", 404)
    person.get(address, 404)
    looked = chief.get(address)
    assert "Observation Identifier" in looked
    assert "<b>Jane" not in looked
    assert "OBX[1]" in said(looked)
    senders.create_sender(
        services, acting, name="South", application="LIS", facility="SOUTHLAB", settings=SETTINGS
    )
    tried = chief.send(looked, "/replay", {}, 200)
    assert "The panel would get a next version" in said(tried)
    assert "magnesium: 0.52 mmol/L, low, flag L" in said(tried)
    assert chief.send(tried, "/replay", {"for-good": "1"}) == address
    assert "The message was read again; 1 panel was changed." in said(chief.get(address))
    again = chief.send(chief.get(address), "/replay", {}, 200)
    assert "The panel stays as it is" in said(again)
