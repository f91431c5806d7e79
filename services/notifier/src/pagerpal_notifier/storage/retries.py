"""Notifications that a person wants tried again."""

from collections.abc import Sequence
from datetime import datetime

from pagerpal_common.vocabulary import NotificationStatus
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.page import Lost

# Wanted and reachable as a claim understands it (`claims.py`). In doubt is a try that got no answer, or none
# that was recorded, unless a receipt has said since that it came to nothing. What was merged gets a message of its own:
# under the id of all of them only one could still be told.
_LOCK_LOST = text("""
SELECT n.id AS notification_id, n.status,
       coalesce(i.status = 'triggered' AND i.escalation_id = n.escalation_id AND r.is_open, false) AS is_wanted,
       coalesce(u.is_active, false) AS is_active,
       coalesce(CASE WHEN n.contact_method_id IS NOT NULL THEN p.address
                     WHEN n.channel = 'email' THEN u.email ELSE u.phone END, '') <> '' AS has_address,
       n.merged_with = 0 AND a.attempt_id IS NOT NULL AND coalesce(a.outcome, 'unknown') = 'unknown'
           AND w.state IS DISTINCT FROM 'failed' AS is_in_doubt
FROM notification.notifications n
LEFT JOIN incidents.incidents i ON i.id = n.incident_id
LEFT JOIN incidents.page_requests r ON r.id = n.page_request_id
LEFT JOIN directory.users u ON u.id = n.user_id
LEFT JOIN directory.contact_methods m ON m.id = n.contact_method_id AND m.user_id = n.user_id
LEFT JOIN directory.contact_proofs p ON p.user_id = m.user_id AND p.method_id = m.id AND p.address = m.address
LEFT JOIN notification.attempts a ON a.attempt_id = n.provider_message_id
LEFT JOIN notification.receipts w ON w.message_id = n.provider_message_id
WHERE n.incident_id = :incident_id AND n.status IN ('failed', 'exhausted')
ORDER BY n.id FOR UPDATE OF n
""")
_RETRY = text("""
UPDATE notification.notifications n
SET status = again.status, due_at = :now, wanted_at = :now, settled_at = NULL, sent_at = NULL, retries = n.retries + 1,
    attempts_before = n.attempts, retried_at = :now, retried_by = :actor, retried_as = :acting_as
FROM unnest(CAST(:ids AS bigint[]), CAST(:statuses AS text[])) AS again(id, status)
WHERE n.id = again.id
""")


async def lock_lost(tx: AsyncConnection, incident_id: int) -> list[Lost]:
    """The failed and the exhausted notifications of an incident, held until the transaction ends."""
    rows = (await tx.execute(_LOCK_LOST, {"incident_id": incident_id})).mappings()
    return [Lost(**{**row, "status": NotificationStatus(row["status"])}) for row in rows]


async def save_retries(
    tx: AsyncConnection,
    retries: Sequence[tuple[int, NotificationStatus]],
    *,
    actor: int,
    acting_as: int,
    now: datetime,
) -> None:
    """Let these notifications, held by the caller, wait to be sent again in these states: due now, with as many tries
    as at first."""
    values = {"ids": [number for number, _ in retries], "statuses": [status for _, status in retries]}
    await tx.execute(_RETRY, {**values, "actor": actor, "acting_as": acting_as, "now": now})
