"""When are the clocks of a zone put forward or back? Pure: the stretch of time is an argument."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

STEP = timedelta(hours=6)
"""No zone changes its clocks twice within this."""

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class ClockChange:
    """The instant, and by how much the clocks then show more than they would have; less where it is negative."""

    at: datetime
    by: timedelta

    @property
    def is_forward(self) -> bool:
        """Whether some times of the day never come, instead of coming twice."""
        return self.by > timedelta(0)


@lru_cache(maxsize=256)
def clock_changes(zone: ZoneInfo, since: datetime, until: datetime) -> tuple[ClockChange, ...]:
    """The changes after `since` and up to `until`, in order. Remembered, for the pictures of a page."""
    return tuple(_changes(zone, since, until))


def _changes(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[ClockChange]:
    at = since
    while at < until:
        later = min(at + STEP, until)
        by = _offset(zone, later) - _offset(zone, at)
        if by:
            yield ClockChange(_between(zone, at, later), by)
        at = later


def _between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second with the offset of `after`, by halves."""
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if _offset(zone, middle) == _offset(zone, before):
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    return offset if offset is not None else timedelta(0)
