"""What waits for the same person on the same channel, for webhooks that are sent to in order."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "notifications_waiting_idx",
        "notifications",
        ["user_id", "channel", "id"],
        schema="notification",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
