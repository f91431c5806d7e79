"""How does a whole installation run without containers? The image's interpreter, compose's secrets, and the real edge.

Each service has its own login for PostgreSQL and for RabbitMQ, its secrets as files, and `PAGERPAL_ENV=production`.
Replicas are started and stopped as a cluster does: a new one is waited for, the edge is told, and the old one gets
SIGTERM only then.
"""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from pagerpal_common.testing.processes import end, free_ports, watch
from sqlalchemy import make_url

from tests.deploy.tools import DEPLOY, run
from tests.e2e.fake_infobip import API_KEY, FakeInfobip

SERVICES = ("ingest", "incidents", "escalator", "notifier", "web")
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
START_SECONDS = 60.0
STOP_SECONDS = 60.0
LOOK_SECONDS = 0.05
PRE_STOP_SECONDS = 1.0
"""What stands for the 5 s of the manifests: here the edge has its list before this begins."""


class Broker(Protocol):
    """A RabbitMQ: one node, or the address of several."""

    url: str

    def control(self, *arguments: str) -> str:
        """What rabbitmqctl prints."""


@dataclass
class Replica:
    """One process of a service."""

    service: str
    port: int
    process: subprocess.Popen[bytes]
    watchdog: subprocess.Popen[bytes]
    metrics_port: int = 0

    def is_ready(self) -> bool:
        return status_of(self.port, "/readyz") == 200

    def stop(self) -> float:
        """SIGTERM; how long it took to end well, in seconds."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_SECONDS) == 0
        took = time.monotonic() - began
        end(self.process, self.watchdog)
        return took


@dataclass
class Installation:
    """Five services behind the edge."""

    python: Path
    directory: Path
    database_url: str
    """Of the login that migrates."""
    infobip: FakeInfobip
    edge_port: int
    infobip_key: str = field(default=API_KEY, repr=False)
    """What the notifier is given as INFOBIP_API_KEY."""
    more: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    """What a service is told besides, from its next start on."""
    replicas: dict[str, list[Replica]] = field(default_factory=lambda: {name: [] for name in SERVICES})
    edge: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.edge_port}"

    @property
    def secrets(self) -> Path:
        return self.directory / "secrets"

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def environment(self, service: str) -> dict[str, str]:
        """As compose gives it, but for addresses."""
        own = self.secrets / service
        environ = {
            "HOST": "127.0.0.1",
            "PAGERPAL_ENV": "production",
            "PAGERPAL_DATABASE_URL_FILE": str(own / "database-url"),
            "PAGERPAL_AMQP_URL_FILE": str(own / "amqp-url"),
            "PAGERPAL_TRUSTED_PROXIES": "127.0.0.1",
            "PYTHONWARNINGS": "error",
        }
        if service == "ingest":
            environ["INFOBIP_RECEIPT_TOKEN_FILE"] = str(own / "receipt-token")
        if service in {"web", "notifier"}:
            environ |= {"PAGERPAL_SECRET_KEY_FILE": str(own / "secret-key"), "PAGERPAL_PUBLIC_URL": self.url}
        if service == "notifier":
            environ |= {
                "INFOBIP_BASE_URL": self.infobip.url,
                "INFOBIP_API_KEY": self.infobip_key,
                "INFOBIP_VOICE_SENDER": "+4930123",
            }
        return environ | self.more.get(service, {})

    def start(self, service: str) -> Replica:
        """One replica more, waited for."""
        port, metrics_port = free_ports(2)
        with (self.directory / "log").open("ab") as log:
            process = subprocess.Popen(
                [self.python, "-m", f"pagerpal_{service}"],
                env={**self.environment(service), "PORT": str(port), "PAGERPAL_METRICS_PORT": str(metrics_port)},
                cwd="/tmp",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        replica = Replica(service, port, process, watch(process), metrics_port)
        self.replicas[service].append(replica)
        until(replica.is_ready, f"{service} is not ready", process)
        return replica

    def migrate(self) -> None:
        """The Job: the migrations, and then the logins."""
        run(self.python, "-m", "pagerpal_common.migrations", environ={"PAGERPAL_DATABASE_URL": self.database_url})
        (self.secrets / "migrate" / "database-url").unlink()
        (self.secrets / "migrate" / "database-url").write_text(self.database_url)
        self.prepare("logins")

    def prepare(self, what: str) -> None:
        parts = make_url(self.database_url)
        query = "&".join(f"{name}={value}" for name, value in parts.query.items())
        place = "" if parts.host is None else f"{parts.host}:{parts.port}"
        environ = {
            "PAGERPAL_SECRETS_DIR": str(self.secrets),
            "PAGERPAL_MIGRATE_SECRETS_DIR": str(self.secrets / "migrate"),
            "PAGERPAL_POSTGRES_HOST": place,
            "PAGERPAL_DATABASE_NAME": f"{parts.database}?{query}" if query else str(parts.database),
            "PAGERPAL_BROKER_HOST": (self.directory / "broker").read_text(),
        }
        run(self.python, DEPLOY / "compose" / "prepare.py", what, environ=environ)

    def route(self) -> None:
        """Tell the edge who is there. By the new list alone it answers when this returns: its old workers are gone."""
        conf = self.directory / "edge" / "backends.conf"
        conf.write_text("".join(self._backends(service) for service in ("ingest", "web")))
        if self.edge is not None:
            before = self._workers()
            self.edge.send_signal(signal.SIGHUP)
            until(lambda: not self._workers() & before, "the edge holds on to its old list", self.edge)

    def _workers(self) -> set[str]:
        assert self.edge is not None
        return set(Path(f"/proc/{self.edge.pid}/task/{self.edge.pid}/children").read_text().split())

    def _backends(self, service: str) -> str:
        servers = " ".join(f"server 127.0.0.1:{replica.port};" for replica in self.replicas[service])
        return f"upstream {service}_pool {{ {servers} }}\nmap $host ${service} {{ default {service}_pool; }}\n"

    def replace(self, service: str) -> float:
        """A rolling restart of a service with one replica, as a cluster does it; the seconds that the old one took."""
        (old,) = self.replicas[service]
        self.start(service)
        if service in {"ingest", "web"}:
            self.route()
        self.replicas[service].remove(old)
        if service in {"ingest", "web"}:
            self.route()
            time.sleep(PRE_STOP_SECONDS)
        return old.stop()


@contextmanager
def installation(
    python: Path, directory: Path, database_url: str, broker: Broker, infobip: FakeInfobip
) -> Iterator[Installation]:
    """Everything up, on one machine, until the context ends."""
    (directory / "secrets").mkdir()
    (directory / "broker").write_text(f"127.0.0.1:{urlsplit(broker.url).port}")
    here = Installation(python, directory, database_url, infobip, free_ports(1)[0])
    here.prepare("secrets")
    broker.control("import_definitions", str(here.secrets / "rabbitmq" / "definitions.json"))
    try:
        here.migrate()
        for service in SERVICES:
            here.start(service)
        _start_edge(here)
        yield here
    finally:
        for replica in (one for of_service in here.replicas.values() for one in of_service):
            end(replica.process, replica.watchdog)
        if here.edge is not None:
            here.edge.terminate()
            here.edge.wait(STOP_SECONDS)


def _start_edge(here: Installation) -> None:
    assert NGINX is not None, "install Debian's package nginx-light"
    conf = here.directory / "edge"
    conf.mkdir()
    text = (DEPLOY / "edge" / "nginx.conf").read_text()
    text = text.replace("listen 8000;", f"listen 127.0.0.1:{here.edge_port};").replace("/tmp/nginx", f"{conf}/nginx")
    (conf / "nginx.conf").write_text(text)
    here.route()
    with (here.directory / "edge.log").open("ab") as log:
        command = [NGINX, "-e", "/dev/stderr", "-c", str(conf / "nginx.conf")]
        here.edge = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    until(lambda: status_of(here.edge_port, "/health") == 200, "the edge does not answer", here.edge)


def until(condition: Callable[[], bool], what: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for something that a process does, but not for ever."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert process.poll() is None, f"{what}: it has ended with {process.returncode}"
        assert time.monotonic() < deadline, what
        time.sleep(LOOK_SECONDS)


def status_of(port: int, path: str) -> int:
    """The status of an answer; 0 when there is none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()
