"""A person wants failed notifications tried again: which, with which message id, and what two clicks do."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from pagerpal_common.contracts.notifications import NotificationsRetried, RetryNotifications
from pagerpal_common.contracts.receipts import DeliveryReceipt, ReceiptsReceived
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.delivery import TRIES
from pagerpal_notifier.handlers import on_receipts_received, retry_notifications
from pagerpal_notifier.loops import send, take_up

from services.notifier.tests.integration.fake_infobip import TAKEN_THEN_CUT, FakeInfobip, http
from services.notifier.tests.integration.world import T0, World

ANA, BO = 7, 8


async def retry(world: World, incident_id: int, *, ctx: Context | None = None) -> tuple[int, int]:
    """What the answer counts: retried and queued."""
    command = RetryNotifications(
        incident_id=incident_id, actor_user_id=ANA, acting_as_user_id=BO, occurred_at=world.clock()
    )
    answer = await retry_notifications(ctx or world.ctx, command)
    assert isinstance(answer, NotificationsRetried)
    return answer.retried_count, answer.queued_count


async def given_all_failed(world: World, infobip: FakeInfobip) -> int:
    """An incident for which SMS, call and mail have definitely been refused."""
    infobip.script.extend([http(400), http(400)])
    incident_id = await world.given_page()
    await world.send()
    await world.rows("UPDATE notification.notifications SET status = 'failed', error = 'no' WHERE channel = 'email'")
    await world.settled()
    return incident_id


async def test_what_has_failed_is_sent_again_with_a_new_message_id(world: World, infobip: FakeInfobip) -> None:
    incident_id = await given_all_failed(world, infobip)
    world.clock.advance(60)

    assert await retry(world, incident_id) == (3, 3)

    for row in await world.notifications():
        assert (row["status"], row["due_at"], row["settled_at"]) == ("queued", world.clock(), None)
        assert (row["retries"], row["retried_at"], row["retried_by"], row["retried_as"]) == (1, world.clock(), ANA, BO)
    assert len(await world.settled()) == 1, "incidents is told to look"

    await world.send()

    assert await world.statuses() == ["sent", "sent", "sent"]
    assert len({call.message_id for call in infobip.calls}) == 4
    assert [row["attempts"] for row in await world.notifications()][:2] == [2, 2]


async def test_the_send_loop_and_the_relay_are_rung(world: World, infobip: FakeInfobip) -> None:
    incident_id = await given_all_failed(world, infobip)
    for bell in (world.ctx.send_bell, world.ctx.outbox.bell):
        await bell.wait(0)

    await retry(world, incident_id)

    async with asyncio.timeout(10):
        await world.ctx.send_bell.wait(60)
        await world.ctx.outbox.bell.wait(60)


@pytest.mark.usefixtures("patient_circuits")
async def test_what_is_in_doubt_is_sent_again_with_the_same_message_id_and_goes_out_once(
    world: World, infobip: FakeInfobip
) -> None:
    infobip.script.extend([TAKEN_THEN_CUT] * TRIES)
    incident_id = await world.given_page()
    await world.rows("UPDATE notification.notifications SET due_at = due_at + interval '1 day' WHERE step = 2")
    for _ in range(TRIES):
        await world.send()
        world.clock.advance(73)
    assert (await world.statuses())[0] == "exhausted"

    assert await retry(world, incident_id) == (1, 1)
    assert (await world.statuses())[0] == "sending"
    await world.send()

    sms = (await world.notifications())[0]
    assert (sms["status"], sms["attempts"]) == ("sent", TRIES + 1)
    assert len({call.message_id for call in infobip.calls if call.path == "/sms/3/messages"}) == 1
    assert len([call for call in infobip.taken if call.path == "/sms/3/messages"]) == 1


@pytest.mark.usefixtures("patient_circuits")
async def test_what_a_receipt_has_settled_is_no_longer_in_doubt(world: World, infobip: FakeInfobip) -> None:
    infobip.script.extend([TAKEN_THEN_CUT] * TRIES)
    incident_id = await world.given_page()
    await world.rows("UPDATE notification.notifications SET due_at = due_at + interval '1 day' WHERE step = 2")
    for _ in range(TRIES):
        await world.send()
        world.clock.advance(73)
    failed = DeliveryReceipt(message_id=infobip.calls[0].message_id, group="UNDELIVERABLE")  # type: ignore[arg-type]
    await on_receipts_received(world.ctx, [ReceiptsReceived(receipts=(failed,), occurred_at=world.clock())])

    await retry(world, incident_id)
    await world.send()

    assert (await world.statuses())[0] == "sent"
    assert len({call.message_id for call in infobip.calls if call.path == "/sms/3/messages"}) == 2


async def test_a_failed_receipt_can_be_retried_and_the_late_word_of_the_first_try_is_not_the_second_ones(
    world: World, infobip: FakeInfobip
) -> None:
    incident_id = await world.given_page()
    await world.send()
    first = (await world.notifications())[0]["provider_message_id"]
    failed = ReceiptsReceived(
        receipts=(DeliveryReceipt(message_id=first, group="UNDELIVERABLE"),), occurred_at=world.clock()
    )
    await on_receipts_received(world.ctx, [failed])
    await world.send()

    assert await retry(world, incident_id) == (1, 1)
    await world.send()
    await on_receipts_received(world.ctx, [failed])

    sms = (await world.notifications())[0]
    assert (sms["status"], sms["sent_at"], sms["attempts"]) == ("sent", T0, 2)
    assert sms["provider_message_id"] != first


async def test_tries_begin_anew_and_come_to_an_end_again(world: World, infobip: FakeInfobip) -> None:
    infobip.script.extend([http(429)] * (2 * TRIES))
    incident_id = await world.given_page()
    await world.rows("UPDATE notification.notifications SET due_at = due_at + interval '1 day' WHERE step = 2")
    for _ in range(TRIES):
        await world.send()
        world.clock.advance(73)
    await world.rows("UPDATE notification.notifications SET due_at = :later WHERE step = 2", later=T0 + timedelta(9))
    infobip.script.extend([http(429)] * TRIES)

    await retry(world, incident_id)
    await world.send()

    sms = (await world.notifications())[0]
    assert (sms["status"], sms["attempts"]) == ("queued", TRIES + 1)
    assert timedelta(seconds=2) <= sms["due_at"] - world.clock() <= timedelta(seconds=2.4), "a first try's wait"
    for _ in range(TRIES - 1):
        world.clock.advance(73)
        await world.send()
    sms = (await world.notifications())[0]
    assert (sms["status"], sms["attempts"]) == ("exhausted", 2 * TRIES)
    assert "given up after 10 tries" in sms["error"]


@pytest.mark.parametrize("status", ["acknowledged", "resolved"])
async def test_nobody_is_paged_for_what_is_over(world: World, infobip: FakeInfobip, status: str) -> None:
    incident_id = await given_all_failed(world, infobip)
    await world.quieten(incident_id, status)

    assert await retry(world, incident_id) == (3, 0)
    await world.send()

    assert await world.statuses() == ["failed", "failed", "failed"]
    assert len(infobip.calls) == 2
    assert await world.settled() == []


async def test_an_earlier_run_is_not_retried(world: World, infobip: FakeInfobip) -> None:
    incident_id = await given_all_failed(world, infobip)
    await world.rows("UPDATE incidents.incidents SET escalation_id = escalation_id + 1")

    assert await retry(world, incident_id) == (3, 0)


async def test_an_answer_after_the_retry_cancels_it(world: World, infobip: FakeInfobip) -> None:
    incident_id = await given_all_failed(world, infobip)
    await retry(world, incident_id)
    await world.quieten(incident_id)

    await world.send()

    assert await world.statuses() == ["cancelled", "cancelled", "cancelled"]
    assert len(infobip.calls) == 2


@pytest.mark.parametrize(
    ("change", "counts"),
    [("is_active = false", (3, 0)), ("phone = NULL", (3, 1)), ("phone = ''", (3, 1))],
)
async def test_only_ways_that_lead_somewhere_are_taken_again(
    world: World, infobip: FakeInfobip, change: str, counts: tuple[int, int]
) -> None:
    incident_id = await given_all_failed(world, infobip)
    await world.rows(f"UPDATE directory.users SET {change}")

    assert await retry(world, incident_id) == counts


async def test_what_is_sent_queued_cancelled_or_another_incidents_is_left_alone(
    world: World, infobip: FakeInfobip
) -> None:
    await given_all_failed(world, infobip)
    incident_id = await world.incident()
    await world.page_request(incident_id, await world.user(email="bo@example.com"))
    await take_up(world.ctx)
    await world.send()
    before = await world.notifications()

    assert await retry(world, incident_id) == (0, 0)
    assert await retry(world, 999_999) == (0, 0)

    assert await world.notifications() == before


async def test_clicks_at_the_same_moment_take_each_notification_up_once(
    world: World, infobip: FakeInfobip, new_context: Callable[[], Context]
) -> None:
    incident_id = await given_all_failed(world, infobip)
    notifiers = [new_context() for _ in range(4)]

    answers = await asyncio.gather(*(retry(world, incident_id, ctx=ctx) for ctx in notifiers))

    assert sorted(answers) == [(0, 0), (0, 0), (0, 0), (3, 3)]
    await asyncio.gather(*(send(ctx) for ctx in notifiers))
    for ctx in notifiers:
        await ctx.in_flight.finish()
    assert await world.statuses() == ["sent", "sent", "sent"]
    assert len(infobip.taken) == 2


async def test_attempts_are_counted_on_after_a_retry(world: World, infobip: FakeInfobip) -> None:
    """Not anew: a sender that slept through it all must find that its try is long past."""
    infobip.script.append(TAKEN_THEN_CUT)
    incident_id = await world.given_page()
    await world.send()
    row = (await world.notifications())[0]
    assert (row["status"], row["attempts"]) == ("sending", 1)
    await world.rows("UPDATE notification.notifications SET status = 'exhausted', due_at = NULL WHERE step = 1")

    await retry(world, incident_id)
    await send(world.ctx)

    row = (await world.notifications())[0]
    assert (row["status"], row["attempts"], row["attempts_before"]) == ("sending", 2, 1)
    await world.ctx.in_flight.finish()
