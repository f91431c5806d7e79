"""Which SMS were seen to, whose number it was, and which incidents wait for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pagerpal_common.vocabulary import Role
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.replies import Sender

KEPT = timedelta(days=7)
"""Long after the provider has given up to deliver an SMS again."""

FORGOTTEN_AT_ONCE = 100

# Committed before anything is done, so that a repeat means the same incident and leaves the same level.
_KEEP = text("""
INSERT INTO directory.sms_replies (reply_id, incident_id, expected_level, received_at)
SELECT CAST(:reply_id AS uuid), CAST(:incident_id AS bigint),
       (SELECT current_escalation_level FROM incidents.incidents WHERE id = CAST(:incident_id AS bigint)),
       CAST(:at AS timestamptz)
ON CONFLICT (reply_id) DO NOTHING
""")

_FORGET = text("""
DELETE FROM directory.sms_replies WHERE reply_id IN (
    SELECT reply_id FROM directory.sms_replies WHERE received_at < :before
    ORDER BY received_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
""")

# Page requests that are still open: their incident is triggered, in the run that asked for them.
_WAITING = text("""
SELECT DISTINCT p.incident_id FROM incidents.page_requests p
JOIN incidents.incidents i ON i.id = p.incident_id AND i.escalation_id = p.escalation_id
WHERE p.is_open AND p.user_id = :user_id AND i.status = 'triggered'
ORDER BY p.incident_id LIMIT 2
""")


@dataclass(frozen=True)
class Kept:
    """What a reply was taken to mean when it first came."""

    incident_id: int | None
    expected_level: int | None
    handled_at: datetime | None


async def find_reply(tx: AsyncConnection, reply_id: UUID) -> Kept | None:
    """What is known of a reply; None when it is new."""
    query = text("SELECT incident_id, expected_level, handled_at FROM directory.sms_replies WHERE reply_id = :reply_id")
    row = (await tx.execute(query, {"reply_id": reply_id})).mappings().one_or_none()
    return None if row is None else Kept(**row)


async def keep_reply(tx: AsyncConnection, reply_id: UUID, incident_id: int | None, at: datetime) -> None:
    """Write down what it means, unless that was done before; and let go of what is old."""
    await tx.execute(_KEEP, {"reply_id": reply_id, "incident_id": incident_id, "at": at})
    await tx.execute(_FORGET, {"before": at - KEPT, "limit": FORGOTTEN_AT_ONCE})


async def settle_reply(tx: AsyncConnection, reply_id: UUID, at: datetime) -> bool:
    """It is seen to; False when somebody else has said so before."""
    query = text("UPDATE directory.sms_replies SET handled_at = :at WHERE reply_id = :reply_id AND handled_at IS NULL")
    return (await tx.execute(query, {"reply_id": reply_id, "at": at})).rowcount > 0


async def list_senders(tx: AsyncConnection, user_ids: Sequence[int]) -> Sequence[Sender]:
    """These people as they are now."""
    query = text("SELECT id, role, is_active FROM directory.users WHERE id = ANY(:user_ids) ORDER BY id")
    rows = await tx.execute(query, {"user_ids": list(user_ids)})
    return [Sender(row.id, Role(row.role), row.is_active) for row in rows]


async def list_waiting(tx: AsyncConnection, user_id: int) -> Sequence[int]:
    """Triggered incidents that were to page this person in their present run; two at most."""
    return list((await tx.execute(_WAITING, {"user_id": user_id})).scalars())
