"""What a service is before it runs, and how any number of them run in one process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from pagerpal_common.bus import BatchSubscription, Bus, Subscription
from pagerpal_common.clock import Now
from pagerpal_common.db import Database
from pagerpal_common.errors import Unavailable
from pagerpal_common.heartbeat import BEAT_SECONDS, Heartbeat, Pulse, has_stalled
from pagerpal_common.metrics import LOOP_SUCCESS, LOOPS
from pagerpal_common.readiness import Condition, everything
from pagerpal_common.schema import LOOP_RUNS

Show = Callable[[Request, int, str], Awaitable[Response]]
"""The page with this status that says this, for whoever reads an error in a browser."""

log = structlog.get_logger(__name__)

LONGEST_BACKOFF = 5.0
"""Seconds between two tries of a loop that keeps failing."""

DRAIN_SECONDS = 10
"""How long a stopping process may take to finish what it has begun."""


class Bell:
    """Tells a loop that there is work, so that it need not wait for its next look."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the loop; while it is at work, make it look once more."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Until it rings, or that time has passed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        self._rung.clear()


@dataclass(frozen=True)
class Loop:
    """Work that a service looks for by itself. `tick` does some, and returns how much."""

    name: str
    tick: Callable[[], Awaitable[int]]
    every: float
    """Seconds between looks when there is nothing to do."""
    bell: Bell = field(default_factory=Bell)
    batch: int = 1
    """The most that one tick does. One that did less has found no more, and needs not look again at once."""
    breath: float = 0.0
    """Seconds between the beginnings of two looks that found something. A bell that rings all the time then wakes it
    for all that has come, and not for each; one that rings now and then wakes it at once."""
    pulse: Pulse = field(default_factory=Pulse)


@dataclass(frozen=True)
class Service:
    """One service, built but not running."""

    name: str
    db: Database
    close: Callable[[], Awaitable[None]]
    """Gives back what `build` opened: the database pool, provider clients."""
    subscriptions: Sequence[Subscription | BatchSubscription] = ()
    loops: Sequence[Loop] = ()
    routes: Sequence[BaseRoute] = ()
    measure: Callable[[], Awaitable[None]] | None = None
    """Brings up to date, when Prometheus asks, what is not counted as it happens."""
    is_ready: Callable[[Condition], bool] = everything
    """Whether it can do what it is there for in this condition: what `/readyz` asks."""
    show: Show | None = None
    """How browsers are shown what no route of any service answers; None where nobody looks at pages."""


def condition(service: Service, bus: Bus) -> Condition:
    """How the service stands at this moment. Asks nobody, so it takes no time whatever is away."""
    at = asyncio.get_running_loop().time()
    stalled = tuple(loop.name for loop in service.loops if has_stalled(loop, at))
    return Condition(bus.is_connected(), service.db.is_reached(at), stalled)


@asynccontextmanager
async def running(services: Sequence[Service], bus: Bus, now: Now) -> AsyncIterator[None]:
    """The services at work, but for their HTTP. On the way out, what is under way is finished."""
    for service in services:
        bus.subscribe(service.name, *service.subscriptions)
    await bus.start()
    stopping = asyncio.Event()
    loops = [loop for service in services for loop in (*service.loops, _heartbeat(service))]
    tasks = [asyncio.create_task(repeat(loop, stopping, now), name=loop.name) for loop in loops]
    try:
        yield
    finally:
        stopping.set()
        for loop in loops:
            loop.bell.ring()
        await _finish(tasks)
        await bus.stop()
        for service in services:
            await service.close()


def _heartbeat(service: Service) -> Loop:
    """What writes down when the others last did their work. It cannot be left out, and holds none of them up."""
    heartbeat = Heartbeat(service.db, LOOP_RUNS[service.name], service.loops)
    return Loop(f"{service.name}.heartbeat", heartbeat.beat, BEAT_SECONDS)


async def repeat(loop: Loop, stopping: asyncio.Event, now: Now) -> None:
    """Run a loop until `stopping` is set, never cutting a tick short. A failure is logged and tried again."""
    failures = 0
    while not stopping.is_set():
        began = asyncio.get_running_loop().time()
        try:
            done = await loop.tick()
            at = now()
            loop.pulse.succeeded(at)
            LOOPS.labels(loop.name, "done" if done else "idle").inc()
            LOOP_SUCCESS.labels(loop.name).set(at.timestamp())
        except (Exception, asyncio.CancelledError) as error:  # a loop must outlive every bug in its work
            if _is_told_to_end(error):
                raise
            failures += 1
            loop.pulse.failed(error)
            LOOPS.labels(loop.name, "failed").inc()
            _report(loop, error, failures)
            await loop.bell.wait(min(LONGEST_BACKOFF, 0.1 * 2 ** min(failures, 10)))
        else:
            failures = 0
            if done < loop.batch:
                await loop.bell.wait(loop.every)
                if done and not stopping.is_set():
                    await asyncio.sleep(max(0.0, began + loop.breath - asyncio.get_running_loop().time()))


def _is_told_to_end(error: BaseException) -> bool:
    """Whether this task was cancelled. What it awaits may be, too, by somebody else: a failure like any other."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _report(loop: Loop, error: BaseException, failures: int) -> None:
    if not isinstance(error, Unavailable):
        log.error("loop.failed", loop=loop.name, failures=failures, exc_info=error)
    elif failures == 1:
        log.warning("loop.waiting", loop=loop.name, error=type(error).__name__, detail=str(error))


async def _finish(tasks: Sequence[asyncio.Task[None]]) -> None:
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
    for task in late:
        log.warning("loop.cut", loop=task.get_name())
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
