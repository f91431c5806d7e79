"""Where do tests get a real RabbitMQ from? `PAGERPAL_TEST_AMQP_URL`, or private nodes out of Debian's package.

A node listens on 127.0.0.1 only, on ports that were free, with an epmd, a home and a data directory of its own. It
can be stopped, killed and started again, also without its data, and dies with the process that started it.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
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

CLUSTER = """\
cluster_formation.peer_discovery_backend = classic_config
cluster_partition_handling = pause_minority
"""
"""As in deploy/rabbitmq/."""


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
    with rabbitmq_nodes(1) as (node,):
        yield node


@contextmanager
def rabbitmq_nodes(number: int) -> Iterator[Sequence["RabbitMQNode"]]:
    """Private nodes, running; several are one cluster, as the compose file's profile of that name makes it.

    Raises:
        RabbitMQMissing: RabbitMQ is not installed here.
    """
    epmd = shutil.which("epmd")
    if epmd is None or not (PROGRAMS / "rabbitmq-server").exists():
        raise RabbitMQMissing(f"install rabbitmq-server, or set {ENVIRONMENT}")
    with tempfile.TemporaryDirectory(prefix="pagerpal-rabbitmq-", ignore_cleanup_errors=True) as directory:
        (epmd_port,) = free_ports(1)
        homes = [Path(directory) / str(place) for place in range(number)]
        nodes = [RabbitMQNode(home, epmd_port) for home in homes]
        if number > 1:
            _make_peers(homes, nodes)
        with process([epmd, "-address", "127.0.0.1", "-port", str(epmd_port)], nodes[0].environment) as _:
            try:
                start_together(nodes)
                yield nodes
            finally:
                for node in nodes:
                    node.kill()


def start_together(nodes: Sequence["RabbitMQNode"]) -> None:
    """Start nodes of one cluster that have never been part of one: the first of them, and the others join it."""
    first, *others = nodes
    first.start()
    for node in others:
        node.launch()
    for node in others:
        node.wait()


def _make_peers(homes: Sequence[Path], nodes: Sequence["RabbitMQNode"]) -> None:
    cookie = secrets.token_hex()
    for home in homes:
        (home / ".erlang.cookie").write_text(cookie)
        (home / ".erlang.cookie").chmod(0o400)
        with (home / "rabbitmq.conf").open("a") as configuration:
            configuration.write(CLUSTER)
            for place, node in enumerate(nodes, start=1):
                configuration.write(f"cluster_formation.classic_config.nodes.{place} = {node.name}\n")


class RabbitMQNode:
    """A RabbitMQ of our own, that may be treated badly. Its methods block: call them in a thread from a test's loop."""

    def __init__(self, directory: Path, epmd_port: int) -> None:
        directory.mkdir(exist_ok=True)
        self._directory = directory
        self.port, distribution_port = free_ports(2)
        self._running: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self.name = f"pagerpal-{self.port}@localhost"
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/"
        (directory / "rabbitmq.conf").write_text(CONFIGURATION.format(port=self.port))
        (directory / "enabled_plugins").write_text("[].\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),  # where Erlang keeps its cookie
            "ERL_EPMD_PORT": str(epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.name,
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
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it, with the data it had."""
        command = [str(PROGRAMS / "rabbitmq-server")]
        self._running = spawn(command, self.environment, self._directory / "output")
        self._watchdog = watch(self._running)

    def wait(self) -> None:
        """Wait until it speaks AMQP."""
        deadline = time.monotonic() + START_SECONDS
        while not _speaks_amqp(self.port):
            if self._running is None or self._running.poll() is not None or time.monotonic() > deadline:
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

    def lose_data(self) -> None:
        """End it at once, and its disk with it: what starts after that is a node that nobody has ever used."""
        self.kill()
        shutil.rmtree(self._directory / "data")

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
