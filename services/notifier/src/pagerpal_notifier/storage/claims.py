"""Notifications as they are claimed, in the messages planned for them. Whether one may be sent is decided here."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pagerpal_common.vocabulary import Channel, NotificationStatus, Severity
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.budget import BUDGETED, Plan
from pagerpal_notifier.domain.delivery import TRIES
from pagerpal_notifier.domain.page import Claim, Member, Page, Unsendable
from pagerpal_notifier.domain.words import MOST_NAMED, digest_of, minutes_late
from pagerpal_notifier.storage.due import AND_ITS_OWNERS, AS_IT_IS_NOW, is_sendable

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
    SELECT {AS_IT_IS_NOW}, n.attempts, n.incident_id, n.contact_method_id, m.signing_secret, n.page_request_id,
           n.reason, CASE WHEN i.first_notified_at IS NULL THEN i.created_at END AS opened_at, r.request_id,
           r.traceparent, i.title, CASE WHEN planned.is_alone THEN i.description END AS description, n.level,
           n.escalation_id, planned.place, planned.message_id AS new_id, planned.address AS planned_for,
           planned.is_alone
    FROM unnest(CAST(:ids AS bigint[]), CAST(:message_ids AS uuid[]), CAST(:addresses AS text[]),
                CAST(:alones AS boolean[])) WITH ORDINALITY AS planned(id, message_id, address, is_alone, place)
    JOIN notification.notifications n
      ON n.id = planned.id AND (n.due_at <= :now OR (n.is_held AND n.status = 'queued'))
    {AND_ITS_OWNERS}
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
        provider_message_id = s.message_id, merged_with = s.others, is_held = false, held_by = NULL
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
        elif not is_sendable(row):
            others.append(_unsendable(row))
    return [_claim(rows, now) for rows in messages.values()], others


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
        wanted_at=first["wanted_at"],
        opened_at=first["opened_at"],
        request_id=first["request_id"],
        traces=tuple(dict.fromkeys(row["traceparent"] for row in rows if row["traceparent"] is not None)),
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
