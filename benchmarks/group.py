"""How long does a body of thousands of alerts take, and what do other senders feel of it?

One client posts a Grafana notification of N new alerts, N resolved ones, then the first again; another posts single
alerts all the time, one after the other. Absolute figures are this machine's; compare quiet with busy.

    python benchmarks/group.py [ALERTS]
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence

import httpx
from stack import KEY, stack

HEADERS = {"X-API-Key": KEY}
QUIET_SECONDS = 5.0


async def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    async with stack(["ingest", "incidents"]) as running:
        base = f"http://127.0.0.1:{running.ports['ingest']}"
        async with httpx.AsyncClient(base_url=base, headers=HEADERS, timeout=120, trust_env=False) as client:
            await post_group(client, "warm-up", 500, "firing")
            quiet = await others(client, asyncio.sleep(QUIET_SECONDS))
            print(f"{'others, quiet':<24} p50 {at(quiet, 0.5):6.1f} ms  p99 {at(quiet, 0.99):6.1f} ms")
            for name, status in (("firing", "firing"), ("the same again", "firing"), ("resolved", "resolved")):
                busy = await others(client, post_group(client, name, number, status))
                print(f"{'others meanwhile':<24} p50 {at(busy, 0.5):6.1f} ms  p99 {at(busy, 0.99):6.1f} ms")


async def post_group(client: httpx.AsyncClient, name: str, number: int, status: str) -> None:
    alerts = [
        {
            "status": status,
            "labels": {"alertname": "DiskFull", "instance": f"db-{one}", "severity": "critical", "job": "node"},
            "annotations": {"summary": f"Disk full on db-{one}", "runbook_url": "https://runbooks.example/disk"},
            "startsAt": "2026-05-21T11:50:00Z",
            "endsAt": "2026-05-21T12:50:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
            "generatorURL": "https://grafana.example/alerting/1afz29v7z/edit",
            "fingerprint": f"{one:016x}",
            "values": {"A": 97.25, "C": 1},
        }
        for one in range(number)
    ]
    body = json.dumps({"status": status, "alerts": alerts}).encode()
    started = time.perf_counter()
    answer = await client.post("/api/v1/webhooks/grafana", content=body)
    seconds = time.perf_counter() - started
    outcomes = {entry["outcome"] for entry in answer.json()["incidents"]}
    print(f"{number} alerts, {name}: {answer.status_code} {outcomes} {seconds:.2f} s, {len(body) / 1e6:.1f} MB")


async def others(client: httpx.AsyncClient, work: object) -> Sequence[float]:
    """How long each alert of somebody else takes while this goes on, in milliseconds, sorted."""
    busy = asyncio.ensure_future(work)  # type: ignore[call-overload]
    latencies = []
    number = 0
    while not busy.done():
        number += 1
        started = time.perf_counter()
        body = {"title": "another", "severity": "info", "external_id": f"other-{number % 50}"}
        answer = await client.post("/api/v1/alerts", json=body)
        assert answer.status_code in {200, 201, 202}, answer.text
        latencies.append((time.perf_counter() - started) * 1000)
    await busy
    return sorted(latencies)


def at(ordered: Sequence[float], share: float) -> float:
    return ordered[int(len(ordered) * share)] if ordered else 0.0


if __name__ == "__main__":
    asyncio.run(main())
