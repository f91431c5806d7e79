"""Why was somebody paged for an incident, or why not? `/api/v1/incidents/{id}/explain`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from pagerpal_common.contracts.escalations import Position
from pagerpal_common.directory import Contact, find_contacts, find_policy
from pagerpal_common.errors import NotFound
from pagerpal_common.escalation import Facts, Policy, fallback_policy
from pagerpal_common.http import Call, Endpoint, Query
from pagerpal_common.vocabulary import Channel, IncidentStatus, NotificationStatus, Role
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.api.simulate import walk
from pagerpal_web.context import Context
from pagerpal_web.domain.explain import Ahead, Ended, Entered, Known, next_at, utc, why_not
from pagerpal_web.fields import Id
from pagerpal_web.masking import masked
from pagerpal_web.storage.explain import Subject, get_subject, list_pages, list_passed_over, list_ways
from pagerpal_web.storage.outlook import Foresight
from pagerpal_web.storage.resources import Moment

MOST_ENTERED = 50
"""Positions of the present run that are told of."""

FactsAt = Callable[[Policy | None, datetime], Awaitable[Facts]]

REACHED = (NotificationStatus.SENT, NotificationStatus.DELIVERED)


class Whom(Query):
    """Which person; without it, whoever asks."""

    user_id: Id | None = None


class Way(BaseModel):
    """One way by which a person was to be told, and how far it has come."""

    id: int
    channel: Channel
    address: str | None
    """Masked; not known before it is sent."""
    status: NotificationStatus
    reason: list[str]
    """The whole chain: level, schedule and what is on it, the person's own rule."""
    attempts: int
    error: str | None
    created_at: Moment
    due_at: Moment | None
    sent_at: Moment | None
    delivered_at: Moment | None
    settled_at: Moment | None


