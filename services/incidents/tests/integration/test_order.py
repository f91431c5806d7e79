"""What a source says late, twice or out of order, and what people do meanwhile, on a real PostgreSQL."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from pagerpal_common.contracts.alerts import Alert, AlertResult
from pagerpal_common.contracts.incidents import AcknowledgeIncident, Link, ReopenIncident, ResolveIncident
from pagerpal_common.errors import Refusal
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, IncidentStatus
from pagerpal_incidents import intake
from pagerpal_incidents.context import Context
from pagerpal_incidents.domain.order import Word
from pagerpal_incidents.handlers import acknowledge_incident, reopen_incident, resolve_incident
from pagerpal_incidents.intake import take_in
from pagerpal_incidents.loops import forget_early_ends
from pagerpal_incidents.storage import histories
from pagerpal_incidents.storage.histories import hold_keys, remember_early

from .conftest import T0, an_alert

F, R, A, U = AlertStatus.FIRING, AlertStatus.RESOLVED, AlertStatus.ACKNOWLEDGED, AlertStatus.UNKNOWN
O = AlertOutcome  # noqa: E741 - the outcomes are what every test here is about
OPEN = "SELECT id, external_id, status FROM incidents.incidents WHERE status <> 'resolved' ORDER BY id"


def second(number: float) -> datetime:
    return T0 + timedelta(seconds=number)


def dated(status: AlertStatus, at: float, external_id: str = "cpu", **changes: Any) -> Alert:
    return an_alert(external_id, **{"status": status, "event_at": second(at), "received_at": second(at)} | changes)


async def take(ctx: Context, *alerts: Alert) -> AlertResult:
    """Each in a transaction of its own; what became of the last."""
    for alert in alerts:
        (result,) = await take_in(ctx, [alert])
    return result


def by_hand(incident_id: int) -> dict[str, Any]:
    return {"incident_id": incident_id, "actor_user_id": 1, "acting_as_user_id": 1, "occurred_at": T0}


async def lines(rows: Rows) -> list[str]:
    return [row["event_type"] for row in await rows("SELECT event_type FROM incidents.events ORDER BY id")]


async def test_what_its_source_last_said_is_on_the_incident_and_what_each_alert_said_in_the_ledger(
    ctx: Context, rows: Rows
) -> None:
    await take(ctx, dated(F, 5, starts_at=T0, received_at=second(7)), dated(R, 9, starts_at=T0, received_at=second(11)))

    assert await rows("SELECT is_over, heard_at, last_event_at, episode_at FROM incidents.incidents") == [
        {"is_over": True, "heard_at": second(11), "last_event_at": second(9), "episode_at": T0}
    ]
    assert await rows("SELECT event_at, starts_at FROM incidents.alerts ORDER BY event_at") == [
        {"event_at": second(5), "starts_at": T0},
        {"event_at": second(9), "starts_at": T0},
    ]


async def test_a_firing_from_before_the_end_pages_nobody(ctx: Context, rows: Rows) -> None:
    first = await take(ctx, dated(F, 5), dated(R, 9))

    late = await take(ctx, dated(F, 5), dated(F, 8))

    assert first.incident is not None
    assert late.incident is not None
    assert (late.outcome, late.incident.id, late.incident.alert_count) == (O.NOTED, first.incident.id, 3)
    assert await rows(OPEN) == []
    assert await lines(rows) == ["triggered", "resolved", "late_alert"]
    topics = await rows("SELECT topic FROM incidents.outbox ORDER BY id")
    assert [row["topic"] for row in topics] == ["incidents.triggered.v1", "incident.resolved.v1"]


async def test_a_firing_whose_end_came_first_is_on_record_and_pages_nobody(ctx: Context, rows: Rows) -> None:
    ignored = await take(ctx, dated(R, 9))
    late = await take(ctx, dated(F, 5))

    assert (ignored.outcome, ignored.incident) == (O.IGNORED, None)
    assert late.incident is not None
    assert (late.outcome, late.incident.status) == (O.OPENED, IncidentStatus.RESOLVED)
    assert await rows("SELECT outcome, incident_id FROM incidents.alerts ORDER BY event_at DESC") == [
        {"outcome": "ignored", "incident_id": None},
        {"outcome": "opened", "incident_id": late.incident.id},
    ]
    assert await rows("SELECT topic FROM incidents.outbox") == []
    again = await take(ctx, dated(F, 5))
    assert (again.outcome, again.incident and again.incident.id) == (O.NOTED, late.incident.id)


async def test_in_one_batch_there_are_numbers_for_what_came_late_and_for_what_is_new(ctx: Context) -> None:
    batch = [dated(R, 5), dated(F, 3), dated(F, 7), dated(F, 8, is_test=True)]

    results = await take_in(ctx, batch)

    assert [result.outcome for result in results] == [O.IGNORED, O.OPENED, O.OPENED, O.NOTED]


async def test_an_early_end_is_remembered_for_a_day(ctx: Context, rows: Rows, clock: Clock) -> None:
    await take(ctx, dated(R, 9, "a"), dated(R, 9, "b", received_at=second(7200)))
    clock.advance(hours=24, seconds=10)

    assert await forget_early_ends(ctx) == 1
    assert await forget_early_ends(ctx) == 0

    assert await rows("SELECT external_id FROM incidents.early_ends") == [{"external_id": "b"}]
    assert (await take(ctx, dated(F, 5, "a"))).outcome == O.OPENED
    assert [row["external_id"] for row in await rows(OPEN)] == ["a"], "later than that it wakes somebody"


async def test_no_more_early_ends_are_kept_than_there_is_room_for(
    ctx: Context, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "EARLY_LIMIT", 3)
    await take_in(ctx, [dated(R, n, f"k{n}") for n in range(10)])

    assert await forget_early_ends(ctx) == 7

    kept = await rows("SELECT external_id FROM incidents.early_ends ORDER BY external_id")
    assert [row["external_id"] for row in kept] == ["k7", "k8", "k9"]


async def test_of_early_ends_of_one_key_the_newest_is_kept(ctx: Context, rows: Rows) -> None:
    await take(ctx, dated(R, 5), dated(R, 9), dated(R, 7))

    assert await rows("SELECT event_at FROM incidents.early_ends") == [{"event_at": second(9)}]


async def test_firing_again_soon_reopens_the_incident_and_pages_anew(ctx: Context, rows: Rows) -> None:
    first = await take(ctx, dated(F, 5))
    assert first.incident is not None
    await acknowledge_incident(ctx, AcknowledgeIncident(**by_hand(first.incident.id)))
    await take(ctx, dated(R, 9))

    again = await take(ctx, dated(F, 30, flap_seconds=60))

    assert again.incident is not None
    assert (again.outcome, again.incident.id) == (O.REOPENED, first.incident.id)
    assert (again.incident.status, again.incident.acknowledged_by) == (IncidentStatus.TRIGGERED, None)
    assert again.incident.escalation_id > first.incident.escalation_id
    told = await rows("SELECT topic, body #> '{incidents,0,escalation_id}' AS run FROM incidents.outbox ORDER BY id")
    assert told[-1] == {"topic": "incidents.triggered.v1", "run": again.incident.escalation_id}
    assert await rows("SELECT flap_count FROM incidents.incidents") == [{"flap_count": 1}]
    assert (await take(ctx, dated(R, 31), dated(F, 92, flap_seconds=60))).outcome == O.OPENED


async def test_a_batch_of_flaps_leaves_one_incident_and_one_run_to_follow(ctx: Context, rows: Rows) -> None:
    batch = [dated(status, n, flap_seconds=60) for n, status in enumerate([F, R, F, R, F])]

    await take_in(ctx, batch)

    (incident,) = await rows("SELECT id, status, escalation_id, flap_count FROM incidents.incidents")
    assert (incident["status"], incident["flap_count"]) == ("triggered", 2)
    told = await rows("SELECT body -> 'incidents' AS r FROM incidents.outbox WHERE topic = 'incidents.triggered.v1'")
    assert [[run["escalation_id"] for run in message["r"]] for message in told] == [[incident["escalation_id"]]]


async def test_what_a_person_resolved_while_it_fires_on_is_told_once(ctx: Context, rows: Rows) -> None:
    first = await take(ctx, dated(F, 1, starts_at=T0))
    assert first.incident is not None
    await resolve_incident(ctx, ResolveIncident(**by_hand(first.incident.id)))

    await take(ctx, *(dated(F, n, starts_at=T0) for n in range(2, 6)))
    end = await take(ctx, dated(R, 9, starts_at=T0))

    assert (end.outcome, end.incident and end.incident.alert_count) == (O.NOTED, 5)
    assert await lines(rows) == ["triggered", "resolved", "still_firing", "source_resolved"]
    assert (await take(ctx, dated(F, 20, starts_at=second(20)))).outcome == O.OPENED


async def test_an_end_said_again_does_not_undo_that_a_person_reopened_it(ctx: Context) -> None:
    first = await take(ctx, dated(F, 1), dated(R, 2))
    assert first.incident is not None
    await reopen_incident(ctx, ReopenIncident(**by_hand(first.incident.id)))

    again = await take(ctx, dated(R, 2))

    assert again.incident is not None
    assert (again.outcome, again.incident.status) == (O.IGNORED, IncidentStatus.TRIGGERED)


async def test_late_alerts_are_measured_by_the_incident_that_was_resolved_last(
    ctx: Context, rows: Rows, clock: Clock
) -> None:
    """Which need not be the newest: a person may have reopened an older one."""
    older = await take(ctx, dated(F, 1))
    assert older.incident is not None
    await resolve_incident(ctx, ResolveIncident(**by_hand(older.incident.id)))
    await take(ctx, dated(F, 5), dated(R, 6))
    clock.advance(seconds=1)
    await reopen_incident(ctx, ReopenIncident(**by_hand(older.incident.id)))
    await take(ctx, dated(F, 20), dated(R, 30))

    late = await take(ctx, dated(F, 25))

    assert (late.outcome, late.incident and late.incident.id) == (O.NOTED, older.incident.id)
    assert await rows(OPEN) == []


async def test_a_source_acknowledges_and_pages_are_not_wanted_any_more(ctx: Context, rows: Rows) -> None:
    first = await take(ctx, dated(F, 1))
    assert first.incident is not None
    await rows(
        "INSERT INTO incidents.page_requests (incident_id, escalation_id, pass_number, level, reminder, user_id,"
        " reason, requested_at, is_open) VALUES (:id, 1, 1, 1, 0, 5, '[]', now(), true)",
        id=first.incident.id,
    )

    answer = await take(ctx, dated(A, 2), dated(U, 3))

    assert answer.incident is not None
    assert (answer.incident.status, answer.incident.acknowledged_by) == (IncidentStatus.ACKNOWLEDGED, None)
    assert await rows("SELECT is_open FROM incidents.page_requests") == [{"is_open": False}]
    assert await lines(rows) == ["triggered", "acknowledged", "unknown"]


async def test_a_test_is_seen_and_pages_nobody_and_is_no_history(ctx: Context, rows: Rows) -> None:
    tested = await take(ctx, dated(F, 5, is_test=True))
    real = await take(ctx, dated(F, 3, flap_seconds=60))

    assert tested.incident is not None
    assert (tested.outcome, tested.incident.status) == (O.OPENED, IncidentStatus.RESOLVED)
    assert (real.outcome, real.incident and real.incident.status) == (O.OPENED, IncidentStatus.TRIGGERED)
    assert len(await rows("SELECT 1 AS one FROM incidents.outbox")) == 1


async def test_labels_links_and_notes_are_kept(ctx: Context, rows: Rows) -> None:
    link = Link(href="https://grafana.example/d/1", text="Dashboard")

    await take(ctx, dated(F, 1, labels={"host": "a"}), dated(F, 2, labels={"host": "b"}, links=(link,), note="cut off"))

    assert await rows("SELECT labels, links FROM incidents.incidents") == [
        {"labels": {"host": "b"}, "links": [{"href": "https://grafana.example/d/1", "text": "Dashboard"}]}
    ]
    assert await rows("SELECT message FROM incidents.events WHERE event_type = 'note'") == [{"message": "cut off"}]


async def test_rows_of_the_version_before_read_as_what_they_mean(ctx: Context, rows: Rows, clock: Clock) -> None:
    """It runs beside this one for a while, and its rows stay for ever."""
    clock.advance(minutes=5)
    for number, (status, resolved_at) in enumerate([("triggered", None), ("resolved", second(50))], start=1):
        await rows(
            "INSERT INTO incidents.incidents (id, title, description, severity, external_id, source_id, team_id,"
            " status, current_escalation_level, escalation_id, escalation_pass, escalation_reminder, level_entered_at,"
            " resolved_at, notification_count, created_at, alert_count, last_alert_at, links, labels, is_unreached)"
            " OVERRIDING SYSTEM VALUE VALUES (:n, 't', '', 'info', :key, 1, 3, :status, 1, :n, 1, 0, :at, :resolved_at,"
            " 0, :at, 1, :heard, '[]', '{}', false)",
            n=1000 + number,
            key=f"k{number}",
            status=status,
            at=T0,
            resolved_at=resolved_at,
            heard=second(40),
        )

    late = await take(ctx, an_alert("k1", status=R, received_at=second(39)))
    end = await take(ctx, an_alert("k1", status=R, received_at=second(41)))
    flap = await take(ctx, an_alert("k2", received_at=second(60), flap_seconds=60))

    assert [result.outcome for result in (late, end, flap)] == [O.IGNORED, O.RESOLVED, O.REOPENED]


# Several at once


async def test_an_end_and_its_firing_that_are_handled_at_once_leave_nothing_open(ctx: Context, rows: Rows) -> None:
    """The one that comes second waits, and sees what the first has put away."""
    async with ctx.db.begin() as tx:
        assert await hold_keys(tx, [(1, "cpu")]) == {}
        waiting = asyncio.create_task(take_in(ctx, [dated(F, 5)]))
        await _until_somebody_waits(rows)
        await remember_early(tx, {(1, "cpu"): Word(True, T0, second(9), None)})

    (late,) = await waiting
    assert late.incident is not None
    assert late.incident.status == IncidentStatus.RESOLVED
    assert await rows(OPEN) == []


async def _until_somebody_waits(rows: Rows) -> None:
    query = "SELECT 1 AS one FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with asyncio.timeout(10):
        while not await rows(query):
            pass  # each look is a round trip


async def test_what_flaps_while_a_person_reopens_an_older_one_is_folded_into_that(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = await take(ctx, dated(F, 1))
    assert older.incident is not None
    await resolve_incident(ctx, ResolveIncident(**by_hand(older.incident.id)))
    await take(ctx, dated(F, 5), dated(R, 6))
    clicks = [ReopenIncident(**by_hand(older.incident.id))]

    async def find(*asked: Any) -> Any:
        found = await histories.find_histories(*asked)
        if clicks:
            await reopen_incident(ctx, clicks.pop())
        return found

    monkeypatch.setattr(intake, "find_histories", find)

    again = await take(ctx, dated(F, 7, flap_seconds=60))

    assert (again.outcome, again.incident and again.incident.id) == (O.UPDATED, older.incident.id)


SEQUENCES: Mapping[str, Sequence[AlertStatus]] = {
    "fires": (F,),
    "ended": (F, R),
    "again": (F, R, F),
    "twice": (F, R, F, R),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("flap_seconds", [0, 3600])
async def test_many_batches_at_once_in_any_order_end_as_each_key_s_newest_event(
    ctx: Context, rows: Rows, seed: int, flap_seconds: int
) -> None:
    """F4 and F8 together: eight processes' worth of batches with the same keys, every event in it twice."""
    chance = random.Random(seed)
    alerts = [
        dated(status, n, f"{name}-{copy}", starts_at=second(n if status == F else n - 1), flap_seconds=flap_seconds)
        for name, sequence in SEQUENCES.items()
        for copy in range(3)
        for n, status in enumerate(sequence)
        for _ in range(2)
    ]
    chance.shuffle(alerts)
    batches = [alerts[start::16] for start in range(16)]

    results = await asyncio.gather(*(take_in(ctx, batch) for batch in batches))

    still_open = [row["external_id"] for row in await rows(OPEN)]
    assert sorted(still_open) == sorted(f"{name}-{n}" for name in ("fires", "again") for n in range(3))
    assert not [result for batch in results for result in batch if result.outcome == O.PARKED]
    assert len(await rows("SELECT 1 AS one FROM incidents.alerts")) == len(alerts)
    firing = sum(alert.status == F for alert in alerts)
    assert await rows("SELECT sum(alert_count) AS n FROM incidents.incidents") == [{"n": firing}]
    counted = "SELECT count(*) AS n FROM incidents.alerts WHERE status = 'firing' AND incident_id IS NOT NULL"
    assert await rows(counted) == [{"n": firing}]


