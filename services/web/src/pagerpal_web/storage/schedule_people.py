"""What do the pages about who is on call need to know? Schedules with their teams, people by name; and who is where."""

from collections.abc import Collection
from dataclasses import dataclass

from pagerpal_common.vocabulary import Role
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# A page shows no more than that: whoever has more picks a team.
MOST_SCHEDULES = 200

_SCHEDULES = text("""
SELECT s.id, s.name, s.timezone, s.team_id, t.name AS team_name,
       EXISTS (SELECT FROM directory.team_members m WHERE m.team_id = s.team_id AND m.user_id = :me) AS is_mine,
       (SELECT count(*) FROM directory.escalation_assignees a WHERE a.schedule_id = s.id) AS uses
FROM directory.schedules s JOIN directory.teams t ON t.id = s.team_id
WHERE s.team_id = coalesce(CAST(:team_id AS bigint), s.team_id) AND s.id = coalesce(CAST(:schedule_id AS bigint), s.id)
ORDER BY is_mine DESC, lower(t.name), s.team_id, lower(s.name), s.id
LIMIT :most
""")

# Who may stand in for whom on a schedule: the team's people, and whoever is on the schedule already.
_COLLEAGUES = text("""
SELECT around.schedule_id, u.id, u.name, u.role, u.is_active
FROM (
    SELECT s.id AS schedule_id, m.user_id
    FROM directory.schedules s JOIN directory.team_members m ON m.team_id = s.team_id WHERE s.id = ANY(:schedule_ids)
    UNION
    SELECT e.schedule_id, e.user_id FROM directory.schedule_entries e WHERE e.schedule_id = ANY(:schedule_ids)
    UNION
    SELECT r.schedule_id, p.user_id
    FROM directory.schedule_rotations r JOIN directory.rotation_people p ON p.rotation_id = r.id
    WHERE r.schedule_id = ANY(:schedule_ids)
) around JOIN directory.users u ON u.id = around.user_id
WHERE u.is_active AND u.role <> 'viewer'
ORDER BY lower(u.name), u.id
""")

_PEOPLE = text("SELECT id, name, role, is_active FROM directory.users WHERE id = ANY(:ids)")
_ACTIVE = text("SELECT id, name, role, is_active FROM directory.users WHERE is_active ORDER BY lower(name), id")


@dataclass(frozen=True)
class Calendar:
    """A schedule, and whose it is."""

    schedule_id: int
    name: str
    timezone: str
    team_id: int
    team_name: str
    is_mine: bool
    """Whether who looks is in its team."""
    uses: int
    """How many escalation levels page whoever is on call on it."""


@dataclass(frozen=True)
class Named:
    """Somebody who is, was, or may be on call."""

    user_id: int
    name: str
    role: Role
    is_active: bool


async def list_calendars(
    tx: AsyncConnection, me: int, *, team_id: int | None = None, schedule_id: int | None = None
) -> list[Calendar]:
    """The schedules by team, those of one's own teams first; of one team, or one schedule alone, where it is given."""
    values = {"me": me, "team_id": team_id, "schedule_id": schedule_id, "most": MOST_SCHEDULES}
    rows = await tx.execute(_SCHEDULES, values)
    return [Calendar(row.id, row.name, row.timezone, row.team_id, row.team_name, row.is_mine, row.uses) for row in rows]


async def list_teams(tx: AsyncConnection) -> list[tuple[int, str, bool]]:
    """Every team's id and name, and whether it has a schedule."""
    query = text("""
        SELECT t.id, t.name, EXISTS (SELECT FROM directory.schedules s WHERE s.team_id = t.id) AS has_any
        FROM directory.teams t ORDER BY lower(t.name), t.id
    """)
    return [(row.id, row.name, row.has_any) for row in await tx.execute(query)]


async def people_named(tx: AsyncConnection, ids: Collection[int]) -> dict[int, Named]:
    """These people, by id."""
    rows = await tx.execute(_PEOPLE, {"ids": sorted(ids)})
    return {row.id: Named(row.id, row.name, Role(row.role), row.is_active) for row in rows}


async def colleagues(tx: AsyncConnection, schedule_id: int) -> list[Named]:
    """Who may stand in for somebody on a schedule."""
    return (await colleagues_of(tx, [schedule_id])).get(schedule_id, [])


async def colleagues_of(tx: AsyncConnection, schedule_ids: Collection[int]) -> dict[int, list[Named]]:
    """The same of several schedules, by id; of one that has nobody, nothing."""
    found: dict[int, list[Named]] = {}
    if schedule_ids:
        for row in await tx.execute(_COLLEAGUES, {"schedule_ids": sorted(schedule_ids)}):
            found.setdefault(row.schedule_id, []).append(Named(row.id, row.name, Role(row.role), row.is_active))
    return found


async def active_people(tx: AsyncConnection) -> list[Named]:
    """Everybody who can be put on call, by name."""
    return [Named(row.id, row.name, Role(row.role), row.is_active) for row in await tx.execute(_ACTIVE)]
