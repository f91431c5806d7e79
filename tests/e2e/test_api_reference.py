"""Is every line of the API reference so? In its order, to be laid beside `docs/api-reference.txt`.

Its first part, the endpoint cards, is `test_api_reference_cards.py`. What other stories tell at length is only touched
here; each line has a test that quotes it.
"""

from typing import Any

import pytest

from tests.e2e.deployment import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.e2e.fake_infobip import RECEIPT_TOKEN
from tests.e2e.pagerpal import PASSWORD, Pagerpal, Team
from tests.e2e.reference import (
    ALARM,
    GRAFANA_ALERTING,
    REFERENCE_ALERT,
    anonymous,
    client,
    everything,
    gone,
    new_email,
    quoted,
    receipts,
    says,
    sentences,
    webhook,
)

Json = Any


def test_every_line_is_quoted_by_a_test_and_in_the_order_of_the_reference() -> None:
    told: set[int] = set()
    for quotes in quoted():
        last = 0
        for quote in quotes:
            found = [place for place, line in enumerate(sentences()) if line.startswith(quote)]
            assert found, f"not in the reference: {quote}"
            later = [place for place in found if place >= last]
            assert later, f"out of order: {quote}"
            last = later[0]
            told.add(last)
    untold = [line for place, line in enumerate(sentences()) if place not in told]
    assert untold == []


# PagerPal API Reference


@says(
    "1. Operator/management API",
    "2. Incident API",
    "3. Alert ingestion API",
    "The OpenAPI browser is available at /docs when the application is running",
)
async def test_the_three_groups_are_in_the_openapi_document_and_its_browser_is_at_docs(pagerpal: Pagerpal) -> None:
    document = (await anonymous(pagerpal, "GET", "/openapi.json")).json()
    browser = await anonymous(pagerpal, "GET", "/docs")

    assert {"/api/v1/teams", "/api/v1/incidents", "/api/v1/alerts"} <= set(document["paths"])
    assert browser.status_code == 200
    assert browser.headers["content-type"].startswith("text/html")


# Authentication summary

MANAGEMENT = ("users", "teams", "schedules", "escalation-policies", "alert-sources")


@says("/health No None", "/login, /logout, /bootstrap/admin Yes for logout only Signed session cookie after login")
async def test_login_gives_a_signed_cookie_and_logout_needs_it(pagerpal: Pagerpal) -> None:
    person = await pagerpal.given_person("lo", can_log_in=True)
    async with client(pagerpal) as browser:
        early = await browser.post("/logout")
        came = await browser.post("/login", json={"email": person.email, "password": PASSWORD})
        cookie = browser.cookies["pagerpal_session"]
        seen = await browser.get("/api/v1/teams")
        left = await browser.post("/logout")
        browser.cookies.set("pagerpal_session", cookie)
        late = await browser.get("/api/v1/teams")
    second = {"email": "second@example.org", "name": "Second", "password": "long enough a secret"}
    bootstrap = await anonymous(pagerpal, "POST", "/bootstrap/admin", json=second)

    assert (early.status_code, came.status_code, seen.status_code, late.status_code) == (401, 200, 200, 401)
    assert left.is_success
    assert cookie.count(".") == 2
    assert bootstrap.status_code == 409


@says("/api/v1/auth/password Yes User Account session or Basic auth")
async def test_the_password_route_needs_an_account(pagerpal: Pagerpal) -> None:
    answer = await anonymous(pagerpal, "POST", "/api/v1/auth/password", json={})

    assert answer.status_code == 401


@pytest.mark.parametrize("resource", MANAGEMENT)
@says(
    "/api/v1/users*", "/api/v1/teams*", "/api/v1/schedules*", "/api/v1/escalation-policies*", "/api/v1/alert-sources*"
)
async def test_any_account_reads_and_only_an_admin_writes(pagerpal: Pagerpal, resource: str) -> None:
    responder = await pagerpal.given_person("re", can_log_in=True)
    path, auth = f"/api/v1/{resource}", pagerpal.logged_in_as(responder)
    async with client(pagerpal) as browser:
        await browser.post("/login", json={"email": responder.email, "password": PASSWORD})
        by_session = await browser.get(path)

    nobody = await anonymous(pagerpal, "GET", path)
    by_basic = await pagerpal.api.get(path, auth=auth)
    written = await pagerpal.api.post(path, json={}, auth=auth)

    assert (nobody.status_code, by_session.status_code, by_basic.status_code) == (401, 200, 200)
    assert written.status_code == 403


