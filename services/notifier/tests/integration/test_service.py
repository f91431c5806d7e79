"""The notifier as it is built, from message to message."""

import asyncio
from collections.abc import Callable

import pytest
from pagerpal_common.bus import BatchSubscription
from pagerpal_common.config import ConfigError, load
from pagerpal_common.contracts.incidents import IncidentAcknowledged, IncidentResolved, PageRequested
from pagerpal_common.contracts.notifications import CheckContact, NotificationSettled, RetryNotifications
from pagerpal_common.contracts.receipts import ReceiptsReceived
from pagerpal_common.service import Service
from pagerpal_notifier.service import build
from pagerpal_notifier.settings import NotifierSettings

from services.notifier.tests.integration.fake_infobip import API_KEY, FakeInfobip
from services.notifier.tests.integration.world import T0, Clock, RecordingBus, World


@pytest.fixture
def start(database_url: str, clock: Clock) -> Callable[..., tuple[Service, RecordingBus]]:
    """Builds the service in this environment, on a bus that keeps what it is given."""

    def start_with(**environ: str) -> tuple[Service, RecordingBus]:
        bus = RecordingBus()
        settings = load(NotifierSettings, {"PAGERPAL_DATABASE_URL": database_url, **environ})
        service = build(settings, bus, clock)
        bus.subscribe(service.name, *service.subscriptions)
        return service, bus

    return start_with


async def test_a_message_comes_in_an_sms_goes_out_and_incidents_is_told(
    world: World, infobip: FakeInfobip, start: Callable[..., tuple[Service, RecordingBus]]
) -> None:
    service, bus = start(INFOBIP_BASE_URL=infobip.url, INFOBIP_API_KEY=API_KEY)
    incident_id = await world.incident()
    number = await world.page_request(incident_id, await world.user())
    subscription = bus.subscriptions[PageRequested]
    assert isinstance(subscription, BatchSubscription)
    message = PageRequested(incident_id=incident_id, page_request_ids=(number,), occurred_at=T0)

    assert await subscription.handle([message, message]) == [None, None]
    _, sending, relay, *_ = service.loops
    assert await sending.tick() == 1
    async with asyncio.timeout(20):
        while await relay.tick() == 0:
            await relay.bell.wait(5)
    await service.close()

    assert len(infobip.taken) == 1
    (told,) = bus.published
    assert isinstance(told, NotificationSettled)
    assert (told.incident_id, told.notification_id) == (incident_id, (await world.notifications())[0]["id"])


async def test_what_it_listens_to_and_what_it_looks_for(
    start: Callable[..., tuple[Service, RecordingBus]],
) -> None:
    service, bus = start()

    assert set(bus.subscriptions) == {
        PageRequested,
        IncidentAcknowledged,
        IncidentResolved,
        ReceiptsReceived,
        RetryNotifications,
        CheckContact,
    }
    assert [(loop.name, loop.every) for loop in service.loops] == [
        ("notifier.take_up", 2.0),
        ("notifier.send", 1.0),
        ("notifier.outbox_relay", 1.0),
        ("notifier.held", 5.0),
        ("notifier.receipts", 10.0),
        ("notifier.polling", 5.0),
        ("notifier.channels", 60.0),
    ]
    await service.close()


async def test_without_a_provider_development_sees_its_pages_on_the_console(
    world: World, start: Callable[..., tuple[Service, RecordingBus]], capfd: pytest.CaptureFixture[str]
) -> None:
    service, _ = start(PAGERPAL_PUBLIC_URL="http://127.0.0.1:8000")
    incident_id = await world.given_page()

    await service.loops[1].tick()
    await service.close()

    assert (
        f"PAGE by sms to +43…67: CRITICAL #{incident_id} L1: Disk full on db1\nReply ack {incident_id}\n"
        f"http://127.0.0.1:8000/incidents/{incident_id}\n"
    ) in capfd.readouterr().out
    assert (await world.statuses())[0] == "sent"
    assert [attempt["provider"] for attempt in await world.attempts()] == ["console"]


async def test_without_a_provider_production_fails_visibly(
    world: World, start: Callable[..., tuple[Service, RecordingBus]]
) -> None:
    await world.given_page()
    await world.given_page(phone=None, email="bo@example.com")

    for _ in range(3):  # closing waits for the sends; each run finds the steps that the one before has hastened
        service, _ = start(PAGERPAL_ENV="production")
        await service.loops[1].tick()
        await service.close()

    assert [(row["status"], row["error"]) for row in await world.notifications()] == [
        ("failed", "no provider is configured for sms"),
        ("failed", "no provider is configured for voice"),
        ("failed", "no provider is configured for email"),
        ("failed", "no provider is configured for email"),
    ]


async def test_closing_waits_for_the_sends_under_way(
    world: World, infobip: FakeInfobip, start: Callable[..., tuple[Service, RecordingBus]]
) -> None:
    service, _ = start(INFOBIP_BASE_URL=infobip.url, INFOBIP_API_KEY=API_KEY)
    await world.given_page()

    await service.loops[1].tick()
    await service.close()

    assert (await world.statuses())[0] == "sent"


def test_without_a_database_it_does_not_start(clock: Clock) -> None:
    with pytest.raises(ConfigError, match="PAGERPAL_DATABASE_URL"):
        build(load(NotifierSettings, {}), RecordingBus(), clock)


async def told(world: World) -> dict[str, str]:
    rows = await world.rows("SELECT channel, provider FROM notification.channels")
    return {row["channel"]: row["provider"] for row in rows}


async def test_it_tells_who_serves_each_channel_and_tells_it_anew_when_its_settings_have_changed(
    world: World, start: Callable[..., tuple[Service, RecordingBus]]
) -> None:
    bare, _ = start()
    assert await bare.loops[-1].tick() == 7
    await bare.close()
    assert await told(world) == {
        "sms": "console",
        "voice": "console",
        "email": "console",
        "webhook": "webhook",
        "slack": "slack",
        "apprise": "console",
        "web_push": "console",
    }

    served, _ = start(SMTP_URL="smtp://127.0.0.1:25", INFOBIP_BASE_URL="http://127.0.0.1:9", INFOBIP_API_KEY="k" * 20)
    assert await served.loops[-1].tick() > 0
    assert await served.loops[-1].tick() == 0, "nothing is written while nothing has changed"
    await served.close()
    changed = await told(world)
    assert changed["sms"] != "console"
    assert changed["email"] != "console"
    assert "127.0.0.1" not in str(changed)
