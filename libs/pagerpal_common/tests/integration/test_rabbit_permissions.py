"""On a real RabbitMQ: each service works with the login that `rabbit_permissions` gives it, and can do nothing more."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiormq.exceptions import ChannelAccessRefused
from pagerpal_common.bus import Subscription
from pagerpal_common.bus.rabbit import RabbitBus
from pagerpal_common.bus.rabbit_permissions import permissions, services
from pagerpal_common.bus.rabbit_topology import Names
from pagerpal_common.bus.wire import decode
from pagerpal_common.contracts import PUBLISHERS, SUBSCRIBERS
from pagerpal_common.contracts.incidents import AcknowledgeIncident, IncidentChanged
from pagerpal_common.contracts.message import Message
from pagerpal_common.contracts.notifications import NotificationSettled
from pagerpal_common.errors import BusUnavailable
from pagerpal_common.testing.rabbitmq import RabbitMQNode, make_logins
from pagerpal_common.testing.waiting import until

pytestmark = pytest.mark.rabbitmq

SAMPLES = Path(__file__).parents[1] / "unit" / "contracts"
NAMES = Names()
SPEAKERS = ("ingest",)
LISTENERS = ("escalator", "incidents", "notifier", "web")


def sample(message: type[Message]) -> Message:
    return decode(message, (SAMPLES / f"{message.topic}.json").read_bytes())


@pytest.fixture(scope="module")
def logins(node: RabbitMQNode) -> Mapping[str, str]:
    """A vhost of these tests' own, and in it a login for each service."""
    return make_logins(node, f"least-{uuid4().hex[:8]}")


@asynccontextmanager
async def all_at_work(
    logins: Mapping[str, str], heard: list[tuple[str, Message]]
) -> AsyncIterator[Mapping[str, RabbitBus]]:
    """The five services' buses, each with its own login; what they hear is kept."""

    def listen(service: str, message: type[Message]) -> Subscription:
        async def handle(arrived: Message) -> Message | None:
            if isinstance(arrived, NotificationSettled) and arrived.notification_id < 0:
                raise ValueError("poison")
            heard.append((service, arrived))
            return sample(IncidentChanged) if isinstance(arrived, AcknowledgeIncident) else None

        return Subscription(message, handle)

    async with AsyncExitStack() as stack:
        buses = {}
        for service in services():
            bus = RabbitBus(logins[service], name=service)
            bus.subscribe(service, *(listen(service, m) for m, by in SUBSCRIBERS.items() if service in by))
            await bus.start()
            stack.push_async_callback(bus.stop)
            buses[service] = bus
        await until(lambda: all(bus.is_connected() for bus in buses.values()))
        yield buses


async def test_every_service_says_and_hears_what_it_has_to(logins: Mapping[str, str]) -> None:
    heard: list[tuple[str, Message]] = []
    async with all_at_work(logins, heard) as buses:
        for message, by in PUBLISHERS.items():
            for service in by:
                await buses[service].publish(sample(message))
        expected = {(service, message) for message, by in SUBSCRIBERS.items() for service in by}
        await until(lambda: {(service, type(message)) for service, message in heard} == expected)

        reply = await buses["web"].request(sample(AcknowledgeIncident), IncidentChanged, wait=5.0)

        assert reply == sample(IncidentChanged).model_copy(update={"request_id": reply.request_id})


async def test_what_nobody_can_handle_is_parked_and_counted(logins: Mapping[str, str]) -> None:
    poison = sample(NotificationSettled).model_copy(update={"notification_id": -1})
    async with all_at_work(logins, []) as buses:
        before = await buses["incidents"].parked()

        await buses["notifier"].publish(poison)

        deadline = asyncio.get_running_loop().time() + 20
        while await buses["web"].parked() == before:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.05)


