"""What does ingest read and write in PostgreSQL? It reads the sources; it owns the spool."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.schema.directory import alert_sources
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_ingest.domain.source import Source

_SOURCES = select(
    alert_sources.c.key_hash,
    alert_sources.c.id,
    alert_sources.c.team_id,
    alert_sources.c.escalation_policy_id,
    alert_sources.c.config,
    alert_sources.c.is_active,
)

# In order of id: two writers that hold the same alerts then wait for each other instead of deadlocking.
_SPOOL = text("""
INSERT INTO ingest.spool (alert_id, body, spooled_at)
SELECT alert_id, CAST(body AS jsonb), :at
FROM unnest(CAST(:alert_ids AS uuid[]), CAST(:bodies AS text[])) AS given (alert_id, body)
ORDER BY alert_id
ON CONFLICT DO NOTHING
""")

# Two replicas take different rows, and neither waits for the other. Scalar subqueries, because PostgreSQL may answer
# EXISTS by hashing the whole ledger (measured, 20,000 spooled: 150 ms at 400,000 ledger rows, and growing).
_FORGET = text("""
WITH settled AS (
    SELECT s.alert_id FROM ingest.spool s
    WHERE (SELECT true FROM incidents.alerts a WHERE a.alert_id = s.alert_id)
       OR (SELECT true FROM incidents.parked_alerts p WHERE p.alert_id = s.alert_id)
    LIMIT :limit
    FOR UPDATE OF s SKIP LOCKED
)
DELETE FROM ingest.spool s USING settled WHERE s.alert_id = settled.alert_id
""")


async def find_sources(tx: AsyncConnection, hashes: Sequence[bytes]) -> Mapping[bytes, Source]:
    """The sources whose keys have these hashes, active or not, by hash."""
    rows = await tx.execute(_SOURCES.where(alert_sources.c.key_hash.in_(hashes)))
    return {
        row.key_hash: Source(row.id, row.team_id, row.escalation_policy_id, row.config, row.is_active) for row in rows
    }


async def insert_spooled(tx: AsyncConnection, alerts: Sequence[Alert], *, at: datetime) -> None:
    """Write alerts into the spool; one that is there already stays as it is."""
    await tx.execute(
        _SPOOL,
        {
            "alert_ids": [alert.alert_id for alert in alerts],
            "bodies": [alert.model_dump_json() for alert in alerts],
            "at": at,
        },
    )


async def forget_settled(tx: AsyncConnection, *, limit: int) -> int:
    """Delete spooled alerts that incidents has in its ledger, or keeps parked; how many they were, at most `limit`."""
    return (await tx.execute(_FORGET, {"limit": limit})).rowcount
