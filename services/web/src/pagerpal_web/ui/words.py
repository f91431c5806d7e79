"""How are times, durations and names written on a page? For people, in their own time zone."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import pass_context
from jinja2.runtime import Context as Values
from markupsafe import Markup
from pagerpal_common.reasons import worded

from pagerpal_web.domain.linked import pieces
from pagerpal_web.domain.shown import lines, plain

MINUTE, HOUR, DAY = 60, 3600, 86400

REMEMBERED = 8192
"""Instants whose words are kept: some 2 MB."""


@pass_context
def moment(values: Values, at: datetime | None, *, seconds: bool = False) -> Markup | str:
    """An instant in the viewer's time zone, as exactly as it matters; the whole of it when pointed at."""
    if at is None:
        return "never"
    timezone: str = values["timezone"]
    return _moment(at, timezone, values["now"].astimezone(ZoneInfo(timezone)).date(), seconds=seconds)


def clock_of(zone: ZoneInfo, now: datetime, *, seconds: bool = False) -> Callable[[datetime], str]:
    """Writes instants into sentences: as `moment` writes them onto pages."""
    return lambda at: _clock(at.astimezone(zone), now.astimezone(zone).date(), seconds=seconds)


@pass_context
def ago(values: Values, at: datetime | None) -> Markup | str:
    """How long ago, or how soon."""
    if at is None:
        return "never"
    away = (values["now"] - at).total_seconds()
    text = "now" if abs(away) < 1 else f"{span(away)} ago" if away > 0 else f"in {span(-away)}"
    return _time(at, values["timezone"], text)


def span(length: timedelta | float) -> str:
    """A duration in its two largest units: `3 h 20 min`."""
    total = int(length.total_seconds() if isinstance(length, timedelta) else length)
    if total < MINUTE:
        return f"{total} s"
    if total < HOUR:
        minutes, rest = divmod(total, MINUTE)
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    if total < DAY:
        hours, rest = divmod(total, HOUR)
        return f"{hours} h {rest // MINUTE} min" if rest >= MINUTE else f"{hours} h"
    days, rest = divmod(total, DAY)
    return f"{days} d {rest // HOUR} h" if rest >= HOUR else f"{days} d"


def brief(length: timedelta) -> str:
    """A duration that may be shorter than a second: `0.4 s`, else as `span`."""
    seconds = max(0.0, length.total_seconds())
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds)


def label(value: str) -> str:
    """A word of the vocabulary, as it begins a line: `no_reply` is `No reply`."""
    text = value.replace("_", " ")
    return f"{text[:1].upper()}{text[1:]}"


@pass_context
def until(values: Values, at: datetime) -> Markup:
    """What is left until then, as `app.js` goes on counting it: `4:12`."""
    left = max(0, round((at - values["now"]).total_seconds()))
    hours, minutes = divmod(left // MINUTE, 60)
    text = f"{hours}:{minutes:02}:{left % MINUTE:02}" if hours else f"{minutes}:{left % MINUTE:02}"
    exactly = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return Markup('<b class="count" data-until="{}">{}</b>').format(exactly, text)


# A picture of a rota names the same instants over and over, on each page of everybody who looks at it.
@lru_cache(maxsize=REMEMBERED)
def _moment(at: datetime, timezone: str, today: date, *, seconds: bool) -> Markup:
    return _time(at, timezone, _clock(at.astimezone(ZoneInfo(timezone)), today, seconds=seconds))


def _clock(there: datetime, today: date, *, seconds: bool) -> str:
    clock = f"{there:%H:%M:%S}" if seconds else f"{there:%H:%M}"
    day = "" if there.date() == today else f"{there:%a} {there.day} {there:%b} "
    year = "" if there.year == today.year else f"{there.year} "
    return f"{day}{year}{clock}"


def linked(text: str) -> Markup:
    """A text of several lines in which addresses lead where they say."""
    link = Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>')
    parts = (link.format(part, part) if leads else Markup("{}").format(part) for part, leads in pieces(lines(text)))
    return Markup("").join(parts)


def _time(at: datetime, timezone: str, text: str) -> Markup:
    return _opened(at, timezone) + text + _CLOSED


_CLOSED = Markup("</time>")


@lru_cache(maxsize=REMEMBERED)
def _opened(at: datetime, timezone: str) -> Markup:
    """The element of an instant, up to what is read in it."""
    there = at.astimezone(ZoneInfo(timezone))
    whole = f"{there:%A} {there.day} {there:%B %Y, %H:%M:%S} {there.tzname()}"
    return Markup('<time datetime="{}" title="{}">').format(at.astimezone(UTC).isoformat(timespec="seconds"), whole)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "moment": moment,
    "ago": ago,
    "span": span,
    "label": label,
    "plain": plain,
    "lines": lines,
    "linked": linked,
    "until": until,
    "brief": brief,
    "worded": worded,
}
"""What templates may write behind a bar."""
