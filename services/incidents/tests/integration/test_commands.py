"""What people and the escalator ask of an incident, on a real PostgreSQL."""

import asyncio
from typing import Any

import pytest
from pagerpal_common.contracts.escalations import EscalateIncident, EscalationRequester, PageTarget, Position
from pagerpal_common.contracts.incidents import (
    AcknowledgeIncident,
    IncidentChanged,
    IncidentView,
    NoteOnIncident,
    ReopenIncident,
    ResolveIncident,
)
from pagerpal_common.errors import Conflict, Invalid, NotFound
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import AlertStatus, IncidentStatus
from pagerpal_incidents.context import Context
from pagerpal_incidents.handlers import (
    acknowledge_incident,
    escalate_incidents,
    note_on_incident,
    reopen_incident,
    resolve_incident,
)
from pagerpal_incidents.intake import take_in
from pagerpal_incidents.loops import apply_unapplied, tell_notifications

from .conftest import T0, an_alert


@pytest.fixture
async def incident(ctx: Context) -> IncidentView:
    return await an_incident(ctx)


async def an_incident(ctx: Context, **alert: Any) -> IncidentView:
    (result,) = await take_in(ctx, [an_alert(**alert)])
    assert result.incident is not None
    return result.incident


def by(incident: IncidentView, user: int = 1) -> dict[str, Any]:
    return {"incident_id": incident.id, "actor_user_id": user, "acting_as_user_id": user, "occurred_at": T0}


def a_step(incident: IncidentView, *, level: int = 1, **changes: Any) -> EscalateIncident:
    step = EscalateIncident(
        incident_id=incident.id,
        escalation_id=incident.escalation_id,
        expected=Position(pass_number=1, level=level - 1),
        entering=Position(pass_number=1, level=level),
        people=(PageTarget(user_id=5, reason=("policy 'p', level 1", "assigned by name")),),
        occurred_at=T0,
    )
    return step.model_copy(update=changes)


async def the_run_asks_for(rows: Rows, step: EscalateIncident) -> None:
    await rows(
        "INSERT INTO escalation.escalations (escalation_id, incident_id, team_id, policy, state, pass_number, level,"
        " reminder, asked, started_at) VALUES (:run, :id, 3, '{}', 'asking', 1, 0, 0, CAST(:asked AS jsonb), now())",
        run=step.escalation_id,
        id=step.incident_id,
        asked=step.model_dump_json(),
    )


async def test_the_first_to_acknowledge_stays(ctx: Context, incident: IncidentView, rows: Rows) -> None:
    answers = await asyncio.gather(
        *(acknowledge_incident(ctx, AcknowledgeIncident(**by(incident, user))) for user in range(1, 9))
    )

    assert len({answer.incident.acknowledged_by for answer in answers}) == 1
    kinds = [row["event_type"] for row in await rows("SELECT event_type FROM incidents.events ORDER BY id")]
    assert kinds == ["triggered", "acknowledged"]


async def test_a_note_is_on_the_timeline_once_however_often_it_is_sent(
    ctx: Context, incident: IncidentView, rows: Rows, clock: Clock
) -> None:
    told = NoteOnIncident(**by(incident), text="Deleting core dumps")
    by_another = NoteOnIncident(**by(incident, 2), text="Deleting core dumps")

    await asyncio.gather(*(note_on_incident(ctx, each) for each in (told, told, by_another)))
    clock.advance(seconds=61)
    await note_on_incident(ctx, told)

    notes = await rows("SELECT message, actor_user_id FROM incidents.events WHERE event_type = 'note' ORDER BY id")
    assert sorted(row["actor_user_id"] for row in notes) == [1, 1, 2]
    assert notes[-1] == {"message": "Deleting core dumps", "actor_user_id": 1}


async def test_a_note_changes_nothing_else(ctx: Context, incident: IncidentView, rows: Rows) -> None:
    await resolve_incident(ctx, ResolveIncident(**by(incident)))
    before = await rows("SELECT * FROM incidents.incidents")
    sent = await rows("SELECT * FROM incidents.outbox")

    answer = await note_on_incident(ctx, NoteOnIncident(**by(incident), text="It was the backup job"))

    assert answer.incident.status is IncidentStatus.RESOLVED
    assert await rows("SELECT * FROM incidents.incidents") == before
    assert await rows("SELECT * FROM incidents.outbox") == sent


async def test_an_unknown_incident_is_not_found(ctx: Context, incident: IncidentView) -> None:
    with pytest.raises(NotFound, match="no incident 4711"):
        await resolve_incident(ctx, ResolveIncident(**by(incident) | {"incident_id": 4711}))


