"""Serves HTTP until the process is told to stop: the last thing a `__main__` calls."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette

from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.config import Settings
from pagerpal_common.http import application
from pagerpal_common.http.connection import Connection
from pagerpal_common.http.probes import observed
from pagerpal_common.service import Service, running


class _Server(uvicorn.Server):
    """uvicorn, but signals are ours: it would end the process before the loops have finished."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(services: Sequence[Service], bus: Bus, now: Now, settings: Settings) -> None:
    """Run the services and their routes on one port until SIGINT or SIGTERM, then finish what is under way.

    Raises:
        SystemExit: a port is taken.
    """
    async with running(services, bus, now), observable(services, bus, settings):
        app = application(services, bus)
        await serve_app(app, host=settings.host, port=settings.port, trusted_proxies=settings.trusted_proxies)


@asynccontextmanager
async def observable(services: Sequence[Service], bus: Bus, settings: Settings) -> AsyncIterator[None]:
    """What Prometheus asks for is answered on a port of its own while this is open, when there is one."""
    if settings.metrics_port is None:
        yield
        return
    running = server(observed(services, bus), host=settings.host, port=settings.metrics_port)
    serving = asyncio.create_task(running.serve(), name="metrics")
    try:
        yield
    finally:
        running.should_exit = True
        await serving


def _spare_the_collector() -> None:
    """What is loaded by now lives as long as the process, and requests leave few cycles behind.

    Measured: a quarter of ingest's time per alert went into looking at all of it again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def server(app: Starlette, *, host: str, port: int, trusted_proxies: str = "") -> uvicorn.Server:
    """What serves one application, not begun; it leaves signals alone.

    The client's address, for the audit log and against guessing, is the connection's, unless that is one of
    `trusted_proxies` (`Settings`): then it is what they say.
    """
    return _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=Connection,
            ws="none",
            access_log=False,  # it would print keys given in the query string; http/guard.py writes our own
            log_config=None,
            server_header=False,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=trusted_proxies,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=75,  # longer than the usual gateway's, so that it never meets a closed connection
            lifespan="off",
        )
    )


async def serve_app(app: Starlette, *, host: str, port: int, trusted_proxies: str = "") -> None:
    """Serve one application until SIGINT or SIGTERM; requests under way get 5 s to end.

    The signals stay ours afterwards, without effect: what the caller still has to finish must not be cut short by an
    impatient Ctrl-C.
    """
    _spare_the_collector()
    running = server(app, host=host, port=port, trusted_proxies=trusted_proxies)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        app.state.is_stopping = True  # for streams, which would not end by themselves
        running.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await running.serve()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: None)
