"""Does what Grafana sends page the right person, and what it takes back end?"""

import json
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.pagerpal import Pagerpal, Team

CORPUS = Path(__file__).parents[2] / "services/ingest/tests/corpus"
ROUTE = "/api/v1/webhooks/grafana"


async def posted(pagerpal: Pagerpal, team: Team, body: Any, method: str = "POST") -> httpx.Response:
    """What Grafana posts, with the source's key as a bearer's token."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    key = {"Authorization": f"Bearer {team.api_key}"}
    return await pagerpal.ingest.request(method, ROUTE, content=content, headers=key)


async def test_the_reference_s_example_pages_and_ok_resolves_it(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    alerting = {
        "title": "RDS connection pool exhausted",
        "message": "Database connection pool is saturated",
        "state": "alerting",
        "ruleId": "rds-connection-pool",
        "labels": {"team_id": str(team.team_id)},
    }

    opened = await posted(pagerpal, team, alerting)

    assert (opened.status_code, opened.json()["external_id"]) == (201, "rds-connection-pool")
    await pagerpal.expect_sms("ana", containing="RDS connection pool exhausted")

    resolved = await posted(pagerpal, team, {**alerting, "state": "ok"})
    assert (resolved.status_code, resolved.json()["id"]) == (200, opened.json()["id"])
    assert (await pagerpal.incident(opened.json()["id"]))["status"] == "resolved"


async def test_every_alert_of_a_notification_is_an_incident_of_its_own(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])

    opened = await posted(pagerpal, team, (CORPUS / "grafana/docs_two_firing.json").read_bytes(), "PUT")

    assert opened.status_code == 201
    first, second = opened.json()["incidents"]
    assert (opened.json()["id"], opened.json()["status"]) == (first["id"], "triggered")
    assert first["id"] != second["id"]
    await pagerpal.expect_sms("ana", containing="zone us-1")
    await pagerpal.expect_sms("ana", containing="zone eu-1")

    resolved = await posted(pagerpal, team, (CORPUS / "grafana/derived_two_resolved.json").read_bytes())
    assert resolved.status_code == 200
    assert {entry["status"] for entry in resolved.json()["incidents"]} == {"resolved"}
    assert {one["status"] for one in await pagerpal.incidents_of(team)} == {"resolved"}
