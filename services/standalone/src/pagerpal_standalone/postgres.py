"""How does the standalone mode get a PostgreSQL: who starts it, keeps it alive and stops it?

PostgreSQL is a foreground child of this process. On Linux the kernel asks it to shut down when this process dies in any
way; on macOS nothing does, and the next start finds it and stops it first (postgres_orphans).
"""

import asyncio
import signal
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlencode

import asyncpg
import structlog

from pagerpal_standalone.postgres_binaries import (
    PostgresFailed,
    current_account,
    find_binaries,
    first_complaint,
    major_version,
    start_program,
)
from pagerpal_standalone.postgres_directory import (
    PORT,
    SUPERUSER,
    DataDirectoryBusy,
    Home,
    ensure_cluster,
    open_log,
    reserved_home,
    socket_folder,
    write_private,
)
from pagerpal_standalone.postgres_orphans import clear_the_way

__all__ = ["DataDirectoryBusy", "PostgresFailed", "database_url", "embedded_postgres"]

log = structlog.get_logger(__name__)

URL_FILE = "database-url"
READY_SECONDS = 300.0  # crash recovery on a slow disk counts as starting
CONNECT_SECONDS = 10.0
FIRST_RESTART_SECONDS, SLOWEST_RESTART_SECONDS = 0.1, 5.0
HEALTHY_SECONDS = 30.0  # having lived this long, the next restart is a first one again
# Signal, and the seconds to wait for its effect: fast shutdown, immediate shutdown (next start recovers), the end.
STOP_STEPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))

# Made for an idle small team: few processes, little memory, nothing given up in durability.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "huge_pages": "off",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "jit": "off",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_level": "minimal",  # nothing replicates from here; backups are made with pg_dump
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "autovacuum": "on",
    "autovacuum_max_workers": "1",
    "autovacuum_vacuum_scale_factor": "0.05",  # queue-like tables: many rows change, few stay
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
# PostgreSQL 18 reads by three extra processes unless told not to; earlier versions do not know the setting.
SETTINGS_FROM_18: Mapping[str, str] = {"io_method": "sync"}


@asynccontextmanager
async def embedded_postgres(data_dir: Path, *, database: str = "pagerpal") -> AsyncIterator[str]:
    """Run a PostgreSQL on `data_dir` while the context is open; gives the SQLAlchemy URL of `database`, made if absent.

    A PostgreSQL that dies meanwhile is started again. Raises DataDirectoryBusy when another process has the directory,
    PostgresFailed when PostgreSQL cannot be set up or started.
    """
    async with AsyncExitStack() as stack:
        with _clear_complaints(data_dir):
            home = stack.enter_context(reserved_home(data_dir, current_account()))
            binaries = find_binaries(home.account)
            major = await major_version(binaries, home.account)
            password = await ensure_cluster(home, binaries, major)
            server = _Server(home, binaries, major, password, socket_folder(home))
            stack.push_async_callback(_to_the_end, server.stop)
            await server.start(database)
            url = server.url(database)
            write_private(data_dir / URL_FILE, url)
        yield url


