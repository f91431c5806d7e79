"""From a due notification to its end, whatever the provider does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from pagerpal_common.ids import uuid7
from pagerpal_common.tracing import current
from pagerpal_common.vocabulary import Channel
from pagerpal_notifier.channels import Provider, infobip_sms
from pagerpal_notifier.claiming import claim_due
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.delivery import DEADLINE, TRIES, Outcome, Verdict
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.in_flight import LIMIT
from pagerpal_notifier.loops import send, take_up
from structlog.contextvars import get_contextvars
from structlog.testing import capture_logs

from services.notifier.tests.integration.conftest import settings_for
from services.notifier.tests.integration.fake_infobip import (
    API_KEY,
    CUT,
    TAKEN_THEN_500,
    TAKEN_THEN_CUT,
    TAKEN_THEN_GARBAGE,
    TAKEN_THEN_SILENT,
    Answer,
    FakeInfobip,
    http,
    refused,
)
from services.notifier.tests.integration.world import EMAIL, PHONE, T0, World

PAST_DEADLINE = DEADLINE.total_seconds() + 1


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sends that get no answer are given up after a moment."""
    monkeypatch.setattr("pagerpal_notifier.loops.SEND_SECONDS", 0.3)


def with_sms(ctx: Context, sms: Callable[[Claim], Awaitable[Outcome]]) -> Context:
    """The same notifier, with another way to send SMS."""
    return replace(ctx, providers={**ctx.providers, Channel.SMS: Provider("infobip", sms)})


