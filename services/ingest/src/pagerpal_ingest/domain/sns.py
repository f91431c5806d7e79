"""What does a delivery of Amazon SNS say? (SNS developer guide, "Parsing Amazon SNS message formats")

SNS posts JSON as text/plain. With raw delivery the body is the published message itself, and only a header says so.
A Lambda function that passes its event on posts `{"Records": [{"Sns": …}]}`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from pagerpal_common.errors import Unprocessable
from pagerpal_common.ids import keyed_uuid, uuid7

from pagerpal_ingest.domain.lenient import value_in
from pagerpal_ingest.domain.sns_secrets import is_like_an_envelope
from pagerpal_ingest.domain.source import Source

RECORDS_LIMIT = 100
"""Records in one body. Lambda hands over one at a time."""

_OF_AN_ENVELOPE = frozenset({"topicarn", "subscribeurl"})
"""In lower case. An object with one of these is an envelope, maybe a bad one, and never the message itself: its topic
must count, and its secrets must not be shown."""

_MESSAGE = (str, dict, list)

_YEARS = range(2000, 2101)

Json = Mapping[str, Any]


class Kind(StrEnum):
    """The three types of message that SNS posts."""

    NOTIFICATION = "Notification"
    SUBSCRIPTION = "SubscriptionConfirmation"
    UNSUBSCRIPTION = "UnsubscribeConfirmation"


@dataclass(frozen=True)
class SnsMessage:
    """One message, not yet believed. Texts are as they came: the signature covers them."""

    kind: Kind
    text: str
    """What was published: the envelope's `Message`."""
    message_id: str | None = None
    """The same whenever SNS repeats the message."""
    topic_arn: str | None = None
    subject: str | None = None
    timestamp: str | None = None
    token: str | None = None
    subscribe_url: str | None = None
    signature: str | None = None
    signature_version: str | None = None
    signing_cert_url: str | None = None
    is_raw: bool = False
    """It came without an envelope: its id and topic are those of the request's headers."""
    record: int | None = None
    """Which of a Lambda event's records it was; None when it came by itself."""
    note: str | None = None
    """What was wrong with the body that it came in."""

    @property
    def is_signed(self) -> bool:
        """Whether it says that Amazon has signed it; that it has is another question."""
        return bool(self.signature)

    @property
    def sent_at(self) -> datetime | None:
        """When SNS says that it was published."""
        return instant(self.timestamp)


def read(body: bytes, headers: Mapping[str, str]) -> tuple[SnsMessage, ...]:
    """The messages in a body: one, or as many as it has records.

    Args:
        headers: the request's. They count only where the body cannot say it: that it is raw, and which message then.

    Raises:
        Unprocessable: it is no SNS message, and SNS has not sent it.
    """
    if not body.strip():
        raise _unfit([], "The body must not be empty")
    text = body.decode("utf-8-sig", errors="replace")
    if headers.get("x-amz-sns-rawdelivery", "").lower() == "true":
        return (_raw(text, headers),)
    parsed = _object_in(text)
    if not parsed:
        return (_words(text, headers),)
    if records := _records(parsed):
        return records
    if "Type" in parsed or "Message" in parsed or any(name.lower() in _OF_AN_ENVELOPE for name in parsed):
        return (_enveloped(parsed),)
    return (_raw(text, headers),)


def alert_id(
    source: Source, message: SnsMessage, at: datetime, *, is_dated: bool, is_named: bool, number: int = 0
) -> UUID:
    """The same for the same message, however often SNS repeats it and through whichever way it comes.

    The text is part of it: an unsigned message may carry a hand-written id, the same for an alarm and its end. Where
    nothing says when it was sent either, an id that comes again may be a new word: of a named thing incidents knows
    whether it is, of others it is after an hour (`docs/decisions/0015-a-repeated-sns-message-is-the-same-alert.md`).

    Args:
        is_dated: whether the message or the alarm in it has a time.
        is_named: whether its alert has an external id.
        number: which of the message's alerts it is.
    """
    if not message.message_id:
        return uuid7()
    named = message.message_id.encode(errors="backslashreplace").decode()
    parts = ["sns", source.source_id, named, sha256(message.text.encode(errors="surrogatepass")).hexdigest()]
    if number:
        parts.append(number)
    if message.is_signed or is_dated:
        return keyed_uuid(*parts)
    if is_named:
        return uuid7()
    return keyed_uuid(*parts) if message.is_raw else keyed_uuid(*parts, at.strftime("%Y-%m-%dT%H"))


