"""What web's document says of the public routes of other services. Each of them is held to it by a test."""

from pagerpal_common.contracts.http import alerts, events, receipts, replies, webhooks
from pagerpal_common.contracts.http.operation import Operation

OF_INGEST: tuple[Operation, ...] = (
    *alerts.OPERATIONS,
    *webhooks.OPERATIONS,
    *events.OPERATIONS,
    *receipts.OPERATIONS,
    *replies.OPERATIONS,
)

OF_OTHERS: tuple[Operation, ...] = OF_INGEST
"""Of every service but web, which describes its own by its own rows."""
