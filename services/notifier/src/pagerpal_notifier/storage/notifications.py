"""Notifications as they are claimed, settled and cancelled."""

import json
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any
from uuid import UUID

from pagerpal_common.vocabulary import Channel, NotificationStatus, Severity
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.delivery import TRIES, Change, Outcome
from pagerpal_notifier.domain.lifecycle import WAITING
from pagerpal_notifier.domain.page import Claim, Page, Told, Unsendable

# One statement, and one snapshot: what is due is locked, looked at again in the light of the incident, the page
# request and the directory as they are now, and claimed. So nothing is claimed by a statement that
# begins after an acknowledgement has committed. Rows that somebody else holds are passed over: they are in work.
# A row that was `sending` may be with the provider already and keeps its message id; a queued one gets a new one, and
# so does one whose person has another address by now, to which nothing has gone. The address of a contact method is
# used only while it is the one that was proven to be its person's.
# What a machine reads comes in order: to a webhook nothing is claimed while an earlier page to the same person's
# webhook is due or under way, in whichever process. Who is next is told by the run's policy and the page's own level:
# the run may not know yet that it has come so far. What is missing there names nobody, and holds nothing up.
_CLAIM = text("""
WITH due AS MATERIALIZED (
    SELECT n.id, n.status, n.attempts, n.attempts - n.attempts_before AS tries, n.channel, n.step, n.incident_id,
           n.contact_method_id, m.signing_secret, n.page_request_id, n.reason, i.severity, i.title, i.description,
           coalesce(i.status = 'triggered' AND i.escalation_id = n.escalation_id AND r.is_open, false) AS is_wanted,
           coalesce(u.is_active, false) AS is_active,
           coalesce(CASE WHEN n.contact_method_id IS NOT NULL THEN p.address
                         WHEN n.channel = 'email' THEN u.email ELSE u.phone END, '') AS address,
           n.level, n.escalation_id, n.user_id
    FROM notification.notifications n
    LEFT JOIN incidents.incidents i ON i.id = n.incident_id
    LEFT JOIN incidents.page_requests r ON r.id = n.page_request_id
    LEFT JOIN directory.users u ON u.id = n.user_id
    LEFT JOIN directory.contact_methods m ON m.id = n.contact_method_id AND m.user_id = n.user_id
    LEFT JOIN directory.contact_proofs p ON p.user_id = m.user_id AND p.method_id = m.id AND p.address = m.address
    WHERE n.due_at <= :now
      AND NOT (n.channel IN ('webhook', 'slack') AND n.status = 'queued' AND EXISTS (
          SELECT FROM notification.notifications earlier
          WHERE earlier.user_id = n.user_id AND earlier.channel = n.channel AND earlier.id < n.id
            AND earlier.contact_method_id IS NOT DISTINCT FROM n.contact_method_id
            AND earlier.due_at IS NOT NULL AND (earlier.due_at <= :now OR earlier.attempts > 0)
      ))
    ORDER BY n.due_at
    LIMIT :limit
    FOR UPDATE OF n SKIP LOCKED
), looked_at AS MATERIALIZED (
    SELECT due.*, row_number() OVER (ORDER BY id) AS place,
           is_wanted AND is_active AND address <> '' AND tries < :tries AS is_sendable, next.next_up
    FROM due
    LEFT JOIN LATERAL (
        SELECT string_agg(coalesce(other.name, 'on call for ' || s.name), ', ' ORDER BY a.place) AS next_up
        FROM escalation.escalations e
        CROSS JOIN LATERAL (
            SELECT l.level
            FROM jsonb_path_query(e.policy, '$.levels[*] ? (@.number > $level)', jsonb_build_object('level', due.level))
                AS l(level)
            ORDER BY l.level -> 'number' LIMIT 1
        ) AS following
        CROSS JOIN LATERAL jsonb_path_query(following.level, '$.assignees[*]') WITH ORDINALITY AS a(one, place)
        LEFT JOIN directory.users other ON other.id = CAST(a.one ->> 'user_id' AS bigint) AND other.is_active
        LEFT JOIN directory.schedules s ON s.id = CAST(a.one ->> 'schedule_id' AS bigint)
        WHERE e.escalation_id = due.escalation_id
    ) AS next ON true
), claimed AS (
    UPDATE notification.notifications n
    SET status = 'sending', attempts = n.attempts + 1, address = l.address, due_at = :deadline,
        provider_message_id = CASE WHEN n.status = 'sending' AND n.address = l.address THEN n.provider_message_id
                                   ELSE (CAST(:new_ids AS uuid[]))[l.place] END
    FROM looked_at l WHERE n.id = l.id AND l.is_sendable
    RETURNING n.id, n.provider_message_id, n.channel
), tried AS (
    INSERT INTO notification.attempts (attempt_id, notification_id, provider, started_at)
    SELECT provider_message_id, id, CAST(:providers AS jsonb) ->> channel, :now FROM claimed
    ON CONFLICT (attempt_id) DO NOTHING
)
SELECT l.*, c.provider_message_id AS attempt_id
FROM looked_at l LEFT JOIN claimed c ON c.id = l.id ORDER BY l.place
""")

