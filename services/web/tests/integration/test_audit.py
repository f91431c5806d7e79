"""Who did what, when and from where? The audit log, line by line."""

from collections.abc import Callable
from typing import Any

import pytest
from pagerpal_common.db import Database
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web.admins import NewAdmin, make_admin
from pagerpal_web.storage import resources
from pagerpal_web.storage.audit import Action
from pydantic import SecretStr

from .conftest import ACCOUNTS, PASSWORD, T0, Web
from .test_setting_up import a_chain

AUDIT = "/api/v1/audit"


def told(events: Any) -> list[tuple[Any, ...]]:
    """The heart of each line, the oldest first."""
    return [(event["action"], event["target_kind"], event["target_id"]) for event in reversed(events)]


async def test_a_change_says_who_when_from_where_in_which_request_and_what_is_different(web: Web, clock: Clock) -> None:
    team = await web.made("teams", name="Platform", description="keeps it up")
    clock.advance(minutes=1)

    response = await web.at("192.0.2.7").client.patch(
        f"/api/v1/teams/{team['id']}",
        json={"name": "Core", "description": "keeps it up"},
        auth=("admin@example.org", PASSWORD),
        headers={"x-request-id": "from-the-proxy-1"},
    )

    assert response.headers["x-request-id"] == "from-the-proxy-1"
    event = (await web.audit())[0]
    event.pop("id")
    assert event == {
        "created_at": "2026-05-21T12:01:00Z",
        "action": "changed",
        "actor_user_id": ACCOUNTS["admin"],
        "actor_name": "admin",
        "ip": "192.0.2.7",
        "request_id": "from-the-proxy-1",
        "target_kind": "team",
        "target_id": team["id"],
        "before": {"name": "Platform"},
        "after": {"name": "Core"},
        "data": {},
    }


async def test_every_resource_leaves_a_line_for_each_thing_that_is_done_to_it(web: Web) -> None:
    chain = await a_chain(web)
    policy, level = chain["policy"]["id"], chain["level"]["id"]
    paths = {
        "alert_source": f"alert-sources/{chain['source']['id']}",
        "assignee": f"escalation-policies/{policy}/levels/{level}/assignees/{chain['assignee']['id']}",
        "escalation_level": f"escalation-policies/{policy}/levels/{level}",
        "escalation_policy": f"escalation-policies/{policy}",
        "schedule_entry": f"schedules/{chain['schedule']['id']}/entries/{chain['entry']['id']}",
        "schedule": f"schedules/{chain['schedule']['id']}",
        "team": f"teams/{chain['team']['id']}",
    }
    changes: dict[str, Any] = {
        "assignee": {"assignee_type": "user", "user_id": 2, "schedule_id": None},
        "escalation_level": {"timeout_minutes": 99},
        "schedule_entry": {"ends_at": "2026-06-01T00:00:00Z"},
    }
    made = {(action, kind) for action, kind, _ in told(await web.audit()) if action == "created"}
    assert made >= {("created", kind) for kind in paths}
    for kind, path in paths.items():
        change = changes.get(kind, {"name": "Another name"})
        changed = (await web("PATCH", f"/api/v1/{path}", change)).json()
        assert (await web("PATCH", f"/api/v1/{path}", change)).status_code == 200, "again, which changes nothing"
        assert (await web("DELETE", f"/api/v1/{path}")).status_code == 204
        deleted, updated = (await web.audit(f"&target_kind={kind}&target_id={changed['id']}"))[:2]
        assert [event["action"] for event in (updated, deleted)] == ["changed", "deleted"]
        assert updated["after"] == change
        assert updated["before"].keys() == change.keys()
        assert deleted["before"] == changed
        assert deleted["after"] is None


async def test_a_membership_and_parts_that_go_with_their_whole_are_told_of(web: Web) -> None:
    chain = await a_chain(web)
    team, schedule = chain["team"]["id"], chain["schedule"]["id"]
    member = await web.made(f"teams/{team}/members", user_id=ACCOUNTS["viewer"])
    assert (await web("DELETE", f"/api/v1/teams/{team}/members/{ACCOUNTS['viewer']}")).status_code == 204
    assert told(await web.audit("&target_kind=team_member"))[-2:] == [
        ("created", "team_member", member["id"]),
        ("deleted", "team_member", member["id"]),
    ]

    await web("DELETE", f"/api/v1/escalation-policies/{chain['policy']['id']}")
    (policy,) = await web.audit("&target_kind=escalation_policy&action=deleted")
    assert policy["data"] == {"parts": {"assignee": 1, "escalation_level": 1}}
    await web("DELETE", f"/api/v1/schedules/{schedule}")
    (gone,) = await web.audit("&target_kind=schedule&action=deleted")
    assert gone["data"] == {"parts": {"schedule_entry": 1}}


