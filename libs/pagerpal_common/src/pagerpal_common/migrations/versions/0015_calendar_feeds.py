"""Calendars at secret addresses."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=True),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["directory.users.id"], name=op.f("calendar_feeds_user_id_fkey")),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["directory.schedules.id"],
            name=op.f("calendar_feeds_schedule_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("calendar_feeds_pkey")),
        sa.UniqueConstraint("secret_hash", name=op.f("calendar_feeds_secret_hash_key")),
        schema="directory",
    )
    op.create_index(op.f("calendar_feeds_schedule_id_idx"), "calendar_feeds", ["schedule_id"], schema="directory")
    op.create_index(
        "calendar_feeds_own_key",
        "calendar_feeds",
        ["user_id"],
        unique=True,
        schema="directory",
        postgresql_where=sa.text("schedule_id IS NULL"),
    )
    op.create_index(
        "calendar_feeds_schedule_key",
        "calendar_feeds",
        ["user_id", "schedule_id"],
        unique=True,
        schema="directory",
        postgresql_where=sa.text("schedule_id IS NOT NULL"),
    )
