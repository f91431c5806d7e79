"""Brings up what a benchmark measures: PostgreSQL, RabbitMQ and services as processes, all our own, on loopback."""

import asyncio
import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
from pagerpal_common.migrations import upgrade
from pagerpal_common.testing.rabbitmq import rabbitmq_url
from pagerpal_standalone.postgres import embedded_postgres
from sqlalchemy import make_url

KEY = "pp_benchmarks-only-000000000000000000000000000"
"""Of a source that sends as much as it can."""

CALM_KEY = "pp_benchmarks-only-000000000000000000000000001"
"""Of another one."""

_UNLIMITED = '{"alerts_per_second": 1000000}'

SEED = """
INSERT INTO directory.users (id, name, email, role, phone, timezone, created_at)
VALUES (1, 'Ana', 'ana@example.org', 'responder', '+491510000001', 'UTC', now());
INSERT INTO directory.teams (id, name, created_at) VALUES (1, 'core', now());
INSERT INTO directory.escalation_policies (id, team_id, name, repeat_count, is_default, reminder_minutes, created_at)
VALUES (1, 1, 'core', 0, true, 30, now());
INSERT INTO directory.escalation_levels (id, policy_id, level_number, timeout_minutes) VALUES (1, 1, 1, 60);
INSERT INTO directory.escalation_assignees (level_id, assignee_type, user_id) VALUES (1, 'user', 1);
"""


@dataclass(frozen=True)
class Stack:
    ports: Mapping[str, int]
    pids: Mapping[str, int]
    """Of each service, and of `postgres` and `broker`: the root of its process tree."""
    database_url: str
    environment: Mapping[str, str]
    """In which a service finds database and broker."""


@asynccontextmanager
async def stack(
    services: Sequence[str], environment: Mapping[str, str] | None = None, *, is_limited: bool = False
) -> AsyncIterator[Stack]:
    """The services on a fresh database with one team, one person and two sources (`KEY`, `CALM_KEY`).

    With `is_limited` a source may send what any source may; otherwise the machine is the limit.
    """
    with tempfile.TemporaryDirectory(prefix="pagerpal-bench-") as folder, rabbitmq_url() as amqp:
        os.chmod(folder, 0o755)  # noqa: PTH101 - before anything runs
        async with embedded_postgres(Path(folder) / "data") as url:
            await upgrade(url)
            await _seed(url, None if is_limited else _UNLIMITED)
            base = os.environ | {"PAGERPAL_DATABASE_URL": url, "PAGERPAL_AMQP_URL": amqp} | dict(environment or {})
            ports = {name: free_port() for name in services}
            with processes(ports, base, Path(folder) / "log") as pids:
                for name, port in ports.items():
                    await _until_ready(name, port, Path(folder) / "log")
                yield Stack(ports, pids | _servers(folder, amqp), url, base)


def resident_megabytes(pid: int) -> int:
    """Memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def cpu_seconds(pid: int) -> float:
    """CPU used so far by a process and all that descend from it."""
    table: dict[int, list[int]] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rsplit(") ", 1)[1].split()
            table.setdefault(int(fields[1]), []).append(int(entry.name))
            used[int(entry.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def total(process: int) -> float:
        return used.get(process, 0.0) + sum(total(child) for child in table.get(process, []))

    return total(pid)


async def _seed(url: str, config: str | None) -> None:
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    await connection.execute(SEED)
    for number, key in enumerate((KEY, CALM_KEY), start=1):
        await connection.execute(
            "INSERT INTO directory.alert_sources (id, team_id, name, source_type, config, key_hash, key_first8,"
            " key_last4, created_at) VALUES ($1, 1, 'load', 'generic', $2, $3, 'pp_bench', '0000', now())",
            *(number, config, hashlib.sha256(key.encode()).digest()),
        )
    await connection.close()


@contextmanager
def processes(ports: Mapping[str, int], base: Mapping[str, str], log: Path) -> Iterator[dict[str, int]]:
    """The services as processes, each on its port; their pids."""
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        with log.open("wb") as sink:
            for name, port in ports.items():
                environment = dict(base) | {"PORT": str(port)}
                command = [sys.executable, "-m", f"pagerpal_{name}"]
                started[name] = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink)
        yield {name: process.pid for name, process in started.items()}
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            process.wait(20)


async def _until_ready(name: str, port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    async with httpx.AsyncClient() as client:
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                answer = await client.get(f"http://127.0.0.1:{port}/readyz")
                if answer.is_success and answer.json()["bus"]:
                    return
            await asyncio.sleep(0.05)
    raise SystemExit(f"{name} was not ready in 30 s:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text()[-2000:]


def _servers(folder: str, amqp: str) -> dict[str, int]:
    """The pids of our PostgreSQL and RabbitMQ, found by the folder and the port that are theirs alone."""
    found: dict[str, int] = {}
    broker_port = str(make_url(amqp).port)
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if "postgres" in command[0] and any(folder in word for word in command):
                found["postgres"] = int(entry.name)
            if "beam" in command[0] and f"127.0.0.1:{broker_port}" in _configuration(entry):
                found["broker"] = int(entry.name)
    return found


def _configuration(entry: Path) -> str:
    """What the broker with this process was told to listen on."""
    variables = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
    file = dict(variable.partition("=")[::2] for variable in variables).get("RABBITMQ_CONFIG_FILE", "")
    return Path(file).with_suffix(".conf").read_text()


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
