"""Escalation policies, their levels, and whom each level reaches: `/api/v1/escalation-policies`."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pagerpal_common.errors import Conflict, Unprocessable
from pagerpal_common.http import Body, Call, Endpoint
from pagerpal_common.vocabulary import AssigneeType, Role
from pydantic import ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.api.rows import Page, changes, listed, removed, shown, subset_of
from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.fields import Id, Minutes, Name
from pagerpal_web.storage import policies as storage
from pagerpal_web.storage.policies import ASSIGNEES, LEVELS, POLICIES, EscalationPolicy, Level, LevelAssignee
from pagerpal_web.storage.resources import delete_row, get_row, insert_row, update_row
from pagerpal_web.storage.users import check_active


class NewPolicy(Body):
    """Whom to page, in which order. A team's first policy is its default, whatever it says."""

    team_id: Id
    name: Name
    repeat_count: Annotated[int, Field(ge=0, le=100)] = 0
    is_default: bool = False
    ack_timeout_minutes: Minutes | None = None
    reminder_minutes: Minutes = 30


ChangedPolicy = subset_of(NewPolicy, "team_id")


class NewLevel(Body):
    """A step of a policy, and how long it waits for an answer."""

    level_number: Annotated[int, Field(ge=1, le=1000)]
    timeout_minutes: Minutes


ChangedLevel = subset_of(NewLevel)


class NewAssignee(Body):
    """A person, or whoever is on call on a schedule: exactly the id that the type names."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"assignee_type": "user", "user_id": 1}]})

    assignee_type: AssigneeType
    user_id: Id | None = None
    schedule_id: Id | None = None


ChangedAssignee = subset_of(NewAssignee)


async def list_policies(ctx: Context, call: Call[Page]) -> list[EscalationPolicy]:
    """List the escalation policies with their levels, in order of id."""
    return await listed(ctx, POLICIES, call)


async def get_policy(ctx: Context, call: Call[None]) -> EscalationPolicy:
    """Show an escalation policy with its levels."""
    return await shown(ctx, POLICIES, call)


async def create_policy(ctx: Context, call: Call[NewPolicy]) -> EscalationPolicy:
    """Add an escalation policy for a team; its first one becomes its default."""
    team_id = call.body.team_id
    async with ctx.db.begin() as tx:
        await storage.lock_policies(tx, team_id)
        is_default = call.body.is_default or not await storage.has_default(tx, team_id)
        if is_default:
            await storage.unset_default(tx, team_id, author_of(ctx, call))
        values = {**_stored(call.body.model_dump()), "is_default": is_default, "created_at": ctx.now()}
        return await insert_row(tx, POLICIES, values, author_of(ctx, call))


async def update_policy(ctx: Context, call: Call[Body]) -> EscalationPolicy:
    """Change an escalation policy; incidents under way keep the one they began with."""
    wanted = _stored(changes(call))
    async with ctx.db.begin() as tx:
        policy = await _locked_policy(tx, call.ids)
        if policy.is_default and wanted.get("is_default") is False:
            raise Conflict(f"policy {policy.id} is the team's default: make another one the default instead")
        if wanted.get("is_default"):
            await storage.unset_default(tx, policy.team_id, author_of(ctx, call))
        return await update_row(tx, POLICIES, policy.id, wanted, author_of(ctx, call))


async def delete_policy(ctx: Context, call: Call[None]) -> None:
    """Remove an escalation policy with its levels; when it was the team's default, the oldest one left is that now."""
    async with ctx.db.begin() as tx:
        policy = await _locked_policy(tx, call.ids)
        await delete_row(tx, POLICIES, policy.id, author_of(ctx, call))
        if policy.is_default:
            await storage.set_default_to_oldest(tx, policy.team_id, author_of(ctx, call))


async def list_levels(ctx: Context, call: Call[Page]) -> list[Level]:
    """List the levels of a policy with whom they reach."""
    return await listed(ctx, LEVELS, call)


async def get_level(ctx: Context, call: Call[None]) -> Level:
    """Show a level of a policy."""
    return await shown(ctx, LEVELS, call)


async def create_level(ctx: Context, call: Call[NewLevel]) -> Level:
    """Add a level to a policy; two levels cannot have the same number."""
    async with ctx.db.begin() as tx:
        policy = await get_row(tx, POLICIES, call.ids)
        values = {**_stored(call.body.model_dump()), "policy_id": policy.id}
        return await insert_row(tx, LEVELS, values, author_of(ctx, call))


async def update_level(ctx: Context, call: Call[Body]) -> Level:
    """Change a level of a policy."""
    async with ctx.db.begin() as tx:
        level = await get_row(tx, LEVELS, call.ids, lock=True)
        return await update_row(tx, LEVELS, level.id, _stored(changes(call)), author_of(ctx, call))


async def delete_level(ctx: Context, call: Call[None]) -> None:
    """Remove a level with its assignees."""
    await removed(ctx, LEVELS, call)


