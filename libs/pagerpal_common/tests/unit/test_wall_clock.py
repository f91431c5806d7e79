"""When a clock on the wall shows a time: by hand for the odd days, then for every transition of every zone."""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pagerpal_common.wall_clock import first_shown, last_shown, shown_at

from .wall import MINUTE, transitions, watch


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "wall", "first", "last"),
    [
        ("Europe/Berlin", "2026-07-01T09:00", "2026-07-01T07:00", "2026-07-01T07:00"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T01:30"),  # comes twice
        ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00", "2026-10-25T02:00"),
        ("Europe/Berlin", "2026-10-25T02:00", "2026-10-25T00:00", "2026-10-25T01:00"),
        ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00", "2026-03-29T01:00"),  # never comes
        ("Europe/Berlin", "2026-03-29T02:59:59", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-03T15:30", "2026-10-03T15:30"),  # by half an hour
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45", "2026-04-04T15:15"),
        ("America/Havana", "2026-11-01T00:30", "2026-11-01T04:30", "2026-11-01T05:30"),  # at midnight
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00", "2011-12-30T10:00"),  # a day that never came
        ("Asia/Kathmandu", "2026-01-01T00:00", "2025-12-31T18:15", "2025-12-31T18:15"),
        ("Europe/Berlin", "2098-10-26T02:30", "2098-10-26T00:30", "2098-10-26T01:30"),  # beyond every table
    ],
)
def test_a_time_on_the_wall_is_first_and_last_shown_at(zone: str, wall: str, first: str, last: str) -> None:
    time = datetime.fromisoformat(wall)

    assert (first_shown(time, ZoneInfo(zone)), last_shown(time, ZoneInfo(zone))) == (utc(first), utc(last))


def test_every_transition_of_every_zone_agrees_with_a_watcher_of_the_clock() -> None:
    assert len(transitions()) > 500
    for zone, transition in transitions():
        seen = watch(zone, transition)
        shown, latest = seen.shown, {wall: minute for minute, wall in enumerate(seen.walls)}
        wall = shown_at(transition - timedelta(hours=3), zone)
        while wall < shown_at(transition + timedelta(hours=3), zone):
            first = bisect_left(shown, wall)
            found = first_shown(wall, zone), last_shown(wall, zone)
            assert found == (seen.at(first), seen.at(latest.get(wall, first))), (zone, wall)
            wall += 10 * MINUTE
