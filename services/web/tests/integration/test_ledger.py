"""`GET /api/v1/audit/pages`: every accepted alert is in one part, whatever became of it, and the sum closes."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pagerpal_common.db import connect
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import AlertOutcome, IncidentStatus, NotificationStatus
from pagerpal_web.api import ledger
from pagerpal_web.domain.ledger import Part, account, slices
from pagerpal_web.storage.ledger import begin_snapshot, list_elsewhere, list_ledger
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from .conftest import T0, Web
from .test_incidents import insert_incident

PAGES = "/api/v1/audit/pages"
WEEK = timedelta(days=7)
LATE = timedelta(seconds=30)


async def an_alert(rows: Rows, outcome: str, incident_id: int | None = None, at: datetime = T0) -> UUID:
    alert_id = uuid4()
    await rows(
        "INSERT INTO incidents.alerts (alert_id, source_id, status, outcome, incident_id, received_at, recorded_at) "
        "VALUES (:id, 1, 'firing', :outcome, :incident, :at, :at)",
        id=alert_id,
        outcome=outcome,
        incident=incident_id,
        at=at,
    )
    return alert_id


async def a_page(rows: Rows, incident_id: int, *notifications: tuple[str, str | None], at: datetime = T0) -> None:
    """A page request and its notifications: their statuses and errors."""
    (request,) = await rows(
        "INSERT INTO incidents.page_requests (incident_id, escalation_id, pass_number, level, reminder, user_id, "
        "reason, requested_at, is_open) VALUES (:incident, :incident, 1, 1, "
        "(SELECT count(*) FROM incidents.page_requests), 1, '[]', :at, true) RETURNING id",
        incident=incident_id,
        at=at,
    )
    for step, (status, error) in enumerate(notifications):
        await rows(
            "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, "
            "step, pass_number, level, reason, status, attempts, error, due_at, created_at) "
            "VALUES (:request, :incident, 1, 1, 'sms', :step, 1, 1, '[]', :status, 0, :error, :due, :at)",
            request=request["id"],
            incident=incident_id,
            step=step,
            status=status,
            error=error,
            due=at if status in {"queued", "sending"} else None,
            at=at,
        )


async def accounts(web: Web, since: datetime = T0 - WEEK, until: datetime = T0 + WEEK) -> Any:
    query = f"from={since:%Y-%m-%dT%H:%M:%SZ}&to={until:%Y-%m-%dT%H:%M:%SZ}"
    response = await web("GET", f"{PAGES}?{query}", who="viewer")
    assert response.status_code == 200, response.text
    return response.json()


async def place(web: Web) -> tuple[str, str | None]:
    """Where the one alert there is belongs, and why."""
    found = await accounts(web)
    assert (found["accepted"], sum(found[part] for part in Part)) == (1, 1)
    (part,) = (part for part in Part if found[part])
    reasons = {**found["suppressed_by_reason"], **found["failed_by_reason"]}
    assert sum(reasons.values()) == (part in {Part.SUPPRESSED, Part.FAILED})
    return str(part), next(iter(reasons), None)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("updated", ("deduplicated", None)),
        ("noted", ("deduplicated", None)),
        ("resolved", ("suppressed", "it_resolved_an_incident")),
        ("acknowledged", ("suppressed", "it_acknowledged_an_incident")),
        ("ignored", ("suppressed", "stale_or_nothing_open")),
    ],
)
async def test_an_alert_that_opens_nothing_is_told_by_its_outcome(
    outcome: str, expected: tuple[str, str | None], web: Web, rows: Rows
) -> None:
    await an_alert(rows, outcome, await insert_incident(rows))

    assert await place(web) == expected


@pytest.mark.parametrize(
    ("notifications", "status", "expected"),
    [
        ([("sent", None)], "triggered", ("paged", None)),
        ([("failed", "x"), ("delivered", None)], "resolved", ("paged", None)),
        ([("failed", "x"), ("queued", None)], "triggered", ("pending", None)),
        (
            [("failed", "the person has neither a phone number nor a mail address")],
            "triggered",
            ("failed", "no_address"),
        ),
        ([("failed", "the person is deactivated"), ("cancelled", None)], "resolved", ("failed", "person_gone")),
        ([("exhausted", "given up after 10 tries: Infobip: x")], "triggered", ("failed", "given_up")),
        ([("failed", "Infobip: REJECTED")], "acknowledged", ("failed", "refused_by_infobip")),
        ([("failed", "mail server: 550")], "triggered", ("failed", "refused_by_mail_server")),
        ([("failed", "no provider is configured for sms")], "triggered", ("failed", "no_provider")),
        ([("failed", "something else")], "triggered", ("failed", "notification_failed")),
        ([("cancelled", None)], "resolved", ("suppressed", "resolved_before_first_page")),
        ([("cancelled", None)], "acknowledged", ("suppressed", "acknowledged_before_first_page")),
        ([("cancelled", None)], "triggered", ("failed", "cancelled")),
        ([], "triggered", ("pending", None)),
    ],
)
async def test_the_pages_decide_of_what_opened_an_incident(
    notifications: list[tuple[str, str | None]], status: str, expected: tuple[str, str | None], web: Web, rows: Rows
) -> None:
    incident = await insert_incident(rows, status=status)
    await an_alert(rows, "opened", incident)
    await a_page(rows, incident, *notifications)

    assert await place(web) == expected


@pytest.mark.parametrize(
    ("fields", "age", "expected"),
    [
        ({}, 0, ("pending", None)),
        ({}, 31, ("failed", "not_escalated")),
        ({"is_unreached": True}, 0, ("failed", "nobody_reachable")),
        ({"status": "resolved"}, 0, ("suppressed", "resolved_before_first_page")),
        ({"status": "acknowledged"}, 0, ("suppressed", "acknowledged_before_first_page")),
    ],
)
async def test_an_incident_without_pages(
    fields: dict[str, Any], age: float, expected: tuple[str, str | None], web: Web, rows: Rows, clock: Clock
) -> None:
    await an_alert(rows, "opened", await insert_incident(rows, **fields))
    clock.advance(seconds=age)

    assert await place(web) == expected


async def test_a_test_alert_is_suppressed_and_an_incident_that_is_gone_a_failure(web: Web, rows: Rows) -> None:
    incident = await insert_incident(rows, status="resolved")
    await rows("UPDATE incidents.incidents SET is_test = true")
    await an_alert(rows, "opened", incident)
    await an_alert(rows, "opened", 999)

    found = await accounts(web)

    assert (found["suppressed_by_reason"], found["failed_by_reason"]) == ({"test": 1}, {"incident_missing": 1})


async def test_what_is_late_is_no_longer_on_its_way(web: Web, rows: Rows, clock: Clock) -> None:
    queued, untaken = [await insert_incident(rows, external_id=name) for name in "ab"]
    for incident in (queued, untaken):
        await an_alert(rows, "opened", incident)
    await a_page(rows, queued, ("queued", None))
    await a_page(rows, untaken)
    assert (await accounts(web))["pending"] == 2

    clock.advance(seconds=31)

    assert (await accounts(web))["failed_by_reason"] == {"not_taken_up": 1, "overdue": 1}


async def test_what_reopens_an_incident_is_told_by_the_pages_since_then(web: Web, rows: Rows) -> None:
    incident = await insert_incident(rows)
    await an_alert(rows, "opened", incident)
    await a_page(rows, incident, ("delivered", None))
    await an_alert(rows, "reopened", incident, at=T0 + timedelta(hours=1))
    await a_page(rows, incident, ("failed", "Infobip: x"), at=T0 + timedelta(hours=1))

    found = await accounts(web)

    assert (found["accepted"], found["paged"], found["failed_by_reason"]) == (2, 1, {"refused_by_infobip": 1})


async def test_spooled_alerts_are_pending_and_parked_ones_failed_each_until_it_is_in_the_ledger(
    web: Web, rows: Rows
) -> None:
    handled = await an_alert(rows, "updated")
    parked = uuid4()
    body = json.dumps({"received_at": T0.isoformat()})
    for alert_id in (uuid4(), handled, parked):
        await rows("INSERT INTO ingest.spool VALUES (:id, :body, :at)", id=alert_id, body=body, at=T0)
    for alert_id in (parked, handled):
        await rows("INSERT INTO incidents.parked_alerts VALUES (:id, '{', 'poison', :at)", id=alert_id, at=T0)

    found = await accounts(web)

    parts = {part: found[part] for part in Part}
    assert parts == {"paged": 0, "pending": 1, "deduplicated": 1, "suppressed": 0, "failed": 1}
    assert (found["accepted"], found["failed_by_reason"]) == (3, {"parked": 1})


async def test_the_window_is_half_open_and_the_last_day_unless_it_is_said_otherwise(web: Web, rows: Rows) -> None:
    for at in (T0 - timedelta(days=1, seconds=1), T0 - timedelta(days=1), T0 - timedelta(seconds=1), T0):
        await an_alert(rows, "updated", at=at)

    usual = (await web("GET", PAGES, who="viewer")).json()

    assert (usual["accepted"], usual["from"], usual["to"]) == (2, "2026-05-20T12:00:00Z", "2026-05-21T12:00:00Z")
    assert (await accounts(web, T0, T0 + timedelta(seconds=1)))["accepted"] == 1


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-05-21T12:00:00Z&to=2026-05-21T12:00:00Z",
        "from=2026-05-22T12:00:00Z&to=2026-05-21T12:00:00Z",
        "from=2025-05-20T11:59:59Z&to=2026-05-21T12:00:00Z",
        "from=2026-05-21T12:00:00&to=2026-05-22T12:00:00Z",
        "from=yesterday",
    ],
)
async def test_a_window_that_makes_no_sense_is_refused(query: str, web: Web) -> None:
    assert (await web("GET", f"{PAGES}?{query}", who="viewer")).status_code == 422


async def test_a_window_that_takes_too_long_is_answered_503(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "COUNT_SECONDS", -1.0)

    response = await web("GET", PAGES, who="viewer")

    assert (response.status_code, "retry-after" in response.headers) == (503, True)


OUTCOMES = [outcome for outcome in AlertOutcome if outcome is not AlertOutcome.PARKED]
MOMENTS = st.integers(-20, 20).map(lambda days: T0 + timedelta(days=days))


@dataclass(frozen=True)
class Page:
    is_since: bool
    statuses: list[NotificationStatus]
    is_due_long_ago: bool


@dataclass(frozen=True)
class Told:
    """An alert that was accepted: where it is kept, and what its incident has come to."""

    at: datetime
    kept: str
    outcome: AlertOutcome
    status: IncidentStatus | None
    flags: tuple[bool, bool, bool]
    pages: list[Page] = field(default_factory=list)


ALERTS = st.builds(
    Told,
    at=MOMENTS,
    kept=st.sampled_from(["ledger"] * 6 + ["spool", "parked", "ledger and spool", "ledger and parked"]),
    outcome=st.sampled_from([*OUTCOMES, *[AlertOutcome.OPENED, AlertOutcome.REOPENED] * 4]),
    status=st.sampled_from([None, *IncidentStatus]),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    pages=st.lists(
        st.builds(Page, st.booleans(), st.lists(st.sampled_from(NotificationStatus), max_size=3), st.booleans()),
        max_size=3,
    ),
)


async def written(tx: AsyncConnection, number: int, told: Told) -> None:
    """The rows that all services would have left of it, each of its kind."""
    values: dict[str, Any] = {"id": UUID(int=number), "n": number, "at": told.at}
    if "spool" in told.kept:
        body = json.dumps({"received_at": told.at.isoformat()})
        await tx.execute(text("INSERT INTO ingest.spool VALUES (:id, :body, :at)"), {**values, "body": body})
    if "parked" in told.kept:
        await tx.execute(text("INSERT INTO incidents.parked_alerts VALUES (:id, '', '', :at)"), values)
    if "ledger" not in told.kept:
        return
    await tx.execute(
        text(
            "INSERT INTO incidents.alerts (alert_id, source_id, status, outcome, incident_id, received_at, recorded_at)"
            " VALUES (:id, 1, 'firing', :outcome, :n, :at, :at)"
        ),
        {**values, "outcome": told.outcome},
    )
    if told.status is None:
        return
    is_test, is_unreached, is_old = told.flags
    await tx.execute(
        text(
            "INSERT INTO incidents.incidents (id, title, description, severity, source_id, team_id, status, "
            "current_escalation_level, escalation_id, escalation_pass, escalation_reminder, level_entered_at, "
            "notification_count, created_at, alert_count, last_alert_at, links, labels, is_unreached, is_test) "
            "OVERRIDING SYSTEM VALUE VALUES (:n, 'x', '', 'critical', 1, 1, :status, 1, :n, 1, 0, :entered, 0, :at, 1, "
            ":at, '[]', '{}', :is_unreached, :is_test)"
        ),
        {
            **values,
            "status": told.status,
            "entered": T0 - timedelta(hours=is_old),
            "is_unreached": is_unreached,
            "is_test": is_test,
        },
    )
    for place, page in enumerate(told.pages):
        await written_page(tx, {**values, "place": place}, page)


async def written_page(tx: AsyncConnection, values: dict[str, Any], page: Page) -> None:
    due = T0 - timedelta(hours=page.is_due_long_ago)
    requested = values["at"] + timedelta(hours=1 if page.is_since else -1)
    request = await tx.scalar(
        text(
            "INSERT INTO incidents.page_requests (incident_id, escalation_id, pass_number, level, reminder, user_id, "
            "reason, requested_at, is_open) VALUES (:n, :n, 1, 1, :place, 1, '[]', :requested, true) RETURNING id"
        ),
        {**values, "requested": requested},
    )
    for step, status in enumerate(page.statuses):
        await tx.execute(
            text(
                "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, "
                "channel, step, pass_number, level, reason, status, attempts, due_at, created_at) "
                "VALUES (:request, :n, 1, 1, 'sms', :step, 1, 1, '[]', :status, 0, :due, :at)"
            ),
            {**values, "request": request, "step": step, "status": status, "due": due},
        )


def test_in_any_world_the_parts_are_what_was_accepted(shared_database_url: str) -> None:
    """Each example's rows are written in a transaction that is rolled back."""
    db = connect(shared_database_url, role=None, pool_size=1)

    async def counted(world: list[Told], since: datetime, until: datetime) -> Any:
        async with db.begin() as tx:
            savepoint = await tx.begin_nested()
            for number, told in enumerate(world, start=1):
                await written(tx, number, told)
            groups = await list_elsewhere(tx, since=since, until=until)
            for begins, ends in slices(since, until):
                groups += await list_ledger(tx, since=begins, until=ends, late=T0 - LATE)
            await savepoint.rollback()
            return account(groups)

    with asyncio.Runner() as runner:

        @hypothesis_settings(max_examples=150, deadline=None)
        @given(world=st.lists(ALERTS, max_size=8), moments=st.tuples(MOMENTS, MOMENTS))
        def closes(world: list[Told], moments: tuple[datetime, datetime]) -> None:
            since, until = sorted(moments)
            found = runner.run(counted(world, since, until))

            accepted = [told for told in world if since <= told.at < until]
            assert found.accepted == len(accepted) == sum(found.parts.values())
            assert sum(found.suppressed.values()) == found.parts[Part.SUPPRESSED]
            assert sum(found.failed.values()) == found.parts[Part.FAILED]
            assert found.parts[Part.PENDING] >= sum(told.kept == "spool" for told in accepted)
            assert (
                found.parts[Part.DEDUPLICATED]
                == Counter(
                    told.outcome in {"updated", "noted", "duplicate"} for told in accepted if "ledger" in told.kept
                )[True]
            )
            for part, number in found.parts.items():
                event(f"some {part}" if number else f"no {part}")

        closes()
        runner.run(db.close())


async def test_a_count_sees_one_moment_whatever_happens_meanwhile(database_url: str, rows: Rows) -> None:
    """An alert that is taken in from the spool between two statements is counted once."""
    alert_id = uuid4()
    await rows("INSERT INTO ingest.spool VALUES (:id, '{}', :at)", id=alert_id, at=T0)
    db = connect(database_url, role="web")
    window = {"since": T0 - WEEK, "until": T0 + WEEK}

    async with db.begin() as tx:
        await begin_snapshot(tx)
        groups = await list_elsewhere(tx, **window)
        await rows(
            "INSERT INTO incidents.alerts (alert_id, source_id, status, outcome, received_at, recorded_at) "
            "VALUES (:id, 1, 'firing', 'updated', :at, :at)",
            id=alert_id,
            at=T0,
        )
        groups += await list_ledger(tx, **window, late=T0)
    await db.close()

    assert account(groups).accepted == 1
