"""Are the counters exact, in every snapshot, whoever writes and while they are being added up?"""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from typing import Any

from pagerpal_common.contracts.incidents import AcknowledgeIncident, ReopenIncident, ResolveIncident
from pagerpal_common.db import Database
from pagerpal_common.errors import Refusal, Unavailable
from pagerpal_common.testing.rows import Rows
from pagerpal_common.vocabulary import AlertStatus, Severity
from pagerpal_incidents.context import Context
from pagerpal_incidents.handlers import acknowledge_incident, reopen_incident, resolve_incident
from pagerpal_incidents.intake import take_in
from pagerpal_incidents.loops import add_up_counts
from sqlalchemy import text

from .conftest import T0, an_alert

KINDS = "team_id, source_id, status, severity"
COUNTED = f"""
SELECT {KINDS}, sum(number) AS number FROM (
    SELECT {KINDS}, number FROM incidents.counts UNION ALL SELECT {KINDS}, change FROM incidents.count_changes
) AS counted GROUP BY {KINDS} HAVING sum(number) <> 0 ORDER BY {KINDS}
"""
COUNTED_AFRESH = f"SELECT {KINDS}, count(*) AS number FROM incidents.incidents GROUP BY {KINDS} ORDER BY {KINDS}"


async def both(db: Database) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What the counters say and what is there, at one moment."""
    async with db.begin() as tx:
        await tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        counted = [tuple(row) for row in await tx.execute(text(COUNTED))]
        return counted, [tuple(row) for row in await tx.execute(text(COUNTED_AFRESH))]


async def test_a_batch_notes_one_change_per_kind_and_a_repeat_none(ctx: Context, rows: Rows) -> None:
    await take_in(ctx, [an_alert(f"x{number}", source_id=1 + number % 2) for number in range(100)])
    await take_in(ctx, [an_alert(f"x{number}", source_id=1 + number % 2) for number in range(100)])

    changes = await rows(f"SELECT {KINDS}, change FROM incidents.count_changes ORDER BY source_id")
    assert [(row["source_id"], row["status"], row["change"]) for row in changes] == [
        (1, "triggered", 50),
        (2, "triggered", 50),
    ]


async def test_what_changes_its_kind_is_counted_where_it_is_now(ctx: Context, rows: Rows) -> None:
    await take_in(ctx, [an_alert("a"), an_alert("b"), an_alert("c")])
    await take_in(ctx, [an_alert("a", severity=Severity.INFO), an_alert("b", status=AlertStatus.RESOLVED)])

    counted, afresh = await both(ctx.db)

    assert counted == afresh
    assert Counter(row[2:] for row in counted) == Counter(
        [("resolved", "critical", 1), ("triggered", "critical", 1), ("triggered", "info", 1)]
    )


async def test_adding_up_changes_no_sum_and_leaves_nothing_to_add_up(ctx: Context, rows: Rows) -> None:
    await take_in(ctx, [an_alert(f"x{number}") for number in range(10)])
    before = await both(ctx.db)

    assert await add_up_counts(ctx) == 1
    await take_in(ctx, [an_alert("x1", status=AlertStatus.RESOLVED)])
    assert await add_up_counts(ctx) == 2
    assert await add_up_counts(ctx) == 0

    assert before[0] == before[1]
    counted, afresh = await both(ctx.db)
    assert counted == afresh
    assert await rows("SELECT count(*) AS number FROM incidents.count_changes") == [{"number": 0}]


async def test_whatever_else_is_done_to_the_table_is_counted_too(ctx: Context, rows: Rows) -> None:
    await take_in(ctx, [an_alert(f"x{number}") for number in range(10)])
    await add_up_counts(ctx)

    await rows("UPDATE incidents.incidents SET team_id = 7 WHERE id % 2 = 0")
    await rows("DELETE FROM incidents.incidents WHERE id % 3 = 0")
    counted, afresh = await both(ctx.db)
    assert counted == afresh
    assert sum(int(str(row[-1])) for row in counted) == 7

    await rows("TRUNCATE incidents.incidents CASCADE")
    assert await both(ctx.db) == ([], [])


async def write(ctx: Context, seed: int) -> None:
    """Batches of alerts that open, repeat, resolve and change the severity of the same few incidents."""
    mine = random.Random(seed)
    for _ in range(6):
        alerts = [
            an_alert(
                f"x{mine.randrange(40)}",
                source_id=mine.randint(1, 3),
                severity=mine.choice(list(Severity)),
                status=mine.choice([AlertStatus.FIRING, AlertStatus.FIRING, AlertStatus.RESOLVED]),
            )
            for _ in range(20)
        ]
        with suppress(Unavailable):  # lost too many races for the same incidents: nothing of it is committed
            await take_in(ctx, alerts)


async def act(ctx: Context, rows: Rows, until: asyncio.Event) -> None:
    """Somebody acknowledges, resolves and reopens whatever there is."""
    mine = random.Random(0)
    people: dict[str, Any] = {"actor_user_id": 1, "acting_as_user_id": 1, "occurred_at": T0}
    while not until.is_set():
        for row in await rows("SELECT id FROM incidents.incidents ORDER BY random() LIMIT 1"):
            with suppress(Refusal):
                match mine.randrange(3):
                    case 0:
                        await acknowledge_incident(ctx, AcknowledgeIncident(incident_id=row["id"], **people))
                    case 1:
                        await resolve_incident(ctx, ResolveIncident(incident_id=row["id"], **people))
                    case _:
                        await reopen_incident(ctx, ReopenIncident(incident_id=row["id"], **people))


async def add_up(ctx: Context, until: asyncio.Event) -> None:
    while not until.is_set():
        await add_up_counts(ctx)


async def look(ctx: Context, until: asyncio.Event) -> None:
    while not until.is_set():
        counted, afresh = await both(ctx.db)
        assert counted == afresh


async def test_every_snapshot_is_exact_while_everybody_writes(ctx: Context, rows: Rows) -> None:
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for other in (act(ctx, rows, is_over), add_up(ctx, is_over), add_up(ctx, is_over), look(ctx, is_over)):
            group.create_task(other)
        try:
            await asyncio.gather(*(write(ctx, seed) for seed in range(1, 4)))
        finally:
            is_over.set()

    counted, afresh = await both(ctx.db)
    assert counted == afresh
    assert len(afresh) > 10
