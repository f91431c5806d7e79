"""Where do the embedded PostgreSQL's files live, who may use them, and how do they come to be?

In the data directory: `lock`, `database-url` (0600), and `postgres/` with everything below. When PostgreSQL's own
account cannot reach that (we are root and a parent is closed), that folder is under /var/lib/pagerpal instead and the
file `postgres-location` says where.

    password      0600, ours        log, log.1    PostgreSQL's messages
    lock          ours              data/         0700, PostgreSQL's: the database cluster
                                    run/          0700, PostgreSQL's: the socket
"""

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from pagerpal_standalone import postgres_binaries
from pagerpal_standalone.postgres_binaries import Account, PostgresFailed, run_program

log = structlog.get_logger(__name__)

SUPERUSER = "pagerpal"
PORT = 5432  # only part of the socket's name
SOCKET_NAME = f".s.PGSQL.{PORT}"
LONGEST_SOCKET_PATH_BYTES = 103  # what macOS allows; Linux 107
LARGEST_LOG_BYTES = 10 * 1024 * 1024


class DataDirectoryBusy(Exception):
    """Another PagerPal runs on this data directory; the text is one line for the user."""


@dataclass(frozen=True)
class Home:
    """The folder with PostgreSQL's files, and the account PostgreSQL runs as."""

    path: Path
    account: Account

    @property
    def pgdata(self) -> Path:
        return self.path / "data"

    @property
    def log_file(self) -> Path:
        return self.path / "log"

    @property
    def password_file(self) -> Path:
        return self.path / "password"


@contextmanager
def reserved_home(data_dir: Path, account: Account) -> Iterator[Home]:
    """Reserve the data directory for us and find (or make) the folder for PostgreSQL's files.

    Raises DataDirectoryBusy when somebody else has it, PostgresFailed when its files are gone.
    """
    data_dir = data_dir.resolve()
    with ExitStack() as locks:
        _make_folder(data_dir, account.folder_mode)
        locks.enter_context(_lock(data_dir / "lock", data_dir))
        path = _home_path(data_dir, account)
        if not account.can_pass(path):
            raise PostgresFailed(f"PostgreSQL's account cannot reach {path}: let others pass its parents (chmod o+x)")
        # A copied data directory comes with its own first lock, but points to the same files.
        locks.enter_context(_lock(path / "lock", path))
        yield Home(path, account)


@contextmanager
def _lock(path: Path, guarded: Path) -> Iterator[None]:
    # Children do not inherit it (os.open sets close-on-exec), so it is gone the moment this process is.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            raise DataDirectoryBusy(
                f"PagerPal is already running on {guarded} (pid {holder}); stop it first or use another data directory"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _home_path(data_dir: Path, account: Account) -> Path:
    marker = data_dir / "postgres-location"
    if marker.exists():
        path = Path(marker.read_text().strip())
        if not path.is_dir():
            # Never begin an empty database in its place: in a container, /var/lib may not have outlived a restart.
            raise PostgresFailed(
                f"the database is in {path} (says {marker}), and that is gone: put it back, or remove that file to"
                " begin with an empty one"
            )
        return path
    path = data_dir / "postgres"
    if account.can_pass(data_dir):
        path.mkdir(mode=account.folder_mode, exist_ok=True)
        return path
    if (path / "data").exists():
        raise PostgresFailed(
            f"PostgreSQL's account can no longer reach {path}: let others pass its parents (chmod o+x)"
        )
    path = _free_place(data_dir)
    path.mkdir(mode=account.folder_mode, parents=True, exist_ok=True)
    write_private(marker, f"{path}\n")
    log.warning("postgres_files_elsewhere", data_dir=str(data_dir), postgres_files=str(path))
    return path