async def test_before_a_listener_has_ever_run_a_speaker_is_told_that_nothing_was_kept(node: RabbitMQNode) -> None:
    """The rest of it, that ingest then keeps the alert itself, is its own to show."""
    vhost = f"empty-{uuid4().hex[:8]}"
    may, message = permissions("ingest", NAMES), next(m for m, by in PUBLISHERS.items() if "ingest" in by)
    for command in (
        ["add_vhost", vhost],
        ["add_user", vhost, "none-yet"],
        ["set_permissions", "-p", vhost, vhost, may.configure, may.write, may.read],
    ):
        await asyncio.to_thread(node.control, *command)
    bus = RabbitBus(f"amqp://{vhost}:none-yet@{node.url.partition('@')[2]}{vhost}", name="ingest")
    await bus.start()
    await until(bus.is_connected)

    with pytest.raises(BusUnavailable):
        await bus.publish(sample(message))

    await bus.stop()


@pytest.fixture(scope="module")
def everything_declared(logins: Mapping[str, str]) -> None:
    """All listeners have run once, so that what is refused is there to be had."""

    async def run_once() -> None:
        async with all_at_work(logins, []):
            pass

    asyncio.run(run_once())


@asynccontextmanager
async def channel_of(url: str) -> AsyncIterator[AbstractChannel]:
    """A channel of whoever has this login, by hand."""
    async with await aio_pika.connect(url) as connection:
        yield await connection.channel(on_return_raises=True)


async def ignore(_: AbstractIncomingMessage) -> None:
    """What a thief would do with it is no matter."""


def foreign_topics(service: str) -> list[str]:
    return [message.topic for message, by in PUBLISHERS.items() if service not in by]


@pytest.mark.parametrize("service", services())
async def test_nobody_speaks_for_another(service: str, logins: Mapping[str, str], everything_declared: None) -> None:
    for topic in foreign_topics(service):
        async with channel_of(logins[service]) as channel:
            exchange = await channel.get_exchange(NAMES.exchange, ensure=False)
            with pytest.raises(ChannelAccessRefused):
                await exchange.publish(aio_pika.Message(b"{}"), topic, timeout=5)


@pytest.mark.parametrize("service", services())
async def test_nobody_touches_another_ones_queue(
    service: str, logins: Mapping[str, str], everything_declared: None
) -> None:
    name, topic = next((name, topic) for name, topic in NAMES.all_queues() if not name.startswith(f"{service}."))

    async def consume(channel: AbstractChannel) -> None:
        await (await channel.get_queue(name, ensure=False)).consume(ignore)

    async def get(channel: AbstractChannel) -> None:
        await (await channel.get_queue(name, ensure=False)).get()

    async def purge(channel: AbstractChannel) -> None:
        await (await channel.get_queue(name, ensure=False)).purge()

    async def delete(channel: AbstractChannel) -> None:
        await channel.queue_delete(name)

    async def bind(channel: AbstractChannel) -> None:
        await (await channel.get_queue(name, ensure=False)).bind(NAMES.exchange, topic)

    async def declare(channel: AbstractChannel) -> None:
        await channel.declare_queue("a-queue-of-my-own", durable=True)

    for attempt in (consume, get, purge, delete, bind, declare):
        async with channel_of(logins[service]) as channel:
            with pytest.raises(ChannelAccessRefused):
                await attempt(channel)


@pytest.mark.parametrize("service", LISTENERS)
async def test_a_listener_cannot_listen_in_on_other_topics(
    service: str, logins: Mapping[str, str], everything_declared: None
) -> None:
    topic = next(message.topic for message, by in SUBSCRIBERS.items() if service not in by)
    async with channel_of(logins[service]) as channel:
        queue = await channel.declare_queue(f"{service}.spy", exclusive=True)
        with pytest.raises(ChannelAccessRefused):
            await queue.bind(NAMES.exchange, topic)


@pytest.mark.parametrize("service", SPEAKERS)
async def test_who_only_speaks_reads_nothing_and_reaches_no_queue_by_its_name(
    service: str, logins: Mapping[str, str], everything_declared: None
) -> None:
    async with channel_of(logins[service]) as channel:
        parked = await channel.get_queue(NAMES.parked, ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await parked.get()
    async with channel_of(logins[service]) as channel:
        with pytest.raises(ChannelAccessRefused):
            await channel.default_exchange.publish(aio_pika.Message(b"{}"), NAMES.all_queues()[0][0], timeout=5)


def test_the_services_are_those_that_these_tests_are_about() -> None:
    assert sorted((*SPEAKERS, *LISTENERS)) == services()
