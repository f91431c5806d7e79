"""Standing in for somebody: an override, by the API's own handler, of which whoever makes it is one side."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pagerpal_common.errors import Invalid
from pagerpal_common.oncall import timeline
from pagerpal_common.rosters import load_roster

from pagerpal_web.api.schedules import NewEntry, create_entry
from pagerpal_web.context import Context
from pagerpal_web.domain.cover import LONGEST, check_cover
from pagerpal_web.domain.shown import plain
from pagerpal_web.one_transaction import within
from pagerpal_web.storage.resources import get_row
from pagerpal_web.storage.schedule_people import colleagues, people_named
from pagerpal_web.storage.schedules import SCHEDULES
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
