"""What this service looks for by itself: runs whose time has come, and incidents that their runs have lost sight of."""

from collections.abc import Awaitable, Callable, Sequence
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

AT_A_TIME = 50
"""Runs looked at in one transaction. While it falls behind, a transaction each would cost as much again as all the
messages do."""

PUT_OFF = timedelta(seconds=30)
"""After how long a run that could not be looked at is tried again."""

SET_BACK = timedelta(seconds=1)
"""A clock that loses more than this between two looks was set back; less does no harm."""

Work = Callable[[AsyncConnection, Sequence[int]], Awaitable[int]]
"""What is done for runs, by their numbers, in a transaction; of how many it changed anything."""


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
    moved = await _together(ctx, due, partial(_look_due, ctx))
    return moved + await _together(ctx, suspects, partial(_look_timed, ctx)) + len(suspects)


async def sweep(ctx: Context) -> int:
    """Look at incidents whose runs are missing or out of step: the sweep behind every message about an incident.

    Apart from `tick`: should it ever be slow, or fail, no level that is due waits for it.
    """
    async with ctx.db.begin() as tx:
        unfollowed = await storage.list_unfollowed(tx, limit=BATCH)
    incident_of = {run: incident for incident, run in unfollowed}

    async def follow_them(tx: AsyncConnection, runs: Sequence[int]) -> int:
        return await follow(ctx, tx, [(incident_of[run], run) for run in runs], {})

    return await _together(ctx, list(incident_of), follow_them)


async def _look_due(ctx: Context, tx: AsyncConnection, escalation_ids: Sequence[int]) -> int:
    at = ctx.now()
    return await look(ctx, tx, await storage.lock_due_runs(tx, escalation_ids, at=at), at)


async def _look_timed(ctx: Context, tx: AsyncConnection, escalation_ids: Sequence[int]) -> int:
    return await look(ctx, tx, await storage.lock_free_runs(tx, escalation_ids), ctx.now())


async def _together(ctx: Context, escalation_ids: Sequence[int], work: Work) -> int:
    """Do it for all, and count what changed. None is cut short by another's failure.

    Raises:
        Unavailable: some could not be done; all were tried.
    """
    moved, failure = 0, None
    for start in range(0, len(escalation_ids), AT_A_TIME):
        some = escalation_ids[start : start + AT_A_TIME]
        try:
            moved += await _commit(ctx, some, work)
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.error("escalation.batch_failed", runs=len(some), exc_info=error)
            alone, failed = await _one_by_one(ctx, some, work)
            moved, failure = moved + alone, failed or failure
    if failure is not None:
        raise failure
    return moved


async def _one_by_one(ctx: Context, escalation_ids: Sequence[int], work: Work) -> tuple[int, Unavailable | None]:
    moved, failure = 0, None
    for escalation_id in escalation_ids:
        try:
            moved += await _alone(ctx, escalation_id, work)
        except Unavailable as error:
            failure = error
    return moved, failure


async def _alone(ctx: Context, escalation_id: int, work: Work) -> int:
    """A run that fails through a bug is put off, and holds up no other."""
    try:
        return await _commit(ctx, [escalation_id], work)
    except Unavailable:
        raise
    except Exception as error:
        log.error("escalation.failed", escalation_id=escalation_id, exc_info=error)
        async with ctx.db.begin() as tx:
            await storage.postpone_run(tx, escalation_id, until=ctx.now() + PUT_OFF)
        return 0


async def _commit(ctx: Context, escalation_ids: Sequence[int], work: Work) -> int:
    async with ctx.db.begin() as tx:
        moved = await work(tx, escalation_ids)
    if moved:
        ctx.outbox.bell.ring()
    return moved
