"""How does what has arrived reach a handler? One lane per subscription, the same under both buses.

A lane gathers what arrives while it is busy, bounds how many calls are under way, calls again while a handler says
`Unavailable`, and looks for the culprit when a batch fails. It works in tasks of its own: neither a publisher that
gave up nor a channel that died cancels a handler in the middle.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

import structlog

from pagerpal_common.bus import BatchSubscription, Subscription
from pagerpal_common.bus.traced import consuming
from pagerpal_common.contracts.message import Message
from pagerpal_common.errors import Refusal, Unavailable
from pagerpal_common.metrics import MESSAGES
from pagerpal_common.tracing import caused_by, together

log = structlog.get_logger(__name__)

T = TypeVar("T")

BATCHES_IN_FLIGHT = 2
"""One is being handled while the next gathers; a second hides the time that settling the first takes."""

FIRST_RETRY_SECONDS = 0.05
LONGEST_RETRY_SECONDS = 2.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Delivery(Generic[T]):
    """A message on its way to a handler; `origin` is what its bus needs in order to settle it."""

    message: Message
    origin: T
    expires_at: float | None = None
    """Loop time from which on nobody wants it any more."""


@dataclass(frozen=True)
class Bug:
    """The handler raised what is neither a `Refusal` nor `Unavailable`."""

    error: BaseException


class Unhandled(Enum):
    """Why a handler has not, or not fully, dealt with a message, through no fault of either."""

    EXPIRED = "expired"
    STOPPED = "stopped"


Outcome = Message | Refusal | Bug | Unhandled | None
Settle = Callable[[Delivery[T], Outcome], Awaitable[None]]


class Lane(Generic[T]):
    """Takes deliveries to one subscription's handler, and every outcome to `settle`, which must not raise."""

    def __init__(self, subscription: Subscription | BatchSubscription, settle: Settle[T], *, concurrency: int) -> None:
        self.message = subscription.message
        self._subscription = subscription
        self._settle = settle
        is_batch = isinstance(subscription, BatchSubscription)
        self._limit = subscription.limit if isinstance(subscription, BatchSubscription) else 1
        self._breath = subscription.breath if isinstance(subscription, BatchSubscription) else 0.0
        self._next_at = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._concurrency = BATCHES_IN_FLIGHT if is_batch else concurrency
        self._waiting: deque[Delivery[T]] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    def offer(self, delivery: Delivery[T]) -> None:
        """Take a delivery; it is started at once when there is room."""
        self._waiting.append(delivery)
        self._start_what_fits()

    def forget_waiting(self) -> None:
        """Drop, unsettled, what has not been started: its broker connection is gone, and it will come again."""
        self._waiting.clear()

    async def stop(self) -> None:
        """Give back what has not been started, and wait for the handlers under way, 10 s at most."""
        self._stopping.set()
        self._start_what_fits()
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_SECONDS)
        late = tuple(self._running)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _start_what_fits(self) -> None:
        while self._waiting and (len(self._running) < self._concurrency or self._stopping.is_set()):
            if self._is_out_of_breath():
                return
            batch = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
            task = asyncio.create_task(self._process(batch), name=f"handle {self.message.topic}")
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _is_out_of_breath(self) -> bool:
        """Whether the next batch had better wait for more; it is looked at again when it has waited."""
        loop = asyncio.get_running_loop()
        wait = self._next_at - loop.time()
        if wait > 0 and len(self._waiting) < self._limit and not self._stopping.is_set():
            if self._alarm is None:
                self._alarm = loop.call_later(wait, self._on_alarm)
            return True
        self._next_at = loop.time() + self._breath
        return False

    def _on_alarm(self) -> None:
        self._alarm = None
        self._start_what_fits()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("bus.settle_failed", topic=self.message.topic, exc_info=error)
        self._start_what_fits()

    async def _process(self, batch: list[Delivery[T]]) -> None:
        began = asyncio.get_running_loop().time()
        try:
            outcomes = await self._outcomes(batch)
        except asyncio.CancelledError:  # by `stop`, after its wait: nobody else knows these tasks
            outcomes = [Unhandled.STOPPED] * len(batch)
        seconds = asyncio.get_running_loop().time() - began
        for outcome in outcomes:
            MESSAGES.labels(self.message.topic, _kind(outcome)).observe(seconds)
        await asyncio.gather(*map(self._settle, batch, outcomes))

    async def _outcomes(self, batch: Sequence[Delivery[T]]) -> list[Outcome]:
        """One outcome per delivery. A batch that fails is taken apart, so that the guilty message stands alone."""
        outcomes = await self._call_until_available(batch)
        if len(batch) > 1 and any(isinstance(outcome, Bug | Refusal) for outcome in outcomes):
            return [(await self._call_until_available([delivery]))[0] for delivery in batch]
        return outcomes

    async def _call_until_available(self, batch: Sequence[Delivery[T]]) -> list[Outcome]:
        """Call the handler, again and again while it says `Unavailable`, with those that have not expired.

        A message is held here and not given back in between: the broker counts each time a message is given back,
        and parks it at a limit that is meant for messages nobody can handle.
        """
        delay = FIRST_RETRY_SECONDS
        while not self._stopping.is_set():
            expired = [_is_expired(delivery) for delivery in batch]
            live = [delivery.message for delivery, gone in zip(batch, expired, strict=True) if not gone]
            try:
                results = iter(await self._call(live) if live else [])
            except Unavailable as error:
                log.warning("bus.handler_unavailable", topic=self.message.topic, error=type(error).__name__)
                await self._pause(delay)
                delay = min(delay * 2, LONGEST_RETRY_SECONDS)
                continue
            return [Unhandled.EXPIRED if gone else next(results) for gone in expired]
        return [Unhandled.STOPPED] * len(batch)

    async def _call(self, messages: Sequence[Message]) -> list[Outcome]:
        try:
            return await self._replies(messages)
        except Unavailable:
            raise
        except Refusal as refusal:
            return [refusal] * len(messages)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return [Bug(error)] * len(messages)  # it awaited something that somebody else cancelled
        except Exception as error:  # noqa: BLE001 a bug may be anything; it is logged where it is settled
            return [Bug(error)] * len(messages)

    async def _replies(self, messages: Sequence[Message]) -> list[Outcome]:
        with together() as spans:
            given = [_going_on(message, spans.add(consuming(message)).traceparent) for message in messages]
            with caused_by(_common_request(given), given[0].traceparent if len(given) == 1 else None):
                if isinstance(self._subscription, Subscription):
                    return [await self._subscription.handle(given[0])]
                replies: list[Outcome] = list(await self._subscription.handle(given))
        if len(replies) != len(messages):
            raise RuntimeError(f"{len(replies)} replies to {len(messages)} messages")
        return replies

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def ids_of(message: Message) -> dict[str, object]:
    """What a line of the log about a message calls it."""
    named = {"request_id": message.request_id, "incident_id": getattr(message, "incident_id", None)}
    alerts = {"alert_ids": [str(alert.alert_id) for alert in message.alerts]} if hasattr(message, "alerts") else {}
    known = {name: value for name, value in named.items() if value is not None}
    return {"message_id": str(message.message_id), **known, **alerts}


def _going_on(message: Message, traceparent: str | None) -> Message:
    """The message as its handler gets it: what it causes goes on from the span of its handling."""
    if traceparent == message.traceparent:
        return message
    return message.model_copy(update={"traceparent": traceparent})


def _common_request(messages: Sequence[Message]) -> str | None:
    """The request that all of this goes back to; what is done for one of several says itself which that is."""
    requests = {message.request_id for message in messages}
    if len(messages) == 1:
        return messages[0].request_id or str(messages[0].message_id)
    return requests.pop() if len(requests) == 1 else None


def _kind(outcome: Outcome) -> str:
    if isinstance(outcome, Unhandled):
        return outcome.value
    return "bug" if isinstance(outcome, Bug) else "refused" if isinstance(outcome, Refusal) else "handled"


def _is_expired(delivery: Delivery[T]) -> bool:
    return delivery.expires_at is not None and asyncio.get_running_loop().time() >= delivery.expires_at
