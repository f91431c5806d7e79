"""Whom do we believe about where a request comes from?"""

import httpx
import pytest
from pagerpal_common.server import server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

FORGED = {"X-Forwarded-For": "203.0.113.9, 192.0.2.50", "X-Forwarded-Proto": "https"}


async def seen(connected_from: str, trusted_proxies: str) -> list[str]:
    """The client's address and the scheme, as the application sees them."""

    async def tell(request: Request) -> Response:
        assert request.client is not None
        return JSONResponse([request.client.host, request.scope["scheme"]])

    app = Starlette(routes=[Route("/", tell)])
    config = server(app, host="127.0.0.1", port=1, trusted_proxies=trusted_proxies).config
    config.load()
    transport = httpx.ASGITransport(config.loaded_app, client=(connected_from, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://pagerpal") as client:
        found: list[str] = (await client.get("/", headers=FORGED)).json()
        return found


@pytest.mark.parametrize("connected_from", ["127.0.0.1", "10.1.2.3", "192.0.2.1"])
async def test_nobody_is_believed_unless_they_are_named(connected_from: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert await seen(connected_from, "") == [connected_from, "http"]


async def test_a_named_proxy_is_believed_and_what_its_client_claims_is_not() -> None:
    assert await seen("10.1.2.3", "10.0.0.0/8") == ["192.0.2.50", "https"]
    assert await seen("10.1.2.3", "10.0.0.0/8,192.0.2.50") == ["203.0.113.9", "https"]
    assert await seen("11.1.2.3", "10.0.0.0/8") == ["11.1.2.3", "http"]
