"""Calendar feeds: a secret address each, shown once, renewed and revoked; what they say, and what is never logged."""

import re
from datetime import UTC, datetime
from typing import Any

import icalendar
import pytest
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from structlog.testing import capture_logs

from .browser import Browser, browse
from .conftest import Web
from .test_pages_on_call import ADMIN, RESPONDER, a_schedule, an_entry

Shift = tuple[str, datetime, datetime]


async def a_feed(browser: Browser, **fields: str) -> str:
    """A new feed's path."""
    page = await browser.post("/on-call/calendars/renew", **fields)
    assert page.status_code == 200
    address = re.search(r"http://pagerpal(/calendar/[A-Za-z0-9_-]{43}\.ics)<", page.text)
    assert address is not None
    return address[1]


async def shifts(browser: Browser, path: str) -> list[Shift]:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    events: list[Any] = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    return [(str(event["SUMMARY"]), event["DTSTART"].dt, event["DTEND"].dt) for event in events]


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2026, 5, number, hour, tzinfo=UTC)


async def test_ones_own_shifts_are_in_ones_calendar_without_a_login(web: Web) -> None:
    _, schedule = await a_schedule(web, RESPONDER)
    await an_entry(web, schedule, RESPONDER, "2026-05-22T00:00:00Z", "2026-05-24T00:00:00Z")
    await an_entry(web, schedule, ADMIN, "2026-05-23T00:00:00Z", "2026-05-24T00:00:00Z", is_override=True)
    await an_entry(web, schedule, ADMIN, "2026-05-24T00:00:00Z", "2026-05-25T00:00:00Z")
    path = await a_feed(await browse(web, "responder"))

    stranger = Browser(web)
    answer = await stranger.get(path)

    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, max-age=900"
    assert await shifts(stranger, path) == [("On call: First line", day(22), day(23))]
    assert b"X-WR-CALNAME:On call: responder\r\n" in answer.content


async def test_a_schedules_calendar_names_everybody_and_the_gaps(web: Web) -> None:
    _, schedule = await a_schedule(web, RESPONDER)
    await an_entry(web, schedule, RESPONDER, "2026-04-01T00:00:00Z", "2026-05-22T00:00:00Z")
    await an_entry(web, schedule, ADMIN, "2026-05-23T00:00:00Z", "2026-08-01T00:00:00Z")
    browser = await browse(web, "viewer")

    found = await shifts(browser, await a_feed(browser, schedule_id=str(schedule)))

    assert found == [
        ("responder: on call, First line", day(7), day(22)),
        ("Gap: nobody is on call, First line", day(22), day(23)),
        ("admin: on call, First line", day(23), datetime(2026, 7, 16, tzinfo=UTC)),
    ]


async def test_an_event_keeps_its_uid_as_time_goes_on(web: Web, clock: Clock) -> None:
    _, schedule = await a_schedule(web, RESPONDER)
    turns = {"user_ids": [RESPONDER, ADMIN], "kind": "weekly", "handoff_at": "2026-05-04T09:00:00"}
    await web.made(f"schedules/{schedule}/rotations", name="Weeks", **turns)
    browser = await browse(web, "responder")
    path = await a_feed(browser)

    async def uids() -> dict[datetime, str]:
        events: list[Any] = icalendar.Calendar.from_ical((await browser.get(path)).content).walk("VEVENT")
        return {event["DTEND"].dt: str(event["UID"]) for event in events}

    first = await uids()
    clock.advance(hours=3)
    assert await uids() == first
    clock.advance(days=12)  # to 2 June: what began before 19 May is cut there now, and is told by its end
    later = await uids()

    assert later[day(25, 9)] == first[day(25, 9)].replace("20260518T090000Z", "to-20260525T090000Z")
    whole = [end for end in first if day(25, 9) < end < max(first)]
    assert len(whole) >= 3
    assert {end: later[end] for end in whole} == {end: first[end] for end in whole}
    assert len(set(later.values())) == len(later)


