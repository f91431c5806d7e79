"""Alerts as they were sent: written by incidents, read here."""

from datetime import datetime

from pagerpal_common.schema.incidents import raw_alerts
from pagerpal_common.vocabulary import RawPlace
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

_SHOWN = [raw_alerts.c[name] for name in ("place", "received_at", "content_type", "body", "size", "is_cut")]


class RawAlertShown(BaseModel):
    """An alert as its sender has sent it, with a mask in place of keys and passwords."""

    place: RawPlace
    """Whether it opened the incident, or is the newest that was kept since."""
    received_at: datetime
    content_type: str | None
    """What its sender called it; often wrong."""
    body: str | None
    """Its part of what was sent, a text whatever it is; null when it could not be kept."""
    size: int
    """Bytes of all of that part, as it was sent."""
    is_cut: bool
    """Whether `body` is only its beginning, of 16 KiB."""


async def list_kept(tx: AsyncConnection, incident_id: int) -> list[RawAlertShown]:
    """Those of this incident, the one that opened it first; at most two."""
    query = select(*_SHOWN).where(raw_alerts.c.incident_id == incident_id).order_by(raw_alerts.c.place)
    return [RawAlertShown.model_validate(dict(row)) for row in (await tx.execute(query)).mappings()]
