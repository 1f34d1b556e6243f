"""The mail that says a report is ready: a link, no name, no result.

Subject, text and HTML stand side by side in `templates/<kind>/`. What may be filled in is the list
of `Notice`; it holds nothing clinical, so neither can the mail. An attachment is the sender's
choice and the operator's permission.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_TEMPLATES: Final = Path(__file__).parent / "templates"
# Seven-bit bodies pass every relay unchanged.
_POLICY: Final = SMTP.clone(cte_type="7bit")
_GAPS: Final = re.compile(r"\n{3,}")
_ATTACHED: Final = (
    "The report is attached, because the sender asked for that. "
    "Please treat the file as confidential."
)

_PROTECTED: Final = f"{_ATTACHED} It opens with the password agreed with the sender’s organisation."


@dataclass(frozen=True, slots=True)
class Attachment:
    """The document itself, under a file name that identifies nobody.

    Attributes:
        is_protected: only a password opens it, which the mail does not hold.
    """

    file_name: str
    document: bytes
    is_protected: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Everything a mail about a report may say.

    Attributes:
        recipient, sender: one address each.
        number: `LI-2026-000123`.
        version: above 1, the mail says that the report was corrected.
        withdrawn: this version takes all results back; above 1, the mail says that instead.
        link: where the report is read, after signing in.
        message_id: made once for the delivery, with its angle brackets; the same at every attempt.
        made_at: the mail's date.
        expires_at: until when the link works; None if it does not end.
        contact: whom to tell about a stray mail (a setting).
    """

    recipient: str
    sender: str
    number: str
    version: int
    organisation: str
    link: str
    message_id: str
    made_at: datetime
    expires_at: datetime | None = None
    contact: str = ""
    attachment: Attachment | None = None
    withdrawn: bool = False


def build(notice: Notice) -> EmailMessage:
    """The message for one recipient, the same bytes for the same notice but for its MIME boundary.

    Raises:
        ValueError: an address or a header value is not one line, or is no address.
    """
    kind = _kind(notice)
    words = _words(notice)
    message = EmailMessage(policy=_POLICY)
    message["From"] = notice.sender
    message["To"] = _one_address(notice.recipient)
    message["Subject"] = _filled(kind, "subject.txt", words)
    message["Date"] = notice.made_at
    message["Message-ID"] = notice.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_filled(kind, "body.txt", words) + "\n")
    escaped = {name: html.escape(word) for name, word in words.items()}
    message.add_alternative(_filled(kind, "body.html", escaped) + "\n", subtype="html")
    if notice.attachment is not None:
        _attach(message, notice.attachment)
    return message


def _kind(notice: Notice) -> str:
    if notice.version == 1:
        return "report_ready"
    return "report_withdrawn" if notice.withdrawn else "report_corrected"


def _one_address(text: str) -> Address:
    try:
        return Address(addr_spec=text)
    except IndexError as error:  # what the parser of the standard library says to an empty text
        raise ValueError("no address") from error


def _words(notice: Notice) -> Mapping[str, str]:
    return {
        "number": notice.number,
        "version": str(notice.version),
        "organisation": notice.organisation,
        "link": notice.link,
        "expiry": _expiry(notice.expires_at),
        "attachment": _attachment(notice.attachment),
        "contact": notice.contact or notice.organisation,
        "closing": "" if notice.attachment else " and holds no results",
    }


def _attachment(attachment: Attachment | None) -> str:
    if attachment is None:
        return ""
    return _PROTECTED if attachment.is_protected else _ATTACHED


def _expiry(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return (
        f"The link works until {moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".strip()
        + "."
    )


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    message.add_attachment(
        attachment.document,
        maintype="application",
        subtype="pdf",
        filename=attachment.file_name,
    )


def _filled(kind: str, part: str, words: Mapping[str, str]) -> str:
    """The template with its words; what has nothing to say leaves no gap."""
    told = _template(kind, part).substitute(words).replace("<p></p>\n", "")
    return _GAPS.sub("\n\n", told).strip()


@cache
def _template(kind: str, part: str) -> Template:
    return Template((_TEMPLATES / kind / part).read_text(encoding="utf-8"))
