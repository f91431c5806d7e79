"""Who would be paged, when, how and why: `/api/v1/simulate`.

Planned by the functions that the live path plans with, from facts of each step's own instant.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from pagerpal_common.contracts.escalations import PageTarget, Position
from pagerpal_common.directory import Contact, addressee, find_contacts, find_policy
from pagerpal_common.errors import Invalid, NotFound
from pagerpal_common.escalation import START, Facts, Policy, Step, fallback_policy, next_step
from pagerpal_common.http import Body, Call, Endpoint
from pagerpal_common.notification_rules import Planned, plan
from pagerpal_common.vocabulary import Channel, Role, Severity
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.context import Context
from pagerpal_web.domain.holes import holes
from pagerpal_web.fields import Id, Instant
from pagerpal_web.masking import masked
from pagerpal_web.storage.outlook import Foresight
from pagerpal_web.storage.resources import Moment, get_row
from pagerpal_web.storage.sources import SOURCES
from pagerpal_web.storage.teams import TEAMS

MOST_STEPS = 100
"""A policy with more levels and passes is shown in part."""


class Simulation(Body):
    """An alert that nobody sends, at an instant, which is now unless given: from a source, or for a team."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"source_id": 1, "severity": "critical"}]})

    source_id: Id | None = None
    team_id: Id | None = None
    severity: Severity = Severity.CRITICAL
    at: Instant | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.source_id is None) == (self.team_id is None):
            raise ValueError("give source_id or team_id, and not both")
        return self


class SimulatedNotification(BaseModel):
    at: Moment
    channel: Channel
    address: str | None


class SimulatedPerson(BaseModel):
    user_id: int
    user_name: str
    reason: list[str]
    notifications: list[SimulatedNotification]


class SimulatedStep(BaseModel):
    """What happens at one instant while nobody answers, and what is wrong with it."""

    model_config = ConfigDict(serialize_by_alias=True)

    at: Moment
    pass_number: int = Field(serialization_alias="pass")
    level: int
    people: list[SimulatedPerson]
    hole: str | None


class SimulatedRun(BaseModel):
    """Every pass of the policy, up to the first reminder after the last of them."""

    at: Moment
    team_id: int
    policy_id: int | None
    steps: list[SimulatedStep]


@dataclass(frozen=True)
class Entered:
    """A step, when it is taken, and what is wrong with it."""

    at: datetime
    step: Step
    holes: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """What the alert would be routed by."""

    team_id: int
    policy_id: int | None = None
    holes: tuple[str, ...] = ()


async def simulate(ctx: Context, call: Call[Simulation]) -> SimulatedRun:
    """Work out who would be paged, when, how and why, and who would not; nobody is."""
    async with ctx.db.begin() as tx:
        return await run_of(tx, await _subject(tx, call.body), call.body.severity, call.body.at or ctx.now())


async def run_of(tx: AsyncConnection, subject: Subject, severity: Severity, at: datetime) -> SimulatedRun:
    """What would happen to an incident of this subject while nobody answers."""
    facts_at = Foresight(tx, subject.team_id).facts_at
    policy = await find_policy(tx, team_id=subject.team_id, policy_id=subject.policy_id)
    steps = await walk(policy or fallback_policy(await facts_at(None, at)), at, facts_at)
    contacts = await find_contacts(tx, sorted({person.user_id for one in steps for person in one.step.people}))
    steps[0] = replace(steps[0], holes=(*subject.holes, *steps[0].holes))
    return SimulatedRun(
        at=at,
        team_id=subject.team_id,
        policy_id=None if policy is None else policy.policy_id,
        steps=[_shown(one, contacts, severity) for one in steps],
    )


async def walk(
    policy: Policy,
    at: datetime,
    facts_at: Callable[[Policy, datetime], Awaitable[Facts]],
    after: Position = START,
) -> list[Entered]:
    """Each step that the escalator would take while nobody answers, up to the next reminder.

    Args:
        at: when the first of them is due.
        after: where the escalation stands.
    """
    entered: list[Entered] = []
    position = after
    while len(entered) < MOST_STEPS:
        facts = await facts_at(policy, at)
        step = next_step(policy, facts, position)
        entered.append(Entered(at, step, holes(policy, facts, step)))
        if step.entering.reminder:
            return entered
        position, at = step.entering, at + step.wait
    rest = f"this goes on: only the first {MOST_STEPS} steps are shown"
    return [*entered[:-1], replace(entered[-1], holes=(*entered[-1].holes, rest))]


async def _subject(tx: AsyncConnection, body: Simulation) -> Subject:
    try:
        if body.source_id is None:
            team = await get_row(tx, TEAMS, {"team_id": body.team_id or 0})
            return Subject(team.id)
        source = await get_row(tx, SOURCES, {"source_id": body.source_id})
    except NotFound as error:
        raise Invalid(error.detail) from None  # named in the body, not in the path
    refused = () if source.is_active else (f"alert source {source.id} is not active: its alerts are refused",)
    return Subject(source.team_id, source.escalation_policy_id, refused)


def _shown(entered: Entered, contacts: Mapping[int, Contact], severity: Severity) -> SimulatedStep:
    people, problems = [], []
    for target in entered.step.people:
        contact = contacts.get(target.user_id)
        planned = plan(addressee(contact), severity=severity, requested_at=entered.at, now=entered.at)
        name = contact.name if contact else f"user {target.user_id}"
        people.append(_person(target, name, contact, planned))
        is_reached = any(one.problem is None for one in planned)
        problems += [
            f"{name} is not reached{f' by {one.channel}' if is_reached else ''}: {one.problem}"
            for one in planned
            if one.problem
        ]
    place = entered.step.entering
    return SimulatedStep(
        at=entered.at,
        pass_number=place.pass_number,
        level=place.level,
        people=people,
        hole="; ".join([*entered.holes, *problems]) or None,
    )


def _person(target: PageTarget, name: str, contact: Contact | None, planned: Sequence[Planned]) -> SimulatedPerson:
    return SimulatedPerson(
        user_id=target.user_id,
        user_name=name,
        reason=list(target.reason),
        notifications=[
            SimulatedNotification(
                at=one.due_at, channel=one.channel, address=masked(contact.address(one.channel, one.method_id))
            )
            for one in planned
            if contact is not None and one.problem is None
        ],
    )


ENDPOINTS = (
    Endpoint("POST", "/api/v1/simulate", simulate, Role.VIEWER, Simulation, gives=SimulatedRun, refuses=(400,)),
)
