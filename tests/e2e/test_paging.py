"""Who is paged, when, and what stops it?"""

from tests.e2e.pagerpal import Pagerpal, hours, minutes


async def test_an_alert_pages_the_first_level_by_sms(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"], timeout=minutes(5))

    incident = await pagerpal.open_incident(team, title="Disk full on db-1")

    page = await pagerpal.expect_sms("ana", containing="Disk full on db-1")
    await pagerpal.expect_quiet()
    (log,) = [log for log in await pagerpal.logs(incident["id"]) if log["channel"] == "sms"]
    assert log["provider_message_id"] == page.message_id
    assert (log["user_name"], log["status"], log["level"], log["pass"]) == ("ana", "sent", 1, 1)
    assert pagerpal.people["ana"].phone not in str(log)


async def test_acknowledging_stops_everything(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"], timeout=minutes(5), repeat=1)
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")

    await pagerpal.acknowledge(incident["id"], by="ana")
    await pagerpal.advance(hours(1))

    await pagerpal.expect_quiet()


async def test_an_unanswered_incident_reaches_the_second_level(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"], timeout=minutes(5))
    await pagerpal.send_alert(team, external_id="disk-full", title="disk-full")
    await pagerpal.expect_sms("ana", containing="disk-full")

    await pagerpal.advance(minutes(5))

    await pagerpal.expect_sms("bo", containing="disk-full")
    await pagerpal.expect_call("ana", containing="disk-full")
