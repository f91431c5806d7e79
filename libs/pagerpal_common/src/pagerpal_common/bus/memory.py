"""What carries messages inside one process? The standalone run's bus; it forgets everything when the process ends.

Nothing is lost by that: `publish` returns only after every subscriber has finished, so a publisher that keeps its row
until then sends it again after a crash. Messages are encoded and decoded, so that what works here works on the wire.
"""

import asyncio
from dataclasses import dataclass
from typing import TypeVar

import structlog

from pagerpal_common.bus import DELIVERY_LIMIT, PUBLISH_SECONDS, BatchSubscription, Subscription, wire
from pagerpal_common.bus.lane import Bug, Delivery, Lane, Outcome, Unhandled, ids_of
from pagerpal_common.bus.traced import producing, producing_all
from pagerpal_common.contracts import SUBSCRIBERS
from pagerpal_common.contracts.message import Message
from pagerpal_common.errors import BusUnavailable, Refusal

log = structlog.get_logger(__name__)

R = TypeVar("R", bound=Message)

CONCURRENCY = 32
"""Calls of one subscription's handler under way at once. A handler may publish to its own topic, if not this deep."""

BUG_RETRY_SECONDS = 0.05


@dataclass
class _Origin:
    """Where a delivery came from, and who waits for it."""

    service: str
    finished: asyncio.Future[Outcome]
    answer: asyncio.Future[bytes | None]
    """The encoded reply or refusal; None when there will be none. Shared by all deliveries of one message."""
    failures: int = 0


@dataclass(frozen=True)
class Parked:
    """A message whose handler failed `DELIVERY_LIMIT` times."""

    service: str
    message: Message
    error: BaseException


class MemoryBus:
    """The bus inside one process; `Bus` says what each method promises."""

    def __init__(self) -> None:
        self.parked_messages: list[Parked] = []
        self._lanes: dict[type[Message], dict[str, Lane[_Origin]]] = {}
        self._retries: set[asyncio.Task[None]] = set()
        self._is_running = False

    def subscribe(self, service: str, *subscriptions: Subscription | BatchSubscription) -> None:
        """Register, before `start`, what this service handles.

        Raises:
            ValueError: `SUBSCRIBERS` does not list it, or it is there already.
        """
        for subscription in subscriptions:
            lanes = self._lanes.setdefault(subscription.message, {})
            if service not in SUBSCRIBERS.get(subscription.message, ()) or service in lanes:
                raise ValueError(f"{service} subscribes to {subscription.message.topic} unlisted, or twice")
            lanes[service] = Lane(subscription, self._settle, concurrency=CONCURRENCY)

    async def start(self) -> None:
        self._is_running = True

    async def stop(self) -> None:
        self._is_running = False
        for retry in self._retries:
            retry.cancel()
        await asyncio.gather(*self._retries, return_exceptions=True)
        await asyncio.gather(*(lane.stop() for lanes in self._lanes.values() for lane in lanes.values()))

    async def publish(self, *messages: Message) -> None:
        heard = [message for message in messages if SUBSCRIBERS.get(type(message))]
        with producing_all(heard):
            finished = {origin.finished: message.topic for message in heard for origin in self._deliver(message)}
            if finished:
                await asyncio.wait(finished, timeout=PUBLISH_SECONDS)
        for one, topic in finished.items():
            if not one.done() or one.result() is Unhandled.STOPPED:
                raise BusUnavailable(f"{topic} has not been handled by everybody")

    async def request(self, message: Message, reply: type[R], *, wait: float, expires: bool = True) -> R:
        expires_at = asyncio.get_running_loop().time() + wait if expires else None
        with producing(message):
            answer = self._deliver(message, expires_at)[0].answer
            try:
                async with asyncio.timeout(wait):
                    body = await answer
            except TimeoutError:
                body = None
        if body is None:  # not `NoReply`: that says a broker keeps the message, and this memory is no such place
            raise BusUnavailable(f"no answer to {message.topic} in {wait} s")
        return wire.decode_reply(reply, body)

    async def parked(self) -> int:
        return len(self.parked_messages)

    def is_connected(self) -> bool:
        return self._is_running

    def _deliver(self, message: Message, expires_at: float | None = None) -> list[_Origin]:
        lanes = self._lanes.get(type(message), {})
        if not self._is_running or not lanes or set(SUBSCRIBERS[type(message)]) - lanes.keys():
            raise BusUnavailable(f"not every subscriber of {message.topic} is running")
        loop = asyncio.get_running_loop()
        body, answer = wire.encode(message), loop.create_future()
        origins = [_Origin(service, loop.create_future(), answer) for service in lanes]
        for origin, lane in zip(origins, lanes.values(), strict=True):
            lane.offer(Delivery(wire.decode(lane.message, body), origin, expires_at))
        return origins

    async def _settle(self, delivery: Delivery[_Origin], outcome: Outcome) -> None:
        origin, answer = delivery.origin, delivery.origin.answer
        if isinstance(outcome, Bug) and not self._is_running:
            outcome = Unhandled.STOPPED
        if isinstance(outcome, Bug):
            origin.failures += 1
            if origin.failures < DELIVERY_LIMIT:
                self._retry_later(delivery, outcome)
                return
            self._park(delivery, outcome.error)
        elif isinstance(outcome, Message | Refusal) and not answer.done():
            answer.set_result(wire.encode_reply(outcome))
        elif outcome is Unhandled.STOPPED and not answer.done():
            answer.set_result(None)
        origin.finished.set_result(outcome)

    def _retry_later(self, delivery: Delivery[_Origin], bug: Bug) -> None:
        origin, message = delivery.origin, delivery.message
        log.warning("bus.handler_failed", **_ids(delivery), failures=origin.failures, exc_info=bug.error)
        retry = asyncio.create_task(self._retry(delivery), name=f"retry {message.topic}")
        self._retries.add(retry)
        retry.add_done_callback(self._retries.discard)

    async def _retry(self, delivery: Delivery[_Origin]) -> None:
        try:
            await asyncio.sleep(BUG_RETRY_SECONDS * delivery.origin.failures)
        finally:  # also when `stop` cancels the sleep: a lane that stops settles what it is offered
            self._lanes[type(delivery.message)][delivery.origin.service].offer(delivery)

    def _park(self, delivery: Delivery[_Origin], error: BaseException) -> None:
        self.parked_messages.append(Parked(delivery.origin.service, delivery.message, error))
        log.error("bus.parked", **_ids(delivery), exc_info=error)


def _ids(delivery: Delivery[_Origin]) -> dict[str, object]:
    return {"service": delivery.origin.service, "topic": delivery.message.topic, **ids_of(delivery.message)}
