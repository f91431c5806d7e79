"""A calendar as RFC 5545 has it: by its lines, and as another program reads it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_web.domain.icalendar import CalendarEvent, calendar

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)


def an_event(**changes: object) -> CalendarEvent:
    fields = {
        "uid": "schedule-1-entry-7-20260521T120000Z@pagerpal",
        "starts_at": T0,
        "ends_at": T0 + timedelta(hours=8),
        "summary": "On call: First line",
        "description": "By entry 7.",
        "url": None,
    }
    return CalendarEvent(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_calendar_is_written_line_by_line_as_the_rfc_has_it() -> None:
    event = an_event(summary="Nights; a, b\\c\nd", url="https://pager.example.org/schedules/1")

    written = calendar("On call: Bo", [event], written_at=T0 + timedelta(minutes=5))

    assert written.decode().split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//PagerPal//On call//EN",
        "CALSCALE:GREGORIAN",
        "NAME:On call: Bo",
        "X-WR-CALNAME:On call: Bo",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "BEGIN:VEVENT",
        "UID:schedule-1-entry-7-20260521T120000Z@pagerpal",
        "DTSTAMP:20260521T120500Z",
        "DTSTART:20260521T120000Z",
        "DTEND:20260521T200000Z",
        r"SUMMARY:Nights\; a\, b\\c\nd",
        "DESCRIPTION:By entry 7.",
        "URL:https://pager.example.org/schedules/1",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_what_is_over_within_its_second_is_left_out() -> None:
    event = an_event(ends_at=T0 + timedelta(microseconds=5))

    assert b"VEVENT" not in calendar("x", [event], written_at=T0)


@given(st.text(max_size=300))
def test_any_text_survives_is_folded_and_breaks_out_of_nothing(text: str) -> None:
    written = calendar(text, [an_event(summary=text)], written_at=T0)

    for line in written.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # no letter is torn apart
    events: list[Any] = icalendar.Calendar.from_ical(written).walk("VEVENT")
    (event,) = events
    shown = "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text.replace("\r\n", "\n"))
    assert str(event["SUMMARY"]) == shown
    assert event["DTSTART"].dt == T0
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(hours=8)


def test_another_program_reads_when_to_come_again() -> None:
    read: Any = icalendar.Calendar.from_ical(calendar("Bo", [], written_at=T0))

    assert read["REFRESH-INTERVAL"].dt == timedelta(hours=1)
    assert str(read["X-WR-CALNAME"]) == "Bo"
