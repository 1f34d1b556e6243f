"""Mail that people ask for: sending and trying again, withdrawing, following a mail's link."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, get_args

from labinterp.access import Actor, require
from labinterp.access.links import token_digest
from labinterp.errors import Conflict, NotFound, Place, SubmissionError, TemporaryFailure
from labinterp.model.submission import Recipients
from labinterp.store import audit, deliveries, delivery_jobs, panels, reports
from labinterp.store.audit import Deed
from labinterp.store.rows import DeliveryStatus
from labinterp.usecases import idempotent, recipients
from labinterp.usecases.accept import wanted
from labinterp.usecases.acting import audited, who
from labinterp.usecases.storing import LINK, add_deliveries, nudge

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.store.rows import DeliveryRecord, ReportRecord
    from labinterp.usecases.services import Services

_HOUR: Final = timedelta(hours=1)
_MOST: Final = 500
_CAME_BACK: Final = "withdrawn: sent anew after it came back ({answer})"
_MOVED_ON: Final = "withdrawn: sent to a corrected address instead"


def send(
    services: Services,
    actor: Actor,
    panel_id: str,
    told: Recipients,
    *,
    idempotency_key: str | None = None,
    request_id: str = "",
) -> tuple[DeliveryRecord, ...]:
    """A new message about the newest version to each address, whatever became of earlier ones.

    Raises:
        NotFound: no such panel in this organisation.
        SubmissionError: nobody named, or an address that is none.
        Conflict: there is no report and none will be (`report-not-available`); the key was reused.
        TemporaryFailure: code `too-many-requests`: this panel was sent too often within an hour.
    """
    require(actor, "deliveries:write")
    checked = _someone(recipients.checked(services.policy, told))
    asked = idempotent.digest_of(*checked.email, str(checked.as_attachment))
    key = idempotent.client_key(
        services, actor.organisation_id, idempotency_key, f"send {panel_id}", asked
    )
    ids = idempotent.once(
        services,
        key,
        do=lambda connection: _send(
            services, connection, actor, panel_id, told=checked, request_id=request_id
        ),
        to_text=list,
        from_text=tuple,
    )
    nudge(services, "delivery")
    with services.store.reading() as connection:
        return tuple(
            deliveries.read_delivery(connection, actor.organisation_id, str(each)) for each in ids
        )


def _someone(told: Recipients) -> Recipients:
    if not told.email:
        message = "Name at least one mail address."
        raise SubmissionError(
            message,
            code="recipients-invalid",
            errors=(Place("email", "recipients-missing", message),),
        )
    return told


def _send(
    services: Services,
    connection: Connection,
    actor: Actor,
    panel_id: str,
    *,
    told: Recipients,
    request_id: str,
) -> tuple[str, ...]:
    organisation_id = actor.organisation_id
    version = panels.newest_version(connection, organisation_id, panel_id, lock=True)
    report = reports.read_report(connection, organisation_id, panel_id, version, lock=True)
    _can_be_sent(report)
    _not_too_often(services, connection, organisation_id, panel_id, len(told.email))
    now = services.now()
    ids = add_deliveries(
        services,
        connection,
        organisation_id,
        report,
        wanted(services.policy, told),
        origin="send",
        now=now,
    )
    deed = Deed(
        "E", "panel-sent", panel_id=panel_id, version=version, entity=f"deliveries:{len(ids)}"
    )
    audit.record(connection, who(actor, request_id), deed, now)
    return ids


def _can_be_sent(report: ReportRecord) -> None:
    if report.status in {"failed", "not_made"}:
        raise Conflict(
            f"There is no report to send. {report.why or ''}".strip(),
            code="report-not-available",
        )


def _not_too_often(
    services: Services, connection: Connection, organisation_id: str, panel_id: str, more: int
) -> None:
    sent = deliveries.recently_sent(connection, organisation_id, panel_id, services.now() - _HOUR)
    most = services.policy.sends_per_hour
    if sent + more > most:
        raise TemporaryFailure(
            f"This panel may be sent again {most} times an hour.",
            code="too-many-requests",
            retry_after=int(_HOUR.total_seconds()),
        )


def list_deliveries(services: Services, actor: Actor, panel_id: str) -> tuple[DeliveryRecord, ...]:
    """What became of each message about any version of a panel, oldest first.

    Raises:
        NotFound: no such panel in this organisation.
    """
    require(actor, "panels:read")
    with services.store.reading() as connection:
        panels.newest_version(connection, actor.organisation_id, panel_id)
        return deliveries.of_panel(connection, actor.organisation_id, panel_id)


def all_deliveries(
    services: Services, actor: Actor, state: str | None = None
) -> tuple[DeliveryRecord, ...]:
    """The organisation's messages, newest first; of one state, or all."""
    require(actor, "panels:read")
    states = (state,) if state else ()
    if state and state not in get_args(DeliveryStatus):
        return ()
    with services.store.reading() as connection:
        return deliveries.of_organisation(connection, actor.organisation_id, states, _MOST)


