"""Does the edge pass requests and answers through as they are?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
import uvicorn
from pagerpal_standalone.edge import edge
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


async def _echo(request: Request) -> Response:
    body = await request.body()
    seen = {
        "service": request.app.state.name,
        "method": request.method,
        "target": request.scope["raw_path"].decode() + "?" + request.scope["query_string"].decode(),
        "headers": [[name.decode(), value.decode()] for name, value in request.headers.raw],
        "size": len(body),
    }
    answer = JSONResponse(seen, 418, {"Connection": "X-Private", "X-Private": "1", "X-Public": "2"})
    answer.headers.append("Set-Cookie", "a=1")
    answer.headers.append("Set-Cookie", "b=2")
    return answer


async def _hear(request: Request) -> Response:
    request.app.state.heard.set()
    return Response()


async def _drip(request: Request) -> Response:
    async def drops() -> AsyncIterator[bytes]:
        yield b"first"
        await request.app.state.heard.wait()
        yield b"second"

    return StreamingResponse(drops())


@asynccontextmanager
async def _served(app: Starlette) -> AsyncIterator[str]:
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", server_header=False, proxy_headers=False)
    with config.bind_socket() as socket:
        server = uvicorn.Server(config)
        server.capture_signals = AsyncExitStack  # type: ignore[method-assign,assignment]
        serving = asyncio.create_task(server._serve([socket]))
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        server.should_exit = True
        await serving


def _backend(name: str) -> Starlette:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
    app = Starlette(
        routes=[Route("/drip", _drip), Route("/hear", _hear), Route("/{path:path}", _echo, methods=methods)]
    )
    app.state.name, app.state.heard = name, asyncio.Event()
    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to an edge before a live web, and an ingest that is away."""
    async with AsyncExitStack() as stack:
        web = _backend("web")
        urls = {"web": await stack.enter_async_context(_served(web)), "ingest": "http://127.0.0.1:1"}
        url = await stack.enter_async_context(_served(await stack.enter_async_context(edge(urls))))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False))
        yield client


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_request_arrives_as_it_was_sent(client: httpx.AsyncClient, method: str) -> None:
    body = b"x" * 100_000 if method in {"POST", "PUT", "PATCH"} else None

    answer = await client.request(
        method,
        "/a%2Fb/c?d=%41&d=&e",
        content=body,
        headers={"Host": "pagerpal.example", "Connection": "X-Private", "X-Private": "1", "X-Public": "2"},
    )

    seen = answer.json()
    assert (seen["method"], seen["size"]) == (method, len(body or b""))
    assert seen["target"] == "/a%2Fb/c?d=%41&d=&e"
    headers = dict(seen["headers"])
    assert (headers["host"], headers["x-public"]) == ("pagerpal.example", "2")
    assert "x-private" not in headers


async def test_an_answer_comes_back_as_it_was_given(client: httpx.AsyncClient) -> None:
    answer = await client.get("/whatever")

    assert answer.status_code == 418
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["X-Public"] == "2"
    assert "X-Private" not in answer.headers


async def test_a_service_that_is_away_is_503_with_retry_after(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/alerts", json={"title": "x"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "ingest" in answer.json()["detail"]


async def test_what_a_service_streams_is_passed_on_at_once(client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/drip") as answer:
        chunks = answer.aiter_raw()
        assert await anext(chunks) == b"first"
        await client.get("/hear")
        assert [chunk async for chunk in chunks] == [b"second"]


async def test_whatever_a_dying_backend_does_to_the_client_library_it_is_our_own_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seen: a service killed between its accept and its first byte makes httpx raise an AttributeError."""

    async def die(*_: object) -> httpx.Response:
        raise AttributeError("'NoneType' object has no attribute 'getpeername'")

    monkeypatch.setattr("httpcore.AsyncConnectionPool.handle_async_request", die)
    async with (
        edge({"ingest": "http://127.0.0.1:1", "web": "http://127.0.0.1:1"}) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://edge") as client,
    ):
        answer = await client.post("/api/v1/alerts")

    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


async def test_a_service_is_told_who_the_client_is_and_not_who_it_claims_to_be(client: httpx.AsyncClient) -> None:
    claims = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "Sec-Fetch-Site": "cross-site"}

    seen = (await client.get("/whatever", headers=claims)).json()["headers"]

    assert [value for name, value in seen if name == "x-forwarded-for"] == ["127.0.0.1"]
    assert [value for name, value in seen if name == "x-forwarded-proto"] == ["http"]
    assert dict(seen)["sec-fetch-site"] == "cross-site"
