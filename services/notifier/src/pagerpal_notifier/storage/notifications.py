"""Notifications as they are settled, gone on from and cancelled. How they are claimed is in `claims.py`."""

import json
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from uuid import UUID

from pagerpal_common.vocabulary import Channel, NotificationStatus
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.domain.delivery import IN_DOUBT, UNWANTED, Change, Outcome
from pagerpal_notifier.domain.lifecycle import WAITING
from pagerpal_notifier.domain.page import Claim, Member, Told, Unsendable

# Compare-and-set: a sender that has slept past its deadline finds that another try is on, and changes nothing. Held in
# the order of their ids first: whoever else holds several does so in that order.
_SAVE = text("""
WITH new AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:were AS text[]), CAST(:attempts AS int[]),
                         CAST(:statuses AS text[]), CAST(:errors AS text[]), CAST(:due AS timestamptz[]),
                         CAST(:delivered AS timestamptz[]), CAST(:settled AS boolean[]), CAST(:watch AS timestamptz[]))
        AS new(id, was, attempts, status, error, due_at, delivered_at, is_settled, watch_at)
), held AS MATERIALIZED (
    SELECT id FROM notification.notifications WHERE id = ANY(:ids) ORDER BY id FOR UPDATE
)
UPDATE notification.notifications n
SET status = new.status, error = new.error, due_at = new.due_at, watch_at = new.watch_at, unheard_at = NULL,
    held_by = NULL,
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

# Only what has not been tried yet: a step in its own backoff keeps it. What waits for a provider in trouble, or was not
# heard of, leads nowhere for now. A step that waits for its digest was wanted before now, and says so.
_HASTEN = text("""
WITH lost AS (
    SELECT * FROM unnest(CAST(:page_request_ids AS bigint[]), CAST(:steps AS int[])) AS lost(page_request_id, step)
), hastened AS (
    UPDATE notification.notifications n SET due_at = :now, wanted_at = least(n.wanted_at, :now)
    FROM lost
    WHERE n.page_request_id = lost.page_request_id AND n.status = 'queued' AND n.attempts = 0 AND n.due_at > :now
      AND n.held_by IS NULL
      AND n.step = (SELECT min(other.step) FROM notification.notifications other
                    WHERE other.page_request_id = lost.page_request_id AND other.step > lost.step
                      AND other.status NOT IN ('failed', 'exhausted')
                      AND other.held_by IS NULL AND other.unheard_at IS NULL)
    RETURNING n.page_request_id
)
SELECT page_request_id FROM hastened
""")

# Whoever comes second sees what the first has written, so that of two ways that fail at once one adds the last resort.
# A way may fail long after, by a receipt: nobody is paged for what is over by then.
_ALONE = text("SELECT pg_advisory_xact_lock(:page_request_id)")
_LAST_RESORT = text("""
INSERT INTO notification.notifications
    (page_request_id, incident_id, escalation_id, user_id, channel, step, pass_number, level, reason, status,
     attempts, due_at, wanted_at, created_at)
SELECT n.page_request_id, n.incident_id, n.escalation_id, n.user_id, own.channel,
       (SELECT max(step) + 1 FROM notification.notifications WHERE page_request_id = n.page_request_id),
       n.pass_number, n.level, (n.reason - -1) || jsonb_build_array(CAST(:whys AS jsonb) ->> own.channel), 'queued', 0,
       :now, :now, :now
FROM notification.notifications n JOIN directory.users u ON u.id = n.user_id AND u.is_active
JOIN incidents.page_requests r ON r.id = n.page_request_id AND r.is_open
JOIN incidents.incidents i ON i.id = n.incident_id AND i.status = 'triggered' AND i.escalation_id = n.escalation_id
CROSS JOIN LATERAL (VALUES ('sms', u.phone), ('voice', u.phone), ('email', u.email)) AS own(channel, address)
WHERE n.id = :id AND own.address <> '' AND NOT EXISTS (
    SELECT FROM notification.notifications other
    WHERE other.page_request_id = n.page_request_id AND (
        (other.status NOT IN ('failed', 'exhausted') AND other.held_by IS NULL AND other.unheard_at IS NULL)
        OR (other.channel = own.channel AND other.contact_method_id IS NULL)
    )
)
ON CONFLICT DO NOTHING
""")

# Told by a message, decided by the rows: a late or doubled message must not cancel the pages of an escalation that a
# person has asked for since, in the same run. Rows that somebody else holds are looked at again by their claim. What
# waits for a provider in trouble is under way nowhere, though it be `sending`; what is, is settled by its answer.
_CANCEL = """
WITH unwanted AS MATERIALIZED (
    SELECT n.id FROM notification.notifications n
    WHERE {which} AND n.status IN ('queued', 'sending') AND (n.status = 'queued' OR n.held_by IS NOT NULL)
      AND NOT EXISTS (
        SELECT FROM incidents.incidents i JOIN incidents.page_requests r ON r.incident_id = i.id
        WHERE i.id = n.incident_id AND i.status = 'triggered' AND i.escalation_id = n.escalation_id
          AND r.id = n.page_request_id AND r.is_open
    )
    FOR UPDATE OF n SKIP LOCKED
)
UPDATE notification.notifications n
SET status = 'cancelled', due_at = NULL, held_by = NULL, settled_at = :now,
    error = CAST(:unwanted AS text) || CASE n.status WHEN 'sending' THEN CAST(:in_doubt AS text) ELSE '' END
FROM unwanted WHERE n.id = unwanted.id
RETURNING n.id
"""
_CANCEL_OF = text(_CANCEL.format(which="n.incident_id = ANY(:incident_ids)"))
_CANCEL_HELD = text(_CANCEL.format(which="n.held_by IS NOT NULL"))


async def save_changes(
    tx: AsyncConnection,
    moves: Sequence[tuple[Claim | Member | Unsendable | Told, NotificationStatus, Change]],
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
            "watch": [change.watch_at for change in changes],
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


async def hasten_next(tx: AsyncConnection, lost: Sequence[tuple[int, int]], *, now: datetime) -> Set[int]:
    """Make the persons' steps after these due at once, given as page request and step; the page requests where one
    was waiting."""
    values = {"page_request_ids": [number for number, _ in lost], "steps": [step for _, step in lost], "now": now}
    return set((await tx.execute(_HASTEN, values)).scalars())


async def add_last_resort(
    tx: AsyncConnection, *, notification_id: int, page_request_id: int, whys: Mapping[Channel, str], now: datetime
) -> None:
    """Once every way to an active person has failed, try whatever of their own phone and mail has not been tried."""
    await tx.execute(_ALONE, {"page_request_id": page_request_id})
    await tx.execute(_LAST_RESORT, {"id": notification_id, "whys": json.dumps(whys), "now": now})


async def cancel_unwanted(tx: AsyncConnection, incident_ids: Sequence[int], *, now: datetime) -> int:
    """Cancel what waits for these incidents and is no longer wanted; how many."""
    values = {"incident_ids": list(incident_ids), "now": now, "unwanted": UNWANTED, "in_doubt": IN_DOUBT}
    return len((await tx.execute(_CANCEL_OF, values)).all())


async def cancel_held(tx: AsyncConnection, *, now: datetime) -> int:
    """Cancel what waits for a provider in trouble and is no longer wanted; how many."""
    values = {"now": now, "unwanted": UNWANTED, "in_doubt": IN_DOUBT}
    return len((await tx.execute(_CANCEL_HELD, values)).all())
