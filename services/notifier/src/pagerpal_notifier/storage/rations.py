"""How many messages may go to each provider now? A bucket of tokens each, shared by all notifiers.

Two short statements to a batch, however many messages are in it. The rows are held from one to the other, so batches
of several notifiers follow each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.limits import burst

# Nothing is written while nothing is due. In order of name: two processes wait for each other, and never deadlock.
# A clock that is set back refills nothing until it is where it was.
_REFILL = text("""
WITH rates AS (
    SELECT * FROM unnest(CAST(:names AS text[]), CAST(:rates AS float8[]), CAST(:bursts AS float8[]))
        AS r(name, rate, burst)
)
INSERT INTO notification.rations AS held (name, tokens, refilled_at)
SELECT name, burst, :now FROM rates
WHERE EXISTS (SELECT FROM notification.notifications WHERE due_at <= :now)
   OR EXISTS (SELECT FROM notification.circuits WHERE state <> 'closed')
ORDER BY name
ON CONFLICT (name) DO UPDATE SET
    tokens = (
        SELECT least(rates.burst, held.tokens + rates.rate * greatest(
            0, extract(epoch FROM excluded.refilled_at - held.refilled_at)
        )) FROM rates WHERE rates.name = held.name
    ),
    refilled_at = greatest(held.refilled_at, excluded.refilled_at)
RETURNING name, tokens, EXISTS (
    SELECT FROM notification.circuits c WHERE c.name = held.name AND c.state <> 'closed'
) AS is_troubled
""")
_SPEND = text("""
UPDATE notification.rations r SET tokens = r.tokens - spent.number
FROM unnest(CAST(:names AS text[]), CAST(:numbers AS int[])) AS spent(name, number) WHERE r.name = spent.name
""")


@dataclass(frozen=True)
class Ration:
    """What there is for one provider now."""

    messages: int
    is_troubled: bool
    """Its circuit is not closed, or was not a moment ago."""


async def refill(tx: AsyncConnection, rates: Mapping[str, float], *, now: datetime) -> dict[str, Ration]:
    """What there is for each of these providers, held until the transaction ends; nothing at all when nothing is due.

    Args:
        rates: messages per second, by the provider's name.
    """
    values = {"names": list(rates), "rates": list(rates.values()), "bursts": [burst(rate) for rate in rates.values()]}
    rows = await tx.execute(_REFILL, {**values, "now": now})
    return {row.name: Ration(int(row.tokens), row.is_troubled) for row in rows}


async def spend(tx: AsyncConnection, numbers: Mapping[str, int]) -> None:
    """Take so many messages off what there is for each provider; the caller holds them."""
    await tx.execute(_SPEND, {"names": list(numbers), "numbers": list(numbers.values())})
