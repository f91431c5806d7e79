"""A closed-loop load generator: N connections, each posts its next alert when the last is answered.

Runs as a process of its own, so that its CPU can be told from the server's. Half of the alerts repeat one of 1,000
external ids, half are new. Loopback only.

    python benchmarks/load.py PORT KEY CONNECTIONS SECONDS     → one line of JSON
"""

import asyncio
import json
import random
import resource
import sys
import time
from collections import Counter
from typing import Protocol, cast

import uvloop

WARM_UP_SECONDS = 1.0


class Sending(Protocol):
    """What the connections send, and who is told what came of it."""

    def request(self) -> bytes: ...

    def pause(self) -> float: ...

    def is_over(self) -> bool: ...

    def answered(self, status: int, seconds: float) -> None: ...

    def lost(self) -> None: ...


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request at a time."""

    def __init__(self, load: Sending) -> None:
        self._load = load
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        if len(self._buffer) < head_end + 4 + length:
            return
        self._load.answered(int(head[9:12]), time.perf_counter() - self._sent_at)
        self._buffer = b""
        asyncio.get_running_loop().call_later(self._load.pause(), self._send)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost()

    def _send(self) -> None:
        if self._load.is_over():
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(self._load.request())


class Load:
    """What to send, and what came of it."""

    def __init__(self, key: str, connections: int, seconds: float) -> None:
        self.open = connections
        self.closed = asyncio.get_running_loop().create_future()
        self._seconds = seconds
        self._from = time.perf_counter() + WARM_UP_SECONDS
        self._latencies: list[float] = []
        self._statuses: Counter[int] = Counter()
        self._run = f"{time.time():.0f}"
        self._sent = 0
        self._head = f"POST /api/v1/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\nContent-Length: "

    def request(self) -> bytes:
        self._sent += 1
        name = f"seed-{random.randrange(1000)}" if self._sent % 2 else f"{self._run}-{self._sent}"
        body = (
            f'{{"title":"CPU > 95% on {name}","description":"CPU has been above 95% for 10 minutes",'
            f'"severity":"critical","external_id":"{name}"}}'
        )
        return f"{self._head}{len(body)}\r\n\r\n{body}".encode()

    def pause(self) -> float:
        return 0

    def is_over(self) -> bool:
        return time.perf_counter() > self._from + self._seconds

    def answered(self, status: int, seconds: float) -> None:
        if time.perf_counter() >= self._from:
            self._statuses[status] += 1
            self._latencies.append(seconds)

    def lost(self) -> None:
        self.open -= 1
        if not self.open:
            self.closed.set_result(None)

    def result(self) -> dict[str, object]:
        ordered = sorted(self._latencies)
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "alerts": len(ordered),
            "rate": round(len(ordered) / self._seconds),
            "p50_ms": round(ordered[len(ordered) // 2] * 1000, 2),
            "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 2),
            "statuses": dict(self._statuses),
            "generator_us": round((used.ru_utime + used.ru_stime) / max(1, self._sent) * 1e6),
        }


async def main() -> None:
    port, key, connections, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    load = Load(key, connections, seconds)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
    await load.closed
    print(json.dumps(load.result()))


if __name__ == "__main__":
    uvloop.run(main())
