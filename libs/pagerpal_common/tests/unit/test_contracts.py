"""Messages that an older version has written still parse, and every subscriber is one that exists."""

import json
from pathlib import Path

import pytest
from pagerpal_common.bus.wire import decode, encode
from pagerpal_common.contracts import BY_TOPIC, PUBLISHERS, SUBSCRIBERS
from pagerpal_common.contracts.alerts import AlertsHandled
from pagerpal_common.contracts.incidents import IncidentChanged
from pagerpal_common.contracts.message import Message
from pagerpal_common.contracts.notifications import ContactChecked, NotificationsRetried
from pagerpal_common.schema import OWNERS

SAMPLES = Path(__file__).parent / "contracts"
"""One file per topic, as its first version was written. Never changed: a queue or an outbox may still hold the like."""

MESSAGES: tuple[type[Message], ...] = (
    *SUBSCRIBERS,
    AlertsHandled,
    IncidentChanged,
    NotificationsRetried,
    ContactChecked,
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.topic)
def test_a_saved_sample_parses_for_ever(message: type[Message]) -> None:
    sample = (SAMPLES / f"{message.topic}.json").read_bytes()

    parsed = decode(message, sample)

    assert decode(message, encode(parsed)) == parsed


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.topic)
def test_a_field_that_a_newer_version_added_is_ignored(message: type[Message]) -> None:
    sample = json.loads((SAMPLES / f"{message.topic}.json").read_bytes())

    assert decode(message, json.dumps(sample | {"added_later": {"a": 1}}).encode()) == decode(
        message, json.dumps(sample).encode()
    )


def test_every_sample_belongs_to_a_message() -> None:
    assert {path.stem for path in SAMPLES.iterdir()} == {message.topic for message in MESSAGES}


def test_topics_are_unique_and_say_their_version() -> None:
    assert len(BY_TOPIC) == len(SUBSCRIBERS)
    assert all(topic.split(".")[-1].startswith("v") for topic in BY_TOPIC)


def test_only_services_publish_and_subscribe_and_every_message_has_somebody_who_says_it() -> None:
    assert {service for services in SUBSCRIBERS.values() for service in services} <= set(OWNERS)
    assert {service for services in PUBLISHERS.values() for service in services} <= set(OWNERS)
    assert set(PUBLISHERS) == set(SUBSCRIBERS)
    assert all(PUBLISHERS.values())
