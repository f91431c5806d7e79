"""Can a responder see what the sender really sent, and never the key that it was sent with?"""

import json
from typing import Any

import pytest

from tests.e2e.pagerpal import Json, Pagerpal, Team, minutes

ALARM = {"AlarmName": "cpu", "NewStateValue": "ALARM", "NewStateReason": "too high"}
FIRING = {"status": "firing", "labels": {"alertname": "DiskFull"}, "fingerprint": "c6eadffa33fcdf37"}
OTHER = {"status": "firing", "labels": {"alertname": "Other"}, "fingerprint": "0000000000000001"}

DIALECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "generic": ("/api/v1/alerts", {"title": "Disk full", "severity": "critical", "external_id": "db-1"}),
    "Grafana": ("/api/v1/webhooks/grafana", {"title": "t", "alerts": [FIRING, OTHER]}),
    "legacy Grafana": ("/api/v1/webhooks/grafana", {"title": "Disk full", "ruleId": 1, "state": "alerting"}),
    "Alertmanager": ("/api/v1/webhooks/alertmanager", {"version": "4", "alerts": [FIRING]}),
    "SNS": ("/api/v1/webhooks/cloudwatch", {"Type": "Notification", "Message": json.dumps(ALARM), "Token": "t"}),
    "CloudWatch": ("/api/v1/webhooks/cloudwatch", ALARM),
    "PagerDuty": ("/v2/enqueue", {"event_action": "trigger", "dedup_key": "d", "payload": {"summary": "Disk full"}}),
}


async def raw_of(pagerpal: Pagerpal, incident_id: int) -> list[Json]:
    kept: list[Json] = await pagerpal.get(f"/api/v1/incidents/{incident_id}/raw-alerts")
    return kept


def with_key(dialect: str, team: Team) -> dict[str, Any]:
    """The body, with the source's own key where the dialect wants it, and where nobody does."""
    more: dict[str, Any] = {"debug": f"curl -H 'X-API-Key: {team.api_key}' …", "nested": {team.api_key: [team.api_key]}}
    if dialect == "PagerDuty":
        more["routing_key"] = team.api_key
    return {**DIALECTS[dialect][1], **more}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_was_sent_is_shown_without_the_key_it_was_sent_with(pagerpal: Pagerpal, dialect: str) -> None:
    """The key is planted: in a log, a message or the body of an error it would fail the deployment's last check."""
    team = await pagerpal.given_team(levels=["ana"])
    body = with_key(dialect, team)
    headers = {} if dialect == "PagerDuty" else {"X-API-Key": team.api_key}

    answer = await pagerpal.ingest.post(DIALECTS[dialect][0], json=body, headers=headers)

    assert answer.status_code in {201, 202}, answer.text
    incident = await pagerpal.incident_of(team)
    (kept, *_) = await raw_of(pagerpal, incident["id"])
    assert team.api_key not in kept["body"]
    assert json.loads(kept["body"])["debug"] == "curl -H 'X-API-Key: [masked]' …"
    assert json.loads(kept["body"]).get("routing_key") == ("[masked]" if dialect == "PagerDuty" else None)
    assert "Token" not in kept["body"]
    assert (kept["place"], kept["content_type"], kept["is_cut"]) == ("first", "application/json", False)
    await pagerpal.expect_sms("ana")
    if dialect == "Grafana":
        await pagerpal.expect_sms("ana")


async def test_the_first_and_the_newest_are_kept(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    pagerpal.allow_calls("ana")  # due two minutes after the SMS
    incident = await pagerpal.open_incident(team, value=91)
    for value in (95, 99):
        await pagerpal.advance(minutes(1))
        await pagerpal.send_alert(team, value=value)

    first, last = await raw_of(pagerpal, incident["id"])

    assert (json.loads(first["body"])["value"], json.loads(last["body"])["value"]) == (91, 99)
    assert (first["place"], last["place"]) == ("first", "last")
    await pagerpal.expect_sms("ana")


async def test_of_a_body_too_long_to_keep_its_beginning_is_kept(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])

    incident = await pagerpal.open_incident(team, dump="x" * 100_000)

    (kept,) = await raw_of(pagerpal, incident["id"])
    assert (len(kept["body"]), kept["is_cut"]) == (16 * 1024, True)
    assert kept["size"] > 100_000
    await pagerpal.expect_sms("ana")


async def test_a_test_alert_shows_what_a_sender_would_have_sent(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])

    incident = await pagerpal.send_test_alert(team)

    (kept,) = await raw_of(pagerpal, incident["id"])
    assert json.loads(kept["body"])["title"] == incident["title"]
    await pagerpal.expect_sms("ana")
