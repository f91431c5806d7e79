"""People who take turns: setting it up, what is refused, and what the schedule then says, now and over time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pagerpal_common.testing.rows import Rows

from .conftest import ACCOUNTS, Web

WEEKLY = {"name": "First line", "kind": "weekly", "handoff_at": "2026-05-04T09:00:00"}


async def a_schedule(web: Web, **fields: Any) -> tuple[int, str]:
    """A schedule in Berlin: its team's id, and its path."""
    team = await web.a_team()
    schedule = await web.made("schedules", team_id=team["id"], name="Primary", timezone="Europe/Berlin", **fields)
    return team["id"], f"schedules/{schedule['id']}"


async def test_a_rotation_can_be_made_listed_read_changed_and_deleted(web: Web) -> None:
    _, schedule = await a_schedule(web)
    restriction = {"weekdays": [0, 4], "from": "22:00", "to": "06:00"}

    made = await web.made(f"{schedule}/rotations", **WEEKLY, user_ids=[2, 1, 2], restrictions=[restriction])

    path = f"/api/v1/{schedule}/rotations/{made['id']}"
    assert made == {
        "id": made["id"],
        "schedule_id": int(schedule.rpartition("/")[2]),
        "name": "First line",
        "user_ids": [2, 1, 2],
        "kind": "weekly",
        "length": 1,
        "handoff_at": "2026-05-04T09:00:00",
        "restrictions": [restriction],
        "priority": 0,
    }
    assert (await web("GET", path, who="viewer")).json() == made
    assert (await web("GET", f"/api/v1/{schedule}/rotations", who="viewer")).json() == [made]
    for change in (
        {"user_ids": [3]},
        {"length": 2, "kind": "daily", "priority": -5},
        {"restrictions": [], "handoff_at": "2026-01-31T00:30:00", "name": "Nights", "user_ids": [1, 2]},
        {},
    ):
        made |= change
        changed = await web("PATCH", path, change)
        assert (changed.status_code, changed.json()) == (200, made)
    assert (await web("DELETE", path)).status_code == 204
    assert (await web("GET", path)).status_code == 404
    assert (await web("GET", f"/api/v1/{schedule}/rotations")).json() == []


@pytest.mark.parametrize(
    ("fields", "status", "place"),
    [
        ({"user_ids": []}, 422, "user_ids"),
        ({"user_ids": [0]}, 422, "user_ids"),
        ({"user_ids": None}, 422, "user_ids"),
        ({"user_ids": [2] * 101}, 422, "user_ids"),
        ({"user_ids": [2, 7000]}, 400, "there is no user 7000"),
        ({"user_ids": [2, ACCOUNTS["deactivated"]]}, 400, f"user {ACCOUNTS['deactivated']} is not active"),
        ({"kind": "yearly"}, 422, "kind"),
        ({"length": 0}, 422, "length"),
        ({"length": 367}, 422, "length"),
        ({"handoff_at": "2026-05-04T09:00:00Z"}, 422, "handoff_at"),
        ({"handoff_at": "2026-05-04T09:00:00.5"}, 422, "handoff_at"),
        ({"handoff_at": "1999-05-04T09:00:00"}, 422, "handoff_at"),
        ({"handoff_at": "2026-05-04"}, 422, "handoff_at"),
        ({"restrictions": [{"weekdays": [], "from": "09:00", "to": "17:00"}]}, 422, "restrictions"),
        ({"restrictions": [{"weekdays": [7], "from": "09:00", "to": "17:00"}]}, 422, "restrictions"),
        ({"restrictions": [{"weekdays": [1], "from": "9:00", "to": "24:00"}]}, 422, "restrictions"),
        ({"restrictions": [{"weekdays": [1], "from": "09:00", "to": "17:00", "x": 1}]}, 422, "restrictions"),
        ({"restrictions": [{"weekdays": [1], "from": "09:00"}]}, 422, "restrictions"),
        ({"priority": 1.5}, 422, "priority"),
        ({"schedule_id": 1}, 422, "schedule_id"),
    ],
)
async def test_what_no_rotation_can_be_is_refused(web: Web, fields: Any, status: int, place: str) -> None:
    _, schedule = await a_schedule(web)
    good = {**WEEKLY, "user_ids": [2]}
    there = await web.made(f"{schedule}/rotations", **good)

    for response in (
        await web("POST", f"/api/v1/{schedule}/rotations", {**good, **fields}),
        await web("PATCH", f"/api/v1/{schedule}/rotations/{there['id']}", fields),
    ):
        detail = response.json()["detail"]
        assert response.status_code == status, response.text
        assert place in (detail if status == 400 else detail[0]["loc"])
    assert (await web("GET", f"/api/v1/{schedule}/rotations")).json() == [there]


