"""What do the cache of keys and the intake ask of PostgreSQL? A transaction each."""

from collections.abc import Mapping, Sequence

from pagerpal_common.clock import Now
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.db import Database

from pagerpal_ingest import storage
from pagerpal_ingest.domain.source import Source


async def read_sources(database: Database, hashes: Sequence[bytes]) -> Mapping[bytes, Source]:
    """The sources with these key hashes, as they are now."""
    async with database.begin() as tx:
        return await storage.find_sources(tx, hashes)


async def find_senders(database: Database, phones: Sequence[str]) -> Mapping[str, Sequence[int]]:
    """Who has these telephone numbers, as it is now."""
    async with database.begin() as tx:
        return await storage.find_senders(tx, phones)


async def spool(database: Database, now: Now, alerts: Sequence[Alert]) -> None:
    """Write alerts into the spool."""
    async with database.begin() as tx:
        await storage.insert_spooled(tx, alerts, at=now())
