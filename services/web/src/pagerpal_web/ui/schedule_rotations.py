"""People who take turns on a schedule, and the schedule's own name and time zone: each change previewed."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pagerpal_common.vocabulary import Role, RotationKind
from pagerpal_common.wall_clock import first_shown, shown_at
from starlette.responses import Response

from pagerpal_web.api.rotations import (
    ChangedRotation,
    NewRotation,
    create_rotation,
    delete_rotation,
    get_rotation,
    update_rotation,
)
from pagerpal_web.api.schedules import ChangedSchedule, update_schedule
from pagerpal_web.context import Context
from pagerpal_web.storage.rotations import Rotation
from pagerpal_web.storage.schedule_people import Calendar, Named, active_people, people_named
from pagerpal_web.ui.coverage import when
from pagerpal_web.ui.forms import Form, fit
from pagerpal_web.ui.pages import Page, Visit
from pagerpal_web.ui.schedule_changes import FormPage, Proposal, show_form, take, told_of, wall_time
from pagerpal_web.ui.schedules import UNITS, WEEKDAYS, calendar_of

LOOK = timedelta(weeks=8)
"""How far what a rotation does is looked at."""

PLACES, HOURS = 4, 2
"""Empty places for people, and for hours, that a form has beyond those that are filled."""

MOST_PLACES, MOST_HOURS = 100, 50


async def new_rotation(ctx: Context, visit: Visit) -> Response:
    """A form for a rotation."""
    return await show_form(ctx, visit, await _page(ctx, visit, None))


async def add_rotation(ctx: Context, visit: Visit) -> Response:
    """Preview it, or let these people take turns."""
    page = await _page(ctx, visit, None)

    def propose() -> Proposal:
        body = fit(NewRotation, _given(visit.form))
        begins = first_shown(body.handoff_at, ZoneInfo(page.calendar.timezone))
        return _proposed(ctx, visit, page.calendar, lambda its: create_rotation(its, visit.call(body)), begins)

    return await take(ctx, visit, page, propose)


async def edit_rotation(ctx: Context, visit: Visit) -> Response:
    """The same form with what is there."""
    return await show_form(ctx, visit, await _page(ctx, visit, await get_rotation(ctx, visit.call())))


async def change_rotation(ctx: Context, visit: Visit) -> Response:
    """Preview the rotation as it would be, or change it."""
    rotation = await get_rotation(ctx, visit.call())
    page = await _page(ctx, visit, rotation)

    def propose() -> Proposal:
        given = _given(visit.form)
        if given["user_ids"] == [str(user) for user in rotation.user_ids]:
            del given["user_ids"]  # who has been deactivated since may keep their place, but could not be given it
        body = fit(ChangedRotation, given)
        return _proposed(ctx, visit, page.calendar, lambda its: update_rotation(its, visit.call(body)), ctx.now())

    return await take(ctx, visit, page, propose)


async def remove_rotation(ctx: Context, visit: Visit) -> Response:
    """Preview the schedule without it, or remove it."""
    calendar = await calendar_of(ctx, visit)
    rotation = await get_rotation(ctx, visit.call())
    page = FormPage("schedule_rotation_remove.html", calendar, {"rotation": rotation})

    def propose() -> Proposal:
        until = ctx.now() + LOOK
        return Proposal(lambda its: delete_rotation(its, visit.call()), ctx.now(), until, said="Rotation removed.")

    return await take(ctx, visit, page, propose)


async def edit_schedule(ctx: Context, visit: Visit) -> Response:
    """A form for the schedule's name and time zone."""
    return await show_form(ctx, visit, FormPage("schedule_edit.html", await calendar_of(ctx, visit)))


async def change_schedule(ctx: Context, visit: Visit) -> Response:
    """Preview them, or change them: in another zone all handoffs of rotations are at another time."""
    page = FormPage("schedule_edit.html", await calendar_of(ctx, visit))

    def propose() -> Proposal:
        body = fit(ChangedSchedule, {name: visit.form.text(name) for name in ("name", "timezone")})
        until = ctx.now() + LOOK
        return Proposal(lambda its: update_schedule(its, visit.call(body)), ctx.now(), until, said="Schedule saved.")

    return await take(ctx, visit, page, propose)


def _proposed(ctx: Context, visit: Visit, calendar: Calendar, make: Any, begins: datetime) -> Proposal:
    since = max(ctx.now(), begins - timedelta(days=1))
    zone = ZoneInfo(calendar.timezone)
    notes = told_of(visit.form, ("handoff_at",), zone)
    if begins > ctx.now():
        notes = (f"Starts {when(begins, zone)} ({zone.key}). Until then this rotation puts nobody on call.", *notes)
    return Proposal(make, since, since + LOOK, said="Rotation saved.", notes=notes)


