"""What do the pages of alert sources show beside the sources themselves? A stretch of all, and names to choose from."""

from dataclasses import dataclass

from pagerpal_common.schema.directory import teams
from pagerpal_common.schema.policies import alert_sources
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.sources import SOURCES, AlertSource

MOST_CHOICES = 1_000
"""A list to choose from that is longer is no help; what is not in it is reached by the API."""

_TEAMS = text("SELECT id, name FROM directory.teams ORDER BY lower(name), id LIMIT :most")
_POLICIES = text("""
SELECT id, name, is_default FROM directory.escalation_policies WHERE team_id = :team_id
ORDER BY lower(name), id LIMIT :most
""")


@dataclass(frozen=True)
class ListedSource:
    """An alert source, and how its team is called."""

    source: AlertSource
    team: str


async def list_sources(tx: AsyncConnection, *, limit: int, offset: int) -> list[ListedSource]:
    """Sources in order of their names, some of which may be alike."""
    query = SOURCES.query.add_columns(teams.c.name.label("team")).join(teams, teams.c.id == alert_sources.c.team_id)
    query = query.order_by(func.lower(alert_sources.c.name), alert_sources.c.id).limit(limit).offset(offset)
    rows = [dict(row) for row in (await tx.execute(query)).mappings()]
    return [ListedSource(source=AlertSource.model_validate(row), team=row["team"]) for row in rows]


async def count_sources(tx: AsyncConnection) -> int:
    """How many there are."""
    return int((await tx.execute(select(func.count()).select_from(alert_sources))).scalar_one())


async def find_team_name(tx: AsyncConnection, team_id: int) -> str:
    """How a team that is there is called."""
    return str((await tx.execute(select(teams.c.name).where(teams.c.id == team_id))).scalar_one())


async def list_teams(tx: AsyncConnection) -> list[tuple[int, str]]:
    """The teams to choose from: id and name, in order of the name."""
    return [(row.id, row.name) for row in await tx.execute(_TEAMS, {"most": MOST_CHOICES})]


async def list_policies(tx: AsyncConnection, team_id: int) -> list[tuple[int, str]]:
    """A team's escalation policies to choose from: id, and name."""
    rows = await tx.execute(_POLICIES, {"team_id": team_id, "most": MOST_CHOICES})
    return [(row.id, f"{row.name} (the team's default)" if row.is_default else row.name) for row in rows]