async def test_a_rotation_is_not_there_under_another_schedule(web: Web) -> None:
    (_, schedule), (_, other) = await a_schedule(web), await a_schedule(web)
    made = await web.made(f"{schedule}/rotations", **WEEKLY, user_ids=[2])

    for method in ("GET", "PATCH", "DELETE"):
        response = await web(method, f"/api/v1/{other}/rotations/{made['id']}", {} if method == "PATCH" else None)
        assert response.status_code == 404
    assert (await web("POST", "/api/v1/schedules/999/rotations", {**WEEKLY, "user_ids": [2]})).status_code == 404


async def test_rotations_go_with_their_schedule_which_stays_while_it_is_assigned(web: Web, rows: Rows) -> None:
    team, schedule = await a_schedule(web)
    await web.made(f"{schedule}/rotations", **WEEKLY, user_ids=[2, 1])
    policy = await web.made("escalation-policies", team_id=team, name="Days")
    levels = f"escalation-policies/{policy['id']}/levels"
    level = await web.made(levels, level_number=1, timeout_minutes=5)
    assignees = f"{levels}/{level['id']}/assignees"
    assignee = await web.made(assignees, assignee_type="schedule", schedule_id=int(schedule[10:]))

    refused = await web("DELETE", f"/api/v1/{schedule}")
    await web("DELETE", f"/api/v1/{assignees}/{assignee['id']}")
    deleted = await web("DELETE", f"/api/v1/{schedule}")

    assert refused.status_code == 409
    assert f"assignee {assignee['id']} of escalation level 1" in refused.json()["detail"]
    assert deleted.status_code == 204
    assert await rows("SELECT rotation_id FROM directory.rotation_people") == []


async def test_on_call_by_rotation_at_any_instant_and_through_overrides(web: Web) -> None:
    team, schedule = await a_schedule(web)
    rotation = await web.made(f"{schedule}/rotations", **WEEKLY, user_ids=[2, 1])
    override = {"starts_at": "2026-05-12T00:00:00Z", "ends_at": "2026-05-13T00:00:00Z", "is_override": True}
    entry = await web.made(f"{schedule}/entries", user_id=3, **override)

    async def on_call(at: str) -> list[tuple[Any, ...]]:
        found = (await web("GET", f"/api/v1/teams/{team}/oncall?at={at}", who="viewer")).json()["oncall"]
        return [tuple(one[name] for name in ("user_id", "reason", "entry_id", "rotation_id", "until")) for one in found]

    by_rotation = ("rotation", None, rotation["id"])
    assert await on_call("2026-05-04T06:59:59Z") == []
    assert await on_call("2026-05-04T07:00:00Z") == [(2, *by_rotation, "2026-05-11T07:00:00Z")]
    assert await on_call("2026-05-11T07:00:00Z") == [(1, *by_rotation, "2026-05-12T00:00:00Z")]
    assert await on_call("2026-05-12T12:00:00Z") == [(3, "override", entry["id"], None, "2026-05-13T00:00:00Z")]
    # 522 weeks later
    assert await on_call("2036-05-05T12:00:00Z") == [(2, *by_rotation, "2036-05-12T07:00:00Z")]


async def test_somebody_deactivated_keeps_their_place_and_the_next_person_takes_their_turns(web: Web) -> None:
    team, schedule = await a_schedule(web)
    ana, bo = await web.a_user(), await web.a_user(name="Bo")
    made = await web.made(f"{schedule}/rotations", **WEEKLY, user_ids=[ana["id"], bo["id"]])

    deactivated = await web("DELETE", f"/api/v1/users/{ana['id']}")

    assert deactivated.status_code == 204
    on_call = f"/api/v1/teams/{team}/oncall?at=2026-05-06T00:00:00Z"
    assert [one["user_name"] for one in (await web("GET", on_call)).json()["oncall"]] == ["Bo"]
    assert (await web("GET", f"/api/v1/{schedule}/rotations")).json() == [made]
    await web("PATCH", f"/api/v1/users/{ana['id']}", {"is_active": True})
    assert [one["user_name"] for one in (await web("GET", on_call)).json()["oncall"]] == ["Ana"]


