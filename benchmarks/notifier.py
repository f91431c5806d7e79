"""How many notifications does a notifier send in a second, and how does that grow with more of them?

5,000 notifications to as many people are due at once, and the provider takes 100 ms for each. One, two and four
processes in turn; compare their ratios. On a machine of few cores the processes, the provider and the database share
them, and the growth ends there.

    python benchmarks/notifier.py [NOTIFICATIONS]
"""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import asyncpg
from provider import accepted, read_message
from sqlalchemy import make_url
from stack import Stack, cpu_seconds, free_port, stack
from stack import processes as start

LATENCY = 0.1
PROCESSES = (1, 2, 4)
LONGEST = 300.0

# Each person has an incident of their own, so that nothing is merged and nobody waits for anybody.
SEED = """
INSERT INTO directory.users (id, name, email, role, phone, timezone, created_at)
SELECT n, 'user ' || n, 'u' || n || '@example.org', 'responder', '+49151' || lpad(n::text, 7, '0'), 'UTC', now()
FROM generate_series(1000, 999 + {number}) n ON CONFLICT DO NOTHING;
TRUNCATE notification.notifications, notification.attempts, notification.receipts CASCADE;
TRUNCATE notification.circuits, notification.rations;
TRUNCATE incidents.page_requests;
DELETE FROM incidents.incidents;
INSERT INTO incidents.incidents (id, title, description, severity, source_id, team_id, status,
    links, labels, is_unreached, notification_count, escalation_reminder,
    current_escalation_level, escalation_id, escalation_pass, created_at, level_entered_at, heard_at, last_alert_at,
    alert_count, external_id)
OVERRIDING SYSTEM VALUE
SELECT n, 'bench-' || n, '', 'critical', 1, 1, 'triggered', '[]', '{{}}', false, 0, 0,
    1, n, 1, now(), now(), now(), now(), 1, 'e' || n
FROM generate_series(1000, 999 + {number}) n;
INSERT INTO incidents.page_requests (id, incident_id, escalation_id, pass_number, level, reminder, user_id, reason,
    requested_at, is_open)
OVERRIDING SYSTEM VALUE
SELECT n, n, n, 1, 1, 0, n, '["bench"]', now(), true FROM generate_series(1000, 999 + {number}) n;
INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step,
    pass_number, level, reason, status, attempts, due_at, created_at)
SELECT n, n, n, n, 'sms', 1, 1, 1, '["bench"]', 'queued', 0, now(), now()
FROM generate_series(1000, 999 + {number}) n;
ANALYZE;
"""


class Provider:
    """Takes every SMS, slowly, and counts how often each came."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    async def start(self) -> int:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while message := await read_message(reader):
            (destination,) = message["destinations"]
            self.taken[destination["to"]] += 1
            await asyncio.sleep(LATENCY)
            writer.write(accepted(destination["messageId"]))
        writer.close()


async def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    provider = Provider()
    base_url = f"http://127.0.0.1:{await provider.start()}"
    one = 0.0
    print(f"{number} notifications, {LATENCY * 1000:.0f} ms each\nprocesses  per s  of one  CPU ms each  sent twice")
    environment = {"INFOBIP_BASE_URL": base_url, "INFOBIP_API_KEY": "benchmark"}
    environment["PAGERPAL_PROVIDER_RATES"] = "infobip=100000"  # what is allowed is not what is measured
    async with stack((), environment) as running:
        for processes in PROCESSES:
            seconds, cpu = await _run(running, processes, number)
            one = one or number / seconds
            twice = sum(times > 1 for times in provider.taken.values())
            provider.taken.clear()
            rate = number / seconds
            print(
                f"{processes:9}  {rate:5.0f}  {rate / one:5.2f}x  {cpu / number * 1000:11.2f}  {twice:10}", flush=True
            )


async def _run(running: Stack, processes: int, number: int) -> tuple[float, float]:
    """Seconds from the first to the last notification sent, and the CPU of the notifiers."""
    url = make_url(running.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    await connection.execute(SEED.format(number=number))
    pids: list[int] = []
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        for place in range(processes):
            log = Path(folder) / f"log-{place}"
            pids += stack.enter_context(start({"notifier": free_port()}, running.environment, log)).values()
        deadline = time.monotonic() + LONGEST
        while await connection.fetchval("SELECT count(*) FROM notification.notifications WHERE status <> 'sent'"):
            if time.monotonic() > deadline:
                raise SystemExit(f"not all sent in {LONGEST:.0f} s")
            await asyncio.sleep(0.2)
        cpu = sum(map(cpu_seconds, pids))
    took = await connection.fetchval("SELECT max(ended_at) - min(started_at) FROM notification.attempts")
    await connection.close()
    return took.total_seconds(), cpu


if __name__ == "__main__":
    asyncio.run(main())
