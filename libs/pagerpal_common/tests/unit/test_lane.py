"""What comes now and then is handled at once; does what comes all the time make batches?"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from pagerpal_common.bus import BatchSubscription, Subscription
from pagerpal_common.bus.lane import Delivery, Lane, Outcome
from pagerpal_common.contracts.message import Message
from pagerpal_common.testing.waiting import until
from structlog.contextvars import bound_contextvars, get_contextvars

LIMIT = 5
AGES = 3600.0


class Fact(Message):
    """Something that has happened."""

    topic: ClassVar[str] = "fact.v1"

    number: int


class Road:
    """A lane, and the batches that have come to its handler."""

    def __init__(self, breath: float) -> None:
        self.batches: list[list[int]] = []
        self.settled: list[int] = []
        self.lane = Lane[int](BatchSubscription(Fact, self._handle, LIMIT, breath), self._settle, concurrency=1)

    def send(self, *numbers: int) -> None:
        for number in numbers:
            self.lane.offer(Delivery(Fact.model_construct(number=number), number))

    async def _handle(self, facts: Sequence[Fact]) -> list[None]:
        self.batches.append([fact.number for fact in facts])
        return [None] * len(facts)

    async def _settle(self, delivery: Delivery[int], _outcome: Outcome) -> None:
        self.settled.append(delivery.origin)


@pytest.fixture
async def road() -> AsyncIterator[Road]:
    road = Road(AGES)
    yield road
    await road.lane.stop()


async def ticks() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_comes_alone_is_handled_at_once(road: Road) -> None:
    road.send(1)

    await until(lambda: road.settled == [1])


async def test_what_comes_soon_after_waits_for_more(road: Road) -> None:
    road.send(1)
    await until(lambda: road.settled == [1])

    road.send(2, 3)
    await ticks()

    assert road.batches == [[1]]


async def test_a_full_batch_waits_for_nothing(road: Road) -> None:
    road.send(1)
    await until(lambda: road.settled == [1])

    road.send(2, 3, 4, 5, 6)

    await until(lambda: len(road.settled) == 6)
    assert road.batches == [[1], [2, 3, 4, 5, 6]]


async def test_once_it_has_waited_all_go_together() -> None:
    road = Road(0.05)
    road.send(1)
    await until(lambda: road.settled == [1])

    road.send(2)
    road.send(3)

    await until(lambda: len(road.settled) == 3)
    assert road.batches == [[1], [2, 3]]
    await road.lane.stop()


async def test_a_lane_that_stops_gives_back_what_waits(road: Road) -> None:
    road.send(1)
    await until(lambda: road.settled == [1])
    road.send(2)

    await road.lane.stop()

    assert (road.batches, road.settled) == ([[1]], [1, 2])


async def test_what_a_handler_logs_has_the_number_of_the_request_that_the_message_was_said_in() -> None:
    seen: list[str] = []
    settled = asyncio.Event()

    async def handle(_fact: Fact) -> None:
        seen.append(get_contextvars()["request_id"])

    async def settle(_delivery: Delivery[int], _outcome: Outcome) -> None:
        settled.set()

    lane = Lane[int](Subscription(Fact, handle), settle, concurrency=1)
    with bound_contextvars(request_id="req-1"):
        fact = Fact(number=1, occurred_at=datetime(2026, 5, 21, tzinfo=UTC))

    lane.offer(Delivery(fact, 1))
    await settled.wait()
    await lane.stop()

    assert seen == ["req-1"]
