"""What the auditor finds, and how it finds it without reading through history."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "auditor_checks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("breaches", sa.BigInteger(), nullable=False),
        sa.Column("oldest_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("red_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("auditor_checks_pkey")),
        schema="directory",
        postgresql_with={"fillfactor": 50},
    )
    op.create_index(
        "alerts_received_idx",
        "alerts",
        ["received_at"],
        unique=False,
        schema="incidents",
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    op.create_index(
        "notifications_limbo_idx",
        "notifications",
        ["id"],
        unique=False,
        schema="notification",
        postgresql_where=sa.text("due_at IS NULL AND status IN ('queued', 'sending')"),
    )
