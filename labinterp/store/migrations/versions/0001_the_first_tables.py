"""The first tables; long, as a list is"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=1), nullable=False),
        sa.Column("subtype", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=2), nullable=False),
        sa.Column("why", sa.String(length=300), nullable=True),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=False),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=80), nullable=True),
        sa.Column("panel_id", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("patient_key", sa.String(length=64), nullable=True),
        sa.Column("entity", sa.String(length=80), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index(
        op.f("ix_audit_event_organisation_id_panel_id"),
        "audit_event",
        ["organisation_id", "panel_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_audit_event_organisation_id_patient_key"),
        "audit_event",
        ["organisation_id", "patient_key"],
        unique=False,
    )
    op.create_index(
        op.f("ix_audit_event_organisation_id_recorded_at"),
        "audit_event",
        ["organisation_id", "recorded_at"],
        unique=False,
    )
    op.create_table(
        "keyring",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keyring")),
    )
    op.create_table(
        "organisation",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("choices", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("name", name=op.f("uq_organisation_name")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("prefix", sa.String(length=24), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_api_key_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
    )
    op.create_index(
        op.f("ix_api_key_organisation_id"), "api_key", ["organisation_id"], unique=False
    )
    op.create_table(
        "idempotency",
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_idempotency_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "key", name=op.f("pk_idempotency")),
    )
    op.create_index(op.f("ix_idempotency_expires_at"), "idempotency", ["expires_at"], unique=False)
    op.create_table(
        "panel",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("newest_version", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("collected_at", sa.BigInteger(), nullable=True),
        sa.Column("patient_key", sa.String(length=64), nullable=True),
        sa.Column("identifier_key", sa.String(length=64), nullable=True),
        sa.Column("urgency", sa.String(length=20), nullable=False),
        sa.Column("standings", sa.String(length=100), nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_panel_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel")),
    )
    op.create_index(
        "ix_panel_of_identifier",
        "panel",
        ["organisation_id", "identifier_key", "received_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_panel_of_patient",
        "panel",
        ["organisation_id", "patient_key", "collected_at", "received_at"],
        unique=False,
    )
    op.create_index(
        "ix_panel_of_urgency",
        "panel",
        ["organisation_id", "urgency", "received_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_panel_organisation_id_received_at_id"),
        "panel",
        ["organisation_id", "received_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_panel_to_acknowledge",
        "panel",
        ["organisation_id", "critical", "acknowledged_at", "received_at", "id"],
        unique=False,
    )
    op.create_table(
        "report_number",
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_report_number_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "year", name=op.f("pk_report_number")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_user_account_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
    )
    op.create_index(
        op.f("ix_user_account_organisation_id"), "user_account", ["organisation_id"], unique=False
    )
    op.create_table(
        "panel_standing",
        sa.Column("panel_id", sa.String(length=40), nullable=False),
        sa.Column("standing", sa.String(length=20), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_panel_standing_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["panel_id"], ["panel.id"], name=op.f("fk_panel_standing_panel_id")
        ),
        sa.PrimaryKeyConstraint("panel_id", "standing", name=op.f("pk_panel_standing")),
    )
    op.create_index(
        "ix_panel_standing_order",
        "panel_standing",
        ["organisation_id", "standing", "received_at", "panel_id"],
        unique=False,
    )
    op.create_table(
        "panel_version",
        sa.Column("panel_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("collected_at", sa.BigInteger(), nullable=True),
        sa.Column("panel_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("interpretation", sa.Text(), nullable=False),
        sa.Column("knowledge_version", sa.String(length=60), nullable=False),
        sa.Column("knowledge_digest", sa.String(length=80), nullable=False),
        sa.Column("engine_version", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_panel_version_organisation_id")
        ),
        sa.ForeignKeyConstraint(["panel_id"], ["panel.id"], name=op.f("fk_panel_version_panel_id")),
        sa.PrimaryKeyConstraint("panel_id", "version", name=op.f("pk_panel_version")),
    )
    op.create_index(
        op.f("ix_panel_version_organisation_id"), "panel_version", ["organisation_id"], unique=False
    )
    op.create_table(
        "sign_in_link",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("user_account_id", sa.String(length=40), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_account_id"], ["user_account.id"], name=op.f("fk_sign_in_link_user_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_link")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_sign_in_link_token_digest")),
    )
    op.create_table(
        "acknowledgement",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("panel_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.String(length=40), nullable=False),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("told", sa.String(length=200), nullable=False),
        sa.Column("how", sa.String(length=200), nullable=False),
        sa.Column("read_back", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_acknowledgement_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["panel_id", "version"],
            ["panel_version.panel_id", "panel_version.version"],
            name=op.f("fk_acknowledgement_panel_id_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acknowledgement")),
    )
    op.create_index(
        op.f("ix_acknowledgement_organisation_id_panel_id"),
        "acknowledgement",
        ["organisation_id", "panel_id"],
        unique=False,
    )
    op.create_table(
        "identity",
        sa.Column("panel_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_identity_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["panel_id", "version"],
            ["panel_version.panel_id", "panel_version.version"],
            name=op.f("fk_identity_panel_id_version"),
        ),
        sa.PrimaryKeyConstraint("panel_id", "version", name=op.f("pk_identity")),
    )
    op.create_table(
        "report",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("panel_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("why", sa.String(length=500), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_token", sa.String(length=40), nullable=True),
        sa.Column("leased_by", sa.String(length=100), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_report_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["panel_id", "version"],
            ["panel_version.panel_id", "panel_version.version"],
            name=op.f("fk_report_panel_id_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint(
            "organisation_id",
            "number",
            "version",
            name=op.f("uq_report_organisation_id_number_version"),
        ),
        sa.UniqueConstraint("panel_id", "version", name=op.f("uq_report_panel_id_version")),
    )
    op.create_index(op.f("ix_report_status_due_at"), "report", ["status", "due_at"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("report_id", sa.String(length=40), nullable=False),
        sa.Column("panel_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("as_attachment", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unfinished", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_token", sa.String(length=40), nullable=True),
        sa.Column("leased_by", sa.String(length=100), nullable=True),
        sa.Column("last_answer", sa.String(length=500), nullable=True),
        sa.Column("last_kind", sa.String(length=20), nullable=True),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("link_digest", sa.String(length=64), nullable=False),
        sa.Column("link_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("link_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("link_withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_delivery_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["panel_id", "version"],
            ["panel_version.panel_id", "panel_version.version"],
            name=op.f("fk_delivery_panel_id_version"),
        ),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_delivery_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("link_digest", name=op.f("uq_delivery_link_digest")),
        sa.UniqueConstraint("message_id", name=op.f("uq_delivery_message_id")),
    )
    op.create_index(
        op.f("ix_delivery_organisation_id_created_at_id"),
        "delivery",
        ["organisation_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_delivery_organisation_id_panel_id"),
        "delivery",
        ["organisation_id", "panel_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_delivery_organisation_id_status_created_at_id"),
        "delivery",
        ["organisation_id", "status", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_delivery_report_id"), "delivery", ["report_id"], unique=False)
    op.create_index(
        op.f("ix_delivery_status_due_at"), "delivery", ["status", "due_at"], unique=False
    )
    op.create_table(
        "report_file",
        sa.Column("report_id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("pdf_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("summary_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_report_file_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["report_id"], ["report.id"], name=op.f("fk_report_file_report_id")
        ),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_report_file")),
    )


def downgrade() -> None:
    op.drop_table("report_file")
    op.drop_index(op.f("ix_delivery_status_due_at"), table_name="delivery")
    op.drop_index(op.f("ix_delivery_report_id"), table_name="delivery")
    op.drop_index(op.f("ix_delivery_organisation_id_status_created_at_id"), table_name="delivery")
    op.drop_index(op.f("ix_delivery_organisation_id_panel_id"), table_name="delivery")
    op.drop_index(op.f("ix_delivery_organisation_id_created_at_id"), table_name="delivery")
    op.drop_table("delivery")
    op.drop_index(op.f("ix_report_status_due_at"), table_name="report")
    op.drop_table("report")
    op.drop_table("identity")
    op.drop_index(op.f("ix_acknowledgement_organisation_id_panel_id"), table_name="acknowledgement")
    op.drop_table("acknowledgement")
    op.drop_table("sign_in_link")
    op.drop_index(op.f("ix_panel_version_organisation_id"), table_name="panel_version")
    op.drop_table("panel_version")
    op.drop_index("ix_panel_standing_order", table_name="panel_standing")
    op.drop_table("panel_standing")
    op.drop_index(op.f("ix_user_account_organisation_id"), table_name="user_account")
    op.drop_table("user_account")
    op.drop_table("report_number")
    op.drop_index("ix_panel_to_acknowledge", table_name="panel")
    op.drop_index(op.f("ix_panel_organisation_id_received_at_id"), table_name="panel")
    op.drop_index("ix_panel_of_urgency", table_name="panel")
    op.drop_index("ix_panel_of_patient", table_name="panel")
    op.drop_index("ix_panel_of_identifier", table_name="panel")
    op.drop_table("panel")
    op.drop_index(op.f("ix_idempotency_expires_at"), table_name="idempotency")
    op.drop_table("idempotency")
    op.drop_index(op.f("ix_api_key_organisation_id"), table_name="api_key")
    op.drop_table("api_key")
    op.drop_table("organisation")
    op.drop_table("keyring")
    op.drop_index(op.f("ix_audit_event_organisation_id_recorded_at"), table_name="audit_event")
    op.drop_index(op.f("ix_audit_event_organisation_id_patient_key"), table_name="audit_event")
    op.drop_index(op.f("ix_audit_event_organisation_id_panel_id"), table_name="audit_event")
    op.drop_table("audit_event")
