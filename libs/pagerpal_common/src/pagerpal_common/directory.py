"""Who is there, as far as other services need it: read-only queries on web's schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_common.escalation import Assignee, Facts, Level, Person, Policy
from pagerpal_common.oncall import Shift, who_is_on_call

_POLICY = text("""
SELECT p.id, p.name, p.repeat_count, p.reminder_minutes, p.ack_timeout_minutes,
       l.level_number, l.timeout_minutes, a.user_id, a.schedule_id
FROM directory.escalation_policies p
LEFT JOIN directory.escalation_levels l ON l.policy_id = p.id
LEFT JOIN directory.escalation_assignees a ON a.level_id = l.id
WHERE p.id = coalesce(
    CAST(:policy_id AS bigint),
    (SELECT id FROM directory.escalation_policies WHERE team_id = :team_id AND is_default)
)
ORDER BY l.level_number, a.id
""")

_SHIFTS = text("""
SELECT id AS entry_id, schedule_id, user_id, starts_at, ends_at, is_override, created_at
FROM directory.schedule_entries
WHERE schedule_id = ANY(:schedule_ids) AND ends_at > :at
  AND (starts_at <= :at OR (is_override AND starts_at < CAST(:at AS timestamptz) + interval '366 days'))
""")

_SCHEDULES = text("SELECT id, name FROM directory.schedules WHERE id = ANY(:schedule_ids)")

# Everybody who may matter: the assigned, those on shift, the team's responders, the admins.
_PEOPLE = text("""
SELECT u.id, u.name, u.role, m.user_id IS NOT NULL AS is_member
FROM directory.users u
LEFT JOIN directory.team_members m ON m.user_id = u.id AND m.team_id = :team_id
WHERE u.is_active AND (u.role = 'admin' OR m.user_id IS NOT NULL OR u.id = ANY(:user_ids))
ORDER BY u.id
""")


@dataclass(frozen=True)
class Contact:
    """How a person can be reached now. Addresses are secret: they go to a provider and nowhere else."""

    user_id: int
    name: str
    email: str
    phone: str | None
    is_active: bool


async def find_policy(tx: AsyncConnection, *, team_id: int, policy_id: int | None) -> Policy | None:
    """The policy with this id, or without one the team's default; None when there is none, or it has no levels."""
    rows = (await tx.execute(_POLICY, {"policy_id": policy_id, "team_id": team_id})).mappings().all()
    levels = _levels(rows)
    if not levels:
        return None
    head = rows[0]
    return Policy(
        policy_id=head["id"],
        name=head["name"],
        repeat_count=head["repeat_count"],
        reminder=_minutes(head["reminder_minutes"]),
        ack_timeout=None if head["ack_timeout_minutes"] is None else _minutes(head["ack_timeout_minutes"]),
        levels=levels,
    )


async def load_facts(tx: AsyncConnection, policy: Policy | None, *, team_id: int, at: datetime) -> Facts:
    """What `escalation.next_step` needs to know of the world at `at`."""
    assignees = [assignee for level in policy.levels for assignee in level.assignees] if policy else []
    schedule_ids = sorted({a.schedule_id for a in assignees if a.schedule_id is not None})
    shifts = await load_shifts(tx, schedule_ids, at=at) if schedule_ids else []
    names = (await tx.execute(_SCHEDULES, {"schedule_ids": schedule_ids})).all() if schedule_ids else []
    user_ids = {a.user_id for a in assignees if a.user_id is not None} | {shift.user_id for shift in shifts}
    people = (await tx.execute(_PEOPLE, {"team_id": team_id, "user_ids": sorted(user_ids)})).mappings().all()
    return Facts(
        people={row["id"]: Person(row["id"], row["name"]) for row in people},
        on_call={
            schedule: who_is_on_call([shift for shift in shifts if shift.schedule_id == schedule], at)
            for schedule in schedule_ids
        },
        schedule_names={row.id: row.name for row in names},
        responders=tuple(row["id"] for row in people if row["is_member"] and row["role"] != "viewer"),
        admins=tuple(row["id"] for row in people if row["role"] == "admin"),
    )


async def load_shifts(tx: AsyncConnection, schedule_ids: Sequence[int], *, at: datetime) -> list[Shift]:
    """The shifts that decide who is on call on these schedules at `at`, and until when."""
    rows = await tx.execute(_SHIFTS, {"schedule_ids": schedule_ids, "at": at})
    return [Shift(**row) for row in rows.mappings()]


async def find_contacts(tx: AsyncConnection, user_ids: Sequence[int]) -> Mapping[int, Contact]:
    """How these people can be reached, by id; those who do not exist are left out."""
    rows = await tx.execute(
        text(
            "SELECT id AS user_id, name, email, phone, is_active FROM directory.users WHERE id = ANY(:user_ids)",
        ),
        {"user_ids": list(user_ids)},
    )
    return {row["user_id"]: Contact(**row) for row in rows.mappings()}


def _levels(rows: Sequence[Mapping[Any, Any]]) -> tuple[Level, ...]:
    levels: dict[int, Level] = {}
    for row in rows:
        number = row["level_number"]
        if number is None:
            continue
        level = levels.get(number) or Level(number, _minutes(row["timeout_minutes"]), ())
        has_assignee = row["user_id"] is not None or row["schedule_id"] is not None
        added = (Assignee(row["user_id"], row["schedule_id"]),) if has_assignee else ()
        levels[number] = Level(number, level.timeout, level.assignees + added)
    return tuple(levels.values())


def _minutes(value: Decimal) -> timedelta:
    return timedelta(minutes=float(value))
