"""How is a run begun and brought in step with its incident? The same for every message and every timer.

Both work in the caller's transaction.
"""

from datetime import datetime

from pagerpal_common.contracts.escalations import EscalateIncident
from pagerpal_common.directory import find_policy, load_facts
from pagerpal_common.escalation import fallback_policy
from pagerpal_common.vocabulary import IncidentStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_escalator import storage
from pagerpal_escalator.context import Context
from pagerpal_escalator.domain.run import Incident, Run, ask, decide, new_run


async def follow(ctx: Context, tx: AsyncConnection, incident_id: int, escalation_id: int) -> bool:
    """Look at a run, beginning it where an open incident has none; whether anything changed."""
    run = await storage.lock_run(tx, escalation_id)
    if run is not None:
        return await look(ctx, tx, run, ctx.now())
    incident = await storage.find_incident(tx, incident_id)
    if incident is None or incident.escalation_id != escalation_id or incident.status is IncidentStatus.RESOLVED:
        return False
    return await _begin_and_ask(ctx, tx, incident, ctx.now())


async def look(ctx: Context, tx: AsyncConnection, run: Run, at: datetime) -> bool:
    """Decide on a locked run, and keep what was decided; whether that is anything new.

    Ring the outbox's bell once it has committed.
    """
    incident = await storage.find_incident(tx, run.incident_id)
    kept, asked = await _decide(tx, run, incident, at)
    if asked is not None and (run.asked is None or not await storage.replace_unsent(tx, run.asked, asked)):
        await ctx.outbox.add(tx, [asked])
    if kept != run:
        await storage.save_run(tx, kept)
    return kept != run


async def ensure_run(tx: AsyncConnection, incident: Incident, at: datetime) -> Run:
    """The incident's run, locked; where there is none it is begun, with the policy as it stands now."""
    run = await _begin(tx, incident, at)
    if await storage.insert_run(tx, run):
        return run
    # It was there before, or another escalator was first: then that row holds.
    return await storage.lock_run(tx, incident.escalation_id) or run


async def _begin_and_ask(ctx: Context, tx: AsyncConnection, incident: Incident, at: datetime) -> bool:
    """The way of nearly every page, so it takes no more round trips than it must: begun and decided on in one go."""
    kept, asked = await _decide(tx, await _begin(tx, incident, at), incident, at)
    if not await storage.insert_run(tx, kept):
        return False  # another escalator was first, and asks
    if asked is not None:
        await ctx.outbox.add(tx, [asked])
    return True


async def _begin(tx: AsyncConnection, incident: Incident, at: datetime) -> Run:
    policy = await find_policy(tx, team_id=incident.team_id, policy_id=incident.escalation_policy_id)
    if policy is None:
        policy = fallback_policy(await load_facts(tx, None, team_id=incident.team_id, at=at))
    return new_run(incident, policy, at)


async def _decide(
    tx: AsyncConnection, run: Run, incident: Incident | None, at: datetime
) -> tuple[Run, EscalateIncident | None]:
    """The run as it is to be kept, and the step it asks for, if any."""
    verdict = decide(run, incident, at)
    if not verdict.asks or incident is None:
        return verdict.run, None
    facts = await load_facts(tx, run.policy, team_id=run.team_id, at=at)
    return ask(verdict.run, incident, facts, at)
