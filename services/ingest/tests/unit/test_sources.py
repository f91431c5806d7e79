"""Whose key is it, how long is that believed, and what if nobody can say?"""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from pagerpal_common.errors import DatabaseUnavailable, Forbidden, Unavailable
from pagerpal_ingest import sources as module
from pagerpal_ingest.domain.credentials import key_hash
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.sources import Sources

from services.ingest.tests.conftest import TestClock, ticks

SOURCE = Source(source_id=7, team_id=3, escalation_policy_id=None, config=None, is_active=True)


class Directory:
    """The directory's keys, and how often it was asked."""

    def __init__(self, **keys: Source) -> None:
        self.keys = keys
        self.asked: list[int] = []
        self.refused: list[Source] = []
        self.is_away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, hashes: Sequence[bytes]) -> Mapping[bytes, Source]:
        self.asked.append(len(hashes))
        await self.gate.wait()
        if self.is_away:
            raise DatabaseUnavailable("refused")
        return {key_hash(key): source for key, source in self.keys.items() if key_hash(key) in hashes}


@pytest.fixture
def directory() -> Directory:
    return Directory(known=SOURCE)


@pytest.fixture
def sources(directory: Directory, clock: TestClock) -> Sources:
    return Sources(directory.read, clock, directory.refused.append)


async def test_an_answer_is_good_for_a_while_and_then_asked_for_again(
    sources: Sources, directory: Directory, clock: TestClock
) -> None:
    for seconds in (0, 1, 2.9):
        clock.advance(seconds=seconds)
        assert await sources.find("known") == SOURCE
    assert directory.asked == [1]

    clock.advance(seconds=0.1)
    assert await sources.find("known") == SOURCE
    assert directory.asked == [1, 1]


async def test_a_revoked_key_stops_within_five_seconds(
    sources: Sources, directory: Directory, clock: TestClock
) -> None:
    await sources.find("known")
    directory.keys = {"new": SOURCE}
    clock.advance(seconds=4.9)

    with pytest.raises(Forbidden):
        await sources.find("known")
    assert await sources.find("new") == SOURCE


async def test_a_clock_set_back_does_not_keep_a_revoked_key_alive(
    sources: Sources, directory: Directory, clock: TestClock
) -> None:
    await sources.find("known")
    directory.keys = {}
    clock.advance(hours=-1)

    with pytest.raises(Forbidden):
        await sources.find("known")


async def test_an_inactive_source_is_forbidden_and_works_again_at_once(sources: Sources, directory: Directory) -> None:
    directory.keys = {"known": Source(7, 3, None, None, is_active=False)}
    with pytest.raises(Forbidden):
        await sources.find("known")

    directory.keys = {"known": SOURCE}
    assert await sources.find("known") == SOURCE


async def test_a_key_made_just_now_works_though_it_was_unknown_before(sources: Sources, directory: Directory) -> None:
    with pytest.raises(Forbidden):
        await sources.find("new")

    directory.keys["new"] = SOURCE
    assert await sources.find("new") == SOURCE


async def test_those_who_ask_for_one_key_at_once_share_a_question(sources: Sources, directory: Directory) -> None:
    directory.gate.clear()
    asking = [asyncio.create_task(sources.find("known")) for _ in range(100)]
    await ticks()
    asking[0].cancel()
    await ticks()
    directory.gate.set()

    assert await asyncio.gather(*asking[1:]) == [SOURCE] * 99
    assert directory.asked == [1]


async def test_hammering_with_wrong_keys_takes_few_questions(sources: Sources, directory: Directory) -> None:
    directory.gate.clear()
    asking = [asyncio.create_task(sources.find(f"wrong {number}")) for number in range(300)]
    await ticks()
    directory.gate.set()

    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert {type(answer) for answer in answers} == {Forbidden}
    assert len(directory.asked) <= 3


async def test_while_the_directory_is_away_a_known_key_works_and_an_unknown_one_is_nobody_s_fault(
    sources: Sources, directory: Directory, clock: TestClock
) -> None:
    await sources.find("known")
    directory.is_away = True
    clock.advance(hours=23)

    assert await sources.find("known") == SOURCE
    with pytest.raises(Unavailable):
        await sources.find("unknown")


async def test_while_it_is_away_it_is_not_asked_for_every_alert_and_soon_asked_again(
    sources: Sources, directory: Directory, clock: TestClock
) -> None:
    await sources.find("known")
    directory.is_away = True
    clock.advance(seconds=10)
    for _ in range(5):
        await sources.find("known")
    assert len(directory.asked) == 2

    directory.is_away, directory.keys = False, {}
    clock.advance(seconds=1)
    with pytest.raises(Forbidden):
        await sources.find("known")


async def test_a_key_not_seen_for_a_day_is_not_believed_without_the_directory(
    sources: Sources, directory: Directory, clock: TestClock
) -> None:
    await sources.find("known")
    directory.is_away = True
    clock.advance(hours=25)

    with pytest.raises(Unavailable):
        await sources.find("known")


async def test_a_silent_directory_keeps_the_owner_of_a_known_key_waiting_only_shortly(
    sources: Sources, directory: Directory, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.001)
    await sources.find("known")
    clock.advance(seconds=10)
    directory.gate.clear()

    assert await sources.find("known") == SOURCE

    directory.keys = {}
    directory.gate.set()
    await sources.finish()
    await ticks()
    with pytest.raises(Forbidden):
        await sources.find("known")


async def test_what_is_remembered_is_bounded(
    sources: Sources, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KNOWN_LIMIT", 2)
    directory.keys = dict.fromkeys("abc", SOURCE)
    for key in "abc":
        await sources.find(key)
    directory.is_away = True

    assert await sources.find("b") == await sources.find("c") == SOURCE
    with pytest.raises(Unavailable):
        await sources.find("a")
