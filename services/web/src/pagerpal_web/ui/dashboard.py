"""Where somebody lands: what is open and who has it, who is on call, and whether PagerPal itself is well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pagerpal_common.oncall import Gap, Timeline
from pagerpal_common.vocabulary import Role
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from pagerpal_web.context import Context
from pagerpal_web.domain.coverage import HORIZON, standing
from pagerpal_web.domain.lacks import lacks
from pagerpal_web.domain.origins import HOME
from pagerpal_web.domain.picture import Stretch
from pagerpal_web.standing import list_standing
from pagerpal_web.storage.channels import find_unserved
from pagerpal_web.storage.dashboard import count_pages, find_setup, list_open, list_unplanned
from pagerpal_web.storage.glance import glance
from pagerpal_web.storage.membership import find_membership
from pagerpal_web.storage.schedule_people import Calendar, list_calendars
from pagerpal_web.storage.source_glance import SourceGlance, list_sources
from pagerpal_web.storage.system import count_parked_alerts
from pagerpal_web.ui.coverage import Loaded, load
from pagerpal_web.ui.html import render, render_part
from pagerpal_web.ui.pages import Page, Visit

LATELY = timedelta(days=1)

GAPS_SHOWN = 5

STEPS: tuple[tuple[str, str, str, str], ...] = (
    ("team", "Create a team", "/teams", "Alerts belong to a team, and so do the people who answer them."),
    ("phone", "Add a person with a phone number", "/users", "Without one nobody can be woken."),
    ("schedule", "Put somebody on call", "/schedules", "A schedule says who is on call when."),
    ("policy", "Create an escalation policy", "/escalation-policies", "It says who is paged first, and who next."),
    ("source", "Connect an alert source", "/alert-sources", "Each has a key and a URL of its own."),
    ("alert", "Send a test alert", "/alert-sources", "Better now than at 3 a.m."),
)
"""What the first page needs, in order: its name, what to do, where, and why."""


@dataclass(frozen=True)
class Covered:
    """A schedule, and how it stands."""

    schedule_id: int
    name: str
    team_id: int
    team: str
    user_id: int | None
    person: str | None
    """None while nobody is on call."""
    until: datetime | None
    """None when that is further ahead than was looked."""
    gaps: tuple[Gap, ...]
    """Those ahead. None of a schedule that no policy pages by: nobody misses anybody there."""
    is_used: bool


async def go_home(_ctx: Context, _visit: Visit) -> Response:
    """The address without a path."""
    return RedirectResponse(HOME, 303)


async def show_dashboard(ctx: Context, visit: Visit) -> Response:
    """The landing page."""
    values = {**await _open(ctx, visit), **await _watched(ctx, visit)}
    return await render(ctx, visit.visitor, "dashboard.html", glance=values["counts"], **values)


async def show_live(ctx: Context, visit: Visit) -> Response:
    """What of it changes with an incident, for htmx (API reference, "HTMX live dashboard partial")."""
    return render_part(ctx, visit.visitor, "_dashboard_live.html", **await _open(ctx, visit))


async def show_watched(ctx: Context, visit: Visit) -> Response:
    """What of it changes by itself, and slowly; apart, since it takes longest, and a storm changes nothing of it."""
    return render_part(ctx, visit.visitor, "_dashboard_watched_live.html", **await _watched(ctx, visit))


async def _open(ctx: Context, visit: Visit) -> dict[str, Any]:
    """What is open, the pages of late, and what is wrong."""
    async with ctx.db.begin() as tx:
        setup = await find_setup(tx)
        incidents = await list_open(tx)
        return {
            "counts": await glance(tx),
            "triggered": [one for one in incidents if one["status"] == "triggered"],
            "acknowledged": [one for one in incidents if one["status"] == "acknowledged"],
            "pages": await count_pages(tx, since=ctx.now() - LATELY),
            "unplanned": await list_unplanned(tx),
            "troubles": await _troubles(ctx, tx),
            "lacking": lacks(await find_unserved(tx)),
            "membership": await find_membership(tx, visit.me.user_id, visit.me.role),
            "steps": [(*step, setup[step[0]]) for step in STEPS],
            "has_alerts": setup["alert"],
            "is_set_up": all(setup.values()),
            "can_admin": visit.may(Role.ADMIN),
        }


async def _watched(ctx: Context, visit: Visit) -> dict[str, Any]:
    """Who is on call, where nobody will be, and how the sources do."""
    at = ctx.now()
    async with ctx.db.begin() as tx:
        calendars = await list_calendars(tx, visit.me.user_id)
        stretch = Stretch(at, at + HORIZON)
        loaded = await load(tx, [calendar.schedule_id for calendar in calendars], stretch)
        sources = await list_sources(tx, at=at)
    timelines = await loaded.timelines(stretch)
    covered = [_covered(each, timelines[each.schedule_id], loaded, at) for each in calendars]
    gaps = _in_order(covered)
    return {
        "teams": _by_team(covered),
        "gaps": gaps[:GAPS_SHOWN],
        "gap_count": len(gaps),
        "odd_sources": [source for source in sources if source.state != "ok"],
        "source_count": len(sources),
        "last_alert_at": _last(sources),
        "my_id": visit.me.user_id,
    }


def _covered(calendar: Calendar, timeline: Timeline, loaded: Loaded, at: datetime) -> Covered:
    its = standing(timeline, at)
    return Covered(
        schedule_id=calendar.schedule_id,
        name=calendar.name,
        team_id=calendar.team_id,
        team=calendar.team_name,
        user_id=its.holder,
        person=None if its.holder is None else loaded.people[its.holder].name,
        until=its.until,
        gaps=its.gaps if calendar.uses else (),
        is_used=calendar.uses > 0,
    )


def _in_order(covered: Sequence[Covered]) -> list[tuple[Covered, Gap]]:
    """The gaps of all of them, the next one first."""
    found = [(one, gap) for one in covered for gap in one.gaps]
    return sorted(found, key=lambda pair: (pair[1].starts_at, pair[0].schedule_id))


def _by_team(covered: Sequence[Covered]) -> list[tuple[str, list[Covered]]]:
    """The schedules of each team; those that no policy uses are nobody's business here."""
    teams: dict[int, tuple[str, list[Covered]]] = {}
    for one in covered:
        if one.is_used or one.person:
            teams.setdefault(one.team_id, (one.team, []))[1].append(one)
    return list(teams.values())


def _last(sources: Sequence[SourceGlance]) -> datetime | None:
    return max((source.last_alert_at for source in sources if source.last_alert_at), default=None)


async def _troubles(ctx: Context, tx: AsyncConnection) -> list[tuple[str, str]]:
    """What is wrong with PagerPal itself, and how it shows. The broker is not asked: that can take long."""
    jobs, _ = await list_standing(tx, ctx.now())
    found = [(str(job.name), job.reason or "") for job in jobs if not job.healthy]
    if parked := await count_parked_alerts(tx):
        found.append(("parked_alerts", f"{parked} could not be handled, and are kept for an operator"))
    if not ctx.bus.is_connected():
        found.append(("broker", "it cannot be reached: alerts are kept, actions are delayed"))
    return found


PAGES: tuple[Page, ...] = (
    Page("GET", "/", go_home, None),
    Page("GET", HOME, show_dashboard),
    Page("GET", "/dashboard/live", show_live),
    Page("GET", "/dashboard/watched", show_watched),
)
