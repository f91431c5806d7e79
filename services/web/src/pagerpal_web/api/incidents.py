"""Incidents: to read them, and to have something done about them: `/api/v1/incidents`."""

from typing import Annotated, Any

from pagerpal_common.contracts.escalations import RequestEscalation
from pagerpal_common.contracts.incidents import (
    AcknowledgeIncident,
    IncidentChanged,
    IncidentCommand,
    IncidentView,
    ReopenIncident,
    ResolveIncident,
)
from pagerpal_common.http import Body, Call, Endpoint, Query
from pagerpal_common.vocabulary import IncidentStatus, Role, Severity
from pydantic import Field

from pagerpal_web.api.rows import Page
from pagerpal_web.context import Context
from pagerpal_web.fields import Id
from pagerpal_web.masking import masked
from pagerpal_web.storage import incidents as storage
from pagerpal_web.storage.users import check_active

LARGEST_PAGE = 200
ANSWER_SECONDS = 3.0
"""How long a person waits for the incidents service before they are told to try again."""


class Filter(Query):
    """Which incidents, and which page of them. A page size beyond the largest is cut (API reference)."""

    page: int = Field(1, ge=1, le=10**9)
    page_size: int = Field(50, ge=1)
    team_id: Id | None = None
    status: IncidentStatus | None = None
    severity: Severity | None = None
    source_id: Id | None = None


class HistoryPage(Page):
    """A stretch of an incident's history: mostly all of it."""

    limit: int = Field(1000, ge=1, le=1000)


class ActingUser(Body):
    """In whose name it is done: any active user. Who is logged in is recorded beside them."""

    user_id: Id


class Escalation(ActingUser):
    """With `expected_level` it is refused once the incident has moved on."""

    expected_level: Annotated[int, Field(ge=0, le=1000)] | None = None


async def list_incidents(ctx: Context, call: Call[Filter]) -> dict[str, Any]:
    """Newest first."""
    size = min(call.body.page_size, LARGEST_PAGE)
    filters = call.body.model_dump(exclude_none=True, exclude={"page", "page_size"})
    async with ctx.db.begin() as tx:
        items, total = await storage.list_incidents(tx, filters, limit=size, offset=(call.body.page - 1) * size)
    return {
        "items": items,
        "total": total,
        "page": call.body.page,
        "page_size": size,
        "total_pages": -(-total // size),
    }


async def get_incident(ctx: Context, call: Call[None]) -> IncidentView:
    async with ctx.db.begin() as tx:
        return await storage.get_incident(tx, call.ids["incident_id"])


async def list_events(ctx: Context, call: Call[HistoryPage]) -> Any:
    """The timeline, oldest first."""
    async with ctx.db.begin() as tx:
        incident = await storage.get_incident(tx, call.ids["incident_id"])
        return await storage.list_events(tx, incident.id, limit=call.body.limit, after=call.body.after)


async def list_notification_logs(ctx: Context, call: Call[HistoryPage]) -> Any:
    """Who was told and how, oldest first."""
    async with ctx.db.begin() as tx:
        incident = await storage.get_incident(tx, call.ids["incident_id"])
        rows = await storage.list_notifications(tx, incident.id, limit=call.body.limit, after=call.body.after)
    return [{**row, "address": masked(row["address"])} for row in rows]


async def acknowledge(ctx: Context, call: Call[ActingUser]) -> IncidentView:
    return await _command(ctx, call, AcknowledgeIncident)


async def resolve(ctx: Context, call: Call[ActingUser]) -> IncidentView:
    return await _command(ctx, call, ResolveIncident)


async def reopen(ctx: Context, call: Call[ActingUser]) -> IncidentView:
    return await _command(ctx, call, ReopenIncident)


async def escalate(ctx: Context, call: Call[Escalation]) -> IncidentView:
    return await _command(ctx, call, RequestEscalation)


async def _command(ctx: Context, call: Call[Any], command: type[IncidentCommand]) -> IncidentView:
    """Ask the incident's owner. Both people go along: neither hides the other."""
    async with ctx.db.begin() as tx:
        incident = await storage.get_incident(tx, call.ids["incident_id"])
        await check_active(tx, call.body.user_id)
    message = command(
        occurred_at=ctx.now(),
        incident_id=incident.id,
        actor_user_id=call.actor.user_id,
        acting_as_user_id=call.body.user_id,
        **call.body.model_dump(exclude={"user_id"}),
    )
    reply = await ctx.bus.request(message, IncidentChanged, wait=ANSWER_SECONDS)
    return reply.incident


ENDPOINTS = (
    Endpoint("GET", "/api/v1/incidents", list_incidents, Role.VIEWER, Filter),
    Endpoint("GET", "/api/v1/incidents/{incident_id:int}", get_incident, Role.VIEWER),
    Endpoint("POST", "/api/v1/incidents/{incident_id:int}/ack", acknowledge, Role.RESPONDER, ActingUser),
    Endpoint("POST", "/api/v1/incidents/{incident_id:int}/resolve", resolve, Role.RESPONDER, ActingUser),
    Endpoint("POST", "/api/v1/incidents/{incident_id:int}/reopen", reopen, Role.RESPONDER, ActingUser),
    Endpoint("POST", "/api/v1/incidents/{incident_id:int}/escalate", escalate, Role.RESPONDER, Escalation),
    Endpoint("GET", "/api/v1/incidents/{incident_id:int}/events", list_events, Role.VIEWER, HistoryPage),
    Endpoint(
        "GET",
        "/api/v1/incidents/{incident_id:int}/notification-logs",
        list_notification_logs,
        Role.VIEWER,
        HistoryPage,
    ),
)
