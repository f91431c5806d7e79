"""Who is on call now, who is next, and who through the fortnight? And standing in for somebody, in two clicks."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from pagerpal_common.errors import Refusal, Unprocessable
from pagerpal_common.http import LARGEST_ID
from pagerpal_common.oncall import Timeline
from pagerpal_common.vocabulary import Role
from pagerpal_common.wall_clock import first_shown, shown_at
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from pagerpal_web.context import Context
from pagerpal_web.domain.coverage import HORIZON, cut, gaps_within, in_all, joined, standing, turns
from pagerpal_web.domain.picture import Picture, Stretch
from pagerpal_web.domain.undo import UNDO_WITHIN
from pagerpal_web.storage.own_covers import OwnCover, list_own_covers
from pagerpal_web.storage.schedule_people import (
    MOST_SCHEDULES,
    Calendar,
    Named,
    colleagues_of,
    list_calendars,
    list_teams,
)
from pagerpal_web.ui.cover import stand_in, take_back
from pagerpal_web.ui.coverage import FORTNIGHT, Loaded, Viewer, draw_team, load
from pagerpal_web.ui.forms import problems
from pagerpal_web.ui.html import redirect, render, status_of
from pagerpal_web.ui.pages import Page, Visit

AHEAD = timedelta(days=28)
"""How far it is looked for who is next, and for one's own shifts."""

OWN_SHIFTS = 5
"""How many of them are shown."""

MOST_PICTURES = 12
"""Teams whose fortnight is drawn, one's own first; of the others it is when they are picked."""


@dataclass(frozen=True)
class Now:
    """A schedule as it is at this moment. `until` is None when that is further ahead than was looked."""

    calendar: Calendar
    holder: int | None
    until: datetime | None
    next_user: int | None
    stand_ins: Sequence[Named]


@dataclass(frozen=True)
class OwnShift:
    """A shift of whoever looks, on one schedule."""

    calendar: Calendar
    starts_at: datetime
    ends_at: datetime
    stand_ins: Sequence[Named]


@dataclass(frozen=True)
class TeamCover:
    """A team's fortnight."""

    team_id: int
    name: str
    is_mine: bool
    calendars: Sequence[Calendar]
    picture: Picture
    timelines: Mapping[int, Timeline]
    gap: timedelta | None
    """Of the schedules that a policy pages by; None where there is none. Nobody misses anybody on the others."""


async def show_on_call(ctx: Context, visit: Visit) -> Response:
    """The page."""
    return await _show(ctx, visit)


async def cover(ctx: Context, visit: Visit) -> Response:
    """Put oneself, or for one's own shift a colleague, on call; back to the page, which says so."""
    try:
        done = await stand_in(ctx, visit, read_number(visit, "schedule_id"), *read_times(visit))
    except Refusal as refused:
        return await _show(ctx, visit, refused)
    return redirect(ctx, "/on-call", done)


async def undo(ctx: Context, visit: Visit) -> Response:
    """Take back the override that one has just made; back to the page, which says so."""
    try:
        done = await take_back(ctx, visit, read_number(visit, "schedule_id"), read_number(visit, "entry_id"))
    except Refusal as refused:
        return await _show(ctx, visit, refused)
    return redirect(ctx, "/on-call", done)


def viewer_of(ctx: Context, visit: Visit) -> Viewer:
    """Whoever looks, for whom it is drawn."""
    return Viewer(visit.me.user_id, ZoneInfo(visit.me.timezone), ctx.now())


def fortnight(visit: Visit, viewer: Viewer) -> tuple[Stretch, date]:
    """The two weeks that the address names by their first day, or from today, from midnight on; and that day."""
    first = shown_at(viewer.now, viewer.zone).date()
    with suppress(ValueError):
        given = date.fromisoformat(visit.query.get("from", ""))
        first = given if 2000 <= given.year < 2099 else first
    begins = datetime.combine(first, time())
    return Stretch(first_shown(begins, viewer.zone), first_shown(begins + FORTNIGHT, viewer.zone)), first


def counted(viewer: Viewer, shown: Stretch) -> tuple[Stretch, str]:
    """Of which time gaps are counted while these two weeks are shown, and how that is called: of the time ahead, as on
    every page, unless other weeks are looked at."""
    first, today = (shown_at(at, viewer.zone).date() for at in (shown.since, viewer.now))
    if first == today:
        return Stretch(viewer.now, viewer.now + HORIZON), "the next 14 days"
    return shown, "these two weeks"


def both(one: Stretch, other: Stretch) -> Stretch | None:
    """Two stretches as one; None when there is time between them."""
    if one.until < other.since or other.until < one.since:
        return None
    return Stretch(min(one.since, other.since), max(one.until, other.until))


def read_times(visit: Visit) -> tuple[datetime, datetime]:
    """The instants that a button of ours has sent.

    Raises:
        Unprocessable: they are none.
    """
    try:
        starts_at, ends_at = (datetime.fromisoformat(visit.form.text(name)) for name in ("starts_at", "ends_at"))
        if starts_at.tzinfo is not None and ends_at.tzinfo is not None:
            return starts_at.astimezone(UTC), ends_at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Unprocessable([{"loc": ["body"], "msg": "these are no times", "type": "value_error"}])


