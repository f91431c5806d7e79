"""What does a team have? All teams at a glance, and one of them whole: for pages, which show it in one piece."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.on_call_now import Held, held_now

MOST_TEAMS, MOST_OPEN = 1000, 10
"""Shown on one page."""

# The open incidents are counted as `glance` counts them: by their counters, however many there are.
_TEAMS = text("""
SELECT t.id, t.name, t.description, p.id AS policy_id, p.name AS policy_name,
    (SELECT count(*) FROM directory.escalation_levels l WHERE l.policy_id = p.id) AS levels,
    (SELECT count(*) FROM directory.team_members m JOIN directory.users u ON u.id = m.user_id AND u.is_active
     WHERE m.team_id = t.id) AS members,
    (SELECT count(*) FROM directory.alert_sources s WHERE s.team_id = t.id AND s.is_active) AS sources,
    ARRAY(SELECT s.id FROM directory.schedules s WHERE s.team_id = t.id ORDER BY s.id) AS schedule_ids,
    coalesce(o.number, 0) AS open
FROM directory.teams t
LEFT JOIN directory.escalation_policies p ON p.team_id = t.id AND p.is_default
LEFT JOIN (
    SELECT team_id, CAST(sum(number) AS bigint) AS number FROM (
        SELECT team_id, number FROM incidents.counts WHERE status <> 'resolved'
        UNION ALL SELECT team_id, change FROM incidents.count_changes WHERE status <> 'resolved'
    ) AS counted GROUP BY team_id
) o ON o.team_id = t.id
WHERE CAST(:team_id AS bigint) IS NULL OR t.id = :team_id
ORDER BY lower(t.name), t.id LIMIT :most
""")
_POLICIES = text("""
SELECT p.id, p.name, p.is_default,
    (SELECT count(*) FROM directory.escalation_levels l WHERE l.policy_id = p.id) AS levels
FROM directory.escalation_policies p WHERE p.team_id = :team_id ORDER BY p.is_default DESC, p.id
""")
_SOURCES = text("""
SELECT id, name, source_type, is_active FROM directory.alert_sources
WHERE team_id = :team_id ORDER BY is_active DESC, id
""")
_OPEN = text("""
SELECT id, title, severity, status, created_at FROM incidents.incidents
WHERE team_id = :team_id AND status = ANY(ARRAY['triggered', 'acknowledged'])
ORDER BY status DESC, id DESC LIMIT :most
""")
_OTHERS = text("""
SELECT u.id, u.name FROM directory.users u
WHERE u.is_active
  AND NOT EXISTS (SELECT FROM directory.team_members m WHERE m.team_id = :team_id AND m.user_id = u.id)
ORDER BY lower(u.name), u.id
""")


@dataclass(frozen=True)
class TeamCard:
    """A team at a glance."""

    id: int
    name: str
    description: str | None
    policy_id: int | None
    """Of the team's default policy."""
    policy_name: str | None
    levels: int
    members: int
    """Those who are active."""
    sources: int
    """Those that are switched on."""
    open: int
    """Incidents."""
    schedules: Sequence[Held]


async def list_cards(tx: AsyncConnection, at: datetime, team_id: int | None = None) -> list[TeamCard]:
    """The teams by name, with who is on call at this instant; or the one with this id."""
    rows = (await tx.execute(_TEAMS, {"team_id": team_id, "most": MOST_TEAMS})).mappings().all()
    held = await held_now(tx, sorted({each for row in rows for each in row["schedule_ids"]}), at)
    return [
        TeamCard(
            **{name: value for name, value in row.items() if name != "schedule_ids"},
            schedules=tuple(held[each] for each in row["schedule_ids"] if each in held),
        )
        for row in rows
    ]


async def parts_of(tx: AsyncConnection, team_id: int) -> Mapping[str, Sequence[Any]]:
    """The team's policies, its sources, its open incidents, and who is not in it yet."""
    of_team = {"team_id": team_id}
    return {
        "policies": (await tx.execute(_POLICIES, of_team)).all(),
        "sources": (await tx.execute(_SOURCES, of_team)).all(),
        "incidents": (await tx.execute(_OPEN, {**of_team, "most": MOST_OPEN})).all(),
        "others": (await tx.execute(_OTHERS, of_team)).all(),
    }
