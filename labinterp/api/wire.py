"""The documents that only the API has, as nouns: written from them and described from them.

Long because it is a list: one short noun a document, found here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - schemas are made from these types
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - schemas are made from these types
from typing import TYPE_CHECKING, Literal

from labinterp.formats.hl7v2_tree import MessageSegment  # noqa: TC001 - as above
from labinterp.model.codes import Standing, Urgency  # noqa: TC001 - schemas are made from these
from labinterp.model.interpretation import Interpretation  # noqa: TC001 - as above
from labinterp.store.rows import VersionChange  # noqa: TC001 - as above

if TYPE_CHECKING:
    from labinterp.errors import Place
    from labinterp.store.rows import PanelSummary
    from labinterp.usecases.outcomes import ImportOutcome


@dataclass(frozen=True, slots=True)
class ProblemPlace:
    """One thing that is wrong, and where.

    Attributes:
        where: the place in the sender's own terms, such as `results[2].unit` or `query.limit`.
        code: stable and in kebab-case, the same at every door.
        message: what is wrong, and what would be right.
    """

    where: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """A refusal, as RFC 9457 has it.

    Attributes:
        type: identifies the kind of refusal; listed at `/api/problems`.
        code: the same, as one word.
        detail: what is wrong with this request, for people.
        errors: each thing that is wrong; empty where nothing in the body is.
        request_id: quote it when you ask about this answer.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: tuple[ProblemPlace, ...]
    request_id: str


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of refusal."""

    code: str
    status: int
    title: str


@dataclass(frozen=True, slots=True)
class ProblemKinds:
    """Every kind of refusal that has a title of its own."""

    kinds: tuple[ProblemKind, ...]


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """How far the document of a panel is.

    Attributes:
        number: stands on every page; a correction keeps it.
        url: where the PDF is; null when there is none to come.
        why: for failed and not_made, the reason.
    """

    status: Literal["queued", "drawing", "ready", "failed", "not_made"]
    number: str | None
    url: str | None
    why: str | None


@dataclass(frozen=True, slots=True)
class DeliveryDocument:
    """What became of one message to one recipient.

    Attributes:
        last_answer: the mail server's last words.
        next_try: when a deferred one is tried again.
        note: what was done otherwise than asked.
    """

    id: str
    to: str
    as_: Literal["link", "attachment"]
    status: Literal["queued", "sent", "deferred", "refused", "bounced", "failed", "withdrawn"]
    attempts: int
    last_answer: str | None
    next_try: datetime | None
    sent_at: datetime | None
    note: str | None


@dataclass(frozen=True, slots=True)
class AcknowledgementDocument:
    """Who was told of a critical result, by whom and how."""

    at: datetime
    by: str
    told: str
    how: str
    read_back: bool
    version: int


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The messages of one panel."""

    deliveries: tuple[DeliveryDocument, ...]


@dataclass(frozen=True, slots=True)
class PanelRecordDocument:
    """One version of a stored panel, with its answer as it was given.

    Attributes:
        status: as sent: final, preliminary, corrected, cancelled.
        panel: as received, every value digit for digit.
        changes: what this version changed of the one before it; empty for the first.
        newest_version: below it, this one is superseded.
        links: where what belongs to it is found.
    """

    id: str
    version: int
    status: str
    received_at: datetime
    panel: Mapping[str, object]
    interpretation: Interpretation
    report: ReportDocument
    deliveries: tuple[DeliveryDocument, ...]
    acknowledgements: tuple[AcknowledgementDocument, ...]
    newest_version: int
    superseded: bool
    changes: tuple[VersionChange, ...]
    links: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class PatientSummary:
    """Whose panel it is, as sent."""

    identifier: str | None
    issuer: str | None
    family: str | None
    given: str | None
    birth_date: str | None


@dataclass(frozen=True, slots=True)
class PanelSummaryDocument:
    """One line of a list of panels: the newest version."""

    id: str
    version: int
    status: str
    received_at: datetime
    collected_at: datetime | None
    patient: PatientSummary
    urgency: Urgency
    standings: tuple[Standing, ...]
    report_status: Literal["queued", "drawing", "ready", "failed", "not_made"]
    report_number: str | None
    acknowledged: bool
    url: str


