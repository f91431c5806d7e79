"""Who would be paged, when, how and why, and what is wrong with that: without anything happening."""

from typing import Any

import pytest
from pagerpal_common.testing.rows import Rows

from .conftest import Web

AT = "2026-05-21T06:50:00Z"  # ten minutes before nine in Berlin


async def a_policy(web: Web, team_id: int, *levels: list[dict[str, Any]], **fields: Any) -> int:
    """A policy with these assignees at its levels, five minutes each; its id."""
    policy = await web.made("escalation-policies", **{"team_id": team_id, "name": "Nights", **fields})
    for number, assignees in enumerate(levels, start=1):
        path = f"escalation-policies/{policy['id']}/levels"
        level = await web.made(path, level_number=number, timeout_minutes=5)
        for assignee in assignees:
            await web.made(f"{path}/{level['id']}/assignees", **assignee)
    return int(policy["id"])


def user(user_id: int) -> dict[str, Any]:
    return {"assignee_type": "user", "user_id": user_id}


def schedule(schedule_id: int) -> dict[str, Any]:
    return {"assignee_type": "schedule", "schedule_id": schedule_id}


async def a_schedule(web: Web, team_id: int, *people: int) -> int:
    """In Berlin, with a daily rotation of these people that began at nine on the 20th; its id."""
    made = await web.made("schedules", team_id=team_id, name="Primary", timezone="Europe/Berlin")
    if people:
        rotation = {"name": "Daily", "kind": "daily", "handoff_at": "2026-05-20T09:00:00", "user_ids": people}
        await web.made(f"schedules/{made['id']}/rotations", **rotation)
    return int(made["id"])


async def simulated(web: Web, **body: Any) -> Any:
    response = await web("POST", "/api/v1/simulate", body, who="viewer")
    assert response.status_code == 200, response.text
    return response.json()


def seen(run: Any) -> list[tuple[Any, ...]]:
    """When, where in the policy, whom, and what is wrong."""
    return [
        (step["at"][11:16], step["pass"], step["level"], [one["user_name"] for one in step["people"]], step["hole"])
        for step in run["steps"]
    ]


async def test_every_pass_is_walked_to_the_first_reminder_and_each_step_asks_who_is_on_call_then(web: Web) -> None:
    ana, bo = await web.a_user(name="Ana", phone="+491701234567"), await web.a_user(name="Bo")
    team = (await web.a_team())["id"]
    primary = await a_schedule(web, team, ana["id"], bo["id"])
    policy = await a_policy(web, team, [schedule(primary)], [user(ana["id"])], repeat_count=1, reminder_minutes=20)

    run = await simulated(web, team_id=team, at=AT, severity="warning")

    assert (run["at"], run["team_id"], run["policy_id"]) == (AT, team, policy)
    assert seen(run) == [
        ("06:50", 1, 1, ["Ana"], None),
        ("06:55", 1, 2, ["Ana"], None),
        ("07:00", 2, 1, ["Bo"], None),  # the rotation has been handed over
        ("07:05", 2, 2, ["Ana"], None),
        ("07:25", 2, 2, ["Ana"], None),
    ]
    first, second, third, _, reminder = run["steps"]
    assert first == {
        "at": AT,
        "pass": 1,
        "level": 1,
        "people": [
            {
                "user_id": ana["id"],
                "user_name": "Ana",
                "reason": ["policy 'Nights', level 1", "on call on schedule 'Primary' by rotation 1"],
                "notifications": [
                    {"at": "2026-05-21T06:50:00Z", "channel": "sms", "address": "+49…4567"},
                    {"at": "2026-05-21T06:52:00Z", "channel": "voice", "address": "+49…4567"},
                ],
            }
        ],
        "hole": None,
    }
    assert second["people"][0]["reason"] == ["policy 'Nights', level 2", "assigned by name"]
    (mail,) = third["people"][0]["notifications"]
    assert mail == {"at": "2026-05-21T07:00:00Z", "channel": "email", "address": f"{bo['email'][0]}…@example.org"}
    assert reminder["people"][0]["reason"][-1] == "reminder 1"


async def test_a_source_is_simulated_with_its_own_policy_and_a_team_with_its_default(web: Web) -> None:
    team = (await web.a_team())["id"]
    default = await a_policy(web, team, [user(1)])
    own = await a_policy(web, team, [user(2)])
    body = {"team_id": team, "name": "Prod", "source_type": "generic"}
    plain = await web.made("alert-sources", **body)
    routed = await web.made("alert-sources", **body, escalation_policy_id=own)

    subjects = ({"team_id": team}, {"source_id": plain["id"]}, {"source_id": routed["id"]})
    runs = [await simulated(web, **subject) for subject in subjects]

    assert [(run["policy_id"], run["team_id"]) for run in runs] == [(default, team), (default, team), (own, team)]
    assert [run["steps"][0]["people"][0]["user_id"] for run in runs] == [1, 1, 2]
    assert runs[0]["at"] == "2026-05-21T12:00:00Z"  # now


