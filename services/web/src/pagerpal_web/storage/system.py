"""How the system's own work stands: read from every owner's schema, never written here."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pagerpal_common.schema import LOOP_RUNS
from pagerpal_common.vocabulary import CircuitState
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.jobs import JobName, LoopRun, Work
from pagerpal_web.domain.providers import Trouble

MOST_COUNTED = 1_000
"""Where counting ends: this many are trouble enough, and above all then the answer must come quickly."""

_RUNS = text(
    " UNION ALL ".join(
        f"SELECT name, every_seconds, last_run_at, last_error FROM {table.fullname}" for table in LOOP_RUNS.values()
    )
)

# Each part reads the beginning of an index of what waits, and not the rows that are done: the cost is that of what is
# due, whatever the history. The spool is compared with the ledger by scalar subqueries: NOT EXISTS would be planned as
# a hash of the whole ledger.
_WORK = text("""
WITH outboxes AS (
    (SELECT created_at FROM incidents.outbox ORDER BY id LIMIT :most)
    UNION ALL (SELECT created_at FROM escalation.outbox ORDER BY id LIMIT :most)
    UNION ALL (SELECT created_at FROM notification.outbox ORDER BY id LIMIT :most)
)
SELECT 'notification_retry' AS job, count(*) AS due, min(since) AS oldest_at FROM (
    SELECT due_at AS since FROM notification.notifications WHERE due_at <= :at ORDER BY due_at LIMIT :most
) due
UNION ALL
SELECT 'escalation', count(*), min(since) FROM (
    SELECT due_at AS since FROM escalation.escalations WHERE due_at <= :at ORDER BY due_at LIMIT :most
) due
UNION ALL
SELECT 'outbox_relay', least(count(*), :most), min(created_at) FROM outboxes
UNION ALL
SELECT 'alert_spool', count(*), min(since) FROM (
    SELECT s.spooled_at AS since FROM ingest.spool s
    WHERE (SELECT true FROM incidents.alerts a WHERE a.alert_id = s.alert_id) IS NULL
      AND (SELECT true FROM incidents.parked_alerts p WHERE p.alert_id = s.alert_id) IS NULL
    LIMIT :most
) due
""")

_TROUBLES = text("""
SELECT c.name, c.opened_at, c.probe_at,
       (SELECT count(*) FROM (
           SELECT FROM notification.notifications n WHERE n.held_by = c.name LIMIT :most
       ) held) AS waiting
FROM notification.circuits c WHERE c.state <> 'closed' ORDER BY c.name
""")

_PARKED = text("SELECT count(*) FROM (SELECT FROM incidents.parked_alerts LIMIT :most) parked")


async def list_runs(tx: AsyncConnection) -> Mapping[str, LoopRun]:
    """What is written of every loop of every service, by name."""
    return {
        row.name: LoopRun(timedelta(seconds=row.every_seconds), row.last_run_at, row.last_error)
        for row in await tx.execute(_RUNS)
    }


async def count_work(tx: AsyncConnection, *, at: datetime) -> Mapping[JobName, Work]:
    """What is due, by job. Counted up to `MOST_COUNTED`; the oldest is the oldest of those."""
    rows = await tx.execute(_WORK, {"at": at, "most": MOST_COUNTED})
    return {JobName(row.job): Work(row.due, row.oldest_at) for row in rows}


async def list_troubles(tx: AsyncConnection) -> list[Trouble]:
    """The providers that the notifiers leave alone; what waits is counted up to `MOST_COUNTED`."""
    rows = await tx.execute(_TROUBLES, {"most": MOST_COUNTED})
    return [Trouble(row.name, row.opened_at, row.probe_at, row.waiting) for row in rows]


async def count_parked_alerts(tx: AsyncConnection) -> int:
    """Alerts that could not be handled and wait for an operator; counted up to `MOST_COUNTED`."""
    return int((await tx.execute(_PARKED, {"most": MOST_COUNTED})).scalar_one())


async def list_circuits(tx: AsyncConnection) -> Mapping[str, CircuitState]:
    """How the notifiers stand with each provider that has ever been in trouble, by its name."""
    rows = await tx.execute(text("SELECT name, state FROM notification.circuits"))
    return {row.name: CircuitState(row.state) for row in rows}


async def find_revision(tx: AsyncConnection) -> str:
    """Which step of the migrations the database has come to."""
    return str((await tx.execute(text("SELECT version_num FROM alembic_version"))).scalar_one())
