"""Does docs/operations.md, Disasters, hold? A node, the broker, the provider and the database, while alerts arrive.

Five services of the image on three nodes of RabbitMQ and a real PostgreSQL, behind the edge; the commands are those of
the document. Whatever happens, what was answered 2xx is paged.
"""

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pagerpal_common.bus.rabbit_topology import Names
from pagerpal_common.testing.rabbitmq import RabbitMQNode, rabbitmq_nodes, start_together

from tests.deploy.balancer import balancer
from tests.deploy.installation import Installation, installation
from tests.deploy.monitoring import Administration, Monitoring, Source, administration, until
from tests.deploy.rehearsal import Shell, blocks, shell
from tests.e2e.conftest import create_database
from tests.e2e.fake_infobip import API_KEY, fake_infobip
from tests.e2e.settled import connect

PEOPLE = 40
ALERT_PAUSE = 0.1
SLOW_PAUSE = 0.5
"""While something takes its time: nobody is to have more pages than their budget."""

DATABASE = "pp_disasters"

_NUMBERS = """
SELECT min(id) AS first, max(id) AS last, min(escalation_id) AS first_run, max(escalation_id) AS last_run
FROM incidents.incidents
"""

pytestmark = pytest.mark.timeout(300)


@dataclass
class Cluster:
    """Three nodes behind one address."""

    nodes: list[RabbitMQNode]
    url: str

    def control(self, *arguments: str) -> str:
        return self.nodes[0].control(*arguments)


@dataclass
class Site:
    """What may be ruined here."""

    here: Installation
    cluster: Cluster
    admin: Administration
    people: list[Source]
    directory: Path

    def monitoring(self, name: str, repeat: str = "") -> Monitoring:
        return Monitoring(self.here, self.people, name, ALERT_PAUSE, repeat)

    def shell(self, node: RabbitMQNode, **more: str) -> Shell:
        return shell(
            self.directory,
            python=self.here.python,
            database_url=self.here.database_url,
            broker=node.environment,
            SECRETS=str(self.here.secrets),
            **more,
        )

    @contextmanager
    def stunned(self, *services: str) -> Iterator[None]:
        """Their processes stand still meanwhile, so that messages for them stay in their queues."""
        pids = [replica.process.pid for service in services for replica in self.here.replicas[service]]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What the database says."""

        async def fetch() -> list[dict[str, Any]]:
            connection = await connect(self.here.database_url)
            try:
                return [dict(row) for row in await connection.fetch(query, *values)]
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def heard_of(self, name: str) -> int:
        """How often a telephone has heard that this is down."""
        return sum(f"{name} is down" in page.text for _, page in self.here.infobip.pages())

    def until_ready(self) -> None:
        until(lambda: not self.unready(), "every service is ready", self.unready)

    def unready(self) -> list[str]:
        """The services of which a replica is not ready."""
        return [name for name, replicas in self.here.replicas.items() if not all(one.is_ready() for one in replicas)]


@pytest.fixture(scope="module")
def site(image: Path, own_postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation of these tests' own, with its server: what they do to a database's logins is nobody else's."""
    database_url = asyncio.run(create_database(own_postgres_url, DATABASE))
    database_url = database_url.replace("postgresql+asyncpg:", "postgresql:")
    with (
        rabbitmq_nodes(3) as nodes,
        balancer([node.port for node in nodes]) as port,
        fake_infobip() as infobip,
    ):
        cluster = Cluster(list(nodes), f"amqp://127.0.0.1:{port}/")
        directory = tmp_path_factory.mktemp("disasters")
        with installation(image / "bin" / "python", directory, database_url, cluster, infobip) as here:
            secrets = here.secrets / "demo"
            password, token = ((secrets / name).read_text() for name in ("demo-password", "setup-token"))
            with administration(here, password, token) as admin:
                yield Site(here, cluster, admin, [admin.person(number) for number in range(PEOPLE)], directory)
        assert "Traceback" not in here.log
        assert not infobip.violations


def test_a_node_of_three_is_lost_while_alerts_arrive(site: Site) -> None:
    lost, alive, _ = site.cluster.nodes
    with site.monitoring("node").watching() as monitoring:
        monitoring.until_accepted(20)
        lost.kill()
        monitoring.until_accepted(60)
    monitoring.check_all_were_paged()
    assert set(monitoring.statuses) <= {200, 201, 202, 503}, monitoring.statuses

    # Its disk is lost, too: the document's commands give a new node its place, and its copy of every queue.
    lost.lose_data()
    site.shell(alive, NODE=lost.name).type("forget-node")
    lost.start()
    site.shell(alive, NODE=lost.name).type("grow-node")
    assert len(members(alive)) == len(Names().all_queues()) + 1
    assert set(members(alive).values()) == {3}
    site.until_ready()
    site.admin.until_healthy()
    print(f"\na node killed: {dict(monitoring.statuses)}")