async def test_a_level_that_is_passed_over_and_half_a_level_are_holes(web: Web) -> None:
    ana, gone = await web.a_user(name="Ana"), await web.a_user(name="Gone")
    team = (await web.a_team())["id"]
    empty = await a_schedule(web, team)
    await a_policy(web, team, [schedule(empty), user(gone["id"])], [], [schedule(empty), user(ana["id"])])
    await web("DELETE", f"/api/v1/users/{gone['id']}")

    run = await simulated(web, team_id=team, at=AT)

    nobody = "nobody is on call on schedule 'Primary'"
    passed = f"Level 1 passed over: {nobody}; user {gone['id']} is not active; Level 2 passed over: nobody is assigned"
    assert seen(run) == [("06:50", 1, 3, ["Ana"], f"{passed}; {nobody}"), ("07:20", 1, 3, ["Ana"], nobody)]


async def test_a_policy_that_reaches_nobody_and_no_policy_are_holes_and_page_the_team(web: Web) -> None:
    ana = await web.a_user(name="Ana")
    team, bare = (await web.a_team())["id"], (await web.a_team())["id"]
    await web.made(f"teams/{team}/members", user_id=ana["id"])
    await a_policy(web, team, [schedule(await a_schedule(web, team))])

    run, without = await simulated(web, team_id=team, at=AT), await simulated(web, team_id=bare, at=AT)

    nobody = (
        "Level 1 passed over: nobody is on call on schedule 'Primary'; "
        "The policy reaches nobody, so the team's responders are paged"
    )
    assert seen(run) == [
        ("06:50", 1, 1, ["Ana"], nobody),
        ("07:20", 1, 1, ["Ana"], "The policy reaches nobody, so the team's responders are paged"),
    ]
    assert run["steps"][0]["people"][0]["reason"] == ["policy 'Nights' reaches nobody", "a responder of the team"]
    none = "the team has no escalation policy that pages anybody"
    assert without["policy_id"] is None
    assert seen(without) == [
        ("06:50", 1, 2, ["admin", "passwordless"], f"{none}; Level 1 passed over: nobody is assigned"),
        ("07:20", 1, 2, ["admin", "passwordless"], none),
    ]


async def test_that_nobody_at_all_would_be_paged_is_said(web: Web, rows: Rows) -> None:
    team = (await web.a_team())["id"]
    await a_policy(web, team, [])
    await rows("UPDATE directory.users SET role = 'viewer'")

    run = await simulated(web, team_id=team)

    assert run["steps"][0]["people"] == []
    assert run["steps"][0]["hole"].endswith("and there is no admin; nobody is paged")


async def test_somebody_without_an_address_is_a_hole(web: Web, rows: Rows) -> None:
    ana = await web.a_user(name="Ana")
    team = (await web.a_team())["id"]
    await a_policy(web, team, [user(ana["id"])])
    await rows("UPDATE directory.users SET email = '' WHERE id = :id", id=ana["id"])

    first, _ = (await simulated(web, team_id=team))["steps"]

    assert first["people"][0]["notifications"] == []
    assert first["hole"] == "Ana is not reached: the person has neither a phone number nor a mail address"


async def test_a_source_that_is_not_active_is_a_hole(web: Web) -> None:
    team = (await web.a_team())["id"]
    source = (await web.made("alert-sources", team_id=team, name="Prod", source_type="generic"))["id"]
    await a_policy(web, team, [user(1)])
    await web("PATCH", f"/api/v1/alert-sources/{source}", {"is_active": False})

    run = await simulated(web, source_id=source)

    assert [step["hole"] for step in run["steps"]] == [
        f"alert source {source} is not active: its alerts are refused",
        None,
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"team_id": 1, "source_id": 1}, 422),
        ({"team_id": None}, 422),
        ({"team_id": 999}, 400),
        ({"source_id": 999}, 400),
        ({"team_id": 1, "severity": "fatal"}, 422),
        ({"team_id": 1, "at": "2026-05-21T12:00:00"}, 422),
    ],
)
async def test_it_takes_a_source_or_a_team_that_is_there(web: Web, body: Any, status: int) -> None:
    response = await web("POST", "/api/v1/simulate", body, who="viewer")

    assert response.status_code == status
    if status == 400:
        assert response.json()["detail"] in {"there is no team 999", "there is no alert source 999"}


async def test_the_rules_of_each_person_for_the_severity_are_what_is_shown(web: Web, rows: Rows) -> None:
    ana = (await web.a_user(phone="+491701234567"))["id"]
    team = (await web.a_team())["id"]
    await a_policy(web, team, [user(ana)])
    address = "https://chat.example.org/services/T0/B0/secret-word"
    method = await web.made(f"users/{ana}/contact-methods", channel="slack", address=address)
    await rows(
        "INSERT INTO directory.contact_proofs SELECT user_id, id, address, created_at FROM directory.contact_methods"
    )
    rule = {"severity": "info", "contact_method_id": method["id"], "delay_seconds": 60}
    await web.made(f"users/{ana}/notification-rules", **rule)

    for severity, expected in (
        ("info", [("slack", "07", "https://chat.example.org/…")]),
        ("critical", [("sms", "06", "+49…4567"), ("voice", "08", "+49…4567")]),
    ):
        run = await simulated(web, team_id=team, at="2026-05-21T06:06:00Z", severity=severity)
        found = run["steps"][0]["people"][0]["notifications"]
        assert [(one["channel"], one["at"][14:16], one["address"]) for one in found] == expected

    await rows("DELETE FROM directory.contact_proofs")
    run = await simulated(web, team_id=team, at=AT, severity="info")
    assert run["steps"][0]["hole"] == f"Ana is not reached by slack: contact method {method['id']} is not verified"
    assert [one["channel"] for one in run["steps"][0]["people"][0]["notifications"]] == ["sms", "voice"]
