"""Page requests, read from incidents' schema, and the notifications written down for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.notification_rules import Planned
from pagerpal_common.vocabulary import NotificationStatus, Severity
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Open, and not written down here yet. The open ones have a partial index. Each is looked up by our unique key: written
# as NOT EXISTS, PostgreSQL would rather read all notifications that ever were.
_UNTAKEN = """
SELECT r.id, r.incident_id, r.user_id, r.requested_at, i.severity, r.request_id, r.traceparent
FROM incidents.page_requests r JOIN incidents.incidents i ON i.id = r.incident_id
WHERE r.is_open {only} AND
      (SELECT n.id FROM notification.notifications n WHERE n.page_request_id = r.id LIMIT 1) IS NULL
ORDER BY r.id LIMIT :limit
"""
_FIND_UNTAKEN = text(_UNTAKEN.format(only=""))
_FIND_UNTAKEN_OF = text(_UNTAKEN.format(only="AND r.id = ANY(:ids)"))

# In one order, so that two processes that take up the same requests wait for each other and never deadlock.
_INSERT = text("""
INSERT INTO notification.notifications
    (page_request_id, incident_id, escalation_id, user_id, channel, contact_method_id, step, pass_number, level, reason,
     status, attempts, error, due_at, wanted_at, created_at, settled_at)
SELECT r.id, r.incident_id, r.escalation_id, r.user_id, p.channel, p.method_id, p.step, r.pass_number, r.level,
       r.reason || jsonb_build_array(p.why), p.status, 0, p.problem, p.due_at, p.wanted_at, :now,
       CASE WHEN p.problem IS NOT NULL THEN CAST(:now AS timestamptz) END
FROM unnest(CAST(:request_ids AS bigint[]), CAST(:channels AS text[]), CAST(:steps AS int[]), CAST(:whys AS text[]),
            CAST(:statuses AS text[]), CAST(:problems AS text[]), CAST(:due_ats AS timestamptz[]),
            CAST(:wanted_ats AS timestamptz[]), CAST(:method_ids AS bigint[]))
     AS p(page_request_id, channel, step, why, status, problem, due_at, wanted_at, method_id)
JOIN incidents.page_requests r ON r.id = p.page_request_id
ORDER BY r.id, p.step, p.channel
ON CONFLICT (page_request_id, channel, step) DO NOTHING
RETURNING id, incident_id, status
""")


@dataclass(frozen=True)
class PageRequest:
    """An obligation to reach somebody that nobody has taken up."""

    id: int
    incident_id: int
    user_id: int
    requested_at: datetime
    severity: Severity
    """Of its incident."""
    request_id: str | None
    """The HTTP request that it goes back to, if that is known."""
    traceparent: str | None
    """The trace that it belongs to."""


@dataclass(frozen=True)
class Written:
    """A notification that has just been written down."""

    notification_id: int
    incident_id: int
    status: NotificationStatus


async def list_untaken(tx: AsyncConnection, ids: Sequence[int] | None, *, limit: int) -> list[PageRequest]:
    """Open page requests without a notification, oldest first; with `ids`, only those among them."""
    if ids is None:
        rows = await tx.execute(_FIND_UNTAKEN, {"limit": limit})
    else:
        rows = await tx.execute(_FIND_UNTAKEN_OF, {"ids": list(ids), "limit": limit})
    return [PageRequest(**{**row, "severity": Severity(row["severity"])}) for row in rows.mappings()]


async def insert_notifications(
    tx: AsyncConnection, planned: Sequence[tuple[PageRequest, Planned]], *, now: datetime
) -> list[Written]:
    """Write notifications down, once per request, channel and step: what is there already is left alone.

    Nothing is due in the past: what should have gone goes now.
    """
    rows = await tx.execute(
        _INSERT,
        {
            "request_ids": [request.id for request, _ in planned],
            "channels": [plan.channel.value for _, plan in planned],
            "steps": [plan.step for _, plan in planned],
            "whys": [plan.why for _, plan in planned],
            "statuses": [
                NotificationStatus.FAILED if plan.problem else NotificationStatus.QUEUED for _, plan in planned
            ],
            "problems": [plan.problem for _, plan in planned],
            "due_ats": [None if plan.problem else max(now, plan.due_at) for _, plan in planned],
            "wanted_ats": [plan.due_at for _, plan in planned],
            "method_ids": [plan.method_id for _, plan in planned],
            "now": now,
        },
    )
    return [Written(row.id, row.incident_id, NotificationStatus(row.status)) for row in rows]
