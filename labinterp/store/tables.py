"""Every table; the migrations build exactly these (a test compares them). Long, as a list is.

Whatever belongs to an organisation carries its id, and every query on it names it. What tells who a
patient is stands sealed (`crypto`): the panel as received, the identity, the finished document.
A work row (report, delivery) is the job itself. Its `due_at` is the moment from which a worker may
take it: now, the end of the lease that is running, or the next try; None waits for the report.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from labinterp.store.moment import Moment

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_column(name: str = "id", **more: Any) -> Column[str]:
    """The key of a row."""
    return Column(name, String(40), primary_key=True, **more)


def belongs_to(table: str, name: str | None = None, *, nullable: bool = False) -> Column[str]:
    """A reference to another table's row."""
    return Column(name or f"{table}_id", String(40), ForeignKey(f"{table}.id"), nullable=nullable)


def _version_of_panel() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["panel_id", "version"], ["panel_version.panel_id", "panel_version.version"]
    )


organisation = Table(
    "organisation",
    metadata,
    id_column(),
    Column("name", String(200), nullable=False, unique=True),
    Column("choices", Text),
    Column("recipients", Text),
    Column("created_at", Moment, nullable=False),
    Column("second_factor_since", Moment),
)
"""A tenant; since `second_factor_since` all its people need a second factor."""

