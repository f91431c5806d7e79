"""Do things travel together when it is busy, and at once when it is not? And does each get its own answer?"""

import asyncio
from collections.abc import Sequence

import pytest
from pagerpal_common.errors import DatabaseUnavailable, Unavailable
from pagerpal_common.groups import Gatherer, Limits
from structlog.testing import capture_logs

LIMITS = Limits(group=3, under_way=1, waiting=100, wait=30)


async def ticks(number: int = 10) -> None:
    """Let everything that can go on go on."""
    for _ in range(number):
        await asyncio.sleep(0)


class Far:
    """The other end: shouts back what it is sent, once the gate is open."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.groups: list[list[str]] = []
        self.gate = asyncio.Event()
        self.twice = asyncio.Event()
        self.error: Exception | None = None
        if is_open:
            self.gate.set()

    async def send(self, items: Sequence[str], _wait: float) -> list[str]:
        self.groups.append(list(items))
        if len(self.groups) == 2:
            self.twice.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        if "poison" in items:
            raise ValueError("poison")
        return [item.upper() for item in items]


def put_all(gatherer: Gatherer[str, str], items: str) -> list[asyncio.Task[str]]:
    return [asyncio.create_task(gatherer.put(item)) for item in items]


async def test_a_lone_item_is_sent_at_once() -> None:
    far = Far(is_open=False)
    gatherer = Gatherer("test", far.send, LIMITS)

    (answer,) = put_all(gatherer, "a")
    await ticks(3)

    assert far.groups == [["a"]]
    far.gate.set()
    assert await answer == "A"


async def test_what_arrives_while_a_group_is_under_way_makes_the_next_ones() -> None:
    far = Far(is_open=False)
    gatherer = Gatherer("test", far.send, LIMITS)

    answers = put_all(gatherer, "a")
    await ticks()
    answers += put_all(gatherer, "bcdefgh")
    await ticks()
    assert far.groups == [["a"]]
    far.gate.set()

    assert await asyncio.gather(*answers) == list("ABCDEFGH")
    assert far.groups == [["a"], ["b", "c", "d"], ["e", "f", "g"], ["h"]]


async def test_several_groups_may_be_under_way() -> None:
    far = Far(is_open=False)
    gatherer = Gatherer("test", far.send, Limits(group=1, under_way=2, waiting=100, wait=30))

    answers = put_all(gatherer, "abc")
    await ticks()

    assert far.groups == [["a"], ["b"]]
    far.gate.set()
    assert await asyncio.gather(*answers) == list("ABC")


async def test_beyond_its_bound_nothing_more_waits() -> None:
    far = Far(is_open=False)
    gatherer = Gatherer("test", far.send, Limits(group=1, under_way=1, waiting=2, wait=30))
    first = put_all(gatherer, "a")
    await ticks()
    waiting = put_all(gatherer, "bc")
    await ticks()

    with pytest.raises(Unavailable):
        await gatherer.put("d")

    far.gate.set()
    assert await asyncio.gather(*first, *waiting) == list("ABC")


async def test_an_item_that_gets_no_turn_in_time_is_withdrawn_and_never_sent() -> None:
    far = Far(is_open=False)
    gatherer = Gatherer("test", far.send, Limits(group=1, under_way=1, waiting=100, wait=0.1))

    _, *waiting = put_all(gatherer, "abc")
    for answer in waiting:
        with pytest.raises(Unavailable):
            await answer

    far.gate.set()
    await gatherer.finish()
    await ticks()
    assert far.groups == [["a"]]


async def test_a_send_that_overstays_is_not_cancelled_but_nobody_waits_for_it() -> None:
    far = Far(is_open=False)
    gatherer = Gatherer("test", far.send, Limits(group=1, under_way=1, waiting=100, wait=0.3))

    with pytest.raises(Unavailable):
        await gatherer.put("a")
    overtaking = put_all(gatherer, "b")
    await ticks()
    assert far.groups == [["a"]], "a hung database must not be piled upon"
    far.gate.set()

    assert await overtaking[0] == "B"


async def test_a_send_without_an_answer_soon_lets_the_next_one_go() -> None:
    far = Far(is_open=False)
    gatherer = Gatherer("test", far.send, Limits(group=1, under_way=1, waiting=100, wait=30, holds_back=0.001))

    answers = put_all(gatherer, "ab")
    async with asyncio.timeout(10):
        await far.twice.wait()

    far.gate.set()
    assert await asyncio.gather(*answers) == ["A", "B"]


async def test_a_caller_that_goes_away_takes_nobody_with_it() -> None:
    far = Far(is_open=False)
    gatherer = Gatherer("test", far.send, LIMITS)
    answers = put_all(gatherer, "a")
    await ticks()
    answers += put_all(gatherer, "bcd")
    await ticks()

    answers[0].cancel()
    answers[2].cancel()
    await ticks()
    far.gate.set()

    assert await answers[1] == "B"
    assert await answers[3] == "D"
    assert far.groups == [["a"], ["b", "c", "d"]], "what has arrived is sent, whoever still waits"


async def test_a_failure_is_everybody_s_and_the_next_group_starts_afresh() -> None:
    far = Far()
    far.error = DatabaseUnavailable("gone")
    gatherer = Gatherer("test", far.send, LIMITS)

    failed = await asyncio.gather(*put_all(gatherer, "ab"), return_exceptions=True)
    far.error = None

    assert [str(error) for error in failed] == ["test: gone", "test: gone"]
    assert await gatherer.put("c") == "C"


async def test_one_bad_item_fails_alone() -> None:
    far = Far()
    gatherer = Gatherer("test", far.send, LIMITS)

    with capture_logs() as logs:
        answers = await asyncio.gather(*map(gatherer.put, ["a", "poison", "b"]), return_exceptions=True)

    assert answers[0::2] == ["A", "B"]
    assert isinstance(answers[1], Unavailable)
    assert [(line["event"], line["items"], line["error"]) for line in logs] == [
        ("group.failed", 3, "ValueError"),
        ("group.failed", 1, "ValueError"),
    ]


async def test_finishing_waits_for_what_is_under_way() -> None:
    far = Far(is_open=False)
    gatherer = Gatherer("test", far.send, LIMITS)
    (answer,) = put_all(gatherer, "a")
    await ticks()

    finishing = asyncio.create_task(gatherer.finish())
    await ticks()
    assert not finishing.done()
    far.gate.set()

    await finishing
    assert await answer == "A"
