"""Teams and who is in them."""

from pagerpal_common.schema.directory import team_members, teams, users
from pydantic import Field
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.resources import Moment, Resource, View, json_object
from pagerpal_web.storage.users import USER_COLUMNS, User


class Team(View):
    name: str
    description: str | None = Field(examples=["Runs the shared clusters"])
    created_at: Moment


class Member(View):
    """Somebody in a team; still shown once deactivated."""

    team_id: int
    user_id: int
    user: User


TEAMS = Resource(
    table=teams, view=Team, query=select(*(teams.c[name] for name in Team.model_fields)), ids={"team_id": teams.c.id}
)

MEMBERS = Resource(
    table=team_members,
    view=Member,
    query=select(*team_members.c, json_object(USER_COLUMNS).label("user")).join_from(
        team_members, users, users.c.id == team_members.c.user_id
    ),
    ids={"team_id": team_members.c.team_id, "user_id": team_members.c.user_id},
    parent=TEAMS,
)


async def list_schedules(tx: AsyncConnection, team_id: int) -> list[int]:
    """The ids of the team's schedules, in order."""
    query = text("SELECT id FROM directory.schedules WHERE team_id = :team_id ORDER BY id")
    return list((await tx.execute(query, {"team_id": team_id})).scalars())
