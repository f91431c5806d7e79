"""What does Amazon SNS hear, what is fetched, and what is published?"""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus
from pagerpal_ingest.amazon import Fetched
from structlog.testing import capture_logs

from services.ingest.tests.conftest import TestClock, an_incident, is_away, is_silent, opens
from services.ingest.tests.fake_amazon import (
    CERTIFICATE,
    CONFIRM,
    HOST,
    OTHER_TOPIC,
    TOKEN,
    TOPIC,
    FakeAmazon,
    confirmation,
    notification,
    other_key,
    signed,
)
from services.ingest.tests.integration.conftest import KEY, Door

PATH = "/api/v1/webhooks/cloudwatch"
CORPUS = Path(__file__).parents[1] / "corpus"
ALARM = {"AlarmName": "cpu", "NewStateValue": "ALARM", "NewStateReason": "above threshold", "Trigger": {}}
ALARM_TEXT = json.dumps(ALARM)


async def post(door: Door, body: Any, headers: dict[str, str] | None = None, query: str = "") -> httpx.Response:
    """As SNS does: JSON as text/plain, the key where the test wants it, by default in the query."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "text/plain; charset=UTF-8", **(headers or {})}
    return await door.client.post(f"{PATH}{query or f'?api_key={KEY}'}", content=raw, headers=given)


async def configure(door: Door, **config: Any) -> None:
    """What an administrator writes into the source; known after a few seconds."""
    await door.execute("UPDATE directory.alert_sources SET config = CAST(:config AS jsonb)", config=json.dumps(config))
    door.clock.advance(seconds=5)


async def pinned(door: Door) -> list[tuple[int, str]]:
    async with door.admin.begin() as tx:
        rows = await tx.exec_driver_sql("SELECT source_id, topic_arn FROM ingest.sns_topics")
        return [(row.source_id, row.topic_arn) for row in rows]


async def test_the_reference_s_minimal_alarm_opens_its_incident(door: Door) -> None:
    body = (CORPUS / "cloudwatch" / "seed_minimal.json").read_bytes()

    answer = await door.client.post(PATH, content=body, headers={"X-API-Key": KEY, "Content-Type": "application/json"})

    assert answer.status_code == 201
    (alert,) = door.bus.alerts
    assert answer.json() == json.loads(an_incident(alert).model_dump_json())
    assert (alert.external_id, alert.status, alert.severity) == ("prod-api-cpu-high", "firing", "critical")
    assert (alert.source_id, alert.team_id, alert.escalation_policy_id) == (7, 1, 5)


@pytest.mark.parametrize(
    ("state", "outcome", "status"),
    [
        ("ALARM", AlertOutcome.UPDATED, AlertStatus.FIRING),
        ("OK", AlertOutcome.RESOLVED, AlertStatus.RESOLVED),
        ("INSUFFICIENT_DATA", AlertOutcome.NOTED, AlertStatus.UNKNOWN),
    ],
)
async def test_every_state_is_answered_with_the_incident(
    door: Door, state: str, outcome: AlertOutcome, status: AlertStatus
) -> None:
    door.bus.script = opens(outcome)

    answer = await post(door, notification(json.dumps({**ALARM, "NewStateValue": state})))

    assert (answer.status_code, answer.json()["id"]) == (200, 42)
    assert door.bus.alerts[0].status is status


async def test_a_state_of_what_is_not_open_is_200(door: Door) -> None:
    door.bus.script = opens(AlertOutcome.IGNORED, with_incident=False)

    answer = await post(door, notification(json.dumps({**ALARM, "NewStateValue": "OK"})))

    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")


@pytest.mark.parametrize(
    "content_type", ["text/plain; charset=UTF-8", "application/json", "application/x-www-form-urlencoded", "x"]
)
async def test_any_content_type_will_do(door: Door, content_type: str) -> None:
    assert (await post(door, notification(ALARM_TEXT), {"Content-Type": content_type})).status_code == 201


async def test_without_a_key_sns_is_challenged_for_one(door: Door) -> None:
    """It sends a user and password of an endpoint's URL only after this answer."""
    answer = await door.client.post(PATH, content=b"{}")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert (await post(door, notification(), query="?api_key=pp_wrong")).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"not json", 422), (b"{}", 422), (b'{"Type":"x","Message":"y"}', 422), (b" " * 300_000, 413)],
)
async def test_what_is_no_message_is_refused_as_the_sender_s(door: Door, body: bytes, status: int) -> None:
    answer = await post(door, body)

    assert answer.status_code == status
    assert answer.json()["detail"]
    assert door.bus.groups == []


