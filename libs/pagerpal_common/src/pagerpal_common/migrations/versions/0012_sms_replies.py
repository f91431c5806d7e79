"""Which SMS that people answered with have been seen to."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sms_replies",
        sa.Column("reply_id", sa.UUID(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=True),
        sa.Column("expected_level", sa.Integer(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("reply_id", name=op.f("sms_replies_pkey")),
        schema="directory",
    )
    op.create_index("sms_replies_received_idx", "sms_replies", ["received_at"], schema="directory")
