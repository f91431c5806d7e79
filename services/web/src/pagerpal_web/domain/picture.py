"""Where does what stand on a picture of people and time? Pure: numbers for an SVG, from instants.

Time runs to the right, evenly: a day on which the clocks change is wider or narrower than the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from pagerpal_common.wall_clock import first_shown, shown_at

WIDTH, NAMES, ROW, HEAD = 960, 170, 30, 34
"""In units of the picture: the whole, the names on the left, the height of a row, and of the days on top."""

WORDS_FROM = 34
"""The least width of a bar that words are written into."""

LETTER = 6.6
"""About how wide a letter is."""


@dataclass(frozen=True)
class Stretch:
    """The time that is shown."""

    since: datetime
    until: datetime

    def x(self, at: datetime) -> float:
        """Where an instant stands."""
        part = (min(max(at, self.since), self.until) - self.since) / (self.until - self.since)
        return round(NAMES + part * (WIDTH - NAMES), 1)


@dataclass(frozen=True)
class Bar:
    """A time on a row. `kinds` are the classes that it is drawn by; `words` is all there is to say of it."""

    x: float
    width: float
    kinds: str
    text: str
    words: str


@dataclass(frozen=True)
class Row:
    """A line of the picture. `is_head` is one that only names what is below it."""

    y: int
    name: str
    whole_name: str
    bars: tuple[Bar, ...] = ()
    is_head: bool = False
    is_me: bool = False


@dataclass(frozen=True)
class Day:
    """A day of the viewer's, from midnight to midnight."""

    x: float
    width: float
    text: str
    is_weekend: bool
    is_today: bool


@dataclass(frozen=True)
class Mark:
    """An instant that stands out."""

    x: float
    text: str
    words: str


@dataclass(frozen=True)
class Picture:
    """All that is drawn."""

    height: int
    days: tuple[Day, ...]
    rows: tuple[Row, ...]
    now: float | None
    marks: tuple[Mark, ...]


@lru_cache(maxsize=64)
def days(stretch: Stretch, zone: ZoneInfo, now: datetime) -> tuple[Day, ...]:
    """The days, as they begin and end where the viewer is. Remembered: a page has several pictures of the same days."""
    first = datetime.combine(shown_at(stretch.since, zone), datetime.min.time())
    begins = [first]
    while first_shown(begins[-1], zone) < stretch.until:
        begins.append(begins[-1] + timedelta(days=1))
    today = shown_at(now, zone).date()
    return tuple(_day(stretch, zone, *pair, today=pair[0].date() == today) for pair in pairwise(begins))


def _day(stretch: Stretch, zone: ZoneInfo, begin: datetime, end: datetime, *, today: bool) -> Day:
    x = stretch.x(first_shown(begin, zone))
    width = round(stretch.x(first_shown(end, zone)) - x, 1)
    text = f"{begin:%a} {begin.day}" if width >= 30 else f"{begin.day}" if width >= 16 else ""
    return Day(x, width, text, begin.weekday() >= 5, today)


def bar(stretch: Stretch, starts_at: datetime, ends_at: datetime, *, kinds: str, text: str, words: str) -> Bar:
    """A time on a row; at least so wide that it can be seen, with as much of the text as there is room for."""
    x = stretch.x(starts_at)
    width = max(round(stretch.x(ends_at) - x, 1), 2.0)
    return Bar(x, width, kinds, cut(text, width - 10) if width >= WORDS_FROM else "", words)


def cut(text: str, width: float) -> str:
    """As much of a text as fits."""
    letters = int(width / LETTER)
    return text if len(text) <= letters else f"{text[: max(letters - 1, 1)]}…"


def laid_out(
    stretch: Stretch, zone: ZoneInfo, now: datetime, rows: Sequence[Row], marks: Sequence[Mark] = ()
) -> Picture:
    """The picture of these rows, one under the other."""
    placed = tuple(
        replace(row, y=HEAD + place * ROW, name=cut(row.name, NAMES - 16 if row.bars else WIDTH / 2))
        for place, row in enumerate(rows)
    )
    is_now_shown = stretch.since <= now < stretch.until
    height = HEAD + len(rows) * ROW + (22 if marks else 6)
    return Picture(height, days(stretch, zone, now), placed, stretch.x(now) if is_now_shown else None, tuple(marks))
