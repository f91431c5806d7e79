"""How do things that arrive one by one travel together? What arrives while earlier groups are under way makes the next.

An idle gatherer adds no delay, a busy one sends fewer and fuller messages: measured, five times the alerts per second.
Ingest gathers alerts for the bus, alerts for the spool and keys to look up, the notifier what providers have said.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import structlog

from pagerpal_common.errors import Unavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")

LATE_SECONDS = 0.1
"""How much longer than its time a group is waited for: a `send` that keeps its time has the last word."""


@dataclass(frozen=True)
class Limits:
    """The bounds of a gatherer."""

    group: int
    """Items in one group."""
    under_way: int
    """Groups that hold back the next one."""
    waiting: int
    """Items that wait for a group; more are refused at once."""
    wait: float
    """Seconds from an item's arrival in which it is sent and answered."""
    holds_back: float | None = None
    """Seconds after which a group without an answer no longer holds back the next; None when it always does."""


@dataclass(eq=False, repr=False)  # asyncio prints what its callbacks hold when something goes wrong
class _Ticket(Generic[T, R]):
    item: T
    until: float
    """Loop time at which its wait is over."""
    result: asyncio.Future[R]
    context: Context
    """A group of one belongs to the request and the trace of whoever waits for it, a larger one to none."""


class Gatherer(Generic[T, R]):
    """Sends items in groups through `send`, which takes a group and the seconds it has, and returns one result per
    item in order. It is never cancelled: not by a caller that went away, nor by one whose time is over."""

    def __init__(self, name: str, send: Callable[[Sequence[T], float], Awaitable[Sequence[R]]], limits: Limits) -> None:
        self._name = name
        self._send = send
        self._limits = limits
        self._waiting: deque[_Ticket[T, R]] = deque()  # all wait equally long, so the first is the first to be late
        self._under_way: set[asyncio.Future[Sequence[R]]] = set()
        self._holding_back: set[asyncio.Future[Sequence[R]]] = set()
        self._is_woken = False
        self._alarm: asyncio.TimerHandle | None = None

    async def put(self, item: T) -> R:
        """Send an item with whatever else is waiting, and return its result.

        Raises:
            Unavailable: too much is waiting; or it was not sent, or not answered, in time; or sending it failed.
        """
        if len(self._waiting) >= self._limits.waiting:
            raise Unavailable(f"{self._name}: too much is waiting")
        loop = asyncio.get_running_loop()
        ticket = _Ticket[T, R](item, loop.time() + self._limits.wait, loop.create_future(), copy_context())
        self._waiting.append(ticket)
        if not self._is_woken:
            self._is_woken = True
            loop.call_soon(self._start_what_fits)
        return await ticket.result

    async def finish(self) -> None:
        """Wait for the groups under way."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _start_what_fits(self) -> None:
        self._is_woken = False
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0].until <= loop.time():
            self._fail([self._waiting.popleft()], "not sent in time")
        while self._waiting and len(self._holding_back) < self._limits.under_way:
            self._start([self._waiting.popleft() for _ in range(min(self._limits.group, len(self._waiting)))])
        if self._waiting and self._alarm is None:
            self._alarm = loop.call_at(self._waiting[0].until, self._on_alarm)

    def _on_alarm(self) -> None:
        self._alarm = None
        self._start_what_fits()

    def _start(self, group: list[_Ticket[T, R]]) -> None:
        loop = asyncio.get_running_loop()
        left = max(group[0].until - loop.time(), 0.0)
        context = group[0].context if len(group) == 1 else Context()
        work = context.run(self._begin, [ticket.item for ticket in group], left)
        self._under_way.add(work)
        self._holding_back.add(work)
        timers = [loop.call_later(left + LATE_SECONDS, self._fail, group, "no answer in time")]
        if self._limits.holds_back is not None:
            timers.append(loop.call_later(self._limits.holds_back, self._let_next, work))
        work.add_done_callback(partial(self._settle, group, timers))

    def _begin(self, items: Sequence[T], left: float) -> asyncio.Future[Sequence[R]]:
        return asyncio.ensure_future(self._send(items, left))

    def _let_next(self, work: asyncio.Future[Sequence[R]]) -> None:
        self._holding_back.discard(work)
        self._start_what_fits()

    def _settle(
        self, group: list[_Ticket[T, R]], timers: list[asyncio.TimerHandle], work: asyncio.Future[Sequence[R]]
    ) -> None:
        self._under_way.discard(work)
        self._let_next(work)
        error = asyncio.CancelledError() if work.cancelled() else work.exception()
        if error is None:
            for ticket, result in zip(group, work.result(), strict=True):
                if not ticket.result.done():
                    ticket.result.set_result(result)
        elif isinstance(error, Unavailable | asyncio.CancelledError):
            self._fail(group, str(error) or "cut off")
        else:
            self._on_bug(group, error)
        for timer in timers:  # last: should anything above fail, they still answer those who wait
            timer.cancel()

    def _on_bug(self, group: list[_Ticket[T, R]], error: BaseException) -> None:
        """One bad item must not take its neighbours down: the group is taken apart, and each sent alone."""
        log.error("group.failed", of=self._name, items=len(group), error=type(error).__name__)
        if len(group) == 1:
            self._fail(group, "failed; it has been logged")
            return
        for ticket in group:
            self._start([ticket])

    def _fail(self, group: Sequence[_Ticket[T, R]], reason: str) -> None:
        for ticket in group:
            if not ticket.result.done():
                ticket.result.set_exception(Unavailable(f"{self._name}: {reason}"))
