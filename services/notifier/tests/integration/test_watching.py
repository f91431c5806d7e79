"""A handset of which nothing is heard: the provider is asked, and then the person's next contact is due."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pagerpal_common.contracts.incidents import AcknowledgeIncident
from pagerpal_common.contracts.receipts import DeliveryReceipt, ReceiptsReceived
from pagerpal_common.vocabulary import Channel
from pagerpal_notifier.channels import POLL_LIMIT
from pagerpal_notifier.context import Context
from pagerpal_notifier.handlers import on_receipts_received
from pagerpal_notifier.polling import watch
from pagerpal_notifier.storage.watching import take_watched

from services.notifier.tests.integration.fake_infobip import CUT, FakeInfobip
from services.notifier.tests.integration.fake_smtp import FakeSmtp
from services.notifier.tests.integration.test_circuits import given_pages
from services.notifier.tests.integration.test_polling import logged
from services.notifier.tests.integration.world import RecordingBus, World

UNHEARD = "no receipt from the handset in time"


async def given_sent(world: World) -> dict[str, Any]:
    """An SMS that the provider has; its call would follow in two days."""
    await world.given_page()
    await world.rows("UPDATE notification.notifications SET due_at = due_at + interval '2 days' WHERE step = 2")
    await world.send()
    sms = (await world.notifications())[0]
    assert sms["status"] == "sent"
    return sms


async def test_the_provider_is_asked_after_a_minute_and_its_word_counts_as_a_receipt(
    world: World, infobip: FakeInfobip
) -> None:
    sms = await given_sent(world)
    number = sms["provider_message_id"]
    infobip.logs[str(number)] = logged(number, "DELIVERED", "DELIVERED_TO_HANDSET")

    world.clock.advance(59)
    assert await watch(world.ctx) == 0
    world.clock.advance(1)
    assert await watch(world.ctx) == 1

    assert infobip.asked == [("/sms/3/logs", str(number))]
    sms, call = await world.notifications()
    assert (sms["status"], sms["delivered_at"], sms["watch_at"]) == ("delivered", world.clock(), None)
    assert call["due_at"] > world.clock()
    assert await world.settled() == [sms["id"], sms["id"]], "sent, then delivered"
    world.clock.advance(3600)
    assert await watch(world.ctx) == 0


async def test_a_failure_that_is_asked_for_makes_the_next_contact_due_at_once(
    world: World, infobip: FakeInfobip
) -> None:
    number = (await given_sent(world))["provider_message_id"]
    infobip.logs[str(number)] = logged(number, "UNDELIVERABLE", "UNDELIVERABLE_NOT_DELIVERED")
    world.clock.advance(60)

    await watch(world.ctx)
    await world.send()

    assert await world.statuses() == ["failed", "sent"]


async def test_a_handset_that_is_not_heard_of_in_time_makes_the_next_contact_due_at_once(
    world: World, infobip: FakeInfobip
) -> None:
    number = (await given_sent(world))["provider_message_id"]
    infobip.logs[str(number)] = logged(number, "DELIVERED", "DELIVERED_TO_OPERATOR")

    for _ in range(12):
        world.clock.advance(10)
        await watch(world.ctx)
        await world.send()

    assert [path for path, _ in infobip.asked] == ["/sms/3/logs"] * 4, "at 60, 80, 100 and 120 s"
    sms, call = await world.notifications()
    assert (sms["status"], sms["error"], sms["unheard_at"]) == ("sent", UNHEARD, world.clock())
    assert (call["status"], call["sent_at"]) == ("sent", world.clock())

    late = DeliveryReceipt(message_id=number, group="DELIVERED", name="DELIVERED_TO_HANDSET")
    await on_receipts_received(world.ctx, [ReceiptsReceived(receipts=(late,), occurred_at=world.clock())])
    sms = (await world.notifications())[0]
    assert (sms["status"], sms["error"], sms["unheard_at"]) == ("delivered", None, None)


async def test_when_no_phone_is_heard_of_it_is_the_mail(world: World, infobip: FakeInfobip, smtp: FakeSmtp) -> None:
    await given_sent(world)

    for _ in range(40):
        world.clock.advance(10)
        await watch(world.ctx)
        await world.send()

    sms, call, mail = await world.notifications()
    assert (sms["error"], call["error"], mail["status"]) == (UNHEARD, UNHEARD, "sent")
    assert (call["unheard_at"] - call["sent_at"]).total_seconds() == 180
    assert [call.path for call in infobip.taken] == ["/sms/3/messages", "/tts/3/advanced"]
    assert len(smtp.mails) == 1


async def test_a_provider_that_does_not_say_does_not_stop_the_clock(world: World, infobip: FakeInfobip) -> None:
    await given_sent(world)
    infobip.script.extend([CUT] * 2)

    for _ in range(3):
        world.clock.advance(40)
        await watch(world.ctx)
    await world.send()

    sms, call = await world.notifications()
    assert (sms["status"], sms["error"], call["status"]) == ("sent", UNHEARD, "sent")


async def test_nobody_is_paged_for_what_is_answered_by_then(world: World, infobip: FakeInfobip) -> None:
    sms = await given_sent(world)
    await world.quieten(sms["incident_id"])
    world.clock.advance(120)

    await watch(world.ctx)
    await world.send()

    assert len(infobip.taken) == 1
    assert await world.statuses() == ["sent", "cancelled"]


async def test_a_key_that_was_pressed_is_learned_by_asking_too(world: World, infobip: FakeInfobip) -> None:
    await world.given_page()
    world.clock.advance(120)
    await world.send()
    call = (await world.notifications())[1]
    number = call["provider_message_id"]
    infobip.logs[str(number)] = logged(number, "DELIVERED", "DELIVERED_TO_HANDSET", voiceCall={"dtmfCodes": "1"})
    world.clock.advance(90)

    await watch(world.ctx)

    bus = RecordingBus()
    while await world.ctx.outbox.relay(world.ctx.db, bus):
        pass
    (asked,) = [message for message in bus.published if isinstance(message, AcknowledgeIncident)]
    assert asked.incident_id == call["incident_id"]


async def test_several_notifiers_share_what_there_is_to_ask(
    world: World, new_context: Callable[[], Context], infobip: FakeInfobip
) -> None:
    await given_pages(world, 60)
    await world.send()
    world.clock.advance(60)

    looked = await asyncio.gather(watch(world.ctx), watch(new_context()), watch(new_context()))

    assert sum(looked) == 60
    assert len(infobip.asked) == len({message for _, message in infobip.asked}) == 60


async def test_what_a_notifier_dies_with_is_asked_by_the_next(world: World, infobip: FakeInfobip) -> None:
    await given_sent(world)
    world.clock.advance(60)
    async with world.ctx.db.begin() as tx:  # as it does, before it asks
        taken = await take_watched(tx, {Channel.SMS: timedelta(seconds=20)}, now=world.clock(), limit=POLL_LIMIT)
    assert len(taken) == 1

    assert await watch(world.ctx) == 0
    world.clock.advance(20)
    assert await watch(world.ctx) == 1

    assert len(infobip.asked) == 1
