"""What does a change of a notification make true beside its own row? The next step, and the message that tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.contracts.notifications import NotificationSettled
from pagerpal_common.notification_rules import LAST_RESORT
from pagerpal_common.outbox import Outbox
from pagerpal_common.vocabulary import NotificationStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.delivery import Change
from pagerpal_notifier.domain.lifecycle import LOST, TOLD
from pagerpal_notifier.domain.page import Claim, Told, Unsendable
from pagerpal_notifier.storage.notifications import add_last_resort, hasten_next, save_changes


@dataclass(frozen=True)
class Move:
    """What a notification becomes, by whoever has decided it on the row as it was."""

    row: Claim | Unsendable | Told
    was: NotificationStatus
    change: Change


async def save(outbox: Outbox, tx: AsyncConnection, moves: Sequence[Move], *, now: datetime) -> None:
    """Write down what notifications become, with their persons' next steps and the messages to incidents, in the
    caller's transaction. Nothing is done for one that is not where its row left it."""
    saved = await save_changes(tx, [(move.row, move.was, move.change) for move in moves], now=now)
    told: list[NotificationSettled] = []
    for move in moves:
        row, status = move.row, move.change.status
        if row.notification_id not in saved:
            continue
        if status in LOST:
            await _go_on(tx, row, now)
        if status in TOLD:
            told.append(
                NotificationSettled(incident_id=row.incident_id, notification_id=row.notification_id, occurred_at=now)
            )
    await outbox.add(tx, told)


async def _go_on(tx: AsyncConnection, row: Claim | Unsendable | Told, now: datetime) -> None:
    if not await hasten_next(tx, page_request_id=row.page_request_id, step=row.step, now=now):
        await add_last_resort(
            tx, notification_id=row.notification_id, page_request_id=row.page_request_id, whys=LAST_RESORT, now=now
        )
