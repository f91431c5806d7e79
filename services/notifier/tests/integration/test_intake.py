"""From a page request to notifications, by message and by sweep."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from pagerpal_common.contracts.incidents import IncidentAcknowledged, PageRequested
from pagerpal_notifier.context import Context
from pagerpal_notifier.handlers import on_page_requested, on_page_unwanted
from pagerpal_notifier.loops import send, take_up

from services.notifier.tests.integration.world import T0, World


def requested(*numbers: int) -> PageRequested:
    return PageRequested(incident_id=1, page_request_ids=numbers, occurred_at=T0)


async def test_a_page_request_becomes_an_sms_now_and_a_call_later(world: World) -> None:
    incident_id = await world.incident(escalation_id=7)
    user_id = await world.user()
    number = await world.page_request(incident_id, user_id)

    await on_page_requested(world.ctx, [requested(number)])

    sms, call = await world.notifications()
    for row in (sms, call):
        assert (row["page_request_id"], row["incident_id"], row["escalation_id"]) == (number, incident_id, 7)
        assert (row["user_id"], row["pass_number"], row["level"]) == (user_id, 1, 1)
        assert (row["status"], row["attempts"], row["address"], row["settled_at"]) == ("queued", 0, None, None)
        assert row["created_at"] == T0
    assert (sms["channel"], sms["step"], sms["due_at"]) == ("sms", 1, T0)
    assert (call["channel"], call["step"], call["due_at"]) == ("voice", 2, T0 + timedelta(seconds=120))
    assert sms["reason"] == ["policy 'Base', level 1", "assigned by name", "default rule: SMS at once"]
    assert await world.settled() == []


async def test_without_a_phone_it_is_a_mail(world: World) -> None:
    await world.given_page(phone=None)

    (mail,) = await world.notifications()
    assert (mail["channel"], mail["status"], mail["due_at"]) == ("email", "queued", T0)


async def test_the_send_loop_is_rung(world: World) -> None:
    number = await world.page_request(await world.incident(), await world.user())

    await on_page_requested(world.ctx, [requested(number)])

    async with asyncio.timeout(10):
        await world.ctx.send_bell.wait(60)


async def test_a_lost_message_is_made_up_for_by_the_sweep(world: World) -> None:
    await world.page_request(await world.incident(), await world.user())

    assert await take_up(world.ctx) == 1

    assert await world.statuses() == ["queued", "queued"]
    assert await take_up(world.ctx) == 0


async def test_the_same_request_again_and_again_changes_nothing(
    world: World, new_context: Callable[[], Context]
) -> None:
    numbers = [await world.page_request(await world.incident(), await world.user(email=f"{n}@x.y")) for n in range(9)]
    others = [new_context() for _ in range(4)]

    await asyncio.gather(
        *(on_page_requested(ctx, [requested(*numbers), requested(*reversed(numbers))]) for ctx in others),
        *(take_up(ctx) for ctx in others),
    )

    rows = await world.notifications()
    assert sorted((row["page_request_id"], row["step"]) for row in rows) == [
        (number, step) for number in numbers for step in (1, 2)
    ]


async def test_a_repeat_after_the_person_changed_adds_no_second_way(world: World) -> None:
    number = await world.page_request(await world.incident(), await world.user(phone=None))
    await on_page_requested(world.ctx, [requested(number)])
    await world.rows("UPDATE directory.users SET phone = '+4366499'")

    await on_page_requested(world.ctx, [requested(number)])

    assert [row["channel"] for row in await world.notifications()] == ["email"]


async def test_more_requests_than_go_into_one_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pagerpal_notifier.intake.AT_ONCE", 2)
    monkeypatch.setattr("pagerpal_notifier.handlers.AT_ONCE", 2)
    incident_id, user_id = await world.incident(), await world.user()
    numbers = [await world.page_request(incident_id, user_id, level=level) for level in range(1, 6)]

    await on_page_requested(world.ctx, [requested(*numbers)])

    assert len(await world.notifications()) == 10


async def test_what_is_no_longer_wanted_or_unknown_is_not_taken_up(world: World) -> None:
    incident_id = await world.incident()
    number = await world.page_request(incident_id, await world.user())
    await world.quieten(incident_id)

    await on_page_requested(world.ctx, [requested(number, 999_999)])

    assert await take_up(world.ctx) == 0
    assert await world.notifications() == []


@pytest.mark.parametrize("is_gone", [False, True])
async def test_somebody_deactivated_or_gone_is_a_failure_that_is_told(world: World, is_gone: bool) -> None:
    user_id = await world.user(is_active=False)
    await world.page_request(await world.incident(), user_id + 100 * is_gone)

    assert await take_up(world.ctx) == 1

    (row,) = await world.notifications()
    assert (row["status"], row["due_at"], row["settled_at"]) == ("failed", None, T0)
    assert row["error"] == ("the person is not in the directory any more" if is_gone else "the person is deactivated")
    assert await world.settled() == [row["id"]]
    assert await take_up(world.ctx) == 0


@pytest.mark.parametrize("status", ["acknowledged", "resolved"])
async def test_an_answer_cancels_what_is_queued_and_nothing_else(world: World, status: str) -> None:
    incident_id = await world.given_page()
    other_id = await world.incident()
    await world.page_request(other_id, await world.user(email="bo@example.com"))
    await take_up(world.ctx)
    await send(world.ctx)
    await world.ctx.in_flight.finish()
    await world.quieten(incident_id, status)
    told = IncidentAcknowledged(incident_id=incident_id, escalation_id=5, occurred_at=T0)

    await on_page_unwanted(world.ctx, [told, told])

    sms, call, _, other_call = await world.notifications()
    assert sms["status"] == "sent"
    assert (call["status"], call["due_at"], call["settled_at"]) == ("cancelled", None, T0)
    assert call["error"] == "no longer wanted"
    assert other_call["status"] == "queued"
    assert call["id"] not in await world.settled()


async def test_a_late_acknowledgement_does_not_cancel_pages_that_a_person_has_asked_for_since(world: World) -> None:
    incident_id = await world.given_page()
    await world.quieten(incident_id)
    await world.rows("UPDATE incidents.incidents SET status = 'triggered'")  # escalated by hand, in the same run
    await world.page_request(incident_id, await world.user(email="bo@example.com"), level=2)
    await take_up(world.ctx)

    await on_page_unwanted(world.ctx, [IncidentAcknowledged(incident_id=incident_id, escalation_id=5, occurred_at=T0)])

    assert await world.statuses() == ["cancelled", "cancelled", "queued", "queued"]
