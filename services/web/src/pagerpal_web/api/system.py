"""How PagerPal itself is doing: `/api/v1/system`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.errors import BusUnavailable
from pagerpal_common.http import Call, Endpoint
from pagerpal_common.vocabulary import Role

from pagerpal_web.context import Context
from pagerpal_web.domain.auditor import MEANINGS, Check, CheckState
from pagerpal_web.domain.jobs import Job
from pagerpal_web.standing import list_standing
from pagerpal_web.storage.system import count_parked_alerts


@dataclass(frozen=True)
class CheckResult:
    """One thing that the auditor looks for."""

    name: Check
    guarantee: str
    """Which promise is broken when it is found (docs/guarantees.md)."""
    healthy: bool
    breaches: int
    """What was found at the last look; believed, and red, once several looks in a row have found something. Counted up
    to 1000."""
    oldest_at: datetime | None
    red_since: datetime | None
    checked_at: datetime


@dataclass(frozen=True)
class Jobs:
    """Every job as it stands. The status is 200 whatever they are like: `healthy` is what to watch."""

    healthy: bool
    """All jobs are."""
    jobs: list[Job]
    checks: list[CheckResult]
    """What the auditor has found when it last looked."""
    parked_alerts: int
    """Alerts that could not be handled, and are kept for an operator."""
    parked_messages: int | None
    """Messages that nobody could handle; None while the broker cannot be asked."""


async def list_jobs(ctx: Context, _call: Call[None]) -> Jobs:
    """How the work stands that PagerPal does by itself: sending, escalating, handing over, taking in.

    And whether anything that it promises is broken at this moment.
    """
    async with ctx.db.begin() as tx:
        jobs, states = await list_standing(tx, ctx.now())
        parked_alerts = await count_parked_alerts(tx)
    is_healthy = all(job.healthy for job in jobs)
    return Jobs(is_healthy, jobs, _results(states), parked_alerts, await _parked_messages(ctx))


def _results(states: Mapping[Check, CheckState]) -> list[CheckResult]:
    return [
        CheckResult(
            name=check,
            guarantee=MEANINGS[check].guarantee,
            healthy=state.red_since is None,
            breaches=state.found.breaches,
            oldest_at=state.found.oldest_at,
            red_since=state.red_since,
            checked_at=state.checked_at,
        )
        for check, state in states.items()
    ]


async def _parked_messages(ctx: Context) -> int | None:
    try:
        return await ctx.bus.parked()
    except BusUnavailable:
        return None


ENDPOINTS = (Endpoint("GET", "/api/v1/system/jobs", list_jobs, Role.VIEWER, gives=Jobs, refuses=(503,)),)