@dataclass(frozen=True, slots=True)
class PanelPage:
    """One page of panels, newest first.

    Attributes:
        next: the address of the next page; null on the last.
        next_cursor: the same, as the `cursor` parameter.
    """

    panels: tuple[PanelSummaryDocument, ...]
    next: str | None
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ImportOutcomeDocument:
    """What became of one row or message of a file.

    Attributes:
        where: its place in the file.
        duplicate: it was stored before; nothing new was made.
        code: why it was refused.
        problems: how many results or fields could not be read in what was stored.
    """

    where: str
    status: Literal["stored", "refused"]
    panel_id: str | None
    version: int | None
    url: str | None
    duplicate: bool
    code: str | None
    message: str | None
    errors: tuple[ProblemPlace, ...]
    problems: int


@dataclass(frozen=True, slots=True)
class ImportDocument:
    """One outcome for each row or message of the file, in its order."""

    stored: int
    refused: int
    outcomes: tuple[ImportOutcomeDocument, ...]


@dataclass(frozen=True, slots=True)
class JobFileDocument:
    """A file that a job wrote.

    Attributes:
        type: of what stands in it: a type of FHIR resource, or stored and refused panels.
        count: its lines.
    """

    type: str
    url: str
    count: int


@dataclass(frozen=True, slots=True)
class JobManifest:
    """What a finished job wrote, as FHIR's bulk exports have it.

    Attributes:
        transactionTime: when it was asked for; nothing later is in it.
        request: the whole address that was asked for it.
        requiresAccessToken: the files are fetched with the same key or token.
        error: files of what went wrong.
    """

    transactionTime: str  # noqa: N815 - the name that clients know
    request: str
    requiresAccessToken: bool  # noqa: N815 - as above
    output: tuple[JobFileDocument, ...]
    error: tuple[JobFileDocument, ...]


