"""How long from a POST of an alert to the provider's socket, with all five services running?

20 alerts a second, each of them new and critical; the provider is a socket in this process that notes when the
request for each alert arrives. The sender does not wait for its answers, so a slow one delays nobody else.

    python benchmarks/page_latency.py [SECONDS] [ALERTS_PER_SECOND]
"""

import asyncio
import re
import sys
import time

import httpx
from provider import accepted, read_message
from stack import KEY, stack

SERVICES = ("ingest", "incidents", "escalator", "notifier", "web")
LONGEST_WAIT = 30.0


class Provider:
    """Answers every SMS like Infobip, and remembers when the one that names an alert came."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}

    async def start(self) -> int:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while message := await read_message(reader):
            arrived = time.perf_counter()
            found = re.search(r"bench-\d+", message["content"]["text"])
            if found:
                self.arrived.setdefault(found[0], arrived)
            writer.write(accepted(message["destinations"][0]["messageId"]))
            await writer.drain()
        writer.close()


async def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    provider = Provider()
    base_url = f"http://127.0.0.1:{await provider.start()}"
    async with stack(SERVICES, {"INFOBIP_BASE_URL": base_url, "INFOBIP_API_KEY": "benchmark"}) as running:
        await _run(running.ports["ingest"], provider, 3.0, rate)  # warm up
        sent = await _run(running.ports["ingest"], provider, seconds, rate)
    waits = sorted((provider.arrived[name] - at) * 1000 for name, at in sent.items() if name in provider.arrived)
    missing = len(sent) - len(waits)
    print(f"{len(sent)} alerts at {rate:g}/s; POST to the provider's socket, ms (never arrived: {missing})")
    for share in (50, 90, 99, 100):
        print(f"  p{share:<3} {waits[min(len(waits) - 1, len(waits) * share // 100)]:8.1f}")


async def _run(port: int, provider: Provider, seconds: float, rate: float) -> dict[str, float]:
    """Send at a fixed rate, then wait until everything has arrived; when each alert was sent."""
    sent: dict[str, float] = {}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": KEY}) as client:
        posts = []
        start = time.perf_counter()
        for number in range(int(seconds * rate)):
            await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
            name = f"bench-{time.time_ns()}"
            sent[name] = time.perf_counter()
            posts.append(asyncio.create_task(client.post("/api/v1/alerts", json=_alert(name), timeout=10)))
        await asyncio.gather(*posts)
        deadline = time.perf_counter() + LONGEST_WAIT
        while any(name not in provider.arrived for name in sent) and time.perf_counter() < deadline:
            await asyncio.sleep(0.05)
    return sent


def _alert(name: str) -> dict[str, str]:
    return {"title": f"{name} is down", "severity": "critical", "external_id": name}


if __name__ == "__main__":
    asyncio.run(main())
