"""What became of messages whose receipts do not come? The provider is asked; then the person's next contact is due.

Receipts are pushed to ingest, and may be lost: by a URL that nobody set, by a door that is shut, by the provider. What
the provider says when it is asked goes the way of its receipts, so the two may come in any order, and more than once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import structlog
from pagerpal_common.contracts.receipts import DeliveryReceipt, ReceiptsReceived
from pagerpal_common.errors import Unavailable
from pagerpal_common.vocabulary import Channel

from pagerpal_notifier.changes import go_on
from pagerpal_notifier.channels import POLL_LIMIT
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.page import Watched
from pagerpal_notifier.domain.watching import PATIENCE, UNHEARD, is_over
from pagerpal_notifier.handlers import on_receipts_received
from pagerpal_notifier.storage.watching import end_watch, take_watched

log = structlog.get_logger(__name__)

POLL_SECONDS = 10.0
"""How long a provider may take for its answer to all questions of one look."""


async def watch(ctx: Context) -> int:
    """Ask for what has not been heard of for a while, and go on where it has been too long; how many were looked at.

    For any number of processes at once: they share what there is to ask.
    """
    again = {channel: one.again for channel, one in PATIENCE.items() if ctx.providers[channel].poll is not None}
    if not again:
        return 0
    async with ctx.db.begin() as tx:
        watched = await take_watched(tx, again, now=ctx.now(), limit=POLL_LIMIT)
    by_channel: defaultdict[Channel, list[Watched]] = defaultdict(list)
    for one in watched:
        by_channel[one.channel].append(one)
    for channel, some in by_channel.items():
        receipts = await _ask(ctx, channel, some)
        if receipts:
            await on_receipts_received(ctx, [ReceiptsReceived(occurred_at=ctx.now(), receipts=tuple(receipts))])
    await _give_up(ctx, watched)
    return len(watched)


async def _ask(ctx: Context, channel: Channel, watched: Sequence[Watched]) -> list[DeliveryReceipt]:
    """What the provider says of them; nothing when it does not answer."""
    poll = ctx.providers[channel].poll
    if poll is None:
        return []
    ids = sorted({one.message_id for one in watched})
    try:
        async with asyncio.timeout(POLL_SECONDS):
            said = await poll(ids)
    except (TimeoutError, Unavailable) as error:
        log.warning("polling.no_answer", channel=channel, messages=len(ids), error=type(error).__name__)
        return []
    return list(said.values())


async def _give_up(ctx: Context, watched: Sequence[Watched]) -> None:
    """Go on to the next contact of those whose handset has been waited for long enough, unless it was heard of."""
    now = ctx.now()
    late = {one.notification_id: one for one in watched if is_over(one.channel, sent_at=one.sent_at, now=now)}
    if not late:
        return
    async with ctx.db.begin() as tx:
        unheard = sorted(await end_watch(tx, sorted(late), error=UNHEARD, now=now))
        await go_on(tx, [late[number] for number in unheard], now=now)
    ctx.send_bell.ring()
    for number in unheard:
        log.warning("send.unheard", notification_id=number, incident_id=late[number].incident_id)