def retry_delivery(
    services: Services,
    actor: Actor,
    delivery_id: str,
    *,
    to: str | None = None,
    request_id: str = "",
) -> DeliveryRecord:
    """Try a message again now; with another address, a new message takes its place.

    Raises:
        NotFound: no such delivery in this organisation.
        SubmissionError: the new address is none.
        Conflict: it is sent, withdrawn or being sent; or there is no report to send.
    """
    require(actor, "deliveries:write")
    address = _new_address(services, to)

    def work(connection: Connection) -> str:
        old = deliveries.read_delivery(connection, actor.organisation_id, delivery_id)
        _is_newest(connection, actor, old)
        report = reports.read_report(
            connection, actor.organisation_id, old.panel_id, old.version, lock=True
        )
        _can_be_sent(report)
        moved = address is not None and address.casefold() != old.to.casefold()
        came_back = old.status == "bounced"
        if not came_back:
            _requeued(connection, actor, old, ready=report.status == "ready")
        kept = (
            _moved(services, connection, actor, old, report=report, address=address)
            if moved or came_back
            else old.id
        )
        deed = Deed("E", "delivery-retried", panel_id=old.panel_id, entity=f"delivery:{kept}")
        audit.record(connection, who(actor, request_id), deed, services.now())
        return kept

    kept = services.store.write(work)
    nudge(services, "delivery")
    with services.store.reading() as connection:
        return deliveries.read_delivery(connection, actor.organisation_id, kept)


def _is_newest(connection: Connection, actor: Actor, old: DeliveryRecord) -> None:
    newest = panels.newest_version(connection, actor.organisation_id, old.panel_id, lock=True)
    if old.version < newest:
        raise Conflict(
            f"This message is about version {old.version}; version {newest} corrected it.",
            code="superseded",
        )


def _new_address(services: Services, to: str | None) -> str | None:
    if not to:
        return None
    return recipients.checked(services.policy, Recipients((to,)), "to").email[0]


def _requeued(connection: Connection, actor: Actor, old: DeliveryRecord, *, ready: bool) -> None:
    if not delivery_jobs.requeue_delivery(connection, actor.organisation_id, old.id, ready=ready):
        raise Conflict(
            f"This message is {old.status}, or is being sent just now; it cannot be tried again.",
            code="delivery-not-retriable",
        )


def _moved(
    services: Services,
    connection: Connection,
    actor: Actor,
    old: DeliveryRecord,
    *,
    report: ReportRecord,
    address: str | None,
) -> str:
    """A new message to the corrected address; the old one and its link end.

    One that came back is made anew too, also to the same address: it had left with its link.
    """
    if old.status == "bounced":
        why = _CAME_BACK.format(answer=old.last_answer)
        deliveries.end_bounced(connection, actor.organisation_id, old.id, why)
    deliveries.withdraw_delivery(connection, actor.organisation_id, old.id, _MOVED_ON)
    told = ((address or old.to, old.as_attachment, old.note),)
    return add_deliveries(
        services,
        connection,
        actor.organisation_id,
        report,
        told,
        origin="send",
        now=services.now(),
    )[0]


def retry_report(
    services: Services, actor: Actor, panel_id: str, *, request_id: str = ""
) -> ReportRecord:
    """Have a failed report of the newest version drawn anew; its messages wait for it again.

    Raises:
        NotFound: no such panel in this organisation.
        Conflict: the report has not failed.
    """
    require(actor, "panels:write")

    def work(connection: Connection) -> ReportRecord:
        organisation_id = actor.organisation_id
        version = panels.newest_version(connection, organisation_id, panel_id, lock=True)
        report = reports.read_report(connection, organisation_id, panel_id, version, lock=True)
        if not reports.requeue_report(connection, organisation_id, report.id):
            raise Conflict(f"The report is {report.status}; only a failed one is drawn anew.")
        deliveries.wait_again(connection, organisation_id, report.id)
        deed = Deed("E", "report-retried", panel_id=panel_id, version=version)
        audit.record(connection, who(actor, request_id), deed, services.now())
        return reports.read_report(connection, organisation_id, panel_id, version)

    record = services.store.write(work)
    nudge(services)
    return record


def withdraw_link(
    services: Services, actor: Actor, delivery_id: str, *, request_id: str = ""
) -> DeliveryRecord:
    """Make the link of one mail useless, whoever has it.

    Raises:
        NotFound: no such delivery in this organisation.
    """
    require(actor, "deliveries:write")

    def work(connection: Connection) -> DeliveryRecord:
        record = deliveries.read_delivery(connection, actor.organisation_id, delivery_id)
        deliveries.withdraw_link(connection, actor.organisation_id, delivery_id)
        deed = Deed(
            "U", "link-withdrawn", panel_id=record.panel_id, entity=f"delivery:{delivery_id}"
        )
        audit.record(connection, who(actor, request_id), deed, services.now())
        return record

    return services.store.write(work)


def open_mail_link(services: Services, actor: Actor, token: str, *, request_id: str = "") -> str:
    """The panel a mail's link leads to, for someone who is signed in.

    Raises:
        NotFound: code `link-not-valid`: unknown, over, withdrawn, or another organisation's.
    """
    require(actor, "panels:read")
    digest = token_digest(services.policy.secret, LINK, token)
    now = services.now()
    record: Any = services.store.write(
        lambda connection: deliveries.open_link(connection, actor.organisation_id, digest, now)
    )
    if record is None:
        raise NotFound(
            "This link is over, was withdrawn when the report was corrected, or is not yours.",
            code="link-not-valid",
        )
    deed = Deed("R", "link-opened", panel_id=record.panel_id, entity=f"delivery:{record.id}")
    audited(services, actor, deed, request_id)
    return str(record.panel_id)
