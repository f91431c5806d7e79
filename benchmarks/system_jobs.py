"""How long does `/api/v1/system/jobs` take with a long history? `.venv/bin/python benchmarks/system_jobs.py`.

A million incidents, ledger rows, escalation runs and notifications; then the same with more waiting than is counted:
what is due, and a spool and an outbox from an outage. Prints the median and the worst of its statements, and the plan.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import asyncpg
from pagerpal_common.clock import utc_now
from pagerpal_common.db import Database, connect
from pagerpal_common.migrations import upgrade
from pagerpal_standalone.postgres import embedded_postgres
from pagerpal_web.storage import system
from sqlalchemy import make_url, text

ROWS = 1_000_000
WAITING = 20_000
REPEATS = 50

HISTORY = f"""
INSERT INTO incidents.incidents (title, description, severity, source_id, team_id, status, current_escalation_level,
    escalation_id, escalation_pass, escalation_reminder, level_entered_at, notification_count, created_at, alert_count,
    last_alert_at, links, labels, is_unreached)
SELECT 'x', '', 'critical', 1, 1, 'resolved', 1, n, 1, 0, now(), 1, now(), 1, now(), '[]', '{{}}', false
FROM generate_series(1, {ROWS}) n;
INSERT INTO incidents.alerts (alert_id, source_id, status, outcome, incident_id, received_at, recorded_at)
SELECT gen_random_uuid(), 1, 'firing', 'opened', n, now(), now() FROM generate_series(1, {ROWS}) n;
INSERT INTO escalation.escalations
SELECT n, n, 1, '{{}}', CASE n % 20 WHEN 0 THEN 'waiting' ELSE 'over' END, 1, 1, 0, NULL,
    CASE n % 20 WHEN 0 THEN now() + interval '1 hour' END, now() FROM generate_series(1, {ROWS}) n;
INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step,
    pass_number, level, reason, status, attempts, due_at, created_at, settled_at)
SELECT n, n, n, 1, 'sms', 0, 1, 1, '[]', CASE n % 20 WHEN 0 THEN 'queued' ELSE 'sent' END, 1,
    CASE n % 20 WHEN 0 THEN now() + interval '1 hour' END, now(), now() FROM generate_series(1, {ROWS}) n;
"""
OUTAGE = f"""
INSERT INTO ingest.spool SELECT gen_random_uuid(), '{{}}', now() FROM generate_series(1, {WAITING});
INSERT INTO incidents.outbox (message_id, topic, body, created_at)
SELECT gen_random_uuid(), 'x', '{{}}', now() FROM generate_series(1, {WAITING});
UPDATE escalation.escalations SET due_at = now() WHERE escalation_id <= {WAITING};
UPDATE notification.notifications SET due_at = now() WHERE id <= {WAITING};
"""


async def main(folder: Path) -> None:
    async with embedded_postgres(folder / "data") as url:
        await upgrade(url)
        web = connect(url, role="web")
        await _write(url, HISTORY)
        await _measure("a long history, nothing due", web)
        await _write(url, OUTAGE)
        await _measure(f"{WAITING} of everything waiting", web)
        await web.close()


async def _write(url: str, script: str) -> None:
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    await connection.execute(script)
    await connection.execute("ANALYZE")
    await connection.close()


async def _measure(name: str, db: Database) -> None:
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        async with db.begin() as tx:
            await system.list_runs(tx)
            work = await system.count_work(tx, at=utc_now())
            await system.count_parked_alerts(tx)
        taken.append((time.perf_counter() - began) * 1000)
    print(f"{name}: median {median(taken):.1f} ms, worst {max(taken):.1f} ms; {dict(work)}")
    if "--plan" in sys.argv:
        async with db.begin() as tx:
            values = {"at": utc_now(), "most": system.MOST_COUNTED}
            plan = await tx.execute(text(f"EXPLAIN (ANALYZE, BUFFERS) {system._WORK.text}"), values)  # noqa: SLF001
            print("\n".join(plan.scalars()))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="pagerpal-bench-") as created:
        Path(created).chmod(0o755)  # as root the server runs as somebody else, who has to get in
        asyncio.run(main(Path(created)))