async def test_a_resolved_incident_cannot_be_acknowledged(ctx: Context, incident: IncidentView) -> None:
    await resolve_incident(ctx, ResolveIncident(**by(incident)))

    with pytest.raises(Invalid):
        await acknowledge_incident(ctx, AcknowledgeIncident(**by(incident)))


async def test_entering_a_level_requests_its_pages_once(ctx: Context, incident: IncidentView, rows: Rows) -> None:
    step = a_step(incident)
    await asyncio.gather(*(escalate_incidents(ctx, [step]) for _ in range(5)))

    (page,) = await rows("SELECT user_id, level, reason, is_open FROM incidents.page_requests")
    assert page == {
        "user_id": 5,
        "level": 1,
        "reason": ["policy 'p', level 1", "assigned by name"],
        "is_open": True,
    }
    topics = [row["topic"] for row in await rows("SELECT topic FROM incidents.outbox ORDER BY id")]
    assert topics == ["incidents.triggered.v1", "incident.escalated.v1", "page.requested.v1"]


async def test_steps_that_come_together_are_each_entered_once(ctx: Context, rows: Rows) -> None:
    incidents = [await an_incident(ctx, external_id=name) for name in ("cpu", "disk", "net")]
    steps = [a_step(incident) for incident in incidents]

    answers = await escalate_incidents(ctx, [*steps, steps[0]])

    assert [answer.incident.id for answer in answers] == [*(one.id for one in incidents), incidents[0].id]
    assert {answer.incident.current_escalation_level for answer in answers} == {1}
    pages = await rows("SELECT incident_id, level FROM incidents.page_requests ORDER BY id")
    assert pages == [{"incident_id": incident.id, "level": 1} for incident in incidents]


async def test_alerts_and_steps_that_come_together_each_keep_their_request_and_their_trace(
    ctx: Context, rows: Rows
) -> None:
    causes = [(f"request-{number}", f"00-{str(number) * 32}-{str(number) * 16}-01") for number in (1, 2)]
    alerts = [an_alert(request, request_id=request, traceparent=trace) for request, trace in causes]
    results = await take_in(ctx, alerts)

    told = await rows("SELECT body -> 'incidents' AS runs FROM incidents.outbox ORDER BY id")
    assert [(run["request_id"], run["traceparent"]) for row in told for run in row["runs"]] == causes

    steps = [
        a_step(result.incident, request_id=request, traceparent=trace)
        for result, (request, trace) in zip(results, causes, strict=True)
        if result.incident is not None
    ]
    await escalate_incidents(ctx, steps)

    pages = await rows("SELECT request_id, traceparent FROM incidents.page_requests ORDER BY incident_id")
    assert [tuple(page.values()) for page in pages] == causes
    entered = await rows("SELECT body FROM incidents.outbox WHERE topic = 'incident.escalated.v1' ORDER BY id")
    assert [(row["body"]["request_id"], row["body"]["traceparent"]) for row in entered] == causes


async def test_acknowledging_closes_the_pages_and_the_timer_pages_nobody_after(
    ctx: Context, incident: IncidentView, rows: Rows
) -> None:
    await escalate_incidents(ctx, [a_step(incident)])
    await acknowledge_incident(ctx, AcknowledgeIncident(**by(incident)))

    (late,) = await escalate_incidents(ctx, [a_step(incident, level=2)])

    assert late.incident.status == IncidentStatus.ACKNOWLEDGED
    assert await rows("SELECT is_open, level FROM incidents.page_requests") == [{"is_open": False, "level": 1}]


async def test_two_clicks_never_skip_a_level(ctx: Context, incident: IncidentView) -> None:
    await escalate_incidents(ctx, [a_step(incident)])
    click = a_step(incident, level=2, by=EscalationRequester(actor_user_id=1, acting_as_user_id=1))

    answers = await asyncio.gather(*(escalate_incidents(ctx, [click]) for _ in range(2)), return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "list"]


async def test_a_person_may_escalate_what_somebody_has_acknowledged(ctx: Context, incident: IncidentView) -> None:
    await acknowledge_incident(ctx, AcknowledgeIncident(**by(incident)))
    click = a_step(incident, by=EscalationRequester(actor_user_id=1, acting_as_user_id=2))

    (answer,) = await escalate_incidents(ctx, [click])

    assert (answer.incident.status, answer.incident.acknowledged_by) == (IncidentStatus.TRIGGERED, None)
    assert answer.incident.current_escalation_level == 1


