"""A provider in trouble is left alone by all notifiers, its pages wait, and its people are reached another way."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from pagerpal_common.contracts.incidents import IncidentAcknowledged
from pagerpal_common.vocabulary import Channel
from pagerpal_notifier.channels import Provider
from pagerpal_notifier.channels import smtp as mail
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.circuit import LOOK_AGAIN, PAUSES, THRESHOLD
from pagerpal_notifier.domain.delivery import DEADLINE, TRIES
from pagerpal_notifier.handlers import on_page_unwanted
from pagerpal_notifier.loops import send, settle_held, take_up
from pagerpal_notifier.storage.circuits import release
from sqlalchemy import text
from structlog.testing import capture_logs

from services.notifier.tests.integration.conftest import settings_for
from services.notifier.tests.integration.fake_infobip import CUT, FakeInfobip, http
from services.notifier.tests.integration.fake_smtp import FakeSmtp
from services.notifier.tests.integration.test_sending import free_port
from services.notifier.tests.integration.ways import Hook, given_method, given_rule
from services.notifier.tests.integration.world import PHONE, T0, World

LOCK = "SELECT FROM notification.notifications WHERE id = :id FOR UPDATE"

FIRST_PROBE = PAUSES[0].total_seconds() * 1.2


async def given_pages(world: World, number: int) -> list[int]:
    """As many people with a phone and a mail address, each with an incident of their own; the incidents' ids."""
    incidents = []
    (before,) = await world.rows("SELECT count(*) AS number FROM directory.users")
    for place in range(before["number"], before["number"] + number):
        incidents.append(await world.incident())
        await world.page_request(
            incidents[-1], await world.user(phone=f"+4366412345{place:02}", email=f"p{place}@example.com")
        )
    await take_up(world.ctx)
    return incidents


async def given_trouble(world: World, infobip: FakeInfobip, number: int = THRESHOLD) -> list[int]:
    """Infobip is away, and a try for each of these people has found that out."""
    infobip.script.extend([CUT] * 10_000)
    incidents = await given_pages(world, number)
    await world.send()
    assert [row["state"] for row in await circuits(world)] == ["open"]
    return incidents


async def circuits(world: World) -> list[dict[str, object]]:
    return await world.rows("SELECT * FROM notification.circuits ORDER BY name")


async def sms_rows(world: World) -> list[dict[str, object]]:
    return [row for row in await world.notifications() if row["channel"] == "sms"]


async def test_an_hour_without_the_provider_costs_one_probe_at_a_time_and_no_page(
    world: World, infobip: FakeInfobip
) -> None:
    first, *others = await given_trouble(world, infobip, number=8)
    asked = len(infobip.calls)

    for _ in range(360):
        before = len(infobip.calls)
        world.clock.advance(10)
        await world.send()
        assert len(infobip.calls) - before <= 1
    probes = len(infobip.calls) - asked
    await world.quieten(first)
    infobip.script.clear()
    world.clock.advance(40)
    await world.send()

    assert 60 < probes <= 3600 / 30 + 5
    assert infobip.taken
    assert len(infobip.taken) == len({(call.to, call.path) for call in infobip.taken}) == 2 * len(others)
    rows = await world.notifications()
    assert {row["status"] for row in rows if row["incident_id"] == first and row["channel"] != "email"} == {"cancelled"}
    assert {row["status"] for row in rows if row["incident_id"] != first} == {"sent"}
    assert {row["error"] for row in rows if row["incident_id"] != first} == {None}
    assert [(row["state"], row["failures"]) for row in await circuits(world)] == [("closed", 0)]


async def test_what_has_come_just_now_does_not_go_along_with_the_probe(world: World, infobip: FakeInfobip) -> None:
    await given_trouble(world, infobip)
    asked = len(infobip.calls)
    world.clock.advance(FIRST_PROBE)
    await given_pages(world, 3)

    await world.send()

    assert len(infobip.calls) - asked == 1


