"""What is due to whom, what of it waits for a digest, and what a person was sent lately."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pagerpal_common.vocabulary import Channel, NotificationStatus, Severity
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.budget import WINDOW, Due, Held, Recipient, Spent, whole_messages
from pagerpal_notifier.domain.delivery import TRIES

LOOKED_AT = 500
"""Due notifications among which the most urgent persons are looked for: more than any one claim has room for."""

MOST_DUE = 2_000
"""Notifications that one claim decides on, and so the most that one message tells of."""

_LOCK = 0x50504C42
"""Of the advisory locks by which one notifier at a time decides for a person."""

# What a machine reads comes in order: to a webhook nothing is sent while an earlier page to the same person's
# webhook is due or under way, in whichever process. In a chat, what is due may be merged: only what is under way, or
# to be tried again, goes before.
_IN_ORDER = """
NOT (n.channel IN ('webhook', 'slack') AND n.status = 'queued' AND EXISTS (
    SELECT FROM notification.notifications earlier
    WHERE earlier.user_id = n.user_id AND earlier.channel = n.channel AND earlier.id < n.id
      AND earlier.contact_method_id IS NOT DISTINCT FROM n.contact_method_id
      AND CASE n.channel WHEN 'webhook' THEN earlier.due_at <= :now OR earlier.attempts > 0
          ELSE earlier.status = 'sending' OR (earlier.attempts > 0 AND earlier.due_at > :now) END
      AND earlier.due_at IS NOT NULL
))
"""
# The address of a contact method is used only while it is the one that was proven to be its person's.
AS_IT_IS_NOW = """
    n.id, n.user_id, n.status, n.attempts - n.attempts_before AS tries, n.channel, n.step, n.pass_number, n.due_at,
    coalesce(n.wanted_at, n.due_at) AS wanted_at, n.provider_message_id, n.address AS sent_to,
    coalesce(i.severity, 'info') AS severity,
    coalesce(i.status = 'triggered' AND i.escalation_id = n.escalation_id AND r.is_open, false) AS is_wanted,
    coalesce(u.is_active, false) AS is_active,
    coalesce(CASE WHEN n.contact_method_id IS NOT NULL THEN p.address
                  WHEN n.channel = 'email' THEN u.email ELSE u.phone END, '') AS address
"""
AND_ITS_OWNERS = """
LEFT JOIN incidents.incidents i ON i.id = n.incident_id
LEFT JOIN incidents.page_requests r ON r.id = n.page_request_id
LEFT JOIN directory.users u ON u.id = n.user_id
LEFT JOIN directory.contact_methods m ON m.id = n.contact_method_id AND m.user_id = n.user_id
LEFT JOIN directory.contact_proofs p ON p.user_id = m.user_id AND p.method_id = m.id AND p.address = m.address
"""

# Locked before anything is counted, by a statement of its own: the next one sees all that the last notifier to decide
# for these persons has done. Whoever is decided for elsewhere right now is passed over. The lock is tried in order, and
# not once more than there is room for.
_LOCK_PERSONS = text(f"""
WITH due AS MATERIALIZED (
    SELECT n.user_id, n.due_at, n.pass_number, n.step,
           CASE i.severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END AS urgency
    FROM notification.notifications n LEFT JOIN incidents.incidents i ON i.id = n.incident_id
    WHERE n.due_at <= :now AND n.channel <> ALL(:shut) AND {_IN_ORDER}
    ORDER BY n.due_at LIMIT :looked_at
), first AS MATERIALIZED (
    SELECT DISTINCT ON (user_id) * FROM due ORDER BY user_id, urgency, pass_number, step, due_at
), persons AS MATERIALIZED (
    SELECT first.user_id
    FROM first CROSS JOIN LATERAL (
        SELECT max(a.started_at) AS at FROM notification.attempts a WHERE a.user_id = first.user_id
    ) AS paged
    ORDER BY urgency, pass_number, step, paged.at NULLS FIRST, due_at, user_id
)
SELECT user_id FROM persons
WHERE pg_try_advisory_xact_lock({_LOCK}, CAST(user_id % 2147483647 AS int)) LIMIT :room
""")

# What is in doubt comes first, message by message: none of them is cut in two by the limit but the last.
_LIST = f"""
SELECT {AS_IT_IS_NOW}
FROM {{people}}
JOIN notification.notifications n ON n.user_id = person.user_id AND {{waiting}}
{AND_ITS_OWNERS}
WHERE {_IN_ORDER}
ORDER BY person.place, n.status = 'sending' DESC, CASE n.status WHEN 'sending' THEN n.provider_message_id END,
         CASE i.severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, n.pass_number, n.step, wanted_at, n.id
