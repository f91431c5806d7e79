"""Who is on call, and who may read it as a calendar. Of the schema `directory`, written by web alone, read by all."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint

from pagerpal_common.schema.columns import identity, instant, metadata, one_of
from pagerpal_common.schema.directory import SCHEMA, teams, users
from pagerpal_common.vocabulary import RotationKind

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

OWNED = (schedules, schedule_entries, schedule_rotations, rotation_people, calendar_feeds)
