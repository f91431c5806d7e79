"""Messages that leave in the transaction that made them true, and the loop that hands them to the bus."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Row, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_common.bus import BREATH, Bus
from pagerpal_common.bus.wire import Undecodable, decode, encode
from pagerpal_common.contracts import BY_TOPIC
from pagerpal_common.contracts.message import Message
from pagerpal_common.db import Database
from pagerpal_common.service import Bell, Loop

log = structlog.get_logger(__name__)

RELAYED_AT_ONCE = 100
"""Messages that one `relay` hands over at most."""

_INSERT = """
INSERT INTO {table} (message_id, topic, body, created_at)
SELECT id, topic, CAST(body AS jsonb), at
FROM unnest(CAST(:outbox_ids AS uuid[]), CAST(:outbox_topics AS text[]), CAST(:outbox_bodies AS text[]),
            CAST(:outbox_times AS timestamptz[])) AS message(id, topic, body, at)
"""


class Outbox:
    """One service's outbox table, and the bell that tells its relay of new rows."""

    def __init__(self, table: Table) -> None:
        self.bell = Bell()
        self.insert = _INSERT.format(table=table.fullname)
        """The SQL that `add` runs, for a statement that writes more than the outbox; `parameters` are its values."""
        self._insert = text(self.insert)
        # Claimed by being there: never "after the last one seen", which loses rows that commit out of order.
        # A topic that only a newer version knows waits for one.
        self._take = text(f"""
            DELETE FROM {table.fullname}
            WHERE id IN (
                SELECT id FROM {table.fullname} WHERE topic = ANY(:known)
                ORDER BY id LIMIT {RELAYED_AT_ONCE} FOR UPDATE SKIP LOCKED
            )
            RETURNING topic, CAST(body AS text) AS body
        """)

    async def add(self, tx: AsyncConnection, messages: Sequence[Message]) -> None:
        """Write messages in the caller's transaction. Ring the bell once that has committed."""
        if messages:
            await tx.execute(self._insert, self.parameters(messages))

    @staticmethod
    def parameters(messages: Sequence[Message]) -> dict[str, Any]:
        """The values for `insert`."""
        return {
            "outbox_ids": [message.message_id for message in messages],
            "outbox_topics": [message.topic for message in messages],
            "outbox_bodies": [encode(message).decode() for message in messages],
            "outbox_times": [message.occurred_at for message in messages],
        }

    def loop(self, name: str, db: Database, bus: Bus) -> Loop:
        """What hands over whatever the bell tells of, and looks each second should it have told nothing."""
        return Loop(name, partial(self.relay, db, bus), 1.0, self.bell, RELAYED_AT_ONCE, BREATH)

    async def relay(self, db: Database, bus: Bus) -> int:
        """Hand over what waits; returns how many. A row is gone only once the bus has confirmed its message.

        Raises:
            Unavailable: the bus or the database is away; everything stays for the next try.
        """
        async with db.begin() as tx:
            rows = (await tx.execute(self._take, {"known": list(BY_TOPIC)})).all()
            await bus.publish(*_readable(rows))
        return len(rows)


def _readable(rows: Iterable[Row[Any]]) -> Iterator[Message]:
    """What this version can read. The rest was written by another one; the sweeps know what it would have said."""
    for row in rows:
        try:
            yield decode(BY_TOPIC[row.topic], row.body.encode())
        except Undecodable as error:
            log.error("outbox.unreadable", topic=row.topic, where=str(error))
