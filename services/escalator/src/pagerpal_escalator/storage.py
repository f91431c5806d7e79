"""The rows of the escalation runs, and what is read of the incidents they follow."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pagerpal_common.bus.wire import encode
from pagerpal_common.contracts.escalations import EscalateIncident, Position
from pagerpal_common.escalation import POLICY_JSON
from pagerpal_common.vocabulary import IncidentStatus
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_escalator.domain.run import Incident, Run, State

_INCIDENT = text("""
SELECT id, escalation_id, team_id, escalation_policy_id, status, escalation_pass, current_escalation_level,
       escalation_reminder, level_entered_at, acknowledged_at
FROM incidents.incidents WHERE id = :incident_id
""")

_INSERT = text("""
INSERT INTO escalation.escalations
    (escalation_id, incident_id, team_id, policy, state, pass_number, level, reminder, asked, due_at, started_at)
VALUES
    (:escalation_id, :incident_id, :team_id, CAST(:policy AS jsonb), :state, :pass_number, :level, :reminder,
     CAST(:asked AS jsonb), :due_at, :started_at)
ON CONFLICT DO NOTHING
""")

_UPDATE = text("""
UPDATE escalation.escalations
SET state = :state, pass_number = :pass_number, level = :level, reminder = :reminder,
    asked = CAST(:asked AS jsonb), due_at = :due_at
WHERE escalation_id = :escalation_id
""")

_RUN = """
SELECT escalation_id, incident_id, team_id, CAST(policy AS text) AS policy, state, pass_number, level, reminder,
       CAST(asked AS text) AS asked, due_at, started_at
FROM escalation.escalations WHERE escalation_id = :escalation_id
"""
_LOCK = text(f"{_RUN} FOR UPDATE")
_LOCK_FREE = text(f"{_RUN} AND due_at IS NOT NULL FOR UPDATE SKIP LOCKED")
_LOCK_DUE = text(f"{_RUN} AND due_at <= :at FOR UPDATE SKIP LOCKED")

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


async def find_incident(tx: AsyncConnection, incident_id: int) -> Incident | None:
    """The incident as committed at this moment; it is not locked, its owner compares before it sets."""
    row = (await tx.execute(_INCIDENT, {"incident_id": incident_id})).mappings().one_or_none()
    return None if row is None else _incident(row)


async def insert_run(tx: AsyncConnection, run: Run) -> bool:
    """Keep a new run; one with its number that is already there stays as it is. Whether this one is kept."""
    kept = {"incident_id": run.incident_id, "team_id": run.team_id, "started_at": run.started_at}
    values = _changing(run) | kept | {"policy": POLICY_JSON.dump_json(run.policy).decode()}
    return (await tx.execute(_INSERT, values)).rowcount > 0


async def lock_run(tx: AsyncConnection, escalation_id: int) -> Run | None:
    """Load a run and hold it until the transaction ends, waiting for whoever holds it now."""
    return _run((await tx.execute(_LOCK, {"escalation_id": escalation_id})).mappings().one_or_none())


async def lock_free_run(tx: AsyncConnection, escalation_id: int) -> Run | None:
    """The same for a run that nobody else holds and that has a time to be looked at; None otherwise."""
    return _run((await tx.execute(_LOCK_FREE, {"escalation_id": escalation_id})).mappings().one_or_none())


async def lock_due_run(tx: AsyncConnection, escalation_id: int, *, at: datetime) -> Run | None:
    """The same for a run that nobody else holds and that is still due; None otherwise."""
    rows = await tx.execute(_LOCK_DUE, {"escalation_id": escalation_id, "at": at})
    return _run(rows.mappings().one_or_none())


async def save_run(tx: AsyncConnection, run: Run) -> None:
    """Write what changes in the life of a run."""
    await tx.execute(_UPDATE, _changing(run))


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


def _changing(run: Run) -> dict[str, Any]:
    return {
        "escalation_id": run.escalation_id,
        "state": run.state,
        "pass_number": run.position.pass_number,
        "level": run.position.level,
        "reminder": run.position.reminder,
        "asked": None if run.asked is None else encode(run.asked).decode(),
        "due_at": run.due_at,
    }


def _run(row: RowMapping | None) -> Run | None:
    if row is None:
        return None
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
