"""What stands around an escalation policy? Names, and what could be put into it: for the pages that show policies."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_TEAMS = text("SELECT id, name FROM directory.teams ORDER BY lower(name), id")
_SCHEDULES = text("""
SELECT s.id, s.name, t.name AS team_name FROM directory.schedules s JOIN directory.teams t ON t.id = s.team_id
ORDER BY s.team_id = :team_id DESC, lower(t.name), lower(s.name), s.id
""")
_SOURCES = text("""
SELECT s.id, s.name, s.is_active FROM directory.alert_sources s
WHERE s.escalation_policy_id = :policy_id
   OR (:is_default AND s.team_id = :team_id AND s.escalation_policy_id IS NULL)
ORDER BY lower(s.name), s.id
""")
_COUNTS = text("""
SELECT p.id, count(s.id) AS sources FROM directory.escalation_policies p
LEFT JOIN directory.alert_sources s ON s.is_active AND (
    s.escalation_policy_id = p.id OR (p.is_default AND s.team_id = p.team_id AND s.escalation_policy_id IS NULL)
)
GROUP BY p.id
""")


async def list_team_names(tx: AsyncConnection) -> Mapping[int, str]:
    """Every team's name, in order of it."""
    return {row.id: row.name for row in await tx.execute(_TEAMS)}


async def list_schedule_names(tx: AsyncConnection, team_id: int) -> Sequence[Any]:
    """Every schedule with its team, this team's own first."""
    return (await tx.execute(_SCHEDULES, {"team_id": team_id})).all()


async def list_sources_of(tx: AsyncConnection, policy_id: int, team_id: int, *, is_default: bool) -> Sequence[Any]:
    """The alert sources whose incidents begin with this policy."""
    values = {"policy_id": policy_id, "team_id": team_id, "is_default": is_default}
    return (await tx.execute(_SOURCES, values)).all()


async def count_sources(tx: AsyncConnection) -> Mapping[int, int]:
    """How many alert sources that are switched on begin with each policy."""
    return {row.id: row.sources for row in await tx.execute(_COUNTS)}
