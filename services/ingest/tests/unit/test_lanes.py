"""A storm of one source and the alerts of the others."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from pagerpal_common.errors import Unavailable
from pagerpal_common.testing.waiting import until
from pagerpal_ingest import lanes
from pagerpal_ingest.lanes import Lane, Lanes

STORMY, CALM = 1, 2
WIDTH = 8
PATIENT = Lane(WIDTH, wait=60.0)


class Road:
    """Alerts that go in by the lanes, and stay under way until they are let out."""

    def __init__(self) -> None:
        self.lanes = Lanes()
        self.inside: list[int] = []
        self.refused = 0
        self._exits: list[asyncio.Event] = []
        self._tasks: list[asyncio.Task[None]] = []

    def send(self, source_id: int, number: int = 1, lane: Lane = PATIENT, *, is_open: bool = False) -> None:
        self._tasks += [asyncio.create_task(self._drive(source_id, lane, is_open=is_open)) for _ in range(number)]

    async def _drive(self, source_id: int, lane: Lane, *, is_open: bool) -> None:
        way_out = asyncio.Event()
        try:
            async with self.lanes.place(source_id, lane, is_open=is_open):
                self.inside.append(source_id)
                self._exits.append(way_out)
                await way_out.wait()
        except Unavailable:
            self.refused += 1

    def let_out(self, number: int = 1) -> None:
        for _ in range(number):
            self._exits.pop(0).set()

    def cancel_last(self) -> None:
        self._tasks[-1].cancel()

    async def fill_with_what_lingers(self, before_each_answer: Callable[[], object]) -> None:
        """The stormy source's lane is full of alerts that were answered already."""
        for _ in range(WIDTH):
            async with self.lanes.place(STORMY, PATIENT) as place:
                place.lingers = True
                before_each_answer()

    async def are_in(self, number: int) -> None:
        await until(lambda: len(self.inside) == number)
        for _ in range(5):
            await asyncio.sleep(0)  # whoever else might come in would do so now
        assert len(self.inside) == number

    async def empty(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def road(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Road]:
    monkeypatch.setattr(lanes, "HOLDS_BACK_SECONDS", 60.0)
    road = Road()
    yield road
    await road.empty()


async def test_a_source_that_is_alone_has_the_whole_road(road: Road) -> None:
    road.send(STORMY, WIDTH * 3)

    await road.are_in(WIDTH * 3)


async def test_while_another_is_heard_a_storm_keeps_to_its_lane(road: Road) -> None:
    road.send(CALM)
    road.send(STORMY, WIDTH + 10)

    await road.are_in(1 + WIDTH)


async def test_a_calm_source_does_not_wait_behind_a_storm(road: Road) -> None:
    road.send(CALM)
    road.send(STORMY, WIDTH * 2)
    await road.are_in(1 + WIDTH)

    road.send(CALM)

    await road.are_in(2 + WIDTH)
    assert road.inside[-1] == CALM


async def test_each_that_leaves_lets_one_in(road: Road) -> None:
    road.send(CALM)
    road.send(STORMY, WIDTH + 10)
    await road.are_in(1 + WIDTH)

    road.let_out(4)  # the calm one, and three of the storm

    await road.are_in(1 + WIDTH + 3)


async def test_a_sender_that_hangs_up_while_it_waits_takes_nobodys_turn(road: Road) -> None:
    road.send(CALM)
    road.send(STORMY, WIDTH + 2)
    await road.are_in(1 + WIDTH)
    road.send(STORMY)
    await asyncio.sleep(0)
    road.cancel_last()

    road.let_out(4)

    await road.are_in(1 + WIDTH + 2)
    assert road.lanes.under_way(STORMY) == WIDTH - 1


async def test_nobody_waits_while_incidents_is_silent(road: Road) -> None:
    road.send(CALM)
    road.send(STORMY, WIDTH * 3, is_open=True)

    await road.are_in(1 + WIDTH * 3)


async def test_what_comes_to_no_turn_is_told_to_come_again(road: Road) -> None:
    road.send(CALM)
    road.send(STORMY, WIDTH + 5, Lane(WIDTH, wait=0.01))

    await until(lambda: road.refused == 5)

    assert road.lanes.under_way(STORMY) == WIDTH


async def test_what_hangs_holds_back_nobody_for_long(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "HOLDS_BACK_SECONDS", 0.01)
    road.send(CALM)

    road.send(STORMY, WIDTH * 2)

    await road.are_in(1 + WIDTH * 2)
    assert road.lanes.under_way(STORMY) == WIDTH * 2


async def test_what_is_over_leaves_nothing_behind(road: Road) -> None:
    road.send(CALM)
    road.send(STORMY, WIDTH + 5)
    await road.are_in(1 + WIDTH)

    await road.empty()

    assert (road.lanes.under_way(STORMY), road.lanes.under_way(CALM)) == (0, 0)


async def test_what_lingers_keeps_its_place_eight_times_as_long_as_its_answer_took(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = clock(monkeypatch)
    road.send(CALM)
    await road.are_in(1)
    await road.fill_with_what_lingers(lambda: go_on(0.5))

    road.send(STORMY)
    await road.are_in(1)
    go_on(0.4)  # the first was answered 3.5 s before
    await road.are_in(1)
    go_on(0.2)

    await until(lambda: len(road.inside) == 2)


async def test_what_lingers_leaves_at_the_latest_when_what_hangs_would(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = clock(monkeypatch)
    monkeypatch.setattr(lanes, "HOLDS_BACK_SECONDS", 1.0)
    monkeypatch.setattr(lanes, "LINGERS", 1e6)
    road.send(CALM)
    await road.are_in(1)
    await road.fill_with_what_lingers(lambda: go_on(0.1))

    road.send(STORMY)
    await road.are_in(1)
    go_on(0.4)

    await until(lambda: len(road.inside) == 2)


def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """What sets the event loop's clock forward, by so many seconds."""
    loop, ahead = asyncio.get_running_loop(), [0.0]
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + sum(ahead))
    return ahead.append
