"""Where does an incident go when nobody answers, and how far can a person push it?"""

import asyncio

from tests.e2e.pagerpal import Pagerpal, Rota, Shift, hours, minutes


async def test_after_the_last_pass_the_last_level_is_reminded_every_half_hour(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"], timeout=minutes(5), repeat=1)
    pagerpal.allow_calls("ana", "bo")
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    for name in ("bo", "ana", "bo"):
        await pagerpal.advance(minutes(5))
        await pagerpal.expect_sms(name)

    await pagerpal.advance(minutes(29))
    await pagerpal.expect_quiet()
    await pagerpal.advance(minutes(1))

    await pagerpal.expect_sms("bo")
    await pagerpal.advance(minutes(30))
    await pagerpal.expect_sms("bo")
    assert (await pagerpal.incident(incident["id"]))["escalation_pass"] == 2
    reminders = [event for event in await pagerpal.events(incident["id"]) if event["event_type"] == "reminded"]
    assert len(reminders) == 2


async def test_a_long_silence_moves_one_level_and_never_a_burst(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo", "cy"], timeout=minutes(5))
    pagerpal.allow_calls("ana")
    await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")

    await pagerpal.advance(hours(1))

    await pagerpal.expect_sms("bo")
    await pagerpal.expect_quiet()


async def test_a_schedule_pages_whoever_is_on_call(pagerpal: Pagerpal) -> None:
    shifts = [Shift("ana", -hours(8), -hours(1)), Shift("bo", -hours(1), hours(8)), Shift("cy", hours(8), hours(9))]
    team = await pagerpal.given_team(levels=[Rota(shifts)])

    await pagerpal.open_incident(team)

    await pagerpal.expect_sms("bo")
    await pagerpal.expect_quiet()


async def test_an_override_wins_over_the_entry_beneath_it(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=[Rota([Shift("ana"), Shift("bo", -hours(1), hours(1), is_override=True)])])

    incident = await pagerpal.open_incident(team)

    await pagerpal.expect_sms("bo")
    await pagerpal.expect_quiet()
    assert incident["assigned_user_id"] == pagerpal.people["bo"].user_id


async def test_a_level_with_nobody_on_call_is_passed_at_once(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=[Rota(), "bo"])

    incident = await pagerpal.open_incident(team)

    await pagerpal.expect_sms("bo")
    kinds = [event["event_type"] for event in await pagerpal.events(incident["id"])]
    assert kinds[:3] == ["triggered", "level_skipped", "escalated"]


async def test_a_policy_that_reaches_nobody_pages_the_team(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=[Rota()], members=["ana"])

    incident = await pagerpal.open_incident(team)

    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()
    assert (await pagerpal.incident(incident["id"]))["is_unreached"]


async def test_a_team_without_a_policy_pages_its_members(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(members=["ana", "bo"])

    incident = await pagerpal.open_incident(team)

    await pagerpal.expect_sms("ana")
    await pagerpal.expect_sms("bo")
    await pagerpal.expect_quiet()
    assert (await pagerpal.incident(incident["id"]))["is_unreached"]


async def test_a_team_without_anybody_pages_every_admin(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()
    admin = await pagerpal.given_person("ada", role="admin")

    incident = await pagerpal.open_incident(team)

    await pagerpal.expect_sms("ada")
    assert (await pagerpal.incident(incident["id"]))["is_unreached"]
    await pagerpal.api.delete(f"/api/v1/users/{admin.user_id}")


async def test_a_person_can_escalate_at_once(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")

    answer = await pagerpal.escalate(incident["id"], by="ana")

    assert (answer.status_code, answer.json()["current_escalation_level"]) == (200, 2)
    await pagerpal.expect_sms("bo")
    await pagerpal.expect_quiet()


async def test_escalating_an_acknowledged_incident_takes_it_back_to_triggered(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.acknowledge(incident["id"], by="ana")

    answer = await pagerpal.escalate(incident["id"], by="ana")

    assert (answer.json()["status"], answer.json()["acknowledged_by"]) == ("triggered", None)
    await pagerpal.expect_sms("bo")


async def test_two_clicks_never_skip_a_level(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo", "cy"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")

    answers = await asyncio.gather(
        *(pagerpal.escalate(incident["id"], by="ana", expected_level=1) for _ in range(2)),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    await pagerpal.expect_sms("bo")
    await pagerpal.expect_quiet()
    assert (await pagerpal.incident(incident["id"]))["current_escalation_level"] == 2


async def test_escalating_from_the_last_level_begins_the_next_pass(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")

    answer = await pagerpal.escalate(incident["id"], by="ana")

    assert (answer.json()["current_escalation_level"], answer.json()["escalation_pass"]) == (1, 2)
    await pagerpal.expect_sms("ana")
