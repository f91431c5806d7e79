"""Somebody's own web server, which takes what is posted and answers by its script."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Posted:
    """One request, as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(code: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole HTTP answer."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {code} X\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


class FakeReceiver:
    """Answers by its script of raw bytes, then 200. Without a Content-Length in them the connection stays open."""

    def __init__(self) -> None:
        self.script: deque[bytes] = deque()
        self.posted: list[Posted] = []
        self.url = ""
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def host(self) -> str:
        """With its port."""
        return self.url.split("/")[2]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?token=t0ken"
        try:
            yield
        finally:
            server.close()
            for connection in self._open:
                connection.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        assert request.startswith("POST ")
        self.posted.append(Posted(request.split(" ")[1], headers, body))
        said = self.script.popleft() if self.script else OK
        writer.write(said)
        if b"Content-Length" in said or not said:
            writer.close()
        else:
            await reader.read()
