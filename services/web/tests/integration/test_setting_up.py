"""From an empty database to a team that can be paged, by the API alone; and what it refuses on the way."""

import asyncio
import hashlib
from typing import Any

import pytest
from pagerpal_common.testing.rows import Rows
from pagerpal_web.storage import policies

from .conftest import ACCOUNTS, Web, in_step


async def test_everything_a_page_needs_can_be_set_up(web: Web) -> None:
    ana = await web.a_user(name="Ana", phone="+49 170 1234567", timezone="Europe/Berlin")
    team = await web.made("teams", name="Platform", description="keeps it up")
    member = await web.made(f"teams/{team['id']}/members", user_id=ana["id"])
    schedule = await web.made("schedules", team_id=team["id"], name="Primary", timezone="Europe/Berlin")
    entry = await web.made(
        f"schedules/{schedule['id']}/entries",
        user_id=ana["id"],
        starts_at="2026-05-21T08:00:00+02:00",
        ends_at="2026-05-22T08:00:00+02:00",
    )
    policy = await web.made("escalation-policies", team_id=team["id"], name="Day and night")
    levels = f"escalation-policies/{policy['id']}/levels"
    level = await web.made(levels, level_number=1, timeout_minutes=2.5)
    assignees = f"{levels}/{level['id']}/assignees"
    assignee = await web.made(assignees, assignee_type="schedule", schedule_id=schedule["id"])
    source = await web.made("alert-sources", team_id=team["id"], name="Grafana", source_type="grafana", config=None)

    assert ana["phone"] == "+491701234567"
    assert member["user"] == ana
    assert (entry["starts_at"], entry["ends_at"]) == ("2026-05-21T06:00:00Z", "2026-05-22T06:00:00Z")
    shown = (await web("GET", f"/api/v1/escalation-policies/{policy['id']}", who="viewer")).json()
    assert shown["is_default"]
    assert shown["levels"] == [{"id": level["id"], "level_number": 1, "timeout_minutes": 2.5, "assignees": [assignee]}]
    assert source["api_key"].startswith("pp_")
    on_call = (await web("GET", f"/api/v1/teams/{team['id']}/oncall", who="viewer")).json()
    assert on_call == {
        "team_id": team["id"],
        "at": "2026-05-21T12:00:00Z",
        "oncall": [
            {
                "user_id": ana["id"],
                "user_name": "Ana",
                "schedule_id": schedule["id"],
                "schedule_name": "Primary",
                "reason": "entry",
                "entry_id": entry["id"],
                "rotation_id": None,
                "until": "2026-05-22T06:00:00Z",
            }
        ],
    }


async def test_each_resource_can_be_listed_read_changed_and_deleted(web: Web) -> None:
    chain = await a_chain(web)
    team, policy, schedule = chain["team"]["id"], chain["policy"]["id"], chain["schedule"]["id"]
    level = f"escalation-policies/{policy}/levels/{chain['level']['id']}"
    for path, change in (
        (f"alert-sources/{chain['source']['id']}", {"is_active": False, "config": {"a": [1.5, None, "ü"]}}),
        (f"{level}/assignees/{chain['assignee']['id']}", {"assignee_type": "user", "schedule_id": None, "user_id": 2}),
        (level, {"level_number": 3, "timeout_minutes": 0.25}),
        (f"escalation-policies/{policy}", {"name": "Nights", "repeat_count": 3, "ack_timeout_minutes": 10.0}),
        (f"schedules/{schedule}/entries/{chain['entry']['id']}", {"ends_at": "2026-06-01T00:00:00Z"}),
        (f"schedules/{schedule}", {"timezone": "Asia/Tokyo"}),
        (f"teams/{team}", {"name": "Core", "description": None}),
    ):
        before = (await web("GET", f"/api/v1/{path}")).json()
        changed = await web("PATCH", f"/api/v1/{path}", change)
        assert (changed.status_code, changed.json()) == (200, {**before, **change}), path
        assert (await web("PATCH", f"/api/v1/{path}", {})).json() == changed.json()
        listed = await web("GET", f"/api/v1/{path.rpartition('/')[0]}")
        assert listed.json() == [changed.json()], path
        deleted = await web("DELETE", f"/api/v1/{path}")
        assert (deleted.status_code, deleted.content) == (204, b""), path
        assert (await web("GET", f"/api/v1/{path}")).status_code == 404
        assert (await web("GET", f"/api/v1/{path.rpartition('/')[0]}")).json() == []


