"""Who is on call through a stretch of time, loaded for a page and laid out as a picture in the viewer's time zone."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pagerpal_common.oncall import Gap, Roster, Span, Timeline, timeline
from pagerpal_common.rosters import load_rosters_through
from pagerpal_common.vocabulary import OnCallReason
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.clock_changes import ClockChange, clock_changes
from pagerpal_web.domain.picture import Bar, Mark, Picture, Row, Stretch, bar, laid_out
from pagerpal_web.domain.shown import plain
from pagerpal_web.storage.schedule_people import Calendar, Named, people_named

FORTNIGHT = timedelta(days=14)
"""How much is drawn."""

BECAUSE: Mapping[OnCallReason, str] = {
    OnCallReason.OVERRIDE: "override",
    OnCallReason.ENTRY: "entry",
    OnCallReason.ROTATION: "rotation",
}


@dataclass(frozen=True)
class Loaded:
    """What decides who is on call on some schedules, and the people by id."""

    rosters: Mapping[int, Roster]
    people: Mapping[int, Named]

    @property
    def active(self) -> set[int]:
        """Who can be on call."""
        return {user for user, person in self.people.items() if person.is_active}

    async def timelines(self, stretch: Stretch) -> dict[int, Timeline]:
        """Of each schedule. In a thread: a year of hourly turns takes a fraction of a second."""
        return await asyncio.to_thread(self._timelines, stretch)

    def _timelines(self, stretch: Stretch) -> dict[int, Timeline]:
        active = self.active
        return {
            number: timeline(roster, stretch.since, stretch.until, active) for number, roster in self.rosters.items()
        }

    def name(self, user_id: int | None) -> str:
        """As pages say it."""
        return "Nobody" if user_id is None else plain(self.people[user_id].name, "(no name)")


@dataclass(frozen=True)
class Viewer:
    """For whom it is drawn."""

    user_id: int
    zone: ZoneInfo
    now: datetime


async def load(tx: AsyncConnection, schedule_ids: Collection[int], stretch: Stretch) -> Loaded:
    """Two round trips, however many schedules there are."""
    ids = sorted(schedule_ids)
    rosters = await load_rosters_through(tx, ids, since=stretch.since, until=stretch.until)
    named = {user for roster in rosters.values() for user in roster.user_ids}
    return Loaded(rosters, await people_named(tx, named))


def when(at: datetime, zone: ZoneInfo) -> str:
    """An instant in words: `Tue 24 Nov 09:00`."""
    there = at.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %H:%M}"


def draw_team(
    calendars: Sequence[Calendar],
    timelines: Mapping[int, Timeline],
    loaded: Loaded,
    stretch: Stretch,
    viewer: Viewer,
) -> Picture:
    """The people of a team's schedules, a row each; and a row for nobody, where that is the case."""
    rows: list[Row] = []
    for calendar in calendars:
        name = f"{plain(calendar.name)}, kept in {calendar.timezone}"
        rows.append(Row(0, name, name, is_head=True))
        rows += _people(timelines[calendar.schedule_id], loaded, stretch, viewer)
    zones = [viewer.zone, *(ZoneInfo(calendar.timezone) for calendar in calendars)]
    return laid_out(stretch, viewer.zone, viewer.now, rows, marks(zones, stretch, viewer.zone))


@dataclass(frozen=True)
class Layer:
    """A row with names in its bars. `is_whole` is what holds in the end: its gaps are drawn, too."""

    name: str
    timeline: Timeline
    is_whole: bool = False


def draw_layers(layers: Sequence[Layer], loaded: Loaded, stretch: Stretch, viewer: Viewer, zone: ZoneInfo) -> Picture:
    """One row for each of these."""
    rows = []
    for layer in layers:
        bars = [_bar(span, loaded, stretch, viewer, is_named=True) for span in layer.timeline.spans]
        bars += [_gap(gap, stretch, viewer) for gap in layer.timeline.gaps if layer.is_whole]
        rows.append(Row(0, layer.name, layer.name, tuple(bars), is_head=layer.is_whole))
    return laid_out(stretch, viewer.zone, viewer.now, rows, marks([viewer.zone, zone], stretch, viewer.zone))


def marks(zones: Sequence[ZoneInfo], stretch: Stretch, shown_in: ZoneInfo) -> list[Mark]:
    """Where clocks change, of each zone once."""
    found: list[Mark] = []
    for zone in dict.fromkeys(zones):
        for change in clock_changes(zone, stretch.since, stretch.until):
            text = "clocks +" if change.is_forward else "clocks -"
            size = _size(abs(change.by))
            found.append(Mark(stretch.x(change.at), f"{text}{size}", said_of(change, zone, shown_in)))
    return found


def said_of(change: ClockChange, zone: ZoneInfo, shown_in: ZoneInfo) -> str:
    """A change of the clocks in words, for whoever reads times of `shown_in`."""
    there = (change.at - timedelta(seconds=1)).astimezone(zone) + timedelta(seconds=1)
    way, effect = ("forward", "shorter") if change.is_forward else ("back", "longer")
    here = "" if shown_in == zone else f" ({when(change.at, shown_in)} {shown_in.key})"
    return (
        f"Clocks in {zone.key} go {way} by {_size(abs(change.by))} on {there:%a} {there.day} {there:%b} at "
        f"{there:%H:%M}{here}: that day is {effect}. Handoffs follow the clocks and leave no hole."
    )


def _size(by: timedelta) -> str:
    minutes = round(by.total_seconds() / 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _people(its: Timeline, loaded: Loaded, stretch: Stretch, viewer: Viewer) -> list[Row]:
    rows = []
    for user in dict.fromkeys(span.user_id for span in its.spans):
        bars = tuple(_bar(span, loaded, stretch, viewer) for span in its.spans if span.user_id == user)
        is_me = user == viewer.user_id
        name = loaded.name(user)
        rows.append(Row(0, f"You, {name}" if is_me else name, name, bars, is_me=is_me))
    if its.gaps:
        rows.append(Row(0, "Nobody", "Nobody", tuple(_gap(gap, stretch, viewer) for gap in its.gaps)))
    return rows


def _bar(span: Span, loaded: Loaded, stretch: Stretch, viewer: Viewer, *, is_named: bool = False) -> Bar:
    is_me = span.user_id == viewer.user_id
    name = "You" if is_me else loaded.name(span.user_id)
    because = BECAUSE[span.reason]
    kinds = f"bar{' me' if is_me else ''}{' override' if span.reason is OnCallReason.OVERRIDE else ''}"
    text = name if is_named else "override" if span.reason is OnCallReason.OVERRIDE else "you" if is_me else ""
    words = f"{name}: {_from_to(span.starts_at, span.ends_at, viewer)}, by {because}"
    return bar(stretch, span.starts_at, span.ends_at, kinds=kinds, text=text, words=words)


def _gap(gap: Gap, stretch: Stretch, viewer: Viewer) -> Bar:
    words = f"Gap: nobody is on call {_from_to(gap.starts_at, gap.ends_at, viewer)}"
    return bar(stretch, gap.starts_at, gap.ends_at, kinds="gap", text="Gap", words=words)


def _from_to(starts_at: datetime, ends_at: datetime, viewer: Viewer) -> str:
    return f"{when(starts_at, viewer.zone)} to {when(ends_at, viewer.zone)}"