async def test_a_secret_is_shown_once_kept_as_its_digest_and_in_no_log_or_audit(web: Web, rows: Rows) -> None:
    browser = await browse(web, "responder")

    with capture_logs() as logged:
        path = await a_feed(browser)
        await browser.get(path)
        gone = await browser.get(path.replace("calendar/", "calendar/A"))
        strange = await browser.get("/calendar/" + "A" * 43 + ".ics")
    secret = path.split("/")[-1].removesuffix(".ics")

    assert gone.status_code == strange.status_code == 404
    assert secret not in (await browser.get("/on-call/calendars")).text
    assert secret not in str(logged)
    assert [line["path"] for line in logged if line.get("status") == 404] == ["/calendar/…", "/calendar/…"]
    (row,) = await rows("SELECT * FROM directory.calendar_feeds")
    assert secret.encode() not in row["secret_hash"]
    assert len(row["secret_hash"]) == 32
    events = await web.audit("&target_kind=calendar_feed")
    assert [(event["action"], event["actor_user_id"]) for event in events] == [("created", RESPONDER)]
    assert secret not in str(events)


async def test_a_new_address_ends_the_one_before_and_revoking_ends_it_all(web: Web) -> None:
    browser = await browse(web, "responder")
    first = await a_feed(browser)

    second = await a_feed(browser)

    assert first != second
    assert [(await browser.get(path)).status_code for path in (first, second)] == [404, 200]
    page = (await browser.get("/on-call/calendars")).text
    (feed,) = set(re.findall(r"/on-call/calendars/(\d+)/revoke", page))

    others = await (await browse(web, "admin")).post(f"/on-call/calendars/{feed}/revoke")
    assert others.status_code == 404
    assert (await browser.get(second)).status_code == 200
    assert (await browser.post(f"/on-call/calendars/{feed}/revoke")).status_code == 303
    assert (await browser.get(second)).status_code == 404
    events = await web.audit("&target_kind=calendar_feed")
    assert [event["action"] for event in events] == ["deleted", "changed", "created"]


async def test_a_feed_ends_with_the_account_and_with_the_schedule(web: Web, rows: Rows) -> None:
    _, schedule = await a_schedule(web, RESPONDER)
    browser = await browse(web, "responder")
    own, of_schedule = await a_feed(browser), await a_feed(browser, schedule_id=str(schedule))

    await web("DELETE", f"/api/v1/users/{RESPONDER}")
    assert [(await browser.get(path)).status_code for path in (own, of_schedule)] == [404, 404]
    assert await rows("SELECT id FROM directory.calendar_feeds") == []  # nor do they come back with the account

    other = await browse(web, "viewer")
    own, of_schedule = await a_feed(other), await a_feed(other, schedule_id=str(schedule))
    await web("DELETE", f"/api/v1/schedules/{schedule}")
    assert [(await other.get(path)).status_code for path in (own, of_schedule)] == [200, 404]


async def test_a_feed_of_somebody_who_is_not_active_is_not_found_whatever_else_is_there(web: Web, rows: Rows) -> None:
    browser = await browse(web, "responder")
    path = await a_feed(browser)

    await rows("UPDATE directory.users SET is_active = false WHERE id = :id", id=RESPONDER)

    assert (await browser.get(path)).status_code == 404


@pytest.mark.parametrize("schedule", ["999", "x"])
async def test_there_is_no_feed_of_a_schedule_that_is_not_there(web: Web, schedule: str) -> None:
    browser = await browse(web, "viewer")

    assert (await browser.post("/on-call/calendars/renew", schedule_id=schedule)).status_code == 404


@pytest.mark.parametrize("path", ["x.ics", "%00.ics", "A" * 5000 + ".ics", "é.ics", "A" * 43])
async def test_what_is_no_secret_is_not_found(web: Web, path: str) -> None:
    assert (await Browser(web).get(f"/calendar/{path}")).status_code == 404


async def test_whoever_has_no_feed_is_offered_one(web: Web) -> None:
    page = (await (await browse(web, "viewer")).get("/on-call/calendars")).text

    assert "None yet." in page
    assert "Feed of my shifts" in page
