"""Whose alerts may go on to the intake now? A lane per source, so that one's storm does not stand before the others.

What is under way decides how long a transaction lasts that the next alert waits for. So while several sources are
heard, each has a bounded number under way, and the rest of it waits here; a source that is alone has the whole road.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

WIDTH = 32
"""Alerts of one source that may be under way while others are heard. Measured (`benchmarks/storm.py`)."""

HEARD_SECONDS = 5.0
"""For how long a source counts as being heard after an alert."""

LONGEST_WAIT = 0.5
"""Seconds. A lane only puts things in order; when what is under way is slow, it must not add to that."""


class Lanes:
    """The lanes of all sources of this process. Times are the event loop's."""

    def __init__(self) -> None:
        self._under_way: Counter[int] = Counter()
        self._waiting: dict[int, dict[asyncio.Future[None], None]] = {}  # in their order, and quick to leave
        self._latest: int | None = None
        self._changed_at = -HEARD_SECONDS

    def under_way(self, source_id: int) -> int:
        """How many of the source wait here or are on their way."""
        return self._under_way[source_id] + len(self._waiting.get(source_id, ()))

    @asynccontextmanager
    async def place(self, source_id: int, *, is_open: bool = False) -> AsyncIterator[None]:
        """A place among what is under way, waited for when the lane is full; with `is_open` there is no waiting."""
        self._note(source_id)
        is_full = self._under_way[source_id] >= WIDTH or source_id in self._waiting
        if is_full and not is_open and self._are_several_heard():
            await self._turn(source_id)
        self._under_way[source_id] += 1
        try:
            yield
        finally:
            self._leave(source_id)

    def _note(self, source_id: int) -> None:
        if source_id != self._latest:
            if self._latest is not None:
                self._changed_at = asyncio.get_running_loop().time()
            self._latest = source_id

    def _are_several_heard(self) -> bool:
        return asyncio.get_running_loop().time() - self._changed_at < HEARD_SECONDS

    async def _turn(self, source_id: int) -> None:
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.setdefault(source_id, {})[turn] = None
        late = loop.call_later(LONGEST_WAIT, _give, turn)
        try:
            await turn
        finally:
            late.cancel()
            self._stop_waiting(source_id, turn)

    def _stop_waiting(self, source_id: int, turn: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(source_id, {})
        waiting.pop(turn, None)
        if not waiting:
            self._waiting.pop(source_id, None)

    def _leave(self, source_id: int) -> None:
        self._under_way[source_id] -= 1
        if self._under_way[source_id] < WIDTH:
            # Whoever is done already has had its turn, or is gone.
            turn = next((turn for turn in self._waiting.get(source_id, ()) if not turn.done()), None)
            if turn is not None:
                self._stop_waiting(source_id, turn)
                _give(turn)
        if not self._under_way[source_id]:
            del self._under_way[source_id]


def _give(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
