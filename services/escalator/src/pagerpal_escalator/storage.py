"""The rows of the escalation runs, and what is read of the incidents they follow."""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from pagerpal_common.bus.wire import encode
from pagerpal_common.contracts.escalations import EscalateIncident, Position
from pagerpal_common.escalation import POLICY_JSON
from pagerpal_common.vocabulary import IncidentStatus
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_escalator.domain.run import Incident, Run, State

_INCIDENTS = text("""
SELECT id, escalation_id, team_id, escalation_policy_id, status, escalation_pass, current_escalation_level,
       escalation_reminder, level_entered_at, acknowledged_at
FROM incidents.incidents WHERE id = ANY(:ids)
""")

_FIRST_TRACES = text("""
SELECT DISTINCT ON (incident_id) incident_id, traceparent FROM incidents.page_requests
WHERE incident_id = ANY(:ids) AND traceparent IS NOT NULL ORDER BY incident_id, id
""")

# One array per column: a statement for fifty runs costs about what one for a single run does.
_CHANGING = """
unnest(CAST(:runs AS bigint[]), CAST(:states AS text[]), CAST(:passes AS int[]), CAST(:levels AS int[]),
       CAST(:reminders AS int[]), CAST(CAST(:asked AS text[]) AS jsonb[]), CAST(:due AS timestamptz[])"""
_NAMES = "escalation_id, state, pass_number, level, reminder, asked, due_at"
_INSERT = text(f"""
INSERT INTO escalation.escalations ({_NAMES}, incident_id, team_id, policy, started_at)
SELECT * FROM {_CHANGING}, CAST(:incidents AS bigint[]), CAST(:teams AS bigint[]),
    CAST(CAST(:policies AS text[]) AS jsonb[]), CAST(:starts AS timestamptz[]))
ORDER BY 1
ON CONFLICT DO NOTHING RETURNING escalation_id
""")
_UPDATE = text(f"""
UPDATE escalation.escalations AS old
SET state = new.state, pass_number = new.pass_number, level = new.level, reminder = new.reminder, asked = new.asked,
    due_at = new.due_at
FROM {_CHANGING}) AS new({_NAMES}) WHERE old.escalation_id = new.escalation_id
""")

_RUN = """
SELECT escalation_id, incident_id, team_id, CAST(policy AS text) AS policy, state, pass_number, level, reminder,
       CAST(asked AS text) AS asked, due_at, started_at
FROM escalation.escalations WHERE escalation_id = ANY(:runs)
"""
_LOCK = text(f"{_RUN} ORDER BY escalation_id FOR UPDATE")
_LOCK_FREE = text(f"{_RUN} AND due_at IS NOT NULL ORDER BY escalation_id FOR UPDATE SKIP LOCKED")
_LOCK_DUE = text(f"{_RUN} AND due_at <= :at ORDER BY escalation_id FOR UPDATE SKIP LOCKED")

# Open incidents whose run is missing, has ended, or has not seen the position or the acknowledgement that they show.
# The condition on the status is that of the index of open incidents, and a scalar subquery looks each run up by its
# key: NOT EXISTS would be planned as a hash of all runs that ever were. The order is random, so that incidents whose
# runs cannot be looked at never keep the others from their turn.
_UNFOLLOWED = text("""
SELECT i.id, i.escalation_id
FROM incidents.incidents i
WHERE i.status <> 'resolved' AND (
    SELECT true FROM escalation.escalations e
    WHERE e.escalation_id = i.escalation_id
      AND (e.pass_number, e.level, e.reminder)
        = (i.escalation_pass, i.current_escalation_level, i.escalation_reminder)
      AND (e.state = 'asking' OR (e.state, i.status) IN (('waiting', 'triggered'), ('acknowledged', 'acknowledged')))
) IS NULL
ORDER BY i.status DESC, random()
LIMIT :limit
""")

_DUE = text("SELECT escalation_id FROM escalation.escalations WHERE due_at <= :at ORDER BY due_at LIMIT :limit")

_TIMED = text("SELECT escalation_id FROM escalation.escalations WHERE due_at IS NOT NULL")

_POSTPONE = text("""
UPDATE escalation.escalations SET due_at = :until WHERE escalation_id = :escalation_id AND due_at < :until
""")

# A request that has not left yet is replaced, so that one made hours ago pages nobody once the bus is back.
_REPLACE_UNSENT = text("""
UPDATE escalation.outbox SET message_id = :new_id, body = CAST(:body AS jsonb)
WHERE id IN (SELECT id FROM escalation.outbox WHERE message_id = :old_id FOR UPDATE SKIP LOCKED)
""")


async def find_incidents(tx: AsyncConnection, ids: Iterable[int]) -> Mapping[int, Incident]:
    """The incidents as committed at this moment; not locked, their owner compares before it sets."""
    rows = (await tx.execute(_INCIDENTS, {"ids": list(ids)})).mappings()
    return {row["id"]: _incident(row) for row in rows}


