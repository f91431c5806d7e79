"""Does a real Alertmanager page the right person once, however often it says so, and end what it began?"""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

from tests.e2e.alertmanager import Alertmanager, pagerduty, webhook
from tests.e2e.pagerpal import Json, Pagerpal, Team, hours
from tests.e2e.recorder import recorder

DISK = {"alertname": "DiskFull", "instance": "db-1", "severity": "critical"}
OTHER_DISK = {**DISK, "instance": "db-2"}
RUNBOOK = "https://runbooks.example/disk"

StartAlertmanager = Callable[..., Alertmanager]


async def test_firing_repeated_restarted_and_resolved_is_one_incident_and_one_page(
    pagerpal: Pagerpal, start_alertmanager: StartAlertmanager
) -> None:
    team = await pagerpal.given_team(levels=["ana"], timeout=hours(2))
    alertmanager = start_alertmanager(webhook(pagerpal.deployment.url, team.api_key))
    since = pagerpal.deployment.clock.now() - timedelta(seconds=5)

    alertmanager.fire(DISK, since=since, summary="Disk full on db-1", runbook_url=RUNBOOK)

    await pagerpal.expect_sms("ana", containing="Disk full on db-1")
    incident = await pagerpal.incident_of(team)
    assert incident["external_id"] == "9556f853bb27ef8b"
    assert (incident["severity"], incident["title"]) == ("critical", "Disk full on db-1")
    await _until_count(pagerpal, incident["id"], 2)

    await asyncio.to_thread(alertmanager.stop)
    await asyncio.to_thread(alertmanager.start)
    count = (await pagerpal.incident(incident["id"]))["alert_count"]
    alertmanager.fire(DISK, since=since, summary="Disk full on db-1", runbook_url=RUNBOOK)
    await _until_count(pagerpal, incident["id"], count + 1)

    alertmanager.end(DISK, since=since, at=pagerpal.deployment.clock.now(), summary="Disk full on db-1")
    resolved = await _until_resolved(pagerpal, incident["id"])
    await asyncio.to_thread(alertmanager.stop)
    assert resolved["resolved_by"] is None
    assert [one["id"] for one in await pagerpal.incidents_of(team)] == [incident["id"]]
    pagerpal.allow_calls("ana")
    await pagerpal.expect_quiet()


async def test_one_of_a_group_that_is_over_ends_and_the_other_fires_on(
    pagerpal: Pagerpal, start_alertmanager: StartAlertmanager
) -> None:
    team = await pagerpal.given_team(levels=["ana"], timeout=hours(2))
    alertmanager = start_alertmanager(webhook(pagerpal.deployment.url, team.api_key))
    since = pagerpal.deployment.clock.now() - timedelta(seconds=5)
    alertmanager.fire(DISK, since=since, summary="Disk full on db-1")
    alertmanager.fire(OTHER_DISK, since=since, summary="Disk full on db-2")
    await pagerpal.expect_sms("ana", containing="db-1")
    await pagerpal.expect_sms("ana", containing="db-2")
    first, other = await _both(pagerpal, team)

    alertmanager.end(DISK, since=since, at=pagerpal.deployment.clock.now(), summary="Disk full on db-1")

    await _until_resolved(pagerpal, first["id"])
    assert (await pagerpal.incident(other["id"]))["status"] == "triggered"
    await asyncio.to_thread(alertmanager.stop)
    pagerpal.allow_calls("ana")


