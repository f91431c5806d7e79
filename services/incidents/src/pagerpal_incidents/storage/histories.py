"""What is known of dedup keys that are not open: the incident resolved last, and ends told too early."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from pagerpal_common.schema.incidents import early_ends
from pagerpal_common.vocabulary import IncidentStatus
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_incidents.domain.fold import Key
from pagerpal_incidents.domain.history import History
from pagerpal_incidents.domain.incident import Incident
from pagerpal_incidents.domain.order import Word
from pagerpal_incidents.storage.arrays import columns, insert
from pagerpal_incidents.storage.incidents import LISTED, LostRace, incident_of

Numbers = tuple[int, int]
"""The id of a new incident, and that of a new run of its policy."""

EARLY_LIMIT = 100_000
"""Ends without an incident that are kept, the newest; a source that floods us with them costs no more than that."""

# The names are held first, in one order, so that two batches never wait for each other in a circle; then the rows, in
# the order of their ids. The condition on `held` is what makes PostgreSQL hold them where no row is found at all.
_HOLD = text(f"""
WITH k AS (
    SELECT * FROM unnest(CAST(:sources AS bigint[]), CAST(:externals AS text[])) AS k(source_id, external_id)
), held AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hash)
    FROM (SELECT hashtextextended(external_id, source_id) AS hash FROM k ORDER BY 1) AS hashed
)
SELECT {LISTED} FROM k
JOIN incidents.incidents i ON i.source_id = k.source_id AND i.external_id = k.external_id
WHERE i.status <> 'resolved' AND (SELECT count(*) FROM held) >= 0
ORDER BY i.id FOR UPDATE OF i
""")
_FIND = text(f"""
WITH k AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:sources AS bigint[]), CAST(:externals AS text[]), CAST(:fires AS boolean[]))
        AS k(source_id, external_id, fires)
), closed AS (
    SELECT {LISTED} FROM k
    CROSS JOIN LATERAL (
        SELECT id FROM incidents.incidents
        WHERE source_id = k.source_id AND external_id = k.external_id AND status = 'resolved' AND NOT is_test
        ORDER BY resolved_at DESC, id DESC LIMIT 1
    ) AS last
    JOIN incidents.incidents i ON i.id = last.id FOR UPDATE OF i
)
SELECT k.source_id AS key_source_id, k.external_id AS key_external_id,
       EXISTS (
           SELECT FROM incidents.incidents i
           WHERE i.source_id = k.source_id AND i.external_id = k.external_id AND i.status <> 'resolved'
       ) AS is_open,
       CASE WHEN k.fires
            THEN nextval((SELECT pg_get_serial_sequence('incidents.incidents', 'id'))) END AS new_id,
       CASE WHEN k.fires THEN nextval('incidents.escalation_ids') END AS new_escalation_id,
       e.heard_at AS early_heard_at, e.event_at AS early_event_at, e.episode_at AS early_episode_at, closed.*
FROM k
LEFT JOIN closed ON closed.source_id = k.source_id AND closed.external_id = k.external_id
LEFT JOIN incidents.early_ends e ON e.source_id = k.source_id AND e.external_id = k.external_id
""")
_EARLY_NAMES = ("source_id", "external_id", "heard_at", "event_at", "episode_at")
_NEWER = "heard_at = excluded.heard_at, event_at = excluded.event_at, episode_at = excluded.episode_at"
_REMEMBER = text(insert(early_ends, _EARLY_NAMES, then=f"ON CONFLICT (source_id, external_id) DO UPDATE SET {_NEWER}"))
_FORGET = text("""
DELETE FROM incidents.early_ends WHERE (source_id, external_id) IN (
    SELECT source_id, external_id FROM incidents.early_ends
    WHERE heard_at < greatest(
        CAST(:before AS timestamptz),
        (SELECT heard_at FROM incidents.early_ends ORDER BY heard_at DESC OFFSET :oldest_kept LIMIT 1)
    )
    LIMIT :limit FOR UPDATE SKIP LOCKED
)
""")


async def hold_keys(tx: AsyncConnection, keys: Sequence[Key]) -> dict[Key, Incident]:
    """Hold these dedup keys until the transaction ends; their open incidents, held as well.

    The names of the keys are held, too: what is not open has no row, and two batches at once would each see nothing,
    one of them putting an end away, the other opening for ever what it ends.
    """
    if not keys:
        return {}
    found = [incident_of(row) for row in await tx.execute(_HOLD, _named(keys))]
    return {(incident.source_id, incident.external_id or ""): incident for incident in found}


async def find_histories(
    tx: AsyncConnection, keys: Sequence[Key], firing: Set[Key]
) -> tuple[dict[Key, History], list[Numbers]]:
    """What is known of keys that the caller holds and that are not open; their incidents are held as well.

    Returns:
        Also the numbers of a new incident for each of these keys that is `firing`; unused ones are lost.

    Raises:
        LostRace: one of them has been opened since before it was held.
    """
    histories: dict[Key, History] = {}
    numbers: list[Numbers] = []
    if keys:
        values = {**_named(keys), "fires": [key in firing for key in keys]}
        for source_id, external_id, is_open, new_id, new_run, heard_at, event_at, episode_at, *row in await tx.execute(
            _FIND, values
        ):
            closed = None if row[0] is None else incident_of(row)
            if is_open or (closed is not None and closed.status != IncidentStatus.RESOLVED):
                raise LostRace
            early = None if heard_at is None else Word(True, heard_at, event_at, episode_at)
            histories[(source_id, external_id)] = History(closed=closed, early=early)
            numbers += [] if new_id is None else [(new_id, new_run)]
    return histories, numbers


async def remember_early(tx: AsyncConnection, early: Mapping[Key, Word]) -> None:
    """Keep ends of what has no incident yet, by keys whose names the caller holds."""
    if early:
        rows = [
            {
                "source_id": source_id,
                "external_id": external_id,
                "heard_at": word.heard_at,
                "event_at": word.event_at,
                "episode_at": word.episode_at,
            }
            for (source_id, external_id), word in sorted(early.items())
        ]
        await tx.execute(_REMEMBER, columns(early_ends, rows, _EARLY_NAMES))


async def forget_early(tx: AsyncConnection, *, before: datetime, limit: int) -> int:
    """Drop ends that were heard before that instant, and the oldest of too many; returns how many."""
    values = {"before": before, "oldest_kept": EARLY_LIMIT - 1, "limit": limit}
    return (await tx.execute(_FORGET, values)).rowcount


def _named(keys: Sequence[Key]) -> dict[str, Any]:
    return {"sources": [key[0] for key in keys], "externals": [key[1] for key in keys]}
