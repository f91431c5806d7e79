"""Calls in which a key was pressed, and how their incidents stand."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.keys import Called

# Wanted as a claim understands it (`claims.py`). Whichever of a call's tries it was: its person pressed the key. A
# call that told of several incidents asked for none.
_LIST_CALLED = text("""
SELECT a.attempt_id AS message_id, n.id AS notification_id, n.incident_id, n.user_id, n.level,
       i.status = 'triggered' AND i.escalation_id = n.escalation_id AND r.is_open AND u.is_active AS is_wanted,
       i.escalation_pass = r.pass_number AND i.current_escalation_level = r.level AND i.escalation_reminder = r.reminder
           AS is_latest
FROM notification.attempts a
JOIN notification.notifications n ON n.id = a.notification_id AND n.channel = 'voice'
JOIN incidents.incidents i ON i.id = n.incident_id
JOIN incidents.page_requests r ON r.id = n.page_request_id
JOIN directory.users u ON u.id = n.user_id
WHERE a.attempt_id = ANY(:ids) AND NOT EXISTS (
    SELECT FROM notification.notifications other
    WHERE other.provider_message_id = a.attempt_id AND other.incident_id <> n.incident_id
      AND other.status <> 'cancelled'
)
ORDER BY a.attempt_id
""")


async def list_called(tx: AsyncConnection, message_ids: Sequence[UUID]) -> list[Called]:
    """The calls among these messages, in order of id. Those that are not ours, or about several incidents,
    are left out."""
    return [Called(**row) for row in (await tx.execute(_LIST_CALLED, {"ids": list(message_ids)})).mappings()]
