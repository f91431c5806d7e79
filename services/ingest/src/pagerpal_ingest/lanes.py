"""Whose alerts may go on to the intake now? A lane per source, so that one's storm does not stand before the others.

What is under way decides how long the transaction lasts that the next alert waits for, and what is opened keeps
everybody behind us busy. So while several sources are heard, each has few alerts under way and the rest of its storm
waits here, for a moment; what comes to no turn is told to come again. A source that is alone has the whole road.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pagerpal_common.errors import Unavailable


@dataclass(frozen=True)
class Lane:
    """What one source may have under way while others are heard. Measured (`benchmarks/storm.py`)."""

    width: int
    """Alerts."""
    wait: float
    """Seconds that an alert waits for its turn."""


SINGLE = Lane(width=4, wait=1.0)
"""For alerts that come one by one. A short wait: a sender that hears of trouble is to hear of it soon."""

OF_A_BODY = Lane(width=32, wait=10.0)
"""For those of a body of many: they are taken in together, and one that was refused would have all of them repeated."""

HEARD_SECONDS = 5.0
"""For how long a source counts as being heard after an alert."""

HOLDS_BACK_SECONDS = 0.25
"""An alert that is under way for longer no longer takes up a place: what hangs must not add to its own trouble."""

LINGERS = 8.0
"""For how long an alert of a storm that has opened an incident keeps its place once it is answered: so many times as
long as the answer took, but no longer than what hangs. People are being paged for it, which costs more than it did
itself, and the longer all take, the less is to be done at once. Repeats keep none."""


class Place:
    """Among what is under way."""

    def __init__(self) -> None:
        self.lingers = False
        """Set when more is to be done for the alert than answering it."""


class Lanes:
    """The lanes of all sources of this process. Times are the event loop's."""

    def __init__(self) -> None:
        self._taken: Counter[int] = Counter()
        self._under_way: Counter[int] = Counter()
        self._waiting: dict[int, dict[asyncio.Future[bool], None]] = {}  # in their order, and quick to leave
        self._latest: int | None = None
        self._changed_at = -HEARD_SECONDS

    def under_way(self, source_id: int) -> int:
        """How many of the source wait here or are on their way."""
        return self._under_way[source_id]

    @asynccontextmanager
    async def place(self, source_id: int, lane: Lane, *, is_open: bool = False) -> AsyncIterator[Place]:
        """A place among what is under way, waited for when the lane is full; with `is_open` there is no waiting.

        Raises:
            Unavailable: its turn has not come in time.
        """
        self._note(source_id)
        self._under_way[source_id] += 1
        try:
            is_full = self._taken[source_id] >= lane.width or source_id in self._waiting
            if is_full and not is_open and self._are_several_heard() and not await self._turn(source_id, lane.wait):
                raise Unavailable("this source sends more than can be taken in while others send")
            async with self._held(source_id, lane.width) as place:
                yield place
        finally:
            _take_off(self._under_way, source_id)

    def _note(self, source_id: int) -> None:
        if source_id != self._latest:
            if self._latest is not None:
                self._changed_at = asyncio.get_running_loop().time()
            self._latest = source_id

    def _are_several_heard(self) -> bool:
        return asyncio.get_running_loop().time() - self._changed_at < HEARD_SECONDS

    async def _turn(self, source_id: int, wait: float) -> bool:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        self._waiting.setdefault(source_id, {})[turn] = None
        late = loop.call_later(wait, _give, turn, False)
        try:
            return await turn
        finally:
            late.cancel()
            self._stop_waiting(source_id, turn)

    def _stop_waiting(self, source_id: int, turn: asyncio.Future[bool]) -> None:
        waiting = self._waiting.get(source_id, {})
        waiting.pop(turn, None)
        if not waiting:
            self._waiting.pop(source_id, None)

    @asynccontextmanager
    async def _held(self, source_id: int, width: int) -> AsyncIterator[Place]:
        self._taken[source_id] += 1
        is_left = False

        def leave() -> None:
            nonlocal is_left
            if not is_left:
                is_left = True
                self._leave(source_id, width)

        loop = asyncio.get_running_loop()
        began = loop.time()
        timer = loop.call_later(HOLDS_BACK_SECONDS, leave)
        place = Place()
        try:
            yield place
        finally:
            if place.lingers:
                loop.call_later(min(LINGERS * (loop.time() - began), HOLDS_BACK_SECONDS), leave)
            else:
                leave()
            timer.cancel()

    def _leave(self, source_id: int, width: int) -> None:
        _take_off(self._taken, source_id)
        if self._taken[source_id] < width:
            # Whoever is done already has had its turn, or is gone.
            turn = next((turn for turn in self._waiting.get(source_id, ()) if not turn.done()), None)
            if turn is not None:
                self._stop_waiting(source_id, turn)
                _give(turn, True)


def _take_off(counter: Counter[int], source_id: int) -> None:
    counter[source_id] -= 1
    if not counter[source_id]:
        del counter[source_id]


def _give(turn: asyncio.Future[bool], is_ours: bool) -> None:
    if not turn.done():
        turn.set_result(is_ours)
