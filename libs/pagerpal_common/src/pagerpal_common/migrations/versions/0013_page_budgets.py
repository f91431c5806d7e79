"""Messages that tell of several notifications, and what has gone to whom within the hour."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "notifications", sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True), schema="notification"
    )
    op.add_column(
        "notifications",
        sa.Column("is_held", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="notification",
    )
    op.add_column(
        "notifications",
        sa.Column("merged_with", sa.Integer(), server_default=sa.text("0"), nullable=False),
        schema="notification",
    )
    op.create_index(
        "notifications_person_due_idx",
        "notifications",
        ["user_id", "due_at"],
        schema="notification",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "notifications_message_idx",
        "notifications",
        ["provider_message_id"],
        schema="notification",
        postgresql_where=sa.text("provider_message_id IS NOT NULL"),
    )
    op.add_column("attempts", sa.Column("user_id", sa.BigInteger(), nullable=True), schema="notification")
    op.add_column("attempts", sa.Column("channel", sa.Text(), nullable=True), schema="notification")
    op.add_column("attempts", sa.Column("address", sa.Text(), nullable=True), schema="notification")
    op.create_index("attempts_budget_idx", "attempts", ["user_id", "started_at"], schema="notification")
