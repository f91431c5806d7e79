"""What do two storms of one source cost the others? 10,000 different alerts in 20 s, and 100,000 repeats of one.

Four services on one machine with broker, database and senders. A calm source posts some twenty alerts a second
throughout; its answers' times while it storms are compared with those while it is quiet. Compare ratios, not figures.

    python benchmarks/storm.py [DISTINCT] [REPEATS]
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import uvloop
from load import Connection
from sqlalchemy import make_url
from stack import CALM_KEY, KEY, Stack, cpu_seconds, resident_megabytes, stack

SERVICES = ("ingest", "incidents", "escalator", "notifier")
CONNECTIONS = 100
DISTINCT_RATE = 500.0
RETRY_AFTER = 1.0
"""Seconds; what is refused with 503 is sent again after that, as by any sender."""
CALM_PAUSE = 0.04
QUIET_SECONDS = 20.0


@dataclass
class Storm:
    """A number of alerts over as many connections as there are, each sent once the one before is answered: at once, or
    when its time has come."""

    key: str
    number: int
    external_id: str | None
    """None: each alert has one of its own."""
    rate: float | None
    """Alerts a second; None: as many as are answered."""
    began: float = field(default_factory=time.perf_counter)
    open: int = CONNECTIONS
    sent: int = 0
    taken: int = 0
    is_refused: bool = False
    given: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def request(self) -> bytes:
        self.sent += 1
        name = self.external_id or f"distinct-{self.sent}"
        body = f'{{"title":"{name} is down","severity":"critical","external_id":"{name}"}}'
        head = f"POST /api/v1/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {self.key}\r\nContent-Length: "
        return f"{head}{len(body)}\r\n\r\n{body}".encode()

    def pause(self) -> float:
        if self.is_refused:
            return RETRY_AFTER
        self.given += 1
        return 0 if self.rate is None else max(0.0, self.began + self.given / self.rate - time.perf_counter())

    def is_over(self) -> bool:
        return self.taken >= self.number

    def answered(self, status: int, _seconds: float) -> None:
        self.statuses[status] += 1
        self.is_refused = status == 503
        self.taken += not self.is_refused

    def lost(self) -> None:
        self.open -= 1
        if not self.open:
            self.closed.set()


async def main() -> None:
    distinct = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    async with stack(SERVICES, is_limited=True) as running:
        async with calm(running) as quiet:
            await asyncio.sleep(QUIET_SECONDS)
        print(f"calm source, all quiet:        p50 {percentile(quiet, 50):6.1f}  p99 {percentile(quiet, 99):6.1f} ms")
        for words, number, external_id in (("different alerts", distinct, None), ("repeats of one", repeats, "one")):
            await storm(running, words, number, external_id, quiet)
        await tell_what_is_there(running)


async def storm(running: Stack, words: str, number: int, external_id: str | None, quiet: list[float]) -> None:
    before, used = memory(running), cpu(running)
    began = time.perf_counter()
    async with calm(running) as times:
        result = await send(running.ports["ingest"], number, external_id)
    seconds = time.perf_counter() - began
    ratio = percentile(times, 99) / percentile(quiet, 99)
    print(
        f"{number} {words}: {seconds:.0f} s, {result}\n"
        f"  calm source meanwhile:       p50 {percentile(times, 50):6.1f}  p99 {percentile(times, 99):6.1f} ms"
        f"  ({ratio:.1f} x quiet)\n"
        f"  resident MB before -> after: " + ", ".join(f"{n} {before[n]} -> {m}" for n, m in memory(running).items())
    )
    spent = {name: seconds - used[name] for name, seconds in cpu(running).items()}
    print(
        f"  CPU: {sum(spent.values()) * 1000 / number:.1f} ms for each of them; of that "
        + ", ".join(f"{name} {seconds * 1000 / number:.1f}" for name, seconds in spent.items())
    )


async def send(port: int, number: int, external_id: str | None) -> str:
    """In a process of its own, so that its work does not delay the calm source's clock."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "--send",
        *(str(port), str(number), external_id or "", "" if external_id else str(DISTINCT_RATE)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent,
    )
    output, _ = await process.communicate()
    return output.decode().strip()


async def _send(port: int, number: int, external_id: str, rate: str) -> None:
    load = Storm(KEY, number, external_id or None, float(rate) if rate else None)
    loop = asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", port)
    await load.closed.wait()
    print(json.dumps({"answers": dict(sorted(load.statuses.items()))}))


@asynccontextmanager
async def calm(running: Stack) -> AsyncIterator[list[float]]:
    """Some twenty alerts a second from another source; how long each answer took, in milliseconds."""
    times: list[float] = []
    posting = asyncio.create_task(_post_calmly(running.ports["ingest"], times))
    yield times
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)


async def _post_calmly(port: int, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    while True:
        number += 1
        body = f'{{"title":"calm","severity":"info","external_id":"calm-{number % 5}"}}'
        began = time.perf_counter()
        head = (
            f"POST /api/v1/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {CALM_KEY}\r\nContent-Length: {len(body)}"
        )
        writer.write(f"{head}\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        times.append((time.perf_counter() - began) * 1000)
        if not answer.startswith(b"HTTP/1.1 20"):
            print(f"the calm source was refused: {answer[:12].decode()}")
        await asyncio.sleep(CALM_PAUSE)


async def tell_what_is_there(running: Stack) -> None:
    url = make_url(running.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT i.alert_count, (SELECT count(*) FROM incidents.events e WHERE e.incident_id = i.id) AS events"
        " FROM incidents.incidents i WHERE external_id = 'one'"
    )
    for row in rows:
        print(f"the repeats: an incident of {row['alert_count']} alerts with {row['events']} timeline events")
    await connection.close()


def memory(running: Stack) -> dict[str, int]:
    return {name: resident_megabytes(running.pids[name]) for name in SERVICES}


def cpu(running: Stack) -> dict[str, float]:
    return {name: cpu_seconds(pid) for name, pid in running.pids.items()}


def percentile(times: list[float], share: int) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


if __name__ == "__main__":
    if "--send" in sys.argv:
        uvloop.run(_send(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]))
    else:
        asyncio.run(main())
