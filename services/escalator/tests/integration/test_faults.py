"""Lost messages, dead escalators, two of them at once, clocks that jump: nobody stays asleep, nobody is paged twice."""

import asyncio
from datetime import timedelta

import pytest
from pagerpal_common.contracts.incidents import TriggeredIncident
from pagerpal_common.errors import BusUnavailable
from pagerpal_escalator import storage
from pagerpal_escalator.handlers import follow_incidents
from pagerpal_escalator.loops import PUT_OFF, Watch, sweep, tick

from .conftest import NOON, World


@pytest.fixture
async def world(world: World) -> World:
    """With a policy of two levels."""
    await world.given_users("ana", "bo", "cy")
    await world.given_policy(["ana"], ["bo"], repeat_count=1)
    return world


async def test_an_incident_nobody_told_of_is_found(world: World) -> None:
    number = await world.trigger(is_told=False)

    (asked,) = await world.steps()

    assert (asked.incident_id, asked.entering.level) == (number, 1)


async def test_facts_that_come_together_are_each_followed_once(world: World) -> None:
    known = await world.trigger()
    (first,) = await world.steps()
    await world.apply(first, is_told=False)
    fresh = [await world.trigger(is_told=False) for _ in range(2)]
    facts = [await world.fact(TriggeredIncident, number) for number in (*fresh, known, fresh[0])]

    await follow_incidents(world.ctx, facts)
    await follow_incidents(world.ctx, facts)

    assert [(asked.incident_id, asked.entering.level) for asked in await world.relay()] == [(one, 1) for one in fresh]
    assert (await world.run_of(known)).level == 1


async def test_two_escalators_that_hear_the_same_ask_once(world: World) -> None:
    numbers = [await world.trigger(is_told=False) for _ in range(5)]
    facts = [await world.fact(TriggeredIncident, number) for number in numbers]

    await asyncio.gather(*(follow_incidents(world.ctx, order) for order in (facts, facts[::-1], facts)))

    assert sorted(asked.incident_id for asked in await world.relay()) == numbers


async def test_a_level_nobody_told_of_still_has_its_time_from_its_entry(world: World) -> None:
    await world.trigger()
    (asked,) = await world.steps()
    world.after(seconds=1)
    await world.apply(asked, is_told=False)

    world.after(seconds=1)
    assert await world.steps() == []
    world.after(minutes=5, seconds=-1.5)
    assert await world.steps() == []
    world.after(seconds=0.5)

    assert [step.entering.level for step in await world.steps()] == [2]


async def test_a_step_that_was_lost_is_asked_for_again_with_fresh_people(world: World) -> None:
    number = await world.trigger()
    (lost,) = await world.steps()
    await world.sql("UPDATE directory.users SET is_active = false WHERE name = 'ana'")

    world.after(seconds=1.9)
    assert await world.steps() == []
    world.after(seconds=0.1)
    (again,) = await world.steps()

    assert await world.names(lost) == ["ana"]
    assert (again.entering.level, await world.names(again)) == (2, ["bo"])
    assert (await world.run_of(number)).asked["message_id"] == str(again.message_id)
    assert await world.apply(again)
    assert not await world.apply(lost)


async def test_while_the_bus_is_away_one_request_waits_and_it_is_kept_fresh(world: World) -> None:
    world.bus.is_up = False
    await world.trigger()
    for _ in range(10):
        world.after(minutes=1)
        with pytest.raises(BusUnavailable):
            await world.steps()

    world.bus.is_up = True
    (asked,) = await world.relay()

    assert asked.occurred_at == world.now


async def test_after_hours_away_there_is_one_step_and_then_a_full_delay(world: World) -> None:
    await world.trigger()
    (first,) = await world.steps()
    await world.apply(first, is_told=False)

    world.after(hours=6)
    world.watch = Watch()
    second = await world.enters()
    world.after(minutes=10, seconds=-1)
    assert await world.steps() == []
    world.after(seconds=1)

    assert second.entering.level == 2
    assert [step.entering.pass_number for step in await world.steps()] == [2]


async def test_a_clock_set_forward_causes_one_step(world: World) -> None:
    await world.trigger()
    await world.enters()

    world.after(hours=1)
    await world.enters()

    assert await world.steps() == []
    world.after(minutes=10, seconds=-1)
    assert await world.steps() == []


