"""What breaches of a guarantee leave in the rows, and what was found of them: read from every owner's schema.

Each check is one statement that reads the beginning of an index of what waits, and never the rows that are done: the
cost is that of what is open, whatever the history (`benchmarks/auditor.py`).
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from pagerpal_common.contracts.escalations import EscalateIncident
from pagerpal_common.escalation import POLICY_JSON
from pagerpal_common.vocabulary import IncidentStatus
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.auditor import Asked, Check, CheckState, Found

MOST_COUNTED = 1_000
"""Where counting ends."""

_LOCK_NUMBER = 0x70616765
"""Of the advisory lock by which one replica looks at a time. Within this database nobody else takes it."""

_COUNTED = "SELECT count(*) AS breaches, min(since) AS oldest_at FROM ({found}) AS breach"

# The dedup key's unique index makes it impossible; this finds out when that is broken or gone. Read from it alone.
_ONE_OPEN = """
SELECT CAST(NULL AS timestamptz) AS since FROM incidents.incidents
WHERE status <> 'resolved' AND external_id IS NOT NULL
GROUP BY source_id, external_id HAVING count(*) > 1 LIMIT :most
"""
# Runs whose time has come and gone; and incidents for which somebody is wanted and no timer runs. A scalar subquery
# looks each run up by its key: NOT EXISTS would be planned as a hash of all runs that ever were.
_LEVELS = """
(SELECT due_at AS since FROM escalation.escalations WHERE due_at < :before ORDER BY due_at LIMIT :most)
UNION ALL
(SELECT i.level_entered_at FROM incidents.incidents i
 WHERE i.status = 'triggered' AND i.level_entered_at < :before
   AND (SELECT true FROM escalation.escalations e
        WHERE e.escalation_id = i.escalation_id AND e.due_at IS NOT NULL) IS NULL
 LIMIT :most)
"""
# Obligations that nobody has taken up; and levels that were entered without obliging anybody.
_PAGES = """
(SELECT r.requested_at AS since FROM incidents.page_requests r
 WHERE r.is_open AND r.requested_at < :before
   AND (SELECT true FROM notification.notifications n WHERE n.page_request_id = r.id LIMIT 1) IS NULL
 LIMIT :most)
UNION ALL
(SELECT i.level_entered_at FROM incidents.incidents i
 WHERE i.status = 'triggered' AND i.level_entered_at < :before AND i.current_escalation_level > 0
   AND NOT i.is_unreached
   AND (SELECT true FROM incidents.page_requests r
        WHERE r.escalation_id = i.escalation_id AND r.pass_number = i.escalation_pass
          AND r.level = i.current_escalation_level AND r.reminder = i.escalation_reminder LIMIT 1) IS NULL
 LIMIT :most)
"""
# Due, or under way, for too long; and neither settled nor ever due again.
_NOTIFICATIONS = """
(SELECT due_at AS since FROM notification.notifications WHERE due_at < :before ORDER BY due_at LIMIT :most)
UNION ALL
(SELECT created_at FROM notification.notifications
 WHERE due_at IS NULL AND status IN ('queued', 'sending') ORDER BY id LIMIT :most)
"""
_OUTBOXES = """
SELECT created_at AS since FROM (
    (SELECT created_at FROM incidents.outbox ORDER BY id LIMIT :most)
    UNION ALL (SELECT created_at FROM escalation.outbox ORDER BY id LIMIT :most)
    UNION ALL (SELECT created_at FROM notification.outbox ORDER BY id LIMIT :most)
) AS waiting WHERE created_at < :before
"""
_SPOOL = """
SELECT s.spooled_at AS since FROM ingest.spool s
WHERE s.spooled_at < :before
  AND (SELECT true FROM incidents.alerts a WHERE a.alert_id = s.alert_id) IS NULL
  AND (SELECT true FROM incidents.parked_alerts p WHERE p.alert_id = s.alert_id) IS NULL
