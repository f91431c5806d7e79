"""What people work on, and its record. Written by incidents alone."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Sequence, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, UUID

from pagerpal_common.schema.columns import identity, instant, loop_runs, metadata, one_of, outbox
from pagerpal_common.vocabulary import AlertOutcome, IncidentStatus, Severity

SCHEMA = "incidents"

escalation_ids = Sequence("escalation_ids", schema=SCHEMA, metadata=metadata)
"""A new number for each run of a policy: on the first alert, and on each reopen."""

incidents = Table(
    "incidents",
    metadata,
    identity(),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("external_id", Text),
    Column("source_id", BigInteger, nullable=False),
    Column("team_id", BigInteger, nullable=False),
    Column("escalation_policy_id", BigInteger),  # the source's own; without one the team's default holds
    Column("status", Text, nullable=False),
    Column("current_escalation_level", Integer, nullable=False),
    Column("escalation_id", BigInteger, nullable=False),
    Column("escalation_pass", Integer, nullable=False),
    Column("escalation_reminder", Integer, nullable=False),
    instant("level_entered_at"),  # when the present level was really entered; timers count from here
    Column("assigned_user_id", BigInteger),
    Column("acknowledged_by", BigInteger),
    instant("acknowledged_at", nullable=True),
    Column("resolved_by", BigInteger),  # null when the source resolved it
    instant("resolved_at", nullable=True),
    instant("first_notified_at", nullable=True),
    instant("last_notified_at", nullable=True),
    Column("notification_count", Integer, nullable=False),
    instant("created_at"),
    Column("alert_count", BigInteger, nullable=False),
    instant("last_alert_at"),
    Column("links", JSONB, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("is_unreached", Boolean, nullable=False),
    one_of("status", IncidentStatus),
    one_of("severity", Severity),
    schema=SCHEMA,
    # Room on each page, so that a repeated alert rewrites its row in place and touches no index.
    postgresql_with={"fillfactor": 80},
)
# The dedup key: one open incident per source and external id. Incidents without an external id never collide.
Index(
    "incidents_open_key",
    incidents.c.source_id,
    incidents.c.external_id,
    unique=True,
    postgresql_where=incidents.c.status != "resolved",
)
# The newest incident of a dedup key, open or not.
Index("incidents_history_idx", incidents.c.source_id, incidents.c.external_id, incidents.c.id)
# Who is wanted right now: what people list first.
Index("incidents_triggered_idx", incidents.c.id, postgresql_where=incidents.c.status == "triggered")
Index("incidents_team_idx", incidents.c.team_id, incidents.c.id)

# Alerts and events name their incident without a foreign key: they are written in its transaction, incidents are never
# deleted, and the check would cost each alert more of PostgreSQL's time than writing it (measured).
alerts = Table(
    "alerts",
    metadata,
    # The ledger: each accepted alert once, and what became of it.
    Column("alert_id", UUID(as_uuid=True), primary_key=True),
    Column("source_id", BigInteger, nullable=False),
    Column("external_id", Text),
    Column("status", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("incident_id", BigInteger),
    instant("received_at"),
    instant("recorded_at"),
    one_of("outcome", AlertOutcome),
    schema=SCHEMA,
)

parked_alerts = Table(
    "parked_alerts",
    metadata,
    # Alerts that could not be handled: kept whole, with the reason, for an operator.
    Column("alert_id", UUID(as_uuid=True), primary_key=True),
    Column("body", Text, nullable=False),
    Column("error", Text, nullable=False),
    instant("parked_at"),
    schema=SCHEMA,
)

events = Table(
    "events",
    metadata,
    identity(),
    Column("incident_id", BigInteger, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("actor_user_id", BigInteger),
    Column("acting_as_user_id", BigInteger),
    instant("created_at"),
    Column("data", JSONB, nullable=False),
    Column("notification_id", BigInteger),  # set on events about a notification
    schema=SCHEMA,
)
# Each end of a notification is told once.
Index(
    "events_notification_key",
    events.c.notification_id,
    events.c.event_type,
    unique=True,
    postgresql_where=events.c.notification_id.is_not(None),
)
Index("events_incident_idx", events.c.incident_id, events.c.id)

page_requests = Table(
    "page_requests",
    metadata,
    # The obligation ledger: somebody is to be reached, once per run, pass, level and reminder.
    identity(),
    Column("incident_id", ForeignKey(incidents.c.id), nullable=False, index=True),
    Column("escalation_id", BigInteger, nullable=False),
    Column("pass_number", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("reminder", Integer, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("reason", JSONB, nullable=False),
    instant("requested_at"),
    Column("is_open", Boolean, nullable=False),  # still wanted: its incident is triggered in the same run
    UniqueConstraint("escalation_id", "pass_number", "level", "reminder", "user_id"),
    schema=SCHEMA,
)
Index("page_requests_open_idx", page_requests.c.id, postgresql_where=page_requests.c.is_open)

incidents_outbox = outbox(SCHEMA)
incidents_loop_runs = loop_runs(SCHEMA)

OWNED = (incidents, alerts, parked_alerts, events, page_requests, incidents_outbox, incidents_loop_runs)
