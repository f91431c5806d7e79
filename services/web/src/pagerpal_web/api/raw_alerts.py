"""What did the sender really send? `/api/v1/incidents/{id}/raw-alerts`."""

from pagerpal_common.http import Call, Endpoint
from pagerpal_common.vocabulary import Role

from pagerpal_web.context import Context
from pagerpal_web.storage.incidents import get_incident
from pagerpal_web.storage.raw_alerts import RawAlertShown, list_kept


async def list_raw_alerts(ctx: Context, call: Call[None]) -> list[RawAlertShown]:
    """Read the alert that opened an incident, and the newest that was kept since, as they were sent.

    None of an incident that is older than their keeping. Keys and passwords are masked.
    """
    async with ctx.db.begin() as tx:
        incident = await get_incident(tx, call.ids["incident_id"])
        return await list_kept(tx, incident.id)


ENDPOINTS = (
    Endpoint(
        "GET", "/api/v1/incidents/{incident_id:int}/raw-alerts", list_raw_alerts, Role.VIEWER, gives=list[RawAlertShown]
    ),
)
