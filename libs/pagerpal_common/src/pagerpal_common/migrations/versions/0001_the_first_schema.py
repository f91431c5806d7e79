"""The first schema: directory, incidents, escalation, notification and ingest."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for schema in ("directory", "incidents", "escalation", "notification", "ingest"):
        op.execute(f"CREATE SCHEMA {schema}")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")  # for the exclusion constraint on schedule entries
    op.execute("CREATE SEQUENCE incidents.escalation_ids")
    op.create_table(
        "teams",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("teams_pkey")),
        schema="directory",
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'responder', 'viewer')", name=op.f("users_role_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
        schema="directory",
    )
    op.create_index("users_email_key", "users", [sa.literal_column("lower(email)")], unique=True, schema="directory")
    op.create_table(
        "escalations",
        sa.Column("escalation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("policy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("reminder", sa.Integer(), nullable=False),
        sa.Column("asked", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("escalation_id", name=op.f("escalations_pkey")),
        schema="escalation",
    )
    op.create_index(
        "escalations_asked_idx",
        "escalations",
        ["escalation_id"],
        unique=False,
        schema="escalation",
        postgresql_where=sa.text("asked IS NOT NULL"),
    )
    op.create_index(
        "escalations_due_idx",
        "escalations",
        ["due_at"],
        unique=False,
        schema="escalation",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        op.f("escalations_incident_id_idx"), "escalations", ["incident_id"], unique=False, schema="escalation"
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("outbox_pkey")),
        schema="escalation",
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("escalation_policy_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("current_escalation_level", sa.Integer(), nullable=False),
        sa.Column("escalation_id", sa.BigInteger(), nullable=False),
        sa.Column("escalation_pass", sa.Integer(), nullable=False),
        sa.Column("escalation_reminder", sa.Integer(), nullable=False),
        sa.Column("level_entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assigned_user_id", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notification_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alert_count", sa.BigInteger(), nullable=False),
        sa.Column("last_alert_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("links", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_unreached", sa.Boolean(), nullable=False),
        sa.CheckConstraint("severity IN ('critical', 'warning', 'info')", name=op.f("incidents_severity_check")),
        sa.CheckConstraint("status IN ('triggered', 'acknowledged', 'resolved')", name=op.f("incidents_status_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("incidents_pkey")),
        schema="incidents",
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "incidents_history_idx", "incidents", ["source_id", "external_id", "id"], unique=False, schema="incidents"
    )
    op.create_index(
        "incidents_open_key",
        "incidents",
        ["source_id", "external_id"],
        unique=True,
        schema="incidents",
        postgresql_where=sa.text("status != 'resolved'"),
    )
    op.create_index("incidents_team_idx", "incidents", ["team_id", "id"], unique=False, schema="incidents")
    op.create_index(
        "incidents_triggered_idx",
        "incidents",
        ["id"],
        unique=False,
        schema="incidents",
        postgresql_where=sa.text("status = 'triggered'"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("outbox_pkey")),
        schema="incidents",
    )
    op.create_table(
        "parked_alerts",
        sa.Column("alert_id", sa.UUID(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("parked_alerts_pkey")),
        schema="incidents",
    )
    op.create_table(
        "spool",
        sa.Column("alert_id", sa.UUID(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("spooled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("spool_pkey")),
        schema="ingest",
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("page_request_id", sa.BigInteger(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("escalation_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("reason", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("provider_message_id", sa.UUID(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('sms', 'voice', 'email')", name=op.f("notifications_channel_check")),
        sa.CheckConstraint(
            "status IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'exhausted', 'cancelled')",
            name=op.f("notifications_status_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("notifications_pkey")),
        sa.UniqueConstraint(
            "page_request_id", "channel", "step", name=op.f("notifications_page_request_id_channel_step_key")
        ),
        schema="notification",
    )
    op.create_index(
        "notifications_due_idx",
        "notifications",
        ["due_at"],
        unique=False,
        schema="notification",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        op.f("notifications_incident_id_idx"), "notifications", ["incident_id"], unique=False, schema="notification"
    )
    op.create_index("notifications_settled_idx", "notifications", ["settled_at"], unique=False, schema="notification")
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("outbox_pkey")),
        schema="notification",
    )
    op.create_table(
        "credentials",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["directory.users.id"], name=op.f("credentials_user_id_fkey")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("credentials_pkey")),
        schema="directory",
    )
    op.create_table(
        "escalation_policies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("repeat_count", sa.Integer(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("ack_timeout_minutes", sa.Numeric(), nullable=True),
        sa.Column("reminder_minutes", sa.Numeric(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["directory.teams.id"], name=op.f("escalation_policies_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("escalation_policies_pkey")),
        schema="directory",
    )
    op.create_index(
        "escalation_policies_default_key",
        "escalation_policies",
        ["team_id"],
        unique=True,
        schema="directory",
        postgresql_where="is_default",
    )
    op.create_index(
        op.f("escalation_policies_team_id_idx"), "escalation_policies", ["team_id"], unique=False, schema="directory"
    )
    op.create_table(
        "schedules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["directory.teams.id"], name=op.f("schedules_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("schedules_pkey")),
        schema="directory",
    )
    op.create_index(op.f("schedules_team_id_idx"), "schedules", ["team_id"], unique=False, schema="directory")
    op.create_table(
        "team_members",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["directory.teams.id"], name=op.f("team_members_team_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["directory.users.id"], name=op.f("team_members_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("team_members_pkey")),
        sa.UniqueConstraint("team_id", "user_id", name=op.f("team_members_team_id_user_id_key")),
        schema="directory",
    )
    op.create_index(op.f("team_members_user_id_idx"), "team_members", ["user_id"], unique=False, schema="directory")
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.UUID(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('opened', 'updated', 'resolved', 'duplicate', 'ignored', 'parked')",
            name=op.f("alerts_outcome_check"),
        ),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("alerts_pkey")),
        schema="incidents",
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("actor_user_id", sa.BigInteger(), nullable=True),
        sa.Column("acting_as_user_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("notification_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("events_pkey")),
        schema="incidents",
    )
    op.create_index("events_incident_idx", "events", ["incident_id", "id"], unique=False, schema="incidents")
    op.create_index(
        "events_notification_key",
        "events",
        ["notification_id", "event_type"],
        unique=True,
        schema="incidents",
        postgresql_where=sa.text("notification_id IS NOT NULL"),
    )
    op.create_table(
        "page_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("escalation_id", sa.BigInteger(), nullable=False),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("reminder", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.incidents.id"], name=op.f("page_requests_incident_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("page_requests_pkey")),
        sa.UniqueConstraint(
            "escalation_id",
            "pass_number",
            "level",
            "reminder",
            "user_id",
            name=op.f("page_requests_escalation_id_pass_number_level_reminder_user_id_key"),
        ),
        schema="incidents",
    )
    op.create_index(
        op.f("page_requests_incident_id_idx"), "page_requests", ["incident_id"], unique=False, schema="incidents"
    )
    op.create_index(
        "page_requests_open_idx", "page_requests", ["id"], unique=False, schema="incidents", postgresql_where="is_open"
    )
    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.UUID(), nullable=False),
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notification_id"], ["notification.notifications.id"], name=op.f("attempts_notification_id_fkey")
        ),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("attempts_pkey")),
        schema="notification",
    )
    op.create_index(
        op.f("attempts_notification_id_idx"), "attempts", ["notification_id"], unique=False, schema="notification"
    )
    op.create_table(
        "alert_sources",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("config", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("escalation_policy_id", sa.BigInteger(), nullable=True),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("key_first8", sa.Text(), nullable=False),
        sa.Column("key_last4", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "source_type IN ('generic', 'grafana', 'cloudwatch', 'alertmanager')",
            name=op.f("alert_sources_source_type_check"),
        ),
        sa.ForeignKeyConstraint(
            ["escalation_policy_id"],
            ["directory.escalation_policies.id"],
            name=op.f("alert_sources_escalation_policy_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["team_id"], ["directory.teams.id"], name=op.f("alert_sources_team_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("alert_sources_pkey")),
        sa.UniqueConstraint("key_hash", name=op.f("alert_sources_key_hash_key")),
        schema="directory",
    )
    op.create_index(
        op.f("alert_sources_escalation_policy_id_idx"),
        "alert_sources",
        ["escalation_policy_id"],
        unique=False,
        schema="directory",
    )
    op.create_index(op.f("alert_sources_team_id_idx"), "alert_sources", ["team_id"], unique=False, schema="directory")
    op.create_table(
        "escalation_levels",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("policy_id", sa.BigInteger(), nullable=False),
        sa.Column("level_number", sa.Integer(), nullable=False),
        sa.Column("timeout_minutes", sa.Numeric(), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["directory.escalation_policies.id"], name=op.f("escalation_levels_policy_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("escalation_levels_pkey")),
        sa.UniqueConstraint("policy_id", "level_number", name=op.f("escalation_levels_policy_id_level_number_key")),
        schema="directory",
    )
    op.create_table(
        "schedule_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_override", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("schedule_id"), "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("NOT is_override"),
            using="gist",
            name="schedule_entries_no_overlap",
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("schedule_entries_order_check")),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["directory.schedules.id"], name=op.f("schedule_entries_schedule_id_fkey")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["directory.users.id"], name=op.f("schedule_entries_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("schedule_entries_pkey")),
        schema="directory",
    )
    op.create_index(
        op.f("schedule_entries_schedule_id_idx"), "schedule_entries", ["schedule_id"], unique=False, schema="directory"
    )
    op.create_index(
        op.f("schedule_entries_user_id_idx"), "schedule_entries", ["user_id"], unique=False, schema="directory"
    )
    op.create_table(
        "escalation_assignees",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("level_id", sa.BigInteger(), nullable=False),
        sa.Column("assignee_type", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("schedule_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "assignee_type IN ('user', 'schedule')", name=op.f("escalation_assignees_assignee_type_check")
        ),
        sa.CheckConstraint(
            "num_nonnulls(user_id, schedule_id) = 1", name=op.f("escalation_assignees_one_assignee_check")
        ),
        sa.ForeignKeyConstraint(
            ["level_id"], ["directory.escalation_levels.id"], name=op.f("escalation_assignees_level_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["directory.schedules.id"], name=op.f("escalation_assignees_schedule_id_fkey")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["directory.users.id"], name=op.f("escalation_assignees_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("escalation_assignees_pkey")),
        schema="directory",
    )
    op.create_index(
        op.f("escalation_assignees_level_id_idx"),
        "escalation_assignees",
        ["level_id"],
        unique=False,
        schema="directory",
    )
    op.create_index(
        op.f("escalation_assignees_schedule_id_idx"),
        "escalation_assignees",
        ["schedule_id"],
        unique=False,
        schema="directory",
    )
    op.create_index(
        op.f("escalation_assignees_user_id_idx"), "escalation_assignees", ["user_id"], unique=False, schema="directory"
    )
