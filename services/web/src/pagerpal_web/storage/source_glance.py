"""Which alert sources behave oddly? All of them at one look; `source_health.py` looks at one closely."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.source_health import LATELY, state_of

QUIET = timedelta(days=14)
"""A source that has said nothing for as long may not be able to: worth a test alert."""

MOST_SOURCES = 200

_SOURCES = text("""
SELECT s.id, s.name, t.name AS team, seen.last_alert_at, seen.last_refusal,
       ARRAY(SELECT DISTINCT ending FROM ingest.source_tallies c
             WHERE c.source_id = s.id AND c.minute >= :lately AND c.count > 0) AS endings
FROM directory.alert_sources s
JOIN directory.teams t ON t.id = s.team_id
LEFT JOIN ingest.source_states seen ON seen.source_id = s.id
WHERE s.is_active
ORDER BY s.id LIMIT :most
""")


@dataclass(frozen=True)
class SourceGlance:
    """An active source, and what is odd about it."""

    source_id: int
    name: str
    team: str
    state: str
    """As of `SourceHealth.state`; `quiet` after two weeks without an alert."""
    last_alert_at: datetime | None
    last_refusal: str | None


async def list_sources(tx: AsyncConnection, *, at: datetime) -> list[SourceGlance]:
    """The active sources, in order of id."""
    lately = at.replace(second=0, microsecond=0) - LATELY
    rows = await tx.execute(_SOURCES, {"lately": lately, "most": MOST_SOURCES})
    return [
        SourceGlance(source_id, name, team, _state(last_alert_at, set(endings), at), last_alert_at, last_refusal)
        for source_id, name, team, last_alert_at, last_refusal, endings in rows
    ]


def _state(last_alert_at: datetime | None, endings: set[str], at: datetime) -> str:
    state = state_of(is_active=True, is_heard=last_alert_at is not None, lately=endings)
    is_quiet = last_alert_at is not None and at - last_alert_at > QUIET
    return "quiet" if state == "ok" and is_quiet else state
