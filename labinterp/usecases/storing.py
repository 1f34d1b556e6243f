"""The rows one accepted panel becomes: panel, version, identity, report, deliveries, audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from labinterp.access.links import new_token
from labinterp.reporting.printable import not_printable
from labinterp.store import deliveries, panels, reports, result_identities
from labinterp.store.rows import ReportRecord
from labinterp.store.store import fresh_id
from labinterp.usecases.outcomes import Accepted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from labinterp.access import Actor
    from labinterp.model.interpretation import Interpretation
    from labinterp.model.submission import Identity, Received, Recipients
    from labinterp.usecases.services import Policy, Services, Wake

LINK: Final = "mail link"
"""The purpose that mail links' tokens are made for."""
NO_IDENTIFIER: Final = (
    "No patient identifier was sent: a document that cannot be matched to its patient is not made,"
    " and earlier results are not looked up."
)
_TEST_PROBLEM: Final = "test-message"
"""What readers call the mark; it stays among the problems of the answer."""
NOTHING_TO_SEND: Final = "not sent: no report is made; why stands with the panel's report"


def is_test(received: Received) -> bool:
    """Does its sender mark it as a test?

    A test corrects nothing, is no history, and nobody outside is told of it.
    """
    return any(code == _TEST_PROBLEM for _, code, _ in received.submission.problems)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be stored, checked and interpreted already."""

    panel_id: str
    version: int
    received: Received
    interpretation: Interpretation
    recipients: Recipients
    origin: str
    now: datetime
    seen: Mapping[str, str | None] | None = None
    """Who held these results' keys when it was decided; None where nobody looked."""


def accepted(order: Order) -> Accepted:
    """What is answered of an order that was stored just now."""
    found = order.interpretation
    return Accepted(
        order.panel_id, order.version, problems=len(found.problems), interpretation=found
    )


def new_version(actor: Actor, order: Order) -> panels.NewVersion:
    """The version's row."""
    submission = order.received.submission
    return panels.NewVersion(
        panel_id=order.panel_id,
        version=order.version,
        organisation_id=actor.organisation_id,
        status=submission.status,
        origin=order.origin,
        format=submission.format,
        received_at=submission.received_at,
        collected_at=submission.collected_at,
        panel=order.received.panel,
        interpretation=order.interpretation,
        identity=order.received.identity,
        actor_id=actor.id,
    )


def result_keys(services: Services, organisation_id: str, received: Received) -> dict[str, str]:
    """Identifier to key, of the results that their sender and their patient make known.

    A test has none: no message corrects it, and it corrects none.
    """
    keys: dict[str, str] = {}
    vault = services.store.vault
    if is_test(received):
        return keys
    for result in received.submission.results:
        if result.identifier:
            key = result_identities.key_of(
                vault, organisation_id, received.identity, result.identifier
            )
            if key:
                keys[result.identifier] = key
    return keys


def order_keys(services: Services, organisation_id: str, received: Received) -> dict[str, str]:
    """Order to key, of the orders that these results are parts of."""
    vault, keys = services.store.vault, {}
    panel: Mapping[str, Any] = received.panel
    for order in {one["order"] for one in panel["results"] if one.get("order")}:
        key = result_identities.order_key_of(vault, organisation_id, received.identity, order)
        if key and not is_test(received):
            keys[order] = key
    return keys


def keep_identities(
    services: Services, connection: Connection, organisation_id: str, order: Order
) -> None:
    """Say which panel holds these results and orders, so that a later message finds it."""
    keys = result_keys(services, organisation_id, order.received)
    orders = order_keys(services, organisation_id, order.received)
    result_identities.keep(
        connection,
        organisation_id,
        {*keys.values(), *orders.values()},
        order.panel_id,
        seen=order.seen,
        is_new=order.version == 1,
        now=order.now,
    )


def add_report(
    connection: Connection, organisation_id: str, order: Order, number: str | None = None
) -> ReportRecord:
    """The report's row, its number given now, or the reason why none is made."""
    why = why_none(order.received.identity)
    made = why is None
    if made and number is None:
        number = reports.next_number(connection, organisation_id, order.now.year)
    record = ReportRecord(
        id=fresh_id(order.now),
        panel_id=order.panel_id,
        version=order.version,
        status="queued" if made else "not_made",
        number=number if made else None,
        why=why,
    )
    reports.add_report(connection, organisation_id, record, order.now)
    return record


def why_none(identity: Identity) -> str | None:
    """Why no document can be made: nobody it is matched to, or letters that no font here has."""
    if not identity.identifier:
        return NO_IDENTIFIER
    return next((message for _, _, message in not_printable(identity)), None)


def add_deliveries(
    services: Services,
    connection: Connection,
    organisation_id: str,
    report: ReportRecord,
    recipients: tuple[tuple[str, bool, str | None], ...],
    *,
    origin: str,
    now: datetime,
    first: int = 0,
) -> tuple[str, ...]:
    """One row for each (address, attached, note); their ids."""
    why = NOTHING_TO_SEND if report.status == "not_made" else None
    rows = tuple(
        _delivery(services.policy, report, recipient, origin=origin, why=why, now=now)
        for recipient in recipients
    )
    deliveries.add_deliveries(
        connection,
        services.store.vault,
        organisation_id,
        rows,
        report_status=report.status,
        now=now,
        first=first,
    )
    return tuple(row.id for row in rows)


def _delivery(
    policy: Policy,
    report: ReportRecord,
    recipient: tuple[str, bool, str | None],
    *,
    origin: str,
    why: str | None,
    now: datetime,
) -> deliveries.NewDelivery:
    delivery_id = fresh_id(now)
    address, attached, note = recipient
    secret = new_token(policy.secret, LINK)
    return deliveries.NewDelivery(
        id=delivery_id,
        panel_id=report.panel_id,
        version=report.version,
        report_id=report.id,
        recipient=address,
        as_attachment=attached,
        origin=origin,
        message_id=f"<{delivery_id}@{mail_domain(policy)}>",
        token=secret.token,
        token_digest=secret.digest,
        link_expires_at=now + policy.link_lifetime,
        note=note,
        failed_because=why,
    )


def mail_domain(policy: Policy) -> str:
    """Our name in Message-IDs: the sender's domain, else this site's."""
    domain = policy.mail_from.rpartition("@")[2].strip(" >")
    return domain or urlsplit(policy.base_url).hostname or "localhost"


def nudge(services: Services, kind: Wake = "report") -> None:
    """Say "look" to a worker; if the word is lost, the sweep sees the row."""
    try:
        services.queue.wake(kind)
    except Exception:  # noqa: BLE001  # a broker's fault must never become the sender's
        return
