"""Messages to browsers, by a push service that stands in for their makers': what it is given, what its answers make of
a page, and what is seen of a subscription."""

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from pagerpal_common.config import load
from pagerpal_common.contracts.notifications import CheckContact, CheckOutcome, ContactChecked
from pagerpal_common.ids import uuid7
from pagerpal_common.testing.browser import PUSH_KEY, FakeBrowser, checked
from pagerpal_common.vocabulary import Channel, Severity
from pagerpal_common.web_push import given
from pagerpal_notifier.channels import Provider, outward, web_push
from pagerpal_notifier.checks import check_contact
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Claim, Page
from pagerpal_notifier.domain.proof import trial_notice
from pagerpal_notifier.loops import take_up, tell_channels
from pagerpal_notifier.settings import NotifierSettings

from services.notifier.tests.integration.fake_infobip import FakeInfobip
from services.notifier.tests.integration.fake_receiver import FakeReceiver, answer
from services.notifier.tests.integration.ways import given_method, given_rule
from services.notifier.tests.integration.world import T0, World

ATTEMPT = UUID("01935a7e-0000-7000-8000-000000000001")
PAGE = Page(42, Severity.CRITICAL, "Disk full on db1", "98 % used", ("policy 'Base', level 1",), 1)
PUBLIC_URL = "https://pagerpal.example.com"


@pytest.fixture
def browser(receiver: FakeReceiver) -> FakeBrowser:
    return FakeBrowser(f"http://{receiver.host}/push/canary-of-a-browser?token=canary")


def provider_for(receiver: FakeReceiver, **environ: str) -> Provider:
    named = {"PAGERPAL_WEB_PUSH_KEY": PUSH_KEY, "PAGERPAL_WEB_PUSH_HOSTS": receiver.host}
    provider = web_push.provider(
        load(NotifierSettings, {**named, "PAGERPAL_PUBLIC_URL": PUBLIC_URL, **environ}), lambda: T0
    )
    assert provider is not None
    return provider


@pytest.fixture
def provider(receiver: FakeReceiver) -> Provider:
    return provider_for(receiver)


@pytest.fixture
def served(world: World, provider: Provider) -> World:
    """A world whose notifier sends to browsers."""
    world.ctx = replace(world.ctx, providers={**world.ctx.providers, Channel.WEB_PUSH: provider})
    return world


def a_claim(address: str, **more: Any) -> Claim:
    return replace(Claim(7, 42, 1, 3, 9, Channel.WEB_PUSH, 1, 1, 1, ATTEMPT, address, PAGE), **more)


def address_of(browser: FakeBrowser) -> str:
    return given(browser.subscription()).address


async def given_device(world: World, browser: FakeBrowser, *, phone: str | None = None) -> tuple[int, int]:
    """Somebody who is paged by a browser at once, and by SMS after 5 minutes where they have a phone: their id, and
    that of the contact method."""
    user_id = await world.user(phone=phone)
    method_id = await given_method(world, user_id, channel="web_push", address=address_of(browser), secret=None)
    await given_rule(world, user_id, method_id=method_id)
    if phone is not None:
        await given_rule(world, user_id, channel="sms", seconds=300)
    return user_id, method_id


async def page(world: World, user_id: int) -> int:
    """A new incident pages them; its id."""
    incident_id = await world.incident()
    await world.page_request(incident_id, user_id)
    assert await take_up(world.ctx) == 1
    await world.send()
    return incident_id


async def check(world: World, method_id: int, kind: str = "code") -> ContactChecked:
    """What web asks for when somebody wants a code or a test page."""
    check_id = uuid7()
    await world.rows(
        "INSERT INTO directory.contact_checks (id, user_id, method_id, kind, channel, address, requested_at)"
        " SELECT :id, user_id, id, :kind, channel, address, created_at FROM directory.contact_methods"
        " WHERE id = :method",
        id=check_id,
        kind=kind,
        method=method_id,
    )
    return await check_contact(world.ctx, CheckContact(check_id=check_id, occurred_at=T0))


async def ended(world: World) -> list[dict[str, Any]]:
    return await world.rows("SELECT * FROM notification.ended_subscriptions")


async def test_a_page_is_sealed_for_the_browser_and_signed_for_its_push_service(
    receiver: FakeReceiver, browser: FakeBrowser, provider: Provider
) -> None:
    receiver.script.append(answer(201))

    outcome = await provider.send(a_claim(address_of(browser)))

    assert outcome == Outcome(Verdict.ACCEPTED, "web push: HTTP 201")
    (posted,) = receiver.posted
    assert posted.path == "/push/canary-of-a-browser?token=canary"
    told = {name: posted.headers[name] for name in ("content-encoding", "ttl", "urgency", "topic")}
    assert told == {"content-encoding": "aes128gcm", "ttl": "1800", "urgency": "high", "topic": "incident-42"}
    assert b"Disk" not in posted.body
    assert json.loads(browser.opened(posted.body))["title"] == "CRITICAL #42: Disk full on db1"
    signed = checked(posted.headers["authorization"])
    assert signed.claims["aud"] == f"http://{receiver.host}"
    assert signed.claims["sub"] == PUBLIC_URL
    assert signed.key == provider.public_key


