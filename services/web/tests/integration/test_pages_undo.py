"""An override that was a slip is taken back where it was made: that one and no other, by whoever made it."""

import asyncio
import re
from datetime import timedelta

import pytest
from pagerpal_common.testing.clock import Clock
from pagerpal_web.ui import cover as cover_module

from .browser import Browser, browse, text_of
from .conftest import ACCOUNTS, Web, in_step
from .test_pages_on_call import a_schedule, an_entry, on_call, shift

ADMIN, RESPONDER = ACCOUNTS["admin"], ACCOUNTS["responder"]

NOON, EVENING = "2026-05-21T12:00:00Z", "2026-05-21T18:00:00Z"
UNDO = re.compile(
    r'name="schedule_id" value="(\d+)"><button class="button" name="entry_id" value="(\d+)">Undo</button>'
)


async def a_slip(web: Web) -> tuple[int, int, int]:
    """Cy is put on call instead of the responder, whose shift it is: the team, the schedule and Cy."""
    cy = await web.a_user(name="Cy")
    team, schedule = await a_schedule(web, RESPONDER, cy["id"])
    await an_entry(web, schedule, RESPONDER, "2026-05-21T06:00:00Z", EVENING)
    browser = await browse(web, "responder")
    assert (await browser.post("/on-call/cover", **shift(schedule, cy["id"], NOON, EVENING))).status_code == 303
    return team, schedule, cy["id"]


async def the_undo(browser: Browser, path: str = "/on-call") -> dict[str, str]:
    """The fields of the one Undo on a page."""
    ((schedule, entry),) = UNDO.findall((await browser.get(path)).text)
    return {"schedule_id": schedule, "entry_id": entry}


async def test_undo_removes_exactly_the_override_that_was_made(web: Web) -> None:
    team, schedule, cy = await a_slip(web)
    await an_entry(web, schedule, cy, "2026-05-22T06:00:00Z", "2026-05-22T18:00:00Z", is_override=True)
    browser = await browse(web, "responder")
    assert await on_call(web, team, NOON) == [cy]

    said = await browser.done("/on-call/cover/undo", await the_undo(browser))

    assert "Undone. The override of Cy on First line from Thu 21 May 12:00 to Thu 21 May 18:00 is removed." in said
    assert "Undo " not in said
    assert await on_call(web, team, NOON) == [RESPONDER]
    assert await on_call(web, team, "2026-05-22T12:00:00Z") == [cy]
    (event,) = await web.audit(f"&actor_user_id={RESPONDER}&action=deleted")
    assert event["before"]["user_id"] == cy


async def test_it_stands_on_the_row_of_the_override_too(web: Web) -> None:
    _, schedule, _ = await a_slip(web)
    browser = await browse(web, "responder")

    assert await the_undo(browser, f"/schedules/{schedule}") == await the_undo(browser)


@pytest.mark.parametrize(("who", "first"), [("admin", "Admin"), ("responder", "You")])
async def test_of_two_the_second_is_told_who_was_first(web: Web, clock: Clock, who: str, first: str) -> None:
    _, schedule, _ = await a_slip(web)
    browser = await browse(web, "responder")
    fields = await the_undo(browser)
    if who == "admin":
        path = f"/api/v1/schedules/{schedule}/entries/{fields['entry_id']}"
        assert (await web("DELETE", path)).status_code == 204
    else:
        assert (await browser.post("/on-call/cover/undo", fields)).status_code == 303
    clock.at += timedelta(seconds=4)

    late = await browser.post("/on-call/cover/undo", fields)

    assert late.status_code == 409
    did = "removed this override 4 s before you" if who == "admin" else "had removed this override already"
    assert f"{first.lower()} {did}. nothing was changed." in text_of(late).lower()


async def test_of_two_clicks_at_once_one_does_it_and_the_other_is_told(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_slip(web)
    browser = await browse(web, "responder")
    fields = await the_undo(browser)
    in_step(monkeypatch, cover_module, "delete_entry")

    answers = await asyncio.gather(*(browser.post("/on-call/cover/undo", fields) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [303, 409]


async def test_what_was_changed_since_is_not_what_was_made(web: Web) -> None:
    _, schedule, _ = await a_slip(web)
    browser = await browse(web, "responder")
    fields = await the_undo(browser)
    changed = await web("PATCH", f"/api/v1/schedules/{schedule}/entries/{fields['entry_id']}", {"user_id": ADMIN})
    assert changed.status_code == 200

    refused = await browser.post("/on-call/cover/undo", fields)

    assert refused.status_code == 409
    assert "changed this override" in text_of(refused)
    assert not UNDO.search((await browser.get("/on-call")).text)


async def test_others_see_no_undo_and_may_not(web: Web) -> None:
    team, _, cy = await a_slip(web)
    fields = await the_undo(await browse(web, "responder"))
    admin, viewer = await browse(web, "admin"), await browse(web, "viewer")

    assert not UNDO.search((await admin.get("/on-call")).text)
    assert not UNDO.search((await viewer.get("/on-call")).text)
    assert (await admin.post("/on-call/cover/undo", fields)).status_code == 403
    assert (await viewer.post("/on-call/cover/undo", fields)).status_code == 403
    token_of_nobody = {**fields, "csrf": "0" * 64}
    assert (await (await browse(web, "responder")).send("/on-call/cover/undo", token_of_nobody)).status_code == 403
    assert await on_call(web, team, NOON) == [cy]


async def test_after_ten_minutes_others_rely_on_it(web: Web, clock: Clock) -> None:
    team, _, cy = await a_slip(web)
    browser = await browse(web, "responder")
    fields = await the_undo(browser)
    clock.at += timedelta(minutes=10, seconds=1)

    late = await browser.post("/on-call/cover/undo", fields)

    assert late.status_code == 403
    assert "an override can be undone for 10 minutes" in text_of(late).lower()
    assert not UNDO.search((await browser.get("/on-call")).text)
    assert await on_call(web, team, NOON) == [cy]


async def test_an_entry_that_is_no_override_stays(web: Web) -> None:
    _, schedule = await a_schedule(web, RESPONDER)
    entry = await an_entry(web, schedule, RESPONDER, NOON, EVENING)
    admin = await browse(web, "admin")

    refused = await admin.post("/on-call/cover/undo", schedule_id=schedule, entry_id=entry)

    assert refused.status_code == 403


@pytest.mark.parametrize("number", ["999", "x", "", "9" * 30])
async def test_nothing_is_undone_where_there_is_nothing(web: Web, number: str) -> None:
    _, schedule = await a_schedule(web, RESPONDER)
    browser = await browse(web, "responder")

    of_no_schedule = await browser.post("/on-call/cover/undo", schedule_id=number, entry_id="1")
    of_no_entry = await browser.post("/on-call/cover/undo", schedule_id=schedule, entry_id=number)

    assert (of_no_schedule.status_code, of_no_entry.status_code) == (404, 403)
