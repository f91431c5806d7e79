"""What every bus promises, checked on both."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from pagerpal_common.bus import DELIVERY_LIMIT, BatchSubscription, Bus, Subscription, wire
from pagerpal_common.bus.memory import MemoryBus
from pagerpal_common.bus.rabbit import RabbitBus
from pagerpal_common.contracts.incidents import (
    AcknowledgeIncident,
    IncidentAcknowledged,
    IncidentEscalated,
)
from pagerpal_common.contracts.message import Message
from pagerpal_common.contracts.notifications import NotificationSettled
from pagerpal_common.errors import (
    REFUSALS,
    BusUnavailable,
    Conflict,
    DatabaseUnavailable,
    Invalid,
    NoReply,
    NotFound,
    Refusal,
)
from pagerpal_common.testing.waiting import until

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class Answer(Message):
    topic: ClassVar[str] = "test.answer.v1"

    number: int


class Unheard(Message):
    topic: ClassVar[str] = "test.unheard.v1"


def triggered(number: int = 1) -> IncidentEscalated:
    return IncidentEscalated(occurred_at=AT, incident_id=number, escalation_id=7)


def settled(number: int = 1) -> NotificationSettled:
    return NotificationSettled(occurred_at=AT, incident_id=number, notification_id=7)


def acknowledge(number: int = 1) -> AcknowledgeIncident:
    return AcknowledgeIncident(occurred_at=AT, incident_id=number, actor_user_id=2, acting_as_user_id=3)


def answer(number: int) -> Answer:
    return Answer(occurred_at=AT, number=number)


@pytest.fixture
async def memory_bus() -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    yield bus
    await bus.stop()


@pytest.fixture
async def rabbit_bus(tidy: None, amqp_url: str, prefix: str) -> AsyncIterator[RabbitBus]:
    bus = RabbitBus(amqp_url, name="test", prefix=prefix)
    yield bus
    await bus.stop()


@pytest.fixture(params=["memory_bus", pytest.param("rabbit_bus", marks=pytest.mark.rabbitmq)])
def bus(request: pytest.FixtureRequest) -> Bus:
    """A bus that is not started yet."""
    bus: Bus = request.getfixturevalue(request.param)
    return bus


async def started(bus: Bus) -> None:
    await bus.start()
    await until(bus.is_connected)


class Blocking:
    """A handler that says when it has begun, and ends when it is let."""

    def __init__(self, *, blocked: Sequence[int] = (1,)) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self.may_end = asyncio.Event()
        self._blocked = blocked

    async def one(self, message: AcknowledgeIncident | IncidentAcknowledged) -> Answer:
        self.begun.append(message.incident_id)
        if message.incident_id in self._blocked:
            await self.may_end.wait()
        self.done.append(message.incident_id)
        return answer(message.incident_id)

    async def several(self, messages: Sequence[AcknowledgeIncident]) -> list[Answer]:
        return [await self.one(message) for message in messages]


def keep(messages: list[Message]) -> Callable[[Message], Awaitable[None]]:
    async def handle(message: Message) -> None:
        messages.append(message)

    return handle


def keep_all(messages: list[Message]) -> Callable[[Sequence[Message]], Awaitable[list[None]]]:
    async def handle(batch: Sequence[Message]) -> list[None]:
        messages.extend(batch)
        return [None] * len(batch)

    return handle


async def test_a_message_reaches_every_subscriber_as_it_was_sent(bus: Bus) -> None:
    escalator: list[Message] = []
    notifier: list[Message] = []
    bus.subscribe("escalator", Subscription(IncidentAcknowledged, keep(escalator)))
    bus.subscribe("notifier", Subscription(IncidentAcknowledged, keep(notifier)))
    await started(bus)
    sent = IncidentAcknowledged(occurred_at=AT, incident_id=1, escalation_id=2)

    await bus.publish(sent)

    await until(lambda: escalator == notifier == [sent])
    assert escalator[0] is not sent


async def test_messages_published_together_all_arrive_in_their_order(bus: Bus) -> None:
    arrived: list[Message] = []
    bus.subscribe("incidents", BatchSubscription(NotificationSettled, keep_all(arrived), limit=50))
    bus.subscribe("escalator", BatchSubscription(IncidentEscalated, keep_all(arrived), limit=50))
    await started(bus)
    settlings = [settled(number) for number in range(120)]
    steps = [triggered(number) for number in range(3)]

    await bus.publish(*steps, *settlings, Unheard(occurred_at=AT))

    await until(lambda: len(arrived) == 123)
    assert [message for message in arrived if message in settlings] == settlings
    assert [message for message in arrived if message in steps] == steps
    await bus.publish()


async def test_a_message_that_nobody_listens_to_is_published_in_vain(bus: Bus) -> None:
    await started(bus)

    await bus.publish(Unheard(occurred_at=AT))

    with pytest.raises(BusUnavailable):
        await bus.request(Unheard(occurred_at=AT), Answer, wait=1)


async def test_a_subscription_must_be_listed_and_is_made_once(bus: Bus) -> None:
    subscription = Subscription(IncidentEscalated, keep([]))
    bus.subscribe("escalator", subscription)

    with pytest.raises(ValueError, match="unlisted"):
        bus.subscribe("web", subscription)
    with pytest.raises(ValueError, match="twice"):
        bus.subscribe("escalator", subscription)


async def test_a_bus_that_is_not_started_refuses_at_once(bus: Bus) -> None:
    bus.subscribe("escalator", Subscription(IncidentEscalated, keep([])))
    before = time.monotonic()

    with pytest.raises(BusUnavailable):
        await bus.publish(triggered())

    assert not bus.is_connected()
    assert time.monotonic() - before < 3  # and not the 5 s that a confirmation is waited for


async def test_a_request_gets_its_own_reply(bus: Bus) -> None:
    async def handle(command: AcknowledgeIncident) -> Answer:
        return answer(command.incident_id * 10)

    bus.subscribe("incidents", Subscription(AcknowledgeIncident, handle))
    await started(bus)

    replies = await asyncio.gather(*(bus.request(acknowledge(n), Answer, wait=5) for n in range(50)))

    assert [reply.number for reply in replies] == [n * 10 for n in range(50)]


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_refusal_comes_back_as_it_was_raised(bus: Bus, kind: type[Refusal]) -> None:
    async def refuse(_: AcknowledgeIncident) -> None:
        raise kind("incident 1 is resolved")

    bus.subscribe("incidents", Subscription(AcknowledgeIncident, refuse))
    await started(bus)

    with pytest.raises(Refusal) as raised:
        await bus.request(acknowledge(), Answer, wait=5)

    assert type(raised.value) is kind
    assert raised.value.detail == "incident 1 is resolved"


async def test_a_refused_publish_is_dropped(bus: Bus) -> None:
    calls: list[int] = []

    async def refuse(message: IncidentEscalated) -> None:
        calls.append(message.incident_id)
        if message.incident_id == 1:
            raise Conflict("not now")

    bus.subscribe("escalator", Subscription(IncidentEscalated, refuse))
    await started(bus)

    await bus.publish(triggered(1))
    await until(lambda: calls == [1])
    await bus.publish(triggered(2))

    await until(lambda: 2 in calls)
    assert calls == [1, 2]
    assert await bus.parked() == 0


async def test_each_message_of_a_batch_gets_its_own_refusal(bus: Bus) -> None:
    async def handle(commands: Sequence[AcknowledgeIncident]) -> list[Answer]:
        if any(command.incident_id == 3 for command in commands):
            raise NotFound("no incident 3")
        return [answer(command.incident_id) for command in commands]

    bus.subscribe("incidents", BatchSubscription(AcknowledgeIncident, handle, limit=10))
    await started(bus)

    replies = await asyncio.gather(
        *(bus.request(acknowledge(n), Answer, wait=5) for n in range(8)), return_exceptions=True
    )

    assert [reply.number for reply in replies if isinstance(reply, Answer)] == [0, 1, 2, 4, 5, 6, 7]
    assert isinstance(replies[3], NotFound)


def unanswered(bus: Bus) -> type[BusUnavailable]:
    """A broker has confirmed, and keeps the message; memory keeps nothing, and must not say that it does."""
    return BusUnavailable if isinstance(bus, MemoryBus) else NoReply


async def test_a_late_reply_is_told_and_the_handler_goes_on(bus: Bus) -> None:
    handler = Blocking()
    bus.subscribe("incidents", Subscription(AcknowledgeIncident, handler.one))
    await started(bus)

    with pytest.raises(BusUnavailable) as late:
        await bus.request(acknowledge(), Answer, wait=0.3)
    assert type(late.value) is unanswered(bus)
    assert handler.begun == [1]
    handler.may_end.set()

    await until(lambda: handler.done == [1])
    assert await bus.request(acknowledge(2), Answer, wait=5) is not None


async def test_a_caller_that_is_cancelled_does_not_cancel_the_handler(bus: Bus) -> None:
    handler = Blocking()
    bus.subscribe("incidents", Subscription(AcknowledgeIncident, handler.one))
    await started(bus)
    caller = asyncio.create_task(bus.request(acknowledge(), Answer, wait=10))
    await until(lambda: handler.begun == [1])

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    handler.may_end.set()

    await until(lambda: handler.done == [1])


@pytest.mark.parametrize("expires", [True, False])
async def test_only_an_expired_request_is_not_carried_out_later(bus: Bus, expires: bool) -> None:
    handler = Blocking(blocked=[1, 2])  # both batches that may be in flight
    bus.subscribe("incidents", BatchSubscription(AcknowledgeIncident, handler.several, limit=1))
    await started(bus)
    busy = [asyncio.create_task(bus.request(acknowledge(n), Answer, wait=20)) for n in (1, 2)]
    await until(lambda: sorted(handler.begun) == [1, 2])

    late = [bus.request(acknowledge(n), Answer, wait=0.3, expires=expires) for n in range(3, 8)]
    assert {type(reply) for reply in await asyncio.gather(*late, return_exceptions=True)} == {unanswered(bus)}
    await asyncio.sleep(1)  # a broker counts from when it got the message, which may have taken its time
    handler.may_end.set()
    await asyncio.gather(*busy)

    await bus.request(acknowledge(9), Answer, wait=5)
    expected = {1, 2, 9} if expires else {1, 2, 3, 4, 5, 6, 7, 9}
    await until(lambda: len(handler.done) == len(expected))
    assert set(handler.done) == expected
    assert await bus.parked() == 0


async def test_a_request_held_because_of_our_own_trouble_expires_too(bus: Bus) -> None:
    is_away = True
    calls: list[int] = []

    async def handle(command: AcknowledgeIncident) -> Answer:
        calls.append(command.incident_id)
        if is_away:
            raise DatabaseUnavailable("PostgreSQL is away")
        return answer(command.incident_id)

    bus.subscribe("incidents", Subscription(AcknowledgeIncident, handle))
    await started(bus)

    with pytest.raises(unanswered(bus)):
        await bus.request(acknowledge(1), Answer, wait=1)  # long enough to be handled before it expires
    so_far = len(calls)
    is_away = False
    await bus.request(acknowledge(2), Answer, wait=5)
    await asyncio.sleep(1)  # the next call of the first one would have come by now

    assert calls[0] == 1
    assert calls[so_far:] == [2]


async def test_what_our_own_trouble_holds_up_is_tried_until_it_succeeds(bus: Bus) -> None:
    calls: list[float] = []

    async def handle(_: IncidentEscalated) -> None:
        calls.append(time.monotonic())
        if len(calls) < DELIVERY_LIMIT + 1:
            raise DatabaseUnavailable("PostgreSQL is away")

    bus.subscribe("escalator", Subscription(IncidentEscalated, handle))
    await started(bus)

    publishing = asyncio.create_task(bus.publish(triggered()))

    await until(lambda: len(calls) == DELIVERY_LIMIT + 1)
    await publishing
    gaps = [later - earlier for earlier, later in itertools.pairwise(calls)]
    assert gaps[0] < gaps[2] < gaps[4]
    assert await bus.parked() == 0


async def test_a_bug_is_redelivered_then_parked_while_others_flow(bus: Bus) -> None:
    calls: list[int] = []

    async def handle(message: IncidentEscalated) -> None:
        calls.append(message.incident_id)
        if message.incident_id == 13:
            raise KeyError("a bug")

    bus.subscribe("escalator", Subscription(IncidentEscalated, handle))
    await started(bus)

    poison = asyncio.create_task(bus.publish(triggered(13)))
    await until(lambda: 13 in calls)
    await bus.publish(triggered(1))
    await until(lambda: 1 in calls)
    assert calls.count(13) < DELIVERY_LIMIT  # it flowed in between

    await poison
    await until_parked(bus, 1)
    assert calls.count(13) == DELIVERY_LIMIT
    await bus.publish(triggered(2))
    await until(lambda: 2 in calls)


async def until_parked(bus: Bus, count: int) -> None:
    async with asyncio.timeout(20):
        while await bus.parked() != count:  # noqa: ASYNC110 the broker has to be asked
            await asyncio.sleep(0.02)


async def test_a_cancellation_out_of_a_handler_is_a_bug(bus: Bus) -> None:
    async def handle(_: IncidentEscalated) -> None:
        raise asyncio.CancelledError

    bus.subscribe("escalator", Subscription(IncidentEscalated, handle))
    await started(bus)

    await bus.publish(triggered())

    await until_parked(bus, 1)


async def test_a_batch_takes_what_has_arrived_and_no_more_than_its_limit(bus: Bus) -> None:
    batches: list[list[int]] = []

    async def handle(messages: Sequence[NotificationSettled]) -> list[None]:
        batches.append([message.incident_id for message in messages])
        await asyncio.sleep(0.1)
        return [None] * len(messages)

    bus.subscribe("incidents", BatchSubscription(NotificationSettled, handle, limit=8))
    await started(bus)

    await asyncio.gather(*(bus.publish(settled(n)) for n in range(40)))

    await until(lambda: sum(map(len, batches)) == 40)
    assert sorted(number for batch in batches for number in batch) == list(range(40))
    assert max(map(len, batches)) == 8
    assert len(batches) <= 12


async def test_a_batch_never_delays_a_lone_message(bus: Bus) -> None:
    async def handle(commands: Sequence[AcknowledgeIncident]) -> list[Answer]:
        return [answer(command.incident_id) for command in commands]

    bus.subscribe("incidents", BatchSubscription(AcknowledgeIncident, handle, limit=100))
    await started(bus)
    times: list[float] = []

    for n in range(15):
        before = time.perf_counter()
        await bus.request(acknowledge(n), Answer, wait=5)
        times.append(time.perf_counter() - before)

    assert min(times) < 0.05  # a delay would be all of theirs, and a machine that has much to do delays some


async def test_poison_in_a_batch_parks_alone(bus: Bus) -> None:
    handled: set[int] = set()
    batches: list[list[int]] = []

    async def handle(messages: Sequence[NotificationSettled]) -> list[None]:
        batch = [message.incident_id for message in messages]
        batches.append(batch)
        await asyncio.sleep(0.02)
        if 13 in batch:
            raise ZeroDivisionError
        handled.update(batch)
        return [None] * len(messages)

    bus.subscribe("incidents", BatchSubscription(NotificationSettled, handle, limit=50))
    await started(bus)

    await asyncio.gather(*(bus.publish(settled(n)) for n in range(20)))

    await until(lambda: len(handled) == 19)
    await until_parked(bus, 1)
    assert handled == set(range(20)) - {13}
    assert batches.count([13]) == DELIVERY_LIMIT


async def test_poison_among_messages_published_together_parks_alone(bus: Bus) -> None:
    calls: list[int] = []

    async def handle(message: IncidentEscalated) -> None:
        calls.append(message.incident_id)
        if message.incident_id == 13:
            raise ZeroDivisionError

    bus.subscribe("escalator", Subscription(IncidentEscalated, handle))
    await started(bus)

    poisoned = asyncio.create_task(bus.publish(*(triggered(number) for number in range(20))))
    await until_parked(bus, 1)
    await poisoned

    assert [number for number in sorted(set(calls)) if calls.count(number) == 1] == [n for n in range(20) if n != 13]
    assert calls.count(13) >= DELIVERY_LIMIT


async def test_a_batch_that_answers_too_little_is_a_bug(bus: Bus) -> None:
    async def handle(_: Sequence[NotificationSettled]) -> list[None]:
        return []

    bus.subscribe("incidents", BatchSubscription(NotificationSettled, handle, limit=5))
    await started(bus)

    await bus.publish(settled())

    await until_parked(bus, 1)


async def test_a_handler_may_publish_and_ask(bus: Bus) -> None:
    seen: list[object] = []

    async def on_triggered(message: IncidentEscalated) -> None:
        reply = await bus.request(acknowledge(message.incident_id), Answer, wait=5)
        seen.append(reply.number)
        await bus.publish(NotificationSettled(occurred_at=AT, incident_id=message.incident_id, notification_id=7))

    async def on_settled(message: NotificationSettled) -> None:
        seen.append("settled")

    handler = Blocking(blocked=[])
    bus.subscribe(
        "incidents",
        Subscription(AcknowledgeIncident, handler.one),
        Subscription(NotificationSettled, on_settled),
    )
    bus.subscribe("escalator", Subscription(IncidentEscalated, on_triggered))
    await started(bus)

    await bus.publish(triggered(4))

    await until(lambda: seen == [4, "settled"])


async def test_stop_lets_a_running_handler_finish_and_its_reply_go(bus: Bus) -> None:
    handler = Blocking()
    bus.subscribe("incidents", Subscription(AcknowledgeIncident, handler.one))
    await started(bus)
    asking = asyncio.create_task(bus.request(acknowledge(), Answer, wait=20))
    await until(lambda: handler.begun == [1])

    stopping = asyncio.create_task(bus.stop())
    await asyncio.sleep(0.1)
    assert not stopping.done()
    handler.may_end.set()
    await stopping

    assert handler.done == [1]
    assert (await asking).number == 1
    assert not bus.is_connected()
    with pytest.raises(BusUnavailable):
        await bus.publish(triggered())


async def test_stop_does_not_wait_for_our_own_trouble_to_end(bus: Bus) -> None:
    calls: list[int] = []

    async def handle(message: IncidentEscalated) -> None:
        calls.append(message.incident_id)
        raise DatabaseUnavailable("PostgreSQL is away")

    bus.subscribe("escalator", Subscription(IncidentEscalated, handle))
    await started(bus)
    publishing = asyncio.create_task(bus.publish(triggered()))
    await until(lambda: len(calls) > 1)

    async with asyncio.timeout(5):
        await bus.stop()
        await asyncio.gather(publishing, return_exceptions=True)


async def test_in_one_process_publish_returns_only_after_every_subscriber_has_finished(memory_bus: MemoryBus) -> None:
    handler, other = Blocking(), Blocking(blocked=[])
    memory_bus.subscribe("escalator", Subscription(IncidentAcknowledged, handler.one))
    memory_bus.subscribe("notifier", Subscription(IncidentAcknowledged, other.one))
    await started(memory_bus)

    publishing = asyncio.create_task(
        memory_bus.publish(IncidentAcknowledged(occurred_at=AT, incident_id=1, escalation_id=7))
    )
    await until(lambda: handler.begun == other.done == [1])
    assert not publishing.done()
    handler.may_end.set()

    await publishing
    assert handler.done == [1]


async def test_in_one_process_a_missing_subscriber_is_not_called_safe(memory_bus: MemoryBus) -> None:
    memory_bus.subscribe("escalator", Subscription(IncidentAcknowledged, keep([])))
    await started(memory_bus)

    with pytest.raises(BusUnavailable):
        await memory_bus.publish(IncidentAcknowledged(occurred_at=AT, incident_id=1, escalation_id=7))


def test_a_newer_version_may_have_added_fields() -> None:
    body = wire.encode(triggered())[:-1] + b',"mood":"grim"}'
    reply = b'{"reply":' + wire.encode(answer(4))[:-1] + b',"mood":"grim"},"mood":"grim"}'

    assert wire.decode(IncidentEscalated, body).incident_id == 1
    assert wire.decode_reply(Answer, reply).number == 4


def test_a_refusal_of_a_newer_version_is_still_a_refusal() -> None:
    with pytest.raises(Invalid, match="too soon"):
        wire.decode_reply(Answer, b'{"refusal":"TooSoon","detail":"too soon"}')


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"{}", b"\xff", b'{"incident_id":"secret"}', b"[" * 9999])
def test_what_is_no_message_is_undecodable_and_not_quoted(body: bytes) -> None:
    with pytest.raises(wire.Undecodable) as raised:
        wire.decode(IncidentEscalated, body)
    with pytest.raises(wire.Undecodable):
        wire.decode_reply(Answer, body)

    assert "secret" not in str(raised.value)
