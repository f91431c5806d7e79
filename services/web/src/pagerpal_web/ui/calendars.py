"""Shifts in one's own calendar program: feeds at secret addresses, shown once, renewed and revoked here.

Whoever knows an address reads the feed, without a login: calendar programs have none. So it is as good as a password:
256 random bits, kept as their SHA-256, found by that digest alone, and never logged (`http/guard.py`).
"""

import hashlib
import re
import secrets
from collections.abc import Mapping

from pagerpal_common.errors import NotFound, Refusal
from pagerpal_common.http import Call, Endpoint
from pagerpal_common.http.guard import CALENDARS
from starlette.responses import Response

from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.domain.feed import all_shifts, own_shifts, window
from pagerpal_web.domain.icalendar import CalendarEvent, calendar
from pagerpal_web.domain.picture import Stretch
from pagerpal_web.domain.shown import plain
from pagerpal_web.storage.calendar_feeds import (
    Feed,
    delete_feed,
    find_feed,
    list_feeds,
    list_rotation_names,
    save_feed,
    schedules_naming,
)
from pagerpal_web.storage.resources import get_row
from pagerpal_web.storage.schedule_people import list_calendars
from pagerpal_web.storage.schedules import SCHEDULES
from pagerpal_web.ui.coverage import Loaded, load
from pagerpal_web.ui.forms import problems
from pagerpal_web.ui.html import redirect, render, status_of
from pagerpal_web.ui.oncall import read_number
from pagerpal_web.ui.pages import Page, Visit, not_found

SECRET_BYTES = 32

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
"""As `secrets.token_urlsafe` writes so many bytes."""

NO_CALENDAR = "there is no such calendar"

HEADERS: Mapping[str, str] = {
    "Cache-Control": "private, max-age=900",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Disposition": 'inline; filename="pagerpal.ics"',
}


async def send_calendar(ctx: Context, call: Call[None]) -> Response:
    """A feed, as it is now. Raises NotFound when nothing, or nothing any more, has this secret."""
    secret = call.request.path_params["secret"]
    if not _SECRET.fullmatch(secret):
        raise NotFound(NO_CALENDAR)
    stretch = Stretch(*window(ctx.now()))
    async with ctx.db.begin() as tx:
        feed = await find_feed(tx, _digest(secret))
        if feed is None:
            raise NotFound(NO_CALENDAR)
        its_own = await schedules_naming(tx, feed.user_id) if feed.schedule_id is None else [feed.schedule_id]
        loaded = await load(tx, its_own, stretch)
        rotations = await list_rotation_names(tx, its_own)
    events = await _events(ctx, feed, loaded, rotations, stretch)
    of = feed.user_name if feed.schedule_id is None else feed.schedule_name
    content = calendar(f"On call: {plain(of or '', '(no name)')}", events, written_at=ctx.now())
    return Response(content, headers=HEADERS, media_type="text/calendar; charset=utf-8")


async def _events(
    ctx: Context, feed: Feed, loaded: Loaded, rotations: Mapping[int, str], stretch: Stretch
) -> list[CalendarEvent]:
    events: list[CalendarEvent] = []
    names = {user: person.name for user, person in loaded.people.items()}
    for number, its in (await loaded.timelines(stretch)).items():
        name = loaded.rosters[number].name
        public_url = ctx.settings.public_url
        url = None if public_url is None else f"{public_url}/schedules/{number}"
        if feed.schedule_id is None:
            events += own_shifts(number, name, its, feed.user_id, rotations, url)
        else:
            events += all_shifts(number, name, its, names, rotations, url)
    return sorted(events, key=lambda event: (event.starts_at, event.uid))


async def show_calendars(ctx: Context, visit: Visit) -> Response:
    """Whoever looks sees their own feeds, without their addresses."""
    return await _show(ctx, visit)


async def renew_calendar(ctx: Context, visit: Visit) -> Response:
    """Make a feed, or give it another address; it is shown now and never again."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    schedule_id = read_number(visit, "schedule_id") if visit.form.text("schedule_id") else None
    try:
        async with ctx.db.begin() as tx:
            if schedule_id is not None:
                await get_row(tx, SCHEDULES, {"schedule_id": schedule_id})
            by = author_of(ctx, visit.call())
            made = await save_feed(tx, by, schedule_id=schedule_id, secret_hash=_digest(secret))
    except Refusal as refused:
        return await _show(ctx, visit, refused=refused)
    # A browser says where its form came from, and `check_origin` has seen that it is here.
    base = ctx.settings.public_url or visit.request.headers.get("origin", "")
    return await _show(ctx, visit, made=made, address=f"{base}{CALENDARS}{secret}.ics")


async def revoke_calendar(ctx: Context, visit: Visit) -> Response:
    """End one of one's own feeds."""
    async with ctx.db.begin() as tx:
        is_gone = await delete_feed(tx, author_of(ctx, visit.call()), visit.ids["feed_id"])
    if not is_gone:
        raise not_found("calendar feed")
    return redirect(ctx, "/on-call/calendars", "Calendar feed revoked. Its address no longer works.")


async def _show(
    ctx: Context, visit: Visit, *, refused: Refusal | None = None, made: int | None = None, address: str = ""
) -> Response:
    async with ctx.db.begin() as tx:
        feeds = await list_feeds(tx, visit.me.user_id)
        calendars = await list_calendars(tx, visit.me.user_id)
    have = {feed.schedule_id for feed in feeds}
    values = {
        "feeds": feeds,
        "has_own": None in have,
        "choices": [
            (each.schedule_id, f"{plain(each.name)}, {plain(each.team_name)}")
            for each in calendars
            if each.schedule_id not in have
        ],
        "made": made,
        "address": address,
        "problems": {} if refused is None else problems(refused),
    }
    return await render(ctx, visit.visitor, "calendars.html", status=status_of(refused), **values)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", CALENDARS + "{secret}.ics", send_calendar, None, gives=Response, refuses=(404,)),
)

PAGES: tuple[Page, ...] = (
    Page("GET", "/on-call/calendars", show_calendars),
    Page("POST", "/on-call/calendars/renew", renew_calendar),
    Page("GET", "/on-call/calendars/renew", show_calendars),
    Page("POST", "/on-call/calendars/{feed_id:int}/revoke", revoke_calendar),
)
"""The page with a new address is what the form answers with; opened again it is the list, without it."""