LIMIT :most
"""
_LIST_DUE = text(
    _LIST.format(
        people="unnest(CAST(:user_ids AS bigint[])) WITH ORDINALITY AS person(user_id, place)",
        waiting="n.due_at <= :now AND n.channel <> ALL(:shut)",
    )
)
_LIST_HELD = text(
    _LIST.format(
        people="unnest(CAST(:user_ids AS bigint[]), CAST(:channels AS text[])) WITH ORDINALITY"
        " AS person(user_id, channel, place)",
        waiting="n.channel = person.channel AND n.is_held AND n.status = 'queued' AND n.due_at > :now",
    )
)

# What was definitely not taken has reached nobody.
_LIST_SPENT = text("""
SELECT user_id, channel, address, count(*) AS sent, max(started_at) AS last_at FROM notification.attempts
WHERE user_id = ANY(:user_ids) AND started_at > :since AND coalesce(outcome NOT IN ('deferred', 'refused'), true)
GROUP BY user_id, channel, address
""")

_HOLD = text("""
WITH held AS MATERIALIZED (
    SELECT n.id, h.until, h.why
    FROM unnest(CAST(:ids AS bigint[]), CAST(:untils AS timestamptz[]), CAST(:whys AS text[])) AS h(id, until, why)
    JOIN notification.notifications n ON n.id = h.id AND n.status = 'queued' AND n.due_at <= :now
    FOR UPDATE OF n SKIP LOCKED
)
UPDATE notification.notifications n SET due_at = held.until, error = held.why, is_held = true
FROM held WHERE n.id = held.id
""")


async def lock_persons(tx: AsyncConnection, *, room: int, shut: Sequence[Channel], now: datetime) -> list[int]:
    """The persons to whom something is due, the most urgent first, at most so many: until this transaction ends nobody
    else decides what they are sent."""
    found = await tx.execute(_LOCK_PERSONS, {"now": now, "looked_at": LOOKED_AT, "room": room, "shut": list(shut)})
    return list(found.scalars())


async def list_due(
    tx: AsyncConnection, user_ids: Sequence[int], *, shut: Sequence[Channel], now: datetime
) -> list[Due]:
    """What is due to these persons, in their order, at most `MOST_DUE`; the most urgent of each first. A message that
    goes again is there with all that it told of, or not at all."""
    rows = await tx.execute(_LIST_DUE, {"user_ids": list(user_ids), "now": now, "most": MOST_DUE, "shut": list(shut)})
    return whole_messages([_due(row) for row in rows.mappings()], MOST_DUE)


async def list_held(tx: AsyncConnection, recipients: Sequence[Recipient], *, beside: int, now: datetime) -> list[Due]:
    """What waits for a digest to these persons by these channels; the most urgent first.

    Args:
        beside: so many notifications that are due are decided on, too: all together are `MOST_DUE` at most.
    """
    values = {"user_ids": [to.user_id for to in recipients], "channels": [to.channel for to in recipients]}
    rows = await tx.execute(_LIST_HELD, {**values, "now": now, "most": max(0, MOST_DUE - beside)})
    return [_due(row) for row in rows.mappings()]


async def list_spent(tx: AsyncConnection, user_ids: Sequence[int], *, now: datetime) -> dict[Recipient, Spent]:
    """What these persons were sent within the window of the budgets."""
    rows = await tx.execute(_LIST_SPENT, {"user_ids": list(user_ids), "since": now - WINDOW})
    return {
        Recipient(row.user_id, Channel(row.channel), row.address): Spent(row.sent, row.last_at) for row in rows.all()
    }


async def hold(tx: AsyncConnection, held: Sequence[Held], *, now: datetime) -> None:
    """Let notifications wait for their digest, and say so."""
    waiting = [(number, one) for one in held for number in one.ids]
    values = {
        "ids": [number for number, _ in waiting],
        "untils": [one.until for _, one in waiting],
        "whys": [one.why for _, one in waiting],
    }
    await tx.execute(_HOLD, {**values, "now": now})


def is_sendable(row: Mapping[Any, Any]) -> bool:
    """Wanted, to be reached, and not given up."""
    return bool(row["is_wanted"] and row["is_active"] and row["address"] and row["tries"] < TRIES)


def _due(row: Mapping[Any, Any]) -> Due:
    is_same = row["status"] == NotificationStatus.SENDING and row["sent_to"] == row["address"]
    return Due(
        notification_id=row["id"],
        to=Recipient(row["user_id"], Channel(row["channel"]), row["address"]),
        repeats=row["provider_message_id"] if is_same else None,
        is_sendable=is_sendable(row),
        severity=Severity(row["severity"]),
        pass_number=row["pass_number"],
        step=row["step"],
        wanted_at=row["wanted_at"],
    )