@contextmanager
def _clear_complaints(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise PostgresFailed(f"cannot use the data directory {data_dir}: {error.strerror or error}{where}") from error
    except asyncpg.PostgresError as error:
        raise PostgresFailed(f"PostgreSQL on {data_dir} cannot be used: {error.args[0]}") from error


async def _to_the_end(work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Finish `work` whatever is cancelled meanwhile, and only then let the cancellation through."""
    task = asyncio.create_task(work())
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancellation = error
    task.result()
    if cancellation is not None:
        raise cancellation


def database_url(data_dir: Path) -> str | None:
    """The URL of the PostgreSQL that runs, or last ran, on `data_dir`; None when none ever did."""
    try:
        return (data_dir / URL_FILE).read_text().strip() or None
    except FileNotFoundError:
        return None


class _Server:
    """One PostgreSQL on one data directory, replaced when it dies."""

    def __init__(self, home: Home, binaries: Path, major: str, password: str, socket_dir: Path) -> None:
        self._home = home
        self._program = binaries / "postgres"
        self._settings = {
            **SETTINGS,
            **(SETTINGS_FROM_18 if int(major) >= 18 else {}),
            "unix_socket_directories": str(socket_dir),
        }
        self._password = password
        self._socket_dir = socket_dir
        self._child: Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._log_start = 0

    def url(self, database: str) -> str:
        """The SQLAlchemy URL; the port is there so that a PGPORT in the environment cannot change it."""
        where = urlencode({"host": str(self._socket_dir), "port": PORT})
        return f"postgresql+asyncpg://{SUPERUSER}:{self._password}@/{quote(database, safe='')}?{where}"

    async def start(self, database: str) -> None:
        """Start it, see it answer, make `database` if absent, and from then on keep it alive."""
        began = time.monotonic()
        child = await self._launch()
        try:
            async with asyncio.timeout(READY_SECONDS):
                connection = await self._first_answer(child)
        except TimeoutError:
            raise PostgresFailed(f"PostgreSQL does not answer; its log is {self._home.log_file}") from None
        try:
            await _ensure_database(connection, database)
        finally:
            await connection.close(timeout=CONNECT_SECONDS)
        self._keeper = asyncio.create_task(self._keep_alive(child))
        log.info("postgres_ready", pid=child.pid, seconds=round(time.monotonic() - began, 2))

    async def _launch(self) -> Process:
        await clear_the_way(self._home.pgdata, self._socket_dir)
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with open_log(self._home) as output:
            self._log_start = output.tell()
            self._child = await start_program(
                self._program,
                "-D",
                str(self._home.pgdata),
                *options,
                account=self._home.account,
                death_signal=signal.SIGINT,
                output=output,
            )
        return self._child

    async def _first_answer(self, child: Process) -> asyncpg.Connection:
        # Only an answer proves life: the pid file and the socket outlive their server.
        while child.returncode is None:
            try:
                return await asyncpg.connect(
                    host=str(self._socket_dir),
                    port=PORT,
                    user=SUPERUSER,
                    password=self._password,
                    database="postgres",
                    timeout=CONNECT_SECONDS,
                )
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
                await asyncio.sleep(0.02)
            except asyncpg.InvalidPasswordError:
                raise PostgresFailed(f"{self._home.password_file} does not hold the database's password") from None
        raise PostgresFailed(f"PostgreSQL did not start: {self._last_words()}; its log is {self._home.log_file}")

    def _last_words(self) -> str:
        with suppress(OSError), self._home.log_file.open("rb") as file:
            file.seek(self._log_start)
            return first_complaint(file.read(65536)) or "it gave no reason"
        return "its log cannot be read"

    async def _keep_alive(self, child: Process) -> None:
        delay_seconds = FIRST_RESTART_SECONDS
        while True:
            born = time.monotonic()
            status = await child.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - born > HEALTHY_SECONDS:
                delay_seconds = FIRST_RESTART_SECONDS
            log.error("postgres_died", status=status, restart_in_seconds=delay_seconds, reason=self._last_words())
            if await self._stops_within(delay_seconds):
                return
            delay_seconds = min(2 * delay_seconds, SLOWEST_RESTART_SECONDS)
            try:
                child = await self._launch()
            except (OSError, PostgresFailed) as error:
                log.error("postgres_restart_failed", error=str(error))
                continue
            log.info("postgres_restarted", pid=child.pid)
            if self._stopping.is_set():
                child.send_signal(signal.SIGINT)  # stop() spoke to the one before

    async def _stops_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()

    async def stop(self) -> None:
        """Shut it down: fast, and by force when that takes too long (the next start then recovers from the log)."""
        self._stopping.set()
        if self._child is None:
            return
        end = asyncio.create_task(self._ended())
        for signal_number, patience_seconds in STOP_STEPS:
            with suppress(ProcessLookupError):
                self._child.send_signal(signal_number)
            if (await asyncio.wait({end}, timeout=patience_seconds))[0]:
                end.result()
                log.info("postgres_stopped", signal=signal_number.name)
                return
        log.error("postgres_does_not_stop", pid=self._child.pid)
        end.cancel()  # and with it the keeper, which must not start another one now

    async def _ended(self) -> None:
        if self._keeper is not None:
            await self._keeper
        if self._child is not None:
            await self._child.wait()


async def _ensure_database(connection: asyncpg.Connection, database: str) -> None:
    if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
        quoted = database.replace('"', '""')
        await connection.execute(f'CREATE DATABASE "{quoted}"')
