"""What the notifier does with each message. No provider is called for a page here: the send loop does that."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from pagerpal_common.bus import BREATH, BatchSubscription, Subscription
from pagerpal_common.contracts.incidents import IncidentAcknowledged, IncidentResolved, PageRequested
from pagerpal_common.contracts.notifications import (
    CheckContact,
    NotificationSettled,
    NotificationsRetried,
    RetryNotifications,
)
from pagerpal_common.contracts.receipts import ReceiptsReceived

from pagerpal_notifier import keys, receipts
from pagerpal_notifier.checks import check_contact
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.delivery import after_retry
from pagerpal_notifier.domain.receipts import Word, join, read
from pagerpal_notifier.intake import AT_ONCE, take_in
from pagerpal_notifier.storage.notifications import cancel_unwanted
from pagerpal_notifier.storage.retries import lock_lost, save_retries

MESSAGES_AT_ONCE = 50


def subscriptions(ctx: Context) -> tuple[Subscription | BatchSubscription, ...]:
    """Every message this service takes, and what takes it."""
    return (
        BatchSubscription(PageRequested, partial(on_page_requested, ctx), MESSAGES_AT_ONCE, BREATH),
        BatchSubscription(IncidentAcknowledged, partial(on_page_unwanted, ctx), MESSAGES_AT_ONCE),
        BatchSubscription(IncidentResolved, partial(on_page_unwanted, ctx), MESSAGES_AT_ONCE),
        BatchSubscription(ReceiptsReceived, partial(on_receipts_received, ctx), MESSAGES_AT_ONCE),
        Subscription(RetryNotifications, partial(retry_notifications, ctx)),
        Subscription(CheckContact, partial(check_contact, ctx)),
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


async def on_receipts_received(ctx: Context, messages: Sequence[ReceiptsReceived]) -> list[None]:
    """Bring what the provider says into the log, and go on to the next contact of people it could not reach."""
    words: defaultdict[UUID, list[Word]] = defaultdict(list)
    pressed: dict[UUID, str] = {}
    for message in messages:
        for receipt in message.receipts:
            if (word := read(receipt, at=message.occurred_at)) is not None:
                words[receipt.message_id].append(word)
            if receipt.digits is not None:
                pressed[receipt.message_id] = receipt.digits
    if pressed:
        await keys.take(ctx, pressed)
    joined = {number: join(words[number]) for number in sorted(words)}
    numbers = list(joined)
    for start in range(0, len(numbers), receipts.AT_ONCE):
        await receipts.take(ctx, {number: joined[number] for number in numbers[start : start + receipts.AT_ONCE]})
    return [None] * len(messages)


async def retry_notifications(ctx: Context, command: RetryNotifications) -> NotificationsRetried:
    """Let what has failed wait to be sent again, as far as it is wanted. Asked twice, the second finds nothing left."""
    now = ctx.now()
    async with ctx.db.begin() as tx:
        lost = await lock_lost(tx, command.incident_id)
        again = [(row.notification_id, status) for row in lost if (status := after_retry(row)) is not None]
        if again:
            await save_retries(tx, again, actor=command.actor_user_id, acting_as=command.acting_as_user_id, now=now)
            told = NotificationSettled(incident_id=command.incident_id, notification_id=again[0][0], occurred_at=now)
            await ctx.outbox.add(tx, [told])
    ctx.send_bell.ring()
    ctx.outbox.bell.ring()
    return NotificationsRetried(retried_count=len(lost), queued_count=len(again), occurred_at=now)
