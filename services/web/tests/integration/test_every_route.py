"""Who may call what: each row of the endpoint tables, as each kind of caller."""

import re
from typing import Any

import pytest
from pagerpal_common.http import Endpoint
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import Role
from pagerpal_web.api import ENDPOINTS
from pagerpal_web.ui import PAGES, TABLE
from starlette.routing import Route

from .conftest import PASSWORD, Web
from .test_incidents import insert_incident

GUARDED = [row for row in ENDPOINTS if row.allow is not None]
WRITES = {"POST", "PUT", "PATCH", "DELETE"}
RANK = {"viewer": 0, "responder": 1, "admin": 2}

# A well-formed body that names nothing which exists: whoever may call gets as far as 400 or 404, and changes nothing.
BODIES: dict[str, Any] = {
    "NewUser": {"name": "X", "email": "admin@example.org", "role": "viewer"},
    "NewContactMethod": {"channel": "sms", "address": "+491701234567"},
    "NewRule": {"severity": "any", "contact_method_id": 999, "delay_seconds": 0},
    "NewTeam": {"name": "X"},
    "NewMember": {"user_id": 999},
    "NewSchedule": {"team_id": 999, "name": "X"},
    "NewEntry": {"user_id": 999, "starts_at": "2026-05-21T00:00:00Z", "ends_at": "2026-05-22T00:00:00Z"},
    "NewRotation": {"name": "X", "user_ids": [999], "kind": "weekly", "handoff_at": "2026-05-21T09:00"},
    "NewPolicy": {"team_id": 999, "name": "X"},
    "NewLevel": {"level_number": 1, "timeout_minutes": 5},
    "NewAssignee": {"assignee_type": "user", "user_id": 999},
    "NewSource": {"team_id": 999, "name": "X", "source_type": "generic"},
    "Simulation": {"team_id": 999},
    "ActingUser": {"user_id": 999},
    "Escalation": {"user_id": 999},
    "NewNote": {"user_id": 999, "text": "X"},
    "LogIn": {"email": "nobody@example.org", "password": "not the password"},
    "FirstAdmin": {"email": "admin@example.org", "name": "X", "password": "correct horse battery"},
    "NewPassword": {"current_password": "not the password", "new_password": "correct horse battery 2"},
}


async def a_world(web: Web, rows: Rows) -> dict[str, int]:
    """One of everything; the id that each name in a path stands for."""
    user, team = await web.a_user(), await web.a_team()
    method = await web.made(f"users/{user['id']}/contact-methods", channel="sms", address="+491701234567")
    rule = await web.made(f"users/{user['id']}/notification-rules", severity="any", channel="email", delay_seconds=0)
    await web.made(f"teams/{team['id']}/members", user_id=user["id"])
    schedule = await web.made("schedules", team_id=team["id"], name="First line")
    shift = {"user_id": user["id"], "starts_at": "2026-05-21T00:00:00Z", "ends_at": "2026-05-22T00:00:00Z"}
    entry = await web.made(f"schedules/{schedule['id']}/entries", **shift)
    turns = {"user_ids": [user["id"]], "kind": "weekly", "handoff_at": "2026-05-04T09:00:00"}
    rotation = await web.made(f"schedules/{schedule['id']}/rotations", name="Weeks", **turns)
    policy = await web.made("escalation-policies", team_id=team["id"], name="Default")
    levels = f"escalation-policies/{policy['id']}/levels"
    level = await web.made(levels, level_number=1, timeout_minutes=5)
    assignee = await web.made(f"{levels}/{level['id']}/assignees", assignee_type="user", user_id=user["id"])
    source = await web.made("alert-sources", team_id=team["id"], name="Grafana", source_type="grafana")
    return {
        "user_id": user["id"],
        "method_id": method["id"],
        "rule_id": rule["id"],
        "team_id": team["id"],
        "schedule_id": schedule["id"],
        "entry_id": entry["id"],
        "rotation_id": rotation["id"],
        "policy_id": policy["id"],
        "level_id": level["id"],
        "assignee_id": assignee["id"],
        "source_id": source["id"],
        "incident_id": await insert_incident(rows),
    }


