"""Every mail that leaves: of reports and codes, to people of their accounts, and to operators.

All share one frame, `templates/frame/`, text and HTML side by side; what a kind says of its own is
its subject and its lead, in `templates/<kind>/`. What may be filled in is the list of `Notice`,
`CodeNotice`, `LateNotice` and `AccountNotice`; they hold nothing clinical, so neither can the mail.
An attachment is the sender's choice and the operator's permission.
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
    from collections.abc import Iterable, Mapping
    from datetime import datetime

_TEMPLATES: Final = Path(__file__).parent / "templates"
_FRAME: Final = "frame"
# Seven-bit bodies pass every relay unchanged.
_POLICY: Final = SMTP.clone(cte_type="7bit")
_GAPS: Final = re.compile(r"\n{3,}")
_ATTACHED: Final = (
    "The report is attached, because the sender asked for that. "
    "Please treat the file as confidential."
)

_PROTECTED: Final = f"{_ATTACHED} It opens with the password agreed with the sender’s organisation."
_SIGN_IN: Final = "you will be asked to sign in"
_OR_CODE: Final = "you sign in, or ask for a code that is mailed to this address"

ACCOUNT_EVENTS: Final[Mapping[str, tuple[str, str]]] = {
    "password-set": (
        "Your password was changed",
        "The password of your account was changed. All sessions that were open have ended.",
    ),
    "second-factor-set": (
        "An authenticator was set up for your account",
        "An authenticator was set up: its codes are asked for when you sign in.",
    ),
    "second-factor-removed": (
        "Your second factor was removed",
        "Your account is opened without a code of an authenticator from now on.",
    ),
    "second-factor-reset": (
        "Your authenticator was reset",
        "An administrator reset the authenticator of your account, as is done when one is lost.",
    ),
    "recovery-codes-made": (
        "New recovery codes were made for your account",
        "New recovery codes were made for your account; those before open nothing any more.",
    ),
    "recovery-code-used": (
        "A recovery code of your account was used",
        "One of the recovery codes of your account was used, in the place of an authenticator's.",
    ),
    "sign-in-link-made": (
        "A sign-in link was made for your account",
        "An administrator made a link that signs in to your account once, to hand it to you.",
    ),
    "key-created": (
        "A new API key was made",
        "A new API key was made for your organisation; it stands under Users and keys.",
    ),
}
"""What people are told of: subject and sentence."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """The document itself, under a file name that identifies nobody.

    Attributes:
        is_protected: only a password opens it, which the mail does not hold.
    """

    file_name: str
    document: bytes
    is_protected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every mail has.

    Attributes:
        recipient, sender: one address each.
        message_id: made once for what it tells, with its angle brackets; the same at every attempt.
        made_at: the mail's date.
    """

    recipient: str
    sender: str
    message_id: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Envelope):
    """Everything a mail about a report may say.

    Attributes:
        number: `LI-2026-000123`.
        version: above 1, the mail says that the report was corrected.
        withdrawn: this version takes all results back; above 1, the mail says that instead.
        link: where the report is read, after signing in.
        by_code: whether a mailed code opens it as well.
        expires_at: until when the link works; None if it does not end.
        contact: whom to tell about a stray mail (a setting).
    """

    number: str
    version: int
    organisation: str
    link: str
    by_code: bool = False
    expires_at: datetime | None = None
    contact: str = ""
    attachment: Attachment | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeNotice(Envelope):
    """Everything the mail with a code may say.

    Attributes:
        number: of the report that it opens, with the link.
        minutes: how long it works.
    """

    number: str
    organisation: str
    code: str
    minutes: int
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateNotice(Envelope):
    """Everything a mail to the operator about late critical reports may say.

    Attributes:
        reports: each with its organisation and its state; numbers and words, nobody's name.
        more: how many are not listed.
        minutes: after how many they are late.
        link: the list of deliveries.
    """

    reports: tuple[str, ...]
    more: int
    minutes: int
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNotice(Envelope):
    """Everything a mail about an account may say.

    Attributes:
        event: of `ACCOUNT_EVENTS`; when it was is the mail's date.
        link: where its owner sees to it.
    """

    event: str
    organisation: str
    link: str
    contact: str = ""


def build(notice: Notice) -> EmailMessage:
    """The message for one recipient, the same bytes for the same notice but for its MIME boundary.

    Raises:
        ValueError: an address or a header value is not one line, or is no address.
    """
    named = notice.number if notice.version == 1 else f"{notice.number}, version {notice.version}"
    message = _framed(
        notice,
        _kind(notice),
        {"number": notice.number, "version": str(notice.version)},
        details=(f"Report: {named}", f"From: {notice.organisation}"),
        action=f"Open the report ({_OR_CODE if notice.by_code else _SIGN_IN})",
        link=notice.link,
        expiry=_expiry(notice.expires_at),
        attachment=_attachment(notice.attachment),
        stray=_stray(notice.contact or notice.organisation),
        closing="" if notice.attachment else " and holds no results",
    )
    if notice.attachment is not None:
        _attach(message, notice.attachment)
    return message


