"""What do the notifiers tell of the channels they serve? The provider's name and what is public of it, and nothing else
of its settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from pagerpal_common.vocabulary import Channel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# In order of channel: two processes wait for each other, and never deadlock. What is written already is left alone.
_SAVE = text("""
INSERT INTO notification.channels AS known (channel, provider, public_key)
SELECT * FROM unnest(CAST(:channels AS text[]), CAST(:providers AS text[]), CAST(:keys AS text[]))
    AS told(channel, provider, public_key)
ORDER BY channel
ON CONFLICT (channel) DO UPDATE SET provider = excluded.provider, public_key = excluded.public_key
WHERE (known.provider, known.public_key) IS DISTINCT FROM (excluded.provider, excluded.public_key)
""")


@dataclass(frozen=True)
class Served:
    """Who takes the pages of a channel."""

    provider: str
    public_key: str | None


async def save_channels(tx: AsyncConnection, served: Mapping[Channel, Served]) -> int:
    """Write down who serves each channel; how many of them have changed."""
    values = {
        "channels": [channel.value for channel in served],
        "providers": [one.provider for one in served.values()],
        "keys": [one.public_key for one in served.values()],
    }
    return (await tx.execute(_SAVE, values)).rowcount
