"""Telling people by mail what was changed about how they sign in, or about their keys.

Whoever took an account over would rather that its owner did not hear of it: so the mail is a row in
the transaction of the change, as every mail is, and leaves even if the account is closed then. It
says what was changed and when; no secret, and nothing of a patient.

| the mailer says | then |
|---|---|
| sent, refused | ended |
| anything else | tried again with backoff; ended as failed after `DELIVERY_ATTEMPTS` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp import telemetry
from labinterp.delivery.message import AccountNotice, build_account
from labinterp.store import account_mails, people
from labinterp.usecases.backoff import delay
from labinterp.usecases.storing import mail_domain

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.store.account_mails import AccountMail
    from labinterp.usecases.services import Services

_ENDS: Final = ("sent", "refused")
_log = telemetry.logger(__name__)


def tell(
    connection: Connection, organisation_id: str, user_id: str, event: str, now: datetime
) -> None:
    """This person is told, once the transaction stands."""
    account_mails.add(connection, organisation_id, user_id, event, now)


def tell_administrators(
    connection: Connection, organisation_id: str, event: str, now: datetime
) -> None:
    """All who may administer the organisation are told, for it concerns them all."""
    for user in people.users(connection, organisation_id):
        if user.active and "admin" in user.scopes:
            account_mails.add(connection, organisation_id, user.id, event, now)


def mail_due(services: Services, limit: int) -> int:
    """The worker's side: send what is due; how many rows were tried.

    Raises:
        TemporaryFailure: the database cannot be had; leases end by themselves.
    """
    with services.store.reading() as connection:
        due = account_mails.due(connection, services.policy.implausible, limit)
    return sum(_mailed(services, mail_id) for mail_id in due)


def _mailed(services: Services, mail_id: str) -> bool:
    policy = services.policy
    held = services.store.write(
        lambda connection: account_mails.claim(
            connection, mail_id, lease=policy.delivery_lease, implausible=policy.implausible
        )
    )
    if held is None:
        return False
    kind = _sent(services, held)
    status = _status(services, held, kind)
    services.store.write(lambda connection: _kept(services, connection, held, status))
    telemetry.count(telemetry.MAILS, telemetry.label("outcome", status or kind))
    _log.info("account-mail", user_id=held.user_id, outcome=status or kind)
    return True


def _sent(services: Services, held: AccountMail) -> str:
    try:
        message = build_account(_notice(services, held))
    except (KeyError, ValueError) as error:  # written by a newer version, or no address
        _log.error("account-mail-not-written", **telemetry.error_facts(error))
        return "deferred"
    return services.mailer.send(
        message, held.recipient, still_ours=lambda: _still_held(services, held)
    ).kind


def _status(services: Services, held: AccountMail, kind: str) -> str:
    """How it ends; empty while it is to be tried again."""
    if kind in _ENDS:
        return kind
    return "failed" if held.attempts >= services.policy.delivery_attempts else ""


def _kept(services: Services, connection: Connection, held: AccountMail, status: str) -> bool:
    if status:
        return account_mails.end(connection, held, status)
    return account_mails.defer(connection, held, delay(services.policy, held.attempts))


def _still_held(services: Services, held: AccountMail) -> bool:
    with services.store.reading() as connection:
        return account_mails.still_held(connection, held)


def _notice(services: Services, held: AccountMail) -> AccountNotice:
    policy = services.policy
    return AccountNotice(
        recipient=held.recipient,
        sender=policy.mail_from,
        message_id=f"<account-{held.id}@{mail_domain(policy)}>",
        made_at=held.created_at,
        event=held.event,
        organisation=held.organisation,
        link=f"{policy.base_url.rstrip('/')}/account",
        contact=policy.contact,
    )
