"""Incidents: to read them, and to have something done about them: `/api/v1/incidents`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pagerpal_common.contracts.escalations import RequestEscalation
from pagerpal_common.contracts.incidents import (
    AcknowledgeIncident,
    IncidentChanged,
    IncidentCommand,
    IncidentView,
    NoteOnIncident,
    ReopenIncident,
    ResolveIncident,
)
from pagerpal_common.contracts.notifications import NotificationsRetried, RetryNotifications
from pagerpal_common.http import BODY_LIMIT, Body, Call, Endpoint, Query, read_body, unprocessable
from pagerpal_common.vocabulary import Channel, IncidentStatus, NotificationStatus, Role, Severity
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pagerpal_web.api.rows import Page
from pagerpal_web.context import Context
from pagerpal_web.fields import Id, Note
from pagerpal_web.masking import masked
from pagerpal_web.storage import incident_list
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


class NewNote(ActingUser):
    """Words for the timeline: what was found, what was tried."""

    text: Note = Field(examples=["The disk is full of core dumps. Deleting them."])


class Retry(Body):
    """In whose name; without it, or without any body, in that of who is logged in."""

    user_id: Id | None = None


class IncidentPage(BaseModel):
    """One page of a list, and how much there is in all, both of one moment."""

    items: list[IncidentView]
    total: int
    page: int
    page_size: int
    total_pages: int


class TimelineEvent(BaseModel):
    """A line of an incident's timeline."""

    id: int
    event_type: str
    message: str
    actor_user_id: int | None
    """Who was logged in; nobody when the alert source or a timer did it."""
    acting_as_user_id: int | None
    created_at: datetime
    data: dict[str, Any]


class NotificationLog(BaseModel):
    """One way to one person: how far it has come, and why they were to be told."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: int
    user_id: int
    user_name: str | None
    channel: Channel
    address: str | None
    """Where it went, masked; not known before it is sent."""
    status: NotificationStatus
    level: int
    pass_number: int = Field(alias="pass")
    provider_message_id: UUID | None
    attempts: int
    error: str | None
    reason: list[str]
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None


class Retried(BaseModel):
    """What a retry has found and done."""

    retried_count: int
    """Notifications that had failed or were exhausted."""
    queued_count: int
    """Those of them that now wait to be sent."""


async def list_incidents(ctx: Context, call: Call[Filter]) -> IncidentPage:
    """List incidents, the newest first; a `page_size` beyond 200 is cut to that."""
    size = min(call.body.page_size, LARGEST_PAGE)
    filters = call.body.model_dump(exclude_none=True, exclude={"page", "page_size"})
    async with ctx.db.begin() as tx:
        items, total = await incident_list.list_incidents(tx, filters, limit=size, offset=(call.body.page - 1) * size)
    return IncidentPage(items=items, total=total, page=call.body.page, page_size=size, total_pages=-(-total // size))


async def get_incident(ctx: Context, call: Call[None]) -> IncidentView:
    """Incident detail."""
    async with ctx.db.begin() as tx:
        return await storage.get_incident(tx, call.ids["incident_id"])


async def list_events(ctx: Context, call: Call[HistoryPage]) -> list[TimelineEvent]:
    """Read incident timeline events, the oldest first."""
    async with ctx.db.begin() as tx:
        incident = await storage.get_incident(tx, call.ids["incident_id"])
        rows = await storage.list_events(tx, incident.id, limit=call.body.limit, after=call.body.after)
    return [TimelineEvent.model_validate(row) for row in rows]


async def list_notification_logs(ctx: Context, call: Call[HistoryPage]) -> list[NotificationLog]:
    """Read notification logs: who was told and how, the oldest first."""
    async with ctx.db.begin() as tx:
        incident = await storage.get_incident(tx, call.ids["incident_id"])
        rows = await storage.list_notifications(tx, incident.id, limit=call.body.limit, after=call.body.after)
    return [NotificationLog.model_validate({**row, "address": masked(row["address"])}) for row in rows]


async def retry_notifications(ctx: Context, call: Call[None]) -> Retried:
    """Retry failed and exhausted notifications of an incident.

    As far as the incident still wants them and their people can be reached. The body may be left out, or name in whose
    name it is done.
    """
    async with ctx.db.begin() as tx:
        await storage.get_incident(tx, call.ids["incident_id"])
    return await retry_notifications_as(ctx, call, (await _retry_body(call)).user_id or call.actor.user_id)


async def retry_notifications_as(ctx: Context, call: Call[None], user_id: int) -> Retried:
    """The same in this person's name, whatever the body."""
    async with ctx.db.begin() as tx:
        incident = await storage.get_incident(tx, call.ids["incident_id"])
        await check_active(tx, user_id)
    command = RetryNotifications(
        occurred_at=ctx.now(),
        incident_id=incident.id,
        actor_user_id=call.actor.user_id,
        acting_as_user_id=user_id,
    )
    reply = await ctx.bus.request(command, NotificationsRetried, wait=ANSWER_SECONDS)
    return Retried(retried_count=reply.retried_count, queued_count=reply.queued_count)


