"""Who gets in: passwords, what is remembered of them, and what ends it."""

import asyncio
import base64
import logging
from typing import Any

import httpx
import pytest
import structlog
from pagerpal_common import log
from pagerpal_common.errors import Unavailable
from pagerpal_common.http import application
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web.passwords import Passwords
from pagerpal_web.service import build
from pagerpal_web.storage import users

from .conftest import ACCOUNTS, PASSWORD, Web, in_step, settings

TEAMS = "/api/v1/teams"


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Counts the argon2 runs."""
    run: list[str] = []
    original = Passwords.is_right

    async def counted(self: Passwords, password: str, stored: str | None) -> bool:
        run.append(password)
        return await original(self, password, stored)

    monkeypatch.setattr(Passwords, "is_right", counted)
    return run


async def test_a_right_password_is_checked_once_a_minute(web: Web, clock: Clock, checks: list[str]) -> None:
    for _ in range(3):
        assert (await web("GET", TEAMS)).status_code == 200
    assert len(checks) == 1

    clock.advance(seconds=59)
    await web("GET", TEAMS)
    assert len(checks) == 1

    clock.advance(seconds=1)
    await web("GET", TEAMS)
    assert len(checks) == 2


async def test_a_wrong_password_is_checked_each_time(web: Web, checks: list[str]) -> None:
    for _ in range(2):
        assert (await web("GET", TEAMS, password="wrong")).status_code == 401
    assert checks == ["wrong", "wrong"]


async def test_somebody_unknown_costs_a_check_too(web: Web, checks: list[str]) -> None:
    for who in ("stranger", "deactivated", "passwordless"):
        assert (await web("GET", TEAMS, who=who)).status_code == 401
    assert len(checks) == 3


async def test_the_email_address_is_the_same_in_any_case(web: Web) -> None:
    assert (await web("GET", TEAMS, who="ADMIN")).status_code == 200
    assert (await web("GET", TEAMS, password=PASSWORD.upper())).status_code == 401


async def test_deactivation_a_new_role_and_a_new_password_hold_at_once(web: Web) -> None:
    viewer = f"/api/v1/users/{ACCOUNTS['viewer']}"
    assert (await web("GET", TEAMS, who="viewer")).status_code == 200

    await web("PATCH", viewer, {"role": "admin"})
    assert (await web("POST", TEAMS, {"name": "X"}, who="viewer")).status_code == 201
    await web("PATCH", viewer, {"password": "another password"})
    assert (await web("GET", TEAMS, who="viewer")).status_code == 401
    assert (await web("GET", TEAMS, who="viewer", password="another password")).status_code == 200
    await web("DELETE", viewer)
    assert (await web("GET", TEAMS, who="viewer", password="another password")).status_code == 401

    await web("PATCH", viewer, {"is_active": True})
    assert (await web("GET", TEAMS, who="viewer", password="another password")).status_code == 200
    without = await web("PATCH", viewer, {"password": None})
    assert without.json()["has_password"] is False
    assert (await web("GET", TEAMS, who="viewer", password="another password")).status_code == 401


async def test_the_last_login_is_noted_at_most_once_a_minute(web: Web, clock: Clock) -> None:
    seen = []
    for seconds in (0, 30, 29, 1):
        clock.advance(seconds=seconds)
        seen.append((await web("GET", "/api/v1/users/1")).json()["last_login_at"])
    assert seen == ["2026-05-21T12:00:00Z"] * 3 + ["2026-05-21T12:01:00Z"]


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !", "Basic YWJj", "Basic " + "A" * 9000, "Bearer x", "basic /////w==", "Basic \xff", "x" * 9000],
)
async def test_credentials_that_cannot_be_read_are_401(header: str, web: Web) -> None:
    response = await web.client.get(TEAMS, headers=[(b"authorization", header.encode("latin-1"))])
    assert response.status_code == 401


@pytest.mark.parametrize("email", ["admin@example.org\0", "\0", "", "ädmin@example.org", "a" * 5000, "\x85"])
async def test_an_address_that_the_database_cannot_hold_is_nobodys(email: str, web: Web) -> None:
    token = base64.b64encode(f"{email}:{PASSWORD}".encode()).decode()
    assert (await web.client.get(TEAMS, headers={"authorization": f"BASIC {token}"})).status_code == 401


async def test_without_the_database_it_is_503_and_never_401(broker: Any, clock: Clock) -> None:
    service = build(settings("postgresql://nobody@127.0.0.1:1/none"), broker, clock)
    transport = httpx.ASGITransport(application([service], broker))
    async with httpx.AsyncClient(transport=transport, base_url="http://pagerpal") as client:
        response = await client.get(TEAMS, auth=("admin@example.org", PASSWORD))
    await service.close()
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert "127.0.0.1" not in response.text


async def test_too_many_checks_at_once_are_503(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(self: Passwords, password: str, stored: str | None) -> bool:
        raise Unavailable("too many passwords are being checked")

    monkeypatch.setattr(Passwords, "is_right", full)
    response = await web("GET", TEAMS)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


async def test_the_last_admin_who_can_log_in_stays(web: Web, rows: Rows) -> None:
    admin = "/api/v1/users/1"
    for change in ({"role": "viewer"}, {"is_active": False}, {"password": None}):
        response = await web("PATCH", admin, change)
        assert (response.status_code, response.json()["detail"]) == (409, "this is the last admin who can log in")
    assert (await web("DELETE", admin)).status_code == 409
    assert (await web("GET", admin)).json()["is_active"]

    await web.a_user(role="admin", password="a second password")
    assert (await web("DELETE", admin)).status_code == 204


async def test_two_admins_cannot_demote_each_other_at_once(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    other = await web.a_user(role="admin", password=PASSWORD)
    name = other["email"].partition("@")[0]
    await web("GET", TEAMS, who=name)  # so that nobody has to wait for argon2
    in_step(monkeypatch, users, "check_an_admin_is_left")
    both = await asyncio.gather(
        web("PATCH", "/api/v1/users/1", {"role": "viewer"}, who=name),
        web("PATCH", f"/api/v1/users/{other['id']}", {"role": "viewer"}),
    )
    assert sorted(response.status_code for response in both) == [200, 409]


async def test_a_password_is_in_no_answer_no_row_and_no_log(
    web: Web, rows: Rows, capsys: pytest.CaptureFixture[str]
) -> None:
    # structlog writes to the standard error stream of the moment, as it does in production.
    root = logging.getLogger()
    before = root.handlers[:]
    log.configure(pretty=False)
    structlog.configure(cache_logger_on_first_use=False)  # or modules keep these loggers beyond this test
    secret = "planted-password-1"
    try:
        bodies = [
            await web("POST", "/api/v1/users", {"name": "A", "email": "a@b.org", "role": "viewer", "password": secret}),
            await web("POST", "/api/v1/users", {"name": "A", "email": "a@b.org", "role": "viewer", "password": secret}),
            await web("POST", "/api/v1/users", {"password": secret, "passwort": secret}),
            await web("PATCH", "/api/v1/users/3", {"password": [secret]}),
            await web("PATCH", "/api/v1/users/3", {"password": secret * 10}),
            await web("GET", "/api/v1/users"),
            await web("GET", TEAMS, password=secret),
        ]
    finally:
        root.handlers[:] = before
        structlog.reset_defaults()
    assert [response.status_code for response in bodies] == [201, 409, 422, 422, 422, 200, 401]
    logged = capsys.readouterr().err
    assert "/api/v1/users" in logged
    for text in (*(response.text for response in bodies), logged):
        assert secret not in text
        assert "argon2" not in text
    stored = await rows("SELECT password_hash FROM directory.credentials")
    assert all(row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$") for row in stored)


@pytest.mark.parametrize(
    "field", ["id", "has_password", "password_hash", "last_login_at", "created_at", "changed_at", "api_key"]
)
async def test_nobody_sets_what_the_server_keeps_of_a_person(field: str, web: Web, rows: Rows) -> None:
    before = await rows("SELECT * FROM directory.users ORDER BY id")
    body = {"name": "X", "email": "x@example.org", "role": "viewer", field: "planted"}
    for method, path in (("POST", "/api/v1/users"), ("PATCH", f"/api/v1/users/{ACCOUNTS['viewer']}")):
        response = await web(method, path, body)
        assert (response.status_code, response.json()["detail"][0]["loc"]) == (422, ["body", field])
        assert "planted" not in response.text
    after = await rows("SELECT * FROM directory.users ORDER BY id")
    assert [{**row, "last_login_at": None} for row in before] == [{**row, "last_login_at": None} for row in after]


async def test_whoever_is_nobody_learns_nothing_of_what_is_there(web: Web) -> None:
    """401 comes before everything else, then 403; 404 before what is wrong with a body (S2)."""
    for path, status in (("/api/v1/users/1", 422), ("/api/v1/users/999", 404)):
        for body in ({"name": "X"}, {"nonsense": True}):
            assert (await web("PATCH", path, body, who=None)).status_code == 401
            assert (await web("PATCH", path, body, who="responder")).status_code == 403
        assert (await web("PATCH", path, {"nonsense": True})).status_code == status
