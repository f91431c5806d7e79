"""Does every alert that comes through the door bring along how it was sent, and never the key?"""

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest
from pagerpal_common.contracts.alerts import RAW_LIMIT, Alert, RawAlert
from pagerpal_ingest.domain import raw_parts

from services.ingest.tests.conftest import is_away
from services.ingest.tests.integration.conftest import BODY, KEY, Door

GRAFANA = "/api/v1/webhooks/grafana"
SNS = "/api/v1/webhooks/cloudwatch"
EVENTS = "/v2/enqueue"
FIRING = {"status": "firing", "labels": {"alertname": "DiskFull"}, "fingerprint": "c6eadffa33fcdf37"}


def raws(door: Door) -> list[RawAlert]:
    """Of all alerts that were taken."""
    found = [alert.raw for alert in door.bus.alerts]
    assert None not in found
    return [raw for raw in found if raw is not None]


async def raw_of(door: Door, path: str, body: object, **headers: str) -> RawAlert:
    answer = await door.send(path, body, **headers)
    assert answer.status_code in {201, 202}, answer.text
    (raw,) = raws(door)
    return raw


async def test_our_own_format_is_kept_to_the_letter(door: Door) -> None:
    body = b' {"severity" : "critical", "title":"disk full", "mine":1e3, "mine":2}\n'

    raw = await raw_of(door, "/api/v1/alerts", body, **{"Content-Type": "text/x-odd"})

    assert raw == RawAlert(text=body.decode(), size=len(body), content_type="text/x-odd")


async def test_each_alert_of_a_group_brings_its_own_part_whatever_is_beside_it(door: Door) -> None:
    answer = await door.send(GRAFANA, {"receiver": "r", "alerts": [FIRING, 5, {**FIRING, "fingerprint": "other"}]})

    assert answer.status_code == 201
    assert [json.loads(raw.text or "") for raw in raws(door)] == [
        {"receiver": "r", "alerts": [FIRING]},
        {"receiver": "r", "alerts": [{**FIRING, "fingerprint": "other"}]},
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/alerts", {**BODY, "note": f"key {KEY}"}),
        (GRAFANA, {"alerts": [{**FIRING, "note": KEY}]}),
        (GRAFANA, {"title": "t", "ruleId": 1, "note": KEY}),
        (SNS, {"Type": "Notification", "Message": f"disk full {KEY}", "UnsubscribeURL": "https://x/?SubscriptionArn"}),
        (EVENTS, {"routing_key": KEY, "event_action": "trigger", "payload": {"summary": "s"}}),
    ],
)
async def test_the_key_is_in_no_message_of_ours(door: Door, path: str, body: dict[str, Any]) -> None:
    raw = await raw_of(door, path, body)

    assert KEY not in door.bus.groups[0].alerts[0].raw.model_dump_json()  # type: ignore[union-attr]
    assert "[masked]" in (raw.text or "")
    assert "Unsubscribe" not in (raw.text or "")


TEXT = f"password=hunter2 {KEY}"
SHOWN = "password=[masked] [masked]"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/alerts", {**BODY, "title": TEXT, "description": TEXT}),
        (GRAFANA, {"alerts": [{**FIRING, "annotations": {"summary": TEXT, "description": TEXT}}]}),
        (GRAFANA, {"title": TEXT, "ruleId": 1, "message": f"{TEXT} "}),
        (SNS, {"Type": "Notification", "Subject": TEXT, "Message": TEXT}),
        (EVENTS, {"routing_key": KEY, "event_action": "trigger", "payload": {"summary": TEXT, "custom_details": TEXT}}),
    ],
)
async def test_what_is_masked_as_it_was_sent_is_masked_in_the_incident_too(
    door: Door, path: str, body: dict[str, Any]
) -> None:
    await raw_of(door, path, body)

    (alert,) = door.bus.alerts
    assert (alert.title, alert.description) == (SHOWN, SHOWN)
    assert KEY not in alert.model_dump_json()


async def test_an_alert_whose_words_cannot_be_masked_is_taken(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_alert: Alert, _secrets: object) -> Alert:
        raise RuntimeError("a bug")

    monkeypatch.setattr("pagerpal_ingest.raw.masked", broken)

    await raw_of(door, GRAFANA, {"alerts": [FIRING]})

    assert [alert.title for alert in door.bus.alerts] == ["DiskFull"]


async def test_what_a_source_signs_with_is_masked_too(door: Door) -> None:
    secret = 'sec"ret\\of/ours'
    await door.configure(hmac_secret=secret)
    body = json.dumps({**BODY, "a": secret, "b": f"x {secret} y"}).encode()
    signed = hmac.new(secret.encode(), body, sha256).hexdigest()

    raw = await raw_of(door, "/api/v1/alerts", body, **{"X-Grafana-Alerting-Signature": signed})

    said = json.loads(raw.text or "")
    assert (said["a"], said["b"]) == ("[masked]", "x [masked] y")


@pytest.mark.parametrize(
    ("path", "body", "kept"),
    [
        (
            GRAFANA,
            b'{"title": "t", "ruleId": 1, "note": "\xff\xfe"}',
            '{"title": "t", "ruleId": 1, "note": "\ufffd\ufffd"}',
        ),
        (GRAFANA, b'\xef\xbb\xbf{"title": "t", "ruleId": 1}', '{"title": "t", "ruleId": 1}'),
        (GRAFANA, b'{"title": "\\u0000t\\ud83d", "ruleId": 1}', '{"title": "\\u0000t\\ud83d", "ruleId": 1}'),
        (GRAFANA, b'{"title": "t", "ruleId": 1' + b"7" * 5000 + b', "n": NaN}', None),
        (SNS, b"disk\0full \x1b[2J \xff", "disk\\u0000full \\u001b[2J \ufffd"),
    ],
    ids=["bad UTF-8", "a byte order mark", "what cannot be stored", "huge numbers", "controls"],
)
async def test_odd_bytes_are_kept_as_what_can_be_shown(door: Door, path: str, body: bytes, kept: str | None) -> None:
    door.bus.script = is_away  # which makes PostgreSQL take it

    raw = await raw_of(door, path, body, **{"x-amz-sns-message-type": "Notification"})

    assert raw.text == (body.decode() if kept is None else kept)
    (spooled,) = await door.spooled()
    assert Alert.model_validate_json(json.dumps(spooled["body"])).raw == raw


async def test_of_a_body_of_a_megabyte_the_beginning_is_kept(door: Door) -> None:
    body = {"title": "t", "ruleId": 1, "dump": "x" * 1_000_000}

    raw = await raw_of(door, GRAFANA, body)

    assert (len(raw.text or ""), raw.size, raw.is_cut) == (RAW_LIMIT, len(json.dumps(body)), True)


async def test_an_alert_whose_raw_form_cannot_be_made_is_taken(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_body: bytes, _number: int) -> list[str]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(raw_parts, "of_group", broken)

    raw = await raw_of(door, GRAFANA, {"alerts": [FIRING]})

    assert raw == RawAlert(text=None)


async def test_a_message_of_many_records_brings_each_its_own(door: Door) -> None:
    records = [{"Sns": {"MessageId": name, "Message": f"about {name}", "Signature": "s"}} for name in ("a", "b")]

    await door.send(SNS, {"Records": records})

    assert [json.loads(raw.text or "") for raw in raws(door)] == [
        {"MessageId": "a", "Message": "about a"},
        {"MessageId": "b", "Message": "about b"},
    ]
