"""Contact methods that are browsers, by Web Push. Existing rows satisfy the wider checks."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

CHANNELS = "channel IN ('sms', 'voice', 'email', 'webhook', 'slack', 'apprise', 'web_push')"


def upgrade() -> None:
    for schema, table in (
        ("directory", "contact_methods"),
        ("directory", "contact_checks"),
        ("notification", "notifications"),
        ("notification", "channels"),
    ):
        name = op.f(f"{table}_channel_check")
        op.drop_constraint(name, table, schema=schema)
        op.create_check_constraint(name, table, CHANNELS, schema=schema)
    op.add_column("channels", sa.Column("public_key", sa.Text(), nullable=True), schema="notification")
    op.create_table(
        "ended_subscriptions",
        sa.Column("address_digest", sa.LargeBinary(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address_digest", name=op.f("ended_subscriptions_pkey")),
        schema="notification",
    )
