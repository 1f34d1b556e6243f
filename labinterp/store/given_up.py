"""What was given up and waits for a person: reports, mails, events and background jobs alike.

Mails to people about their own accounts are a kind of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import and_, null, select

from labinterp.store.account_mails import GIVEN_UP
from labinterp.store.door_tables import background_job, notice
from labinterp.store.tables import account_mail, delivery, panel, report

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Select

Kind = Literal["report", "delivery", "notice", "background", "account"]
_NO_MAIL: Final = ("refused", "bounced", "failed")


@dataclass(frozen=True, slots=True)
class GivenUp:
    """One of them.

    Attributes:
        about: the panel or, of an event, its endpoint; of a job what it was to do; of a mail about
            an account what it tells.
        why: in the words of whoever refused it, or of the fault.
        since: when it was made; how long it has been wanted.
    """

    kind: Kind
    id: str
    organisation_id: str
    status: str
    attempts: int
    about: str
    panel_id: str | None
    why: str | None
    since: datetime


def of_kind(connection: Connection, kind: Kind, limit: int) -> tuple[GivenUp, ...]:
    """The oldest of one kind, over all organisations."""
    rows = connection.execute(_LISTS[kind].limit(limit))
    return tuple(_one(kind, *row) for row in rows)


def _one(kind: Kind, *said: Any) -> GivenUp:
    return GivenUp(kind, *said)


def _reports() -> Select[Any]:
    """Of the newest version only: a corrected one is drawn no more."""
    newest = and_(panel.c.id == report.c.panel_id, panel.c.newest_version == report.c.version)
    return (
        select(
            report.c.id,
            report.c.organisation_id,
            report.c.status,
            report.c.attempts,
            report.c.panel_id,
            report.c.panel_id,
            report.c.why,
            report.c.created_at,
        )
        .join(panel, newest)
        .where(report.c.status == "failed")
        .order_by(report.c.created_at, report.c.id)
    )


def _deliveries() -> Select[Any]:
    return (
        select(
            delivery.c.id,
            delivery.c.organisation_id,
            delivery.c.status,
            delivery.c.attempts,
            delivery.c.panel_id,
            delivery.c.panel_id,
            delivery.c.last_answer,
            delivery.c.created_at,
        )
        .where(delivery.c.status.in_(_NO_MAIL))
        .order_by(delivery.c.created_at, delivery.c.id)
    )


def _notices() -> Select[Any]:
    return (
        select(
            notice.c.id,
            notice.c.organisation_id,
            notice.c.status,
            notice.c.attempts,
            notice.c.webhook_id,
            notice.c.panel_id,
            notice.c.last_answer,
            notice.c.created_at,
        )
        .where(notice.c.status == "failed")
        .order_by(notice.c.created_at, notice.c.id)
    )


def _jobs() -> Select[Any]:
    return (
        select(
            background_job.c.id,
            background_job.c.organisation_id,
            background_job.c.status,
            background_job.c.attempts,
            background_job.c.kind,
            null(),
            background_job.c.why,
            background_job.c.created_at,
        )
        .where(background_job.c.status == "failed")
        .order_by(background_job.c.created_at, background_job.c.id)
    )


def _account_mails() -> Select[Any]:
    return (
        select(
            account_mail.c.id,
            account_mail.c.organisation_id,
            account_mail.c.status,
            account_mail.c.attempts,
            account_mail.c.event,
            null(),
            account_mail.c.last_answer,
            account_mail.c.created_at,
        )
        .where(account_mail.c.status.in_(GIVEN_UP))
        .order_by(account_mail.c.created_at, account_mail.c.id)
    )


_LISTS: Final = {
    "report": _reports(),
    "delivery": _deliveries(),
    "notice": _notices(),
    "background": _jobs(),
    "account": _account_mails(),
}
KINDS: Final[tuple[Kind, ...]] = ("report", "delivery", "notice", "background", "account")