async def test_lists_go_on_after_an_id(web: Web) -> None:
    assert [user["id"] for user in (await web("GET", "/api/v1/users?limit=2")).json()] == [1, 2]
    assert [user["id"] for user in (await web("GET", "/api/v1/users?limit=2&after=2")).json()] == [3, 4]
    for query in ("limit=0", "limit=1001", "limit=x", "after=-1", "after=9223372036854775808", "limit=" + "9" * 5000):
        assert (await web("GET", f"/api/v1/users?{query}")).status_code == 422, query[:30]


async def test_normal_entries_do_not_overlap_but_overrides_may(web: Web) -> None:
    chain = await a_chain(web)
    entries = f"schedules/{chain['schedule']['id']}/entries"
    inside = {"user_id": 2, "starts_at": "2026-05-21T03:00:00Z", "ends_at": "2026-05-21T15:00:00Z"}
    after = {"user_id": 2, "starts_at": "2026-05-22T00:00:00Z", "ends_at": "2026-05-23T00:00:00Z"}

    overlap = await web("POST", f"/api/v1/{entries}", inside)
    override = await web.made(entries, **inside, is_override=True)
    following = await web.made(entries, **after)
    moved = await web("PATCH", f"/api/v1/{entries}/{following['id']}", {"starts_at": "2026-05-21T23:59:59Z"})

    assert overlap.status_code == 409
    assert "overlaps" in overlap.json()["detail"]
    assert moved.status_code == 409
    at_noon = (await web("GET", f"/api/v1/teams/{chain['team']['id']}/oncall?at=2026-05-21T12:00:00Z")).json()["oncall"]
    assert [(one["entry_id"], one["reason"]) for one in at_noon] == [(override["id"], "override")]
    at_dawn = (await web("GET", f"/api/v1/teams/{chain['team']['id']}/oncall?at=2026-05-21T02:00:00Z")).json()["oncall"]
    assert [(one["user_id"], one["until"]) for one in at_dawn] == [(2, "2026-05-21T03:00:00Z")]


async def test_an_entry_ends_after_it_starts(web: Web) -> None:
    chain = await a_chain(web)
    entries = f"/api/v1/schedules/{chain['schedule']['id']}/entries"
    backwards = {"user_id": 2, "starts_at": "2026-07-01T00:00:00Z", "ends_at": "2026-07-01T00:00:00Z"}
    assert (await web("POST", entries, backwards)).status_code == 422
    before = {"ends_at": "2026-05-20T00:00:00Z"}
    assert (await web("PATCH", f"{entries}/{chain['entry']['id']}", before)).status_code == 422


async def test_level_numbers_are_unique_within_a_policy(web: Web) -> None:
    chain = await a_chain(web)
    path = f"escalation-policies/{chain['policy']['id']}/levels"
    again = await web("POST", f"/api/v1/{path}", {"level_number": 1, "timeout_minutes": 5})
    second = await web.made(path, level_number=2, timeout_minutes=5)
    renumbered = await web("PATCH", f"/api/v1/{path}/{second['id']}", {"level_number": 1})
    assert (again.status_code, renumbered.status_code) == (409, 409)
    assert "level with this number" in again.json()["detail"]