# Compare-and-set: a sender that has slept past its deadline finds that another try is on, and changes nothing. Held in
# the order of their ids first: whoever else holds several does so in that order.
_SAVE = text("""
WITH new AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:were AS text[]), CAST(:attempts AS int[]),
                         CAST(:statuses AS text[]), CAST(:errors AS text[]), CAST(:due AS timestamptz[]),
                         CAST(:delivered AS timestamptz[]), CAST(:settled AS boolean[]))
        AS new(id, was, attempts, status, error, due_at, delivered_at, is_settled)
), held AS MATERIALIZED (
    SELECT id FROM notification.notifications WHERE id = ANY(:ids) ORDER BY id FOR UPDATE
)
UPDATE notification.notifications n
SET status = new.status, error = new.error, due_at = new.due_at,
    sent_at = CASE WHEN new.status = 'sent' THEN CAST(:now AS timestamptz) ELSE coalesce(sent_at, new.delivered_at) END,
    delivered_at = coalesce(new.delivered_at, n.delivered_at),
    settled_at = CASE WHEN new.is_settled THEN CAST(:now AS timestamptz) END
FROM new JOIN held ON held.id = new.id
WHERE n.id = new.id AND n.status = new.was AND n.attempts = new.attempts
RETURNING n.id
""")

_END_ATTEMPTS = text("""
UPDATE notification.attempts a SET ended_at = :now, outcome = said.outcome, detail = said.detail
FROM unnest(CAST(:ids AS uuid[]), CAST(:outcomes AS text[]), CAST(:details AS text[])) AS said(id, outcome, detail)
WHERE a.attempt_id = said.id
""")

# Only what has not been tried yet: a step in its own backoff keeps it.
_HASTEN = text("""
UPDATE notification.notifications SET due_at = :now
WHERE page_request_id = :page_request_id AND status = 'queued' AND attempts = 0 AND due_at > :now
  AND step = (SELECT min(n.step) FROM notification.notifications n
              WHERE n.page_request_id = :page_request_id AND n.step > :step AND n.status NOT IN ('failed', 'exhausted'))
RETURNING id
""")

# Whoever comes second sees what the first has written, so that of two ways that fail at once one adds the last resort.
# A way may fail long after, by a receipt: nobody is paged for what is over by then.
_ALONE = text("SELECT pg_advisory_xact_lock(:page_request_id)")
_LAST_RESORT = text("""
INSERT INTO notification.notifications
    (page_request_id, incident_id, escalation_id, user_id, channel, step, pass_number, level, reason, status,
     attempts, due_at, created_at)
SELECT n.page_request_id, n.incident_id, n.escalation_id, n.user_id, own.channel,
       (SELECT max(step) + 1 FROM notification.notifications WHERE page_request_id = n.page_request_id),
       n.pass_number, n.level, (n.reason - -1) || jsonb_build_array(CAST(:whys AS jsonb) ->> own.channel), 'queued', 0,
       :now, :now
FROM notification.notifications n JOIN directory.users u ON u.id = n.user_id AND u.is_active
JOIN incidents.page_requests r ON r.id = n.page_request_id AND r.is_open
JOIN incidents.incidents i ON i.id = n.incident_id AND i.status = 'triggered' AND i.escalation_id = n.escalation_id
CROSS JOIN LATERAL (VALUES ('sms', u.phone), ('voice', u.phone), ('email', u.email)) AS own(channel, address)
WHERE n.id = :id AND own.address <> '' AND NOT EXISTS (
    SELECT FROM notification.notifications other
    WHERE other.page_request_id = n.page_request_id AND (
        other.status NOT IN ('failed', 'exhausted') OR (other.channel = own.channel AND other.contact_method_id IS NULL)
    )
)
ON CONFLICT DO NOTHING
""")

# Told by a message, decided by the rows: a late or doubled message must not cancel the pages of an escalation that a
# person has asked for since, in the same run. Rows that somebody else holds are looked at again by their claim.
_CANCEL = text("""
WITH unwanted AS (
    SELECT n.id FROM notification.notifications n
    WHERE n.incident_id = ANY(:incident_ids) AND n.status = 'queued' AND NOT EXISTS (
        SELECT FROM incidents.incidents i JOIN incidents.page_requests r ON r.incident_id = i.id
        WHERE i.id = n.incident_id AND i.status = 'triggered' AND i.escalation_id = n.escalation_id
          AND r.id = n.page_request_id AND r.is_open
    )
    FOR UPDATE OF n SKIP LOCKED
)
UPDATE notification.notifications n
SET status = 'cancelled', due_at = NULL, settled_at = :now, error = 'no longer wanted'
FROM unwanted WHERE n.id = unwanted.id
RETURNING n.id
""")