def read_number(visit: Visit, name: str) -> int:
    """The id that a button of ours has sent; 0, which nothing has, for what is no number."""
    text = visit.form.text(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < len(str(LARGEST_ID)) else 0


async def covers_made(tx: AsyncConnection, visit: Visit, viewer: Viewer) -> list[OwnCover]:
    """The overrides that whoever looks may still take back."""
    since = viewer.now - UNDO_WITHIN
    return await list_own_covers(tx, viewer.user_id, since=since) if visit.may(Role.RESPONDER) else []


async def _show(ctx: Context, visit: Visit, refused: Refusal | None = None) -> Response:
    viewer = viewer_of(ctx, visit)
    shown, first = fortnight(visit, viewer)
    to_come = Stretch(viewer.now, viewer.now + AHEAD)
    whole = both(to_come, shown)
    async with ctx.db.begin() as tx:
        teams = await list_teams(tx)
        team_id = _team(visit, teams)
        calendars = await list_calendars(tx, viewer.user_id, team_id=team_id)
        drawn = _first_teams(calendars)
        own_covers = await covers_made(tx, visit, viewer)
        coming = await load(tx, [each.schedule_id for each in calendars], whole or to_come)
        during = coming if whole else await load(tx, [each.schedule_id for each in drawn], shown)
        own = [number for number, roster in coming.rosters.items() if viewer.user_id in roster.user_ids]
        mine = await colleagues_of(tx, own if visit.may(Role.RESPONDER) else [])
    soon = await coming.timelines(whole or to_come)
    then = soon if whole else await during.timelines(shown)
    soon = {number: cut(its, to_come.since, to_come.until) for number, its in soon.items()}
    people = Loaded({}, {**coming.people, **during.people})
    values = {
        "now_by_team": _by_team([_now(each, soon[each.schedule_id], viewer, mine) for each in calendars]),
        "own": list(_own(calendars, soon, viewer, mine))[:OWN_SHIFTS],
        "own_covers": own_covers,
        "covers": _covers(drawn, then, people, shown, viewer),
        "counted": counted(viewer, shown)[1],
        "beyond": {each.team_id: each.team_name for each in calendars[len(drawn) :]},
        "is_cut": len(calendars) >= MOST_SCHEDULES,
        "people": people,
        "turns": turns,
        "shown": shown,
        "first": first,
        "last": first + FORTNIGHT - timedelta(days=1),
        "before": first - FORTNIGHT,
        "after": first + FORTNIGHT,
        "teams": teams,
        "team_id": team_id,
        "without": [name for number, name, has_any in teams if not has_any and team_id in (None, number)],
        "may_cover": visit.may(Role.RESPONDER),
        "problems": {} if refused is None else problems(refused),
    }
    return await render(ctx, visit.visitor, "on_call.html", status=status_of(refused), **values)


def _team(visit: Visit, teams: Sequence[tuple[int, str, bool]]) -> int | None:
    return next((number for number, _, _ in teams if str(number) == visit.query.get("team")), None)


def _first_teams(calendars: list[Calendar]) -> list[Calendar]:
    teams = list(dict.fromkeys(calendar.team_id for calendar in calendars))[:MOST_PICTURES]
    return [calendar for calendar in calendars if calendar.team_id in teams]


def _now(calendar: Calendar, soon: Timeline, viewer: Viewer, mine: Mapping[int, Sequence[Named]]) -> Now:
    its = standing(soon, viewer.now)
    stand_ins = _others(mine.get(calendar.schedule_id, ()), viewer)
    return Now(calendar, its.holder, its.until, its.next_user, stand_ins)


def _by_team(rows: Sequence[Now]) -> list[tuple[Calendar, list[Now]]]:
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row.calendar.team_id)]
    return [(group[0].calendar, group) for group in groups]


def _own(
    calendars: Sequence[Calendar],
    soon: Mapping[int, Timeline],
    viewer: Viewer,
    mine: Mapping[int, Sequence[Named]],
) -> Iterator[OwnShift]:
    shifts = [
        OwnShift(calendar, starts_at, ends_at, _others(mine.get(calendar.schedule_id, ()), viewer))
        for calendar in calendars
        for starts_at, ends_at in joined(soon[calendar.schedule_id], viewer.user_id)
    ]
    yield from sorted(shifts, key=lambda shift: shift.starts_at)


def _others(people: Sequence[Named], viewer: Viewer) -> list[Named]:
    return [person for person in people if person.user_id != viewer.user_id]


def _covers(
    calendars: Sequence[Calendar], found: Mapping[int, Timeline], people: Loaded, shown: Stretch, viewer: Viewer
) -> list[TeamCover]:
    """Each team's picture, out of timelines that may reach further than it."""
    timelines = {each.schedule_id: cut(found[each.schedule_id], shown.since, shown.until) for each in calendars}
    of, _ = counted(viewer, shown)
    covers = []
    for team_id, group in groupby(calendars, key=lambda calendar: calendar.team_id):
        own = list(group)
        picture = draw_team(own, timelines, people, shown, viewer)
        gaps = [gaps_within(found[each.schedule_id], of.since, of.until) for each in own if each.uses]
        gap = sum(map(in_all, gaps), timedelta()) if gaps else None
        covers.append(TeamCover(team_id, own[0].team_name, own[0].is_mine, own, picture, timelines, gap))
    return covers


PAGES: tuple[Page, ...] = (
    Page("GET", "/on-call", show_on_call),
    Page("POST", "/on-call/cover", cover, Role.RESPONDER),
    Page("POST", "/on-call/cover/undo", undo, Role.RESPONDER),
)
