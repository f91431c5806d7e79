"""Contact methods that are messengers, by their Apprise URL. Existing rows satisfy the wider checks."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

CHANNELS = "channel IN ('sms', 'voice', 'email', 'webhook', 'slack', 'apprise')"


def upgrade() -> None:
    for schema, table in (
        ("directory", "contact_methods"),
        ("directory", "contact_checks"),
        ("notification", "notifications"),
    ):
        name = op.f(f"{table}_channel_check")
        op.drop_constraint(name, table, schema=schema)
        op.create_check_constraint(name, table, CHANNELS, schema=schema)