async def test_two_that_do_not_know_each_other_page_once_and_the_slower_one_s_late_firing_pages_nobody(
    pagerpal: Pagerpal, start_alertmanager: StartAlertmanager
) -> None:
    """The worst that a pair for high availability can do: cut off from each other, both of them send everything."""
    team = await pagerpal.given_team(levels=["ana"], timeout=hours(2))
    ours = webhook(pagerpal.deployment.url, team.api_key)["webhook_configs"]
    with recorder() as recorded:
        quick = start_alertmanager({"webhook_configs": ours})
        slow = start_alertmanager({"webhook_configs": [*ours, {"url": recorded.url, "send_resolved": True}]})
        since = pagerpal.deployment.clock.now() - timedelta(seconds=5)

        for one in (quick, slow):
            one.fire(DISK, since=since, summary="Disk full on db-1")

        await pagerpal.expect_sms("ana", containing="Disk full on db-1")
        incident = await pagerpal.incident_of(team)
        await _until_count(pagerpal, incident["id"], 4)
        late = await _recorded(pagerpal, recorded.bodies, "firing")

        at = pagerpal.deployment.clock.now()
        for one in (quick, slow):
            one.end(DISK, since=since, at=at, summary="Disk full on db-1")
        await _until_resolved(pagerpal, incident["id"])
        await _recorded(pagerpal, recorded.bodies, "resolved")
        for one in (quick, slow):
            await asyncio.to_thread(one.stop)

    headers = {"Authorization": f"Bearer {team.api_key}"}
    answer = await pagerpal.ingest.post("/api/v1/webhooks/alertmanager", content=late, headers=headers)

    assert answer.status_code == 200, answer.text
    assert [(one["id"], one["status"]) for one in await pagerpal.incidents_of(team)] == [(incident["id"], "resolved")]
    pagerpal.allow_calls("ana")
    await pagerpal.expect_quiet()


async def test_an_alertmanager_that_believes_we_are_pagerduty_pages_and_resolves(
    pagerpal: Pagerpal, start_alertmanager: StartAlertmanager
) -> None:
    team = await pagerpal.given_team(levels=["ana"], timeout=hours(2))
    alertmanager = start_alertmanager(pagerduty(pagerpal.deployment.url, team.api_key))
    since = pagerpal.deployment.clock.now() - timedelta(seconds=5)

    alertmanager.fire(DISK, since=since, summary="Disk full on db-1")

    await pagerpal.expect_sms("ana", containing="DiskFull")
    incident = await pagerpal.incident_of(team)
    assert "db-1" in incident["description"]
    await _until_count(pagerpal, incident["id"], 2)

    alertmanager.end(DISK, since=since, at=pagerpal.deployment.clock.now(), summary="Disk full on db-1")
    await _until_resolved(pagerpal, incident["id"])
    await asyncio.to_thread(alertmanager.stop)
    assert len(await pagerpal.incidents_of(team)) == 1
    pagerpal.allow_calls("ana")
    await pagerpal.expect_quiet()


async def test_a_wrong_routing_key_is_told_in_alertmanager_s_own_log(
    pagerpal: Pagerpal, start_alertmanager: StartAlertmanager
) -> None:
    alertmanager = start_alertmanager(pagerduty(pagerpal.deployment.url, "pp_wrong"))

    alertmanager.fire(DISK, since=pagerpal.deployment.clock.now(), summary="Disk full on db-1")

    async def told() -> bool:
        return "the alert source key is unknown or inactive" in alertmanager.log

    await pagerpal.until("Alertmanager logs why", told)


async def _until_count(pagerpal: Pagerpal, incident_id: int, count: int) -> None:
    async def counted() -> bool:
        found: bool = (await pagerpal.incident(incident_id))["alert_count"] >= count
        return found

    await pagerpal.until(f"incident {incident_id} has {count} alerts", counted)


async def _until_resolved(pagerpal: Pagerpal, incident_id: int) -> Json:
    async def resolved() -> Json:
        incident = await pagerpal.incident(incident_id)
        return incident if incident["status"] == "resolved" else None

    return await pagerpal.until(f"incident {incident_id} is resolved", resolved)


async def _recorded(pagerpal: Pagerpal, bodies: list[bytes], status: str) -> bytes:
    """The newest body with this status, once there is one."""

    async def there() -> bytes | None:
        return next((body for body in reversed(bodies) if json.loads(body)["status"] == status), None)

    body: bytes = await pagerpal.until(f"Alertmanager has posted {status}", there)
    return body


async def _both(pagerpal: Pagerpal, team: Team) -> list[Json]:
    async def there() -> list[Json] | None:
        found = await pagerpal.incidents_of(team)
        return sorted(found, key=lambda one: str(one["title"])) if len(found) == 2 else None

    both: list[Json] = await pagerpal.until("both alerts have opened an incident", there)
    return both
