"""What the store hands out: frozen records, one per kind of row, identity already opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from labinterp.model.submission import Choices

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from labinterp.model.codes import Standing, Urgency
    from labinterp.model.interpretation import Interpretation
    from labinterp.model.submission import Identity

ReportStatus = Literal["queued", "drawing", "ready", "failed", "not_made"]
DeliveryStatus = Literal["queued", "sent", "deferred", "refused", "bounced", "failed", "withdrawn"]
ChangeKind = Literal["changed", "added", "withdrawn", "removed", "remarks", "context"]


@dataclass(frozen=True, slots=True)
class ReportRecord:
    """How far the document of one panel version is.

    Attributes:
        number: `LI-2026-000123`; None when no report is made.
        version: of the panel it shows.
        why: for failed and not_made, the reason in a sentence.
        attempts: how often drawing was begun.
        digest: SHA-256 of the finished bytes, hexadecimal.
    """

    id: str
    panel_id: str
    version: int
    status: ReportStatus
    number: str | None = None
    why: str | None = None
    attempts: int = 0
    file_name: str | None = None
    digest: str | None = None
    ready_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """What became of one message to one recipient.

    Attributes:
        to: the address.
        last_answer: the mail server's last words, or ours when it was not asked.
        next_try: when a deferred one is tried again.
        version: of the panel it speaks of.
        note: what was done otherwise than asked (an attachment sent as a link).
        opened_at: when its link was first opened.
        origin: what asked for it: accept, correct (for those told of the old version), send.
    """

    id: str
    panel_id: str
    version: int
    to: str
    status: DeliveryStatus
    attempts: int
    last_answer: str | None
    next_try: datetime | None
    as_attachment: bool
    created_at: datetime
    report_number: str | None = None
    sent_at: datetime | None = None
    opened_at: datetime | None = None
    link_expires_at: datetime | None = None
    note: str | None = None
    origin: str = "accept"


@dataclass(frozen=True, slots=True)
class AcknowledgementRecord:
    """Who was told of a critical result, by whom, how, and when it was written down."""

    id: str
    panel_id: str
    version: int
    at: datetime
    by: str
    told: str
    how: str
    read_back: bool


@dataclass(frozen=True, slots=True)
class PatientPageRecord:
    """A page that was released to the patient.

    Attributes:
        asked: the language that was wanted; `language` is the one it is in.
        released_by: the clinician, by name.
        contact: whom the patient asks.
        knowledge_digest: of the files whose sentences it is made of.
        digest: SHA-256 of the PDF, hexadecimal.
        withdrawn_at: since when it is not shown any more.
    """

    id: str
    panel_id: str
    version: int
    asked: str
    language: str
    released_at: datetime
    released_by: str
    contact: str
    knowledge_digest: str
    digest: str
    file_name: str
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None


@dataclass(frozen=True, slots=True)
class VersionChange:
    """One thing that a version changed of the version before it.

    Attributes:
        kind: what became of a result, or (`context`) that something else of the panel changed.
        about: the test, or what of the panel.
        text: the whole as a sentence, as the report prints it.
        was: the value as sent before; null where there was none, or it was taken back.
        now: the same of this version.
        reason: what the laboratory said beside it.
    """

    kind: ChangeKind
    about: str
    text: str
    measurand: str | None = None
    was: str | None = None
    now: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PanelRecord:
    """One version of a stored panel with everything known about it.

    Attributes:
        status: as sent: final, preliminary, corrected, cancelled.
        panel: as received, in the contract's JSON form.
        newest_version: the highest version under this id; below it this one is superseded.
        patient_ref: opaque, for addresses; None without an identifier and issuer.
    """

    id: str
    version: int
    status: str
    received_at: datetime
    panel: Mapping[str, object]
    interpretation: Interpretation
    identity: Identity
    report: ReportRecord
    deliveries: tuple[DeliveryRecord, ...]
    newest_version: int
    superseded: bool
    patient_ref: str | None = None
    acknowledgements: tuple[AcknowledgementRecord, ...] = ()
    origin: str = "api"
    changes: tuple[VersionChange, ...] = ()


@dataclass(frozen=True, slots=True)
class PanelSummary:
    """One line of a list of panels: its newest version."""

    id: str
    version: int
    status: str
    received_at: datetime
    collected_at: datetime | None
    identity: Identity
    urgency: Urgency
    standings: tuple[Standing, ...]
    report_status: ReportStatus
    report_number: str | None
    acknowledged: bool
    patient_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of panels, newest first; `next_cursor` is None on the last."""

    items: tuple[PanelSummary, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class OrganisationRecord:
    """A tenant: everything stored belongs to exactly one.

    Attributes:
        choices: which of our intervals, limits and schemes it uses where a request does not say.
    """

    id: str
    name: str
    created_at: datetime
    choices: Choices = field(default_factory=Choices)
    second_factor_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A person who may sign in.

    Attributes:
        sessions_from: sessions that began before are over.
        second_factor: they have an authenticator.
        second_factor_required: their organisation wants one of everybody.
    """

    id: str
    organisation_id: str
    organisation: str
    email: str
    name: str
    scopes: tuple[str, ...]
    active: bool
    choices: Choices = field(default_factory=Choices)
    password_hash: str | None = field(default=None, repr=False)
    sessions_from: datetime | None = None
    second_factor: bool = False
    second_factor_required: bool = False


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """Where a person is signed in.

    Attributes:
        browser: what the browser said of itself, cut short.
    """

    id: str
    began_at: datetime
    seen_at: datetime
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An API key as it is listed: its public prefix, never the key."""

    id: str
    organisation_id: str
    organisation: str
    prefix: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    secret_digest: str = field(default="", repr=False)
    choices: Choices = field(default_factory=Choices)


@dataclass(frozen=True, slots=True)
class WebhookRecord:
    """Whom we tell of a report: our own webhook, or a FHIR Subscription.

    Attributes:
        events: those it is told of.
        status: requested (not yet verified), active, error (the last event was given up), off.
        why: what its endpoint answered, for error and off.
        document: a Subscription as it was sent; None of a webhook.
        ends_at: nothing is told from then on.
    """

    id: str
    organisation_id: str
    kind: Literal["webhook", "subscription", "receiver"]
    url: str
    events: tuple[str, ...]
    status: str
    created_at: datetime
    why: str | None = None
    former_until: datetime | None = None
    ends_at: datetime | None = None
    document: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """One event for one endpoint, and what became of it.

    Attributes:
        id: of the event, the same at every try.
        last_answer: what the endpoint answered last, in our words.
        next_try: when a deferred one is tried again.
    """

    id: str
    webhook_id: str
    event: str
    status: Literal["queued", "deferred", "sent", "failed", "withdrawn"]
    attempts: int
    created_at: datetime
    panel_id: str | None = None
    version: int | None = None
    last_answer: str | None = None
    next_try: datetime | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """A system that proves itself by signing: its public keys, never a secret.

    Attributes:
        id: also the `client_id` of SMART Backend Services.
        scopes: what it may be granted, ours and SMART's.
        issuer: the name a CDS client signs under.
        key_set: its keys by value (a JWKS); else they are at `key_set_url`.
    """

    id: str
    organisation_id: str
    organisation: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    issuer: str | None = None
    key_set: Mapping[str, Any] | None = None
    key_set_url: str | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    choices: Choices = field(default_factory=Choices)


@dataclass(frozen=True, slots=True)
class SenderRecord:
    """A system that sends HL7 v2 messages.

    Attributes:
        application, facility: the names in MSH-3 and MSH-4.
        settings: the document that was agreed.
    """

    id: str
    organisation_id: str
    name: str
    application: str
    facility: str
    settings: Mapping[str, Any]
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """A FHIR server that results are fetched from.

    Attributes:
        base: its address, without a slash at the end.
        token: what it is sent as a bearer token; empty where it asks for none.
    """

    id: str
    organisation_id: str
    base: str
    created_at: datetime
    token: str = field(default="", repr=False)
