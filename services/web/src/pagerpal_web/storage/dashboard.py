"""What does the dashboard show? Few rows each, from the beginning of an index, however long the history is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from pagerpal_common.vocabulary import IncidentStatus, Severity
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

MOST_SHOWN = 10
"""Open incidents of each status that are shown, the most severe and of those the oldest first."""

MOST_PAGES = 2_000
"""Pages that are looked through, the newest: a day of more than that is a storm, and is called so."""

OPEN = (IncidentStatus.TRIGGERED, IncidentStatus.ACKNOWLEDGED)

# Each is the beginning of a stretch of `incidents_listed_idx`, which is in order of id, and that is in order of age.
_OPEN = text(
    f"""
    SELECT i.id, i.title, i.severity, i.status, i.created_at, i.acknowledged_at, i.current_escalation_level,
           i.is_unreached, i.alert_count, t.name AS team, coalesce(a.name, w.name) AS person
    FROM ({
        " UNION ALL ".join(
            f"(SELECT id FROM incidents.incidents WHERE status = '{status}' AND severity = '{severity}'"
            " ORDER BY id LIMIT :most)"
            for status, severity in product(OPEN, Severity)
        )
    }) AS found
    JOIN incidents.incidents i ON i.id = found.id
    LEFT JOIN directory.teams t ON t.id = i.team_id
    LEFT JOIN directory.users a ON a.id = i.acknowledged_by
    LEFT JOIN directory.users w ON w.id = i.assigned_user_id AND i.status = 'triggered'
"""
)

_PAGES = text("""
WITH pages AS (
    SELECT status, sent_at, delivered_at FROM (
        SELECT status, created_at, sent_at, delivered_at FROM notification.notifications ORDER BY id DESC LIMIT :most
    ) newest WHERE created_at >= :since
), firsts AS (
    SELECT extract(epoch FROM first_notified_at - created_at) AS seconds FROM (
        SELECT created_at, first_notified_at FROM incidents.incidents ORDER BY id DESC LIMIT :most
    ) newest WHERE created_at >= :since AND first_notified_at IS NOT NULL
)
SELECT count(*) AS asked,
       count(*) FILTER (WHERE sent_at IS NOT NULL) AS sent,
       count(*) FILTER (WHERE delivered_at IS NOT NULL) AS delivered,
       count(*) FILTER (WHERE status IN ('failed', 'exhausted')) AS failed,
       count(*) FILTER (WHERE status IN ('queued', 'sending')) AS waiting,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM delivered_at - sent_at))
           FILTER (WHERE delivered_at >= sent_at) AS handset_median,
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM firsts) AS first_median,
       (SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) FROM firsts) AS first_p95
FROM pages
""")

# What a team needs so that an alert of its own wakes the right person.
_SETUP = text("""
SELECT EXISTS (SELECT FROM directory.teams) AS team,
       EXISTS (SELECT FROM directory.users WHERE is_active AND phone <> '') AS phone,
       EXISTS (SELECT FROM directory.schedule_entries) OR EXISTS (SELECT FROM directory.schedule_rotations) AS schedule,
       EXISTS (SELECT FROM directory.escalation_assignees) AS policy,
       EXISTS (SELECT FROM directory.alert_sources) AS source,
       EXISTS (SELECT FROM incidents.incidents) AS alert
""")

_UNPLANNED = text("""
SELECT t.id, t.name FROM directory.teams t
WHERE EXISTS (SELECT FROM directory.alert_sources s WHERE s.team_id = t.id AND s.is_active
                                                      AND s.escalation_policy_id IS NULL)
  AND NOT EXISTS (SELECT FROM directory.escalation_policies p JOIN directory.escalation_levels l ON l.policy_id = p.id
                  JOIN directory.escalation_assignees a ON a.level_id = l.id
                  WHERE p.team_id = t.id AND p.is_default)
ORDER BY t.name LIMIT 20
""")


@dataclass(frozen=True)
class Pages:
    """What became of the pages of a while, and how long they took."""

    asked: int
    sent: int
    delivered: int
    failed: int
    waiting: int
    first_median: timedelta | None
    """From an alert's arrival to the first page of its incident that a provider took."""
    first_p95: timedelta | None
    handset_median: timedelta | None
    """From there to the handset, where that is told."""

    @property
    def is_cut(self) -> bool:
        """There were more."""
        return self.asked >= MOST_PAGES


async def list_open(tx: AsyncConnection) -> Sequence[Mapping[str, Any]]:
    """Open incidents, the most severe and of those the oldest first; at most `MOST_SHOWN` of each status."""
    found = [dict(row) for row in (await tx.execute(_OPEN, {"most": MOST_SHOWN})).mappings()]
    ranks = {str(severity): rank for rank, severity in enumerate(Severity)}
    found.sort(key=lambda row: (ranks[row["severity"]], row["id"]))
    return [row for status in OPEN for row in [one for one in found if one["status"] == status][:MOST_SHOWN]]


async def count_pages(tx: AsyncConnection, *, since: datetime) -> Pages:
    """The pages asked for since then."""
    row = (await tx.execute(_PAGES, {"since": since, "most": MOST_PAGES})).mappings().one()
    return Pages(
        asked=row["asked"],
        sent=row["sent"],
        delivered=row["delivered"],
        failed=row["failed"],
        waiting=row["waiting"],
        first_median=_length(row["first_median"]),
        first_p95=_length(row["first_p95"]),
        handset_median=_length(row["handset_median"]),
    )


def _length(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=float(seconds))


async def find_setup(tx: AsyncConnection) -> Mapping[str, bool]:
    """What is there of all that the first page needs."""
    return dict((await tx.execute(_SETUP)).mappings().one())


async def list_unplanned(tx: AsyncConnection) -> Sequence[tuple[int, str]]:
    """Teams that get alerts and have no policy to follow: id and name."""
    return [(row.id, row.name) for row in await tx.execute(_UNPLANNED)]
