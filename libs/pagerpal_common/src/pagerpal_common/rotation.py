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
_WEEKDAYS = frozenset(range(7))

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
    begins: time  # in whole minutes
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
    hours = _hours_of_a_week(rotation.windows)
    if not rotation.user_ids or not rotation.windows or (hours and hours[0][1] - hours[0][0] >= _WEEK):
        yield from turns(rotation, since)
        return
    begins = first_shown(rotation.handoff_at, rotation.zone)
    following = turns(rotation, since)
    turn = next(following)
    for opens, closes in _openings(hours, rotation.zone, max(since, begins)):
        if turn.ends_at <= opens:  # found by arithmetic again: there may be many turns between two openings
            following = turns(rotation, opens)
            turn = next(following)
        while turn.starts_at < closes:
            yield Turn(turn.number, turn.user_id, max(turn.starts_at, opens), min(turn.ends_at, closes))
            if turn.ends_at >= closes:
                break
            turn = next(following)


def _hours_of_a_week(windows: Sequence[Window]) -> list[tuple[timedelta, timedelta]]:
    """From when to when any window is open, counted from a Monday's midnight: in order, and all apart on the wall.

    The last may run into the week after. The whole week is one, as long as that.
    """
    apart: list[tuple[timedelta, timedelta]] = []
    for begins, ends in sorted(_on_the_wall(window, day) for window in windows for day in _WEEKDAYS & window.weekdays):
        if apart and begins <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], ends))
        else:
            apart.append((begins, ends))
    while len(apart) > 1 and apart[0][0] + _WEEK <= apart[-1][1]:
        (_, ends), *apart = apart
        apart[-1] = (apart[-1][0], max(apart[-1][1], ends + _WEEK))
    return apart


def _on_the_wall(window: Window, weekday: int) -> tuple[timedelta, timedelta]:
    begins, ends = (timedelta(hours=at.hour, minutes=at.minute) for at in (window.begins, window.ends))
    return weekday * _DAY + begins, weekday * _DAY + (ends if ends > begins else ends + _DAY)


def _openings(
    hours: Sequence[tuple[timedelta, timedelta]], zone: ZoneInfo, since: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """From when to when these hours of each week are open, from `since` on: in order, without overlaps or an end."""
    if not hours:
        return
    today = datetime.combine(shown_at(since, zone), time())
    last_monday = today - today.weekday() * _DAY - _WEEK  # whose hours may run into this week
    reached = since
    for monday in (last_monday + number * _WEEK for number in count()):
        for begins, ends in hours:
            opens, closes = max(first_shown(monday + begins, zone), reached), last_shown(monday + ends, zone)
            if closes > opens:
                yield opens, closes
                reached = closes


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