async def test_people_who_act_while_alerts_pour_in_are_heard_once_each(ctx: Context, rows: Rows) -> None:
    """Row locks decide; nobody's action is lost, and nothing is parked or left half done."""
    chance = random.Random(7)
    await take_in(ctx, [dated(F, 0, f"k{n}", starts_at=T0) for n in range(4)])
    ids = [row["id"] for row in await rows(OPEN)]
    alerts = [dated(F, n, f"k{n % 4}", starts_at=T0) for n in range(1, 81)]
    actions = {ResolveIncident: resolve_incident, AcknowledgeIncident: acknowledge_incident}
    clicks = [handle(ctx, command(**by_hand(number))) for number in ids for command, handle in actions.items()]  # type: ignore[operator]
    work = [*clicks, *(take_in(ctx, alerts[start::10]) for start in range(10))]
    chance.shuffle(work)

    answers = await asyncio.gather(*work, return_exceptions=True)

    failures = [answer for answer in answers if isinstance(answer, BaseException) and not isinstance(answer, Refusal)]
    assert not failures
    assert await rows("SELECT count(*) AS n, sum(alert_count) AS c FROM incidents.incidents") == [{"n": 4, "c": 84}]
    assert await rows(OPEN) == []
    told = await rows("SELECT count(*) AS n FROM incidents.events WHERE event_type = 'resolved'")
    assert told == [{"n": 4}]
