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
from pagerpal_notifier.domain.page import Claim, Member, Told, Unsendable, Watched
from pagerpal_notifier.storage.notifications import add_last_resort, hasten_next, save_changes


@dataclass(frozen=True)
class Move:
    """What a notification becomes, by whoever has decided it on the row as it was."""

    row: Claim | Member | Unsendable | Told
    was: NotificationStatus
    change: Change


async def save(outbox: Outbox, tx: AsyncConnection, moves: Sequence[Move], *, now: datetime) -> None:
    """Write down what notifications become, with their persons' next steps and the messages to incidents, in the
    caller's transaction. Nothing is done for one that is not where its row left it."""
    saved = await save_changes(tx, [(move.row, move.was, move.change) for move in moves], now=now)
    done = [move for move in moves if move.row.notification_id in saved]
    await go_on(tx, [move.row for move in done if move.change.status in LOST], now=now)
    told = [
        NotificationSettled(incident_id=move.row.incident_id, notification_id=move.row.notification_id, occurred_at=now)
        for move in done
        if move.change.status in TOLD
    ]
    await outbox.add(tx, told)


async def go_on(
    tx: AsyncConnection, lost: Sequence[Claim | Member | Unsendable | Told | Watched], *, now: datetime
) -> None:
    """Make each person's next contact due at once, where this one has come to nothing."""
    if not lost:
        return
    lost = sorted(lost, key=lambda row: row.page_request_id)  # two that do this wait for each other, and never deadlock
    hastened = await hasten_next(tx, [(row.page_request_id, row.step) for row in lost], now=now)
    for row in lost:
        if row.page_request_id not in hastened:
            await add_last_resort(
                tx, notification_id=row.notification_id, page_request_id=row.page_request_id, whys=LAST_RESORT, now=now
            )
