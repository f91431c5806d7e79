"""Alerts as they were sent: at most two of each incident."""

from collections.abc import Mapping

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.vocabulary import RawPlace

from pagerpal_incidents.storage.arrays import Row

RAW_NAMES = ("incident_id", "place", "received_at", "content_type", "body", "size", "is_cut")

# Whoever writes the newest holds its incident, so no two ever wait for each other here.
KEEP_RAW = """ON CONFLICT (incident_id, place) DO UPDATE SET
    received_at = excluded.received_at, content_type = excluded.content_type, body = excluded.body,
    size = excluded.size, is_cut = excluded.is_cut"""
"""The newest takes the place of the one before it."""


def raw_rows(alerts: Mapping[tuple[int, RawPlace], Alert]) -> list[Row]:
    """What is kept of these alerts, by their incident and their place with it."""
    return [
        {
            "incident_id": incident_id,
            "place": place,
            "received_at": alert.received_at,
            "content_type": alert.raw.content_type,
            "body": alert.raw.text,
            "size": alert.raw.size,
            "is_cut": alert.raw.is_cut,
        }
        for (incident_id, place), alert in alerts.items()
        if alert.raw is not None
    ]
