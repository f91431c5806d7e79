"""What webhooks and chats are sent, what their answers mean, where nothing is ever posted, and in which order."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pagerpal_common.config import load
from pagerpal_common.vocabulary import Channel, Severity
from pagerpal_notifier.channels import Provider, slack, webhook
from pagerpal_notifier.channels.webhook import signature
from pagerpal_notifier.claiming import claim_due
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Claim, Page
from pagerpal_notifier.settings import NotifierSettings

from services.notifier.tests.integration.fake_receiver import FakeReceiver, answer
from services.notifier.tests.integration.world import T0, Clock, World

ATTEMPT = UUID("01935a7e-0000-7000-8000-000000000001")
PAGE = Page(42, Severity.CRITICAL, "Disk full on db1", "98 % used", ("policy 'Base', level 1",), 1)
CHANNELS = {Channel.WEBHOOK: webhook.provider, Channel.SLACK: slack.provider}


def provider(channel: Channel, clock: Clock, env: str = "development") -> Provider:
    environ = {"PAGERPAL_ENV": env, "PAGERPAL_PUBLIC_URL": "https://pagerpal.example.com"}
    return CHANNELS[channel](load(NotifierSettings, environ), clock)


def a_claim(channel: Channel, url: str, secret: str | None = "a secret of theirs") -> Claim:
    return Claim(7, 42, 1, 3, 9, channel, 1, 1, 1, ATTEMPT, url, PAGE, secret)


async def send(channel: Channel, url: str, clock: Clock, env: str = "development") -> Outcome:
    async with asyncio.timeout(10):
        return await provider(channel, clock, env).send(a_claim(channel, url))


async def test_a_webhook_gets_a_signed_document_with_the_attempts_id(receiver: FakeReceiver, clock: Clock) -> None:
    assert await send(Channel.WEBHOOK, receiver.url, clock) == Outcome(Verdict.ACCEPTED, "webhook: HTTP 200")

    (posted,) = receiver.posted
    assert posted.path == "/hook?token=t0ken"
    assert posted.headers["host"] == receiver.url.split("/")[2]
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["x-pagerpal-delivery"] == json.loads(posted.body)["delivery_id"] == str(ATTEMPT)
    assert json.loads(posted.body)["incident"]["url"] == "https://pagerpal.example.com/incidents/42"
    at = int(T0.timestamp())
    signed = hmac.new(b"a secret of theirs", f"{at}.".encode() + posted.body, hashlib.sha256).hexdigest()
    assert posted.headers["x-pagerpal-signature"] == f"t={at},v1={signed}"


async def test_a_try_again_is_the_same_document_signed_anew(receiver: FakeReceiver, clock: Clock) -> None:
    receiver.script.append(answer(500))

    first = await send(Channel.WEBHOOK, receiver.url, clock)
    clock.advance(7)
    await send(Channel.WEBHOOK, receiver.url, clock)

    assert first.verdict is Verdict.UNKNOWN, "it is sent again, with the same id"
    once, again = receiver.posted
    assert once.body == again.body
    assert once.headers["x-pagerpal-delivery"] == again.headers["x-pagerpal-delivery"]
    assert again.headers["x-pagerpal-signature"] == signature(
        "a secret of theirs", again.body, at=int(T0.timestamp()) + 7
    )


async def test_without_a_secret_nothing_is_signed(receiver: FakeReceiver, clock: Clock) -> None:
    outcome = await provider(Channel.WEBHOOK, clock).send(a_claim(Channel.WEBHOOK, receiver.url, None))

    assert outcome.verdict is Verdict.ACCEPTED
    assert "x-pagerpal-signature" not in receiver.posted[0].headers


async def test_a_chat_gets_a_text_and_blocks(receiver: FakeReceiver, clock: Clock) -> None:
    assert await send(Channel.SLACK, receiver.url, clock) == Outcome(Verdict.ACCEPTED, "slack: HTTP 200")

    (posted,) = receiver.posted
    assert posted.headers["content-type"] == "application/json"
    assert set(json.loads(posted.body)) == {"text", "blocks"}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (201, Verdict.ACCEPTED),
        (204, Verdict.ACCEPTED),
        (301, Verdict.REFUSED),
        (400, Verdict.REFUSED),
        (401, Verdict.REFUSED),
        (404, Verdict.REFUSED),
        (410, Verdict.REFUSED),
        (408, Verdict.UNKNOWN),
        (425, Verdict.DEFERRED),
        (429, Verdict.DEFERRED),
        (500, Verdict.UNKNOWN),
        (503, Verdict.UNKNOWN),
    ],
)
async def test_the_status_decides(
    receiver: FakeReceiver, clock: Clock, channel: Channel, code: int, verdict: Verdict
) -> None:
    receiver.script.append(answer(code, b"tell +436641234567", Location="/elsewhere", Retry_After="9"))

    outcome = await send(channel, receiver.url, clock)

    assert (outcome.verdict, outcome.detail) == (verdict, f"{channel}: HTTP {code}")
    assert outcome.wait == timedelta(seconds=9 if verdict in {Verdict.UNKNOWN, Verdict.DEFERRED} else 0)
    assert len(receiver.posted) == 1, "no redirect is followed"


async def test_slacks_reason_is_kept_and_nobody_elses(receiver: FakeReceiver, clock: Clock) -> None:
    receiver.script.append(answer(404, b"channel_is_archived"))
    receiver.script.append(answer(404, b"<b>call +43664 1234567</b>"))

    assert (await send(Channel.SLACK, receiver.url, clock)).detail == "slack: HTTP 404 channel_is_archived"
    assert (await send(Channel.SLACK, receiver.url, clock)).detail == "slack: HTTP 404"


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("code", [200, 404])
async def test_an_endless_answer_is_not_read_to_its_end(
    receiver: FakeReceiver, clock: Clock, monkeypatch: pytest.MonkeyPatch, channel: Channel, code: int
) -> None:
    monkeypatch.setattr("pagerpal_notifier.channels.outward.BODY_SECONDS", 0.1)
    receiver.script.append(f"HTTP/1.1 {code} X\r\n\r\n".encode() + b"x" * 100_000)
    receiver.script.append(f"HTTP/1.1 {code} X\r\n\r\n".encode() + b"x")

    for _ in range(2):
        outcome = await send(channel, receiver.url, clock)
        assert outcome.detail == f"{channel}: HTTP {code}"


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 what\r\n\r\nContent-Length"])
async def test_no_answer_leaves_it_in_doubt(receiver: FakeReceiver, clock: Clock, said: bytes) -> None:
    receiver.script.append(said)

    assert (await send(Channel.WEBHOOK, receiver.url, clock)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("channel", CHANNELS)
async def test_what_cannot_be_reached_has_nothing(clock: Clock, channel: Channel) -> None:
    gone = FakeReceiver()
    async with gone.running():
        pass

    for url in (gone.url, "http://no-such-host.invalid/x"):
        outcome = await send(channel, url, clock)
        assert outcome.verdict is Verdict.DEFERRED
        assert "t0ken" not in outcome.detail


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/x",
        "https://localhost:{port}/x",
        "https://[::1]:{port}/x",
        "https://2130706433:{port}/x",
        "https://0x7f.1:{port}/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/latest",
        "https://[::ffff:10.0.0.1]/x",
        "http://127.0.0.1:{port}/x",
        "http://example.com/x",
        "https://user:s3cret@127.0.0.1:{port}/x",
        "ftp://example.com/x",
        "s3cret",
        "https://s3cret\n.example.com/",
        "https://" + "s3cret" * 20 + ".com/",
    ],
)
async def test_in_production_nothing_is_posted_but_to_the_public_internet(
    receiver: FakeReceiver, clock: Clock, channel: Channel, url: str
) -> None:
    outcome = await send(channel, url.format(port=receiver.url.split(":")[2].split("/")[0]), clock, "production")

    assert outcome.verdict is Verdict.REFUSED
    assert "s3cret" not in outcome.detail
    assert receiver.posted == []


class Names:
    """A resolver that says what it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
        self.asked: list[str] = []
        self._addresses = addresses
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._resolve)

    async def _resolve(self, host: Any, port: Any, **_: Any) -> Sequence[Any]:
        self.asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self._addresses]


