"""The auditor: what breaks a guarantee turns it red within a minute, somebody hears of it, and mended it is green."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pagerpal_common.bus.wire import encode
from pagerpal_common.contracts.alerts import Alert, AlertsReceived
from pagerpal_common.contracts.escalations import EscalateIncident, Position
from pagerpal_common.escalation import POLICY_JSON, Assignee, Level, Policy
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import AlertStatus, Severity
from pagerpal_web.auditor import audit
from pagerpal_web.context import Context
from pagerpal_web.domain.auditor import AGAIN, LOOKS, Check
from pagerpal_web.storage.auditor import CHECKS
from structlog.testing import capture_logs

from .conftest import T0, Broker
from .test_incidents import insert_incident

POLICY = Policy(
    1, "Nights", 0, timedelta(minutes=30), None, (Level(1, timedelta(minutes=5), (Assignee(user_id=1),)),) * 2
)


class Auditor:
    """Looks as often as its loop does, and reads what it wrote."""

    def __init__(self, ctx: Context, rows: Rows, clock: Clock) -> None:
        self.ctx, self.rows, self.clock = ctx, rows, clock

    async def look(self) -> list[str]:
        """One look, five seconds later; the names of the checks that are red after it."""
        self.clock.advance(seconds=5)
        await audit(self.ctx)
        red = "SELECT name FROM directory.auditor_checks WHERE red_since IS NOT NULL ORDER BY name"
        return [row["name"] for row in await self.rows(red)]

    async def seconds_to_red(self, *names: Check) -> float:
        """How long until these checks are red, and no other is on the way."""
        began = self.clock.at
        while self.clock.at < began + timedelta(seconds=120):
            red = await self.look()
            if red:
                assert red == sorted(names)
                return (self.clock.at - began).total_seconds()
        raise AssertionError(f"{names} did not turn red")


@pytest.fixture
def auditor(ctx: Context, rows: Rows, clock: Clock) -> Auditor:
    return Auditor(ctx, rows, clock)


async def several_open(rows: Rows, at: datetime) -> None:
    await rows("DROP INDEX incidents.incidents_open_key")
    for _ in range(2):
        await insert_incident(rows, external_id="disk", status="acknowledged", acknowledged_at=at)


async def an_overdue_run(rows: Rows, at: datetime) -> None:
    await a_run(rows, 7, due_at=at)


async def no_run(rows: Rows, at: datetime) -> None:
    await insert_incident(rows)


async def a_run_that_has_ended(rows: Rows, at: datetime) -> None:
    await a_run(rows, await an_incident_at(rows, 0), due_at=None)


async def a_step_that_is_never_entered(rows: Rows, at: datetime) -> None:
    """Asked for again and again, so that the run itself is never overdue."""
    await a_run(
        rows, await an_incident_at(rows, 0), due_at=at + timedelta(hours=1), asked=Position(pass_number=1, level=0)
    )


async def an_untaken_page(rows: Rows, at: datetime) -> None:
    await a_followed_incident(rows, at)


async def a_level_without_pages(rows: Rows, at: datetime) -> None:
    await a_followed_incident(rows, at)
    await rows("DELETE FROM incidents.page_requests")


async def an_overdue_notification(rows: Rows, at: datetime) -> None:
    await a_notification(rows, "queued", at)


async def a_send_that_never_ends(rows: Rows, at: datetime) -> None:
    await a_notification(rows, "sending", at)


async def a_notification_in_limbo(rows: Rows, at: datetime) -> None:
    await a_notification(rows, "queued", None)


async def an_outbox_that_stands_still(rows: Rows, at: datetime, schema: str = "escalation") -> None:
    await rows(
        f"INSERT INTO {schema}.outbox (message_id, topic, body, created_at) VALUES (:id, 'x', '{{}}', :at)",
        id=uuid4(),
        at=at,
    )


async def a_spool_that_is_not_taken_in(rows: Rows, at: datetime) -> None:
    await rows("INSERT INTO ingest.spool VALUES (:id, '{}', :at)", id=uuid4(), at=at)


BREACHES = [
    (several_open, Check.ONE_OPEN_INCIDENT),
    (an_overdue_run, Check.LEVELS_ON_TIME),
    (no_run, Check.LEVELS_ON_TIME),
    (a_run_that_has_ended, Check.LEVELS_ON_TIME),
    (a_step_that_is_never_entered, Check.LEVELS_ON_TIME),
    (an_untaken_page, Check.PAGES_TAKEN_UP),
    (a_level_without_pages, Check.PAGES_TAKEN_UP),
    (an_overdue_notification, Check.NOTIFICATIONS_SETTLED),
    (a_send_that_never_ends, Check.NOTIFICATIONS_SETTLED),
    (a_notification_in_limbo, Check.NOTIFICATIONS_SETTLED),
    (an_outbox_that_stands_still, Check.OUTBOXES_DRAINED),
    (a_spool_that_is_not_taken_in, Check.SPOOL_DRAINED),
]
Break = Callable[[Rows, datetime], Any]


@pytest.mark.parametrize(("breach", "check"), BREACHES, ids=lambda value: getattr(value, "__name__", str(value)))
async def test_each_breach_turns_its_check_red_within_a_minute(
    breach: Break, check: Check, auditor: Auditor, rows: Rows, clock: Clock
) -> None:
    assert await auditor.look() == []
    await breach(rows, clock.at)

    assert await auditor.seconds_to_red(check) <= 60


async def test_normal_work_is_green(auditor: Auditor, rows: Rows, clock: Clock) -> None:
    """Somebody is wanted, paged and waited for; an acknowledgement holds; history is over."""
    request = await a_followed_incident(rows, clock.at, due_in=timedelta(minutes=5))
    await a_notification(rows, "delivered", None, page_request_id=request)
    await a_notification(rows, "queued", clock.at + timedelta(minutes=2), page_request_id=request)
    acknowledged = await insert_incident(rows, external_id="b", status="acknowledged", acknowledged_at=T0)
    await a_run(rows, acknowledged, due_at=None, run=8)
    await insert_incident(rows, external_id="c", status="resolved", resolved_at=T0, escalation_id=9)
    await insert_incident(rows, external_id=None, is_unreached=True, status="acknowledged", escalation_id=10)
    await insert_incident(rows, external_id=None, status="acknowledged", escalation_id=11)

    for _ in range(20):
        assert await auditor.look() == []


async def test_what_is_late_at_one_look_and_done_at_the_next_turns_nothing_red(
    auditor: Auditor, rows: Rows, clock: Clock, broker: Broker
) -> None:
    """A clock that jumped, a machine that slept: everything is overdue for a moment."""
    for _ in range(3):
        await a_spool_that_is_not_taken_in(rows, clock.at - timedelta(hours=1))
        for _ in range(LOOKS - 1):
            assert await auditor.look() == []
        await rows("DELETE FROM ingest.spool")
        assert await auditor.look() == []
    assert broker.published == []


async def test_red_pages_the_administrators_once_and_green_resolves_it(
    auditor: Auditor, rows: Rows, clock: Clock, broker: Broker
) -> None:
    began = clock.at
    await a_spool_that_is_not_taken_in(rows, began)
    with capture_logs() as logs:
        await auditor.seconds_to_red(Check.SPOOL_DRAINED)
        for _ in range(10):
            await auditor.look()
        await rows("DELETE FROM ingest.spool")
        for _ in range(10):
            assert await auditor.look() == []

    firing, resolved = map(alert_of, broker.published)
    assert (firing.status, resolved.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert firing.external_id == resolved.external_id == "auditor/spool_drained"
    assert (firing.source_id, firing.team_id, firing.severity) == (0, 0, Severity.CRITICAL)
    assert firing.title == "PagerPal itself: alerts that were accepted are not taken in"
    assert "found 1, the oldest since 2026-05-21 12:00:00 UTC" in firing.description
    assert [(line["event"], line["check"]) for line in logs] == [
        ("auditor.red", "spool_drained"),
        ("auditor.green", "spool_drained"),
    ]


async def test_an_alert_that_the_bus_did_not_take_is_told_at_the_next_look(
    auditor: Auditor, rows: Rows, clock: Clock, broker: Broker
) -> None:
    broker.is_away = True
    await a_spool_that_is_not_taken_in(rows, clock.at)
    await auditor.seconds_to_red(Check.SPOOL_DRAINED)
    assert broker.published == []

    broker.is_away = False
    await auditor.look()

    assert [alert_of(message).status for message in broker.published] == [AlertStatus.FIRING]


async def test_what_stays_red_is_told_again_after_a_while(
    auditor: Auditor, rows: Rows, clock: Clock, broker: Broker
) -> None:
    """Somebody may have resolved the incident by hand, and nothing is mended."""
    await a_spool_that_is_not_taken_in(rows, clock.at)
    await auditor.seconds_to_red(Check.SPOOL_DRAINED)
    for _ in range(int(AGAIN / timedelta(seconds=5))):
        await auditor.look()

    assert [alert_of(message).status for message in broker.published] == [AlertStatus.FIRING] * 2


@pytest.mark.parametrize(("wanted", "expected"), [(1, 1), (2, 0)])
async def test_the_team_of_the_setting_is_paged_if_there_is_such_a_team(
    wanted: int, expected: int, auditor: Auditor, rows: Rows, clock: Clock, broker: Broker
) -> None:
    await rows("INSERT INTO directory.teams (name, created_at) VALUES ('SRE', :at)", at=T0)
    told = auditor.ctx.settings.model_copy(update={"auditor_team_id": wanted})
    auditor.ctx = replace(auditor.ctx, settings=told)
    await a_spool_that_is_not_taken_in(rows, clock.at)

    await auditor.seconds_to_red(Check.SPOOL_DRAINED)

    assert alert_of(broker.published[0]).team_id == expected


async def test_of_many_replicas_one_looks(auditor: Auditor, rows: Rows, clock: Clock) -> None:
    await a_spool_that_is_not_taken_in(rows, clock.at - timedelta(hours=1))
    clock.advance(seconds=5)

    for _ in range(LOOKS + 1):
        await audit(auditor.ctx)

    (row,) = await rows("SELECT looks FROM directory.auditor_checks WHERE name = 'spool_drained'")
    assert row["looks"] == 1


async def test_a_clock_that_was_set_back_does_not_keep_it_from_looking(auditor: Auditor, clock: Clock) -> None:
    await auditor.look()
    clock.advance(hours=-1)

    await auditor.look()

    (row,) = await auditor.rows("SELECT DISTINCT checked_at FROM directory.auditor_checks")
    assert row["checked_at"] == clock.at


async def test_no_check_reads_through_history(rows: Rows) -> None:
    """With it, looking would take longer each month. The spool is empty once its alerts are taken in."""
    await rows("SET enable_seqscan = off")
    told = []
    for statement in CHECKS.values():
        told += [row["QUERY PLAN"] for row in await rows(f"EXPLAIN {statement.text}", before=T0, most=1000)]

    whole = "\n".join(told)
    assert "Hash " not in whole, whole  # of a join: it would be one of all that ever was
    # Of the two indexes of what is due either will do: both hold what waits, and nothing else.
    due = "notifications_(person_)?due_idx"
    for index in ("escalations_due_idx", "page_requests_open_idx", due, "notifications_limbo_idx"):
        assert re.search(index, whole), whole
    assert {line.split()[4] for line in told if "Seq Scan on" in line} == {"spool"}, whole


def alert_of(message: object) -> Alert:
    assert isinstance(message, AlertsReceived)
    (alert,) = message.alerts
    return alert


async def an_incident_at(rows: Rows, level: int) -> int:
    return await insert_incident(rows, current_escalation_level=level, escalation_id=7)


async def a_run(
    rows: Rows, incident_id: int, *, due_at: datetime | None, asked: Position | None = None, run: int = 7
) -> None:
    step = None
    if asked is not None:
        step = EscalateIncident(
            incident_id=incident_id, escalation_id=run, expected=asked, occurred_at=T0, people=(),
            entering=Position(pass_number=1, level=asked.level + 1),
        )  # fmt: skip
    await rows(
        "INSERT INTO escalation.escalations VALUES (:run, :incident, 1, CAST(:policy AS jsonb), 'x', 1, 1, 0, "
        "CAST(:asked AS jsonb), :due, :at)",
        run=run,
        incident=incident_id,
        policy=POLICY_JSON.dump_json(POLICY).decode(),
        asked=None if step is None else encode(step).decode(),
        due=due_at,
        at=T0,
    )


async def a_followed_incident(rows: Rows, at: datetime, due_in: timedelta = timedelta(hours=1)) -> int:
    """Level 1 is entered, its run waits, and one person is to be paged; the page request's id."""
    incident = await an_incident_at(rows, 1)
    await a_run(rows, incident, due_at=at + due_in)
    (row,) = await rows(
        "INSERT INTO incidents.page_requests (incident_id, escalation_id, pass_number, level, reminder, user_id, "
        "reason, requested_at, is_open) VALUES (:incident, 7, 1, 1, 0, 1, '[]', :at, true) RETURNING id",
        incident=incident,
        at=at,
    )
    return int(row["id"])


async def a_notification(rows: Rows, status: str, due_at: datetime | None, page_request_id: int = 0) -> None:
    await rows(
        "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step, "
        "pass_number, level, reason, status, attempts, due_at, created_at) "
        "VALUES (:request, 1, 7, 1, 'sms', (SELECT count(*) FROM notification.notifications), 1, 1, '[]', :status, 0, "
        ":due, :at)",
        request=page_request_id,
        status=status,
        due=due_at,
        at=T0,
    )