async def test_what_is_in_use_cannot_be_deleted_and_says_by_what(web: Web) -> None:
    chain = await a_chain(web)
    path = f"/api/v1/alert-sources/{chain['source']['id']}"
    await web("PATCH", path, {"escalation_policy_id": chain["policy"]["id"]})
    for path, noun, user in (
        (f"teams/{chain['team']['id']}", "team", ("schedule", "escalation policy", "alert source")),
        (
            f"schedules/{chain['schedule']['id']}",
            "schedule",
            (f"assignee {chain['assignee']['id']} of escalation level 1 of escalation policy 1",),
        ),
        (f"escalation-policies/{chain['policy']['id']}", "policy", (f"alert source {chain['source']['id']}",)),
    ):
        before = (await web("GET", f"/api/v1/{path}")).json()
        response = await web("DELETE", f"/api/v1/{path}")
        assert response.status_code == 409
        detail = response.json()["detail"]
        assert noun in detail, detail
        assert any(one in detail for one in user), detail
        assert (await web("GET", f"/api/v1/{path}")).json() == before


async def test_parts_go_with_their_whole(web: Web) -> None:
    chain = await a_chain(web)
    await web.made(f"teams/{chain['team']['id']}/members", user_id=2)
    for path in (
        f"escalation-policies/{chain['policy']['id']}",
        f"schedules/{chain['schedule']['id']}",
        f"alert-sources/{chain['source']['id']}",
        f"teams/{chain['team']['id']}",
    ):
        response = await web("DELETE", f"/api/v1/{path}")
        assert response.status_code == 204, response.text


async def test_a_team_keeps_exactly_one_default_policy(web: Web) -> None:
    team = await web.a_team()
    first = await web.made("escalation-policies", team_id=team["id"], name="A", is_default=False)
    second = await web.made("escalation-policies", team_id=team["id"], name="B")
    assert await defaults(web) == [first["id"]]

    third = await web.made("escalation-policies", team_id=team["id"], name="C", is_default=True)
    assert await defaults(web) == [third["id"]]

    await web("PATCH", f"/api/v1/escalation-policies/{second['id']}", {"is_default": True})
    assert await defaults(web) == [second["id"]]

    refused = await web("PATCH", f"/api/v1/escalation-policies/{second['id']}", {"is_default": False})
    assert refused.status_code == 409

    await web("DELETE", f"/api/v1/escalation-policies/{second['id']}")
    assert await defaults(web) == [first["id"]]


