"""Taking a panel in: read, explain, and keep it with its work in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labinterp import telemetry
from labinterp.access import Actor, require
from labinterp.errors import LabinterpError, NotFound
from labinterp.store import audit, panels
from labinterp.store.audit import Deed
from labinterp.store.store import CommitUnknown, fresh_id
from labinterp.usecases import idempotent, notices, recipients
from labinterp.usecases.acting import who
from labinterp.usecases.default_recipients import told_by_default
from labinterp.usecases.explained import interpreted, with_history
from labinterp.usecases.outcomes import Accepted
from labinterp.usecases.storing import (
    Order,
    accepted,
    add_deliveries,
    add_report,
    is_test,
    keep_identities,
    new_version,
    nudge,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from labinterp.model.interpretation import Interpretation
    from labinterp.model.submission import Received, Recipients
    from labinterp.usecases.idempotent import Key
    from labinterp.usecases.services import Policy, Services


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a panel came from, for its rows."""

    door: str
    request_id: str


def interpret_only(
    services: Services, received: Received, actor: Actor | None = None
) -> Interpretation:
    """Explain a panel and keep nothing; only counts remain.

    Raises:
        SubmissionError: code `nothing-readable`.
    """
    if actor is not None:
        require(actor, "panels:write")
    return interpreted(services, received.submission, actor.choices if actor else None)


def accept_once(
    services: Services,
    actor: Actor,
    received: Received,
    key: Key | None,
    origin: Origin,
    *,
    seen: Mapping[str, str | None] | None = None,
) -> Accepted:
    """Keep a panel once per key; `seen`: which panels held its results when it was looked."""
    before = idempotent.replayed(services, key) if key else None
    if before is not None:
        return again(before)
    try:
        order = order_for(services, actor, received, origin, seen=seen)
    except LabinterpError as error:
        telemetry.count(telemetry.PANELS_REFUSED, error.code)
        raise
    accepted = _stored(services, actor, order, key, origin)
    if not accepted.replayed:
        telemetry.count(telemetry.PANELS_ACCEPTED, received.submission.format)
        nudge(services)
    return accepted


def order_for(
    services: Services,
    actor: Actor,
    received: Received,
    origin: Origin,
    *,
    seen: Mapping[str, str | None] | None = None,
) -> Order:
    """What is to be stored of a panel: checked, with its history, and explained.

    Raises:
        SubmissionError: nothing readable, or an address that is none.
    """
    told = recipients.checked(services.policy, received.recipients)
    if not told.email and not is_test(received):
        told = told_by_default(services, actor.organisation_id, origin.door)
    submission = with_history(services, actor.organisation_id, received)
    now = services.now()
    return Order(
        panel_id=fresh_id(now),
        version=1,
        received=received,
        interpretation=interpreted(services, submission, actor.choices),
        recipients=told,
        origin=panels.TEST if is_test(received) else origin.door,
        now=now,
        seen=seen,
    )


def _stored(
    services: Services, actor: Actor, order: Order, key: Key | None, origin: Origin
) -> Accepted:
    try:
        return idempotent.once(
            services,
            key,
            do=lambda connection: store_order(services, connection, actor, order, origin),
            to_text=as_text,
            from_text=again,
        )
    except CommitUnknown:
        if is_stored(services, actor, order):
            return Accepted(order.panel_id, order.version)
        raise


def is_stored(services: Services, actor: Actor, order: Order) -> bool:
    """The database went away while committing: did it keep the panel?"""
    try:
        with services.store.reading() as connection:
            panels.newest_version(connection, actor.organisation_id, order.panel_id)
    except NotFound:
        return False
    return True


def store_order(
    services: Services, connection: Connection, actor: Actor, order: Order, origin: Origin
) -> Accepted:
    """All rows of a new panel, in the caller's transaction."""
    row = new_version(actor, order)
    vault = services.store.vault
    panels.add_panel(connection, vault, row, order.now)
    keep_identities(services, connection, actor.organisation_id, order)
    report = add_report(connection, actor.organisation_id, order)
    add_deliveries(
        services,
        connection,
        actor.organisation_id,
        report,
        wanted(services.policy, order.recipients),
        origin="accept",
        now=order.now,
    )
    notices.tell_accepted(services, connection, actor.organisation_id, order, report.status)
    deed = Deed(
        "C",
        "panel-accepted",
        panel_id=order.panel_id,
        version=order.version,
        patient_key=panels.patient_key(vault, actor.organisation_id, row.identity),
    )
    audit.record(connection, who(actor, origin.request_id), deed, order.now)
    return accepted(order)


def wanted(policy: Policy, told: Recipients) -> tuple[tuple[str, bool, str | None], ...]:
    """Each address with whether the report is attached, and what to note of that."""
    attached, note = recipients.attachment(policy, told.as_attachment)
    return tuple((address, attached, note) for address in told.email)


def as_text(accepted: Accepted) -> dict[str, object]:
    """An answer as it is remembered under its key."""
    return {
        "panel_id": accepted.panel_id,
        "version": accepted.version,
        "problems": accepted.problems,
    }


def again(remembered: Any) -> Accepted:
    """The remembered answer, told apart as a replay."""
    return Accepted(**remembered, replayed=True)
