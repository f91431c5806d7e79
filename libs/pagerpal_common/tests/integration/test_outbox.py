"""The outbox: what commits is handed over, what does not never leaves, and nothing is lost on the way."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pagerpal_common.bus import BatchSubscription, Subscription
from pagerpal_common.bus.memory import MemoryBus
from pagerpal_common.contracts.incidents import IncidentEscalated
from pagerpal_common.contracts.message import Message
from pagerpal_common.db import Database
from pagerpal_common.errors import BusUnavailable
from pagerpal_common.outbox import Outbox
from pagerpal_common.schema.incidents import incidents_outbox
from sqlalchemy import text

Open = Callable[[str | None], Database]
T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)


class Recorder:
    """Keeps what it is given; refuses everything while `is_away`."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.is_away = False

    async def publish(self, *messages: Message) -> None:
        if self.is_away:
            raise BusUnavailable("away")
        self.got.extend(messages)

    def subscribe(self, service: str, *subscriptions: Subscription | BatchSubscription) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def request(self, message: Message, reply: object, *, wait: float, expires: bool = True) -> object: ...
    async def parked(self) -> int:
        return 0

    def is_connected(self) -> bool:
        return not self.is_away


def facts(count: int) -> Sequence[IncidentEscalated]:
    return [IncidentEscalated(incident_id=n, escalation_id=n, occurred_at=T0) for n in range(count)]


def ids(messages: Sequence[Message]) -> list[UUID]:
    return sorted(message.message_id for message in messages)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(incidents_outbox)


async def test_what_commits_is_handed_over_once_and_equal(database: Open, outbox: Outbox) -> None:
    db, bus, sent = database("incidents"), Recorder(), facts(3)
    async with db.begin() as tx:
        await outbox.add(tx, sent)

    assert await outbox.relay(db, bus) == 3  # type: ignore[arg-type]
    assert await outbox.relay(db, bus) == 0  # type: ignore[arg-type]
    assert sorted(bus.got, key=lambda m: m.message_id) == sorted(sent, key=lambda m: m.message_id)


async def test_what_is_rolled_back_never_leaves(database: Open, outbox: Outbox) -> None:
    db, bus = database("incidents"), Recorder()

    async def broken() -> None:
        async with db.begin() as tx:
            await outbox.add(tx, facts(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await broken()

    assert await outbox.relay(db, bus) == 0  # type: ignore[arg-type]


async def test_an_absent_bus_keeps_everything_for_later(database: Open, outbox: Outbox) -> None:
    db, bus, sent = database("incidents"), Recorder(), facts(5)
    async with db.begin() as tx:
        await outbox.add(tx, sent)
    bus.is_away = True
    with pytest.raises(BusUnavailable):
        await outbox.relay(db, bus)  # type: ignore[arg-type]

    bus.is_away = False

    assert await outbox.relay(db, bus) == 5  # type: ignore[arg-type]
    assert ids(bus.got) == ids(sent)


async def test_rows_that_commit_out_of_order_are_not_lost(database: Open, outbox: Outbox) -> None:
    """Numbers are taken before the commit: reading "after the last one seen" would miss the slower writer."""
    db, bus = database("incidents"), Recorder()
    slow, fast = facts(2)
    async with db.begin() as first:
        await outbox.add(first, [slow])
        async with db.begin() as second:
            await outbox.add(second, [fast])
        assert await outbox.relay(db, bus) == 1  # type: ignore[arg-type]
    assert await outbox.relay(db, bus) == 1  # type: ignore[arg-type]

    assert ids(bus.got) == ids([slow, fast])


async def test_a_row_that_cannot_be_read_holds_up_nothing_behind_it(database: Open, outbox: Outbox) -> None:
    db, bus, sent = database("incidents"), Recorder(), facts(1)
    async with db.begin() as tx:
        await tx.execute(
            text(
                "INSERT INTO incidents.outbox (message_id, topic, body, created_at)"
                " VALUES (gen_random_uuid(), 'incident.escalated.v1', '{}', now())"
            )
        )
        await outbox.add(tx, sent)

    await outbox.relay(db, bus)  # type: ignore[arg-type]

    assert ids(bus.got) == ids(sent)


async def test_two_relays_share_the_work(database: Open, outbox: Outbox) -> None:
    db, bus, sent = database("incidents"), Recorder(), facts(400)
    async with db.begin() as tx:
        await outbox.add(tx, sent)

    counts = await asyncio.gather(*(outbox.relay(db, bus) for _ in range(4)))  # type: ignore[arg-type]

    assert sum(counts) == 400
    assert ids(bus.got) == ids(sent)


async def test_the_memory_bus_keeps_a_row_until_every_subscriber_is_done(database: Open, outbox: Outbox) -> None:
    db, bus = database("incidents"), MemoryBus()
    begun, finish = asyncio.Event(), asyncio.Event()

    async def slow(_: IncidentEscalated) -> None:
        begun.set()
        await finish.wait()

    bus.subscribe("escalator", Subscription(IncidentEscalated, slow))
    await bus.start()
    async with db.begin() as tx:
        await outbox.add(tx, facts(1))
    relay = asyncio.create_task(outbox.relay(db, bus))
    await asyncio.wait_for(begun.wait(), 10)
    async with db.begin() as tx:
        waiting = (await tx.execute(text("SELECT count(*) FROM incidents.outbox"))).scalar_one()
    finish.set()

    assert waiting == 1
    assert await relay == 1
    await bus.stop()
