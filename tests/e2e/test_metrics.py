"""What does an SRE see of a page in Prometheus? One alert, followed through every process that had it."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.deployment import Deployment, distributed, free_ports
from tests.e2e.fake_infobip import fake_infobip
from tests.e2e.pagerpal import story

SERVICES = ("ingest", "incidents", "escalator", "notifier", "web")


@pytest.fixture
def running(corner: tuple[str, str], tmp_path: Path) -> Iterator[tuple[Deployment, int]]:
    """Five processes, and where the first one's metrics are."""
    database, amqp_url = corner
    port = free_ports(6)[0]
    with (
        fake_infobip() as infobip,
        distributed(tmp_path, infobip, database, amqp_url, None, PAGERPAL_METRICS_PORT=str(port)) as deployment,
    ):
        yield deployment, port


async def told(port: int) -> dict[str, str]:
    """What each service tells Prometheus."""
    async with httpx.AsyncClient(trust_env=False) as prometheus:
        return {
            name: (await prometheus.get(f"http://127.0.0.1:{port + place}/metrics")).text
            for place, name in enumerate(SERVICES, start=1)
        }


def number(text: str, line: str) -> float:
    """The value of a sample; 0 where there is none."""
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_a_page_is_counted_by_each_service_that_had_it(running: tuple[Deployment, int]) -> None:
    deployment, port = running
    async with story(deployment) as pagerpal:
        team = await pagerpal.given_team([["ana"]])

        await pagerpal.open_incident(team)
        await pagerpal.expect_sms("ana")
        await pagerpal.expect_quiet()

        of = await told(port)
        assert number(of["ingest"], 'pagerpal_alerts_total{outcome="opened"}') == 1
        assert number(of["incidents"], 'pagerpal_alerts_handled_total{outcome="opened"}') == 1
        assert number(of["incidents"], 'pagerpal_hop_duration_seconds_count{hop="open"}') == 1
        assert number(of["incidents"], 'pagerpal_hop_duration_seconds_count{hop="escalate"}') == 1
        assert number(of["notifier"], 'pagerpal_hop_duration_seconds_count{hop="send"}') == 1
        assert number(of["notifier"], 'pagerpal_page_latency_seconds_count{channel="sms"}') == 1
        assert number(of["notifier"], 'pagerpal_notifications_total{channel="sms",status="sent"}') == 1
        assert number(of["web"], 'pagerpal_incidents_open{severity="critical",status="triggered"}') == 1
        for name, text in of.items():
            assert number(text, f'pagerpal_db_pool_size{{role="{name}"}}') == 10
            assert team.api_key not in text
            assert pagerpal.people["ana"].phone.lstrip("+") not in text

        async def all_loops_have_run_once() -> bool:
            return number((await told(port))["web"], 'pagerpal_job_healthy{name="escalation"}') == 1

        await pagerpal.until("the escalation's loops have all run", all_loops_have_run_once)
