"""Which overrides has somebody just made, and what became of one? By the audit log, which says who did what when."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.undo import Done

MOST = 10

_MADE = text("""
SELECT e.id, e.schedule_id, s.name AS schedule_name, e.user_id, u.name AS user_name, e.starts_at, e.ends_at
FROM directory.audit_events a
JOIN directory.schedule_entries e ON e.id = a.target_id AND e.is_override
JOIN directory.schedules s ON s.id = e.schedule_id
JOIN directory.users u ON u.id = e.user_id
WHERE a.created_at >= :since AND a.actor_user_id = :me AND a.action = 'created' AND a.target_kind = 'schedule_entry'
  AND NOT EXISTS (SELECT FROM directory.audit_events later
                  WHERE later.target_kind = 'schedule_entry' AND later.target_id = a.target_id AND later.id > a.id)
ORDER BY a.id DESC LIMIT :most
""")

_HISTORY = text("""
SELECT a.action, a.actor_user_id AS user_id, u.name, a.created_at AS at
FROM directory.audit_events a LEFT JOIN directory.users u ON u.id = a.actor_user_id
WHERE a.target_kind = 'schedule_entry' AND a.target_id = :entry_id ORDER BY a.id
""")


@dataclass(frozen=True)
class OwnCover:
    """An override as it was made, and whom it puts on call."""

    id: int
    schedule_id: int
    schedule_name: str
    user_id: int
    user_name: str
    starts_at: datetime
    ends_at: datetime


async def list_own_covers(tx: AsyncConnection, me: int, *, since: datetime) -> list[OwnCover]:
    """Those that this person has made since then and that are as they were made; the newest first."""
    rows = (await tx.execute(_MADE, {"me": me, "since": since, "most": MOST})).mappings()
    return [OwnCover(**row) for row in rows]


async def find_history(tx: AsyncConnection, entry_id: int) -> list[Done]:
    """What was done to an entry, the oldest first; it may be gone."""
    rows = (await tx.execute(_HISTORY, {"entry_id": entry_id})).mappings()
    return [Done(**row) for row in rows]
