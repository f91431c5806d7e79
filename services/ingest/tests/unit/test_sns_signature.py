"""Has Amazon signed it? Proved with a key of our own, and with messages that SNS has really signed."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pagerpal_common.errors import Forbidden
from pagerpal_ingest.domain.sns import SnsMessage
from pagerpal_ingest.domain.sns_signature import check_signature, is_timely, read_certificate, string_to_sign
from pagerpal_ingest.domain.sns_urls import certificate_url, confirmation_url

from services.ingest.tests.conftest import START
from services.ingest.tests.fake_amazon import (
    CERTIFICATE,
    SIGNED,
    certificate,
    confirmation,
    notification,
    other_key,
    signed,
)
from services.ingest.tests.unit.test_sns import read_one

REAL = Path(__file__).parents[1] / "corpus" / "sns_signed"

KINDS: dict[str, Callable[[], dict[str, Any]]] = {
    "Notification": notification,
    "SubscriptionConfirmation": confirmation,
    "UnsubscribeConfirmation": lambda: confirmation("UnsubscribeConfirmation"),
}


def check(envelope: dict[str, Any]) -> None:
    check_signature(read_one(envelope), read_certificate(certificate()))


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_the_key_has_signed_is_believed(kind: str, version: str) -> None:
    check(signed(KINDS[kind](), version))


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, fields in SIGNED.items() for field in fields])
def test_no_signed_field_can_be_changed_or_left_out(kind: str, field: str, version: str) -> None:
    envelope = signed(KINDS[kind](), version)
    changes = {"Type": "Notification" if kind != "Notification" else "UnsubscribeConfirmation"}

    with pytest.raises(Forbidden):
        check({**envelope, field: changes.get(field, envelope[field] + "x")})
    if field not in {"Message", "Type"}:  # without these it is no such message at all
        with pytest.raises(Forbidden):
            check({name: value for name, value in envelope.items() if name != field})


def test_a_subject_cannot_be_added_and_null_is_none() -> None:
    bare = notification()
    del bare["Subject"]
    envelope = signed(bare)

    check({**envelope, "Subject": None})
    with pytest.raises(Forbidden):
        check({**envelope, "Subject": ""})


def test_fields_that_are_not_signed_may_be_anything() -> None:
    check({**signed(notification()), "UnsubscribeURL": "https://else.example", "Token": "x", "MessageAttributes": {}})


def test_the_text_to_sign_is_names_and_values_in_the_guide_s_order() -> None:
    message = read_one(notification("a\nb"))

    assert string_to_sign(message) == (
        b"Message\na\nb\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\nSubject\nMy First Message\n"
        b"Timestamp\n2026-05-21T11:59:59.000Z\n"
        b"TopicArn\narn:aws:sns:eu-west-1:123456789012:alarms\nType\nNotification\n"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"SignatureVersion": "2"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": ""},
        {"SignatureVersion": None},
        {"SignatureVersion": 1},
        {"Signature": "EXAMPLE"},
        {"Signature": "not base64 at all!"},
        {"Signature": "AAAA"},
        {"Signature": "é"},
        {"Signature": "<signature>"},
    ],
)
def test_a_signature_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Forbidden):
        check({**signed(notification()), **change})


def test_another_key_s_signature_is_refused() -> None:
    with pytest.raises(Forbidden, match="does not fit"):
        check(signed(notification(), "2", other_key))


@pytest.mark.parametrize(
    "name",
    [
        "sns.amazonaws.com",
        "sns-signing.ap-east-1.amazonaws.com",
        "sns-cn-north-1.amazonaws.com.cn",
        "sns-us-gov-west-1.amazonaws.com",
        "sns-signing.eusc-de-east-1.amazonaws.eu",
    ],
)
def test_a_certificate_of_sns_is_read_whatever_its_region(name: str) -> None:
    assert read_certificate(certificate(name)).is_valid(START)


@pytest.mark.parametrize(
    "name", ["evil.example", "sns.evilamazonaws.com", "s3.amazonaws.com", "sns.amazonaws.com.evil"]
)
def test_a_certificate_of_anybody_else_is_refused(name: str) -> None:
    with pytest.raises(Forbidden, match="not one of Amazon SNS"):
        read_certificate(certificate(name))


@pytest.mark.parametrize(
    "pem", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff"]
)
def test_what_is_no_certificate_is_none(pem: bytes) -> None:
    with pytest.raises(ValueError, match=r"PEM|parsing"):
        read_certificate(pem)


@pytest.mark.parametrize(("later", "valid"), [(-2, False), (-1, True), (0, True), (364, True), (366, False)])
def test_a_certificate_is_good_for_its_time(later: int, valid: bool) -> None:
    assert read_certificate(certificate()).is_valid(START + timedelta(days=later)) is valid


@pytest.mark.parametrize(
    ("age", "timely"),
    [(-301, False), (-300, True), (0, True), (3600, True), (4500, True), (4501, False), (10**8, False)],
)
def test_a_message_is_timely_from_five_minutes_ahead_to_a_repeat_s_hour_and_more(age: int, timely: bool) -> None:
    sent_at = START - timedelta(seconds=age)

    assert is_timely(read_one(notification(Timestamp=sent_at.isoformat())), START) is timely


@pytest.mark.parametrize("timestamp", ["yesterday", None, ""])
def test_a_message_without_a_time_is_not_timely(timestamp: str | None) -> None:
    assert not is_timely(read_one(notification(Timestamp=timestamp)), START)


@pytest.mark.parametrize("file", sorted(REAL.glob("*.json")), ids=lambda file: file.stem)
def test_what_amazon_has_really_signed_is_believed(file: Path) -> None:
    message = read_one(file.read_bytes())
    url = certificate_url(message)
    real = read_certificate((REAL / url.rsplit("/", 1)[1]).read_bytes())

    check_signature(message, real)

    assert message.sent_at is not None
    assert real.is_valid(message.sent_at)
    if message.subscribe_url:
        assert confirmation_url(message) == message.subscribe_url
    with pytest.raises(Forbidden):
        check_signature(SnsMessage(**{**vars(message), "text": message.text + "."}), real)


def test_the_certificate_s_url_is_the_one_signed_with() -> None:
    assert certificate_url(read_one(signed(notification()))) == CERTIFICATE
