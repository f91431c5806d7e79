"""How long does a page of the incident list take, with a million incidents? By the real endpoint, HTTP and all.

Fills an embedded PostgreSQL, lets it vacuum as it would by itself, and asks web's application in this process: routing,
credentials, validation, SQL and JSON are in the figures, the network is not.

    python benchmarks/incident_list.py [INCIDENTS] [REQUESTS]
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
from argon2 import PasswordHasher
from pagerpal_common.bus.memory import MemoryBus
from pagerpal_common.clock import utc_now
from pagerpal_common.http import application
from pagerpal_common.migrations import upgrade
from pagerpal_standalone.postgres import embedded_postgres
from pagerpal_web.service import build
from pagerpal_web.settings import WebSettings
from sqlalchemy import make_url

PAGES = ((1, 50), (2_000, 50), (1, 200), (2_000, 200))
"""Page and page size."""

FILTERS: tuple[Mapping[str, str | int], ...] = (
    {},
    {"status": "triggered"},
    {"status": "resolved"},
    {"severity": "critical"},
    {"status": "resolved", "severity": "warning"},
    {"team_id": 1},
    {"team_id": 1, "severity": "critical"},
    {"team_id": 1, "status": "resolved"},
    {"team_id": 1, "status": "resolved", "severity": "critical"},
    {"source_id": 1},
    {"source_id": 1, "status": "acknowledged"},
    {"source_id": 1, "team_id": 1, "severity": "critical"},
    {"source_id": 199},
    {"team_id": 20, "status": "triggered", "severity": "info"},
)

# Half of all incidents are team 1's and a quarter its source 1's; the rest is spread over 20 teams and 200 sources.
# 2 % triggered, 3 % acknowledged, in no order.
FILL = """
INSERT INTO incidents.incidents
    (title, description, severity, external_id, source_id, team_id, status, current_escalation_level, escalation_id,
     escalation_pass, escalation_reminder, level_entered_at, notification_count, created_at, alert_count, last_alert_at,
     links, labels, is_unreached)
SELECT 'CPU > 95% on prod-api-' || source || '-' || number, 'CPU has been above 95% for 10 minutes',
       (ARRAY['critical', 'warning', 'info'])[1 + number % 3], 'cpu-' || number, source,
       CASE WHEN source <= 10 THEN 1 ELSE 1 + source % 20 END,
       CASE WHEN chance < 0.02 THEN 'triggered' WHEN chance < 0.05 THEN 'acknowledged' ELSE 'resolved' END,
       1, number, 1, 0, at, 2, at, 1, at, '[]', '{"host": "prod-api-03"}', false
FROM (
    SELECT number, random() AS chance, now() - ($1 - number) * interval '1 minute' AS at,
           CASE number % 4 WHEN 0 THEN 1 WHEN 1 THEN 2 + number / 4 % 9 ELSE 1 + (random() * 199)::int END AS source
    FROM generate_series(1, $1) AS number
) AS made
"""
ACCOUNT = """
WITH made AS (
    INSERT INTO directory.users (name, email, role, timezone, created_at)
    VALUES ('Vi', 'vi@example.org', 'viewer', 'UTC', now()) RETURNING id
)
INSERT INTO directory.credentials (user_id, password_hash, changed_at) SELECT id, $1, now() FROM made
"""
PASSWORD = "benchmarks-only"


async def main() -> None:
    incidents = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    requests = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    async with _web(incidents) as client:
        print(f"{'filters':<58} {'total':>8}" + "".join(f" {f'p. {page:,} of {size}':>16}" for page, size in PAGES))
        print(f"{'ms, p50 / max of ' + str(requests):<67}")
        for filters in FILTERS:
            cells = [await _measure(client, filters, page, size, requests) for page, size in PAGES]
            named = ", ".join(f"{name} {value}" for name, value in filters.items()) or "none"
            print(f"{named:<58} {cells[0][0]:>8}" + "".join(f" {cell:>16}" for _, cell in cells))


async def _measure(
    client: httpx.AsyncClient, filters: Mapping[str, str | int], page: int, size: int, requests: int
) -> tuple[int, str]:
    times = []
    for _ in range(requests + 1):  # the first one finds nothing cached, and is not counted
        started = time.perf_counter()
        answer = await client.get("/api/v1/incidents", params={**filters, "page": page, "page_size": size})
        times.append((time.perf_counter() - started) * 1000)
    body = answer.json()
    expected = max(0, min(size, body["total"] - (page - 1) * size))
    assert len(body["items"]) == expected, (filters, page, size, body["total"], len(body["items"]))
    ordered = sorted(times[1:])
    note = "" if expected else " -"
    return body["total"], f"{ordered[len(ordered) // 2]:.1f} / {ordered[-1]:.1f}{note}"


@asynccontextmanager
async def _web(incidents: int) -> AsyncIterator[httpx.AsyncClient]:
    """Web's application on a full database, called as a viewer."""
    with tempfile.TemporaryDirectory(prefix="pagerpal-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - before anything runs
        async with embedded_postgres(Path(folder) / "data") as url:
            await upgrade(url)
            await _fill(url, incidents)
            bus = MemoryBus()
            service = build(WebSettings.model_validate({"PAGERPAL_DATABASE_URL": url}), bus, utc_now)
            transport = httpx.ASGITransport(application([service], bus))
            auth = httpx.BasicAuth("vi@example.org", PASSWORD)
            async with httpx.AsyncClient(transport=transport, base_url="http://web", auth=auth) as client:
                yield client
            await service.close()


async def _fill(url: str, incidents: int) -> None:
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    started = time.perf_counter()
    await connection.execute(ACCOUNT, PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD))
    await connection.execute(FILL, incidents)
    await connection.execute("VACUUM ANALYZE incidents.incidents")
    print(f"{incidents:,} incidents written in {time.perf_counter() - started:.0f} s")
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main())
