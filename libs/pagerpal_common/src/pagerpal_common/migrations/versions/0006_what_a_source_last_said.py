"""What a source last said of an incident, and ends that come before their beginnings.

Only adds. Rows that are there read as they are meant: who resolved an incident says whether its source did, and
`last_alert_at` is when its source was heard last. A process of the version before may go on writing beside a new one.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OUTCOMES = ("opened", "updated", "resolved", "reopened", "acknowledged", "noted", "duplicate", "ignored", "parked")


def upgrade() -> None:
    for column in (
        sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("flap_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_over", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("episode_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
    ):
        op.add_column("incidents", column, schema="incidents")
    op.create_index(
        "incidents_closed_idx",
        "incidents",
        ["source_id", "external_id", "resolved_at", "id"],
        schema="incidents",
        postgresql_where=sa.text("status = 'resolved' AND NOT is_test"),
    )
    op.add_column("alerts", sa.Column("event_at", sa.DateTime(timezone=True), nullable=True), schema="incidents")
    op.add_column("alerts", sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True), schema="incidents")
    words = ", ".join(f"'{outcome}'" for outcome in OUTCOMES)
    op.execute("ALTER TABLE incidents.alerts DROP CONSTRAINT alerts_outcome_check")
    op.execute(f"ALTER TABLE incidents.alerts ADD CONSTRAINT alerts_outcome_check CHECK (outcome IN ({words}))")
    op.create_table(
        "early_ends",
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("episode_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source_id", "external_id", name=op.f("early_ends_pkey")),
        schema="incidents",
    )
    op.create_index("early_ends_heard_idx", "early_ends", ["heard_at"], schema="incidents")
