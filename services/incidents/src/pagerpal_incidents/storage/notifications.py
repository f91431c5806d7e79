"""What the notifier's rows say of an incident's notifications, brought into its timeline and its counters."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Every end of a notification is told once, and once more after each retry: the triple (notification, retry, kind) is
# unique. A row shows its last state only, so what came before it is told with it.
_TELL = text("""
INSERT INTO incidents.events
    (incident_id, event_type, message, actor_user_id, acting_as_user_id, created_at, data,
     notification_id, retried_notification_id, retry)
SELECT n.incident_id, 'notification_' || told.kind,
       CASE n.channel WHEN 'sms' THEN 'SMS' WHEN 'email' THEN 'Mail' WHEN 'webhook' THEN 'Webhook'
                      WHEN 'slack' THEN 'Chat message' WHEN 'apprise' THEN 'Messenger'
                      WHEN 'web_push' THEN 'Push notification' ELSE 'Call' END
       || CASE told.kind WHEN 'failed' THEN ' failed for ' WHEN 'exhausted' THEN ' given up for '
                         WHEN 'retried' THEN ' is tried again for ' ELSE ' ' || told.kind || ' to ' END
       || coalesce(u.name, 'user ' || n.user_id)
       || CASE WHEN told.kind IN ('failed', 'exhausted') THEN coalesce(': ' || n.error, '') ELSE '' END,
       CASE told.kind WHEN 'retried' THEN n.retried_by END, CASE told.kind WHEN 'retried' THEN n.retried_as END,
       told.at,
       jsonb_build_object('notification_id', n.id, 'user_id', n.user_id, 'channel', n.channel, 'level', n.level,
                          'pass', n.pass_number),
       CASE WHEN n.retries = 0 THEN n.id END, CASE WHEN n.retries > 0 THEN n.id END, nullif(n.retries, 0)
FROM notification.notifications n
CROSS JOIN LATERAL (
    SELECT 1 AS place, 'retried' AS kind, n.retried_at AS at WHERE n.retries > 0
    UNION ALL SELECT 2, 'sent', n.sent_at WHERE n.sent_at IS NOT NULL
    UNION ALL SELECT 3, n.status, CASE n.status WHEN 'delivered' THEN n.delivered_at ELSE n.settled_at END
              WHERE n.status IN ('delivered', 'failed', 'exhausted')
) AS told
LEFT JOIN directory.users u ON u.id = n.user_id
WHERE n.incident_id = ANY(:ids)
ORDER BY n.id, told.place
ON CONFLICT DO NOTHING
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
# The last thing there is to tell of each: what came before it was told together with it.
_UNTOLD = text("""
SELECT DISTINCT n.incident_id
FROM (
    SELECT id, incident_id, retries, status FROM notification.notifications
    WHERE settled_at > :since AND status IN ('sent', 'delivered', 'failed', 'exhausted')
    UNION ALL
    SELECT id, incident_id, retries, 'retried' FROM notification.notifications
    WHERE retried_at > :since AND status IN ('queued', 'sending', 'cancelled')
) AS n(id, incident_id, retries, kind)
WHERE CASE n.retries  -- not NOT EXISTS: that would be planned as a walk through all of history
    WHEN 0 THEN (SELECT true FROM incidents.events e
                 WHERE e.notification_id = n.id AND e.event_type = 'notification_' || n.kind)
    ELSE (SELECT true FROM incidents.events e
          WHERE e.retried_notification_id = n.id AND e.retry = n.retries
            AND e.event_type = 'notification_' || n.kind)
END IS NULL
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
