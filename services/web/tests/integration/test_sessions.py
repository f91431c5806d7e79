"""Who stays logged in, for how long, and what ends it?"""

import asyncio
import hashlib
from http.cookies import SimpleCookie
from typing import Any, cast

import httpx
import pytest
from pagerpal_common.bus import Bus
from pagerpal_common.http import application
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web.domain.session import PER_PERSON
from pagerpal_web.secret_key import load_keys
from pagerpal_web.service import build
from pagerpal_web.sessions import AUDIENCE, COOKIE
from pagerpal_web.storage import sessions, users
from pagerpal_web.tokens import Tokens

from .conftest import ACCOUNTS, PASSWORD, T0, Broker, Web, in_step, settings

TEAMS = "/api/v1/teams"
SESSIONS = "/api/v1/auth/sessions"
ADMIN = {"email": "admin@example.org", "password": PASSWORD}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def cookie_of(response: httpx.Response) -> Any:
    """The session's cookie with its attributes."""
    cookies: SimpleCookie = SimpleCookie(response.headers["set-cookie"])
    return cookies[COOKIE]


async def is_in(web: Web, session: str) -> bool:
    """Whether the cookie opens anything."""
    response = await web.by_session(session, "GET", TEAMS)
    assert response.status_code in {200, 401}
    return response.status_code == 200


async def test_json_is_answered_with_the_account_and_a_cookie_that_opens_the_api(web: Web) -> None:
    response = await web.client.post("/login", json=ADMIN)

    assert response.status_code == 200
    assert response.json()["user"]["email"] == "admin@example.org"
    assert response.json()["user"]["last_login_at"] == "2026-05-21T12:00:00Z"
    assert response.headers["cache-control"] == "no-store"
    cookie = cookie_of(response)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "lax", "/", "")
    assert cookie["max-age"] == str(7 * 24 * 3600)
    assert await is_in(web, cookie.value)


async def test_a_form_is_answered_with_the_way_on(web: Web) -> None:
    response = await web.client.post("/login", data=ADMIN)
    assert (response.status_code, response.headers["location"], response.content) == (303, "/dashboard", b"")
    assert await is_in(web, cookie_of(response).value)

    in_form = await web.client.post("/login", data={**ADMIN, "next": "/incidents/42"})
    in_query = await web.client.post("/login?next=/incidents/42", data=ADMIN)
    assert in_form.headers["location"] == in_query.headers["location"] == "/incidents/42"


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "/%2fevil.example"])
async def test_a_login_leads_to_no_other_site(elsewhere: str, web: Web) -> None:
    """All of them are in test_origins.py."""
    in_form = await web.client.post("/login", data={**ADMIN, "next": elsewhere})
    in_query = await web.client.post("/login", data=ADMIN, params={"next": elsewhere})
    in_json = await web.client.post("/login", json={**ADMIN, "next": elsewhere})
    assert {in_form.headers["location"], in_query.headers["location"], in_json.json()["next"]} == {"/dashboard"}


async def test_curl_calls_json_a_form_and_is_understood(web: Web) -> None:
    body = f'{{"email": "admin@example.org", "password": "{PASSWORD}"}}'
    response = await web.client.post("/login", content=body, headers=FORM)
    assert (response.status_code, response.json()["user"]["id"]) == (200, 1)


async def test_in_production_the_cookie_goes_over_tls_alone(
    database_url: str, web: Web, broker: Broker, clock: Clock
) -> None:
    service = build(settings(database_url, PAGERPAL_ENV="production"), cast(Bus, broker), clock)
    app = application([service], cast(Bus, broker))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pagerpal") as client:
        response = await client.post("/login", json=ADMIN)
    await service.close()
    assert cookie_of(response)["secure"] is True


