"""A notifier on a real database, between a fake Infobip and a fake mail server."""

from collections.abc import AsyncIterator, Callable

import pytest
from pagerpal_common.db import Database
from pagerpal_common.outbox import Outbox
from pagerpal_common.schema.notification import notification_outbox
from pagerpal_common.service import Bell
from pagerpal_common.vocabulary import Channel
from pagerpal_notifier.channels import Provider
from pagerpal_notifier.channels.infobip import Infobip
from pagerpal_notifier.channels.smtp import Smtp
from pagerpal_notifier.context import Context
from pagerpal_notifier.in_flight import LIMIT, InFlight
from pagerpal_notifier.records import Records
from pydantic import SecretStr

from services.notifier.tests.integration.fake_infobip import API_KEY, FakeInfobip
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
async def new_context(
    database: Callable[[str | None], Database], infobip: FakeInfobip, smtp: FakeSmtp, clock: Clock
) -> AsyncIterator[Callable[[], Context]]:
    """Makes notifiers: each call is another process on the same database."""
    clients: list[Infobip] = []

    def make() -> Context:
        client = Infobip(
            infobip.url,
            SecretStr(API_KEY),
            sender="PagerPal",
            voice_sender="+43720123456",
            public_url=PUBLIC_URL,
            connections=LIMIT,
        )
        clients.append(client)
        bell = Bell()
        providers = {
            Channel.SMS: Provider("infobip", client.send_sms),
            Channel.VOICE: Provider("infobip", client.send_voice),
            Channel.EMAIL: Provider("smtp", Smtp(SecretStr(smtp.url), public_url=PUBLIC_URL).send),
        }
        db, outbox = database("notifier"), Outbox(notification_outbox)
        return Context(db, clock, outbox, bell, providers, InFlight(bell), Records(db, outbox, clock))

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
async def world(new_context: Callable[[], Context], database: Callable[[str | None], Database], clock: Clock) -> World:
    return World(new_context(), clock, database(None))
