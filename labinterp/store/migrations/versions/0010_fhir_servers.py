"""FHIR servers that results are fetched from, and what was measured in each panel"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fhir_server",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.Column("base", sa.String(length=500), nullable=False),
        sa.Column("token_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_fhir_server_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fhir_server")),
        sa.UniqueConstraint(
            "organisation_id", "base", name=op.f("uq_fhir_server_organisation_id_base")
        ),
    )
    op.create_table(
        "panel_measurand",
        sa.Column("panel_id", sa.String(length=40), nullable=False),
        sa.Column("measurand", sa.String(length=100), nullable=False),
        sa.Column("organisation_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_panel_measurand_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["panel_id"], ["panel.id"], name=op.f("fk_panel_measurand_panel_id")
        ),
        sa.PrimaryKeyConstraint("panel_id", "measurand", name=op.f("pk_panel_measurand")),
    )
    op.create_index(
        "ix_panel_measurand_of",
        "panel_measurand",
        ["organisation_id", "measurand", "panel_id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_panel_measurand_of", table_name="panel_measurand")
    op.drop_table("panel_measurand")
    op.drop_table("fhir_server")