async def test_a_wrong_key_costs_no_page_and_one_refusal_is_enough_to_know(
    world: World, infobip: FakeInfobip, smtp: FakeSmtp
) -> None:
    infobip.script.extend([http(401)] * 10_000)
    (incident,) = await given_pages(world, 1)

    await world.send()
    await world.send()

    assert [row["state"] for row in await circuits(world)] == ["open"]
    assert len(infobip.calls) == 1
    assert len(smtp.mails) == 1, "who waits for it has their mail at once"
    infobip.script.clear()  # somebody has mended the key
    world.clock.advance(FIRST_PROBE)
    await world.send()
    assert [row["status"] for row in await sms_rows(world)] == ["sent"]
    assert [row["incident_id"] for row in await sms_rows(world)] == [incident]


async def test_an_outage_spends_no_tries(world: World, infobip: FakeInfobip) -> None:
    await given_trouble(world, infobip)

    for _ in range(2 * TRIES * THRESHOLD):
        world.clock.advance(37)
        await world.send()

    rows = await sms_rows(world)
    assert {row["status"] for row in rows} == {"sending"}, "a connection that is cut may have taken it"
    assert max(int(str(row["attempts"])) for row in rows) > TRIES
    assert {row["error"] for row in rows} == {"held back: infobip is in trouble; it goes out once that answers again"}
    assert {row["held_by"] for row in rows} == {"infobip"}


async def test_what_is_due_while_it_is_open_is_not_tried_and_says_why(world: World, infobip: FakeInfobip) -> None:
    await given_trouble(world, infobip)
    asked = len(infobip.calls)

    await world.given_page(phone="+4369912345678", email="bo@example.com")
    await world.send()

    assert len(infobip.calls) == asked
    row = (await sms_rows(world))[-1]
    assert (row["status"], row["attempts"], row["provider_message_id"]) == ("queued", 0, None)
    assert row["error"] == "held back: infobip is in trouble; it goes out once that answers again"


async def test_whoever_waits_for_it_has_their_mail_at_once(world: World, infobip: FakeInfobip, smtp: FakeSmtp) -> None:
    await given_trouble(world, infobip)

    await world.given_page(phone="+4369912345678", email="bo@example.com")
    await world.send()

    assert len(smtp.mails) == THRESHOLD + 1
    mails = [row for row in await world.notifications() if row["channel"] == "email"]
    assert {row["status"] for row in mails} == {"sent"}
    assert {row["reason"][-1] for row in mails} == {
        "last resort: mail, as the provider of every other way is in trouble"
    }
    world.clock.advance(600)  # the calls are due, and wait too
    await world.send()
    assert len(smtp.mails) == THRESHOLD + 1


async def test_whoever_has_a_step_by_another_provider_has_that_one_at_once(
    world: World, infobip: FakeInfobip, smtp: FakeSmtp
) -> None:
    hook = Hook()
    hook.serve(world)
    await given_trouble(world, infobip)
    mails = len(smtp.mails)
    user_id = await world.user(phone="+4369912345678", email="bo@example.com")
    await given_rule(world, user_id, channel="sms")
    await given_rule(world, user_id, channel="voice", seconds=300)
    await given_rule(world, user_id, method_id=await given_method(world, user_id), seconds=600)
    await world.page_request(await world.incident(), user_id)
    await take_up(world.ctx)

    await world.send()

    assert len(hook.claims) == 1
    assert len(smtp.mails) == mails, "a way of their own has gone"


async def test_a_probe_in_vain_hastens_no_further_step(world: World, infobip: FakeInfobip, smtp: FakeSmtp) -> None:
    hook = Hook()
    hook.serve(world)
    user_id = await world.user(phone="+4369912345678", email="bo@example.com")
    await given_rule(world, user_id, channel="sms")
    await given_rule(world, user_id, method_id=await given_method(world, user_id), seconds=1_800)
    await given_rule(world, user_id, channel="email", seconds=3_600)
    await world.page_request(await world.incident(), user_id)
    await given_trouble(world, infobip)
    asked = len(infobip.calls)
    mails = len(smtp.mails)

    for _ in range(4 * THRESHOLD):
        world.clock.advance(37)
        await world.send()

    assert len(infobip.calls) - asked == 4 * THRESHOLD, "each in its turn was a probe"
    assert len(hook.claims) == 1
    assert len(smtp.mails) == mails
    (mail,) = [row for row in await world.notifications() if row["user_id"] == user_id and row["channel"] == "email"]
    assert (mail["status"], mail["due_at"]) == ("queued", T0 + timedelta(hours=1))


