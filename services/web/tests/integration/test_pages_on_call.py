"""Who is on call, on a page: what it shows to whom, and standing in for somebody."""

import asyncio
import re
from typing import Any

import pytest
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web.ui import cover as cover_module

from .browser import browse, text_of
from .conftest import ACCOUNTS, Web, in_step

ADMIN, RESPONDER, VIEWER = ACCOUNTS["admin"], ACCOUNTS["responder"], ACCOUNTS["viewer"]


async def a_schedule(web: Web, *members: int, timezone: str = "UTC") -> tuple[int, int]:
    """A team with these people, and its schedule."""
    team = await web.a_team()
    for member in members:
        await web.made(f"teams/{team['id']}/members", user_id=member)
    schedule = await web.made("schedules", team_id=team["id"], name="First line", timezone=timezone)
    return team["id"], schedule["id"]


async def an_entry(web: Web, schedule: int, user: int, starts_at: str, ends_at: str, **more: Any) -> int:
    made = await web.made(f"schedules/{schedule}/entries", user_id=user, starts_at=starts_at, ends_at=ends_at, **more)
    number: int = made["id"]
    return number


async def on_call(web: Web, team: int, at: str) -> list[int]:
    found = (await web("GET", f"/api/v1/teams/{team}/oncall?at={at}")).json()["oncall"]
    return [one["user_id"] for one in found]


def shift(schedule: int, user: int, starts_at: str, ends_at: str) -> dict[str, str]:
    return {"schedule_id": str(schedule), "user_id": str(user), "starts_at": starts_at, "ends_at": ends_at}


async def test_the_page_says_who_is_on_call_until_when_and_who_is_next(web: Web) -> None:
    cy = await web.a_user(name="Cy <b>Castro</b>")
    _, schedule = await a_schedule(web, RESPONDER, cy["id"])
    await an_entry(web, schedule, RESPONDER, "2026-05-21T06:00:00Z", "2026-05-21T18:00:00Z")
    await an_entry(web, schedule, cy["id"], "2026-05-21T18:00:00Z", "2026-05-22T06:00:00Z")

    page = (await (await browse(web, "responder")).get("/on-call")).text

    assert "<b>You</b>" in page
    assert re.search(r"until <time[^>]*>18:00</time>, <time[^>]*>in 6 h</time>", page)
    assert re.search(r"Then\s+Cy &lt;b&gt;Castro&lt;/b&gt;", page)
    assert "<b>Castro" not in page


async def test_the_picture_shows_me_gaps_and_overrides_and_the_list_says_the_same(web: Web) -> None:
    _, schedule = await a_schedule(web, RESPONDER)
    await an_entry(web, schedule, RESPONDER, "2026-05-21T06:00:00Z", "2026-05-23T18:00:00Z")
    await an_entry(web, schedule, ADMIN, "2026-05-22T06:00:00Z", "2026-05-22T18:00:00Z", is_override=True)

    page = (await (await browse(web, "responder")).get("/on-call")).text

    assert page.count('<g class="bar me">') == 2 + 1  # and the legend's
    assert page.count('<g class="bar override">') == 1 + 1
    assert 'fill="url(#rota-' in page
    assert "Gap: nobody is on call Sat 23 May 18:00 to Thu 4 Jun 00:00" in page
    assert "<title>admin: Fri 22 May 06:00 to Fri 22 May 18:00, by override</title>" in page
    assert page.count('<tr class="is-me">') == 2
    assert page.count('<tr class="is-gap">') == 2
    assert '<span class="badge warn">No policy</span>' in page
    assert "style=" not in page


async def test_times_are_the_viewers_and_the_schedules_zone_is_named(web: Web, rows: Rows) -> None:
    await rows("UPDATE directory.users SET timezone = 'Asia/Kolkata' WHERE id = :id", id=RESPONDER)
    _, schedule = await a_schedule(web, RESPONDER, timezone="Europe/Berlin")
    await an_entry(web, schedule, RESPONDER, "2026-05-21T06:00:00Z", "2026-05-21T18:00:00Z")

    page = (await (await browse(web, "responder")).get("/on-call")).text

    assert "Times are yours: Asia/Kolkata" in page
    assert "First line, kept in Europe/Berlin" in page
    assert "You: Thu 21 May 11:30 to Thu 21 May 23:30, by entry" in page


