"""How does what is due become messages that are ours to send? By one decision for each person, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.ids import uuid7
from pagerpal_common.vocabulary import Channel
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.budget import open_to, plan
from pagerpal_notifier.domain.page import Claim, Unsendable
from pagerpal_notifier.storage.claims import claim
from pagerpal_notifier.storage.due import hold, list_due, list_held, list_spent, lock_persons
from pagerpal_notifier.storage.reasons import with_names


@dataclass(frozen=True)
class Claimed:
    """What came of what was due."""

    claims: list[Claim]
    """A message each, to be sent once this is committed."""
    others: list[Unsendable]
    """Notifications that may not be sent, held for the caller to settle in the same transaction."""
    held: int
    """How many digests are waited for."""


async def claim_due(
    tx: AsyncConnection,
    *,
    room: int,
    now: datetime,
    deadline: datetime,
    providers: Mapping[Channel, str],
    shut: Sequence[Channel] = (),
) -> Claimed:
    """Share out what is due among messages, at most `room`, claim them, and let the rest wait for its digest.

    Args:
        deadline: until when what is claimed is nobody else's.
        providers: the provider's name, by channel.
        shut: channels of which nothing is looked at now.
    """
    persons = await lock_persons(tx, room=room, shut=shut, now=now) if room else []
    if not persons:
        return Claimed([], [], 0)
    due = await list_due(tx, persons, shut=shut, now=now)
    spent = await list_spent(tx, persons, now=now)
    if may_go := open_to(due, spent, now=now):
        due += await list_held(tx, may_go, beside=len(due), now=now)
    decided = plan(due, spent, room=room, now=now)
    if decided.held:
        await hold(tx, decided.held, now=now)
    new_ids = [uuid7() for _ in decided.messages]
    claims, others = await claim(tx, decided, now=now, deadline=deadline, new_ids=new_ids, providers=providers)
    return Claimed(await with_names(tx, claims), others, len(decided.held))
