"""Who is there, and what hangs on somebody? For pages: a stretch of the people, and where one of them is named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

ON_A_PAGE = 50

_FOUND = """
FROM directory.users u
WHERE position(lower(:words) IN lower(u.name)) > 0 OR position(lower(:words) IN lower(u.email)) > 0
"""
_COUNT = text(f"SELECT count(*) {_FOUND}")
_PEOPLE = text(f"""
SELECT u.id, u.name, u.email, u.role, u.is_active, u.last_login_at,
    EXISTS (SELECT FROM directory.credentials c WHERE c.user_id = u.id) AS has_password,
    ARRAY(SELECT t.name FROM directory.team_members m JOIN directory.teams t ON t.id = m.team_id
          WHERE m.user_id = u.id ORDER BY lower(t.name), t.id) AS teams
{_FOUND}
ORDER BY u.is_active DESC, lower(u.name), u.id LIMIT :limit OFFSET :offset
""")
_ACTIVE = text("SELECT id, name FROM directory.users WHERE is_active ORDER BY lower(name), id")
_TEAMS = text("""
SELECT t.id, t.name FROM directory.team_members m JOIN directory.teams t ON t.id = m.team_id
WHERE m.user_id = :user_id ORDER BY lower(t.name), t.id
""")
_LEVELS = text("""
SELECT p.id AS policy_id, p.name AS policy_name, l.level_number, (
    SELECT count(*) FROM directory.escalation_assignees o LEFT JOIN directory.users ou ON ou.id = o.user_id
    WHERE o.level_id = l.id AND o.user_id IS DISTINCT FROM :user_id AND (o.schedule_id IS NOT NULL OR ou.is_active)
) AS others
FROM directory.escalation_levels l JOIN directory.escalation_policies p ON p.id = l.policy_id
WHERE EXISTS (SELECT FROM directory.escalation_assignees a WHERE a.level_id = l.id AND a.user_id = :user_id)
ORDER BY p.id, l.level_number
""")
_ROTATIONS = text("""
SELECT s.id AS schedule_id, s.name AS schedule_name, r.name AS rotation_name, (
    SELECT count(DISTINCT o.user_id) FROM directory.rotation_people o JOIN directory.users ou ON ou.id = o.user_id
    WHERE o.rotation_id = r.id AND o.user_id <> :user_id AND ou.is_active
) AS others
FROM directory.schedule_rotations r JOIN directory.schedules s ON s.id = r.schedule_id
WHERE EXISTS (SELECT FROM directory.rotation_people p WHERE p.rotation_id = r.id AND p.user_id = :user_id)
ORDER BY s.id, r.id
""")
_ENTRIES = text("""
SELECT s.id AS schedule_id, s.name AS schedule_name, count(*) AS entries, min(e.starts_at) AS first_at,
    max(e.ends_at) AS last_at,
    EXISTS (SELECT FROM directory.schedule_rotations r WHERE r.schedule_id = s.id) AS has_rotation
FROM directory.schedule_entries e JOIN directory.schedules s ON s.id = e.schedule_id
WHERE e.user_id = :user_id AND e.ends_at > :at
GROUP BY s.id ORDER BY s.id
""")


@dataclass(frozen=True)
class PersonLine:
    """Somebody in the list of people."""

    id: int
    name: str
    email: str
    role: str
    is_active: bool
    last_login_at: datetime | None
    has_password: bool
    teams: Sequence[str]


async def list_people(tx: AsyncConnection, words: str, page: int) -> tuple[list[PersonLine], int]:
    """A page of those whose name or address has these words in it, by name, and how many they are in all."""
    total = int((await tx.execute(_COUNT, {"words": words})).scalar_one())
    values = {"words": words, "limit": ON_A_PAGE, "offset": (page - 1) * ON_A_PAGE}
    return [PersonLine(**row) for row in (await tx.execute(_PEOPLE, values)).mappings()], total


async def list_active(tx: AsyncConnection) -> Sequence[Any]:
    """The id and name of everybody who is active, by name: to choose from."""
    return (await tx.execute(_ACTIVE)).all()


async def named_by(tx: AsyncConnection, user_id: int, at: datetime) -> Mapping[str, Sequence[Any]]:
    """The teams, levels, rotations and coming entries that name somebody, and how many others each has."""
    of_user = {"user_id": user_id}
    return {
        "teams": (await tx.execute(_TEAMS, of_user)).all(),
        "levels": (await tx.execute(_LEVELS, of_user)).all(),
        "rotations": (await tx.execute(_ROTATIONS, of_user)).all(),
        "entries": (await tx.execute(_ENTRIES, {**of_user, "at": at})).all(),
    }
