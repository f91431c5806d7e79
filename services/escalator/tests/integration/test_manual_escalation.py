"""A person wants the next level now."""

import asyncio

import pytest
from pagerpal_common.contracts.escalations import RequestEscalation
from pagerpal_common.contracts.incidents import IncidentChanged
from pagerpal_common.errors import BusUnavailable, Conflict, Invalid, NotFound
from pagerpal_escalator.handlers import request_escalation

from .conftest import World


@pytest.fixture
async def world(world: World) -> World:
    """With a policy of two levels, and incidents ready to answer."""
    await world.given_users("ana", "bo", "cy")
    await world.given_policy(["ana"], ["bo"])
    world.bus.answer = world.answer
    return world


async def click(world: World, number: int, *, expected_level: int | None = None) -> IncidentChanged:
    request = RequestEscalation(
        incident_id=number,
        actor_user_id=3,
        acting_as_user_id=1,
        expected_level=expected_level,
        occurred_at=world.now,
    )
    return await request_escalation(world.ctx, request)


async def test_the_next_level_is_entered_and_has_its_full_time(world: World) -> None:
    number = await world.trigger()
    await world.enters()
    world.after(minutes=1)

    changed = await click(world, number, expected_level=1)

    asked = world.bus.published[-1]
    assert (changed.incident.id, changed.incident.current_escalation_level) == (number, 2)
    assert asked.by is not None  # type: ignore[attr-defined]
    assert (asked.by.actor_user_id, asked.by.acting_as_user_id) == (3, 1)  # type: ignore[attr-defined]
    world.after(minutes=4)  # when level 1 would have been over
    assert await world.steps() == []
    world.after(minutes=26)
    assert [step.entering.reminder for step in await world.steps()] == [1]


async def test_from_acknowledged_the_run_becomes_live_again(world: World) -> None:
    number = await world.trigger()
    await world.enters()
    world.after(minutes=1)
    await world.acknowledge(number)
    world.after(minutes=1)

    changed = await click(world, number)

    assert (changed.incident.status, changed.incident.current_escalation_level) == ("triggered", 2)
    await world.steps()
    assert (await world.run_of(number)).state == "waiting"
    world.after(minutes=30)
    assert [step.entering.reminder for step in await world.steps()] == [1]


async def test_from_the_last_level_the_next_pass_begins_and_is_walked_to_its_end(world: World) -> None:
    number = await world.trigger()
    await world.enters()
    world.after(minutes=5)
    await world.enters()
    world.after(minutes=1)

    changed = await click(world, number, expected_level=2)

    assert (changed.incident.escalation_pass, changed.incident.current_escalation_level) == (2, 1)
    assert await world.steps() == []
    world.after(minutes=5)
    assert [(step.entering.pass_number, step.entering.level) for step in await world.steps()] == [(2, 2)]


async def test_before_the_run_has_begun_it_enters_the_first_level(world: World) -> None:
    number = await world.trigger(is_told=False)

    changed = await click(world, number, expected_level=0)

    assert changed.incident.current_escalation_level == 1
    assert await world.steps() == []
    assert (await world.run_of(number)).state == "waiting"


async def test_a_run_begun_for_nothing_asks_by_itself(world: World) -> None:
    number = await world.trigger(is_told=False)
    world.bus.answer = None
    with pytest.raises(BusUnavailable):
        await click(world, number)

    world.after(seconds=2)

    assert [step.entering.level for step in await world.steps()] == [1]


async def test_two_clicks_at_once_enter_one_level(world: World) -> None:
    number = await world.trigger()
    await world.enters()
    world.after(minutes=1)

    results = await asyncio.gather(*(click(world, number) for _ in range(4)), return_exceptions=True)

    assert [type(each) for each in results].count(IncidentChanged) == 1
    assert [type(each) for each in results].count(Conflict) == 3
    assert (await world.incident(number)).current_escalation_level == 2


async def test_a_second_click_that_comes_later_is_refused_by_the_level_it_saw(world: World) -> None:
    number = await world.trigger()
    await world.enters()
    world.after(minutes=1)
    await click(world, number, expected_level=1)
    world.after(minutes=1)

    with pytest.raises(Conflict, match="is at level 2 by now, not 1"):
        await click(world, number, expected_level=1)


async def test_a_request_handled_again_after_its_answer_was_lost_enters_no_further_level(world: World) -> None:
    number = await world.trigger()
    await world.enters()
    world.after(minutes=1)
    request = RequestEscalation(incident_id=number, actor_user_id=3, acting_as_user_id=3, occurred_at=world.now)
    world.after(seconds=0.2)
    await request_escalation(world.ctx, request)

    world.after(seconds=3)
    with pytest.raises(Conflict, match="has just entered level 2"):
        await request_escalation(world.ctx, request)

    assert (await world.incident(number)).current_escalation_level == 2


async def test_a_resolved_incident_is_refused(world: World) -> None:
    number = await world.trigger()
    await world.resolve(number)

    with pytest.raises(Invalid, match="a resolved incident cannot be escalated; reopen it first"):
        await click(world, number)


async def test_an_incident_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(NotFound, match="no incident 4711"):
        await click(world, 4711)


async def test_while_incidents_does_not_answer_nothing_is_promised(world: World) -> None:
    number = await world.trigger()
    await world.enters()
    world.after(minutes=1)
    world.bus.answer = None

    with pytest.raises(BusUnavailable):
        await click(world, number)

    assert await world.steps() == []
