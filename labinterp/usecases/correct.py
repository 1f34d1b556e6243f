"""Correcting a panel: a new version under the same id, and word to everyone who had the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp import telemetry
from labinterp.access import Actor, require
from labinterp.errors import Conflict, Place, SubmissionError
from labinterp.store import audit, deliveries, panels, reports
from labinterp.store.audit import Deed
from labinterp.store.records import written
from labinterp.usecases import idempotent, notices, recipients
from labinterp.usecases.accept import again, as_text, wanted
from labinterp.usecases.acting import who
from labinterp.usecases.explained import interpreted, with_history
from labinterp.usecases.storing import (
    Order,
    accepted,
    add_deliveries,
    add_report,
    keep_identities,
    new_version,
    nudge,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.model.submission import Identity, Received
    from labinterp.usecases.outcomes import Accepted
    from labinterp.usecases.services import Services

_WITHDRAWN: Final = "withdrawn: the panel was corrected before this was sent"
OVERTAKEN: Final = "Another correction of this panel was accepted meanwhile."
Told = tuple[tuple[str, bool, str | None], ...]


class Overtaken(Conflict):
    """Another correction was faster; whoever made this one from the older version looks again."""


def correct(
    services: Services,
    actor: Actor,
    panel_id: str,
    received: Received,
    *,
    idempotency_key: str | None = None,
    body_digest: str = "",
    request_id: str = "",
) -> Accepted:
    """Keep a whole panel of the same patient as the next version.

    Unsent mail about older versions is withdrawn, their links end, and everyone who had been told,
    or was about to be, gets a message about this version.

    Raises:
        NotFound: no such panel in this organisation.
        SubmissionError: nothing readable, or `another-patient`; nothing was stored.
        Conflict: the key was used for another body, or another correction came first.
        TemporaryFailure: the database cannot be had; nothing was stored.
    """
    require(actor, "panels:write")
    digest = body_digest or idempotent.digest_of(written(received.panel))
    purpose = f"correct {panel_id}"
    key = idempotent.client_key(services, actor.organisation_id, idempotency_key, purpose, digest)
    before = idempotent.replayed(services, key) if key else None
    if before is not None:
        return again(before)
    order = correction_for(services, actor, panel_id, received)
    corrected = idempotent.once(
        services,
        key,
        do=lambda connection: store_correction(services, connection, actor, order, request_id),
        to_text=as_text,
        from_text=again,
    )
    if not corrected.replayed:
        telemetry.count(telemetry.PANELS_ACCEPTED, received.submission.format)
        nudge(services)
    return corrected


def correction_for(services: Services, actor: Actor, panel_id: str, received: Received) -> Order:
    """The next version as it is to be stored: checked, with its history, and explained.

    Raises:
        NotFound: no such panel in this organisation.
        SubmissionError: nothing readable, or `another-patient`.
    """
    with services.store.reading() as connection:
        old = panels.read_version(connection, services.store.vault, actor.organisation_id, panel_id)
    _same_patient(old.identity, received.identity)
    told = recipients.checked(services.policy, received.recipients)
    submission = with_history(services, actor.organisation_id, received, other_than=panel_id)
    return Order(
        panel_id=panel_id,
        version=old.version + 1,
        received=received,
        interpretation=interpreted(services, submission, actor.choices),
        recipients=told,
        origin="correction",
        now=services.now(),
    )


def _same_patient(old: Identity, new: Identity) -> None:
    """A correction may mend a name, never move results to another patient's identifier."""
    if old.identifier is None:
        return
    if (old.identifier, old.issuer) != (new.identifier, new.issuer):
        message = (
            "The identifier or its issuer is not the one this panel was accepted under."
            " Send a panel of another patient as a new panel."
        )
        raise SubmissionError(
            message,
            code="another-patient",
            errors=(Place("patient.identifier", "another-patient", message),),
        )


def store_correction(
    services: Services, connection: Connection, actor: Actor, order: Order, request_id: str
) -> Accepted:
    """All rows of a next version, in the caller's transaction.

    Raises:
        Overtaken: another correction was faster.
    """
    organisation_id, vault = actor.organisation_id, services.store.vault
    row = new_version(actor, order)
    panels.newest_version(connection, organisation_id, order.panel_id, lock=True)
    if not panels.add_correction(connection, vault, row):
        raise Overtaken(OVERTAKEN)
    keep_identities(services, connection, organisation_id, order)
    reports.close_failed(connection, organisation_id, order.panel_id)
    number = reports.first_number(connection, organisation_id, order.panel_id)
    report = add_report(connection, organisation_id, order, number)
    earlier = deliveries.withdraw_unsent(connection, organisation_id, order.panel_id, _WITHDRAWN)
    first = 0
    for told, origin in _everyone(services, order, earlier):
        add_deliveries(
            services,
            connection,
            organisation_id,
            report,
            told,
            origin=origin,
            now=order.now,
            first=first,
        )
        first += len(told)
    notices.tell_accepted(services, connection, organisation_id, order, report.status)
    deed = Deed(
        "U",
        "panel-corrected",
        panel_id=order.panel_id,
        version=order.version,
        patient_key=panels.patient_key(vault, organisation_id, row.identity),
    )
    audit.record(connection, who(actor, request_id), deed, order.now)
    return accepted(order)


def _everyone(
    services: Services, order: Order, earlier: tuple[tuple[str, bool], ...]
) -> tuple[tuple[Told, str], ...]:
    """Those the correction names, and those told before whom it does not name; each once."""
    named = wanted(services.policy, order.recipients)
    known = {address.casefold() for address, _, _ in named}
    before: dict[str, tuple[str, bool, str | None]] = {}
    for address, attached in earlier:
        if address.casefold() not in known:
            before[address.casefold()] = (
                address,
                *recipients.attachment(services.policy, attached),
            )
    return (named, "accept"), (tuple(before.values()), "correct")