def _free_place(data_dir: Path) -> Path:
    """A folder named after the data directory; never one with the data of a directory that was since removed."""
    _make_folder(postgres_binaries.STATE_DIR, 0o755)
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    places = (postgres_binaries.STATE_DIR / (name + suffix) for suffix in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(place for place in places if not (place / "data").exists())


def _make_folder(path: Path, mode: int) -> None:
    """Make the folder if absent; only then its mode is set, whatever the umask says."""
    if not path.is_dir():
        path.mkdir(mode=mode, parents=True)
        path.chmod(mode)


def write_private(path: Path, text: str) -> None:
    """Write a 0600 file in one step: after a crash it holds the old text or the new one, never half of either."""
    descriptor, staging = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(staging).rename(path)
    except BaseException:
        Path(staging).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def ensure_cluster(home: Home, binaries: Path, major: str) -> str:
    """Make the database cluster on the first start, check it on every other; return its superuser's password.

    Raises PostgresFailed when the files belong to another account or another major version of PostgreSQL.
    """
    for leftover in home.path.glob(".initdb-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if _is_empty(home.pgdata):
        if (password := _password(home)) is None:
            write_private(home.password_file, password := secrets.token_urlsafe(32))
        await _initialise(home, binaries, major, password)
        return password
    _check_cluster(home, major)
    if (existing := _password(home)) is None:
        raise PostgresFailed(f"{home.password_file} is missing or empty, and the database was made with its password")
    return existing


def _is_empty(pgdata: Path) -> bool:
    return not pgdata.exists() or (pgdata.is_dir() and not any(pgdata.iterdir()))


def _password(home: Home) -> str | None:
    try:
        return home.password_file.read_text().strip() or None
    except FileNotFoundError:
        return None


def _check_cluster(home: Home, major: str) -> None:
    owner = home.pgdata.stat().st_uid
    if owner != home.account.uid:
        raise PostgresFailed(
            f"{home.pgdata} belongs to {_account_name(owner)}: start PagerPal as the account that made it"
        )
    try:
        found = (home.pgdata / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        found = ""
    if not found:
        raise PostgresFailed(f"{home.pgdata} is not a PostgreSQL data directory: it holds files, but no PG_VERSION")
    if found != major:
        raise PostgresFailed(
            f"{home.pgdata} was made by PostgreSQL {found} and this is PostgreSQL {major}: convert it with pg_upgrade,"
            f" or carry the data over with the pg_dump of version {found}"
        )


def _account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


async def _initialise(home: Home, binaries: Path, major: str, password: str) -> None:
    with _staging_folder(home, password) as staging:
        await run_program(binaries / "initdb", *_initdb_arguments(staging, major), account=home.account)
        (staging / "data").rename(home.pgdata)
        _sync_folder(home.path)
    log.info("postgres_initialised", postgres_files=str(home.path))


@contextmanager
def _staging_folder(home: Home, password: str) -> Iterator[Path]:
    """Where initdb works until its result is moved in place: an interrupted one leaves no half cluster."""
    staging = Path(tempfile.mkdtemp(prefix=".initdb-", dir=home.path))
    try:
        write_private(staging / "password", password)
        (staging / "data").mkdir(mode=0o700)
        home.account.give(staging / "password")
        home.account.give(staging / "data")
        staging.chmod(home.account.folder_mode)
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _initdb_arguments(staging: Path, major: str) -> list[str]:
    locale = ["--locale=C.UTF-8"]
    if int(major) >= 17:  # brings its own C.UTF-8: the same sort order on every system, for ever
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return [
        f"--pgdata={staging / 'data'}",
        f"--username={SUPERUSER}",
        f"--pwfile={staging / 'password'}",
        "--auth-local=scram-sha-256",
        "--auth-host=scram-sha-256",
        "--encoding=UTF8",
        "--data-checksums",
        *locale,
    ]


def open_log(home: Home) -> BinaryIO:
    """A file to append PostgreSQL's messages to; a log over 10 MB is first set aside as `log.1`."""
    with suppress(FileNotFoundError):
        if home.log_file.stat().st_size > LARGEST_LOG_BYTES:
            home.log_file.rename(home.log_file.with_name("log.1"))
    descriptor = os.open(home.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    output = os.fdopen(descriptor, "ab", buffering=0)
    output.seek(0, os.SEEK_END)
    return output


def socket_folder(home: Home) -> Path:
    """A 0700 folder of PostgreSQL's account that can hold its socket: next to the data, or a short one in /tmp.

    Raises PostgresFailed when the one in /tmp exists and is somebody else's.
    """
    folder = home.path / "run"
    if len(os.fsencode(folder / SOCKET_NAME)) > LONGEST_SOCKET_PATH_BYTES or not _takes_sockets(home.path):
        name = hashlib.sha256(os.fsencode(home.path)).hexdigest()[:16]
        folder = Path("/tmp") / f"pagerpal-{home.account.uid}-{name}"  # noqa: S108 - owner and mode are checked below
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    ours = status.st_uid in (home.account.uid, os.geteuid())
    if not ours or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077:
        raise PostgresFailed(f"{folder} is not a folder that only PostgreSQL's account may enter: remove it")
    home.account.give(folder)
    return folder


def _takes_sockets(folder: Path) -> bool:
    """Whether the file system knows sockets; some network and host-shared ones do not."""
    probe = folder / f".probe-{secrets.token_hex(4)}"
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(str(probe))
        except OSError:
            return False
        probe.unlink()
    return True
