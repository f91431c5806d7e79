"""What is in a delivery, and is it the same as an earlier one?"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from pagerpal_common.errors import Unprocessable
from pagerpal_ingest.domain.sns import Kind, SnsMessage, alert_id, instant, read
from pagerpal_ingest.domain.source import Source

from services.ingest.tests.conftest import START
from services.ingest.tests.fake_amazon import CONFIRM, TOKEN, TOPIC, confirmation, notification, signed

SOURCE = Source(7, 3, None, None, is_active=True)
RAW = {
    "x-amz-sns-message-type": "Notification",
    "x-amz-sns-rawdelivery": "true",
    "x-amz-sns-message-id": "m-1",
    "x-amz-sns-topic-arn": TOPIC,
}


def read_one(body: Any, headers: dict[str, str] | None = None) -> SnsMessage:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    (message,) = read(raw, headers or {})
    return message


def problem(body: bytes, headers: dict[str, str] | None = None) -> list[object]:
    """Where a body is refused."""
    with pytest.raises(Unprocessable) as refused:
        read(body, headers or {})
    (found,) = refused.value.problems
    assert isinstance(found["loc"], list)
    return found["loc"]


def test_a_notification_is_read_whole() -> None:
    envelope = signed(notification())

    message = read_one(envelope)

    assert message == SnsMessage(
        kind=Kind.NOTIFICATION,
        text="disk full",
        message_id=envelope["MessageId"],
        topic_arn=TOPIC,
        subject="My First Message",
        timestamp="2026-05-21T11:59:59.000Z",
        signature=envelope["Signature"],
        signature_version="1",
        signing_cert_url=envelope["SigningCertURL"],
    )
    assert message.sent_at == datetime(2026, 5, 21, 11, 59, 59, tzinfo=UTC)
    assert message.is_signed


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_so_is_the_begin_and_the_end_of_a_subscription(kind: str) -> None:
    message = read_one(confirmation(kind))

    assert (message.kind, message.token, message.subscribe_url) == (kind, TOKEN, CONFIRM)
    assert not message.is_signed


@pytest.mark.parametrize("value", [None, 5, True, {}, [], 1e400])
@pytest.mark.parametrize(
    "field", ["MessageId", "TopicArn", "Subject", "Timestamp", "Signature", "SignatureVersion", "SigningCertURL"]
)
def test_any_other_field_may_be_null_or_nonsense(field: str, value: Any) -> None:
    message = read_one(notification(**{field: value}))

    assert message.text == "disk full"
    assert not message.is_signed


@pytest.mark.parametrize("type_", [{}, {"Type": None}, {"Type": ""}])
def test_a_message_without_a_type_is_a_notification(type_: dict[str, Any]) -> None:
    assert read_one({"Message": "x", "SubscribeURL": CONFIRM, **type_}).kind is Kind.NOTIFICATION


@pytest.mark.parametrize("message", [{"AlarmName": "é"}, [{"AlarmName": "é"}]])
def test_the_alarm_itself_may_stand_where_its_text_should(message: Any) -> None:
    assert json.loads(read_one(notification(message)).text) == message


def test_a_raw_delivery_is_what_the_header_says_and_nothing_but_the_message() -> None:
    message = read_one(b'{"AlarmName":"cpu"}', RAW)

    assert message == SnsMessage(
        Kind.NOTIFICATION, '{"AlarmName":"cpu"}', message_id="m-1", topic_arn=TOPIC, is_raw=True
    )


@pytest.mark.parametrize(
    "body", [b"plain text", b"[1, 2]", b"null", b'"x"', b"{", b'{"a":' * 300, b"\xff\xfe text", b"{}"]
)
def test_what_sns_delivers_raw_is_taken_whatever_it_is(body: bytes) -> None:
    assert read_one(body, RAW).text == body.decode(errors="replace")


def test_a_raw_subscription_is_no_subscription() -> None:
    """Only the body can say what is to be fetched; a raw one is somebody's words."""
    assert read_one(confirmation(), RAW).kind is Kind.NOTIFICATION


def test_plain_text_is_taken_from_sns_and_refused_from_anybody_else() -> None:
    assert read_one(b"plain text", {"x-amz-sns-message-type": "Notification"}).text == "plain text"
    assert problem(b"plain text") == ["body"]


@pytest.mark.parametrize("body", [{"AlarmName": "cpu", "NewStateValue": "ALARM"}, {"detail-type": "x"}, {"foo": 1}])
def test_an_object_that_is_no_envelope_is_the_message_itself(body: dict[str, Any]) -> None:
    message = read_one(body)

    assert json.loads(message.text) == body
    assert (message.message_id, message.topic_arn) == (None, None)


