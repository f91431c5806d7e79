"""Is an alert that was answered 2xx ever lost? The real broker and the real database go away, in turn and together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pagerpal_common.testing.rabbitmq import RabbitMQNode
from pagerpal_standalone.postgres import embedded_postgres

from tests.e2e.deployment import data_directory, distributed
from tests.e2e.fake_infobip import fake_infobip
from tests.e2e.pagerpal import Pagerpal, Team, story
from tests.e2e.test_faults import STALE, Storm, broker_away

ALERTS = 40
"""How many answers each state of the world is looked at for."""


class Postgres:
    """A PostgreSQL of the test's own, which it may stop and start again with what it had."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._running = embedded_postgres(data_dir)

    async def start(self) -> str:
        self._running = embedded_postgres(self._data_dir)
        return await self._running.__aenter__()

    async def stop(self) -> None:
        await self._running.__aexit__(None, None, None)

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        await self.stop()
        try:
            yield
        finally:
            await self.start()


@pytest.mark.timeout(300)
async def test_every_accepted_alert_is_in_one_incident_whatever_is_away(
    tmp_path: Path, corner: tuple[str, str], broker: RabbitMQNode | None
) -> None:
    _, amqp_url = corner
    with data_directory(tmp_path), fake_infobip() as infobip:
        postgres = Postgres(tmp_path / "data")
        url = await postgres.start()
        try:
            with distributed(tmp_path, infobip, url, amqp_url, broker) as running:
                async with story(running) as pagerpal:
                    await _a_client_posts_through_it_all(pagerpal, postgres)
        finally:
            await postgres.stop()


async def _a_client_posts_through_it_all(pagerpal: Pagerpal, postgres: Postgres) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    storm = Storm(pagerpal, team)

    async with storm.blowing():
        assert 201 in await storm.next_statuses(ALERTS)
        async with broker_away(pagerpal):
            assert 202 in await storm.next_statuses(ALERTS)
            await _taken_up_meanwhile(pagerpal, team, storm)
        async with postgres.away():
            assert 202 in await storm.next_statuses(ALERTS)
        async with broker_away(pagerpal), postgres.away():
            await storm.next_statuses(ALERTS)  # what was under way
            assert set(await storm.next_statuses(ALERTS)) == {503}
        await storm.next_statuses(ALERTS)

    await pagerpal.advance(STALE)
    await storm.check_every_alert_is_in_one_incident()
    for incident in await pagerpal.incidents_of(team):
        await pagerpal.expect_sms("ana", containing=f"#{incident['id']} L1: ")
    await pagerpal.expect_quiet()


async def _taken_up_meanwhile(pagerpal: Pagerpal, team: Team, storm: Storm) -> None:
    """What the spool keeps is handled while the broker is still away."""
    accepted = len(storm.accepted)

    async def handled() -> bool:
        counted: int = sum(incident["alert_count"] for incident in await pagerpal.incidents_of(team))
        return counted >= accepted

    await pagerpal.until("what was accepted without a broker is in its incidents", handled)
