"""Who is paged next, and how long until the one after? Pure: policy, on-call facts and position are arguments.

The live path and every "what would happen" answer use these same functions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from pydantic import TypeAdapter

from pagerpal_common.contracts.escalations import PageTarget, Position
from pagerpal_common.oncall import OnCall

START = Position(pass_number=1, level=0)
"""Before the first page."""

FALLBACK_TIMEOUT = timedelta(minutes=5)
"""How long the team's members have before every admin is paged, when there is no policy to say it."""

DEFAULT_REMINDER = timedelta(minutes=30)


@dataclass(frozen=True)
class Assignee:
    """A person, or whoever is on call on a schedule: one of the two is set."""

    user_id: int | None = None
    schedule_id: int | None = None
    why: str = "assigned by name"
    """Why this person, when it is one."""


@dataclass(frozen=True)
class Level:
    number: int
    timeout: timedelta
    assignees: tuple[Assignee, ...]


@dataclass(frozen=True)
class Policy:
    """An escalation policy as it stood when a run began. Levels are in order of their number."""

    policy_id: int | None
    name: str
    repeat_count: int
    reminder: timedelta
    ack_timeout: timedelta | None
    levels: tuple[Level, ...]

    @property
    def is_fallback(self) -> bool:
        """Nobody wrote this policy: it stands in for a missing one."""
        return self.policy_id is None


POLICY_JSON = TypeAdapter(Policy)
"""How a policy is kept in a run's snapshot."""


@dataclass(frozen=True)
class Person:
    """Somebody who can be paged: an active user."""

    user_id: int
    name: str


@dataclass(frozen=True)
class Facts:
    """What the directory says at one instant, as far as one policy and team need it."""

    people: Mapping[int, Person]  # active users, by id
    on_call: Mapping[int, OnCall | None]  # by schedule id
    schedule_names: Mapping[int, str]
    responders: tuple[int, ...]  # the team's active members with role admin or responder
    admins: tuple[int, ...]  # every active admin


@dataclass(frozen=True)
class Step:
    """Enter `entering` and page `people`; if nobody answers, look again `wait` after it was really entered."""

    entering: Position
    people: tuple[PageTarget, ...]
    notes: tuple[str, ...]
    is_unreached: bool
    wait: timedelta


def fallback_policy(facts: Facts) -> Policy:
    """What holds for a team without a policy: its responders, then every admin."""
    levels = (
        Level(number, FALLBACK_TIMEOUT, tuple(Assignee(user_id=user, why=why) for user in users))
        for number, (users, why) in enumerate(_fallback_groups(facts), start=1)
    )
    return Policy(None, "no escalation policy", 0, DEFAULT_REMINDER, None, tuple(levels))


def next_step(policy: Policy, facts: Facts, after: Position, *, by_hand: bool = False) -> Step:
    """The step that follows `after`: always further on, and never without people while there is anybody at all.

    Levels with nobody reachable are passed at once, each with a note. A whole pass without anybody pages the
    fallback at its last level. Once the policy is spent the last level is reminded, again and again; by hand, a new
    pass begins instead, and is then walked to its end.
    """
    notes: list[str] = []
    for place, level in _places_after(policy, after, by_hand=by_hand):
        people = _people(level, policy, facts)
        if people:
            return _step(policy, place, people, notes)
        notes.append(f"Level {level.number} passed over: {'; '.join(holes_of(level, facts)) or 'nobody is assigned'}")
        if level is policy.levels[-1] and _is_whole_pass(place, after):
            return _fallback(policy, facts, place, notes)
    return _reminder(policy, facts, after, notes)


def wait_at(policy: Policy, position: Position) -> timedelta:
    """How long a position is held after it was entered, before the next step is due.

    That is the level's own time-out; at the end of the last pass, and from one reminder to the next, the reminder's
    interval. Before the first page there is nothing to wait for.
    """
    if position == START:
        return timedelta(0)
    is_last_pass = position.pass_number > policy.repeat_count
    for level in policy.levels:
        is_spent = bool(position.reminder) or (is_last_pass and level is policy.levels[-1])
        if level.number == position.level and not is_spent:
            return level.timeout
    return policy.reminder


def holes_of(level: Level, facts: Facts) -> tuple[str, ...]:
    """The assignees of a level behind whom there is nobody at this instant, in words."""
    found = (_hole(assignee, facts) for assignee in level.assignees if _reach(assignee, facts) is None)
    return tuple(dict.fromkeys(found))


def first_responder(policy: Policy, facts: Facts) -> int | None:
    """The first person of the first level, whom a new incident is assigned to."""
    people = _people(policy.levels[0], policy, facts) if policy.levels else ()
    return people[0].user_id if people else None


