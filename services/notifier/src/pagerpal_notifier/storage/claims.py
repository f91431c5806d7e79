"""Notifications as they are looked for, held back and claimed, in the transaction of `claiming.py`.

How they are shared out among messages is decided in between (`domain/budget.py`). Whether one may be sent at all is
decided by the last statement.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pagerpal_common.vocabulary import Channel, NotificationStatus, Severity
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.budget import BUDGETED, WINDOW, Due, Held, Plan, Recipient, Spent, whole_messages
from pagerpal_notifier.domain.delivery import TRIES
from pagerpal_notifier.domain.page import Claim, Member, Page, Unsendable
from pagerpal_notifier.domain.words import MOST_NAMED, digest_of, minutes_late

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
_AS_IT_IS_NOW = """
    n.id, n.user_id, n.status, n.attempts - n.attempts_before AS tries, n.channel, n.step, n.pass_number, n.due_at,
    coalesce(n.wanted_at, n.due_at) AS wanted_at, n.provider_message_id, n.address AS sent_to,
    coalesce(i.severity, 'info') AS severity,
    coalesce(i.status = 'triggered' AND i.escalation_id = n.escalation_id AND r.is_open, false) AS is_wanted,
    coalesce(u.is_active, false) AS is_active,
    coalesce(CASE WHEN n.contact_method_id IS NOT NULL THEN p.address
                  WHEN n.channel = 'email' THEN u.email ELSE u.phone END, '') AS address
"""
_AND_ITS_OWNERS = """
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
    WHERE n.due_at <= :now AND {_IN_ORDER}
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
SELECT {_AS_IT_IS_NOW}
FROM {{people}}
JOIN notification.notifications n ON n.user_id = person.user_id AND {{waiting}}
{_AND_ITS_OWNERS}
WHERE {_IN_ORDER}
ORDER BY person.place, n.status = 'sending' DESC, CASE n.status WHEN 'sending' THEN n.provider_message_id END,
         CASE i.severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, n.pass_number, n.step, wanted_at, n.id
