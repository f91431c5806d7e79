"""`/livez` says that the process answers, `/readyz` whether it can do what it is there for."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from pagerpal_common import readiness
from pagerpal_common.bus.memory import MemoryBus
from pagerpal_common.db import REACHED_SECONDS, Database, connect
from pagerpal_common.http import application
from pagerpal_common.readiness import Condition
from pagerpal_common.service import Loop, Service, running
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.waiting import until

Open = Callable[[str | None], Database]
PATIENCE_SECONDS = 20.0
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


async def nothing() -> int:
    return 0


@asynccontextmanager
async def served(*services: Service) -> AsyncIterator[httpx.AsyncClient]:
    """The services at work, and a client of their probes."""
    bus = MemoryBus()
    async with (
        running(services, bus, Clock(datetime(2026, 5, 21, tzinfo=UTC))),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(application(services, bus)), base_url="http://pagerpal"
        ) as client,
    ):
        yield client


async def until_ready(client: httpx.AsyncClient, status: int) -> object:
    """Wait for this answer of `/readyz`; its body."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := await client.get("/readyz")).status_code != status:
        assert time.monotonic() < deadline, answer.text
        await asyncio.sleep(0.01)
    return answer.json()


async def test_ready_is_who_has_the_bus_the_database_and_loops_that_run(database: Open) -> None:
    db = database("escalator")
    async with served(Service("escalator", db, db.close, loops=[Loop("levels", nothing, 1.0)])) as client:
        assert await until_ready(client, 200) == {"bus": True, "database": True, "stalled": []}


async def test_a_service_without_loops_knows_of_its_database_too(database: Open) -> None:
    db = database("web")
    async with served(Service("web", db, db.close, is_ready=readiness.database)) as client:
        assert await until_ready(client, 200) == {"bus": True, "database": True, "stalled": []}


async def test_not_ready_is_whose_loop_has_never_succeeded(database: Open) -> None:
    db, over = database("escalator"), asyncio.Event()

    async def hang() -> int:
        await over.wait()
        return 0

    loops = [Loop("levels", nothing, 1.0), Loop("sweep", hang, 1.0)]
    async with served(Service("escalator", db, db.close, loops=loops)) as client:
        await until(lambda: loops[0].pulse.ends.last_run_at is not None)

        body = await until_ready(client, 503)

        assert isinstance(body, dict)
        assert body["stalled"] == ["sweep"]
        assert (await client.get("/livez")).status_code == 200
        over.set()


async def test_without_a_database_the_probes_answer_at_once_and_the_process_lives(database: Open) -> None:
    away = connect(NOWHERE, role="escalator")
    async with served(Service("escalator", away, away.close, loops=[Loop("levels", nothing, 1.0)])) as client:
        body = await until_ready(client, 503)
        alive = await client.get("/livez")

    assert isinstance(body, dict)
    assert (body["bus"], body["database"]) == (True, False)
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})


async def test_one_process_is_ready_when_each_of_its_services_is(database: Open) -> None:
    away, db = connect(NOWHERE, role="ingest"), database("escalator")
    ingest = Service("ingest", away, away.close, is_ready=readiness.bus_or_database)
    escalator = Service("escalator", db, db.close)
    async with served(ingest, escalator) as client:
        assert await until_ready(client, 200) == {"bus": True, "database": False, "stalled": []}


async def test_the_database_counts_as_reached_for_a_while_after_a_transaction(database: Open) -> None:
    db = database("web")
    now = asyncio.get_running_loop().time
    assert not db.is_reached(now())

    async with db.begin():
        pass

    assert db.is_reached(now())
    assert not db.is_reached(now() + REACHED_SECONDS + 1)


@pytest.mark.parametrize(
    ("need", "ready"),
    [
        (readiness.everything, {(True, True, True)}),
        (readiness.database, {(True, True, True), (False, True, True), (True, True, False), (False, True, False)}),
        (
            readiness.bus_or_database,
            {
                (bus, database, is_moving)
                for bus in (True, False)
                for database in (True, False)
                for is_moving in (True, False)
                if bus or database
            },
        ),
    ],
)
def test_nothing_takes_away_from_senders_what_can_still_keep_an_alert(
    need: Callable[[Condition], bool], ready: set[tuple[bool, bool, bool]]
) -> None:
    for bus in (True, False):
        for database in (True, False):
            for is_moving in (True, False):
                condition = Condition(bus, database, () if is_moving else ("sweep",))
                assert need(condition) is ((bus, database, is_moving) in ready)
