"""Does a bell that rings all the time wake its loop for all that has come, and one that rings now and then at once?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from pagerpal_common.service import Bell, Loop, repeat
from pagerpal_common.testing.waiting import until

BREATH = 0.3


class Work:
    """What a loop finds to do, and how often it has looked."""

    def __init__(self, breath: float) -> None:
        self.left = 0
        self.done = 0
        self.looks = 0
        self.bell = Bell()
        self._stopping = asyncio.Event()
        loop = Loop("test", self._tick, 3600.0, self.bell, batch=1_000, breath=breath)
        self._task = asyncio.create_task(repeat(loop, self._stopping, lambda: datetime(2026, 5, 1, tzinfo=UTC)))

    async def _tick(self) -> int:
        self.looks += 1
        found, self.left = self.left, 0
        self.done += found
        return found

    def bring(self) -> None:
        self.left += 1
        self.bell.ring()

    async def stop(self) -> None:
        self._stopping.set()
        self.bell.ring()
        await self._task


@pytest.fixture
async def work() -> AsyncIterator[Work]:
    work = Work(BREATH)
    await until(lambda: work.looks == 1)
    yield work
    await work.stop()


async def test_what_comes_now_and_then_is_found_at_once(work: Work) -> None:
    work.bring()
    for _ in range(20):
        await asyncio.sleep(0)

    assert work.done == 1


async def test_what_comes_all_the_time_is_found_together(work: Work) -> None:
    for _ in range(50):
        work.bring()
        await asyncio.sleep(0)

    await until(lambda: work.done == 50)

    assert work.looks <= 3  # the first, the one for what came first, and one for all the rest
