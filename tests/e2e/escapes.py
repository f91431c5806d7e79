"""Does anything secret get out? What the stories have planted is looked for at the end of their run.

In every line of the log, what the terminal shows, every message on the broker, every error's body, and every row of
the database but where it belongs.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aio_pika
from pagerpal_common.bus.rabbit_topology import Names

from tests.e2e.deployment import Deployment
from tests.e2e.settled import connect

QUEUE = "canaries"

AT_HOME: Mapping[str, tuple[str, ...]] = {
    "directory.users": ("phone",),
    "directory.contact_methods": ("address", "signing_secret"),
    "directory.contact_proofs": ("address",),
    "directory.contact_checks": ("address",),
    "notification.notifications": ("address",),
    "notification.attempts": ("address",),
}
"""Columns that hold such a thing because it is theirs to hold."""

_TABLES = """
SELECT format('%I.%I', table_schema, table_name) AS name,
       string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) AS columns
FROM information_schema.columns
WHERE table_schema IN ('directory', 'incidents', 'escalation', 'notification', 'ingest')
GROUP BY table_schema, table_name
"""


async def _escaped(deployment: Deployment, amqp_url: str | None) -> list[str]:
    canaries = deployment.canaries
    found = [*canaries.found_in("the log", deployment.log), *canaries.found_in("the terminal", deployment.output)]
    for body in canaries.errors:
        found += canaries.found_in("an error's body", body)
    async for table, text in _rows(deployment.database_url):
        found += canaries.found_in(table, text)
    if amqp_url is not None:
        messages = await _messages(amqp_url)
        # Of some stories alone, as when one file is run, there may be none.
        is_heard = messages or not await _has_incident(deployment.database_url)
        assert is_heard, "no message was overheard: this would prove nothing"
        for message in messages:
            found += canaries.found_in("a message", message)
    return found


async def listen(amqp_url: str) -> None:
    """From now on, a copy of every message goes into a queue of ours."""
    async with _channel(amqp_url) as channel:
        queue = await channel.declare_queue(QUEUE, durable=True)
        await queue.bind(Names().exchange, "#")


async def _messages(amqp_url: str) -> list[str]:
    heard: list[str] = []
    async with _channel(amqp_url) as channel:
        queue = await channel.get_queue(QUEUE, ensure=False)
        while message := await queue.get(no_ack=True, fail=False):
            heard.append(message.body.decode(errors="replace"))
        await queue.delete(if_empty=False)
    return heard


@asynccontextmanager
async def _channel(amqp_url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with await aio_pika.connect(amqp_url) as connection:
        yield await connection.channel()


async def _has_incident(database_url: str) -> bool:
    """Whether messages have gone out: every incident that is opened is told of."""
    connection = await connect(database_url)
    try:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM incidents.incidents)"))
    finally:
        await connection.close()


async def _rows(database_url: str) -> AsyncIterator[tuple[str, str]]:
    """Every table's rows as text, without what is at home there."""
    connection = await connect(database_url)
    try:
        for table in await connection.fetch(_TABLES):
            name = table["name"]
            shown = [column for column in table["columns"].split(", ") if column not in AT_HOME.get(name, ())]
            for row in await connection.fetch(f"SELECT CAST(ROW({', '.join(shown)}) AS text) AS text FROM {name}"):
                yield name, row["text"]
    finally:
        await connection.close()


def see_that_nothing_escaped(deployment: Deployment, amqp_url: str | None) -> None:
    """Fails when something did; `amqp_url` where messages were listened to."""
    found = asyncio.run(_escaped(deployment, amqp_url))
    assert not found, "\n".join(["something secret got out:", *found[:20]])
