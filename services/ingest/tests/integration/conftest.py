"""Ingest's front door, with a real PostgreSQL behind it that can be taken away."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pagerpal_common.contracts.http import OF_INGEST
from pagerpal_common.db import Database
from pagerpal_common.http import application
from pagerpal_common.service import Service
from pagerpal_common.testing.conformance import Conformance
from pagerpal_ingest.domain.credentials import key_hash
from pagerpal_ingest.service import build
from pagerpal_ingest.settings import IngestSettings
from sqlalchemy import make_url, text

from services.ingest.tests.conftest import ScriptedBus, TestClock
from services.ingest.tests.fake_amazon import FakeAmazon

CONFORMANCE = Conformance(OF_INGEST)
"""Every answer in these tests is what the API's document says."""

KEY = "pp_test_key_of_the_source"
BODY = {"title": "disk full", "severity": "critical", "external_id": "db-1"}

_DIRECTORY = """
INSERT INTO directory.teams (id, name, created_at) OVERRIDING SYSTEM VALUE
VALUES (1, 'Platform', now()), (2, 'Payments', now()), (3, 'Other', now());
INSERT INTO directory.escalation_policies (id, team_id, name, repeat_count, is_default, reminder_minutes, created_at)
OVERRIDING SYSTEM VALUE VALUES (5, 1, 'Quick', 0, true, 30, now());
"""

_SOURCE = """
INSERT INTO directory.alert_sources
    (id, team_id, name, source_type, config, escalation_policy_id, key_hash, key_first8, key_last4, is_active,
     created_at)
OVERRIDING SYSTEM VALUE
VALUES (:id, 1, 'Prometheus', 'generic', '{"routing_team_ids": [2]}', 5, :hash, 'pp_test_', 'urce', :is_active,
        now())
"""


class Cable:
    """Carries the database's connections, until it is cut."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._pipes: set[asyncio.Task[None]] = set()
        self._is_frozen = False
        self._server: asyncio.Server
        self.url: str

    async def lay(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = self._url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)

    async def cut(self) -> None:
        """Connections break, and new ones are refused."""
        self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    def freeze(self) -> None:
        """Connections stay, new ones are taken, and nobody says anything any more."""
        self._is_frozen = True

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pipes.add(task)
        task.add_done_callback(self._pipes.discard)
        far_reader, far_writer = await self._dial()
        try:
            with suppress(OSError, asyncio.CancelledError):
                await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            writer.transport.abort()
            far_writer.transport.abort()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder, port = self._url.query.get("host"), self._url.query.get("port") or self._url.port or 5432
        if folder:
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        return await asyncio.open_connection(self._url.host, int(str(port)))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if not self._is_frozen:
                writer.write(data)
                await writer.drain()
        raise ConnectionResetError


@dataclass
class Door:
    """The service, and a client in front of it."""

    service: Service
    client: httpx.AsyncClient
    bus: ScriptedBus
    clock: TestClock
    cable: Cable
    admin: Database

    async def post(self, key: str | None = KEY, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """Send the usual body with these fields changed."""
        given = {"X-API-Key": key} if key is not None else {}
        return await self.client.post("/api/v1/alerts", json={**BODY, **fields}, headers={**given, **(headers or {})})

    async def post_fields(self, fields: dict[str, str]) -> httpx.Response:
        """The same, with names that come from a table."""
        return await self.post(headers=None, **dict[str, Any](fields))

    async def post_raw(self, body: bytes, **headers: str) -> httpx.Response:
        return await self.client.post("/api/v1/alerts", content=body, headers={"X-API-Key": KEY, **headers})

    async def send(self, path: str, body: object, method: str = "POST", **headers: str) -> httpx.Response:
        """Send a body, as JSON or as it is, to another route."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"X-API-Key": KEY} if path != "/v2/enqueue" else {}
        return await self.client.request(method, path, content=content, headers={**given, **headers})

    async def configure(self, **config: object) -> None:
        """Replace the configuration of the source; it holds for keys not asked for yet."""
        await self.execute(
            "UPDATE directory.alert_sources SET config = CAST(:config AS jsonb)", config=json.dumps(config)
        )

    async def add_source(self, source_id: int, key: str, *, is_active: bool = True) -> None:
        await self.execute(_SOURCE, id=source_id, hash=key_hash(key), is_active=is_active)

    async def execute(self, statement: str, **values: object) -> None:
        async with self.admin.begin() as tx:
            await tx.execute(text(statement), values)

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.admin.begin() as tx:
            return [tuple(row) for row in await tx.execute(text(query))]

    async def spooled(self) -> list[dict[str, Any]]:
        """The bodies in the spool."""
        async with self.admin.begin() as tx:
            rows = await tx.execute(text("SELECT alert_id, body, spooled_at FROM ingest.spool ORDER BY alert_id"))
            return [dict(row) for row in rows.mappings()]

    async def sweep(self) -> int:
        """One turn of the loop over the spool."""
        return await self.turn("ingest.alert_spool")

    async def turn(self, name: str) -> int:
        """One turn of a loop."""
        (loop,) = [loop for loop in self.service.loops if loop.name == name]
        return await loop.tick()


@pytest.fixture
def amazon() -> FakeAmazon:
    return FakeAmazon()


@pytest.fixture
async def door(
    database_url: str,
    database: Callable[[str | None], Database],
    bus: ScriptedBus,
    clock: TestClock,
    amazon: FakeAmazon,
) -> AsyncIterator[Door]:
    cable = Cable(database_url)
    await cable.lay()
    settings = IngestSettings.model_validate({"PAGERPAL_DATABASE_URL": cable.url})
    service = build(settings, bus, clock, fetch=amazon.fetch)
    transport = httpx.ASGITransport(application([service], bus), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://ingest", event_hooks={"response": [CONFORMANCE]}
    ) as client:
        door = Door(service, client, bus, clock, cable, database(None))
        for statement in _DIRECTORY.strip().split(";\n"):
            await door.execute(statement)
        await door.add_source(7, KEY)
        yield door
    await cable.cut()
    await service.close()