@pytest.mark.parametrize("is_present", [False, True])
async def test_when_incidents_is_away_the_alarm_is_kept(door: Door, is_present: bool) -> None:
    door.bus.script = is_silent if is_present else is_away

    answer = await post(door, notification(ALARM_TEXT))

    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    (row,) = await door.spooled()
    assert Alert.model_validate_json(json.dumps(row["body"])).external_id == "cpu"


async def test_when_all_is_away_sns_is_told_to_come_again(door: Door) -> None:
    await post(door, notification())
    door.bus.script = is_away
    await door.cable.cut()

    answer = await post(door, notification(ALARM_TEXT))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_a_repeat_is_the_same_alert_and_kept_once(door: Door) -> None:
    door.bus.script = is_away

    answers = [await post(door, signed(notification(ALARM_TEXT))) for _ in range(10)]

    assert {answer.status_code for answer in answers} == {202}
    assert len({alert.alert_id for alert in door.bus.alerts}) == 1
    assert len(await door.spooled()) == 1


@pytest.mark.parametrize("body", [file.read_bytes() for file in sorted(CORPUS.glob("cloudwatch/*.json"))])
async def test_every_alarm_of_the_corpus_opens_an_incident(door: Door, body: bytes) -> None:
    assert (await post(door, body)).status_code == 201
    assert door.bus.alerts[0].status is AlertStatus.FIRING


async def test_a_raw_delivery_is_taken_by_its_header(door: Door) -> None:
    headers = {"x-amz-sns-rawdelivery": "true", "x-amz-sns-message-id": "m-1", "x-amz-sns-topic-arn": TOPIC}

    answers = [await post(door, ALARM, headers), await post(door, b"plain text", headers)]

    assert [answer.status_code for answer in answers] == [201, 201]
    alarm, text = door.bus.alerts
    assert (alarm.external_id, text.severity, text.title) == ("cpu", "info", "plain text")


async def test_a_lambda_event_is_taken_record_by_record(door: Door) -> None:
    records = [{"Sns": notification(json.dumps({**ALARM, "AlarmName": name}))} for name in ("cpu", "disk")]

    answer = await post(door, {"Records": records})

    assert (answer.status_code, answer.json()["external_id"]) == (201, "cpu")
    assert [alert.external_id for alert in door.bus.alerts] == ["cpu", "disk"]


async def test_a_record_that_cannot_be_read_does_not_cost_the_alarm_beside_it(door: Door) -> None:
    answer = await post(door, {"Records": [{"Sns": {}}, {"Sns": notification(ALARM_TEXT)}, {}]})

    assert (answer.status_code, answer.json()["external_id"]) == (201, "cpu")
    (alert,) = door.bus.alerts
    assert alert.note == "2 of the 3 records that came with it could not be read"
    assert alert.raw is not None
    assert json.loads(json.loads(alert.raw.text or "")["Message"]) == ALARM


async def test_several_alarms_in_one_message_are_all_taken(door: Door) -> None:
    answer = await post(door, notification(json.dumps([ALARM, {**ALARM, "AlarmName": "disk"}])))

    assert (answer.status_code, answer.json()["external_id"]) == (201, "cpu")
    assert [alert.external_id for alert in door.bus.alerts] == ["cpu", "disk"]
    assert all(alert.raw is not None and alert.raw.text for alert in door.bus.alerts)


BOM = b"\xef\xbb\xbf"
OF_SNS = {"x-amz-sns-message-type": "Notification"}


def carelessly(envelope: dict[str, Any]) -> list[bytes]:
    """The same as other programs may write it."""
    body = json.dumps(envelope).encode()
    more = [b', "Number": ' + b"9" * 5000, b', "Cut": "\\ud83d"', b', "Line": "\n"']
    return [BOM + body, *(body[:-1] + one + b"}" for one in more)]