def test_a_lambda_event_is_each_of_its_records_unsigned() -> None:
    records = [{"Sns": signed(notification(text))} for text in ("one", "two")]

    messages = read(json.dumps({"Records": records}).encode(), {})

    assert [message.text for message in messages] == ["one", "two"]
    assert {message.topic_arn for message in messages} == {TOPIC}
    assert not any(message.is_signed for message in messages)


def test_a_record_is_never_a_subscription() -> None:
    assert read_one({"Records": [{"Sns": confirmation()}]}).kind is Kind.NOTIFICATION


@pytest.mark.parametrize(
    "bad", [{}, {"Sns": {}}, {"Sns": None}, {"Sns": {"Message": 5}}, {"eventSource": "aws:s3", "s3": {}}, None, "x"]
)
def test_a_record_that_cannot_be_read_does_not_cost_the_others_and_is_noted(bad: Any) -> None:
    records = [bad, {"Sns": notification("one")}, bad, {"Sns": notification("two")}]

    messages = read(json.dumps({"Records": records}).encode(), {})

    assert [(message.text, message.record) for message in messages] == [("one", 1), ("two", 3)]
    assert [message.note for message in messages] == ["2 of the 4 records that came with it could not be read", None]


@pytest.mark.parametrize("records", [[], [{"eventSource": "aws:s3", "s3": {}}], "x", {}])
def test_records_of_something_else_are_a_message_of_their_own(records: Any) -> None:
    assert json.loads(read_one({"Records": records, "x": 1}).text)["Records"] == records


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", ["body"]),
        (b" \n ", ["body"]),
        (b"{}", ["body"]),
        (b"[]", ["body"]),
        (b'[{"AlarmName":"cpu"}]', ["body"]),
        (b"null", ["body"]),
        (b"5", ["body"]),
        (b'"text"', ["body"]),
        (b"not json", ["body"]),
        (b'{"Type":"Notification","Message":"x"', ["body"]),
        (b"\xff\xfe", ["body"]),
        (b"[" * 100_000, ["body"]),
        (b'{"a":' * 100_000, ["body"]),
        (b'{"Type":"Notification"}', ["body", "Message"]),
        (b'{"Type":"Notification","Message":null}', ["body", "Message"]),
        (b'{"Type":"Notification","Message":5}', ["body", "Message"]),
        (b'{"Type":"SubscriptionConfirmation"}', ["body", "Message"]),
        (b'{"Type":"notification","Message":"x"}', ["body", "Type"]),
        (b'{"Type":"Other","Message":"x"}', ["body", "Type"]),
        (b'{"Type":["Notification"],"Message":"x"}', ["body", "Type"]),
        (b'{"Records":[{"Sns":{}}]}', ["body", "Message"]),
        (b'{"Records":[{"Sns":{}},{}]}', ["body", "Message"]),
        (b'{"MessageId":"x","TopicArn":"x"}', ["body", "Message"]),
        (b'{"SubscribeURL":"x","Token":"x"}', ["body", "Message"]),
        (b'{"Message":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, ["body"]),
        (b'{"Records":[' + b",".join([b'{"Sns":{"Message":"x"}}'] * 101) + b"]}", ["body", "Records"]),
    ],
)
def test_what_is_no_message_is_refused_where_it_fails(body: bytes, where: list[object]) -> None:
    assert problem(body) == where


def test_nesting_is_taken_or_refused_whatever_its_depth() -> None:
    """What can just be read cannot always be written again."""
    refused = 0
    for depth in range(900, 1020):
        body = b'{"Message":' + b'{"a":' * depth + b"1" + b"}" * (depth + 1)
        try:
            read(body, {})
        except Unprocessable:
            refused += 1

    assert 0 < refused < 120


def test_a_body_that_is_empty_is_refused_even_from_sns() -> None:
    assert problem(b"", RAW) == ["body"]


CARELESS = {
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "half a character": lambda body: body.replace(b"My First", b"My \\ud83d"),
    "a long number": lambda body: body[:-1] + b', "Number": ' + b"9" * 5000 + b"}",
    "a line end as it is": lambda body: body.replace(b"My First", b"My\nFirst\x00"),
    "half a byte sequence": lambda body: body.replace(b"My First", b"My \xf0\x9f"),
    "no number": lambda body: body[:-1] + b', "Number": NaN}',
}


@pytest.mark.parametrize("careless", CARELESS.values(), ids=list(CARELESS))
@pytest.mark.parametrize(
    "envelope", [notification(), confirmation(Subject="My First")], ids=["message", "subscription"]
)
def test_a_message_is_read_however_carelessly_it_is_written(
    envelope: dict[str, Any], careless: Callable[[bytes], bytes]
) -> None:
    """As text, its topic would not be compared with the source's, and its token would be shown to everybody."""
    body = careless(json.dumps(envelope).encode())

    message = read_one(body, {"x-amz-sns-message-type": envelope["Type"]})

    assert (message.kind, message.topic_arn, message.is_raw) == (envelope["Type"], TOPIC, False)
    assert (message.text, message.token) == (envelope["Message"], envelope.get("Token"))


