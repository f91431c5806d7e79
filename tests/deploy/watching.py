"""How does compose's Prometheus run without containers? Debian's, on its own configuration but for addresses."""

import copy
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pagerpal_common.testing.processes import end, free_ports, spawn, watch
from pagerpal_common.testing.rabbitmq import PROGRAMS, RabbitMQNode

from tests.deploy.installation import Installation, status_of, until
from tests.deploy.tools import DEPLOY, Object, prometheus, run

PROMETHEUS = shutil.which("prometheus")
SEEN_SECONDS = 60.0
LOOK_SECONDS = 0.25

Sample = tuple[dict[str, str], float]


@dataclass(frozen=True)
class Prometheus:
    """What Prometheus knows."""

    url: str

    def get(self, path: str, **parameters: str) -> Any:
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=30, trust_env=False).json()
        assert answer["status"] == "success", f"{parameters}: {answer}"
        return answer["data"]

    def query(self, expression: str) -> list[Sample]:
        """The samples of an expression at this moment."""
        found = self.get("query", query=expression)["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def wait_for(self, expression: str) -> list[Sample]:
        """The samples of an expression, once there are any."""
        deadline = time.monotonic() + SEEN_SECONDS
        while not (found := self.query(expression)):
            assert time.monotonic() < deadline, f"no samples of {expression}; ALERTS: {self.query('ALERTS')}"
            time.sleep(LOOK_SECONDS)
        return found


def adapted(here: Installation, broker_port: int) -> Object:
    """Compose's configuration, with the places of these processes instead of names, and a faster clock.

    What is relabelled, the paths and their parameters are as they are there.
    """
    config = copy.deepcopy(prometheus())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"}
    config["rule_files"] = [str(DEPLOY / "prometheus" / "rules.yml")]
    config["alerting"]["alertmanagers"][0]["file_sd_configs"][0]["files"] = [
        str(DEPLOY / "prometheus" / "alertmanagers.yml")
    ]
    places = {name: [one.metrics_port for one in replicas] for name, replicas in here.replicas.items()}
    places["rabbitmq"] = [broker_port]
    for job in config["scrape_configs"]:
        (by_name,) = job.pop("dns_sd_configs")
        job["static_configs"] = [
            {"targets": [f"127.0.0.1:{port}" for port in places[name]], "labels": {"__meta_dns_name": name}}
            for name in by_name["names"]
            if name in places
        ]
    return config


def enable_metrics(broker: RabbitMQNode) -> int:
    """Have this node tell of its queues, as the one of compose does; the port of that."""
    (port,) = free_ports(1)
    address = f'[{{port, {port}}}, {{ip, "127.0.0.1"}}]'
    broker.control("eval", f"application:set_env(rabbitmq_prometheus, tcp_config, {address}).")
    program = PROGRAMS / "rabbitmq-plugins"
    run(program, "--quiet", "enable", "rabbitmq_prometheus", environ=broker.environment)
    return port


@contextmanager
def watching(here: Installation, broker: RabbitMQNode, directory: Path) -> Iterator[Prometheus]:
    """A Prometheus that looks at all of it."""
    assert PROMETHEUS is not None, "install Debian's package prometheus"
    (port,) = free_ports(1)
    file = directory / "prometheus.yml"
    file.write_text(json.dumps(adapted(here, enable_metrics(broker))))
    run("promtool", "check", "config", file)
    command = [
        PROMETHEUS,
        f"--config.file={file}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--query.lookback-delta=5s",  # what is gone is gone at once
    ]
    process: subprocess.Popen[bytes] = spawn(command, {"PATH": "/usr/bin"}, directory / "log")
    watchdog = watch(process)
    try:
        until(lambda: status_of(port, "/-/ready") == 200, "Prometheus is not ready", process)
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        end(process, watchdog)