def _places_after(policy: Policy, after: Position, *, by_hand: bool) -> Iterator[tuple[Position, Level]]:
    """Every level still to come, in order: the rest of this pass, then the passes left; by hand, one more.

    A reminder holds its place too: a level of the rest of its pass that nobody stood for is entered once somebody does.
    """
    last_pass = max(1 + policy.repeat_count, after.pass_number + by_hand)
    for number in range(after.pass_number, last_pass + 1):
        for level in policy.levels:
            if (number, level.number) > (after.pass_number, after.level):
                yield Position(pass_number=number, level=level.number), level


def _is_whole_pass(place: Position, after: Position) -> bool:
    """Whether going from `after` to the last level of a pass has meant looking at every level of that pass."""
    return place.pass_number > after.pass_number or after.level == START.level


def _step(policy: Policy, place: Position, people: tuple[PageTarget, ...], notes: list[str]) -> Step:
    return Step(place, people, tuple(notes), policy.is_fallback, wait_at(policy, place))


def _fallback(policy: Policy, facts: Facts, place: Position, notes: list[str]) -> Step:
    """Nobody whom the policy names can be reached: page the team in their stead, and say so."""
    instead = next((who for who, (users, _) in zip(_INSTEAD, _fallback_groups(facts), strict=True) if users), _NOBODY)
    note = f"The policy reaches nobody, {instead}"
    return replace(_step(policy, place, _fallback_people(policy, facts), [*notes, note]), is_unreached=True)


def _reminder(policy: Policy, facts: Facts, after: Position, notes: list[str]) -> Step:
    """The policy is spent and still nobody answered: page again, slowly, for as long as it takes.

    Whom? The level last entered; should nobody stand for it any more, the nearest one before it where somebody does.
    """
    place = after.model_copy(update={"reminder": after.reminder + 1})
    entered = [level for level in policy.levels if level.number <= after.level]
    people = next(filter(None, (_people(level, policy, facts) for level in reversed(entered))), ())
    step = _step(policy, place, people, notes) if people else _fallback(policy, facts, place, notes)
    return replace(step, people=tuple(_reminded(target, place.reminder) for target in step.people))


def _reminded(target: PageTarget, reminder: int) -> PageTarget:
    return target.model_copy(update={"reason": (*target.reason, f"reminder {reminder}")})


def _people(level: Level, policy: Policy, facts: Facts) -> tuple[PageTarget, ...]:
    """Who a level reaches: each person once, in the order of its assignees, with every reason that leads to them."""
    reasons: dict[int, list[str]] = {}
    for assignee in level.assignees:
        found = _reach(assignee, facts)
        if found is not None:
            user_id, why = found
            reasons.setdefault(user_id, [_place(policy, level)]).append(why)
    return tuple(PageTarget(user_id=user, reason=tuple(why)) for user, why in reasons.items())


def _place(policy: Policy, level: Level) -> str:
    if policy.is_fallback:
        return "the team has no escalation policy"
    return f"policy {policy.name!r}, level {level.number}"


def _reach(assignee: Assignee, facts: Facts) -> tuple[int, str] | None:
    """The active person behind an assignee, and why; None when there is none at this instant."""
    if assignee.user_id is not None:
        return (assignee.user_id, assignee.why) if assignee.user_id in facts.people else None
    on_call = None if assignee.schedule_id is None else facts.on_call.get(assignee.schedule_id)
    if on_call is None or on_call.user_id not in facts.people:
        return None
    name = facts.schedule_names.get(on_call.schedule_id, str(on_call.schedule_id))
    number = on_call.rotation_id if on_call.entry_id is None else on_call.entry_id
    return on_call.user_id, f"on call on schedule {name!r} by {on_call.reason} {number}"


def _hole(assignee: Assignee, facts: Facts) -> str:
    if assignee.schedule_id is None:
        return f"user {assignee.user_id} is not active"
    name = facts.schedule_names.get(assignee.schedule_id, str(assignee.schedule_id))
    return f"nobody is on call on schedule {name!r}"


def _fallback_people(policy: Policy, facts: Facts) -> tuple[PageTarget, ...]:
    for users, why in _fallback_groups(facts):
        if users:
            reason = (f"policy {policy.name!r} reaches nobody", why)
            return tuple(PageTarget(user_id=user, reason=reason) for user in users)
    return ()


_INSTEAD = ("so the team's responders are paged", "so every admin is paged")
"""Who stands in, for each group of `_fallback_groups`."""

_NOBODY = "and there is nobody else: the team has no responders, and there is no admin"


def _fallback_groups(facts: Facts) -> tuple[tuple[tuple[int, ...], str], ...]:
    """Who is paged when no policy says it: these people, and failing them the next ones."""
    return (facts.responders, "a responder of the team"), (facts.admins, "an administrator")
