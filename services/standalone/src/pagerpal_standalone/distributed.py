"""How do the five services run as processes on one machine? Started, kept alive and stopped here, behind one port.

`python -m pagerpal_standalone.distributed`, which is `make distributed`. Each service listens on a port of its own:
PORT + 1 to PORT + 5. The kernel tells the children to stop when this process dies in any way.
"""

import asyncio
import ctypes
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from contextlib import suppress

import httpx
import structlog
import uvloop
from pagerpal_common import clock, stopping
from pagerpal_common import log as logs
from pagerpal_common.config import BROKER_AND_DATABASE, ConfigError, Settings, check, load
from pagerpal_common.server import serve_app
from pagerpal_web.domain.origins import is_local

from pagerpal_standalone.edge import edge
from pagerpal_standalone.settings import MODELS
from pagerpal_standalone.starting import CannotStart, announce, migrate, see_free

log = structlog.get_logger(__name__)

SERVICES = ("ingest", "incidents", "escalator", "notifier", "web")
LOOPBACK = "127.0.0.1"
LARGEST_PORT = 65535

FIRST_RESTART_SECONDS, SLOWEST_RESTART_SECONDS = 0.1, 5.0
HEALTHY_SECONDS = 30.0  # having lived this long, the next restart is a first one again
STOP_SECONDS = 15.0
READY_LOOK_SECONDS = 0.1

PR_SET_PDEATHSIG = 1


def run() -> None:
    """Serve until told to stop. What keeps it from starting is said in one message, and the status is 1."""
    logs.configure()
    try:
        check((Settings, *MODELS), needed=BROKER_AND_DATABASE)
        settings = load(Settings)
        assert settings.database_url is not None  # noqa: S101 - it is needed, and was checked
        clock.from_environment()
        uvloop.run(_serve(settings, settings.database_url.get_secret_value()))
    except asyncio.CancelledError:
        pass  # told to stop while it was still starting
    except ConfigError as error:
        sys.exit(str(error))
    except (CannotStart, ValueError) as error:
        sys.exit(f"PagerPal cannot start: {error}")


async def _serve(settings: Settings, database_url: str) -> None:
    stopping.cancel_when_told()
    if settings.port > LARGEST_PORT - len(SERVICES):
        raise CannotStart(f"PORT is {settings.port}, and the {len(SERVICES)} ports after it are needed, too")
    ports = {name: settings.port + place for place, name in enumerate(SERVICES, start=1)}
    await see_free(settings.host, settings.port)
    for port in ports.values():
        await see_free(LOOPBACK, port)
    await migrate(database_url)
    enough = asyncio.Event()
    keepers = [
        asyncio.create_task(_keep_alive(name, _environment(settings, port), enough)) for name, port in ports.items()
    ]
    announcing = asyncio.create_task(_announce_when_ready(settings, database_url, ports))
    try:
        async with edge({name: f"http://{LOOPBACK}:{port}" for name, port in ports.items()}) as app:
            await serve_app(app, host=settings.host, port=settings.port, trusted_proxies=settings.trusted_proxies)
    finally:
        stopping.ignore_signals()
        announcing.cancel()
        enough.set()
        await asyncio.gather(*keepers)


async def _announce_when_ready(settings: Settings, database_url: str, ports: Mapping[str, int]) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        for port in ports.values():
            while not await _is_ready(client, port):  # noqa: ASYNC110 - another process's readiness is no event of ours
                await asyncio.sleep(READY_LOOK_SECONDS)
    places = ", ".join(f"{name} on {port}" for name, port in ports.items())
    await announce(settings, database_url, places)


async def _is_ready(client: httpx.AsyncClient, port: int) -> bool:
    """Ready, and connected to the broker: ingest and web would be content without one."""
    try:
        answer = await client.get(f"http://{LOOPBACK}:{port}/readyz")
        return answer.is_success and bool(answer.json()["bus"])
    except httpx.TransportError:
        return False


def _environment(settings: Settings, port: int) -> dict[str, str]:
    """What a service is told: it is behind the edge, which says who its clients are, and may listen more widely."""
    own = {"HOST": LOOPBACK, "PORT": str(port), "PAGERPAL_TRUSTED_PROXIES": LOOPBACK}
    if settings.metrics_port is not None:
        own["PAGERPAL_METRICS_PORT"] = str(settings.metrics_port + port - settings.port)
    exposed = {} if is_local(settings.host) else {"PAGERPAL_EDGE_HOST": settings.host}
    return {**os.environ, **own, **exposed}


async def _keep_alive(name: str, environ: Mapping[str, str], enough: asyncio.Event) -> None:
    """Run one service, again and again, until it is enough."""
    delay = FIRST_RESTART_SECONDS
    while not enough.is_set():
        born = time.monotonic()
        process = await _start(name, environ)
        ended = asyncio.create_task(process.wait())
        await asyncio.wait({ended, waiting := asyncio.create_task(enough.wait())}, return_when="FIRST_COMPLETED")
        waiting.cancel()
        if enough.is_set():
            await _stop(name, process)
            return
        if time.monotonic() - born > HEALTHY_SECONDS:
            delay = FIRST_RESTART_SECONDS
        log.warning("service.died", service=name, pid=process.pid, status=process.returncode, restart_in_seconds=delay)
        with suppress(TimeoutError):
            await asyncio.wait_for(enough.wait(), delay)
        delay = min(2 * delay, SLOWEST_RESTART_SECONDS)


async def _start(name: str, environ: Mapping[str, str]) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"pagerpal_{name}",
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in a terminal reaches us only, and we stop them
        preexec_fn=_die_with(os.getpid()),
    )
    log.info("service.started", service=name, pid=process.pid, port=int(environ["PORT"]))
    return process


def _die_with(parent: int) -> Callable[[], None] | None:
    """On Linux the kernel sends SIGTERM to a child when the thread that started it ends: our main one."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return tie


async def _stop(name: str, process: Process) -> None:
    """Ask it to finish what it has begun; insist when that takes too long."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        log.warning("service.killed", service=name, pid=process.pid)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


if __name__ == "__main__":
    stopping.leave_at_once()
    run()
