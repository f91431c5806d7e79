"""What is done for each message.

Facts about an incident all mean the same: look at its run now, rather than when it is due.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from pagerpal_common import tracing
from pagerpal_common.bus import BREATH, LONG_BREATH, BatchSubscription, Subscription
from pagerpal_common.contracts.escalations import EscalateIncident, EscalationRequester, RequestEscalation
from pagerpal_common.contracts.incidents import (
    TRIGGERED_TOGETHER,
    IncidentAcknowledged,
    IncidentChanged,
    IncidentEscalated,
    IncidentResolved,
    IncidentsTriggered,
    TriggeredIncident,
)
from pagerpal_common.directory import load_facts
from pagerpal_common.errors import Conflict, Invalid, NotFound
from pagerpal_common.escalation import next_step
from pagerpal_common.tracing import Kind, Span
from pagerpal_common.vocabulary import IncidentStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_escalator import storage
from pagerpal_escalator.context import Context
from pagerpal_escalator.domain.run import Incident
from pagerpal_escalator.runs import Cause, ensure_run, follow

ANSWER_SECONDS = 2.0
"""How long incidents may take to enter a level that a person asks for."""

SAME_CLICK = timedelta(seconds=10)
"""A level entered this soon after a request was made is taken for what it asked for."""

FACTS_AT_ONCE = 50
"""Facts about incidents that are handled in one transaction."""

TRIGGERS_AT_ONCE = FACTS_AT_ONCE // TRIGGERED_TOGETHER
"""The same for messages that each tell of several."""

Fact = TriggeredIncident | IncidentEscalated | IncidentAcknowledged | IncidentResolved


def subscriptions(ctx: Context) -> tuple[Subscription | BatchSubscription, ...]:
    """Every message this service takes, and what takes it."""
    return (
        BatchSubscription(IncidentsTriggered, partial(follow_triggered, ctx), TRIGGERS_AT_ONCE, BREATH),
        BatchSubscription(IncidentEscalated, partial(follow_incidents, ctx), FACTS_AT_ONCE, LONG_BREATH),
        BatchSubscription(IncidentAcknowledged, partial(follow_incidents, ctx), FACTS_AT_ONCE, LONG_BREATH),
        BatchSubscription(IncidentResolved, partial(follow_incidents, ctx), FACTS_AT_ONCE, LONG_BREATH),
        Subscription(RequestEscalation, partial(request_escalation, ctx)),
    )


async def follow_triggered(ctx: Context, messages: Sequence[IncidentsTriggered]) -> list[None]:
    """Begin the runs of incidents that have opened."""
    triggered = [incident for message in messages for incident in message.incidents]
    with tracing.together() as together:
        causes = {
            incident.escalation_id: Cause(incident.request_id, together.add(_span(incident)).traceparent)
            for incident in triggered
        }
        await _follow(ctx, triggered, causes)
    return [None] * len(messages)


def _span(incident: TriggeredIncident) -> Span:
    if not tracing.is_on() or incident.traceparent is None:
        return Span(incident.traceparent)
    return tracing.begin(
        f"process {IncidentsTriggered.topic}",
        Kind.CONSUMER,
        parent=incident.traceparent,
        attributes={
            **tracing.messaging("process", IncidentsTriggered.topic),
            "pagerpal.incident.id": incident.incident_id,
        },
    )


async def follow_incidents(ctx: Context, facts: Sequence[Fact]) -> list[None]:
    """Bring runs in step with their incidents; the rows, not the messages, say how those stand."""
    await _follow(ctx, facts, {fact.escalation_id: Cause(fact.request_id, fact.traceparent) for fact in facts})
    return [None] * len(facts)


async def _follow(ctx: Context, facts: Sequence[Fact], causes: Mapping[int, Cause]) -> None:
    async with ctx.gate, ctx.db.begin() as tx:
        has_changed = await follow(ctx, tx, {(fact.incident_id, fact.escalation_id) for fact in facts}, causes)
    if has_changed:
        ctx.outbox.bell.ring()


async def request_escalation(ctx: Context, command: RequestEscalation) -> IncidentChanged:
    """Enter the next level because a person wants it, and answer with the incident.

    The level is asked for outside any transaction: incidents answers from one of its own. The run then learns of the
    new level as it learns of every other.

    Raises:
        NotFound: there is no such incident.
        Invalid: it is resolved.
        Conflict: it has moved on, so that two clicks never skip a level.
        BusUnavailable: incidents has not answered. The level may have been entered all the same.
    """
    async with ctx.gate, ctx.db.begin() as tx:
        incident = (await storage.find_incidents(tx, [command.incident_id])).get(command.incident_id)
        if incident is None:
            raise NotFound(f"no incident {command.incident_id}")
        _refuse(incident, command)
        asked = await _plan(ctx, tx, incident, command)
    return await ctx.bus.request(asked, IncidentChanged, wait=ANSWER_SECONDS)


def _refuse(incident: Incident, command: RequestEscalation) -> None:
    number, level = incident.incident_id, incident.position.level
    if incident.status is IncidentStatus.RESOLVED:
        raise Invalid(f"incident {number} is resolved; a resolved incident cannot be escalated; reopen it first")
    if command.expected_level is not None and command.expected_level != level:
        raise Conflict(f"incident {number} is at level {level} by now, not {command.expected_level}")
    # The second of two clicks; or the same one, handled again because the answer to the first try was lost.
    since = incident.level_entered_at - command.occurred_at
    if level and timedelta(0) <= since <= SAME_CLICK:
        raise Conflict(f"incident {number} has just entered level {level}")


async def _plan(ctx: Context, tx: AsyncConnection, incident: Incident, command: RequestEscalation) -> EscalateIncident:
    """The request for the next level. A run that is only begun by it asks by itself once this has come to nothing."""
    at = ctx.now()
    run = await ensure_run(tx, incident, at)
    facts = await load_facts(tx, run.policy, team_id=run.team_id, at=at)
    step = next_step(run.policy, facts, incident.position, by_hand=True)
    return EscalateIncident(
        incident_id=incident.incident_id,
        escalation_id=incident.escalation_id,
        expected=incident.position,
        entering=step.entering,
        people=step.people,
        notes=step.notes,
        is_unreached=step.is_unreached,
        by=EscalationRequester(actor_user_id=command.actor_user_id, acting_as_user_id=command.acting_as_user_id),
        occurred_at=at,
    )