def named(row: Endpoint) -> str:
    return f"{row.method} {row.path}"


def at_nothing(row: Endpoint) -> tuple[str, Any]:
    """The row's path with ids that nothing has, and a body for it."""
    path = re.sub(r"\{\w+:int\}", "999", row.path)
    takes = row.takes.__name__ if row.takes and row.method in WRITES else None
    return path, BODIES.get(takes or "", {} if takes else None)


@pytest.mark.parametrize("row", GUARDED, ids=named)
async def test_only_who_may_call_a_route_gets_in(row: Endpoint, web: Web, rows: Rows) -> None:
    path, body = at_nothing(row)
    key = (await web.made("alert-sources", team_id=(await web.a_team())["id"], name="X", source_type="generic"))[
        "api_key"
    ]
    sessions = {who: await web.session(who) for who in RANK}
    gone = await a_session_of_somebody_deactivated(web, rows)

    outsiders = [
        await web(row.method, path, body, who="admin", password="not the password"),
        await web(row.method, path, body, who="stranger"),
        await web(row.method, path, body, who="deactivated"),
        await web(row.method, path, body, who="passwordless"),
        await web(row.method, path, body, who="passwordless", password=""),
    ]
    strangers = [
        await web(row.method, path, body, who=None),
        await web.client.request(row.method, path, json=body, headers={"x-api-key": key}),
        await web.client.request(row.method, path, json=body, headers={"authorization": f"Bearer {key}"}),
        await web.by_session(gone, row.method, path, body),
        await web.by_session("x.y.z", row.method, path, body),
        await web.by_session("", row.method, path, body),
    ]

    for response in (*outsiders, *strangers):
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Basic ")
    assert {response.text for response in outsiders} == {'{"detail":"wrong email address or password"}'}
    assert row.allow is not None
    for who, rank in RANK.items():
        by_password = await web(row.method, path, body, who=who)
        by_session = await web.by_session(sessions[who], row.method, path, body)
        for response in (by_password, by_session):
            if rank < RANK[row.allow]:
                assert (response.status_code, response.json()) == (403, {"detail": f"this needs the role {row.allow}"})
            else:
                assert response.status_code in {200, 201, 204, 400, 404, 409}, response.text


async def a_session_of_somebody_deactivated(web: Web, rows: Rows) -> str:
    """Behind the API's back, which would have ended it."""
    person = await web.a_user(role="admin", password=PASSWORD)
    session = await web.session(person["email"].partition("@")[0])
    await rows("UPDATE directory.users SET is_active = false WHERE id = :id", id=person["id"])
    return session


@pytest.mark.parametrize("row", [row for row in ENDPOINTS if row.method in WRITES], ids=named)
async def test_another_sites_page_changes_nothing_whatever_the_browser_brings_along(row: Endpoint, web: Web) -> None:
    path, body = at_nothing(row)
    session = await web.session()
    for said in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        by_session = await web.by_session(session, row.method, path, body, **said)
        by_password = await web.client.request(
            row.method, path, json=body, headers=said, auth=("admin@example.org", PASSWORD)
        )
        assert [by_session.status_code, by_password.status_code] == [403, 403], said


@pytest.mark.parametrize("row", [row for row in GUARDED if row.method in WRITES and "/api/" in row.path], ids=named)
async def test_with_a_cookie_only_json_is_taken(row: Endpoint, web: Web) -> None:
    path, body = at_nothing(row)
    session = await web.session()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        response = await web.by_session(session, row.method, path, body or {}, **{"content-type": kind})
        assert response.status_code == 415, kind


