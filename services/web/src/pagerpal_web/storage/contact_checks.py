"""Codes and test pages that people have asked for, and codes that they type in."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pagerpal_common.codes import CODE_LASTS, KeptCode
from pagerpal_common.errors import Invalid, TooManyTries
from pagerpal_common.vocabulary import CheckKind
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.check_limits import MOST_TRIES, WINDOW, Sent, wait_for_check
from pagerpal_web.storage.contact_methods import ContactMethod

KEPT = timedelta(days=1)
"""How long a check stays at least: until the person's next one after that. Longer than anything counts it, for whoever
wonders who was rung."""

_SENT = text("""
SELECT method_id, kind, requested_at FROM directory.contact_checks
WHERE user_id = :user_id AND requested_at > :since
""")
_FORGET = text("DELETE FROM directory.contact_checks WHERE user_id = :user_id AND requested_at < :before")
_CLOSE_OTHERS = text("""
UPDATE directory.contact_checks SET is_open = false
WHERE user_id = :user_id AND method_id = :method_id AND kind = :kind AND is_open
""")
_INSERT = text("""
INSERT INTO directory.contact_checks (id, user_id, method_id, kind, channel, address, requested_at)
VALUES (:id, :user_id, :method_id, :kind, :channel, :address, :at)
""")
_LOCK_CODE = text("""
SELECT c.id, c.tries, c.requested_at, k.salt, k.code_hash
FROM directory.contact_checks c JOIN notification.contact_codes k ON k.check_id = c.id
WHERE c.user_id = :user_id AND c.method_id = :method_id AND c.kind = 'code' AND c.is_open AND c.address = :address
  AND c.requested_at > :since
ORDER BY c.requested_at DESC LIMIT 1
FOR UPDATE OF c
""")
_COUNT_TRY = text("UPDATE directory.contact_checks SET tries = tries + 1 WHERE id = :id")
_SPEND = text("UPDATE directory.contact_checks SET is_open = false WHERE id = :id AND is_open RETURNING id")


@dataclass(frozen=True)
class SentCode:
    """A code that may be typed in."""

    check_id: UUID
    kept: KeptCode


async def insert_check(
    tx: AsyncConnection, method: ContactMethod, kind: CheckKind, check_id: UUID, at: datetime
) -> None:
    """Write down that something is to be sent to this method, whose user's row the caller holds. A code that was sent
    before it holds no longer.

    Raises:
        TooManyTries: enough has been sent of late.
    """
    of_user = {"user_id": method.user_id}
    rows = await tx.execute(_SENT, {**of_user, "since": at - WINDOW})
    sent = [Sent(row.method_id, CheckKind(row.kind), row.requested_at) for row in rows]
    wait = wait_for_check(sent, method.id, kind, at)
    if wait > timedelta(0):
        raise TooManyTries(math.ceil(wait.total_seconds()), "enough has been sent to check this")
    of_method = {**of_user, "method_id": method.id, "kind": kind}
    await tx.execute(_FORGET, {**of_user, "before": at - KEPT})
    await tx.execute(_CLOSE_OTHERS, of_method)
    values = {**of_method, "id": check_id, "channel": method.channel, "address": method.address, "at": at}
    await tx.execute(_INSERT, values)


async def begin_try(tx: AsyncConnection, method: ContactMethod, at: datetime) -> SentCode:
    """Count a code that is typed in, before it is looked at: however many come at once, no more are tried.

    Raises:
        Invalid: no code holds for this method and its address.
        TooManyTries: as many have been typed in as may be.
    """
    values = {"user_id": method.user_id, "method_id": method.id, "address": method.address, "since": at - CODE_LASTS}
    row = (await tx.execute(_LOCK_CODE, values)).one_or_none()
    if row is None:
        raise Invalid("no code holds for this contact method: have one sent")
    if row.tries >= MOST_TRIES:
        seconds = math.ceil((row.requested_at + CODE_LASTS - at).total_seconds())
        raise TooManyTries(seconds, "too many wrong codes; have a new one sent")
    await tx.execute(_COUNT_TRY, {"id": row.id})
    return SentCode(row.id, KeptCode(row.salt, row.code_hash))


async def spend_code(tx: AsyncConnection, check_id: UUID) -> None:
    """Each code proves something once. Raises Invalid when it has, or when another one was sent meanwhile."""
    if (await tx.execute(_SPEND, {"id": check_id})).first() is None:
        raise Invalid("this code holds no longer: have a new one sent")
