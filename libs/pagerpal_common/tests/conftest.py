"""What tests of the shared library share: one RabbitMQ for the run, and a corner of it for each test."""

import os
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import aio_pika
import pytest
from pagerpal_common.bus.rabbit_topology import Names
from pagerpal_common.testing.rabbitmq import ENVIRONMENT, RabbitMQNode, rabbitmq_node


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rabbitmq: needs a RabbitMQ, installed here or named by the environment")


@pytest.fixture(scope="session")
def node() -> Iterator[RabbitMQNode]:
    """A RabbitMQ that the test may stop, kill and start; it must be running again afterwards."""
    with rabbitmq_node() as running:
        yield running


@pytest.fixture(scope="session")
def amqp_url(request: pytest.FixtureRequest) -> str:
    """A RabbitMQ that the test may not take down."""
    url: str = os.environ.get(ENVIRONMENT) or request.getfixturevalue("node").url
    return url


@pytest.fixture
def prefix() -> str:
    """Keeps the test's exchanges and queues apart from those of the others (a vhost each would cost a second)."""
    return f"test-{uuid4().hex[:8]}."


@pytest.fixture
async def tidy(amqp_url: str, prefix: str) -> AsyncIterator[None]:
    """Deletes the test's queues once it is over; ask for it before any bus, so that it comes last."""
    yield
    names = Names(prefix)
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        for queue in (names.parked, *(name for name, _ in names.all_queues())):
            await channel.queue_delete(queue)
        for exchange in (names.exchange, names.parked):
            await channel.exchange_delete(exchange)