@pytest.mark.parametrize("row", [row for row in GUARDED if "{" in row.path], ids=named)
async def test_an_unknown_id_in_the_path_is_404_even_beyond_what_the_database_can_count(
    row: Endpoint, web: Web
) -> None:
    _, body = at_nothing(row)
    for number in ("999", "0", "9223372036854775808", "9" * 5000):
        response = await web(row.method, re.sub(r"\{\w+:int\}", number, row.path), body)
        assert response.status_code == 404, response.text


WITH_BODY = [row for row in GUARDED if row.method in WRITES and row.takes]


@pytest.mark.parametrize("row", [row for row in WITH_BODY if "{" in row.path], ids=named)
async def test_what_is_wrong_with_a_body_is_said_only_of_what_is_there(row: Endpoint, web: Web) -> None:
    """Nobody learns from a 422 that something exists, or is told to mend a body for what does not (S2)."""
    path, _ = at_nothing(row)
    bodies: tuple[Any, ...] = ({"unknown": 1}, ["no object"], {"config": [[[]]]})
    for body in bodies:
        response = await web(row.method, path, body)
        assert response.status_code == 404, response.text


@pytest.mark.parametrize("row", WITH_BODY, ids=named)
async def test_a_body_with_an_unknown_field_is_refused(row: Endpoint, web: Web, rows: Rows) -> None:
    _, body = at_nothing(row)
    world = await a_world(web, rows)
    path = re.sub(r"\{(\w+):int\}", lambda found: str(world[found[1]]), row.path)
    response = await web(row.method, path, {**body, "password_hash": "secret-echo"})
    assert response.status_code == 422, response.text
    assert [problem["loc"] for problem in response.json()["detail"]] == [["body", "password_hash"]]
    assert "secret-echo" not in response.text


OPEN = ["/health", "/login", "/bootstrap/admin", "/openapi.json", "/docs"]
ONES_OWN = {
    "/logout",
    "/api/v1/auth/account",
    "/api/v1/auth/password",
    "/api/v1/auth/sessions/{session_id:int}",
}
ONES_OWN_WAYS = ("/api/v1/users/{user_id:int}/contact-methods", "/api/v1/users/{user_id:int}/notification-rules")
"""Of whoever is in the path, and of admins, as their handlers see to (`test_contact_methods.py`)."""
FOR_ADMINS = {"/api/v1/audit"}


def test_reading_needs_an_account_acting_a_responder_and_everything_else_an_admin() -> None:
    for row in GUARDED:
        is_action = row.method == "POST" and (
            row.path.startswith("/api/v1/incidents/") or row.path.endswith("/test-alert")
        )
        is_reading = row.method == "GET" or row.path == "/api/v1/simulate"  # whose question has a body
        is_anybodys = (is_reading and row.path not in FOR_ADMINS) or row.path in ONES_OWN
        is_anybodys = is_anybodys or row.path.startswith(ONES_OWN_WAYS)
        expected = Role.VIEWER if is_anybodys else Role.RESPONDER if is_action else Role.ADMIN
        assert row.allow is expected, named(row)
    assert [row.path for row in ENDPOINTS if row.allow is None] == OPEN


def test_without_an_account_pages_change_nothing_but_by_a_signed_link_or_to_make_or_open_one() -> None:
    guarded = {(page.method, page.path) for page in TABLE if page.allow is not None}
    open_to_all = [named(row) for row in PAGES if row.method in WRITES and (row.method, row.path) not in guarded]
    assert open_to_all == ["POST /a/{token}", "POST /login/enter", "POST /login/begin"]


def test_no_route_is_outside_the_table(web: Web) -> None:
    app = web.client._transport.app  # type: ignore[attr-defined]
    listed = {(row.method, row.path) for row in (*ENDPOINTS, *PAGES)}
    served = {
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route)
        for method in set(route.methods or ()) - {"HEAD"}
    }
    assert served - listed == {("GET", "/livez"), ("GET", "/readyz")}


async def test_health_is_public(web: Web) -> None:
    response = await web("GET", "/health", who=None)
    assert (response.status_code, response.json()["status"]) == (200, "ok")
