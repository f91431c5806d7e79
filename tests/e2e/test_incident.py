"""What becomes of an incident: by further alerts, by people, and in what its record says?"""

import asyncio
import re
from typing import Any

from tests.e2e.pagerpal import Pagerpal, hours, minutes

RFC_3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


async def test_a_new_incident_has_every_field_of_the_reference(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"])

    incident = await pagerpal.open_incident(
        team,
        title="CPU > 95% on prod-api-03",
        description="CPU has been above 95% for 10 minutes",
        external_id="prod-api-03-cpu-high",
        team_id=team.team_id,
        source_id=team.source_id,
    )

    await pagerpal.expect_sms("ana", containing="CPU > 95% on prod-api-03")
    times = {name: incident.pop(name) for name in ("created_at", "last_alert_at")}
    assert all(RFC_3339_UTC.fullmatch(time) for time in times.values())
    assert incident.pop("id") > 0
    assert incident.pop("escalation_id") > 0
    assert incident == {
        "title": "CPU > 95% on prod-api-03",
        "description": "CPU has been above 95% for 10 minutes",
        "severity": "critical",
        "external_id": "prod-api-03-cpu-high",
        "source_id": team.source_id,
        "team_id": team.team_id,
        "status": "triggered",
        "current_escalation_level": 0,
        "assigned_user_id": pagerpal.people["ana"].user_id,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "resolved_by": None,
        "resolved_at": None,
        "first_notified_at": None,
        "last_notified_at": None,
        "notification_count": 0,
        "escalation_pass": 1,
        "alert_count": 1,
        "links": [],
        "labels": {},
        "is_unreached": False,
    }


async def test_a_page_is_counted_on_the_incident(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()

    now = await pagerpal.incident(incident["id"])

    assert (now["notification_count"], now["current_escalation_level"]) == (1, 1)
    assert now["first_notified_at"] == now["last_notified_at"] is not None


async def test_the_same_external_id_updates_the_incident_and_pages_nobody(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")

    again = await pagerpal.send_alert(team)

    assert (again.status_code, again.json()["id"], again.json()["alert_count"]) == (200, incident["id"], 2)
    await pagerpal.expect_quiet()


async def test_a_storm_of_one_alert_is_one_incident_and_one_page(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])

    answers = await asyncio.gather(*(pagerpal.send_alert(team) for _ in range(50)))

    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()


async def test_a_resolved_alert_resolves_the_incident_and_stops_paging(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"], timeout=minutes(5))
    await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")

    answer = await pagerpal.send_alert(team, status="resolved")

    assert (answer.status_code, answer.json()["status"], answer.json()["resolved_by"]) == (200, "resolved", None)
    await pagerpal.advance(hours(1))
    await pagerpal.expect_quiet()


async def test_a_new_alert_after_the_end_opens_another_incident(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    first = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.resolve(first["id"], by="ana")

    second = await pagerpal.open_incident(team)

    assert second["id"] != first["id"]
    await pagerpal.expect_sms("ana", containing=f"#{second['id']}")


async def test_reopening_pages_again_in_a_new_run(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.resolve(incident["id"], by="ana")

    answer = await pagerpal.reopen(incident["id"], by="bo")

    assert (answer.status_code, answer.json()["status"]) == (200, "triggered")
    assert answer.json()["escalation_id"] != incident["escalation_id"]
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()


async def test_reopening_is_refused_while_a_newer_incident_is_open(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    old = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.resolve(old["id"], by="ana")
    new = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")

    answer = await pagerpal.reopen(old["id"], by="ana")

    assert answer.status_code == 409
    assert str(new["id"]) in answer.json()["detail"]


async def test_the_first_to_acknowledge_stays(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=[["ana", "bo"]])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_sms("bo")
    await pagerpal.expect_quiet()

    first = await pagerpal.acknowledge(incident["id"], by="ana")
    second = await pagerpal.acknowledge(incident["id"], by="bo")

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()
    assert first.json()["acknowledged_by"] == pagerpal.people["ana"].user_id


async def test_a_resolved_incident_cannot_be_acknowledged_or_escalated(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.resolve(incident["id"], by="ana")

    answers = [
        await pagerpal.acknowledge(incident["id"], by="ana"),
        await pagerpal.escalate(incident["id"], by="ana"),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]


async def test_the_timeline_tells_the_story_in_order(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"], timeout=minutes(5))
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()
    await pagerpal.advance(minutes(5))
    await pagerpal.expect_sms("bo")
    await pagerpal.expect_call("ana")
    await pagerpal.expect_quiet()
    await pagerpal.acknowledge(incident["id"], by="bo")
    await pagerpal.resolve(incident["id"], by="bo")

    events = await pagerpal.events(incident["id"])

    kinds = [event["event_type"] for event in events]
    assert kinds[:3] == ["triggered", "escalated", "notification_sent"]
    assert sorted(kinds[3:6]) == ["escalated", "notification_sent", "notification_sent"]
    assert kinds[6:] == ["acknowledged", "resolved"]
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)
    assert _who(events[6]) == _who(events[7]) == (1, pagerpal.people["bo"].user_id)


async def test_the_notification_log_says_who_was_told_how_and_why(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"], timeout=minutes(5))
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.advance(minutes(2))
    call = await pagerpal.expect_call("ana")
    await pagerpal.expect_quiet()

    first, second = await pagerpal.logs(incident["id"])

    assert (first["channel"], first["status"], first["attempts"]) == ("sms", "sent", 1)
    assert (second["channel"], second["status"], second["attempts"]) == ("voice", "sent", 1)
    assert second["provider_message_id"] == call.message_id
    assert any("level 1" in reason for reason in first["reason"])


def _who(event: dict[str, Any]) -> tuple[int, int]:
    return event["actor_user_id"], event["acting_as_user_id"]


async def test_a_note_is_on_the_timeline_once_and_wakes_nobody(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.resolve(incident["id"], by="ana")

    answers = [await pagerpal.act(incident["id"], "notes", "bo", text=" It was\nthe backup ") for _ in range(2)]

    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(200, "resolved")] * 2
    notes = [event for event in await pagerpal.events(incident["id"]) if event["event_type"] == "note"]
    assert [note["message"] for note in notes] == ["It was\nthe backup"]
    assert notes[0]["acting_as_user_id"] == pagerpal.people["bo"].user_id
    assert notes[0]["actor_user_id"] != notes[0]["acting_as_user_id"]
    await pagerpal.expect_quiet()
