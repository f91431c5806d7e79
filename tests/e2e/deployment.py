"""How is a whole PagerPal started for the stories? By the same commands as `make run` and `make distributed`."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from pagerpal_common.clock import utc_now
from pagerpal_common.testing.browser import PUSH_KEY
from pagerpal_common.testing.rabbitmq import RabbitMQNode
from pagerpal_standalone.postgres import database_url

from tests.e2e.canaries import Canaries
from tests.e2e.fake_infobip import API_KEY, RECEIPT_TOKEN, FakeInfobip

ROOT = Path(__file__).parents[2]
STANDALONE = "pagerpal_standalone"
DISTRIBUTED = "pagerpal_standalone.distributed"
ADMIN_EMAIL = "admin@example.org"
ADMIN_PASSWORD = "a-long-password-of-the-admin"

START_SECONDS = 60.0
STOP_SECONDS = 30.0
LOOK_SECONDS = 0.02


class Clock:
    """The time of one deployment: the machine's, and as far ahead as the stories have moved it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._ahead = timedelta(0)
        self._write()

    def now(self) -> datetime:
        return utc_now() + self._ahead

    def advance(self, by: timedelta) -> None:
        self._ahead += by
        self._write()

    def _write(self) -> None:
        staging = self.file.with_suffix(".new")
        staging.write_text(str(self._ahead.total_seconds()))
        staging.rename(self.file)  # a reader finds the old time or the new one


@dataclass
class Deployment:
    """A running PagerPal, and what the stories need to reach it."""

    url: str
    database_url: str = field(repr=False)
    clock: Clock
    infobip: FakeInfobip
    process: subprocess.Popen[bytes]
    directory: Path
    environ: Mapping[str, str] = field(repr=False)
    broker: RabbitMQNode | None = None
    """Set where the stories may take the broker down."""
    amqp_url: str | None = None
    consumed: set[int] = field(default_factory=set)
    """The pages that some story has expected."""
    numbers: Iterator[int] = field(default_factory=itertools.count)
    canaries: Canaries = field(default_factory=Canaries, repr=False)
    """What the stories have planted, and must not find anywhere."""

    def __post_init__(self) -> None:
        self.canaries.plant("password", ADMIN_PASSWORD)
        self.canaries.plant("provider's key", API_KEY)
        self.canaries.plant("key of web push", PUSH_KEY)

    @property
    def output(self) -> str:
        """What it says to the person at the terminal."""
        return (self.directory / "output").read_text()

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    def pid_of(self, service: str) -> int:
        """The process of one of the five services."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        wanted = f"pagerpal_{service}".encode()
        found = [int(pid) for pid in children if wanted in arguments_of(int(pid))]
        return found[0] if found else 0


def arguments_of(pid: int) -> list[bytes]:
    """The command line of a process; none when it has ended, even while nobody has noticed."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def environment(directory: Path, infobip: FakeInfobip | None, **more: str) -> dict[str, str]:
    """What a deployment is told: nothing of ours but where programs and modules are, its own directory and clock, and
    the fake provider."""
    given = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    given |= {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "PAGERPAL_DATA_DIR": str(directory / "data"),
        "PAGERPAL_TEST_CLOCK": str(directory / "clock"),
        "PAGERPAL_WEB_PUSH_KEY": PUSH_KEY,
        "PYTHONWARNINGS": "error",
    }
    if infobip is not None:
        given |= {"INFOBIP_BASE_URL": infobip.url, "INFOBIP_API_KEY": API_KEY, "INFOBIP_VOICE_SENDER": "+4930123456"}
        given["INFOBIP_RECEIPT_TOKEN"] = RECEIPT_TOKEN
    return {**given, **more}


def start(module: str, directory: Path, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start it, and wait until it says where it is."""
    process = spawn(module, directory, environ)
    try:
        until(lambda: "PagerPal is running" in (directory / "output").read_text(), process, directory)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def spawn(module: str, directory: Path, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start it, with its words in the directory's files `output` and `log`."""
    with (directory / "output").open("wb") as output, (directory / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module],
            env=dict(environ),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=log,
            start_new_session=True,
        )


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes], directory: Path) -> None:
    """Wait for something that a starting process does."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            log = (directory / "log").read_text()
            raise AssertionError(f"it does not start (status {process.poll()}): {log[-3000:]}")
        time.sleep(LOOK_SECONDS)


def stop(process: subprocess.Popen[bytes]) -> int:
    """Stop it as an operator does; its exit status."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


