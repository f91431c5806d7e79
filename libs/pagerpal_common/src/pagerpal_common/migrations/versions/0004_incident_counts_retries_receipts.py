"""Incident counts and the indexes of the list, retried notifications, delivery receipts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# One change per statement and kind of incident, in the transaction of what it counts: nobody waits for a counter, and
# counts + count_changes is exact in every snapshot, whoever writes and by whatever statement. What changes no kind, such
# as a repeated alert, adds none.
COUNT_INCIDENTS = """
CREATE FUNCTION incidents.count_incidents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO incidents.count_changes (team_id, source_id, status, severity, change)
        SELECT team_id, source_id, status, severity, count(*) FROM inserted GROUP BY 1, 2, 3, 4;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO incidents.count_changes (team_id, source_id, status, severity, change)
        SELECT team_id, source_id, status, severity, sum(change)
        FROM (
            SELECT team_id, source_id, status, severity, 1 AS change FROM after_update
            UNION ALL
            SELECT team_id, source_id, status, severity, -1 FROM before_update
        ) AS changed
        GROUP BY 1, 2, 3, 4 HAVING sum(change) <> 0;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO incidents.count_changes (team_id, source_id, status, severity, change)
        SELECT team_id, source_id, status, severity, -count(*) FROM deleted GROUP BY 1, 2, 3, 4;
    ELSE
        DELETE FROM incidents.count_changes;
        DELETE FROM incidents.counts;
    END IF;
    RETURN NULL;
END
$$
"""

TRIGGERS = {
    "count_inserted": "INSERT ON incidents.incidents REFERENCING NEW TABLE AS inserted",
    "count_updated": "UPDATE ON incidents.incidents REFERENCING OLD TABLE AS before_update NEW TABLE AS after_update",
    "count_deleted": "DELETE ON incidents.incidents REFERENCING OLD TABLE AS deleted",
    "count_truncated": "TRUNCATE ON incidents.incidents",
}

# The triggers have locked the table against writers until this commits, so nothing is missed or counted twice.
COUNT_WHAT_IS_THERE = """
INSERT INTO incidents.counts (team_id, source_id, status, severity, number)
SELECT team_id, source_id, status, severity, count(*) FROM incidents.incidents GROUP BY 1, 2, 3, 4
"""


def upgrade() -> None:
    _count_and_list_incidents()
    _tell_of_retries()
    _keep_receipts()


def _count_and_list_incidents() -> None:
    kind = ("team_id", "source_id", "status", "severity")
    op.create_table(
        "counts",
        sa.Column("team_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*kind, name=op.f("counts_pkey")),
        schema="incidents",
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "count_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("count_changes_pkey")),
        schema="incidents",
    )
    op.execute(COUNT_INCIDENTS)
    for name, event in TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} FOR EACH STATEMENT EXECUTE FUNCTION incidents.count_incidents()"
        )
    op.execute(COUNT_WHAT_IS_THERE)
    op.create_index("incidents_listed_idx", "incidents", ["status", "severity", "id"], schema="incidents")
    op.create_index(
        "incidents_listed_by_team_idx", "incidents", ["team_id", "status", "severity", "id"], schema="incidents"
    )
    op.create_index(
        "incidents_listed_by_source_idx",
        "incidents",
        ["source_id", "status", "severity", "id"],
        schema="incidents",
        postgresql_include=["team_id"],
    )
    # Only the list used them, and it no longer does. Code names no index: an older version lists by the new ones.
    op.drop_index("incidents_triggered_idx", table_name="incidents", schema="incidents")
    op.drop_index("incidents_team_idx", table_name="incidents", schema="incidents")
    op.execute(
        "ALTER TABLE incidents.incidents"
        " SET (autovacuum_vacuum_insert_scale_factor = 0.01, autovacuum_vacuum_scale_factor = 0.02)"
    )


def _tell_of_retries() -> None:
    op.add_column(
        "notifications",
        sa.Column("retries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        schema="notification",
    )
    op.add_column(
        "notifications",
        sa.Column("attempts_before", sa.Integer(), server_default=sa.text("0"), nullable=False),
        schema="notification",
    )
    op.add_column("notifications", sa.Column("retried_at", sa.DateTime(timezone=True)), schema="notification")
    op.add_column("notifications", sa.Column("retried_by", sa.BigInteger()), schema="notification")
    op.add_column("notifications", sa.Column("retried_as", sa.BigInteger()), schema="notification")
    op.create_index(
        "notifications_retried_idx",
        "notifications",
        ["retried_at"],
        schema="notification",
        postgresql_where=sa.text("retried_at IS NOT NULL"),
    )
    op.add_column("events", sa.Column("retried_notification_id", sa.BigInteger()), schema="incidents")
    op.add_column("events", sa.Column("retry", sa.Integer()), schema="incidents")
    op.create_index(
        "events_retried_notification_key",
        "events",
        ["retried_notification_id", "retry", "event_type"],
        unique=True,
        schema="incidents",
        postgresql_where=sa.text("retried_notification_id IS NOT NULL"),
    )


def _keep_receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("is_permanent", sa.Boolean(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_matched", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'at_operator', 'failed', 'delivered')", name=op.f("receipts_state_check")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("receipts_pkey")),
        schema="notification",
    )
    op.create_index(
        "receipts_unmatched_idx",
        "receipts",
        ["received_at"],
        schema="notification",
        postgresql_where=sa.text("NOT is_matched"),
    )
