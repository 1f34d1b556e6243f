"""The tables of the doors: who calls by machine, what came in as messages, whom we call back.

They belong to the same metadata as `tables`; the rules at its head hold here too.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from labinterp.store.moment import Moment
from labinterp.store.tables import belongs_to, id_column, metadata

client = Table(
    "client",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("name", String(200), nullable=False),
    Column("scopes", String(2000), nullable=False),
    Column("issuer", String(500), unique=True),
    Column("key_set", Text),
    Column("key_set_url", String(500)),
    Column("created_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
    Index(None, "organisation_id"),
)
"""A system that signs what it sends: SMART Backend Services by its id, CDS Hooks by its issuer.

Public keys only: by value (`key_set`, a JWKS) or by address.
"""

access_token = Table(
    "access_token",
    metadata,
    id_column(),
    belongs_to("client"),
    belongs_to("organisation"),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index(None, "expires_at"),
)

seen_assertion = Table(
    "seen_assertion",
    metadata,
    Column("issuer", String(500), primary_key=True),
    Column("token_id", String(200), primary_key=True),
    Column("expires_at", Moment, nullable=False),
    Index(None, "expires_at"),
)
"""Ids of signed tokens that were used; a second use is a replay."""

sender = Table(
    "sender",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("name", String(200), nullable=False),
    Column("application", String(200), nullable=False),
    Column("facility", String(200), nullable=False),
    Column("settings", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    UniqueConstraint("application", "facility"),
    Index(None, "organisation_id"),
)
"""A sending system, known by MSH-3 and MSH-4; its settings are one schema-checked document."""

message = Table(
    "message",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("door", String(20), nullable=False),
    Column("sender", String(400), nullable=False),
    Column("control_id", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body_sealed", LargeBinary, nullable=False),
    Column("answer_sealed", LargeBinary, nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("panels", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    UniqueConstraint("organisation_id", "sender", "control_id", "digest"),
    Index(None, "organisation_id", "received_at"),
)
"""A message as it came and as it was answered; the same again gets the same answer."""

result_identity = Table(
    "result_identity",
    metadata,
    Column("organisation_id", String(40), ForeignKey("organisation.id"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("panel_id", String(40), ForeignKey("panel.id"), nullable=False),
    Column("created_at", Moment, nullable=False),
    Index(None, "panel_id"),
)
"""Which panel holds the result that a sender knows by this (keyed, hashed) identifier."""

webhook = Table(
    "webhook",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("kind", String(20), nullable=False),
    Column("url", String(1000), nullable=False),
    Column("events", String(500), nullable=False),
    Column("secret_sealed", LargeBinary),
    Column("former_secret_sealed", LargeBinary),
    Column("former_until", Moment),
    Column("details_sealed", LargeBinary),
    Column("status", String(20), nullable=False),
    Column("why", String(500)),
    Column("created_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Index(None, "organisation_id"),
)
"""Whom we tell of a report: our own webhook, or a FHIR Subscription (whose document is sealed)."""

fhir_server = Table(
    "fhir_server",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("base", String(500), nullable=False),
    Column("token_sealed", LargeBinary),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("organisation_id", "base"),
)
"""A FHIR server that results are fetched from, where somebody asks for that; nowhere else."""

notice = Table(
    "notice",
    metadata,
    id_column(),
    belongs_to("organisation"),
    belongs_to("webhook"),
    Column("event", String(40), nullable=False),
    Column("panel_id", String(40)),
    Column("version", Integer),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),
    Column("lease_token", String(40)),
    Column("leased_by", String(100)),
    Column("last_answer", String(500)),
    Column("created_at", Moment, nullable=False),
    Column("sent_at", Moment),
    UniqueConstraint("webhook_id", "event", "panel_id", "version"),
    Index(None, "status", "due_at"),
    Index(None, "created_at"),
    Index(None, "organisation_id", "created_at", "id"),
)
"""One event for one endpoint; the row is the job, as with a delivery."""

cds_card = Table(
    "cds_card",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("service", String(60), nullable=False),
    Column("rule", String(100), nullable=False),
    Column("indicator", String(10), nullable=False),
    Column("shown_at", Moment, nullable=False),
    Index(None, "organisation_id", "shown_at"),
)

cds_feedback = Table(
    "cds_feedback",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("service", String(60), nullable=False),
    Column("card_id", String(100), nullable=False),
    Column("rule", String(100)),
    Column("outcome", String(20), nullable=False),
    Column("details_sealed", LargeBinary, nullable=False),
    Column("received_at", Moment, nullable=False),
    Index(None, "organisation_id", "received_at"),
)
"""What a clinician did with a card; the comment may speak of a patient, so it is sealed."""

background_job = Table(
    "background_job",
    metadata,
    id_column(),
    belongs_to("organisation"),
    Column("kind", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("request", Text, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer),
    Column("state", Text, nullable=False),
    Column("why", String(500)),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment),
    Column("lease_token", String(40)),
    Column("leased_by", String(100)),
    Column("created_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("expires_at", Moment),
    Index(None, "status", "due_at"),
    Index(None, "expires_at"),
    Index(None, "organisation_id", "created_at", "id"),
)
"""Slow work that a caller asks after: taking in a large body, writing an export."""

job_part = Table(
    "job_part",
    metadata,
    Column("job_id", String(40), ForeignKey("background_job.id"), primary_key=True),
    Column("name", String(60), primary_key=True),
    Column("position", Integer, primary_key=True),
    belongs_to("organisation"),
    Column("sealed", LargeBinary, nullable=False),
    Column("lines", Integer, nullable=False),
)
"""A slice of a job's input (`in`) or of a file it wrote; in the database, for any host to serve."""
