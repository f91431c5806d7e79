"""Who is on call on a schedule at an instant, and through a stretch of time? Pure: roster and times are arguments.

Candidates in order: overrides, of two the one made later; then normal entries; then rotations, of two the one with the
higher priority, else the older one. Whoever is not active is no candidate: the next one answers.
"""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from pagerpal_common.rotation import Rotation, Turn, stretches, with_stand_ins
from pagerpal_common.vocabulary import OnCallReason


@dataclass(frozen=True)
class Shift:
    """One person's stretch on a schedule: a normal entry, or an override that takes precedence over it."""

    entry_id: int
    schedule_id: int
    user_id: int
    starts_at: datetime
    ends_at: datetime
    is_override: bool
    created_at: datetime


@dataclass(frozen=True)
class Roster:
    """What decides who is on call on one schedule, for the time it was asked for."""

    schedule_id: int
    name: str
    shifts: tuple[Shift, ...] = ()
    rotations: tuple[Rotation, ...] = ()

    @property
    def user_ids(self) -> set[int]:
        """Everybody it names."""
        people = {user for rotation in self.rotations for user in rotation.user_ids}
        return people | {shift.user_id for shift in self.shifts}


@dataclass(frozen=True)
class OnCall:
    """The person, why, and until when this answer surely holds unless the schedule or its people are changed."""

    user_id: int
    schedule_id: int
    entry_id: int | None
    reason: OnCallReason
    until: datetime
    rotation_id: int | None = None


@dataclass(frozen=True)
class Span:
    """A time through which one entry or rotation names one person: up to but not including its end."""

    starts_at: datetime
    ends_at: datetime
    user_id: int
    reason: OnCallReason
    entry_id: int | None
    rotation_id: int | None


@dataclass(frozen=True)
class Gap:
    """A time without anybody."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Timeline:
    """Spans and gaps, each in order; together they are the whole stretch that was asked for."""

    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]


_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class _Ahead:
    """What is still to come of a rotation, as far as it has been worked out: each of its turns once."""

    turns: Iterator[Turn]
    next: Turn | None


def who_is_on_call(roster: Roster, at: datetime, active: Collection[int]) -> OnCall | None:
    """The person on call at `at`; None when nobody is.

    Args:
        active: the people who can be paged; everybody else is passed over.
    """
    shifts, rotations = _present(roster, active)
    span, until = _look([*shifts, *rotations], at, {})
    if span is None:
        return None
    return OnCall(span.user_id, roster.schedule_id, span.entry_id, span.reason, until, span.rotation_id)


def timeline(roster: Roster, since: datetime, until: datetime, active: Collection[int]) -> Timeline:
    """Who is on call from `since` up to `until`: what `who_is_on_call` says at each instant of it."""
    shifts, rotations = _present(roster, active)
    to_come = deque(sorted(shifts, key=lambda shift: shift.starts_at))
    begun: list[Shift] = []
    ahead: dict[int, _Ahead] = {}
    spans: list[Span] = []
    gaps: list[Gap] = []
    at = since
    while at < until:
        while to_come and to_come[0].starts_at <= at:
            begun.append(to_come.popleft())
        begun = sorted((shift for shift in begun if shift.ends_at > at), key=_precedence, reverse=True)
        span, ends_at = _look([*begun, *rotations], at, ahead)
        ends_at = min(ends_at, to_come[0].starts_at if to_come else until, until)
        if span is None:
            _extend(gaps, Gap(at, ends_at))
        else:
            _extend(spans, replace(span, starts_at=at, ends_at=ends_at))
        at = ends_at
    return Timeline(tuple(spans), tuple(gaps))


def _present(roster: Roster, active: Collection[int]) -> tuple[list[Shift], list[Rotation]]:
    """The candidates, each kind with the strongest first, as if only the active people were there."""
    shifts = sorted((shift for shift in roster.shifts if shift.user_id in active), key=_precedence, reverse=True)
    rotations = sorted(roster.rotations, key=lambda rotation: (-rotation.priority, rotation.rotation_id))
    return shifts, [with_stand_ins(rotation, active) for rotation in rotations]


def _precedence(shift: Shift) -> tuple[bool, datetime, int]:
    return (shift.is_override, shift.created_at, shift.entry_id)


def _look(
    candidates: Sequence[Shift | Rotation], at: datetime, ahead: dict[int, _Ahead]
) -> tuple[Span | None, datetime]:
    """The span of the strongest candidate that holds at `at`, and until when no other candidate can change that."""
    until = _FOREVER
    for candidate in candidates:
        span = _of_shift(candidate, at) if isinstance(candidate, Shift) else _of_rotation(candidate, at, ahead)
        if span is None:
            continue
        if span.starts_at <= at:
            return span, min(span.ends_at, until)
        until = min(until, span.starts_at)
    return None, until


def _of_shift(shift: Shift, at: datetime) -> Span | None:
    """What is still to come of a shift at `at`."""
    if shift.ends_at <= at:
        return None
    reason = OnCallReason.OVERRIDE if shift.is_override else OnCallReason.ENTRY
    return Span(shift.starts_at, shift.ends_at, shift.user_id, reason, shift.entry_id, None)


def _of_rotation(rotation: Rotation, at: datetime, ahead: dict[int, _Ahead]) -> Span | None:
    """The first span of a rotation that ends after `at`. `ahead` goes on from there for instants that follow."""
    own = ahead.get(rotation.rotation_id)
    if own is None:
        turns = stretches(rotation, at)
        own = ahead[rotation.rotation_id] = _Ahead(turns, next(turns, None))
    while own.next is not None and own.next.ends_at <= at:
        own.next = next(own.turns, None)
    turn = own.next
    if turn is None:
        return None
    return Span(turn.starts_at, turn.ends_at, turn.user_id, OnCallReason.ROTATION, None, rotation.rotation_id)


S = TypeVar("S", Span, Gap)


def _extend(done: list[S], more: S) -> None:
    """Add what follows; what only goes on with the last one makes that one longer."""
    if done and done[-1].ends_at == more.starts_at:
        longer = replace(done[-1], ends_at=more.ends_at)
        if longer == replace(more, starts_at=longer.starts_at):
            done[-1] = longer
            return
    done.append(more)
