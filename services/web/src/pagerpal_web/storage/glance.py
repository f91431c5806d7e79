"""What is open at this moment? A few counters, however many incidents there are: it stands on every page."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_OPEN = text("""
SELECT status, severity, CAST(sum(number) AS bigint) AS number FROM (
    SELECT status, severity, number FROM incidents.counts WHERE status <> 'resolved'
    UNION ALL SELECT status, severity, change FROM incidents.count_changes WHERE status <> 'resolved'
) AS counted
GROUP BY status, severity
""")

_LAST = text("SELECT coalesce(max(id), 0) FROM incidents.events")


@dataclass(frozen=True)
class Glance:
    """How many incidents wait for somebody, and how many somebody has."""

    triggered: int
    critical: int
    """Those of the triggered that are critical."""
    acknowledged: int


async def count_open(tx: AsyncConnection) -> Mapping[tuple[str, str], int]:
    """The open incidents by status and severity."""
    return {(row.status, row.severity): row.number for row in await tx.execute(_OPEN)}


async def glance(tx: AsyncConnection) -> Glance:
    """The open incidents, counted."""
    found = await count_open(tx)

    def total(status: str) -> int:
        return sum(number for (its, _), number in found.items() if its == status)

    return Glance(total("triggered"), found.get(("triggered", "critical"), 0), total("acknowledged"))


async def last_event(tx: AsyncConnection) -> int:
    """The number of the newest line on any timeline: it grows with whatever happens to an incident."""
    return int((await tx.execute(_LAST)).scalar_one())
