"""`GET /api/v1/system/jobs` (API reference, "System worker status"): what is due, how late, and who looks for it."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

from pagerpal_common.errors import BusUnavailable
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web.domain.auditor import Check
from pagerpal_web.domain.jobs import LOOPS
from pagerpal_web.storage.system import _WORK

from .conftest import T0, Broker, Web

JOBS = "/api/v1/system/jobs"
SCHEMAS = {
    "incidents": "incidents",
    "escalator": "escalation",
    "notifier": "notification",
    "ingest": "ingest",
    "web": "directory",
}


async def seen_at_work(rows: Rows, clock: Clock, *but: str) -> None:
    """Every loop has just run, but for these."""
    for loop in [loop for loops in LOOPS.values() for loop in loops if loop not in but]:
        schema = SCHEMAS[loop.partition(".")[0]]
        await rows(
            f"INSERT INTO {schema}.loop_runs VALUES (:name, 1, :at, NULL) ON CONFLICT (name) DO UPDATE "
            "SET last_run_at = excluded.last_run_at",
            name=loop,
            at=clock.at,
        )
    for check in Check:
        await rows(
            "INSERT INTO directory.auditor_checks VALUES (:name, 0, NULL, 0, NULL, :at, NULL) "
            "ON CONFLICT (name) DO UPDATE SET checked_at = excluded.checked_at",
            name=check,
            at=clock.at,
        )


async def jobs(web: Web) -> tuple[Any, dict[str, Any]]:
    """The answer, and its jobs by name."""
    response = await web("GET", JOBS, who="viewer")
    assert response.status_code == 200, response.text
    body = response.json()
    return body, {job["name"]: job for job in body["jobs"]}


async def test_at_rest_every_job_is_healthy_and_has_the_fields_of_the_contract(
    web: Web, rows: Rows, clock: Clock
) -> None:
    await seen_at_work(rows, clock)

    body, by_name = await jobs(web)

    assert (body["healthy"], body["parked_alerts"], body["parked_messages"]) == (True, 0, 0)
    assert list(by_name) == ["notification_retry", "escalation", "outbox_relay", "alert_spool", "auditor"]
    assert by_name["escalation"] == {
        "name": "escalation",
        "enabled": True,
        "last_run_at": "2026-05-21T12:00:00Z",
        "lag_seconds": 0.0,
        "due": 0,
        "healthy": True,
        "reason": None,
    }
    assert by_name["auditor"] == {**by_name["escalation"], "name": "auditor"}
    assert [check["name"] for check in body["checks"]] == list(Check)
    assert body["checks"][0] == {
        "name": "one_open_incident",
        "guarantee": "I3",
        "healthy": True,
        "breaches": 0,
        "oldest_at": None,
        "red_since": None,
        "checked_at": "2026-05-21T12:00:00Z",
    }


async def test_a_loop_that_stops_running_turns_its_job_red_and_running_again_turns_it_green(
    web: Web, rows: Rows, clock: Clock
) -> None:
    await seen_at_work(rows, clock)
    clock.advance(seconds=40)
    await seen_at_work(rows, clock, "escalator.escalation")

    body, by_name = await jobs(web)

    assert not body["healthy"]
    assert [name for name, job in by_name.items() if not job["healthy"]] == ["escalation"]
    assert by_name["escalation"]["last_run_at"] == "2026-05-21T12:00:00Z"
    assert by_name["escalation"]["reason"] == "escalator.escalation has not run for 40 s"

    await seen_at_work(rows, clock)

    assert (await jobs(web))[0]["healthy"]


async def test_a_service_that_never_started_is_red(web: Web, rows: Rows, clock: Clock) -> None:
    await seen_at_work(rows, clock, "escalator.escalation", "escalator.sweep", "escalator.outbox_relay")

    _, by_name = await jobs(web)

    assert [name for name, job in by_name.items() if not job["healthy"]] == ["escalation", "outbox_relay"]
    assert by_name["escalation"]["reason"] == "escalator.escalation has never run; escalator.sweep has never run"


async def test_what_is_due_is_counted_and_the_oldest_says_how_late_it_is(web: Web, rows: Rows, clock: Clock) -> None:
    await seen_at_work(rows, clock)
    for status, due in (("queued", -8), ("sending", -3), ("queued", 60), ("sent", None)):
        await insert_notification(rows, status, None if due is None else T0 + timedelta(seconds=due))
    for run, due in ((1, -31), (2, 5), (3, None)):
        await insert_escalation(rows, run, None if due is None else T0 + timedelta(seconds=due))
    for schema, age in (("incidents", 2), ("escalation", 12), ("notification", 1)):
        await rows(
            f"INSERT INTO {schema}.outbox (message_id, topic, body, created_at) VALUES (:id, 'x', '{{}}', :at)",
            id=uuid4(),
            at=T0 - timedelta(seconds=age),
        )

    body, by_name = await jobs(web)

    def figures(name: str) -> tuple[Any, ...]:
        return by_name[name]["due"], by_name[name]["lag_seconds"], by_name[name]["healthy"]

    assert figures("notification_retry") == (2, 8.0, True)
    assert figures("escalation") == (1, 31.0, False)
    assert by_name["escalation"]["reason"] == "the oldest of 1 due has waited for 31 s"
    assert figures("outbox_relay") == (3, 12.0, True)
    assert not body["healthy"]


async def test_spooled_alerts_count_until_they_are_in_the_ledger_or_parked(web: Web, rows: Rows, clock: Clock) -> None:
    await seen_at_work(rows, clock)
    waiting, handled, parked = uuid4(), uuid4(), uuid4()
    for alert_id, age in ((waiting, 45), (handled, 90), (parked, 120)):
        await rows("INSERT INTO ingest.spool VALUES (:id, '{}', :at)", id=alert_id, at=T0 - timedelta(seconds=age))
    await rows(
        "INSERT INTO incidents.alerts (alert_id, source_id, status, outcome, received_at, recorded_at) "
        "VALUES (:id, 1, 'firing', 'opened', :at, :at)",
        id=handled,
        at=T0,
    )
    await rows("INSERT INTO incidents.parked_alerts VALUES (:id, '{}', 'poison', :at)", id=parked, at=T0)

    body, by_name = await jobs(web)

    assert (by_name["alert_spool"]["due"], by_name["alert_spool"]["lag_seconds"]) == (1, 45.0)
    assert by_name["alert_spool"]["reason"] == "the oldest of 1 due has waited for 45 s"
    assert body["parked_alerts"] == 1


async def test_a_provider_in_trouble_is_named_with_what_waits_for_it(web: Web, rows: Rows, clock: Clock) -> None:
    await seen_at_work(rows, clock)
    await insert_notification(rows, "queued", T0 + timedelta(hours=1))
    await rows("UPDATE notification.notifications SET held_by = 'infobip'")
    query = "INSERT INTO notification.circuits VALUES (:name, :state, 5, 1, :opened, :probe)"
    since = clock() - timedelta(minutes=3)
    await rows(query, name="infobip", state="probing", opened=since, probe=clock() + timedelta(seconds=20))
    await rows(query, name="smtp", state="closed", opened=None, probe=None)

    body, by_name = await jobs(web)

    assert body["healthy"] is False
    assert (by_name["notification_retry"]["healthy"], by_name["notification_retry"]["reason"]) == (
        False,
        f"infobip has been in trouble since {since:%Y-%m-%dT%H:%M:%SZ}; 1 notification waits for it",
    )


async def test_parked_messages_are_counted_and_unknown_while_the_broker_is_away(
    web: Web, rows: Rows, clock: Clock, broker: Broker
) -> None:
    await seen_at_work(rows, clock)
    broker.parked_messages = 3
    assert (await jobs(web))[0]["parked_messages"] == 3

    broker.parked_messages = BusUnavailable("away")
    body, _ = await jobs(web)

    assert (body["parked_messages"], body["healthy"]) == (None, True)


async def insert_notification(rows: Rows, status: str, due_at: object) -> None:
    await rows(
        "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step, "
        "pass_number, level, reason, status, attempts, due_at, created_at) "
        "VALUES ((SELECT count(*) FROM notification.notifications), 1, 1, 1, 'sms', 0, 1, 1, '[]', :status, 0, :due, "
        ":at)",
        status=status,
        due=due_at,
        at=T0,
    )


async def insert_escalation(rows: Rows, number: int, due_at: object) -> None:
    await rows(
        "INSERT INTO escalation.escalations VALUES (:id, 1, 1, :policy, 'waiting', 1, 1, 0, NULL, :due, :at)",
        id=number,
        policy=json.dumps({}),
        due=due_at,
        at=T0,
    )


async def test_the_figures_come_from_indexes_of_what_waits(rows: Rows) -> None:
    """The history is never read: with it, the answer would take longer each month."""
    await rows("SET enable_seqscan = off")

    plan = await rows(f"EXPLAIN {_WORK.text}", at=T0, most=1000)

    told = "\n".join(row["QUERY PLAN"] for row in plan)
    # Of the two indexes of what is due either will do: both hold what waits, and nothing else.
    due = "notifications_(person_)?due_idx"
    for index in (due, "escalations_due_idx", "alerts_pkey", "parked_alerts_pkey", "outbox_pkey"):
        assert re.search(index, told), told
    assert "Hash" not in told