@dataclass(frozen=True, slots=True)
class KnowledgeDocument:
    """Which medical knowledge is in use.

    Attributes:
        digest: over all its files; the same files give the same digest on every machine.
        links: where its pieces are listed.
    """

    version: str
    digest: str
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WebhookDocument:
    """An endpoint that is told of events.

    Attributes:
        status: error while the last event was given up; it is told of the next ones all the same.
        why: what the endpoint answered then.
        former_secret_until: until when a changed secret's predecessor signs too.
        secret: signs what it is sent; only in the answer that made it.
        links: where what belongs to it is found.
    """

    id: str
    url: str
    events: tuple[str, ...]
    status: Literal["active", "error"]
    why: str | None
    created_at: datetime
    former_secret_until: datetime | None
    links: Mapping[str, str]
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Every endpoint of the organisation."""

    webhooks: tuple[WebhookDocument, ...]


@dataclass(frozen=True, slots=True)
class NoticeDocument:
    """What became of one event at one endpoint.

    Attributes:
        id: of the event, as the header `webhook-id` has it; the same at every try.
        last_answer: what the endpoint answered last.
        next_try: when a deferred one is tried again.
    """

    id: str
    type: str
    panel_id: str | None
    version: int | None
    status: Literal["queued", "deferred", "sent", "failed", "withdrawn"]
    attempts: int
    last_answer: str | None
    created_at: datetime
    next_try: datetime | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Notices:
    """The events of one endpoint, newest first."""

    deliveries: tuple[NoticeDocument, ...]


@dataclass(frozen=True, slots=True)
class SmartConfiguration:
    """What SMART Backend Services clients look up before they ask for a token."""

    token_endpoint: str
    grant_types_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...]
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...]
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """An access token.

    Attributes:
        expires_in: seconds from now.
        scope: what was granted, blanks between them; read it, it may be less than was asked for.
    """

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    scope: str


@dataclass(frozen=True, slots=True)
class TokenRefusal:
    """Why no token was given.

    Attributes:
        error: invalid_client, invalid_scope, unsupported_grant_type, invalid_request.
        error_description: the same for people.
    """

    error: str
    error_description: str


@dataclass(frozen=True, slots=True)
class Alive:
    """The process lives; nothing else was looked at."""

    status: Literal["alive"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing readiness looks at.

    Attributes:
        ok: whether it is as it should be.
        needed: whether panels can be accepted without it.
        message: what is wrong, or what was seen.
    """

    name: str
    ok: bool
    needed: bool
    message: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Can this process accept panels, and does what follows keep up?

    Attributes:
        status: degraded accepts panels while something behind it waits; down accepts none.
        down: the names of the checks that failed.
    """

    status: Literal["ready", "degraded", "down"]
    down: tuple[str, ...]
    checks: tuple[Check, ...]


def place(place: Place) -> ProblemPlace:
    """A place as the API tells it."""
    return ProblemPlace(place.where, place.code, place.message)


def panel_summary(summary: PanelSummary, url: str) -> PanelSummaryDocument:
    """A line of a list as the API tells it."""
    who = summary.identity
    born = who.birth_date
    return PanelSummaryDocument(
        id=summary.id,
        version=summary.version,
        status=summary.status,
        received_at=summary.received_at,
        collected_at=summary.collected_at,
        patient=PatientSummary(
            identifier=who.identifier,
            issuer=who.issuer,
            family=who.family,
            given=who.given,
            birth_date=born.isoformat() if born else None,
        ),
        urgency=summary.urgency,
        standings=summary.standings,
        report_status=summary.report_status,
        report_number=summary.report_number,
        acknowledged=summary.acknowledged,
        url=url,
    )


def import_outcome(outcome: ImportOutcome, url: str | None) -> ImportOutcomeDocument:
    """What became of one row as the API tells it."""
    return ImportOutcomeDocument(
        where=outcome.where,
        status=outcome.status,
        panel_id=outcome.panel_id,
        version=outcome.version,
        url=url,
        duplicate=outcome.duplicate,
        code=outcome.code,
        message=outcome.message,
        errors=tuple(map(place, outcome.errors)),
        problems=outcome.problems,
    )


@dataclass(frozen=True, slots=True)
class ErasedDocument:
    """How much of a patient was erased.

    Attributes:
        messages: as they had come; one that held other patients too went with the rest.
        exports: bulk exports of the organisation, which anybody can ask for again.
    """

    panels: int
    messages: int
    exports: int


@dataclass(frozen=True, slots=True)
class SenderDocument:
    """A system that sends HL7 v2 messages.

    Attributes:
        application: its name in MSH-3.
        facility: its name in MSH-4.
        settings: what was agreed with it.
        links: where it and its dry run are found.
    """

    id: str
    name: str
    application: str
    facility: str
    settings: Mapping[str, object]
    created_at: datetime
    changed_at: datetime
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Senders:
    """All sending systems of an organisation."""

    items: tuple[SenderDocument, ...]


@dataclass(frozen=True, slots=True)
class FhirServerDocument:
    """A FHIR server that results may be fetched from.

    Attributes:
        base: the address that FHIR has there.
        has_token: whether a token is kept for it.
    """

    id: str
    base: str
    has_token: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FhirServers:
    """All FHIR servers of an organisation."""

    items: tuple[FhirServerDocument, ...]


@dataclass(frozen=True, slots=True)
class SenderEffect:
    """What other settings would change in one stored message.

    Attributes:
        control_id: the message's own id (MSH-10), or `table`.
        before: its results and problems as they are read now, a line each.
        after: the same with the settings that are tried.
    """

    control_id: str
    changes: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SenderTrial:
    """The newest stored messages of a sender, read both ways."""

    messages: tuple[SenderEffect, ...]


@dataclass(frozen=True, slots=True)
class MessageEntry:
    """A stored HL7 v2 message, without its content.

    Attributes:
        door: `http` or `mllp`.
        application: MSH-3.
        facility: MSH-4.
        control_id: MSH-10.
        status: AA, AE or AR, as it was answered.
        panels: ids of the panels it became.
        links: where it is read, and replayed.
    """

    id: str
    received_at: datetime
    door: str
    application: str
    facility: str
    control_id: str
    status: str
    panels: tuple[str, ...]
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One page of messages, newest first.

    Attributes:
        next: the address of the next page; null on the last.
        next_cursor: the same, as the `cursor` parameter.
    """

    messages: tuple[MessageEntry, ...]
    next: str | None
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class MessageDocument:
    """A stored message, taken apart.

    Attributes:
        charset: the character set it was read in.
        text: as it came.
        segments: its parts, by the names of HL7 2.5.1.
        problems: what is wrong with it or had to be assumed, as it is read now.
        answers: what its sender was told.
    """

    message: MessageEntry
    charset: str
    text: str
    segments: tuple[MessageSegment, ...]
    problems: tuple[ProblemPlace, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplayedRow:
    """One segment of a message, before and after it is read again.

    Attributes:
        where: the segment; `panel` for what concerns the whole.
        before: what is stored, a sentence each.
        after: what it is read as now.
    """

    where: str
    changes: bool
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplayedPanel:
    """What reading a message again makes of one panel.

    Attributes:
        change: whether a panel is made, gets a next version, stays, or cannot be made.
        panel_id: null where a panel is or would be made first.
        version: the one made; in a dry run, the one that stands.
        why: why it is refused.
    """

    change: Literal["new", "corrected", "unchanged", "refused"]
    panel_id: str | None
    version: int | None
    why: str | None
    rows: tuple[ReplayedRow, ...]


@dataclass(frozen=True, slots=True)
class ReplayDocument:
    """What reading a message again changes, or would change.

    Attributes:
        faults: what its sender must mend still.
    """

    dry_run: bool
    panels: tuple[ReplayedPanel, ...]
    faults: tuple[ProblemPlace, ...]


@dataclass(frozen=True, slots=True)
class ReceiverDocument:
    """A system that is sent results as HL7 v2.

    Attributes:
        url: where it listens (MLLP).
        application: its name, MSH-5.
        facility: its place, MSH-6.
        document: whether the PDF goes along.
        status: error while the last result was given up; `why` says what it answered.
        links: what became of each result, under the address of endpoints' deliveries.
    """

    id: str
    name: str
    url: str
    application: str
    facility: str
    document: bool
    status: Literal["active", "error"]
    why: str | None
    created_at: datetime
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Receivers:
    """All receivers of an organisation."""

    items: tuple[ReceiverDocument, ...]


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How the CDS cards of one rule fared."""

    rule: str
    shown: int
    accepted: int
    overridden: int


@dataclass(frozen=True, slots=True)
class CardCounts:
    """Counts by rule; feedback on cards nobody knows stands under the empty rule."""

    rules: tuple[RuleCount, ...]


@dataclass(frozen=True, slots=True)
class PatientResultDocument:
    """One result in a patient's words.

    Attributes:
        word: where it lies; what counts.
        range: what it is compared with.
    """

    test: str
    value: str
    word: str
    range: str


@dataclass(frozen=True, slots=True)
class PatientSectionDocument:
    """One part of the page.

    Attributes:
        before: paragraphs before its list or results.
        after: paragraphs after them.
    """

    id: str
    title: str
    before: tuple[str, ...]
    bullets: tuple[str, ...]
    results: tuple[PatientResultDocument, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatientPageDocument:
    """A page in plain words, as it was released to the patient.

    Attributes:
        language: the one it is in; English as a whole where the one asked for is not complete.
        asked: the language that was asked for.
        reviewed: whether a health professional has checked its general sentences.
        contact: whom the patient asks.
    """

    panel_id: str
    version: int
    language: str
    asked: str
    reviewed: bool
    released_at: datetime
    released_by: str
    contact: str
    title: str
    about_patient: tuple[str, ...]
    sections: tuple[PatientSectionDocument, ...]
    links: Mapping[str, str]
