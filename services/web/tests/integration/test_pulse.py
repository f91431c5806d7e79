"""Whoever watches is told of each change at the next look, and nobody looks when nobody watches."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack

import pytest
from pagerpal_common.db import Database
from pagerpal_common.errors import DatabaseUnavailable, Unavailable
from pagerpal_common.testing.rows import Rows
from pagerpal_web import pulse as module
from pagerpal_web.pulse import WATCHERS_LIMIT, Pulse

from .conftest import T0


@pytest.fixture
async def pulse(database: Callable[[str | None], Database]) -> AsyncIterator[Pulse]:
    pulse = Pulse(database("web"))
    yield pulse
    await pulse.close()


async def an_event(rows: Rows) -> int:
    (row,) = await rows(
        "INSERT INTO incidents.events (incident_id, event_type, message, created_at, data) "
        "VALUES (1, 'created', 'x', :at, '{}') RETURNING id",
        at=T0,
    )
    return int(row["id"])


async def test_a_change_is_seen_at_the_next_look(pulse: Pulse, rows: Rows) -> None:
    with pulse.watched():
        before = await pulse.next(wait=5)
        newest = await an_event(rows)
        seen = [await pulse.next(wait=5) for _ in range(2)]

    assert (before, seen[-1]) == (0, newest)


async def test_nobody_hears_anything_while_the_database_cannot_be_looked_at(
    pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = asyncio.Event()

    async def away(_tx: object) -> int:
        looks.set()
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(module, "last_event", away)
    with pulse.watched():
        heard = asyncio.create_task(pulse.next(wait=1))
        await asyncio.wait_for(looks.wait(), 5)

        assert await heard is None


async def test_when_nobody_watches_nobody_looks(pulse: Pulse) -> None:
    with pulse.watched():
        await pulse.next(wait=5)
        looking = pulse._looking

    assert looking is not None
    await asyncio.wait_for(looking, 5)


async def test_watching_has_a_bound(pulse: Pulse) -> None:
    with ExitStack() as stack:
        for _ in range(WATCHERS_LIMIT):
            stack.enter_context(pulse.watched())

        with pytest.raises(Unavailable), pulse.watched():
            pass