async def test_a_step_that_fails_beside_what_is_held_back_makes_the_next_one_due(
    world: World, infobip: FakeInfobip, smtp: FakeSmtp
) -> None:
    hook = Hook()
    hook.serve(world)
    hook.verdict = hook.verdict.REFUSED
    user_id = await world.user(phone="+4369912345678", email="bo@example.com")
    await given_rule(world, user_id, channel="sms")
    await given_rule(world, user_id, method_id=await given_method(world, user_id), seconds=1_800)
    await given_rule(world, user_id, channel="email", seconds=3_600)
    await world.page_request(await world.incident(), user_id)
    await given_trouble(world, infobip)

    assert len(hook.claims) == 1
    assert "bo@example.com" in {mail["To"] for mail in smtp.mails}


async def test_a_way_that_fails_is_not_made_up_for_by_what_is_held_back(
    world: World, infobip: FakeInfobip, smtp: FakeSmtp
) -> None:
    hook = Hook()
    hook.serve(world)
    hook.verdict = hook.verdict.REFUSED
    await given_trouble(world, infobip)
    mails = len(smtp.mails)
    user_id = await world.user(phone="+4369912345678", email="bo@example.com")
    await given_rule(world, user_id, channel="sms")
    await given_rule(world, user_id, method_id=await given_method(world, user_id), seconds=600)
    await world.page_request(await world.incident(), user_id)
    await take_up(world.ctx)

    await world.send()

    assert len(hook.claims) == 1
    assert len(smtp.mails) == mails + 1


async def test_the_circuit_is_one_for_all_notifiers(
    world: World, new_context: Callable[[], Context], infobip: FakeInfobip
) -> None:
    await given_trouble(world, infobip)
    asked = len(infobip.calls)
    other = World(new_context(), world.clock, world.owner)

    await given_pages(other, 3)
    await other.send()
    assert len(infobip.calls) == asked

    world.clock.advance(FIRST_PROBE)
    await asyncio.gather(*(send(one) for one in (world.ctx, other.ctx, new_context(), new_context())))
    await world.ctx.in_flight.finish()
    await other.ctx.in_flight.finish()
    await asyncio.sleep(0)

    assert len(infobip.calls) <= asked + 1


async def test_what_is_let_go_is_held_in_the_order_of_its_ids(
    world: World, new_context: Callable[[], Context], infobip: FakeInfobip
) -> None:
    """Whoever saves several holds them in that order, too: two that do this wait for each other, and never deadlock."""
    await given_trouble(world, infobip)
    first, *_, last = [row["id"] for row in await sms_rows(world)]
    await world.rows("CREATE INDEX backwards ON notification.notifications (id DESC)")
    await world.rows("CLUSTER notification.notifications USING backwards")
    other = new_context()

    async with other.db.begin() as tx, world.ctx.db.begin() as saver:
        await saver.execute(text(LOCK), {"id": first})
        releasing = asyncio.create_task(release(tx, "infobip", now=world.clock()))
        async with asyncio.timeout(10):
            while not await world.rows("SELECT 1 AS one FROM pg_locks WHERE NOT granted"):
                pass  # each look is a round trip
        await saver.execute(text(f"{LOCK} NOWAIT"), {"id": last})
        await saver.rollback()

        assert await releasing == THRESHOLD


async def test_a_prober_that_dies_leaves_the_next_probe_to_another(
    world: World, new_context: Callable[[], Context], infobip: FakeInfobip
) -> None:
    await given_trouble(world, infobip)
    world.clock.advance(FIRST_PROBE)
    await send(world.ctx)
    await world.crash()
    assert [row["state"] for row in await circuits(world)] == ["probing"]
    infobip.script.clear()
    other = World(new_context(), world.clock, world.owner)

    world.clock.advance(DEADLINE.total_seconds() - 1)
    await other.send()
    assert [row["state"] for row in await circuits(world)] == ["probing"]
    world.clock.advance(1)
    await other.send()

    assert [row["state"] for row in await circuits(world)] == ["closed"]
    assert {row["status"] for row in await sms_rows(world)} == {"sent"}