async def test_what_is_no_page_is_kept_for_ten_minutes_and_replaces_none(
    receiver: FakeReceiver, browser: FakeBrowser, provider: Provider
) -> None:
    await provider.send(a_claim(address_of(browser), page=trial_notice()))

    (posted,) = receiver.posted
    assert (posted.headers["ttl"], "topic" in posted.headers) == ("600", False)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1/canary",
        "https://169.254.169.254/canary",
        "https://push.example.org/canary",
        "http://fcm.googleapis.com/canary",
    ],
)
async def test_nothing_is_posted_to_a_service_that_nobody_has_named(
    receiver: FakeReceiver, provider: Provider, endpoint: str
) -> None:
    outcome = await provider.send(a_claim(address_of(FakeBrowser(endpoint))))

    assert (outcome.verdict, outcome.has_ended) == (Verdict.REFUSED, False)
    assert "canary" not in outcome.detail
    assert receiver.posted == []


async def test_in_production_a_service_of_ones_own_is_on_the_public_internet_or_not_asked(
    receiver: FakeReceiver,
) -> None:
    browser = FakeBrowser(f"https://{receiver.host}/canary")

    outcome = await provider_for(receiver, PAGERPAL_ENV="production").send(a_claim(address_of(browser)))

    assert outcome.verdict is Verdict.REFUSED
    assert "public internet" in outcome.detail
    assert receiver.posted == []


@pytest.mark.parametrize(
    "address", ["canary", "https://canary.example.org/hook", "webpush+https://fcm.googleapis.com/canary"]
)
async def test_what_is_no_subscription_is_refused(provider: Provider, address: str) -> None:
    outcome = await provider.send(a_claim(address))

    assert outcome.verdict is Verdict.REFUSED
    assert "canary" not in outcome.detail


async def test_a_key_that_seals_nothing_is_refused(
    receiver: FakeReceiver, browser: FakeBrowser, provider: Provider
) -> None:
    browser.public_key = b"\x04" + b"\x01" * 64

    outcome = await provider.send(a_claim(address_of(browser)))

    assert (outcome.verdict, receiver.posted) == (Verdict.REFUSED, [])


async def test_a_page_that_the_push_service_has_taken_is_sent(
    served: World, receiver: FakeReceiver, browser: FakeBrowser
) -> None:
    receiver.script.append(answer(201))
    user_id, _ = await given_device(served, browser)

    incident_id = await page(served, user_id)

    assert await served.statuses() == ["sent"]
    (posted,) = receiver.posted
    assert json.loads(browser.opened(posted.body))["path"] == f"/incidents/{incident_id}"


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_has_ended_fails_at_once_and_the_next_contact_goes_now(
    served: World, receiver: FakeReceiver, browser: FakeBrowser, infobip: FakeInfobip, status: int
) -> None:
    receiver.script.append(answer(status, b"canary"))
    user_id, _ = await given_device(served, browser, phone="+436641234567")

    await page(served, user_id)

    assert await served.statuses() == ["failed", "sent"]
    (sms,) = infobip.taken
    assert "Disk full" in sms.text
    (row,) = await ended(served)
    assert row["ended_at"] == T0
    assert row["address_digest"] == sha256(address_of(browser).encode()).digest()
    (failed, _) = await served.notifications()
    assert failed["error"] == "web push: this device takes no notifications any more"


async def test_no_page_is_planned_for_a_browser_that_has_ended_and_another_subscription_of_it_counts(
    served: World, receiver: FakeReceiver, browser: FakeBrowser, infobip: FakeInfobip
) -> None:
    receiver.script.append(answer(410))
    user_id, method_id = await given_device(served, browser, phone="+436641234567")
    await page(served, user_id)

    await page(served, user_id)

    assert len(receiver.posted) == 1, "nothing more is posted there"
    assert await served.statuses() == ["failed", "sent", "failed", "sent"]
    assert len(infobip.taken) == 2
    assert (await served.notifications())[2]["error"] == (
        f"contact method {method_id} is not verified, or its browser takes no notifications any more"
    )
    await served.rows("DELETE FROM directory.notification_rules")
    await served.rows("DELETE FROM directory.contact_proofs")
    await served.rows("DELETE FROM directory.contact_methods")
    anew = FakeBrowser(browser.endpoint + "2")
    again = await given_method(served, user_id, channel="web_push", address=address_of(anew), secret=None)
    await given_rule(served, user_id, method_id=again)
    await page(served, user_id)
    assert (await served.statuses())[4] == "sent"


