"""Does somebody look whether the guarantees hold, and does somebody hear of it when they do not?

A loop of web, which no page depends on. It writes what it finds to `directory.auditor_checks`, from which
`/api/v1/system/jobs` and the outgoing heartbeat read, and pages the administrators by the way of every other alert.
When that very way is what is broken, the heartbeat ends (docs/decisions/0023-the-auditor.md).
"""

from collections.abc import Mapping
from datetime import datetime

import structlog
from pagerpal_common.contracts.alerts import Alert, AlertsReceived
from pagerpal_common.errors import Unavailable
from pagerpal_common.ids import uuid7
from pagerpal_common.vocabulary import AlertStatus, Severity
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.context import Context
from pagerpal_web.domain.auditor import (
    FLAP_SECONDS,
    MEANINGS,
    Check,
    CheckState,
    Found,
    after_look,
    is_looked_at,
    overdue,
    to_tell,
    told,
)
from pagerpal_web.domain.jobs import LATE
from pagerpal_web.storage import auditor as storage

log = structlog.get_logger(__name__)

OWN_SOURCE = 0
"""The alert source of PagerPal itself: no row has this number."""

NO_TEAM = 0
"""A team that nobody is in: its incidents page every administrator, by the same rule as any team without people."""


async def audit(ctx: Context) -> int:
    """Make every check, unless a replica has just done so, and tell what has changed. Returns 0: that is all.

    Raises:
        Unavailable: the database is away, or too busy to answer.
    """
    at = ctx.now()
    async with ctx.db.begin() as tx:
        if not await storage.try_lock(tx):
            return 0
        before = await storage.list_states(tx)
        if is_looked_at(before, at):
            return 0
        states = {check: after_look(before.get(check), await _look(tx, check, at), at) for check in Check}
        for check, state in states.items():
            await storage.save_state(tx, check, state)
    _report(before, states)
    await _tell(ctx, states, at)
    return 0


async def _look(tx: AsyncConnection, check: Check, at: datetime) -> Found:
    before = at - LATE
    found = await storage.look(tx, check, before=before)
    if check is not Check.LEVELS_ON_TIME:
        return found
    late = [since for step in await storage.list_asked(tx, before=before) if (since := overdue(step, at))]
    known = [found.oldest_at] if found.oldest_at else []
    return Found(found.breaches + len(late), min([*known, *late], default=None))


def _report(before: Mapping[Check, CheckState], states: Mapping[Check, CheckState]) -> None:
    """One line when a check turns red, and one when it is green again."""
    for check, state in states.items():
        was = before[check].red_since if check in before else None
        if was is None and state.red_since is not None:
            log.error("auditor.red", check=check, guarantee=MEANINGS[check].guarantee, breaches=state.found.breaches)
        elif was is not None and state.red_since is None:
            log.warning("auditor.green", check=check, red_since=was.isoformat())


async def _tell(ctx: Context, states: Mapping[Check, CheckState], at: datetime) -> None:
    """Hand over an alert of each check of which there is one to tell. What fails is tried again at the next look."""
    for check, state in states.items():
        status = to_tell(state, at)
        if status is None:
            continue
        try:
            async with ctx.db.begin() as tx:
                team_id = await _team(ctx, tx)
            await ctx.bus.publish(AlertsReceived(occurred_at=at, alerts=(_alert(check, state, status, team_id, at),)))
            async with ctx.db.begin() as tx:
                await storage.save_told(tx, check, told(state, status, at).told_at)
        except Unavailable as error:
            log.warning("auditor.not_told", check=check, error=type(error).__name__)


async def _team(ctx: Context, tx: AsyncConnection) -> int:
    wanted = ctx.settings.auditor_team_id
    return wanted if wanted is not None and await storage.has_team(tx, wanted) else NO_TEAM


def _alert(check: Check, state: CheckState, status: AlertStatus, team_id: int, at: datetime) -> Alert:
    meaning, found = MEANINGS[check], state.found
    since = "" if found.oldest_at is None else f", the oldest since {found.oldest_at:%Y-%m-%d %H:%M:%S} UTC"
    return Alert(
        alert_id=uuid7(),
        source_id=OWN_SOURCE,
        team_id=team_id,
        external_id=f"auditor/{check}",
        status=status,
        severity=Severity.CRITICAL,
        title=f"PagerPal itself: {meaning.breach}",
        description=f"The auditor's check {check} (guarantee {meaning.guarantee}) found {found.breaches}{since}. "
        "GET /api/v1/system/jobs says how PagerPal's own work stands. This incident resolves itself once the check is "
        "green again.",
        received_at=at,
        event_at=at,
        flap_seconds=FLAP_SECONDS,
    )
