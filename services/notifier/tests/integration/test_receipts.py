"""What receipts change: the log, and the person's next contact. In any order, repeated, early, and late."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from pagerpal_common.contracts.receipts import DeliveryReceipt, ReceiptsReceived
from pagerpal_common.vocabulary import Channel
from pagerpal_notifier import receipts
from pagerpal_notifier.channels import Provider
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.delivery import Outcome
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.handlers import on_receipts_received
from pagerpal_notifier.loops import match_receipts, send, take_up
from structlog.testing import capture_logs

from services.notifier.tests.integration.fake_infobip import TAKEN_THEN_CUT, TAKEN_THEN_SILENT, FakeInfobip, http
from services.notifier.tests.integration.world import T0, World

DELIVERED = ("DELIVERED", "DELIVERED_TO_HANDSET")
AT_OPERATOR = ("DELIVERED", "DELIVERED_TO_OPERATOR")
PENDING = ("PENDING", "PENDING_ENROUTE")
UNDELIVERABLE = ("UNDELIVERABLE", "UNDELIVERABLE_NOT_DELIVERED")
EXPIRED = ("EXPIRED", "EXPIRED_EXPIRED")


def receipt(message_id: UUID | str, word: tuple[str, str], code: int | None = None) -> DeliveryReceipt:
    group, name = word
    return DeliveryReceipt(message_id=UUID(str(message_id)), group=group, name=name, error_code=code)


async def receive(world: World, *given: DeliveryReceipt, ctx: Context | None = None) -> None:
    """As they come off the bus, in one message."""
    await on_receipts_received(ctx or world.ctx, [ReceiptsReceived(receipts=given, occurred_at=world.clock())])


async def given_sent_sms(world: World) -> UUID:
    """A page whose SMS has gone; its message id."""
    await world.given_page()
    await world.send()
    sms, _ = await world.notifications()
    message_id: UUID = sms["provider_message_id"]
    await world.settled()
    return message_id


async def kept(world: World) -> list[tuple[UUID, str, bool]]:
    rows = await world.rows("SELECT message_id, state, is_matched FROM notification.receipts ORDER BY received_at")
    return [(row["message_id"], row["state"], row["is_matched"]) for row in rows]


async def test_a_delivered_receipt_changes_the_log_and_incidents_is_told(world: World, infobip: FakeInfobip) -> None:
    message_id = await given_sent_sms(world)
    world.clock.advance(3)

    await receive(world, receipt(message_id, DELIVERED))
    await world.send()

    sms, voice = await world.notifications()
    now = world.clock()
    assert (sms["status"], sms["delivered_at"], sms["sent_at"], sms["settled_at"]) == ("delivered", now, T0, now)
    assert (sms["due_at"], sms["error"]) == (None, None)
    assert (voice["status"], len(infobip.calls)) == ("queued", 1), "a handset in a pocket is nobody awake"
    assert await world.settled() == [sms["id"]]
    assert await kept(world) == [(message_id, "delivered", True)]


async def test_a_failed_receipt_makes_the_call_come_at_once(world: World, infobip: FakeInfobip) -> None:
    message_id = await given_sent_sms(world)

    await receive(world, receipt(message_id, UNDELIVERABLE, 27))
    await world.send()

    assert [call.path for call in infobip.calls] == ["/sms/3/messages", "/tts/3/advanced"]
    sms, voice = await world.notifications()
    assert (sms["status"], sms["error"]) == ("failed", "Infobip: UNDELIVERABLE_NOT_DELIVERED (error 27)")
    assert (sms["sent_at"], sms["delivered_at"]) == (T0, None)
    assert (voice["status"], voice["sent_at"]) == ("sent", T0)
    assert await world.settled() == [sms["id"], voice["id"]]


async def test_a_failed_receipt_for_the_last_way_is_followed_by_a_mail(world: World, infobip: FakeInfobip) -> None:
    await receive(world, receipt(await given_sent_sms(world), UNDELIVERABLE))
    await world.send()
    _, voice = await world.notifications()

    await receive(world, receipt(voice["provider_message_id"], EXPIRED))
    await world.send()

    rows = await world.notifications()
    assert [(row["channel"], row["status"]) for row in rows] == [
        ("sms", "failed"),
        ("voice", "failed"),
        ("email", "sent"),
    ]
    assert rows[2]["reason"][-1] == "last resort: mail, as nothing else has gone"


@pytest.mark.parametrize("status", ["acknowledged", "resolved"])
async def test_a_receipt_for_what_is_over_changes_the_log_only(world: World, infobip: FakeInfobip, status: str) -> None:
    incident_id = await world.given_page()
    await world.rows("UPDATE notification.notifications SET due_at = :now", now=T0)
    await world.send()
    sms, voice = await world.notifications()
    await world.quieten(incident_id, status)

    await receive(
        world,
        receipt(sms["provider_message_id"], UNDELIVERABLE),
        receipt(voice["provider_message_id"], EXPIRED),
    )
    await world.send()

    assert await world.statuses() == ["failed", "failed"], "no mail for what is over"
    assert len(infobip.calls) == 2


@pytest.mark.parametrize(
    "words", [(UNDELIVERABLE, DELIVERED), (DELIVERED, UNDELIVERABLE), (DELIVERED, EXPIRED, PENDING)]
)
async def test_a_delivered_beats_a_failed_in_either_order(world: World, words: Sequence[tuple[str, str]]) -> None:
    message_id = await given_sent_sms(world)

    for word in words:
        await receive(world, receipt(message_id, word))

    sms = (await world.notifications())[0]
    assert (sms["status"], sms["error"]) == ("delivered", None)


async def test_a_page_that_was_delivered_stays_so_in_the_books(world: World) -> None:
    message_id = await given_sent_sms(world)

    for word in (DELIVERED, AT_OPERATOR, UNDELIVERABLE, PENDING):
        await receive(world, receipt(message_id, word))

    assert await kept(world) == [(message_id, "delivered", True)]


@pytest.mark.parametrize("word", [PENDING, AT_OPERATOR, ("OK", "SOMETHING_NEW")])
async def test_what_is_not_final_changes_nothing(world: World, word: tuple[str, str]) -> None:
    message_id = await given_sent_sms(world)

    await receive(world, receipt(message_id, word))

    sms, voice = await world.notifications()
    assert (sms["status"], voice["due_at"]) == ("sent", T0 + timedelta(seconds=120))
    assert await world.settled() == []


async def test_the_same_receipt_again_and_again_changes_nothing_more(world: World) -> None:
    message_id = await given_sent_sms(world)
    await receive(world, receipt(message_id, UNDELIVERABLE))
    before = (await world.notifications())[0]
    await world.settled()
    world.clock.advance(60)

    await receive(world, *[receipt(message_id, UNDELIVERABLE)] * 3)
    await receive(world, receipt(message_id, PENDING))

    assert (await world.notifications())[0] == before
    assert await world.settled() == []


async def test_a_receipt_before_our_own_row_of_the_answer_is_taken_for_it(world: World, infobip: FakeInfobip) -> None:
    """The provider's answer never comes; its receipt does. The page has gone, and is not sent again."""
    infobip.script.append(TAKEN_THEN_SILENT)
    await world.given_page()
    await send(world.ctx)
    await infobip.arrived.wait()
    await receive(world, receipt(infobip.taken[0].message_id, DELIVERED))
    await world.crash()
    world.clock.advance(60)

    await world.send()

    sms = (await world.notifications())[0]
    assert (sms["status"], sms["sent_at"], sms["delivered_at"]) == ("delivered", T0, T0)
    assert len(infobip.calls) == 1