LIMIT :most
"""
_LIST_DUE = text(
    _LIST.format(
        people="unnest(CAST(:user_ids AS bigint[])) WITH ORDINALITY AS person(user_id, place)",
        waiting="n.due_at <= :now",
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

# One statement, and one snapshot: what is due is locked, looked at again in the light of the incident, the page
# request and the directory as they are now, and claimed. So nothing is claimed by a statement that
# begins after an acknowledgement has committed. Rows that somebody else holds are passed over: they are in work.
# A row that was `sending` may be with the provider already and keeps its message id; a queued one gets a new one, and
# so does one whose person has another address by now, to which nothing has gone. One whose address has changed since
# it was looked for is left for the next claim, or it would be in a message to the address of before.
# Who is next is told by the run's policy and the page's own level: the run may not know yet that it has come so far.
# What is missing there names nobody, and holds nothing up.
_CLAIM = text(f"""
WITH looked_at AS MATERIALIZED (
    SELECT {_AS_IT_IS_NOW}, n.attempts, n.incident_id, n.contact_method_id, m.signing_secret, n.page_request_id,
           n.reason, i.title, CASE WHEN planned.is_alone THEN i.description END AS description, n.level,
           n.escalation_id, planned.place, planned.message_id AS new_id, planned.address AS planned_for,
           planned.is_alone
    FROM unnest(CAST(:ids AS bigint[]), CAST(:message_ids AS uuid[]), CAST(:addresses AS text[]),
                CAST(:alones AS boolean[])) WITH ORDINALITY AS planned(id, message_id, address, is_alone, place)
    JOIN notification.notifications n
      ON n.id = planned.id AND (n.due_at <= :now OR (n.is_held AND n.status = 'queued'))
    {_AND_ITS_OWNERS}
    FOR UPDATE OF n SKIP LOCKED
), sendable AS MATERIALIZED (
    SELECT id, address, channel, user_id, place, message_id, count(*) OVER (PARTITION BY message_id) - 1 AS others
    FROM (
        SELECT l.*, CASE WHEN l.status = 'sending' AND l.sent_to = l.address THEN l.provider_message_id
                         ELSE l.new_id END AS message_id
        FROM looked_at l WHERE is_wanted AND is_active AND address <> '' AND tries < :tries AND address = planned_for
    ) AS l
    WHERE message_id IS NOT NULL
), claimed AS (
    UPDATE notification.notifications n
    SET status = 'sending', attempts = n.attempts + 1, address = s.address, due_at = :deadline,
        provider_message_id = s.message_id, merged_with = s.others, is_held = false
    FROM sendable s WHERE n.id = s.id
    RETURNING n.id
), tried AS (
    INSERT INTO notification.attempts (attempt_id, notification_id, provider, started_at, user_id, channel, address)
    SELECT DISTINCT ON (message_id) message_id, id, CAST(:providers AS jsonb) ->> channel, CAST(:now AS timestamptz),
           CASE WHEN channel = ANY(:budgeted) THEN user_id END, channel, address
    FROM sendable ORDER BY message_id, place
    ON CONFLICT (attempt_id) DO NOTHING
)
SELECT l.*, s.message_id AS attempt_id, next.next_up
FROM looked_at l
LEFT JOIN sendable s ON s.id = l.id AND l.id IN (SELECT id FROM claimed)
LEFT JOIN LATERAL (
    SELECT string_agg(coalesce(other.name, 'on call for ' || s.name), ', ' ORDER BY a.place) AS next_up
    FROM escalation.escalations e
    CROSS JOIN LATERAL (
        SELECT f.level
        FROM jsonb_path_query(e.policy, '$.levels[*] ? (@.number > $level)', jsonb_build_object('level', l.level))
            AS f(level)
        ORDER BY f.level -> 'number' LIMIT 1
    ) AS following
    CROSS JOIN LATERAL jsonb_path_query(following.level, '$.assignees[*]') WITH ORDINALITY AS a(one, place)
    LEFT JOIN directory.users other ON other.id = CAST(a.one ->> 'user_id' AS bigint) AND other.is_active
    LEFT JOIN directory.schedules s ON s.id = CAST(a.one ->> 'schedule_id' AS bigint)
    WHERE l.is_alone AND e.escalation_id = l.escalation_id
) AS next ON true
WHERE s.id IS NOT NULL OR l.address = l.planned_for
ORDER BY l.place
""")


async def lock_persons(tx: AsyncConnection, *, room: int, now: datetime) -> list[int]:
    """The persons to whom something is due, the most urgent first, at most so many: until this transaction ends nobody
    else decides what they are sent."""
    found = await tx.execute(_LOCK_PERSONS, {"now": now, "looked_at": LOOKED_AT, "room": room})
    return list(found.scalars())


async def list_due(tx: AsyncConnection, user_ids: Sequence[int], *, now: datetime) -> list[Due]:
    """What is due to these persons, in their order, at most `MOST_DUE`; the most urgent of each first. A message that
    goes again is there with all that it told of, or not at all."""
    rows = await tx.execute(_LIST_DUE, {"user_ids": list(user_ids), "now": now, "most": MOST_DUE})
    return whole_messages([_due(row) for row in rows.mappings()], MOST_DUE)


async def list_held(tx: AsyncConnection, recipients: Sequence[Recipient], *, now: datetime) -> list[Due]:
    """What waits for a digest to these persons by these channels, at most `MOST_DUE`; the most urgent first."""
    values = {"user_ids": [to.user_id for to in recipients], "channels": [to.channel for to in recipients]}
    rows = await tx.execute(_LIST_HELD, {**values, "now": now, "most": MOST_DUE})
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


async def claim(
    tx: AsyncConnection,
    plan: Plan,
    *,
    now: datetime,
    deadline: datetime,
    new_ids: Sequence[UUID],
    providers: Mapping[Channel, str],
) -> tuple[list[Claim], list[Unsendable]]:
    """Lock what was planned, and claim what of it may still be sent.

    Args:
        deadline: until when the claimed rows are nobody else's.
        new_ids: message ids for the messages whose provider certainly has nothing yet: one for each, at least.
        providers: the provider's name, by channel.

    Returns:
        The claims, one for each message, and the notifications that may not be sent, still locked, for the caller to
        settle in the same transaction.
    """
    planned = [
        (one, new_id, len(message) == 1)
        for message, new_id in zip(plan.messages, new_ids, strict=False)
        for one in message
    ] + [(one, None, True) for one in plan.ends]
    values = {
        "ids": [one.notification_id for one, _, _ in planned],
        "message_ids": [new_id for _, new_id, _ in planned],
        "addresses": [one.to.address for one, _, _ in planned],
        "alones": [is_alone for _, _, is_alone in planned],
        "now": now,
        "deadline": deadline,
        "tries": TRIES,
        "budgeted": list(BUDGETED),
        "providers": json.dumps(providers),
    }
    messages: defaultdict[UUID, list[Mapping[Any, Any]]] = defaultdict(list)
    others: list[Unsendable] = []
    for row in (await tx.execute(_CLAIM, values)).mappings():
        if row["attempt_id"] is not None:
            messages[row["attempt_id"]].append(row)
        elif not _is_sendable(row):
            others.append(_unsendable(row))
    return [_claim(rows, now) for rows in messages.values()], others


def _is_sendable(row: Mapping[Any, Any]) -> bool:
    return bool(row["is_wanted"] and row["is_active"] and row["address"] and row["tries"] < TRIES)


def _due(row: Mapping[Any, Any]) -> Due:
    is_same = row["status"] == NotificationStatus.SENDING and row["sent_to"] == row["address"]
    return Due(
        notification_id=row["id"],
        to=Recipient(row["user_id"], Channel(row["channel"]), row["address"]),
        repeats=row["provider_message_id"] if is_same else None,
        is_sendable=_is_sendable(row),
        severity=Severity(row["severity"]),
        pass_number=row["pass_number"],
        step=row["step"],
        wanted_at=row["wanted_at"],
    )


def _claim(rows: Sequence[Mapping[Any, Any]], now: datetime) -> Claim:
    """The first of them is the one that the message is for."""
    first = rows[0]
    late = minutes_late(min(row["wanted_at"] for row in rows), now)
    pages = [_page(row, late) for row in rows[:MOST_NAMED]]
    incidents = {row["incident_id"] for row in rows}
    worst = min((Severity(row["severity"]) for row in rows), key=list(Severity).index)
    return Claim(
        notification_id=first["id"],
        incident_id=first["incident_id"],
        page_request_id=first["page_request_id"],
        user_id=first["user_id"],
        escalation_id=first["escalation_id"],
        channel=Channel(first["channel"]),
        step=first["step"],
        attempts=first["attempts"] + 1,
        tries=first["tries"] + 1,
        attempt_id=first["attempt_id"],
        address=first["address"],
        page=pages[0] if len(incidents) == 1 else digest_of(pages, incidents=len(incidents), worst=worst, late=late),
        signing_secret=first["signing_secret"],
        others=tuple(_member(row) for row in rows[1:]),
    )


def _member(row: Mapping[Any, Any]) -> Member:
    return Member(
        notification_id=row["id"],
        incident_id=row["incident_id"],
        page_request_id=row["page_request_id"],
        step=row["step"],
        attempts=row["attempts"] + 1,
        tries=row["tries"] + 1,
    )


def _page(row: Mapping[Any, Any], late: int) -> Page:
    return Page(
        incident_id=row["incident_id"],
        severity=Severity(row["severity"]),
        title=row["title"],
        description=row["description"] or "",
        reason=tuple(map(str, row["reason"])),
        level=row["level"],
        next_up=row["next_up"],
        pass_number=row["pass_number"],
        delayed=late,
    )


def _unsendable(row: Mapping[Any, Any]) -> Unsendable:
    return Unsendable(
        notification_id=row["id"],
        incident_id=row["incident_id"],
        page_request_id=row["page_request_id"],
        channel=Channel(row["channel"]),
        step=row["step"],
        attempts=row["attempts"],
        tries=row["tries"],
        status=NotificationStatus(row["status"]),
        is_wanted=row["is_wanted"],
        is_active=row["is_active"],
        has_address=bool(row["address"]),
        contact_method_id=row["contact_method_id"],
    )
