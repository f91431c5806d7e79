"""How does a message get to RabbitMQ, and its reply back? The publishing half of `RabbitBus`, on its own connection.

A broker that runs short of memory or disk blocks the connections that publish; messages are received on another one,
which stays free to settle them (RabbitMQ docs, Memory and Disk Alarms).
"""

import asyncio
from collections.abc import Iterator, Sequence
from uuid import uuid4

import structlog
from aio_pika import DeliveryMode
from aio_pika import Message as AmqpMessage
from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractExchange,
    AbstractIncomingMessage,
    HeadersType,
)
from aio_pika.exceptions import PublishError

from pagerpal_common.bus import PUBLISH_SECONDS, wire
from pagerpal_common.bus.rabbit_link import Link, is_trouble
from pagerpal_common.bus.rabbit_topology import Names, declare
from pagerpal_common.contracts import SUBSCRIBERS
from pagerpal_common.contracts.message import Message
from pagerpal_common.errors import BusUnavailable, NoReply

log = structlog.get_logger(__name__)

DIRECT_REPLY_TO = "amq.rabbitmq.reply-to"
"""RabbitMQ docs, Direct Reply-to: replies come back on the channel that published, without a queue."""

LAST_REPLIES_SECONDS = 1.0

BUNDLE = 50
"""Messages of one topic that travel in one of AMQP's at most: as many as are handled together."""

MESSAGE_ID = "message-id"
"""Header: the message's own id; of a bundle that of the first. AMQP's property of that name is new each time."""

ORIGIN = "pagerpal-queue"
REASON = "pagerpal-reason"
"""Headers of a parked message: where it lay, and why it was parked."""


