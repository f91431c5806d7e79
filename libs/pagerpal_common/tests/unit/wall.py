"""An oracle for clocks: it watches them minute by minute, and knows nothing of folds and gaps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo, available_timezones

MINUTE = timedelta(minutes=1)
WEEK = timedelta(weeks=1)
NEAR = timedelta(hours=5)
"""No clock has been set back by more in this century."""

FROM, TO = datetime(2025, 11, 1, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC)
"""The two years whose transitions the sweeps look at."""


@dataclass(frozen=True)
class Watch:
    """What the clocks of a zone show at each minute around an instant."""

    since: datetime
    walls: tuple[datetime, ...]

    @property
    def shown(self) -> list[datetime]:
        """At each minute, the furthest that the clocks have shown until then."""
        return list(accumulate(self.walls, max))

    def at(self, minute: int) -> datetime:
        return self.since + minute * MINUTE


def watch(zone: ZoneInfo, around: datetime, *, near: timedelta = NEAR) -> Watch:
    """Watch the clocks from `near` before an instant to as long after it."""
    since = around - near
    minutes = range(2 * (near // MINUTE) + 1)
    return Watch(since, tuple((since + n * MINUTE).astimezone(zone).replace(tzinfo=None) for n in minutes))


def shown_by(zone: ZoneInfo, at: datetime) -> datetime:
    """The furthest that the clocks have shown until `at`, a whole minute."""
    return max((at - n * MINUTE).astimezone(zone).replace(tzinfo=None) for n in range(NEAR // MINUTE))


def is_to_come(zone: ZoneInfo, at: datetime, wall: datetime) -> bool:
    """Whether the clocks still come to show `wall`, or are behind it."""
    later = ((at + n * MINUTE).astimezone(zone).replace(tzinfo=None) for n in range(1, NEAR // MINUTE))
    return at.astimezone(zone).replace(tzinfo=None) < wall or any(shown <= wall for shown in later)


@cache
def transitions() -> tuple[tuple[ZoneInfo, datetime], ...]:
    """Every instant of the two years at which the clocks of some IANA zone are moved."""
    return tuple((zone, at) for name in sorted(available_timezones()) for zone in [ZoneInfo(name)] for at in _of(zone))


@cache
def moves() -> tuple[tuple[ZoneInfo, datetime], ...]:
    """The same, but of zones whose clocks are moved at the same instant between the same offsets only one."""
    distinct = {
        (at, (at - MINUTE).astimezone(zone).utcoffset(), at.astimezone(zone).utcoffset()): (zone, at)
        for zone, at in transitions()
    }
    return tuple(distinct.values())


def _of(zone: ZoneInfo) -> Iterator[datetime]:
    at = FROM
    while at < TO:
        if at.astimezone(zone).utcoffset() != (at + WEEK).astimezone(zone).utcoffset():
            yield _between(zone, at, at + WEEK)
        at += WEEK


def _between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    offset = before.astimezone(zone).utcoffset()
    while after - before > MINUTE:
        middle = before + (after - before) // MINUTE // 2 * MINUTE
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == offset else (before, middle)
    return after
