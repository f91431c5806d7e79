"""When does the clock on the wall show a time? Pure: the time and the zone are arguments.

Where clocks are set back a time of day comes twice; where they are set forward some never come. Who works by the clock
on the wall begins when it first shows their time and ends when it last does; a time that never comes is that of the
jump over it. So whatever ends and begins at the same time leaves no hole between.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def shown_at(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks of the zone show, without a zone."""
    return instant.astimezone(zone).replace(tzinfo=None)


def first_shown(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which the clocks of the zone show `wall`, or have jumped over it.

    Args:
        wall: without a zone, in whole seconds.
    """
    return _instant(wall, zone, fold=0)


def last_shown(wall: datetime, zone: ZoneInfo) -> datetime:
    """The last such instant; the first one's twin wherever a time comes only once."""
    return _instant(wall, zone, fold=1)


def _instant(wall: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    """PEP 495: fold 0 is the first of two such instants, 1 the second. A time that never comes reads otherwise."""
    instant = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    return instant if shown_at(instant, zone) == wall else _jump_over(wall, zone)


def _jump_over(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the clocks jump over `wall`: by halves, between its readings by the offsets around it."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    while after - before > _SECOND:
        between = before + (after - before) // _SECOND // 2 * _SECOND
        if shown_at(between, zone) < wall:
            before = between
        else:
            after = between
    return after
