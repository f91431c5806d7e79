"""The dashboard: without a browser, by what it says."""

from datetime import timedelta
from typing import Any

from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows

from .browser import browse
from .conftest import T0, Broker, Web
from .test_incidents import insert_incident


async def a_schedule(web: Web, team: Any, *, is_used: bool = True) -> Any:
    schedule = await web.made("schedules", team_id=team["id"], name="First line")
    if is_used:
        policy = await web.made("escalation-policies", team_id=team["id"], name="Default")
        levels = f"escalation-policies/{policy['id']}/levels"
        level = await web.made(levels, level_number=1, timeout_minutes=5)
        await web.made(f"{levels}/{level['id']}/assignees", assignee_type="schedule", schedule_id=schedule["id"])
    return schedule


async def text_of(web: Web, who: str = "admin") -> str:
    response = await (await browse(web, who)).get("/dashboard")
    assert response.status_code == 200
    return " ".join(response.text.split())


async def test_what_is_missing_before_the_first_page_is_listed_and_goes_away(web: Web, rows: Rows) -> None:
    at_first = await text_of(web)
    to_others = await text_of(web, "viewer")
    team = await web.a_team()
    user = await web.a_user(phone="+491701234567")
    schedule = await a_schedule(web, team)
    await web.made(f"schedules/{schedule['id']}/entries", user_id=user["id"],
                   starts_at="2026-05-21T00:00:00Z", ends_at="2026-06-21T00:00:00Z")  # fmt: skip
    await web.made("alert-sources", team_id=team["id"], name="Prod", source_type="generic")
    before_the_test = await text_of(web)
    await insert_incident(rows)

    assert "0 of 6 done" in at_first
    assert '<a href="/teams">Create a team</a>' in at_first
    assert '<a href="/teams">Create a team</a>' not in to_others
    assert "An admin can do this." in to_others
    assert "5 of 6 done" in before_the_test
    assert "Set up PagerPal" not in await text_of(web)


async def test_the_most_severe_comes_first_and_of_those_the_oldest(web: Web, rows: Rows) -> None:
    for number, severity in enumerate(["info", "critical", "warning", "critical"]):
        await insert_incident(rows, external_id=str(number), severity=severity, title=f"Title {number}")
    await insert_incident(rows, external_id="9", status="acknowledged", title="Title 9", acknowledged_at=T0)
    await insert_incident(rows, external_id="10", status="resolved", title="Title 10", resolved_at=T0)

    page = await text_of(web)

    assert sorted(range(4), key=lambda number: page.index(f"Title {number}<")) == [1, 3, 2, 0]
    assert page.index("Title 9<") > page.index(">Acknowledged<")
    assert "Title 10<" not in page
    assert '<b>4</b> triggered<span class="more">, 2 critical</span>' in page


async def test_a_storm_shows_ten_and_says_how_many_there_are(web: Web, rows: Rows) -> None:
    for number in range(12):
        await insert_incident(rows, external_id=str(number), title=f"Title {number}")
    page = await text_of(web)
    assert [f"Title {number}<" in page for number in range(12)] == [True] * 10 + [False] * 2
    assert ">All 12</a>" in page


async def test_who_is_on_call_until_when_and_which_gaps_are_ahead(web: Web) -> None:
    team, user = await web.a_team(), await web.a_user(name="Bo Berg", phone="+491701234567")
    schedule = await a_schedule(web, team)
    entries = f"schedules/{schedule['id']}/entries"
    for starts, ends in (("21T06:00", "22T06:00"), ("22T09:00", "30T00:00")):
        await web.made(entries, user_id=user["id"], starts_at=f"2026-05-{starts}:00Z", ends_at=f"2026-05-{ends}:00Z")

    page = await text_of(web)

    assert "<strong><bdi>Bo Berg</bdi></strong>" in page
    assert ">Fri 22 May 06:00</time>" in page
    assert "(3 h)" in page
    assert ">Sat 30 May 00:00</time>" in page
    assert "(5 d 12 h)" in page
    assert '<span class="badge bad">2</span>' in page


