"""Rotations: people who take turns on a schedule."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schedule_rotations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("handoff_at", sa.DateTime(), nullable=False),
        sa.Column("restrictions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('hourly', 'daily', 'weekly', 'monthly')", name=op.f("schedule_rotations_kind_check")
        ),
        sa.CheckConstraint("length BETWEEN 1 AND 366", name=op.f("schedule_rotations_length_check")),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["directory.schedules.id"],
            name=op.f("schedule_rotations_schedule_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("schedule_rotations_pkey")),
        schema="directory",
    )
    op.create_index(
        op.f("schedule_rotations_schedule_id_idx"), "schedule_rotations", ["schedule_id"], schema="directory"
    )
    op.create_table(
        "rotation_people",
        sa.Column("rotation_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rotation_id"],
            ["directory.schedule_rotations.id"],
            name=op.f("rotation_people_rotation_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["directory.users.id"], name=op.f("rotation_people_user_id_fkey")),
        sa.PrimaryKeyConstraint("rotation_id", "position", name=op.f("rotation_people_pkey")),
        schema="directory",
    )
    op.create_index(op.f("rotation_people_user_id_idx"), "rotation_people", ["user_id"], schema="directory")