def build_code(notice: CodeNotice) -> EmailMessage:
    """The mail with a code: no link in it, so that it opens nothing by itself.

    Raises:
        ValueError: as for `build`.
    """
    return _framed(
        notice,
        "code",
        {"number": notice.number, "code": notice.code, "minutes": str(notice.minutes)},
        details=(f"Report: {notice.number}", f"From: {notice.organisation}"),
        stray=_stray(notice.contact or notice.organisation),
        closing=" and holds no results",
    )


def build_late(notice: LateNotice) -> EmailMessage:
    """The mail to the operator: which reports, whose, and where to see to them.

    Raises:
        ValueError: as for `build`.
    """
    count = len(notice.reports) + notice.more
    listed = (*notice.reports, *((f"and {notice.more} more",) if notice.more else ()))
    return _framed(
        notice,
        "late",
        {
            "count": "1 report" if count == 1 else f"{count} reports",
            "is": "is" if count == 1 else "are",
            "minutes": str(notice.minutes),
        },
        details=listed,
        action="See the deliveries (you will be asked to sign in)",
        link=notice.link,
        closing=" and holds no results",
    )


def build_account(notice: AccountNotice) -> EmailMessage:
    """The mail to a person about their own account: what was changed, and when.

    Raises:
        ValueError: as for `build`.
    """
    subject, what = ACCOUNT_EVENTS[notice.event]
    return _framed(
        notice,
        "account",
        {"subject": subject, "what": what},
        details=(f"Organisation: {notice.organisation}", f"When: {_moment(notice.made_at)}"),
        action=f"See your account ({_SIGN_IN})",
        link=notice.link,
        stray=f"Contact: {notice.contact}" if notice.contact else "",
        closing=" and holds no results",
    )


def _framed(
    envelope: Envelope,
    kind: str,
    words: Mapping[str, str],
    *,
    details: tuple[str, ...],
    action: str = "",
    link: str = "",
    expiry: str = "",
    attachment: str = "",
    stray: str = "",
    closing: str = "",
) -> EmailMessage:
    """One message with the frame that all share."""
    subject = _template(kind, "subject.txt").substitute(words).strip()
    lead = _template(kind, "lead.txt").substitute(words).strip()
    shared = {"expiry": expiry, "attachment": attachment, "stray": stray, "closing": closing}
    message = EmailMessage(policy=_POLICY)
    message["From"] = envelope.sender
    message["To"] = _one_address(envelope.recipient)
    message["Subject"] = subject
    message["Date"] = envelope.made_at
    message["Message-ID"] = envelope.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    text = {"lead": lead, "details": "\n".join(details), "link": f"{action}:\n{link}"}
    if not link:
        text["link"] = ""
    message.set_content(_filled("body.txt", {**shared, **text}) + "\n")
    page = {
        "title": html.escape(subject),
        "lead": _lines(lead.splitlines()),
        "details": _lines(details),
        "link": f'<a href="{html.escape(link)}">{html.escape(action)}</a>' if link else "",
    }
    escaped = {name: html.escape(word) for name, word in shared.items()}
    message.add_alternative(_filled("body.html", {**escaped, **page}) + "\n", subtype="html")
    return message


def _lines(lines: Iterable[str]) -> str:
    return "<br>\n".join(html.escape(line) for line in lines)


def _kind(notice: Notice) -> str:
    if notice.version == 1:
        return "report_ready"
    return "report_withdrawn" if notice.withdrawn else "report_corrected"


def _one_address(text: str) -> Address:
    try:
        return Address(addr_spec=text)
    except IndexError as error:  # what the parser of the standard library says to an empty text
        raise ValueError("no address") from error


def _stray(contact: str) -> str:
    return f"If you did not expect this message, please tell the sender. Contact: {contact}"


def _attachment(attachment: Attachment | None) -> str:
    if attachment is None:
        return ""
    return _PROTECTED if attachment.is_protected else _ATTACHED


def _expiry(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return f"The link works until {_moment(moment)}."


def _moment(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".strip()


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    message.add_attachment(
        attachment.document,
        maintype="application",
        subtype="pdf",
        filename=attachment.file_name,
    )


def _filled(part: str, words: Mapping[str, str]) -> str:
    """The frame with its words; what has nothing to say leaves no gap."""
    told = _template(_FRAME, part).substitute(words).replace("<p></p>\n", "")
    return _GAPS.sub("\n\n", told).strip()


@cache
def _template(kind: str, part: str) -> Template:
    return Template((_TEMPLATES / kind / part).read_text(encoding="utf-8"))