async def test_the_topic_of_a_carelessly_written_message_counts_too(door: Door) -> None:
    await configure(door, topic_arns=[OTHER_TOPIC])

    answers = [await post(door, body, OF_SNS) for body in carelessly(notification(ALARM_TEXT))]

    assert {answer.status_code for answer in answers} == {403}
    assert door.bus.groups == []
    mine = [await post(door, body, OF_SNS) for body in carelessly(notification(ALARM_TEXT, TopicArn=OTHER_TOPIC))]
    assert {answer.status_code for answer in mine} == {201}
    assert {alert.external_id for alert in door.bus.alerts} == {"cpu"}


async def test_so_does_its_signature(door: Door, amazon: FakeAmazon) -> None:
    """Of a name given twice, what is verified is what is read."""
    good, bad = signed(notification(ALARM_TEXT)), {**signed(notification(ALARM_TEXT)), "Message": "{}"}
    await configure(door, verify_signature=True)

    answers = [await post(door, body, OF_SNS) for body in carelessly(bad)]
    body = json.dumps(good).encode()
    answers.append(await post(door, body[:-1] + b', "Message": "{}"}', OF_SNS))
    answers.append(await post(door, body.replace(b"disk", b"disk\\ud83d").replace(b"cpu", b"cpu\\ud83d"), OF_SNS))

    assert {answer.status_code for answer in answers} == {403}
    assert door.bus.groups == []
    taken = [await post(door, body, OF_SNS) for body in [*carelessly(good), b'{"Message":"{}",' + body[1:]]]
    assert {answer.status_code for answer in taken} == {201}
    assert {alert.external_id for alert in door.bus.alerts} == {"cpu"}


async def test_a_message_that_cannot_be_read_is_refused_and_counted_and_none_of_it_is_kept(door: Door) -> None:
    body = json.dumps(confirmation()).encode()[:-1]

    answer = await post(door, body, {"x-amz-sns-message-type": "SubscriptionConfirmation"})

    assert answer.status_code == 422
    assert TOKEN not in answer.text
    assert door.bus.groups == []
    await door.turn("ingest.source_tally")
    async with door.admin.begin() as tx:
        found = await tx.exec_driver_sql("SELECT ending, count FROM ingest.source_tallies")
        assert [tuple(row) for row in found] == [("refused_request", 1)]


# Subscriptions


async def test_a_carelessly_written_subscription_is_confirmed(door: Door, amazon: FakeAmazon) -> None:
    headers = {"x-amz-sns-message-type": "SubscriptionConfirmation"}
    answers = [await post(door, body, headers) for body in carelessly(confirmation())]

    assert {(answer.status_code, answer.text) for answer in answers} == {(200, '{"status":"subscription_confirmed"}')}
    assert amazon.fetched == [CONFIRM] * len(answers)
    assert door.bus.groups == []


async def test_a_subscription_is_confirmed_and_its_topic_pinned(door: Door, amazon: FakeAmazon) -> None:
    answer = await post(door, signed(confirmation()))

    assert (answer.status_code, answer.json()) == (200, {"status": "subscription_confirmed"})
    assert amazon.fetched == [CERTIFICATE, CONFIRM]
    assert await pinned(door) == [(7, TOPIC)]
    assert door.bus.groups == []


async def test_an_unsigned_one_is_confirmed_under_a_valid_key_as_in_the_reference(
    door: Door, amazon: FakeAmazon
) -> None:
    answer = await post(door, confirmation())

    assert (answer.status_code, answer.json()) == (200, {"status": "subscription_confirmed"})
    assert amazon.fetched == [CONFIRM]


async def test_a_real_confirmation_is_fetched_at_its_own_url(door: Door, amazon: FakeAmazon) -> None:
    body = json.loads((CORPUS / "sns" / "subscription_confirmation_alerta.json").read_bytes())
    amazon.answers[body["SubscribeURL"]] = Fetched(200, b"<ok/>")
    del body["Signature"]

    answer = await post(door, body)

    assert answer.json() == {"status": "subscription_confirmed"}
    assert amazon.fetched == [body["SubscribeURL"]]


