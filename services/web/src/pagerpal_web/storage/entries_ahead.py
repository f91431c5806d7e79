"""Which entries of a schedule are still to be worked?"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

MOST = 100


@dataclass(frozen=True)
class EntryAhead:
    """An entry that has not ended, and whose it is."""

    id: int
    user_id: int
    user_name: str
    is_active: bool
    starts_at: datetime
    ends_at: datetime
    is_override: bool


async def list_entries_ahead(tx: AsyncConnection, schedule_id: int, at: datetime) -> list[EntryAhead]:
    """At most a hundred, in order of their start."""
    query = text("""
        SELECT e.id, e.user_id, u.name AS user_name, u.is_active, e.starts_at, e.ends_at, e.is_override
        FROM directory.schedule_entries e JOIN directory.users u ON u.id = e.user_id
        WHERE e.schedule_id = :schedule_id AND e.ends_at > :at
        ORDER BY e.starts_at, e.id LIMIT :most
    """)
    rows = (await tx.execute(query, {"schedule_id": schedule_id, "at": at, "most": MOST})).mappings()
    return [EntryAhead(**row) for row in rows]