@says("/api/v1/system/jobs Yes User Account session or Basic auth")
async def test_the_jobs_need_an_account(pagerpal: Pagerpal) -> None:
    assert (await anonymous(pagerpal, "GET", "/api/v1/system/jobs")).status_code == 401


@says("/api/v1/incidents* Yes Reads require any account; actions require responder or admin")
async def test_any_account_reads_incidents_and_a_responder_acts(pagerpal: Pagerpal) -> None:
    viewer = await pagerpal.given_person("vi", role="viewer", can_log_in=True)
    responder = await pagerpal.given_person("re", can_log_in=True)
    path = f"/api/v1/incidents/{(await pagerpal.open_incident(await pagerpal.given_team()))['id']}"
    body = {"user_id": responder.user_id}

    read = await pagerpal.api.get(path, auth=pagerpal.logged_in_as(viewer))
    refused = await pagerpal.api.post(f"{path}/ack", json=body, auth=pagerpal.logged_in_as(viewer))
    acted = await pagerpal.api.post(f"{path}/ack", json=body, auth=pagerpal.logged_in_as(responder))

    assert (read.status_code, refused.status_code, acted.status_code) == (200, 403, 200)


@pytest.mark.parametrize("route", ["alerts", "webhooks/grafana", "webhooks/cloudwatch"])
@says("/api/v1/alerts Yes", "/api/v1/webhooks/grafana Yes", "/api/v1/webhooks/cloudwatch Yes")
async def test_alerts_need_a_source_key_and_an_account_is_none(pagerpal: Pagerpal, route: str) -> None:
    without = await anonymous(pagerpal, "POST", f"/api/v1/{route}", json=REFERENCE_ALERT)
    wrong = await pagerpal.ingest.post(f"/api/v1/{route}", json=REFERENCE_ALERT, headers={"X-API-Key": "pp_wrong"})

    assert (without.status_code, wrong.status_code) == (401, 403)


@says("/api/v1/notifications/infobip/receipts Conditional X-Infobip-Receipt-Token when configured")
async def test_receipts_need_the_token_that_is_configured(pagerpal: Pagerpal) -> None:
    """That production needs one: ingest's own tests."""
    answers = [await receipts(pagerpal, [], token) for token in (None, "another token", RECEIPT_TOKEN)]

    assert [answer.status_code for answer in answers] == [401, 403, 200]


# Operator API examples, system worker status, account and password routes


@says(
    "Note: API examples use placeholders only.",
    "Management API routes accept HTTP Basic auth against real User Accounts.",
    "The server-rendered UI uses /login to issue a signed pagerpal_session cookie. API Basic auth is retained",
)
async def test_basic_auth_is_a_user_account_with_its_email_address(pagerpal: Pagerpal) -> None:
    right = await anonymous(pagerpal, "GET", "/api/v1/teams", auth=(ADMIN_EMAIL, ADMIN_PASSWORD))
    shared = await anonymous(pagerpal, "GET", "/api/v1/teams", auth=("admin", "admin"))

    assert (right.status_code, shared.status_code) == (200, 401)


@says("Use this to confirm retry/escalation worker status from automation or deployment checks.")
async def test_the_jobs_tell_when_each_last_ran_and_what_is_due(pagerpal: Pagerpal) -> None:
    async def all_ran() -> Json:
        jobs = (await pagerpal.get("/api/v1/system/jobs"))["jobs"]
        return jobs if all(job["last_run_at"] for job in jobs if job["enabled"]) else None

    jobs = await pagerpal.until("every job that is enabled has run", all_ran)

    assert all({"name", "enabled", "last_run_at", "lag_seconds", "due"} <= set(job) for job in jobs)


@says("First-run admin bootstrap is exposed through the /login page")
async def test_the_first_admin_was_made_by_the_script(pagerpal: Pagerpal) -> None:
    """`deployment.create_admin` has run scripts/create_admin.py; after that, bootstrap stays closed."""
    users = await pagerpal.get("/api/v1/users?limit=1")

    assert (users[0]["email"], users[0]["role"]) == (ADMIN_EMAIL, "admin")