@pytest.mark.parametrize("kind", ["JSON", "form"])
async def test_whoever_gets_it_wrong_is_told_no_more_than_that_and_no_browser_asks_for_a_password(
    kind: str, web: Web
) -> None:
    for change in (
        {"password": "not the password"},
        {"email": "stranger@example.org"},
        {"email": "deactivated@example.org"},
        {"email": "passwordless@example.org"},
        {"email": "passwordless@example.org", "password": ""},
        {"email": "admin@example.org\0"},
        {"password": PASSWORD + " "},
    ):
        given = {**ADMIN, **change}
        sent = web.client.post("/login", json=given) if kind == "JSON" else web.client.post("/login", data=given)
        response = await sent
        assert response.status_code == 401
        assert response.json() == {"detail": "wrong email address or password"}
        assert "basic" not in response.headers["www-authenticate"].lower()
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    "body", [{}, {"email": "a"}, {**ADMIN, "role": "admin"}, {**ADMIN, "password": "x" * 1025}, {**ADMIN, "email": 7}]
)
async def test_a_login_that_is_none_is_422_and_echoes_nothing(body: dict[str, Any], web: Web) -> None:
    response = await web.client.post("/login", json=body)
    assert response.status_code == 422
    assert PASSWORD not in response.text


async def test_only_a_digest_of_what_is_secret_is_kept(web: Web, database_url: str, rows: Rows) -> None:
    token = await web.session()
    claims = Tokens(AUDIENCE, load_keys(settings(database_url)).ring(AUDIENCE)).read(token, at=T0)
    (row,) = await rows("SELECT * FROM directory.sessions")
    assert claims is not None
    assert claims.subject == str(row["user_id"])
    assert row["token_hash"] == hashlib.sha256(claims.number.encode()).digest()
    for secret in (token, claims.number):
        assert secret not in repr(row)


async def test_a_session_ends_after_twelve_hours_without_a_request(web: Web, clock: Clock) -> None:
    used, unused = await web.session(), await web.session()
    for _ in range(3):
        clock.advance(hours=11, minutes=59)
        assert await is_in(web, used)
    assert not await is_in(web, unused)
    clock.advance(hours=12)
    assert not await is_in(web, used)


async def test_a_session_ends_after_a_week_however_much_it_is_used(web: Web, clock: Clock) -> None:
    session = await web.session()
    for _ in range(7 * 24 - 1):
        clock.advance(hours=1)
        assert await is_in(web, session)
    clock.advance(hours=1)
    assert not await is_in(web, session)


async def test_when_a_session_was_seen_is_written_once_a_minute(web: Web, clock: Clock, rows: Rows) -> None:
    session = await web.session()
    seen = []
    for seconds in (30, 29, 1, 59):
        clock.advance(seconds=seconds)
        await is_in(web, session)
        (row,) = await rows("SELECT last_seen_at - created_at AS after FROM directory.sessions")
        seen.append(row["after"].total_seconds())
    assert seen == [0, 0, 60, 60]


async def test_a_logout_ends_the_session_and_takes_the_cookie_back(web: Web) -> None:
    session, other = await web.session(), await web.session()

    response = await web.by_session(session, "POST", "/logout")

    assert response.status_code == 204
    assert (cookie_of(response).value, cookie_of(response)["max-age"]) == ("", "0")
    assert not await is_in(web, session)
    assert await is_in(web, other)
    assert (await web.by_session(session, "POST", "/logout")).status_code == 401


async def test_a_form_that_logs_out_is_led_to_the_login(web: Web) -> None:
    session = await web.session()
    response = await web.by_session(session, "POST", "/logout", **FORM)
    assert (response.status_code, response.headers["location"]) == (303, "/login")
    assert not await is_in(web, session)


async def test_whoever_brings_a_password_has_nothing_to_log_out_of(web: Web) -> None:
    session = await web.session()
    assert (await web("POST", "/logout")).status_code == 204
    assert await is_in(web, session)


