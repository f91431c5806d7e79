"""Which addresses take nothing any more? Browsers' subscriptions, as their push services have said.

Web shows their owners that, and no page is planned for them (`pagerpal_common.directory`). Addresses are secrets, so
their digests are kept: nobody needs more to know one again.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# In order: two transactions that write the same wait for each other, and never deadlock.
_SAVE = text("""
INSERT INTO notification.ended_subscriptions (address_digest, ended_at)
SELECT digest, :now FROM unnest(CAST(:digests AS bytea[])) AS ended(digest) ORDER BY digest
ON CONFLICT DO NOTHING
""")


async def save_ended(tx: AsyncConnection, addresses: Iterable[str], *, now: datetime) -> None:
    """Write down that these are over."""
    digests = {hashlib.sha256(address.encode()).digest() for address in addresses}
    if digests:
        await tx.execute(_SAVE, {"digests": sorted(digests), "now": now})
