"""Who was told, how, and what came of it. Written by the notifier alone."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    and_,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from pagerpal_common.schema.columns import identity, instant, loop_runs, metadata, one_of, outbox
from pagerpal_common.vocabulary import Channel, CircuitState, NotificationStatus, ReceiptState

SCHEMA = "notification"

notifications = Table(
    "notifications",
    metadata,
    identity(),
    Column("page_request_id", BigInteger, nullable=False),
    Column("incident_id", BigInteger, nullable=False, index=True),
    Column("escalation_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("contact_method_id", BigInteger),  # null: the person's own phone or mail, whatever that is by then
    Column("step", Integer, nullable=False),  # its place among the person's own rules
    Column("pass_number", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("reason", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("address", Text),  # where it went; set when it is claimed, never before
    Column("attempts", Integer, nullable=False),
    Column("provider_message_id", UUID(as_uuid=True)),  # of the last attempt
    Column("error", Text),
    instant("due_at", nullable=True),  # when to try next, or when a send under way is overdue; null once settled
    instant("created_at"),
    instant("sent_at", nullable=True),
    instant("delivered_at", nullable=True),
    instant("settled_at", nullable=True),
    Column("retries", Integer, nullable=False, server_default=text("0")),  # how often a person had it tried again
    Column("attempts_before", Integer, nullable=False, server_default=text("0")),  # attempts before the last retry
    instant("retried_at", nullable=True),
    Column("retried_by", BigInteger),  # who was logged in
    Column("retried_as", BigInteger),  # in whose name
    instant("wanted_at", nullable=True),  # when it should have gone out, however long it has waited since
    Column("is_held", Boolean, nullable=False, server_default=text("false")),  # waits for its person's next digest
    Column("merged_with", Integer, nullable=False, server_default=text("0")),  # others that its last message tells of
    Column("held_by", Text),  # the provider in trouble for which it waits
    instant("watch_at", nullable=True),  # when to ask the provider for its receipt; null when it is not waited for
    instant("unheard_at", nullable=True),  # when its receipt had been waited for in vain
    UniqueConstraint("page_request_id", "channel", "step"),
    one_of("channel", Channel),
    one_of("status", NotificationStatus),
    schema=SCHEMA,
)
Index("notifications_due_idx", notifications.c.due_at, postgresql_where=notifications.c.due_at.is_not(None))
# Whether an earlier page to the same webhook is still waiting, or under way.
Index(
    "notifications_waiting_idx",
    notifications.c.user_id,
    notifications.c.channel,
    notifications.c.id,
    postgresql_where=notifications.c.due_at.is_not(None),
)
# All that is due to one person, which a claim decides on together.
Index(
    "notifications_person_due_idx",
    notifications.c.user_id,
    notifications.c.due_at,
    postgresql_where=notifications.c.due_at.is_not(None),
)
# All that one message tells of.
Index(
    "notifications_message_idx",
    notifications.c.provider_message_id,
    postgresql_where=notifications.c.provider_message_id.is_not(None),
)
# None at all, or the auditor is red: unsettled, and due at no time.
Index(
    "notifications_limbo_idx",
    notifications.c.id,
    postgresql_where=and_(notifications.c.due_at.is_(None), notifications.c.status.in_(["queued", "sending"])),
)
# What incidents looks through for ends it has not told yet.
Index("notifications_settled_idx", notifications.c.settled_at)
Index("notifications_retried_idx", notifications.c.retried_at, postgresql_where=notifications.c.retried_at.is_not(None))

Index("notifications_held_idx", notifications.c.held_by, postgresql_where=notifications.c.held_by.is_not(None))
Index("notifications_watch_idx", notifications.c.watch_at, postgresql_where=notifications.c.watch_at.is_not(None))

attempts = Table(
    "attempts",
    metadata,
    # One try at the provider. Its id is the provider's message id: committed before the call, so that a receipt
    # always finds its row, and sent again unchanged when the outcome is unknown. One message may tell of several
    # notifications: all of them have its id, and this is the first.
    Column("attempt_id", UUID(as_uuid=True), primary_key=True),
    Column("notification_id", ForeignKey(notifications.c.id), nullable=False, index=True),
    Column("user_id", BigInteger),  # whom it went to, and how: what a budget counts; null where there is none
    Column("channel", Text),
    Column("address", Text),
    Column("provider", Text, nullable=False),
    instant("started_at"),
    instant("ended_at", nullable=True),
    Column("outcome", Text),
    Column("detail", Text),
    schema=SCHEMA,
)
Index("attempts_budget_idx", attempts.c.user_id, attempts.c.started_at)

receipts = Table(
    "receipts",
    metadata,
    # What a provider has said of a message since it took it, all its receipts in one: the strongest word stands.
    Column("message_id", UUID(as_uuid=True), primary_key=True),  # an attempt's, as far as it is one of ours
    Column("state", Text, nullable=False),
    Column("name", Text, nullable=False),  # the provider's own word for it
    Column("error_code", Integer),
    Column("is_permanent", Boolean),
    instant("received_at"),
    Column("is_matched", Boolean, nullable=False),  # its attempt has been found
    one_of("state", ReceiptState),
    schema=SCHEMA,
)
# Looked through again for a day: an attempt may appear later than its receipt.
Index("receipts_unmatched_idx", receipts.c.received_at, postgresql_where=~receipts.c.is_matched)

contact_codes = Table(
    "contact_codes",
    metadata,
    # Codes that were sent to prove a contact method. Only their owner ever sees them in the clear.
    Column("check_id", UUID(as_uuid=True), primary_key=True),  # of directory.contact_checks
    Column("salt", LargeBinary, nullable=False),
    Column("code_hash", LargeBinary, nullable=False),  # `codes.py`
    instant("created_at"),
    schema=SCHEMA,
)
Index("contact_codes_created_at_idx", contact_codes.c.created_at)

circuits = Table(
    "circuits",
    metadata,
    # How all notifiers stand with each provider. One that has never been in trouble has no row.
    Column("name", Text, primary_key=True),  # the provider's
    Column("state", Text, nullable=False),
    Column("failures", Integer, nullable=False),  # in a row
    Column("pauses", Integer, nullable=False),  # since it opened
    instant("opened_at", nullable=True),
    instant("probe_at", nullable=True),
    one_of("state", CircuitState),
    schema=SCHEMA,
)
rations = Table(
    "rations",
    metadata,
    # How many messages all notifiers together may give to each provider now: a bucket of tokens.
    Column("name", Text, primary_key=True),  # the provider's
    Column("tokens", Double, nullable=False),
    instant("refilled_at"),
    schema=SCHEMA,
    postgresql_with={"fillfactor": 50},  # rewritten all the time, and in place
)

channels = Table(
    "channels",
    metadata,
    # Who takes the pages of each channel, by the settings of the notifiers: what pages and profiles warn by.
    Column("channel", Text, primary_key=True),
    Column("provider", Text, nullable=False),  # `console` and `none` reach nobody
    Column("public_key", Text),  # of web push: what a browser is told when it subscribes
    one_of("channel", Channel),
    schema=SCHEMA,
)

ended_subscriptions = Table(
    "ended_subscriptions",
    metadata,
    # Browsers that take no notifications any more, as their push services have said: of the addresses of contact
    # methods, which are secrets, the digests.
    Column("address_digest", LargeBinary, primary_key=True),  # SHA-256
    instant("ended_at"),
    schema=SCHEMA,
)

notification_outbox = outbox(SCHEMA)
notification_loop_runs = loop_runs(SCHEMA)

OWNED = (
    notifications,
    attempts,
    receipts,
    contact_codes,
    circuits,
    rations,
    channels,
    ended_subscriptions,
    notification_outbox,
    notification_loop_runs,
)