async def test_confirming_again_is_safe(door: Door, amazon: FakeAmazon) -> None:
    answers = [await post(door, confirmation()) for _ in range(2)]
    door.clock.advance(seconds=5)
    answers.append(await post(door, confirmation()))

    assert {answer.status_code for answer in answers} == {200}
    assert await pinned(door) == [(7, TOPIC)]


@pytest.mark.parametrize(
    "url",
    [
        None,
        "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        f"https://evil.example/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}",
        f"{HOST}.evil.example/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}",
        f"{HOST}:8443/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}",
        f"{HOST}/?Action=ConfirmSubscription&TopicArn={OTHER_TOPIC}&Token={TOKEN}",
        "http://169.254.169.254/latest/meta-data",
    ],
)
async def test_a_refused_url_is_never_fetched_and_said_so(door: Door, amazon: FakeAmazon, url: str | None) -> None:
    answer = await post(door, confirmation(SubscribeURL=url))

    assert answer.status_code == 400
    assert "SubscribeURL" in answer.json()["detail"]
    assert amazon.fetched == []
    assert await pinned(door) == []


@pytest.mark.parametrize("status", [302, 400, 404, 500])
async def test_a_confirmation_that_fails_is_to_be_repeated_and_pins_nothing(
    door: Door, amazon: FakeAmazon, status: int
) -> None:
    amazon.answers[CONFIRM] = Fetched(status, b"s3cret")

    answer = await post(door, confirmation())

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "s3cret" not in answer.text
    assert await pinned(door) == []


async def test_nothing_of_what_was_fetched_goes_back(door: Door, amazon: FakeAmazon) -> None:
    amazon.answers[CONFIRM] = Fetched(200, b"s3cret")

    assert "s3cret" not in (await post(door, confirmation())).text


async def test_with_the_database_away_a_confirmation_is_to_be_repeated(door: Door) -> None:
    await post(door, notification())
    await door.cable.cut()

    assert (await post(door, confirmation())).status_code == 503


async def test_a_subscription_to_another_topic_is_refused_once_one_is_pinned(door: Door, amazon: FakeAmazon) -> None:
    await post(door, confirmation())
    door.clock.advance(seconds=5)
    url = CONFIRM.replace(TOPIC, OTHER_TOPIC)
    amazon.answers[url] = Fetched(200, b"")

    answer = await post(door, confirmation(TopicArn=OTHER_TOPIC, SubscribeURL=url))

    assert answer.status_code == 403
    assert url not in amazon.fetched
    assert await pinned(door) == [(7, TOPIC)]


async def test_of_two_topics_confirmed_at_once_one_is_pinned(door: Door, amazon: FakeAmazon) -> None:
    url = CONFIRM.replace(TOPIC, OTHER_TOPIC)
    amazon.answers[url] = Fetched(200, b"")

    answers = await asyncio.gather(
        post(door, confirmation()), post(door, confirmation(TopicArn=OTHER_TOPIC, SubscribeURL=url))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 403]
    assert len(await pinned(door)) == 1


async def test_a_message_of_another_topic_is_refused_once_one_is_pinned(door: Door, amazon: FakeAmazon) -> None:
    assert (await post(door, notification(ALARM_TEXT, TopicArn=OTHER_TOPIC))).status_code == 201
    await post(door, confirmation())
    door.clock.advance(seconds=5)
    amazon.fetched.clear()

    raw = {"x-amz-sns-rawdelivery": "true", "x-amz-sns-topic-arn": OTHER_TOPIC}
    others = [
        await post(door, notification(ALARM_TEXT, TopicArn=OTHER_TOPIC)),
        await post(door, signed(notification(ALARM_TEXT, TopicArn=OTHER_TOPIC))),
        await post(door, confirmation("UnsubscribeConfirmation", TopicArn=OTHER_TOPIC)),
        await post(door, ALARM, raw),
    ]

    assert [answer.status_code for answer in others] == [403] * 4
    assert amazon.fetched == []
    assert (await post(door, notification(ALARM_TEXT, MessageId="2"))).status_code == 201
    assert (await post(door, ALARM)).status_code == 201


