"""An incident nobody answers, step by step, on a real PostgreSQL; `world` plays everybody but the escalator."""

from datetime import timedelta

from pagerpal_common.contracts.escalations import Position
from pagerpal_common.contracts.incidents import IncidentEscalated, IncidentsTriggered, TriggeredIncident
from pagerpal_escalator.handlers import follow_triggered

from .conftest import NOON, World


async def test_a_triggered_incident_asks_for_its_first_level(world: World) -> None:
    await world.given_users("ana", "bo")
    await world.given_policy(["ana", "bo"])

    number = await world.trigger()

    (asked,) = await world.steps()
    assert (asked.incident_id, asked.expected.level, asked.entering.level) == (number, 0, 1)
    assert await world.names(asked) == ["ana", "bo"]
    run = await world.run_of(number)
    assert (run.state, run.asked["message_id"]) == ("asking", str(asked.message_id))


async def test_a_level_entered_has_its_time_and_then_the_next_is_asked_for(world: World) -> None:
    await world.given_users("ana", "bo")
    await world.given_policy(["ana"], ["bo"])
    number = await world.trigger()
    await world.enters()
    assert (await world.run_of(number)).due_at == NOON + timedelta(minutes=5)

    world.after(minutes=4, seconds=59)
    assert await world.steps() == []
    world.after(seconds=1)
    (second,) = await world.steps()

    assert (second.expected.level, second.entering.level) == (1, 2)
    assert await world.names(second) == ["bo"]


async def test_steps_of_incidents_that_came_together_each_keep_their_request_and_their_trace(world: World) -> None:
    await world.given_users("ana")
    await world.given_policy(["ana"])
    causes = [(f"request-{number}", f"00-{str(number) * 32}-{str(number) * 16}-01") for number in (1, 2)]
    numbers = [await world.trigger(is_told=False) for _ in causes]
    triggered = [await world.fact(TriggeredIncident, number) for number in numbers]
    told = tuple(
        incident.model_copy(update={"request_id": request, "traceparent": trace})
        for incident, (request, trace) in zip(triggered, causes, strict=True)
        if isinstance(incident, TriggeredIncident)
    )

    await follow_triggered(world.ctx, [IncidentsTriggered(incidents=told, occurred_at=NOON)])

    first = await world.steps()
    assert [(step.request_id, step.traceparent) for step in first] == causes
    world.after(seconds=2)
    again = await world.steps()
    assert [(step.request_id, step.traceparent) for step in again] == causes
    assert {step.message_id for step in again}.isdisjoint(step.message_id for step in first)


async def test_a_later_level_is_no_part_of_the_trace_that_began_the_first(world: World) -> None:
    await world.given_users("ana", "bo")
    await world.given_policy(["ana"], ["bo"])
    fact = await world.fact(TriggeredIncident, await world.trigger(is_told=False))
    assert isinstance(fact, TriggeredIncident)
    told = fact.model_copy(update={"request_id": "request-1", "traceparent": f"00-{'1' * 32}-{'1' * 16}-01"})
    await follow_triggered(world.ctx, [IncidentsTriggered(incidents=(told,), occurred_at=NOON)])
    await world.enters()

    world.after(minutes=5)

    (later,) = await world.steps()
    assert (later.entering.level, later.request_id, later.traceparent) == (2, None, None)


async def test_a_doubled_message_asks_for_nothing_more(world: World) -> None:
    await world.given_users("ana")
    await world.given_policy(["ana"])
    number = await world.trigger()
    await world.tell(TriggeredIncident, number)
    await world.enters()

    await world.tell(IncidentEscalated, number)
    await world.tell(TriggeredIncident, number)

    assert await world.steps() == []


async def test_an_acknowledged_incident_asks_for_nothing_more(world: World) -> None:
    await world.given_users("ana", "bo")
    await world.given_policy(["ana"], ["bo"])
    number = await world.trigger()
    await world.enters()

    await world.acknowledge(number)

    world.after(hours=9)
    assert await world.steps() == []
    assert (await world.run_of(number)).state == "acknowledged"


