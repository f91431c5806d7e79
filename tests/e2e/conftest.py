"""Where do the stories run? In one process, and as five on RabbitMQ and PostgreSQL: each story in both."""

import asyncio
import os
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pagerpal_common.testing.rabbitmq import ENVIRONMENT, PROGRAMS, RabbitMQMissing, RabbitMQNode, rabbitmq_node
from sqlalchemy import make_url

from tests.e2e.alertmanager import Alertmanager, AlertmanagerMissing
from tests.e2e.deployment import Deployment, distributed, standalone
from tests.e2e.escapes import listen, see_that_nothing_escaped
from tests.e2e.fake_infobip import fake_infobip
from tests.e2e.pagerpal import Pagerpal, story
from tests.e2e.settled import connect

_not_run: list[str] = []


@pytest.fixture(scope="session")
def broker() -> Iterator[RabbitMQNode | None]:
    """A RabbitMQ that stories may take down; None when there is only one that others use, too."""
    with ExitStack() as stack:
        try:
            yield stack.enter_context(rabbitmq_node())
        except RabbitMQMissing as error:
            if not os.environ.get(ENVIRONMENT):
                _not_run.append("every story as five processes, and everything about faults between them")
                pytest.skip(f"NOT RUN: no RabbitMQ: {error}")
            _not_run.append("the stories that take RabbitMQ down: there is none of our own to take down")
            yield None


@pytest.fixture(scope="session", params=["standalone", "distributed"])
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A running PagerPal, shared by all stories of one kind."""
    with fake_infobip() as infobip:
        directory = tmp_path_factory.mktemp(request.param)
        if request.param == "standalone":
            with standalone(directory, infobip) as running:
                yield running
                see_that_nothing_escaped(running, None)
            return
        node = request.getfixturevalue("broker")
        amqp_url = node.url if node is not None else os.environ[ENVIRONMENT]
        database = asyncio.run(create_database(request.getfixturevalue("postgres_url"), "pp_e2e"))
        with distributed(directory, infobip, database, amqp_url, node) as running:
            asyncio.run(listen(amqp_url))
            yield running
            see_that_nothing_escaped(running, amqp_url)


@pytest.fixture
def corner(broker: RabbitMQNode | None, postgres_url: str) -> tuple[str, str]:
    """A database and a corner of the broker of the test's own: their URLs."""
    if broker is None:
        pytest.skip("NOT RUN: the RabbitMQ is somebody else's, and has no corner for us")
    name = f"pp_{uuid.uuid4().hex[:8]}"
    for command in (["add_vhost", name], ["set_permissions", "-p", name, "guest", ".*", ".*", ".*"]):
        subprocess.run([PROGRAMS / "rabbitmqctl", *command], env=broker.environment, check=True, capture_output=True)
    return asyncio.run(create_database(postgres_url, name)), f"{broker.url}{name}"


@pytest.fixture
async def pagerpal(deployment: Deployment) -> AsyncIterator[Pagerpal]:
    """A story's view of it. Fails the story when somebody was paged whom it did not expect."""
    async with story(deployment) as pagerpal:
        yield pagerpal


@pytest.fixture
def start_alertmanager(tmp_path: Path) -> Iterator[Callable[[Mapping[str, Any]], Alertmanager]]:
    """Starts Alertmanagers that do what their receiver says; they end with the story."""
    started: list[Alertmanager] = []

    def start(receiver: Mapping[str, Any]) -> Alertmanager:
        try:
            alertmanager = Alertmanager(tmp_path / f"alertmanager-{len(started)}", receiver)
        except AlertmanagerMissing as error:
            _not_run.append("the stories with a real Alertmanager")
            pytest.skip(f"NOT RUN: no Alertmanager: {error}")
        started.append(alertmanager)
        alertmanager.start()
        return alertmanager

    yield start
    for alertmanager in started:
        alertmanager.stop()


async def create_database(server_url: str, name: str) -> str:
    """An empty database; its URL."""
    connection = await connect(server_url)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def pytest_unconfigure(config: pytest.Config) -> None:
    """What was not run is said loudly, and after everything else: it must not scroll away above a row of dots."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not _not_run:
        return
    reporter.section("NOT RUN", sep="!", red=True, bold=True)
    for what in dict.fromkeys(_not_run):
        reporter.write_line(f"NOT RUN: {what}", red=True, bold=True)
    what_helps = f"Install rabbitmq-server (or set {ENVIRONMENT}) and prometheus-alertmanager, and run this again."
    reporter.write_line(what_helps, red=True)
