"""Which channels reach nobody here, and what does a browser subscribe to? By what the notifier has told."""

from pagerpal_common.vocabulary import Channel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.lacks import Fate, unserved_of

_PROVIDERS = text("SELECT channel, provider FROM notification.channels")
_PUSH_KEY = text("SELECT public_key FROM notification.channels WHERE channel = 'web_push'")


async def list_providers(tx: AsyncConnection) -> dict[Channel, str]:
    """Who serves each channel; empty before a notifier has ever run."""
    return {Channel(row.channel): row.provider for row in await tx.execute(_PROVIDERS)}


async def find_push_key(tx: AsyncConnection) -> str | None:
    """What a browser has to be told to subscribe; None where nothing is sent to browsers."""
    key: str | None = await tx.scalar(_PUSH_KEY)
    return key


async def find_unserved(tx: AsyncConnection) -> dict[Channel, Fate]:
    """What becomes of a page by each channel that reaches nobody."""
    return unserved_of(await list_providers(tx))
