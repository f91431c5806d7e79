"""What this service does with each message. Load, decide, save; the reply goes out after the commit."""

from collections.abc import Callable, Iterator, Sequence, Set
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from pagerpal_common.bus import BREATH, LONG_BREATH, BatchSubscription, Subscription
from pagerpal_common.contracts.alerts import GROUP_LIMIT, Alert, AlertResult, AlertsHandled, AlertsReceived
from pagerpal_common.contracts.escalations import EscalateIncident
from pagerpal_common.contracts.incidents import (
    AcknowledgeIncident,
    IncidentChanged,
    IncidentCommand,
    NoteOnIncident,
    PageRequested,
    ReopenIncident,
    ResolveIncident,
)
from pagerpal_common.contracts.message import Message
from pagerpal_common.contracts.notifications import NotificationSettled
from pagerpal_common.errors import Conflict, NotFound
from pagerpal_common.log import tell_each
from pagerpal_common.metrics import HOPS
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_incidents.context import Context
from pagerpal_incidents.domain.escalate import enter_level
from pagerpal_incidents.domain.incident import (
    Change,
    Incident,
    Person,
    acknowledge,
    refuse_unwanted,
    reopen,
    resolve,
)
from pagerpal_incidents.domain.note import NOTE_TWICE, note
from pagerpal_incidents.intake import take_in
from pagerpal_incidents.storage.incidents import (
    insert_events,
    list_notes,
    lock_incidents,
    lock_open,
    take_escalation_id,
    update_incidents,
)
from pagerpal_incidents.storage.notifications import record_notifications
from pagerpal_incidents.storage.pages import close_pages, find_asked, request_pages
from pagerpal_incidents.view import view

log = structlog.get_logger(__name__)

MESSAGES_AT_ONCE = 50
"""Messages of alerts taken together; their alerts are committed at most `GROUP_LIMIT` to a transaction."""

STEPS_AT_ONCE = 50
"""Steps of escalations, or ends of notifications, that are committed together."""


SUSPECT_AFTER = timedelta(seconds=10)
"""A step of the timer that has waited longer in a queue may have been planned afresh by now, with other people on
shift. Then the run asks for another one, and this one pages nobody."""


def subscriptions(ctx: Context) -> tuple[Subscription | BatchSubscription, ...]:
    """Every message this service takes, and what takes it."""
    return (
        BatchSubscription(AlertsReceived, partial(on_alerts_received, ctx), MESSAGES_AT_ONCE),
        Subscription(AcknowledgeIncident, partial(acknowledge_incident, ctx)),
        Subscription(ResolveIncident, partial(resolve_incident, ctx)),
        Subscription(ReopenIncident, partial(reopen_incident, ctx)),
        Subscription(NoteOnIncident, partial(note_on_incident, ctx)),
        BatchSubscription(EscalateIncident, partial(escalate_incidents, ctx), STEPS_AT_ONCE, BREATH),
        BatchSubscription(NotificationSettled, partial(on_notifications_settled, ctx), STEPS_AT_ONCE, LONG_BREATH),
    )


async def on_alerts_received(ctx: Context, messages: Sequence[AlertsReceived]) -> list[AlertsHandled]:
    """Commit the alerts of several messages together, and answer each message for its own."""
    alerts = [alert for message in messages for alert in message.alerts]
    results: list[AlertResult] = []
    for start in range(0, len(alerts), GROUP_LIMIT):
        results += await take_in(ctx, alerts[start : start + GROUP_LIMIT])
    answers = iter(results)
    return [_handled(message.alerts, answers, ctx.now()) for message in messages]


def _handled(alerts: Sequence[Alert], answers: Iterator[AlertResult], at: datetime) -> AlertsHandled:
    return AlertsHandled(results=tuple(next(answers) for _ in alerts), occurred_at=at)


async def acknowledge_incident(ctx: Context, command: AcknowledgeIncident) -> IncidentChanged:
    """Record that somebody is on it.

    Raises:
        NotFound: there is no such incident.
        Invalid: it is resolved.
    """
    decide = partial(acknowledge, by=_person(command), at=ctx.now())
    return await _apply(ctx, command.incident_id, decide)


async def resolve_incident(ctx: Context, command: ResolveIncident) -> IncidentChanged:
    """End it.

    Raises:
        NotFound: there is no such incident.
    """
    decide = partial(resolve, by=_person(command), at=ctx.now())
    return await _apply(ctx, command.incident_id, decide)


async def escalate_incidents(ctx: Context, messages: Sequence[EscalateIncident]) -> list[IncidentChanged]:
    """Enter levels and page their people, as far as that still fits; what the escalator asks in vain changes nothing.

    All in one transaction: in a storm one each cost more than the storm's alerts do. The answers show how their
    incidents stand in the end.

    Raises:
        NotFound: there is no such incident.
        Invalid, Conflict: a person asked, and it is resolved, or has moved on.
    """
    at = ctx.now()
    async with ctx.db.begin() as tx:
        stale = await _find_stale(tx, messages, at)
        incidents = await lock_incidents(tx, {asked.incident_id for asked in messages})
        changes: list[Change] = []
        waits: list[timedelta] = []
        for asked in messages:
            incident = _found(incidents.get(asked.incident_id), asked.incident_id)
            if asked.by is not None:
                refuse_unwanted(incident, asked)
            if asked.message_id not in stale:
                changes.append(enter_level(incident, asked, at=at))
                incidents[incident.id] = changes[-1].incident
                if not incident.current_escalation_level and changes[-1].pages:
                    waits.append(at - incident.level_entered_at)
        await _save(ctx, tx, changes, at)
    for wait in waits:
        HOPS.labels("escalate").observe(wait.total_seconds())
    ctx.outbox.bell.ring()
    _tell_entered(changes)
    return [IncidentChanged(incident=view(incidents[asked.incident_id]), occurred_at=at) for asked in messages]


