"""What the notifier does with each message. No provider is called here: the send loop does that."""

from collections.abc import Sequence
from functools import partial

from pagerpal_common.bus import BatchSubscription
from pagerpal_common.contracts.incidents import IncidentAcknowledged, IncidentResolved, PageRequested

from pagerpal_notifier.context import Context
from pagerpal_notifier.intake import AT_ONCE, take_in
from pagerpal_notifier.storage.notifications import cancel_unwanted

MESSAGES_AT_ONCE = 50


def subscriptions(ctx: Context) -> tuple[BatchSubscription, ...]:
    """Every message this service takes, and what takes it."""
    return (
        BatchSubscription(PageRequested, partial(on_page_requested, ctx), MESSAGES_AT_ONCE),
        BatchSubscription(IncidentAcknowledged, partial(on_page_unwanted, ctx), MESSAGES_AT_ONCE),
        BatchSubscription(IncidentResolved, partial(on_page_unwanted, ctx), MESSAGES_AT_ONCE),
    )


async def on_page_requested(ctx: Context, messages: Sequence[PageRequested]) -> list[None]:
    """Write down the notifications that fulfil these requests."""
    ids = sorted({number for message in messages for number in message.page_request_ids})
    for start in range(0, len(ids), AT_ONCE):
        await take_in(ctx, ids[start : start + AT_ONCE])
    return [None] * len(messages)


async def on_page_unwanted(ctx: Context, messages: Sequence[IncidentAcknowledged | IncidentResolved]) -> list[None]:
    """Cancel what is queued for these incidents. A lost message changes nothing: claiming looks again."""
    async with ctx.db.begin() as tx:
        await cancel_unwanted(tx, sorted({message.incident_id for message in messages}), now=ctx.now())
    return [None] * len(messages)
