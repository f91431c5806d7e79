"""What do those ask who run us? `/livez` and `/readyz` on either port, `/metrics` on the one that is not published."""

import asyncio
from collections.abc import Sequence

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pagerpal_common.bus import Bus
from pagerpal_common.errors import Unavailable
from pagerpal_common.metrics import CONTENT_TYPE, READY, SCRAPE_FAILED, exposition
from pagerpal_common.readiness import Condition, summary
from pagerpal_common.service import Service, condition

log = structlog.get_logger(__name__)

MEASURE_SECONDS = 5.0
"""How long the database may take to be asked: Prometheus itself waits 10 s unless it is told otherwise."""


def probes(services: Sequence[Service], bus: Bus) -> list[Route]:
    """Whether the process lives, and whether it may be given work. Neither waits for anything."""

    async def livez(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        conditions = [condition(service, bus) for service in services]
        return JSONResponse(summary(conditions), 200 if _is_ready(services, conditions) else 503)

    return [Route("/livez", livez), Route("/readyz", readyz)]


def observed(services: Sequence[Service], bus: Bus) -> Starlette:
    """What the port for those who run us answers."""

    async def metrics(_: Request) -> Response:
        READY.set(_is_ready(services, [condition(service, bus) for service in services]))
        SCRAPE_FAILED.set(0)
        for service in services:
            await _measure(service)
        return Response(exposition(), media_type=CONTENT_TYPE)

    return Starlette(routes=[*probes(services, bus), Route("/metrics", metrics)])


def _is_ready(services: Sequence[Service], conditions: Sequence[Condition]) -> bool:
    return all(service.is_ready(found) for service, found in zip(services, conditions, strict=True))


async def _measure(service: Service) -> None:
    """What cannot be asked just now keeps its last value, and `pagerpal_scrape_failed` says so."""
    if service.measure is None:
        return
    try:
        async with asyncio.timeout(MEASURE_SECONDS):
            await service.measure()
    except (Unavailable, TimeoutError) as error:
        SCRAPE_FAILED.set(1)
        log.warning("metrics.not_measured", service=service.name, error=type(error).__name__)
