"""Do the five processes end together, and does the order in which they start matter?"""

import asyncio
import dataclasses
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from pagerpal_common.testing.rabbitmq import RabbitMQNode, make_logins
from pagerpal_standalone.distributed import SERVICES
from sqlalchemy import make_url

from tests.e2e.deployment import STOP_SECONDS, Deployment, arguments_of, distributed, free_ports, spawn, stop
from tests.e2e.fake_infobip import fake_infobip
from tests.e2e.pagerpal import Pagerpal, Team, story
from tests.e2e.settled import connect

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.02

ORDERS = (
    ("ingest", "notifier", "escalator", "web", "incidents"),
    ("ingest", "web", "incidents", "notifier", "escalator"),
)
"""Ingest is first, so that it has an alert before anybody else is there."""


@pytest.mark.timeout(180)
async def test_a_killed_runner_takes_the_five_along_and_they_may_start_again_in_any_order(
    tmp_path: Path, corner: tuple[str, str]
) -> None:
    database, amqp_url = corner
    with fake_infobip() as infobip, distributed(tmp_path, infobip, database, amqp_url, None) as running:
        async with story(running) as before:
            team = await before.given_team(levels=["ana"])
        pids = [running.pid_of(service) for service in SERVICES]

        running.process.kill()
        running.process.wait()
        await _ended(pids)

        for order in ORDERS:
            with _alone(running) as processes:
                await processes.start(order[0])
                async with story(processes.deployment, ingest_url=processes.url("ingest")) as pagerpal:
                    pagerpal.people |= before.people
                    await _an_early_alert_is_paged_once_the_others_are_there(pagerpal, team, processes, order[1:])


async def _an_early_alert_is_paged_once_the_others_are_there(
    pagerpal: Pagerpal, team: Team, processes: "Processes", order: Sequence[str]
) -> None:
    answer = await pagerpal.send_alert(team)
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")

    for service in order:
        await processes.start(service)

    page = await pagerpal.expect_sms("ana")
    incidents = await pagerpal.incidents_of(team)
    assert [one["status"] for one in incidents if f"#{one['id']} L1: " in page.text] == ["triggered"]
    assert [one["status"] for one in incidents].count("triggered") == 1


@pytest.mark.timeout(180)
async def test_with_a_login_of_its_own_each_service_works_from_an_empty_broker_on(
    tmp_path: Path, corner: tuple[str, str], broker: RabbitMQNode
) -> None:
    database, amqp_url = corner
    with fake_infobip() as infobip, distributed(tmp_path, infobip, database, amqp_url, None) as running:
        async with story(running) as before:
            team = await before.given_team(levels=["ana"])
        assert stop(running.process) == 0

        brokers = await asyncio.to_thread(make_logins, broker, f"least_{uuid.uuid4().hex[:8]}")
        async with database_logins(database) as databases:
            logins = {
                service: {"PAGERPAL_AMQP_URL": brokers[service], "PAGERPAL_DATABASE_URL": databases[service]}
                for service in SERVICES
            }
            with _alone(running, logins) as processes:
                await processes.start("ingest")
                async with story(processes.deployment, ingest_url=processes.url("ingest")) as pagerpal:
                    pagerpal.people |= before.people
                    await _an_early_alert_is_paged_once_the_others_are_there(pagerpal, team, processes, SERVICES[1:])
                    incident = await pagerpal.incident_of(team)
                    answer = await pagerpal.acknowledge(incident["id"], by="ana")
                    assert (answer.status_code, answer.json()["status"]) == (200, "acknowledged")
                    assert (await pagerpal.send_alert(team)).status_code == 200

    assert "bus.declared_in_part" in running.log
    assert "permission denied" not in running.log


@asynccontextmanager
async def database_logins(url: str) -> AsyncIterator[dict[str, str]]:
    """A login for each service, which is a member of that service's role and of nothing else; their URLs."""
    logins = {service: f"login_{service}_{uuid.uuid4().hex[:8]}" for service in SERVICES}
    connection = await connect(url)
    try:
        for service, login in logins.items():
            await connection.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{login}' IN ROLE pagerpal_{service}")
        address = make_url(url)
        yield {
            service: address.set(username=login, password=login).render_as_string(hide_password=False)
            for service, login in logins.items()
        }
        for login in logins.values():
            await connection.execute(f"DROP ROLE {login}")
    finally:
        await connection.close()


@dataclasses.dataclass
class Processes:
    """Services started one by one, by nobody but the test, on the database and the broker of an earlier deployment."""

    before: Deployment
    ports: dict[str, int]
    logins: Mapping[str, Mapping[str, str]]
    running: list[subprocess.Popen[bytes]] = dataclasses.field(default_factory=list)

    @property
    def deployment(self) -> Deployment:
        return dataclasses.replace(self.before, url=self.url("web"))

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    async def start(self, service: str) -> None:
        """Start one, and wait until it is at work."""
        environ = {**self.before.environ, "PORT": str(self.ports[service]), **self.logins.get(service, {})}
        self.running.append(spawn(f"pagerpal_{service}", self.before.directory, environ))
        deadline = time.monotonic() + PATIENCE_SECONDS
        async with httpx.AsyncClient(trust_env=False) as client:
            while not await _is_ready(client, f"{self.url(service)}/readyz"):
                assert self.running[-1].poll() is None, f"{service} does not start"
                assert time.monotonic() < deadline, f"{service} is not ready"
                await asyncio.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        assert [process.wait(STOP_SECONDS) for process in self.running] == [0] * len(self.running)


@contextmanager
def _alone(before: Deployment, logins: Mapping[str, Mapping[str, str]] | None = None) -> Iterator[Processes]:
    processes = Processes(before, dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True)), logins or {})
    try:
        yield processes
    finally:
        processes.stop()


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        answer = await client.get(url)
        return answer.is_success and bool(answer.json()["bus"])
    except httpx.TransportError:
        return False


async def _ended(pids: Sequence[int]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left := [pid for pid in pids if any(arguments_of(pid))]:
        assert time.monotonic() < deadline, f"these outlive their runner: {left}"
        await asyncio.sleep(LOOK_SECONDS)