async def test_a_policy_that_becomes_the_default_takes_it_from_another_and_both_are_told(web: Web) -> None:
    team = await web.a_team()
    first = await web.made("escalation-policies", team_id=team["id"], name="First")
    second = await web.made("escalation-policies", team_id=team["id"], name="Second", is_default=True)
    await web("DELETE", f"/api/v1/escalation-policies/{second['id']}")

    policies = [
        (event["action"], event["target_id"], (event["after"] or {}).get("is_default"))
        for event in reversed(await web.audit("&target_kind=escalation_policy"))
    ]
    assert policies == [
        ("created", first["id"], True),
        ("changed", first["id"], False),
        ("created", second["id"], True),
        ("deleted", second["id"], None),
        ("changed", first["id"], True),
    ]


async def test_people_their_roles_and_their_passwords(web: Web) -> None:
    user = await web.made("users", name="Ana", email="ana@example.org", role="viewer", password="a planted password")
    path = f"/api/v1/users/{user['id']}"
    await web("PATCH", path, {"role": "responder", "name": "Ana B."})
    await web("PATCH", path, {"password": "another planted password"})
    await web("PATCH", path, {"password": None})
    await web("PATCH", path, {"password": None})
    await web("DELETE", path)

    events = (await web.audit(f"&target_kind=user&target_id={user['id']}"))[::-1]
    assert [(event["action"], event["before"], event["after"], event["data"]) for event in events[1:]] == [
        ("password_changed", None, None, {"has_password": True}),
        ("changed", {"name": "Ana", "role": "viewer"}, {"name": "Ana B.", "role": "responder"}, {}),
        ("role_changed", {"role": "viewer"}, {"role": "responder"}, {}),
        ("password_changed", None, None, {"has_password": True}),
        ("password_changed", None, None, {"has_password": False}),
        ("changed", {"is_active": True}, {"is_active": False}, {}),
    ]
    assert events[0]["action"] == "created"
    assert events[0]["after"]["email"] == "ana@example.org"


async def test_a_key_that_is_shown_is_told_of_and_not_shown_there(web: Web, rows: Rows) -> None:
    team = await web.a_team()
    source = await web.made("alert-sources", team_id=team["id"], name="X", source_type="generic")
    new = (await web("POST", f"/api/v1/alert-sources/{source['id']}/regenerate-key")).json()

    events = await web.audit(f"&target_kind=alert_source&target_id={source['id']}")
    assert [event["action"] for event in reversed(events)] == ["created", "key_revealed", "changed", "key_revealed"]
    assert events[1]["after"] == {"masked_api_key": new["masked_api_key"]}
    kept = repr(await rows("SELECT * FROM directory.audit_events"))
    assert source["api_key"] not in kept
    assert new["api_key"] not in kept


async def test_logins_logouts_and_ends_of_sessions(web: Web, clock: Clock) -> None:
    session, other = await web.session("viewer"), await web.session("viewer")
    listed = (await web.by_session(session, "GET", "/api/v1/auth/sessions")).json()
    await web.by_session(session, "DELETE", f"/api/v1/auth/sessions/{listed[1]['id']}")
    await web.by_session(session, "POST", "/logout")
    await web.by_session(other, "POST", "/logout")

    events = (await web.audit())[::-1]
    assert [(event["action"], event["actor_user_id"], event["data"]) for event in events] == [
        ("login", ACCOUNTS["viewer"], {"by": "login"}),
        ("login", ACCOUNTS["viewer"], {"by": "login"}),
        ("session_ended", ACCOUNTS["viewer"], {}),
        ("logout", ACCOUNTS["viewer"], {}),
    ]


async def test_a_script_is_one_login_for_twelve_hours_from_each_address(web: Web, clock: Clock, rows: Rows) -> None:
    for address in ("192.0.2.7", "192.0.2.7", "192.0.2.8"):
        await web.at(address)("GET", "/api/v1/teams", who="viewer")
    clock.advance(hours=11)
    await web.at("192.0.2.7")("GET", "/api/v1/teams", who="viewer")
    clock.advance(hours=1)
    await web.at("192.0.2.7")("GET", "/api/v1/teams", who="viewer")

    lines = await rows("SELECT ip, data FROM directory.audit_events WHERE action = 'login' ORDER BY id")
    assert [(line["ip"], line["data"]) for line in lines] == [
        ("192.0.2.7", {"by": "basic"}),
        ("192.0.2.8", {"by": "basic"}),
        ("192.0.2.7", {"by": "basic"}),
    ]


async def test_ones_own_password_right_and_wrong(web: Web) -> None:
    session = await web.session("viewer")
    path = "/api/v1/auth/password"
    await web.by_session(session, "POST", path, {"current_password": "x", "new_password": "new-long-password"})
    await web.by_session(session, "POST", path, {"current_password": PASSWORD, "new_password": "new-long-password"})
    right, wrong = (await web.audit())[:2]
    viewer = ACCOUNTS["viewer"]
    assert (wrong["action"], wrong["actor_user_id"], wrong["target_id"]) == ("login_failed", viewer, viewer)
    assert wrong["data"] == {"by": "password change"}
    assert (right["action"], right["actor_user_id"], right["target_id"]) == ("password_changed", viewer, viewer)


