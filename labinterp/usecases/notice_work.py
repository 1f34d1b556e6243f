"""The worker's side of webhooks and Subscriptions: take a due event, tell it, record the answer.

A 2xx within the time limit is success; anything else is tried again after 5 s, 30 s, 2 min, 10 min,
1 h, 3 h, 6 h and 12 h, then given to a person. At least once, in no promised order: the receiver
knows a repeated event by its id and an older one by its version. An endpoint that cannot be reached
is left alone with all its events for as long, so that one dead receiver delays no other.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from labinterp import telemetry
from labinterp.delivery import webhook
from labinterp.errors import NotFound
from labinterp.outbound import AddressRefused, Unreachable
from labinterp.store import notices, webhooks
from labinterp.usecases import outgoing, results_out

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy import Connection

    from labinterp.delivery.webhook import Message
    from labinterp.store.notices import NoticeClaim
    from labinterp.store.rows import WebhookRecord
    from labinterp.usecases.services import Services

_CHANCE: Final = secrets.SystemRandom()
_JITTER: Final = 0.1
_KIND: Final = "notice"
_ENDED: Final = "not sent: the endpoint was deleted or has ended"
_log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a try.

    Attributes:
        kind: sent, deferred (tried again), refused (trying again would not help), withdrawn (there
            is no endpoint any more, or nothing to tell it).
        reached: whether the endpoint answered at all.
    """

    kind: str
    answer: str
    reached: bool = True


def notify_due(services: Services, worker: str, limit: int) -> int:
    """Tell what is due; how many rows were moved.

    Args:
        services: the wired parts.
        worker: its name, for the row.
        limit: at most so many.

    Raises:
        TemporaryFailure: the database cannot be had; leases end by themselves.
    """
    with services.store.reading() as connection:
        due = notices.due_notices(connection, services.policy.implausible, limit)
    return sum(_notify(services, worker, notice_id) for notice_id in due)


def _notify(services: Services, worker: str, notice_id: str) -> bool:
    policy = services.policy
    claim = services.store.write(
        lambda connection: notices.claim_notice(
            connection,
            notice_id,
            worker,
            lease=policy.notice_lease,
            implausible=policy.implausible,
        )
    )
    if claim is None:
        return False
    outcome = outgoing.tried(_KIND, claim, lambda: _told(services, claim), _unsent)
    _record(services, claim, outcome)
    return True


def _told(services: Services, claim: NoticeClaim) -> _Outcome:
    found = _endpoint(services, claim)
    if found is None:
        return _Outcome("withdrawn", _ENDED)
    endpoint, message = found
    if message is None:
        return _results_sent(services, claim, endpoint)
    try:
        answer = services.outbound.send(
            "POST", endpoint.url, headers=message.headers, body=message.body
        )
    except (AddressRefused, Unreachable) as error:
        return _Outcome("deferred", error.message, reached=False)
    return _Outcome("sent" if answer.is_success else "deferred", f"HTTP {answer.status}")


def _results_sent(services: Services, claim: NoticeClaim, receiver: WebhookRecord) -> _Outcome:
    """To a receiver of HL7 v2: the results themselves, and its answer judged."""
    try:
        sent = results_out.send(services, claim, receiver)
    except (AddressRefused, Unreachable) as error:
        return _Outcome("deferred", error.message, reached=False)
    return _Outcome(sent.kind, sent.answer)


def _unsent(fault: str) -> _Outcome:
    return _Outcome("deferred", f"the event could not be sent: {fault}")


def _endpoint(
    services: Services, claim: NoticeClaim
) -> tuple[WebhookRecord, Message | None] | None:
    """Whom to tell and what, as both are now; a receiver of results is told no event."""
    now = services.now()
    vault = services.store.vault
    event = webhook.Event(claim.id, claim.event, claim.created_at, claim.panel_id, claim.version)
    base = services.policy.base_url
    with services.store.reading() as connection:
        try:
            endpoint = webhooks.by_id(connection, vault, claim.organisation_id, claim.webhook_id)
        except NotFound:
            return None
        if endpoint.ends_at is not None and endpoint.ends_at <= now:
            return None
        if endpoint.kind == "receiver":
            return endpoint, None
        if endpoint.document is not None:
            document = {**endpoint.document, "id": endpoint.id}
            return endpoint, webhook.hook(event, base, document, now)
        keys = webhooks.secrets_of(connection, vault, claim.organisation_id, endpoint.id, now)
        return endpoint, webhook.message(event, base, keys, now)


def _record(services: Services, claim: NoticeClaim, outcome: _Outcome) -> None:
    """Row, endpoint and audit in one transaction."""
    wait = _wait(services, claim.attempts)
    gives_up = outcome.kind == "refused" or (outcome.kind == "deferred" and wait is None)
    kind = "failed" if gives_up else outcome.kind

    def work(connection: Connection) -> bool:
        moved = _moved(services, connection, claim, outcome, wait)
        if moved:
            _told_of(services, connection, claim, outcome, kind)
        return moved

    if not outgoing.kept(services, _KIND, claim, work):
        return
    telemetry.count(telemetry.NOTICES, telemetry.label("outcome", kind))
    _log.info("notice-moved", notice_id=claim.id, webhook_id=claim.webhook_id, outcome=kind)
    if kind == "failed":
        _log.error("notice-given-up", notice_id=claim.id, webhook_id=claim.webhook_id)


def _told_of(
    services: Services, connection: Connection, claim: NoticeClaim, outcome: _Outcome, kind: str
) -> None:
    """The endpoint's state, and who was told or given up."""
    where = (claim.organisation_id, claim.webhook_id)
    if kind == "sent":
        webhooks.set_status(connection, *where, "active")
    elif kind == "failed":
        # Who never answered the handshake is told nothing; others are told the next event too.
        stands = "off" if claim.event == notices.HANDSHAKE else "error"
        webhooks.set_status(connection, *where, stands, outcome.answer)
    if kind in {"sent", "failed"}:
        endpoint = f"webhook:{claim.webhook_id}"
        outgoing.audited(services, connection, _KIND, claim, (kind, endpoint))


def _moved(
    services: Services,
    connection: Connection,
    claim: NoticeClaim,
    outcome: _Outcome,
    wait: timedelta | None,
) -> bool:
    if outcome.kind == "sent":
        return notices.finish_notice(connection, claim, outcome.answer, services.now())
    if outcome.kind == "withdrawn":
        return notices.give_up_notice(connection, claim, outcome.answer, "withdrawn")
    if outcome.kind == "refused" or wait is None:
        return notices.give_up_notice(connection, claim, outcome.answer)
    moved = notices.defer_notice(connection, claim, outcome.answer, wait)
    if moved and not outcome.reached:
        notices.hold_back(connection, claim.webhook_id, wait)
    return moved


def _wait(services: Services, attempts: int) -> timedelta | None:
    """Until the next try, a little more by chance; None after the last."""
    delays = services.policy.notice_delays
    if attempts > len(delays):
        return None
    return delays[attempts - 1] * (1 + _JITTER * _CHANCE.random())
