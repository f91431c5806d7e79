"""On-call schedules and their entries: `/api/v1/schedules`."""

from typing import Any

from pagerpal_common.errors import Unprocessable
from pagerpal_common.http import Body, Call, Endpoint
from pagerpal_common.vocabulary import Role

from pagerpal_web.api.rows import Page, changed, changes, created, listed, removed, shown, subset_of
from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.fields import Id, Instant, Name, Timezone
from pagerpal_web.storage.resources import get_row, insert_row, update_row
from pagerpal_web.storage.schedules import ENTRIES, SCHEDULES, Entry, Schedule
from pagerpal_web.storage.users import check_active


class NewSchedule(Body):
    """A team's calendar of who is on call."""

    team_id: Id
    name: Name
    timezone: Timezone = "UTC"


ChangedSchedule = subset_of(NewSchedule)


class NewEntry(Body):
    """One person's stretch, up to but not including its end. An override may overlap others, and wins."""

    user_id: Id
    starts_at: Instant
    ends_at: Instant
    is_override: bool = False


ChangedEntry = subset_of(NewEntry)


async def list_schedules(ctx: Context, call: Call[Page]) -> list[Schedule]:
    """List the schedules, in order of id."""
    return await listed(ctx, SCHEDULES, call)


async def get_schedule(ctx: Context, call: Call[None]) -> Schedule:
    """Show a schedule."""
    return await shown(ctx, SCHEDULES, call)


async def create_schedule(ctx: Context, call: Call[NewSchedule]) -> Schedule:
    """Add a schedule for a team."""
    return await created(ctx, SCHEDULES, call, {**call.body.model_dump(), "created_at": ctx.now()})


async def update_schedule(ctx: Context, call: Call[Body]) -> Schedule:
    """Change a schedule."""
    return await changed(ctx, SCHEDULES, call)


async def delete_schedule(ctx: Context, call: Call[None]) -> None:
    """Remove a schedule that no escalation level uses, together with its entries."""
    await removed(ctx, SCHEDULES, call)


async def list_entries(ctx: Context, call: Call[Page]) -> list[Entry]:
    """List the entries of a schedule, in order of id."""
    return await listed(ctx, ENTRIES, call)


async def get_entry(ctx: Context, call: Call[None]) -> Entry:
    """Show an entry of a schedule."""
    return await shown(ctx, ENTRIES, call)


async def create_entry(ctx: Context, call: Call[NewEntry]) -> Entry:
    """Put an active user on call for a stretch.

    Normal entries of a schedule do not overlap. An override (`is_override`) may, and wins.
    """
    values = call.body.model_dump()
    _check_order(values)
    async with ctx.db.begin() as tx:
        schedule = await get_row(tx, SCHEDULES, call.ids)
        await check_active(tx, call.body.user_id)
        values |= {"schedule_id": schedule.id, "created_at": ctx.now()}
        return await insert_row(tx, ENTRIES, values, author_of(ctx, call))


async def update_entry(ctx: Context, call: Call[Body]) -> Entry:
    """Change an entry; it must not overlap others afterwards, unless it is an override."""
    wanted = changes(call)
    async with ctx.db.begin() as tx:
        entry = await get_row(tx, ENTRIES, call.ids, lock=True)
        _check_order(entry.model_dump() | wanted)
        if "user_id" in wanted:
            await check_active(tx, wanted["user_id"])
        return await update_row(tx, ENTRIES, entry.id, wanted, author_of(ctx, call))


async def delete_entry(ctx: Context, call: Call[None]) -> None:
    """Remove an entry from a schedule."""
    await removed(ctx, ENTRIES, call)


def _check_order(entry: dict[str, Any]) -> None:
    if entry["ends_at"] <= entry["starts_at"]:
        raise Unprocessable(
            [{"loc": ["body", "ends_at"], "msg": "an entry must end after it starts", "type": "value_error"}]
        )


_SCHEDULE_PATH = "/api/v1/schedules/{schedule_id:int}"
_ENTRY_PATH = _SCHEDULE_PATH + "/entries/{entry_id:int}"

ENDPOINTS = (
    Endpoint("POST", "/api/v1/schedules", create_schedule, Role.ADMIN, NewSchedule, 201, Schedule, refuses=(400,)),
    Endpoint("GET", "/api/v1/schedules", list_schedules, Role.VIEWER, Page, gives=list[Schedule]),
    Endpoint("GET", _SCHEDULE_PATH, get_schedule, Role.VIEWER, gives=Schedule),
    Endpoint("PATCH", _SCHEDULE_PATH, update_schedule, Role.ADMIN, ChangedSchedule, gives=Schedule, refuses=(400,)),
    Endpoint("DELETE", _SCHEDULE_PATH, delete_schedule, Role.ADMIN, status=204, refuses=(409,)),
    Endpoint(
        "POST", _SCHEDULE_PATH + "/entries", create_entry, Role.ADMIN, NewEntry, 201, gives=Entry, refuses=(400, 409)
    ),
    Endpoint("GET", _SCHEDULE_PATH + "/entries", list_entries, Role.VIEWER, Page, gives=list[Entry]),
    Endpoint("GET", _ENTRY_PATH, get_entry, Role.VIEWER, gives=Entry),
    Endpoint("PATCH", _ENTRY_PATH, update_entry, Role.ADMIN, ChangedEntry, gives=Entry, refuses=(400, 409)),
    Endpoint("DELETE", _ENTRY_PATH, delete_entry, Role.ADMIN, status=204),
)
