"""What carries messages between processes? RabbitMQ: quorum queues, publisher confirms, direct reply-to.

rabbit_topology.py   exchanges and queues
rabbit_link.py       a connection that comes back
rabbit_publisher.py  publish, request, reply, park
rabbit_consumer.py   receive, handle (through `lane.py`), settle
"""

import asyncio
from typing import TypeVar

from aio_pika.abc import AbstractConnection

from pagerpal_common.bus import BatchSubscription, Subscription, wire
from pagerpal_common.bus.rabbit_consumer import Consumer
from pagerpal_common.bus.rabbit_link import Link
from pagerpal_common.bus.rabbit_publisher import Publisher
from pagerpal_common.bus.rabbit_topology import Names, declare
from pagerpal_common.bus.traced import producing, producing_all
from pagerpal_common.contracts import SUBSCRIBERS
from pagerpal_common.contracts.message import Message

R = TypeVar("R", bound=Message)


class RabbitBus:
    """The bus over RabbitMQ; `Bus` says what each method promises."""

    def __init__(self, url: str, *, name: str, prefix: str = "") -> None:
        """`name` is how the broker lists this process's connections; `prefix` keeps two installations apart."""
        self._names = Names(prefix)
        self._publisher = Publisher(url, name, self._names)
        self._receiving = Link(url, f"{name} consume", self._set_up)
        self._consumers: dict[str, Consumer] = {}

    def subscribe(self, service: str, *subscriptions: Subscription | BatchSubscription) -> None:
        """Register, before `start`, what this service handles.

        Raises:
            ValueError: `SUBSCRIBERS` does not list it, or it is there already.
        """
        for subscription in subscriptions:
            queue = self._names.queue(service, subscription.message)
            if service not in SUBSCRIBERS.get(subscription.message, ()) or queue in self._consumers:
                raise ValueError(f"{service} subscribes to {subscription.message.topic} unlisted, or twice")
            self._consumers[queue] = Consumer(queue, subscription, self._publisher)

    async def start(self) -> None:
        self._publisher.link.start()
        if self._consumers:
            self._receiving.start()

    async def stop(self) -> None:
        await asyncio.gather(*(consumer.stop() for consumer in self._consumers.values()))
        await asyncio.gather(self._receiving.stop(), self._publisher.stop())

    async def publish(self, *messages: Message) -> None:
        with producing_all(messages):
            await self._publisher.publish(messages)

    async def request(self, message: Message, reply: type[R], *, wait: float, expires: bool = True) -> R:
        with producing(message):
            body = await self._publisher.request(message, wait=wait, expires=expires)
        return wire.decode_reply(reply, body)

    async def parked(self) -> int:
        return await self._publisher.count_parked()

    def is_connected(self) -> bool:
        return self._publisher.link.is_up and (self._receiving.is_up or not self._consumers)

    async def _set_up(self, link: Link, connection: AbstractConnection) -> None:
        await declare(connection, self._names, own=self._consumers)
        for consumer in self._consumers.values():
            await consumer.consume(link, connection)
