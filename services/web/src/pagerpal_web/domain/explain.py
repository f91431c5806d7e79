"""Why has somebody not been paged for an incident? Pure: what the rows say, and what would come next, are arguments.

Each rule looks at one cause and says in a line what it finds; all that apply are told, in this order. Whom a level
reaches is decided by the functions that the live path uses (`pagerpal_common.escalation`), never here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pagerpal_common.contracts.escalations import Position
from pagerpal_common.escalation import Facts, Level, Policy, wait_at
from pagerpal_common.vocabulary import IncidentStatus


@dataclass(frozen=True)
class Entered:
    """A position that the run has entered, whom it paged, and what the directory says of that instant."""

    position: Position
    at: datetime
    user_ids: tuple[int, ...]
    facts: Facts


@dataclass(frozen=True)
class Ahead:
    """A step that pages this person, when nobody answers until then."""

    at: datetime
    position: Position
    reason: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """By whom and when the escalation was stopped."""

    status: IncidentStatus
    by: str
    at: datetime


@dataclass(frozen=True)
class Known:
    """What there is to know of one person and the present run of one incident."""

    user_id: int
    name: str
    is_active: bool
    is_test: bool
    policy: Policy
    entered: tuple[Entered, ...]
    """In order."""
    passed_over: tuple[str, ...]
    """What the timeline says of levels that reached nobody."""
    ended: Ended | None
    ahead: tuple[Ahead, ...]
    """What is still to come; of an incident that has ended, what would have come."""
    names: Mapping[int, str]
    """Of everybody who is spoken of."""
    clock: Callable[[datetime], str]
    """How times are written for whoever asks."""


def utc(at: datetime) -> str:
    """As the API writes times."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def why_not(known: Known) -> list[str]:
    """Why this person is not among those whom the run has paged, a line each; nothing when they are."""
    if any(known.user_id in entered.user_ids for entered in known.entered):
        return []
    return [line for rule in _RULES for line in rule(known)]


def next_at(
    policy: Policy, position: Position, *, entered_at: datetime, acknowledged_at: datetime | None, now: datetime
) -> datetime:
    """When the step after this position is due: not before now, should it be late."""
    if acknowledged_at is not None and policy.ack_timeout is not None:
        return max(now, acknowledged_at + policy.ack_timeout)
    return max(now, entered_at + wait_at(policy, position))


def _deactivated(known: Known) -> Iterator[str]:
    if not known.is_active:
        yield f"{known.name} is deactivated, and so is never paged"


def _test(known: Known) -> Iterator[str]:
    if known.is_test:
        yield "it was opened by the test button of its source, and pages nobody"


def _others(known: Known) -> Iterator[str]:
    """Whom each level has paged instead, and who stood for its schedules. Its reminders page the same people."""
    for entered in known.entered:
        if not entered.position.reminder:
            people = _listed(entered.user_ids, known.names)
            yield f"{_place(entered.position)} paged {people} at {known.clock(entered.at)}"
            yield from _on_call(_level(known.policy, entered.position), entered, known)


def _on_call(level: Level | None, entered: Entered, known: Known) -> Iterator[str]:
    for assignee in level.assignees if level else ():
        if assignee.schedule_id is None:
            continue
        name = entered.facts.schedule_names.get(assignee.schedule_id, str(assignee.schedule_id))
        found = entered.facts.on_call.get(assignee.schedule_id)
        who = "nobody" if found is None else known.names.get(found.user_id, f"a deleted user ({found.user_id})")
        yield f"on schedule {name!r} {who} was on call then, as the schedule stands today"


def _passed_over(known: Known) -> Iterator[str]:
    yield from known.passed_over


def _ended(known: Known) -> Iterator[str]:
    if known.ended is None:
        return
    said = f"{known.ended.status} by {known.ended.by} at {known.clock(known.ended.at)}"
    if known.ahead:
        yield f"{said}, before {_place(known.ahead[0].position)} was entered, which would have paged {known.name}"
    elif not known.entered:
        yield f"{said}, before anybody was paged"


def _to_come(known: Known) -> Iterator[str]:
    if known.ended is None and known.ahead:
        step = known.ahead[0]
        at = known.clock(step.at)
        yield f"not yet: {_place(step.position)} pages {known.name} at {at} unless somebody answers before"


def _nowhere(known: Known) -> Iterator[str]:
    if known.ahead or known.is_test or not known.is_active:
        return
    if known.policy.is_fallback:
        yield f"the team has no escalation policy, and {known.name} is not among those who are paged instead"
    else:
        yield f"policy {known.policy.name!r} names {known.name} at no level, neither by name nor by a schedule"


_RULES: Sequence[Callable[[Known], Iterator[str]]] = (
    _deactivated,
    _test,
    _others,
    _passed_over,
    _ended,
    _to_come,
    _nowhere,
)


def _level(policy: Policy, position: Position) -> Level | None:
    return next((level for level in policy.levels if level.number == position.level), None)


def _place(position: Position) -> str:
    level = f"level {position.level}"
    place = level if position.pass_number == 1 else f"{level} of pass {position.pass_number}"
    return f"reminder {position.reminder} to {place}" if position.reminder else place


def _listed(user_ids: Sequence[int], names: Mapping[int, str]) -> str:
    return ", ".join(names.get(user_id, f"a deleted user ({user_id})") for user_id in user_ids)