@says("User create/update responses include role and last_login_at; password hashes are never returned.")
async def test_a_user_shows_role_and_last_login_but_no_hash_and_changes_the_password(pagerpal: Pagerpal) -> None:
    person = await pagerpal.given_person("pw", can_log_in=True)
    path, auth = f"/api/v1/users/{person.user_id}", pagerpal.logged_in_as(person)
    body = {"current_password": PASSWORD, "new_password": "another long password"}

    changed = await pagerpal.api.post("/api/v1/auth/password", json=body, auth=auth)
    old = await pagerpal.api.get(path, auth=auth)
    new = await pagerpal.api.get(path, auth=(person.email, "another long password"))
    updated = await pagerpal.api.patch(path, json={"role": "viewer"})
    made = await pagerpal.create("/api/v1/users", {"name": "No login", "email": new_email(), "role": "responder"})

    assert changed.is_success
    assert (old.status_code, new.status_code) == (401, 200)
    assert (updated.json()["role"], updated.json()["last_login_at"] is not None) == ("viewer", True)
    assert (made["role"], made["last_login_at"], made["has_password"]) == ("responder", None, False)
    assert not any("hash" in name or name == "password" for name in {*updated.json(), *made})


# Alert sources


@says("Supported source_type values are generic, grafana, and cloudwatch. Generic sources send alerts to")
async def test_sources_are_generic_grafana_or_cloudwatch(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()
    body = {"team_id": team.team_id, "name": "of a kind", "config": None}

    made = [await pagerpal.create("/api/v1/alert-sources", {**body, "source_type": kind}) for kind in KINDS]
    other = await pagerpal.api.post("/api/v1/alert-sources", json={**body, "source_type": "nagios"})

    assert [source["source_type"] for source in made] == list(KINDS)
    assert other.status_code == 422
    fields = {"id", "team_id", "name", "source_type", "config", "masked_api_key", "is_active", "created_at"}
    assert fields | {"api_key"} <= set(made[0])


KINDS = ("generic", "grafana", "cloudwatch", "alertmanager")


@says(
    "Create and regenerate responses reveal the full api_key once",
    "Regenerate a source key if a key is lost or suspected compromised:",
    "After regeneration, update the monitoring system with the new key.",
)
async def test_after_regeneration_only_the_new_key_works(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()

    rotated = (await pagerpal.api.post(f"/api/v1/alert-sources/{team.source_id}/regenerate-key")).json()

    renewed = Team(team.team_id, team.source_id, rotated["api_key"])
    assert (await pagerpal.send_alert(renewed)).status_code == 201
    assert (await pagerpal.send_alert(team)).status_code == 403


@says("The UI also includes a Send test alert action on /alert-sources. It creates a critical test incident")
async def test_a_test_alert_is_a_critical_incident_of_the_source(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])

    answer = await pagerpal.api.post(f"/api/v1/alert-sources/{team.source_id}/test-alert")

    await pagerpal.expect_sms("ana")
    assert answer.status_code == 201
    assert (answer.json()["severity"], answer.json()["source_id"]) == ("critical", team.source_id)


@pytest.mark.parametrize("place", ["X-API-Key", "X-Alert-Source-Key", "Authorization", "api_key", "token"])
@says(
    "Webhook endpoints accept an active alert source API key from any of these locations:",
    *("X-API-Key header", "X-Alert-Source-Key header", "Bearer token", "Query string ?api_key=", "Prefer headers."),
)
async def test_the_key_is_taken_from_any_place_and_never_logged(pagerpal: Pagerpal, place: str) -> None:
    team = await pagerpal.given_team()
    value = f"Bearer {team.api_key}" if place == "Authorization" else team.api_key
    part = "params" if place in {"api_key", "token"} else "headers"
    where: dict[str, Json] = {part: {place: value}}

    for route in ("alerts", "webhooks/grafana"):
        body = REFERENCE_ALERT if route == "alerts" else GRAFANA_ALERTING
        answer = await pagerpal.ingest.post(f"/api/v1/{route}", json=body, **where)
        assert answer.status_code == 201, answer.text
    assert team.api_key not in pagerpal.deployment.log


@pytest.mark.parametrize(
    ("name", "status"),
    [
        *(("DELIVERED", "delivered"), ("UNDELIVERABLE", "failed"), ("EXPIRED", "failed")),
        *(("REJECTED", "failed"), ("FAILED", "failed")),
    ],
)
@says(
    "Infobip delivery reports can update existing NotificationLog rows by messageId:",
    "DELIVERED marks the outbox row delivered; UNDELIVERABLE, EXPIRED, REJECTED, and FAILED mark it failed.",
)
async def test_a_receipt_says_what_became_of_a_notification(pagerpal: Pagerpal, name: str, status: str) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    pagerpal.allow_calls("ana")
    number = (await pagerpal.open_incident(team))["id"]
    message_id = (await pagerpal.expect_sms("ana")).message_id
    receipt = {"messageId": message_id, "status": {"name": name, "description": "of the reference"}}

    answer = await receipts(pagerpal, [receipt], RECEIPT_TOKEN)

    async def told() -> bool:
        logs = {log["provider_message_id"]: log["status"] for log in await pagerpal.logs(number)}
        return bool(logs[message_id] == status)

    assert answer.status_code == 200
    await pagerpal.until(f"the SMS is {status}", told)


# Generic alert ingestion


@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
@says("• critical", "• warning", "• info")
async def test_an_alert_has_one_of_three_severities(pagerpal: Pagerpal, severity: str) -> None:
    team = await pagerpal.given_team()

    opened = await pagerpal.send_alert(team, severity=severity)
    refused = await pagerpal.send_alert(team, severity="page")

    assert (opened.status_code, opened.json()["severity"]) == (201, severity)
    assert refused.status_code == 422


@says("external_id is important for deduplication. Repeated alerts with the same authenticated source and external ID")
async def test_a_repeated_alert_updates_the_open_incident(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()
    body: dict[str, Json] = {**REFERENCE_ALERT, "team_id": team.team_id, "source_id": team.source_id}

    first = await pagerpal.send_alert(team, **body)
    again = await pagerpal.send_alert(team, **{**body, "title": "CPU > 99% on prod-api-03"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["id"], again.json()["title"]) == (first.json()["id"], "CPU > 99% on prod-api-03")
    empty = ("acknowledged_by", "acknowledged_at", "resolved_by", "resolved_at", "first_notified_at")
    assert [first.json()[name] for name in (*empty, "last_notified_at")] == [None] * 6


# Grafana and CloudWatch webhooks


@says("PagerPal uses provider IDs/labels to derive a stable external ID. state: ok resolves the matching open incident")
async def test_grafana_opens_and_its_ok_resolves(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()
    labels = {"team_id": str(team.team_id)}

    opened = await webhook(pagerpal, team, "grafana", {**GRAFANA_ALERTING, "labels": labels})
    again = await webhook(pagerpal, team, "grafana", {**GRAFANA_ALERTING, "labels": labels})
    ended = await webhook(pagerpal, team, "grafana", {**GRAFANA_ALERTING, "labels": labels, "state": "ok"})

    assert (opened.status_code, opened.json()["title"]) == (201, "RDS connection pool exhausted")
    assert opened.json()["external_id"] == "rds-connection-pool"
    assert (again.status_code, again.json()["id"]) == (200, opened.json()["id"])
    assert (ended.status_code, ended.json()["status"], ended.json()["id"]) == (200, "resolved", opened.json()["id"])


@says("PagerPal accepts SNS SubscriptionConfirmation and Notification payloads. Confirmation messages must include")
async def test_a_subscription_is_confirmed_at_aws_and_nowhere_else(pagerpal: Pagerpal) -> None:
    """That the answer is `subscription_confirmed` once AWS has it: ingest's own tests, which stand in for AWS."""
    team = await pagerpal.given_team()
    arn = "arn:aws:sns:us-east-1:123456789012:alarms"
    url = f"https://evil.example.org/?Action=ConfirmSubscription&TopicArn={arn}&Token=t"
    confirmation = {"Type": "SubscriptionConfirmation", "TopicArn": arn, "Token": "t", "SubscribeURL": url}

    answer = await webhook(pagerpal, team, "cloudwatch", {**confirmation, "MessageId": "m", "Message": "m"})

    assert answer.status_code == 400
    assert "SubscribeURL" in answer.json()["detail"]


@says(
    "Notification messages are expected to include Message as a JSON-encoded CloudWatch alarm message.",
    "NewStateValue: ALARM creates or updates an incident. NewStateValue: OK resolves the matching open incident.",
)
async def test_an_alarm_opens_an_incident_and_its_ok_resolves_it(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()
    body = {"Type": "Notification", "Message": ALARM, "MessageId": "example-message-id"}

    opened = await webhook(pagerpal, team, "cloudwatch", body)
    again = await webhook(pagerpal, team, "cloudwatch", {**body, "MessageId": "another"})
    ok = {**body, "Message": ALARM.replace('"ALARM"', '"OK"'), "MessageId": "the-end"}
    ended = await webhook(pagerpal, team, "cloudwatch", ok)

    assert (opened.status_code, again.status_code, ended.status_code) == (201, 200, 200)
    assert opened.json()["id"] == again.json()["id"] == ended.json()["id"]
    assert (opened.json()["status"], ended.json()["status"]) == ("triggered", "resolved")
    assert "prod-api-cpu-high" in opened.json()["title"]


# Incident API


@says(
    *("page 1 1-based page number.", "page_size 50 Capped at 200.", "team_id none"),
    *("status none Optional filter", "severity none Optional filter", "source_id none"),
)
async def test_the_list_is_filtered_and_paged(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()
    opened = [await pagerpal.open_incident(team, external_id=f"n{n}", severity=SEVERITIES[n]) for n in range(3)]
    await pagerpal.resolve(opened[0]["id"], by="cleaner")

    async def listed(query: str) -> Json:
        return await pagerpal.get(f"/api/v1/incidents?team_id={team.team_id}&{query}")

    numbers = [incident["id"] for incident in opened]
    assert [i["id"] for i in (await listed("page=2&page_size=2"))["items"]] == numbers[:1]
    assert ((await listed("page=2&page_size=2"))["total_pages"], (await listed(""))["page_size"]) == (2, 50)
    assert (await listed("page_size=1000"))["page_size"] == 200
    assert [i["id"] for i in (await listed("status=resolved"))["items"]] == numbers[:1]
    assert [i["id"] for i in (await listed("severity=warning"))["items"]] == numbers[1:2]
    assert (await listed(f"source_id={team.source_id}"))["total"] == 3


SEVERITIES = ("critical", "warning", "info")


@says(
    *("GET /api/v1/incidents List", "GET /api/v1/incidents/{incident_id} Get"),
    *("POST /api/v1/incidents/{incident_id}/ack", "POST /api/v1/incidents/{incident_id}/resolve"),
    *("POST /api/v1/incidents/{incident_id}/reopen", "POST /api/v1/incidents/{incident_id}/escalate"),
    *("GET /api/v1/incidents/{incident_id}/events", "GET /api/v1/incidents/{incident_id}/notification-logs"),
    "POST /api/v1/incidents/{incident_id}/notification-logs/retry",
    "Acknowledge, resolve, reopen, and manual escalation actions require a user_id body:",
)
async def test_every_route_of_an_incident_is_there_and_actions_require_a_user_id(pagerpal: Pagerpal) -> None:
    path = f"/api/v1/incidents/{(await pagerpal.open_incident(await pagerpal.given_team()))['id']}"

    reads = [await pagerpal.api.get(path + rest) for rest in ("", "/events", "/notification-logs")]
    bare = [await pagerpal.api.post(f"{path}/{action}", json={}) for action in ACTIONS]
    unknown = [await pagerpal.api.post(f"{path}/{action}", json={"user_id": 10**9}) for action in ACTIONS]

    assert [answer.status_code for answer in reads] == [200, 200, 200]
    assert {answer.status_code for answer in bare} == {422}
    assert {answer.status_code for answer in unknown} == {400}


ACTIONS = ("ack", "resolve", "reopen", "escalate")


# Schedule entries


@says("POST /api/v1/schedules/{schedule_id}/entries requires user_id to reference an active user and rejects normal")
async def test_entries_need_an_active_user_and_only_overrides_overlap(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()
    schedule = await pagerpal.create("/api/v1/schedules", {"team_id": team.team_id, "name": "first line"})
    path = f"/api/v1/schedules/{schedule['id']}/entries"
    ana, bo = [await pagerpal.given_person(name) for name in ("ana", "bo")]
    times = {"starts_at": "2026-12-01T00:00:00Z", "ends_at": "2026-12-08T00:00:00Z"}

    first = await pagerpal.api.post(path, json={"user_id": ana.user_id, **times})
    overlapping = await pagerpal.api.post(path, json={"user_id": bo.user_id, **times})
    override = await pagerpal.api.post(path, json={"user_id": bo.user_id, "is_override": True, **times})
    inactive = await pagerpal.api.post(path, json={"user_id": await gone(pagerpal), "is_override": True, **times})
    now = await pagerpal.get(f"/api/v1/teams/{team.team_id}/oncall?at=2026-12-02T00:00:00Z")

    assert [a.status_code for a in (first, overlapping, override, inactive)] == [201, 409, 201, 400]
    assert [(one["user_id"], one["reason"]) for one in now["oncall"]] == [(bo.user_id, "override")]


# Route inventory


@says(
    *("Users /api/v1/users", "Teams /api/v1/teams", "Team members", "Current team on-call"),
    *("Schedules /api/v1/schedules", "Schedule entries /api", "Schedule timeline"),
    *("Escalation policies /api", "Escalation levels", "Escalation level assignees"),
    *("Alert sources /api", "Worker status", "Account password", "Infobip delivery receipts /api"),
)
async def test_every_management_resource_is_where_the_reference_says(pagerpal: Pagerpal) -> None:
    document = (await anonymous(pagerpal, "GET", "/openapi.json")).json()
    team = await pagerpal.given_team(levels=["ana"])
    (policy,) = [p for p in await everything(pagerpal, "escalation-policies") if p["team_id"] == team.team_id]
    level = f"/api/v1/escalation-policies/{policy['id']}/levels/{policy['levels'][0]['id']}"

    for resource in (*MANAGEMENT, f"teams/{team.team_id}/members", f"escalation-policies/{policy['id']}/levels"):
        assert isinstance(await pagerpal.get(f"/api/v1/{resource}"), list)
    assert len(await pagerpal.get(f"{level}/assignees")) == 1
    schedules = {"/api/v1/schedules/{schedule_id}/entries", "/api/v1/schedules/{schedule_id}/timeline"}
    others = {"/api/v1/system/jobs", "/api/v1/auth/password", "/api/v1/notifications/infobip/receipts"}
    assert schedules | others | {"/api/v1/teams/{team_id}/oncall"} <= set(document["paths"])


@says("Team member creation requires user_id to reference an active user. Existing inactive memberships stay visible")
async def test_members_must_be_active_when_they_join_and_stay_visible(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(members=["leaving"])
    path, leaving = f"/api/v1/teams/{team.team_id}/members", pagerpal.people["leaving"]

    refused = await pagerpal.api.post(path, json={"user_id": await gone(pagerpal)})
    await pagerpal.api.patch(f"/api/v1/users/{leaving.user_id}", json={"is_active": False})
    listed = await pagerpal.get(path)
    removed = await pagerpal.api.delete(f"{path}/{leaving.user_id}")

    assert refused.status_code == 400
    assert [(member["user_id"], member["user"]["is_active"]) for member in listed] == [(leaving.user_id, False)]
    assert (removed.status_code, removed.content) == (204, b"")


@says("Escalation level numbers must be unique within a policy. Duplicate level numbers return 409")
async def test_a_level_number_is_unique_and_assignees_are_active(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()
    policy = await pagerpal.create("/api/v1/escalation-policies", {"team_id": team.team_id, "name": "the policy"})
    path = f"/api/v1/escalation-policies/{policy['id']}/levels"

    level = await pagerpal.create(path, {"level_number": 1, "timeout_minutes": 5})
    twice = await pagerpal.api.post(path, json={"level_number": 1, "timeout_minutes": 10})
    assignee = {"assignee_type": "user", "user_id": await gone(pagerpal)}
    inactive = await pagerpal.api.post(f"{path}/{level['id']}/assignees", json=assignee)

    assert (twice.status_code, inactive.status_code) == (409, 400)


# Error handling notes


@says(
    *("200 / 201 Request succeeded.", "204 Delete succeeded", "400 Bad request or invalid state transition."),
    *("401 Missing", "403 Role is not allowed", "404 Resource not found.", "409 Conflict", "422 Request body"),
)
async def test_each_status_means_what_the_reference_says(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team()
    number = (await pagerpal.open_incident(team))["id"]
    await pagerpal.acknowledge(number, by="ana")
    unused = await pagerpal.create("/api/v1/teams", {"name": "unused"})

    answers = [
        await pagerpal.api.delete(f"/api/v1/teams/{unused['id']}"),
        await pagerpal.reopen(number, by="ana"),
        await anonymous(pagerpal, "GET", "/api/v1/incidents"),
        await pagerpal.ingest.post("/api/v1/alerts", json=REFERENCE_ALERT, headers={"X-API-Key": "pp_wrong"}),
        await pagerpal.api.get("/api/v1/incidents/999999999"),
        await pagerpal.api.delete(f"/api/v1/teams/{team.team_id}"),
        await pagerpal.api.post("/api/v1/teams", json={"title": "no such field"}),
    ]

    assert [answer.status_code for answer in answers] == [204, 400, 401, 403, 404, 409, 422]
    assert all("detail" in answer.json() for answer in answers[1:])
