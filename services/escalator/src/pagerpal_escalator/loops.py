"""What this service looks for by itself: runs whose time has come, and incidents that their runs have lost sight of."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from pagerpal_common.errors import Unavailable
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_escalator import storage
from pagerpal_escalator.context import Context
from pagerpal_escalator.runs import follow, look

log = structlog.get_logger(__name__)

BATCH = 200

AT_A_TIME = 4
"""Runs looked at side by side, each in a transaction of its own: no more than the pool keeps open."""

PUT_OFF = timedelta(seconds=30)
"""After how long a run that could not be looked at is tried again."""

SET_BACK = timedelta(seconds=1)
"""A clock that loses more than this between two looks was set back; less does no harm."""

Job = Callable[[AsyncConnection], Awaitable[bool]]


class Watch:
    """Notices that the clock was set back: the times written down before then lie too far ahead.

    Whoever has just started has not watched, so every run that waits for a time is looked at once then, too.
    """

    def __init__(self) -> None:
        self._latest: datetime | None = None
        self._suspects: list[int] = []

    def has_cause(self, at: datetime) -> bool:
        """Whether the times of all runs must be looked at; to be asked on each tick."""
        before, self._latest = self._latest, at
        return before is None or at < before - SET_BACK

    def suspect(self, escalation_ids: Sequence[int]) -> None:
        self._suspects = list(escalation_ids)

    def take(self, limit: int) -> list[int]:
        """Some runs still to be looked at: a few per tick, so that those that are due never wait for them."""
        taken, self._suspects = self._suspects[:limit], self._suspects[limit:]
        return taken


async def tick(ctx: Context, watch: Watch) -> int:
    """Look at runs that are due, each going one step at most; returns how much was done."""
    at = ctx.now()
    async with ctx.db.begin() as tx:
        due = await storage.list_due(tx, at=at, limit=BATCH)
        if watch.has_cause(at):
            watch.suspect(await storage.list_timed(tx))
    suspects = watch.take(BATCH)
    jobs: list[tuple[int, Job]] = [(run, partial(_look_due, ctx, run)) for run in due]
    jobs += [(run, partial(_look_timed, ctx, run)) for run in suspects]
    return await _side_by_side(ctx, jobs) + len(suspects)


async def sweep(ctx: Context) -> int:
    """Look at incidents whose runs are missing or out of step: the sweep behind every message about an incident.

    Apart from `tick`: should it ever be slow, or fail, no level that is due waits for it.
    """
    async with ctx.db.begin() as tx:
        unfollowed = await storage.list_unfollowed(tx, limit=BATCH)
    return await _side_by_side(ctx, [(run, partial(_follow, ctx, incident, run)) for incident, run in unfollowed])


async def _follow(ctx: Context, incident_id: int, escalation_id: int, tx: AsyncConnection) -> bool:
    return await follow(ctx, tx, [(incident_id, escalation_id)])


async def _look_due(ctx: Context, escalation_id: int, tx: AsyncConnection) -> bool:
    at = ctx.now()
    run = await storage.lock_due_run(tx, escalation_id, at=at)
    return run is not None and await look(ctx, tx, run, at)


async def _look_timed(ctx: Context, escalation_id: int, tx: AsyncConnection) -> bool:
    run = await storage.lock_free_run(tx, escalation_id)
    return run is not None and await look(ctx, tx, run, ctx.now())


async def _side_by_side(ctx: Context, jobs: Sequence[tuple[int, Job]]) -> int:
    """Do all jobs, a few at a time, and count those that changed something. None is cut short by another's failure.

    Raises:
        Unavailable: some could not be done; all were tried.
    """
    waiting = iter(jobs)
    done = await asyncio.gather(*(_work_off(ctx, waiting) for _ in range(AT_A_TIME)))
    failures = [failure for _, failure in done if failure is not None]
    if failures:
        raise failures[0]
    return sum(moved for moved, _ in done)


async def _work_off(ctx: Context, waiting: Iterator[tuple[int, Job]]) -> tuple[int, Unavailable | None]:
    moved, failure = 0, None
    for escalation_id, job in waiting:
        try:
            moved += await _do(ctx, escalation_id, job)
        except Unavailable as error:
            failure = error
    return moved, failure


async def _do(ctx: Context, escalation_id: int, job: Job) -> bool:
    """One job in a transaction of its own. A run that fails through a bug is put off, and holds up no other."""
    try:
        async with ctx.db.begin() as tx:
            has_changed = await job(tx)
    except Unavailable:
        raise
    except Exception as error:
        log.error("escalation.failed", escalation_id=escalation_id, exc_info=error)
        async with ctx.db.begin() as tx:
            await storage.postpone_run(tx, escalation_id, until=ctx.now() + PUT_OFF)
        return False
    if has_changed:
        ctx.outbox.bell.ring()
    return has_changed
