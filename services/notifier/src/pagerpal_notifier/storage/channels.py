"""What do the notifiers tell of the channels they serve? The provider's name, and nothing of its settings."""

from collections.abc import Mapping

from pagerpal_common.vocabulary import Channel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# In order of channel: two processes wait for each other, and never deadlock. What is written already is left alone.
_SAVE = text("""
INSERT INTO notification.channels AS known (channel, provider)
SELECT channel, provider FROM unnest(CAST(:channels AS text[]), CAST(:providers AS text[])) AS told(channel, provider)
ORDER BY channel
ON CONFLICT (channel) DO UPDATE SET provider = excluded.provider WHERE known.provider <> excluded.provider
""")


async def save_channels(tx: AsyncConnection, providers: Mapping[Channel, str]) -> int:
    """Write down who serves each channel; how many of them have changed."""
    values = {"channels": [channel.value for channel in providers], "providers": list(providers.values())}
    return (await tx.execute(_SAVE, values)).rowcount