@asynccontextmanager
async def free_port() -> AsyncIterator[str]:
    """The URL of a port on which nobody listens, once the block has ended."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()


async def test_a_page_row_by_row(world: World, infobip: FakeInfobip) -> None:
    incident_id = await world.given_page()

    await world.send()

    (call,) = infobip.taken
    assert (call.path, call.to) == ("/sms/3/messages", "436641234567")
    assert call.text.split("\n") == [
        f"CRITICAL #{incident_id} L1: Disk full on db1",
        f"Reply ack {incident_id}",
        f"https://pagerpal.example.com/incidents/{incident_id}",
    ]
    sms, voice = await world.notifications()
    assert (sms["status"], sms["attempts"], sms["address"], sms["error"]) == ("sent", 1, PHONE, None)
    assert (sms["sent_at"], sms["settled_at"], sms["due_at"], sms["delivered_at"]) == (T0, T0, None, None)
    assert str(sms["provider_message_id"]) == call.message_id
    (attempt,) = await world.attempts()
    assert (str(attempt["attempt_id"]), attempt["notification_id"]) == (call.message_id, sms["id"])
    assert (attempt["provider"], attempt["outcome"]) == ("infobip", "accepted")
    assert (attempt["started_at"], attempt["ended_at"]) == (T0, T0)
    assert await world.settled() == [sms["id"]]
    assert (voice["status"], voice["address"]) == ("queued", None)

    world.clock.advance(119)
    await world.send()
    assert len(infobip.taken) == 1

    world.clock.advance(1)
    await world.send()
    assert infobip.taken[1].path == "/tts/3/advanced"
    assert await world.statuses() == ["sent", "sent"]
    assert await world.settled() == [voice["id"]]


async def test_the_relay_is_rung_when_a_page_has_gone(world: World) -> None:
    await world.given_page()
    async with asyncio.timeout(10):
        await world.ctx.outbox.bell.wait(60)  # the intake's own

    await world.send()

    async with asyncio.timeout(10):
        await world.ctx.outbox.bell.wait(60)


@pytest.mark.parametrize("status", ["acknowledged", "resolved"])
async def test_nothing_goes_out_after_an_answer(world: World, infobip: FakeInfobip, status: str) -> None:
    incident_id = await world.given_page()
    await world.rows("UPDATE incidents.incidents SET status = :status WHERE id = :id", status=status, id=incident_id)
    world.clock.advance(200)

    await world.send()

    assert infobip.calls == []
    assert await world.statuses() == ["cancelled", "cancelled"]
    assert [row["settled_at"] for row in await world.notifications()] == [world.clock(), world.clock()]
    assert await world.settled() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE incidents.incidents SET escalation_id = escalation_id + 1",
        "UPDATE incidents.page_requests SET is_open = false",
    ],
)
async def test_nothing_goes_out_for_an_earlier_run_or_a_closed_request(
    world: World, infobip: FakeInfobip, change: str
) -> None:
    await world.given_page()
    await world.rows(change)

    await world.send()

    assert infobip.calls == []
    assert await world.statuses() == ["cancelled", "queued"]


async def test_somebody_deactivated_while_it_was_queued_is_not_paged_and_that_is_told(
    world: World, infobip: FakeInfobip
) -> None:
    await world.given_page()
    await world.rows("UPDATE directory.users SET is_active = false")

    await world.send()

    assert infobip.calls == []
    rows = await world.notifications()
    assert [(row["status"], row["error"], row["address"]) for row in rows] == [
        ("failed", "the person is deactivated or gone", None)
    ] * 2
    assert await world.settled() == [row["id"] for row in rows]


async def test_a_number_changed_while_it_was_queued_is_the_one_that_rings(world: World, infobip: FakeInfobip) -> None:
    await world.given_page()
    await world.rows("UPDATE directory.users SET phone = '+4369911112222'")

    await world.send()

    assert [call.to for call in infobip.calls] == ["4369911112222"]


async def test_a_permanent_refusal_makes_the_next_step_due_at_once(world: World, infobip: FakeInfobip) -> None:
    infobip.script.append(refused(10, "REJECTED_DND", description=f"{PHONE} does not want to be disturbed"))
    await world.given_page()

    await world.send()

    assert [call.path for call in infobip.calls] == ["/sms/3/messages", "/tts/3/advanced"]
    sms, voice = await world.notifications()
    assert (sms["status"], sms["sent_at"], sms["settled_at"]) == ("failed", None, T0)
    assert sms["error"] == "Infobip: REJECTED_DND [number] does not want to be disturbed"
    assert (voice["status"], voice["sent_at"]) == ("sent", T0)
    assert await world.settled() == [sms["id"], voice["id"]]


@pytest.mark.parametrize("code", [400, 403, 404])
async def test_a_refused_request_is_a_failure(world: World, infobip: FakeInfobip, code: int) -> None:
    infobip.script.extend([http(code), http(code)])
    await world.given_page()

    await world.send()

    sms, voice, mail = await world.notifications()
    assert (sms["status"], voice["status"]) == ("failed", "failed")
    assert sms["error"] == f"Infobip: HTTP {code}"
    assert (mail["channel"], mail["reason"][-1]) == ("email", "last resort: mail, as nothing else has gone")


async def test_a_mail_is_the_last_resort_once_and_only_when_nothing_has_gone(
    world: World, infobip: FakeInfobip
) -> None:
    infobip.script.append(http(400))
    await world.given_page()

    await world.send()

    assert await world.statuses() == ["failed", "sent"], "the call has gone: nobody needs a mail"


async def test_two_ways_that_fail_at_once_leave_one_mail(world: World, infobip: FakeInfobip) -> None:
    """Each alone sees the other still under way."""
    infobip.script.extend([http(400), http(400)])
    await world.given_page()
    await world.rows("UPDATE notification.notifications SET due_at = :now", now=T0)

    await world.send()

    assert [row["channel"] for row in await world.notifications()] == ["sms", "voice", "email"]


@pytest.mark.parametrize(
    "answer",
    [
        http(429),
        http(429, retry_after="1"),
        refused(12, "REJECTED_NOT_ENOUGH_CREDITS"),
        refused(21, "REJECTED_SYSTEM_ERROR"),
    ],
)
async def test_a_refusal_for_now_is_tried_again_with_a_new_id(
    world: World, infobip: FakeInfobip, answer: Answer
) -> None:
    infobip.script.append(answer)
    await world.given_page()

    await world.send()

    row = (await world.notifications())[0]
    assert (row["status"], row["attempts"], row["settled_at"]) == ("queued", 1, None)
    assert timedelta(seconds=2) <= row["due_at"] - T0 <= timedelta(seconds=2.4)
    assert await world.settled() == []

    world.clock.advance(2.5)
    await world.send()

    first, second = infobip.calls
    assert first.message_id != second.message_id
    row = (await world.notifications())[0]
    assert (row["status"], row["attempts"], row["error"]) == ("sent", 2, None)
    assert str(row["provider_message_id"]) == second.message_id
    assert [attempt["outcome"] for attempt in await world.attempts()] == ["deferred", "accepted"]


async def test_the_wait_that_the_provider_asks_for_is_kept(world: World, infobip: FakeInfobip) -> None:
    infobip.script.append(http(429, retry_after="30"))
    await world.given_page()

    await world.send()

    assert (await world.notifications())[0]["due_at"] == T0 + timedelta(seconds=30)


async def test_a_provider_that_cannot_be_reached_has_nothing(world: World) -> None:
    async with free_port() as url:
        away = infobip_sms.provider(settings_for(url, "smtp://127.0.0.1"), world.clock)
    assert away is not None
    world.ctx = with_sms(world.ctx, away.send)
    await world.given_page()

    await world.send()
    await away.close()

    row = (await world.notifications())[0]
    assert (row["status"], row["error"]) == ("queued", "Infobip cannot be reached: ConnectError")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "answer",
    [TAKEN_THEN_CUT, TAKEN_THEN_SILENT, TAKEN_THEN_GARBAGE, TAKEN_THEN_500],
    ids=["cut", "silent", "text", "500"],
)
async def test_an_unknown_outcome_is_repeated_with_the_same_id_and_goes_out_once(
    world: World, infobip: FakeInfobip, answer: Answer
) -> None:
    infobip.script.append(answer)
    await world.given_page()

    await world.send()

    row = (await world.notifications())[0]
    assert (row["status"], row["attempts"]) == ("sending", 1)
    assert row["error"]

    world.clock.advance(2.5)
    await world.send()

    first, second = infobip.calls
    assert first.message_id == second.message_id
    assert len(infobip.taken) == 1
    row = (await world.notifications())[0]
    assert (row["status"], row["attempts"], row["error"]) == ("sent", 2, None)
    assert [attempt["outcome"] for attempt in await world.attempts()] == ["accepted"]


@pytest.mark.parametrize("answer", [CUT, http(503), http(500, b"\xff\xfe")])
async def test_what_turns_out_never_to_have_gone_goes_with_the_repeat(
    world: World, infobip: FakeInfobip, answer: Answer
) -> None:
    infobip.script.append(answer)
    await world.given_page()
    await world.send()
    world.clock.advance(2.5)

    await world.send()

    assert len(infobip.taken) == 1
    assert len({call.message_id for call in infobip.calls}) == 1
    assert (await world.statuses())[0] == "sent"


async def test_an_unknown_outcome_is_not_repeated_once_somebody_has_answered(
    world: World, infobip: FakeInfobip
) -> None:
    infobip.script.append(TAKEN_THEN_CUT)
    incident_id = await world.given_page()
    await world.send()
    await world.quieten(incident_id)
    world.clock.advance(2.5)

    await world.send()

    assert len(infobip.calls) == 1
    row = (await world.notifications())[0]
    assert (row["status"], row["error"]) == (
        "cancelled",
        "no longer wanted; whether an earlier try went is not known",
    )


async def test_a_number_changed_after_an_unknown_outcome_gets_a_message_of_its_own(
    world: World, infobip: FakeInfobip
) -> None:
    infobip.script.append(TAKEN_THEN_CUT)
    await world.given_page()
    await world.send()
    await world.rows("UPDATE directory.users SET phone = '+4369911112222'")
    world.clock.advance(2.5)

    await world.send()

    assert [call.to for call in infobip.taken] == ["436641234567", "4369911112222"]


@pytest.mark.usefixtures("patient_circuits")
@pytest.mark.parametrize("answer", [http(429), http(503)])
async def test_tries_come_to_an_end_and_the_next_step_follows(
    world: World, infobip: FakeInfobip, answer: Answer
) -> None:
    infobip.script.extend([answer] * TRIES)
    await world.given_page()
    await world.rows("UPDATE notification.notifications SET due_at = due_at + interval '1 day' WHERE step = 2")

    for _ in range(TRIES):
        await world.send()
        world.clock.advance(73)

    sms, voice = await world.notifications()
    assert (sms["status"], sms["attempts"], sms["due_at"]) == ("exhausted", TRIES, None)
    assert "given up after 10 tries" in sms["error"]
    assert voice["status"] == "sent"
    assert await world.settled() == [sms["id"], voice["id"]]


async def test_a_step_in_its_own_backoff_is_not_hastened(world: World, infobip: FakeInfobip) -> None:
    infobip.script.extend([http(429), http(429), http(400)])
    await world.given_page()
    await world.rows("UPDATE notification.notifications SET due_at = :now", now=T0)
    await world.send()
    waits = (await world.notifications())[1]["due_at"]
    await world.rows("UPDATE notification.notifications SET due_at = :now WHERE step = 1", now=T0)

    await world.send()

    sms, voice = await world.notifications()
    assert sms["status"] == "failed"
    assert (voice["status"], voice["due_at"]) == ("queued", waits)


async def test_a_crash_between_commit_and_call_is_made_up_for_with_the_same_id(
    world: World, infobip: FakeInfobip, new_context: Callable[[], Context]
) -> None:
    await world.given_page()
    async with world.ctx.db.begin() as tx:
        due = await claim_due(tx, room=1, now=T0, deadline=T0 + DEADLINE, providers={Channel.SMS: "infobip"})

    world.ctx = new_context()
    await world.send()
    assert infobip.calls == []

    world.clock.advance(PAST_DEADLINE)
    await world.send()

    assert [call.message_id for call in infobip.taken] == [str(due.claims[0].attempt_id)]
    assert (await world.statuses())[0] == "sent"


async def test_a_crash_between_call_and_record_ends_as_sent_and_goes_out_once(
    world: World, infobip: FakeInfobip, new_context: Callable[[], Context]
) -> None:
    infobip.script.append(TAKEN_THEN_SILENT)
    await world.given_page()
    await send(world.ctx)
    await infobip.arrived.wait()
    await world.crash()
    assert (await world.statuses())[0] == "sending"

    world.ctx = new_context()
    world.clock.advance(PAST_DEADLINE)
    await world.send()

    assert len(infobip.taken) == 1
    assert len(infobip.calls) == 2
    row = (await world.notifications())[0]
    assert (row["status"], row["attempts"]) == ("sent", 2)
    assert await world.settled() == [row["id"]]


async def test_what_was_sent_while_the_database_was_away_is_recorded_and_not_sent_again(
    world: World, infobip: FakeInfobip
) -> None:
    sms = world.ctx.providers[Channel.SMS].send

    async def send_and_lose_the_database(claim: Claim) -> Outcome:
        outcome = await sms(claim)
        await world.rows(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'pagerpal_notifier' AND datname = current_database()"
        )
        return outcome

    world.ctx = with_sms(world.ctx, send_and_lose_the_database)
    await world.given_page()

    await world.send()

    assert len(infobip.calls) == 1
    assert (await world.statuses())[0] == "sent"
    assert len(await world.settled()) == 1


async def test_a_sender_that_slept_past_its_deadline_decides_nothing(
    world: World, infobip: FakeInfobip, new_context: Callable[[], Context]
) -> None:
    """Its late word may be about an older try: here a refusal, while the other sender's message has gone."""
    gate = asyncio.Event()

    async def refuse_late(_: Claim) -> Outcome:
        await gate.wait()
        return Outcome(Verdict.REFUSED, "late")

    await world.given_page()
    sleepy = with_sms(new_context(), refuse_late)
    await send(sleepy)
    world.clock.advance(PAST_DEADLINE)
    infobip.script.append(TAKEN_THEN_CUT)
    await world.send()

    gate.set()
    await sleepy.in_flight.finish()

    row = (await world.notifications())[0]
    assert (row["status"], row["attempts"]) == ("sending", 2)
    assert len(infobip.taken) == 1


