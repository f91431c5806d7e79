"""Is what a service looks for by itself still looked for? Each loop's last success, written where anybody can read it.

A loop notes the ends of its ticks in its `Pulse`. One more loop per service writes what is new of all of them, every
few seconds. Of a loop that hangs, fails each time or has died there is nothing new, so its row grows old while its
process lives. With several replicas the last to write counts, and each writes only of what it has just seen at work.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Table, text

from pagerpal_common.db import Database

BEAT_SECONDS = 2.0
"""Between two writings. What runs less often than that is written less often."""

STALLED_SECONDS = 15.0
"""How long a loop may go without a success beyond its usual pause before it counts as stalled: a statement and a
publish that both end by their time limits (5 s each), the beat (2 s), and something for a busy machine."""

# Each replica takes the rows in the same order, so that two never wait for each other. What is not known stays.
_WRITE = """
INSERT INTO {table} (name, every_seconds, last_run_at, last_error)
SELECT * FROM unnest(CAST(:names AS text[]), CAST(:every AS float8[]), CAST(:last_run AS timestamptz[]),
                     CAST(:errors AS text[])) AS run (name, every_seconds, last_run_at, last_error)
ORDER BY name
ON CONFLICT (name) DO UPDATE
SET every_seconds = excluded.every_seconds, last_error = excluded.last_error,
    last_run_at = coalesce(excluded.last_run_at, {table}.last_run_at)
"""

# Nothing is lost with a beat, so it need not wait for the disk.
_UNHURRIED = text("SET LOCAL synchronous_commit = off")
_ANYTHING = text("SELECT 1")


@dataclass(frozen=True)
class Ends:
    """How a loop's ticks have ended so far."""

    last_run_at: datetime | None = None
    """The last that succeeded; None before the first."""
    error: str | None = None
    """The class of what the last one failed with; None when it succeeded. Never its text, which may quote anything."""


class Pulse:
    """Takes note of the ends of one loop's ticks."""

    def __init__(self) -> None:
        self.ends = Ends()
        self._moved_at: float | None = None

    def succeeded(self, at: datetime) -> None:
        """A tick has succeeded, now."""
        self.ends = Ends(at)
        self._moved_at = asyncio.get_running_loop().time()

    def failed(self, error: BaseException) -> None:
        """A tick has failed, now."""
        self.ends = Ends(self.ends.last_run_at, type(error).__name__)

    def is_silent(self, at: float, seconds: float) -> bool:
        """Whether no tick of this process has succeeded for so long, or ever. `at` is the event loop's time, which
        nobody can set."""
        return self._moved_at is None or at - self._moved_at > seconds


class Beating(Protocol):
    """What is to be known of a loop."""

    @property
    def name(self) -> str: ...
    @property
    def every(self) -> float: ...
    @property
    def pulse(self) -> Pulse: ...


def has_stalled(loop: Beating, at: float) -> bool:
    """Whether it is too long since this process saw the loop succeed; so it is before its first success."""
    return loop.pulse.is_silent(at, loop.every + STALLED_SECONDS)


class Heartbeat:
    """Writes one service's loops into its own table."""

    def __init__(self, db: Database, table: Table, loops: Sequence[Beating]) -> None:
        self._db = db
        self._write = text(_WRITE.format(table=table.fullname))
        self._loops = loops
        self._written: dict[str, Ends] = {}

    async def beat(self) -> int:
        """Write of each loop that has ended a tick since the last beat; none, and it is at least seen whether the
        database answers. Returns 0: there is never more to do at once.

        Raises:
            Unavailable: the database is away; the next beat writes it all.
        """
        news = {loop.name: loop.pulse.ends for loop in self._loops if self._is_news(loop)}
        async with self._db.begin() as tx:
            if news:
                await tx.execute(_UNHURRIED)
                await tx.execute(self._write, self._values(news))
            else:
                await tx.execute(_ANYTHING)
        self._written |= news
        return 0

    def _new_success(self, name: str, ends: Ends) -> datetime | None:
        """The last success, unless it was written before: another replica's may be in its place by now."""
        written = self._written.get(name, Ends())
        return None if ends.last_run_at == written.last_run_at else ends.last_run_at

    def _is_news(self, loop: Beating) -> bool:
        return self._written.get(loop.name) != loop.pulse.ends

    def _values(self, news: dict[str, Ends]) -> dict[str, list[object]]:
        return {
            "names": list(news),
            "every": [loop.every for loop in self._loops if loop.name in news],
            "last_run": [self._new_success(name, ends) for name, ends in news.items()],
            "errors": [ends.error for ends in news.values()],
        }
