"""Is nobody refused while keys are changed? The steps of docs/operations.md, Changing keys, under load."""

import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from pagerpal_common.testing.rabbitmq import RabbitMQNode
from sqlalchemy import make_url

from tests.deploy.conftest import Demo
from tests.deploy.installation import SERVICES, Installation
from tests.deploy.monitoring import cookies
from tests.deploy.rehearsal import Shell, shell

READ_PAUSE, ALERT_PAUSE = 0.05, 0.1
REQUEST_SECONDS = 15.0
TALKERS = ("ingest", "escalator")
"""Of the logins of RabbitMQ two are changed here, one of a service that only speaks: the others are like the second."""

pytestmark = pytest.mark.timeout(300)


@dataclass
class Traffic:
    """What goes on meanwhile, and how it is answered."""

    url: str
    admin: tuple[str, str]
    key: str
    statuses: Counter[str] = field(default_factory=Counter)
    _enough: threading.Event = field(default_factory=threading.Event)

    def browser(self, port: int | None = None) -> httpx.Client:
        """At the edge, or at the replica that listens there."""
        url = self.url if port is None else f"http://127.0.0.1:{port}"
        return httpx.Client(base_url=url, timeout=REQUEST_SECONDS, trust_env=False)

    def login(self, browser: httpx.Client) -> None:
        email, password = self.admin
        self._note("login", browser.post("/login", json={"email": email, "password": password}))
        browser.headers["Cookie"] = cookies(browser)

    def read(self, browser: httpx.Client) -> None:
        self._note("read", browser.get("/api/v1/teams"))

    @contextmanager
    def flowing(self) -> Iterator[None]:
        threads = [threading.Thread(target=work) for work in (self._reads, self._alerts)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in threads:
                thread.join(2 * REQUEST_SECONDS)

    def refused(self) -> dict[str, int]:
        return {what: count for what, count in self.statuses.items() if what.split()[-1] not in {"200", "201", "204"}}

    def _reads(self) -> None:
        with self.browser() as browser:
            self.login(browser)
            while not self._enough.wait(READ_PAUSE):
                self.read(browser)

    def _alerts(self) -> None:
        body = {"title": "Noise", "severity": "info", "external_id": "keys"}
        with self.browser() as client:
            while not self._enough.wait(ALERT_PAUSE):
                self._note("alert", client.post("/api/v1/alerts", json=body, headers={"X-API-Key": self.key}))

    def _note(self, what: str, answer: httpx.Response) -> None:
        self.statuses[f"{what} {answer.status_code}"] += 1


@pytest.fixture
def traffic(here: Installation, demo: Demo) -> Traffic:
    with httpx.Client(base_url=here.url, auth=demo.admin, timeout=REQUEST_SECONDS, trust_env=False) as client:
        team = client.get("/api/v1/teams").raise_for_status().json()[0]["id"]
        body = {"team_id": team, "name": "Keys", "source_type": "generic"}
        key = client.post("/api/v1/alert-sources", json=body).raise_for_status().json()["api_key"]
    return Traffic(here.url, demo.admin, key)


def test_a_new_secret_key_logs_nobody_out(here: Installation, traffic: Traffic) -> None:
    files = [here.secrets / service / "secret-key" for service in ("web", "notifier")]
    old, new = files[0].read_text(), secrets.token_urlsafe(36)

    with traffic.flowing(), traffic.browser() as before:
        traffic.login(before)
        here.more["web"] = {"PAGERPAL_SECRET_KEY_PREVIOUS": new}
        here.replace("web")
        here.more["web"] = {"PAGERPAL_SECRET_KEY_PREVIOUS": old}
        for file in files:
            put(file, new)
        roll_out_slowly(here, traffic)
        here.replace("notifier")
        traffic.read(before)

    assert traffic.refused() == {}, traffic.statuses


def roll_out_slowly(here: Installation, traffic: Traffic) -> None:
    """Two replicas of web serve, of which one has the new key: who logs in at either is known to both."""
    (first,) = here.replicas["web"]
    second = here.start("web")
    here.route()
    for login_at in (first, second):
        with traffic.browser(login_at.port) as browser:
            traffic.login(browser)
            for replica in (first, second):
                browser.base_url = f"http://127.0.0.1:{replica.port}"
                traffic.read(browser)
    here.replicas["web"].remove(first)
    here.route()
    first.stop()


def test_new_logins_at_the_database_and_the_broker_refuse_nobody(
    here: Installation, traffic: Traffic, broker: RabbitMQNode, tmp_path: Path
) -> None:
    news = {service: secrets.token_hex() for service in SERVICES}
    keyboards = {
        service: shell(
            tmp_path,
            python=here.python,
            database_url=here.database_url,
            broker=broker.environment,
            SERVICE=service,
            NEW=news[service],
        )
        for service in TALKERS
    }

    with traffic.flowing():
        for service in TALKERS:
            change(here, service, news[service], keyboards[service])

    assert traffic.refused() == {}, traffic.statuses
    assert traffic.statuses["alert 200"] > 0


def change(here: Installation, service: str, new: str, keyboard: Shell) -> None:
    keyboard.type("second-database-login")
    keyboard.type("second-broker-login")
    for name, user in (("database-url", f"{service}_b"), ("amqp-url", f"pagerpal_{service}_b")):
        file = here.secrets / service / name
        url = make_url(file.read_text()).set(username=user, password=new)
        put(file, url.render_as_string(hide_password=False))
    here.replace(service)
    keyboard.type("drop-first-logins")


def put(file: Path, text: str) -> None:
    """As a Secret changes: whole."""
    file.unlink()
    file.write_text(text)
