"""Interpretations are sealed: what they question may quote what was sent

`db upgrade` seals those that are there; the plain column stays, and is empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "panel_version", sa.Column("interpretation_sealed", sa.LargeBinary(), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("panel_version", "interpretation_sealed")
