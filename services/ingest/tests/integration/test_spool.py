"""Is the spool emptied of what incidents has, and of nothing else?"""

import asyncio
from uuid import UUID

from pagerpal_ingest import loops

from services.ingest.tests.conftest import is_away
from services.ingest.tests.integration.conftest import Door

_LEDGER = """
INSERT INTO incidents.alerts (alert_id, source_id, status, outcome, received_at, recorded_at)
SELECT given, 7, 'firing', 'ignored', now(), now() FROM unnest(CAST(:ids AS uuid[])) AS given
"""
_PARKED = "INSERT INTO incidents.parked_alerts (alert_id, body, error, parked_at) VALUES (:id, '', 'bug', now())"


async def spool_some(door: Door, number: int) -> list[UUID]:
    door.bus.script = is_away
    answers = await asyncio.gather(*(door.post() for _ in range(number)))
    return [UUID(answer.json()["alert_id"]) for answer in answers]


async def test_only_what_incidents_has_is_forgotten(door: Door) -> None:
    recorded, parked, waiting = await spool_some(door, 3)
    await door.execute(_LEDGER, ids=[recorded])
    await door.execute(_PARKED, id=parked)

    assert await door.sweep() == 2

    assert [row["alert_id"] for row in await door.spooled()] == [waiting]
    assert await door.sweep() == 0


async def test_an_empty_spool_is_no_work(door: Door) -> None:
    assert await door.sweep() == 0


async def test_a_long_spool_is_emptied_bit_by_bit(door: Door) -> None:
    spooled = await spool_some(door, loops.FORGET_LIMIT + 1)
    await door.execute(_LEDGER, ids=spooled)

    assert [await door.sweep(), await door.sweep(), await door.sweep()] == [loops.FORGET_LIMIT, 1, 0]


async def test_nothing_is_sent_again_from_the_spool(door: Door) -> None:
    await spool_some(door, 1)
    sent = len(door.bus.groups)

    await door.sweep()

    assert len(door.bus.groups) == sent
    assert len(await door.spooled()) == 1


async def test_two_sweepers_do_not_wait_for_each_other(door: Door) -> None:
    locked, free = await spool_some(door, 2)
    await door.execute(_LEDGER, ids=[locked, free])
    async with door.admin.begin() as tx:
        await tx.exec_driver_sql(f"SELECT FROM ingest.spool WHERE alert_id = '{locked}' FOR UPDATE")

        assert await door.sweep() == 1

    assert await door.sweep() == 1
