"""Teams, who is in them, and who of them is on call: `/api/v1/teams`."""

from datetime import datetime
from typing import Any

from pagerpal_common.directory import find_contacts
from pagerpal_common.http import Body, Call, Endpoint, Query
from pagerpal_common.oncall import who_is_on_call
from pagerpal_common.rosters import load_rosters
from pagerpal_common.vocabulary import OnCallReason, Role
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.api.rows import Page, changed, created, listed, removed, shown, subset_of
from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.fields import Description, Id, Instant, Name
from pagerpal_web.storage.incidents import check_no_open_incident
from pagerpal_web.storage.resources import Moment, delete_row, get_row, insert_row
from pagerpal_web.storage.sources import check_not_routed_to
from pagerpal_web.storage.teams import MEMBERS, TEAMS, Member, Team, list_schedules
from pagerpal_web.storage.users import check_active


class NewTeam(Body):
    """People who answer for something together."""

    name: Name
    description: Description | None = Field(None, examples=["Runs the shared clusters"])


ChangedTeam = subset_of(NewTeam)


class NewMember(Body):
    """Somebody who joins a team: an active user."""

    user_id: Id


class At(Query):
    """An instant; now when there is none."""

    at: Instant | None = None


class OnCall(BaseModel):
    """Who is on call on one schedule, why, and until when."""

    user_id: int
    user_name: str
    schedule_id: int
    schedule_name: str
    reason: OnCallReason
    entry_id: int | None
    """None when a rotation names the person."""
    rotation_id: int | None
    until: Moment


class TeamOnCall(BaseModel):
    """Who of a team is on call at an instant."""

    team_id: int
    at: Moment
    oncall: list[OnCall]


async def list_teams(ctx: Context, call: Call[Page]) -> list[Team]:
    """List the teams, in order of id."""
    return await listed(ctx, TEAMS, call)


async def get_team(ctx: Context, call: Call[None]) -> Team:
    """Show a team."""
    return await shown(ctx, TEAMS, call)


async def create_team(ctx: Context, call: Call[NewTeam]) -> Team:
    """Add a team."""
    return await created(ctx, TEAMS, call, {**call.body.model_dump(), "created_at": ctx.now()})


async def update_team(ctx: Context, call: Call[Body]) -> Team:
    """Change a team."""
    return await changed(ctx, TEAMS, call)


async def delete_team(ctx: Context, call: Call[None]) -> None:
    """Remove a team that nothing uses any more, together with its memberships."""
    async with ctx.db.begin() as tx:
        team = await get_row(tx, TEAMS, call.ids, lock=True)
        await check_no_open_incident(tx, "team", "team_id", team.id)
        await check_not_routed_to(tx, team.id)
        await delete_row(tx, TEAMS, team.id, author_of(ctx, call))


async def list_members(ctx: Context, call: Call[Page]) -> list[Member]:
    """List who is in a team; somebody who has been deactivated is still shown."""
    return await listed(ctx, MEMBERS, call)


async def get_member(ctx: Context, call: Call[None]) -> Member:
    """Show somebody's membership."""
    return await shown(ctx, MEMBERS, call)


async def add_member(ctx: Context, call: Call[NewMember]) -> Member:
    """Let an active user join a team."""
    async with ctx.db.begin() as tx:
        team = await get_row(tx, TEAMS, call.ids)
        await check_active(tx, call.body.user_id)
        values = {"team_id": team.id, "user_id": call.body.user_id}
        return await insert_row(tx, MEMBERS, values, author_of(ctx, call))


async def remove_member(ctx: Context, call: Call[None]) -> None:
    """Let somebody leave a team."""
    await removed(ctx, MEMBERS, call)


async def get_on_call(ctx: Context, call: Call[At]) -> dict[str, Any]:
    """Who is on call on each of the team's schedules; those without anybody are left out."""
    at = call.body.at or ctx.now()
    async with ctx.db.begin() as tx:
        team = await get_row(tx, TEAMS, call.ids)
        return {"team_id": team.id, "at": at, "oncall": await _on_call(tx, team.id, at)}


async def _on_call(tx: AsyncConnection, team_id: int, at: datetime) -> list[dict[str, Any]]:
    rosters = await load_rosters(tx, await list_schedules(tx, team_id), at=at)
    named = {user for roster in rosters.values() for user in roster.user_ids}
    people = await find_contacts(tx, sorted(named))
    active = {user for user, person in people.items() if person.is_active}  # nobody else would be paged
    found = (who_is_on_call(roster, at, active) for roster in rosters.values())
    return [
        {
            "user_id": holder.user_id,
            "user_name": people[holder.user_id].name,
            "schedule_id": holder.schedule_id,
            "schedule_name": rosters[holder.schedule_id].name,
            "reason": holder.reason,
            "entry_id": holder.entry_id,
            "rotation_id": holder.rotation_id,
            "until": holder.until,
        }
        for holder in found
        if holder is not None
    ]


ENDPOINTS = (
    Endpoint("POST", "/api/v1/teams", create_team, Role.ADMIN, NewTeam, 201, Team),
    Endpoint("GET", "/api/v1/teams", list_teams, Role.VIEWER, Page, gives=list[Team]),
    Endpoint("GET", "/api/v1/teams/{team_id:int}", get_team, Role.VIEWER, gives=Team),
    Endpoint("PATCH", "/api/v1/teams/{team_id:int}", update_team, Role.ADMIN, ChangedTeam, gives=Team),
    Endpoint("DELETE", "/api/v1/teams/{team_id:int}", delete_team, Role.ADMIN, status=204, refuses=(409,)),
    Endpoint(
        "POST",
        "/api/v1/teams/{team_id:int}/members",
        add_member,
        Role.ADMIN,
        NewMember,
        201,
        gives=Member,
        refuses=(400, 409),
    ),
    Endpoint("GET", "/api/v1/teams/{team_id:int}/members", list_members, Role.VIEWER, Page, gives=list[Member]),
    Endpoint("GET", "/api/v1/teams/{team_id:int}/members/{user_id:int}", get_member, Role.VIEWER, gives=Member),
    Endpoint("DELETE", "/api/v1/teams/{team_id:int}/members/{user_id:int}", remove_member, Role.ADMIN, status=204),
    Endpoint("GET", "/api/v1/teams/{team_id:int}/oncall", get_on_call, Role.VIEWER, At, gives=TeamOnCall),
)
