"""How do all five services run in one process? On an in-process bus, one port, and a PostgreSQL of their own.

The bus and the database URL are the only differences to five processes on RabbitMQ.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pagerpal_escalator.service as escalator
import pagerpal_incidents.service as incidents
import pagerpal_ingest.service as ingest
import pagerpal_notifier.service as notifier
import pagerpal_web.service as web
import uvloop
from pagerpal_common import clock, log, stopping, tracing
from pagerpal_common.bus import Bus
from pagerpal_common.bus.memory import MemoryBus
from pagerpal_common.clock import Now
from pagerpal_common.config import ConfigError, check, load
from pagerpal_common.http import application
from pagerpal_common.server import observable, serve_app
from pagerpal_common.service import Service, running
from pagerpal_escalator.settings import EscalatorSettings
from pagerpal_incidents.settings import IncidentsSettings
from pagerpal_ingest.settings import IngestSettings
from pagerpal_notifier.settings import NotifierSettings
from pagerpal_web.settings import WebSettings

from pagerpal_standalone.postgres import DataDirectoryBusy, PostgresFailed, embedded_postgres
from pagerpal_standalone.settings import MODELS, StandaloneSettings, with_database, with_links
from pagerpal_standalone.starting import CannotStart, announce, migrate, see_free


def run() -> None:
    """Serve until told to stop. What keeps it from starting is said in one message, and the status is 1."""
    log.configure()
    try:
        check((StandaloneSettings, *MODELS))
        settings = load(StandaloneSettings)
        now = clock.from_environment()
        tracing.configure("pagerpal", os.environ, messaging_system="memory")
        uvloop.run(_serve(settings, now))
    except asyncio.CancelledError:
        pass  # told to stop while it was still starting
    except ConfigError as error:
        sys.exit(str(error))
    except (CannotStart, DataDirectoryBusy, PostgresFailed, ValueError) as error:
        sys.exit(f"PagerPal cannot start: {error}")
    finally:
        tracing.shut_down()


async def _serve(settings: StandaloneSettings, now: Now) -> None:
    stopping.cancel_when_told()
    await see_free(settings.host, settings.port)
    async with _database(settings) as url:
        await migrate(url)
        bus = MemoryBus()
        services = build(with_database(os.environ, url), bus, now)
        async with running(services, bus, now), observable(services, bus, settings):
            announcing = asyncio.create_task(announce(settings, url, f"its data is in {settings.data_dir}"))
            app = application(services, bus)
            await serve_app(app, host=settings.host, port=settings.port, trusted_proxies=settings.trusted_proxies)
            announcing.cancel()


@asynccontextmanager
async def _database(settings: StandaloneSettings) -> AsyncIterator[str]:
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    async with embedded_postgres(settings.data_dir) as url:
        yield url


def build(environ: Mapping[str, str], bus: Bus, now: Now) -> Sequence[Service]:
    """All five, each with its own settings out of the same environment."""
    return (
        web.build(load(WebSettings, environ), bus, now),
        ingest.build(load(IngestSettings, environ), bus, now),
        incidents.build(load(IncidentsSettings, environ), bus, now),
        escalator.build(load(EscalatorSettings, environ), bus, now),
        notifier.build(load(NotifierSettings, with_links(environ)), bus, now),
    )
