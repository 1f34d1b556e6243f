"""The end of sessions: those begun before a moment are over"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_account", sa.Column("sessions_from", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("user_account", "sessions_from")
