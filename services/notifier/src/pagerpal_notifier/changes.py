"""What does a change of a notification make true beside its own row? The next step, and the message that tells it."""

from datetime import datetime

from pagerpal_common.contracts.notifications import NotificationSettled
from pagerpal_common.notification_rules import LAST_RESORT
from pagerpal_common.vocabulary import NotificationStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.delivery import Change
from pagerpal_notifier.domain.lifecycle import LOST, TOLD
from pagerpal_notifier.domain.page import Claim, Told, Unsendable
from pagerpal_notifier.storage.notifications import add_last_resort, hasten_next, save_change


async def save(
    ctx: Context,
    tx: AsyncConnection,
    row: Claim | Unsendable | Told,
    change: Change,
    *,
    was: NotificationStatus,
    now: datetime,
) -> None:
    """Write down what a notification becomes, with the person's next step and the message to incidents, in the caller's
    transaction. Nothing is done unless it is where `row` left it."""
    if not await save_change(tx, row, change, was=was, now=now):
        return
    if change.status in LOST and not await hasten_next(tx, page_request_id=row.page_request_id, step=row.step, now=now):
        await add_last_resort(
            tx, notification_id=row.notification_id, page_request_id=row.page_request_id, why=LAST_RESORT, now=now
        )
    if change.status in TOLD:
        told = NotificationSettled(incident_id=row.incident_id, notification_id=row.notification_id, occurred_at=now)
        await ctx.outbox.add(tx, [told])
