"""The journey of a panel, for the faces: all that a route, a page or a task may ask for.

    interpret_only   read and explain, keep nothing
    take             what any door brings: kept as new, or as the next version of its panel
    correct          a new version under the same id
    import_file      many rows, each accepted or refused alone
    read_panel, panel_document, list_panels, patient_history, read_report
    send, list_deliveries, all_deliveries, retry_delivery, retry_report,
    withdraw_link, open_mail_link
    acknowledge, critical_unacknowledged
    draw_due, deliver_due, notify_due, background_due, due_counts  the worker's and the relay's side

Signatures (each takes `services` and, except the worker's side, `actor` first):

    interpret_only(services, received, actor=None) -> Interpretation
    take(services, actor, received, *, idempotency_key=None, body_digest="", origin="api",
         request_id="") -> Accepted
    correct(services, actor, panel_id, received, *, idempotency_key=None, body_digest="",
            request_id="") -> Accepted
    import_file(services, actor, body, *, media_type=None, file_name=None, request_id="")
        -> tuple[ImportOutcome, ...]
    read_panel(services, actor, panel_id, version=None, *, request_id="") -> PanelRecord
    panel_document(record) -> dict
    accepted_record(services, actor, accepted) -> PanelRecord   what the sender is answered, always
    as_accepted(record) -> PanelRecord        as it read when accepted, for a replayed request
    list_panels(services, actor, *, patient=None, from_=None, to=None, collected_from=None,
                collected_to=None, ids=None, standing=None, urgency=None, cursor=None, limit=50)
        -> Page
    patient_history(services, actor, patient_ref) -> tuple[PanelRecord, ...]        newest first
    read_report(services, actor, panel_id, version=None, *, request_id="") -> ReportState
    send(services, actor, panel_id, recipients, *, idempotency_key=None, request_id="")
        -> tuple[DeliveryRecord, ...]
    list_deliveries(services, actor, panel_id) -> tuple[DeliveryRecord, ...]
    all_deliveries(services, actor, state=None) -> tuple[DeliveryRecord, ...]
    retry_delivery(services, actor, delivery_id, *, to=None) -> DeliveryRecord
    retry_report(services, actor, panel_id) -> ReportRecord
    withdraw_link(services, actor, delivery_id) -> DeliveryRecord
    open_mail_link(services, actor, token) -> str                                     the panel's id
    acknowledge(services, actor, panel_id, *, told, how, read_back) -> AcknowledgementRecord
    critical_unacknowledged(services, actor) -> tuple[PanelSummary, ...]
    draw_due(services, worker, limit) -> int
    deliver_due(services, worker, limit) -> int
    notify_due(services, worker, limit) -> int
    background_due(services, worker, limit) -> int
    due_counts(services) -> DueCounts
    read_bounces(services) -> int                          deliveries that came back, or did not
    tidy(services) -> int                                      forgets what has had its time

What administrators do (organisations, users, keys, sign-in) is in `usecases.administer`.
"""

from labinterp.store.rows import (
    AcknowledgementRecord,
    DeliveryRecord,
    Page,
    PanelRecord,
    PanelSummary,
    ReportRecord,
)
from labinterp.usecases.accept import interpret_only
from labinterp.usecases.acknowledge import acknowledge
from labinterp.usecases.background import background_due
from labinterp.usecases.bounces import read_bounces
from labinterp.usecases.correct import correct
from labinterp.usecases.delivery_work import deliver_due
from labinterp.usecases.document import delivery_document, panel_document
from labinterp.usecases.due import due_counts
from labinterp.usecases.imports import import_file
from labinterp.usecases.notice_work import notify_due
from labinterp.usecases.outcomes import Accepted, DueCounts, ImportOutcome, ReportState
from labinterp.usecases.read import (
    accepted_record,
    as_accepted,
    critical_unacknowledged,
    list_panels,
    patient_history,
    read_panel,
    read_report,
)
from labinterp.usecases.replace import take, take_all
from labinterp.usecases.report_work import draw_due
from labinterp.usecases.send import (
    all_deliveries,
    list_deliveries,
    open_mail_link,
    retry_delivery,
    retry_report,
    send,
    withdraw_link,
)
from labinterp.usecases.tidy import tidy

__all__ = [
    "Accepted",
    "AcknowledgementRecord",
    "DeliveryRecord",
    "DueCounts",
    "ImportOutcome",
    "Page",
    "PanelRecord",
    "PanelSummary",
    "ReportRecord",
    "ReportState",
    "accepted_record",
    "acknowledge",
    "all_deliveries",
    "as_accepted",
    "background_due",
    "correct",
    "critical_unacknowledged",
    "deliver_due",
    "delivery_document",
    "draw_due",
    "due_counts",
    "import_file",
    "interpret_only",
    "list_deliveries",
    "list_panels",
    "notify_due",
    "open_mail_link",
    "panel_document",
    "patient_history",
    "read_bounces",
    "read_panel",
    "read_report",
    "retry_delivery",
    "retry_report",
    "send",
    "take",
    "take_all",
    "tidy",
    "withdraw_link",
]
