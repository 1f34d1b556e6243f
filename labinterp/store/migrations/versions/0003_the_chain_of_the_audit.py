"""The chain of the audit, and triggers that keep it append-only

Only adds, so that the version before works on. What it writes meanwhile has no hash; the next
`db upgrade` links it, which is the one change that the triggers allow.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_REFUSED = "the audit is append-only"
_LINKING = """NEW.hash IS NOT NULL AND OLD.hash IS NULL
    AND NEW.id = OLD.id AND NEW.recorded_at = OLD.recorded_at AND NEW.action = OLD.action
    AND NEW.subtype = OLD.subtype AND NEW.outcome = OLD.outcome AND NEW.actor_id = OLD.actor_id
    AND NEW.actor_kind = OLD.actor_kind AND NEW.actor_name = OLD.actor_name
    AND {same_rest}"""
_NULLABLE = (
    "organisation_id",
    "why",
    "address",
    "request_id",
    "panel_id",
    "version",
    "patient_key",
    "entity",
)


def upgrade() -> None:
    op.create_table(
        "audit_chain",
        sa.Column("chain", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_chain")),
    )
    op.add_column("audit_event", sa.Column("chain", sa.String(length=40), nullable=True))
    op.add_column("audit_event", sa.Column("sequence", sa.BigInteger(), nullable=True))
    op.create_index("ix_audit_event_in_chain", "audit_event", ["chain", "sequence"], unique=True)
    for statement in _triggers():
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_event_is_not_changed")
        op.execute("DROP TRIGGER audit_event_is_not_removed")
    else:
        op.execute("DROP TRIGGER audit_event_is_not_changed ON audit_event")
        op.execute("DROP TRIGGER audit_event_is_not_emptied ON audit_event")
        op.execute("DROP FUNCTION audit_event_is_append_only()")
    op.drop_index("ix_audit_event_in_chain", table_name="audit_event")
    op.drop_column("audit_event", "sequence")
    op.drop_column("audit_event", "chain")
    op.drop_table("audit_chain")


def _triggers() -> tuple[str, ...]:
    if op.get_bind().dialect.name == "sqlite":
        linking = _LINKING.format(
            same_rest=" AND ".join(f"NEW.{name} IS OLD.{name}" for name in _NULLABLE)
        )
        return (
            f"CREATE TRIGGER audit_event_is_not_changed BEFORE UPDATE ON audit_event"
            f" WHEN NOT ({linking}) BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
            f"CREATE TRIGGER audit_event_is_not_removed BEFORE DELETE ON audit_event"
            f" BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END",
        )
    linking = _LINKING.format(
        same_rest=" AND ".join(f"NEW.{name} IS NOT DISTINCT FROM OLD.{name}" for name in _NULLABLE)
    )
    return (
        f"""CREATE FUNCTION audit_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF {linking} THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'integrity_constraint_violation';
END $$""",
        "CREATE TRIGGER audit_event_is_not_changed BEFORE UPDATE OR DELETE ON audit_event"
        " FOR EACH ROW EXECUTE FUNCTION audit_event_is_append_only()",
        "CREATE TRIGGER audit_event_is_not_emptied BEFORE TRUNCATE ON audit_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_event_is_append_only()",
    )
