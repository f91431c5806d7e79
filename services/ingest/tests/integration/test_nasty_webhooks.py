"""Does anything that a monitoring system can put into its own dialect break the door, or the spool behind it?"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pagerpal_common.contracts.alerts import Alert

from services.ingest.tests.conftest import is_away
from services.ingest.tests.integration.conftest import KEY, Door
from services.ingest.tests.integration.test_nasty_bodies import NAUGHTY

NASTY = [*NAUGHTY, "\0", "a\0b", "\ud83d", "\udfff\ud800", "\x1b[2J", "x" * 20_000, "é" * 9_000, "\u202egnp.exe"]
"""And what PostgreSQL does not store, or not whole."""

ALERT = {
    "status": "firing",
    "labels": {"alertname": "DiskFull"},
    "annotations": {"summary": "Disk full"},
    "startsAt": "2026-05-21T11:50:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus:9090/graph",
    "fingerprint": "c6eadffa33fcdf37",
    "values": {"A": 1},
    "valueString": "[ value=1 ]",
}
NESTED = ("labels", "annotations", "values")
"""Fields whose every name and value is a sender's own."""


def _with(text: str, field: str) -> Iterator[dict[str, Any]]:
    yield {**ALERT, field: text}
    if field in NESTED:
        yield {**ALERT, field: {text: text, "alertname": text, "team_id": text, "summary": text, "runbook_url": text}}


@pytest.mark.parametrize("field", [*ALERT])
async def test_a_naughty_string_in_every_field_of_every_alert_is_kept(door: Door, field: str) -> None:
    door.bus.script = is_away  # which makes PostgreSQL take it
    alerts = [alert for text in NASTY for alert in _with(text, field)]

    answer = await door.send("/api/v1/webhooks/grafana", {"alerts": alerts})

    assert answer.status_code == 202
    spooled = [Alert.model_validate_json(json.dumps(row["body"])) for row in await door.spooled()]
    assert len(spooled) == len(alerts)
    assert sorted(spooled, key=str) == sorted(door.bus.alerts, key=str)


@pytest.mark.parametrize("field", ["title", "message", "state", "ruleId", "ruleName", "ruleUrl", "tags", "evalMatches"])
async def test_a_naughty_string_in_every_field_of_a_legacy_body_is_kept(door: Door, field: str) -> None:
    body = {"title": "t", "ruleId": 1, "ruleName": "n", "state": "alerting"}

    statuses = {(await door.send("/api/v1/webhooks/grafana", {**body, field: text})).status_code for text in NASTY}

    assert statuses == {201}


@pytest.mark.parametrize("field", ["routing_key", "event_action", "dedup_key", "payload", "links", "images", "client"])
async def test_a_naughty_string_in_every_field_of_an_event_is_taken_or_refused(door: Door, field: str) -> None:
    payload = {"summary": "s", "source": "x", "severity": "info"}
    event = {"routing_key": KEY, "event_action": "trigger", "payload": payload}

    statuses = {(await door.send("/v2/enqueue", {**event, field: text})).status_code for text in NASTY}

    assert statuses <= {202, 400}


@pytest.mark.parametrize("path", ["/api/v1/webhooks/grafana", "/api/v1/webhooks/alertmanager", "/v2/enqueue"])
async def test_a_nasty_body_is_refused_as_the_sender_s(door: Door, path: str) -> None:
    bodies = [b"", b"\0", b"\xff\xfe", b"null", b"1" * 200_000, b"[" * 200_000, b'{"alerts":' * 20_000, b"<alert/>"]

    statuses = {(await door.send(path, body)).status_code for body in bodies}

    assert statuses == {400 if path == "/v2/enqueue" else 422}
    assert door.bus.groups == []
