"""Reading one report by a mail's link and a code, for a recipient who has no account here.

The link is in one mail, the code in another, to the same address: a link that was forwarded, or
found in a log, opens nothing. A code works once, for a quarter of an hour, for five tries; what it
opens is that one document, for as long again. Nobody learns whether a link exists.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from labinterp import telemetry
from labinterp.access.keys import digest
from labinterp.access.links import token_digest
from labinterp.delivery.message import CodeNotice, build_code
from labinterp.errors import NotFound, SubmissionError
from labinterp.store import audit, link_codes, people, reports
from labinterp.store.audit import Deed, Who
from labinterp.usecases.storing import LINK, mail_domain, nudge

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.store.link_codes import Link
    from labinterp.usecases.services import Services

LIFETIME: Final = timedelta(minutes=15)
"""How long a code works, and how long what it opened stays open."""
TRIES: Final = 5
CODES: Final = 20
"""Codes one link may have in all."""
_APART: Final = timedelta(minutes=1)
_AGAIN: Final = timedelta(minutes=2)
_DIGITS: Final = 6
_WRONG: Final = (
    "This code is not right, was used, or is over. After five tries, or a quarter of an hour, "
    "ask for a new one."
)
_log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a code opened: one document, until a moment."""

    delivery_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class LinkedReport:
    """The document of a mail's link; `pdf` is None while it is drawn."""

    number: str
    pdf: bytes | None
    file_name: str


def ask_code(services: Services, token: str) -> None:
    """Have a code mailed to whom this link was mailed; nothing happens for a link that is none."""
    if not services.policy.link_codes:
        return
    now, nonce = services.now(), secrets.token_urlsafe(18)

    def work(connection: Connection) -> bool:
        link = _link(services, connection, token, now)
        if link is None or not link_codes.make_code(
            connection, link.id, nonce, now, after=now - _APART, most=CODES
        ):
            return False
        _audited(connection, link, "link-code-asked", now)
        return True

    if services.store.write(work):
        nudge(services, "delivery")


def open_by_code(services: Services, token: str, code: str, *, address: str = "") -> Opened:
    """Use a code up.

    Raises:
        SubmissionError: code `link-code-wrong`: wrong, over, used, or tried too often; or no link.
    """
    now = services.now()
    typed = "".join(code.split())

    def work(connection: Connection) -> Opened | None:
        link = _link(services, connection, token, now) if services.policy.link_codes else None
        if link is None or link.nonce is None or _is_over(link, now):
            return None
        if not link_codes.count_try(connection, link.id, link.nonce, TRIES):
            return None
        if not hmac.compare_digest(code_of(services, link).encode(), typed.encode()):
            return None
        if not link_codes.use_up(connection, link.id, link.nonce, now):
            return None
        _audited(connection, link, "link-opened", now, address)
        return Opened(link.id, now + LIFETIME)

    opened = services.store.write(work)
    if opened is None:
        raise SubmissionError(_WRONG, code="link-code-wrong")
    return opened


def linked_report(
    services: Services, delivery_id: str, token: str, *, read: bool = True, address: str = ""
) -> LinkedReport:
    """The document, for whom a code opened this delivery's link; `read`: it is given out.

    Raises:
        NotFound: the link is over, was withdrawn, or is another delivery's.
    """
    now = services.now()

    def work(connection: Connection) -> LinkedReport:
        link = _link(services, connection, token, now)
        if link is None or link.id != delivery_id:
            raise NotFound("This link is over, or was withdrawn when the report was corrected.")
        record = reports.read_report(connection, link.organisation_id, link.panel_id, link.version)
        if read:
            _audited(connection, link, "report-read", now, address)
        kept = reports.read_file(
            connection, services.store.vault, link.organisation_id, link.report_id
        )
        if kept is None or record.status != "ready":
            return LinkedReport(link.number, None, "")
        if hashlib.sha256(kept[0]).hexdigest() != record.digest:
            raise RuntimeError("a stored document does not have its recorded digest")
        return LinkedReport(link.number, kept[0], record.file_name or f"{link.number}.pdf")

    return services.store.write(work)


def mail_codes(services: Services, limit: int) -> int:
    """The worker's side: mail the codes that wait; how many were handed over.

    Raises:
        TemporaryFailure: the database cannot be had.
    """
    with services.store.reading() as connection:
        due = link_codes.due_codes(connection, limit)
    return sum(_mailed(services, delivery_id) for delivery_id in due)


def _mailed(services: Services, delivery_id: str) -> bool:
    now = services.now()
    if not services.store.write(
        lambda connection: link_codes.claim_code(connection, delivery_id, _AGAIN)
    ):
        return False
    with services.store.reading() as connection:
        link = link_codes.link_named(connection, delivery_id, now)
        organisation = people.organisation_name(connection, link.organisation_id) if link else ""
    nonce = link.nonce if link else None
    kind = "over"
    if link is not None and nonce is not None and not _is_over(link, now):
        message = build_code(
            CodeNotice(
                recipient=link.recipient,
                sender=services.policy.mail_from,
                message_id=f"<code-{_named(nonce)}@{mail_domain(services.policy)}>",
                made_at=link.made_at or now,
                number=link.number,
                organisation=organisation,
                code=code_of(services, link),
                minutes=int(LIFETIME.total_seconds() // 60),
                contact=services.policy.contact,
            )
        )
        kind = services.mailer.send(message, link.recipient).kind
    if kind in ("sent", "refused", "over"):
        services.store.write(
            lambda connection: link_codes.end_mailing(connection, delivery_id, nonce)
        )
    _log.info("link-code", delivery_id=delivery_id, outcome=kind)
    return kind == "sent"


def code_of(services: Services, link: Link) -> str:
    """Six digits that only this service can reckon."""
    made = digest(services.policy.secret, f"link code:{link.id}:{link.nonce}")
    return f"{int(made, 16) % 10**_DIGITS:0{_DIGITS}}"


def _named(nonce: str) -> str:
    """A nonce as a Message-ID shows it: from it no code can be reckoned."""
    return hashlib.sha256(nonce.encode()).hexdigest()[:24]


def _link(services: Services, connection: Connection, token: str, now: datetime) -> Link | None:
    return link_codes.link_of(connection, token_digest(services.policy.secret, LINK, token), now)


def _is_over(link: Link, now: datetime) -> bool:
    return link.made_at is None or now - link.made_at > LIFETIME


def _audited(
    connection: Connection, link: Link, deed: str, now: datetime, address: str = ""
) -> None:
    done = Deed(
        "R", deed, panel_id=link.panel_id, version=link.version, entity=f"delivery:{link.id}"
    )
    audit.record(
        connection,
        Who(link.organisation_id, "recipient", link.id, "recipient of a mail", address),
        done,
        now,
    )
