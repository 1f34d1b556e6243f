"""Tombstones: that a panel was here and was erased"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tombstone",
        sa.Column("panel_id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("versions", sa.Integer(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_tombstone_organisation_id")
        ),
        sa.PrimaryKeyConstraint("panel_id", name=op.f("pk_tombstone")),
    )
    op.create_index(
        op.f("ix_tombstone_organisation_id_erased_at"),
        "tombstone",
        ["organisation_id", "erased_at"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_tombstone_organisation_id_erased_at"), table_name="tombstone")
    op.drop_table("tombstone")
