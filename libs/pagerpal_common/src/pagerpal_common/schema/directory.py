"""Who there is, how they are reached, and in which teams they are. Written by web alone, read by all."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from pagerpal_common.schema.columns import identity, instant, loop_runs, metadata, one_of
from pagerpal_common.vocabulary import Channel, CheckKind, Role, RuleSeverity

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
    auditor_checks,
    directory_loop_runs,
)