async def test_of_policies_made_at_once_one_is_the_default(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    team = await web.a_team()
    in_step(monkeypatch, policies, "has_default")
    body = {"team_id": team["id"], "name": "A"}
    made = await asyncio.gather(*(web("POST", "/api/v1/escalation-policies", body) for _ in range(2)))
    assert [response.status_code for response in made] == [201, 201]
    assert len(await defaults(web)) == 1


async def test_somebody_deactivated_is_on_call_no_more(web: Web) -> None:
    chain = await a_chain(web)
    on_call = f"/api/v1/teams/{chain['team']['id']}/oncall"
    assert [one["user_id"] for one in (await web("GET", on_call)).json()["oncall"]] == [2]
    await web("DELETE", "/api/v1/users/2")
    assert (await web("GET", on_call)).json()["oncall"] == []


async def test_without_a_schedule_nobody_is_on_call(web: Web) -> None:
    team = await web.a_team()
    assert (await web("GET", f"/api/v1/teams/{team['id']}/oncall")).json()["oncall"] == []


async def test_a_source_key_is_shown_once_and_kept_as_its_hash(web: Web, rows: Rows) -> None:
    chain = await a_chain(web)
    path = f"/api/v1/alert-sources/{chain['source']['id']}"
    made = chain["source"]["api_key"]

    shown = (await web("GET", path)).json()
    regenerated = await web("POST", f"{path}/regenerate-key")

    assert shown == {name: value for name, value in chain["source"].items() if name != "api_key"}
    assert shown["masked_api_key"] == f"{made[:8]}…{made[-4:]}"
    key = regenerated.json()["api_key"]
    assert regenerated.headers["cache-control"] == "no-store"
    assert key != made
    assert len(key) == len("pp_") + 43
    assert regenerated.json()["masked_api_key"] == f"{key[:8]}…{key[-4:]}"
    (row,) = await rows("SELECT *, config IS NULL AS has_no_config FROM directory.alert_sources")
    assert row["key_hash"] == hashlib.sha256(key.encode()).digest()
    assert row["has_no_config"]
    assert key not in str(row)
    assert "api_key" not in (await web("GET", "/api/v1/alert-sources")).json()[0]


async def test_the_secret_of_a_source_s_signatures_is_never_shown_and_survives_being_sent_back(
    web: Web, rows: Rows
) -> None:
    team = await web.made("teams", name="Platform")
    config = {"hmac_secret": "s3cret", "flap_seconds": 60}
    source = await web.made("alert-sources", team_id=team["id"], name="G", source_type="grafana", config=config)
    path = f"/api/v1/alert-sources/{source['id']}"
    masked = {"hmac_secret": "********", "flap_seconds": 60}

    async def stored() -> Any:
        return (await rows("SELECT config FROM directory.alert_sources"))[0]["config"]

    assert source["config"] == masked
    assert (await web("GET", path)).json()["config"] == masked
    assert (await web("GET", "/api/v1/alert-sources")).json()[0]["config"] == masked
    assert (await web("POST", f"{path}/regenerate-key")).json()["config"] == masked
    assert await stored() == config

    changed = await web("PATCH", path, {"config": {**masked, "flap_seconds": 90}})
    assert changed.json()["config"] == {"hmac_secret": "********", "flap_seconds": 90}
    assert await stored() == {"hmac_secret": "s3cret", "flap_seconds": 90}

    await web("PATCH", path, {"config": {"hmac_secret": "another"}})
    assert await stored() == {"hmac_secret": "another"}
    await web("PATCH", path, {"config": {}})
    refused = await web("PATCH", path, {"config": masked})
    assert (refused.status_code, await stored()) == (400, {})
    body = {"team_id": team["id"], "name": "H", "source_type": "grafana", "config": masked}
    assert (await web("POST", "/api/v1/alert-sources", body)).status_code == 400


async def test_what_does_not_exist_or_is_not_active_cannot_be_named(web: Web) -> None:
    chain = await a_chain(web)
    other = await web.made("escalation-policies", team_id=(await web.a_team())["id"], name="Theirs")
    team, schedule, gone = chain["team"]["id"], chain["schedule"]["id"], ACCOUNTS["deactivated"]
    assignees = f"escalation-policies/{chain['policy']['id']}/levels/{chain['level']['id']}/assignees"
    hours = {"starts_at": "2027-01-01T00:00:00Z", "ends_at": "2027-01-02T00:00:00Z"}
    source = {"team_id": team, "name": "X", "source_type": "generic"}
    for path, body, detail in (
        ("schedules", {"team_id": 7000, "name": "X"}, "there is no team 7000"),
        ("escalation-policies", {"team_id": 7000, "name": "X"}, "there is no team 7000"),
        ("alert-sources", {**source, "team_id": 7000}, "there is no team 7000"),
        ("alert-sources", {**source, "escalation_policy_id": 7000}, "there is no escalation policy 7000"),
        ("alert-sources", {**source, "escalation_policy_id": other["id"]}, "another team's"),
        (f"teams/{team}/members", {"user_id": 7000}, "there is no user 7000"),
        (f"teams/{team}/members", {"user_id": gone}, f"user {gone} is not active"),
        (f"schedules/{schedule}/entries", {"user_id": gone, **hours}, f"user {gone} is not active"),
        (assignees, {"assignee_type": "user", "user_id": gone}, f"user {gone} is not active"),
        (assignees, {"assignee_type": "schedule", "schedule_id": 7000}, "there is no schedule 7000"),
    ):
        response = await web("POST", f"/api/v1/{path}", body)
        assert response.status_code == 400, (path, response.text)
        assert detail in response.json()["detail"]


async def test_an_assignee_has_exactly_the_id_of_its_type(web: Web) -> None:
    chain = await a_chain(web)
    path = f"/api/v1/escalation-policies/{chain['policy']['id']}/levels/{chain['level']['id']}/assignees"
    schedule = chain["schedule"]["id"]
    for body in (
        {"assignee_type": "user"},
        {"assignee_type": "user", "schedule_id": schedule},
        {"assignee_type": "user", "user_id": 2, "schedule_id": schedule},
        {"assignee_type": "schedule", "user_id": 2},
    ):
        assert (await web("POST", path, body)).status_code == 422, body
    assert (await web("PATCH", f"{path}/{chain['assignee']['id']}", {"user_id": 2})).status_code == 422


async def test_a_nested_row_is_not_there_under_another_parent(web: Web) -> None:
    chain, other = await a_chain(web), await a_chain(web)
    policy, level = other["policy"]["id"], chain["level"]["id"]
    for path in (
        f"escalation-policies/{policy}/levels/{level}",
        f"escalation-policies/{policy}/levels/{level}/assignees",
        f"escalation-policies/{policy}/levels/{level}/assignees/{chain['assignee']['id']}",
        f"schedules/{other['schedule']['id']}/entries/{chain['entry']['id']}",
    ):
        assert (await web("GET", f"/api/v1/{path}")).status_code == 404, path
        assert (await web("DELETE", f"/api/v1/{path}")).status_code in {404, 405}, path
    assert (await web("GET", f"/api/v1/escalation-policies/{chain['policy']['id']}/levels/{level}")).status_code == 200


async def test_members_stay_visible_once_deactivated_and_can_be_removed(web: Web) -> None:
    team, ana = await web.a_team(), await web.a_user()
    members = f"/api/v1/teams/{team['id']}/members"
    await web.made(f"teams/{team['id']}/members", user_id=ana["id"])
    again = await web("POST", members, {"user_id": ana["id"]})
    await web("DELETE", f"/api/v1/users/{ana['id']}")

    (member,) = (await web("GET", members)).json()
    removed = await web("DELETE", f"{members}/{ana['id']}")

    assert again.status_code == 409
    assert (member["user"]["id"], member["user"]["is_active"]) == (ana["id"], False)
    assert removed.status_code == 204
    assert (await web("GET", members)).json() == []


async def a_chain(web: Web) -> dict[str, Any]:
    """A team with one of everything; the responder is on call for the 21st."""
    team = await web.a_team()
    schedule = await web.made("schedules", team_id=team["id"], name="Primary")
    hours = {"starts_at": "2026-05-21T00:00:00Z", "ends_at": "2026-05-22T00:00:00Z"}
    entry = await web.made(f"schedules/{schedule['id']}/entries", user_id=2, **hours)
    policy = await web.made("escalation-policies", team_id=team["id"], name="Days")
    levels = f"escalation-policies/{policy['id']}/levels"
    level = await web.made(levels, level_number=1, timeout_minutes=5)
    on_schedule = {"assignee_type": "schedule", "schedule_id": schedule["id"]}
    assignee = await web.made(f"{levels}/{level['id']}/assignees", **on_schedule)
    source = await web.made("alert-sources", team_id=team["id"], name="Prod", source_type="generic")
    return {
        "team": team,
        "schedule": schedule,
        "entry": entry,
        "policy": policy,
        "level": level,
        "assignee": assignee,
        "source": source,
    }


async def defaults(web: Web) -> list[int]:
    """The ids of all default policies."""
    policies = (await web("GET", "/api/v1/escalation-policies")).json()
    return [policy["id"] for policy in policies if policy["is_default"]]
