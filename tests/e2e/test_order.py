"""What comes of alerts that fire again, and who is woken for it?"""

from tests.e2e.pagerpal import Pagerpal, minutes


async def test_what_fires_again_within_the_source_s_flap_time_wakes_somebody_for_the_same_incident(
    pagerpal: Pagerpal,
) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    flapping = await pagerpal.given_source(team.team_id, flap_seconds=300)
    incident = await pagerpal.open_incident(flapping)
    await pagerpal.expect_sms("ana")
    await pagerpal.acknowledge(incident["id"], by="ana")
    await pagerpal.send_alert(flapping, status="resolved")
    await pagerpal.advance(minutes(4))

    again = await pagerpal.send_alert(flapping)

    assert (again.status_code, again.json()["id"], again.json()["status"]) == (200, incident["id"], "triggered")
    assert (again.json()["acknowledged_by"], again.json()["alert_count"]) == (None, 2)
    await pagerpal.expect_sms("ana", containing=f"#{incident['id']}")
    events = await pagerpal.events(incident["id"])
    (reopened,) = [event for event in events if event["event_type"] == "reopened"]
    assert (reopened["data"], reopened["actor_user_id"]) == ({"flap_count": 1}, None)
    assert "reopened (flap 1)" in reopened["message"]


async def test_what_fires_again_later_is_another_incident(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    flapping = await pagerpal.given_source(team.team_id, flap_seconds=300)
    first = await pagerpal.open_incident(flapping)
    await pagerpal.expect_sms("ana")
    await pagerpal.send_alert(flapping, status="resolved")
    await pagerpal.advance(minutes(6))

    second = await pagerpal.open_incident(flapping)

    assert second["id"] != first["id"]
    await pagerpal.expect_sms("ana", containing=f"#{second['id']}")


async def test_what_a_person_resolved_is_no_flap(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    flapping = await pagerpal.given_source(team.team_id, flap_seconds=300)
    first = await pagerpal.open_incident(flapping)
    await pagerpal.expect_sms("ana")
    await pagerpal.resolve(first["id"], by="ana")

    second = await pagerpal.open_incident(flapping)

    assert second["id"] != first["id"]
    await pagerpal.expect_sms("ana", containing=f"#{second['id']}")
