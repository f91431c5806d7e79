"""Contact methods, what proves them, and notification rules of each person."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CHANNELS = "channel IN ('sms', 'voice', 'email', 'webhook', 'slack')"


def upgrade() -> None:
    _contact_methods()
    _contact_checks()
    _notification_rules()
    _notifications()


def _contact_methods() -> None:
    op.create_table(
        "contact_methods",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, start=1001), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("signing_secret", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(CHANNELS, name=op.f("contact_methods_channel_check")),
        sa.ForeignKeyConstraint(["user_id"], ["directory.users.id"], name=op.f("contact_methods_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("contact_methods_pkey")),
        sa.UniqueConstraint("user_id", "channel", "address", name=op.f("contact_methods_user_id_channel_address_key")),
        schema="directory",
    )
    op.create_index(op.f("contact_methods_user_id_idx"), "contact_methods", ["user_id"], schema="directory")
    op.create_table(
        "contact_proofs",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("method_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["directory.users.id"], name=op.f("contact_proofs_user_id_fkey")),
        sa.PrimaryKeyConstraint("user_id", "method_id", name=op.f("contact_proofs_pkey")),
        schema="directory",
    )


def _contact_checks() -> None:
    op.create_table(
        "contact_checks",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("method_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(CHANNELS, name=op.f("contact_checks_channel_check")),
        sa.CheckConstraint("kind IN ('code', 'test')", name=op.f("contact_checks_kind_check")),
        sa.ForeignKeyConstraint(["user_id"], ["directory.users.id"], name=op.f("contact_checks_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("contact_checks_pkey")),
        schema="directory",
    )
    op.create_index("contact_checks_user_id_idx", "contact_checks", ["user_id", "requested_at"], schema="directory")
    op.create_table(
        "contact_codes",
        sa.Column("check_id", sa.UUID(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("check_id", name=op.f("contact_codes_pkey")),
        schema="notification",
    )
    op.create_index("contact_codes_created_at_idx", "contact_codes", ["created_at"], schema="notification")


def _notification_rules() -> None:
    op.create_table(
        "notification_rules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("contact_method_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("delay_seconds", sa.Integer(), nullable=False),
        sa.CheckConstraint("channel IN ('sms', 'voice', 'email')", name=op.f("notification_rules_channel_check")),
        sa.CheckConstraint(
            "severity IN ('critical', 'warning', 'info', 'any')", name=op.f("notification_rules_severity_check")
        ),
        sa.CheckConstraint(
            "num_nonnulls(contact_method_id, channel) = 1", name=op.f("notification_rules_one_way_check")
        ),
        sa.CheckConstraint("delay_seconds >= 0", name=op.f("notification_rules_delay_check")),
        sa.ForeignKeyConstraint(["user_id"], ["directory.users.id"], name=op.f("notification_rules_user_id_fkey")),
        sa.ForeignKeyConstraint(
            ["contact_method_id"],
            ["directory.contact_methods.id"],
            name=op.f("notification_rules_contact_method_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("notification_rules_pkey")),
        schema="directory",
    )
    for column in ("user_id", "contact_method_id"):
        op.create_index(op.f(f"notification_rules_{column}_idx"), "notification_rules", [column], schema="directory")


def _notifications() -> None:
    """More channels than before, and to which contact method. Existing rows satisfy the wider check."""
    op.add_column(
        "notifications", sa.Column("contact_method_id", sa.BigInteger(), nullable=True), schema="notification"
    )
    op.drop_constraint("notifications_channel_check", "notifications", schema="notification")
    op.create_check_constraint(op.f("notifications_channel_check"), "notifications", CHANNELS, schema="notification")
