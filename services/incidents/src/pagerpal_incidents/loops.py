"""What this service looks for by itself, so that a lost message is only a delay."""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from pagerpal_common.contracts.escalations import EscalateIncident
from pagerpal_common.errors import Unavailable

from pagerpal_incidents.context import Context
from pagerpal_incidents.handlers import STEPS_AT_ONCE, escalate_incidents
from pagerpal_incidents.intake import take_in
from pagerpal_incidents.storage.counts import move_changes
from pagerpal_incidents.storage.histories import forget_early
from pagerpal_incidents.storage.ledger import list_spooled
from pagerpal_incidents.storage.notifications import list_untold, record_notifications
from pagerpal_incidents.storage.pages import list_unapplied

log = structlog.get_logger(__name__)

BATCH = 200

PATIENCE = timedelta(seconds=1)
"""How long a message may take before its row is looked at instead."""

COUNT_BATCH = 5_000
"""Changes of counters that are added up at once."""

TOLD_WITHIN = timedelta(hours=1)
"""How far back the sweep looks for notifications that nobody has told of."""

EARLY_KEPT = timedelta(hours=24)
"""How long an end is remembered whose beginning has not come. One that comes later opens an incident, and pages."""


async def take_spooled(ctx: Context) -> int:
    """Take in what ingest kept while the broker was away: the sweep behind `AlertsReceived`."""
    async with ctx.db.begin() as tx:
        alerts = await list_spooled(tx, BATCH)
    if alerts:
        await take_in(ctx, alerts)
    return len(alerts)


async def apply_unapplied(ctx: Context) -> int:
    """Enter levels that the escalator has asked for in vain: the sweep behind `EscalateIncident`."""
    async with ctx.db.begin() as tx:
        steps = await list_unapplied(tx, asked_before=ctx.now() - PATIENCE, limit=BATCH)
    entered = 0
    for start in range(0, len(steps), STEPS_AT_ONCE):
        entered += await _apply(ctx, steps[start : start + STEPS_AT_ONCE])
    return entered


async def _apply(ctx: Context, steps: Sequence[EscalateIncident]) -> int:
    """Together, and one by one when that fails: one bad step holds up no other. How many were entered."""
    try:
        answers = await escalate_incidents(ctx, steps)
    except Unavailable:
        raise
    except Exception as error:
        log.error("escalation.not_applied", incident_id=steps[0].incident_id, steps=len(steps), exc_info=error)
        return sum([await _apply(ctx, [step]) for step in steps]) if len(steps) > 1 else 0
    return sum(
        answer.incident.current_escalation_level == step.entering.level
        and answer.incident.escalation_pass == step.entering.pass_number
        for answer, step in zip(answers, steps, strict=True)
    )


async def tell_notifications(ctx: Context) -> int:
    """Bring ends of notifications into timelines: the sweep behind `NotificationSettled`."""
    async with ctx.db.begin() as tx:
        incidents = await list_untold(tx, since=ctx.now() - TOLD_WITHIN, limit=BATCH)
        if incidents:
            await record_notifications(tx, incidents)
    return len(incidents)


async def add_up_counts(ctx: Context) -> int:
    """Move what the triggers have noted into the counters: the totals are right without it, and faster with it."""
    async with ctx.db.begin() as tx:
        return await move_changes(tx, limit=COUNT_BATCH)


async def forget_early_ends(ctx: Context) -> int:
    """Drop ends that nobody waits for any more."""
    async with ctx.db.begin() as tx:
        return await forget_early(tx, before=ctx.now() - EARLY_KEPT, limit=BATCH)