async def test_a_timeline_has_spans_and_gaps(web: Web) -> None:
    _, schedule = await a_schedule(web)
    ana, bo = await web.a_user(), await web.a_user(name="Bo")
    nights = [{"weekdays": [0, 1, 2, 3, 4, 5, 6], "from": "21:00", "to": "09:00"}]
    rotation = await web.made(f"{schedule}/rotations", **WEEKLY, user_ids=[ana["id"], bo["id"]], restrictions=nights)
    hours = {"starts_at": "2026-05-10T22:00:00+02:00", "ends_at": "2026-05-11T00:00:00+02:00"}
    entry = await web.made(f"{schedule}/entries", user_id=bo["id"], **hours)

    response = await web(
        "GET", f"/api/v1/{schedule}/timeline?from=2026-05-10T12:00:00%2B02:00&to=2026-05-11T22:00:00Z", who="viewer"
    )

    by_rotation = {"reason": "rotation", "entry_id": None, "rotation_id": rotation["id"]}
    as_ana, as_bo = {"user_id": ana["id"], "user_name": "Ana"}, {"user_id": bo["id"], "user_name": "Bo"}
    assert response.json() == {
        "schedule_id": int(schedule[10:]),
        "from": "2026-05-10T10:00:00Z",
        "to": "2026-05-11T22:00:00Z",
        "timezone": "Europe/Berlin",
        "spans": [
            {"starts_at": "2026-05-10T19:00:00Z", "ends_at": "2026-05-10T20:00:00Z", **as_ana, **by_rotation},
            {
                "starts_at": "2026-05-10T20:00:00Z",
                "ends_at": "2026-05-10T22:00:00Z",
                **as_bo,
                "reason": "entry",
                "entry_id": entry["id"],
                "rotation_id": None,
            },
            {"starts_at": "2026-05-10T22:00:00Z", "ends_at": "2026-05-11T07:00:00Z", **as_ana, **by_rotation},
            {"starts_at": "2026-05-11T19:00:00Z", "ends_at": "2026-05-11T22:00:00Z", **as_bo, **by_rotation},
        ],
        "gaps": [
            {"starts_at": "2026-05-10T10:00:00Z", "ends_at": "2026-05-10T19:00:00Z"},
            {"starts_at": "2026-05-11T07:00:00Z", "ends_at": "2026-05-11T19:00:00Z"},
        ],
    }


async def test_a_timeline_agrees_with_on_call_at_any_instant(web: Web) -> None:
    team, schedule = await a_schedule(web)
    hourly = {"name": "H", "kind": "hourly", "length": 7, "handoff_at": "2026-03-01T02:30:00"}
    weekend = [{"weekdays": [5, 6], "from": "12:00", "to": "03:00"}]
    await web.made(f"{schedule}/rotations", **hourly, user_ids=[1, 2], restrictions=weekend, priority=3)
    await web.made(f"{schedule}/rotations", **{**hourly, "kind": "daily"}, user_ids=[2, 4 - 1, 2])
    for number in range(6):
        starts = datetime(2026, 3, 27, 5, tzinfo=UTC) + number * timedelta(hours=17)
        hours = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=9)).isoformat()}
        await web.made(f"{schedule}/entries", user_id=1 + number % 3, **hours, is_override=number % 2 == 0)
    since, until = datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)

    stretch = f"from={since:%Y-%m-%dT%XZ}&to={until:%Y-%m-%dT%XZ}"
    pieces = (await web("GET", f"/api/v1/{schedule}/timeline?{stretch}")).json()["spans"]

    at = since
    while at < until:
        answer = (await web("GET", f"/api/v1/teams/{team}/oncall?at={at:%Y-%m-%dT%XZ}")).json()
        covering = [one for one in pieces if one["starts_at"] <= answer["at"] < one["ends_at"]]
        wanted = ("user_id", "reason", "entry_id", "rotation_id")
        assert [[one[n] for n in wanted] for one in answer["oncall"]] == [[one[n] for n in wanted] for one in covering]
        at += timedelta(minutes=97)


async def test_a_timeline_without_a_stretch_is_of_the_next_two_weeks(web: Web) -> None:
    _, schedule = await a_schedule(web)

    found = (await web("GET", f"/api/v1/{schedule}/timeline")).json()

    assert (found["from"], found["to"]) == ("2026-05-21T12:00:00Z", "2026-06-04T12:00:00Z")
    assert found["gaps"] == [{"starts_at": found["from"], "ends_at": found["to"]}]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=2026-01-01T00:00:00Z&to=2027-01-02T00:00:00Z", 200),
        ("from=2026-01-01T00:00:00Z&to=2027-01-02T00:00:01Z", 422),
        ("from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", 422),
        ("to=2026-01-01T00:00:00Z", 422),
        ("from=yesterday", 422),
        ("from=2026-01-01T00:00:00", 422),
        ("to=2100-01-01T00:00:00Z", 422),
    ],
)
async def test_a_timeline_is_of_at_most_366_days(web: Web, query: str, status: int) -> None:
    _, schedule = await a_schedule(web)

    assert (await web("GET", f"/api/v1/{schedule}/timeline?{query}")).status_code == status
