"""The whole data model: one file per owner, and of web's one per topic. Anyone may read, only the owner writes."""

from collections.abc import Mapping

from sqlalchemy import Table

from pagerpal_common.schema import directory, escalation, incidents, ingest, notification, on_call, policies, replies
from pagerpal_common.schema.columns import metadata

OWNERS: Mapping[str, tuple[Table, ...]] = {
    "web": directory.OWNED + on_call.OWNED + policies.OWNED + replies.OWNED,
    "incidents": incidents.OWNED,
    "escalator": escalation.OWNED,
    "notifier": notification.OWNED,
    "ingest": ingest.OWNED,
}
"""The tables that each service writes."""

LOOP_RUNS: Mapping[str, Table] = {
    "web": directory.directory_loop_runs,
    "incidents": incidents.incidents_loop_runs,
    "escalator": escalation.escalation_loop_runs,
    "notifier": notification.notification_loop_runs,
    "ingest": ingest.ingest_loop_runs,
}
"""Where each service writes when its loops last did their work."""

SECRET: tuple[Table, ...] = (
    directory.credentials,
    directory.sessions,
    directory.audit_events,
    on_call.calendar_feeds,
)
"""Tables that only their owner may even read."""

APPEND_ONLY: tuple[Table, ...] = (directory.audit_events,)
"""Tables whose rows not even their owner may change or delete."""

__all__ = ["APPEND_ONLY", "LOOP_RUNS", "OWNERS", "SECRET", "metadata"]
