"""When a loop last did its work is written down; of one that does not, nothing new is."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pagerpal_common import service as service_module
from pagerpal_common.bus.memory import MemoryBus
from pagerpal_common.db import Database, connect
from pagerpal_common.errors import BusUnavailable, DatabaseUnavailable
from pagerpal_common.heartbeat import Heartbeat, Pulse
from pagerpal_common.schema import LOOP_RUNS
from pagerpal_common.service import Loop, Service, running
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows

Open = Callable[[str | None], Database]
T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
RUNS = "SELECT * FROM escalation.loop_runs ORDER BY name"


@dataclass
class Worker:
    """A loop as a heartbeat sees it: the test says how its ticks end."""

    name: str
    every: float = 1.0
    pulse: Pulse = field(default_factory=Pulse)


@pytest.fixture
def clock() -> Clock:
    return Clock(T0)


@pytest.fixture
def rows(database: Open) -> Rows:
    return Rows(database(None))


def heart(database: Open, *workers: Worker) -> Heartbeat:
    return Heartbeat(database("escalator"), LOOP_RUNS["escalator"], workers)


async def test_the_last_success_is_written_in_the_time_of_the_injected_clock(
    database: Open, clock: Clock, rows: Rows
) -> None:
    levels, sweep = Worker("escalation", 1.0), Worker("sweep", 2.0)
    heartbeat = heart(database, levels, sweep)
    levels.pulse.succeeded(clock.at)

    await heartbeat.beat()

    first, second = await rows(RUNS)
    assert (first["name"], first["every_seconds"], first["last_error"]) == ("escalation", 1.0, None)
    assert first["last_run_at"] == T0
    assert second == {"name": "sweep", "every_seconds": 2.0, "last_run_at": None, "last_error": None}


async def test_the_row_of_a_loop_that_hangs_grows_old_while_the_others_go_on(
    database: Open, clock: Clock, rows: Rows
) -> None:
    hung, fine = Worker("a hung one"), Worker("fine")
    heartbeat = heart(database, hung, fine)
    hung.pulse.succeeded(clock.at)
    fine.pulse.succeeded(clock.at)
    await heartbeat.beat()

    clock.advance(minutes=1)
    fine.pulse.succeeded(clock.at)
    await heartbeat.beat()

    one, other = await rows(RUNS)
    assert one["last_run_at"] == T0
    assert other["last_run_at"] == T0 + timedelta(minutes=1)


async def test_a_loop_that_fails_keeps_its_last_success_and_names_the_class_of_its_failure_only(
    database: Open, clock: Clock, rows: Rows
) -> None:
    worker = Worker("escalation")
    heartbeat = heart(database, worker)
    worker.pulse.succeeded(clock.at)
    await heartbeat.beat()

    clock.advance(minutes=1)
    worker.pulse.failed(ValueError("no such number: +4915112345678"))
    await heartbeat.beat()

    (row,) = await rows(RUNS)
    assert row["last_run_at"] == T0
    assert row["last_error"] == "ValueError"

    worker.pulse.succeeded(clock.at)
    await heartbeat.beat()

    (row,) = await rows(RUNS)
    assert row["last_run_at"] == clock.at
    assert row["last_error"] is None


@pytest.mark.parametrize("does_fail", [False, True], ids=["the other hangs", "the other fails"])
async def test_of_two_replicas_the_one_that_works_counts(
    does_fail: bool, database: Open, clock: Clock, rows: Rows
) -> None:
    stuck, working = Worker("escalation"), Worker("escalation")
    sick, sound = heart(database, stuck), heart(database, working)
    stuck.pulse.succeeded(clock.at)
    await sick.beat()
    clock.advance(minutes=1)
    working.pulse.succeeded(clock.at)
    await sound.beat()

    clock.advance(seconds=1)
    if does_fail:
        stuck.pulse.failed(ValueError())
    await sick.beat()

    (row,) = await rows(RUNS)
    assert row["last_run_at"] == T0 + timedelta(minutes=1)


async def test_a_process_that_has_just_started_does_not_hide_when_its_loops_last_ran(
    database: Open, clock: Clock, rows: Rows
) -> None:
    worker = Worker("escalation")
    worker.pulse.succeeded(clock.at)
    await heart(database, worker).beat()

    await heart(database, Worker("escalation", 3.0)).beat()

    (row,) = await rows(RUNS)
    assert row["every_seconds"] == 3.0
    assert row["last_run_at"] == T0


async def test_a_clock_that_is_set_back_takes_the_rows_along(database: Open, clock: Clock, rows: Rows) -> None:
    worker = Worker("escalation")
    heartbeat = heart(database, worker)
    worker.pulse.succeeded(clock.at)
    await heartbeat.beat()

    clock.advance(hours=-1)
    worker.pulse.succeeded(clock.at)
    await heartbeat.beat()

    (row,) = await rows(RUNS)
    assert row["last_run_at"] == T0 - timedelta(hours=1)


async def test_what_could_not_be_written_is_written_later(database: Open, clock: Clock, rows: Rows) -> None:
    worker = Worker("escalation")
    heartbeat = heart(database, worker)
    worker.pulse.succeeded(clock.at)
    await rows("ALTER TABLE escalation.loop_runs RENAME TO elsewhere")
    with pytest.raises(DatabaseUnavailable):
        await heartbeat.beat()

    await rows("ALTER TABLE escalation.elsewhere RENAME TO loop_runs")
    await heartbeat.beat()

    (row,) = await rows(RUNS)
    assert row["last_run_at"] == T0


@dataclass
class Work:
    """What a loop of a running service does; tests wait for its ticks."""

    then: Callable[[], Any]
    ticks: int = 0
    ticked: asyncio.Event = field(default_factory=asyncio.Event)

    async def tick(self) -> int:
        self.ticks += 1
        self.ticked.set()
        await self.then()
        return 0

    async def more(self, number: int) -> None:
        """Wait for that many more ticks."""
        wanted = self.ticks + number
        while self.ticks < wanted:
            self.ticked.clear()
            await asyncio.wait_for(self.ticked.wait(), 20)


async def nothing() -> None:
    """A tick that finds nothing to do."""


def raising(error: BaseException) -> Callable[[], Any]:
    async def fail() -> None:
        raise error

    return fail


@asynccontextmanager
async def at_work(db: Database, clock: Clock, **works: Work) -> AsyncIterator[None]:
    """A service of these loops, running."""
    loops = [Loop(name, work.tick, 0.01) for name, work in works.items()]
    async with running([Service("escalator", db, db.close, loops=loops)], MemoryBus(), clock):
        yield


async def test_every_loop_of_a_running_service_is_written_without_being_asked(
    database: Open, clock: Clock, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "BEAT_SECONDS", 0.02)
    over = asyncio.Event()
    hung, failing, fine = Work(over.wait), Work(raising(BusUnavailable("away"))), Work(nothing)
    async with at_work(database("escalator"), clock, hung=hung, failing=failing, fine=fine):
        async with asyncio.timeout(20):
            while not (found := {row["name"]: row for row in await rows(RUNS)}).get("fine", {}).get("last_run_at"):
                await fine.more(1)
            while not (found := {row["name"]: row for row in await rows(RUNS)})["failing"]["last_error"]:
                await fine.more(1)
        over.set()

    assert set(found) == {"hung", "failing", "fine"}
    assert found["fine"]["last_run_at"] == T0
    assert (found["hung"]["last_run_at"], found["failing"]["last_run_at"]) == (None, None)
    assert found["failing"]["last_error"] == "BusUnavailable"


async def test_without_a_database_to_write_to_the_loops_go_on(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "BEAT_SECONDS", 0.001)
    work = Work(nothing)

    async with at_work(connect(NOWHERE, role="escalator"), clock, fine=work):
        await work.more(20)


async def test_a_loop_outlives_a_cancellation_that_was_not_meant_for_it(database: Open, clock: Clock) -> None:
    work = Work(raising(asyncio.CancelledError()))

    async with at_work(database("escalator"), clock, stray=work):
        await work.more(3)
