"""What the timeline says of notifications: each end once, and once more after each retry, whatever got lost."""

from datetime import timedelta
from typing import Any

import pytest
from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.contracts.notifications import NotificationSettled
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_incidents.context import Context
from pagerpal_incidents.handlers import on_notifications_settled
from pagerpal_incidents.intake import take_in
from pagerpal_incidents.loops import tell_notifications

from .conftest import T0, an_alert


@pytest.fixture
async def incident(ctx: Context, rows: Rows) -> IncidentView:
    """One whose notifications are about Ana, user 5."""
    await rows(
        "INSERT INTO directory.users (id, name, email, role, timezone, created_at) OVERRIDING SYSTEM VALUE"
        " VALUES (5, 'Ana', 'ana@example.org', 'responder', 'UTC', :at)",
        at=T0,
    )
    (result,) = await take_in(ctx, [an_alert()])
    assert result.incident is not None
    return result.incident


async def an_sms(rows: Rows, incident: IncidentView, **columns: Any) -> int:
    values = {
        "page_request_id": 1,
        "incident_id": incident.id,
        "escalation_id": 1,
        "user_id": 5,
        "channel": "sms",
        "step": 1,
        "pass_number": 1,
        "level": 2,
        "reason": "[]",
        "attempts": 1,
        "created_at": T0,
        **columns,
    }
    names, parameters = ", ".join(values), ", ".join(f":{name}" for name in values)
    (row,) = await rows(
        f"INSERT INTO notification.notifications ({names}) VALUES ({parameters}) RETURNING id".replace(
            ":reason", "CAST(:reason AS jsonb)"
        ),
        **values,
    )
    return int(row["id"])


async def becomes(rows: Rows, number: int, **columns: Any) -> None:
    changed = ", ".join(f"{name} = :{name}" for name in columns)
    await rows(f"UPDATE notification.notifications SET {changed} WHERE id = :number", number=number, **columns)


async def told(ctx: Context, incident: IncidentView) -> None:
    await on_notifications_settled(
        ctx, [NotificationSettled(incident_id=incident.id, notification_id=1, occurred_at=T0)]
    )


async def lines(rows: Rows) -> list[tuple[str, str]]:
    found = await rows("SELECT event_type, message FROM incidents.events WHERE event_type <> 'triggered' ORDER BY id")
    return [(row["event_type"], row["message"]) for row in found]


async def test_a_delivery_that_overtook_the_message_is_told_after_the_sending(
    ctx: Context, incident: IncidentView, rows: Rows
) -> None:
    later = T0 + timedelta(seconds=4)
    number = await an_sms(rows, incident, status="delivered", sent_at=T0, delivered_at=later, settled_at=later)

    await told(ctx, incident)
    await told(ctx, incident)

    assert await lines(rows) == [
        ("notification_sent", "SMS sent to Ana"),
        ("notification_delivered", "SMS delivered to Ana"),
    ]
    times = await rows(
        "SELECT created_at, data FROM incidents.events WHERE notification_id = :id ORDER BY id", id=number
    )
    assert [row["created_at"] for row in times] == [T0, later]
    assert times[1]["data"] == {"notification_id": number, "user_id": 5, "channel": "sms", "level": 2, "pass": 1}


async def test_a_sending_that_a_receipt_undoes_has_a_line_of_its_own_and_so_has_what_comes_of_it(
    ctx: Context, incident: IncidentView, rows: Rows
) -> None:
    number = await an_sms(rows, incident, status="sent", sent_at=T0, settled_at=T0)
    await told(ctx, incident)
    await becomes(rows, number, status="failed", error="Infobip: EXPIRED_EXPIRED", settled_at=T0)
    await told(ctx, incident)
    await becomes(rows, number, status="delivered", error=None, delivered_at=T0, settled_at=T0)
    await told(ctx, incident)

    assert await lines(rows) == [
        ("notification_sent", "SMS sent to Ana"),
        ("notification_failed", "SMS failed for Ana: Infobip: EXPIRED_EXPIRED"),
        ("notification_delivered", "SMS delivered to Ana"),
    ]


async def test_a_retry_is_told_with_who_wanted_it_and_its_end_even_if_it_is_the_same_again(
    ctx: Context, incident: IncidentView, rows: Rows
) -> None:
    number = await an_sms(rows, incident, status="failed", error="refused", settled_at=T0)
    await told(ctx, incident)
    retry = {"retried_at": T0, "retried_by": 1, "retried_as": 2}
    await becomes(rows, number, status="queued", retries=1, settled_at=None, **retry)
    await told(ctx, incident)
    await becomes(rows, number, status="failed", error="refused again", settled_at=T0)
    await told(ctx, incident)
    await told(ctx, incident)
    await becomes(rows, number, status="sent", retries=2, error=None, sent_at=T0, settled_at=T0, **retry)
    await told(ctx, incident)

    assert await lines(rows) == [
        ("notification_failed", "SMS failed for Ana: refused"),
        ("notification_retried", "SMS is tried again for Ana"),
        ("notification_failed", "SMS failed for Ana: refused again"),
        ("notification_retried", "SMS is tried again for Ana"),
        ("notification_sent", "SMS sent to Ana"),
    ]
    who = await rows("SELECT event_type, actor_user_id, acting_as_user_id FROM incidents.events ORDER BY id")
    assert {(row["actor_user_id"], row["acting_as_user_id"]) for row in who if "retried" in row["event_type"]} == {
        (1, 2)
    }
    assert {row["actor_user_id"] for row in who if "retried" not in row["event_type"]} == {None}


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "delivered", "sent_at": T0, "delivered_at": T0, "settled_at": T0},
        {"status": "failed", "settled_at": T0},
        {"status": "queued", "retries": 1, "retried_at": T0, "retried_by": 1, "retried_as": 1},
        {"status": "sending", "retries": 1, "retried_at": T0, "retried_by": 1, "retried_as": 1},
        {"status": "cancelled", "retries": 1, "retried_at": T0, "settled_at": T0, "retried_by": 1, "retried_as": 1},
        {"status": "exhausted", "retries": 3, "retried_at": T0, "settled_at": T0, "retried_by": 1, "retried_as": 1},
    ],
)
async def test_what_no_message_told_of_is_found_by_the_sweep_once(
    ctx: Context, incident: IncidentView, rows: Rows, clock: Clock, columns: dict[str, Any]
) -> None:
    await an_sms(rows, incident, **columns)
    clock.advance(minutes=1)

    assert await tell_notifications(ctx) == 1

    before = await lines(rows)
    assert before
    assert await tell_notifications(ctx) == 0
    assert await lines(rows) == before


async def test_a_retried_notification_counts_once_it_is_sent_again(
    ctx: Context, incident: IncidentView, rows: Rows
) -> None:
    later = T0 + timedelta(minutes=5)
    number = await an_sms(rows, incident, status="failed", sent_at=T0, settled_at=T0)
    await told(ctx, incident)
    await becomes(rows, number, status="sent", retries=1, retried_at=later, sent_at=later, settled_at=later)
    await told(ctx, incident)

    (row,) = await rows("SELECT notification_count, first_notified_at, last_notified_at FROM incidents.incidents")
    assert row == {"notification_count": 1, "first_notified_at": later, "last_notified_at": later}
