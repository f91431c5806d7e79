"""What stands in somebody's calendar? Shifts, and of a whole schedule its gaps too. Pure: timelines are arguments."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from pagerpal_common.oncall import Gap, Span, Timeline
from pagerpal_common.vocabulary import OnCallReason

from pagerpal_web.domain.icalendar import CalendarEvent
from pagerpal_web.domain.reasons import short
from pagerpal_web.domain.shown import plain

PAST, AHEAD = timedelta(weeks=2), timedelta(weeks=8)
"""What a calendar shows of the time before and after it is read."""


def window(now: datetime) -> tuple[datetime, datetime]:
    """From when to when, in whole days: what is cut at its start looks the same all day long."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return today - PAST, today + AHEAD


def own_shifts(
    schedule_id: int, name: str, its: Timeline, user_id: int, rotations: Mapping[int, str], url: str | None
) -> Iterator[CalendarEvent]:
    """One person's shifts on a schedule."""
    summary = f"On call: {plain(name)}"
    for span in its.spans:
        if span.user_id == user_id:
            yield _event(schedule_id, its, span, summary, _because(span, rotations), url)


def all_shifts(
    schedule_id: int,
    name: str,
    its: Timeline,
    names: Mapping[int, str],
    rotations: Mapping[int, str],
    url: str | None,
) -> Iterator[CalendarEvent]:
    """Everybody's, and nobody's."""
    for span in its.spans:
        summary = f"{plain(names[span.user_id], '(no name)')}: on call, {plain(name)}"
        yield _event(schedule_id, its, span, summary, _because(span, rotations), url)
    for gap in its.gaps:
        summary = f"Gap: nobody is on call, {plain(name)}"
        yield _event(schedule_id, its, gap, summary, "Nobody on this schedule is paged during this time.", url)


def _event(
    schedule_id: int, its: Timeline, row: Span | Gap, summary: str, description: str, url: str | None
) -> CalendarEvent:
    """Of what began before the window the end is what stays the same; of all else the start."""
    begins = min([each.starts_at for each in its.spans[:1]] + [each.starts_at for each in its.gaps[:1]])
    stays = f"to-{row.ends_at:%Y%m%dT%H%M%SZ}" if row.starts_at == begins else f"{row.starts_at:%Y%m%dT%H%M%SZ}"
    kind = "gap" if isinstance(row, Gap) else f"{row.reason}-{row.entry_id or row.rotation_id}"
    uid = f"schedule-{schedule_id}-{kind}-{stays}@pagerpal"
    return CalendarEvent(uid, row.starts_at, row.ends_at, summary, description, url)


def _because(span: Span, rotations: Mapping[int, str]) -> str:
    """How the person comes to it, by what people have called that."""
    if span.reason is OnCallReason.ROTATION:
        return f"By rotation {short(rotations.get(span.rotation_id or 0, ''))}."
    return "By an override." if span.reason is OnCallReason.OVERRIDE else "By a schedule entry."
