"""Has PagerPal anything left to do? Asked of the rows themselves, so that "nothing happened" need not be waited for."""

import asyncio
import time
from datetime import datetime

import asyncpg
from sqlalchemy import make_url

from tests.e2e.deployment import Deployment

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.05

# Everything that some service would pick up now, by the name under which a failure reports it.
_OPEN_WORK = {
    "alerts in the spool": "SELECT count(*) FROM ingest.spool s"
    " WHERE NOT EXISTS (SELECT FROM incidents.alerts a WHERE a.alert_id = s.alert_id)",
    "messages in outboxes": "SELECT (SELECT count(*) FROM incidents.outbox) + (SELECT count(*) FROM escalation.outbox)"
    " + (SELECT count(*) FROM notification.outbox)",
    "incidents that no escalation follows": "SELECT count(*) FROM incidents.incidents i WHERE status = 'triggered'"
    " AND NOT EXISTS (SELECT FROM escalation.escalations e WHERE e.escalation_id = i.escalation_id)",
    "escalations due": "SELECT count(*) FROM escalation.escalations WHERE due_at <= $1 OR asked IS NOT NULL",
    "page requests without a notification": "SELECT count(*) FROM incidents.page_requests r WHERE is_open"
    " AND NOT EXISTS (SELECT FROM notification.notifications n WHERE n.page_request_id = r.id)",
    "notifications due": "SELECT count(*) FROM notification.notifications"
    " WHERE due_at <= $1 AND status = 'queued' OR status = 'sending'",
    "notifications not told": "SELECT count(*) FROM notification.notifications n"
    " WHERE status IN ('sent', 'failed', 'delivered') AND NOT EXISTS (SELECT FROM incidents.events e"
    " WHERE coalesce(e.notification_id, e.retried_notification_id) = n.id AND coalesce(e.retry, 0) = n.retries"
    " AND e.event_type = 'notification_' || n.status)",
}


async def settled(deployment: Deployment) -> None:
    """Wait until every due piece of work is done, twice in a row: one may hand over to the next in between."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    connection = await connect(deployment.database_url)
    quiet = 0
    try:
        while quiet < 2:
            left = await _open_work(connection, deployment.clock.now())
            quiet = 0 if left else quiet + 1
            assert time.monotonic() < deadline, f"PagerPal does not come to rest: {left}"
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await connection.close()


async def _open_work(connection: asyncpg.Connection, at: datetime) -> dict[str, int]:
    found = {}
    for name, query in _OPEN_WORK.items():
        number = await connection.fetchval(query, *([at] if "$1" in query else []))
        if number:
            found[name] = number
    return found


async def connect(url: str) -> asyncpg.Connection:
    """A connection to a deployment's database, as the login that owns it."""
    parts = make_url(url)
    return await asyncpg.connect(
        host=str(parts.query.get("host", parts.host)),
        port=int(str(parts.query.get("port", parts.port or 5432))),
        user=parts.username,
        password=parts.password,
        database=parts.database,
    )