class PersonsPage(BaseModel):
    """An obligation to reach the person, and what was done about it."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: int
    escalation_id: int
    """Which run of the policy: a reopened incident has several."""
    pass_number: int = Field(alias="pass")
    level: int
    reminder: int
    reason: list[str]
    requested_at: Moment
    is_open: bool
    """Still wanted."""
    notifications: list[Way]


class StepAhead(BaseModel):
    """A step that will page the person, unless somebody answers before."""

    model_config = ConfigDict(serialize_by_alias=True)

    at: Moment
    pass_number: int = Field(alias="pass")
    level: int
    reminder: int
    reason: list[str]


class Explanation(BaseModel):
    """Why a person was paged, or why not, and whether they will be."""

    incident_id: int
    user_id: int
    user_name: str
    is_active: bool
    at: Moment
    was_paged: bool
    was_reached: bool
    """A provider has taken at least one page to them."""
    pages: list[PersonsPage]
    why_not: list[str]
    """Why the present run has not paged them, in sentences; nothing when it has."""
    ahead: list[StepAhead]


async def explain(ctx: Context, call: Call[Whom]) -> Explanation:
    """Explain why a person was paged for an incident, or why not; whoever asks, unless it is said who.

    From the rows as they were written; who was on call at an earlier time, and what is still to come, from the
    directory as it stands now.
    """
    return await explained(ctx, call, utc)


async def explained(ctx: Context, call: Call[Whom], clock: Callable[[datetime], str]) -> Explanation:
    """The same, with the times in its sentences written by this clock."""
    user_id, at = call.body.user_id or call.actor.user_id, ctx.now()
    async with ctx.db.begin() as tx:
        subject = await get_subject(tx, call.ids["incident_id"])
        person = (await find_contacts(tx, [user_id])).get(user_id)
        if person is None:
            raise NotFound(f"there is no user {user_id}")
        pages = await list_pages(tx, subject.incident_id)
        ways = await list_ways(tx, subject.incident_id, user_id)
        known = await _known(tx, subject, person, pages, at, clock)
    own = [_page(page, ways) for page in pages if page["user_id"] == user_id]
    return Explanation(
        incident_id=subject.incident_id,
        user_id=user_id,
        user_name=person.name,
        is_active=person.is_active,
        at=at,
        was_paged=bool(own),
        was_reached=any(way["status"] in REACHED for way in ways),
        pages=own,
        why_not=why_not(known),
        ahead=[] if known.ended else [_step(step) for step in known.ahead],
    )


async def _known(
    tx: AsyncConnection,
    subject: Subject,
    person: Contact,
    pages: Sequence[Mapping[str, Any]],
    at: datetime,
    clock: Callable[[datetime], str],
) -> Known:
    facts_at = Foresight(tx, subject.team_id).facts_at
    policy = subject.policy or await find_policy(tx, team_id=subject.team_id, policy_id=subject.policy_id)
    policy = policy or fallback_policy(await facts_at(None, at))
    entered = await _entered(subject, policy, pages, facts_at)
    return Known(
        user_id=person.user_id,
        name=person.name,
        is_active=person.is_active,
        is_test=subject.is_test,
        policy=policy,
        entered=entered,
        passed_over=await list_passed_over(tx, subject.incident_id),
        ended=await _ended(tx, subject, policy),
        ahead=await _ahead(subject, person.user_id, policy, at, facts_at),
        names=await _names(tx, entered),
        clock=clock,
    )


async def _entered(
    subject: Subject, policy: Policy, pages: Sequence[Mapping[str, Any]], facts_at: FactsAt
) -> tuple[Entered, ...]:
    """What the present run has entered, from the pages that it asked for."""
    own = [page for page in pages if page["escalation_id"] == subject.escalation_id]
    places = [list(group) for _, group in groupby(own, key=_position)]
    return tuple(
        [
            Entered(
                _position(group[0]),
                group[0]["requested_at"],
                tuple(page["user_id"] for page in group),
                await facts_at(policy, group[0]["requested_at"]),
            )
            for group in places[:MOST_ENTERED]
        ]
    )


def _position(page: Mapping[str, Any]) -> Position:
    return Position(pass_number=page["pass_number"], level=page["level"], reminder=page["reminder"])


async def _ended(tx: AsyncConnection, subject: Subject, policy: Policy) -> Ended | None:
    """Who has stopped the run; nobody while it goes on, as it does after an acknowledgement with a time-out."""
    is_timed = subject.status is IncidentStatus.ACKNOWLEDGED and policy.ack_timeout is not None
    if subject.status is IncidentStatus.TRIGGERED or is_timed:
        return None
    by, at = subject.acknowledged_by, subject.acknowledged_at
    if subject.status is IncidentStatus.RESOLVED:
        by, at = subject.resolved_by, subject.resolved_at
    found = await find_contacts(tx, [] if by is None else [by])
    name = next((contact.name for contact in found.values()), "its alert source")
    return Ended(subject.status, name, at or subject.level_entered_at)


async def _ahead(subject: Subject, user_id: int, policy: Policy, now: datetime, facts_at: FactsAt) -> tuple[Ahead, ...]:
    """The steps still to come that page this person; of a run that has ended, those that would have come."""
    if subject.is_test:
        return ()
    is_over = subject.status is IncidentStatus.RESOLVED
    at = next_at(
        policy,
        subject.position,
        entered_at=subject.level_entered_at,
        acknowledged_at=None if is_over else subject.acknowledged_at,
        now=subject.level_entered_at if is_over else now,
    )
    steps = await walk(policy, at, facts_at, after=subject.position)
    return tuple(
        Ahead(one.at, one.step.entering, person.reason)
        for one in steps
        for person in one.step.people
        if person.user_id == user_id
    )


async def _names(tx: AsyncConnection, entered: Sequence[Entered]) -> Mapping[int, str]:
    paged = {user_id for one in entered for user_id in one.user_ids}
    on_call = {found.user_id for one in entered for found in one.facts.on_call.values() if found is not None}
    return {user_id: contact.name for user_id, contact in (await find_contacts(tx, sorted(paged | on_call))).items()}


def _page(page: Mapping[str, Any], ways: Sequence[Mapping[str, Any]]) -> PersonsPage:
    own = [{**way, "address": masked(way["address"])} for way in ways if way["page_request_id"] == page["id"]]
    return PersonsPage.model_validate({**page, "pass": page["pass_number"], "notifications": own})


def _step(step: Ahead) -> StepAhead:
    place = step.position
    shown = {"at": step.at, "pass": place.pass_number, "level": place.level, "reminder": place.reminder}
    return StepAhead.model_validate({**shown, "reason": list(step.reason)})


_EXPLAIN = "/api/v1/incidents/{incident_id:int}/explain"

ENDPOINTS = (Endpoint("GET", _EXPLAIN, explain, Role.VIEWER, Whom, gives=Explanation),)