SUBSCRIPTION = json.dumps(confirmation())


@pytest.mark.parametrize(
    "text",
    [
        SUBSCRIPTION[:-1],
        SUBSCRIPTION[1:],
        f"{SUBSCRIPTION}.",
        f"It says {SUBSCRIPTION}",
        f"[{SUBSCRIPTION}]",
        json.dumps(SUBSCRIPTION),
        json.dumps([json.dumps(SUBSCRIPTION)]),
        str(confirmation()),
        SUBSCRIPTION.lower()[:-1],
        "".join(f"\\u{ord(letter):04X}" if letter.isalpha() else letter for letter in SUBSCRIPTION)[:-1],
        '{"a":' * 100_000 + SUBSCRIPTION,
    ],
)
@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16"])
def test_what_looks_like_a_message_of_sns_and_cannot_be_read_is_refused_even_from_sns(text: str, charset: str) -> None:
    """Only the header of a raw delivery makes words of it."""
    assert problem(text.encode(charset), {"x-amz-sns-message-type": "SubscriptionConfirmation"}) == ["body"]


def id_of(message: SnsMessage, at: datetime = START, *, is_dated: bool = True, is_named: bool = True) -> UUID:
    return alert_id(SOURCE, message, at, is_dated=is_dated, is_named=is_named)


def test_a_repeat_is_the_same_alert_and_another_message_is_not() -> None:
    first = id_of(read_one(signed(notification())))

    assert id_of(read_one(signed(notification(), "2"))) == first
    assert id_of(read_one(notification()), START + timedelta(days=1)) == first
    assert id_of(read_one(notification(MessageId="other"))) != first
    other = Source(8, 3, None, None, is_active=True)
    assert alert_id(other, read_one(notification()), START, is_dated=True, is_named=True) != first


def test_an_alarm_and_its_end_with_one_hand_written_id_are_two_alerts() -> None:
    ids = {id_of(read_one(notification(state, MessageId="example-message-id"))) for state in ("ALARM", "OK")}

    assert len(ids) == 2


def test_without_an_id_every_message_is_a_new_one() -> None:
    message = read_one(notification(MessageId=None))

    assert id_of(message) != id_of(message)


def test_an_id_written_by_hand_beside_no_time_and_no_signature_does_not_make_the_next_alarm_an_old_one() -> None:
    """What became of the alarm meanwhile says whether this is news: open, it is repeated; over, it opens anew."""
    message = read_one(notification(Timestamp=None))

    assert id_of(message, is_dated=False) != id_of(message, is_dated=False)
    by_amazon = read_one(signed(notification()))
    assert id_of(by_amazon, is_dated=False) == id_of(by_amazon, is_dated=False)


def test_of_what_has_no_end_such_an_id_is_the_same_for_an_hour() -> None:
    message = read_one(notification(Timestamp=None))
    ids = [
        id_of(message, START + timedelta(minutes=minutes), is_dated=False, is_named=False) for minutes in (0, 59, 60)
    ]

    assert ids[0] == ids[1]
    assert ids[0] != ids[2]


def test_the_id_that_sns_gives_a_raw_delivery_is_the_same_for_ever() -> None:
    message = read_one(b"disk full", RAW)

    late = id_of(message, START + timedelta(days=1), is_dated=False, is_named=False)

    assert late == id_of(message, is_dated=False, is_named=False)


def test_no_text_of_a_message_is_too_odd_for_an_id() -> None:
    message = read_one(b'{"Message":"\\ud800","MessageId":"\\ud800"}')

    assert id_of(message) == id_of(message)


def test_it_is_the_same_alert_raw_or_in_an_envelope() -> None:
    envelope = read_one(notification("disk full", MessageId="m-1"))

    assert id_of(read_one(b"disk full", RAW)) == id_of(envelope)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2019-02-15T23:53:45.093+0000", datetime(2019, 2, 15, 23, 53, 45, 93_000, UTC)),
        ("2019-10-02T17:04:40Z", datetime(2019, 10, 2, 17, 4, 40, 0, UTC)),
        (" 2019-10-02T17:04:40.5Z\n", datetime(2019, 10, 2, 17, 4, 40, 500_000, UTC)),
        ("2019-10-02T17:04:40", datetime(2019, 10, 2, 17, 4, 40, 0, UTC)),
        ("2019-10-02T19:04:40+02:00", datetime(2019, 10, 2, 19, 4, 40, 0, timezone(timedelta(hours=2)))),
    ],
)
def test_times_are_read_as_aws_writes_them(text: str, at: datetime) -> None:
    assert instant(text) == at


@pytest.mark.parametrize(
    "value",
    [None, 1_550_274_825, "date", "", "1970-01-01T00:00:00.000Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"],
)
def test_a_time_that_nobody_can_mean_is_none(value: Any) -> None:
    assert instant(value) is None