async def test_clocks_that_change_are_marked_and_said_in_words(web: Web, clock: Clock) -> None:
    clock.at = clock.at.replace(month=10)
    await a_schedule(web, RESPONDER, timezone="Europe/Berlin")
    browser = await browse(web, "responder")

    page = (await browser.get("/on-call")).text
    later = (await browser.get("/on-call?from=2027-03-20")).text

    said = "Clocks in Europe/Berlin go back by 1 h on Sun 25 Oct at 03:00 (Sun 25 Oct 01:00 UTC): that day is longer"
    assert said in page
    assert ">clocks -1 h</text>" in page
    assert "go forward by 1 h on Sun 28 Mar at 02:00" in later
    assert ">clocks +1 h</text>" in later


async def test_the_fortnight_is_picked_by_the_address_and_nonsense_is_today(web: Web) -> None:
    await a_schedule(web)
    browser = await browse(web, "viewer")

    assert "1 Jun 2026 to 14 Jun 2026" in (await browser.get("/on-call?from=2026-06-01")).text
    for nonsense in ("", "9999-12-31", "x", "0001-01-01", "2026-13-01"):
        assert "21 May 2026 to 3 Jun 2026" in (await browser.get(f"/on-call?from={nonsense}&team=x")).text


async def test_teams_without_a_schedule_are_named_and_one_team_can_be_picked(web: Web) -> None:
    team, _ = await a_schedule(web)
    await web.made("teams", name="Payments")
    browser = await browse(web, "viewer")

    assert "Without a schedule: Payments." in (await browser.get("/on-call")).text
    assert "Without a schedule" not in (await browser.get(f"/on-call?team={team}")).text


async def test_with_many_teams_ones_own_are_drawn_and_the_others_are_a_click_away(web: Web) -> None:
    teams = [(await a_schedule(web))[0] for _ in range(14)]
    mine, _ = await a_schedule(web, RESPONDER)
    browser = await browse(web, "responder")

    page = (await browser.get("/on-call")).text

    drawn = [int(number) for number in re.findall(r'id="rota-(\d+)-title"', page)]
    assert len(drawn) == 12
    assert drawn[0] == mine
    beyond = [int(number) for number in re.findall(r'href="/on-call\?team=(\d+)&amp;from', page)]
    assert sorted(drawn + beyond) == [*teams, mine]
    assert page.count("Gap: nobody is on call</span>") == 15
    assert f'id="rota-{beyond[0]}-title"' in (await browser.get(f"/on-call?team={beyond[0]}")).text


async def test_a_responder_hands_their_shift_to_a_colleague_and_it_is_in_the_audit_log(web: Web) -> None:
    cy = await web.a_user(name="Cy")
    team, schedule = await a_schedule(web, RESPONDER, cy["id"])
    await an_entry(web, schedule, RESPONDER, "2026-05-21T06:00:00Z", "2026-05-21T18:00:00Z")
    browser = await browse(web, "responder")

    times = ("2026-05-21T06:00:00+00:00", "2026-05-21T18:00:00+00:00")
    done = await browser.post("/on-call/cover", **shift(schedule, cy["id"], *times))

    assert (done.status_code, done.headers["location"]) == (303, "/on-call")
    said = "Cy is on call on First line from Thu 21 May 12:00 to Thu 21 May 18:00."
    assert said in (await browser.get("/on-call")).text
    assert await on_call(web, team, "2026-05-21T12:00:00Z") == [cy["id"]]
    assert await on_call(web, team, "2026-05-21T11:59:59Z") == [RESPONDER]  # what is over stays as it was
    (event,) = await web.audit(f"&actor_user_id={RESPONDER}&action=created")
    assert event["target_kind"] == "schedule_entry"
    assert event["after"]["user_id"] == cy["id"]
    assert event["after"]["is_override"] is True


async def test_a_responder_takes_a_colleagues_shift_or_a_gap(web: Web) -> None:
    team, schedule = await a_schedule(web, RESPONDER)
    await an_entry(web, schedule, ADMIN, "2026-05-21T06:00:00Z", "2026-05-21T18:00:00Z")
    browser = await browse(web, "responder")

    times = ("2026-05-21T12:00:00Z", "2026-05-22T00:00:00Z")
    done = await browser.post("/on-call/cover", **shift(schedule, RESPONDER, *times))

    assert done.status_code == 303
    assert await on_call(web, team, "2026-05-21T13:00:00Z") == [RESPONDER]
    assert await on_call(web, team, "2026-05-21T23:00:00Z") == [RESPONDER]


