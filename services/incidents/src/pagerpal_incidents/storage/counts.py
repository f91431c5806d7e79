"""How many incidents there are of each kind: the changes that triggers note, added up."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# One statement: no snapshot sees a change in neither place, or in both. Changes that somebody else is moving are passed
# over; counters are taken in one order, so that two who move never wait for each other in a circle.
_MOVE = text("""
WITH moved AS (
    DELETE FROM incidents.count_changes
    WHERE id IN (SELECT id FROM incidents.count_changes ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING team_id, source_id, status, severity, change
), added AS (
    INSERT INTO incidents.counts (team_id, source_id, status, severity, number)
    SELECT team_id, source_id, status, severity, sum(change) FROM moved
    GROUP BY team_id, source_id, status, severity HAVING sum(change) <> 0
    ORDER BY team_id, source_id, status, severity
    ON CONFLICT (team_id, source_id, status, severity) DO UPDATE SET number = counts.number + excluded.number
)
SELECT count(*) FROM moved
""")


async def move_changes(tx: AsyncConnection, *, limit: int) -> int:
    """Add changes to their counters, and delete them; how many, at most `limit`."""
    return int((await tx.execute(_MOVE, {"limit": limit})).scalar_one())
