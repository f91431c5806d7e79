"""What does ingest look after by itself? That the spool does not keep what incidents has, and that counts are kept."""

from datetime import timedelta

from pagerpal_common.clock import Now
from pagerpal_common.db import Database

from pagerpal_ingest import storage
from pagerpal_ingest.tally import Tally

FORGET_LIMIT = 500
"""Alerts forgotten in one transaction."""

FORGET_SECONDS = 1.0
"""Between looks at a spool that has nothing to forget."""


async def forget_settled(database: Database) -> int:
    """Delete spooled alerts that are in incidents' ledger or parked there; returns how many. Nothing is sent from
    here: incidents reads the spool itself."""
    async with database.begin() as tx:
        return await storage.forget_settled(tx, limit=FORGET_LIMIT)


TALLY_SECONDS = 2.0
"""How far what people see of a source lags behind."""

TALLIES_KEPT = timedelta(days=2)
TALLIES_FORGOTTEN_SECONDS = 60.0


async def write_tally(database: Database, tally: Tally) -> int:
    """Write down what was counted of the sources; returns 0, for there is no more to do at once."""
    counts = tally.take()
    if counts.endings or counts.seen:
        try:
            async with database.begin() as tx:
                await storage.add_counts(tx, counts)
        except BaseException:
            tally.put_back(counts)
            raise
    return 0


async def forget_old_tallies(database: Database, now: Now) -> int:
    """Delete counts that nobody asks for any more; returns how many."""
    async with database.begin() as tx:
        return await storage.forget_tallies(tx, before=now() - TALLIES_KEPT, limit=FORGET_LIMIT)