@pytest.mark.parametrize(
    ("who", "stand_in", "times", "status", "why"),
    [
        ("responder", "cy", ("2026-05-21T20:00:00Z", "2026-05-21T22:00:00Z"), 403, "only a time for which you are"),
        ("responder", "cy", ("2026-05-21T12:00:00Z", "2026-05-21T20:00:00Z"), 403, "from its start to its end"),
        ("responder", VIEWER, ("2026-05-21T12:00:00Z", "2026-05-21T18:00:00Z"), 400, "Only active responders"),
        ("responder", ACCOUNTS["deactivated"], ("2026-05-21T12:00:00Z", "2026-05-21T18:00:00Z"), 400, "Only active"),
        ("responder", 999, ("2026-05-21T12:00:00Z", "2026-05-21T18:00:00Z"), 400, "Only active"),
        ("responder", RESPONDER, ("2026-05-21T12:00:00Z", "2026-05-21T18:00:00Z"), 400, "Nothing would change"),
        ("responder", "cy", ("2026-05-21T06:00:00Z", "2026-05-21T11:00:00Z"), 400, "This time is over"),
        ("responder", "cy", ("2026-05-21T18:00:00Z", "2026-05-21T12:00:00Z"), 400, "This time is over"),
        ("responder", RESPONDER, ("2026-05-21T12:00:00Z", "2026-06-21T12:00:01Z"), 400, "at most 31 days"),
        ("responder", "cy", ("yesterday", "2026-05-21T18:00:00Z"), 422, "These are no times"),
        ("responder", "cy", ("2026-05-21T12:00", "2026-05-21T18:00"), 422, "These are no times"),
        ("responder", "cy", ("0001-01-01T00:00:00+14:00", "2026-05-21T18:00:00Z"), 422, "These are no times"),
        ("responder", "x", ("2026-05-21T12:00:00Z", "2026-05-21T18:00:00Z"), 422, "Not saved: check the marked fields"),
        ("admin", "cy", ("2026-05-21T12:00:00Z", "2026-05-21T18:00:00Z"), 403, "only a time for which you are"),
        ("viewer", "cy", ("2026-05-21T12:00:00Z", "2026-05-21T18:00:00Z"), 403, "needs the role responder"),
    ],
)
async def test_a_cover_that_is_not_ones_own_is_refused_and_nothing_changes(
    web: Web, rows: Rows, who: str, stand_in: Any, times: tuple[str, str], status: int, why: str
) -> None:
    cy = await web.a_user(name="Cy")
    _, schedule = await a_schedule(web, RESPONDER, cy["id"], VIEWER)
    await an_entry(web, schedule, RESPONDER, "2026-05-21T06:00:00Z", "2026-05-21T18:00:00Z")
    browser = await browse(web, who)

    user = cy["id"] if stand_in == "cy" else stand_in
    refused = await browser.post("/on-call/cover", **shift(schedule, user, *times))

    assert refused.status_code == status
    assert why in refused.text
    assert await rows("SELECT count(*) AS number FROM directory.schedule_entries") == [{"number": 1}]


@pytest.mark.parametrize("schedule", ["999", "x", "", "9" * 30, "²"])
async def test_a_cover_of_no_schedule_is_not_found(web: Web, schedule: str) -> None:
    browser = await browse(web, "responder")
    fields = {**shift(1, RESPONDER, "2026-05-21T12:00:00Z", "2026-05-21T18:00:00Z"), "schedule_id": schedule}

    assert (await browser.post("/on-call/cover", **fields)).status_code == 404


