"""A real Prometheus Alertmanager for the stories: Debian's package, on a free port of 127.0.0.1.

It is told to be quick (no waiting for a group to fill, repeats every second), and keeps its notification log in the
test's directory, so that it can be stopped and started again. Its alerts come as Prometheus posts them.
"""

import json
import signal
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pagerpal_common.testing.processes import end, free_ports, spawn, watch

PROGRAM = Path("/usr/bin/prometheus-alertmanager")
START_SECONDS = 30.0
LOOK_SECONDS = 0.05

Labels = Mapping[str, str]


class AlertmanagerMissing(Exception):
    """There is no Alertmanager on this machine."""


class Alertmanager:
    """An Alertmanager that posts to one PagerPal. Its methods block for a moment only."""

    def __init__(self, directory: Path, receiver: Mapping[str, Any]) -> None:
        """`receiver`: what it does with its notifications, as in `receivers` of its configuration.

        Raises:
            AlertmanagerMissing: it is not installed.
        """
        if not PROGRAM.exists():
            raise AlertmanagerMissing("install prometheus-alertmanager")
        (port,) = free_ports(1)
        directory.mkdir(parents=True)
        self._directory = directory
        self._url = f"http://127.0.0.1:{port}"
        self._running: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        (directory / "alertmanager.json").write_text(json.dumps(_configuration(receiver)))  # JSON is YAML
        self._command = [
            str(PROGRAM),
            f"--config.file={directory / 'alertmanager.json'}",
            f"--storage.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]

    @property
    def log(self) -> str:
        return (self._directory / "output").read_text()

    def start(self) -> None:
        """Start it, with the notification log that it had, and wait until it is ready."""
        self._running = spawn(self._command, {"HOME": str(self._directory)}, self._directory / "output")
        self._watchdog = watch(self._running)
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._running.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Alertmanager does not start: {self.log[-2000:]}")
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """Shut it down in good order, which writes its notification log."""
        if self._running is not None:
            self._running.send_signal(signal.SIGTERM)
            self._running.wait(START_SECONDS)
            end(self._running, self._watchdog)
            self._running = self._watchdog = None

    def fire(self, labels: Labels, *, since: datetime, **annotations: str) -> None:
        """What Prometheus posts again and again while a rule is met."""
        self._post(labels, annotations, since, since + timedelta(hours=1))

    def end(self, labels: Labels, *, since: datetime, at: datetime, **annotations: str) -> None:
        """What Prometheus posts when the rule is no longer met."""
        self._post(labels, annotations, since, at)

    def _post(self, labels: Labels, annotations: Labels, starts_at: datetime, ends_at: datetime) -> None:
        alert = {
            "labels": dict(labels),
            "annotations": dict(annotations),
            "startsAt": starts_at.isoformat(),
            "endsAt": ends_at.isoformat(),
            "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
        }
        answer = httpx.post(f"{self._url}/api/v2/alerts", json=[alert], timeout=10, trust_env=False)
        assert answer.status_code == 200, answer.text

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self._url}/-/ready", timeout=1, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


def webhook(url: str, key: str) -> dict[str, Any]:
    """Alertmanager's own webhook, with the source's key as a bearer's token."""
    config = {
        "url": f"{url}/api/v1/webhooks/alertmanager",
        "http_config": {"authorization": {"credentials": key}},
        "send_resolved": True,
    }
    return {"webhook_configs": [config]}


def pagerduty(url: str, key: str) -> dict[str, Any]:
    """PagerDuty, at our address."""
    return {"pagerduty_configs": [{"url": f"{url}/v2/enqueue", "routing_key": key, "send_resolved": True}]}


def _configuration(receiver: Mapping[str, Any]) -> dict[str, Any]:
    route = {
        "receiver": "pagerpal",
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": "500ms",
        "repeat_interval": "1s",
    }
    return {"route": route, "receivers": [{"name": "pagerpal", **receiver}]}
