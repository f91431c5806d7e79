"""What only RabbitMQ can do to a bus: restart, cut connections, lose queues, deliver what is no message of ours."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import ClassVar

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pagerpal_common.bus import Subscription, wire
from pagerpal_common.bus.rabbit import RabbitBus
from pagerpal_common.bus.rabbit_link import is_trouble
from pagerpal_common.bus.rabbit_publisher import REASON
from pagerpal_common.bus.rabbit_topology import CRASH_LIMIT, Names
from pagerpal_common.contracts.incidents import AcknowledgeIncident, IncidentAcknowledged, IncidentEscalated
from pagerpal_common.contracts.message import Message
from pagerpal_common.errors import BusUnavailable, NoReply, Unavailable
from pagerpal_common.testing.rabbitmq import RabbitMQNode
from pagerpal_common.testing.waiting import until

pytestmark = pytest.mark.rabbitmq

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

BusFactory = Callable[[str], RabbitBus]


class Answer(Message):
    topic: ClassVar[str] = "test.answer.v1"

    by: str


def triggered(number: int = 1) -> IncidentEscalated:
    return IncidentEscalated(occurred_at=AT, incident_id=number, escalation_id=7)


def acknowledged(number: int = 1) -> IncidentAcknowledged:
    return IncidentAcknowledged(occurred_at=AT, incident_id=number, escalation_id=7)


def acknowledge(number: int = 1) -> AcknowledgeIncident:
    return AcknowledgeIncident(occurred_at=AT, incident_id=number, actor_user_id=2, acting_as_user_id=3)


def keep(numbers: list[int]) -> Callable[[IncidentEscalated], Awaitable[None]]:
    async def handle(message: IncidentEscalated) -> None:
        numbers.append(message.incident_id)

    return handle


@asynccontextmanager
async def factory(url: str, prefix: str) -> AsyncIterator[BusFactory]:
    """Makes buses by name, as many processes as a test wants, and stops them."""
    buses: list[RabbitBus] = []

    def new(name: str) -> RabbitBus:
        buses.append(RabbitBus(url, name=name, prefix=prefix))
        return buses[-1]

    yield new
    await asyncio.gather(*(bus.stop() for bus in buses))


@pytest.fixture
async def new_bus(tidy: None, amqp_url: str, prefix: str) -> AsyncIterator[BusFactory]:
    async with factory(amqp_url, prefix) as new:
        yield new


@pytest.fixture
async def new_bus_on_node(node: RabbitMQNode, prefix: str) -> AsyncIterator[BusFactory]:
    """The same, on a broker that the test may take down. Its queues stay, until the whole node is thrown away: one
    that has just come back takes 5 s to delete a quorum queue."""
    async with factory(node.url, prefix) as new:
        yield new


@pytest.fixture
async def raw(amqp_url: str) -> AsyncIterator[AbstractChannel]:
    """A channel of an operator, or of somebody who means harm."""
    async with await aio_pika.connect(amqp_url) as connection:
        yield await connection.channel()


async def started(*buses: RabbitBus) -> None:
    for bus in buses:
        await bus.start()
    await until(lambda: all(bus.is_connected() for bus in buses))


async def publish_at_last(bus: RabbitBus, *messages: Message) -> None:
    """As a relay does: again until it is confirmed."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await bus.publish(*messages)
            except BusUnavailable:
                await asyncio.sleep(0.05)


