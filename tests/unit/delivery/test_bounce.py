"""What comes back to the mailbox: only a notice of one of our own mails says anything."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labinterp.delivery.bounce import LARGEST, ReturnAddress, envelope_id, read

NOTICES = Path(__file__).parent / "bounces"
ID = "06h0pi4eg1qah40r6itdvgv8ek"
OTHER = "16h0pi4eg1qah40r6itdvgv8ek"
RETURNS = ReturnAddress("bounces@trust.example", b"the secret of these tests")


def a_mail(delivery_id=ID):
    message = EmailMessage()
    message["Message-ID"] = f"<{delivery_id}@trust.example>"
    return message


def notice(name, delivery_id=ID, *, verp=None):
    text = (NOTICES / f"{name}.eml").read_text("utf-8").replace("{ID}", delivery_id)
    return text.replace("{VERP}", verp or RETURNS.of(a_mail(delivery_id))).encode()


@pytest.mark.parametrize(
    ("name", "kind", "answer"),
    [
        (
            "postfix-unknown-user",
            "failed",
            "550 5.1.1 <nobody@clinic.example>: Recipient address rejected: User unknown",
        ),
        ("exchange-mailbox-full", "failed", "554 5.2.2 mailbox full"),
        ("gave-up-after-days", "failed", "4.4.7 delivery time expired"),
        ("sendmail-delayed", "delayed", "4.4.1"),
    ],
)
def test_a_notice_says_what_became_of_its_delivery(name, kind, answer):
    found = read(notice(name), RETURNS)
    assert (found.kind, found.deliveries, found.answer) == (kind, (ID,), answer)


@pytest.mark.parametrize("name", ["delivered", "out-of-office", "disposition", "forwarded-notice"])
def test_what_is_no_notice_of_failure_says_nothing(name):
    assert read(notice(name), RETURNS).kind == "other"


def test_without_return_addresses_the_message_id_in_what_came_back_is_enough():
    assert read(notice("postfix-unknown-user")).deliveries == (ID,)


def test_a_notice_that_returns_nothing_is_known_by_what_it_replies_to():
    content = notice("exchange-mailbox-full").replace(b"text/rfc822-headers", b"text/x-nothing")
    assert read(content).deliveries == (ID,)


def test_the_return_address_alone_is_enough_too():
    content = notice("postfix-unknown-user").replace(f"<{ID}@trust.example>".encode(), b"<x@y>")
    assert read(content, RETURNS).deliveries == (ID,)
    assert read(content).deliveries == ()


def test_a_return_address_that_nobody_here_made_names_nothing():
    forged = f"bounces+{OTHER}-0123456789abcdef@trust.example"
    assert OTHER not in read(notice("postfix-unknown-user", verp=forged), RETURNS).deliveries
    elsewhere = ReturnAddress("bounces@trust.example", b"another secret").of(a_mail(OTHER))
    assert RETURNS.delivery_in(elsewhere) is None


def test_a_return_address_is_one_that_mail_servers_take():
    address = RETURNS.of(a_mail())
    local, _, domain = address.partition("@")
    assert len(local) <= 64
    assert domain == "trust.example"
    assert RETURNS.delivery_in(address.upper()) == ID


def test_a_mail_that_is_no_deliverys_has_the_plain_address():
    other = EmailMessage()
    other["Message-ID"] = "<alarm-1@trust.example>"
    assert RETURNS.of(other) == "bounces@trust.example"
    assert envelope_id(other) == ""
    assert envelope_id(a_mail()) == ID


def test_what_a_server_said_becomes_one_short_line():
    long = "550 no\x1b[31m " + "x" * 4000
    content = notice("gave-up-after-days").replace(b"delivery time expired", long.encode())
    answer = read(content).answer
    assert len(answer) <= 200
    assert answer.isprintable()


def test_a_mail_that_is_too_long_is_not_read():
    assert read(notice("postfix-unknown-user") + b"x" * LARGEST).kind == "other"


def test_deep_nesting_is_no_way_in():
    layers = 3000
    head = b"".join(
        b'Content-Type: multipart/report; boundary="%d"\n\n--%d\n' % (n, n) for n in range(layers)
    )
    assert read(head, RETURNS).kind == "other"


@given(st.binary(max_size=2000))
def test_no_bytes_make_it_raise(content):
    assert read(content, RETURNS).kind in ("failed", "delayed", "other")


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=40))
def test_no_damage_to_a_notice_makes_it_raise(place, damage):
    content = bytearray(notice("postfix-unknown-user"))
    content[place : place + len(damage)] = damage
    assert read(bytes(content), RETURNS).kind in ("failed", "delayed", "other")