user_account = Table(
    "user_account",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("email", String(320), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("password_hash", String(300)),
    Column("active", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Moment),
    Column("sessions_from", Moment),
    Column("created_at", Moment, nullable=False),
    Index(None, "organisation_id"),
)
"""A person; sessions that began before `sessions_from` are over, wherever they are open."""

sign_in_link = Table(
    "sign_in_link",
    metadata,
    id_column(),
    belongs_to("user_account"),
    Column("token_digest", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

second_factor = Table(
    "second_factor",
    metadata,
    Column("user_account_id", String(40), ForeignKey("user_account.id"), primary_key=True),
    belongs_to("organisation"),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Moment),
    Column("created_at", Moment, nullable=False),
)
"""What a person's authenticator shares with us. A code of `last_step` or before was used.

Wrong codes are counted here and not with wrong passwords, which anybody can type: so a stranger
keeps nobody from their second step.
"""

recovery_code = Table(
    "recovery_code",
    metadata,
    id_column(),
    belongs_to("organisation"),
    belongs_to("user_account"),
    Column("digest", String(64), nullable=False, unique=True),
    Column("used_at", Moment),
    Index(None, "user_account_id"),
)
"""Lets a person in once whose authenticator is lost."""

person_session = Table(
    "person_session",
    metadata,
    id_column(),
    belongs_to("organisation"),
    belongs_to("user_account"),
    Column("began_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("address", String(64), nullable=False),
    Column("browser", String(120), nullable=False),
    Index(None, "user_account_id"),
    Index(None, "began_at"),
)
"""Where a person is signed in. `seen_at` may be minutes old; forgotten once it is over."""

account_mail = Table(
    "account_mail",
    metadata,
    id_column(),
    belongs_to("organisation"),
    belongs_to("user_account"),
    Column("event", String(40), nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),
    Column("last_answer", String(500)),
    Column("created_at", Moment, nullable=False),
    Index(None, "due_at"),
    Index(None, "created_at"),
)
"""Tells a person by mail that what guards their account was changed; the row is the job."""

api_key = Table(
    "api_key",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("prefix", String(24), nullable=False, unique=True),
    Column("secret_digest", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
    Index(None, "organisation_id"),
)

panel = Table(
    "panel",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("newest_version", Integer, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("collected_at", Moment),
    Column("patient_key", String(64)),
    Column("identifier_key", String(64)),
    Column("urgency", String(20), nullable=False),
    Column("standings", String(100), nullable=False),
    Column("critical", Boolean, nullable=False),
    Column("acknowledged_at", Moment),
    Column("created_at", Moment, nullable=False),
    Index(None, "organisation_id", "received_at", "id"),
    Index("ix_panel_of_collection", "organisation_id", "collected_at", "id"),
    Index("ix_panel_of_identifier", "organisation_id", "identifier_key", "received_at", "id"),
    Index("ix_panel_of_patient", "organisation_id", "patient_key", "collected_at", "received_at"),
    Index("ix_panel_of_urgency", "organisation_id", "urgency", "received_at", "id"),
    Index(
        "ix_panel_to_acknowledge",
        "organisation_id",
        "critical",
        "acknowledged_at",
        "received_at",
        "id",
    ),
)
"""One panel under one id; the columns are those of its newest version, for lists."""

panel_standing = Table(
    "panel_standing",
    metadata,
    Column("panel_id", String(40), ForeignKey("panel.id"), primary_key=True),
    Column("standing", String(20), primary_key=True),
    belongs_to("organisation"),
    Column("received_at", Moment, nullable=False),
    Index("ix_panel_standing_order", "organisation_id", "standing", "received_at", "panel_id"),
)
"""The standings in a panel's newest version, in the order of lists."""

panel_measurand = Table(
    "panel_measurand",
    metadata,
    Column("panel_id", String(40), ForeignKey("panel.id"), primary_key=True),
    Column("measurand", String(100), primary_key=True),
    belongs_to("organisation"),
    Index("ix_panel_measurand_of", "organisation_id", "measurand", "panel_id"),
)
"""What was measured in a panel's newest version; an empty name where nothing was."""

panel_version = Table(
    "panel_version",
    metadata,
    Column("panel_id", String(40), ForeignKey("panel.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    belongs_to("organisation"),
    Column("status", String(20), nullable=False),
    Column("origin", String(20), nullable=False),
    Column("format", String(20), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("collected_at", Moment),
    Column("panel_sealed", LargeBinary, nullable=False),
    Column("interpretation", Text, nullable=False),
    Column("interpretation_sealed", LargeBinary),
    Column("knowledge_version", String(60), nullable=False),
    Column("knowledge_digest", String(80), nullable=False),
    Column("engine_version", String(40), nullable=False),
    Column("actor_id", String(40), nullable=False),
    Index(None, "organisation_id"),
)
"""A version as it was stored, never changed.

The interpretation is sealed, since what it questions may quote what was sent; `interpretation` is
empty but where an older version of the program wrote it.
"""

identity = Table(
    "identity",
    metadata,
    Column("panel_id", String(40), primary_key=True),
    Column("version", Integer, primary_key=True),
    belongs_to("organisation"),
    Column("sealed", LargeBinary, nullable=False),
    _version_of_panel(),
)
"""Who the patient is, apart from the results."""

report = Table(
    "report",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("panel_id", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("number", String(30)),
    Column("status", String(20), nullable=False),
    Column("why", String(500)),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),
    Column("lease_token", String(40)),
    Column("leased_by", String(100)),
    Column("last_error", String(500)),
    Column("created_at", Moment, nullable=False),
    Column("ready_at", Moment),
    Column("digest", String(64)),
    Column("file_name", String(200)),
    Column("pages", Integer),
    _version_of_panel(),
    UniqueConstraint("panel_id", "version"),
    UniqueConstraint("organisation_id", "number", "version"),
    Index(None, "status", "due_at"),
)

report_file = Table(
    "report_file",
    metadata,
    Column("report_id", String(40), ForeignKey("report.id"), primary_key=True),
    belongs_to("organisation"),
    Column("pdf_sealed", LargeBinary, nullable=False),
    Column("summary_sealed", LargeBinary, nullable=False),
)

report_number = Table(
    "report_number",
    metadata,
    Column("organisation_id", String(40), ForeignKey("organisation.id"), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)
"""The last number given; it only grows, in the transaction that uses it."""

delivery = Table(
    "delivery",
    metadata,
    id_column(),
    belongs_to("organisation"),
    belongs_to("report"),
    Column("panel_id", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("as_attachment", Boolean, nullable=False),
    Column("note", String(200)),
    Column("origin", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("unfinished", Integer, nullable=False),
    Column("due_at", Moment),
    Column("lease_token", String(40)),
    Column("leased_by", String(100)),
    Column("last_answer", String(500)),
    Column("last_kind", String(20)),
    Column("message_id", String(200), nullable=False, unique=True),
    Column("link_digest", String(64), nullable=False, unique=True),
    Column("link_sealed", LargeBinary),
    Column("link_expires_at", Moment, nullable=False),
    Column("link_withdrawn_at", Moment),
    Column("opened_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("code_nonce", String(40)),
    Column("code_made_at", Moment),
    Column("code_due_at", Moment),
    Column("code_tries", Integer),
    Column("codes", Integer),
    Column("alarm_due_at", Moment),
    Column("alarmed_at", Moment),
    _version_of_panel(),
    Index("ix_delivery_code_due_at", "code_due_at"),
    Index(None, "status", "due_at"),
    Index(None, "organisation_id", "panel_id"),
    Index(None, "organisation_id", "status", "created_at", "id"),
    Index(None, "organisation_id", "created_at", "id"),
    Index(None, "report_id"),
)
"""One message to one recipient. `unfinished` counts attempts whose end nobody recorded.

`code_…` is the code that opens its link without signing in (`link_codes`); `alarm…` says whether
the operator was told that it is late.
"""

idempotency = Table(
    "idempotency",
    metadata,
    Column("organisation_id", String(40), ForeignKey("organisation.id"), primary_key=True),
    Column("key", String(300), primary_key=True),
    Column("body_digest", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Index(None, "expires_at"),
)

acknowledgement = Table(
    "acknowledgement",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("panel_id", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("by_id", String(40), nullable=False),
    Column("by_name", String(200), nullable=False),
    Column("told", String(200), nullable=False),
    Column("how", String(200), nullable=False),
    Column("read_back", Boolean, nullable=False),
    _version_of_panel(),
    Index(None, "organisation_id", "panel_id"),
)

patient_page = Table(
    "patient_page",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("panel_id", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("asked", String(10), nullable=False),
    Column("language", String(10), nullable=False),
    Column("released_at", Moment, nullable=False),
    Column("released_by", String(200), nullable=False),
    Column("released_by_id", String(40), nullable=False),
    Column("contact", String(200), nullable=False),
    Column("knowledge_digest", String(80), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("page_sealed", LargeBinary, nullable=False),
    Column("pdf_sealed", LargeBinary, nullable=False),
    Column("withdrawn_at", Moment),
    Column("withdrawn_by", String(200)),
    ForeignKeyConstraint(
        ["panel_id", "version"],
        ["panel_version.panel_id", "panel_version.version"],
        ondelete="CASCADE",
    ),
    Index(None, "organisation_id", "panel_id"),
)
"""A page in plain words that a clinician released to the patient: kept as it was shown."""

audit_event = Table(
    "audit_event",
    metadata,
    id_column(),
    Column("organisation_id", String(40)),
    Column("recorded_at", Moment, nullable=False),
    Column("action", String(1), nullable=False),
    Column("subtype", String(40), nullable=False),
    Column("outcome", String(2), nullable=False),
    Column("why", String(300)),
    Column("actor_kind", String(10), nullable=False),
    Column("actor_id", String(40), nullable=False),
    Column("actor_name", String(200), nullable=False),
    Column("address", String(64)),
    Column("request_id", String(80)),
    Column("panel_id", String(40)),
    Column("version", Integer),
    Column("patient_key", String(64)),
    Column("entity", String(80)),
    Column("previous_hash", String(64)),
    Column("hash", String(64)),
    Column("chain", String(40)),
    Column("sequence", BigInteger),
    Index(None, "organisation_id", "recorded_at"),
    Index(None, "organisation_id", "panel_id"),
    Index(None, "organisation_id", "patient_key"),
    Index("ix_audit_event_in_chain", "chain", "sequence", unique=True),
)
"""Append-only, shaped like a FHIR AuditEvent; no foreign key, since it outlives what it names.

Triggers of the migrations refuse to change or remove a row that has its hash (`store.chain`).
"""

audit_chain = Table(
    "audit_chain",
    metadata,
    Column("chain", String(40), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""The newest link of each chain of the audit; its row is the lock of whoever adds the next."""

tombstone = Table(
    "tombstone",
    metadata,
    Column("panel_id", String(40), primary_key=True),
    belongs_to("organisation"),
    Column("versions", Integer, nullable=False),
    Column("erased_at", Moment, nullable=False),
    Column("why", String(300), nullable=False),
    Column("actor_id", String(40), nullable=False),
    Index(None, "organisation_id", "erased_at"),
)
"""That a panel was here and was erased: nothing of its patient, its results or its report."""

keyring = Table(
    "keyring",
    metadata,
    id_column(),
    Column("proof", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)
"""Proof of which data key sealed this database, so that a wrong key is noticed at start.

Sealed with it besides: the keys that stay when it changes.
"""
