"""The second factor of people, and their sessions as rows"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organisation", sa.Column("second_factor_since", sa.BigInteger(), nullable=True))
    op.create_table(
        "second_factor",
        sa.Column("user_account_id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        _to("organisation", "second_factor"),
        _to("user_account", "second_factor"),
        sa.PrimaryKeyConstraint("user_account_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("user_account_id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        _to("organisation", "recovery_code"),
        _to("user_account", "recovery_code"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_recovery_code_digest")),
    )
    op.create_index(
        op.f("ix_recovery_code_user_account_id"), "recovery_code", ["user_account_id"], unique=False
    )
    op.create_table(
        "person_session",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("user_account_id", sa.String(length=40), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=120), nullable=False),
        _to("organisation", "person_session"),
        _to("user_account", "person_session"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_session")),
    )
    op.create_index(
        op.f("ix_person_session_user_account_id"),
        "person_session",
        ["user_account_id"],
        unique=False,
    )
    op.create_index(op.f("ix_person_session_began_at"), "person_session", ["began_at"])


def downgrade() -> None:
    for table in ("person_session", "recovery_code", "second_factor"):
        op.drop_table(table)
    op.drop_column("organisation", "second_factor_since")


def _to(table: str, whose: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{table}_id"], [f"{table}.id"], name=op.f(f"fk_{whose}_{table}_id")
    )
