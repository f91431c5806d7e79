"""What does one person get when there is more to tell than anybody can read?"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pagerpal_common.contracts.notifications import RetryNotifications
from pagerpal_common.contracts.receipts import DeliveryReceipt, ReceiptsReceived
from pagerpal_common.vocabulary import Channel
from pagerpal_notifier.claiming import claim_due
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.delivery import DEADLINE
from pagerpal_notifier.handlers import on_receipts_received, retry_notifications
from pagerpal_notifier.loops import send, take_up

from services.notifier.tests.integration.fake_infobip import CUT, TAKEN_THEN_CUT, FakeInfobip, refused
from services.notifier.tests.integration.fake_smtp import FakeSmtp
from services.notifier.tests.integration.ways import given_rule
from services.notifier.tests.integration.world import T0, World

FLOODED = refused(20, "REJECTED_FLOODING_FILTER")
PAST_DEADLINE = DEADLINE.total_seconds() + 1


async def a_person_by_sms(world: World, **user: Any) -> int:
    user_id = await world.user(**user)
    await given_rule(world, user_id, channel="sms")
    return user_id


async def given_incidents(world: World, user_id: int, count: int, *, severity: str = "critical") -> list[int]:
    """So many new incidents that this person is to be told of, taken up."""
    ids = [await world.incident(title=f"db{place} is down") for place in range(count)]
    await world.rows(
        "UPDATE incidents.incidents SET severity = :severity WHERE id = ANY(:ids)", severity=severity, ids=ids
    )
    for incident_id in ids:
        await world.page_request(incident_id, user_id)
    while await take_up(world.ctx):
        pass
    return ids


async def test_of_a_storm_nine_pages_go_alone_and_one_message_tells_of_the_rest(
    world: World, infobip: FakeInfobip
) -> None:
    ids = await given_incidents(world, await a_person_by_sms(world), 40)

    await world.send()

    assert len(infobip.taken) == 10
    digest = infobip.taken[-1]
    assert digest.text.startswith(f"CRITICAL: 31 incidents\n#{ids[9]} db9 is down\n#{ids[10]} db10 is down\n")
    rows = await world.notifications()
    assert [row["status"] for row in rows] == ["sent"] * 40
    assert [row["merged_with"] for row in rows] == [0] * 9 + [30] * 31
    assert {str(row["provider_message_id"]) for row in rows[9:]} == {digest.message_id}
    attempts = await world.attempts()
    assert len(attempts) == 10
    assert await world.settled() == [row["id"] for row in rows]


async def test_what_comes_after_waits_visibly_for_its_digest_and_is_in_it(world: World, infobip: FakeInfobip) -> None:
    user_id = await a_person_by_sms(world)
    await given_incidents(world, user_id, 10)
    await world.send()
    world.clock.advance(60)
    await given_incidents(world, user_id, 2, severity="warning")
    (worst,) = await given_incidents(world, user_id, 1)

    await world.send()

    assert len(infobip.taken) == 10
    waiting = (await world.notifications())[10:]
    assert {(row["status"], row["due_at"], row["attempts"]) for row in waiting} == {
        ("queued", T0 + timedelta(minutes=3), 0)
    }
    assert {row["error"] for row in waiting} == {
        "the page budget is used up: waits for the next digest at 03:03:01 UTC"
    }
    world.clock.advance(120)
    await world.send()
    assert len(infobip.taken) == 11
    assert infobip.taken[-1].text.startswith(f"CRITICAL: 3 incidents\n#{worst} ")
    assert await world.statuses() == ["sent"] * 13
    assert {row["error"] for row in await world.notifications()} == {None}


async def test_no_hour_holds_more_messages_than_the_flooding_filter_lets_through(
    world: World, infobip: FakeInfobip
) -> None:
    user_id = await a_person_by_sms(world)
    times = []
    for _ in range(90):
        await given_incidents(world, user_id, 1)
        before = len(infobip.taken)
        await world.send()
        times += [world.clock()] * (len(infobip.taken) - before)
        world.clock.advance(60)
    world.clock.advance(600)
    await world.send()

    assert await world.statuses() == ["sent"] * 90
    assert max(sum(end - timedelta(hours=1) < at <= end for at in times) for end in times) < 20


async def test_another_person_is_paged_as_if_there_were_no_storm(world: World, infobip: FakeInfobip) -> None:
    await given_incidents(world, await a_person_by_sms(world), 60)
    bo = await a_person_by_sms(world, phone="+436647654321", email="bo@example.com")
    (incident_id,) = await given_incidents(world, bo, 1, severity="warning")

    await world.send()

    (page,) = [call for call in infobip.taken if call.to == "436647654321"]
    assert page.text.startswith(f"WARNING #{incident_id} L1")


async def test_several_notifiers_at_once_keep_to_one_budget_and_send_one_digest(
    world: World, infobip: FakeInfobip, new_context: Callable[[], Context]
) -> None:
    people = [await a_person_by_sms(world, phone=f"+43664100000{n}", email=f"u{n}@example.com") for n in range(4)]
    for user_id in people:
        await given_incidents(world, user_id, 30)
    notifiers = [new_context() for _ in range(4)]

    async def work(ctx: Context) -> None:
        for _ in range(20):
            await send(ctx)
            await asyncio.sleep(0)
        await ctx.in_flight.finish()

    await asyncio.gather(*map(work, notifiers))
    await world.send()

    assert await world.statuses() == ["sent"] * 120
    assert Counter(call.to for call in infobip.taken) == {f"43664100000{n}": 10 for n in range(4)}
    assert sum(call.text.startswith("CRITICAL: 21 incidents") for call in infobip.taken) == 4


async def test_a_person_who_is_decided_for_elsewhere_is_passed_over_until_that_is_to_be_seen(
    world: World, infobip: FakeInfobip, new_context: Callable[[], Context]
) -> None:
    user_id = await a_person_by_sms(world)
    await given_incidents(world, user_id, 10)
    other = new_context()
    async with world.ctx.db.begin() as tx:
        due = await claim_due(tx, room=50, now=T0, deadline=T0 + DEADLINE, providers=dict.fromkeys(Channel, "infobip"))
        await given_incidents(world, user_id, 5)
        assert await send(other) == 0

    await send(other)
    await other.in_flight.finish()

    assert len(due.claims) == 10
    assert infobip.calls == []
    assert await world.statuses() == ["sending"] * 10 + ["queued"] * 5


async def test_what_comes_later_does_not_overtake_what_waits(world: World, infobip: FakeInfobip) -> None:
    user_id = await a_person_by_sms(world)
    await given_incidents(world, user_id, 8)
    await world.send()
    world.clock.advance(3480)
    await given_incidents(world, user_id, 2)
    await world.send()
    world.clock.advance(60)
    (waits,) = await given_incidents(world, user_id, 1)
    await world.send()
    assert len(infobip.taken) == 10
    world.clock.advance(65)
    (later,) = await given_incidents(world, user_id, 1)

    await world.send()

    assert [call.text.split(" L1")[0] for call in infobip.taken[10:]] == [f"CRITICAL #{waits}", f"CRITICAL #{later}"]


async def crashed_with_a_digest(world: World) -> tuple[list[int], str]:
    """A notifier dies between its commit and the call: the incidents, and the id of their message."""
    ids = await given_incidents(world, await a_person_by_sms(world), 12)
    await world.rows("UPDATE incidents.page_requests SET traceparent = 'trace ' || id")
    async with world.ctx.db.begin() as tx:
        due = await claim_due(tx, room=50, now=T0, deadline=T0 + DEADLINE, providers=dict.fromkeys(Channel, "infobip"))
    (digest,) = [claim for claim in due.claims if claim.others]
    pages = [digest.page_request_id, *(other.page_request_id for other in digest.others)]
    assert digest.traces == tuple(f"trace {number}" for number in pages)
    return ids, str(digest.attempt_id)


async def test_a_digest_whose_sender_died_goes_again_with_the_same_id_and_tells_of_the_same(
    world: World, infobip: FakeInfobip, new_context: Callable[[], Context]
) -> None:
    ids, message_id = await crashed_with_a_digest(world)
    world.ctx = new_context()
    await given_incidents(world, (await world.notifications())[0]["user_id"], 5)
    world.clock.advance(PAST_DEADLINE)

    await world.send()

    (digest,) = [call for call in infobip.taken if call.message_id == message_id]
    assert digest.text.startswith(f"CRITICAL: 3 incidents\n#{ids[9]} ")
    rows = await world.notifications()
    assert [str(row["provider_message_id"]) == message_id for row in rows] == [False] * 9 + [True] * 3 + [False] * 5
    assert [row["status"] for row in rows] == ["sent"] * 12 + ["queued"] * 5


async def test_what_is_answered_before_its_digest_goes_again_is_cancelled_and_not_in_it(
    world: World, infobip: FakeInfobip, new_context: Callable[[], Context]
) -> None:
    ids, message_id = await crashed_with_a_digest(world)
    await world.quieten(ids[9])
    world.ctx = new_context()
    world.clock.advance(PAST_DEADLINE)

    await world.send()

    (digest,) = [call for call in infobip.taken if call.message_id == message_id]
    assert digest.text.startswith(f"CRITICAL: 2 incidents\n#{ids[10]} ")
    answered, *others = (await world.notifications())[9:]
    assert (answered["status"], [row["status"] for row in others]) == ("cancelled", ["sent", "sent"])
    assert answered["error"] == "no longer wanted; whether an earlier try went is not known"


@pytest.mark.usefixtures("patient_circuits")
async def test_a_digest_in_doubt_is_repeated_with_its_id_and_goes_out_once(world: World, infobip: FakeInfobip) -> None:
    await given_incidents(world, await a_person_by_sms(world), 11)
    infobip.script.extend([TAKEN_THEN_CUT] * 10)

    await world.send()
    assert await world.statuses() == ["sending"] * 11
    world.clock.advance(5)
    await world.send()

    assert await world.statuses() == ["sent"] * 11
    assert len(infobip.taken) == 10
    assert len({call.message_id for call in infobip.calls}) == 10


async def test_a_refused_digest_moves_each_of_its_pages_on_to_the_next_way_with_the_reason(
    world: World, infobip: FakeInfobip
) -> None:
    user_id = await world.user()
    await given_rule(world, user_id, channel="sms")
    await given_rule(world, user_id, channel="voice", seconds=300)
    await given_incidents(world, user_id, 10)
    await world.send()
    world.clock.advance(240)
    await given_incidents(world, user_id, 3)
    infobip.script.append(FLOODED)

    await world.send()

    rows = (await world.notifications())[20:]
    sms, voice = [[row for row in rows if row["channel"] == channel] for channel in ("sms", "voice")]
    assert {(row["status"], row["error"]) for row in sms} == {("failed", "Infobip: REJECTED_FLOODING_FILTER No")}
    assert {row["status"] for row in voice} == {"sent"}
    assert len(sms) == len(voice) == 3


async def test_a_receipt_settles_all_that_its_message_told_of(world: World, infobip: FakeInfobip) -> None:
    await given_incidents(world, await a_person_by_sms(world), 12)
    await world.send()
    message_id = UUID(infobip.taken[-1].message_id)
    (receipt,) = [DeliveryReceipt(message_id=message_id, group="DELIVERED", name="DELIVERED_TO_HANDSET")]

    await on_receipts_received(world.ctx, [ReceiptsReceived(occurred_at=world.clock(), receipts=(receipt,))])

    assert await world.statuses() == ["sent"] * 9 + ["delivered"] * 3


async def test_a_backlog_after_an_outage_leaves_as_one_message_that_says_how_late_it_is(
    world: World, infobip: FakeInfobip
) -> None:
    ids = await given_incidents(world, await a_person_by_sms(world), 4)
    world.clock.advance(12 * 60)
    await world.quieten(ids[0], "resolved")

    await world.send()

    (digest,) = infobip.taken
    assert digest.text.startswith(f"CRITICAL: 3 incidents, delayed 12 min\n#{ids[1]} ")
    assert await world.statuses() == ["cancelled", "sent", "sent", "sent"]


async def test_a_request_that_is_taken_up_late_says_how_late_it_is(world: World, infobip: FakeInfobip) -> None:
    incident_id = await world.incident()
    await world.page_request(incident_id, await a_person_by_sms(world))
    world.clock.advance(7 * 60)
    await take_up(world.ctx)

    await world.send()

    assert infobip.taken[0].text.startswith(f"CRITICAL #{incident_id} L1, delayed 7 min: ")


async def test_an_answer_while_it_waits_takes_a_page_out_of_the_digest(world: World, infobip: FakeInfobip) -> None:
    user_id = await a_person_by_sms(world)
    await given_incidents(world, user_id, 10)
    await world.send()
    first, second, third = await given_incidents(world, user_id, 3)
    await world.send()
    await world.quieten(second)
    world.clock.advance(180)

    await world.send()

    assert infobip.taken[-1].text.split("\n")[:3] == [
        "CRITICAL: 2 incidents",
        f"#{first} db0 is down",
        f"#{third} db2 is down",
    ]
    assert (await world.statuses())[10:] == ["sent", "cancelled", "sent"]


async def test_pages_of_one_incident_that_are_merged_are_a_page_of_it(world: World, infobip: FakeInfobip) -> None:
    user_id = await a_person_by_sms(world)
    (incident_id,) = await given_incidents(world, user_id, 1)
    await world.page_request(incident_id, user_id, level=2)
    await take_up(world.ctx)
    world.clock.advance(6 * 60)

    await world.send()

    (page,) = infobip.taken
    assert page.text.startswith(f"CRITICAL #{incident_id} L1, delayed 6 min: db0 is down")
    assert f"\nReply ack {incident_id}" in page.text


async def test_a_mail_and_a_call_tell_of_many_in_their_own_words(
    world: World, infobip: FakeInfobip, smtp: FakeSmtp
) -> None:
    user_id = await world.user()
    for channel in ("voice", "email"):
        await given_rule(world, user_id, channel=channel)
    await given_incidents(world, user_id, 35)

    await world.send()

    assert len(infobip.taken) == 4
    assert "32 incidents, the worst critical." in infobip.taken[-1].text
    subjects = [mail["Subject"] for mail in smtp.mails]
    assert len(subjects) == 30
    assert "[CRITICAL] 6 incidents" in subjects


async def test_a_key_that_nobody_asked_for_answers_nothing(world: World, infobip: FakeInfobip) -> None:
    user_id = await world.user()
    await given_rule(world, user_id, channel="voice")
    ids = await given_incidents(world, user_id, 6)
    await world.send()
    one, *_, digest = infobip.taken

    for call in (digest, one):
        receipt = DeliveryReceipt(message_id=UUID(call.message_id), group="DELIVERED", name="", digits="1")
        await on_receipts_received(world.ctx, [ReceiptsReceived(occurred_at=world.clock(), receipts=(receipt,))])

    said = await world.rows("SELECT body FROM notification.outbox WHERE topic LIKE '%acknowledge%'")
    assert [message["body"]["incident_id"] for message in said] == [ids[0]]


async def test_a_refused_page_of_a_digest_can_be_tried_again_alone(world: World, infobip: FakeInfobip) -> None:
    ids = await given_incidents(world, await a_person_by_sms(world), 12)
    infobip.script.extend([FLOODED] * 10)
    await world.send()
    before = {row["incident_id"]: row for row in await world.notifications() if row["channel"] == "sms"}

    command = RetryNotifications(incident_id=ids[11], actor_user_id=1, acting_as_user_id=1, occurred_at=world.clock())
    await retry_notifications(world.ctx, command)
    await world.send()

    after = {row["incident_id"]: row for row in await world.notifications() if row["channel"] == "sms"}
    assert (before[ids[11]]["status"], after[ids[11]]["status"]) == ("failed", "sent")
    assert after[ids[11]]["provider_message_id"] != before[ids[11]]["provider_message_id"]
    assert after[ids[10]]["status"] == "failed"
    assert infobip.taken[-1].text.startswith(f"CRITICAL #{ids[11]} ")


async def test_ten_thousand_incidents_of_one_person_are_few_messages(world: World, infobip: FakeInfobip) -> None:
    user_id = await a_person_by_sms(world)
    await given_incidents(world, user_id, 1)
    await world.rows(MULTIPLY, number=10_000)

    for _ in range(4):
        for _ in range(8):
            await world.send()
        world.clock.advance(180)
    for _ in range(3):
        world.clock.advance(600)
        for _ in range(8):
            await world.send()

    assert Counter(await world.statuses()) == {"sent": 10_001}
    assert len(infobip.taken) <= 19


@pytest.mark.usefixtures("patient_circuits")
async def test_a_page_that_was_merged_is_tried_again_with_an_id_of_its_own(world: World, infobip: FakeInfobip) -> None:
    """Under the id of the digest, which never went, only the first to be tried again would be told."""
    ids = await given_incidents(world, await a_person_by_sms(world), 12)
    infobip.script.extend([CUT] * 200)
    for _ in range(12):
        await world.send()
        world.clock.advance(75)
    infobip.script.clear()
    infobip.script.append(TAKEN_THEN_CUT)
    assert (await world.statuses())[:12] == ["exhausted"] * 12

    for incident_id in ids[10:]:
        command = RetryNotifications(
            incident_id=incident_id, actor_user_id=1, acting_as_user_id=1, occurred_at=world.clock()
        )
        await retry_notifications(world.ctx, command)
        await world.send()
        world.clock.advance(180)

    told = [call.text for call in infobip.taken if call.path.startswith("/sms")]
    assert [text.split(" L1")[0] for text in told] == [f"CRITICAL #{ids[10]}", f"CRITICAL #{ids[11]}"]


MULTIPLY = """
WITH incident AS (
    INSERT INTO incidents.incidents (title, description, severity, source_id, team_id, status, current_escalation_level,
        level_entered_at, escalation_id, escalation_pass, escalation_reminder, notification_count, created_at,
        alert_count, last_alert_at, links, labels, is_unreached)
    SELECT title || n, description, severity, source_id, team_id, status, current_escalation_level, level_entered_at,
        nextval('incidents.escalation_ids'), escalation_pass, escalation_reminder, notification_count, created_at,
        alert_count, last_alert_at, links, labels, is_unreached
    FROM incidents.incidents, generate_series(1, :number) n RETURNING id, escalation_id
), request AS (
    INSERT INTO incidents.page_requests (incident_id, escalation_id, pass_number, level, reminder, user_id, reason,
        requested_at, is_open)
    SELECT i.id, i.escalation_id, 1, 1, 0, r.user_id, r.reason, r.requested_at, true
    FROM incident i CROSS JOIN incidents.page_requests r RETURNING *
)
INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step,
    pass_number, level, reason, status, attempts, due_at, wanted_at, created_at)
SELECT r.id, r.incident_id, r.escalation_id, r.user_id, 'sms', 1, 1, 1, r.reason, 'queued', 0, r.requested_at,
    r.requested_at, r.requested_at
FROM request r
"""
