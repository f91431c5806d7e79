"""How each source behaves, and its key before this one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source_tallies",
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ending", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "minute", "ending", name=op.f("source_tallies_pkey")),
        schema="ingest",
    )
    op.create_table(
        "source_states",
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_alert_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("skew_seconds", sa.Float(), nullable=True),
        sa.Column("last_refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_refusal", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("source_id", name=op.f("source_states_pkey")),
        schema="ingest",
    )
    op.add_column("alert_sources", sa.Column("previous_key_hash", sa.LargeBinary(), nullable=True), schema="directory")
    op.create_index(
        op.f("alert_sources_previous_key_hash_idx"),
        "alert_sources",
        ["previous_key_hash"],
        schema="directory",
    )
