"""Page requests, the obligation ledger: who is to be reached, and why."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from uuid import UUID

from pagerpal_common.contracts.escalations import EscalateIncident
from pagerpal_common.schema.incidents import page_requests
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_incidents.domain.incident import Change
from pagerpal_incidents.storage.arrays import columns, insert
from pagerpal_incidents.storage.reading import readable

_NAMES = (
    "incident_id",
    "escalation_id",
    "pass_number",
    "level",
    "reminder",
    "user_id",
    "reason",
    "requested_at",
    "is_open",
    "request_id",
    "traceparent",
)
# One per run, pass, level, reminder and person, whatever is repeated.
_INSERT = text(insert(page_requests, _NAMES, then="ON CONFLICT DO NOTHING RETURNING id, incident_id"))
_CLOSE = text("UPDATE incidents.page_requests SET is_open = false WHERE incident_id = ANY(:ids) AND is_open")
_STILL_ASKED = text("""
SELECT asked ->> 'message_id' AS message_id
FROM escalation.escalations WHERE escalation_id = ANY(:runs) AND asked ->> 'message_id' = ANY(:messages)
""")
# Steps that the escalator has asked for and that have not been applied, though there was time.
_ASKED = text("""
SELECT CAST(e.asked AS text) AS asked FROM escalation.escalations e
JOIN incidents.incidents i ON i.id = e.incident_id AND i.escalation_id = e.escalation_id
WHERE e.asked IS NOT NULL AND i.status <> 'resolved'
  AND CAST(e.asked ->> 'occurred_at' AS timestamptz) < :asked_before
  AND i.escalation_pass = CAST(e.asked #>> '{expected,pass_number}' AS int)
  AND i.current_escalation_level = CAST(e.asked #>> '{expected,level}' AS int)
  AND i.escalation_reminder = CAST(e.asked #>> '{expected,reminder}' AS int)
  AND (i.status = 'triggered' OR CAST(e.asked ->> 'after_ack_timeout' AS boolean))
ORDER BY e.escalation_id LIMIT :limit
""")


async def find_asked(tx: AsyncConnection, steps: Sequence[EscalateIncident]) -> Set[UUID]:
    """Which of these very steps are what their runs ask for now, by the ids of their messages."""
    values = {"runs": [step.escalation_id for step in steps], "messages": [str(step.message_id) for step in steps]}
    return {UUID(row.message_id) for row in await tx.execute(_STILL_ASKED, values)}


async def request_pages(tx: AsyncConnection, changes: Sequence[Change], *, at: datetime) -> Mapping[int, Sequence[int]]:
    """Oblige the notifier to reach these people; the numbers of the new requests, by incident."""
    rows = [
        {
            "incident_id": change.incident.id,
            "escalation_id": change.incident.escalation_id,
            "pass_number": change.incident.escalation_pass,
            "level": change.incident.current_escalation_level,
            "reminder": change.incident.escalation_reminder,
            "user_id": person.user_id,
            "reason": json.dumps(person.reason),
            "requested_at": at,
            "is_open": True,
            "request_id": change.request_id,
            "traceparent": change.traceparent,
        }
        for change in changes
        for person in change.pages
    ]
    requested: defaultdict[int, list[int]] = defaultdict(list)
    for row in await tx.execute(_INSERT, columns(page_requests, rows, _NAMES)) if rows else ():
        requested[row.incident_id].append(row.id)
    return requested


async def close_pages(tx: AsyncConnection, incident_ids: Sequence[int]) -> None:
    """Nobody needs to be reached for these incidents any more."""
    if incident_ids:
        await tx.execute(_CLOSE, {"ids": list(incident_ids)})


async def list_unapplied(tx: AsyncConnection, *, asked_before: datetime, limit: int) -> list[EscalateIncident]:
    """What the escalator asked for before that instant and still fits, for when its message was lost."""
    rows = await tx.execute(_ASKED, {"asked_before": asked_before, "limit": limit})
    return readable(EscalateIncident, [row.asked for row in rows])
