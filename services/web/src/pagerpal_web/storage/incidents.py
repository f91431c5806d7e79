"""Incidents and what was done about them: read from the schemas of their owners, never written here."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.errors import Conflict, NotFound
from pagerpal_common.schema.directory import users
from pagerpal_common.schema.incidents import events, incidents
from pagerpal_common.schema.notification import notifications
from pagerpal_common.vocabulary import IncidentStatus
from sqlalchemy import func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.reasons import REASON

_INCIDENT = [incidents.c[name] for name in IncidentView.model_fields]

_EVENT = ("id", "event_type", "message", "actor_user_id", "acting_as_user_id", "created_at", "data")


async def get_incident(tx: AsyncConnection, incident_id: int) -> IncidentView:
    """Raises NotFound when there is none."""
    row = (await tx.execute(select(*_INCIDENT).where(incidents.c.id == incident_id))).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no incident {incident_id}")
    return IncidentView.model_validate(dict(row))


async def find_incidents(tx: AsyncConnection, incident_ids: Collection[int]) -> list[IncidentView]:
    """Those of these that are there."""
    rows = await tx.execute(select(*_INCIDENT).where(incidents.c.id.in_(incident_ids)).order_by(incidents.c.id))
    return [IncidentView.model_validate(dict(row)) for row in rows.mappings()]


async def list_events(tx: AsyncConnection, incident_id: int, *, limit: int, after: int) -> Sequence[Mapping[str, Any]]:
    """The incident's timeline, oldest first."""
    query = (
        select(*(events.c[name] for name in _EVENT))
        .where(events.c.incident_id == incident_id, events.c.id > after)
        .order_by(events.c.id)
        .limit(limit)
    )
    return [dict(row) for row in (await tx.execute(query)).mappings()]


async def list_notifications(
    tx: AsyncConnection, incident_id: int, *, limit: int, after: int
) -> Sequence[Mapping[str, Any]]:
    """Who was told of the incident and how, oldest first; addresses in full."""
    shown = ("channel", "address", "status", "level", "attempts", "error")
    moments = ("created_at", "sent_at", "delivered_at")
    query = (
        select(
            notifications.c.id,
            notifications.c.user_id,
            users.c.name.label("user_name"),
            *(notifications.c[name] for name in shown + moments),
            notifications.c.pass_number.label("pass"),
            notifications.c.provider_message_id,
            literal_column(REASON, JSONB).label("reason"),
        )
        .join_from(notifications, users, users.c.id == notifications.c.user_id, isouter=True)
        .where(notifications.c.incident_id == incident_id, notifications.c.id > after)
        .order_by(notifications.c.id)
        .limit(limit)
    )
    return [dict(row) for row in (await tx.execute(query)).mappings()]


async def check_no_open_incident(tx: AsyncConnection, noun: str, column: str, row_id: int) -> None:
    """Raises Conflict while an incident that is not resolved belongs to this team or source."""
    is_open = incidents.c.status != IncidentStatus.RESOLVED
    query = select(func.min(incidents.c.id)).where(incidents.c[column] == row_id, is_open)
    open_id = (await tx.execute(query)).scalar_one()
    if open_id is not None:
        raise Conflict(f"{noun} {row_id} is still used by incident {open_id}, which is not resolved")
