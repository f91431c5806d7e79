"""Batches of alerts on a real PostgreSQL: once each, together when possible, alone when one is poison."""

import asyncio

import pytest
from pagerpal_common.contracts.alerts import AlertsReceived
from pagerpal_common.errors import DatabaseUnavailable
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus
from pagerpal_incidents import intake
from pagerpal_incidents.context import Context
from pagerpal_incidents.handlers import on_alerts_received
from pagerpal_incidents.intake import take_in
from pagerpal_incidents.loops import take_spooled

from .conftest import T0, an_alert

POISON = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF new.title = 'poison' THEN RAISE EXCEPTION 'cannot be stored'; END IF; RETURN new; END $$;
"""
POISON_TRIGGER = "CREATE TRIGGER refuse BEFORE INSERT ON incidents.incidents FOR EACH ROW EXECUTE FUNCTION refuse()"


async def test_an_alert_is_in_the_ledger_and_its_incident_on_the_timeline_and_in_the_outbox(
    ctx: Context, rows: Rows
) -> None:
    (result,) = await take_in(ctx, [alert := an_alert()])

    assert result.outcome == AlertOutcome.OPENED
    assert result.incident is not None
    assert (result.incident.title, result.incident.current_escalation_level) == ("CPU > 95%", 0)
    assert await rows("SELECT alert_id, incident_id, outcome FROM incidents.alerts") == [
        {"alert_id": alert.alert_id, "incident_id": result.incident.id, "outcome": "opened"}
    ]
    assert [row["event_type"] for row in await rows("SELECT event_type FROM incidents.events")] == ["triggered"]
    assert [row["topic"] for row in await rows("SELECT topic FROM incidents.outbox")] == ["incidents.triggered.v1"]


async def test_messages_taken_together_are_answered_each_for_its_own_alerts(ctx: Context) -> None:
    groups = [[an_alert("a"), an_alert("b")], [an_alert("a")], [an_alert(None)]]
    messages = [AlertsReceived(alerts=tuple(group), occurred_at=T0) for group in groups]

    answers = await on_alerts_received(ctx, messages)

    assert [[result.alert_id for result in answer.results] for answer in answers] == [
        [alert.alert_id for alert in group] for group in groups
    ]
    assert [[result.outcome for result in answer.results] for answer in answers] == [
        [AlertOutcome.OPENED, AlertOutcome.OPENED],
        [AlertOutcome.UPDATED],
        [AlertOutcome.OPENED],
    ]


async def test_the_same_alert_given_again_is_one_alert(ctx: Context, rows: Rows) -> None:
    alert = an_alert(None)
    (first,) = await take_in(ctx, [alert])

    (again,) = await take_in(ctx, [alert])
    twice = await take_in(ctx, [alert, alert])

    assert again.outcome == AlertOutcome.DUPLICATE
    assert again.incident == first.incident
    assert [result.outcome for result in twice] == [AlertOutcome.DUPLICATE] * 2
    assert len(await rows("SELECT 1 AS one FROM incidents.incidents")) == 1


async def test_the_same_alert_in_two_places_at_once_is_one_alert(ctx: Context, rows: Rows) -> None:
    """A redelivery may be handled while the first delivery still is."""
    alert = an_alert(None)

    results = await asyncio.gather(*(take_in(ctx, [alert]) for _ in range(5)))

    assert sorted(result.outcome for (result,) in results) == [AlertOutcome.DUPLICATE] * 4 + [AlertOutcome.OPENED]
    assert len(await rows("SELECT 1 AS one FROM incidents.incidents")) == 1
    assert await rows("SELECT 1 AS one FROM incidents.parked_alerts") == []


async def test_many_at_once_open_one_incident_per_dedup_key(ctx: Context, rows: Rows) -> None:
    """Two processes take the same new alert together; the loser looks again and updates."""
    batches = [[an_alert(f"k{(n + shift) % 20}") for n in range(20)] for shift in range(10)]

    results = await asyncio.gather(*(take_in(ctx, batch) for batch in batches))

    opened = [r for batch in results for r in batch if r.outcome == AlertOutcome.OPENED]
    assert len(opened) == 20
    assert await rows("SELECT sum(alert_count) AS n, count(*) AS c FROM incidents.incidents") == [{"n": 200, "c": 20}]
    assert len(await rows("SELECT 1 AS one FROM incidents.alerts")) == 200


async def test_a_poison_alert_parks_alone(ctx: Context, rows: Rows) -> None:
    await rows(POISON)
    await rows(POISON_TRIGGER)
    alerts = [an_alert("a"), bad := an_alert("b", title="poison"), an_alert("c"), an_alert("a")]

    results = await take_in(ctx, alerts)

    assert [result.outcome for result in results] == [
        AlertOutcome.OPENED,
        AlertOutcome.PARKED,
        AlertOutcome.OPENED,
        AlertOutcome.UPDATED,
    ]
    (parked,) = await rows("SELECT alert_id, body, error FROM incidents.parked_alerts")
    assert parked["alert_id"] == bad.alert_id
    assert "poison" in parked["body"]
    assert "cannot be stored" in parked["error"]
    assert len(await rows("SELECT 1 AS one FROM incidents.alerts")) == 3


async def test_resolving_what_is_not_open_names_the_incident_it_once_was(ctx: Context) -> None:
    await take_in(ctx, [an_alert()])
    (resolved,) = await take_in(ctx, [an_alert(status=AlertStatus.RESOLVED)])

    (late, unknown) = await take_in(
        ctx, [an_alert(status=AlertStatus.RESOLVED), an_alert("never-seen", status=AlertStatus.RESOLVED)]
    )

    assert resolved.outcome == AlertOutcome.RESOLVED
    assert (late.outcome, late.incident) == (AlertOutcome.IGNORED, resolved.incident)
    assert (unknown.outcome, unknown.incident) == (AlertOutcome.IGNORED, None)


async def test_what_the_spool_holds_is_taken_in_once(ctx: Context, rows: Rows) -> None:
    alert = an_alert()
    await rows(
        "INSERT INTO ingest.spool VALUES (:id, CAST(:body AS jsonb), now())",
        id=alert.alert_id,
        body=alert.model_dump_json(),
    )

    assert await take_spooled(ctx) == 1
    assert await take_spooled(ctx) == 0
    assert [row["alert_id"] for row in await rows("SELECT alert_id FROM incidents.alerts")] == [alert.alert_id]


async def test_what_cannot_be_read_in_the_spool_holds_up_nothing_behind_it(ctx: Context, rows: Rows) -> None:
    """A newer ingest may have written what this version does not know."""
    for body in ('{"status": "muted"}', an_alert().model_dump_json()):
        await rows("INSERT INTO ingest.spool VALUES (gen_random_uuid(), CAST(:body AS jsonb), now())", body=body)

    await take_spooled(ctx)

    assert len(await rows("SELECT 1 AS one FROM incidents.incidents")) == 1


async def test_poison_in_the_spool_is_parked_and_not_tried_for_ever(ctx: Context, rows: Rows) -> None:
    await rows(POISON)
    await rows(POISON_TRIGGER)
    alert = an_alert(title="poison")
    await rows(
        "INSERT INTO ingest.spool VALUES (:id, CAST(:body AS jsonb), now())",
        id=alert.alert_id,
        body=alert.model_dump_json(),
    )

    assert await take_spooled(ctx) == 1
    assert await take_spooled(ctx) == 0


async def test_a_lost_connection_is_our_trouble_and_nothing_is_parked(
    ctx: Context, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bus tries again; an alert is never refused because the database was away."""

    async def cut(*_: object) -> None:
        await rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pagerpal_incidents'"
        )

    with monkeypatch.context() as patched:
        patched.setattr(intake, "close_pages", cut)
        with pytest.raises(DatabaseUnavailable):
            await take_in(ctx, [alert := an_alert()])

    (result,) = await take_in(ctx, [alert])
    assert result.outcome == AlertOutcome.OPENED
    assert await rows("SELECT 1 AS one FROM incidents.parked_alerts") == []


async def test_a_new_incident_is_assigned_to_the_first_person_of_level_one(ctx: Context, rows: Rows) -> None:
    await rows("INSERT INTO directory.teams (id, name, created_at) VALUES (3, 'core', now())")
    await rows(
        "INSERT INTO directory.users (id, name, email, role, timezone, created_at)"
        " VALUES (8, 'Ana', 'ana@example.org', 'responder', 'UTC', now())"
    )
    await rows(
        "INSERT INTO directory.escalation_policies"
        " (id, team_id, name, repeat_count, is_default, reminder_minutes, created_at)"
        " VALUES (1, 3, 'p', 0, true, 30, now())"
    )
    await rows(
        "INSERT INTO directory.escalation_levels (id, policy_id, level_number, timeout_minutes) VALUES (1,1,1,5)"
    )
    await rows("INSERT INTO directory.escalation_assignees (level_id, assignee_type, user_id) VALUES (1,'user',8)")

    (result,) = await take_in(ctx, [an_alert()])

    assert result.incident is not None
    assert result.incident.assigned_user_id == 8
