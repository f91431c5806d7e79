"""How are the people, teams and sources called that a page speaks of? One statement for all of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pagerpal_common.contracts.incidents import IncidentView
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_NAMES = text("""
SELECT 'user' AS kind, id, name FROM directory.users WHERE id = ANY(:users)
UNION ALL SELECT 'team', id, name FROM directory.teams WHERE id = ANY(:teams)
UNION ALL SELECT 'source', id, name FROM directory.alert_sources WHERE id = ANY(:sources)
""")
_CHOICES = text("""
(SELECT 'team' AS kind, id, name FROM directory.teams ORDER BY name, id LIMIT :most)
UNION ALL (SELECT 'source', id, name FROM directory.alert_sources ORDER BY name, id LIMIT :most)
""")
# A viewer may do nothing about an incident: with one as its name nobody would be on it.
_ACTIVE = text("""
SELECT id, name FROM directory.users WHERE is_active AND role <> 'viewer'
ORDER BY id <> :first, lower(name), id LIMIT :most
""")

MOST_CHOICES = 500
"""A list to choose from that is longer is no help; whoever is not in it is reached by the API."""


@dataclass(frozen=True)
class Names:
    """By id. What has been deleted since is called by its number."""

    users: Mapping[int, str]
    teams: Mapping[int, str]
    sources: Mapping[int, str]

    def user(self, user_id: int) -> str:
        return self.users.get(user_id, f"a deleted user ({user_id})")

    def team(self, team_id: int) -> str:
        return self.teams.get(team_id, f"a deleted team ({team_id})")

    def source(self, source_id: int) -> str:
        return self.sources.get(source_id, f"a deleted alert source ({source_id})")


async def find_names(
    tx: AsyncConnection,
    *,
    users: Collection[int | None] = (),
    teams: Collection[int] = (),
    sources: Collection[int] = (),
) -> Names:
    """The names of all of these that are there."""
    wanted = {"users": users, "teams": teams, "sources": sources}
    rows = await tx.execute(_NAMES, {kind: sorted({one for one in ids if one}) for kind, ids in wanted.items()})
    found: dict[str, dict[int, str]] = {"user": {}, "team": {}, "source": {}}
    for row in rows:
        found[row.kind][row.id] = row.name
    return Names(found["user"], found["team"], found["source"])


async def names_of(tx: AsyncConnection, incidents: Collection[IncidentView], *more: int | None) -> Names:
    """The names of whom and what these incidents name, and of more people."""
    people = {user for i in incidents for user in (i.assigned_user_id, i.acknowledged_by, i.resolved_by)}
    return await find_names(
        tx,
        users=people | set(more),
        teams={incident.team_id for incident in incidents},
        sources={incident.source_id for incident in incidents},
    )


async def list_choices(tx: AsyncConnection) -> Names:
    """The teams and sources to choose from, in order of their names."""
    found: dict[str, dict[int, str]] = {"team": {}, "source": {}}
    for row in await tx.execute(_CHOICES, {"most": MOST_CHOICES}):
        found[row.kind][row.id] = row.name
    return Names({}, found["team"], found["source"])


async def list_active(tx: AsyncConnection, first: int) -> list[tuple[int, str]]:
    """The active people in order of their names, this one before all others."""
    return [(row.id, row.name) for row in await tx.execute(_ACTIVE, {"first": first, "most": MOST_CHOICES})]
