"""One conversation with a mail server for one recipient, and what came of it.

| what happened | outcome |
|---|---|
| 250 after the data | sent |
| 4xx, no connection, a time-out or a break before the data had ended | deferred |
| a break after the data had ended, before the answer | unknown: the mail may be there |
| 5xx for the recipient or for this message | refused |
| 5xx for the conversation, no agreement on TLS or sign-in | operator: our settings are at fault |

TLS is verified and never given up for plain text. Each step has a time-out, and the conversation as
a whole has one, so that a server that answers one byte at a time cannot hold a worker.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.generator import BytesGenerator
from email.policy import SMTP, SMTPUTF8
from email.utils import parseaddr
from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal

from labinterp.delivery.bounce import envelope_id
from labinterp.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

    from labinterp.delivery.bounce import ReturnAddress

OutcomeKind = Literal["sent", "deferred", "refused", "operator", "unknown"]
Security = Literal["starttls", "tls", "none"]

_LONGEST_ANSWER: Final = 200
# Of the server's reply to the data: bytes a line, and lines.
_LONGEST_LINE: Final = 4096
_MOST_LINES: Final = 100
# Replies to RCPT that speak of us, not of the recipient: authentication or encryption is asked for.
_ABOUT_US: Final = frozenset({530, 534, 535, 538})
# Reply codes, and the meaning of their first digit (RFC 5321, 4.2.1; RFC 3207).
_READY_FOR_TLS: Final = 220
_DONE: Final = 250
_FORWARDED: Final = 251
_GO_AHEAD: Final = 354
_COMPLETED: Final = 2
_TRANSIENT: Final = 4
_PERMANENT: Final = 5


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What became of one attempt, and the server's own words, on one line."""

    kind: OutcomeKind
    answer: str


class _Ended(Exception):
    """How a step ends the conversation early, with its outcome."""

    def __init__(self, outcome: SendOutcome) -> None:
        super().__init__(outcome.kind)
        self.outcome = outcome