async def claim_due(
    tx: AsyncConnection,
    *,
    now: datetime,
    deadline: datetime,
    new_ids: Sequence[UUID],
    providers: Mapping[Channel, str],
) -> tuple[list[Claim], list[Unsendable]]:
    """Lock what is due, at most as many rows as there are new ids, and claim what may still be sent.

    Args:
        deadline: until when the claimed rows are nobody else's.
        new_ids: message ids for the rows whose provider certainly has nothing yet.
        providers: the provider's name, by channel.

    Returns:
        The claimed rows, and the others, still locked, for the caller to settle in the same transaction.
    """
    rows = await tx.execute(
        _CLAIM,
        {
            "now": now,
            "deadline": deadline,
            "limit": len(new_ids),
            "new_ids": list(new_ids),
            "tries": TRIES,
            "providers": json.dumps(providers),
        },
    )
    claims: list[Claim] = []
    others: list[Unsendable] = []
    for row in rows.mappings():
        if row["is_sendable"]:
            claims.append(_claim(row))
        else:
            others.append(_unsendable(row))
    return claims, others


async def save_changes(
    tx: AsyncConnection,
    moves: Sequence[tuple[Claim | Unsendable | Told, NotificationStatus, Change]],
    *,
    now: datetime,
) -> Set[int]:
    """Write down what notifications become that are still in the status given; the ids of those that were.

    The others are not where `row` left them: somebody else decides.
    """
    if not moves:
        return set()
    rows, were, changes = zip(*moves, strict=True)
    saved = await tx.execute(
        _SAVE,
        {
            "ids": [row.notification_id for row in rows],
            "were": list(were),
            "attempts": [row.attempts for row in rows],
            "statuses": [change.status for change in changes],
            "errors": [change.error for change in changes],
            "due": [change.due_at for change in changes],
            "delivered": [change.delivered_at for change in changes],
            "settled": [change.status not in WAITING for change in changes],
            "now": now,
        },
    )
    return set(saved.scalars())


async def end_attempts(tx: AsyncConnection, said: Sequence[tuple[UUID, Outcome]], *, now: datetime) -> None:
    """Write down what the provider said to these message ids, last of all."""
    values = {
        "ids": [attempt_id for attempt_id, _ in said],
        "outcomes": [outcome.verdict for _, outcome in said],
        "details": [outcome.detail for _, outcome in said],
        "now": now,
    }
    await tx.execute(_END_ATTEMPTS, values)


async def hasten_next(tx: AsyncConnection, *, page_request_id: int, step: int, now: datetime) -> bool:
    """Make the person's step after this one due at once; False when there is none waiting."""
    hastened = await tx.execute(_HASTEN, {"page_request_id": page_request_id, "step": step, "now": now})
    return hastened.first() is not None


async def add_last_resort(
    tx: AsyncConnection, *, notification_id: int, page_request_id: int, whys: Mapping[Channel, str], now: datetime
) -> None:
    """Once every way to an active person has failed, try whatever of their own phone and mail has not been tried."""
    await tx.execute(_ALONE, {"page_request_id": page_request_id})
    await tx.execute(_LAST_RESORT, {"id": notification_id, "whys": json.dumps(whys), "now": now})


async def cancel_unwanted(tx: AsyncConnection, incident_ids: Sequence[int], *, now: datetime) -> int:
    """Cancel what is queued for these incidents and no longer wanted; how many."""
    cancelled = await tx.execute(_CANCEL, {"incident_ids": list(incident_ids), "now": now})
    return len(cancelled.all())


def _claim(row: Mapping[Any, Any]) -> Claim:
    return Claim(
        notification_id=row["id"],
        incident_id=row["incident_id"],
        page_request_id=row["page_request_id"],
        user_id=row["user_id"],
        escalation_id=row["escalation_id"],
        channel=Channel(row["channel"]),
        step=row["step"],
        attempts=row["attempts"] + 1,
        tries=row["tries"] + 1,
        attempt_id=row["attempt_id"],
        address=row["address"],
        page=Page(
            incident_id=row["incident_id"],
            severity=Severity(row["severity"]),
            title=row["title"],
            description=row["description"],
            reason=tuple(map(str, row["reason"])),
            level=row["level"],
            next_up=row["next_up"],
        ),
        signing_secret=row["signing_secret"],
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
