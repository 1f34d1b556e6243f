"""Telling people by mail what was changed about how they sign in, or about their keys.

Whoever took an account over would rather that its owner did not hear of it: so the mail is a row in
the transaction of the change, as every mail is, and leaves even if the account is closed then. It
says what was changed and when; no secret, and nothing of a patient.

| the mailer says | then |
|---|---|
| sent, refused | ended |
| operator (authentication, policy: ours) | tried again with backoff for as long as it takes |
| anything else | tried again with backoff; failed after `DELIVERY_ATTEMPTS` |

What was refused or failed stands in `dead list`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp import telemetry
from labinterp.access import require
from labinterp.delivery.message import AccountNotice, build_account
from labinterp.errors import NotFound
from labinterp.store import account_mails, audit, people
from labinterp.store.audit import Deed
from labinterp.usecases.acting import who
from labinterp.usecases.backoff import delay
from labinterp.usecases.storing import mail_domain, nudge

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.access import Actor
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


def try_again(services: Services, actor: Actor, mail_id: str) -> None:
    """Send what was given up once more; the audit has it.

    Raises:
        NotFound: no mail of this organisation was given up under this id.
    """
    require(actor, "admin")
    now = services.now()

    def work(connection: Connection) -> None:
        if not account_mails.requeue(connection, actor.organisation_id, mail_id):
            raise NotFound("There is no such mail that was given up.")
        deed = Deed("U", "account-mail-retried", entity=f"account-mail:{mail_id}")
        audit.record(connection, who(actor), deed, now)

    services.store.write(work)
    nudge(services, "delivery")


def _mailed(services: Services, mail_id: str) -> bool:
    policy = services.policy
    held = services.store.write(
        lambda connection: account_mails.claim(
            connection, mail_id, lease=policy.delivery_lease, implausible=policy.implausible
        )
    )
    if held is None:
        return False
    kind, answer = _sent(services, held)
    status = _status(services, held, kind)

    def kept(connection: Connection) -> bool:
        if status:
            return account_mails.end(connection, held, status, answer)
        wait = delay(services.policy, held.attempts)
        return account_mails.defer(connection, held, wait, answer)

    services.store.write(kept)
    telemetry.count(telemetry.MAILS, telemetry.label("outcome", status or kind))
    _log.info("account-mail", user_id=held.user_id, outcome=status or kind)
    return True


def _sent(services: Services, held: AccountMail) -> tuple[str, str]:
    try:
        message = build_account(_notice(services, held))
    except Exception as error:  # noqa: BLE001 - a fault of one row stays with it, whatever it is
        facts = telemetry.error_facts(error)
        _log.error("account-mail-not-written", **facts)
        return "deferred", f"the message could not be written: {facts['exception']}"
    outcome = services.mailer.send(
        message, held.recipient, still_ours=lambda: _still_held(services, held)
    )
    return outcome.kind, outcome.answer


def _status(services: Services, held: AccountMail, kind: str) -> str:
    """How it ends; empty while it is to be tried again. Our own fault does not end it."""
    if kind in _ENDS:
        return kind
    is_last = held.attempts >= services.policy.delivery_attempts and kind != "operator"
    return "failed" if is_last else ""


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
