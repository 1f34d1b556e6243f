"""Codes that open a mail's link, alarms of late mail, and whom an organisation tells by default"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
_MOMENTS = ("code_made_at", "code_due_at", "alarm_due_at", "alarmed_at")
_COUNTS = ("code_tries", "codes")


def upgrade() -> None:
    op.add_column("organisation", sa.Column("recipients", sa.Text(), nullable=True))
    op.add_column("delivery", sa.Column("code_nonce", sa.String(length=40), nullable=True))
    for name in _MOMENTS:
        op.add_column("delivery", sa.Column(name, sa.BigInteger(), nullable=True))
    for name in _COUNTS:
        op.add_column("delivery", sa.Column(name, sa.Integer(), nullable=True))
    op.create_index("ix_delivery_code_due_at", "delivery", ["code_due_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_delivery_code_due_at", table_name="delivery")
    for name in (*_COUNTS, *_MOMENTS, "code_nonce"):
        op.drop_column("delivery", name)
    op.drop_column("organisation", "recipients")
