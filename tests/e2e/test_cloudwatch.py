"""What becomes of what CloudWatch says, by Amazon SNS and its URL with the key?"""

import json
from datetime import timedelta
from typing import Any

import httpx

from tests.e2e.pagerpal import Pagerpal, Team, hours, minutes

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
ALARM = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:prod-api-cpu-high"


async def deliver(pagerpal: Pagerpal, team: Team, message_id: str, message: str, **fields: Any) -> httpx.Response:
    """What SNS posts, as it posts it: JSON that calls itself text, the key in the URL."""
    envelope = {
        "Type": "Notification",
        "MessageId": f"{team.source_id}-{message_id}",
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": _time(pagerpal),
        **fields,
    }
    answer = await pagerpal.ingest.post(
        f"/api/v1/webhooks/cloudwatch?api_key={team.api_key}",
        content=json.dumps(envelope),
        headers={"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": envelope["Type"]},
    )
    if answer.status_code in {200, 201} and "id" in answer.json():
        pagerpal.incidents.add(answer.json()["id"])
    return answer


async def alarm(pagerpal: Pagerpal, team: Team, before: str, state: str) -> httpx.Response:
    """The alarm has gone from one state to another."""
    message = {
        "AlarmName": "prod-api-cpu-high",
        "AlarmDescription": None,
        "AlarmArn": ALARM,
        "AWSAccountId": "123456789012",
        "Region": "EU (Ireland)",
        "OldStateValue": before,
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": _time(pagerpal).replace("Z", "+0000"),
        "Trigger": {"MetricName": "CPUUtilization", "Namespace": "AWS/EC2", "Dimensions": [], "Threshold": 95.0},
    }
    return await deliver(pagerpal, team, f"{before}-{state}", json.dumps(message))


def _time(pagerpal: Pagerpal) -> str:
    return pagerpal.deployment.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def test_an_alarm_pages_until_it_is_ok_whether_it_has_data_or_not(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"], timeout=minutes(5))

    opened = await alarm(pagerpal, team, "OK", "ALARM")

    assert (opened.status_code, opened.json()["external_id"]) == (201, ALARM)
    await pagerpal.expect_sms("ana", containing="prod-api-cpu-high")

    again = await alarm(pagerpal, team, "OK", "ALARM")
    silent = await alarm(pagerpal, team, "ALARM", "INSUFFICIENT_DATA")

    assert (again.status_code, again.json()["id"]) == (200, opened.json()["id"])
    assert (silent.status_code, silent.json()["id"]) == (200, opened.json()["id"])
    assert (await pagerpal.incident(opened.json()["id"]))["status"] == "triggered"
    await pagerpal.expect_quiet()
    await pagerpal.advance(minutes(5))
    await pagerpal.expect_sms("bo")
    pagerpal.calls_allowed.update(person.phone.lstrip("+") for person in pagerpal.people.values())

    over = await alarm(pagerpal, team, "INSUFFICIENT_DATA", "OK")

    assert (over.status_code, over.json()["id"], over.json()["status"]) == (200, opened.json()["id"], "resolved")
    await pagerpal.advance(hours(1))
    await pagerpal.expect_quiet()


async def test_a_repeated_delivery_after_the_end_opens_nothing(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    message = json.dumps({"AlarmName": "cpu", "NewStateValue": "ALARM", "Trigger": {}})
    opened = await deliver(pagerpal, team, "1", message)
    await pagerpal.expect_sms("ana")
    await deliver(pagerpal, team, "2", message.replace("ALARM", "OK"))
    await pagerpal.advance(timedelta(minutes=30))

    late = await deliver(pagerpal, team, "1", message)

    assert (late.status_code, late.json()["id"], late.json()["status"]) == (200, opened.json()["id"], "resolved")
    await pagerpal.expect_quiet()


async def test_the_reference_s_example_opens_an_incident_each_time_that_it_is_tried(pagerpal: Pagerpal) -> None:
    """It has one hand-written id, no time and no signature: what has become of the alarm says whether it is news."""
    team = await pagerpal.given_team(levels=["ana"])
    message = json.dumps({"AlarmName": "cpu", "NewStateValue": "ALARM", "NewStateReason": "hot", "Trigger": {}})
    example: dict[str, Any] = {"Timestamp": None, "TopicArn": None}
    numbers = []
    for is_ended_by_hand in (False, True, False):
        opened = await deliver(pagerpal, team, "example", message, **example)
        assert opened.status_code == 201
        await pagerpal.expect_sms("ana", containing="cpu")

        again = await deliver(pagerpal, team, "example", message, **example)
        assert (again.status_code, again.json()["id"]) == (200, opened.json()["id"])
        await pagerpal.expect_quiet()

        if is_ended_by_hand:
            over = await pagerpal.resolve(opened.json()["id"], by="ana")
        else:
            over = await deliver(pagerpal, team, "example", message.replace("ALARM", "OK"), **example)
        assert (over.json()["id"], over.json()["status"]) == (opened.json()["id"], "resolved")
        numbers.append(opened.json()["id"])

    assert len(set(numbers)) == 3


async def test_what_is_no_alarm_is_seen_and_the_end_of_the_subscription_wakes(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])

    text = await deliver(pagerpal, team, "1", "A backup job has failed.\nSee the console.", Subject="AWS Backup")

    assert (text.status_code, text.json()["title"], text.json()["severity"]) == (201, "AWS Backup", "info")
    await pagerpal.expect_sms("ana", containing="AWS Backup")

    ended = await deliver(pagerpal, team, "2", "You have chosen to deactivate", Type="UnsubscribeConfirmation")

    assert (ended.status_code, ended.json()["severity"], ended.json()["team_id"]) == (200, "critical", team.team_id)
    await pagerpal.expect_sms("ana", containing="Unsubscribed")


async def test_nothing_is_fetched_but_from_amazon(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    url = f"https://evil.example/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=x"

    answer = await deliver(
        pagerpal, team, "1", "You have chosen", Type="SubscriptionConfirmation", SubscribeURL=url, Token="x"
    )

    assert answer.status_code == 400
    assert "sns.eu-west-1.amazonaws.com" in answer.json()["detail"]
