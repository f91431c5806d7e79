"""Who takes turns on a schedule, and who is on call through a stretch of time: `/api/v1/schedules/{id}/…`."""

import asyncio
from datetime import timedelta
from typing import Annotated

from pagerpal_common.directory import find_contacts
from pagerpal_common.errors import Unprocessable
from pagerpal_common.http import Body, Call, Endpoint, Query
from pagerpal_common.oncall import timeline
from pagerpal_common.rosters import load_roster
from pagerpal_common.vocabulary import OnCallReason, Role, RotationKind
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.api.rows import Page, changes, listed, removed, shown, subset_of
from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.fields import Id, Instant, LocalInstant, Name, Restriction
from pagerpal_web.storage.audit import Author
from pagerpal_web.storage.resources import Moment, get_row, insert_row, record_change, update_row
from pagerpal_web.storage.rotations import ROTATIONS, Rotation, save_people
from pagerpal_web.storage.schedules import SCHEDULES
from pagerpal_web.storage.users import check_active

USUAL, LONGEST = timedelta(days=14), timedelta(days=366)
"""How much of a timeline is shown when nobody says how much, and at most."""


class NewRotation(Body):
    """People who take turns: each for `length` hours, days, weeks or months, from the first handoff on.

    Somebody may stand in it twice. `handoff_at` and the restrictions are by the clock on the wall, in the schedule's
    time zone. Without restrictions it holds around the clock. Of two rotations the higher priority wins.
    """

    name: Name
    user_ids: Annotated[list[Id], Field(min_length=1, max_length=100)]
    kind: RotationKind
    length: Annotated[int, Field(ge=1, le=366)] = 1
    handoff_at: LocalInstant
    restrictions: Annotated[tuple[Restriction, ...], Field(max_length=50)] = ()
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0


ChangedRotation = subset_of(NewRotation)


class Stretch(Query):
    """From now, and for two weeks, unless it is said otherwise."""

    from_: Instant | None = Field(None, alias="from")
    to: Instant | None = None


class OnCallSpan(BaseModel):
    starts_at: Moment
    ends_at: Moment
    user_id: int
    user_name: str
    reason: OnCallReason
    entry_id: int | None
    rotation_id: int | None


class OnCallGap(BaseModel):
    starts_at: Moment
    ends_at: Moment


class OnCallTimeline(BaseModel):
    """Who is on call, in order; and when nobody is."""

    model_config = ConfigDict(serialize_by_alias=True)

    schedule_id: int
    from_: Moment = Field(alias="from")
    to: Moment
    timezone: str
    spans: list[OnCallSpan]
    gaps: list[OnCallGap]


async def list_rotations(ctx: Context, call: Call[Page]) -> list[Rotation]:
    """List a schedule's rotations, in order of id."""
    return await listed(ctx, ROTATIONS, call)


async def get_rotation(ctx: Context, call: Call[None]) -> Rotation:
    """Show a rotation."""
    return await shown(ctx, ROTATIONS, call)


async def create_rotation(ctx: Context, call: Call[NewRotation]) -> Rotation:
    """Let active people take turns on a schedule."""
    by, values = author_of(ctx, call), call.body.model_dump()
    user_ids = values.pop("user_ids")
    async with ctx.db.begin() as tx:
        schedule = await get_row(tx, SCHEDULES, call.ids)
        await _check_people(tx, user_ids)
        rotation = await insert_row(tx, ROTATIONS, {**values, "schedule_id": schedule.id}, by)
        await save_people(tx, rotation.id, user_ids)
        return await _with_people(tx, rotation, user_ids, by)


async def update_rotation(ctx: Context, call: Call[Body]) -> Rotation:
    """Change a rotation; its people are given anew, all of them and in order."""
    by, wanted = author_of(ctx, call), changes(call)
    user_ids = wanted.pop("user_ids", None)
    async with ctx.db.begin() as tx:
        rotation = await get_row(tx, ROTATIONS, call.ids, lock=True)
        if user_ids is not None:
            await _check_people(tx, user_ids)
            await save_people(tx, rotation.id, user_ids)
            await _with_people(tx, rotation, user_ids, by)
        return await update_row(tx, ROTATIONS, rotation.id, wanted, by)


async def _with_people(tx: AsyncConnection, rotation: Rotation, user_ids: list[int], by: Author) -> Rotation:
    """The rotation with these people, who are in a table of their own; the audit log is told of them here."""
    changed = rotation.model_copy(update={"user_ids": user_ids})
    await record_change(tx, ROTATIONS, rotation, changed, by)
    return changed


async def delete_rotation(ctx: Context, call: Call[None]) -> None:
    """Remove a rotation."""
    await removed(ctx, ROTATIONS, call)


async def get_timeline(ctx: Context, call: Call[Stretch]) -> OnCallTimeline:
    """Show who is on call on a schedule through a stretch of time of at most 366 days, and when nobody is."""
    since = call.body.from_ or ctx.now()
    until = call.body.to or since + USUAL
    async with ctx.db.begin() as tx:
        schedule = await get_row(tx, SCHEDULES, call.ids)
        _check_stretch(until - since)
        roster = await load_roster(tx, schedule.id, since=since, until=until)
        people = await find_contacts(tx, sorted(roster.user_ids))
    active = {user for user, person in people.items() if person.is_active}
    # A year of hourly turns takes a fraction of a second, in which this process has other things to do.
    found = await asyncio.to_thread(timeline, roster, since, until, active)
    return OnCallTimeline.model_validate(
        {
            "schedule_id": schedule.id,
            "from": since,
            "to": until,
            "timezone": schedule.timezone,
            "spans": [{**vars(span), "user_name": people[span.user_id].name} for span in found.spans],
            "gaps": [vars(gap) for gap in found.gaps],
        }
    )


def _check_stretch(length: timedelta) -> None:
    problem = (
        "must be after from" if length <= timedelta(0) else f"at most {LONGEST.days} days" if length > LONGEST else None
    )
    if problem:
        raise Unprocessable([{"loc": ["query", "to"], "msg": problem, "type": "value_error"}])


async def _check_people(tx: AsyncConnection, user_ids: list[int]) -> None:
    for user_id in dict.fromkeys(user_ids):
        await check_active(tx, user_id)


_ROTATIONS_PATH = "/api/v1/schedules/{schedule_id:int}/rotations"
_ROTATION_PATH = _ROTATIONS_PATH + "/{rotation_id:int}"

ENDPOINTS = (
    Endpoint("POST", _ROTATIONS_PATH, create_rotation, Role.ADMIN, NewRotation, 201, Rotation, (400,)),
    Endpoint("GET", _ROTATIONS_PATH, list_rotations, Role.VIEWER, Page, gives=list[Rotation]),
    Endpoint("GET", _ROTATION_PATH, get_rotation, Role.VIEWER, gives=Rotation),
    Endpoint("PATCH", _ROTATION_PATH, update_rotation, Role.ADMIN, ChangedRotation, gives=Rotation, refuses=(400,)),
    Endpoint("DELETE", _ROTATION_PATH, delete_rotation, Role.ADMIN, status=204),
    Endpoint(
        "GET",
        "/api/v1/schedules/{schedule_id:int}/timeline",
        get_timeline,
        Role.VIEWER,
        Stretch,
        gives=OnCallTimeline,
    ),
)