def members(node: RabbitMQNode) -> dict[str, int]:
    """On how many nodes each queue has a copy."""
    listed = node.control("-p", "pagerpal", "list_queues", "name", "members", "--no-table-headers")
    lines = [line.split("\t") for line in listed.splitlines()]
    return {name: who.count("@") for name, who in lines}


def test_the_broker_is_lost_with_all_that_lay_in_its_queues(site: Site) -> None:
    nodes = site.cluster.nodes
    with site.monitoring("broker").watching() as monitoring:
        with site.stunned("escalator", "notifier"):
            monitoring.until_accepted(15)
            # The broker counts what lies in quorum queues every few seconds.
            until(lambda: waiting(nodes[1]) > 0, "messages lie in queues", lambda: monitoring.statuses)
            for node in nodes:
                node.lose_data()
        monitoring.until_answered(202, 10)
        monitoring.pause = SLOW_PAUSE
        start_together(nodes)
        site.shell(nodes[1]).type("empty-broker")
        monitoring.until_answered(201, 10)
    monitoring.check_all_were_paged()
    assert set(monitoring.statuses) <= {200, 201, 202, 503}, monitoring.statuses
    assert set(members(nodes[2]).values()) == {3}
    site.until_ready()
    site.admin.until_healthy()
    print(f"\nthe broker lost: {dict(monitoring.statuses)}")


def waiting(node: RabbitMQNode) -> int:
    """How many messages lie in queues."""
    listed = node.control("-p", "pagerpal", "list_queues", "messages", "--no-table-headers")
    return sum(int(line) for line in listed.split())


def test_a_provider_that_does_not_know_our_key_delays_pages_and_loses_none(site: Site) -> None:
    infobip = site.here.infobip
    infobip.strangers = 0
    site.here.infobip_key = "a-key-that-was-withdrawn"
    site.here.replace("notifier")
    with site.monitoring("key").watching() as monitoring:
        monitoring.until_accepted(15)
        until(lambda: "circuit.opened" in site.here.log, "the log says so", lambda: infobip.strangers)
        monitoring.until_accepted(5)
    assert len(monitoring.unpaged()) == len(monitoring.accepted)
    assert infobip.strangers < len(monitoring.accepted), "it is left alone"

    site.here.infobip_key = API_KEY
    site.here.replace("notifier")

    monitoring.check_all_were_paged()
    site.admin.until_healthy()
    assert site.rows("SELECT name FROM notification.circuits WHERE state <> 'closed'") == []


def test_the_database_is_restored_from_an_older_backup(site: Site) -> None:
    here, keyboard = site.here, site.shell(site.cluster.nodes[0])
    with site.monitoring("kept").watching() as kept:
        kept.until_accepted(10)
    kept.check_all_were_paged()
    session = site.admin.session()
    assert site.admin.status_with(session) == 200
    keyboard.type("back-up")
    with site.monitoring("lost").watching() as lost:
        lost.until_accepted(10)
    lost.check_all_were_paged()
    (given_out,) = site.rows(_NUMBERS)
    pages = {name: site.heard_of(name) for name in (*kept.accepted, *lost.accepted)}

    with site.monitoring("meanwhile").watching() as meanwhile:
        meanwhile.pause = SLOW_PAUSE
        for service in ("incidents", "escalator", "notifier", "web"):
            here.replicas[service].pop().stop()
        meanwhile.until_answered(202, 2)
        keyboard.type("restore")
        keyboard.type("swap")
        for service in ("web", "incidents", "escalator", "notifier"):
            here.start(service)
        here.route()
        meanwhile.until_answered(201, 10)
    with site.monitoring("lost", repeat="-again").watching() as again:
        again.until_accepted(10)

    meanwhile.check_all_were_paged()
    again.check_all_were_paged()
    assert set(meanwhile.statuses) <= {201, 202}, meanwhile.statuses
    (new,) = site.rows(f"{_NUMBERS} WHERE external_id LIKE 'meanwhile-%' OR external_id LIKE 'lost-%'")
    assert new["first"] > given_out["last"]
    assert new["first_run"] > given_out["last_run"]
    assert {name: site.heard_of(name) for name in kept.accepted} == {name: pages[name] for name in kept.accepted}
    assert site.admin.status_with(session) == 401
    site.until_ready()
    site.admin.until_healthy()
    until(lambda: not site.admin.unreached(), "the ledger says that somebody has heard of all", site.admin.unreached)
    assert site.rows("SELECT * FROM incidents.parked_alerts") == []
    assert "bus.parked" not in here.log


def test_every_command_that_the_document_calls_rehearsed_is_typed_here() -> None:
    typed = re.findall(
        r'\.type\("([\w-]+)"\)', "".join(file.read_text() for file in Path(__file__).parent.glob("*.py"))
    )

    assert set(typed) == set(blocks())
