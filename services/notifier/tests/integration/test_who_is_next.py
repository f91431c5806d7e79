"""What a page tells of its level, and of who comes after."""

import json
from typing import Any

from pagerpal_notifier.loops import take_up

from services.notifier.tests.integration.fake_infobip import FakeInfobip
from services.notifier.tests.integration.world import World


async def given_run(world: World, incident_id: int, *levels: list[dict[str, Any]]) -> None:
    """The run of this incident, by a policy of these levels, as the escalator has it before it hears of the first."""
    policy = {
        "policy_id": 1,
        "levels": [
            {"number": number, "timeout": "PT5M", "assignees": assignees}
            for number, assignees in enumerate(levels, start=1)
        ],
    }
    await world.rows(
        "INSERT INTO escalation.escalations (escalation_id, incident_id, team_id, policy, state, pass_number, level,"
        " reminder, started_at) SELECT escalation_id, id, 1, CAST(:policy AS jsonb), 'running', 1, 0, 0, :now"
        " FROM incidents.incidents WHERE id = :id",
        id=incident_id,
        policy=json.dumps(policy),
        now=world.clock(),
    )


async def sms_to(world: World, infobip: FakeInfobip, user_id: int, incident_id: int, *, level: int) -> str:
    await world.page_request(incident_id, user_id, level=level)
    await world.rows("UPDATE directory.users SET name = 'Bo' WHERE email = 'bo@example.com'")
    await take_up(world.ctx)
    await world.send()
    return infobip.taken[-1].text


async def test_a_page_names_the_people_and_schedules_of_the_level_after_its_own(
    world: World, infobip: FakeInfobip
) -> None:
    ana, bo = await world.user(), await world.user(email="bo@example.com")
    (nights,) = await world.rows(
        "WITH team AS (INSERT INTO directory.teams (name, created_at) VALUES ('Base', :now) RETURNING id)"
        " INSERT INTO directory.schedules (team_id, name, timezone, created_at)"
        " SELECT id, 'Nights', 'UTC', :now FROM team RETURNING id",
        now=world.clock(),
    )
    incident_id = await world.incident()
    await given_run(
        world, incident_id, [{"user_id": ana}], [{"user_id": bo}, {"schedule_id": nights["id"]}], [{"user_id": ana}]
    )

    text = await sms_to(world, infobip, ana, incident_id, level=1)

    assert text.split("\n")[:2] == [f"CRITICAL #{incident_id} L1: Disk full on db1", "Next: Bo, on call for Nights"]


async def test_after_the_last_level_and_after_people_who_are_gone_nobody_is_named(
    world: World, infobip: FakeInfobip
) -> None:
    ana, bo = await world.user(), await world.user(email="bo@example.com", is_active=False)
    first, last = await world.incident(), await world.incident()
    await given_run(world, first, [{"user_id": ana}], [{"user_id": bo}])
    await given_run(world, last, [{"user_id": bo}], [{"user_id": ana}])

    for incident_id, level in ((first, 1), (last, 2)):
        assert "Next" not in await sms_to(world, infobip, ana, incident_id, level=level)
