"""Standing in for somebody, and taking that back: an override, by the API's own handlers, of which whoever makes it is
one side."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pagerpal_common.errors import Forbidden, Invalid, NotFound
from pagerpal_common.oncall import timeline
from pagerpal_common.rosters import load_roster
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.api.schedules import NewEntry, create_entry, delete_entry
from pagerpal_web.context import Context
from pagerpal_web.domain.cover import LONGEST, check_cover
from pagerpal_web.domain.shown import plain
from pagerpal_web.domain.undo import check_undo
from pagerpal_web.one_transaction import within
from pagerpal_web.storage.own_covers import find_history
from pagerpal_web.storage.resources import get_row
from pagerpal_web.storage.schedule_people import colleagues, people_named
from pagerpal_web.storage.schedules import ENTRIES, SCHEDULES, Entry
from pagerpal_web.ui.coverage import when
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.pages import Visit


async def stand_in(ctx: Context, visit: Visit, schedule_id: int, starts_at: datetime, ends_at: datetime) -> str:
    """Put whom the form names on call, as far as that time is still to come; what was done, in words.

    Raises:
        Invalid, Forbidden, NotFound, Unprocessable: it cannot or may not be done.
    """
    return await standing_in(visit, schedule_id, starts_at, ends_at)(ctx)


def standing_in(
    visit: Visit, schedule_id: int, starts_at: datetime, ends_at: datetime
) -> Callable[[Context], Awaitable[str]]:
    """The same, to be done later, or to be rehearsed."""

    async def change(ctx: Context) -> str:
        begins = max(starts_at, ctx.now())
        body = fit(
            NewEntry, {**visit.form.given("user_id"), "starts_at": begins, "ends_at": ends_at, "is_override": True}
        )
        if body.ends_at <= begins:
            raise Invalid("this time is over, or ends before it starts")
        return await _checked(ctx, visit, schedule_id, body)

    return change


async def _checked(ctx: Context, visit: Visit, schedule_id: int, body: NewEntry) -> str:
    """The schedule's row is held, so that of two who take over the same shift the second sees the first."""
    me = visit.me.user_id
    async with ctx.db.begin() as tx:
        schedule = await get_row(tx, SCHEDULES, {"schedule_id": schedule_id}, lock=True)
        # No more is looked at than may be changed: a longer one is refused whatever is in it.
        until = min(body.ends_at, body.starts_at + LONGEST + timedelta(seconds=1))
        roster = await load_roster(tx, schedule_id, since=body.starts_at, until=until)
        people = await people_named(tx, {*roster.user_ids, body.user_id})
        active = {number for number, person in people.items() if person.is_active}
        check_cover(
            timeline(roster, body.starts_at, until, active),
            body.ends_at - body.starts_at,
            me=me,
            stand_in=body.user_id,
            colleagues={each.user_id for each in await colleagues(tx, schedule_id)},
        )
        await create_entry(within(ctx, tx), visit.call(body, schedule_id=schedule_id))
    who = "You are" if body.user_id == me else f"{plain(people[body.user_id].name)} is"
    zone = ZoneInfo(visit.me.timezone)
    times = f"from {when(body.starts_at, zone)} to {when(body.ends_at, zone)}"
    return f"{who} on call on {plain(schedule.name)} {times}."


async def take_back(ctx: Context, visit: Visit, schedule_id: int, entry_id: int) -> str:
    """Remove the override that whoever looks has just made, and no other; what was done, in words.

    Raises:
        Conflict: it is gone or changed already; the text says who was first.
        Forbidden: it is somebody else's, or was made too long ago.
        NotFound: there is no such schedule.
    """
    ids = {"schedule_id": schedule_id, "entry_id": entry_id}
    async with ctx.db.begin() as tx:
        # Both are held, the entry against admins: whoever comes second sees what the first has done.
        schedule = await get_row(tx, SCHEDULES, {"schedule_id": schedule_id}, lock=True)
        entry = await _held(tx, ids)
        check_undo(await find_history(tx, entry_id), me=visit.me.user_id, now=ctx.now())
        if entry is None or not entry.is_override:
            raise Forbidden("only an override can be undone here; an admin can remove this entry")
        person = (await people_named(tx, [entry.user_id]))[entry.user_id]
        await delete_entry(within(ctx, tx), visit.call(**ids))
    whose = "Your override" if entry.user_id == visit.me.user_id else f"The override of {plain(person.name)}"
    zone = ZoneInfo(visit.me.timezone)
    times = f"from {when(entry.starts_at, zone)} to {when(entry.ends_at, zone)}"
    return f"Undone. {whose} on {plain(schedule.name)} {times} is removed."


async def _held(tx: AsyncConnection, ids: Mapping[str, int]) -> Entry | None:
    try:
        return await get_row(tx, ENTRIES, ids, lock=True)
    except NotFound:
        return None