async def test_the_pin_is_known_while_the_database_is_away(door: Door) -> None:
    await post(door, confirmation())
    door.clock.advance(seconds=5)
    await post(door, notification(ALARM_TEXT))
    await door.cable.cut()
    door.clock.advance(hours=1)

    assert (await post(door, notification(ALARM_TEXT, TopicArn=OTHER_TOPIC))).status_code == 403
    assert (await post(door, notification(ALARM_TEXT))).status_code == 201


async def test_an_administrator_s_list_of_topics_replaces_the_pin(door: Door, amazon: FakeAmazon) -> None:
    await post(door, confirmation())
    await configure(door, topic_arns=[OTHER_TOPIC])
    url = CONFIRM.replace(TOPIC, OTHER_TOPIC)
    amazon.answers[url] = Fetched(200, b"")

    assert (await post(door, notification(ALARM_TEXT))).status_code == 403
    assert (await post(door, confirmation(TopicArn=OTHER_TOPIC, SubscribeURL=url))).status_code == 200
    assert (await post(door, notification(ALARM_TEXT, TopicArn=OTHER_TOPIC))).status_code == 201


async def test_the_end_of_a_subscription_is_200_opens_an_incident_and_fetches_nothing(
    door: Door, amazon: FakeAmazon
) -> None:
    answer = await post(door, confirmation("UnsubscribeConfirmation"))

    assert (answer.status_code, answer.json()["id"]) == (200, 42)
    assert amazon.fetched == []
    (alert,) = door.bus.alerts
    assert (alert.status, alert.team_id, alert.external_id) == ("firing", 1, f"sns-unsubscribed:{TOPIC}")
    assert TOKEN not in answer.text

    door.bus.script = is_away
    assert (await post(door, confirmation("UnsubscribeConfirmation"))).status_code == 202


# Signatures


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_signed_message_is_verified_and_taken(door: Door, amazon: FakeAmazon, version: str) -> None:
    answers = [await post(door, signed(notification(ALARM_TEXT, MessageId=str(n)), version)) for n in range(3)]

    assert {answer.status_code for answer in answers} == {201}
    assert amazon.fetched == [CERTIFICATE]
    assert {alert.note for alert in door.bus.alerts} == {None}


# A key is made anew in each process, so nothing is signed here: tests are named by what they are given.
@pytest.mark.parametrize(
    ("envelope", "change"),
    [
        (notification(ALARM_TEXT), {"Message": "{}"}),
        (notification(ALARM_TEXT), {"SignatureVersion": "3"}),
        (notification(ALARM_TEXT), {"Signature": "EXAMPLE"}),
        (notification(ALARM_TEXT), {"SigningCertURL": "https://evil.example/x.pem"}),
        (notification(ALARM_TEXT), {"SigningCertURL": None}),
        (notification(ALARM_TEXT), {"TopicArn": None}),
        (notification(ALARM_TEXT), {"Timestamp": None}),
        (confirmation(), {"Token": "x"}),
        (confirmation(), {"Signature": "EXAMPLE"}),
        (confirmation("UnsubscribeConfirmation"), {"Type": "SubscriptionConfirmation"}),
    ],
)
@pytest.mark.parametrize("is_demanded", [False, True])
async def test_a_bad_signature_is_403_and_confirms_nothing(
    door: Door, amazon: FakeAmazon, envelope: dict[str, Any], change: dict[str, Any], is_demanded: bool
) -> None:
    await configure(door, verify_signature=is_demanded)

    answer = await post(door, {**signed(envelope), **change})

    assert answer.status_code == 403
    assert set(amazon.fetched) <= {CERTIFICATE}
    assert door.bus.groups == []
    assert await pinned(door) == []


async def test_so_is_the_signature_of_another_key(door: Door, amazon: FakeAmazon) -> None:
    answers = [await post(door, signed(body, "2", other_key)) for body in (notification(ALARM_TEXT), confirmation())]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert amazon.fetched == [CERTIFICATE]


