"""Does what AWS's own client publishes arrive? boto3 speaks to moto, whose SNS signs and delivers to our running app.

Moto confirms subscriptions by itself, and leaves a Subject out of what it signs (so nothing is published with one).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import httpx
import pytest
import uvicorn
from moto.server import ThreadedMotoServer
from pagerpal_common.clock import utc_now
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.http import application
from pagerpal_common.testing.waiting import until
from pagerpal_ingest.amazon import Fetched
from pagerpal_ingest.service import build
from pagerpal_ingest.settings import IngestSettings

from services.ingest.tests.conftest import ScriptedBus
from services.ingest.tests.integration.conftest import KEY, Door
from services.ingest.tests.unit.alarms import METRIC_ALARM

# By this alone moto's server knows which of all services a request without a body is for.
MEANT_FOR_SNS = {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260521/eu-west-1/sns/aws4_request, SignedHeaders=x"}


@pytest.fixture
def moto() -> Iterator[str]:
    """Where moto answers, on the loopback interface."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
async def endpoint(door: Door, moto: str, bus: ScriptedBus) -> AsyncIterator[str]:
    """Our app, on a port, demanding signatures. Amazon's host is where moto is; nothing else is different for it."""

    async def fetch(url: str) -> Fetched:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{moto}{urlsplit(url).path}", headers=MEANT_FOR_SNS)
        return Fetched(answer.status_code, answer.content)

    await door.execute("""UPDATE directory.alert_sources SET config = '{"verify_signature": true}'""")
    settings = IngestSettings.model_validate({"PAGERPAL_DATABASE_URL": door.cable.url})
    service = build(settings, bus, utc_now, fetch=fetch)
    config = uvicorn.Config(application([service], bus), port=0, log_config=None, lifespan="off")
    with config.bind_socket() as socket:
        server = uvicorn.Server(config)
        server.capture_signals = AsyncExitStack  # type: ignore[method-assign,assignment]
        serving = asyncio.create_task(server._serve([socket]))
        yield f"http://127.0.0.1:{socket.getsockname()[1]}/api/v1/webhooks/cloudwatch"
        server.should_exit = True
        await serving
    await service.close()


def publish(moto: str, endpoint: str, *messages: dict[str, Any]) -> None:
    """What an AWS account does: a topic, a subscription of our endpoint, and what CloudWatch publishes."""
    client = boto3.client(
        "sns", region_name="eu-west-1", endpoint_url=moto, aws_access_key_id="x", aws_secret_access_key="x"
    )
    topic = client.create_topic(Name=f"alarms-{uuid4()}")["TopicArn"]  # moto remembers those of other tests
    client.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)
    for message in messages:
        client.publish(TopicArn=topic, Message=json.dumps(message))
    client.close()


async def test_what_boto3_publishes_arrives_verified(endpoint: str, moto: str, bus: ScriptedBus) -> None:
    changes = [{**METRIC_ALARM, "NewStateValue": state} for state in ("ALARM", "INSUFFICIENT_DATA", "OK")]

    await asyncio.to_thread(publish, moto, f"{endpoint}?api_key={KEY}", *changes)

    await until(lambda: len(bus.alerts) == 3)
    alerts: list[Alert] = bus.alerts
    assert [alert.status for alert in alerts] == ["firing", "unknown", "resolved"]
    assert {alert.external_id for alert in alerts} == {METRIC_ALARM["AlarmArn"]}
    assert {alert.note for alert in alerts} == {None}
    assert len({alert.alert_id for alert in alerts}) == 3


async def test_what_it_signed_cannot_be_changed_on_the_way(
    endpoint: str, moto: str, bus: ScriptedBus, door: Door
) -> None:
    heard: list[dict[str, Any]] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = [line for line in head.decode().lower().split("\r\n") if line.startswith("content-length")]
        heard.append(json.loads(await reader.readexactly(int(length.partition(":")[2]))))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        await asyncio.to_thread(publish, moto, f"http://127.0.0.1:{port}/", METRIC_ALARM)
        await until(lambda: len(heard) == 1)

    async with httpx.AsyncClient(trust_env=False, params={"api_key": KEY}) as client:
        changed = json.dumps({**METRIC_ALARM, "NewStateValue": "OK"})
        answers = [
            await client.post(endpoint, json={**heard[0], "Message": changed}),
            await client.post(endpoint, json=heard[0]),
        ]

    assert [answer.status_code for answer in answers] == [403, 201]
    assert [alert.status for alert in bus.alerts] == ["firing"]