async def test_a_claim_too_old_to_act_on_is_not_sent(
    world: World, infobip: FakeInfobip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagerpal_notifier.loops.SEND_SECONDS", -1)
    await world.given_page()

    await world.send()

    assert infobip.calls == []
    row = (await world.notifications())[0]
    assert (row["status"], row["error"]) == ("sending", "not begun in time")


async def test_a_bug_in_a_channel_loses_no_page_and_tells_no_number(
    world: World, infobip: FakeInfobip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError(f"cannot send to {PHONE}")

    monkeypatch.setattr("pagerpal_notifier.channels.infobip_sms.sms_text", broken)
    await world.given_page()
    with capture_logs() as logged:
        await world.send()
    assert "RuntimeError" in str(logged)
    assert PHONE not in str(logged)
    row = (await world.notifications())[0]
    assert (row["status"], row["error"]) == ("sending", "a bug of ours: RuntimeError")
    monkeypatch.undo()

    world.clock.advance(2.5)
    await world.send()

    assert len(infobip.taken) == 1


@pytest.mark.usefixtures("patient_circuits")
async def test_a_slow_call_holds_up_nobody_else(
    world: World, infobip: FakeInfobip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagerpal_notifier.loops.SEND_SECONDS", 1.5)
    infobip.script.extend([TAKEN_THEN_SILENT] * (LIMIT - 1))
    for place in range(LIMIT + 10):
        user_id = await world.user(phone=f"+43664{1000000 + place}", email=f"u{place}@example.com")
        await world.page_request(await world.incident(), user_id)
    await take_up(world.ctx)

    assert await send(world.ctx) == LIMIT
    assert await send(world.ctx) == 0
    async with asyncio.timeout(30):
        while len(infobip.taken) < LIMIT + 10:
            await world.ctx.send_bell.wait(5)
            await send(world.ctx)
    await world.ctx.in_flight.finish()

    assert sum(status == "sent" for status in await world.statuses()) == 11


async def test_no_number_and_no_address_in_any_log_or_error(
    world: World, infobip: FakeInfobip, caplog: pytest.LogCaptureFixture
) -> None:
    """Looked at before the log's own last net, which would hide what should never get so far."""
    words = f"{PHONE} 436641234567 {EMAIL}"
    infobip.script.extend(
        [
            refused(52, "REJECTED_DESTINATION", description=words),
            http(400, f'{{"errorCode": "E400", "description": "{words}"}}'.encode()),
            http(500, words.encode()),
            TAKEN_THEN_CUT,
            Answer(body=words.encode()),
        ]
    )
    for _ in range(4):
        await world.given_page(email=f"{uuid7()}@example.com")
    with capture_logs() as logged, caplog.at_level(logging.DEBUG):
        for _ in range(4):
            await world.send()
            world.clock.advance(60)

    ours = {"pagerpal", "httpx", "httpcore", "root"}
    printed = str(logged) + str([record.getMessage() for record in caplog.records if record.name.split(".")[0] in ours])
    stored = str(
        await world.rows("SELECT n.error, n.reason FROM notification.notifications n")
        + await world.rows("SELECT outcome, detail FROM notification.attempts")
        + await world.rows("SELECT body FROM notification.outbox")
    )
    assert "send.not_sent" in printed
    assert "REJECTED_DESTINATION" in stored
    for secret in ("6641234567", "@example.com", API_KEY):
        assert secret not in printed
        assert secret not in stored


async def test_whoever_sends_a_page_goes_on_in_its_request_and_its_trace(
    world: World, new_context: Callable[[], Context]
) -> None:
    trace = f"00-{'1' * 32}-{'2' * 16}-01"
    incident_id = await world.incident()
    await world.page_request(incident_id, await world.user())
    await world.rows("UPDATE incidents.page_requests SET request_id = 'request-1', traceparent = :trace", trace=trace)
    await take_up(world.ctx)
    seen: list[tuple[str | None, object]] = []

    async def sms(_claim: Claim) -> Outcome:
        seen.append((current(), get_contextvars().get("request_id")))
        return Outcome(Verdict.ACCEPTED, "taken")

    world.ctx = with_sms(new_context(), sms)
    await world.send()

    assert seen == [(trace, "request-1")]
    notified = await world.rows("SELECT body FROM notification.outbox WHERE topic = 'notification.settled.v1'")
    assert {(row["body"]["request_id"], row["body"]["traceparent"]) for row in notified} == {("request-1", trace)}
