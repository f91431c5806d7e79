"""How long does each page take, with 10,000 incidents? By the real routes, HTTP and all; whole pages, as an admin.

Fills an embedded PostgreSQL with a world of teams, schedules, policies, sources and incidents, most of them over, then
asks web's application in this process: routing, session, SQL and templates are in the figures, the network is not.
Which pages there are is read from their table; a page whose ids are not known here is named, and not measured.

Beside the time it says what a page costs: CPU time of this process, which does not depend on who else uses the machine
(PostgreSQL's own is not in it), and how many statements in how many transactions it sends.

    python benchmarks/pages.py [INCIDENTS] [REQUESTS]
"""

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
from argon2 import PasswordHasher
from incident_list import FILL, PASSWORD
from pagerpal_common.bus.memory import MemoryBus
from pagerpal_common.clock import utc_now
from pagerpal_common.http import application
from pagerpal_common.migrations import upgrade
from pagerpal_common.testing.trips import counted
from pagerpal_standalone.postgres import embedded_postgres
from pagerpal_web.service import build
from pagerpal_web.settings import WebSettings
from pagerpal_web.ui import PAGES
from sqlalchemy import make_url

TARGET_MILLISECONDS = 50

TEAMS, PEOPLE, SOURCES = 20, 200, 200

MORE: tuple[str, ...] = (
    "/incidents?status=all&page=200",
    "/incidents?q=prod-api-7",
    "/incidents?q=%23{incident_id}",
    "/incidents?q=nothing+like+it",
)
"""What a page is also asked, beside its bare address."""

NEVER_ENDING = {"/events"}

DIRECTORY = f"""
INSERT INTO directory.users (name, email, role, phone, timezone, created_at)
SELECT 'Person ' || n, 'person' || n || '@example.org', CASE n WHEN 1 THEN 'admin' ELSE 'responder' END,
       '+4915110' || lpad(n::text, 6, '0'), 'Europe/Berlin', now() FROM generate_series(1, {PEOPLE}) n;
INSERT INTO directory.teams (name, created_at) SELECT 'Team ' || n, now() FROM generate_series(1, {TEAMS}) n;
INSERT INTO directory.team_members (team_id, user_id)
SELECT 1 + n % {TEAMS}, n FROM generate_series(1, {PEOPLE}) n;
INSERT INTO directory.schedules (team_id, name, timezone, created_at)
SELECT n, 'First line ' || n, 'Europe/Berlin', now() FROM generate_series(1, {TEAMS}) n;
INSERT INTO directory.schedule_rotations (schedule_id, name, kind, length, handoff_at, restrictions, priority)
SELECT n, 'Weeks', 'weekly', 1, timestamp '2026-01-05 09:00',
       CASE n % 3 WHEN 0 THEN '[{{"weekdays": [0, 1, 2, 3, 4], "from": "09:00", "to": "17:00"}}]'
                  ELSE '[]' END::jsonb, 0
FROM generate_series(1, {TEAMS}) n;
INSERT INTO directory.rotation_people SELECT n, p, 1 + (n * 7 + p) % {PEOPLE}
FROM generate_series(1, {TEAMS}) n, generate_series(0, 4) p;
INSERT INTO directory.escalation_policies (team_id, name, repeat_count, is_default, reminder_minutes, created_at)
SELECT n, 'Policy ' || n, 1, true, 30, now() FROM generate_series(1, {TEAMS}) n;
INSERT INTO directory.escalation_levels (policy_id, level_number, timeout_minutes)
SELECT n, l, 5 FROM generate_series(1, {TEAMS}) n, generate_series(1, 3) l;
INSERT INTO directory.escalation_assignees (level_id, assignee_type, schedule_id)
SELECT l.id, 'schedule', l.policy_id FROM directory.escalation_levels l;
INSERT INTO directory.alert_sources (team_id, name, source_type, key_hash, key_first8, key_last4, created_at)
SELECT 1 + n % {TEAMS}, 'Source ' || n, 'generic', decode(md5(n::text), 'hex'), 'pp_xxxxx', 'xxxx', now()
FROM generate_series(1, {SOURCES}) n;
INSERT INTO ingest.source_states (source_id, last_alert_at) SELECT n, now() FROM generate_series(1, {SOURCES}) n;
INSERT INTO ingest.source_tallies
SELECT s, date_trunc('minute', now()) - m * interval '1 minute', 'opened', 3
FROM generate_series(1, {SOURCES}) s, generate_series(0, 120) m;
"""

