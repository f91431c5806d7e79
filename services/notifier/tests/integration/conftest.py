"""A notifier on a real database, between a fake Infobip and a fake mail server."""

from collections.abc import AsyncIterator, Callable

import pytest
from pagerpal_common.config import load
from pagerpal_common.db import Database
from pagerpal_common.outbox import Outbox
from pagerpal_common.schema.notification import notification_outbox
from pagerpal_common.service import Bell
from pagerpal_notifier.channels import Provider
from pagerpal_notifier.channels.table import open_channels
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.limits import rates
from pagerpal_notifier.in_flight import InFlight
from pagerpal_notifier.links import linking
from pagerpal_notifier.records import Records
from pagerpal_notifier.settings import NotifierSettings

from services.notifier.tests.integration.fake_infobip import API_KEY, FakeInfobip
from services.notifier.tests.integration.fake_receiver import FakeReceiver
from services.notifier.tests.integration.fake_smtp import FakeSmtp
from services.notifier.tests.integration.world import Clock, World

PUBLIC_URL = "https://pagerpal.example.com"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def infobip() -> AsyncIterator[FakeInfobip]:
    fake = FakeInfobip()
    async with fake.running():
        yield fake


@pytest.fixture
async def smtp() -> AsyncIterator[FakeSmtp]:
    fake = FakeSmtp()
    async with fake.running():
        yield fake


@pytest.fixture
async def receiver() -> AsyncIterator[FakeReceiver]:
    """Whoever takes what is posted to a URL of people's own."""
    fake = FakeReceiver()
    async with fake.running():
        yield fake


@pytest.fixture
async def new_context(
    database: Callable[[str | None], Database], infobip: FakeInfobip, smtp: FakeSmtp, clock: Clock
) -> AsyncIterator[Callable[[], Context]]:
    """Makes notifiers: each call is another process on the same database."""
    opened: list[Provider] = []

    def make() -> Context:
        settings = settings_for(infobip.url, smtp.url)
        providers = open_channels(settings, clock)
        opened.extend(providers.values())
        bell = Bell()
        db, outbox = database("notifier"), Outbox(notification_outbox)
        return Context(
            db,
            clock,
            outbox,
            bell,
            providers,
            rates(settings.provider_rates),
            InFlight(bell),
            Records(db, outbox, clock),
            linking(settings),
        )

    yield make
    for provider in opened:
        await provider.close()


@pytest.fixture
def patient_circuits(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much trouble there is with a provider, it is not left alone."""
    monkeypatch.setattr("pagerpal_notifier.domain.circuit.THRESHOLD", 1_000)


def settings_for(infobip_url: str, smtp_url: str) -> NotifierSettings:
    """A notifier with an account at this Infobip, and this mail server."""
    environ = {
        "INFOBIP_BASE_URL": infobip_url,
        "INFOBIP_API_KEY": API_KEY,
        "INFOBIP_VOICE_SENDER": "+43720123456",
        "SMTP_URL": smtp_url,
        "PAGERPAL_PUBLIC_URL": PUBLIC_URL,
    }
    return load(NotifierSettings, environ)


@pytest.fixture
async def world(new_context: Callable[[], Context], database: Callable[[str | None], Database], clock: Clock) -> World:
    return World(new_context(), clock, database(None))
