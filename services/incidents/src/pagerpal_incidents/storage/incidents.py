"""Incident rows: found, locked, and saved together with all that a change makes true."""

import json
from collections.abc import Iterable, Sequence, Set
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from pagerpal_common.contracts.message import Message
from pagerpal_common.db import violated
from pagerpal_common.errors import Conflict
from pagerpal_common.outbox import Outbox
from pagerpal_common.schema.incidents import alerts as alerts_table
from pagerpal_common.schema.incidents import events as events_table
from pagerpal_common.schema.incidents import incidents as incidents_table
from pagerpal_common.schema.incidents import raw_alerts as raws_table
from pagerpal_common.vocabulary import IncidentStatus, Severity
from sqlalchemy import TextClause, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_incidents.domain.fold import Key
from pagerpal_incidents.domain.incident import Event, Incident, Person
from pagerpal_incidents.storage.arrays import Row, columns, insert, update
from pagerpal_incidents.storage.raws import KEEP_RAW, RAW_NAMES

_NAMES = tuple(field.name for field in fields(Incident))
# Rows of an older version do not say when their source was heard last.
LISTED = ", ".join(
    "coalesce(i.heard_at, i.last_alert_at) AS heard_at" if name == "heard_at" else f"i.{name}" for name in _NAMES
)
"""The columns of an incident `i`, as `incident_of` takes them."""

_ALERT_NAMES = (
    *("alert_id", "source_id", "external_id", "status", "outcome", "incident_id"),
    *("received_at", "recorded_at", "event_at", "starts_at"),
)
_SEVERITIES = {str(severity): severity for severity in Severity}
_STATUSES = {str(status): status for status in IncidentStatus}
_EVENT_NAMES = tuple(field.name for field in fields(Event))

# Locked in the order of their ids, so that two batches never wait for each other in a circle.
_LOCK_OPEN = text(f"""
SELECT {LISTED} FROM incidents.incidents i
JOIN unnest(CAST(:sources AS bigint[]), CAST(:externals AS text[])) AS k(source_id, external_id)
  ON i.source_id = k.source_id AND i.external_id = k.external_id
WHERE i.status <> 'resolved' ORDER BY i.id FOR UPDATE OF i
""")
_BY_ID = text(f"SELECT {LISTED} FROM incidents.incidents i WHERE i.id = ANY(:ids)")
_LOCK_BY_ID = text(f"{_BY_ID.text} ORDER BY i.id FOR UPDATE")
_NUMBERS = text("""
SELECT nextval((SELECT pg_get_serial_sequence('incidents.incidents', 'id'))) AS id,
       nextval('incidents.escalation_ids') AS escalation_id
FROM generate_series(1, :count)
""")
_ESCALATION_ID = text("SELECT nextval('incidents.escalation_ids')")
_INSERT_EVENTS = text(insert(events_table, _EVENT_NAMES))
_NOTES = text("""
SELECT message FROM incidents.events
WHERE incident_id = :incident_id AND event_type = 'note' AND actor_user_id = :actor AND acting_as_user_id = :acting_as
  AND created_at >= :since
""")
_UPDATE = text(update(incidents_table, _NAMES))
# All that one more of the same alert changes: a third of the columns, and none that an index is on.
_BY_REPEAT = (
    *("id", "title", "description", "severity", "alert_count", "last_alert_at"),
    *("is_over", "heard_at", "last_event_at", "episode_at"),
)
_values, _values_by_repeat = attrgetter(*_NAMES), attrgetter(*_BY_REPEAT)
_all_other_values = attrgetter(*(name for name in _NAMES if name not in _BY_REPEAT))


class LostRace(Exception):
    """Another transaction was faster with the same incident or alert; look again."""


async def lock_open(tx: AsyncConnection, keys: Sequence[Key]) -> dict[Key, Incident]:
    """The open incidents with these dedup keys, held until the transaction ends."""
    parameters = {"sources": [key[0] for key in keys], "externals": [key[1] for key in keys]}
    found = [incident_of(row) for row in await tx.execute(_LOCK_OPEN, parameters)]
    return {(incident.source_id, incident.external_id or ""): incident for incident in found}


async def find_incidents(tx: AsyncConnection, ids: Iterable[int]) -> dict[int, Incident]:
    """These incidents by id, not held; those that do not exist are left out."""
    found = [incident_of(row) for row in await tx.execute(_BY_ID, {"ids": list(ids)})]
    return {incident.id: incident for incident in found}


async def lock_incidents(tx: AsyncConnection, ids: Iterable[int]) -> dict[int, Incident]:
    """The same, held until the transaction ends."""
    found = [incident_of(row) for row in await tx.execute(_LOCK_BY_ID, {"ids": list(ids)})]
    return {incident.id: incident for incident in found}


