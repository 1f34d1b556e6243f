"""Critical reports that are late: every page tells those who may read them, a mail the operator."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from labinterp import telemetry
from labinterp.access import require
from labinterp.delivery.message import LateNotice, build_late
from labinterp.store import undelivered
from labinterp.usecases.storing import mail_domain

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.access import Actor
    from labinterp.store.undelivered import Late
    from labinterp.usecases.services import Services

LATE_AFTER: Final = timedelta(minutes=30)
_AGAIN: Final = timedelta(minutes=5)
"""How long a mail to the operator may take before the next worker tries."""
_LISTED: Final = 20
_log = telemetry.logger(__name__)


def late_critical(services: Services, actor: Actor) -> int:
    """Panels whose critical results nobody acknowledged and whose mail is late.

    Raises:
        AccessDenied: the actor may not read panels.
    """
    require(actor, "panels:read")
    before = services.now() - LATE_AFTER
    with services.store.reading() as connection:
        return undelivered.critical_undelivered(connection, actor.organisation_id, before)


def alarms_due(services: Services) -> int:
    """Late messages that the operator has not been told of; 0 where nobody is to be told.

    Raises:
        TemporaryFailure: the database cannot be had.
    """
    return len(_untold(services))


def tell_operator(services: Services) -> int:
    """One mail to the operator about all that is newly late; how many messages it is about.

    Each message is told of once. A mail that cannot be handed over, as when the mail server is what
    makes everything late, is tried again.

    Raises:
        TemporaryFailure: the database cannot be had.
    """
    found = _untold(services)
    if not found:
        return 0

    def claim(connection: Connection) -> tuple[Late, ...]:
        return tuple(late for late in found if undelivered.claim_alarm(connection, late.id, _AGAIN))

    ours = services.store.write(claim)
    if not ours:
        return 0
    outcome = services.mailer.send(
        build_late(_notice(services, ours)), services.policy.operator_mail
    )
    _log.warning("operator-told", outcome=outcome.kind, count=len(ours))
    if outcome.kind != "sent":
        return 0
    ids = tuple(late.id for late in ours)
    services.store.write(lambda connection: undelivered.told(connection, ids, services.now()))
    return len(ours)


def _untold(services: Services) -> tuple[Late, ...]:
    if not services.policy.operator_mail:
        return ()
    with services.store.reading() as connection:
        return undelivered.untold(connection, services.now() - LATE_AFTER)


def _notice(services: Services, ours: tuple[Late, ...]) -> LateNotice:
    policy = services.policy
    named = hashlib.sha256("".join(late.id for late in ours).encode()).hexdigest()[:24]
    return LateNotice(
        recipient=policy.operator_mail,
        sender=policy.mail_from,
        message_id=f"<late-{named}@{mail_domain(policy)}>",
        made_at=services.now(),
        reports=tuple(
            f"{late.number}, {late.organisation}: {late.status}" for late in ours[:_LISTED]
        ),
        more=max(0, len(ours) - _LISTED),
        minutes=int(LATE_AFTER.total_seconds() // 60),
        link=f"{policy.base_url.rstrip('/')}/deliveries?show=failed",
    )
