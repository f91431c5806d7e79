"""Escalation policies as pages: a flow of levels, and who would be paged now."""

import asyncio
from typing import Any

import pytest
from pagerpal_web.api import level_order

from .browser import browse, text_of
from .conftest import Web, in_step

POLICIES = "/escalation-policies"
NUMBER = "+4915110000001"


async def a_policy(web: Web, *levels: tuple[float, list[int]], **fields: Any) -> Any:
    """One of a new team, with a level for each time-out and the people whom it pages."""
    team = await web.a_team()
    policy = await web.made("escalation-policies", team_id=team["id"], name="Usual", **fields)
    for number, (minutes, people) in enumerate(levels, start=1):
        path = f"escalation-policies/{policy['id']}/levels"
        level = await web.made(path, level_number=number, timeout_minutes=minutes)
        for user_id in people:
            await web.made(f"{path}/{level['id']}/assignees", assignee_type="user", user_id=user_id)
    return policy


async def levels_of(web: Web, policy: Any) -> list[tuple[int, float, list[int | None]]]:
    """Number, time-out and people of each level, as the API has them."""
    found = (await web("GET", f"/api/v1{POLICIES}/{policy['id']}")).json()["levels"]
    return [
        (one["level_number"], one["timeout_minutes"], [each["user_id"] for each in one["assignees"]]) for one in found
    ]


async def test_a_policy_is_built_level_by_level_and_says_who_would_be_paged(web: Web) -> None:
    team, ana, bo = await web.a_team(), await web.a_user(name="Ana", phone=NUMBER), await web.a_user(name="Bo")
    admin = await browse(web)

    shown = await admin.done(POLICIES, do="create", team_id=team["id"], name="Usual")
    assert "No levels yet" in shown
    assert shown.count("This policy has no levels, so the team's responders are paged") == 1
    assert "0:00 Every admin 0:00 Mail to admin a…@example.org" in shown
    assert shown.count("The team has no responders.") == 1
    for odd in ("Level 1 passed over", "has no escalation policy", "pages nobody"):
        assert odd not in shown
    first = {"new__who": f"user:{ana['id']}", "new__timeout_minutes": "5"}
    assert "Level 1 is added." in await admin.done(f"{POLICIES}/1", do="add_level", form="new", **first)
    second = {"new__who": f"user:{bo['id']}", "new__timeout_minutes": "2.5"}
    shown = await admin.done(f"{POLICIES}/1", do="add_level", form="new", **second)

    assert "Level 2 5 min after the incident began" in shown
    assert "Bo no SMS or call" in shown
    assert "0:00 Level 1 0:00 SMS to Ana +49…0001 2:00 Call to Ana +49…0001" in shown
    assert "5:00 Level 2 5:00 Mail to Bo u…@example.org" in shown
    assert "Reminder, and again every 30 min" in shown
    assert NUMBER not in (await admin.get(f"{POLICIES}/1")).text


async def test_a_level_that_nobody_is_on_is_said_and_passed_at_once(web: Web) -> None:
    ana = await web.a_user(name="Ana", phone=NUMBER)
    policy = await a_policy(web, (5, []), (5, [ana["id"]]))
    schedule = await web.made("schedules", team_id=policy["team_id"], name="Nights")
    level = policy["id"], 1
    assignee = {"assignee_type": "schedule", "schedule_id": schedule["id"]}
    await web.made("escalation-policies/{}/levels/{}/assignees".format(*level), **assignee)
    viewer = await browse(web, "viewer")

    page, listed = text_of(await viewer.get(f"{POLICIES}/{policy['id']}")), text_of(await viewer.get(POLICIES))

    assert "Nobody can be paged on this level now: it is skipped." in page
    assert "Nights nobody is on call now" in page
    assert "Level 2 0 s after the incident began" in page
    assert "0:00 SMS to Ana" in page
    assert "at once Nobody after 0 s Ana" in listed


async def test_a_policy_that_reaches_nobody_says_who_is_paged_instead_and_each_fact_once(web: Web) -> None:
    ana, gone = await web.a_user(name="Ana", phone=NUMBER), await web.a_user(name="Bo")
    policy = await a_policy(web, (5, [gone["id"]]), repeat_count=1)
    await web.made(f"teams/{policy['team_id']}/members", user_id=ana["id"])
    await web("DELETE", f"/api/v1/users/{gone['id']}")

    page = text_of(await (await browse(web, "viewer")).get(f"{POLICIES}/{policy['id']}"))

    forecast = page.partition("Who would be paged now")[2]
    assert "0:00 SMS to Ana" in forecast
    assert forecast.count("The policy reaches nobody, so the team's responders are paged.") == 1
    assert forecast.count("Level 1 passed over: Bo is not active.") == 1
    assert f"user {gone['id']}" not in page


