"""What each answer of a mail server means; each told by a real socket."""

import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from labinterp.delivery.bounce import ReturnAddress
from labinterp.delivery.mailer import SmtpMailer
from labinterp.delivery.message import Notice, build
from labinterp.errors import SettingsError

TO = "clinician@example.org"
MESSAGE = build(
    Notice(
        recipient=TO,
        sender="Laboratory <reports@example.com>",
        number="LI-2026-000123",
        version=1,
        organisation="Demo",
        link="http://127.0.0.1:8000/m/abc",
        message_id="<d-1@example.com>",
        made_at=datetime(2026, 1, 2, 8, 0, tzinfo=UTC),
    )
)
CLOSE, HANG, DRIP = "CLOSE", "HANG", "DRIP"


class Server:
    """Answers each command from a script; keeps what it heard."""

    def __init__(self, **replies):
        self.replies = {
            "GREETING": "220 test",
            "EHLO": "250-test\r\n250 8BITMIME",
            "MAIL": "250 ok",
            "RCPT": "250 ok",
            "DATA": "354 go on",
            "END": "250 2.0.0 kept as 7",
            "QUIT": "221 bye",
            **replies,
        }
        self.heard = []
        self.body = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.over = threading.Event()
        self._thread.start()

    def _serve(self):
        with suppress(OSError):
            self._converse()

    def _converse(self):
        line, _ = self._listener.accept()
        with line, line.makefile("rb") as lines:
            if not self._answer(line, "GREETING"):
                return
            for raw in lines:
                verb, _, rest = raw.decode(errors="replace").strip().partition(" ")
                verb = verb.upper()
                self.heard.append(f"{verb} {rest}".strip())
                if not self._answer(line, verb):
                    return
                if verb == "DATA" and self.replies["DATA"].startswith("354"):
                    for data in lines:
                        if data == b".\r\n":
                            break
                        self.body += data
                    if not self._answer(line, "END"):
                        return

    def _answer(self, line, verb):
        reply = self.replies.get(verb, "502 what?")
        if reply == CLOSE:
            return False
        if reply == HANG:
            self.over.wait(20)
            return False
        if reply == DRIP:
            for _ in range(100):
                try:
                    line.sendall(b"2")
                except OSError:
                    return False
                if self.over.wait(0.1):
                    return False
        line.sendall(reply.encode() + b"\r\n")
        return True

    def close(self):
        self.over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def send():
    servers = []

    def attempt(to=TO, mailer=None, **replies):
        server = Server(**replies)
        servers.append(server)
        settings = {
            "security": "none",
            "step_timeout": 0.5,
            "answer_timeout": 0.5,
            "total_timeout": 1.5,
            "local_name": "test.example.com",
            **(mailer or {}),
        }
        return SmtpMailer("127.0.0.1", server.port, **settings).send(MESSAGE, to), server

    yield attempt
    for server in servers:
        server.close()


def test_an_answer_of_250_after_the_data_is_sent(send):
    outcome, server = send()
    assert outcome.kind == "sent"
    assert outcome.answer == "250 2.0.0 kept as 7"
    assert b"Subject: A report is ready (LI-2026-000123)" in server.body
    assert [line for line in server.heard if line.startswith("RCPT")] == [f"RCPT TO:<{TO}>"]


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        pytest.param({"GREETING": "421 busy"}, "deferred", id="busy at the greeting"),
        pytest.param({"GREETING": "554 not you"}, "operator", id="turned away at the greeting"),
        pytest.param({"GREETING": CLOSE}, "deferred", id="line closed at once"),
        pytest.param({"GREETING": HANG}, "deferred", id="silence at once"),
        pytest.param({"GREETING": "hello there"}, "deferred", id="no mail server at all"),
        pytest.param({"EHLO": HANG}, "deferred", id="silence after EHLO"),
        pytest.param({"EHLO": "421 later", "HELO": "421 later"}, "deferred", id="EHLO put off"),
        pytest.param({"EHLO": "550 no", "HELO": "550 no"}, "operator", id="EHLO refused"),
        pytest.param({"MAIL": "451 later"}, "deferred", id="sender put off"),
        pytest.param({"MAIL": "553 not your address"}, "operator", id="sender refused"),
        pytest.param({"MAIL": "530 sign in first"}, "operator", id="sign-in wanted"),
        pytest.param({"RCPT": "450 greylisted"}, "deferred", id="recipient put off"),
        pytest.param({"RCPT": "550 5.1.1 no such user"}, "refused", id="recipient unknown"),
        pytest.param({"RCPT": "530 sign in first"}, "operator", id="sign-in wanted at RCPT"),
        pytest.param({"RCPT": CLOSE}, "deferred", id="line lost at RCPT"),
        pytest.param({"RCPT": "251 will forward"}, "sent", id="recipient forwarded"),
        pytest.param({"DATA": "451 later"}, "deferred", id="data put off"),
        pytest.param({"DATA": "554 policy"}, "operator", id="data refused beforehand"),
        pytest.param({"DATA": CLOSE}, "deferred", id="line lost before the data"),
        pytest.param({"END": "452 disk full"}, "deferred", id="message put off"),
        pytest.param({"END": "554 looks like spam"}, "refused", id="message refused"),
        pytest.param({"END": CLOSE}, "unknown", id="line lost after the data"),
        pytest.param({"END": HANG}, "unknown", id="silence after the data"),
        pytest.param({"END": "what now"}, "unknown", id="nonsense after the data"),
        pytest.param({"END": "2" * 10000}, "unknown", id="an endless line after the data"),
        pytest.param({"END": "354 more"}, "unknown", id="a reply that settles nothing"),
        pytest.param({"QUIT": CLOSE}, "sent", id="line lost at the goodbye"),
        pytest.param({"QUIT": HANG}, "sent", id="silence at the goodbye"),
    ],
)
def test_each_answer_has_its_outcome(send, replies, kind):
    outcome, _ = send(**replies)
    assert outcome.kind == kind


