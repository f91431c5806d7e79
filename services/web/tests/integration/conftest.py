"""The real application on a real database, an account of each kind, and a broker that answers as told."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from json import dumps
from types import ModuleType
from typing import Any, cast

import httpx
import pytest
from argon2 import PasswordHasher
from pagerpal_common.bus import Bus
from pagerpal_common.contracts.incidents import IncidentChanged, IncidentView
from pagerpal_common.contracts.message import Message
from pagerpal_common.db import Database
from pagerpal_common.errors import BusUnavailable, PagerPalError
from pagerpal_common.http import application
from pagerpal_common.http.described import described
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.conformance import Conformance
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import Role
from pagerpal_web import passwords
from pagerpal_web.api import ENDPOINTS
from pagerpal_web.context import Context
from pagerpal_web.domain.budget import Budget
from pagerpal_web.domain.recent import Recent
from pagerpal_web.service import build
from pagerpal_web.sessions import COOKIE
from pagerpal_web.settings import WebSettings

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
PASSWORD_HASH = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD)
ACCOUNTS = {"admin": 1, "responder": 2, "viewer": 3, "deactivated": 4, "passwordless": 5}
"""The id of each account; its address is `<name>@example.org`."""

VERIFY = cache(passwords._verify)
"""A password that was right is right: argon2's 40 ms are spent once, and not by every test that logs somebody in."""

CONFORMANCE = Conformance([described(row) for row in ENDPOINTS])
"""Every answer in these tests is what the API's document says."""


def settings(database_url: str, **more: str) -> WebSettings:
    """What web is told: no more than it needs."""
    given = {"PAGERPAL_DATABASE_URL": database_url, "PAGERPAL_SECRET_KEY": "a planted secret key of 32 bytes and more"}
    return WebSettings.model_validate({**given, **more})


class Broker:
    """Keeps what it is asked, and answers with what the test has given it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Message, float]] = []
        self.published: list[Message] = []
        self.is_away = False
        self.answer: Message | PagerPalError = IncidentChanged(occurred_at=T0, incident=an_incident())
        self.parked_messages: int | PagerPalError = 0

    async def request(self, message: Message, reply: type[Message], *, wait: float) -> Message:
        self.asked.append((message, wait))
        if isinstance(self.answer, PagerPalError):
            raise self.answer
        assert isinstance(self.answer, reply)
        return self.answer

    async def publish(self, *messages: Message) -> None:
        if self.is_away:
            raise BusUnavailable("away")
        self.published.extend(messages)

    def is_connected(self) -> bool:
        return not self.is_away

    async def parked(self) -> int:
        if isinstance(self.parked_messages, PagerPalError):
            raise self.parked_messages
        return self.parked_messages


class Web:
    """Calls the application as somebody; as the admin unless told otherwise."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self._emails = itertools.count(1)

    async def __call__(
        self, method: str, path: str, json: Any = None, *, who: str | None = "admin", password: str = PASSWORD
    ) -> httpx.Response:
        auth = None if who is None else (f"{who}@example.org", password)
        return await self.client.request(method, path, json=json, auth=auth)

    def at(self, address: str) -> "Web":
        """The same, called from another address."""
        app = self.client._transport.app  # type: ignore[attr-defined]
        transport = httpx.ASGITransport(app, client=(address, 50000))
        return Web(httpx.AsyncClient(transport=transport, base_url="http://pagerpal"))

    async def audit(self, query: str = "") -> Any:
        """The audit log as an admin reads it, the newest line first, without the lines of that reading itself."""
        response = await self("GET", f"/api/v1/audit?limit=1000{query}")
        assert response.status_code == 200, response.text
        return [event for event in response.json() if event["data"].get("by") != "basic"]

    async def session(self, who: str = "admin", password: str = PASSWORD) -> str:
        """Log somebody in; the cookie's value, which the client itself forgets."""
        credentials = {"email": f"{who}@example.org", "password": password}
        response = await self.client.post("/login", json=credentials)
        assert response.status_code == 200, response.text
        self.client.cookies.clear()
        return response.cookies[COOKIE]

    async def by_session(
        self, session: str, method: str, path: str, json: Any = None, **headers: str
    ) -> httpx.Response:
        """Call as our own page does: with the cookie, and JSON whatever the body."""
        content = b"" if json is None else dumps(json).encode()
        sent = {"cookie": f"{COOKIE}={session}", "content-type": "application/json", **headers}
        response = await self.client.request(method, path, content=content, headers=sent)
        self.client.cookies.clear()
        return response

    async def made(self, path: str, **body: Any) -> Any:
        """POST what must succeed; its answer."""
        response = await self("POST", f"/api/v1/{path}", body)
        assert response.status_code == 201, response.text
        return response.json()

    async def a_user(self, **fields: Any) -> Any:
        """A new active responder."""
        email = f"user{next(self._emails)}@example.org"
        return await self.made("users", **{"name": "Ana", "email": email, "role": "responder", **fields})

    async def a_team(self) -> Any:
        """A new team without anything."""
        return await self.made("teams", name="Platform")


