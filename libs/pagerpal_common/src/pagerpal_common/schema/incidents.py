"""What people work on, and its record. Written by incidents alone."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from pagerpal_common.schema.columns import identity, instant, loop_runs, metadata, one_of, outbox
from pagerpal_common.vocabulary import AlertOutcome, IncidentStatus, RawPlace, Severity

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
    # It came from a "test" button, and paged nobody. A person who reopens it makes it a real one.
    Column("is_test", Boolean, nullable=False, server_default=false()),
    Column("flap_count", Integer, nullable=False, server_default=text("0")),  # how often its source has reopened it
    # The newest that its source has said of it, whoever has resolved it since.
    Column("is_over", Boolean, nullable=False, server_default=false()),
    instant("heard_at", nullable=True),  # when that arrived; null in rows of an older version: take last_alert_at
    instant("last_event_at", nullable=True),  # when that happened by the source's own clock, if it says
    instant("episode_at", nullable=True),  # when the firing began that it is about, if it says
    # How many lines of each kind its timeline has that alerts could cause without end.
    Column("told", JSONB, nullable=False, server_default=text("'{}'")),
    one_of("status", IncidentStatus),
    one_of("severity", Severity),
    schema=SCHEMA,
    postgresql_with={
        # Room on each page, so that a repeated alert rewrites its row in place and touches no index.
        "fillfactor": 80,
        # Deep pages of the list read indexes alone, as far as pages are known to hold nothing but what all may see.
        "autovacuum_vacuum_insert_scale_factor": 0.01,
        "autovacuum_vacuum_scale_factor": 0.02,
    },
)
# The dedup key: one open incident per source and external id. Incidents without an external id never collide.
Index(
    "incidents_open_key",
    incidents.c.source_id,
    incidents.c.external_id,
    unique=True,
    postgresql_where=incidents.c.status != "resolved",
)
# The incident of a dedup key that was resolved last.
Index(
    "incidents_closed_idx",
    incidents.c.source_id,
    incidents.c.external_id,
    incidents.c.resolved_at,
    incidents.c.id,
    postgresql_where=and_(incidents.c.status == "resolved", ~incidents.c.is_test),
)
# All incidents of a dedup key, the newest first: what a search for the id of a source looks for (decision 0030).
Index("incidents_history_idx", incidents.c.source_id, incidents.c.external_id, incidents.c.id)
# The list, newest first: each set of filters is a few stretches of one of these, each in order of id
# (docs/decisions/0011-the-incident-list.md).
Index("incidents_listed_idx", incidents.c.status, incidents.c.severity, incidents.c.id)
Index("incidents_listed_by_team_idx", incidents.c.team_id, incidents.c.status, incidents.c.severity, incidents.c.id)
Index(
    "incidents_listed_by_source_idx",
    incidents.c.source_id,
    incidents.c.status,
    incidents.c.severity,
    incidents.c.id,
    postgresql_include=["team_id"],
)

# How many incidents there are of each kind: what `counts` says, and what `count_changes` adds to it. A trigger on
# `incidents` adds a change per statement and kind, in its transaction: the sum is exact in every snapshot, and no two
# transactions ever wait for one counter. A loop adds the changes up into `counts`.
counts = Table(
    "counts",
    metadata,
    Column("team_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),
    Column("status", Text, primary_key=True),
    Column("severity", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    schema=SCHEMA,
    postgresql_with={"fillfactor": 50},
)

count_changes = Table(
    "count_changes",
    metadata,
    identity(),
    Column("team_id", BigInteger, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("change", BigInteger, nullable=False),  # may be negative
    schema=SCHEMA,
)

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
    instant("event_at", nullable=True),  # the source's own times, as it gave them
    instant("starts_at", nullable=True),
    one_of("outcome", AlertOutcome),
    schema=SCHEMA,
)
# Which alerts came in a window of time. The rows lie in about that order, so that ranges of pages are enough: it costs
# the hot path nothing.
Index("alerts_received_idx", alerts.c.received_at, postgresql_using="brin", postgresql_with={"autosummarize": "on"})

early_ends = Table(
    "early_ends",
    metadata,
    # The newest end that was told of a dedup key without any incident, so that what it ended opens none when it comes
    # late. Kept for a day.
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),
    Column("external_id", Text, primary_key=True),
    instant("heard_at"),
    instant("event_at", nullable=True),
    instant("episode_at", nullable=True),
    schema=SCHEMA,
)
Index("early_ends_heard_idx", early_ends.c.heard_at)

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

raw_alerts = Table(
    "raw_alerts",
    metadata,
    # Of each incident at most two alerts as they were sent, so that a storm of repeats leaves no more than one alert
    # does. Apart from the incident's row, which each repeat rewrites (docs/decisions/0036-raw-alerts.md).
    Column("incident_id", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Text, primary_key=True),
    instant("received_at"),
    Column("content_type", Text),
    Column("body", Text),  # at most 16 KiB; null when it could not be kept
    Column("size", Integer, nullable=False),  # bytes of all of it
    Column("is_cut", Boolean, nullable=False),
    one_of("place", RawPlace),
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
    # Instead of it, on events about one that a person has had tried again: which, and for the how manieth time.
    Column("retried_notification_id", BigInteger),
    Column("retry", Integer),
    schema=SCHEMA,
)
# Each end of a notification is told once, and once more after each retry.
Index(
    "events_notification_key",
    events.c.notification_id,
    events.c.event_type,
    unique=True,
    postgresql_where=events.c.notification_id.is_not(None),
)
Index(
    "events_retried_notification_key",
    events.c.retried_notification_id,
    events.c.retry,
    events.c.event_type,
    unique=True,
    postgresql_where=events.c.retried_notification_id.is_not(None),
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
    Column("request_id", Text),  # the HTTP request that it goes back to, for the log
    Column("traceparent", Text),  # the trace that its notifications go on in (W3C Trace Context)
    UniqueConstraint("escalation_id", "pass_number", "level", "reminder", "user_id"),
    schema=SCHEMA,
)
Index("page_requests_open_idx", page_requests.c.id, postgresql_where=page_requests.c.is_open)

incidents_outbox = outbox(SCHEMA)
incidents_loop_runs = loop_runs(SCHEMA)

OWNED = (
    incidents,
    counts,
    count_changes,
    alerts,
    early_ends,
    parked_alerts,
    raw_alerts,
    events,
    page_requests,
    incidents_outbox,
    incidents_loop_runs,
)
