"""What the rows of all services say of the alerts that were accepted in a window: read, never written here."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from pagerpal_common.vocabulary import AlertOutcome, IncidentStatus
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.ledger import Facts, Group

# So that every statement of it sees the same moment, and no alert is counted twice or not at all.
_ONE_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

_BY_OUTCOME = text("""
SELECT outcome, count(*) AS number FROM incidents.alerts
WHERE received_at >= :since AND received_at < :until AND outcome NOT IN ('opened', 'reopened')
GROUP BY outcome
""")

# Of each alert that opened or reopened an incident, its pages: all of them, or those since. Only incidents' own clock
# is compared with itself.
_OPENING = text("""
WITH opening AS MATERIALIZED (
    SELECT alert_id, outcome, incident_id, recorded_at FROM incidents.alerts
    WHERE received_at >= :since AND received_at < :until AND outcome IN ('opened', 'reopened')
), pages AS (
    SELECT o.alert_id,
           bool_or(n.id IS NULL) AS has_untaken,
           coalesce(bool_or(n.id IS NULL AND r.requested_at >= :late), false) AS is_untaken_recent,
           coalesce(bool_or(n.status IN ('sent', 'delivered')), false) AS is_reached,
           coalesce(bool_or(n.status IN ('queued', 'sending') AND n.due_at >= :late), false) AS is_waiting,
           coalesce(bool_or(n.status IN ('queued', 'sending') AND (n.due_at >= :late) IS NOT TRUE), false) AS is_late,
           coalesce(bool_or(n.status IN ('failed', 'exhausted')), false) AS is_lost,
           (array_agg(n.error ORDER BY n.id) FILTER (WHERE n.status IN ('failed', 'exhausted')))[1] AS error
    FROM opening o
    JOIN incidents.page_requests r
      ON r.incident_id = o.incident_id AND (o.outcome = 'opened' OR r.requested_at >= o.recorded_at)
    LEFT JOIN notification.notifications n ON n.page_request_id = r.id
    GROUP BY o.alert_id
)
SELECT o.outcome, i.status, coalesce(i.is_test, false) AS is_test, coalesce(i.is_unreached, false) AS is_unreached,
       coalesce(i.level_entered_at >= :late, false) AS is_recent, p.alert_id IS NOT NULL AS has_pages,
       coalesce(p.has_untaken, false) AS has_untaken, coalesce(p.is_untaken_recent, false) AS is_untaken_recent,
       coalesce(p.is_reached, false) AS is_reached, coalesce(p.is_waiting, false) AS is_waiting,
       coalesce(p.is_late, false) AS is_late, coalesce(p.is_lost, false) AS is_lost, p.error, count(*) AS number
FROM opening o
LEFT JOIN pages p ON p.alert_id = o.alert_id
LEFT JOIN incidents.incidents i ON i.id = o.incident_id
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
""")

# Not in the ledger: what could not be handled (its body need not be readable, so it goes by when that was), and what
# was accepted and waits. Scalar subqueries: NOT EXISTS would be planned as a hash of the whole ledger.
_ELSEWHERE = text("""
SELECT 'parked' AS outcome, count(*) AS number FROM incidents.parked_alerts p
WHERE p.parked_at >= :since AND p.parked_at < :until
  AND (SELECT true FROM incidents.alerts a WHERE a.alert_id = p.alert_id) IS NULL
UNION ALL
SELECT NULL, count(*) FROM ingest.spool s
WHERE coalesce(CAST(s.body ->> 'received_at' AS timestamptz), s.spooled_at) >= :since
  AND coalesce(CAST(s.body ->> 'received_at' AS timestamptz), s.spooled_at) < :until
  AND (SELECT true FROM incidents.alerts a WHERE a.alert_id = s.alert_id) IS NULL
  AND (SELECT true FROM incidents.parked_alerts p WHERE p.alert_id = s.alert_id) IS NULL
""")


async def begin_snapshot(tx: AsyncConnection) -> None:
    """Let this transaction, which has done nothing yet, see one moment throughout."""
    await tx.execute(_ONE_SNAPSHOT)


async def list_ledger(tx: AsyncConnection, *, since: datetime, until: datetime, late: datetime) -> list[Group]:
    """The alerts of the ledger that arrived in the window, grouped by what there is to know of them.

    Args:
        late: what should have happened before this has not happened in time.
    """
    window = {"since": since, "until": until}
    others = (await tx.execute(_BY_OUTCOME, window)).all()
    opening = (await tx.execute(_OPENING, {**window, "late": late})).all()
    return [*_plain(others), *(Group(AlertOutcome(row.outcome), _facts(row), row.number) for row in opening)]


async def list_elsewhere(tx: AsyncConnection, *, since: datetime, until: datetime) -> list[Group]:
    """Alerts of the window that are not in the ledger: parked, or kept and not taken in yet."""
    return list(_plain((await tx.execute(_ELSEWHERE, {"since": since, "until": until})).all()))


def _plain(rows: Iterable[Row[Any]]) -> Iterator[Group]:
    for row in rows:
        yield Group(None if row.outcome is None else AlertOutcome(row.outcome), None, row.number)


def _facts(row: Row[Any]) -> Facts:
    return Facts(
        status=None if row.status is None else IncidentStatus(row.status),
        is_test=row.is_test,
        is_unreached=row.is_unreached,
        is_recent=row.is_recent,
        has_pages=row.has_pages,
        has_untaken=row.has_untaken,
        is_untaken_recent=row.is_untaken_recent,
        is_reached=row.is_reached,
        is_waiting=row.is_waiting,
        is_late=row.is_late,
        is_lost=row.is_lost,
        error=row.error,
    )
