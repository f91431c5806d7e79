"""Who becomes the first admin, and who does not any more?"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from pagerpal_common.bus import Bus
from pagerpal_common.db import Database
from pagerpal_common.http import application
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web.admins import NewAdmin, make_admin
from pagerpal_web.secret_key import load_keys, setup_token
from pagerpal_web.service import build
from pagerpal_web.sessions import COOKIE
from pydantic import SecretStr

from .conftest import PASSWORD, T0, Broker, Web, settings

PATH = "/bootstrap/admin"
ADMIN = {"email": "root@example.org", "password": PASSWORD, "name": "Root"}
CLOSED = "there has been an admin already: scripts/create_admin.py lets one in, or in again"

Open = Callable[..., Any]


@pytest.fixture
def web_of(database_url: str, clock: Clock) -> Open:
    """Web on an empty database, told this; several at once are several replicas."""

    @asynccontextmanager
    async def opened(
        *, address: str = "127.0.0.1", base_url: str = "http://127.0.0.1:8000", **told: str
    ) -> AsyncIterator[httpx.AsyncClient]:
        bus = cast(Bus, Broker())
        service = build(settings(database_url, **told), bus, clock)
        transport = httpx.ASGITransport(application([service], bus), client=(address, 50000))
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
            yield client
        await service.close()

    return opened


@pytest.fixture
async def fresh(web_of: Open) -> AsyncIterator[httpx.AsyncClient]:
    async with web_of() as client:
        yield client


@pytest.fixture
def web_token() -> str:
    """The setup token of every web in these tests."""
    return setup_token(load_keys(settings("postgresql://nobody@127.0.0.1:1/none")))


async def test_the_first_one_is_an_admin_logged_in_and_told_what_happened(fresh: httpx.AsyncClient) -> None:
    response = await fresh.post(PATH, json=ADMIN)

    assert response.status_code == 201
    assert response.json()["detail"] == (
        "this account is the first admin, and logged in; nobody can become admin this way again"
    )
    user = response.json()["user"]
    assert (user["email"], user["name"], user["role"], user["is_active"]) == ("root@example.org", "Root", "admin", True)
    assert (user["has_password"], user["last_login_at"]) == (True, "2026-05-21T12:00:00Z")
    assert (await fresh.get("/api/v1/audit")).status_code == 200, "by the cookie that came along"
    fresh.cookies.clear()
    assert (await fresh.get("/api/v1/audit", auth=("root@example.org", PASSWORD))).status_code == 200


async def test_a_name_is_not_needed(fresh: httpx.AsyncClient) -> None:
    response = await fresh.post(PATH, json={"email": "root@example.org", "password": PASSWORD})
    assert (response.status_code, response.json()["user"]["name"]) == (201, "root")


async def test_a_form_is_led_to_the_dashboard(fresh: httpx.AsyncClient) -> None:
    response = await fresh.post(PATH, data=ADMIN)
    assert (response.status_code, response.headers["location"]) == (303, "/dashboard")
    assert COOKIE in response.cookies


async def test_of_fifty_at_once_on_two_replicas_one_wins(web_of: Open, rows: Rows) -> None:
    async with web_of() as one, web_of() as other:
        responses = await asyncio.gather(
            *(
                client.post(PATH, json={**ADMIN, "email": f"root{number}@example.org"})
                for number in range(25)
                for client in (one, other)
            )
        )
    assert sorted(response.status_code for response in responses) == [201] + [409] * 49
    assert {response.json()["detail"] for response in responses if response.status_code == 409} == {CLOSED}
    (admin,) = await rows("SELECT id FROM directory.users")
    (session,) = await rows("SELECT user_id FROM directory.sessions")
    assert session["user_id"] == admin["id"]
    assert len(await rows("SELECT * FROM directory.first_admin")) == 1
    assert [row["action"] for row in await rows("SELECT action FROM directory.audit_events ORDER BY id")] == [
        "created",
        "bootstrap",
        "password_changed",
        "login",
    ]


async def test_it_is_closed_for_good_even_when_nobody_is_admin_any_more(fresh: httpx.AsyncClient, rows: Rows) -> None:
    assert (await fresh.post(PATH, json=ADMIN)).status_code == 201
    await rows("UPDATE directory.users SET role = 'viewer'")
    again = await fresh.post(PATH, json={**ADMIN, "email": "other@example.org"})
    assert (again.status_code, again.json()["detail"]) == (409, CLOSED)


async def test_an_admin_made_by_the_script_closes_it(
    fresh: httpx.AsyncClient, database: Callable[[str | None], Database], rows: Rows
) -> None:
    await make_admin(database("web"), NewAdmin(email="a@example.org", password=SecretStr(PASSWORD)), T0)
    assert (await fresh.post(PATH, json=ADMIN)).status_code == 409
    await rows("UPDATE directory.users SET role = 'viewer'")
    assert (await fresh.post(PATH, json=ADMIN)).status_code == 409


async def test_an_admin_who_came_from_anywhere_else_closes_it(web: Web) -> None:
    local = httpx.AsyncClient(transport=web.client._transport, base_url="http://127.0.0.1:8000")
    assert (await local.post(PATH, json=ADMIN)).status_code == 409


@pytest.mark.parametrize(
    "change",
    [
        {"password": "password1234"},
        {"password": "root@example.org"},
        {"password": "eleven char"},
        {"password": "x" * 129},
        {"email": "nobody"},
        {"name": ""},
        {"role": "admin"},
    ],
    ids=str,
)
async def test_an_account_that_would_not_do_is_refused_and_the_way_in_stays_open(
    change: dict[str, Any], fresh: httpx.AsyncClient
) -> None:
    refused = await fresh.post(PATH, json={**ADMIN, **change})
    assert refused.status_code == 422
    assert PASSWORD not in refused.text
    assert (await fresh.post(PATH, json=ADMIN)).status_code == 201


async def test_an_address_that_is_taken_is_refused_and_the_way_in_stays_open(
    fresh: httpx.AsyncClient, rows: Rows
) -> None:
    await rows(
        "INSERT INTO directory.users (name, email, role, timezone, created_at)"
        " VALUES ('X', 'ROOT@example.org', 'viewer', 'UTC', now())"
    )
    assert (await fresh.post(PATH, json=ADMIN)).status_code == 409
    assert (await fresh.post(PATH, json={**ADMIN, "email": "other@example.org"})).status_code == 201


FAR = {
    "on every address": {"HOST": "0.0.0.0"},
    "behind an edge on every address": {"PAGERPAL_EDGE_HOST": "0.0.0.0"},
    "in production": {"PAGERPAL_ENV": "production"},
    "through a proxy that said who asks": {"address": "192.0.2.9", "PAGERPAL_TRUSTED_PROXIES": "127.0.0.1"},
    "by a page that gave its name our address": {"base_url": "http://evil.example:8000"},
}


@pytest.mark.parametrize("told", FAR.values(), ids=FAR.keys())
async def test_where_strangers_could_be_first_it_takes_the_setup_token(
    told: dict[str, str], web_of: Open, web_token: str
) -> None:
    token = web_token
    async with web_of(**told) as client:
        without = await client.post(PATH, json=ADMIN)
        wrong = await client.post(PATH, json={**ADMIN, "setup_token": "x" + token[1:]})
        empty = await client.post(PATH, json={**ADMIN, "setup_token": ""})
        right = await client.post(PATH, json={**ADMIN, "setup_token": token})
    assert [response.status_code for response in (without, wrong, empty, right)] == [403, 403, 403, 201]
    assert "setup token" in without.json()["detail"]
    assert token not in without.text + wrong.text


def test_the_setup_token_can_be_had_where_web_runs_alone(tmp_path: Path, web_token: str) -> None:
    environ = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    ended = subprocess.run(
        [sys.executable, "-m", "pagerpal_web.setup_token"],
        env={**environ, "PAGERPAL_SECRET_KEY": "a planted secret key of 32 bytes and more"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (ended.stdout, ended.stderr) == (f"{web_token}\n", "")


async def test_a_proxy_that_nobody_told_us_of_takes_the_setup_token(fresh: httpx.AsyncClient) -> None:
    response = await fresh.post(PATH, json=ADMIN, headers={"x-forwarded-for": "127.0.0.1"})
    assert response.status_code == 403


async def test_the_setup_token_cannot_be_guessed_at_leisure(web_of: Open, clock: Clock, rows: Rows) -> None:
    async with web_of(HOST="0.0.0.0") as client:
        guesses = [await client.post(PATH, json={**ADMIN, "setup_token": f"guess {n}"}) for n in range(7)]
    assert [response.status_code for response in guesses] == [403] * 5 + [429] * 2
    assert guesses[-1].headers["retry-after"] == "1"
    failures = await rows("SELECT * FROM directory.audit_events")
    assert [(row["action"], row["data"], row["ip"]) for row in failures] == [
        ("login_failed", {"by": "bootstrap"}, "127.0.0.1")
    ] * 5


async def test_another_sites_page_makes_nobody_admin(fresh: httpx.AsyncClient) -> None:
    response = await fresh.post(PATH, data=ADMIN, headers={"origin": "https://evil.example"})
    assert response.status_code == 403
