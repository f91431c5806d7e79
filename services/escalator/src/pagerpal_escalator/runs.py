"""How are runs begun and brought in step with their incidents? The same for every message and every timer.

All of it works in the caller's transaction, on as many runs as come together: in a storm each statement counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from pagerpal_common import tracing
from pagerpal_common.contracts.escalations import EscalateIncident
from pagerpal_common.directory import find_policy, load_facts
from pagerpal_common.escalation import Facts, Policy, fallback_policy
from pagerpal_common.log import tell_each
from pagerpal_common.tracing import caused_by
from pagerpal_common.vocabulary import IncidentStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_escalator import storage
from pagerpal_escalator.context import Context
from pagerpal_escalator.domain.run import Incident, Run, ask, decide, new_run

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Cause:
    """What a look at a run goes back to: a request, if it is known, and a trace."""

    request_id: str | None = None
    traceparent: str | None = None


class Readings:
    """What is read of policies and people at one instant: once for all runs that need the same."""

    def __init__(
        self, tx: AsyncConnection, at: datetime, causes: Mapping[int, Cause], first_traces: Mapping[int, str]
    ) -> None:
        """`causes` is by the run, and `first_traces` by the incident: those that what has no cause is linked to."""
        self.at = at
        self.causes = causes
        self.first_traces = first_traces
        self._tx = tx
        self._policies: dict[tuple[int, int | None], Policy] = {}
        self._facts: dict[tuple[int, Policy | None], Facts] = {}

    async def policy(self, incident: Incident) -> Policy:
        """The policy that a run begun now follows."""
        key = (incident.team_id, incident.escalation_policy_id)
        if key not in self._policies:
            found = await find_policy(self._tx, team_id=incident.team_id, policy_id=incident.escalation_policy_id)
            self._policies[key] = found or fallback_policy(await self.facts(incident.team_id, None))
        return self._policies[key]

    async def facts(self, team_id: int, policy: Policy | None) -> Facts:
        """Who is there, and on call."""
        key = (team_id, policy)
        if key not in self._facts:
            self._facts[key] = await load_facts(self._tx, policy, team_id=team_id, at=self.at)
        return self._facts[key]


async def follow(
    ctx: Context, tx: AsyncConnection, followed: Iterable[tuple[int, int]], causes: Mapping[int, Cause]
) -> int:
    """Look at runs, beginning each that an open incident lacks; how many changed.

    Ring the outbox's bell once it has committed.

    Args:
        followed: pairs of an incident's id and its run's.
        causes: what the look goes back to, by the run, where that is known.
    """
    incident_of = {run: incident for incident, run in followed}
    runs = await storage.lock_runs(tx, list(incident_of))
    incidents = await storage.find_incidents(tx, {*incident_of.values(), *(run.incident_id for run in runs)})
    known = {run.escalation_id for run in runs}
    missing = [
        incident
        for run, number in sorted(incident_of.items())
        if run not in known and (incident := incidents.get(number)) is not None and _lacks(incident, run)
    ]
    readings = Readings(tx, ctx.now(), causes, {})
    begun = await _begin_and_ask(ctx, tx, missing, readings)
    return begun + await _look(ctx, tx, [(run, incidents.get(run.incident_id)) for run in runs], readings)


async def look(ctx: Context, tx: AsyncConnection, runs: Sequence[Run], at: datetime) -> int:
    """Decide on locked runs, and keep what was decided; of how many that is anything new.

    Ring the outbox's bell once it has committed.
    """
    incidents = await storage.find_incidents(tx, {run.incident_id for run in runs})
    first = await storage.find_first_traces(tx, incidents) if tracing.is_on() and incidents else {}
    return await _look(ctx, tx, [(run, incidents.get(run.incident_id)) for run in runs], Readings(tx, at, {}, first))


async def ensure_run(tx: AsyncConnection, incident: Incident, at: datetime) -> Run:
    """The incident's run, locked; where there is none it is begun, with the policy as it stands now."""
    run = new_run(incident, await Readings(tx, at, {}, {}).policy(incident), at)
    if await storage.insert_runs(tx, [run]):
        return run
    # It was there before, or another escalator was first: then that row holds.
    return next(iter(await storage.lock_runs(tx, [incident.escalation_id])), run)


def _lacks(incident: Incident, escalation_id: int) -> bool:
    return incident.escalation_id == escalation_id and incident.status is not IncidentStatus.RESOLVED


async def _look(
    ctx: Context, tx: AsyncConnection, pairs: Sequence[tuple[Run, Incident | None]], readings: Readings
) -> int:
    changed: list[Run] = []
    wanted: list[EscalateIncident] = []
    for run, incident in pairs:
        kept, asked = await _decide(run, incident, readings)
        if asked is not None and (run.asked is None or not await storage.replace_unsent(tx, run.asked, asked)):
            wanted.append(asked)
        if kept != run:
            changed.append(kept)
    await storage.save_runs(tx, changed)
    await ctx.outbox.add(tx, wanted)
    _tell(wanted)
    return len(changed)


async def _begin_and_ask(ctx: Context, tx: AsyncConnection, incidents: Sequence[Incident], readings: Readings) -> int:
    """The way of nearly every page, so it takes no more round trips than it must: begun and decided on in one go."""
    begun: list[Run] = []
    wanted: list[EscalateIncident] = []
    for incident in incidents:
        run = new_run(incident, await readings.policy(incident), readings.at)
        kept, asked = await _decide(run, incident, readings)
        begun.append(kept)
        wanted += [asked] if asked is not None else []
    inserted = await storage.insert_runs(tx, begun)  # of the others another escalator was first, and asks
    wanted = [asked for asked in wanted if asked.escalation_id in inserted]
    await ctx.outbox.add(tx, wanted)
    _tell(wanted)
    return len(inserted)


def _tell(wanted: Sequence[EscalateIncident]) -> None:
    asked = [
        {
            "incident_id": step.incident_id,
            "level": step.entering.level,
            "pass": step.entering.pass_number,
            "people": len(step.people),
            "request_id": step.request_id,
        }
        for step in wanted
    ]
    tell_each(log.info, "escalation.asked", asked)


def _asked_before(run: Run) -> Cause:
    """What is asked for once more goes back to what it did at first; what only the time asks for, to nothing."""
    return Cause() if run.asked is None else Cause(run.asked.request_id, run.asked.traceparent)


async def _decide(run: Run, incident: Incident | None, readings: Readings) -> tuple[Run, EscalateIncident | None]:
    """The run as it is to be kept, and the step it asks for, if any."""
    verdict = decide(run, incident, readings.at)
    if not verdict.asks or incident is None:
        return verdict.run, None
    facts = await readings.facts(run.team_id, run.policy)
    cause = readings.causes.get(run.escalation_id, _asked_before(verdict.run))
    first = readings.first_traces.get(run.incident_id)
    attributes = {"pagerpal.incident.id": run.incident_id}
    with (
        caused_by(cause.request_id, cause.traceparent),
        tracing.span("plan escalation", links=(first,) if first else (), attributes=attributes),
    ):
        return ask(verdict.run, incident, facts, readings.at)
