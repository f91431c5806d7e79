"""What does the page of one incident show beside what the API gives? Read from the schemas of their owners."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.coming import Way

MOST_LINES = 200
"""Lines of a timeline, and notifications, that are shown: the newest."""

_RUN = text("SELECT state, due_at FROM escalation.escalations WHERE escalation_id = :escalation_id")
_WAYS = text("""
SELECT n.channel, coalesce(u.name, 'a deleted user (' || n.user_id || ')') AS person, n.status, n.due_at, n.attempts,
       n.attempts_before, n.held_by
FROM notification.notifications n LEFT JOIN directory.users u ON u.id = n.user_id
WHERE n.incident_id = :incident_id AND n.status IN ('queued', 'sending') ORDER BY n.due_at, n.id LIMIT 20
""")
_EVENTS = text("""
SELECT e.id, e.event_type, e.message, e.created_at, e.actor_user_id, e.acting_as_user_id,
       actor.name AS actor, acting_as.name AS acting_as
FROM (SELECT * FROM incidents.events WHERE incident_id = :incident_id ORDER BY id DESC LIMIT :most) e
LEFT JOIN directory.users actor ON actor.id = e.actor_user_id
LEFT JOIN directory.users acting_as ON acting_as.id = e.acting_as_user_id
ORDER BY e.id DESC
""")
_NOTIFICATIONS = text("""
SELECT n.id, coalesce(u.name, 'a deleted user (' || n.user_id || ')') AS person, n.channel, n.address, n.status,
       n.level, n.pass_number, n.attempts, n.error, n.reason, n.created_at, n.sent_at, n.delivered_at,
       n.settled_at, n.due_at
FROM (SELECT * FROM notification.notifications WHERE incident_id = :incident_id ORDER BY id DESC LIMIT :most) n
LEFT JOIN directory.users u ON u.id = n.user_id
ORDER BY n.id DESC
""")


@dataclass(frozen=True)
class RunGlance:
    """Where an escalation stands, and when it is looked at again."""

    state: str
    due_at: datetime | None


async def find_run(tx: AsyncConnection, escalation_id: int) -> RunGlance | None:
    """None while the escalator has not taken it up."""
    row = (await tx.execute(_RUN, {"escalation_id": escalation_id})).one_or_none()
    return None if row is None else RunGlance(row.state, row.due_at)


async def list_waiting(tx: AsyncConnection, incident_id: int) -> tuple[Way, ...]:
    """The notifications that are still to go out, the next one first."""
    rows = await tx.execute(_WAYS, {"incident_id": incident_id})
    return tuple(
        Way(
            row.channel,
            row.person,
            row.status == "sending",
            row.due_at,
            row.attempts - row.attempts_before,
            row.held_by,
        )
        for row in rows
    )


async def list_lines(tx: AsyncConnection, incident_id: int) -> Sequence[Mapping[str, Any]]:
    """The newest lines of the timeline, the newest first."""
    rows = await tx.execute(_EVENTS, {"incident_id": incident_id, "most": MOST_LINES})
    return [dict(row) for row in rows.mappings()]


async def list_told(tx: AsyncConnection, incident_id: int) -> Sequence[Mapping[str, Any]]:
    """The newest notifications, the newest first; addresses in full."""
    rows = await tx.execute(_NOTIFICATIONS, {"incident_id": incident_id, "most": MOST_LINES})
    return [dict(row) for row in rows.mappings()]
