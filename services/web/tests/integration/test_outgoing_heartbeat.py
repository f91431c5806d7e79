"""The outgoing heartbeat: called while all is well, never otherwise, and its URL is nowhere to be seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256

import pytest
from pagerpal_common.config import ConfigError, load
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web.context import Context
from pagerpal_web.outgoing_heartbeat import OutgoingHeartbeat
from pagerpal_web.settings import WebSettings
from pydantic import SecretStr
from structlog.testing import capture_logs

from .test_auditor import an_overdue_run
from .test_system import seen_at_work

SECRET = "canary-7c1a"


class Monitor:
    """Somebody outside who counts the calls."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.answer = "200 OK"
        self.url = ""

    async def answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.paths.append(request.split(" ")[1])
        writer.write(
            f"HTTP/1.1 {self.answer}\r\nLocation: /else\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(monitor: Monitor) -> AsyncIterator[None]:
    server = await asyncio.start_server(monitor.answer_one, "127.0.0.1", 0)
    monitor.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ping/{SECRET}"
    async with server:
        yield


@pytest.fixture
async def monitor() -> AsyncIterator[Monitor]:
    monitor = Monitor()
    async with listening(monitor):
        yield monitor


@pytest.fixture
def heartbeat(ctx: Context, monitor: Monitor) -> OutgoingHeartbeat:
    told = ctx.settings.model_copy(update={"heartbeat_url": SecretStr(monitor.url)})
    return OutgoingHeartbeat(replace(ctx, settings=told))


async def test_it_is_called_while_all_is_well(
    heartbeat: OutgoingHeartbeat, monitor: Monitor, rows: Rows, clock: Clock
) -> None:
    await seen_at_work(rows, clock)

    for _ in range(2):
        await heartbeat.beat()

    assert monitor.paths == [f"/ping/{SECRET}"] * 2


@pytest.mark.parametrize("trouble", ["never looked", "not lately", "red", "another job"])
async def test_it_is_not_called_otherwise(
    trouble: str, heartbeat: OutgoingHeartbeat, monitor: Monitor, rows: Rows, clock: Clock
) -> None:
    if trouble != "never looked":
        await seen_at_work(rows, clock)
    if trouble == "not lately":
        clock.advance(seconds=31)
        await rows("UPDATE directory.loop_runs SET last_run_at = :at", at=clock.at)
    if trouble == "red":
        await rows("UPDATE directory.auditor_checks SET red_since = checked_at WHERE name = 'levels_on_time'")
    if trouble == "another job":
        await an_overdue_run(rows, clock.at)
        clock.advance(seconds=31)
        await seen_at_work(rows, clock)

    await heartbeat.beat()

    assert monitor.paths == []


async def test_without_a_url_nothing_is_called_nor_asked(heartbeat: OutgoingHeartbeat, monitor: Monitor) -> None:
    told = heartbeat.ctx.settings.model_copy(update={"heartbeat_url": None})
    assert await OutgoingHeartbeat(replace(heartbeat.ctx, settings=told)).beat() == 0


@pytest.mark.parametrize("answer", ["500 Oops", "404 Not Found", "302 Found", "nothing listens"])
async def test_a_failure_is_logged_once_without_the_url_and_so_is_its_end(
    answer: str, heartbeat: OutgoingHeartbeat, monitor: Monitor, rows: Rows, clock: Clock
) -> None:
    await seen_at_work(rows, clock)
    good = heartbeat.ctx
    if answer == "nothing listens":
        nowhere = SecretStr(f"http://127.0.0.1:1/{SECRET}")
        heartbeat.ctx = replace(good, settings=good.settings.model_copy(update={"heartbeat_url": nowhere}))
    else:
        monitor.answer = answer

    with capture_logs() as logs:
        for _ in range(3):
            await heartbeat.beat()
        heartbeat.ctx, monitor.answer = good, "204 No Content"
        for _ in range(3):
            await heartbeat.beat()

    assert [line["event"] for line in logs] == ["outgoing_heartbeat.failing", "outgoing_heartbeat.well_again"]
    assert SECRET not in repr(logs)
    assert "/else" not in monitor.paths


@pytest.mark.parametrize(
    ("url", "env", "is_taken"),
    [
        ("https://hc-ping.com/3c1169a0", "production", True),
        ("https://hc-ping.com/3c1169a0", "development", True),
        ("http://127.0.0.1:8000/x", "development", True),
        ("http://127.0.0.1:8000/x", "production", False),
        ("http://hc-ping.com/3c1169a0", "development", False),
        ("hc-ping.com/3c1169a0", "development", False),
        ("https://", "development", False),
    ],
)
def test_the_url_is_only_taken_if_the_secret_in_it_is_safe_on_its_way(url: str, env: str, is_taken: bool) -> None:
    environ = {"PAGERPAL_ENV": env, "PAGERPAL_HEARTBEAT_URL": url}
    if env == "production":
        environ |= {"PAGERPAL_SECRET_KEY": sha256(b"planted").hexdigest()}
    refused = ""
    try:
        load(WebSettings, environ)
    except ConfigError as error:
        refused = str(error)

    assert ("PAGERPAL_HEARTBEAT_URL" not in refused) is is_taken
    assert "3c1169a0" not in refused
