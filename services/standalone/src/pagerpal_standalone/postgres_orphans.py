"""Does something left over from an earlier run stand in the way of a new PostgreSQL?

The caller holds the lock on the data directory, so whatever still works on it has lost its supervisor. A pid in a file
proves nothing: after a restart of the machine or the container it may belong to anybody.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import structlog

from pagerpal_standalone.postgres_binaries import PostgresFailed

log = structlog.get_logger(__name__)

# Signal, and the seconds to wait for its effect: a fast shutdown (also what PostgreSQL got when its supervisor died;
# a second one changes nothing), then an immediate one.
STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0))


async def clear_the_way(pgdata: Path, socket_dir: Path) -> None:
    """Stop every PostgreSQL process left on `pgdata` and remove the files that would keep a new one from starting.

    Raises PostgresFailed when one of them survives.
    """
    for signal_number, patience_seconds in STEPS:
        if not (left := processes_on(pgdata)):
            break
        log.warning("postgres_orphan_stopping", pids=sorted(left), signal=signal_number.name)
        for pid in left:
            if _parent_of(pid) not in left:  # the others follow their postmaster
                _signal(pid, pgdata, signal_number)
        await _all_gone(pgdata, patience_seconds)
    if left := processes_on(pgdata):
        raise PostgresFailed(f"PostgreSQL from an earlier run does not stop (pids {sorted(left)} on {pgdata})")
    _remove_pid_files(pgdata, socket_dir)


async def _all_gone(pgdata: Path, patience_seconds: float) -> None:
    deadline = time.monotonic() + patience_seconds
    while processes_on(pgdata) and time.monotonic() < deadline:  # noqa: ASYNC110 - no event tells of a stranger's end
        await asyncio.sleep(0.02)


def processes_on(pgdata: Path) -> set[int]:
    """The pids of the living PostgreSQL processes, postmaster and backends, that work on this directory."""
    if sys.platform == "linux":
        candidates = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    else:
        candidates = _noted_pids(pgdata)
    return {pid for pid in candidates if _works_on(pid, pgdata)}


def _noted_pids(pgdata: Path) -> list[int]:
    try:
        first_line = (pgdata / "postmaster.pid").read_text(errors="replace").partition("\n")[0].strip()
    except FileNotFoundError:
        return []
    return [int(first_line)] if first_line.isdecimal() else []


def _works_on(pid: int, pgdata: Path) -> bool:
    if sys.platform != "linux":
        asked = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
        return "postgres" in asked.stdout and str(pgdata) in asked.stdout
    process = Path("/proc") / str(pid)
    try:
        if not (process / "exe").readlink().name.startswith("postgres"):
            return False
        return (process / "cwd").samefile(pgdata)  # every PostgreSQL process works in its data directory
    except OSError:  # gone, a zombie, or somebody else's
        return False


def _parent_of(pid: int) -> int | None:
    try:
        after_name = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2]
    except OSError:
        return None
    return int(after_name.split()[1])


def _signal(pid: int, pgdata: Path, signal_number: signal.Signals) -> None:
    """Signal the process, unless the pid has passed to somebody else by now."""
    try:
        if sys.platform != "linux":
            os.kill(pid, signal_number)
            return
        handle = os.pidfd_open(pid)
        try:
            if _works_on(pid, pgdata):  # asked with the handle open, so the answer holds for the next line
                signal.pidfd_send_signal(handle, signal_number)
        finally:
            os.close(handle)
    except ProcessLookupError:
        return


def _remove_pid_files(pgdata: Path, socket_dir: Path) -> None:
    # PostgreSQL believes both kinds of file when their pid is alive, whosever it is.
    for stale in [pgdata / "postmaster.pid", *socket_dir.glob(".s.PGSQL.*")]:
        if stale.exists():
            log.info("postgres_stale_file_removed", path=str(stale))
            stale.unlink()