def test_a_server_that_answers_byte_by_byte_is_cut_off(send):
    began = time.monotonic()
    outcome, _ = send(MAIL=DRIP)
    assert outcome.kind == "deferred"
    assert time.monotonic() - began < 6


def test_a_server_that_drips_after_the_data_leaves_it_unknown(send):
    outcome, _ = send(END=DRIP)
    assert outcome.kind == "unknown"


def test_no_server_at_all_is_deferred():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    outcome = SmtpMailer("127.0.0.1", port, security="none", step_timeout=0.5).send(MESSAGE, TO)
    assert outcome.kind == "deferred"


def test_a_host_that_does_not_exist_is_deferred():
    outcome = SmtpMailer("no-such-host.invalid", 25, security="none").send(MESSAGE, TO)
    assert outcome.kind == "deferred"


def test_without_starttls_nothing_is_sent_in_the_clear(send):
    outcome, server = send(mailer={"security": "starttls"})
    assert outcome.kind == "operator"
    assert not any(line.startswith(("MAIL", "AUTH")) for line in server.heard)


def test_starttls_that_is_refused_is_not_given_up(send):
    offered = {"EHLO": "250-test\r\n250 STARTTLS", "STARTTLS": "454 not now"}
    outcome, server = send(mailer={"security": "starttls"}, **offered)
    assert outcome.kind == "deferred"
    assert not any(line.startswith("MAIL") for line in server.heard)


def test_a_plain_server_where_tls_is_expected_gets_no_mail(send):
    outcome, server = send(mailer={"security": "tls"})
    assert outcome.kind in ("operator", "deferred")
    assert server.body == b""


def test_a_password_never_goes_over_a_plain_line():
    with pytest.raises(SettingsError, match="SMTP_PASSWORD"):
        SmtpMailer("127.0.0.1", 25, security="none", user="a", password="b")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b\r\nRCPT TO:<c@d>",
        "a b@example.org",
        "<a@example.org>",
        "a@exa\x00mple.org",
    ],
)
def test_an_address_that_smtp_cannot_write_is_refused_unasked(send, address):
    outcome, server = send(to=address)
    assert outcome.kind == "refused"
    assert server.heard == []


def test_an_international_domain_is_written_in_ascii(send):
    outcome, server = send(to="a@bücher.example")
    assert outcome.kind == "sent"
    assert "RCPT TO:<a@xn--bcher-kva.example>" in server.heard


def test_an_international_mailbox_needs_a_server_that_can_write_to_it(send):
    outcome, _ = send(to="jürgen@example.org")
    assert outcome.kind == "refused"
    able, server = send(to="jürgen@example.org", EHLO="250-test\r\n250-8BITMIME\r\n250 SMTPUTF8")
    assert able.kind == "sent"
    assert "RCPT TO:<jürgen@example.org>" in server.heard


def test_an_answer_is_kept_on_one_short_line(send):
    outcome, _ = send(RCPT="550-no\r\n550-\x1b[31m such\r\n550 " + "u" * 500)
    assert outcome.kind == "refused"
    assert len(outcome.answer) <= 210
    assert outcome.answer.isprintable()


def test_a_claim_that_was_lost_stops_the_mail_before_its_data():
    server = Server()
    mailer = SmtpMailer("127.0.0.1", server.port, security="none", local_name="test.example.com")
    outcome = mailer.send(MESSAGE, TO, still_ours=lambda: False)
    server.close()
    assert outcome.kind == "deferred"
    assert "DATA" not in server.heard


def test_undelivered_mail_comes_back_to_an_address_made_for_its_delivery():
    delivery = "06h0pi4eg1qah40r6itdvgv8ek"
    message = build(
        Notice(
            recipient=TO,
            sender="Laboratory <reports@example.com>",
            number="LI-2026-000123",
            version=1,
            organisation="Demo",
            link="http://127.0.0.1:8000/m/abc",
            message_id=f"<{delivery}@example.com>",
            made_at=datetime(2026, 1, 2, 8, 0, tzinfo=UTC),
        )
    )
    server = Server(EHLO="250-test\r\n250 DSN")
    returns = ReturnAddress("bounces@example.com", b"the secret of these tests")
    mailer = SmtpMailer("127.0.0.1", server.port, security="none", returns=returns)
    outcome = mailer.send(message, TO)
    server.close()
    assert outcome.kind == "sent"
    (said,) = (line for line in server.heard if line.startswith("MAIL"))
    assert said.lower() == f"mail from:<{returns.of(message)}> ret=hdrs envid={delivery}"
    assert b"From: Laboratory <reports@example.com>" in server.body


def test_a_server_that_knows_no_notices_is_asked_for_none():
    server = Server()
    outcome = SmtpMailer("127.0.0.1", server.port, security="none").send(MESSAGE, TO)
    server.close()
    assert outcome.kind == "sent"
    (said,) = (line for line in server.heard if line.startswith("MAIL"))
    assert said.lower() == "mail from:<reports@example.com>"
