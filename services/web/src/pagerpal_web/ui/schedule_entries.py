"""One person's stretch on a schedule: adding an entry or an override, removing one, and standing in for somebody."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pagerpal_common.errors import Unprocessable
from pagerpal_common.vocabulary import Role
from starlette.responses import Response

from pagerpal_web.api.schedules import NewEntry, create_entry, delete_entry, get_entry
from pagerpal_web.context import Context
from pagerpal_web.domain.shown import plain
from pagerpal_web.storage.schedule_people import Calendar, Named, active_people, colleagues, people_named
from pagerpal_web.ui.cover import standing_in
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.pages import Page, Visit
from pagerpal_web.ui.schedule_changes import (
    FormPage,
    Proposal,
    around,
    read_wall,
    show_form,
    take,
    told_of,
    typed_at,
)
from pagerpal_web.ui.schedules import calendar_of

TIMES = ("starts_at", "ends_at")


async def new_entry(ctx: Context, visit: Visit) -> Response:
    """A form for an entry or an override."""
    return await show_form(ctx, visit, await _entry_page(ctx, visit))


async def add_entry(ctx: Context, visit: Visit) -> Response:
    """Preview it, or put somebody on call."""
    page = await _entry_page(ctx, visit)
    zone = ZoneInfo(page.calendar.timezone)

    def propose() -> Proposal:
        starts_at, ends_at = _times(visit, zone)
        given = {**visit.form.given("user_id"), "is_override": visit.form.is_on("is_override")}
        body = fit(NewEntry, {**given, "starts_at": starts_at, "ends_at": ends_at})
        return Proposal(
            lambda its: create_entry(its, visit.call(body)),
            *around(starts_at, ends_at, ctx.now()),
            said="Override saved." if body.is_override else "Entry saved.",
            notes=told_of(visit.form, TIMES, zone),
        )

    return await take(ctx, visit, page, propose)


async def ask_to_remove(ctx: Context, visit: Visit) -> Response:
    """What happens without an entry: shown at once, because there is nothing to fill in."""
    return await remove_entry(ctx, visit)


async def remove_entry(ctx: Context, visit: Visit) -> Response:
    """Preview the schedule without an entry, or remove it."""
    calendar = await calendar_of(ctx, visit)
    entry = await get_entry(ctx, visit.call())
    async with ctx.db.begin() as tx:
        who = (await people_named(tx, [entry.user_id]))[entry.user_id]
    page = FormPage("schedule_entry_remove.html", calendar, {"entry": entry, "who": who})

    def propose() -> Proposal:
        return Proposal(
            lambda its: delete_entry(its, visit.call()),
            *around(entry.starts_at, entry.ends_at, ctx.now()),
            said="Entry removed.",
        )

    return await take(ctx, visit, page, propose)


async def ask_for_cover(ctx: Context, visit: Visit) -> Response:
    """A form for times and people of one's choice."""
    return await show_form(ctx, visit, await _cover_page(ctx, visit))


async def get_cover(ctx: Context, visit: Visit) -> Response:
    """Preview it, or put oneself, or for one's own shift a colleague, on call."""
    page = await _cover_page(ctx, visit)
    zone = ZoneInfo(page.calendar.timezone)

    def propose() -> Proposal:
        starts_at, ends_at = _times(visit, zone)
        return Proposal(
            standing_in(visit, page.calendar.schedule_id, starts_at, ends_at),
            *around(starts_at, ends_at, ctx.now()),
            said="Saved.",
            notes=told_of(visit.form, TIMES, zone),
        )

    return await take(ctx, visit, page, propose)


async def _entry_page(ctx: Context, visit: Visit) -> FormPage:
    calendar = await calendar_of(ctx, visit)
    async with ctx.db.begin() as tx:
        people = await active_people(tx)
    values = {
        "choices": _choices(visit, people),
        **_times_given(visit, calendar),
        "is_override": "override" in visit.query,
    }
    return FormPage("schedule_entry.html", calendar, values)


async def _cover_page(ctx: Context, visit: Visit) -> FormPage:
    calendar = await calendar_of(ctx, visit)
    async with ctx.db.begin() as tx:
        people = await colleagues(tx, calendar.schedule_id)
    values = {"choices": _choices(visit, people), **_times_given(visit, calendar)}
    return FormPage("schedule_cover.html", calendar, values)


def _choices(visit: Visit, people: Sequence[Named]) -> list[tuple[int, str]]:
    """Oneself first."""
    me = visit.me.user_id
    ordered = sorted(people, key=lambda person: person.user_id != me)
    return [
        (each.user_id, f"{plain(each.name, '(no name)')}{' (you)' if each.user_id == me else ''}") for each in ordered
    ]


def _times(visit: Visit, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Raises Unprocessable: they are no times, or the second is not after the first."""
    starts_at, ends_at = (read_wall(visit.form, name, zone) for name in TIMES)
    if ends_at <= starts_at:
        problem = "it must end after it starts"
        raise Unprocessable([{"loc": ["body", "ends_at"], "msg": problem, "type": "value_error"}])
    return starts_at, ends_at


def _times_given(visit: Visit, calendar: Calendar) -> dict[str, str]:
    """What stands in the fields at first: the times that the address names, in the schedule's zone."""
    zone = ZoneInfo(calendar.timezone)
    return {f"{name}_first": typed_at(_instant(visit.query.get(name, "")), zone) for name in TIMES}


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo is not None and 2000 <= at.year < 2100 else None
    except ValueError:
        return None


_SCHEDULE = "/schedules/{schedule_id:int}"

PAGES: tuple[Page, ...] = (
    Page("GET", _SCHEDULE + "/entries/new", new_entry, Role.ADMIN),
    Page("POST", _SCHEDULE + "/entries/new", add_entry, Role.ADMIN),
    Page("GET", _SCHEDULE + "/entries/{entry_id:int}/remove", ask_to_remove, Role.ADMIN),
    Page("POST", _SCHEDULE + "/entries/{entry_id:int}/remove", remove_entry, Role.ADMIN),
    Page("GET", _SCHEDULE + "/cover", ask_for_cover, Role.RESPONDER),
    Page("POST", _SCHEDULE + "/cover", get_cover, Role.RESPONDER),
)