async def test_a_name_with_one_private_address_among_its_public_ones_is_refused(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Names(monkeypatch, "93.184.216.34", "10.0.0.1")

    outcome = await send(Channel.WEBHOOK, "https://hooks.example.com/x", clock, "production")

    assert outcome == Outcome(
        Verdict.REFUSED, "webhook: the URL cannot be used: its host is not on the public internet"
    )


async def test_the_connection_goes_to_the_address_that_was_looked_at(
    receiver: FakeReceiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    names = Names(monkeypatch, "127.0.0.1")

    outcome = await send(Channel.WEBHOOK, f"http://hooks.example.com:{port}/x", clock)

    assert outcome.verdict is Verdict.ACCEPTED
    assert names.asked == ["hooks.example.com"], "asked again, it may have said something else"
    assert receiver.posted[0].headers["host"] == f"hooks.example.com:{port}"


async def test_of_two_addresses_the_second_is_tried_when_the_first_leads_nowhere(
    receiver: FakeReceiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    Names(monkeypatch, "127.0.0.2", "127.0.0.1", "127.0.0.3")

    outcome = await send(Channel.WEBHOOK, f"http://hooks.example.com:{port}/x", clock)

    assert outcome.verdict is Verdict.ACCEPTED
    assert len(receiver.posted) == 1


async def given_pages(world: World, channel: Channel, count: int, **user: Any) -> list[int]:
    """Pages to one person by this channel, all due; their ids."""
    user_id = await world.user(**user)
    numbers = []
    for _ in range(count):
        request = await world.page_request(await world.incident(), user_id)
        (row,) = await world.rows(
            "INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel,"
            " step, pass_number, level, reason, status, attempts, due_at, created_at)"
            " SELECT id, incident_id, escalation_id, user_id, :channel, 1, 1, 1, reason, 'queued', 0, :now, :now"
            " FROM incidents.page_requests WHERE id = :id RETURNING id",
            id=request,
            channel=channel,
            now=world.clock(),
        )
        numbers.append(int(row["id"]))
    return numbers


async def looked_at(world: World) -> list[int]:
    """What a claim takes up now."""
    now = world.clock()
    async with world.ctx.db.begin() as tx:
        due = await claim_due(
            tx,
            room=10,
            now=now,
            deadline=now + timedelta(seconds=20),
            providers=dict.fromkeys(Channel, "test"),
        )
    return sorted([row.notification_id for row in due.claims] + [row.notification_id for row in due.others])


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_webhooks_next_page_waits_for_the_one_before(world: World, channel: Channel) -> None:
    first, second = await given_pages(world, channel, 2)
    (other,) = await given_pages(world, channel, 1, email="bo@example.com")
    await world.rows(
        "UPDATE notification.notifications SET status = 'sending', attempts = 1, due_at = :later WHERE id = :id",
        id=first,
        later=T0 + timedelta(seconds=20),
    )

    assert await looked_at(world) == [other], "nobody else's webhook waits for it"

    await world.rows("UPDATE notification.notifications SET status = 'sent', due_at = NULL WHERE id = :id", id=first)
    assert second in await looked_at(world)


async def test_of_a_webhooks_pages_that_are_due_at_once_the_first_goes(world: World) -> None:
    first, second, third = await given_pages(world, Channel.WEBHOOK, 3)

    assert await looked_at(world) == [first]
    assert not {second, third} & set(await looked_at(world))


async def test_a_page_that_a_webhook_put_off_stays_before_the_next(world: World) -> None:
    first, _ = await given_pages(world, Channel.WEBHOOK, 2)
    await world.rows(
        "UPDATE notification.notifications SET attempts = 1, due_at = :later WHERE id = :id",
        id=first,
        later=T0 + timedelta(seconds=4),
    )

    assert await looked_at(world) == []


async def test_people_get_theirs_all_at_once(world: World) -> None:
    numbers = await given_pages(world, Channel.EMAIL, 3)

    assert await looked_at(world) == numbers