async def find_first_traces(tx: AsyncConnection, ids: Iterable[int]) -> Mapping[int, str]:
    """The trace of each incident's first page, which is that of its alert; of those that have one."""
    rows = await tx.execute(_FIRST_TRACES, {"ids": list(ids)})
    return {row.incident_id: row.traceparent for row in rows}


async def insert_runs(tx: AsyncConnection, runs: Sequence[Run]) -> Set[int]:
    """Keep new runs; those whose numbers are there already stay as they are. The numbers of those that are kept."""
    if not runs:
        return set()
    values = _changing(runs) | {
        "incidents": [run.incident_id for run in runs],
        "teams": [run.team_id for run in runs],
        "policies": [POLICY_JSON.dump_json(run.policy).decode() for run in runs],
        "starts": [run.started_at for run in runs],
    }
    return set((await tx.execute(_INSERT, values)).scalars())


async def lock_runs(tx: AsyncConnection, escalation_ids: Sequence[int]) -> list[Run]:
    """Load runs and hold them until the transaction ends, waiting for whoever holds them now."""
    return [_run(row) for row in (await tx.execute(_LOCK, {"runs": list(escalation_ids)})).mappings()]


async def lock_free_runs(tx: AsyncConnection, escalation_ids: Sequence[int]) -> list[Run]:
    """Those that nobody else holds and that have a time to be looked at."""
    return [_run(row) for row in (await tx.execute(_LOCK_FREE, {"runs": list(escalation_ids)})).mappings()]


async def lock_due_runs(tx: AsyncConnection, escalation_ids: Sequence[int], *, at: datetime) -> list[Run]:
    """Those that nobody else holds and that are still due."""
    rows = await tx.execute(_LOCK_DUE, {"runs": list(escalation_ids), "at": at})
    return [_run(row) for row in rows.mappings()]


async def save_runs(tx: AsyncConnection, runs: Sequence[Run]) -> None:
    """Write what changes in the life of runs that the caller holds."""
    if runs:
        await tx.execute(_UPDATE, _changing(runs))


async def postpone_run(tx: AsyncConnection, escalation_id: int, *, until: datetime) -> None:
    """Put a run off that could not be looked at, so that it keeps no other from its turn."""
    await tx.execute(_POSTPONE, {"escalation_id": escalation_id, "until": until})


async def list_due(tx: AsyncConnection, *, at: datetime, limit: int) -> list[int]:
    """The numbers of the runs that are due, the longest overdue first."""
    return list((await tx.execute(_DUE, {"at": at, "limit": limit})).scalars())


async def list_timed(tx: AsyncConnection) -> list[int]:
    """The numbers of all runs that wait for a time."""
    return list((await tx.execute(_TIMED)).scalars())


async def list_unfollowed(tx: AsyncConnection, *, limit: int) -> list[tuple[int, int]]:
    """Open incidents that their runs are not in step with, and the numbers of these runs; triggered ones first."""
    return [(row.id, row.escalation_id) for row in await tx.execute(_UNFOLLOWED, {"limit": limit})]


async def replace_unsent(tx: AsyncConnection, old: EscalateIncident, new: EscalateIncident) -> bool:
    """Put `new` where `old` still waits in the outbox; whether it did."""
    values = {"old_id": old.message_id, "new_id": new.message_id, "body": encode(new).decode()}
    return (await tx.execute(_REPLACE_UNSENT, values)).rowcount > 0


def _changing(runs: Sequence[Run]) -> dict[str, Any]:
    return {
        "runs": [run.escalation_id for run in runs],
        "states": [run.state for run in runs],
        "passes": [run.position.pass_number for run in runs],
        "levels": [run.position.level for run in runs],
        "reminders": [run.position.reminder for run in runs],
        "asked": [None if run.asked is None else encode(run.asked).decode() for run in runs],
        "due": [run.due_at for run in runs],
    }


def _run(row: RowMapping) -> Run:
    return Run(
        escalation_id=row["escalation_id"],
        incident_id=row["incident_id"],
        team_id=row["team_id"],
        policy=POLICY_JSON.validate_json(row["policy"]),
        state=State(row["state"]),
        position=Position(pass_number=row["pass_number"], level=row["level"], reminder=row["reminder"]),
        asked=None if row["asked"] is None else EscalateIncident.model_validate_json(row["asked"]),
        due_at=row["due_at"],
        started_at=row["started_at"],
    )


def _incident(row: Mapping[Any, Any]) -> Incident:
    return Incident(
        incident_id=row["id"],
        escalation_id=row["escalation_id"],
        team_id=row["team_id"],
        escalation_policy_id=row["escalation_policy_id"],
        status=IncidentStatus(row["status"]),
        position=Position(
            pass_number=row["escalation_pass"],
            level=row["current_escalation_level"],
            reminder=row["escalation_reminder"],
        ),
        level_entered_at=row["level_entered_at"],
        acknowledged_at=row["acknowledged_at"],
    )
