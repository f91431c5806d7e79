"""What does ingest read and write in PostgreSQL? It reads the sources; it owns spool, counts and pinned SNS topics."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.schema.ingest import sns_topics
from pagerpal_common.schema.policies import alert_sources
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.tally import Counts

# By the key of before, too: whoever still uses it is not let in, but shown at the source.
_SOURCES = select(
    alert_sources.c.key_hash,
    alert_sources.c.previous_key_hash,
    alert_sources.c.id,
    alert_sources.c.team_id,
    alert_sources.c.escalation_policy_id,
    alert_sources.c.config,
    alert_sources.c.is_active,
    sns_topics.c.topic_arn,
).outerjoin_from(alert_sources, sns_topics, sns_topics.c.source_id == alert_sources.c.id)

# In order of id: two writers that hold the same alerts then wait for each other instead of deadlocking.
_SPOOL = text("""
INSERT INTO ingest.spool (alert_id, body, spooled_at)
SELECT alert_id, CAST(body AS jsonb), :at
FROM unnest(CAST(:alert_ids AS uuid[]), CAST(:bodies AS text[])) AS given (alert_id, body)
ORDER BY alert_id
ON CONFLICT DO NOTHING
""")

# By the number of their account, and by those that they have proven to be theirs: another may be anybody's. Deactivated
# people, too: what they want is not done, but told from a stranger's.
_SENDERS = text("""
SELECT phone, array_agg(user_id ORDER BY user_id) AS user_ids FROM (
    SELECT phone, id AS user_id FROM directory.users WHERE phone = ANY(:phones)
    UNION
    SELECT m.address, m.user_id
    FROM directory.contact_methods m
    JOIN directory.contact_proofs p ON p.user_id = m.user_id AND p.method_id = m.id AND p.address = m.address
    WHERE m.channel IN ('sms', 'voice') AND m.address = ANY(:phones)
) AS numbers GROUP BY phone
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

# Several replicas count the same sources, and each adds what it has seen; in one order, against waiting in a circle.
_ADD_TALLIES = text("""
INSERT INTO ingest.source_tallies AS kept (source_id, minute, ending, count)
SELECT source_id, minute, ending, count
FROM unnest(CAST(:sources AS bigint[]), CAST(:minutes AS timestamptz[]), CAST(:endings AS text[]),
            CAST(:counts AS bigint[])) AS new (source_id, minute, ending, count)
ORDER BY source_id, minute, ending
ON CONFLICT (source_id, minute, ending) DO UPDATE SET count = kept.count + excluded.count
""")

_SAVE_STATES = text("""
INSERT INTO ingest.source_states AS kept (source_id, last_alert_at, skew_seconds, last_refused_at, last_refusal)
SELECT * FROM unnest(CAST(:sources AS bigint[]), CAST(:alerts AS timestamptz[]), CAST(:skews AS float8[]),
                     CAST(:refused AS timestamptz[]), CAST(:refusals AS text[])) AS new
ORDER BY 1
ON CONFLICT (source_id) DO UPDATE SET
    last_alert_at = greatest(kept.last_alert_at, excluded.last_alert_at),
    skew_seconds = coalesce(excluded.skew_seconds, kept.skew_seconds),
    last_refused_at = greatest(kept.last_refused_at, excluded.last_refused_at),
    last_refusal = coalesce(excluded.last_refusal, kept.last_refusal)
""")

_FORGET_TALLIES = text("""
DELETE FROM ingest.source_tallies WHERE ctid IN (
    SELECT ctid FROM ingest.source_tallies WHERE minute < :before LIMIT :limit FOR UPDATE SKIP LOCKED
)
""")

# An update of nothing makes it return the row that is there, or that another replica has just written.
_PIN = text("""
INSERT INTO ingest.sns_topics (source_id, topic_arn, pinned_at) VALUES (:source_id, :topic_arn, :at)
ON CONFLICT (source_id) DO UPDATE SET source_id = excluded.source_id
RETURNING topic_arn
""")


async def find_sources(tx: AsyncConnection, hashes: Sequence[bytes]) -> Mapping[bytes, Source]:
    """The sources whose keys, or keys of before, have these hashes, active or not, by hash."""
    is_meant = alert_sources.c.key_hash.in_(hashes) | alert_sources.c.previous_key_hash.in_(hashes)
    found: dict[bytes, Source] = {}
    for row in await tx.execute(_SOURCES.where(is_meant)):
        source = Source(
            row.id, row.team_id, row.escalation_policy_id, row.config, row.is_active, topic_arn=row.topic_arn
        )
        found[row.key_hash] = source
        if row.previous_key_hash is not None:
            found.setdefault(row.previous_key_hash, replace(source, is_key_replaced=True))
    return found


async def find_senders(tx: AsyncConnection, phones: Sequence[str]) -> Mapping[str, Sequence[int]]:
    """Who has these telephone numbers, written as in the directory (E.164); a number that nobody has is left out."""
    rows = await tx.execute(_SENDERS, {"phones": list(phones)})
    return {row.phone: row.user_ids for row in rows}


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


async def add_counts(tx: AsyncConnection, counts: Counts) -> None:
    """Add what was counted to what is kept."""
    if counts.endings:
        keys = list(counts.endings)
        values = {
            "sources": [source for source, _, _ in keys],
            "minutes": [minute for _, minute, _ in keys],
            "endings": [ending for _, _, ending in keys],
            "counts": [counts.endings[key] for key in keys],
        }
        await tx.execute(_ADD_TALLIES, values)
    if counts.seen:
        seen = counts.seen.values()
        values = {
            "sources": list(counts.seen),
            "alerts": [one.last_alert_at for one in seen],
            "skews": [one.skew_seconds for one in seen],
            "refused": [one.last_refused_at for one in seen],
            "refusals": [one.last_refusal for one in seen],
        }
        await tx.execute(_SAVE_STATES, values)


async def forget_tallies(tx: AsyncConnection, *, before: datetime, limit: int) -> int:
    """Delete minutes that are older, at most `limit` counts; how many."""
    return (await tx.execute(_FORGET_TALLIES, {"before": before, "limit": limit})).rowcount


async def pin_topic(tx: AsyncConnection, source_id: int, topic_arn: str, *, at: datetime) -> str:
    """Pin a source to its first SNS topic; the topic that it is pinned to from now on, or has been."""
    return str((await tx.execute(_PIN, {"source_id": source_id, "topic_arn": topic_arn, "at": at})).scalar_one())
