"""What every use case is given: the parts, wired once by `bootstrap`, and the operator's policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, Protocol

from labinterp.outbound import Outbound
from labinterp.usecases.key_sets import KeySets
from labinterp.usecases.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

    from labinterp.delivery.bounce import ReturnAddress
    from labinterp.model.knowledge import Knowledge
    from labinterp.model.report import Report, ReportOrder
    from labinterp.store.store import Store

Wake = Literal["report", "delivery", "notice", "background"]


class Queue(Protocol):
    """Says "look" to a worker; a lost word costs seconds, because the relay sweeps."""

    def waiting(self, kind: Wake) -> int | None:
        """Messages that nobody has taken yet; None when the broker does not answer."""

    def wake(self, kind: Wake) -> object:
        """Nudge whoever does this kind of work; may fail, never blocks for long."""


class Outcome(Protocol):
    """What a mail server answered: sent, deferred, refused, operator (our fault) or unknown."""

    @property
    def kind(self) -> str:
        """One of the five words."""

    @property
    def answer(self) -> str:
        """Its own words."""


class Mailer(Protocol):
    """Hands one message for one recipient to a mail server."""

    def send(
        self, message: EmailMessage, recipient: str, *, still_ours: Callable[[], bool] = ...
    ) -> Outcome:
        """One conversation; never raises for what a mail server does.

        Args:
            message: complete, its Message-ID the delivery's.
            recipient: the one address it goes to.
            still_ours: asked at the last moment before the data leaves; no ends the attempt.
        """

    def reachable(self) -> Outcome:
        """Whether the server would take mail now: greeted and signed in, nothing sent."""


class BounceBox(Protocol):
    """The mailbox that servers on a mail's way write to."""

    def unread(self, most: int) -> Iterator[bytes]:
        """Unread mails; each is marked as read when the next one is asked for.

        Raises:
            TemporaryFailure: the mailbox cannot be had.
        """


