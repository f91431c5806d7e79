"""Somebody presses a key when we call. Repeated, late and of other people's calls, and what is said to whom."""

from uuid import UUID, uuid4

import pytest
from pagerpal_common.bus import BatchSubscription
from pagerpal_common.contracts.escalations import RequestEscalation
from pagerpal_common.contracts.incidents import AcknowledgeIncident
from pagerpal_common.contracts.message import Message
from pagerpal_common.contracts.notifications import NotificationSettled
from pagerpal_common.contracts.receipts import DeliveryReceipt, ReceiptsReceived
from pagerpal_notifier.handlers import on_receipts_received, subscriptions

from services.notifier.tests.integration.fake_infobip import TAKEN_THEN_500, FakeInfobip
from services.notifier.tests.integration.world import T0, RecordingBus, World


async def given_call(world: World) -> tuple[int, int, UUID]:
    """The incident, the person, and the message id of a call that has gone."""
    incident_id = await world.given_page()
    await world.rows("UPDATE notification.notifications SET due_at = :now", now=T0)
    await world.send()
    _, voice = await world.notifications()
    assert voice["channel"] == "voice"
    await said(world)
    return incident_id, voice["user_id"], voice["provider_message_id"]


async def press(world: World, message_id: UUID, *keys: str) -> None:
    receipts = tuple(
        DeliveryReceipt(message_id=message_id, group="DELIVERED", name="DELIVERED_TO_HANDSET", digits=key)
        for key in keys
    )
    await on_receipts_received(world.ctx, [ReceiptsReceived(receipts=receipts, occurred_at=world.clock())])


async def said(world: World) -> list[Message]:
    """What goes out, but for news of notifications."""
    bus = RecordingBus()
    while await world.ctx.outbox.relay(world.ctx.db, bus):
        pass
    return [message for message in bus.published if not isinstance(message, NotificationSettled)]


async def test_1_acknowledges_as_the_person_who_was_called(world: World, infobip: FakeInfobip) -> None:
    incident_id, user_id, message_id = await given_call(world)

    await press(world, message_id, "1")

    (command,) = await said(world)
    assert isinstance(command, AcknowledgeIncident)
    assert (command.incident_id, command.actor_user_id, command.acting_as_user_id) == (incident_id, user_id, user_id)
    assert (await world.statuses())[1] == "delivered", "the receipt counts as well"


async def test_2_asks_for_the_next_level_as_the_person_who_was_called(world: World, infobip: FakeInfobip) -> None:
    incident_id, user_id, message_id = await given_call(world)

    await press(world, message_id, "2")

    (command,) = await said(world)
    assert isinstance(command, RequestEscalation)
    assert (command.incident_id, command.actor_user_id, command.expected_level) == (incident_id, user_id, 1)


@pytest.mark.parametrize("status", ["acknowledged", "resolved"])
@pytest.mark.parametrize("key", ["1", "2"])
async def test_of_what_is_over_nothing_is_said(world: World, infobip: FakeInfobip, status: str, key: str) -> None:
    incident_id, _, message_id = await given_call(world)
    await world.quieten(incident_id, status)

    await press(world, message_id, key)

    assert await said(world) == []


async def test_a_repeated_1_does_not_acknowledge_what_was_triggered_again_since(
    world: World, infobip: FakeInfobip
) -> None:
    incident_id, _, message_id = await given_call(world)
    await press(world, message_id, "1")
    await said(world)
    await world.quieten(incident_id)
    await world.rows("UPDATE incidents.incidents SET status = 'triggered' WHERE id = :id", id=incident_id)

    await press(world, message_id, "1")

    assert await said(world) == [], "its page was answered; those of now are others"


async def test_a_repeated_2_does_not_skip_a_level(world: World, infobip: FakeInfobip) -> None:
    incident_id, _, message_id = await given_call(world)
    await press(world, message_id, "2")
    await said(world)
    await world.rows("UPDATE incidents.incidents SET current_escalation_level = 2 WHERE id = :id", id=incident_id)

    await press(world, message_id, "2")

    assert await said(world) == []
    await press(world, message_id, "1")
    assert [type(command) for command in await said(world)] == [AcknowledgeIncident]


async def test_a_key_in_a_new_run_or_of_somebody_who_is_gone_is_none(world: World, infobip: FakeInfobip) -> None:
    incident_id, user_id, message_id = await given_call(world)
    await world.rows("UPDATE directory.users SET is_active = false WHERE id = :id", id=user_id)
    await press(world, message_id, "1")
    await world.rows("UPDATE directory.users SET is_active = true WHERE id = :id", id=user_id)
    await world.rows("UPDATE incidents.incidents SET escalation_id = escalation_id + 1 WHERE id = :id", id=incident_id)
    await press(world, message_id, "1")

    assert await said(world) == []


async def test_a_key_of_no_call_of_ours_says_nothing(world: World, infobip: FakeInfobip) -> None:
    await given_call(world)
    sms, _ = await world.notifications()

    await press(world, uuid4(), "1")
    await press(world, sms["provider_message_id"], "1")

    assert await said(world) == []


async def test_a_key_counts_while_it_is_in_doubt_whether_the_call_has_gone(world: World, infobip: FakeInfobip) -> None:
    await world.given_page()
    infobip.script.extend([TAKEN_THEN_500, TAKEN_THEN_500])
    await world.rows("UPDATE notification.notifications SET due_at = :now", now=T0)
    await world.send()
    _, voice = await world.notifications()
    assert voice["status"] == "sending"

    await press(world, voice["provider_message_id"], "1")

    assert [type(command) for command in await said(world)] == [AcknowledgeIncident]


async def test_receipts_without_a_key_say_nothing_more(world: World, infobip: FakeInfobip) -> None:
    _, _, message_id = await given_call(world)
    (handle,) = [
        one.handle
        for one in subscriptions(world.ctx)
        if isinstance(one, BatchSubscription) and one.message is ReceiptsReceived
    ]
    receipt = DeliveryReceipt(message_id=message_id, group="DELIVERED", name="DELIVERED_TO_HANDSET")

    await handle([ReceiptsReceived(receipts=(receipt,), occurred_at=T0)])

    assert await said(world) == []
