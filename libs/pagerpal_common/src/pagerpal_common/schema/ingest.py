"""Alerts accepted while the broker was away, how each source behaves, and its SNS topic. Written by ingest alone."""

from sqlalchemy import BigInteger, Column, Float, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from pagerpal_common.schema.columns import instant, loop_runs, metadata

SCHEMA = "ingest"

spool = Table(
    "spool",
    metadata,
    Column("alert_id", UUID(as_uuid=True), primary_key=True),
    Column("body", JSONB, nullable=False),  # an Alert; incidents reads it from here
    instant("spooled_at"),
    schema=SCHEMA,
)

source_tallies = Table(
    "source_tallies",
    metadata,
    # How many alerts and requests of a source came to which end in a minute; kept for two days. No foreign key: a
    # source that is deleted leaves its last minutes behind until they are too old.
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),
    Column("minute", instant("minute").type, primary_key=True),
    Column("ending", Text, primary_key=True),  # a SourceEnding
    Column("count", BigInteger, nullable=False),
    schema=SCHEMA,
)

source_states = Table(
    "source_states",
    metadata,
    # What was last seen of a source.
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),
    instant("last_alert_at", nullable=True),
    Column("skew_seconds", Float),  # how far its clock was last ahead of ours
    instant("last_refused_at", nullable=True),
    Column("last_refusal", Text),  # why; never what was sent
    schema=SCHEMA,
)

sns_topics = Table(
    "sns_topics",
    metadata,
    # No foreign key: web deletes sources without asking ingest, and their numbers are never used again.
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),
    Column("topic_arn", Text, nullable=False),
    instant("pinned_at"),
    schema=SCHEMA,
)

ingest_loop_runs = loop_runs(SCHEMA)

OWNED = (spool, source_tallies, source_states, sns_topics, ingest_loop_runs)
