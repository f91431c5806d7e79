"""What becomes of notifications when their provider says more of them? Receipts in, in any order, and rows changed."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import structlog
from pagerpal_common.metrics import NOTIFICATIONS
from pagerpal_common.vocabulary import NotificationStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.changes import Move, save
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.receipts import Word, after_word, join
from pagerpal_notifier.storage.receipts import (
    find_words,
    forget_unmatched,
    list_matching,
    lock_told,
    lock_words,
    save_words,
)

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Messages to a transaction."""

KEPT = timedelta(hours=24)
"""How long a receipt waits for an attempt with its number."""

UNMATCHED_LIMIT = 10_000
"""Receipts that may wait so: another sender behind the same Infobip account has its receipts sent here, too."""


async def take(ctx: Context, words: Mapping[UUID, Word]) -> None:
    """Join these words with what is known of their messages, at most `AT_ONCE`, apply the outcome, and commit.

    Safe to repeat, and for any number of processes at once: the end is the same in every order.

    Raises:
        Unavailable: nothing is certain; the same words may be given again.
    """
    async with ctx.db.begin() as tx:
        known = await lock_words(tx, words)
        joined = {number: join([known[number], word]) for number, word in words.items()}
        await _apply(ctx, tx, joined)
    _ring(ctx)


async def match(ctx: Context) -> int:
    """Apply receipts that came before their attempt was to be seen; how many."""
    async with ctx.db.begin() as tx:
        numbers = await list_matching(tx, limit=AT_ONCE)
        if numbers:
            await _apply(ctx, tx, await find_words(tx, numbers))
    if numbers:
        _ring(ctx)
    return len(numbers)


async def forget(ctx: Context) -> None:
    """Delete receipts that have waited in vain, or are too many."""
    async with ctx.db.begin() as tx:
        forgotten = await forget_unmatched(tx, before=ctx.now() - KEPT, keep=UNMATCHED_LIMIT)
    if forgotten:
        log.info("receipts.forgotten", receipts=forgotten)


async def _apply(ctx: Context, tx: AsyncConnection, words: Mapping[UUID, Word]) -> None:
    await save_words(tx, words)
    changes = [(told, after_word(told.status, words[told.message_id])) for told in await lock_told(tx, list(words))]
    applied = [(told, change) for told, change in changes if change is not None]
    await save(ctx.outbox, tx, [Move(told, told.status, change) for told, change in applied], now=ctx.now())
    for told, change in applied:
        NOTIFICATIONS.labels(told.channel, change.status).inc()
        say = log.info if change.status is NotificationStatus.DELIVERED else log.error
        say(
            "receipt.applied",
            notification_id=told.notification_id,
            incident_id=told.incident_id,
            status=change.status,
            word=words[told.message_id].name,
        )


def _ring(ctx: Context) -> None:
    ctx.send_bell.ring()  # a person's next step may be due
    ctx.outbox.bell.ring()
