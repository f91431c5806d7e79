"""Who there is and how they are to be paged. Written by web alone, read by all."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID, ExcludeConstraint

from pagerpal_common.schema.columns import identity, instant, loop_runs, metadata, one_of
from pagerpal_common.vocabulary import AssigneeType, Channel, CheckKind, Role, RotationKind, RuleSeverity, SourceType

SCHEMA = "directory"

FIRST_METHOD_ID = 1001
"""The least number of a contact method with a row of its own."""

users = Table(
    "users",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("phone", Text),  # E.164
    Column("timezone", Text, nullable=False),  # IANA
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    instant("last_login_at", nullable=True),
    instant("created_at"),
    one_of("role", Role),
    schema=SCHEMA,
)
Index("users_email_key", func.lower(users.c.email), unique=True)

credentials = Table(
    "credentials",
    metadata,
    Column("user_id", ForeignKey(users.c.id), primary_key=True, autoincrement=False),
    Column("password_hash", Text, nullable=False),  # argon2id; this table alone is closed to the other services
    instant("changed_at"),
    schema=SCHEMA,
)

first_admin = Table(
    "first_admin",
    metadata,
    # One row at most. Once it is there, nobody becomes an admin without an admin or the database's own password.
    Column("is_made", Boolean, primary_key=True),
    instant("made_at"),
    CheckConstraint("is_made", name="only"),
    schema=SCHEMA,
)

sessions = Table(
    "sessions",
    metadata,
    identity(),
    Column("user_id", ForeignKey(users.c.id), nullable=False, index=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),  # SHA-256 of the random number in the cookie
    instant("created_at"),
    instant("last_seen_at"),
    instant("expires_at"),
    Column("ip", Text),
    Column("user_agent", Text),
    schema=SCHEMA,
)

audit_events = Table(
    "audit_events",
    metadata,
    identity(),
    instant("created_at"),
    Column("action", Text, nullable=False),
    # No foreign keys: history holds nothing back, and waits for nobody's row.
    Column("actor_user_id", BigInteger),  # nobody: who could not log in, and whoever writes the database itself
    Column("ip", Text),
    Column("request_id", Text),
    Column("target_kind", Text),
    Column("target_id", BigInteger),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("data", JSONB, nullable=False),
    Index("audit_events_created_at_idx", "created_at"),
    Index("audit_events_action_idx", "action", "id"),
    Index("audit_events_actor_idx", "actor_user_id", "id"),
    Index("audit_events_target_idx", "target_kind", "target_id", "id"),
    schema=SCHEMA,
)

contact_methods = Table(
    "contact_methods",
    metadata,
    # The numbers below belong to everybody's own phone and mail, which have no rows here (web: `own_methods.py`).
    Column("id", BigInteger, Identity(start=FIRST_METHOD_ID), primary_key=True),
    Column("user_id", ForeignKey(users.c.id), nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),  # E.164, a mail address or a URL
    Column("label", Text),
    Column("signing_secret", Text),  # of a webhook: the key of its HMAC
    instant("created_at"),
    UniqueConstraint("user_id", "channel", "address"),
    one_of("channel", Channel),
    schema=SCHEMA,
)

contact_proofs = Table(
    "contact_proofs",
    metadata,
    # A method is verified while its address is the one that was proven: another address proves nothing.
    Column("user_id", ForeignKey(users.c.id), primary_key=True),
    Column("method_id", BigInteger, primary_key=True, autoincrement=False),  # no foreign key: it may be one's own phone
    Column("address", Text, nullable=False),
    instant("proven_at"),
    schema=SCHEMA,
)

contact_checks = Table(
    "contact_checks",
    metadata,
    # One sending of a code or a test page. It outlives its method, for a day at least: limits count them.
    Column("id", UUID(as_uuid=True), primary_key=True),  # the provider's message id, too
    Column("user_id", ForeignKey(users.c.id), nullable=False),
    Column("method_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    instant("requested_at"),
    Column("tries", Integer, nullable=False, server_default=text("0")),  # wrong codes that were typed in
    Column("is_open", Boolean, nullable=False, server_default=text("true")),  # its code may still be typed in
    Index("contact_checks_user_id_idx", "user_id", "requested_at"),
    one_of("kind", CheckKind),
    one_of("channel", Channel),
    schema=SCHEMA,
)

notification_rules = Table(
    "notification_rules",
    metadata,
    identity(),
    Column("user_id", ForeignKey(users.c.id), nullable=False, index=True),
    Column("severity", Text, nullable=False),
    Column("contact_method_id", ForeignKey(contact_methods.c.id), index=True),
    Column("channel", Text),  # of one's own phone or mail
    Column("delay_seconds", Integer, nullable=False),  # from the page request on
    one_of("severity", RuleSeverity),
    one_of("channel", (Channel.SMS, Channel.VOICE, Channel.EMAIL)),
    CheckConstraint("num_nonnulls(contact_method_id, channel) = 1", name="one_way"),
    CheckConstraint("delay_seconds >= 0", name="delay"),
    schema=SCHEMA,
)

teams = Table(
    "teams",
    metadata,
    identity(),
    Column("name", Text, nullable=False),
    Column("description", Text),
    instant("created_at"),
    schema=SCHEMA,
)

team_members = Table(
    "team_members",
    metadata,
    identity(),
    Column("team_id", ForeignKey(teams.c.id), nullable=False),
    Column("user_id", ForeignKey(users.c.id), nullable=False, index=True),
    UniqueConstraint("team_id", "user_id"),
    schema=SCHEMA,
)

schedules = Table(
    "schedules",
    metadata,
    identity(),
    Column("team_id", ForeignKey(teams.c.id), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),  # IANA
    instant("created_at"),
    schema=SCHEMA,
)

schedule_entries = Table(
    "schedule_entries",
    metadata,
    identity(),
    Column("schedule_id", ForeignKey(schedules.c.id), nullable=False, index=True),
    Column("user_id", ForeignKey(users.c.id), nullable=False, index=True),
    instant("starts_at"),
    instant("ends_at"),
    Column("is_override", Boolean, nullable=False),
    instant("created_at"),
    CheckConstraint("starts_at < ends_at", name="order"),
    # Normal entries of one schedule never overlap; overrides may, and win.
    ExcludeConstraint(
        (text("schedule_id"), "="),
        (text("tstzrange(starts_at, ends_at)"), "&&"),
        where=text("NOT is_override"),
        name="schedule_entries_no_overlap",
        using="gist",
    ),
    schema=SCHEMA,
)

schedule_rotations = Table(
    "schedule_rotations",
    metadata,
    identity(),
    Column("schedule_id", ForeignKey(schedules.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("length", Integer, nullable=False),  # of a turn, in what the kind counts
    # By the clock on the wall, in the schedule's zone: when the first person begins.
    Column("handoff_at", DateTime(timezone=False), nullable=False),
    Column("restrictions", JSONB, nullable=False),  # [{"weekdays": [0], "from": "09:00", "to": "17:00"}]; [] is always
    Column("priority", Integer, nullable=False),  # the highest wins
    one_of("kind", RotationKind),
    CheckConstraint("length BETWEEN 1 AND 366", name="length"),
    schema=SCHEMA,
)

rotation_people = Table(
    "rotation_people",
    metadata,
    Column("rotation_id", ForeignKey(schedule_rotations.c.id, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),  # the order of their turns
    Column("user_id", ForeignKey(users.c.id), nullable=False, index=True),
    schema=SCHEMA,
)

calendar_feeds = Table(
    "calendar_feeds",
    metadata,
    # A secret address of somebody's: their own shifts, or with a schedule all of that one.
    identity(),
    Column("user_id", ForeignKey(users.c.id), nullable=False),
    Column("schedule_id", ForeignKey(schedules.c.id, ondelete="CASCADE"), index=True),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),  # SHA-256: 256 random bits need no slow hash
    instant("created_at"),
    schema=SCHEMA,
)
Index(
    "calendar_feeds_own_key",
    calendar_feeds.c.user_id,
    unique=True,
    postgresql_where=calendar_feeds.c.schedule_id.is_(None),
)
Index(
    "calendar_feeds_schedule_key",
    calendar_feeds.c.user_id,
    calendar_feeds.c.schedule_id,
    unique=True,
    postgresql_where=calendar_feeds.c.schedule_id.is_not(None),
)

escalation_policies = Table(
    "escalation_policies",
    metadata,
    identity(),
    Column("team_id", ForeignKey(teams.c.id), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("repeat_count", Integer, nullable=False),  # passes after the first
    Column("is_default", Boolean, nullable=False),
    Column("ack_timeout_minutes", Numeric),
    Column("reminder_minutes", Numeric, nullable=False),
    instant("created_at"),
    schema=SCHEMA,
)
Index(
    "escalation_policies_default_key",
    escalation_policies.c.team_id,
    unique=True,
    postgresql_where=escalation_policies.c.is_default,
)

escalation_levels = Table(
    "escalation_levels",
    metadata,
    identity(),
    Column("policy_id", ForeignKey(escalation_policies.c.id), nullable=False),
    Column("level_number", Integer, nullable=False),
    Column("timeout_minutes", Numeric, nullable=False),  # until the next level is entered
    UniqueConstraint("policy_id", "level_number"),
    schema=SCHEMA,
)

escalation_assignees = Table(
    "escalation_assignees",
    metadata,
    identity(),
    Column("level_id", ForeignKey(escalation_levels.c.id), nullable=False, index=True),
    Column("assignee_type", Text, nullable=False),
    Column("user_id", ForeignKey(users.c.id), index=True),
    Column("schedule_id", ForeignKey(schedules.c.id), index=True),
    one_of("assignee_type", AssigneeType),
    CheckConstraint("num_nonnulls(user_id, schedule_id) = 1", name="one_assignee"),
    schema=SCHEMA,
)

alert_sources = Table(
    "alert_sources",
    metadata,
    identity(),
    Column("team_id", ForeignKey(teams.c.id), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("source_type", Text, nullable=False),
    Column("config", JSONB),
    Column("escalation_policy_id", ForeignKey(escalation_policies.c.id), index=True),
    # SHA-256 of the whole key: 256 random bits need no slow hash.
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    # The key before this one: who still uses it is not let in, but told from a stranger.
    Column("previous_key_hash", LargeBinary, index=True),
    Column("key_first8", Text, nullable=False),
    Column("key_last4", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    instant("created_at"),
    one_of("source_type", SourceType),
    schema=SCHEMA,
)

auditor_checks = Table(
    "auditor_checks",
    metadata,
    # What the auditor has found when it last looked: one row per check, whichever replica it was.
    Column("name", Text, primary_key=True),
    Column("breaches", BigInteger, nullable=False),
    instant("oldest_at", nullable=True),  # since when the oldest breach is one
    Column("looks", Integer, nullable=False),  # in a row that found a breach
    instant("red_since", nullable=True),
    instant("checked_at"),
    instant("told_at", nullable=True),  # when an alert of it was last handed over; null once its end was
    schema=SCHEMA,
    postgresql_with={"fillfactor": 50},
)

directory_loop_runs = loop_runs(SCHEMA)

OWNED = (
    users,
    credentials,
    first_admin,
    sessions,
    audit_events,
    contact_methods,
    contact_proofs,
    contact_checks,
    notification_rules,
    teams,
    team_members,
    schedules,
    schedule_entries,
    schedule_rotations,
    rotation_people,
    calendar_feeds,
    escalation_policies,
    escalation_levels,
    escalation_assignees,
    alert_sources,
    auditor_checks,
    directory_loop_runs,
)