class SmtpMailer:
    """Hands messages to the operator's mail server."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        security: Security = "starttls",
        user: str = "",
        password: str = "",
        step_timeout: float = 15.0,
        answer_timeout: float = 60.0,
        total_timeout: float = 120.0,
        local_name: str | None = None,
        tls: ssl.SSLContext | None = None,
        returns: ReturnAddress | None = None,
    ) -> None:
        """Keep the settings; nothing is opened before `send`.

        Args:
            host: the mail server.
            port: its port.
            user: for the sign-in; empty for none.
            password: for the sign-in.
            security: `starttls` and `tls` with a verified certificate; `none` only for a relay on a
                trusted link.
            step_timeout: for connecting and each command [s].
            answer_timeout: for the answer to the data [s]; long, because giving up here leaves us
                not knowing.
            total_timeout: for the whole conversation [s].
            local_name: what we call ourselves in EHLO.
            tls: certificates to trust instead of the system's.
            returns: makes the envelope's sender, to which undelivered mail comes back; the mail's
                own sender if not given.

        Raises:
            SettingsError: a password would go over the line in the clear.
        """
        if security == "none" and (user or password):
            raise SettingsError(
                "SMTP_USER and SMTP_PASSWORD need SMTP_TLS starttls or tls: never sent in the clear"
            )
        self._host = host
        self._port = port
        self._security = security
        self._user = user
        self._password = password
        self._step_timeout = step_timeout
        self._answer_timeout = answer_timeout
        self._total_timeout = total_timeout
        self._local_name = local_name
        self._tls = tls or ssl.create_default_context()
        self._returns = returns

    def send(
        self,
        message: EmailMessage,
        recipient: str,
        *,
        still_ours: Callable[[], bool] = lambda: True,
    ) -> SendOutcome:
        """Try once to hand over one message. Never raises for what a server does.

        Args:
            message: complete, its Message-ID the delivery's.
            recipient: the one address it goes to.
            still_ours: asked at the last moment before the data; if it says no, nothing is sent
                (`deferred`).
        """
        try:
            envelope = _Envelope.of(message, recipient, self._returns)
        except ValueError:
            return SendOutcome("refused", "the address cannot be written in a mail envelope")
        try:
            with self._conversation() as server:
                self._secure(server)
                _greet(server)
                self._sign_in(server)
                _address(server, envelope)
                if not still_ours():
                    return SendOutcome("deferred", "withdrawn before the data")
                return self._hand_over(server, envelope)
        except _Ended as end:
            return end.outcome

    def reachable(self) -> SendOutcome:
        """Greet, secure and sign in without sending; `sent` stands for: it would be taken."""
        try:
            with self._conversation() as server:
                self._secure(server)
                _greet(server)
                self._sign_in(server)
                return SendOutcome("sent", "the mail server answers")
        except _Ended as end:
            return end.outcome

    @contextmanager
    def _conversation(self) -> Iterator[smtplib.SMTP]:
        server = self._connected()
        watch = threading.Timer(self._total_timeout, _cut, (server,))
        watch.daemon = True
        watch.start()
        try:
            yield server
        except smtplib.SMTPServerDisconnected as error:
            raise _Ended(SendOutcome("deferred", f"connection lost: {_one_line(error)}")) from error
        except ssl.SSLError as error:
            raise _Ended(_tls_failure(error)) from error
        except smtplib.SMTPResponseException as error:
            raise _Ended(_of_conversation(error.smtp_code, error.smtp_error)) from error
        except smtplib.SMTPException as error:
            raise _Ended(SendOutcome("operator", _one_line(error))) from error
        except OSError as error:
            raise _Ended(SendOutcome("deferred", f"connection lost: {_one_line(error)}")) from error
        finally:
            watch.cancel()
            _leave(server)

    def _connected(self) -> smtplib.SMTP:
        try:
            if self._security == "tls":
                return smtplib.SMTP_SSL(
                    self._host,
                    self._port,
                    local_hostname=self._local_name,
                    timeout=self._step_timeout,
                    context=self._tls,
                )
            return smtplib.SMTP(
                self._host, self._port, local_hostname=self._local_name, timeout=self._step_timeout
            )
        except smtplib.SMTPConnectError as error:
            raise _Ended(_of_conversation(error.smtp_code, error.smtp_error)) from error
        except ssl.SSLError as error:
            raise _Ended(_tls_failure(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise _Ended(SendOutcome("deferred", f"no connection: {_one_line(error)}")) from error

    def _secure(self, server: smtplib.SMTP) -> None:
        if self._security != "starttls":
            return
        _greet(server)
        if not server.has_extn("starttls"):
            raise _Ended(
                SendOutcome(
                    "operator", "the mail server offers no STARTTLS; nothing is sent in the clear"
                )
            )
        code, answer = server.starttls(context=self._tls)
        if code != _READY_FOR_TLS:
            raise _Ended(_of_conversation(code, answer))

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if not self._user:
            return
        try:
            server.login(self._user, self._password)
        except smtplib.SMTPNotSupportedError as error:
            raise _Ended(SendOutcome("operator", "the mail server offers no sign-in")) from error

    def _hand_over(self, server: smtplib.SMTP, envelope: _Envelope) -> SendOutcome:
        _expect(_GO_AHEAD, server.docmd("DATA"))
        server.send(envelope.data)
        # From here on the server may have the mail, whatever happens to the line.
        try:
            if server.sock is not None:
                server.sock.settimeout(self._answer_timeout)
            code, answer = _answer(server)
        except (OSError, ValueError) as error:
            return SendOutcome("unknown", f"no answer after the data: {_one_line(error)}")
        return _of_data(code, answer)


@dataclass(frozen=True, slots=True)
class _Envelope:
    sender: str
    recipient: str
    data: bytes
    needs_utf8: bool
    id: str

    @classmethod
    def of(cls, message: EmailMessage, recipient: str, returns: ReturnAddress | None) -> _Envelope:
        """The addresses as SMTP writes them, and the message as the bytes after DATA.

        Raises:
            ValueError: an address that SMTP cannot write.
        """
        own = parseaddr(str(message["From"]))[1]
        sender = _mailbox(returns.of(message) if returns else own)
        target = _mailbox(recipient)
        needs_utf8 = not (sender.isascii() and target.isascii())
        data = _dotted(_flattened(message, needs_utf8))
        return cls(sender, target, data, needs_utf8, envelope_id(message))


def _mailbox(address: str) -> str:
    """`local@domain` with an international domain in its ASCII form."""
    local, at, domain = address.rpartition("@")
    if not at or not local or any(mark.isspace() or not mark.isprintable() for mark in address):
        raise ValueError("not a mail address")
    if any(mark in address for mark in "<>"):
        raise ValueError("not a bare mail address")
    return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode('ascii')}"


def _flattened(message: EmailMessage, needs_utf8: bool) -> bytes:
    out = BytesIO()
    BytesGenerator(out, policy=SMTPUTF8 if needs_utf8 else SMTP).flatten(message, linesep="\r\n")
    return out.getvalue()


def _dotted(message: bytes) -> bytes:
    """The message with leading dots doubled and its end marked (RFC 5321, 4.5.2)."""
    lines = message.removesuffix(b"\r\n").split(b"\r\n")
    return (
        b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
        + b"\r\n.\r\n"
    )


def _greet(server: smtplib.SMTP) -> None:
    server.ehlo_or_helo_if_needed()


def _address(server: smtplib.SMTP, envelope: _Envelope) -> None:
    options = []
    if envelope.needs_utf8:
        if not server.has_extn("smtputf8"):
            raise _Ended(SendOutcome("refused", "the mail server cannot write to this address"))
        options = ["SMTPUTF8"]
        server.command_encoding = "utf-8"
    if envelope.id and server.has_extn("dsn"):  # RFC 3461: what comes back names the delivery
        options += ["RET=HDRS", f"ENVID={envelope.id}"]
    code, answer = server.mail(envelope.sender, options)
    if code != _DONE:
        raise _Ended(_of_conversation(code, answer))
    code, answer = server.rcpt(envelope.recipient)
    if code not in (_DONE, _FORWARDED):
        raise _Ended(_of_recipient(code, answer))


def _expect(wanted: int, reply: tuple[int, bytes]) -> None:
    code, answer = reply
    if code != wanted:
        raise _Ended(_of_conversation(code, answer))


def _is_permanent(code: int) -> bool:
    return code // 100 == _PERMANENT


def _of_conversation(code: int, answer: bytes | str) -> SendOutcome:
    return SendOutcome("operator" if _is_permanent(code) else "deferred", _words(code, answer))


def _of_recipient(code: int, answer: bytes) -> SendOutcome:
    if code in _ABOUT_US:
        return _of_conversation(code, answer)
    return SendOutcome("refused" if _is_permanent(code) else "deferred", _words(code, answer))


def _answer(server: smtplib.SMTP) -> tuple[int, bytes]:
    """The reply to the data; only whole lines count, for half of one may read like another code.

    Raises:
        OSError: the line broke, or stayed silent too long.
        ValueError: what came is no SMTP reply.
    """
    words: list[bytes] = []
    while len(words) < _MOST_LINES:
        line = server.file.readline(_LONGEST_LINE) if server.file else b""
        if not line.endswith(b"\n"):
            raise ConnectionError("the line was lost before the answer was whole")
        code, mark, text = line[:3], line[3:4], line[4:].strip()
        words.append(text)
        if mark != b"-":
            return int(code), b" ".join(words)
    raise ValueError("an answer without end")


def _of_data(code: int, answer: bytes) -> SendOutcome:
    if code // 100 == _COMPLETED:
        return SendOutcome("sent", _words(code, answer))
    if code // 100 in (_TRANSIENT, _PERMANENT):
        return _of_recipient(code, answer)
    return SendOutcome("unknown", f"an answer that is none: {_words(code, answer)}")


def _tls_failure(error: ssl.SSLError) -> SendOutcome:
    if isinstance(error, ssl.SSLCertVerificationError):
        return SendOutcome("operator", f"the certificate is not trusted: {error.verify_message}")
    return SendOutcome("operator", f"no agreement on TLS: {_one_line(error.reason or error)}")


def _cut(server: smtplib.SMTP) -> None:
    """End a conversation that lasts too long: whoever reads finds the line closed."""
    line = server.sock
    if line is not None:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye without waiting long: the outcome is known already."""
    with suppress(OSError, smtplib.SMTPException):
        if server.sock is not None:
            server.sock.settimeout(1.0)
        server.quit()
    server.close()


def _words(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code} {_one_line(text)}".strip()


def _one_line(words: object) -> str:
    printable = "".join(mark if mark.isprintable() else " " for mark in str(words))
    return " ".join(printable.split())[:_LONGEST_ANSWER]
