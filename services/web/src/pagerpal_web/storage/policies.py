"""Escalation policies, their levels, and whom each level reaches."""

from typing import Any

from pagerpal_common.errors import Invalid
from pagerpal_common.schema.policies import escalation_assignees as assignees
from pagerpal_common.schema.policies import escalation_levels as levels
from pagerpal_common.schema.policies import escalation_policies as policies
from pagerpal_common.vocabulary import AssigneeType
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.storage.audit import Author
from pagerpal_web.storage.resources import Moment, Resource, View, json_object, update_row


class LevelAssignee(View):
    """Whom a level reaches: a person, or whoever is on call on a schedule."""

    assignee_type: AssigneeType
    user_id: int | None
    schedule_id: int | None


class Level(View):
    level_number: int
    timeout_minutes: float
    assignees: tuple[LevelAssignee, ...]


class EscalationPolicy(View):
    team_id: int
    name: str
    repeat_count: int
    is_default: bool
    ack_timeout_minutes: float | None
    reminder_minutes: float
    created_at: Moment
    levels: tuple[Level, ...]


def _json_list(item: ColumnElement[Any], whole: ColumnElement[bool], order: ColumnElement[int]) -> ColumnElement[Any]:
    gathered = func.coalesce(func.jsonb_agg(aggregate_order_by(item, order)), text("'[]'::jsonb"))
    return select(gathered).where(whole).scalar_subquery()


_ASSIGNEE = {name: assignees.c[name] for name in LevelAssignee.model_fields}
_LEVEL = {name: levels.c[name] for name in ("id", "level_number", "timeout_minutes")} | {
    "assignees": _json_list(json_object(_ASSIGNEE), assignees.c.level_id == levels.c.id, assignees.c.id)
}
_POLICY = {name: policies.c[name] for name in EscalationPolicy.model_fields if name != "levels"} | {
    "levels": _json_list(json_object(_LEVEL), levels.c.policy_id == policies.c.id, levels.c.level_number)
}

POLICIES = Resource(
    table=policies,
    view=EscalationPolicy,
    query=select(*(column.label(name) for name, column in _POLICY.items())),
    ids={"policy_id": policies.c.id},
)

LEVELS = Resource(
    table=levels,
    view=Level,
    query=select(*(column.label(name) for name, column in _LEVEL.items())),
    ids={"policy_id": levels.c.policy_id, "level_id": levels.c.id},
    parent=POLICIES,
)

ASSIGNEES = Resource(
    table=assignees,
    view=LevelAssignee,
    query=select(*_ASSIGNEE.values()).join_from(assignees, levels, levels.c.id == assignees.c.level_id),
    ids={"policy_id": levels.c.policy_id, "level_id": assignees.c.level_id, "assignee_id": assignees.c.id},
    parent=LEVELS,
)


async def lock_policies(tx: AsyncConnection, team_id: int) -> None:
    """Let nobody else choose the team's default policy until the transaction ends.

    Raises:
        Invalid: there is no such team.
    """
    query = text("SELECT id FROM directory.teams WHERE id = :team_id FOR NO KEY UPDATE")
    if (await tx.execute(query, {"team_id": team_id})).one_or_none() is None:
        raise Invalid(f"there is no team {team_id}")


async def has_default(tx: AsyncConnection, team_id: int) -> bool:
    """Whether one of the team's policies is its default."""
    query = text("SELECT EXISTS (SELECT FROM directory.escalation_policies WHERE team_id = :team_id AND is_default)")
    return bool((await tx.execute(query, {"team_id": team_id})).scalar_one())


async def unset_default(tx: AsyncConnection, team_id: int, by: Author) -> None:
    """Leave the team without a default policy, for another to take its place in this transaction."""
    query = text("SELECT id FROM directory.escalation_policies WHERE team_id = :team_id AND is_default")
    policy_id = await tx.scalar(query, {"team_id": team_id})
    if policy_id is not None:
        await update_row(tx, POLICIES, policy_id, {"is_default": False}, by)


async def set_default_to_oldest(tx: AsyncConnection, team_id: int, by: Author) -> None:
    """Create team's oldest policy its default, if it has one."""
    query = text("SELECT min(id) FROM directory.escalation_policies WHERE team_id = :team_id")
    policy_id = await tx.scalar(query, {"team_id": team_id})
    if policy_id is not None:
        await update_row(tx, POLICIES, policy_id, {"is_default": True}, by)
