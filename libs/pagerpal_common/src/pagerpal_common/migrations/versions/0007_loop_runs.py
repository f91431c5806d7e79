"""When each service's loops last did their work."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for schema in ("directory", "incidents", "escalation", "notification", "ingest"):
        op.create_table(
            "loop_runs",
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("every_seconds", sa.Double(), nullable=False),
            sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("last_error", sa.Text(), nullable=True),
            sa.PrimaryKeyConstraint("name", name=op.f("loop_runs_pkey")),
            schema=schema,
            postgresql_with={"fillfactor": 50},
        )
