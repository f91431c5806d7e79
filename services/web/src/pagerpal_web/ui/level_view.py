"""Whom does each level of a policy reach at this instant? As a page shows it, and with what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pagerpal_common.directory import Contact, addressee, find_contacts
from pagerpal_common.notification_rules import plan
from pagerpal_common.vocabulary import Severity
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.reach import Reach, reach_of
from pagerpal_web.storage.on_call_now import Held, held_now
from pagerpal_web.storage.policies import EscalationPolicy, Level, LevelAssignee

UNHEARD: Mapping[Reach, str] = {
    Reach.QUIET: "no SMS or call",
    Reach.NOWHERE: "cannot be paged",
}


@dataclass(frozen=True)
class Reached:
    """One of those whom a level names, and who that is now."""

    assignee_id: int
    name: str
    """Of the person, or of the schedule."""
    schedule_id: int | None
    person: str | None
    """Whoever is paged; None when nobody is."""
    user_id: int | None
    until: datetime | None
    problem: str | None


@dataclass(frozen=True)
class LevelNow:
    """A level, when it is entered while nobody answers, and whom it reaches now."""

    id: int
    number: int
    after: timedelta
    """Since the incident was triggered."""
    timeout: timedelta
    timeout_minutes: float
    reached: tuple[Reached, ...]

    @property
    def is_empty(self) -> bool:
        """Whether it pages nobody now: it is passed at once."""
        return not any(one.person for one in self.reached)


async def levels_now(
    tx: AsyncConnection, policies: Sequence[EscalationPolicy], at: datetime
) -> dict[int, tuple[LevelNow, ...]]:
    """The levels of these policies, by the policies' ids."""
    assignees = [one for policy in policies for level in policy.levels for one in level.assignees]
    held = await held_now(tx, sorted({one.schedule_id for one in assignees if one.schedule_id is not None}), at)
    named = {one.user_id for one in assignees} | {one.user_id for one in held.values()}
    contacts = await find_contacts(tx, sorted(user_id for user_id in named if user_id is not None))
    return {policy.id: tuple(_entered(policy.levels, held, contacts, at)) for policy in policies}


def _entered(
    levels: Sequence[Level], held: Mapping[int, Held], contacts: Mapping[int, Contact], at: datetime
) -> list[LevelNow]:
    """What reaches nobody is passed at once, so that the next level is entered in its stead."""
    found: list[LevelNow] = []
    after = timedelta(0)
    for level in levels:
        reached = tuple(_reached(one, held, contacts, at) for one in level.assignees)
        timeout = timedelta(minutes=level.timeout_minutes)
        now = LevelNow(level.id, level.level_number, after, timeout, level.timeout_minutes, reached)
        found.append(now)
        after += timedelta(0) if now.is_empty else timeout
    return found


def _reached(
    assignee: LevelAssignee, held: Mapping[int, Held], contacts: Mapping[int, Contact], at: datetime
) -> Reached:
    if assignee.user_id is not None:
        contact = contacts[assignee.user_id]
        problem = _unheard(contact, at) if contact.is_active else "deactivated, and so not paged"
        person = contact.name if contact.is_active else None
        return Reached(assignee.id, contact.name, None, person, assignee.user_id, None, problem)
    one = held[assignee.schedule_id or 0]
    if one.user_id is None:
        return Reached(assignee.id, one.schedule_name, one.schedule_id, None, None, None, "nobody is on call now")
    problem = _unheard(contacts[one.user_id], at)
    return Reached(assignee.id, one.schedule_name, one.schedule_id, one.user_name, one.user_id, one.until, problem)


def _unheard(contact: Contact, at: datetime) -> str | None:
    planned = plan(addressee(contact), severity=Severity.CRITICAL, requested_at=at, now=at)
    return UNHEARD.get(reach_of(planned))