async def test_a_clock_set_back_delays_nothing_by_more_than_the_levels_own_time(world: World) -> None:
    await world.trigger()
    await world.enters()
    await world.steps()

    world.after(hours=-1)
    assert await world.steps() == []
    world.after(minutes=5)

    assert [step.entering.level for step in await world.steps()] == [2]


async def test_two_escalators_never_ask_twice_for_one_due_run(world: World) -> None:
    for _ in range(30):
        await world.trigger()
    for asked in await world.steps():
        await world.apply(asked)
    other = world.another_escalator()
    world.after(minutes=5)

    await asyncio.gather(*(tick(ctx, Watch()) for ctx in (world.ctx, other) * 3))

    steps = await world.relay()
    assert len(steps) == 30
    assert len({step.incident_id for step in steps}) == 30
    assert {step.entering.level for step in steps} == {2}


async def test_two_escalators_never_begin_a_run_twice(world: World) -> None:
    for _ in range(20):
        await world.trigger(is_told=False)
    other = world.another_escalator()

    await asyncio.gather(*(sweep(ctx) for ctx in (world.ctx, other) * 3))

    assert len(await world.relay()) == 20


async def test_an_escalation_from_an_acknowledgement_nobody_told_of_is_followed(world: World) -> None:
    number = await world.trigger()
    asked = await world.enters()
    await world.acknowledge(number)
    await world.sql(
        "UPDATE incidents.incidents SET status = 'triggered', acknowledged_at = NULL, current_escalation_level = 2,"
        " level_entered_at = :at",
        at=world.now,
    )

    assert await world.steps() == []
    world.after(minutes=10)

    assert [(step.expected.level, step.entering.pass_number) for step in await world.steps()] == [(2, 2)]
    assert asked.entering.level == 1


async def test_an_acknowledgement_nobody_told_of_has_its_time_from_when_it_was_given(world: World) -> None:
    await world.sql("UPDATE directory.escalation_policies SET ack_timeout_minutes = 2")
    number = await world.trigger()
    await world.enters()
    await world.acknowledge(number, is_told=False)
    await world.steps()

    world.after(minutes=2)

    assert [step.after_ack_timeout for step in await world.steps()] == [True]


async def test_a_run_that_ended_in_error_goes_on(world: World) -> None:
    await world.trigger()
    await world.enters()
    await world.sql("UPDATE escalation.escalations SET state = 'over', due_at = NULL")

    world.after(minutes=5)

    assert [step.entering.level for step in await world.steps()] == [2]


async def test_a_run_that_cannot_be_looked_at_keeps_no_other_from_its_turn(world: World) -> None:
    broken, sound = await world.trigger(), await world.trigger()
    for asked in await world.steps():
        await world.apply(asked)
    good = (await world.run_of(broken)).policy
    await world.sql("UPDATE escalation.escalations SET policy = '{}' WHERE incident_id = :i", i=broken)

    world.after(minutes=5)
    steps = await world.steps()

    assert [step.incident_id for step in steps] == [sound]
    assert (await world.run_of(broken)).due_at == world.now + PUT_OFF
    await world.sql(
        "UPDATE escalation.escalations e SET policy = (SELECT policy FROM escalation.escalations o"
        " WHERE o.incident_id = :s) WHERE incident_id = :i",
        i=broken,
        s=sound,
    )
    assert (await world.run_of(broken)).policy == good
    world.after(seconds=30)
    assert broken in [step.incident_id for step in await world.steps()]


async def test_resolved_history_is_not_searched_for_what_is_unfollowed(world: World) -> None:
    await world.sql(
        "INSERT INTO incidents.incidents (title, description, severity, source_id, team_id, status,"
        " current_escalation_level, escalation_id, escalation_pass, escalation_reminder, level_entered_at,"
        " notification_count, created_at, alert_count, last_alert_at, links, labels, is_unreached)"
        " SELECT 'disk', '', 'info', 1, 1, 'resolved', 0, n, 1, 0, :at, 0, :at, 1, :at, '[]', '{}', false"
        " FROM generate_series(100001, 120000) AS n",
        at=NOON - timedelta(days=1),
    )
    await world.sql("ANALYZE incidents.incidents")

    statement = str(storage._UNFOLLOWED).replace(":limit", "200")
    plan = [row[0] for row in await world.sql(f"EXPLAIN {statement}")]

    assert any("incidents_open_key" in line or "incidents_triggered_idx" in line for line in plan), plan