async def test_an_acknowledgement_nobody_told_of_still_stops_the_timer(world: World) -> None:
    await world.given_users("ana", "bo")
    await world.given_policy(["ana"], ["bo"])
    number = await world.trigger()
    await world.enters()
    await world.acknowledge(number, is_told=False)

    world.after(minutes=5)

    assert await world.steps() == []


async def test_a_resolved_incident_ends_its_run(world: World) -> None:
    await world.given_users("ana", "bo")
    await world.given_policy(["ana"], ["bo"])
    number = await world.trigger()
    await world.enters()

    await world.resolve(number)

    run = await world.run_of(number)
    assert (run.state, run.due_at, run.asked) == ("over", None, None)
    world.after(hours=9)
    assert await world.steps() == []


async def test_a_reopened_incident_begins_anew_and_its_old_run_is_harmless(world: World) -> None:
    await world.given_users("ana", "bo")
    await world.given_policy(["ana"], ["bo"])
    number = await world.trigger()
    await world.enters()
    old = (await world.incident(number)).escalation_id
    await world.resolve(number, is_told=False)

    await world.reopen(number)
    asked = await world.enters()
    await world.tell(IncidentEscalated, number, escalation_id=old)
    world.after(minutes=5)
    (second,) = await world.steps()

    assert asked.escalation_id != old
    assert asked.entering.level == 1
    assert (second.escalation_id, second.entering.level) == (asked.escalation_id, 2)
    rows = await world.sql("SELECT state FROM escalation.escalations WHERE escalation_id = :e", e=old)
    assert rows[0].state == "over"


async def test_a_message_of_a_run_that_never_was_begins_none(world: World) -> None:
    number = await world.trigger(is_told=False)

    await world.tell(TriggeredIncident, number, escalation_id=4711)
    await world.resolve(number, is_told=False)
    await world.tell(TriggeredIncident, number)

    assert await world.sql("SELECT escalation_id FROM escalation.escalations") == []


async def test_a_schedule_that_hands_over_between_levels_pages_who_is_on_call_now(world: World) -> None:
    await world.given_users("ana", "bo", "cy")
    await world.given_policy(["cy"], [])
    handover = NOON + timedelta(minutes=3)
    await world.given_schedule_at_level(
        2, ("ana", NOON - timedelta(hours=8), handover), ("bo", handover, handover + timedelta(hours=8))
    )
    await world.trigger()
    await world.enters()

    world.after(minutes=5)
    (second,) = await world.steps()

    assert await world.names(second) == ["bo"]
    assert "on call on schedule 'primary'" in second.people[0].reason[1]


async def test_an_empty_level_is_passed_at_once_with_a_note(world: World) -> None:
    await world.given_users("ana")
    await world.given_policy([], ["ana"])
    await world.trigger()

    (asked,) = await world.steps()

    assert (asked.expected.level, asked.entering.level) == (0, 2)
    assert asked.notes == ("Level 1 passed over: nobody is assigned",)


async def test_passes_repeat_and_then_reminders_come_for_ever(world: World) -> None:
    await world.given_users("ana", "bo")
    await world.given_policy(["ana"], ["bo"], repeat_count=1)
    await world.trigger()

    seen = []
    for minutes in (5, 10, 5, 30, 30, 30):
        asked = await world.enters()
        seen.append(asked.entering)
        world.after(minutes=minutes, seconds=-1)
        assert await world.steps() == []
        world.after(seconds=1)

    places = [(1, 1, 0), (1, 2, 0), (2, 1, 0), (2, 2, 0), (2, 2, 1), (2, 2, 2)]
    assert seen == [Position(pass_number=p, level=n, reminder=r) for p, n, r in places]


