"""How does an alert source behave? Read from what ingest counts of it, never written here."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pagerpal_common.vocabulary import AlertOutcome, SourceEnding
from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.resources import Moment

DAY = timedelta(days=1)
LATELY = timedelta(minutes=10)
RATE_MINUTES = 5

ABSORBED = (AlertOutcome.UPDATED, AlertOutcome.DUPLICATE, AlertOutcome.NOTED, AlertOutcome.IGNORED)
"""What neither opened, nor ended, nor acknowledged anything: nobody was troubled by it."""

_STATES = text("""
SELECT source_id, last_alert_at, skew_seconds, last_refused_at, last_refusal
FROM ingest.source_states WHERE source_id = ANY(:source_ids)
""")

_TALLIES = text("""
SELECT source_id, ending, sum(count) AS day,
       coalesce(sum(count) FILTER (WHERE minute >= :lately), 0) AS lately,
       coalesce(sum(count) FILTER (WHERE minute >= :rate_from AND minute < :rate_to), 0) AS rated
FROM ingest.source_tallies WHERE source_id = ANY(:source_ids) AND minute >= :day
GROUP BY source_id, ending ORDER BY ending
""")


class SourceHealth(BaseModel):
    """What is known of a source. Counts are of the last 24 hours, some two seconds late."""

    model_config = ConfigDict(frozen=True)

    source_id: int
    state: str
    """`switched_off`, `never_heard`, `limited` or `refused` within the last 10 minutes, else `ok`."""
    last_alert_at: Moment | None
    alerts_per_minute: float
    """Over the last five whole minutes."""
    accepted: int
    """Alerts answered 2xx."""
    endings: dict[str, int]
    """How many alerts and requests came to which end."""
    duplicates_absorbed: int
    """Alerts that troubled nobody: repeats, second copies, and what was out of date."""
    refused_keys: int
    """Requests with the key of before, or while the source was switched off."""
    refused_requests: int
    """Requests answered 4xx, which their sender does not send again; and each alert of a group that could not be made
    out while others were taken."""
    limited: int
    """Alerts answered 503 because of the source's own limit: their sender sends them again."""
    unavailable: int
    """Alerts answered 503 because of our own trouble."""
    clock_skew_seconds: float | None
    """How far the source's clock was last ahead of ours; null when it does not date its alerts."""
    last_refused_at: Moment | None
    last_refusal: str | None


async def find_health(tx: AsyncConnection, source_id: int, *, is_active: bool, at: datetime) -> SourceHealth:
    """The source's health at an instant."""
    return (await find_healths(tx, {source_id: is_active}, at=at))[source_id]


async def find_healths(tx: AsyncConnection, sources: Mapping[int, bool], *, at: datetime) -> Mapping[int, SourceHealth]:
    """The health of each of these sources at an instant.

    Args:
        sources: whether each is active, by id.
    """
    this_minute = at.replace(second=0, microsecond=0)
    ids = {"source_ids": list(sources)}
    seen = {row["source_id"]: dict(row) for row in (await tx.execute(_STATES, ids)).mappings()}
    rows = await tx.execute(
        _TALLIES,
        {
            **ids,
            "day": this_minute - DAY,
            "lately": this_minute - LATELY,
            "rate_from": this_minute - timedelta(minutes=RATE_MINUTES),
            "rate_to": this_minute,
        },
    )
    counts: dict[int, dict[str, tuple[int, int, int]]] = {source_id: {} for source_id in sources}
    for row in rows:
        counts[row.source_id][row.ending] = (int(row.day), int(row.lately), int(row.rated))
    return {
        source_id: _health(source_id, seen.get(source_id, {}), counts[source_id], is_active=is_active)
        for source_id, is_active in sources.items()
    }


def _health(
    source_id: int, seen: dict[str, Any], counts: dict[str, tuple[int, int, int]], *, is_active: bool
) -> SourceHealth:
    day = {ending: numbers[0] for ending, numbers in counts.items()}
    accepted = [*AlertOutcome, SourceEnding.KEPT]
    last_alert_at = seen.get("last_alert_at")
    return SourceHealth(
        source_id=source_id,
        state=state_of(
            is_active=is_active,
            is_heard=last_alert_at is not None,
            lately={ending for ending, numbers in counts.items() if numbers[1]},
        ),
        last_alert_at=last_alert_at,
        alerts_per_minute=sum(counts[e][2] for e in accepted if e in counts) / RATE_MINUTES,
        accepted=sum(day.get(ending, 0) for ending in accepted),
        endings=day,
        duplicates_absorbed=sum(day.get(outcome, 0) for outcome in ABSORBED),
        refused_keys=day.get(SourceEnding.REFUSED_KEY, 0),
        refused_requests=day.get(SourceEnding.REFUSED_REQUEST, 0),
        limited=day.get(SourceEnding.LIMITED, 0),
        unavailable=day.get(SourceEnding.UNAVAILABLE, 0),
        clock_skew_seconds=seen.get("skew_seconds"),
        last_refused_at=seen.get("last_refused_at"),
        last_refusal=seen.get("last_refusal"),
    )


def state_of(*, is_active: bool, is_heard: bool, lately: set[str]) -> str:
    """The worst that is true: what an operator would mend first."""
    if not is_active:
        return "switched_off"
    if lately & {SourceEnding.REFUSED_KEY, SourceEnding.REFUSED_REQUEST}:
        return "refused"
    if SourceEnding.LIMITED in lately:
        return "limited"
    return "ok" if is_heard else "never_heard"