async def test_what_is_out_as_the_probe_does_not_wait_for_the_circuit_any_more(
    world: World, infobip: FakeInfobip
) -> None:
    """Or it would be let go while it is under way, and go twice. Here the row that is claimed is not the one picked."""
    await given_trouble(world, infobip)
    world.clock.advance(LOOK_AGAIN.total_seconds() * 2)
    await world.rows(
        "UPDATE notification.notifications SET due_at = due_at - id * interval '1 s', attempts = attempts + id,"
        " attempts_before = attempts_before + id WHERE held_by IS NOT NULL"
    )

    assert await send(world.ctx) == 1

    (probe,) = [row for row in await sms_rows(world) if row["due_at"] == world.clock() + DEADLINE]
    assert (probe["status"], probe["held_by"]) == ("sending", None)
    await world.ctx.in_flight.finish()


async def test_a_probe_that_nobody_wants_any_more_is_none(world: World, infobip: FakeInfobip) -> None:
    incidents = await given_trouble(world, infobip)
    for incident_id in incidents:
        await world.quieten(incident_id)
    asked = len(infobip.calls)
    (before,) = await circuits(world)

    world.clock.advance(FIRST_PROBE)
    await world.send()

    assert len(infobip.calls) == asked
    assert await circuits(world) == [before]
    assert {row["status"] for row in await sms_rows(world)} == {"cancelled"}


async def test_what_waits_is_cancelled_when_somebody_answers(world: World, infobip: FakeInfobip) -> None:
    await given_trouble(world, infobip)
    incident_id = await world.given_page(phone="+4369912345678", email="bo@example.com")
    await world.send()
    await world.quieten(incident_id)

    told = IncidentAcknowledged.model_construct(incident_id=incident_id)
    await on_page_unwanted(world.ctx, [told])

    sms = (await sms_rows(world))[-1]
    assert (sms["status"], sms["held_by"], sms["error"]) == ("cancelled", None, "no longer wanted")


async def test_what_waits_in_doubt_is_cancelled_when_somebody_answers(world: World, infobip: FakeInfobip) -> None:
    """A connection that was cut may have taken it: it is settled all the same, and says so."""
    incident_id, *_ = await given_trouble(world, infobip)
    await world.quieten(incident_id)

    await on_page_unwanted(world.ctx, [IncidentAcknowledged.model_construct(incident_id=incident_id)])

    (sms,) = [row for row in await sms_rows(world) if row["incident_id"] == incident_id]
    assert (sms["status"], sms["due_at"], sms["held_by"], sms["settled_at"]) == (
        "cancelled",
        None,
        None,
        world.clock(),
    )
    assert sms["error"] == "no longer wanted; whether an earlier try went is not known"


async def test_what_waits_is_settled_when_nobody_tells_of_the_answer(world: World, infobip: FakeInfobip) -> None:
    incident_id, *others = await given_trouble(world, infobip)
    queued = await world.given_page(phone="+4369912345678", email="bo@example.com")
    await world.send()
    await world.quieten(incident_id)
    await world.quieten(queued)
    asked = len(infobip.calls)

    assert await settle_held(world.ctx) == 2

    settled = {row["incident_id"]: row for row in await sms_rows(world) if row["status"] == "cancelled"}
    assert {number: row["error"] for number, row in settled.items()} == {
        incident_id: "no longer wanted; whether an earlier try went is not known",
        queued: "no longer wanted",
    }
    assert {row["due_at"] for row in settled.values()} == {row["held_by"] for row in settled.values()} == {None}
    assert {row["held_by"] for row in await sms_rows(world) if row["incident_id"] in others} == {"infobip"}
    assert len(infobip.calls) == asked
    assert await settle_held(world.ctx) == 0


async def test_what_waits_is_not_written_again_until_the_provider_answers(world: World, infobip: FakeInfobip) -> None:
    """However many they are: a storm during an outage is put off once."""
    await given_trouble(world, infobip)
    await given_pages(world, 10)
    world.clock.advance(601)  # the calls are due, and wait too
    await world.send()
    query = "SELECT id, xmin::text FROM notification.notifications WHERE held_by IS NOT NULL"
    before = await world.rows(query)

    for _ in range(3):
        world.clock.advance(601)
        await world.send()
        await settle_held(world.ctx)
    after = await world.rows(query)

    assert len(before) == len(after) == 2 * (THRESHOLD + 10)
    assert len([row for row in after if row not in before]) == 3, "one probe each time"


