"""Which SMS that people answered with have been seen to? Written by web."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table
from sqlalchemy.dialects.postgresql import UUID

from pagerpal_common.schema.columns import instant, metadata

SCHEMA = "directory"

sms_replies = Table(
    "sms_replies",
    metadata,
    # Kept for a week. A reply that is delivered again is done once, and means what it meant when it first came.
    Column("reply_id", UUID(as_uuid=True), primary_key=True),
    Column("incident_id", BigInteger),  # which incident it was taken to mean
    Column("expected_level", Integer),  # the level that incident was at: an escalation leaves that one, and no other
    instant("received_at"),
    instant("handled_at", nullable=True),  # null while it is being seen to
    schema=SCHEMA,
)
Index("sms_replies_received_idx", sms_replies.c.received_at)

OWNED = (sms_replies,)
