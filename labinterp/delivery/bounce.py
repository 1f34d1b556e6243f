"""What a mail server says later of a mail it had taken: delivery status notifications (RFC 3464).

A notice is matched to its delivery by what only our mail and its path carried: the envelope's
sender, made for each delivery with a check of its own (VERP), the envelope id, or the Message-ID
that the returned header or the notice's own names. Nothing else of a notice is believed, and none
of its text is ever run, opened or shown as anything but one line of words.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from email.utils import parseaddr
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

Kind = Literal["failed", "delayed", "other"]

LARGEST: Final = 5_000_000
"""A longer mail is no notice [bytes]."""
_LONGEST_ANSWER: Final = 200
_CHECK: Final = 16
"""Length of the check in an address [hexadecimal digits]."""
_ID: Final = r"[0-9a-v]{26}"
_MESSAGE_ID: Final = re.compile(rf"<?({_ID})@[^\s<>]{{1,255}}>?")
_ENVELOPE_ID: Final = re.compile(rf"({_ID})")
_VERP: Final = re.compile(rf"\+({_ID})-([0-9a-f]{{{_CHECK}}})@", re.IGNORECASE)
_ADDRESSED: Final = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
_RETURNED: Final = (
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/global-headers",
)
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


@dataclass(frozen=True, slots=True)
class Bounce:
    """What one mail in the mailbox says.

    Attributes:
        kind: failed for good, delayed and tried again, or no notice of either.
        deliveries: ids of ours that it names, the surest first.
        answer: the server's own words, on one line.
    """

    kind: Kind
    deliveries: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Makes the envelope's sender of each mail, and knows one of its own again.

    Attributes:
        address: where notices go, such as `bounces@trust.example`; its server must deliver
            `bounces+anything@trust.example` there too.
        secret: keys the check, so that nobody else can name a delivery.
    """

    address: str
    secret: bytes

    def of(self, message: EmailMessage) -> str:
        """The envelope's sender for a mail whose Message-ID is a delivery's."""
        found = _MESSAGE_ID.fullmatch(str(message["Message-ID"] or "").strip())
        if found is None:
            return self.address
        local, _, domain = self.address.rpartition("@")
        return f"{local}+{found[1]}-{self._check(found[1])}@{domain}"

    def delivery_in(self, text: str) -> str | None:
        """The delivery that an address of ours was made for."""
        found = _VERP.search(text)
        if found is None:
            return None
        delivery_id = found[1].lower()
        is_ours = hmac.compare_digest(self._check(delivery_id), found[2].lower())
        return delivery_id if is_ours else None

    def _check(self, delivery_id: str) -> str:
        return hmac.new(self.secret, delivery_id.encode(), hashlib.sha256).hexdigest()[:_CHECK]


def envelope_id(message: EmailMessage) -> str:
    """What a mail's path repeats of it (RFC 3461): the delivery's id; empty for other mails."""
    found = _MESSAGE_ID.fullmatch(str(message["Message-ID"] or "").strip())
    return found[1] if found else ""


def read(content: bytes, returns: ReturnAddress | None = None) -> Bounce:
    """What a mail from the mailbox says; anything that is no notice of ours is `other`.

    Args:
        content: the mail as it came.
        returns: how our envelope's senders are made; None where they are not.
    """
    if len(content) > LARGEST:
        return Bounce("other")
    try:
        message = message_from_bytes(content, policy=policy.compat32)
        return _read(message, returns)
    except (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        return Bounce("other")  # whatever a parser says of a mail that is none


def _read(message: Message, returns: ReturnAddress | None) -> Bounce:
    groups = list(_recipients(message))
    kind = _kind(groups)
    if kind == "other":
        return Bounce("other")
    named = dict.fromkeys(_named(message, returns))
    answers = dict.fromkeys(_answer(group) for group in groups if _action(group) == kind)
    return Bounce(kind, tuple(named), _one_line(" · ".join(answers)))


def _recipients(message: Message) -> Iterator[Message]:
    """The groups of a status report that speak of a recipient."""
    for part in _parts(message):
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            yield from (group for group in _inner(part) if group.get("Action"))


def _parts(message: Message) -> Iterator[Message]:
    """The parts of the report itself, never those of the mail it returns."""
    return _inner(message) if message.get_content_type() == "multipart/report" else iter(())


def _inner(message: Message) -> Iterator[Message]:
    """The messages that one is made of."""
    payload = message.get_payload()
    inner = payload if isinstance(payload, list) else ()
    return (part for part in inner if isinstance(part, Message))


def _kind(groups: list[Message]) -> Kind:
    """One failure is one too many: each of our mails has one recipient."""
    actions = {_action(group) for group in groups}
    return "failed" if "failed" in actions else "delayed" if "delayed" in actions else "other"


def _action(group: Message) -> str:
    return str(group.get("Action", "")).partition(" ")[0].strip().casefold()


def _answer(group: Message) -> str:
    """`5.1.1: 550 5.1.1 no such user`, as far as it is said."""
    status = _STATUS.search(str(group.get("Status", "")))
    diagnostic = str(group.get("Diagnostic-Code", ""))
    told = diagnostic.partition(";")[2] or diagnostic
    code = status[0] if status else ""
    return _one_line(told if code and code in told else f"{code} {told}".strip())


def _named(message: Message, returns: ReturnAddress | None) -> Iterator[str]:
    """Deliveries of ours that the notice names."""
    if returns is not None:
        for name in _ADDRESSED:
            for value in message.get_all(name, ()):
                found = returns.delivery_in(parseaddr(str(value))[1] or str(value))
                if found:
                    yield found
    for part in _parts(message):
        if part.get_content_type().endswith("delivery-status"):
            yield from _in_envelope(part)
        elif part.get_content_type() in _RETURNED:
            yield from _in_returned(part)
    replied = _MESSAGE_ID.fullmatch(str(message.get("In-Reply-To", "")).strip())
    if replied:
        yield replied[1]


def _in_envelope(part: Message) -> Iterator[str]:
    for group in _inner(part):
        found = _ENVELOPE_ID.fullmatch(str(group.get("Original-Envelope-Id", "")).strip())
        if found:
            yield found[1]


def _in_returned(part: Message) -> Iterator[str]:
    """The Message-ID of the mail, or of the header of it, that came back."""
    raw = None if part.is_multipart() else part.get_payload(decode=True)
    whole = message_from_bytes(raw) if isinstance(raw, bytes) else None
    returned = next(_inner(part), whole)
    if returned is None:
        return
    found = _MESSAGE_ID.fullmatch(str(returned.get("Message-ID", "")).strip())
    if found:
        yield found[1]


def _one_line(text: str) -> str:
    printable = "".join(mark if mark.isprintable() else " " for mark in text)
    return " ".join(printable.split())[:_LONGEST_ANSWER]