async def take_numbers(tx: AsyncConnection, count: int) -> list[tuple[int, int]]:
    """As many pairs of a new incident id and a new escalation id; unused ones are lost."""
    if count <= 0:
        return []
    return [(row.id, row.escalation_id) for row in await tx.execute(_NUMBERS, {"count": count})]


async def take_escalation_id(tx: AsyncConnection) -> int:
    """The number of a new run of a policy."""
    return int((await tx.execute(_ESCALATION_ID)).scalar_one())


def is_repeat(before: Incident, after: Incident) -> bool:
    """Whether no more has changed than what one more of the same alert changes."""
    return bool(_all_other_values(before) == _all_other_values(after))


def batch_statement(outbox: Outbox) -> TextClause:
    """One round trip for what a batch of alerts makes true; PostgreSQL checks the references once it is all there."""
    return text(f"""
        WITH repeated AS ({update(incidents_table, _BY_REPEAT, tag="repeated_")}),
             opened AS ({insert(incidents_table, _NAMES)}),
             told AS ({insert(events_table, _EVENT_NAMES)}),
             entered AS ({insert(alerts_table, _ALERT_NAMES)}),
             sent AS ({insert(raws_table, RAW_NAMES, then=KEEP_RAW)})
        {outbox.insert}
    """)


async def save_batch(
    tx: AsyncConnection,
    statement: TextClause,
    *,
    opened: Sequence[Incident],
    repeated: Sequence[Incident],
    events: Sequence[Event],
    alerts: Sequence[Row],
    raws: Sequence[Row],
    messages: Sequence[Message],
) -> None:
    """Write new incidents, repeats of those that the caller holds, timeline events, alerts, and messages.

    `raws`: alerts as they were sent, of incidents that are new or that the caller holds.

    Raises:
        LostRace: another transaction has just opened one of the incidents, or entered one of the alerts.
    """
    # In the order of their keys: two batches with the same incidents or alerts then never wait for each other in a
    # circle.
    ordered = sorted(opened, key=lambda incident: (incident.source_id, incident.external_id or "", incident.id))
    parameters = {
        **columns(incidents_table, map(_row, ordered), _NAMES),
        **columns(incidents_table, map(_row_of_repeat, repeated), _BY_REPEAT, tag="repeated_"),
        **columns(events_table, map(_event_row, events), _EVENT_NAMES),
        **columns(alerts_table, sorted(alerts, key=lambda row: row["alert_id"]), _ALERT_NAMES),
        **columns(raws_table, raws, RAW_NAMES),
        **Outbox.parameters(messages),
    }
    try:
        await tx.execute(statement, parameters)
    except IntegrityError as error:
        if violated(error) in {"incidents_open_key", "alerts_pkey"}:
            raise LostRace from error
        raise


async def update_incidents(tx: AsyncConnection, incidents: Sequence[Incident]) -> None:
    """Save incidents that the caller holds.

    Raises:
        Conflict: one of them was reopened while an alert opened another with its dedup key.
    """
    if not incidents:
        return
    try:
        await tx.execute(_UPDATE, columns(incidents_table, map(_row, incidents), _NAMES))
    except IntegrityError as error:
        if violated(error) == "incidents_open_key":
            raise Conflict("a newer incident is open for the same alert") from error
        raise


async def insert_events(tx: AsyncConnection, events: Sequence[Event]) -> None:
    """Add lines to timelines, in this order."""
    if events:
        await tx.execute(_INSERT_EVENTS, columns(events_table, map(_event_row, events), _EVENT_NAMES))


async def list_notes(tx: AsyncConnection, incident_id: int, by: Person, *, since: datetime) -> Set[str]:
    """What these people have written on the incident's timeline since then."""
    values = {"incident_id": incident_id, "actor": by.actor_user_id, "acting_as": by.acting_as_user_id, "since": since}
    return set((await tx.execute(_NOTES, values)).scalars())


def incident_of(row: Iterable[Any]) -> Incident:
    """The incident in a row of the columns `LISTED`."""
    values = dict(zip(_NAMES, row, strict=True))
    values["severity"] = _SEVERITIES[values["severity"]]
    values["status"] = _STATUSES[values["status"]]
    values["links"] = tuple(values["links"])
    return Incident(**values)


def _event_row(event: Event) -> Row:
    return {name: getattr(event, name) for name in _EVENT_NAMES} | {"data": json.dumps(event.data)}


def _row_of_repeat(incident: Incident) -> Row:
    return dict(zip(_BY_REPEAT, _values_by_repeat(incident), strict=True))


def _row(incident: Incident) -> dict[str, Any]:
    values = dict(zip(_NAMES, _values(incident), strict=True))
    values["links"] = json.dumps(values["links"]) if incident.links else "[]"
    values["labels"] = json.dumps(values["labels"]) if incident.labels else "{}"
    values["told"] = json.dumps(values["told"]) if incident.told else "{}"
    return values
