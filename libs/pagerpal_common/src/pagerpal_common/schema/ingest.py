"""Alerts accepted while the broker was away. Written by ingest alone; incidents reads them from here."""

from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import JSONB, UUID

from pagerpal_common.schema.columns import instant, metadata

SCHEMA = "ingest"

spool = Table(
    "spool",
    metadata,
    Column("alert_id", UUID(as_uuid=True), primary_key=True),
    Column("body", JSONB, nullable=False),  # an Alert
    instant("spooled_at"),
    schema=SCHEMA,
)

OWNED = (spool,)