async def test_where_signatures_are_demanded_nothing_else_is_taken(door: Door, amazon: FakeAmazon) -> None:
    await configure(door, verify_signature=True)

    unsigned = [
        await post(door, notification(ALARM_TEXT)),
        await post(door, confirmation()),
        await post(door, confirmation("UnsubscribeConfirmation")),
        await post(door, {"Records": [{"Sns": signed(notification(ALARM_TEXT))}]}),
        await post(door, ALARM),
        await post(door, ALARM, {"x-amz-sns-rawdelivery": "true"}),
    ]

    assert [answer.status_code for answer in unsigned] == [403] * 6
    assert amazon.fetched == []
    assert (await post(door, signed(confirmation()))).status_code == 200
    assert (await post(door, signed(notification(ALARM_TEXT)))).status_code == 201


async def test_while_the_certificate_cannot_be_had_sns_is_told_to_come_again_but_not_to_the_last(
    door: Door, amazon: FakeAmazon
) -> None:
    """SNS comes four times in a minute, and then never again."""
    amazon.is_away = True
    answers = []
    for _ in range(4):
        answers.append(await post(door, signed(notification(ALARM_TEXT))))
        door.clock.advance(seconds=20)

    assert [answer.status_code for answer in answers] == [503, 503, 201, 201]
    assert door.bus.alerts[0].note is not None
    assert "could not be verified" in door.bus.alerts[0].note

    amazon.is_away = False
    assert (await post(door, {**signed(notification(ALARM_TEXT)), "Message": "x"})).status_code == 403


@pytest.mark.parametrize(
    ("config", "envelope"), [({"verify_signature": True}, notification(ALARM_TEXT)), ({}, confirmation())]
)
async def test_but_what_must_be_signed_is_never_taken_without(
    door: Door, amazon: FakeAmazon, config: dict[str, Any], envelope: dict[str, Any]
) -> None:
    await configure(door, **config)
    amazon.is_away = True
    answers = []
    for _ in range(5):
        answers.append(await post(door, signed(envelope)))
        door.clock.advance(seconds=20)

    assert {answer.status_code for answer in answers} == {503}
    assert set(amazon.fetched) == {CERTIFICATE}
    assert door.bus.groups == []


@pytest.mark.parametrize("timestamp", ["2026-05-21T10:44:59.000Z", "2026-05-21T12:06:00.000Z", "yesterday"])
async def test_a_signed_message_of_another_time_is_taken_with_a_note_and_where_signatures_are_demanded_503(
    door: Door, timestamp: str
) -> None:
    body = signed(notification(ALARM_TEXT, Timestamp=timestamp))

    assert (await post(door, body)).status_code == 201
    assert door.bus.alerts[0].note is not None

    await configure(door, verify_signature=True)
    assert (await post(door, body)).status_code == 503


async def test_what_amazon_has_really_signed_is_taken(door: Door, amazon: FakeAmazon, clock: TestClock) -> None:
    real = CORPUS / "sns_signed"
    (pem,) = real.glob("*.pem")
    amazon.answers[f"https://sns.us-west-2.amazonaws.com/{pem.name}"] = Fetched(200, pem.read_bytes())
    clock.at = clock.at.replace(month=3, day=6, hour=20, minute=3)
    await configure(door, verify_signature=True)
    subscription = json.loads((real / "subscription_confirmation_v1.json").read_bytes())
    amazon.answers[subscription["SubscribeURL"]] = Fetched(200, b"")

    answers = [await post(door, file.read_bytes()) for file in sorted(real.glob("*.json"))]

    assert [answer.status_code for answer in answers] == [201, 201, 200, 200]
    assert [alert.title for alert in door.bus.alerts] == [
        "My message subject",
        "This message uses signature version 2.",
        "Unsubscribed from the SNS topic dongie-standard-topic: no more alarms",
    ]


async def test_no_key_token_or_body_reaches_the_log(door: Door, amazon: FakeAmazon) -> None:
    with capture_logs() as logs:
        await post(door, signed(confirmation()))
        await post(door, {**signed(confirmation()), "Token": "s3cret"})
        await post(door, confirmation(SubscribeURL=f"https://evil.example/?Token={TOKEN}"))
        await post(door, notification("s3cret"), query="?api_key=pp_wrong")
        await post(door, b"s3cret")
        amazon.answers[CONFIRM] = Fetched(500, b"s3cret")
        await post(door, confirmation())
        amazon.is_away = True
        await post(door, confirmation())

    assert logs
    for word in ("pp_", "s3cret", TOKEN):
        assert word not in repr(logs)
