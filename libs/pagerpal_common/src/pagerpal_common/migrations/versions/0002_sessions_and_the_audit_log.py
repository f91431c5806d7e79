"""Sessions, the audit log, and the mark that an admin has been made."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "first_admin",
        sa.Column("is_made", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("is_made", name=op.f("first_admin_only_check")),
        sa.PrimaryKeyConstraint("is_made", name=op.f("first_admin_pkey")),
        schema="directory",
    )
    # A database that has an admin was set up before this mark was made.
    op.execute("""
        INSERT INTO directory.first_admin (is_made, made_at)
        SELECT true, now() WHERE EXISTS (SELECT FROM directory.users WHERE role = 'admin')
    """)
    op.create_table(
        "sessions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["directory.users.id"], name=op.f("sessions_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("sessions_pkey")),
        sa.UniqueConstraint("token_hash", name=op.f("sessions_token_hash_key")),
        schema="directory",
    )
    op.create_index(op.f("sessions_user_id_idx"), "sessions", ["user_id"], unique=False, schema="directory")
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor_user_id", sa.BigInteger(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("target_kind", sa.Text(), nullable=True),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_events_pkey")),
        schema="directory",
    )
    for name, columns in (
        ("audit_events_created_at_idx", ["created_at"]),
        ("audit_events_action_idx", ["action", "id"]),
        ("audit_events_actor_idx", ["actor_user_id", "id"]),
        ("audit_events_target_idx", ["target_kind", "target_id", "id"]),
    ):
        op.create_index(name, "audit_events", columns, unique=False, schema="directory")
