"""Who is on call on every schedule at this moment, and when will nobody be? A few statements for all of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pagerpal_common.oncall import Gap, OnCall, Roster, timeline, who_is_on_call
from pagerpal_common.rosters import load_rosters_through
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

AHEAD = timedelta(days=14)
"""How far gaps are looked for."""

MOST_SCHEDULES = 100

_SCHEDULES = text("""
SELECT s.id, s.name, t.id AS team_id, t.name AS team,
       EXISTS (SELECT FROM directory.escalation_assignees a WHERE a.schedule_id = s.id) AS is_used
FROM directory.schedules s JOIN directory.teams t ON t.id = s.team_id
ORDER BY t.name, t.id, s.name, s.id LIMIT :most
""")
_PEOPLE = text("SELECT id, name FROM directory.users WHERE id = ANY(:ids) AND is_active")


@dataclass(frozen=True)
class Covered:
    """A schedule, and how it stands."""

    schedule_id: int
    name: str
    team_id: int
    team: str
    is_used: bool
    """A policy pages whoever is on call on it. Nobody misses anybody on one that none does."""
    user_id: int | None
    person: str | None
    """None while nobody is on call."""
    until: datetime | None
    gaps: tuple[Gap, ...]
    """Those ahead; the first may have begun."""


async def list_coverage(tx: AsyncConnection, *, at: datetime) -> list[Covered]:
    """Every schedule, by team; the first `MOST_SCHEDULES` of them."""
    rows = (await tx.execute(_SCHEDULES, {"most": MOST_SCHEDULES})).mappings().all()
    rosters = await load_rosters_through(tx, [row["id"] for row in rows], since=at, until=at + AHEAD)
    named = sorted({user for roster in rosters.values() for user in roster.user_ids})
    names = {row.id: row.name for row in await tx.execute(_PEOPLE, {"ids": named})}
    return [_covered(row, rosters[row["id"]], names, at) for row in rows]


def _covered(row: RowMapping, roster: Roster, names: Mapping[int, str], at: datetime) -> Covered:
    holder = who_is_on_call(roster, at, names)
    return Covered(
        schedule_id=row["id"],
        name=row["name"],
        team_id=row["team_id"],
        team=row["team"],
        is_used=row["is_used"],
        user_id=holder.user_id if holder else None,
        person=names[holder.user_id] if holder else None,
        until=_until(holder, at),
        gaps=_gaps(roster, names, at) if row["is_used"] else (),
    )


def _until(holder: OnCall | None, at: datetime) -> datetime | None:
    """Beyond what was loaded nobody knows."""
    return holder.until if holder and holder.until < at + AHEAD else None


def _gaps(roster: Roster, active: Collection[int], at: datetime) -> tuple[Gap, ...]:
    return timeline(roster, at, at + AHEAD, active).gaps


def gaps_in_order(covered: Sequence[Covered]) -> list[tuple[Covered, Gap]]:
    """The gaps of all of them, the next one first."""
    found = [(one, gap) for one in covered for gap in one.gaps]
    return sorted(found, key=lambda pair: (pair[1].starts_at, pair[0].schedule_id))