def _tell_entered(changes: Sequence[Change]) -> None:
    entered = [
        {
            "incident_id": change.incident.id,
            "level": change.incident.current_escalation_level,
            "pass": change.incident.escalation_pass,
            "people": len(change.pages),
            "request_id": change.request_id,
        }
        for change in changes
        if change.events
    ]
    tell_each(log.info, "incident.level_entered", entered)


async def _find_stale(tx: AsyncConnection, messages: Sequence[EscalateIncident], at: datetime) -> Set[UUID]:
    """Told by the runs' rows and not by the time: the clocks of two hosts may be minutes apart."""
    suspects = [asked for asked in messages if asked.by is None and abs(at - asked.occurred_at) > SUSPECT_AFTER]
    if not suspects:
        return set()
    still_asked = await find_asked(tx, suspects)
    stale = {asked.message_id: asked.incident_id for asked in suspects if asked.message_id not in still_asked}
    if stale:
        log.warning("escalation.stale", number=len(stale), incident_ids=sorted(set(stale.values())))
    return stale.keys()


async def reopen_incident(ctx: Context, command: ReopenIncident) -> IncidentChanged:
    """Begin a new run of its policy.

    Raises:
        NotFound: there is no such incident.
        Invalid: it is acknowledged.
        Conflict: a newer incident with the same dedup key is open.
    """
    async with ctx.db.begin() as tx:
        incident = await _lock(tx, command.incident_id)
        await _refuse_second_open(tx, incident)
        change = reopen(
            incident,
            by=_person(command),
            at=ctx.now(),
            escalation_id=await take_escalation_id(tx),
            assigned_user_id=await ctx.assignments.find(
                tx, (incident.team_id, incident.escalation_policy_id), ctx.now()
            ),
        )
        await _save(ctx, tx, [change], ctx.now())
    ctx.outbox.bell.ring()
    log.info("incident.changed", incident_id=change.incident.id, status=change.incident.status)
    return IncidentChanged(incident=view(change.incident), occurred_at=ctx.now())


async def note_on_incident(ctx: Context, command: NoteOnIncident) -> IncidentChanged:
    """Put a person's words on the timeline, once.

    Raises:
        NotFound: there is no such incident.
    """
    by, at = _person(command), ctx.now()
    async with ctx.db.begin() as tx:
        incident = await _lock(tx, command.incident_id)
        lately = await list_notes(tx, incident.id, by, since=at - NOTE_TWICE)
        await _save(ctx, tx, [note(incident, command.text, by=by, at=at, lately=lately)], at)
    return IncidentChanged(incident=view(incident), occurred_at=at)


async def on_notifications_settled(ctx: Context, facts: Sequence[NotificationSettled]) -> list[None]:
    """Bring the ends of notifications into the timelines; their rows, not the messages, say what they were."""
    async with ctx.db.begin() as tx:
        await record_notifications(tx, sorted({fact.incident_id for fact in facts}))
    return [None] * len(facts)


async def _apply(ctx: Context, incident_id: int, decide: Callable[[Incident], Change]) -> IncidentChanged:
    async with ctx.db.begin() as tx:
        change = decide(await _lock(tx, incident_id))
        await _save(ctx, tx, [change], ctx.now())
    ctx.outbox.bell.ring()
    log.info("incident.changed", incident_id=incident_id, status=change.incident.status)
    return IncidentChanged(incident=view(change.incident), occurred_at=ctx.now())


async def _lock(tx: AsyncConnection, incident_id: int) -> Incident:
    return _found((await lock_incidents(tx, [incident_id])).get(incident_id), incident_id)


def _found(incident: Incident | None, incident_id: int) -> Incident:
    if incident is None:
        raise NotFound(f"there is no incident {incident_id}")
    return incident


async def _refuse_second_open(tx: AsyncConnection, incident: Incident) -> None:
    """One open incident per dedup key. An alert that opens one just now is stopped by the unique index."""
    if incident.external_id is None:
        return
    key = (incident.source_id, incident.external_id)
    other = (await lock_open(tx, [key])).get(key)
    if other is not None and other.id != incident.id:
        raise Conflict(f"incident {other.id} is open for the same alert")


async def _save(ctx: Context, tx: AsyncConnection, changes: Sequence[Change], at: datetime) -> None:
    """Everything that changes make true, in their order and in the caller's transaction."""
    real = [change for change in changes if change.events]
    if not real:
        return
    await update_incidents(tx, list({change.incident.id: change.incident for change in real}.values()))
    await insert_events(tx, [event for change in real for event in change.events])
    await close_pages(tx, [change.incident.id for change in real if change.closes_pages])
    requested = await request_pages(tx, real, at=at)
    messages: list[Message] = [message for change in real for message in change.messages]
    numbers = tuple(number for some in requested.values() for number in some)
    if numbers:
        messages.append(PageRequested(incident_id=next(iter(requested)), page_request_ids=numbers, occurred_at=at))
    await ctx.outbox.add(tx, messages)


def _person(command: IncidentCommand) -> Person:
    return Person(command.actor_user_id, command.acting_as_user_id)