async def fetch(channel: AbstractChannel, queue: str) -> AbstractIncomingMessage:
    """The next message of a queue, taken out of it."""
    async with asyncio.timeout(20):
        while (message := await (await channel.get_queue(queue)).get(fail=False, no_ack=True)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return message


async def give_back(queue: AbstractQueue) -> None:
    """As the broker does for a process that has ended without settling the queue's next message."""
    message = None
    async with asyncio.timeout(20):
        while message is None:
            message = await queue.get(fail=False)
    await message.nack(requeue=True)


def escalator_queue(prefix: str) -> str:
    return Names(prefix).queue("escalator", IncidentEscalated)


DEATHS = [Exception(), asyncio.CancelledError(), ConnectionError(), TimeoutError()]  # all of them seen from aiormq


@pytest.mark.parametrize("error", DEATHS, ids=repr)
async def test_however_a_channel_dies_it_is_the_brokers_trouble(error: BaseException) -> None:
    assert is_trouble(error)
    assert not is_trouble(ZeroDivisionError())


async def test_a_task_that_is_really_cancelled_is_no_trouble() -> None:
    async def judge() -> bool:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            return is_trouble(error)
        return True

    task = asyncio.create_task(judge())
    await asyncio.sleep(0)
    task.cancel()

    assert not await task


@pytest.mark.parametrize("ending", ["kill", "stop"])
async def test_nothing_is_lost_over_a_broker_restart(
    new_bus_on_node: BusFactory, node: RabbitMQNode, ending: str
) -> None:
    received: list[int] = []
    publisher, subscriber = new_bus_on_node("publisher"), new_bus_on_node("subscriber")
    subscriber.subscribe("escalator", Subscription(IncidentEscalated, keep(received)))
    await started(publisher, subscriber)
    confirmed: list[int] = []

    async def publish(numbers: range) -> None:
        for number in numbers:
            await publish_at_last(publisher, triggered(number), triggered(number + 2000))
            confirmed.append(number)

    publishing = [asyncio.create_task(publish(range(lane, 2000, 8))) for lane in range(8)]
    await until(lambda: len(confirmed) > 100)
    await asyncio.to_thread(getattr(node, ending))
    assert len(confirmed) < 2000  # it came in the middle
    await asyncio.to_thread(node.start)

    await asyncio.gather(*publishing)
    await until(lambda: set(received) == set(range(4000)))


async def test_while_the_broker_is_down_a_bus_starts_and_fails_fast_and_then_recovers(
    new_bus_on_node: BusFactory, node: RabbitMQNode
) -> None:
    received: list[int] = []
    running = new_bus_on_node("running")
    running.subscribe("escalator", Subscription(IncidentEscalated, keep(received)))
    await started(running)
    await asyncio.to_thread(node.kill)
    try:
        await until(lambda: not running.is_connected())
        starting = new_bus_on_node("starting")
        await fails_fast(starting.start(), None)
        for bus in (running, starting):
            assert not bus.is_connected()
            await fails_fast(bus.publish(triggered()), BusUnavailable)
            await fails_fast(bus.request(acknowledge(), Answer, wait=20), BusUnavailable)
            await fails_fast(bus.parked(), BusUnavailable)
    finally:
        await asyncio.to_thread(node.start)

    await until(lambda: running.is_connected() and starting.is_connected())
    await starting.publish(triggered(5))
    await until(lambda: 5 in received)


async def fails_fast(attempt: Awaitable[object], expected: type[Exception] | None) -> None:
    before = time.monotonic()
    (result,) = await asyncio.gather(attempt, return_exceptions=True)
    assert type(result) is (expected or type(None))
    assert time.monotonic() - before < 3  # and not the 5 s that a confirmation is waited for


async def test_a_message_waits_for_a_subscriber_that_never_ran_even_over_a_crash_of_the_broker(
    new_bus_on_node: BusFactory, node: RabbitMQNode
) -> None:
    received: list[int] = []
    publisher, subscriber = new_bus_on_node("publisher"), new_bus_on_node("subscriber")
    subscriber.subscribe("escalator", Subscription(IncidentEscalated, keep(received)))
    await started(publisher)
    await publisher.publish(triggered(8))

    await asyncio.to_thread(node.kill)
    await asyncio.to_thread(node.start)
    await started(subscriber)

    await until(lambda: received == [8])


async def test_cut_connections_cancel_no_handler_and_fail_a_request_at_once(
    new_bus_on_node: BusFactory, node: RabbitMQNode
) -> None:
    begun: list[int] = []
    done: list[int] = []
    may_end = asyncio.Event()

    async def handle(command: AcknowledgeIncident) -> Answer:
        begun.append(command.incident_id)
        await may_end.wait()
        done.append(command.incident_id)
        return Answer(occurred_at=AT, by="server")

    server, client = new_bus_on_node("server"), new_bus_on_node("client")
    server.subscribe("incidents", Subscription(AcknowledgeIncident, handle))
    await started(server, client)
    asking = asyncio.create_task(client.request(acknowledge(), Answer, wait=60))
    await until(lambda: begun == [1])

    await asyncio.to_thread(node.close_all_connections)
    with pytest.raises(NoReply):
        await asyncio.wait_for(asking, 10)
    await until(lambda: begun == [1, 1])  # it was not settled before it was done, so it came again
    may_end.set()

    await until(lambda: done == [1, 1])
    await until(lambda: server.is_connected() and client.is_connected())
    assert (await client.request(acknowledge(2), Answer, wait=5)).by == "server"


async def test_publishing_and_receiving_use_two_connections(new_bus_on_node: BusFactory, node: RabbitMQNode) -> None:
    bus = new_bus_on_node("lone-process")
    bus.subscribe("escalator", Subscription(IncidentEscalated, keep([])))
    await started(bus)

    listing = await asyncio.to_thread(node.control, "list_connections", "client_properties")

    assert listing.count("lone-process") == 2
    assert "lone-process publish" in listing
    assert "lone-process consume" in listing


async def test_a_deleted_queue_comes_back_with_its_consumer(
    new_bus: BusFactory, raw: AbstractChannel, prefix: str
) -> None:
    received: list[int] = []
    publisher, subscriber = new_bus("publisher"), new_bus("subscriber")
    subscriber.subscribe("escalator", Subscription(IncidentEscalated, keep(received)))
    await started(publisher, subscriber)

    await raw.queue_delete(escalator_queue(prefix))

    await publish_at_last(publisher, triggered(6))
    await until(lambda: received == [6])


async def test_a_message_that_no_queue_takes_is_not_called_safe(
    new_bus: BusFactory, raw: AbstractChannel, prefix: str
) -> None:
    publisher = new_bus("publisher")
    await started(publisher)
    await raw.queue_delete(escalator_queue(prefix))

    # Many at once: the connection is given up at the first, in the middle of the others.
    results = await asyncio.gather(*(publisher.publish(triggered(n)) for n in range(50)), return_exceptions=True)
    assert {type(result) for result in results} == {BusUnavailable}

    await publish_at_last(publisher, triggered(6))
    assert b'"incident_id":6' in (await fetch(raw, escalator_queue(prefix))).body


NOT_OURS = [(b"{secret", None), (b"\xff\x00", None), (wire.encode(triggered()), "incident.mystery.v1")]


@pytest.mark.parametrize(("body", "kind"), NOT_OURS)
async def test_what_is_no_message_of_ours_is_parked_with_its_reason(
    new_bus: BusFactory, raw: AbstractChannel, prefix: str, body: bytes, kind: str | None
) -> None:
    received: list[int] = []
    bus = new_bus("subscriber")
    bus.subscribe("escalator", Subscription(IncidentEscalated, keep(received)))
    await started(bus)

    await raw.default_exchange.publish(aio_pika.Message(body, type=kind), escalator_queue(prefix))
    await bus.publish(triggered(2))

    parked = await fetch(raw, Names(prefix).parked)
    assert parked.body == body
    assert str(parked.headers[REASON]).startswith("undecodable")
    assert "secret" not in str(parked.headers)
    await until(lambda: received == [2])


async def test_a_bug_is_parked_with_its_name(new_bus: BusFactory, raw: AbstractChannel, prefix: str) -> None:
    async def handle(_: IncidentEscalated) -> None:
        raise ZeroDivisionError

    bus = new_bus("subscriber")
    bus.subscribe("escalator", Subscription(IncidentEscalated, handle))
    await started(bus)

    await bus.publish(triggered(2))

    parked = await fetch(raw, Names(prefix).parked)
    assert parked.headers[REASON] == "bug: ZeroDivisionError"
    assert parked.delivery_mode == aio_pika.DeliveryMode.PERSISTENT


async def test_what_is_published_together_travels_together(
    new_bus: BusFactory, raw: AbstractChannel, prefix: str
) -> None:
    bus = new_bus("publisher")
    await started(bus)

    await bus.publish(triggered(1), acknowledged(1), *(triggered(number) for number in range(2, 61)))

    first, second = [await fetch(raw, escalator_queue(prefix)) for _ in range(2)]
    sent = [wire.decode_bundle(IncidentEscalated, message.body) for message in (first, second)]
    assert [len(bundle) for bundle in sent] == [50, 10]
    assert [message.incident_id for bundle in sent for message in bundle] == list(range(1, 61))
    assert first.delivery_mode == aio_pika.DeliveryMode.PERSISTENT


async def test_a_message_of_a_bundle_that_cannot_be_read_parks_alone(
    new_bus: BusFactory, raw: AbstractChannel, prefix: str
) -> None:
    received: list[int] = []
    bus = new_bus("subscriber")
    bus.subscribe("escalator", Subscription(IncidentEscalated, keep(received)))
    await started(bus)
    body = b"[" + b",".join([wire.encode(triggered(1)), b'{"a":"secret"}', wire.encode(triggered(2))]) + b"]"

    await raw.default_exchange.publish(
        aio_pika.Message(body, type=IncidentEscalated.topic, content_type="application/json"), escalator_queue(prefix)
    )

    await until(lambda: sorted(received) == [1, 2])
    assert (await fetch(raw, Names(prefix).parked)).body == b'{"a":"secret"}'


async def test_a_bundle_that_came_back_twice_is_taken_apart(
    new_bus: BusFactory, raw: AbstractChannel, prefix: str
) -> None:
    """A message that ends every process that takes it must not take its neighbours along."""
    publisher = new_bus("publisher")
    await started(publisher)
    await publisher.publish(triggered(1), triggered(2))
    queue = await raw.get_queue(escalator_queue(prefix))
    for _ in range(2):
        await give_back(queue)

    received: list[int] = []
    bus = new_bus("subscriber")
    bus.subscribe("escalator", Subscription(IncidentEscalated, keep(received)))
    published: list[bytes] = []
    send_alone = bus._publisher.send_alone

    async def watched(incoming: AbstractIncomingMessage, body: bytes, *, queue: str, number: str = "") -> None:
        published.append(body)
        await send_alone(incoming, body, queue=queue, number=number)

    bus._publisher.send_alone = watched  # type: ignore[method-assign]
    await started(bus)

    await until(lambda: sorted(received) == [1, 2])
    assert [wire.decode(IncidentEscalated, body).incident_id for body in published] == [1, 2]


async def test_a_bundle_whose_process_stops_in_the_middle_comes_again(new_bus: BusFactory) -> None:
    begun = asyncio.Event()

    async def wait_for_ever(_: IncidentEscalated) -> None:
        begun.set()
        raise Unavailable("away")

    received: list[int] = []
    stopping, other = new_bus("stopping"), new_bus("other")
    stopping.subscribe("escalator", Subscription(IncidentEscalated, wait_for_ever))
    other.subscribe("escalator", Subscription(IncidentEscalated, keep(received)))
    await started(stopping)
    await stopping.publish(*(triggered(number) for number in range(30)))
    await asyncio.wait_for(begun.wait(), 10)

    await stopping.stop()
    await started(other)

    await until(lambda: sorted(received) == list(range(30)))


async def test_a_message_that_kills_its_consumer_each_time_is_parked_by_the_broker(
    new_bus: BusFactory, raw: AbstractChannel, prefix: str
) -> None:
    bus = new_bus("publisher")
    await started(bus)
    await bus.publish(triggered(2))
    queue = await raw.get_queue(escalator_queue(prefix))

    for _ in range(CRASH_LIMIT + 1):
        await give_back(queue)

    assert b'"incident_id":2' in (await fetch(raw, Names(prefix).parked)).body


async def test_a_request_that_expires_unseen_is_gone_and_not_parked(new_bus: BusFactory) -> None:
    done: list[int] = []

    async def handle(command: AcknowledgeIncident) -> Answer:
        done.append(command.incident_id)
        return Answer(occurred_at=AT, by="server")

    server, client = new_bus("server"), new_bus("client")
    server.subscribe("incidents", Subscription(AcknowledgeIncident, handle))
    await started(client)

    with pytest.raises(NoReply):
        await client.request(acknowledge(1), Answer, wait=0.2)
    with pytest.raises(NoReply):
        await client.request(acknowledge(2), Answer, wait=0.2, expires=False)
    await started(server)
    await client.request(acknowledge(3), Answer, wait=5)

    await until(lambda: len(done) == 2)
    assert done == [2, 3]
    assert await client.parked() == 0


async def test_a_published_message_is_persistent_and_its_amqp_id_is_new_each_time(
    new_bus: BusFactory, raw: AbstractChannel, prefix: str
) -> None:
    bus = new_bus("publisher")
    await started(bus)
    message = triggered()

    await asyncio.gather(bus.publish(message), bus.publish(message))

    first, second = [await fetch(raw, escalator_queue(prefix)) for _ in range(2)]
    assert first.delivery_mode == second.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert first.message_id != second.message_id
    assert first.expiration is None


async def test_replicas_share_the_load(new_bus: BusFactory) -> None:
    first: list[int] = []
    second: list[int] = []
    one, two, publisher = new_bus("one"), new_bus("two"), new_bus("publisher")
    one.subscribe("escalator", Subscription(IncidentEscalated, keep(first)))
    two.subscribe("escalator", Subscription(IncidentEscalated, keep(second)))
    await started(one, two, publisher)

    await asyncio.gather(*(publisher.publish(triggered(n)) for n in range(60)))

    await until(lambda: len(first) + len(second) == 60)
    assert sorted(first + second) == list(range(60))
    assert len(first) >= 10
    assert len(second) >= 10


async def test_two_processes_get_their_own_replies(new_bus: BusFactory) -> None:
    async def handle(command: AcknowledgeIncident) -> Answer:
        return Answer(occurred_at=AT, by=str(command.incident_id))

    server, one, two = new_bus("server"), new_bus("one"), new_bus("two")
    server.subscribe("incidents", Subscription(AcknowledgeIncident, handle))
    await started(server, one, two)

    numbers = range(60)
    replies = await asyncio.gather(*((one if n % 2 else two).request(acknowledge(n), Answer, wait=10) for n in numbers))

    assert [reply.by for reply in replies] == [str(n) for n in numbers]


async def test_a_queue_that_an_older_version_declared_goes_on_serving(
    new_bus: BusFactory, raw: AbstractChannel, prefix: str
) -> None:
    received: list[int] = []
    await raw.declare_queue(escalator_queue(prefix), durable=True, arguments={"x-queue-type": "quorum"})
    bus = new_bus("newer")
    bus.subscribe("escalator", Subscription(IncidentEscalated, keep(received)))
    await started(bus)

    await bus.publish(triggered(3))

    await until(lambda: received == [3])


async def test_the_brokers_password_is_never_logged(
    amqp_url: str, prefix: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    host = amqp_url.split("@")[1]
    bus = RabbitBus(f"amqp://guest:hunter2@{host}", name="stranger", prefix=prefix)
    printed: list[str] = []

    def is_refused() -> bool:
        printed.append(capsys.readouterr().out)
        return "bus.no_connection" in "".join(printed)

    await bus.start()
    await until(is_refused)
    with pytest.raises(BusUnavailable) as raised:
        await bus.publish(triggered())
    await bus.stop()

    logged = caplog.text + "".join(printed) + capsys.readouterr().out
    assert "stranger publish" in logged
    assert "hunter2" not in logged + str(raised.value)
