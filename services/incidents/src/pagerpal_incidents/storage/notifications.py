"""What the notifier's rows say of an incident's notifications, brought into its timeline and its counters."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Every end of a notification is told once: the pair (notification, kind) is unique.
_TELL = text("""
INSERT INTO incidents.events (incident_id, event_type, message, created_at, data, notification_id)
SELECT n.incident_id, 'notification_' || n.status,
       CASE n.channel WHEN 'sms' THEN 'SMS' WHEN 'email' THEN 'Mail' ELSE 'Call' END
       || CASE n.status WHEN 'failed' THEN ' failed for ' WHEN 'exhausted' THEN ' given up for '
                        ELSE ' ' || n.status || ' to ' END
       || coalesce(u.name, 'user ' || n.user_id) || coalesce(': ' || n.error, ''),
       CASE n.status WHEN 'delivered' THEN n.delivered_at WHEN 'sent' THEN n.sent_at ELSE n.settled_at END,
       jsonb_build_object('notification_id', n.id, 'user_id', n.user_id, 'channel', n.channel, 'level', n.level,
                          'pass', n.pass_number),
       n.id
FROM notification.notifications n LEFT JOIN directory.users u ON u.id = n.user_id
WHERE n.incident_id = ANY(:ids) AND n.status IN ('sent', 'delivered', 'failed', 'exhausted')
ORDER BY n.id
ON CONFLICT (notification_id, event_type) WHERE notification_id IS NOT NULL DO NOTHING
""")
_COUNT = text("""
UPDATE incidents.incidents i SET notification_count = n.sent, first_notified_at = n.first, last_notified_at = n.last
FROM (
    SELECT incident_id, count(sent_at) AS sent, min(sent_at) AS first, max(sent_at) AS last
    FROM notification.notifications WHERE incident_id = ANY(:ids) GROUP BY incident_id
) n
WHERE i.id = n.incident_id
  AND (i.notification_count, i.first_notified_at, i.last_notified_at)
      IS DISTINCT FROM (n.sent, n.first, n.last)
""")
_LOCK = text("SELECT id FROM incidents.incidents WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
_UNTOLD = text("""
SELECT DISTINCT n.incident_id FROM notification.notifications n
WHERE n.settled_at > :since AND n.status IN ('sent', 'delivered', 'failed', 'exhausted')
  AND (
      SELECT true FROM incidents.events e  -- not NOT EXISTS: that would be planned as a walk through all of history
      WHERE e.notification_id = n.id AND e.event_type = 'notification_' || n.status
  ) IS NULL
LIMIT :limit
""")


async def record_notifications(tx: AsyncConnection, incident_ids: Sequence[int]) -> None:
    """Tell the timelines of these incidents how their notifications ended, and count them. Safe to repeat."""
    ids = {"ids": list(incident_ids)}
    await tx.execute(_LOCK, ids)
    await tx.execute(_TELL, ids)
    await tx.execute(_COUNT, ids)


async def list_untold(tx: AsyncConnection, *, since: datetime, limit: int) -> list[int]:
    """Incidents with a notification that ended after `since` and is not on the timeline yet."""
    rows = await tx.execute(_UNTOLD, {"since": since, "limit": limit})
    return [row.incident_id for row in rows]