@pytest.mark.parametrize(
    "change",
    [{"role": "responder"}, {"is_active": False}, {"password": "another password"}, {"password": None}],
    ids=str,
)
async def test_a_new_role_a_deactivation_and_a_new_password_end_somebodys_sessions_at_once(
    change: dict[str, Any], web: Web
) -> None:
    viewer, somebody_else = await web.session("viewer"), await web.session("responder")

    assert (await web("PATCH", f"/api/v1/users/{ACCOUNTS['viewer']}", change)).status_code == 200

    assert not await is_in(web, viewer)
    assert await is_in(web, somebody_else)
    if change == {"is_active": False}:
        await web("PATCH", f"/api/v1/users/{ACCOUNTS['viewer']}", {"is_active": True})
        assert not await is_in(web, viewer)


async def test_any_other_change_ends_nobodys_session(web: Web) -> None:
    viewer = await web.session("viewer")
    for change in ({"name": "Vi"}, {"phone": "+491701234567"}, {"role": "viewer"}, {"is_active": True}, {}):
        assert (await web("PATCH", f"/api/v1/users/{ACCOUNTS['viewer']}", change)).status_code == 200
    assert await is_in(web, viewer)


async def test_a_delete_of_a_person_is_a_deactivation_and_ends_their_sessions(web: Web) -> None:
    viewer = await web.session("viewer")
    assert (await web("DELETE", f"/api/v1/users/{ACCOUNTS['viewer']}")).status_code == 204
    assert not await is_in(web, viewer)


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"password": None}, {"password": "another password"}], ids=str
)
async def test_a_login_that_crosses_a_deactivation_or_a_new_password_leaves_no_session(
    change: dict[str, Any], web: Web, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is right when it is checked, and nothing any more when the session would be opened."""
    viewer = f"/api/v1/users/{ACCOUNTS['viewer']}"
    original = sessions.open_session

    async def late(*arguments: Any, **more: Any) -> Any:
        assert (await web("PATCH", viewer, change)).status_code == 200
        return await original(*arguments, **more)

    monkeypatch.setattr(sessions, "open_session", late)
    response = await web.client.post("/login", json={**ADMIN, "email": "viewer@example.org"})

    assert response.status_code == 401
    assert await rows("SELECT * FROM directory.sessions") == []


NEW_PASSWORD = {"current_password": PASSWORD, "new_password": "new-long-password"}


@pytest.mark.parametrize(
    ("who", "method", "path", "body"),
    [
        ("admin", "DELETE", f"/api/v1/users/{ACCOUNTS['viewer']}", None),
        ("viewer", "POST", "/api/v1/auth/password", NEW_PASSWORD),
    ],
    ids=["a deactivation", "a new password"],
)
async def test_what_ends_sessions_waits_for_a_login_that_is_under_way_and_ends_its_session(
    who: str, method: str, path: str, body: Any, web: Web, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await web("GET", TEAMS, who=who)).status_code == 200
    opened, original = asyncio.Event(), users.note_login

    async def slow(*arguments: Any) -> None:
        opened.set()
        await asyncio.sleep(0.5)  # the other one comes meanwhile, and has to wait
        await original(*arguments)

    monkeypatch.setattr(users, "note_login", slow)
    login = asyncio.create_task(web.client.post("/login", json={**ADMIN, "email": "viewer@example.org"}))
    await opened.wait()
    other = await web(method, path, body, who=who)

    assert ((await login).status_code, other.status_code) == (200, 204)
    assert await rows("SELECT * FROM directory.sessions") == []


async def test_two_logins_of_one_person_at_once_are_two_sessions(
    web: Web, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_step(monkeypatch, users, "note_login")
    both = await asyncio.gather(*(web.at("192.0.2.7").client.post("/login", json=ADMIN) for _ in range(2)))
    assert [response.status_code for response in both] == [200, 200]
    assert len(await rows("SELECT * FROM directory.sessions")) == 2


async def test_a_login_gets_a_number_of_its_own_and_ends_the_browsers_session_before(web: Web) -> None:
    first = cookie_of(await web.client.post("/login", json=ADMIN)).value
    second = cookie_of(await web.client.post("/login", json={**ADMIN, "email": "viewer@example.org"})).value
    assert first != second
    assert not await is_in(web, first)
    assert await is_in(web, second)


async def test_a_number_that_somebody_planted_is_not_taken_over(web: Web) -> None:
    planted = await web.session("viewer")
    response = await web.by_session(planted, "POST", "/login", ADMIN)
    assert response.status_code == 200
    assert cookie_of(response).value != planted
    assert not await is_in(web, planted)


async def test_a_cookie_of_another_key_of_another_purpose_or_changed_is_worth_nothing(web: Web) -> None:
    session = await web.session()
    head, content, signature = session.split(".")
    for forged in (f"{head}.{content}.{'A' * 43}", f"{head}.{content}", session[:-2], f"{head}..{signature}"):
        assert not await is_in(web, forged)


async def test_a_cookie_is_good_on_every_replica_and_under_the_key_before(
    web: Web, database_url: str, broker: Broker, clock: Clock
) -> None:
    session = await web.session()
    key = "another planted secret key of more than 32 bytes"
    before = "a planted secret key of 32 bytes and more"
    found = []
    for told in (
        {},
        {"PAGERPAL_SECRET_KEY": key, "PAGERPAL_SECRET_KEY_PREVIOUS": before},
        {"PAGERPAL_SECRET_KEY": key},
    ):
        service = build(settings(database_url, **told), cast(Bus, broker), clock)
        app = application([service], cast(Bus, broker))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pagerpal") as client:
            found.append(await is_in(Web(client), session))
        await service.close()
    assert found == [True, True, False]


async def test_ones_sessions_can_be_listed_and_ended_one_by_one_and_nobody_elses(web: Web, clock: Clock) -> None:
    phone = await web.by_session("", "POST", "/login", ADMIN, **{"user-agent": "Phone\x7f/1.0" + "x" * 500})
    desk, viewer = await web.session(), await web.session("viewer")
    clock.advance(minutes=5)

    listed = (await web.by_session(desk, "GET", SESSIONS)).json()
    assert [one["is_current"] for one in listed] == [False, True]
    assert listed[0]["user_agent"] == ("Phone/1.0" + "x" * 500)[:200]
    assert listed[0]["ip"] == "127.0.0.1"
    assert listed[0]["created_at"] == listed[0]["last_seen_at"] == "2026-05-21T12:00:00Z"
    assert listed[1]["last_seen_at"] == "2026-05-21T12:05:00Z"
    assert listed[1]["expires_at"] == "2026-05-28T12:00:00Z"
    assert [one["is_current"] for one in (await web("GET", SESSIONS)).json()] == [False, False]
    assert [one["id"] for one in (await web("GET", f"{SESSIONS}?limit=1&after={listed[0]['id']}")).json()] == [
        listed[1]["id"]
    ]

    (viewers,) = (await web.by_session(viewer, "GET", SESSIONS)).json()
    assert (await web.by_session(desk, "DELETE", f"{SESSIONS}/{viewers['id']}")).status_code == 404
    assert await is_in(web, viewer)
    assert (await web.by_session(desk, "DELETE", f"{SESSIONS}/{listed[0]['id']}")).status_code == 204
    assert not await is_in(web, cookie_of(phone).value)
    assert (await web.by_session(desk, "DELETE", f"{SESSIONS}/{listed[0]['id']}")).status_code == 404

    own = await web.by_session(desk, "DELETE", f"{SESSIONS}/{listed[1]['id']}")
    assert (own.status_code, cookie_of(own).value) == (204, "")
    assert not await is_in(web, desk)


async def test_what_is_over_is_not_listed_and_forgotten_at_the_next_login(web: Web, clock: Clock, rows: Rows) -> None:
    await web.session()
    clock.advance(hours=12)
    assert (await web("GET", SESSIONS)).json() == []
    await web.session()
    assert len(await rows("SELECT * FROM directory.sessions")) == 1


async def test_somebody_who_logs_in_again_and_again_has_no_more_than_so_many_sessions(web: Web, rows: Rows) -> None:
    first = await web.session()
    last = [await web.session() for _ in range(PER_PERSON)][-1]
    assert len(await rows("SELECT * FROM directory.sessions")) == PER_PERSON
    assert not await is_in(web, first)
    assert await is_in(web, last)