def instant(value: object) -> datetime | None:
    """A time as AWS writes it: `2026-05-21T12:00:00.123+0000`, or with `Z`. None when it is none that can be meant."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year in _YEARS else None


def _raw(text: str, headers: Mapping[str, str]) -> SnsMessage:
    return SnsMessage(
        kind=Kind.NOTIFICATION,
        text=text,
        message_id=headers.get("x-amz-sns-message-id") or None,
        topic_arn=headers.get("x-amz-sns-topic-arn") or None,
        is_raw=True,
    )


def _object_in(text: str) -> Json | None:
    try:
        parsed = value_in(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _words(text: str, headers: Mapping[str, str]) -> SnsMessage:
    """Other words than an object. They are taken from SNS alone, and never for what may be one of its own messages: of
    such a one topic, signature and token would go unread."""
    if "x-amz-sns-message-type" not in headers:
        raise _unfit([], "The body must be a JSON object: an SNS message, or an alarm")
    if is_like_an_envelope(text):
        raise _unfit([], "The body looks like an SNS message, but is no JSON object")
    return _raw(text, headers)


def _records(parsed: Json) -> tuple[SnsMessage, ...]:
    """A Lambda event's records; none when it is something else, an S3 event for example.

    They are notifications whatever they say, and unsigned: what was signed was a delivery to somebody else.
    """
    records = parsed.get("Records")
    if not isinstance(records, list):
        return ()
    found = [(number, record["Sns"]) for number, record in enumerate(records) if _is_of_sns(record)]
    if not found:
        return ()
    if len(records) > RECORDS_LIMIT:
        raise _unfit(["Records"], f"There must be at most {RECORDS_LIMIT} records")
    read_ones = [(number, envelope) for number, envelope in found if isinstance(envelope.get("Message"), _MESSAGE)]
    messages = tuple(_record(envelope, number) for number, envelope in read_ones or found)
    if unread := len(records) - len(messages):
        note = f"{unread} of the {len(records)} records that came with it could not be read"
        return (replace(messages[0], note=note), *messages[1:])
    return messages


def _is_of_sns(record: object) -> bool:
    return isinstance(record, dict) and isinstance(record.get("Sns"), dict)


def _record(envelope: Json, number: int) -> SnsMessage:
    return SnsMessage(
        kind=Kind.NOTIFICATION,
        text=_message_text(envelope),
        message_id=_text(envelope, "MessageId"),
        topic_arn=_text(envelope, "TopicArn"),
        subject=_text(envelope, "Subject"),
        timestamp=_text(envelope, "Timestamp"),
        record=number,
    )


def _enveloped(parsed: Json) -> SnsMessage:
    kind = next((kind for kind in Kind if kind == (parsed.get("Type") or Kind.NOTIFICATION)), None)
    if kind is None:
        raise _unfit(["Type"], f"Type must be one of {', '.join(Kind)}")
    return SnsMessage(
        kind=kind,
        text=_message_text(parsed),
        message_id=_text(parsed, "MessageId"),
        topic_arn=_text(parsed, "TopicArn"),
        subject=_text(parsed, "Subject"),
        timestamp=_text(parsed, "Timestamp"),
        token=_text(parsed, "Token"),
        subscribe_url=_text(parsed, "SubscribeURL"),
        signature=_text(parsed, "Signature"),
        signature_version=_text(parsed, "SignatureVersion"),
        signing_cert_url=_text(parsed, "SigningCertURL"),
    )


def _message_text(envelope: Json) -> str:
    """A text, as SNS sends it; or the alarm itself, as people write it who try this out by hand."""
    message = envelope.get("Message")
    if isinstance(message, str):
        return message
    if not isinstance(message, _MESSAGE):
        raise _unfit(["Message"], "Message must be a text or an object")
    try:
        return json.dumps(message, ensure_ascii=False)
    except RecursionError:
        raise _unfit(["Message"], "Message is nested too deeply") from None


def _text(envelope: Json, name: str) -> str | None:
    value = envelope.get(name)
    return value if isinstance(value, str) else None


def _unfit(where: list[str], problem: str) -> Unprocessable:
    return Unprocessable([{"type": "sns_message", "loc": ["body", *where], "msg": problem}])