async def test_who_is_on_call_is_named_with_the_end_of_the_shift(web: Web) -> None:
    ana = await web.a_user(name="Ana", phone=NUMBER)
    policy = await a_policy(web, (5, []))
    schedule = await web.made("schedules", team_id=policy["team_id"], name="Nights")
    shift = {"user_id": ana["id"], "starts_at": "2026-05-21T00:00:00Z", "ends_at": "2026-05-21T20:00:00Z"}
    await web.made(f"schedules/{schedule['id']}/entries", **shift)
    who = {"assign-1-who": f"schedule:{schedule['id']}"}

    shown = await (await browse(web)).done(f"{POLICIES}/1", do="add_assignee", form="assign-1", about=1, **who)

    assert "On call Nights: Ana until 20:00" in shown
    assert (await levels_of(web, policy)) == [(1, 5, [None])]


async def test_levels_change_places_in_one_step(web: Web) -> None:
    people = [(await web.a_user(name=name))["id"] for name in ("Ana", "Bo", "Cy")]
    policy = await a_policy(web, *((number, [one]) for number, one in enumerate(people, start=1)))
    admin, path = await browse(web), f"{POLICIES}/{policy['id']}"

    assert "Moved to level 3." in await admin.done(path, do="move_level", about=2, to="down")
    assert [who for _, _, who in await levels_of(web, policy)] == [[people[0]], [people[2]], [people[1]]]
    assert "Moved to level 1." in await admin.done(path, do="move_level", about=1, to="up")
    await admin.done(path, do="move_level", about=3, to="up")
    assert await levels_of(web, policy) == [(1, 3, [people[2]]), (2, 1, [people[0]]), (3, 2, [people[1]])]
    moves = [event for event in await web.audit() if event["before"] and "level_number" in event["before"]]
    assert all({event["before"]["level_number"], event["after"]["level_number"]} <= {1, 2, 3} for event in moves)
    for about, to in ((99, "up"), (2, "away")):
        assert (await admin.post(path, do="move_level", about=about, to=to)).status_code in {404, 422}