class Publisher:
    """Publishes, asks, answers, parks, and takes bundles apart."""

    def __init__(self, url: str, name: str, names: Names) -> None:
        self._names = names
        self._link = Link(url, f"{name} publish", self._set_up)
        self._waiting: dict[str, asyncio.Future[bytes | None]] = {}
        self._connection: AbstractConnection
        self._facts: AbstractExchange
        self._requests: AbstractExchange
        self._replies: AbstractExchange
        self._parking: AbstractExchange

    @property
    def link(self) -> Link:
        return self._link

    async def stop(self) -> None:
        """Close, once the replies that are on their way have had a moment to arrive."""
        if self._waiting:
            await asyncio.wait(tuple(self._waiting.values()), timeout=LAST_REPLIES_SECONDS)
        await self._link.stop()

    async def publish(self, messages: Sequence[Message]) -> None:
        await self._link.ready()
        await asyncio.gather(
            *(
                self._send(
                    *(self._facts, bundle[0].topic, _amqp(bundle)),
                    is_mandatory=bool(SUBSCRIBERS.get(type(bundle[0]))),
                )
                for bundle in _bundles(messages)
            )
        )

    async def request(self, message: Message, *, wait: float, expires: bool) -> bytes:
        """The encoded reply.

        Raises:
            NoReply: the broker has it, but no reply came.
            BusUnavailable: the broker has not confirmed it.
        """
        correlation_id = uuid4().hex
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._waiting[correlation_id] = answer
        is_confirmed, body = False, None
        try:
            async with asyncio.timeout(wait):
                await self._link.ready()
                amqp_message = _amqp([message], correlation_id=correlation_id, expiration=wait if expires else None)
                await self._send(self._requests, message.topic, amqp_message)
                is_confirmed = True
                body = await answer
        except TimeoutError:
            pass
        finally:
            del self._waiting[correlation_id]
        if body is not None:
            return body
        if is_confirmed:
            raise NoReply(f"no answer to {message.topic} in {wait} s")
        raise BusUnavailable(f"{message.topic} was not confirmed in {wait} s")

    async def reply(self, to: str, correlation_id: str | None, body: bytes) -> None:
        """Send an encoded reply. Whether anybody still waits for it is not known, so nothing confirms it.

        Raises:
            BusUnavailable: it could not be sent.
        """
        await self._link.ready()
        message = AmqpMessage(body, correlation_id=correlation_id, content_type="application/json")
        await self._send(self._replies, to, message, is_mandatory=False)

    async def send_alone(self, incoming: AbstractIncomingMessage, body: bytes, *, queue: str, number: str = "") -> None:
        """Put one message of a bundle back into its queue, by itself: whatever is wrong with it is no other's trouble.

        Raises:
            BusUnavailable: not confirmed.
        """
        await self._link.ready()
        await self._send(self._parking, queue, _again(incoming, body, {MESSAGE_ID: number}))

    async def park(self, incoming: AbstractIncomingMessage, *, queue: str, reason: str) -> None:
        """Put a message that nobody can handle where an operator finds it.

        Raises:
            BusUnavailable: not confirmed.
        """
        await self._link.ready()
        message = _again(incoming, incoming.body, {**incoming.headers, ORIGIN: queue, REASON: reason})
        await self._send(self._parking, self._names.parked, message)

    async def count_parked(self) -> int:
        """How many messages lie parked.

        Raises:
            BusUnavailable: the broker cannot be asked.
        """
        await self._link.ready()
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                channel = await self._connection.channel()  # its own: asking for a queue that is gone closes it
                declared = (await channel.declare_queue(self._names.parked, passive=True)).declaration_result
                await channel.close()
        except BaseException as error:
            if not is_trouble(error):
                raise
            raise BusUnavailable("the broker does not say how many messages are parked") from error
        return declared.message_count or 0

    async def _send(
        self, exchange: AbstractExchange, key: str, message: AmqpMessage, *, is_mandatory: bool = True
    ) -> None:
        """Publish, and wait for the confirmation if the channel gives one.

        Raises:
            BusUnavailable: it may or may not have gone.
        """
        try:
            await exchange.publish(message, key, mandatory=is_mandatory, timeout=PUBLISH_SECONDS)
        except PublishError as error:
            self._link.lose()  # a queue or a binding was deleted: the next connection declares it again
            raise BusUnavailable(f"no queue takes {key}") from error
        except BaseException as error:
            if not is_trouble(error):
                raise
            raise BusUnavailable(f"{key} was not confirmed: {type(error).__name__}") from error

    async def _set_up(self, link: Link, connection: AbstractConnection) -> None:
        await declare(connection, self._names)
        self._connection = connection
        facts = await link.open_channel(connection, confirms=True)
        requests = await link.open_channel(connection, confirms=True)
        replies = await link.open_channel(connection, confirms=False)
        self._facts = await facts.get_exchange(self._names.exchange, ensure=False)
        self._requests = await requests.get_exchange(self._names.exchange, ensure=False)
        self._replies, self._parking = replies.default_exchange, facts.default_exchange
        await self._take_replies(requests)

    async def _take_replies(self, channel: AbstractChannel) -> None:
        queue = await channel.get_queue(DIRECT_REPLY_TO, ensure=False)
        await queue.consume(self._answered, no_ack=True)
        channel.close_callbacks.add(self._lost_replies)

    async def _answered(self, reply: AbstractIncomingMessage) -> None:
        answer = self._waiting.get(reply.correlation_id or "")
        if answer is not None and not answer.done():
            answer.set_result(reply.body)

    def _lost_replies(self, *_: object) -> None:
        """Replies to a channel that is gone go nowhere: tell those who wait now, not when their time is over."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(None)


def _bundles(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Messages of one topic each, in their order."""
    by_topic: dict[str, list[Message]] = {}
    for message in messages:
        by_topic.setdefault(message.topic, []).append(message)
    for alike in by_topic.values():
        yield from (alike[start : start + BUNDLE] for start in range(0, len(alike), BUNDLE))


def _amqp(
    messages: Sequence[Message], *, correlation_id: str | None = None, expiration: float | None = None
) -> AmqpMessage:
    return AmqpMessage(
        wire.encode_bundle(messages),
        type=messages[0].topic,
        content_type="application/json",
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=uuid4().hex,  # never twice: aiormq finds the publish that a return belongs to by it
        correlation_id=correlation_id,
        reply_to=DIRECT_REPLY_TO if correlation_id else None,
        expiration=expiration,
        headers={MESSAGE_ID: str(messages[0].message_id)},
    )


def _again(incoming: AbstractIncomingMessage, body: bytes, headers: HeadersType) -> AmqpMessage:
    return AmqpMessage(
        body,
        headers=headers,
        type=incoming.type,
        content_type=incoming.content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=uuid4().hex,
    )
