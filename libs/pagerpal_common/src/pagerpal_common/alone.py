"""Runs one service as a process of its own: what every service's `__main__` calls."""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import TypeVar

import uvloop

from pagerpal_common import clock, log, stopping, tracing
from pagerpal_common.bus import Bus
from pagerpal_common.bus.rabbit import RabbitBus
from pagerpal_common.clock import Now
from pagerpal_common.config import BROKER_AND_DATABASE, ConfigError, Settings, load
from pagerpal_common.server import serve
from pagerpal_common.service import Service

S = TypeVar("S", bound=Settings)


def run_alone(name: str, model: type[S], build: Callable[[S, Bus, Now], Service]) -> None:
    """Read the settings, build the service on RabbitMQ, and serve until told to stop.

    Exits with one message that lists every problem of the environment.
    """
    log.configure()
    try:
        settings = load(model, needed=BROKER_AND_DATABASE)
        now = clock.from_environment()
    except (ConfigError, ValueError) as error:
        sys.exit(str(error))
    tracing.configure(f"pagerpal-{name}", os.environ)
    try:
        uvloop.run(_serve(name, settings, build, now))
    except asyncio.CancelledError:
        pass  # told to stop while it was still starting
    except ConfigError as error:  # found only while building: a data directory that cannot be written
        sys.exit(str(error))
    finally:
        tracing.shut_down()


async def _serve(name: str, settings: S, build: Callable[[S, Bus, Now], Service], now: Now) -> None:
    stopping.cancel_when_told()
    assert settings.amqp_url is not None  # noqa: S101 - run_alone has checked it
    bus = RabbitBus(settings.amqp_url.get_secret_value(), name=name)
    service = build(settings, bus, now)
    await serve([service], bus, now, settings)
