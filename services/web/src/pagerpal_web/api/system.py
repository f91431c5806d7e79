"""How PagerPal itself is doing: `/api/v1/system`."""

from dataclasses import dataclass

from pagerpal_common.errors import BusUnavailable
from pagerpal_common.http import Call, Endpoint
from pagerpal_common.vocabulary import Role

from pagerpal_web.context import Context
from pagerpal_web.domain.jobs import Job, judge
from pagerpal_web.storage.system import count_parked_alerts, count_work, list_runs


@dataclass(frozen=True)
class Jobs:
    """Every job as it stands. The status is 200 whatever they are like: `healthy` is what to watch."""

    healthy: bool
    """All jobs are."""
    jobs: list[Job]
    parked_alerts: int
    """Alerts that could not be handled, and are kept for an operator."""
    parked_messages: int | None
    """Messages that nobody could handle; None while the broker cannot be asked."""


async def list_jobs(ctx: Context, _call: Call[None]) -> Jobs:
    """How the work stands that PagerPal does by itself: sending, escalating, handing over, taking in."""
    async with ctx.db.begin() as tx:
        runs = await list_runs(tx)
        work = await count_work(tx, at=ctx.now())
        parked_alerts = await count_parked_alerts(tx)
    jobs = judge(runs, work, ctx.now())
    return Jobs(all(job.healthy for job in jobs), jobs, parked_alerts, await _parked_messages(ctx))


async def _parked_messages(ctx: Context) -> int | None:
    try:
        return await ctx.bus.parked()
    except BusUnavailable:
        return None


ENDPOINTS = (Endpoint("GET", "/api/v1/system/jobs", list_jobs, Role.VIEWER, gives=Jobs, refuses=(503,)),)
