"""What does a sender hear that believes we are PagerDuty?"""

import asyncio
import json
from typing import Any

import pytest
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus
from structlog.testing import capture_logs

from services.ingest.tests.conftest import is_away, is_silent, opens
from services.ingest.tests.integration.conftest import KEY, Door

PATH = "/v2/enqueue"
TRIGGER = {
    "routing_key": KEY,
    "event_action": "trigger",
    "dedup_key": "db-1/disk",
    "payload": {"summary": "Disk full on db-1", "source": "db-1", "severity": "critical"},
}
PROCESSED = {"status": "success", "message": "Event processed", "dedup_key": "db-1/disk"}


async def test_a_trigger_is_processed(door: Door) -> None:
    answer = await door.send(PATH, TRIGGER)

    (alert,) = door.bus.alerts
    assert (answer.status_code, answer.json()) == (202, PROCESSED)
    assert (alert.external_id, alert.title, alert.source_id) == ("db-1/disk", "Disk full on db-1", 7)


@pytest.mark.parametrize(
    ("action", "status"), [("acknowledge", AlertStatus.ACKNOWLEDGED), ("resolve", AlertStatus.RESOLVED)]
)
async def test_what_is_not_open_may_be_acknowledged_and_resolved_all_the_same(
    door: Door, action: str, status: AlertStatus
) -> None:
    door.bus.script = opens(AlertOutcome.IGNORED, with_incident=False)

    answer = await door.send(PATH, {"routing_key": KEY, "event_action": action, "dedup_key": "db-1/disk"})

    assert (answer.status_code, answer.json()) == (202, PROCESSED)
    assert door.bus.alerts[0].status is status


async def test_a_made_up_dedup_key_is_returned_and_can_be_resolved_by(door: Door) -> None:
    answer = await door.send(PATH, {**TRIGGER, "dedup_key": None})

    key = answer.json()["dedup_key"]
    await door.send(PATH, {"routing_key": KEY, "event_action": "resolve", "dedup_key": key})
    assert [alert.external_id for alert in door.bus.alerts] == [key, key]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "nonsense"])
async def test_the_content_type_is_not_believed(door: Door, content_type: str) -> None:
    assert (await door.send(PATH, TRIGGER, **{"Content-Type": content_type})).status_code == 202


async def test_the_key_may_be_in_the_header_of_pagerduty_s_own_client(door: Door) -> None:
    answer = await door.send(PATH, {**TRIGGER, "routing_key": None}, **{"X-Routing-Key": KEY})

    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "JSON"),
        (b"[]", "object"),
        ({**TRIGGER, "routing_key": None}, "routing_key"),
        ({**TRIGGER, "routing_key": "pp_unknown"}, "key is unknown"),
        ({**TRIGGER, "event_action": "explode"}, "event_action"),
        ({**TRIGGER, "event_action": "resolve", "dedup_key": None}, "dedup_key"),
        ({**TRIGGER, "payload": {}}, "summary"),
    ],
)
async def test_what_is_no_event_is_400_in_the_words_of_pagerduty(door: Door, body: Any, word: str) -> None:
    answer = await door.send(PATH, body)

    said = answer.json()
    assert answer.status_code == 400
    assert (said["status"], said["message"]) == ("invalid event", "Event object is invalid")
    assert word in said["errors"][0]
    assert "pp_" not in answer.text
    assert door.bus.groups == []


async def test_an_inactive_source_s_key_is_400(door: Door) -> None:
    await door.add_source(8, "pp_inactive", is_active=False)

    assert (await door.send(PATH, {**TRIGGER, "routing_key": "pp_inactive"})).status_code == 400


async def test_a_body_of_512_kilobytes_is_taken_and_a_larger_one_is_not(door: Door) -> None:
    body = json.dumps(TRIGGER).encode()

    def padded(size: int) -> bytes:
        return body[:-1] + b" " * (size - len(body)) + b"}"

    assert (await door.send(PATH, padded(512 * 1024))).status_code == 202
    answer = await door.send(PATH, padded(512 * 1024 + 1))
    assert (answer.status_code, answer.json()["status"]) == (413, "invalid event")


async def test_without_a_reply_the_event_is_kept(door: Door) -> None:
    door.bus.script = is_silent

    assert (await door.send(PATH, TRIGGER)).json() == PROCESSED
    assert [row["body"]["external_id"] for row in await door.spooled()] == ["db-1/disk"]


async def test_our_own_trouble_is_503_so_that_the_sender_comes_again(door: Door) -> None:
    await door.send(PATH, TRIGGER)
    door.bus.script = opens(AlertOutcome.PARKED, with_incident=False)
    parked = await door.send(PATH, TRIGGER)
    door.bus.script = is_away
    await door.cable.cut()

    async with asyncio.timeout(4):
        both_away = await door.send(PATH, TRIGGER)
        unknown_key = await door.send(PATH, {**TRIGGER, "routing_key": "pp_not_seen_before"})

    for answer in (parked, both_away, unknown_key):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_a_source_with_a_secret_takes_no_unsigned_event(door: Door) -> None:
    await door.configure(hmac_secret="s3cret")

    answer = await door.send(PATH, TRIGGER)

    assert (answer.status_code, door.bus.groups) == (400, [])


async def test_no_routing_key_reaches_the_log(door: Door) -> None:
    with capture_logs() as logs:
        await door.send(PATH, {**TRIGGER, "routing_key": "pp_wrong_key"})
        await door.send(PATH, {**TRIGGER, "event_action": "s3cret"})
        door.bus.script = is_away
        await door.send(PATH, TRIGGER)

    assert logs
    for word in ("pp_", "s3cret"):
        assert word not in repr(logs)