LIMIT :most
"""

CHECKS: Mapping[Check, TextClause] = {
    check: text(_COUNTED.format(found=found))
    for check, found in (
        (Check.ONE_OPEN_INCIDENT, _ONE_OPEN),
        (Check.LEVELS_ON_TIME, _LEVELS),
        (Check.PAGES_TAKEN_UP, _PAGES),
        (Check.NOTIFICATIONS_SETTLED, _NOTIFICATIONS),
        (Check.OUTBOXES_DRAINED, _OUTBOXES),
        (Check.SPOOL_DRAINED, _SPOOL),
    )
}
"""What each check counts. Given `before`, what is due later is in time; given `most`, no more than that is counted."""

# Steps that were asked for and stand unentered, of runs that set themselves a new time with each asking.
ASKED = text("""
SELECT CAST(e.asked AS text) AS asked, CAST(e.policy AS text) AS policy, i.status, i.level_entered_at,
       i.acknowledged_at, e.due_at IS NULL OR e.due_at < :before AS is_counted
FROM escalation.escalations e
JOIN incidents.incidents i ON i.id = e.incident_id AND i.escalation_id = e.escalation_id
WHERE e.asked IS NOT NULL AND i.status <> 'resolved' AND i.level_entered_at < :before
  AND i.escalation_pass = CAST(e.asked #>> '{expected,pass_number}' AS int)
  AND i.current_escalation_level = CAST(e.asked #>> '{expected,level}' AS int)
  AND i.escalation_reminder = CAST(e.asked #>> '{expected,reminder}' AS int)
ORDER BY e.escalation_id LIMIT :most
""")

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:number)")

_STATES = text("SELECT name, breaches, oldest_at, looks, red_since, checked_at, told_at FROM directory.auditor_checks")

_SAVE = text("""
INSERT INTO directory.auditor_checks (name, breaches, oldest_at, looks, red_since, checked_at, told_at)
VALUES (:name, :breaches, :oldest_at, :looks, :red_since, :checked_at, :told_at)
ON CONFLICT (name) DO UPDATE
SET breaches = excluded.breaches, oldest_at = excluded.oldest_at, looks = excluded.looks,
    red_since = excluded.red_since, checked_at = excluded.checked_at
""")
_TELL = text("UPDATE directory.auditor_checks SET told_at = :told_at WHERE name = :name")

_TEAM = text("SELECT id FROM directory.teams WHERE id = :team_id")


async def try_lock(tx: AsyncConnection) -> bool:
    """Be the one who looks, until the transaction ends; False while somebody else is."""
    return bool((await tx.execute(_TRY_LOCK, {"number": _LOCK_NUMBER})).scalar_one())


async def look(tx: AsyncConnection, check: Check, *, before: datetime) -> Found:
    """Make one check: what has been due since before that instant, counted up to `MOST_COUNTED`."""
    row = (await tx.execute(CHECKS[check], {"before": before, "most": MOST_COUNTED})).one()
    return Found(min(row.breaches, MOST_COUNTED), row.oldest_at)


async def list_asked(tx: AsyncConnection, *, before: datetime) -> list[Asked]:
    """Steps that were asked for, of levels that were entered before that instant; the first `MOST_COUNTED`. Without
    those that the check of levels counts already."""
    rows = await tx.execute(ASKED, {"before": before, "most": MOST_COUNTED})
    return [
        Asked(
            EscalateIncident.model_validate_json(row.asked),
            POLICY_JSON.validate_json(row.policy),
            IncidentStatus(row.status),
            row.level_entered_at,
            row.acknowledged_at,
        )
        for row in rows
        if not row.is_counted
    ]


async def list_states(tx: AsyncConnection) -> Mapping[Check, CheckState]:
    """How each check stood after the last look. One that only another version makes is left out."""
    rows = {row.name: row for row in await tx.execute(_STATES)}
    return {
        check: CheckState(
            found=Found(row.breaches, row.oldest_at),
            looks=row.looks,
            red_since=row.red_since,
            checked_at=row.checked_at,
            told_at=row.told_at,
        )
        for check in Check
        if (row := rows.get(check)) is not None
    }


async def save_state(tx: AsyncConnection, check: Check, state: CheckState) -> None:
    """Write down how a check stands; what was told of it, only of one that was never there."""
    values = {name: value for name, value in asdict(state).items() if name != "found"}
    await tx.execute(_SAVE, {"name": check, **asdict(state.found), **values})


async def save_told(tx: AsyncConnection, check: Check, told_at: datetime | None) -> None:
    """Write down what was told of a check."""
    await tx.execute(_TELL, {"name": check, "told_at": told_at})


async def has_team(tx: AsyncConnection, team_id: int) -> bool:
    """Whether there is such a team."""
    return (await tx.execute(_TEAM, {"team_id": team_id})).first() is not None
