"""How is a calendar written? The part of RFC 5545 that a feed of shifts needs. Pure: text from values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

FOLD_OCTETS = 75
"""Of a line, without its end (RFC 5545 §3.1)."""


@dataclass(frozen=True)
class CalendarEvent:
    """A time in a calendar. `uid` stays the same however often it is written (RFC 5545 §3.8.4.7)."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str
    url: str | None = None


def calendar(name: str, events: Iterable[CalendarEvent], *, written_at: datetime) -> bytes:
    """A whole calendar, in UTF-8: no time of anybody's is taken by it, and readers come again after an hour."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//PagerPal//On call//EN",
        "CALSCALE:GREGORIAN",
        f"NAME:{_text(name)}",  # RFC 7986 §5.1
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",  # RFC 7986 §5.7
        "X-PUBLISHED-TTL:PT1H",
        *(line for event in events if _has_room(event) for line in _event(event, written_at)),
        "END:VCALENDAR",
    ]
    return b"".join(b"%s\r\n" % _folded(line) for line in lines)


def _has_room(event: CalendarEvent) -> bool:
    """An end is after its start (RFC 5545 §3.8.2.2), and times are written in whole seconds."""
    return _time(event.ends_at) > _time(event.starts_at)


def _event(event: CalendarEvent, written_at: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.uid)}"
    yield f"DTSTAMP:{_time(written_at)}"
    yield f"DTSTART:{_time(event.starts_at)}"
    yield f"DTEND:{_time(event.ends_at)}"
    yield f"SUMMARY:{_text(event.summary)}"
    yield f"DESCRIPTION:{_text(event.description)}"
    if event.url is not None:
        yield f"URL:{event.url}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _time(at: datetime) -> str:
    """In UTC (RFC 5545 §3.3.5, form 2): readers need no table of zones."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """RFC 5545 §3.3.11; control characters, which no text may have, are blanks."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    escaped = escaped.replace("\r\n", "\n").replace("\n", "\\n")
    return "".join(letter if letter.isprintable() else " " for letter in escaped)


def _folded(line: str) -> bytes:
    """In lines of at most 75 octets, each but the first after a blank; no letter is torn apart."""
    pieces, piece = list[bytes](), b""
    for letter in line:
        octets = letter.encode()
        limit = FOLD_OCTETS if not pieces else FOLD_OCTETS - 1
        if len(piece) + len(octets) > limit:
            pieces.append(piece)
            piece = b""
        piece += octets
    return b"\r\n ".join([*pieces, piece])
