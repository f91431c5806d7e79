"""The schedules of all teams, and one of them: who is on call in the end, and what decides it, layer by layer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pagerpal_common.errors import NotFound, Refusal
from pagerpal_common.oncall import Roster, Shift, Timeline, timeline
from pagerpal_common.rotation import Rotation, Window
from pagerpal_common.vocabulary import Role, RotationKind
from starlette.responses import Response

from pagerpal_web.api.schedules import NewSchedule, create_schedule, delete_schedule
from pagerpal_web.context import Context
from pagerpal_web.domain.coverage import HORIZON, cut, gaps_within, in_all, standing, turns
from pagerpal_web.domain.picture import Stretch
from pagerpal_web.domain.shown import plain
from pagerpal_web.storage.entries_ahead import MOST, list_entries_ahead
from pagerpal_web.storage.resources import list_rows
from pagerpal_web.storage.rotations import ROTATIONS
from pagerpal_web.storage.schedule_people import MOST_SCHEDULES, Calendar, list_calendars, list_teams
from pagerpal_web.ui.coverage import FORTNIGHT, Layer, Loaded, Viewer, draw_layers, load
from pagerpal_web.ui.forms import fit, problems
from pagerpal_web.ui.html import redirect, render, status_of
from pagerpal_web.ui.oncall import both, counted, covers_made, fortnight, viewer_of
from pagerpal_web.ui.pages import Page, Visit, not_found

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

UNITS: Mapping[RotationKind, tuple[str, str]] = {
    RotationKind.HOURLY: ("hour", "hours"),
    RotationKind.DAILY: ("day", "days"),
    RotationKind.WEEKLY: ("week", "weeks"),
    RotationKind.MONTHLY: ("month", "months"),
}

MOST_ROTATIONS = 1000

LANES = 5
"""Rows of overrides that overlap each other; what does not fit is in the table all the same."""


@dataclass(frozen=True)
class Line:
    """A schedule in the list of them."""

    calendar: Calendar
    holder: int | None
    until: datetime | None
    """None when that is further ahead than was looked."""
    gap: timedelta


async def show_schedules(ctx: Context, visit: Visit) -> Response:
    """The list, with who is on call now."""
    viewer = viewer_of(ctx, visit)
    stretch = Stretch(viewer.now, viewer.now + HORIZON)
    async with ctx.db.begin() as tx:
        calendars = await list_calendars(tx, viewer.user_id)
        loaded = await load(tx, [calendar.schedule_id for calendar in calendars], stretch)
    timelines = await loaded.timelines(stretch)
    lines = [_line(calendar, timelines[calendar.schedule_id], viewer) for calendar in calendars]
    return await render(
        ctx,
        visit.visitor,
        "schedules.html",
        lines=lines,
        people=loaded,
        is_cut=len(lines) >= MOST_SCHEDULES,
        may_change=visit.may(Role.ADMIN),
    )


def _line(calendar: Calendar, timeline: Timeline, viewer: Viewer) -> Line:
    its = standing(timeline, viewer.now)
    return Line(calendar, its.holder, its.until, in_all(its.gaps))


async def new_schedule(ctx: Context, visit: Visit) -> Response:
    """A form for a schedule."""
    return await _form(ctx, visit)


async def make_schedule(ctx: Context, visit: Visit) -> Response:
    """Make it, and go on to fill it."""
    try:
        body = fit(NewSchedule, visit.form.given("team_id", "name", "timezone"))
        made = await create_schedule(ctx, visit.call(body))
    except Refusal as refused:
        return await _form(ctx, visit, refused)
    return redirect(ctx, f"/schedules/{made.id}", "Schedule created. Next: add a rotation.")


async def _form(ctx: Context, visit: Visit, refused: Refusal | None = None) -> Response:
    async with ctx.db.begin() as tx:
        teams = await list_teams(tx)
    values = {
        "typed": visit.form,
        "problems": {} if refused is None else problems(refused),
        "teams": teams,
        "choices": [(number, plain(name)) for number, name, _ in teams],
        "chosen": visit.query.get("team", ""),
        "zone": visit.me.timezone,
    }
    return await render(ctx, visit.visitor, "schedule_new.html", status=status_of(refused), **values)


async def show_schedule(ctx: Context, visit: Visit) -> Response:
    """One schedule."""
    return await _show(ctx, visit)


async def remove_schedule(ctx: Context, visit: Visit) -> Response:
    """Delete it with what is on it, unless an escalation level uses it."""
    try:
        await delete_schedule(ctx, visit.call(None))
    except NotFound:
        raise
    except Refusal as refused:
        return await _show(ctx, visit, refused)
    return redirect(ctx, "/schedules", "Schedule deleted.")


async def calendar_of(ctx: Context, visit: Visit) -> Calendar:
    """The schedule that the path names, with its team.

    Raises:
        NotFound: there is none.
    """
    async with ctx.db.begin() as tx:
        found = await list_calendars(tx, visit.me.user_id, schedule_id=visit.ids["schedule_id"])
    if not found:
        raise not_found("schedule")
    return found[0]


async def _show(ctx: Context, visit: Visit, refused: Refusal | None = None) -> Response:
    calendar = await calendar_of(ctx, visit)
    viewer = viewer_of(ctx, visit)
    shown, first = fortnight(visit, viewer)
    of, said = counted(viewer, shown)
    stretch = both(shown, of) or shown
    async with ctx.db.begin() as tx:
        loaded = await load(tx, [calendar.schedule_id], stretch)
        entries = await list_entries_ahead(tx, calendar.schedule_id, viewer.now)
        undoable = {one.id for one in await covers_made(tx, visit, viewer)}
        rotations = await list_rows(tx, ROTATIONS, visit.ids, limit=MOST_ROTATIONS, after=0)
    roster = loaded.rosters[calendar.schedule_id]
    found = (await loaded.timelines(stretch))[calendar.schedule_id]
    whole = cut(found, shown.since, shown.until)
    names = {rotation.id: rotation.name for rotation in rotations}
    layers = [Layer("On call", whole, is_whole=True), *_layers(roster, names, shown, loaded)]
    values = {
        "calendar": calendar,
        "picture": draw_layers(layers, loaded, shown, viewer, ZoneInfo(calendar.timezone)),
        "rows": turns(whole),
        "gap": in_all(gaps_within(found, of.since, of.until)),
        "counted": said,
        "people": loaded,
        "entries": entries,
        "undoable": undoable,
        "most": MOST,
        "rotations": [(names.get(each.rotation_id, ""), each, described(each)) for each in _in_order(roster)],
        "first": first,
        "last": first + FORTNIGHT - timedelta(days=1),
        "before": first - FORTNIGHT,
        "after": first + FORTNIGHT,
        "may_change": visit.may(Role.ADMIN),
        "may_cover": visit.may(Role.RESPONDER),
        "problems": {} if refused is None else problems(refused),
    }
    return await render(ctx, visit.visitor, "schedule.html", status=status_of(refused), **values)


def _layers(roster: Roster, names: Mapping[int, str], shown: Stretch, loaded: Loaded) -> Iterator[Layer]:
    """What the schedule is made of, the strongest first."""
    active = loaded.active
    overrides = [shift for shift in roster.shifts if shift.is_override]
    for lane in _lanes(overrides)[:LANES]:
        yield Layer("Overrides", _alone(replace(roster, shifts=tuple(lane), rotations=()), shown, active))
    entries = tuple(shift for shift in roster.shifts if not shift.is_override)
    if entries:
        yield Layer("Entries", _alone(replace(roster, shifts=entries, rotations=()), shown, active))
    for rotation in _in_order(roster):
        name = names.get(rotation.rotation_id, "")
        alone = replace(roster, shifts=(), rotations=(rotation,))
        yield Layer(plain(name, "(no name)"), _alone(alone, shown, active))


def _alone(layer: Roster, shown: Stretch, active: set[int]) -> Timeline:
    return timeline(layer, shown.since, shown.until, active)


def _lanes(shifts: list[Shift]) -> list[list[Shift]]:
    """In as few rows as it takes for none to lie on another."""
    lanes: list[list[Shift]] = []
    for shift in sorted(shifts, key=lambda each: each.starts_at):
        free = next((lane for lane in lanes if lane[-1].ends_at <= shift.starts_at), None)
        if free is None:
            lanes.append([shift])
        else:
            free.append(shift)
    return lanes


def _in_order(roster: Roster) -> list[Rotation]:
    """The strongest first, as `oncall.py` has it."""
    return sorted(roster.rotations, key=lambda rotation: (-rotation.priority, rotation.rotation_id))


def described(rotation: Rotation) -> str:
    """Its turns in words: `Each for 1 week, handed over on Mon at 09:00`."""
    one, many = UNITS[rotation.kind]
    turn = f"1 {one}" if rotation.length == 1 else f"{rotation.length} {many}"
    at = f"{rotation.handoff_at:%H:%M}"
    day = rotation.handoff_at
    places = {
        RotationKind.HOURLY: f"on the hour at :{day:%M}",
        RotationKind.DAILY: f"at {at}",
        RotationKind.WEEKLY: f"on {WEEKDAYS[day.weekday()]} at {at}",
        RotationKind.MONTHLY: f"on day {day.day} of the month at {at}",
    }
    hours = "; ".join(_hours(window) for window in rotation.windows)
    return f"Each for {turn}, handed over {places[rotation.kind]}{f', only {hours}' if hours else ''}"


def _hours(window: Window) -> str:
    days = ", ".join(WEEKDAYS[number] for number in sorted(window.weekdays))
    return f"{days} {window.begins:%H:%M} to {window.ends:%H:%M}"


PAGES: tuple[Page, ...] = (
    Page("GET", "/schedules", show_schedules),
    Page("GET", "/schedules/new", new_schedule, Role.ADMIN),
    Page("POST", "/schedules/new", make_schedule, Role.ADMIN),
    Page("GET", "/schedules/{schedule_id:int}", show_schedule),
    Page("POST", "/schedules/{schedule_id:int}/delete", remove_schedule, Role.ADMIN),
)
