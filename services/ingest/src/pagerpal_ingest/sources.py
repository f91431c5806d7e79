"""Whose key is this? A cache in front of the directory, so that alerts are taken while the database is away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pagerpal_common.clock import Now
from pagerpal_common.errors import Forbidden, Unavailable
from pagerpal_common.groups import Gatherer, Limits

from pagerpal_ingest.domain.credentials import key_hash
from pagerpal_ingest.domain.source import Source

FRESH = timedelta(seconds=4)
"""How long an answer is good for. With the look-up itself, a rotated key stops within 5 s."""

RETRY = timedelta(seconds=1)
"""How soon the directory is asked again after it did not answer about a known key."""

PATIENCE = 0.5
"""Seconds that the owner of a known key waits for the directory before the cached answer is taken."""

OLDEST = timedelta(hours=24)
"""How old an answer may become while the directory cannot be asked."""

KNOWN_LIMIT = 10_000
"""Keys remembered; only keys that are good are."""

# Two queries at a time however hard a wrong key is hammered in, so "unknown" need not be remembered: a key made just
# now works at once.
LOOKUPS = Limits(group=200, under_way=2, waiting=1_000, wait=2.0)

ReadSources = Callable[[Sequence[bytes]], Awaitable[Mapping[bytes, Source]]]
"""The sources with these key hashes, as they are now; unknown ones are left out. Raises Unavailable."""

RefuseKey = Callable[[Source], None]
"""Is told of a source whose key is not good any more."""


@dataclass
class _Known:
    source: Source
    read_at: datetime
    ask_at: datetime

    def is_fresh(self, at: datetime) -> bool:
        """A clock that was set back must not keep a revoked key alive."""
        return self.read_at <= at < self.ask_at


class Sources:
    """Finds the source of a key."""

    def __init__(self, read: ReadSources, now: Now, refuse_key: RefuseKey) -> None:
        self._read = read
        self._now = now
        self._refuse_key = refuse_key
        self._known: dict[bytes, _Known] = {}
        self._lookups: dict[bytes, asyncio.Task[Source | None]] = {}
        self._gatherer = Gatherer("sources", self._read_group, LOOKUPS)

    async def find(self, key: str) -> Source:
        """The active source that this key belongs to.

        Raises:
            Forbidden: the directory says that there is none.
            Unavailable: the directory cannot be asked, and the key has not been seen in the last 24 hours.
        """
        digest = key_hash(key)
        known = self._known.get(digest)
        if known is not None and known.is_fresh(self._now()):
            return known.source
        source = await (self._look_up(digest) if known is None else self._look_up_again(digest, known))
        if source is None or not source.may_send:
            if source is not None:
                self._refuse_key(source)
            raise Forbidden("the alert source key is unknown or inactive")
        return source

    async def finish(self) -> None:
        """Wait for the look-ups under way."""
        await self._gatherer.finish()

    async def _look_up_again(self, digest: bytes, known: _Known) -> Source | None:
        try:
            return await self._look_up(digest, PATIENCE)
        except Unavailable:
            at = self._now()
            if at - known.read_at > OLDEST:
                raise
            known.ask_at = at + RETRY
            return known.source

    async def _look_up(self, digest: bytes, patience: float | None = None) -> Source | None:
        """What the directory says; all who ask for the same key at the same time share one question."""
        lookup = self._lookups.get(digest)
        if lookup is None:
            lookup = self._lookups[digest] = asyncio.create_task(self._ask(digest))
            lookup.add_done_callback(_hear)
        await asyncio.wait({lookup}, timeout=patience)
        if not lookup.done():
            raise Unavailable("sources: the directory is slow")
        if error := lookup.exception():
            raise Unavailable(str(error))
        return lookup.result()

    async def _ask(self, digest: bytes) -> Source | None:
        asked_at = self._now()
        try:
            source = await self._gatherer.put(digest)
        finally:
            del self._lookups[digest]
        self._known.pop(digest, None)
        if source is None or not source.may_send:
            return source
        while len(self._known) >= KNOWN_LIMIT:
            del self._known[next(iter(self._known))]  # the one not read for the longest
        self._known[digest] = _Known(source, asked_at, asked_at + FRESH)
        return source

    async def _read_group(self, hashes: Sequence[bytes], _wait: float) -> Sequence[Source | None]:
        found = await self._read(hashes)
        return [found.get(digest) for digest in hashes]


def _hear(lookup: asyncio.Task[Source | None]) -> None:
    """Everybody who waited for it may have gone: its failure is then nobody's, and asyncio must not call it lost."""
    if not lookup.cancelled():
        lookup.exception()
