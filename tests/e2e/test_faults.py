"""Does the promise hold when messages, the broker or a process are gone? Five processes on RabbitMQ and PostgreSQL."""

import asyncio
import os
import random
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import aio_pika
import httpx
import pytest
from pagerpal_common.bus.rabbit_topology import Names
from pagerpal_common.ids import keyed_uuid
from pagerpal_standalone.distributed import SERVICES

from tests.e2e.deployment import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.e2e.pagerpal import Pagerpal, Team, hours
from tests.e2e.settled import connect

pytestmark = pytest.mark.parametrize("deployment", ["distributed"], indirect=True)

INCIDENTS = 5
"""How many a storm is about: few enough that a person can be told of each."""
KILLS = 3
PAUSE_SECONDS = 0.02
STALE = timedelta(seconds=25)
"""After this a message that a dead notifier was sending is sent again."""


async def test_a_purge_before_the_first_page_only_delays_it(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    await kill(pagerpal, "escalator")
    await pagerpal.open_incident(team)

    await purge_something(pagerpal)

    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()


async def test_a_purge_of_an_accepted_alert_loses_nothing(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    await kill(pagerpal, "incidents")
    sending = asyncio.create_task(pagerpal.send_alert(team))

    await purge_something(pagerpal)

    assert (await sending).status_code in {201, 202}
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()
    assert len(await pagerpal.incidents_of(team)) == 1


async def test_a_purge_after_the_first_level_does_not_keep_the_second_from_its_page(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()
    await kill(pagerpal, "notifier")
    await pagerpal.escalate(incident["id"], by="ana")

    await purge_something(pagerpal)

    await pagerpal.expect_sms("bo")
    await pagerpal.expect_quiet()


async def test_a_purge_after_the_acknowledgement_wakes_nobody(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()
    await kill(pagerpal, "escalator")
    await kill(pagerpal, "notifier")
    await pagerpal.acknowledge(incident["id"], by="ana")

    await purge_something(pagerpal)
    await pagerpal.advance(hours(1))

    await pagerpal.expect_quiet()


async def test_alerts_are_taken_and_paged_while_the_broker_is_away(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo"])
    async with broker_away(pagerpal):
        answer = await pagerpal.send_alert(team)

        assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
        await pagerpal.expect_sms("ana")
        incident = await pagerpal.incident_of(team)
        refused = await pagerpal.acknowledge(incident["id"], by="ana")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")

    again = await pagerpal.acknowledge(incident["id"], by="ana")
    assert (again.status_code, again.json()["status"]) == (200, "acknowledged")
    await pagerpal.advance(hours(1))
    await pagerpal.expect_quiet()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_killed_process_loses_and_doubles_nothing(pagerpal: Pagerpal, service: str) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    storm = Storm(pagerpal, team)
    chance = random.Random(service)

    async with storm.blowing():
        for _ in range(KILLS):
            await storm.more_answers(chance.randint(5, 30))
            await kill(pagerpal, service)
        await revived(pagerpal, service)
        await storm.more_answers(10)

    await pagerpal.advance(STALE)
    await storm.check_every_alert_is_in_one_incident()
    for incident in await pagerpal.incidents_of(team):
        await pagerpal.expect_sms("ana", containing=f"#{incident['id']} L1: ")
    await pagerpal.expect_quiet()


@dataclass
class Storm:
    """A monitoring system that posts about 50 alerts a second, and keeps at each until it is taken."""

    pagerpal: Pagerpal
    team: Team
    accepted: set[UUID] = field(default_factory=set)
    sent: set[UUID] = field(default_factory=set)
    answers: int = 0
    statuses: list[int] = field(default_factory=list)

    @asynccontextmanager
    async def blowing(self) -> AsyncIterator[None]:
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as posts:
            blowing = posts.create_task(self._blow(posts, enough))
            yield
            enough.set()
            await blowing

    async def more_answers(self, number: int) -> None:
        wanted = self.answers + number

        async def there() -> bool:
            return self.answers >= wanted

        await self.pagerpal.until(f"{number} more alerts are answered", there)

    async def next_statuses(self, number: int) -> list[int]:
        """How the next alerts are answered."""
        before = len(self.statuses)
        await self.more_answers(number)
        return self.statuses[before:]

    async def _blow(self, posts: asyncio.TaskGroup, enough: asyncio.Event) -> None:
        number = 0
        while not enough.is_set():
            posts.create_task(self._post(number))
            number += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _post(self, number: int) -> None:
        """One alert, with a key that makes its repeats the same alert, until it is taken."""
        nonce = f"alert-{number}"
        alert_id = keyed_uuid("idempotency", self.team.source_id, nonce)
        self.sent.add(alert_id)
        body = {"title": "storm", "severity": "critical", "external_id": f"disk-{number % INCIDENTS}"}
        headers = {"X-API-Key": self.team.api_key, "Idempotency-Key": nonce}
        while alert_id not in self.accepted:
            try:
                answer = await self.pagerpal.ingest.post("/api/v1/alerts", json=body, headers=headers)
            except httpx.TransportError:
                continue
            self.answers += 1
            self.statuses.append(answer.status_code)
            if answer.is_success:
                self.accepted.add(alert_id)
                return
            assert (answer.status_code, "retry-after" in answer.headers) == (503, True), answer.text
            await asyncio.sleep(10 * PAUSE_SECONDS)

    async def check_every_alert_is_in_one_incident(self) -> None:
        """What was answered 2xx is in the ledger, each once, and counted once in an incident."""
        assert self.accepted == self.sent

        async def all_there() -> bool:
            return set(await self._ledger()) >= self.accepted

        await self.pagerpal.until("every accepted alert is in the ledger", all_there)
        ledger = await self._ledger()
        assert set(ledger) == self.accepted
        assert None not in ledger.values()
        incidents = await self.pagerpal.incidents_of(self.team)
        assert len(incidents) == INCIDENTS
        assert sum(incident["alert_count"] for incident in incidents) == len(self.accepted)

    async def _ledger(self) -> dict[UUID, int | None]:
        connection = await connect(self.pagerpal.deployment.database_url)
        try:
            query = "SELECT alert_id, incident_id FROM incidents.alerts WHERE source_id = $1"
            return {row["alert_id"]: row["incident_id"] for row in await connection.fetch(query, self.team.source_id)}
        finally:
            await connection.close()


async def kill(pagerpal: Pagerpal, service: str) -> None:
    """End a service's process at once, as a power cut would, in the middle of its work."""
    await revived(pagerpal, service)
    pid = pagerpal.deployment.pid_of(service)
    os.kill(pid, signal.SIGKILL)

    async def is_gone() -> bool:
        return pagerpal.deployment.pid_of(service) != pid

    await pagerpal.until(f"{service} is gone", is_gone)


async def revived(pagerpal: Pagerpal, service: str) -> None:
    """A service is at work, after whatever happened to it and to the broker."""
    edge = httpx.URL(pagerpal.deployment.url)
    url = edge.copy_with(port=(edge.port or 0) + 1 + SERVICES.index(service), path="/readyz")

    async def is_ready() -> bool:
        try:
            answer = await pagerpal.ingest.get(url)
            return answer.is_success and bool(answer.json()["bus"])
        except httpx.TransportError:
            return False

    await pagerpal.until(f"{service} is ready again", is_ready)


async def purge_something(pagerpal: Pagerpal) -> None:
    """Empty every queue, until at least one message was thrown away: or the story would prove nothing."""
    assert pagerpal.deployment.amqp_url is not None
    async with await aio_pika.connect(pagerpal.deployment.amqp_url) as connection:
        channel = await connection.channel()
        queues = [await channel.get_queue(name, ensure=False) for name, _ in Names().all_queues()]

        async def is_purged() -> bool:
            return any([((await queue.purge()).message_count or 0) > 0 for queue in queues])

        await pagerpal.until("there is a message to purge", is_purged)


@asynccontextmanager
async def broker_away(pagerpal: Pagerpal) -> AsyncIterator[None]:
    """RabbitMQ is stopped, and started again with what it had."""
    broker = pagerpal.deployment.broker
    if broker is None:
        pytest.skip("NOT RUN: the RabbitMQ is somebody else's and must not be taken down")
    await asyncio.to_thread(broker.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(broker.start)
        for service in SERVICES:
            await revived(pagerpal, service)


async def test_pages_are_read_while_the_broker_is_away_and_what_was_typed_is_kept(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    path = f"/incidents/{incident['id']}"
    async with httpx.AsyncClient(base_url=pagerpal.deployment.url, timeout=15, trust_env=False) as browser:
        login = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
        (await browser.post("/login", json=login)).raise_for_status()
        async with broker_away(pagerpal):

            async def is_said() -> bool:
                return "Actions are delayed." in (await browser.get("/dashboard")).text

            await pagerpal.until("the page says that actions are delayed", is_said)
            pages = [await browser.get(page) for page in ("/dashboard", "/incidents", path)]
            form = {"csrf": re.findall(r'name="csrf" value="(\w+)"', pages[2].text)[0], "text": "It is the disk"}
            refused = [await browser.post(f"{path}/{action}", data=form) for action in ("notes", "ack")]

        assert [page.status_code for page in pages] == [200] * 3
        assert all("Actions are delayed." in page.text for page in pages)
        assert [answer.status_code for answer in refused] == [503, 503]
        assert all("It is the disk</textarea>" in answer.text for answer in refused)

        async def is_back() -> bool:
            return (await browser.post(f"{path}/ack", data=form)).status_code == 303

        await pagerpal.until("actions work again", is_back)
    assert (await pagerpal.incident(incident["id"]))["status"] == "acknowledged"
    await pagerpal.expect_quiet()
