"""Has anything happened to an incident? One look at the database each half second, for everybody who watches a page.

Looked at instead of listened for: it is right on every replica, and goes on while the broker is away.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pagerpal_common.db import Database
from pagerpal_common.errors import Unavailable

from pagerpal_web.storage.glance import last_event

LOOK_SECONDS = 0.5

WATCHERS_LIMIT = 500
"""Pages that one process keeps up to date by a stream. More of them ask every few seconds instead."""


class Pulse:
    """Looks while somebody watches, and not otherwise."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._looked = asyncio.Condition()
        self._last = 0
        self._watchers = 0
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep looking within this block.

        Raises:
            Unavailable: enough pages are watched already.
        """
        if self._watchers >= WATCHERS_LIMIT:
            raise Unavailable("too many pages are watched")
        self._watchers += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            self._watchers -= 1

    async def next(self, *, wait: float) -> int | None:
        """The newest event at the next look that succeeds; None when none has within `wait` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait), self._looked:
                await self._looked.wait()
                return self._last
        return None

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        while self._watchers:
            with suppress(Unavailable):
                async with self._db.begin() as tx:
                    self._last = await last_event(tx)
                async with self._looked:
                    self._looked.notify_all()
            await asyncio.sleep(LOOK_SECONDS)
