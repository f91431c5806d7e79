"""Where alerts come from, and whom they page. Of the schema `directory`, written by web alone, read by all."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from pagerpal_common.schema.columns import identity, instant, metadata, one_of
from pagerpal_common.schema.directory import SCHEMA, teams, users
from pagerpal_common.schema.on_call import schedules
from pagerpal_common.vocabulary import AssigneeType, SourceType

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

OWNED = (escalation_policies, escalation_levels, escalation_assignees, alert_sources)