async def test_an_answer_recorded_after_the_receipt_takes_nothing_back(world: World, infobip: FakeInfobip) -> None:
    gate = asyncio.Event()
    sms = world.ctx.providers[Channel.SMS].send
    await world.given_page()

    async def slowly(claim: Claim) -> Outcome:
        outcome = await sms(claim)
        await gate.wait()
        return outcome

    world.ctx = replace(world.ctx, providers={**world.ctx.providers, Channel.SMS: Provider("infobip", slowly)})
    await send(world.ctx)
    await infobip.arrived.wait()

    await receive(world, receipt(infobip.taken[0].message_id, UNDELIVERABLE))
    gate.set()
    await world.ctx.in_flight.finish()

    assert (await world.statuses())[0] == "failed"


async def test_a_failed_receipt_ends_the_repeats_of_a_try_in_doubt(world: World, infobip: FakeInfobip) -> None:
    infobip.script.append(TAKEN_THEN_CUT)
    await world.given_page()
    await world.send()
    assert (await world.statuses())[0] == "sending"

    await receive(world, receipt(infobip.taken[0].message_id, UNDELIVERABLE))
    await world.send()
    world.clock.advance(60)
    await world.send()

    assert await world.statuses() == ["failed", "sent"]
    assert [call.path for call in infobip.calls] == ["/sms/3/messages", "/tts/3/advanced"]


async def test_a_page_cancelled_in_doubt_turns_out_to_have_been_delivered(world: World, infobip: FakeInfobip) -> None:
    infobip.script.append(TAKEN_THEN_CUT)
    incident_id = await world.given_page()
    await world.send()
    await world.quieten(incident_id)
    world.clock.advance(60)
    await world.send()
    assert (await world.statuses())[0] == "cancelled"

    await receive(world, receipt(infobip.taken[0].message_id, DELIVERED))

    assert (await world.statuses())[0] == "delivered"


