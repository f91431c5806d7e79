"""Does every endpoint card of the API reference (`docs/api-reference.txt`) answer as it says?"""

from tests.e2e.pagerpal import Pagerpal
from tests.e2e.reference import ALARM, GRAFANA_ALERTING, anonymous, says, webhook


@says("GET/health", "Public load-balancer health check.")
async def test_health_is_public(pagerpal: Pagerpal) -> None:
    answer = await anonymous(pagerpal, "GET", "/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "service": "pagerpal", "version": "0.1.0"})


@says("GET/api/v1/system/jobs", "Retry and escalation worker status.")
async def test_the_jobs_have_names_and_say_whether_they_are_enabled(pagerpal: Pagerpal) -> None:
    jobs = {job["name"]: job["enabled"] for job in (await pagerpal.get("/api/v1/system/jobs"))["jobs"]}

    assert (jobs["notification_retry"], jobs["escalation"]) == (True, True)
    assert set(jobs) == {"notification_retry", "escalation", "outbox_relay", "alert_spool", "auditor"}


@says(
    *("POST/api/v1/alert-sources", "Create a monitored alert source."),
    *("GET/api/v1/alert-sources", "List alert sources with masked keys."),
    *("POST/api/v1/alert-sources/{source_id}/regenerate-key", "Rotate a source key."),
)
async def test_a_source_is_made_listed_with_a_masked_key_and_given_another(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()
    body = {"team_id": team.team_id, "name": "Production Grafana", "source_type": "grafana", "config": None}

    made = await pagerpal.create("/api/v1/alert-sources", body)
    listed = (await pagerpal.get(f"/api/v1/alert-sources?after={made['id'] - 1}"))[0]
    rotated = await pagerpal.api.post(f"/api/v1/alert-sources/{made['id']}/regenerate-key")

    assert made["masked_api_key"] == f"{made['api_key'][:8]}…{made['api_key'][-4:]}"
    assert (listed["id"], listed["source_type"], listed["is_active"]) == (made["id"], "grafana", True)
    assert "api_key" not in listed
    assert (rotated.status_code, rotated.json()["id"]) == (200, made["id"])
    assert rotated.json()["api_key"] != made["api_key"]


@says("POST/api/v1/alerts", "Generic alert ingestion.")
async def test_an_alert_is_answered_with_its_incident(pagerpal: Pagerpal) -> None:
    incident = await pagerpal.open_incident(await pagerpal.given_team())

    assert incident["id"] > 0
    assert (incident["status"], incident["severity"]) == ("triggered", "critical")


@says("POST/api/v1/webhooks/grafana", "Grafana alerting webhook.")
async def test_a_grafana_alert_is_answered_with_its_incident(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()

    answer = await webhook(pagerpal, team, "grafana", {**GRAFANA_ALERTING, "ruleId": "monitoring-rule-id"})

    assert (answer.status_code, answer.json()["external_id"]) == (201, "monitoring-rule-id")


@says("POST/api/v1/webhooks/cloudwatch", "CloudWatch/SNS webhook.")
async def test_a_cloudwatch_alarm_is_answered_with_its_incident(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()

    answer = await webhook(pagerpal, team, "cloudwatch", {"Type": "Notification", "Message": ALARM, "MessageId": "m"})

    assert (answer.status_code, answer.json()["status"]) == (201, "triggered")


@says("GET/api/v1/incidents", "Paginated incident list.")
async def test_the_list_has_items_and_counts_them(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()
    incident = await pagerpal.open_incident(team)

    page = await pagerpal.get(f"/api/v1/incidents?source_id={team.source_id}")

    assert [item["id"] for item in page.pop("items")] == [incident["id"]]
    assert page == {"total": 1, "page": 1, "page_size": 50, "total_pages": 1}


@says("GET/api/v1/incidents/{incident_id}", "Incident detail.")
async def test_an_incident_is_shown_by_its_id(pagerpal: Pagerpal) -> None:
    incident = await pagerpal.open_incident(await pagerpal.given_team())

    shown = await pagerpal.incident(incident["id"])

    assert (shown["id"], shown["status"], shown["notification_count"]) == (incident["id"], "triggered", 0)


@says(
    *("POST/api/v1/incidents/{incident_id}/ack", "Acknowledge an incident."),
    *("POST/api/v1/incidents/{incident_id}/resolve", "Resolve an incident."),
    *("POST/api/v1/incidents/{incident_id}/reopen", "Reopen a resolved incident."),
    *("POST/api/v1/incidents/{incident_id}/escalate", "Manually escalate an incident."),
    *("GET/api/v1/incidents/{incident_id}/events", "Read incident timeline events."),
)
async def test_an_incident_is_acknowledged_resolved_reopened_and_escalated(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"])
    ana = await pagerpal.given_person("ana")
    number = (await pagerpal.open_incident(team))["id"]
    await pagerpal.expect_sms("ana")

    acknowledged = (await pagerpal.acknowledge(number, by="ana")).json()
    resolved = (await pagerpal.resolve(number, by="ana")).json()
    reopened = (await pagerpal.reopen(number, by="ana")).json()
    await pagerpal.expect_sms("ana")
    await pagerpal.until_level(number, 1)
    escalated = (await pagerpal.escalate(number, by="ana", expected_level=1)).json()
    await pagerpal.expect_sms("bo")

    assert (acknowledged["status"], acknowledged["acknowledged_by"]) == ("acknowledged", ana.user_id)
    assert (resolved["status"], resolved["resolved_by"]) == ("resolved", ana.user_id)
    assert (reopened["id"], reopened["status"]) == (number, "triggered")
    assert (escalated["id"], escalated["current_escalation_level"]) == (number, 2)
    told = [(event["event_type"], event["message"]) for event in await pagerpal.events(number)]
    assert ("acknowledged", "Incident acknowledged") in told
    assert ("resolved", "Incident resolved") in told


@says(
    *("GET/api/v1/incidents/{incident_id}/notification-logs", "Read notification logs."),
    *("POST/api/v1/incidents/{incident_id}/notification-logs/retry", "Retry failed notifications."),
)
async def test_notifications_are_logged_and_retried(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    number = (await pagerpal.open_incident(team))["id"]
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()

    logs = await pagerpal.logs(number)
    retried = await pagerpal.api.post(f"/api/v1/incidents/{number}/notification-logs/retry")

    assert ("sent", "sms") in [(log["status"], log["channel"]) for log in logs]
    assert (retried.status_code, retried.json()) == (200, {"retried_count": 0, "queued_count": 0})
