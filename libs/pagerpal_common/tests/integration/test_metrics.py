"""What Prometheus is told: by route and never by path, and on a port of its own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from pagerpal_common.bus.memory import MemoryBus
from pagerpal_common.config import Settings
from pagerpal_common.db import Database
from pagerpal_common.errors import DatabaseUnavailable
from pagerpal_common.http import Account, Call, Endpoint, application, routes
from pagerpal_common.http.probes import observed
from pagerpal_common.metrics import begin_at_zero
from pagerpal_common.server import observable
from pagerpal_common.service import Service
from pagerpal_common.vocabulary import Channel
from prometheus_client import REGISTRY, Counter


class Reached:
    """A database that is there."""

    def is_reached(self, _at: float) -> bool:
        return True


async def nothing() -> None:
    return


async def answer(_ctx: object, _call: Call[None]) -> list[int]:
    return []


async def nobody(_ctx: object, _request: object) -> Account:
    raise AssertionError("no route of this test needs an account")


def service(**more: Any) -> Service:
    rows = (Endpoint("GET", "/things/{thing_id:int}", answer, None),)
    return Service("web", cast(Database, Reached()), nothing, routes=routes(None, rows, nobody), **more)


def requests(route: str) -> float:
    labels = {"method": "GET", "route": route, "status": "200"}
    return REGISTRY.get_sample_value("pagerpal_http_request_duration_seconds_count", labels) or 0.0


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application([service()], MemoryBus()))
    async with httpx.AsyncClient(transport=transport, base_url="http://pagerpal") as client:
        yield client


async def test_requests_are_counted_by_their_route(client: httpx.AsyncClient) -> None:
    before = requests("/things/{thing_id:int}")

    await client.get("/things/1")
    await client.get("/things/2")

    assert requests("/things/{thing_id:int}") == before + 2


async def test_paths_that_anybody_can_make_up_are_not(client: httpx.AsyncClient) -> None:
    await client.get("/made-up-by-a-stranger")

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(observed([service()], MemoryBus())), base_url="http://pagerpal"
    ) as prometheus:
        assert "made-up" not in (await prometheus.get("/metrics")).text


async def test_metrics_are_not_on_the_port_that_is_published(client: httpx.AsyncClient) -> None:
    assert (await client.get("/metrics")).status_code == 404


async def test_what_cannot_be_asked_is_said_and_the_rest_is_told() -> None:
    async def fails() -> None:
        raise DatabaseUnavailable("away")

    app = observed([service(measure=fails)], MemoryBus())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pagerpal") as prometheus:
        told = await prometheus.get("/metrics")

    assert told.status_code == 200
    assert "pagerpal_scrape_failed 1.0" in told.text
    assert "pagerpal_loop_runs_total" in told.text


@pytest.mark.parametrize("is_ready", [True, False])
async def test_whether_the_process_is_ready_is_told_as_readyz_says_it(is_ready: bool) -> None:
    app = observed([service(is_ready=lambda _: is_ready), service()], MemoryBus())

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pagerpal") as prometheus:
        told = await prometheus.get("/metrics")
        readyz = await prometheus.get("/readyz")

    assert f"pagerpal_ready {float(readyz.status_code == 200)}" in told.text


async def test_what_has_not_happened_yet_is_told_as_zero() -> None:
    counter = Counter("unheard_of", "Of this test.", ("channel", "status"))

    begin_at_zero(counter, Channel, ("sent", "failed"))

    assert REGISTRY.get_sample_value("unheard_of_total", {"channel": "voice", "status": "failed"}) == 0


async def test_there_is_a_port_for_it_only_when_one_is_set(unused_tcp_port: int) -> None:
    async with observable([service()], MemoryBus(), Settings.model_validate({})):
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "metrics"]
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with (
        observable([service()], MemoryBus(), Settings.model_validate({"PAGERPAL_METRICS_PORT": unused_tcp_port})),
        httpx.AsyncClient(trust_env=False) as prometheus,
    ):
        for _ in range(200):
            try:
                told = await prometheus.get(f"{url}/metrics")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.01)

        assert told.headers["content-type"].startswith("text/plain")
        assert "pagerpal_http_request_duration_seconds" in told.text
        assert (await prometheus.get(f"{url}/livez")).json() == {"status": "ok"}
