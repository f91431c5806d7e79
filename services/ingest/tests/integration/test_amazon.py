"""What does a fetch do, and what does it never do? Against servers of our own on the loopback interface."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pagerpal_common.errors import Unavailable
from pagerpal_common.testing.waiting import until
from pagerpal_common.tls import trusted
from pagerpal_ingest import amazon as module
from pagerpal_ingest.amazon import BODY_LIMIT, Amazon, Fetched

from services.ingest.tests.fake_amazon import certificate, signing_key

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers every request the same way, and remembers the requests."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests: list[bytes] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            await self._answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def served(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(answer)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls) as listening:
        port = listening.sockets[0].getsockname()[1]
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/"
        yield server


def says(status: str, body: bytes = b"", *headers: str) -> Answer:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""])

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + body)
        await writer.drain()

    return answer


async def never(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_an_answer_is_its_status_and_its_body() -> None:
    async with served(says("200 OK", b"<ok/>")) as server:
        assert await Amazon().fetch(f"{server.url}?a=1&b=arn:x") == Fetched(200, b"<ok/>")

    (request,) = server.requests
    assert request.startswith(b"GET /?a=1&b=arn:x HTTP/1.1\r\n")
    assert b"accept-encoding: identity" in request.lower()


async def test_a_redirect_is_not_followed() -> None:
    async with served(says("200 OK", b"inside")) as inside:
        async with served(says("302 Found", b"", f"Location: {inside.url}")) as server:
            assert (await Amazon().fetch(server.url)).status == 302

        assert inside.requests == []


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(says("200 OK", b"proxy")) as proxy, served(says("200 OK", b"direct")) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)

        assert (await Amazon().fetch(server.url)).body == b"direct"
        assert proxy.requests == []


@pytest.mark.parametrize("is_trusted", [False, True])
async def test_whoever_cannot_show_a_trusted_certificate_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_trusted: bool
) -> None:
    """Not even when the environment names somebody to trust: that is the proxies' door, too."""
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    key.write_bytes(signing_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    chain.write_bytes(certificate(address="127.0.0.1", days=3650))
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    trusted.cache_clear()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, key)

    async with served(says("200 OK", b"evil"), tls) as server:
        with pytest.raises(Unavailable, match="no answer from 127"):
            await Amazon().fetch(server.url)

    assert server.requests == []


@pytest.mark.parametrize("size", [BODY_LIMIT, BODY_LIMIT + 1])
async def test_a_long_answer_is_none(size: int) -> None:
    async with served(says("200 OK", b"x" * size)) as server:
        if size == BODY_LIMIT:
            assert len((await Amazon().fetch(server.url)).body) == size
        else:
            with pytest.raises(Unavailable, match="longer than"):
                await Amazon().fetch(server.url)


async def test_an_answer_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FETCH_SECONDS", 0.05)

    async with served(never) as server:
        with pytest.raises(Unavailable, match=r"no answer from 127\.0\.0\.1: "):
            await Amazon().fetch(server.url)


@pytest.mark.parametrize("answer", [says("nonsense"), says("200 OK", b"", "Transfer-Encoding: chunked")])
async def test_a_broken_answer_is_none(answer: Answer) -> None:
    async with served(answer) as server:
        with pytest.raises(Unavailable):
            await Amazon().fetch(server.url)


async def test_an_address_where_nobody_is_gives_no_answer() -> None:
    async with served(never) as server:
        pass

    with pytest.raises(Unavailable, match="ConnectError"):
        await Amazon().fetch(server.url)


async def test_too_many_at_a_time_are_refused_at_once() -> None:
    gate = asyncio.Event()

    async def later(writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await says("200 OK")(writer)

    amazon = Amazon()
    async with served(later) as server:
        fetching = [asyncio.create_task(amazon.fetch(server.url)) for _ in range(module.UNDER_WAY)]
        await until(lambda: len(server.requests) == module.UNDER_WAY)
        with pytest.raises(Unavailable, match="too much"):
            await amazon.fetch(server.url)

        gate.set()
        assert {answer.status for answer in await asyncio.gather(*fetching)} == {200}
        assert (await amazon.fetch(server.url)).status == 200