async def test_what_has_waited_goes_out_in_its_order_and_says_how_late_it_is(
    world: World, infobip: FakeInfobip
) -> None:
    await given_trouble(world, infobip)
    asked = len(infobip.calls)
    waiting = [
        await world.given_page(phone=f"+43699123456{place:02}", email=f"late{place}@example.com")
        for place in range(THRESHOLD)
    ]
    await world.send()
    infobip.script.clear()

    world.clock.advance(720)
    await world.send()

    late = [call for call in infobip.calls[asked:] if call.to.startswith("43699") and call.path.startswith("/sms")]
    assert [call.text.split()[1] for call in late] == [f"#{number}" for number in waiting]
    assert all("delayed 12 min" in call.text for call in late)


async def test_what_waits_for_a_provider_that_serves_nobody_any_more_is_due_at_once(
    world: World, infobip: FakeInfobip
) -> None:
    await given_trouble(world, infobip)
    hook = Hook()
    serves = Provider("another", hook.send)
    world.ctx = replace(world.ctx, providers={**world.ctx.providers, Channel.SMS: serves, Channel.VOICE: serves})

    assert await settle_held(world.ctx) == THRESHOLD
    await world.send()

    assert len(hook.claims) == THRESHOLD
    assert {row["status"] for row in await sms_rows(world)} == {"sent"}


async def test_what_is_under_way_is_settled_by_its_own_answer(world: World, infobip: FakeInfobip) -> None:
    """It is not held: the provider's answer, or its silence, says what has become of it."""
    incident_id = await world.given_page()
    await send(world.ctx)
    await world.quieten(incident_id)

    await on_page_unwanted(world.ctx, [IncidentAcknowledged.model_construct(incident_id=incident_id)])
    assert await settle_held(world.ctx) == 0
    await world.ctx.in_flight.finish()

    assert [row["status"] for row in await sms_rows(world)] == ["sent"]


async def test_many_requests_for_too_much_are_no_trouble(world: World, infobip: FakeInfobip) -> None:
    infobip.script.extend([http(429)] * 20)
    await given_pages(world, 20)

    await world.send()

    assert await circuits(world) == []


async def test_the_mail_server_has_a_circuit_of_its_own(world: World, infobip: FakeInfobip) -> None:
    async with free_port() as url:
        port = url.rpartition(":")[2]
    away = mail.provider(settings_for(infobip.url, f"smtp://127.0.0.1:{port}"), world.clock)
    assert away is not None
    world.ctx = replace(world.ctx, providers={**world.ctx.providers, Channel.EMAIL: away})
    for place in range(THRESHOLD):
        await world.given_page(phone=None, email=f"p{place}@example.com")
    await world.given_page()

    await world.send()

    assert [(row["name"], row["state"]) for row in await circuits(world)] == [("smtp", "open")]
    assert [call.to for call in infobip.taken] == [PHONE.lstrip("+")]


async def test_opening_and_closing_are_told_without_an_address(world: World, infobip: FakeInfobip) -> None:
    with capture_logs() as logs:
        await given_trouble(world, infobip)
        infobip.script.clear()
        world.clock.advance(FIRST_PROBE)
        await world.send()

    told = [line for line in logs if line["event"].startswith("circuit.") or line["event"] == "send.held_back"]
    assert [line["event"] for line in told] == ["circuit.opened", "send.held_back", "circuit.probing", "circuit.closed"]
    opened, held, _, closed = told
    assert (opened["log_level"], opened["provider"], opened["failures"]) == ("error", "infobip", THRESHOLD)
    assert opened["detail"] == "Infobip did not answer: RemoteProtocolError"
    assert (held["notifications"], held["other_ways"], held["providers"]) == (THRESHOLD, THRESHOLD, ["infobip"])
    assert (closed["seconds"], closed["released"]) == (6, THRESHOLD - 1)
    assert not any("664" in str(line) or "@" in str(line) for line in told)
