"""Where do tests get a real RabbitMQ from? `PAGERPAL_TEST_AMQP_URL`, or a private node out of Debian's package.

The node listens on 127.0.0.1 only, on ports that were free, with an epmd, a home and a data directory of its own. It
can be stopped, killed and started again, and dies with the process that started it.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pagerpal_common.bus.rabbit_permissions import permissions, services
from pagerpal_common.bus.rabbit_topology import Names
from pagerpal_common.testing.processes import end, free_ports, process, spawn, watch

ENVIRONMENT = "PAGERPAL_TEST_AMQP_URL"
PROGRAMS = Path("/usr/lib/rabbitmq/bin")
START_SECONDS = 60.0

CONFIGURATION = """\
listeners.tcp.default = 127.0.0.1:{port}
vm_memory_high_watermark.absolute = 400MB
disk_free_limit.absolute = 50MB
log.console = false
log.file.level = warning
"""


class RabbitMQMissing(Exception):
    """There is no RabbitMQ on this machine, and `PAGERPAL_TEST_AMQP_URL` names none elsewhere."""


@contextmanager
def rabbitmq_url() -> Iterator[str]:
    """The URL of a broker that tests may fill: the one named in the environment, else a private node.

    Raises:
        RabbitMQMissing: there is neither.
    """
    if url := os.environ.get(ENVIRONMENT):
        yield url
        return
    with rabbitmq_node() as node:
        yield node.url


@contextmanager
def rabbitmq_node() -> Iterator["RabbitMQNode"]:
    """A private node, running, for tests that take it down.

    Raises:
        RabbitMQMissing: RabbitMQ is not installed here.
    """
    epmd = shutil.which("epmd")
    if epmd is None or not (PROGRAMS / "rabbitmq-server").exists():
        raise RabbitMQMissing(f"install rabbitmq-server, or set {ENVIRONMENT}")
    with tempfile.TemporaryDirectory(prefix="pagerpal-rabbitmq-", ignore_cleanup_errors=True) as directory:
        node = RabbitMQNode(Path(directory))
        names = [epmd, "-address", "127.0.0.1", "-port", str(node.epmd_port)]
        with process(names, node.environment) as _:
            try:
                node.start()
                yield node
            finally:
                node.kill()


class RabbitMQNode:
    """A RabbitMQ of our own, that may be treated badly. Its methods block: call them in a thread from a test's loop."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port, distribution_port, self.epmd_port = free_ports(3)
        self._running: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}/"
        (directory / "rabbitmq.conf").write_text(CONFIGURATION.format(port=self._port))
        (directory / "enabled_plugins").write_text("[].\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),  # where Erlang keeps its cookie
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"pagerpal-{self._port}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_MNESIA_BASE": str(directory / "data"),
            "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(directory / "pid"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RUNNING_UNDER_SYSTEMD": "true",  # Debian's script then becomes the server: one process, one pid
        }

    def start(self) -> None:
        """Start it, with the data it had, and wait until it speaks AMQP."""
        command = [str(PROGRAMS / "rabbitmq-server")]
        self._running = spawn(command, self.environment, self._directory / "output")
        self._watchdog = watch(self._running)
        deadline = time.monotonic() + START_SECONDS
        while not _speaks_amqp(self._port):
            if self._running.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"RabbitMQ does not start: {(self._directory / 'output').read_text()[-2000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Shut it down in good order."""
        if self._running is not None:
            self._running.terminate()
            self._running.wait(START_SECONDS)
            self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._running is not None:
            end(self._running, self._watchdog)
            self._running = self._watchdog = None

    def close_all_connections(self) -> None:
        """Cut every client off, as an operator or a rolling upgrade does."""
        self.control("close_all_connections", "by a test")

    def control(self, *arguments: str) -> str:
        """What rabbitmqctl prints. It takes a second or two."""
        command = [str(PROGRAMS / "rabbitmqctl"), "--quiet", *arguments]
        finished = subprocess.run(  # noqa: S603 the arguments are ours
            command, env=self.environment, check=True, capture_output=True, text=True, timeout=START_SECONDS
        )
        return finished.stdout


def make_logins(node: RabbitMQNode, vhost: str) -> Mapping[str, str]:
    """A new vhost with the logins that an operator is told to make (`rabbit_permissions`); their URLs by service."""
    password = secrets.token_hex()
    definitions: dict[str, list[dict[str, str]]] = {"vhosts": [{"name": vhost}]}
    definitions |= {part: [] for part in ("users", "permissions", "topic_permissions")}
    for service in services():
        may, user = permissions(service, Names()), f"{vhost}_{service}"
        at = {"user": user, "vhost": vhost}
        topics = {"exchange": Names().exchange, "write": may.topics_written, "read": may.topics_read}
        definitions["users"].append({"name": user, "password": password, "tags": ""})
        definitions["permissions"].append({**at, "configure": may.configure, "write": may.write, "read": may.read})
        definitions["topic_permissions"].append(at | topics)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(definitions, file)
        file.flush()
        node.control("import_definitions", file.name)
    address = node.url.partition("@")[2]
    return {service: f"amqp://{vhost}_{service}:{password}@{address}{vhost}" for service in services()}


def _speaks_amqp(port: int) -> bool:
    """Whether it answers the protocol header with a method frame (AMQP 0-9-1, section 4.2.2)."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False
