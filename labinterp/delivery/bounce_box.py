"""The mailbox that notices come to: a Maildir on this machine, or one on an IMAP or a POP server.

A mail is marked as seen after what it says was written down, never deleted: a crash between the two
reads it again, and what it says is true twice. Whoever owns the mailbox empties it. POP knows no
mark: there a mail is deleted instead, so that mailbox must hold nothing else.
"""

from __future__ import annotations

import imaplib
import poplib
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

from labinterp.delivery.bounce import LARGEST
from labinterp.errors import TemporaryFailure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SEEN: Final = ":2,S"
_OK: Final = "OK"
Security = Literal["tls", "starttls", "none"]
_MOST_SENT: Final = 2 * LARGEST
"""In one answer of a server [bytes]: a mail with all that goes around it."""


class _Lines:
    """POP answers of lines of any length, but none without end.

    The library gives up at 2048 bytes a line: one such mail, which anybody can send, would keep
    all behind it from being read.
    """

    file: BinaryIO
    _room = _MOST_SENT

    def _putcmd(self, line: str) -> None:
        self._room = _MOST_SENT
        super()._putcmd(line)  # type: ignore[misc]  # the library's own, unknown to its types

    def _getline(self) -> tuple[bytes, int]:
        line = self.file.readline(self._room + 1)
        self._room -= len(line)
        if self._room < 0 or not line:
            raise poplib.error_proto("the answer has no end")
        return line.removesuffix(b"\n").removesuffix(b"\r"), len(line)


class _Pop(_Lines, poplib.POP3):
    """Without TLS, or before it begins."""


class _PopTls(_Lines, poplib.POP3_SSL):
    """With TLS from the first byte."""


class _Pieces:
    """IMAP answers whose pieces are no longer than was asked for."""

    def read(self, size: int) -> bytes:
        """As the library reads a piece, but for its length, which the server says."""
        if size > _MOST_SENT:
            raise imaplib.IMAP4.abort("the answer is too long")
        found: bytes = super().read(size)  # type: ignore[misc]  # of the class that it stands before
        return found


class _Imap(_Pieces, imaplib.IMAP4):
    """Without TLS, or before it begins."""


class _ImapTls(_Pieces, imaplib.IMAP4_SSL):
    """With TLS from the first byte."""


@dataclass(frozen=True, slots=True)
class MaildirBox:
    """A Maildir: mails in `new/` are unread, and move to `cur/` when they were."""

    folder: Path

    def unread(self, most: int) -> Iterator[bytes]:
        """Unread mails, oldest name first; each is marked when the next one is asked for.

        Raises:
            TemporaryFailure: the folder cannot be read.
        """
        new, cur = self.folder / "new", self.folder / "cur"
        try:
            paths = sorted(path for path in new.iterdir() if path.is_file())
            cur.mkdir(exist_ok=True)
        except OSError as error:
            raise TemporaryFailure(
                "The folder of bounces cannot be read.", code="bounces-unreadable"
            ) from error
        for path in paths[:most]:
            with suppress(OSError):  # another reader was faster
                yield path.read_bytes() if path.stat().st_size <= LARGEST else b""
                path.rename(cur / f"{path.name.partition(':')[0]}{_SEEN}")


@dataclass(frozen=True, slots=True)
class ImapBox:
    """A folder on an IMAP server; mails without the flag Seen are unread."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    security: Security = "tls"
    timeout: float = 30.0
    tls: ssl.SSLContext | None = None

    def unread(self, most: int) -> Iterator[bytes]:
        """Unread mails, oldest first; each is marked when the next one is asked for.

        Raises:
            TemporaryFailure: the server cannot be had, or does not let us in.
        """
        with self._signed_in() as server:
            for name in _found(server.uid("SEARCH", "UNSEEN"))[:most]:
                yield self._content(server, name)
                server.uid("STORE", name, "+FLAGS.SILENT", "(\\Seen)")

    def _content(self, server: imaplib.IMAP4, name: str) -> bytes:
        """At most so much as a notice may have; PEEK leaves the flag alone."""
        _, answer = server.uid("FETCH", name, f"(BODY.PEEK[]<0.{LARGEST + 1}>)")
        content = next((part[1] for part in answer or () if isinstance(part, tuple)), b"")
        return content if len(content) <= LARGEST else b""

    @contextmanager
    def _signed_in(self) -> Iterator[imaplib.IMAP4]:
        try:
            server = self._connected()
            try:
                server.login(self.user, self.password)
                answer, _ = server.select(self.folder)
                if answer != _OK:
                    raise TemporaryFailure(
                        "The IMAP server has no such folder.", code="bounces-unreadable"
                    )
                yield server
            finally:
                with suppress(OSError, imaplib.IMAP4.error):
                    server.logout()
                with suppress(OSError):  # closed already
                    server.shutdown()
        except (OSError, imaplib.IMAP4.error) as error:
            raise TemporaryFailure(
                "The mailbox of bounces cannot be read.", code="bounces-unreadable"
            ) from error

    def _connected(self) -> imaplib.IMAP4:
        context = self.tls or ssl.create_default_context()
        if self.security == "tls":
            return _ImapTls(self.host, self.port, ssl_context=context, timeout=self.timeout)
        server = _Imap(self.host, self.port, timeout=self.timeout)
        if self.security == "starttls":
            server.starttls(context)
        return server


@dataclass(frozen=True, slots=True)
class PopBox:
    """A mailbox on a POP3 server; every mail in it is unread, and is deleted once it was read."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    security: Security = "tls"
    timeout: float = 30.0
    tls: ssl.SSLContext | None = None

    def unread(self, most: int) -> Iterator[bytes]:
        """Mails in their order; each is marked for deletion when the next one is asked for.

        The server deletes them at the end of the conversation; one that breaks deletes nothing.

        Raises:
            TemporaryFailure: the server cannot be had, or does not let us in.
        """
        try:
            server = self._connected()
            try:
                server.user(self.user)
                server.pass_(self.password)
                for line in server.list()[1][:most]:
                    number, size = (int(word) for word in line.split()[:2])
                    yield b"" if size > LARGEST else b"\r\n".join(server.retr(number)[1])
                    server.dele(number)
            finally:
                with suppress(OSError, poplib.error_proto):
                    server.quit()
                server.close()  # what a server that is out of step keeps open
        except (OSError, poplib.error_proto, ValueError) as error:
            raise TemporaryFailure(
                "The mailbox of bounces cannot be read.", code="bounces-unreadable"
            ) from error

    def _connected(self) -> poplib.POP3:
        context = self.tls or ssl.create_default_context()
        if self.security == "tls":
            return _PopTls(self.host, self.port, timeout=self.timeout, context=context)
        server = _Pop(self.host, self.port, timeout=self.timeout)
        if self.security == "starttls":
            server.stls(context)
        return server


def _found(answer: tuple[str, list[bytes | None]]) -> list[str]:
    """The ids of a search."""
    said = answer[1][0] if answer[1] else None
    return said.decode("ascii", "replace").split() if said else []
