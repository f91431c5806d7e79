"""Notifications whose provider has them and whose handset has not been heard of."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pagerpal_common.vocabulary import Channel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.page import Watched

# Claimed by putting off their next look: whoever dies with them leaves them to the next.
_TAKE = text("""
WITH due AS MATERIALIZED (
    SELECT id FROM notification.notifications WHERE watch_at <= :now AND channel = ANY(:channels)
    ORDER BY watch_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE notification.notifications n
SET watch_at = CAST(:now AS timestamptz)
             + CAST(CAST(:again AS jsonb) ->> n.channel AS float8) * CAST('1 second' AS interval)
FROM due WHERE n.id = due.id AND n.status = 'sent'
RETURNING n.id AS notification_id, n.incident_id, n.page_request_id, n.step, n.channel,
          n.provider_message_id AS message_id, n.sent_at
""")
_END = text("""
UPDATE notification.notifications SET watch_at = NULL, unheard_at = :now, error = :error
WHERE id IN (SELECT id FROM notification.notifications WHERE id = ANY(:ids) ORDER BY id FOR UPDATE)
  AND status = 'sent' AND unheard_at IS NULL
RETURNING id
""")


async def take_watched(
    tx: AsyncConnection, again: Mapping[Channel, timedelta], *, now: datetime, limit: int
) -> list[Watched]:
    """Notifications whose provider is to be asked now. They are the caller's until their next look.

    Args:
        again: when that is, by the channels that can be asked.
    """
    seconds = {channel: wait.total_seconds() for channel, wait in again.items()}
    values = {"now": now, "limit": limit, "channels": list(again), "again": json.dumps(seconds)}
    rows = (await tx.execute(_TAKE, values)).mappings()
    return [Watched(**{**row, "channel": Channel(row["channel"])}) for row in rows]


async def end_watch(tx: AsyncConnection, notification_ids: Sequence[int], *, error: str, now: datetime) -> set[int]:
    """Wait no longer for these; the ids of those of which nothing has come in the meantime."""
    rows = await tx.execute(_END, {"ids": list(notification_ids), "error": error, "now": now})
    return set(rows.scalars())
