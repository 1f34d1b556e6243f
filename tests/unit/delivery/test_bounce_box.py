"""The mailbox of notices: each mail is read once, marked after it was written down, never deleted."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from labinterp.delivery import bounce_box
from labinterp.delivery.bounce import LARGEST
from labinterp.delivery.bounce_box import ImapBox, MaildirBox, PopBox
from labinterp.errors import TemporaryFailure


@pytest.fixture
def maildir(tmp_path):
    folder = tmp_path / "Maildir"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    return folder


def test_unread_mails_are_read_in_their_order_and_moved(maildir):
    for name in ("2.host", "1.host"):
        (maildir / "new" / name).write_bytes(name.encode())
    assert list(MaildirBox(maildir).unread(10)) == [b"1.host", b"2.host"]
    assert sorted(path.name for path in (maildir / "cur").iterdir()) == ["1.host:2,S", "2.host:2,S"]
    assert list(MaildirBox(maildir).unread(10)) == []


def test_a_mail_stays_unread_until_it_was_written_down(maildir):
    (maildir / "new" / "1.host").write_bytes(b"one")
    box = MaildirBox(maildir)
    reading = box.unread(10)
    assert next(reading) == b"one"
    reading.close()  # as when the database went away
    assert list(box.unread(10)) == [b"one"]


def test_at_most_so_many_are_read_at_once(maildir):
    for number in range(5):
        (maildir / "new" / f"{number}.host").write_bytes(b"x")
    assert len(list(MaildirBox(maildir).unread(2))) == 2
    assert len(list(MaildirBox(maildir).unread(9))) == 3


def test_a_mail_of_any_length_is_not_loaded(maildir):
    with (maildir / "new" / "1.host").open("wb") as file:
        file.truncate(LARGEST + 1)
    assert list(MaildirBox(maildir).unread(10)) == [b""]


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(TemporaryFailure):
        list(MaildirBox(tmp_path / "nowhere").unread(10))


# ---- IMAP, over a real socket


class ImapServer:
    """Speaks as much IMAP4rev1 as a reader of notices needs; keeps flags and what it heard."""

    def __init__(self, *mails):
        self.mails = {str(number): mail for number, mail in enumerate(mails, 1)}
        self.seen, self.heard = set(), []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self):
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                with line, line.makefile("rwb") as stream, suppress(OSError, ValueError):
                    self._converse(stream)

    def _converse(self, stream):
        def say(*lines):
            for line in lines:
                stream.write((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
            stream.flush()

        say("* OK [CAPABILITY IMAP4rev1] test")
        for raw in stream:
            tag, _, rest = raw.decode().strip().partition(" ")
            self.heard.append(rest)
            refused = self._refuses(rest)
            say(*([] if refused else self._said(rest)), f"{tag} {'NO' if refused else 'OK'} done")

    def _refuses(self, rest):
        return (rest.startswith("LOGIN") and "right" not in rest) or (
            rest.startswith("SELECT") and "INBOX" not in rest
        )

    def _said(self, rest):
        name = rest.split()[2] if rest.count(" ") > 1 else ""
        if rest.startswith("CAPABILITY"):
            return ["* CAPABILITY IMAP4rev1"]
        if rest.startswith("SELECT"):
            return [f"* {len(self.mails)} EXISTS"]
        if rest.startswith("UID SEARCH"):
            return ["* SEARCH " + " ".join(one for one in self.mails if one not in self.seen)]
        if rest.startswith("UID FETCH"):
            body = self.mails[name][: LARGEST + 1]
            head = f"* {name} FETCH (UID {name} BODY[]<0> {{{len(body)}}}\r\n"
            return [head.encode() + body + b")"]
        if rest.startswith("UID STORE"):
            self.seen.add(name)
        return ["* BYE"] if rest.startswith("LOGOUT") else []


@pytest.fixture
def serving():
    started = []

    def start(*mails):
        started.append(ImapServer(*mails))
        return started[-1]

    yield start
    for server in started:
        server.close()


def a_box(server, **more):
    given = {"user": "bounces", "password": "right", "security": "none", "timeout": 5.0, **more}
    return ImapBox("127.0.0.1", server.port, given.pop("user"), given.pop("password"), **given)


def test_unread_mails_of_a_server_are_read_and_flagged(serving):
    server = serving(b"From: a\r\n\r\none", b"From: b\r\n\r\ntwo")
    assert list(a_box(server).unread(10)) == [b"From: a\r\n\r\none", b"From: b\r\n\r\ntwo"]
    assert server.seen == {"1", "2"}
    assert list(a_box(server).unread(10)) == []
    assert not [line for line in server.heard if "DELETE" in line.upper() or "EXPUNGE" in line]


def test_a_mail_of_a_server_stays_unread_until_it_was_written_down(serving):
    server = serving(b"one", b"two")
    reading = a_box(server).unread(10)
    assert next(reading) == b"one"
    reading.close()
    assert server.seen == set()


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"folder": "Elsewhere"}])
def test_a_server_that_does_not_let_us_in_is_asked_again_later(serving, wrong):
    with pytest.raises(TemporaryFailure) as failed:
        list(a_box(serving(b"one"), **wrong).unread(10))
    assert failed.value.code == "bounces-unreadable"


def test_a_server_that_is_away_is_asked_again_later():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    box = ImapBox("127.0.0.1", port, "bounces", "right", security="none", timeout=2.0)
    with pytest.raises(TemporaryFailure):
        list(box.unread(10))


def test_a_password_is_never_printed(serving):
    assert "right" not in repr(a_box(serving()))


# ---- POP, likewise


class PopServer(ImapServer):
    """Speaks as much POP3; deletes at the end of a conversation, as RFC 1939 has it."""

    def _converse(self, stream):
        def say(*lines):
            for line in lines:
                stream.write((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
            stream.flush()

        marked = set()
        say("+OK test")
        for raw in stream:
            word, _, rest = raw.decode().strip().partition(" ")
            self.heard.append(word)
            if word == "PASS" and rest != "right":
                say("-ERR no")
            elif word == "LIST":
                sizes = [f"{name} {len(mail)}" for name, mail in self.mails.items()]
                say("+OK", *sizes, ".")
            elif word == "RETR":
                say("+OK", self.mails[rest], ".")
            else:
                marked |= {rest} if word == "DELE" else set()
                say("+OK")
            if word == "QUIT":
                self.mails = {n: mail for n, mail in self.mails.items() if n not in marked}
                return


@pytest.fixture
def pop_server():
    server = PopServer(b"From: a\r\n\r\none", b"From: b\r\n\r\ntwo")
    yield server
    server.close()


def a_pop_box(server, password="right"):  # noqa: S107 - of a server of ours
    return PopBox("127.0.0.1", server.port, "bounces", password, security="none", timeout=5.0)


def test_mails_of_a_pop_server_are_read_once_and_then_gone(pop_server):
    assert [mail[-3:] for mail in a_pop_box(pop_server).unread(1)] == [b"one"]
    assert [mail[-3:] for mail in a_pop_box(pop_server).unread(9)] == [b"two"]
    assert list(a_pop_box(pop_server).unread(9)) == []


def test_a_mail_stays_on_a_pop_server_until_it_was_written_down(pop_server):
    reading = a_pop_box(pop_server).unread(9)
    assert next(reading).endswith(b"one")
    reading.close()  # as when the database went away
    assert len(list(a_pop_box(pop_server).unread(9))) == 2


def test_a_pop_server_that_lets_nobody_in_is_said(pop_server):
    with pytest.raises(TemporaryFailure):
        list(a_pop_box(pop_server, "wrong").unread(9))


def test_a_mail_with_a_long_line_holds_up_none_behind_it(pop_server):
    pop_server.mails = {"1": b"From: a\r\n\r\n" + b"x" * 100_000, "2": b"From: b\r\n\r\ntwo"}
    long, other = a_pop_box(pop_server).unread(9)
    assert long.endswith(b"x" * 100_000)
    assert other.endswith(b"two")
    assert list(a_pop_box(pop_server).unread(9)) == []


def test_a_server_that_never_ends_its_answer_is_left(pop_server, serving, monkeypatch):
    monkeypatch.setattr(bounce_box, "_MOST_SENT", 1000)
    monkeypatch.setattr(bounce_box._Lines, "_room", 1000)
    pop_server.mails = {"1": b"line\r\n" * 1000}
    server = serving(b"x" * 1001)
    for box in (a_pop_box(pop_server), a_box(server)):
        with pytest.raises(TemporaryFailure):
            list(box.unread(9))
