"""What the provider says later, what a person wants tried again, and a test alert: seen from outside."""

from typing import Any

from tests.e2e.fake_infobip import HANDSET, NOT_DELIVERED, Behaviour, pressed
from tests.e2e.pagerpal import Pagerpal, hours, minutes


async def statuses(pagerpal: Pagerpal, incident: Any) -> dict[str, str]:
    return {log["channel"]: log["status"] for log in await pagerpal.logs(incident["id"])}


async def test_receipts_change_the_log_and_a_failed_sms_makes_the_call_come_at_once(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=[["ana", "bo"]], timeout=hours(1))
    incident = await pagerpal.open_incident(team)
    to_ana, to_bo = await pagerpal.expect_sms("ana"), await pagerpal.expect_sms("bo")
    await pagerpal.expect_quiet()

    await pagerpal.provider_reports((to_ana, NOT_DELIVERED), (to_bo, HANDSET))

    call = await pagerpal.expect_call("ana")
    await pagerpal.expect_quiet()
    logs = await pagerpal.logs(incident["id"])
    assert {(log["user_name"], log["channel"], log["status"]) for log in logs} == {
        ("ana", "sms", "failed"),
        ("ana", "voice", "sent"),
        ("bo", "sms", "delivered"),
        ("bo", "voice", "queued"),
    }
    assert [log["error"] for log in logs if log["error"]] == ["Infobip: UNDELIVERABLE_NOT_DELIVERED (error 27)"]
    assert all((log["delivered_at"] is not None) == (log["status"] == "delivered") for log in logs)

    await pagerpal.provider_reports((call, HANDSET), (to_ana, HANDSET), (to_ana, NOT_DELIVERED))
    await pagerpal.expect_quiet()
    kinds = [event["event_type"] for event in await pagerpal.events(incident["id"])]
    assert kinds.count("notification_delivered") == 3, "a delivered after a failed wins, in either order"
    assert kinds.count("notification_failed") == 1


async def test_a_receipt_for_what_is_over_changes_the_log_and_pages_nobody(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    incident = await pagerpal.open_incident(team)
    page = await pagerpal.expect_sms("ana")
    await pagerpal.resolve(incident["id"], by="ana")

    await pagerpal.provider_reports((page, NOT_DELIVERED))
    await pagerpal.expect_quiet()

    assert await statuses(pagerpal, incident) == {"sms": "failed", "voice": "cancelled"}
    assert (await pagerpal.incident(incident["id"]))["status"] == "resolved"


async def test_whoever_presses_1_on_the_call_has_acknowledged(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"], timeout=hours(1))
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana", containing=f"\nNext: bo\nReply ack {incident['id']}")
    await pagerpal.advance(minutes(2))
    call = await pagerpal.expect_call("ana", containing="Press 1 to acknowledge, 2 to escalate.")

    await pagerpal.provider_reports((call, pressed("1")), (call, pressed("1")))

    async def acknowledged() -> Any:
        now = await pagerpal.incident(incident["id"])
        return now if now["status"] == "acknowledged" else None

    now = await pagerpal.until("the incident is acknowledged", acknowledged)
    assert now["acknowledged_by"] == pagerpal.people["ana"].user_id
    await pagerpal.advance(hours(1))
    await pagerpal.expect_quiet()


async def test_whoever_presses_2_on_the_call_has_the_next_level_paged_once(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo", "cy"], timeout=hours(1))
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.advance(minutes(2))
    call = await pagerpal.expect_call("ana")

    await pagerpal.provider_reports((call, pressed("2")))

    await pagerpal.expect_sms("bo", containing="L2")
    await pagerpal.provider_reports((call, pressed("2")))
    await pagerpal.expect_quiet()
    assert (await pagerpal.incident(incident["id"]))["current_escalation_level"] == 2


async def test_what_has_failed_is_tried_again_when_a_person_wants_it(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"], timeout=hours(1))
    pagerpal.provider_will("ana", Behaviour.REJECT)
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_call("ana")
    await pagerpal.expect_quiet()
    assert await statuses(pagerpal, incident) == {"sms": "failed", "voice": "sent"}

    assert await pagerpal.retry(incident["id"]) == {"retried_count": 1, "queued_count": 1}

    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()
    assert await statuses(pagerpal, incident) == {"sms": "sent", "voice": "sent"}
    assert await pagerpal.retry(incident["id"]) == {"retried_count": 0, "queued_count": 0}
    (line,) = [e for e in await pagerpal.events(incident["id"]) if e["event_type"] == "notification_retried"]
    assert (line["actor_user_id"], line["acting_as_user_id"]) == (1, 1)


async def test_a_test_alert_pages_whom_a_real_one_would(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])

    incident = await pagerpal.send_test_alert(team)

    assert (incident["severity"], incident["status"], incident["source_id"]) == (
        "critical",
        "triggered",
        team.source_id,
    )
    await pagerpal.expect_sms("ana", containing="Test alert from monitoring, sent by Admin")
    await pagerpal.expect_quiet()
