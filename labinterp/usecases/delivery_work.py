"""The worker's side of mail: take a due row, write the message, hand it over, record the answer.

| the mailer says | then |
|---|---|
| sent | committed at once |
| deferred | tried again with backoff; after the last try a person's |
| unknown (the line broke after the data) | the same Message-ID again, few times; then a person's |
| refused | a person's |
| operator (authentication, policy: ours) | stays queued, costs no attempt, alarms |

An attempt that nobody saw end (a killed worker) counts like `unknown`: the mail may be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp import telemetry
from labinterp.delivery.message import Attachment, Notice, build
from labinterp.store import deliveries, delivery_jobs, panels, people, reports
from labinterp.usecases import account_mails, link_codes, outgoing, undelivered
from labinterp.usecases.backoff import delay

if TYPE_CHECKING:
    from datetime import timedelta
    from email.message import EmailMessage

    from sqlalchemy import Connection

    from labinterp.store.reports import Claim
    from labinterp.usecases.services import Outcome, Policy, Services

_UNFINISHED: Final = (
    "begun {count} times without a known end: it may have arrived; ask the recipient before a retry"
)
_LAST: Final = "given up after {attempts} tries; the last answer: {answer}"
_GIVEN_UP: Final = "failed"
"""What a mail counts as after its last try, whatever that try ended with."""
_KIND: Final = "delivery"
_log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class _Said:
    """An outcome of our own, where no mail server was asked."""

    kind: str
    answer: str


def deliver_due(services: Services, worker: str, limit: int) -> int:
    """Send what is due; how many rows were moved.

    Args:
        services: the wired parts.
        worker: its name, for the row.
        limit: at most so many.

    Raises:
        TemporaryFailure: the database cannot be had; leases end by themselves.
    """
    policy = services.policy
    moved = link_codes.mail_codes(services, limit) + account_mails.mail_due(services, limit)
    services.store.write(deliveries.settle_stranded)
    with services.store.reading() as connection:
        due = delivery_jobs.due_deliveries(connection, policy.implausible, limit)
    for delivery_id, _, unfinished in due:
        if unfinished >= policy.delivery_unfinished:
            moved += _park(services, delivery_id, unfinished)
        else:
            moved += _deliver(services, worker, delivery_id)
    undelivered.tell_operator(services)
    return moved


def _park(services: Services, delivery_id: str, unfinished: int) -> bool:
    parked = services.store.write(
        lambda connection: delivery_jobs.park_delivery(
            connection,
            delivery_id,
            why=_UNFINISHED.format(count=unfinished),
            implausible=services.policy.implausible,
        )
    )
    if parked:
        telemetry.count(telemetry.MAILS, "parked")
        _log.error("delivery-parked", delivery_id=delivery_id)
    return parked


def _deliver(services: Services, worker: str, delivery_id: str) -> bool:
    policy = services.policy
    claim = services.store.write(
        lambda connection: delivery_jobs.claim_delivery(
            connection,
            delivery_id,
            worker,
            lease=policy.delivery_lease,
            implausible=policy.implausible,
        )
    )
    if claim is None:
        return False
    outcome = _sent(services, claim)
    if outcome is None:
        outgoing.lost(_KIND, claim)
        return True
    _record(services, claim, outcome)
    return True


def _sent(services: Services, claim: Claim) -> Outcome | None:
    """What came of the attempt; None when the claim was lost before anything left."""
    prepared = outgoing.tried(_KIND, claim, lambda: _message(services, claim), _unwritten)
    if isinstance(prepared, _Said):
        return prepared
    if prepared is None or not _still_ours(services, claim):
        return None
    message, recipient = prepared
    return services.mailer.send(message, recipient, still_ours=lambda: _still_ours(services, claim))


def _unwritten(fault: str) -> _Said:
    return _Said("unknown", f"the message could not be written: {fault}")


def _still_ours(services: Services, claim: Claim) -> bool:
    lease = services.policy.delivery_lease
    return services.store.write(
        lambda connection: delivery_jobs.still_held(connection, claim, lease)
    )


def _message(services: Services, claim: Claim) -> tuple[EmailMessage, str] | _Said | None:
    with services.store.reading() as connection:
        token = delivery_jobs.link_token(connection, services.store.vault, claim)
        if token is None:
            return None
        record = deliveries.read_delivery(connection, claim.organisation_id, claim.id)
        organisation = people.organisation_name(connection, claim.organisation_id)
        identity = delivery_jobs.message_id(connection, claim)
        attachment = _attachment(services, connection, claim) if record.as_attachment else None
        about = (claim.organisation_id, claim.panel_id, claim.version)
        status = panels.status_of(connection, *about)
    policy = services.policy
    notice = Notice(
        recipient=record.to,
        sender=policy.mail_from,
        number=record.report_number or "",
        version=record.version,
        organisation=organisation,
        link=f"{policy.base_url.rstrip('/')}/r/{token}",
        by_code=policy.link_codes,
        message_id=identity,
        made_at=record.created_at,
        expires_at=record.link_expires_at,
        contact=policy.contact,
        attachment=attachment,
        withdrawn=status == "cancelled",
    )
    return build(notice), record.to


def _attachment(services: Services, connection: Connection, claim: Claim) -> Attachment:
    report = reports.read_report(connection, claim.organisation_id, claim.panel_id, claim.version)
    kept = reports.read_file(connection, services.store.vault, claim.organisation_id, report.id)
    if kept is None:
        raise RuntimeError("a message is due whose report has no document")
    return _enclosed(report.file_name or f"{report.number}.pdf", kept[0], services.policy)


def _enclosed(name: str, document: bytes, policy: Policy) -> Attachment:
    """The document as it is attached: a copy that only a password opens, where there is one."""
    if not policy.attachment_password:
        return Attachment(name, document)
    from labinterp.reporting.sealing import protected  # noqa: PLC0415 - only where it is wanted

    return Attachment(name, protected(document, policy.attachment_password), is_protected=True)


def _record(services: Services, claim: Claim, outcome: Outcome) -> None:
    """Write the answer down; after a `sent` nothing slow stands in between."""
    told = _GIVEN_UP if _is_last(services, claim, outcome) else outcome.kind
    telemetry.count(telemetry.MAILS, telemetry.label("outcome", told))
    wait = _wait(services, claim, outcome)

    def work(connection: Connection) -> bool:
        moved = _moved(services, connection, claim, outcome, wait)
        if moved:
            outgoing.audited(services, connection, _KIND, claim, (told, f"delivery:{claim.id}"))
        return moved

    if not outgoing.kept(services, _KIND, claim, work):
        return
    if outcome.kind == "operator":
        _log.error("mail-settings-at-fault", delivery_id=claim.id, outcome=outcome.kind)
    else:
        _log.info("delivery-moved", delivery_id=claim.id, outcome=told)


def _wait(services: Services, claim: Claim, outcome: Outcome) -> timedelta:
    if outcome.kind == "operator":
        return services.policy.operator_delay
    return delay(services.policy, claim.attempts)


def _moved(
    services: Services,
    connection: Connection,
    claim: Claim,
    outcome: Outcome,
    wait: timedelta,
) -> bool:
    if outcome.kind in delivery_jobs.CLOSED_KINDS:
        return delivery_jobs.finish_delivery(
            connection, claim, kind=outcome.kind, answer=outcome.answer, now=services.now()
        )
    if _is_last(services, claim, outcome):
        last = _LAST.format(attempts=claim.attempts, answer=outcome.answer)
        return delivery_jobs.give_up_delivery(connection, claim, answer=last)
    return delivery_jobs.defer_delivery(
        connection, claim, kind=outcome.kind, answer=outcome.answer, delay=wait
    )


def _is_last(services: Services, claim: Claim, outcome: Outcome) -> bool:
    """Is this the end of it, though nobody refused? Our own fault costs no attempt."""
    is_open = outcome.kind not in (*delivery_jobs.CLOSED_KINDS, "operator")
    return is_open and claim.attempts >= services.policy.delivery_attempts