def in_step(monkeypatch: pytest.MonkeyPatch, module: ModuleType, function: str) -> None:
    """Let two calls of this function meet before either goes on; one that stays alone goes on after half a second."""
    meeting = asyncio.Barrier(2)
    original = getattr(module, function)

    async def together(*arguments: Any) -> Any:
        with suppress(TimeoutError, asyncio.BrokenBarrierError):
            await asyncio.wait_for(meeting.wait(), 0.5)
        return await original(*arguments)

    monkeypatch.setattr(module, function, together)


def an_incident(**changes: Any) -> IncidentView:
    fields: dict[str, Any] = {
        "id": 42,
        "title": "CPU > 95%",
        "description": "",
        "severity": "critical",
        "external_id": "cpu",
        "source_id": 1,
        "team_id": 1,
        "status": "triggered",
        "current_escalation_level": 0,
        "notification_count": 0,
        "created_at": T0,
        "escalation_id": 7,
        "escalation_pass": 1,
        "alert_count": 1,
        "last_alert_at": T0,
        "links": (),
        "labels": {},
        "is_unreached": False,
    }
    empty = dict.fromkeys(name for name in IncidentView.model_fields if name not in fields)
    return IncidentView.model_validate({**empty, **fields, **changes})


@pytest.fixture(autouse=True)
def _remembered_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_verify", VERIFY)


@pytest.fixture
def clock() -> Clock:
    return Clock(T0)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def rows(database: Callable[[str | None], Database]) -> Rows:
    return Rows(database(None))


@pytest.fixture
def ctx(database: Callable[[str | None], Database], database_url: str, broker: Broker, clock: Clock) -> Context:
    """What the loops work with; of logins they know nothing."""
    nothing = cast(Any, None)
    return Context(
        settings(database_url), database("web"), cast(Bus, broker), clock, nothing, nothing, nothing, Budget(),
        Budget(), Recent(timedelta(1), 1), nothing, (), (), nothing, "",
    )  # fmt: skip


@pytest.fixture
async def web(database_url: str, rows: Rows, broker: Broker, clock: Clock) -> AsyncIterator[Web]:
    for name in ACCOUNTS:
        role = name if name in set(Role) else Role.ADMIN
        await rows(
            "INSERT INTO directory.users (name, email, role, timezone, is_active, created_at) "
            "VALUES (:name, :email, :role, 'UTC', :is_active, :at)",
            name=name,
            email=f"{name}@example.org",
            role=role,
            is_active=name != "deactivated",
            at=T0,
        )
    await rows(
        "INSERT INTO directory.credentials SELECT id, :hash, :at FROM directory.users WHERE name <> 'passwordless'",
        hash=PASSWORD_HASH,
        at=T0,
    )
    service = build(settings(database_url), cast(Bus, broker), clock)
    app = application([service], cast(Bus, broker))
    # raise_app_exceptions is on: a bug's traceback reaches the test instead of a 500.
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://pagerpal", event_hooks={"response": [CONFORMANCE]}
    ) as client:
        yield Web(client)
    await service.close()