@contextmanager
def data_directory(directory: Path) -> Iterator[Path]:
    """Makes `data` in a test's directory: a link to where PostgreSQL's own account may go, which pytest's own
    directories are closed to; its files would else be put under /var/lib, and outlive the test. Gives the place of
    the database cluster.
    """
    place = Path(tempfile.mkdtemp(prefix="pagerpal-e2e-"))
    place.chmod(0o711)
    (directory / "data").symlink_to(place)
    try:
        yield place / "postgres" / "data"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def create_admin(environ: Mapping[str, str]) -> None:
    """The first admin, by the script that an operator runs."""
    command = [sys.executable, "scripts/create_admin.py", "--email", ADMIN_EMAIL, "--name", "Admin"]
    environ = {**environ, "PAGERPAL_ADMIN_PASSWORD": ADMIN_PASSWORD}
    subprocess.run(command, env=environ, cwd=ROOT, check=True, capture_output=True, timeout=START_SECONDS)


def by_script(running: "Deployment") -> None:
    """How a deployment gets its first admin unless its story is about that."""
    create_admin(running.environ)


FirstAdmin = Callable[["Deployment"], None]


@contextmanager
def standalone(
    directory: Path, infobip: FakeInfobip | None, first_admin: FirstAdmin = by_script, **more: str
) -> Iterator[Deployment]:
    """Everything in one process, on a PostgreSQL of its own."""
    clock = Clock(directory / "clock")
    (port,) = free_ports(1)
    environ = environment(directory, infobip, PORT=str(port), **more)
    with data_directory(directory):
        process = start(STANDALONE, directory, environ)
        url = database_url(directory / "data") or ""
        base = f"http://127.0.0.1:{port}"
        running = Deployment(base, url, clock, infobip or FakeInfobip(), process, directory, environ)
        with _stopped_at_the_end(running):
            first_admin(running)
            yield running


@contextmanager
def distributed(
    directory: Path,
    infobip: FakeInfobip,
    database: str,
    amqp_url: str,
    broker: RabbitMQNode | None,
    first_admin: FirstAdmin = by_script,
    **more: str,
) -> Iterator[Deployment]:
    """Five processes on RabbitMQ and PostgreSQL, behind one port."""
    clock = Clock(directory / "clock")
    port = free_ports(6)[0]
    environ = environment(
        directory, infobip, PORT=str(port), PAGERPAL_DATABASE_URL=database, PAGERPAL_AMQP_URL=amqp_url, **more
    )
    process = start(DISTRIBUTED, directory, environ)
    base = f"http://127.0.0.1:{port}"
    running = Deployment(base, database, clock, infobip, process, directory, environ, broker, amqp_url)
    with _stopped_at_the_end(running):
        first_admin(running)
        yield running


@contextmanager
def _stopped_at_the_end(running: Deployment) -> Iterator[None]:
    try:
        yield
    finally:
        if running.process.poll() is None:
            assert stop(running.process) == 0
        assert "Traceback" not in running.log


LOWEST_PORT, HIGHEST_PORT = 21000, 32000
"""Below those that the kernel hands out for outgoing connections."""
BLOCK = 100
"""Ports that one process of tests has to itself."""


@cache
def _block() -> tuple[socket.socket, Iterator[int]]:
    """A block of ports that no other run of tests gives out, as long as we listen on its first; and where to look next.

    Runs side by side would otherwise find the same ports free, and start servers on them a second later.
    """
    firsts = list(range(LOWEST_PORT, HIGHEST_PORT, BLOCK))
    at = os.getpid() % len(firsts)
    for first in firsts[at:] + firsts[:at]:
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", first)), itertools.cycle(range(first + 1, first + BLOCK - 6, 6))
    raise AssertionError("no free ports")


def free_ports(count: int) -> list[int]:
    """Ports in a row that nobody listens on, at most six."""
    _, bases = _block()
    for base in itertools.islice(bases, BLOCK):
        ports = list(range(base, base + count))
        try:
            with ExitStack() as stack:
                for port in ports:
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
        except OSError:
            continue
        return ports
    raise AssertionError("no free ports")
