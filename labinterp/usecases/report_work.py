"""The worker's side of reports: take a due row, draw, store; after the last try, a person's list.

`queued → drawing → ready | failed`. The attempt is counted by the claim, before the work, so that a
panel that kills its worker is parked after a few. What no font can print is not tried again. What
waits for the report moves with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from labinterp import telemetry
from labinterp.errors import ReportFailure, TemporaryFailure
from labinterp.store import audit, deliveries, panels, reports
from labinterp.store.audit import Deed
from labinterp.usecases import notices
from labinterp.usecases.acting import ITSELF
from labinterp.usecases.backoff import delay
from labinterp.usecases.orders import report_order
from labinterp.usecases.storing import nudge

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from labinterp.model.report import Report
    from labinterp.store.reports import Claim
    from labinterp.usecases.services import Services

_KILLED: Final = (
    "Drawing was begun {attempts} times without an end; as if the worker was stopped each time."
)
_FAULT: Final = "Drawing failed {attempts} times ({error})."
_NOT_SENT: Final = "not sent: the report could not be drawn"
_log = telemetry.logger(__name__)


def draw_due(services: Services, worker: str, limit: int) -> int:
    """Draw what is due; how many rows were moved.

    Args:
        services: the wired parts.
        worker: its name, for the row.
        limit: at most so many.

    Raises:
        TemporaryFailure: the database cannot be had; leases end by themselves.
    """
    policy = services.policy
    with services.store.reading() as connection:
        due = reports.due_reports(connection, policy.implausible, limit)
    moved = 0
    for report_id, attempts in due:
        if attempts >= policy.report_attempts:
            moved += _park(services, report_id, attempts)
        else:
            moved += _draw(services, worker, report_id)
    return moved


def draw_at_once(services: Services, report_id: str) -> None:
    """Draw one report for whoever waits for it, unless somebody else has begun or ended."""
    _draw(services, "on request", report_id)


def _park(services: Services, report_id: str, attempts: int) -> bool:
    policy = services.policy

    def work(connection: Connection) -> bool:
        parked = reports.park_report(
            connection,
            report_id,
            why=_KILLED.format(attempts=attempts),
            implausible=policy.implausible,
            attempts=policy.report_attempts,
        )
        if parked:
            deliveries.fail_waiting(connection, report_id, _NOT_SENT)
            version = reports.version_of(connection, report_id)
            notices.tell_failed(services, connection, *version)
        return parked

    parked = services.store.write(work)
    if parked:
        telemetry.count(telemetry.REPORTS, "parked")
        _log.error("report-parked", attempts=attempts)
    return parked


def _draw(services: Services, worker: str, report_id: str) -> bool:
    claim = _claimed(services, worker, report_id)
    if claim is None:
        return False
    try:
        drawn = _drawn(services, claim)
    except TemporaryFailure:
        raise
    except Exception as error:  # noqa: BLE001  # one panel's fault stays with it, whatever it is
        _failed(services, claim, error)
        return True
    _finish(services, claim, drawn)
    return True


def _claimed(services: Services, worker: str, report_id: str) -> Claim | None:
    policy = services.policy
    return services.store.write(
        lambda connection: reports.claim_report(
            connection,
            report_id,
            worker,
            lease=policy.report_lease,
            implausible=policy.implausible,
            attempts=policy.report_attempts,
        )
    )


def _drawn(services: Services, claim: Claim) -> Report:
    with services.store.reading() as connection:
        stored = panels.read_version(
            connection,
            services.store.vault,
            claim.organisation_id,
            claim.panel_id,
            claim.version,
        )
        record = reports.read_report(
            connection, claim.organisation_id, claim.panel_id, claim.version
        )
    order = report_order(services, claim.organisation_id, stored, record, services.now())
    with telemetry.DRAWING.time():
        return services.draw(order)


def _finish(services: Services, claim: Claim, drawn: Report) -> None:
    """Bytes, state and the release of the mails that wait, in one transaction."""
    now = services.now()

    def work(connection: Connection) -> tuple[int, int] | None:
        if not reports.finish_report(connection, services.store.vault, claim, drawn, now):
            return None
        _audit(connection, services, claim, "report-drawn")
        told = notices.tell_drawn(services, connection, claim)
        return deliveries.release_waiting(connection, claim.id), told

    done = services.store.write(work)
    if done is None:
        _log.warning("claim-lost", kind="report", panel_id=claim.panel_id)
        return
    telemetry.count(telemetry.REPORTS, "ready")
    _log.info("report-ready", panel_id=claim.panel_id, version=claim.version)
    released, told = done
    if released:
        nudge(services, "delivery")
    if told:
        nudge(services, "notice")


def _failed(services: Services, claim: Claim, error: Exception) -> None:
    facts = telemetry.error_facts(error)
    said = f"{facts['exception']} at {facts['place']}"
    why = _FAULT.format(attempts=claim.attempts, error=facts["exception"])
    if isinstance(error, ReportFailure):
        why = error.message
        services.store.write(lambda connection: _give_up(connection, services, claim, said, why))
        outcome = "failed"
    elif claim.attempts < services.policy.report_attempts:
        wait = delay(services.policy, claim.attempts)
        services.store.write(
            lambda connection: reports.defer_report(connection, claim, error=said, delay=wait)
        )
        outcome = "deferred"
    else:
        services.store.write(lambda connection: _give_up(connection, services, claim, said, why))
        outcome = "failed"
    telemetry.count(telemetry.REPORTS, outcome)
    _log.error("drawing-failed", panel_id=claim.panel_id, attempts=claim.attempts, **facts)


def _give_up(connection: Connection, services: Services, claim: Claim, said: str, why: str) -> None:
    if reports.fail_report(connection, claim, why=why, error=said):
        deliveries.fail_waiting(connection, claim.id, _NOT_SENT)
        _audit(connection, services, claim, "report-failed", "8")
        version = (claim.organisation_id, claim.panel_id, claim.version)
        notices.tell_failed(services, connection, *version)


def _audit(
    connection: Connection,
    services: Services,
    claim: Claim,
    subtype: str,
    outcome: audit.Done = "0",
) -> None:
    deed = Deed("C", subtype, outcome, panel_id=claim.panel_id, version=claim.version)
    actor = audit.Who(claim.organisation_id, ITSELF.kind, ITSELF.id, ITSELF.name)
    audit.record(connection, actor, deed, services.now())