def _given(form: Form) -> dict[str, object]:
    """The fields as the API takes them. Empty places are nobody's; hours of which nothing is filled in are none."""
    given: dict[str, object] = dict(form.given("name", "kind", "length", "priority"))
    given["user_ids"] = [user for user in form.texts("user_ids") if user]
    given["handoff_at"] = wall_time(form, "handoff_at")
    given["restrictions"] = [hours for place in range(MOST_HOURS) if (hours := _hours(form, place)) is not None]
    return given


def _hours(form: Form, place: int) -> dict[str, object] | None:
    weekdays = [day for day in form.texts(f"weekdays-{place}") if day]
    begins, ends = form.text(f"from-{place}"), form.text(f"to-{place}")
    if not weekdays and not begins and not ends:
        return None
    return {"weekdays": weekdays, "from": begins, "to": ends}


async def _page(ctx: Context, visit: Visit, rotation: Rotation | None) -> FormPage:
    calendar = await calendar_of(ctx, visit)
    async with ctx.db.begin() as tx:
        people = await active_people(tx)
        more = await people_named(tx, () if rotation is None else rotation.user_ids)
    form = visit.form if visit.form.fields else _form_of(calendar, ctx.now(), rotation)
    chosen = [user for user in form.texts("user_ids") if user]
    rows = [place for place in range(MOST_HOURS) if _hours(form, place) is not None]
    hours = (max(rows) + 1 if rows else 0) + HOURS
    values = {
        "rotation": rotation,
        "filled": form,
        "places": [*chosen, *[""] * PLACES][:MOST_PLACES],
        "people_to_choose": _choices(people, more.values()),
        "hours": range(min(hours, MOST_HOURS)),
        "weekdays": list(enumerate(WEEKDAYS)),
        "kinds": [(kind.value, f"{UNITS[kind][0].capitalize()}s") for kind in RotationKind],
    }
    return FormPage("schedule_rotation.html", calendar, values)


def _choices(people: list[Named], more: Any) -> list[Named]:
    """Everybody active, and whoever is in it already: a deactivated person keeps their place until it is changed."""
    known = {person.user_id for person in people}
    return [*people, *(person for person in more if person.user_id not in known)]


def _form_of(calendar: Calendar, now: datetime, rotation: Rotation | None) -> Form:
    """What the fields hold at first: the rotation, or a usual one since Monday morning, which is in force at once."""
    if rotation is None:
        here = shown_at(now, ZoneInfo(calendar.timezone))
        monday = datetime.combine(here.date() - timedelta(days=here.weekday()), time(9))
        monday -= timedelta(days=7 if monday > here else 0)
        return Form(
            {"kind": ["weekly"], "length": ["1"], "priority": ["0"], "handoff_at": [f"{monday:%Y-%m-%dT%H:%M}"]}
        )
    fields: dict[str, list[str]] = {
        "name": [rotation.name],
        "kind": [rotation.kind.value],
        "length": [str(rotation.length)],
        "priority": [str(rotation.priority)],
        "handoff_at": [
            rotation.handoff_at.isoformat(timespec="minutes" if not rotation.handoff_at.second else "seconds")
        ],
        "user_ids": [str(user) for user in rotation.user_ids],
    }
    for place, hours in enumerate(rotation.restrictions):
        fields[f"weekdays-{place}"] = [str(day) for day in hours.weekdays]
        fields[f"from-{place}"], fields[f"to-{place}"] = [hours.from_], [hours.to]
    return Form(fields)


_SCHEDULE = "/schedules/{schedule_id:int}"
_ROTATION = _SCHEDULE + "/rotations/{rotation_id:int}"

PAGES: tuple[Page, ...] = (
    Page("GET", _SCHEDULE + "/rotations/new", new_rotation, Role.ADMIN),
    Page("POST", _SCHEDULE + "/rotations/new", add_rotation, Role.ADMIN),
    Page("GET", _ROTATION + "/edit", edit_rotation, Role.ADMIN),
    Page("POST", _ROTATION + "/edit", change_rotation, Role.ADMIN),
    Page("GET", _ROTATION + "/remove", remove_rotation, Role.ADMIN),
    Page("POST", _ROTATION + "/remove", remove_rotation, Role.ADMIN),
    Page("GET", _SCHEDULE + "/edit", edit_schedule, Role.ADMIN),
    Page("POST", _SCHEDULE + "/edit", change_schedule, Role.ADMIN),
)