@pytest.mark.parametrize(
    ("status", "becomes"), [(429, "queued"), (503, "sending"), (403, "failed"), (413, "failed"), (400, "failed")]
)
async def test_other_answers_end_no_subscription(
    served: World, receiver: FakeReceiver, browser: FakeBrowser, status: int, becomes: str
) -> None:
    receiver.script.append(answer(status, b"canary", Retry_After="9"))
    user_id, _ = await given_device(served, browser)

    await page(served, user_id)

    first = (await served.notifications())[0]
    assert first["status"] == becomes
    if becomes != "failed":
        assert first["due_at"] >= T0 + timedelta(seconds=9)
    assert await ended(served) == []


async def test_a_try_in_doubt_goes_again_under_the_same_topic(
    served: World, receiver: FakeReceiver, browser: FakeBrowser
) -> None:
    receiver.script.append(b"")
    user_id, _ = await given_device(served, browser)
    await page(served, user_id)
    assert await served.statuses() == ["sending"]

    served.clock.advance(5)
    await served.send()

    assert await served.statuses() == ["sent"]
    once, again = receiver.posted
    assert once.headers["topic"] == again.headers["topic"]
    assert browser.opened(once.body) == browser.opened(again.body)
    assert once.body != again.body, "the same key and salt seal nothing twice"
    (attempt,) = await served.attempts()
    assert attempt["provider"] == "web_push"


async def test_the_attempt_is_committed_before_anything_is_posted(
    served: World, receiver: FakeReceiver, browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[dict[str, Any]] = []
    post = outward.post

    async def looking(*given: Any, **more: Any) -> Any:
        found.extend(await served.attempts())
        return await post(*given, **more)

    monkeypatch.setattr(outward, "post", looking)
    user_id, _ = await given_device(served, browser)

    await page(served, user_id)

    assert [(row["provider"], row["ended_at"]) for row in found] == [("web_push", None)]


async def test_a_code_goes_there_and_an_ended_device_is_told_apart(
    served: World, receiver: FakeReceiver, browser: FakeBrowser
) -> None:
    receiver.script.extend([answer(201), answer(410), answer(410)])
    _, method_id = await given_device(served, browser)

    sent, over = await check(served, method_id), await check(served, method_id, "test")
    await check(served, method_id, "test")

    assert (sent.outcome, over.outcome) == (CheckOutcome.SENT, CheckOutcome.REFUSED)
    assert over.detail == "web push: this device takes no notifications any more"
    assert len(await ended(served)) == 1
    said = json.loads(browser.opened(receiver.posted[0].body))
    assert said["code"] in said["body"]


@pytest.mark.parametrize(
    "said", [answer(201), answer(410, b"canary"), answer(403, b"canary"), answer(500, b"canary"), b""]
)
async def test_nothing_of_a_subscription_is_logged_or_kept_beside_it(
    served: World, receiver: FakeReceiver, browser: FakeBrowser, capfd: pytest.CaptureFixture[str], said: bytes
) -> None:
    receiver.script.append(said)
    user_id, _ = await given_device(served, browser)

    await page(served, user_id)

    seen = "".join(capfd.readouterr())
    subscription = json.loads(browser.subscription())
    for secret in ("canary", subscription["keys"]["auth"], subscription["keys"]["p256dh"], PUSH_KEY):
        assert secret not in seen
        for row in [*await served.notifications(), *await served.attempts(), *await ended(served)]:
            assert secret not in str({name: value for name, value in row.items() if name != "address"})


async def test_a_storm_is_told_in_one_notification_beyond_the_budget(
    served: World, receiver: FakeReceiver, browser: FakeBrowser
) -> None:
    user_id, _ = await given_device(served, browser)
    for _ in range(40):
        await served.page_request(await served.incident(), user_id)
    await take_up(served.ctx)

    await served.send()

    titles = [json.loads(browser.opened(one.body))["title"] for one in receiver.posted]
    assert len(titles) <= 31
    assert titles.count("CRITICAL #1: Disk full on db1") == 1
    assert any(title.startswith("CRITICAL: ") for title in titles)


async def test_web_is_told_the_public_key_and_not_the_private_one(served: World, provider: Provider) -> None:
    await tell_channels(served.ctx)

    rows = await served.rows("SELECT * FROM notification.channels ORDER BY channel")
    assert {row["channel"]: row["public_key"] for row in rows if row["public_key"]} == {"web_push": provider.public_key}
    assert PUSH_KEY not in str(rows)
    assert await tell_channels(served.ctx) == 0
