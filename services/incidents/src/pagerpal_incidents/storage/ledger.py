"""The alert ledger: each accepted alert once, what became of it, and those that could not be handled."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.vocabulary import AlertOutcome
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_incidents.storage.arrays import Row
from pagerpal_incidents.storage.reading import readable

_HANDLED = text("SELECT alert_id, incident_id FROM incidents.alerts WHERE alert_id = ANY(:ids)")
_PARK = text("""
INSERT INTO incidents.parked_alerts (alert_id, body, error, parked_at) VALUES (:alert_id, :body, :error, :at)
ON CONFLICT (alert_id) DO UPDATE SET error = excluded.error, parked_at = excluded.parked_at
""")
# What ingest accepted while the broker was away, and nobody has handled yet. Scalar subqueries, not NOT EXISTS: that
# would be planned as a hash of the whole ledger.
_SPOOLED = text("""
SELECT CAST(s.body AS text) AS body FROM ingest.spool s
WHERE (SELECT true FROM incidents.alerts a WHERE a.alert_id = s.alert_id) IS NULL
  AND (SELECT true FROM incidents.parked_alerts p WHERE p.alert_id = s.alert_id) IS NULL
ORDER BY s.alert_id LIMIT :limit
""")


async def find_handled(tx: AsyncConnection, alert_ids: Iterable[UUID]) -> dict[UUID, int | None]:
    """Those of these alerts that were handled before, and the incident of each."""
    rows = await tx.execute(_HANDLED, {"ids": list(alert_ids)})
    return {row.alert_id: row.incident_id for row in rows}


def ledger_rows(results: Sequence[tuple[Alert, AlertOutcome, int | None]], *, at: datetime) -> list[Row]:
    """What the ledger says of these alerts: each once, and what became of it."""
    return [
        {
            "alert_id": alert.alert_id,
            "source_id": alert.source_id,
            "external_id": alert.external_id,
            "status": alert.status,
            "outcome": outcome,
            "incident_id": incident_id,
            "received_at": alert.received_at,
            "event_at": alert.event_at,
            "starts_at": alert.starts_at,
            "recorded_at": at,
        }
        for alert, outcome, incident_id in results
        if outcome != AlertOutcome.DUPLICATE
    ]


async def park(tx: AsyncConnection, alert: Alert, *, error: str, at: datetime) -> None:
    """Keep an alert that cannot be handled, whole, where an operator sees it."""
    values = {"alert_id": alert.alert_id, "body": alert.model_dump_json(), "error": error, "at": at}
    await tx.execute(_PARK, values)


async def list_spooled(tx: AsyncConnection, limit: int) -> list[Alert]:
    """Alerts in ingest's spool that are not in the ledger, in their order of arrival."""
    rows = await tx.execute(_SPOOLED, {"limit": limit})
    return readable(Alert, [row.body for row in rows])
