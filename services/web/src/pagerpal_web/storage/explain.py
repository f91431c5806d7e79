"""What the rows say of one person and one incident: read from the schemas of their owners."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pagerpal_common.contracts.escalations import Position
from pagerpal_common.errors import NotFound
from pagerpal_common.escalation import POLICY_JSON, Policy
from pagerpal_common.vocabulary import IncidentStatus
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.reasons import REASON

MOST_PAGES = 1_000
"""Page requests of one incident that are looked through: a day and more of reminders to ten people."""

_INCIDENT = text("""
SELECT i.id, i.team_id, i.escalation_policy_id, i.escalation_id, i.status, i.is_test, i.level_entered_at,
       i.escalation_pass, i.current_escalation_level, i.escalation_reminder, i.acknowledged_by, i.acknowledged_at,
       i.resolved_by, i.resolved_at, CAST(e.policy AS text) AS policy
FROM incidents.incidents i LEFT JOIN escalation.escalations e ON e.escalation_id = i.escalation_id
WHERE i.id = :incident_id
""")
_PAGES = text("""
SELECT id, escalation_id, pass_number, level, reminder, user_id, reason, requested_at, is_open
FROM incidents.page_requests WHERE incident_id = :incident_id ORDER BY id LIMIT :most
""")
_NOTIFICATIONS = text(f"""
SELECT id, page_request_id, channel, address, status, {REASON} AS reason, attempts, error, created_at, due_at, sent_at,
       delivered_at, settled_at
FROM notification.notifications WHERE incident_id = :incident_id AND user_id = :user_id ORDER BY id LIMIT :most
""")
# Lines of the present run: those since it began, which a reopening tells first.
_PASSED_OVER = text("""
SELECT message FROM incidents.events
WHERE incident_id = :incident_id AND event_type IN ('level_skipped', 'unreached')
  AND id > coalesce((SELECT max(id) FROM incidents.events
                     WHERE incident_id = :incident_id AND event_type = 'reopened'), 0)
ORDER BY id LIMIT 20
""")


@dataclass(frozen=True)
class Subject:
    """As much of an incident as its escalation depends on."""

    incident_id: int
    team_id: int
    policy_id: int | None
    escalation_id: int
    status: IncidentStatus
    is_test: bool
    position: Position
    level_entered_at: datetime
    acknowledged_by: int | None
    acknowledged_at: datetime | None
    resolved_by: int | None
    resolved_at: datetime | None
    policy: Policy | None
    """As the run keeps it; None when there is no run yet."""


async def get_subject(tx: AsyncConnection, incident_id: int) -> Subject:
    """Raises NotFound when there is no such incident."""
    row = (await tx.execute(_INCIDENT, {"incident_id": incident_id})).one_or_none()
    if row is None:
        raise NotFound(f"there is no incident {incident_id}")
    return Subject(
        incident_id=row.id,
        team_id=row.team_id,
        policy_id=row.escalation_policy_id,
        escalation_id=row.escalation_id,
        status=IncidentStatus(row.status),
        is_test=row.is_test,
        position=Position(
            pass_number=row.escalation_pass, level=row.current_escalation_level, reminder=row.escalation_reminder
        ),
        level_entered_at=row.level_entered_at,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        resolved_by=row.resolved_by,
        resolved_at=row.resolved_at,
        policy=None if row.policy is None else POLICY_JSON.validate_json(row.policy),
    )


async def list_pages(tx: AsyncConnection, incident_id: int) -> Sequence[Mapping[str, Any]]:
    """Who was to be reached for an incident, by every run of it, the oldest first."""
    rows = await tx.execute(_PAGES, {"incident_id": incident_id, "most": MOST_PAGES})
    return [dict(row) for row in rows.mappings()]


async def list_ways(tx: AsyncConnection, incident_id: int, user_id: int) -> Sequence[Mapping[str, Any]]:
    """The notifications of one person for an incident, the oldest first; addresses in full."""
    values = {"incident_id": incident_id, "user_id": user_id, "most": MOST_PAGES}
    return [dict(row) for row in (await tx.execute(_NOTIFICATIONS, values)).mappings()]


async def list_passed_over(tx: AsyncConnection, incident_id: int) -> tuple[str, ...]:
    """What the timeline says of levels that reached nobody, in the present run."""
    return tuple((await tx.execute(_PASSED_OVER, {"incident_id": incident_id})).scalars())