async def test_a_receipt_for_an_earlier_message_of_the_notification_does_not_speak_for_it(
    world: World, infobip: FakeInfobip
) -> None:
    infobip.script.append(TAKEN_THEN_CUT)
    await world.given_page()
    await world.send()
    await world.rows("UPDATE directory.users SET phone = '+4369911112222'")
    world.clock.advance(2.5)
    await world.send()
    first, second = infobip.taken
    assert first.to != second.to

    await receive(world, receipt(first.message_id, DELIVERED))

    assert (await world.statuses())[0] == "sent", "the old number has it, which nobody carries any more"


async def test_an_unknown_message_is_kept_and_matched_once_its_attempt_appears(world: World) -> None:
    message_id = await given_sent_sms(world)
    (attempt,) = await world.rows("DELETE FROM notification.attempts RETURNING *")
    await receive(world, receipt(message_id, UNDELIVERABLE))
    assert await kept(world) == [(message_id, "failed", False)]
    assert (await world.statuses())[0] == "sent"
    assert await match_receipts(world.ctx) == 0

    names = ", ".join(attempt)
    await world.rows(
        f"INSERT INTO notification.attempts ({names}) VALUES ({', '.join(f':{name}' for name in attempt)})", **attempt
    )
    assert await match_receipts(world.ctx) == 1

    assert (await world.statuses())[0] == "failed"
    assert await kept(world) == [(message_id, "failed", True)]
    assert await match_receipts(world.ctx) == 0


async def test_an_unknown_message_is_forgotten_after_a_day_and_ours_are_not(world: World) -> None:
    ours, theirs = await given_sent_sms(world), uuid4()
    await receive(world, receipt(ours, DELIVERED), receipt(theirs, DELIVERED))
    world.clock.advance(24 * 3600)
    await match_receipts(world.ctx)
    assert len(await kept(world)) == 2

    world.clock.advance(1)
    with capture_logs() as logged:
        await match_receipts(world.ctx)

    assert await kept(world) == [(ours, "delivered", True)]
    assert [entry["receipts"] for entry in logged if entry["event"] == "receipts.forgotten"] == [1]


async def test_another_senders_receipts_do_not_pile_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "UNMATCHED_LIMIT", 3)
    for _ in range(5):
        await receive(world, receipt(uuid4(), DELIVERED))
        world.clock.advance(1)

    await match_receipts(world.ctx)

    assert [row["received_at"] for row in await world.rows("SELECT received_at FROM notification.receipts")] == [
        T0 + timedelta(seconds=second) for second in (2, 3, 4)
    ]


async def test_a_batch_larger_than_a_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "AT_ONCE", 2)
    message_id = await given_sent_sms(world)

    await receive(world, *(receipt(uuid4(), DELIVERED) for _ in range(4)), receipt(message_id, DELIVERED))

    assert (await world.statuses())[0] == "delivered"
    assert len(await kept(world)) == 5


async def test_several_notifiers_at_once_end_the_same_whatever_comes_in_which_order(
    world: World, new_context: Callable[[], Context], infobip: FakeInfobip
) -> None:
    """I11: the end is the strongest of all receipts of a message."""
    user_id = await world.user()
    for _ in range(30):
        await world.page_request(await world.incident(), user_id)
    while await take_up(world.ctx):
        pass
    await world.send()
    chance = random.Random(20260521)
    choices = (DELIVERED, UNDELIVERABLE, EXPIRED, PENDING, AT_OPERATOR)
    said = {
        UUID(call.message_id): chance.sample(choices, chance.randint(1, len(choices)))
        for call in infobip.taken
        if call.path == "/sms/3/messages"
    }
    everything = [receipt(number, word) for number, words in said.items() for word in words] * 2
    chance.shuffle(everything)
    batches = [everything[start : start + 7] for start in range(0, len(everything), 7)]
    notifiers = [new_context() for _ in range(3)]

    await asyncio.gather(*(receive(world, *batch, ctx=notifiers[place % 3]) for place, batch in enumerate(batches)))

    rows = await world.rows("SELECT provider_message_id, status FROM notification.notifications WHERE channel = 'sms'")
    assert {row["provider_message_id"]: row["status"] for row in rows} == {
        number: "delivered" if DELIVERED in words else "failed" if {UNDELIVERABLE, EXPIRED} & set(words) else "sent"
        for number, words in said.items()
    }


async def test_a_failed_receipt_after_a_refusal_of_another_way_leaves_nobody_asleep(
    world: World, infobip: FakeInfobip
) -> None:
    """SMS sent, call refused, and only then does the SMS turn out not to have arrived."""
    await world.given_page()
    await world.send()
    infobip.script.append(http(400))
    world.clock.advance(120)
    await world.send()
    sms, voice = await world.notifications()
    assert (sms["status"], voice["status"]) == ("sent", "failed")

    await receive(world, receipt(sms["provider_message_id"], UNDELIVERABLE))
    await world.send()

    assert [(row["channel"], row["status"]) for row in await world.notifications()][2] == ("email", "sent")
