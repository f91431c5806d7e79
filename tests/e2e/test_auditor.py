"""Is somebody paged when PagerPal itself breaks a promise?"""

from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.e2e.deployment import standalone
from tests.e2e.fake_infobip import fake_infobip
from tests.e2e.pagerpal import Pagerpal, minutes, story
from tests.e2e.settled import connect

INCIDENTS = "/api/v1/incidents"


async def test_a_broken_guarantee_pages_an_administrator_and_is_resolved_once_it_is_mended(tmp_path: Path) -> None:
    """In a PagerPal of its own: the administrators of other stories are not to be woken."""
    with fake_infobip() as infobip, standalone(tmp_path, infobip) as deployment:
        async with story(deployment) as pagerpal:
            await pagerpal.given_person("ada", role="admin")
            pagerpal.allow_calls("ada")
            connection = await connect(deployment.database_url)

            await connection.execute(
                "INSERT INTO escalation.outbox (message_id, topic, body, created_at) VALUES ($1, 'nobodys', '{}', $2)",
                uuid4(),
                deployment.clock.now(),
            )
            await pagerpal.advance(minutes(1))

            await pagerpal.expect_sms("ada", containing="PagerPal itself")
            red = await pagerpal.until("the auditor's job is red", lambda: auditor_is(pagerpal, healthy=False))
            assert red["due"] == 1
            assert "outboxes_drained (I14)" in red["reason"]
            (incident,) = (await pagerpal.get(INCIDENTS))["items"]
            assert (incident["status"], incident["source_id"], incident["severity"]) == ("triggered", 0, "critical")

            await connection.execute("DELETE FROM escalation.outbox")
            await connection.close()

            await pagerpal.until("the incident is resolved", lambda: is_resolved(pagerpal, incident["id"]))
            assert await auditor_is(pagerpal, healthy=True)
            await pagerpal.expect_quiet()


async def auditor_is(pagerpal: Pagerpal, *, healthy: bool) -> Any:
    """The auditor's job, if it is so."""
    body = await pagerpal.get("/api/v1/system/jobs")
    (job,) = (job for job in body["jobs"] if job["name"] == "auditor")
    return job if job["healthy"] is healthy else None


async def is_resolved(pagerpal: Pagerpal, incident_id: int) -> bool:
    incident = await pagerpal.incident(incident_id)
    return bool(incident["status"] == "resolved")
