"""Which provider serves each channel, as the notifiers say."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "channel IN ('sms', 'voice', 'email', 'webhook', 'slack', 'apprise')", name=op.f("channels_channel_check")
        ),
        sa.PrimaryKeyConstraint("channel", name=op.f("channels_pkey")),
        schema="notification",
    )