async def test_of_two_who_hand_over_the_same_shift_one_is_told_that_it_is_theirs_no_more(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    cy, dee = await web.a_user(name="Cy"), await web.a_user(name="Dee")
    _, schedule = await a_schedule(web, RESPONDER, cy["id"], dee["id"])
    await an_entry(web, schedule, RESPONDER, "2026-05-21T06:00:00Z", "2026-05-21T18:00:00Z")
    first, second = await browse(web, "responder"), await browse(web, "responder")
    in_step(monkeypatch, cover_module, "create_entry")

    times = ("2026-05-21T12:00:00Z", "2026-05-21T18:00:00Z")
    answers = await asyncio.gather(
        first.post("/on-call/cover", **shift(schedule, cy["id"], *times)),
        second.post("/on-call/cover", **shift(schedule, dee["id"], *times)),
    )

    assert sorted(answer.status_code for answer in answers) == [303, 403]


async def test_a_viewer_sees_no_buttons_and_a_responder_those_of_their_own_shifts(web: Web) -> None:
    cy = await web.a_user(name="Cy")
    _, schedule = await a_schedule(web, RESPONDER, cy["id"])
    await an_entry(web, schedule, RESPONDER, "2026-05-21T06:00:00Z", "2026-05-21T18:00:00Z")
    await an_entry(web, schedule, RESPONDER, "2026-05-23T06:00:00Z", "2026-05-23T18:00:00Z")

    own = (await (await browse(web, "responder")).get("/on-call")).text
    seen = (await (await browse(web, "viewer")).get("/on-call")).text

    assert own.count("Cover for me</summary>") == 2
    button = rf'<button[^>]* value="{cy["id"]}"><span class="cut">Put Cy on call</span><span class="small">now to <time'
    assert re.search(rf"{button}[^>]*>18:00</time></span></button>", own)
    assert re.search(
        r">Put Cy on call</span><span[^>]*><time[^>]*>Sat 23 May 06:00</time> to <time[^>]*>Sat 23 May", own
    )
    assert "I&#39;ll cover" in own or "I'll cover" in own
    assert "cover</summary>" not in seen
    assert "Cover for me" not in seen


async def test_without_any_schedule_the_page_says_what_one_is_for(web: Web) -> None:
    assert "No schedule yet" in (await (await browse(web, "viewer")).get("/on-call")).text


async def test_gaps_ahead_are_the_same_on_every_page_and_other_weeks_have_their_own(web: Web) -> None:
    """A gap reaches beyond the midnight at which the picture ends; and there is a schedule that no policy uses."""
    team, used = await a_schedule(web, RESPONDER)
    await web.made("schedules", team_id=team, name="Nobody's", timezone="UTC")
    await paged_by(web, team, used)
    await an_entry(web, used, RESPONDER, "2026-05-21T06:00:00Z", "2026-06-01T18:00:00Z")
    await an_entry(web, used, RESPONDER, "2026-06-01T20:00:00Z", "2026-06-03T18:00:00Z")
    browser = await browse(web, "responder")
    pages = {path: text_of(await browser.get(path)) for path in ("/on-call", f"/schedules/{used}", "/schedules")}
    dashboard = text_of(await browser.get("/dashboard"))

    assert "Gaps in the next 14 days 2 " in dashboard
    assert "Mon 1 Jun 20:00 (2 h)" in dashboard
    assert "Thu 4 Jun 12:00 (18 h)" in dashboard
    assert "Gaps in the next 14 days: 20 h in all" in pages["/on-call"]
    assert "Gaps in the next 14 days: 20 h in all" in pages[f"/schedules/{used}"]
    assert "Gaps: 20 h" in pages["/schedules"]
    for path in ("/on-call", f"/schedules/{used}"):
        assert "Gaps in these two weeks: 1 d 8 h in all" in text_of(await browser.get(f"{path}?from=2026-05-22"))
        assert "Gaps in these two weeks: 14 d in all" in text_of(await browser.get(f"{path}?from=2026-06-08"))


async def test_a_team_whose_schedules_no_policy_uses_misses_nobody(web: Web) -> None:
    await a_schedule(web, RESPONDER)
    browser = await browse(web, "responder")

    page, dashboard = text_of(await browser.get("/on-call")), text_of(await browser.get("/dashboard"))

    assert "Gaps in" not in page
    assert "No policy" in page
    assert "(14 d)" not in dashboard


async def paged_by(web: Web, team: int, schedule: int) -> None:
    policy = await web.made("escalation-policies", team_id=team, name="Default")
    levels = f"escalation-policies/{policy['id']}/levels"
    level = await web.made(levels, level_number=1, timeout_minutes=5)
    await web.made(f"{levels}/{level['id']}/assignees", assignee_type="schedule", schedule_id=schedule)