async def test_two_who_move_levels_at_once_lose_none(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = await a_policy(web, (1, []), (2, []), (3, []))
    one, other, path = await browse(web), await browse(web), f"{POLICIES}/{policy['id']}"
    in_step(monkeypatch, level_order, "_set_number")

    await asyncio.gather(
        one.post(path, do="move_level", about=1, to="down"), other.post(path, do="move_level", about=3, to="up")
    )

    kept = await levels_of(web, policy)
    assert ([number for number, _, _ in kept], sorted(minutes for _, minutes, _ in kept)) == ([1, 2, 3], [1, 2, 3])


async def test_levels_and_those_whom_they_reach_are_changed_and_removed(web: Web) -> None:
    ana = await web.a_user(name="Ana")
    policy = await a_policy(web, (5, [ana["id"]]), (5, []))
    admin, path = await browse(web), f"{POLICIES}/{policy['id']}"

    await admin.done(path, do="change_level", form="level-1", about=1, **{"level-1-timeout_minutes": "0.5"})
    assert "Waits 30 s for an acknowledgement" in text_of(await admin.get(path))
    await admin.done(path, do="remove_assignee", about=1, assignee=1)
    await admin.done(path, do="remove_level", about=2)
    assert await levels_of(web, policy) == [(1, 0.5, [])]
    assert (await admin.post(path, do="remove_level", about=99)).status_code == 404


async def test_what_is_refused_of_a_level_stays_typed_beside_its_field(web: Web) -> None:
    policy = await a_policy(web, (5, []))
    admin, path = await browse(web), f"{POLICIES}/{policy['id']}"

    wrong = await admin.post(path, do="change_level", form="level-1", about=1, **{"level-1-timeout_minutes": "soon"})
    assert (wrong.status_code, "[soon]" in text_of(wrong), "valid number" in text_of(wrong)) == (422, True, True)
    nobody = await admin.post(path, do="add_level", form="new", new__who="", new__timeout_minutes="7")
    assert (nobody.status_code, "[7]" in text_of(nobody)) == (422, True)
    assert "Choose a person or a schedule." in text_of(nobody)
    gone = await admin.post(path, do="add_level", form="new", new__who="user:4", new__timeout_minutes="7")
    assert (gone.status_code, "Level 2 is added, but it reaches nobody yet." in text_of(gone)) == (409, True)
    assert "User 4 is not active." in text_of(gone)
    for who in ("user:", "user:x", "team:1", "user:9999"):
        response = await admin.post(path, do="add_assignee", form="assign-1", about=1, **{"assign-1-who": who})
        assert response.status_code in {400, 422}, who
    assert (await levels_of(web, policy))[0] == (1, 5, [])


async def test_settings_are_kept_and_the_default_changes_hands(web: Web) -> None:
    policy = await a_policy(web, (5, []))
    other = await web.made("escalation-policies", team_id=policy["team_id"], name="Other")
    admin, path = await browse(web), f"{POLICIES}/{other['id']}"
    fields = {"policy__name": "Weekend", "policy__repeat_count": "2", "policy__reminder_minutes": "15",
              "policy__ack_timeout_minutes": "90"}  # fmt: skip

    shown = await admin.done(path, do="change", form="policy", **fields, policy__is_default="true")

    assert "Team default" in shown
    kept = (await web("GET", f"/api/v1{path}")).json()
    assert (kept["name"], kept["repeat_count"], kept["reminder_minutes"], kept["ack_timeout_minutes"]) == (
        "Weekend", 2, 15, 90,
    )  # fmt: skip
    await admin.done(path, do="change", form="policy", **{**fields, "policy__ack_timeout_minutes": ""})
    kept = (await web("GET", f"/api/v1{path}")).json()
    assert (kept["ack_timeout_minutes"], kept["is_default"]) == (None, True)
    wrong = await admin.post(path, do="change", form="policy", **{**fields, "policy__repeat_count": "-1"})
    assert (wrong.status_code, "[-1]" in text_of(wrong), "[Weekend]" in text_of(wrong)) == (422, True, True)


async def test_a_policy_that_a_source_uses_is_not_deleted(web: Web) -> None:
    policy = await a_policy(web)
    source = {"name": "Grafana", "source_type": "grafana", "escalation_policy_id": policy["id"]}
    made = await web.made("alert-sources", team_id=policy["team_id"], **source)
    admin, path = await browse(web), f"{POLICIES}/{policy['id']}"

    refused = await admin.post(path, do="delete")

    assert (refused.status_code, f"still used by alert source {made['id']}." in text_of(refused)) == (409, True)
    await web("DELETE", f"/api/v1/alert-sources/{made['id']}")
    assert "Policy deleted." in await admin.done(path, do="delete")


@pytest.mark.parametrize("severity", ["critical", "warning", "info", "nonsense"])
async def test_each_severity_has_its_own_forecast(web: Web, severity: str) -> None:
    ana = await web.a_user(name="Ana", phone=NUMBER)
    rule = {"severity": "info", "channel": "email", "delay_seconds": 0}
    await web.made(f"users/{ana['id']}/notification-rules", **rule)
    policy = await a_policy(web, (5, [ana["id"]]))

    response = await (await browse(web, "viewer")).get(f"{POLICIES}/{policy['id']}/now?severity={severity}")

    how = "Mail to Ana" if severity == "info" else "SMS to Ana"
    assert (response.status_code, how in text_of(response) or how in response.text) == (200, True)


@pytest.mark.parametrize("who", ["responder", "viewer"])
async def test_only_an_admin_changes_a_policy(web: Web, who: str) -> None:
    policy = await a_policy(web, (5, []))
    visitor, path = await browse(web, who), f"{POLICIES}/{policy['id']}"

    shown = text_of(await visitor.get(path))

    assert [word in shown for word in ("Add a level", "Settings", "Remove", "New policy")] == [False] * 4
    for do in ("delete", "remove_level", "move_level", "add_level"):
        assert (await visitor.post(path, do=do, about=1)).status_code == 403
    assert (await visitor.post(POLICIES, do="create", name="X", team_id=1)).status_code == 403
    assert len(await levels_of(web, policy)) == 1


async def test_without_the_token_nothing_is_changed(web: Web) -> None:
    policy = await a_policy(web, (5, []))
    admin = await browse(web)
    assert (await admin.send(f"{POLICIES}/{policy['id']}", {"do": "delete"})).status_code == 403
    assert len(await levels_of(web, policy)) == 1


async def test_a_policy_needs_a_name_and_a_team_that_is_there(web: Web) -> None:
    team, admin = await web.a_team(), await browse(web)
    for fields, status in (({"team_id": team["id"], "name": ""}, 422), ({"team_id": 99, "name": "X"}, 400)):
        response = await admin.post(POLICIES, do="create", **fields)
        assert response.status_code == status
    assert (await web("GET", f"/api/v1{POLICIES}")).json() == []