# Of each incident a run, a page, two notifications and eight lines.
HISTORY = """
INSERT INTO incidents.events (incident_id, event_type, message, created_at, data)
SELECT i.id, (ARRAY['triggered', 'escalated', 'notification_sent', 'note'])[1 + n % 4], 'Something happened to it',
       i.created_at + n * interval '1 second', '{}' FROM incidents.incidents i, generate_series(1, 8) n;
INSERT INTO incidents.page_requests (incident_id, escalation_id, pass_number, level, reminder, user_id, reason,
    requested_at, is_open)
SELECT id, escalation_id, 1, 1, 0, 1 + id % 200, '["policy, level 1"]', created_at, status = 'triggered'
FROM incidents.incidents;
INSERT INTO notification.notifications (page_request_id, incident_id, escalation_id, user_id, channel, step,
    pass_number, level, reason, status, address, attempts, due_at, created_at, sent_at, delivered_at, settled_at)
SELECT r.id, r.incident_id, r.escalation_id, r.user_id, 'sms', s, 1, 1, '["policy, level 1", "default rule: SMS"]',
       'delivered', '+4915110000001', 1, NULL, r.requested_at, r.requested_at, r.requested_at + interval '3 s',
       r.requested_at + interval '3 s' FROM incidents.page_requests r, generate_series(0, 1) s;
UPDATE incidents.incidents SET first_notified_at = created_at + interval '1 second', assigned_user_id = 1 + id % 200,
    acknowledged_by = CASE status WHEN 'acknowledged' THEN 1 END,
    acknowledged_at = CASE status WHEN 'acknowledged' THEN created_at END,
    resolved_by = CASE status WHEN 'resolved' THEN 2 END,
    resolved_at = CASE status WHEN 'resolved' THEN created_at + interval '1 hour' END;
INSERT INTO escalation.escalations (escalation_id, incident_id, team_id, policy, state, pass_number, level, reminder,
    due_at, started_at)
SELECT escalation_id, id, team_id, jsonb_build_object('policy_id', team_id, 'name', 'Policy', 'repeat_count', 1,
       'reminder', 'PT30M', 'ack_timeout', NULL, 'levels', jsonb_build_array(
           jsonb_build_object('number', 1, 'timeout', 'PT5M', 'assignees', jsonb_build_array(
               jsonb_build_object('schedule_id', team_id))),
           jsonb_build_object('number', 2, 'timeout', 'PT5M', 'assignees', jsonb_build_array(
               jsonb_build_object('schedule_id', team_id))))),
       'waiting', 1, 1, 0, CASE status WHEN 'triggered' THEN now() + interval '4 minutes' END, created_at
FROM incidents.incidents;
"""
ACCOUNT = "INSERT INTO directory.credentials (user_id, password_hash, changed_at) VALUES (1, $1, now())"
IDS = """
SELECT (SELECT max(id) FROM incidents.incidents WHERE status = 'triggered') AS incident_id, 1 AS team_id, 1 AS user_id,
       1 AS schedule_id, 1 AS policy_id, 1 AS source_id, 1 AS rotation_id,
       (SELECT min(id) FROM directory.escalation_levels) AS level_id
"""


async def main() -> None:
    incidents = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    requests = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    async with _web(incidents) as (client, ids):
        redirects = []
        columns = f"{'p50':>7} {'p99':>7} {'CPU':>7} {'SQL':>4} {'tx':>3} {'KiB':>7}"
        print(f"{f'ms of {requests} requests':<58} {columns}")
        for path in _paths(ids):
            if (await client.get(path)).status_code == 303:
                redirects.append(path)
            else:
                print(await _measure(client, path, requests))
        print(f"lead elsewhere, and are not measured: {', '.join(redirects)}")


def _paths(ids: Mapping[str, int]) -> Iterator[str]:
    """Every page that is looked at by somebody logged in, with ids in it."""
    templates = [row.path for row in PAGES if row.method == "GET" and row.path not in NEVER_ENDING]
    for template in (*templates, *MORE):
        path = re.sub(r"\{(\w+):int\}", r"{\1}", template)
        unknown = sorted(set(re.findall(r"\{(\w+)\}", path)) - ids.keys())
        if unknown:
            print(f"{path:<58} not measured: {', '.join(unknown)}")
        else:
            yield path.format(**ids)


async def _measure(client: httpx.AsyncClient, path: str, requests: int) -> str:
    with counted() as trips:
        answer = await client.get(path)
    if answer.status_code != 200:
        return f"{path:<58} {answer.status_code}"
    times, spent = [], []
    for _ in range(requests):
        started, used = time.perf_counter(), time.process_time()
        await client.get(path)
        times.append((time.perf_counter() - started) * 1000)
        spent.append((time.process_time() - used) * 1000)
    half, most = _quantile(times, 0.5), _quantile(times, 0.99)
    note = f"  over {TARGET_MILLISECONDS} ms" if half > TARGET_MILLISECONDS else ""
    cost = f"{_quantile(spent, 0.5):>7.1f} {len(trips.statements):>4} {trips.transactions:>3}"
    return f"{path:<58} {half:>7.1f} {most:>7.1f} {cost} {len(answer.content) / 1024:>7.1f}{note}"


def _quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


@asynccontextmanager
async def _web(incidents: int) -> AsyncIterator[tuple[httpx.AsyncClient, Mapping[str, int]]]:
    """Web's application on a full database, called by the cookie of an admin, as htmx calls it where that matters."""
    with tempfile.TemporaryDirectory(prefix="pagerpal-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - before anything runs
        async with embedded_postgres(Path(folder) / "data") as url:
            await upgrade(url)
            ids = await _fill(url, incidents)
            bus = MemoryBus()
            service = build(WebSettings.model_validate({"PAGERPAL_DATABASE_URL": url}), bus, utc_now)
            transport = httpx.ASGITransport(application([service], bus))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                login = {"email": "person1@example.org", "password": PASSWORD}
                (await client.post("/login", json=login)).raise_for_status()
                client.headers["hx-request"] = "true"
                yield client, ids
            await service.close()


async def _fill(url: str, incidents: int) -> Mapping[str, int]:
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    started = time.perf_counter()
    await connection.execute(DIRECTORY)
    await connection.execute(ACCOUNT, PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD))
    await connection.execute(FILL, incidents)
    await connection.execute(HISTORY)
    await connection.execute("VACUUM ANALYZE")
    (found,) = await connection.fetch(IDS)
    await connection.close()
    print(f"{incidents:,} incidents written in {time.perf_counter() - started:.0f} s")
    return dict(found)


if __name__ == "__main__":
    asyncio.run(main())
