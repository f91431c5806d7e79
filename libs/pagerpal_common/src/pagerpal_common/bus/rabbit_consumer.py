"""How does a queue's message get to its handler, and what becomes of it then? The receiving half of `RabbitBus`.

| outcome                | the message                                          |
|------------------------|------------------------------------------------------|
| done, or refused       | the reply is sent if one is wanted, then settled     |
| expired                | settled                                              |
| a bug                  | given back after a moment; the fifth time parked     |
| no message of ours     | parked                                               |
| the process is stopping| given back                                           |

A bundle is settled once all its messages are, and is not parked: a message of it that fails, or that cannot be read,
goes back into the queue by itself first. Should that fail, or the process stop, the whole bundle is given back: what
was done is done again, which every handler bears. One that came back twice is taken apart before it is handled: a
message in it may be what ends the process.

aio-pika's callback only hands the message to a lane: callbacks are cancelled in the middle when their channel dies.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from dataclasses import dataclass

import structlog
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue

from pagerpal_common.bus import DELIVERY_LIMIT, BatchSubscription, Subscription, wire
from pagerpal_common.bus.lane import BATCHES_IN_FLIGHT, Bug, Delivery, Lane, Outcome, Unhandled, ids_of
from pagerpal_common.bus.rabbit_link import Link, is_trouble
from pagerpal_common.bus.rabbit_publisher import MESSAGE_ID, Publisher
from pagerpal_common.contracts.message import Message
from pagerpal_common.errors import BusUnavailable, Refusal

log = structlog.get_logger(__name__)

PREFETCH = 20
"""Messages of one subscription with this process at once, each in a call of its own. Small: replicas share."""

BUG_RETRY_SECONDS = 0.1
"""Times the deliveries so far; without it a message that fails at once would spin."""

DELIVERIES = "x-delivery-count"
"""RabbitMQ docs, Quorum Queues: how often this message was delivered before. Absent the first time."""

SUSPECT_DELIVERIES = 2
"""After so many a bundle is taken apart."""

PARK_RETRY_SECONDS = 1.0
CANCEL_SECONDS = 2.0


@dataclass(eq=False)
class _Load:
    """What the broker has delivered: one message, or a bundle."""

    incoming: AbstractIncomingMessage
    number: int
    """Of messages in it."""
    left: int
    """Those that are not dealt with."""
    is_to_come_again: bool = False


class Consumer:
    """Takes the messages of one queue to one handler."""

    def __init__(self, queue: str, subscription: Subscription | BatchSubscription, publisher: Publisher) -> None:
        self._queue = queue
        self._publisher = publisher
        self._message = subscription.message
        self._prefetch = PREFETCH
        if isinstance(subscription, BatchSubscription):  # one more gathers while those in flight are handled
            self._prefetch = subscription.limit * (BATCHES_IN_FLIGHT + 1)
        self._lane: Lane[tuple[_Load, int]] = Lane(subscription, self._settle, concurrency=PREFETCH)
        self._asides: set[asyncio.Task[None]] = set()
        self._source: AbstractQueue | None = None
        self._tag = ""
        self._is_stopping = False

    async def consume(self, link: Link, connection: AbstractConnection) -> None:
        """Receive over this connection, which replaces one that is gone."""
        self._lane.forget_waiting()
        if self._is_stopping:
            return
        channel = await link.open_channel(connection, confirms=False)
        await channel.set_qos(prefetch_count=self._prefetch)
        self._source = await channel.get_queue(self._queue, ensure=False)
        self._tag = await self._source.consume(self._arrived)

    async def stop(self) -> None:
        """Receive nothing more, give back what was not begun, and let the handlers under way finish."""
        self._is_stopping = True
        if self._source is not None:
            await self._settled(self._source.cancel(self._tag, timeout=CANCEL_SECONDS))
        await self._lane.stop()
        await asyncio.gather(*self._asides)

    async def _arrived(self, incoming: AbstractIncomingMessage) -> None:
        try:
            if incoming.type not in (None, self._message.topic):
                raise wire.Undecodable(f"its type is not {self._message.topic}")
            messages = wire.decode_bundle(self._message, incoming.body)
        except wire.Undecodable as error:
            parts = wire.split_bundle(incoming.body)
            self._aside(self._take_apart(incoming, parts) if parts else self._park(incoming, f"undecodable: {error}"))
            return
        if len(messages) > 1 and _deliveries(incoming) >= SUSPECT_DELIVERIES:
            self._aside(self._take_apart(incoming, wire.split_bundle(incoming.body)))
            return
        expires_at = None
        if isinstance(incoming.expiration, int | float):  # counted anew from here: clocks of two machines differ
            expires_at = asyncio.get_running_loop().time() + incoming.expiration
        load = _Load(incoming, len(messages), len(messages))
        for place, message in enumerate(messages):
            self._lane.offer(Delivery(message, (load, place), expires_at))

    async def _settle(self, delivery: Delivery[tuple[_Load, int]], outcome: Outcome) -> None:
        load, _ = delivery.origin
        if isinstance(outcome, Bug):  # aside, so that the next message need not wait for this one's next turn
            work = self._failed if load.number == 1 else self._failed_in_bundle
            self._aside(work(delivery, outcome.error))
            return
        if outcome is Unhandled.STOPPED:
            load.is_to_come_again = True
        elif isinstance(outcome, Message | Refusal) and load.incoming.reply_to:
            await self._reply(load.incoming, outcome)
        elif isinstance(outcome, Refusal):
            log.info("bus.refused", **self._ids(delivery), refusal=type(outcome).__name__)
        await self._one_less(load)

    async def _one_less(self, load: _Load) -> None:
        load.left -= 1
        if not load.left:
            incoming = load.incoming
            await self._settled(incoming.nack(requeue=True) if load.is_to_come_again else incoming.ack())

    async def _reply(self, incoming: AbstractIncomingMessage, outcome: Message | Refusal) -> None:
        try:
            await self._publisher.reply(incoming.reply_to or "", incoming.correlation_id, wire.encode_reply(outcome))
        except BusUnavailable as error:
            log.warning("bus.reply_lost", topic=self._message.topic, error=str(error))

    async def _failed_in_bundle(self, delivery: Delivery[tuple[_Load, int]], error: BaseException) -> None:
        load, place = delivery.origin
        log.warning("bus.handler_failed_in_bundle", **self._ids(delivery), exc_info=error)
        body, number = wire.split_bundle(load.incoming.body)[place], str(delivery.message.message_id)
        try:
            await self._publisher.send_alone(load.incoming, body, queue=self._queue, number=number)
        except BusUnavailable:
            load.is_to_come_again = True
        await self._one_less(load)

    async def _take_apart(self, incoming: AbstractIncomingMessage, parts: Sequence[bytes]) -> None:
        log.warning("bus.bundle_taken_apart", queue=self._queue, messages=len(parts))
        load = _Load(incoming, len(parts), 1)
        try:
            for body in parts:
                await self._publisher.send_alone(incoming, body, queue=self._queue)
        except BusUnavailable:
            load.is_to_come_again = True
        await self._one_less(load)

    async def _failed(self, delivery: Delivery[tuple[_Load, int]], error: BaseException) -> None:
        incoming = delivery.origin[0].incoming
        deliveries = _deliveries(incoming) + 1
        if deliveries >= DELIVERY_LIMIT:
            log.error("bus.handler_failed", **self._ids(delivery), deliveries=deliveries, exc_info=error)
            await self._park(incoming, f"bug: {type(error).__name__}")
            return
        log.warning("bus.handler_failed", **self._ids(delivery), deliveries=deliveries, exc_info=error)
        await asyncio.sleep(BUG_RETRY_SECONDS * deliveries)
        await self._settled(incoming.nack(requeue=True))

    async def _park(self, incoming: AbstractIncomingMessage, reason: str) -> None:
        message_id = str(incoming.headers.get(MESSAGE_ID))
        try:
            await self._publisher.park(incoming, queue=self._queue, reason=reason)
        except BusUnavailable as error:
            log.warning("bus.not_parked", queue=self._queue, message_id=message_id, error=str(error))
            await asyncio.sleep(PARK_RETRY_SECONDS)
            await self._settled(incoming.nack(requeue=True))
            return
        log.error("bus.parked", queue=self._queue, message_id=message_id, reason=reason)
        await self._settled(incoming.ack())

    async def _settled(self, settling: Awaitable[object]) -> None:
        """Settle, or find that the channel is gone: then the broker delivers the message again, and that is fine."""
        try:
            await settling
        except BaseException as error:
            if not is_trouble(error):
                raise
            log.info("bus.not_settled", queue=self._queue, error=type(error).__name__)

    def _aside(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name=f"aside {self._queue}")
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    def _ids(self, delivery: Delivery[tuple[_Load, int]]) -> dict[str, object]:
        return {"queue": self._queue, **ids_of(delivery.message)}


def _deliveries(incoming: AbstractIncomingMessage) -> int:
    """How often it was delivered before."""
    return int(str(incoming.headers.get(DELIVERIES, 0)))