async def _retry_body(call: Call[None]) -> Retry:
    """What came along, if anything did."""
    body = await read_body(call.request, BODY_LIMIT)
    try:
        return Retry.model_validate_json(body) if body.strip() else Retry()
    except ValidationError as error:
        raise unprocessable(error, "body") from None


async def acknowledge(ctx: Context, call: Call[ActingUser]) -> IncidentView:
    """Acknowledge an incident: somebody is on it, and nobody else is paged.

    Asking again is harmless: whoever was first stays the one who acknowledged it.
    """
    return await _command(ctx, call, AcknowledgeIncident)


async def resolve(ctx: Context, call: Call[ActingUser]) -> IncidentView:
    """Resolve an incident."""
    return await _command(ctx, call, ResolveIncident)


async def reopen(ctx: Context, call: Call[ActingUser]) -> IncidentView:
    """Reopen a resolved incident: it is triggered again, and paged from level 1.

    Refused with 409 while a newer incident has the same dedup key.
    """
    return await _command(ctx, call, ReopenIncident)


async def escalate(ctx: Context, call: Call[Escalation]) -> IncidentView:
    """Manually escalate an incident to its next level.

    With `expected_level` it is refused once the incident has moved on, so that two clicks never skip a level.
    """
    return await _command(ctx, call, RequestEscalation)


async def add_note(ctx: Context, call: Call[NewNote]) -> IncidentView:
    """Add a note to an incident's timeline, whatever its status; nobody is paged.

    The same words again within a minute are the same note, so that asking twice is harmless.
    """
    return await _command(ctx, call, NoteOnIncident)


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


_INCIDENTS = "/api/v1/incidents"
_INCIDENT = _INCIDENTS + "/{incident_id:int}"
_LOGS = _INCIDENT + "/notification-logs"
_MOVED = (400, 409)

ENDPOINTS = (
    Endpoint("GET", _INCIDENTS, list_incidents, Role.VIEWER, Filter, gives=IncidentPage),
    Endpoint("GET", _INCIDENT, get_incident, Role.VIEWER, gives=IncidentView),
    Endpoint("POST", _INCIDENT + "/ack", acknowledge, Role.RESPONDER, ActingUser, gives=IncidentView, refuses=_MOVED),
    Endpoint("POST", _INCIDENT + "/resolve", resolve, Role.RESPONDER, ActingUser, gives=IncidentView, refuses=_MOVED),
    Endpoint("POST", _INCIDENT + "/reopen", reopen, Role.RESPONDER, ActingUser, gives=IncidentView, refuses=_MOVED),
    Endpoint("POST", _INCIDENT + "/escalate", escalate, Role.RESPONDER, Escalation, gives=IncidentView, refuses=_MOVED),
    Endpoint("POST", _INCIDENT + "/notes", add_note, Role.RESPONDER, NewNote, gives=IncidentView, refuses=(400,)),
    Endpoint("GET", _INCIDENT + "/events", list_events, Role.VIEWER, HistoryPage, gives=list[TimelineEvent]),
    Endpoint("GET", _LOGS, list_notification_logs, Role.VIEWER, HistoryPage, gives=list[NotificationLog]),
    Endpoint(
        "POST", _LOGS + "/retry", retry_notifications, Role.RESPONDER, gives=Retried, refuses=(400, 413, 415, 422)
    ),
)
