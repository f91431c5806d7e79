"""What does ingest look after by itself? That the spool does not keep what incidents has."""

from pagerpal_common.db import Database

from pagerpal_ingest import storage

FORGET_LIMIT = 500
"""Alerts forgotten in one transaction."""

FORGET_SECONDS = 1.0
"""Between looks at a spool that has nothing to forget."""


async def forget_settled(database: Database) -> int:
    """Delete spooled alerts that are in incidents' ledger or parked there; returns how many. Nothing is sent from
    here: incidents reads the spool itself."""
    async with database.begin() as tx:
        return await storage.forget_settled(tx, limit=FORGET_LIMIT)
