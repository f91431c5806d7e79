"""Whose turn is it? People who take over from each other by the clock on the wall. Pure: the instant is an argument.

The rules, with their reasons: docs/decisions/0005-who-a-rotation-names.md.
"""

from calendar import monthrange
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from pagerpal_common.vocabulary import RotationKind
from pagerpal_common.wall_clock import first_shown, last_shown, shown_at

_DAY = timedelta(days=1)
_WEEK = 7 * _DAY

_UNITS: Mapping[RotationKind, timedelta] = {
    RotationKind.HOURLY: timedelta(hours=1),
    RotationKind.DAILY: _DAY,
    RotationKind.WEEKLY: _WEEK,
}
"""On the wall, where every day has 24 hours. A month has no length of its own."""


@dataclass(frozen=True)
class Window:
    """Hours of the week. When `ends` is not after `begins` it ends on the day after the one that it begins on."""

    weekdays: frozenset[int]  # on which it begins; Monday is 0
    begins: time
    ends: time


@dataclass(frozen=True)
class Rotation:
    """People in turn, each for `length` hours, days, weeks or months of the zone's clock."""

    rotation_id: int
    schedule_id: int
    user_ids: tuple[int, ...]
    kind: RotationKind
    length: int
    handoff_at: datetime  # on the wall, without a zone: when the first person begins
    zone: ZoneInfo
    windows: tuple[Window, ...] = ()  # the hours it is limited to; none means always
    priority: int = 0


@dataclass(frozen=True)
class Turn:
    """One person's turn, or the part of it that the windows leave: up to but not including its end."""

    number: int
    user_id: int
    starts_at: datetime
    ends_at: datetime


def with_stand_ins(rotation: Rotation, active: Collection[int]) -> Rotation:
    """The rotation as it is worked: the turns of whoever is not active go to the next in order who is.

    Nobody else's turn moves. When none of its people is active the rotation names nobody.
    """
    people = rotation.user_ids
    if all(user in active for user in people):
        return rotation
    if not any(user in active for user in people):
        return replace(rotation, user_ids=())
    in_order = (people[place:] + people[:place] for place in range(len(people)))
    return replace(rotation, user_ids=tuple(next(user for user in rest if user in active) for rest in in_order))


def turns(rotation: Rotation, since: datetime) -> Iterator[Turn]:
    """The turns that end after `since`, in order and without an end, each beginning where the one before ends.

    The first is found by arithmetic, however long ago the rotation began. Without people there are none.
    """
    if not rotation.user_ids:
        return
    first = max(_number_at(rotation, since), 0)
    starts_at = first_shown(_handoff(rotation, first), rotation.zone)
    for number in count(first):
        ends_at = first_shown(_handoff(rotation, number + 1), rotation.zone)
        if ends_at > starts_at:  # where clocks jump over several handoffs, the turns between them have no time
            yield Turn(number, rotation.user_ids[number % len(rotation.user_ids)], starts_at, ends_at)
        starts_at = ends_at


def stretches(rotation: Rotation, since: datetime) -> Iterator[Turn]:
    """The times for which the rotation names somebody: its turns, cut to its windows. Those that end after `since`.

    One that is under way at `since` may be given without its past.
    """
    if not rotation.user_ids or not rotation.windows or _are_always_open(rotation.windows):
        yield from turns(rotation, since)
        return
    begins = first_shown(rotation.handoff_at, rotation.zone)
    for opens, closes in _openings(rotation, max(since, begins)):
        for turn in turns(rotation, opens):
            if turn.starts_at >= closes:
                break
            yield replace(turn, starts_at=max(turn.starts_at, opens), ends_at=min(turn.ends_at, closes))


def _are_always_open(windows: Sequence[Window]) -> bool:
    """Whether the windows leave out no part of a week."""
    once = sorted(
        (day * _DAY + _since_midnight(window.begins), day * _DAY + _since_midnight(window.ends, after=window.begins))
        for window in windows
        for day in window.weekdays
    )
    first, reached = once[0]
    for begins, ends in [*once, *((begins + _WEEK, ends + _WEEK) for begins, ends in once)]:
        if begins > reached:
            return False
        reached = max(reached, ends)
    return reached >= first + _WEEK


def _since_midnight(at: time, *, after: time | None = None) -> timedelta:
    """How late it is; a day more unless it is later than `after`."""
    late = timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)
    return late if after is None or at > after else late + _DAY


def _openings(rotation: Rotation, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """When any window is open, from `since` on, in order and without an end; those that touch or overlap are one."""
    opens, closes = since, since
    for begins, ends in _occurrences(rotation, since):
        if begins > closes:
            if closes > opens:
                yield opens, closes
            opens = begins
        closes = max(closes, ends)


def _occurrences(rotation: Rotation, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Each window on each of its days, in the order in which they begin. Some of the first may be over by `since`."""
    zone = rotation.zone
    in_order = sorted(rotation.windows, key=lambda window: window.begins)
    yesterday = shown_at(since, zone).date() - _DAY  # whose windows may run past midnight
    for day in (yesterday + number * _DAY for number in count()):
        for window in in_order:
            if day.weekday() in window.weekdays:
                midnight = datetime.combine(day, time())
                begins = first_shown(midnight + _since_midnight(window.begins), zone)
                yield begins, last_shown(midnight + _since_midnight(window.ends, after=window.begins), zone)


def _number_at(rotation: Rotation, instant: datetime) -> int:
    """The number of the turn at this instant, from 0; negative before the first.

    It counts the handoffs that the wall has shown. Where the clocks were just set back it may have shown more of them
    than it shows now.
    """
    number = _latest_handoff(rotation, shown_at(instant, rotation.zone))
    while first_shown(_handoff(rotation, number + 1), rotation.zone) <= instant:
        number += 1
    return number


def _latest_handoff(rotation: Rotation, wall: datetime) -> int:
    """The number of the last handoff at or before a time on the wall, by arithmetic."""
    first = rotation.handoff_at
    if rotation.kind is not RotationKind.MONTHLY:
        return (wall - first) // (rotation.length * _UNITS[rotation.kind])
    months = 12 * (wall.year - first.year) + wall.month - first.month
    number = months // rotation.length
    return number if _handoff(rotation, number) <= wall else number - 1


def _handoff(rotation: Rotation, number: int) -> datetime:
    """When a turn begins, on the wall."""
    steps = number * rotation.length
    if rotation.kind is not RotationKind.MONTHLY:
        return rotation.handoff_at + steps * _UNITS[rotation.kind]
    return _months_after(rotation.handoff_at, steps)


def _months_after(wall: datetime, months: int) -> datetime:
    """The same day of a later month, or that month's last day."""
    year, month = divmod(12 * wall.year + wall.month - 1 + months, 12)
    return wall.replace(year=year, month=month + 1, day=min(wall.day, monthrange(year, month + 1)[1]))
