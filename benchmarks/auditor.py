"""How long does the auditor look, and how long does the ledger add up? `.venv/bin/python benchmarks/auditor.py [ROWS]`.

A million incidents, 2 % of them triggered and 3 % acknowledged, each with its alert, run, page request and
notification. Prints the median and the worst of each check, and of all of them; says which reads a big table from end
to end, and ends with 1 if any does, or if all together take a second (guarantee I19).
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

import asyncpg
from incident_list import FILL
from pagerpal_common.clock import utc_now
from pagerpal_common.db import Database, connect
from pagerpal_common.migrations import upgrade
from pagerpal_standalone.postgres import embedded_postgres
from pagerpal_web.domain.auditor import Check
from pagerpal_web.domain.jobs import LATE
from pagerpal_web.domain.ledger import account, slices
from pagerpal_web.storage.auditor import ASKED, CHECKS, MOST_COUNTED, list_asked, look
from pagerpal_web.storage.ledger import list_elsewhere, list_ledger
from sqlalchemy import TextClause, make_url, text

REPEATS = 20
ALLOWED_MS = 1_000
BIG = ("incidents", "alerts", "escalations", "page_requests", "notifications")

REST = """
INSERT INTO incidents.alerts (alert_id, source_id, status, outcome, incident_id, received_at, recorded_at)
SELECT gen_random_uuid(), source_id, 'firing', 'opened', id, created_at, created_at
FROM incidents.incidents ORDER BY id;
INSERT INTO escalation.escalations
SELECT escalation_id, id, team_id, '{"policy_id": 1}',
       CASE status WHEN 'triggered' THEN 'waiting' WHEN 'acknowledged' THEN 'acknowledged' ELSE 'over' END,
       1, 1, 0, NULL, CASE status WHEN 'triggered' THEN now() + interval '1 hour' END, created_at
FROM incidents.incidents;
INSERT INTO incidents.page_requests
    (incident_id, escalation_id, pass_number, level, reminder, user_id, reason, requested_at, is_open)
SELECT id, escalation_id, 1, 1, 0, 1, '[]', created_at, status = 'triggered' FROM incidents.incidents ORDER BY id;
INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step,
    pass_number, level, reason, status, attempts, due_at, created_at, settled_at)
SELECT r.id, r.incident_id, r.escalation_id, 1, 'sms', 0, 1, 1, '[]', CASE WHEN r.is_open THEN 'queued' ELSE 'sent' END,
       1, CASE WHEN r.is_open THEN now() + interval '1 hour' END, r.requested_at, r.requested_at
FROM incidents.page_requests r;
"""


async def main(folder: Path, rows: int) -> int:
    async with embedded_postgres(folder / "data") as url:
        await upgrade(url)
        await _fill(url, rows)
        web = connect(url, role="web")
        total = 0.0
        for check in Check:
            total += await _measure(check, _looking(web, check))
        total += await _measure("asked", _asking(web))
        print(f"{'all checks':<24} {total:9.1f} ms, of {ALLOWED_MS} allowed")
        for days in (1, 7, 31):
            await _measure(f"ledger of {days} days", _accounting(web, days))
        whole = [name for name, statement in _statements() if await _reads_it_all(web, name, statement)]
        await web.close()
    print(f"reads a big table from end to end: {', '.join(whole) or 'none'}")
    return int(bool(whole) or total >= ALLOWED_MS)


def _statements() -> list[tuple[str, TextClause]]:
    return [*((str(check), statement) for check, statement in CHECKS.items()), ("asked", ASKED)]


async def _fill(url: str, rows: int) -> None:
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    began = time.perf_counter()
    await connection.execute(FILL, rows)
    await connection.execute(REST)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    print(f"{rows:,} incidents and what belongs to them written in {time.perf_counter() - began:.0f} s")


def _looking(db: Database, check: Check) -> Callable[[], Awaitable[object]]:
    async def once() -> object:
        async with db.begin() as tx:
            return await look(tx, check, before=utc_now() - LATE)

    return once


def _asking(db: Database) -> Callable[[], Awaitable[object]]:
    async def once() -> object:
        async with db.begin() as tx:
            return len(await list_asked(tx, before=utc_now() - LATE))

    return once


def _accounting(db: Database, days: int) -> Callable[[], Awaitable[object]]:
    async def once() -> object:
        until = utc_now()
        since = until - timedelta(days=days)
        async with db.begin() as tx:
            groups = await list_elsewhere(tx, since=since, until=until)
            for begins, ends in slices(since, until):
                groups += await list_ledger(tx, since=begins, until=ends, late=until - LATE)
        return account(groups).accepted

    return once


async def _measure(name: str, once: Callable[[], Awaitable[object]]) -> float:
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        found = await once()
        taken.append((time.perf_counter() - began) * 1000)
    print(f"{name:<24} {median(taken):9.1f} ms, worst {max(taken):.1f} ms; {found}")
    return median(taken)


async def _reads_it_all(db: Database, name: str, statement: TextClause) -> bool:
    async with db.begin() as tx:
        values = {"before": utc_now() - LATE, "most": MOST_COUNTED}
        plan = list((await tx.execute(text(f"EXPLAIN {statement.text}"), values)).scalars())
    if "--plan" in sys.argv:
        print(name, *plan, sep="\n")
    return any("Seq Scan on" in line and any(f" on {table} " in line for table in BIG) for line in plan)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    with tempfile.TemporaryDirectory(prefix="pagerpal-bench-") as created:
        Path(created).chmod(0o755)  # as root the server runs as somebody else, who has to get in
        sys.exit(asyncio.run(main(Path(created), numbers[0] if numbers else 1_000_000)))