async def test_reopening_starts_a_run_of_its_own(ctx: Context, incident: IncidentView, clock: Clock) -> None:
    await resolve_incident(ctx, ResolveIncident(**by(incident)))
    clock.advance(minutes=3)

    answer = await reopen_incident(ctx, ReopenIncident(**by(incident)))

    assert answer.incident.status == IncidentStatus.TRIGGERED
    assert answer.incident.escalation_id > incident.escalation_id
    assert answer.incident.created_at == incident.created_at


async def test_reopening_while_a_newer_one_is_open_is_refused_and_names_it(
    ctx: Context, incident: IncidentView
) -> None:
    await take_in(ctx, [an_alert(status=AlertStatus.RESOLVED)])
    (newer,) = await take_in(ctx, [an_alert()])
    assert newer.incident is not None

    with pytest.raises(Conflict, match=f"incident {newer.incident.id} is open"):
        await reopen_incident(ctx, ReopenIncident(**by(incident)))


async def test_reopening_races_with_a_new_alert_and_one_of_them_wins(
    ctx: Context, incident: IncidentView, rows: Rows
) -> None:
    await resolve_incident(ctx, ResolveIncident(**by(incident)))

    reopened, taken = await asyncio.gather(
        reopen_incident(ctx, ReopenIncident(**by(incident))), take_in(ctx, [an_alert()]), return_exceptions=True
    )

    assert isinstance(taken, list), "whoever wins, the alert is taken in"
    assert isinstance(reopened, IncidentChanged | Conflict)

    assert len(await rows("SELECT 1 AS one FROM incidents.incidents WHERE status <> 'resolved'")) == 1


async def test_a_step_whose_message_was_lost_is_applied_by_the_sweep(
    ctx: Context, incident: IncidentView, rows: Rows, clock: Clock
) -> None:
    await the_run_asks_for(rows, a_step(incident))
    assert await apply_unapplied(ctx) == 0, "the message has its second to arrive"

    clock.advance(seconds=1.5)

    assert await apply_unapplied(ctx) == 1
    assert await apply_unapplied(ctx) == 0
    assert [row["user_id"] for row in await rows("SELECT user_id FROM incidents.page_requests")] == [5]


async def test_a_step_that_waited_in_a_queue_and_was_planned_afresh_pages_nobody(
    ctx: Context, incident: IncidentView, rows: Rows, clock: Clock
) -> None:
    """Who was on call when it was planned may be asleep by now."""
    await the_run_asks_for(rows, a_step(incident))
    clock.advance(seconds=61)

    (answer,) = await escalate_incidents(ctx, [a_step(incident)])

    assert answer.incident.current_escalation_level == 0
    assert await rows("SELECT 1 AS one FROM incidents.page_requests") == []


@pytest.mark.parametrize("seconds", [-3600, 3600])
async def test_the_clocks_of_two_hosts_may_disagree(
    ctx: Context, incident: IncidentView, rows: Rows, clock: Clock, seconds: int
) -> None:
    """What the run asks for now is applied, however old or new it looks from here."""
    step = a_step(incident)
    await the_run_asks_for(rows, step)
    clock.advance(seconds=seconds)

    (answer,) = await escalate_incidents(ctx, [step])

    assert answer.incident.current_escalation_level == 1


async def test_how_notifications_ended_is_told_once_and_counted(
    ctx: Context, incident: IncidentView, rows: Rows
) -> None:
    for number, (channel, status) in enumerate([("sms", "sent"), ("voice", "failed")], start=1):
        await rows(
            "INSERT INTO notification.notifications (id, page_request_id, incident_id, escalation_id, user_id, channel,"
            " step, pass_number, level, reason, status, attempts, created_at, sent_at, settled_at, error)"
            " VALUES (:n, :n, :id, 1, 5, :channel, 0, 1, 1, '[]', :status, 1, :at, :sent, :at, :error)",
            n=number,
            id=incident.id,
            channel=channel,
            status=status,
            at=T0,
            sent=T0 if status == "sent" else None,
            error=None if status == "sent" else "no such number",
        )

    assert await tell_notifications(ctx) == 1
    assert await tell_notifications(ctx) == 0

    told = await rows("SELECT event_type, message FROM incidents.events WHERE notification_id IS NOT NULL ORDER BY id")
    assert told == [
        {"event_type": "notification_sent", "message": "SMS sent to user 5"},
        {"event_type": "notification_failed", "message": "Call failed for user 5: no such number"},
    ]
    assert await rows("SELECT notification_count AS n, first_notified_at AS first FROM incidents.incidents") == [
        {"n": 1, "first": T0}
    ]