async def test_a_policy_that_is_changed_or_deleted_does_not_change_a_run(world: World) -> None:
    await world.given_users("ana", "bo", "cy")
    await world.given_policy(["ana"], ["bo"])
    await world.trigger()
    await world.enters()
    await world.sql("DELETE FROM directory.escalation_assignees")
    await world.sql("DELETE FROM directory.escalation_levels")
    await world.sql("DELETE FROM directory.escalation_policies")

    world.after(minutes=5)
    (second,) = await world.steps()

    assert await world.names(second) == ["bo"]
    assert not second.is_unreached


async def test_somebody_deactivated_in_the_meantime_is_passed_over(world: World) -> None:
    await world.given_users("ana", "bo", "cy")
    await world.given_policy(["ana"], ["bo"], ["cy"])
    await world.trigger()
    await world.enters()
    await world.sql("UPDATE directory.users SET is_active = false WHERE name = 'bo'")

    world.after(minutes=5)
    (asked,) = await world.steps()

    assert (asked.entering.level, await world.names(asked)) == (3, ["cy"])


async def test_without_a_policy_the_team_and_then_every_admin_is_paged(world: World) -> None:
    await world.given_users("ana", member=True)
    await world.given_users("watcher", role="viewer", member=True)
    await world.given_users("root", role="admin")
    await world.trigger()

    first = await world.enters()
    world.after(minutes=5)
    second = await world.enters()
    world.after(minutes=30)
    (reminder,) = await world.steps()

    assert [await world.names(step) for step in (first, second, reminder)] == [["ana"], ["root"], ["root"]]
    assert all(step.is_unreached for step in (first, second, reminder))
    assert reminder.entering.reminder == 1


async def test_a_team_that_is_gone_lets_nobody_sleep_every_admin_is_paged(world: World) -> None:
    await world.given_users("ana", member=True)
    await world.given_users("root", role="admin")
    await world.sql("DELETE FROM directory.team_members")
    await world.sql("DELETE FROM directory.teams")
    await world.trigger()

    asked = await world.enters()

    assert (asked.is_unreached, await world.names(asked)) == (True, ["root"])


async def test_a_policy_that_reaches_nobody_pages_the_team(world: World) -> None:
    await world.given_users("ana", member=True)
    await world.given_policy([], [])
    await world.trigger()

    (asked,) = await world.steps()

    assert (asked.entering.level, asked.is_unreached, await world.names(asked)) == (2, True, ["ana"])


async def test_with_nobody_at_all_it_is_said_and_tried_again(world: World) -> None:
    await world.trigger()

    nobody = await world.enters()
    await world.given_users("root", role="admin")
    world.after(minutes=30)
    (again,) = await world.steps()

    assert (nobody.people, nobody.is_unreached) == ((), True)
    assert "there is no admin" in nobody.notes[-1]
    assert await world.names(again) == ["root"]


async def test_an_acknowledgement_that_times_out_leads_to_the_next_level(world: World) -> None:
    await world.given_users("ana", "bo")
    await world.given_policy(["ana"], ["bo"], ack_timeout=20)
    number = await world.trigger()
    await world.enters()
    world.after(minutes=1)
    await world.acknowledge(number)

    world.after(minutes=20, seconds=-1)
    assert await world.steps() == []
    world.after(seconds=1)
    asked = await world.enters()

    assert (asked.after_ack_timeout, asked.entering.level, await world.names(asked)) == (True, 2, ["bo"])
    assert (await world.incident(number)).status == "triggered"
    assert (await world.run_of(number)).state == "waiting"


async def test_an_acknowledgement_before_the_run_began_times_out_too(world: World) -> None:
    await world.given_users("ana", "bo")
    await world.given_policy(["ana"], ["bo"], ack_timeout=20)
    number = await world.trigger(is_told=False)
    await world.acknowledge(number, is_told=False)
    assert await world.steps() == []

    world.after(minutes=20)
    asked = await world.enters()

    assert (asked.after_ack_timeout, asked.entering.level) == (True, 1)