async def test_what_the_script_does_is_nobodys_and_from_nowhere(
    web: Web, database: Callable[[str | None], Database]
) -> None:
    for email in ("new@example.org", "viewer@example.org"):
        await make_admin(database("web"), NewAdmin(email=email, password=SecretStr("new-long-password")), T0)
    events = (await web.audit())[::-1]
    assert [(event["action"], event["target_id"]) for event in events] == [
        ("created", 6),
        ("password_changed", 6),
        ("changed", ACCOUNTS["viewer"]),
        ("role_changed", ACCOUNTS["viewer"]),
        ("password_changed", ACCOUNTS["viewer"]),
    ]
    assert {(event["actor_user_id"], event["ip"], event["request_id"]) for event in events} == {(None, None, None)}


async def test_what_is_refused_or_fails_leaves_no_line(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = await a_chain(web)
    before = len(await web.audit())
    for method, path, body in (
        ("DELETE", f"teams/{chain['team']['id']}", None),
        ("DELETE", "users/1", None),
        ("PATCH", "users/1", {"role": "viewer"}),
        ("POST", "users", {"name": "X", "email": "ADMIN@example.org", "role": "viewer"}),
        ("PATCH", "users/3", {"email": "admin@example.org"}),
        ("PATCH", "teams/999", {"name": "X"}),
    ):
        assert (await web(method, f"/api/v1/{path}", body)).status_code in {404, 409}, path
    assert len(await web.audit()) == before


async def test_a_change_that_cannot_be_logged_is_not_made(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the log cannot be written")

    monkeypatch.setattr(resources, "record", fail)
    with pytest.raises(RuntimeError):
        await web("POST", "/api/v1/teams", {"name": "X"})
    assert (await web("GET", "/api/v1/teams")).json() == []


async def test_telephone_numbers_are_masked_and_nothing_secret_is_in_a_line(web: Web, rows: Rows) -> None:
    user = await web.made("users", name="Ana", email="ana@example.org", role="viewer", phone="+491701234567")
    await web("PATCH", f"/api/v1/users/{user['id']}", {"phone": "+491709994567"})
    team = await web.made("teams", name="T", description="call +491701234567, key pp_" + "x" * 43)
    app = await web.made("teams", name="App Production-EU", description="https://ana:planted@wiki.example/app")
    await web.made(f"teams/{team['id']}/members", user_id=user["id"])

    (changed,) = await web.audit("&action=changed")
    assert (changed["before"], changed["after"]) == ({"phone": "+49…4567"}, {"phone": "+49…4567"})
    kept = repr(await rows("SELECT * FROM directory.audit_events"))
    (plain,) = await web.audit(f"&target_kind=team&target_id={app['id']}")
    assert plain["after"]["name"] == "App Production-EU"
    for secret in ("1701234567", "1709994567", "pp_xxx", "argon2", "planted"):
        assert secret not in kept


async def test_the_log_is_read_newest_first_filtered_and_in_stretches(web: Web, clock: Clock) -> None:
    for name in ("A", "B", "C"):
        clock.advance(hours=1)
        await web.made("teams", name=name)
    await web.session("viewer")

    newest = (await web("GET", f"{AUDIT}?limit=2")).json()
    older = (await web("GET", f"{AUDIT}?limit=2&after={newest[-1]['id']}")).json()
    assert [event["id"] for event in newest + older] == sorted((e["id"] for e in newest + older), reverse=True)
    assert len({event["id"] for event in newest + older}) == 4
    names = {
        "target_kind=team": ["C", "B", "A"],
        "target_kind=team&from=2026-05-21T14:00:00Z": ["C", "B"],
        "target_kind=team&to=2026-05-21T14:00:00Z": ["A"],
        "target_kind=team&from=2026-05-21T14:00:00Z&to=2026-05-21T15:00:00Z": ["B"],
        "action=created&actor_user_id=1": ["C", "B", "A"],
        "action=created&actor_user_id=2": [],
        "target_id=2&target_kind=team": ["B"],
        "action=key_revealed": [],
    }
    for query, expected in names.items():
        found = (await web("GET", f"{AUDIT}?{query}")).json()
        assert [event["after"]["name"] for event in found] == expected, query
    assert [e["actor_user_id"] for e in await web.audit("&action=login")] == [ACCOUNTS["viewer"]]


@pytest.mark.parametrize(
    "query",
    [
        "action=nonsense",
        "target_kind=x'--",
        "actor_user_id=0",
        "from=yesterday",
        "to=2026-05-21",
        "limit=0",
        "after=-1",
    ],
)
async def test_a_filter_that_makes_no_sense_is_422(query: str, web: Web) -> None:
    assert (await web("GET", f"{AUDIT}?{query}")).status_code == 422


def test_every_action_has_a_test_that_names_it() -> None:
    assert set(Action) == {
        "login", "login_failed", "logout", "session_ended", "bootstrap", "password_changed", "role_changed",
        "key_revealed", "created", "changed", "deleted", "sms_reply", "sms_reply_ignored",
    }  # fmt: skip