NOTICE_DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 10_800, 21_600, 43_200)
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's choices that use cases need: texts, delays, leases and limits.

    Attributes:
        report_lease, delivery_lease: how long a claim holds; above the hard time limit.
        report_attempts: drawings begun before a report is parked as failed.
        delivery_attempts: messages begun before a delivery is given to a person.
        delivery_unfinished: attempts that may end without a known answer before a person looks.
        notice_lease: how long a claim on an event for an endpoint holds.
        notice_kept: how long an event is kept that was told or given up.
        notice_delays: waits between its tries; after the last of them it is given to a person.
        job_lease: how long a claim on a background job holds; renewed with each slice.
        job_turn: after so long a worker gives the job back, for others to have their turn.
        job_attempts: turns in a row that may end without a slice before it is given up.
        job_kept: how long a finished job and its files can be fetched.
        secret_overlap: how long a webhook's former secret signs beside the new one.
        retry_first, retry_ceiling: first and longest delay between tries (full jitter).
        operator_delay: wait after an answer that is our own fault (authentication, policy).
        implausible: a lease or a next try further ahead than this counts as due.
        link_lifetime: how long a mail's link opens its panel.
        link_codes: whether a mailed code, too, opens the report of a mail's link.
        operator_mail: who is told by mail that a critical report is late; nobody if empty.
        sign_in_lifetime: how long a one-time sign-in link works.
        history: how far back earlier results are looked for.
        history_panels: at most so many earlier panels.
        idempotency_kept: how long a key is remembered.
        panels_kept: a panel ends so long after its newest version came; 0 keeps it.
        messages_kept: the same of a message as it came; its panels stay.
        feedback_kept: the same of cards and of what was said of them.
        sends_per_hour: messages one panel may be sent again in an hour.
        recipients: addresses one panel may name.
        attachments: whether a sender's wish for an attachment is honoured.
        attachment_password: opens an attached report; empty: it is not encrypted.
        patient_page: whether a clinician may release a page to the patient.
        patient_contact: whom patients ask where the one who releases a page names nobody.
        retry_after: seconds a client is asked to wait while a report is drawn.
        request_rate: requests one key may send, in Flask-Limiter's notation.
        stranger_rate: requests without an accepted key that one address may send.
        rate_store: where they are counted (a Redis URL); empty for this process alone.
        trusted_proxies: how many proxies before us may say who asks; 0 believes none.
        session_fresh: how long whoever showed who they are may change what guards the account.
        session_idle, session_absolute: when whoever does nothing, or anyone, must sign in again.
        cds_fhir_servers: base addresses that CDS Hooks may fetch from with the caller's token.
        cds_origins: browsers' origins that may call CDS Hooks.
        snomed_ct: conclusions in FHIR are also said in SNOMED CT, which needs a licence in places.
        account_rate, address_rate: tries to sign in, for one account and from one address.
        zone: time zone that entry forms begin with.
        free_disk: room the database must have left before this process counts as ready [bytes].
        second_factor: do new organisations want a second factor of everybody?
        password_list: file of stolen passwords, besides the list that is always asked.
        sign_in_failures, sign_in_lock: refused passwords that lock an account, and for how long.
        secret: keys the hashes of API keys and links; never stored.
        session_key: signs the pages' sessions and forms.
    """

    base_url: str
    mail_from: str
    contact: str
    operator_line: str
    secret: bytes = field(repr=False)
    session_key: str = field(default="", repr=False)
    demo: bool = False
    page_size: str = "A4"
    report_lease: timedelta = timedelta(minutes=5)
    report_attempts: int = 3
    delivery_lease: timedelta = timedelta(minutes=5)
    delivery_attempts: int = 12
    delivery_unfinished: int = 3
    notice_lease: timedelta = timedelta(minutes=5)
    notice_delays: tuple[timedelta, ...] = NOTICE_DELAYS
    notice_kept: timedelta = timedelta(days=30)
    job_lease: timedelta = timedelta(minutes=5)
    job_turn: timedelta = timedelta(seconds=15)
    job_attempts: int = 5
    job_kept: timedelta = timedelta(days=1)
    secret_overlap: timedelta = timedelta(hours=24)
    retry_first: timedelta = timedelta(seconds=30)
    retry_ceiling: timedelta = timedelta(hours=4)
    operator_delay: timedelta = timedelta(minutes=5)
    implausible: timedelta = timedelta(days=2)
    link_lifetime: timedelta = timedelta(days=30)
    link_codes: bool = True
    operator_mail: str = ""
    sign_in_lifetime: timedelta = timedelta(hours=12)
    history: timedelta = timedelta(days=731)
    history_panels: int = 20
    idempotency_kept: timedelta = timedelta(days=7)
    panels_kept: timedelta = timedelta(0)
    messages_kept: timedelta = timedelta(days=90)
    feedback_kept: timedelta = timedelta(days=365)
    sends_per_hour: int = 10
    recipients: int = 20
    attachments: bool = True
    attachment_password: str = field(default="", repr=False)
    patient_page: bool = False
    patient_contact: str = ""
    retry_after: int = 2
    body_limit: int = 10_000_000
    bulk_limit: int = 100_000_000
    broker_delay_alarm: timedelta = timedelta(minutes=2)
    request_rate: str = "1200 per minute"
    stranger_rate: str = "60 per minute"
    rate_store: str = ""
    trusted_proxies: int = 0
    free_disk: int = 200_000_000
    session_idle: timedelta = timedelta(minutes=30)
    session_absolute: timedelta = timedelta(hours=12)
    session_fresh: timedelta = timedelta(minutes=15)
    account_rate: str = "10 per 15 minutes"
    cds_fhir_servers: frozenset[str] = frozenset()
    cds_origins: frozenset[str] = frozenset()
    snomed_ct: bool = False
    address_rate: str = "40 per 15 minutes"
    zone: str = "Europe/London"
    second_factor: bool = False
    password_list: str = ""
    sign_in_failures: int = 10
    sign_in_lock: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Services:
    """The wired parts; made once per process, given to every use case.

    Attributes:
        draw: `labinterp.reporting.render.draw`.
        now: the only clock; aware UTC.
        outbound: the only client for addresses that others name.
        bounces: where notices of undelivered mails come to; None where none is read.
        returns: makes the envelope's sender of each mail; None where it is the mail's own.
        key_sets: the public keys of clients, as fetched.
        turns: how many requests may wait for other servers at once.
    """

    knowledge: Knowledge
    store: Store
    queue: Queue
    mailer: Mailer
    draw: Callable[[ReportOrder], Report]
    now: Callable[[], datetime]
    policy: Policy
    outbound: Outbound = field(default_factory=Outbound)
    key_sets: KeySets = field(default_factory=KeySets)
    turns: Turns = field(default_factory=Turns)
    bounces: BounceBox | None = None
    returns: ReturnAddress | None = None
