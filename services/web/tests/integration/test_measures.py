"""What Prometheus is told of the database: open incidents, what is due, and whether the auditor is red."""

from datetime import timedelta

from pagerpal_common.errors import BusUnavailable
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web.auditor import audit
from pagerpal_web.context import Context
from pagerpal_web.measures import measure
from prometheus_client import REGISTRY

from .conftest import T0, Broker, Web
from .test_auditor import an_outbox_that_stands_still
from .test_incidents import insert_incident


def told(metric: str, /, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(metric, labels)


async def test_open_incidents_are_counted_by_status_and_severity(ctx: Context, web: Web, rows: Rows) -> None:
    for number, status in enumerate(("triggered", "triggered", "acknowledged", "resolved")):
        await insert_incident(rows, status=status, external_id=f"x{number}")

    await measure(ctx)

    assert told("pagerpal_incidents_open", status="triggered", severity="critical") == 2
    assert told("pagerpal_incidents_open", status="acknowledged", severity="critical") == 1
    assert told("pagerpal_incidents_open", status="acknowledged", severity="info") == 0


async def test_a_job_that_is_not_done_is_told_with_how_late_it_is(ctx: Context, web: Web, rows: Rows) -> None:
    await an_outbox_that_stands_still(rows, T0 - timedelta(minutes=5))

    await measure(ctx)

    assert told("pagerpal_job_due", name="outbox_relay") == 1
    assert told("pagerpal_job_oldest_due_seconds", name="outbox_relay") == 300
    assert told("pagerpal_job_healthy", name="outbox_relay") == 0


async def test_the_auditor_turns_its_metric_red_with_its_check(
    ctx: Context, web: Web, rows: Rows, clock: Clock
) -> None:
    await an_outbox_that_stands_still(rows, T0 - timedelta(minutes=5))
    for _ in range(4):
        await audit(ctx)
        clock.advance(seconds=6)

    await measure(ctx)

    assert told("pagerpal_auditor_red", check="outboxes_drained") == 1
    assert told("pagerpal_auditor_breaches", check="outboxes_drained") == 1
    assert told("pagerpal_auditor_red", check="levels_on_time") == 0


async def test_a_provider_that_is_left_alone_is_told_until_its_circuit_closes(ctx: Context, rows: Rows) -> None:
    for name, state in (("infobip", "probing"), ("smtp", "closed")):
        await rows(
            "INSERT INTO notification.circuits VALUES (:name, :state, 5, 1, :at, :at)", name=name, state=state, at=T0
        )

    await measure(ctx)

    assert told("pagerpal_provider_circuit_open", provider="infobip") == 1
    assert told("pagerpal_provider_circuit_open", provider="smtp") == 0

    await rows("UPDATE notification.circuits SET state = 'closed'")
    await measure(ctx)

    assert told("pagerpal_provider_circuit_open", provider="infobip") == 0


async def test_parked_messages_are_what_they_were_while_the_broker_is_away(ctx: Context, broker: Broker) -> None:
    broker.parked_messages = 3
    await measure(ctx)

    broker.parked_messages = BusUnavailable("away")
    await measure(ctx)

    assert told("pagerpal_parked_messages") == 3

    broker.parked_messages = 0
    await measure(ctx)

    assert told("pagerpal_parked_messages") == 0
