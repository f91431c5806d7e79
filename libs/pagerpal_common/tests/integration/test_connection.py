"""Connections that misbehave before they are a request: bounded in time and size, and told so in our own words."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import pytest
import uvicorn
from pagerpal_common.bus import Bus
from pagerpal_common.db import Database
from pagerpal_common.http import Endpoint, application, bodies, connection, routes
from pagerpal_common.http.connection import HEAD_LIMIT, Connection
from pagerpal_common.http.endpoints import Body, Call
from pagerpal_common.server import server
from pagerpal_common.service import Service

HEAD = b"%s %s HTTP/1.1\r\nHost: pagerpal\r\n"
GET = HEAD % (b"GET", b"/hello") + b"\r\n"


class Greeting(Body):
    """A word."""

    word: str


async def hello(_ctx: object, _call: Call[None]) -> dict[str, str]:
    """Say hello."""
    return {"says": "hello"}


async def echo(_ctx: object, call: Call[Greeting]) -> dict[str, str]:
    """Say it again."""
    return {"says": call.body.word}


ROWS = (Endpoint("GET", "/hello", hello, None), Endpoint("POST", "/echo", echo, None, Greeting))


class Wire:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def sends(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def hears(self) -> tuple[int, dict[str, str], Any]:
        """The next answer: status, headers, body."""
        async with asyncio.timeout(10):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await self._reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, json.loads(body)

    async def is_closed(self) -> bool:
        """Whether nothing more comes."""
        async with asyncio.timeout(10):
            return await self._reader.read() == b""

    def close(self) -> None:
        self._writer.close()


Dial = Callable[[], Awaitable[Wire]]


@pytest.fixture
async def running() -> AsyncIterator[uvicorn.Server]:
    async def nobody(_ctx: object, _request: object) -> Any:
        raise AssertionError("no row asks for an account")

    async def close() -> None:
        return None

    service = Service("greeter", cast(Database, None), close, routes=routes(None, ROWS, nobody))
    serving = server(application([service], cast(Bus, None)), host="127.0.0.1", port=0)
    task = asyncio.create_task(serving.serve())
    async with asyncio.timeout(10):
        while not serving.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.001)
    yield serving
    serving.should_exit = True
    await task


@pytest.fixture
async def dial(running: uvicorn.Server) -> AsyncIterator[Dial]:
    port = running.servers[0].sockets[0].getsockname()[1]
    wires: list[Wire] = []

    async def connect() -> Wire:
        wires.append(Wire(*await asyncio.open_connection("127.0.0.1", port)))
        return wires[-1]

    yield connect
    for wire in wires:
        wire.close()


async def test_a_connection_serves_one_request_after_the_other(dial: Dial) -> None:
    wire = await dial()
    for _ in range(3):
        await wire.sends(GET)
        status, headers, body = await wire.hears()
        assert (status, body) == (200, {"says": "hello"})
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("started", [b"GET /hel", GET + GET[:30], b"\r\n"], ids=["first", "next", "blank line"])
async def test_a_head_that_does_not_come_in_time_ends_the_connection(
    started: bytes, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    wire = await dial()

    await wire.sends(started)

    if started.startswith(GET):
        assert (await wire.hears())[0] == 200
        await wire.sends(b"H")  # what is under way is not hurried: the time runs from here
    if started != b"\r\n":
        status, headers, body = await wire.hears()
        assert (status, headers["connection"]) == (408, "close")
        assert body == {"detail": "the request has not come in time"}
    assert await wire.is_closed()


async def test_bytes_now_and_then_do_not_buy_more_time(dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.2)
    wire = await dial()
    hearing = asyncio.create_task(wire.hears())

    await wire.sends(b"GET /hello HTTP/1.1\r\n")
    while not hearing.done():
        await wire.sends(b"X: y\r\n")
        await asyncio.wait({hearing}, timeout=0.02)

    assert hearing.result()[0] == 408


async def test_a_silent_connection_is_closed_without_a_word(
    running: uvicorn.Server, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running.config, "timeout_keep_alive", 0.05)
    assert await (await dial()).is_closed()


async def test_headers_within_the_limit_are_taken(dial: Dial) -> None:
    wire = await dial()
    await wire.sends(GET[:-2] + b"X-Long: " + b"x" * (HEAD_LIMIT - 200) + b"\r\n\r\n")
    assert (await wire.hears())[0] == 200


LARGE_HEADS = {
    "one long header": GET[:-2] + b"X-Long: " + b"x" * 2 * HEAD_LIMIT,
    "many headers": GET[:-2] + b"X: y\r\n" * HEAD_LIMIT,
    "a long target": b"GET /hello?" + b"x" * 2 * HEAD_LIMIT,
}


@pytest.mark.parametrize("head", LARGE_HEADS.values(), ids=LARGE_HEADS)
async def test_headers_beyond_the_limit_are_431(head: bytes, dial: Dial) -> None:
    wire = await dial()

    await wire.sends(head + (b"\r\n\r\n" if head.startswith(GET[:-2]) else b" HTTP/1.1\r\n\r\n"))

    status, headers, body = await wire.hears()
    assert (status, headers["connection"]) == (431, "close")
    assert body == {"detail": "the request's headers are larger than 16384 bytes"}


@pytest.mark.parametrize("head", LARGE_HEADS.values(), ids=LARGE_HEADS)
async def test_headers_without_an_end_are_not_collected(head: bytes, dial: Dial) -> None:
    wire = await dial()
    hearing = asyncio.create_task(wire.hears())

    with suppress(ConnectionError):  # the other side hangs up in the middle of it
        await wire.sends(head)
        while not hearing.done():
            await wire.sends(b"x")
            await asyncio.wait({hearing}, timeout=0.001)
            await wire.sends(b"x" * HEAD_LIMIT)

    assert (await hearing)[0] == 431


async def test_a_large_body_is_no_large_head(dial: Dial) -> None:
    wire = await dial()
    body = json.dumps({"word": "x" * 60_000}).encode()
    post = HEAD % (b"POST", b"/echo") + b"Content-Length: %d\r\n\r\n" % len(body) + body

    await wire.sends(post + GET + post)

    assert [(await wire.hears())[0] for _ in range(3)] == [200, 200, 200]


async def test_what_is_no_http_is_400(dial: Dial) -> None:
    wire = await dial()
    await wire.sends(b"\x16\x03\x01 hello\r\n\r\n")
    assert (await wire.hears())[::2] == (400, {"detail": "this is no HTTP request that can be read"})


async def test_a_body_that_does_not_come_in_time_is_503(dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    wire = await dial()
    await wire.sends(HEAD % (b"POST", b"/echo") + b'Content-Length: 100\r\n\r\n{"word"')
    status, headers, _ = await wire.hears()
    assert (status, headers["retry-after"]) == (503, "5")


async def test_a_body_that_nobody_reads_is_not_waited_for_either(dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    wire = await dial()
    await wire.sends(HEAD % (b"GET", b"/hello") + b"Content-Length: 100\r\n\r\n")
    assert (await wire.hears())[0] == 200

    await wire.sends(b"x")

    assert await wire.is_closed()


async def test_a_body_answered_before_its_end_leaves_the_connection_usable(dial: Dial) -> None:
    wire = await dial()
    await wire.sends(HEAD % (b"GET", b"/hello") + b"Content-Length: 4\r\n\r\n")
    assert (await wire.hears())[0] == 200
    await wire.sends(b"12")

    await wire.sends(b"34" + GET)

    assert (await wire.hears())[0] == 200


async def test_one_connection_too_many_is_told_to_come_again(dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "_limit", 1)
    first, second = await dial(), await dial()

    status, headers, _ = await second.hears()

    assert (status, headers["retry-after"]) == (503, "5")
    assert await second.is_closed()
    await first.sends(GET)
    assert (await first.hears())[0] == 200
