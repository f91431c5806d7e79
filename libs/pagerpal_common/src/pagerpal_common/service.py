"""What a service is before it runs, and how any number of them run in one process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog
from starlette.routing import BaseRoute

from pagerpal_common.bus import BatchSubscription, Bus, Subscription
from pagerpal_common.errors import Unavailable

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


@dataclass(frozen=True)
class Service:
    """One service, built but not running."""

    name: str
    close: Callable[[], Awaitable[None]]
    """Gives back what `build` opened: the database pool, provider clients."""
    subscriptions: Sequence[Subscription | BatchSubscription] = ()
    loops: Sequence[Loop] = ()
    routes: Sequence[BaseRoute] = ()


@asynccontextmanager
async def running(services: Sequence[Service], bus: Bus) -> AsyncIterator[None]:
    """The services at work, but for their HTTP. On the way out, what is under way is finished."""
    for service in services:
        bus.subscribe(service.name, *service.subscriptions)
    await bus.start()
    stopping = asyncio.Event()
    loops = [loop for service in services for loop in service.loops]
    tasks = [asyncio.create_task(repeat(loop, stopping), name=loop.name) for loop in loops]
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


async def repeat(loop: Loop, stopping: asyncio.Event) -> None:
    """Run a loop until `stopping` is set, never cutting a tick short. A failure is logged and tried again."""
    failures = 0
    while not stopping.is_set():
        try:
            if await loop.tick() < loop.batch:
                await loop.bell.wait(loop.every)
            failures = 0
        except Exception as error:  # noqa: BLE001 - a loop must outlive every bug in its work
            failures += 1
            _report(loop, error, failures)
            await loop.bell.wait(min(LONGEST_BACKOFF, 0.1 * 2 ** min(failures, 10)))


def _report(loop: Loop, error: Exception, failures: int) -> None:
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