async def test_nobody_on_call_now_is_a_gap_and_a_schedule_that_nothing_uses_is_none(web: Web) -> None:
    team = await web.a_team()
    await a_schedule(web, team, is_used=False)
    unused = await text_of(web)
    await a_schedule(web, team)
    used = await text_of(web)

    assert "No schedule yet." in unused
    assert '<span class="badge bad">Nobody</span>' in used
    assert "<br>now " in used
    assert "(14 d)" in used


async def test_sources_that_are_silent_or_refused_are_named(web: Web, rows: Rows, clock: Clock) -> None:
    team = await web.a_team()
    names = ("Fine", "Mute", "Wrong key", "Long ago")
    ids = [
        (await web.made("alert-sources", team_id=team["id"], name=name, source_type="generic"))["id"] for name in names
    ]
    state = "INSERT INTO ingest.source_states (source_id, last_alert_at, last_refusal) VALUES (:id, :at, :why)"
    await rows(state, id=ids[0], at=T0, why=None)
    await rows(state, id=ids[2], at=T0, why="this key is not the present one")
    await rows(state, id=ids[3], at=T0 - timedelta(days=20), why=None)
    await rows("INSERT INTO ingest.source_tallies VALUES (:id, :at, 'refused_key', 3)", id=ids[2], at=T0)

    page = await text_of(web)

    part = page[page.index('aria-labelledby="sources"') : page.index("</main>")]
    assert [name in part for name in names] == [False, True, True, True]
    assert [word in part for word in ("Never heard", "Refused", "Quiet")] == [True] * 3
    assert "this key is not the present one" in part


async def test_pages_of_the_last_day_and_how_long_they_took(web: Web, rows: Rows) -> None:
    await insert_incident(rows, created_at=T0, first_notified_at=T0 + timedelta(seconds=2))
    insert = (
        "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step,"
        " pass_number, level, reason, status, attempts, created_at, sent_at, delivered_at) VALUES (:number, 1, 7, 2,"
        " 'sms', 0, 1, 1, '[]', :status, 1, :at, :sent, :delivered)"
    )
    sent, delivered = T0 + timedelta(seconds=2), T0 + timedelta(seconds=7)
    await rows(insert, number=1, status="sent", at=T0 - timedelta(days=2), sent=T0, delivered=None)
    await rows(insert, number=2, status="delivered", at=T0, sent=sent, delivered=delivered)
    await rows(insert, number=3, status="failed", at=T0, sent=None, delivered=None)
    await rows(insert, number=4, status="queued", at=T0, sent=None, delivered=None)

    page = await text_of(web)

    assert "<b>1</b><span>pages sent in 24 h, <strong>1 failed</strong>, 1 waiting</span>" in page
    assert "<b>2.0 s</b><span>from alert to first page (median), 95 % within 2.0 s</span>" in page
    assert "<b>5.0 s</b><span>from sent to delivered (median), 1 delivered</span>" in page


async def test_what_is_wrong_with_pagerpal_itself_is_said_first(web: Web, rows: Rows, broker: Broker) -> None:
    await rows("INSERT INTO incidents.parked_alerts VALUES (gen_random_uuid(), '{}', 'x', now())")
    broker.is_away = True

    page = await text_of(web)

    assert "PagerPal is unhealthy" in page
    assert "notifier.send has never run" in page
    assert "1 could not be handled, and are kept for an operator" in page
    assert "<strong>Broker</strong>: it cannot be reached" in page


async def test_a_team_with_alerts_and_without_a_policy_is_warned_of(web: Web) -> None:
    team = await web.a_team()
    await web.made("alert-sources", team_id=team["id"], name="Prod", source_type="generic")
    without = await text_of(web)
    await a_schedule(web, team)
    with_one = await text_of(web)
    assert "has no escalation policy" in without
    assert "has no escalation policy" not in with_one
