"""Which exchanges and queues does RabbitMQ hold for us?

    pagerpal (topic)  --<topic>-->  <service>.<topic>   one durable quorum queue per subscriber in `SUBSCRIBERS`
    pagerpal.parked (headers)  -->  pagerpal.parked     what nobody could handle, for an operator

Every process declares all of it on every connect, so the start order is free, a message waits for a subscriber that
never ran yet, and a queue that an operator deleted comes back. A login that may not declare what is another service's
(`rabbit_permissions.py`) leaves it to that service; until that has run once, what is said to it finds no queue, and
the sweeps find its work.
"""

from collections.abc import Collection
from dataclasses import dataclass

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelPreconditionFailed
from aiormq.exceptions import ChannelAccessRefused
from pamqp.common import Arguments

from pagerpal_common.contracts import SUBSCRIBERS
from pagerpal_common.contracts.message import Message

log = structlog.get_logger(__name__)

CRASH_LIMIT = 20
"""How often the broker delivers a message before it parks it itself.

It counts every return, those of a killed consumer's innocent messages included (measured: ten messages, one of them
poison, prefetch 10: all ten over the limit after as many crashes). So it is only the backstop for a message that kills
its process each time; a handler that fails is counted by `DELIVERY_LIMIT`.
"""

DEATHS_TO_PARK = ("delivery_limit", "rejected")
"""RabbitMQ docs, Dead Letter Exchanges: `x-first-death-reason`. The others are `maxlen` and `expired`: a request
that expired is meant to vanish, so its death must not fill the operator's queue."""


@dataclass(frozen=True)
class Names:
    """The names of everything, behind a prefix that keeps two installations (or two tests) on one broker apart."""

    prefix: str = ""

    @property
    def exchange(self) -> str:
        return f"{self.prefix}pagerpal"

    @property
    def parked(self) -> str:
        return f"{self.prefix}pagerpal.parked"

    def queue(self, service: str, message: type[Message]) -> str:
        return f"{self.prefix}{service}.{message.topic}"

    def all_queues(self) -> list[tuple[str, str]]:
        """Every subscriber's queue, with the topic that is routed to it."""
        return [
            (self.queue(service, message), message.topic)
            for message, services in SUBSCRIBERS.items()
            for service in services
        ]


async def declare(connection: AbstractConnection, names: Names, *, own: Collection[str] = ()) -> None:
    """Make sure that it is all there, as far as this login may. Costs a few milliseconds when it already is.

    Args:
        own: queues to begin with: who may not declare the others must have these.
    """
    try:
        await _declare(connection, names, own)
    except ChannelAccessRefused as refusal:
        log.info("bus.declared_in_part", refused=str(refusal))


async def _declare(connection: AbstractConnection, names: Names, own: Collection[str]) -> None:
    channel = await connection.channel()
    await channel.declare_exchange(names.exchange, ExchangeType.TOPIC, durable=True)
    await channel.declare_exchange(names.parked, ExchangeType.HEADERS, durable=True)
    await _declare_queue(channel, names.parked, {})
    parked = await channel.get_queue(names.parked, ensure=False)
    for reason in DEATHS_TO_PARK:  # plain `all` would not look at headers that begin with x-
        await parked.bind(names.parked, "", arguments={"x-match": "all-with-x", "x-first-death-reason": reason})
    arguments: Arguments = {"x-delivery-limit": CRASH_LIMIT, "x-dead-letter-exchange": names.parked}
    for name, topic in sorted(names.all_queues(), key=lambda queue: queue[0] not in own):
        await _declare_queue(channel, name, arguments)
        await (await channel.get_queue(name, ensure=False)).bind(names.exchange, topic)
    await channel.close()


async def _declare_queue(channel: AbstractChannel, name: str, arguments: Arguments) -> None:
    """Declare it, or take it as it is: after an upgrade that changed an argument the old queue goes on serving."""
    try:
        await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum", **(arguments or {})})
    except ChannelPreconditionFailed:
        log.warning("bus.queue_differs", queue=name)
        await channel.reopen()