async def list_assignees(ctx: Context, call: Call[Page]) -> list[LevelAssignee]:
    """List whom a level reaches."""
    return await listed(ctx, ASSIGNEES, call)


async def get_assignee(ctx: Context, call: Call[None]) -> LevelAssignee:
    """Show one of those whom a level reaches."""
    return await shown(ctx, ASSIGNEES, call)


async def create_assignee(ctx: Context, call: Call[NewAssignee]) -> LevelAssignee:
    """Let a level reach an active user, or whoever is on call on a schedule."""
    values = call.body.model_dump()
    _check_one_id(values)
    async with ctx.db.begin() as tx:
        level = await get_row(tx, LEVELS, call.ids)
        if call.body.user_id is not None:
            await check_active(tx, call.body.user_id)
        return await insert_row(tx, ASSIGNEES, {**values, "level_id": level.id}, author_of(ctx, call))


async def update_assignee(ctx: Context, call: Call[Body]) -> LevelAssignee:
    """Let a level reach somebody else instead."""
    wanted = changes(call)
    async with ctx.db.begin() as tx:
        assignee = await get_row(tx, ASSIGNEES, call.ids, lock=True)
        _check_one_id(assignee.model_dump() | wanted)
        if wanted.get("user_id") is not None:
            await check_active(tx, wanted["user_id"])
        return await update_row(tx, ASSIGNEES, assignee.id, wanted, author_of(ctx, call))


async def delete_assignee(ctx: Context, call: Call[None]) -> None:
    """Let a level no longer reach somebody."""
    await removed(ctx, ASSIGNEES, call)


async def _locked_policy(tx: AsyncConnection, ids: Mapping[str, int]) -> EscalationPolicy:
    """The policy as it is once nobody else can choose its team's default."""
    policy = await get_row(tx, POLICIES, ids)
    await storage.lock_policies(tx, policy.team_id)
    return await get_row(tx, POLICIES, ids, lock=True)


def _stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """Durations as the numbers that were sent, not as the binary fractions nearest to them."""
    return {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in values.items()}


def _check_one_id(assignee: Mapping[str, Any]) -> None:
    of_type = f"{assignee['assignee_type']}_id"
    given = [name for name in ("user_id", "schedule_id") if assignee[name] is not None]
    if given != [of_type]:
        raise Unprocessable(
            [{"loc": ["body", of_type], "msg": f"give {of_type}, and no other id", "type": "value_error"}]
        )


_POLICY_PATH = "/api/v1/escalation-policies/{policy_id:int}"
_LEVELS_PATH = _POLICY_PATH + "/levels"
_LEVEL_PATH = _LEVELS_PATH + "/{level_id:int}"
_ASSIGNEES_PATH = _LEVEL_PATH + "/assignees"
_ASSIGNEE_PATH = _ASSIGNEES_PATH + "/{assignee_id:int}"

ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/escalation-policies",
        create_policy,
        Role.ADMIN,
        NewPolicy,
        201,
        gives=EscalationPolicy,
        refuses=(400,),
    ),
    Endpoint("GET", "/api/v1/escalation-policies", list_policies, Role.VIEWER, Page, gives=list[EscalationPolicy]),
    Endpoint("GET", _POLICY_PATH, get_policy, Role.VIEWER, gives=EscalationPolicy),
    Endpoint("PATCH", _POLICY_PATH, update_policy, Role.ADMIN, ChangedPolicy, gives=EscalationPolicy, refuses=(409,)),
    Endpoint("DELETE", _POLICY_PATH, delete_policy, Role.ADMIN, status=204, refuses=(409,)),
    Endpoint("POST", _LEVELS_PATH, create_level, Role.ADMIN, NewLevel, 201, gives=Level, refuses=(400, 409)),
    Endpoint("GET", _LEVELS_PATH, list_levels, Role.VIEWER, Page, gives=list[Level]),
    Endpoint("GET", _LEVEL_PATH, get_level, Role.VIEWER, gives=Level),
    Endpoint("PATCH", _LEVEL_PATH, update_level, Role.ADMIN, ChangedLevel, gives=Level, refuses=(409,)),
    Endpoint("DELETE", _LEVEL_PATH, delete_level, Role.ADMIN, status=204),
    Endpoint("POST", _ASSIGNEES_PATH, create_assignee, Role.ADMIN, NewAssignee, 201, LevelAssignee, refuses=(400,)),
    Endpoint("GET", _ASSIGNEES_PATH, list_assignees, Role.VIEWER, Page, gives=list[LevelAssignee]),
    Endpoint("GET", _ASSIGNEE_PATH, get_assignee, Role.VIEWER, gives=LevelAssignee),
    Endpoint(
        "PATCH", _ASSIGNEE_PATH, update_assignee, Role.ADMIN, ChangedAssignee, gives=LevelAssignee, refuses=(400,)
    ),
    Endpoint("DELETE", _ASSIGNEE_PATH, delete_assignee, Role.ADMIN, status=204),
)
