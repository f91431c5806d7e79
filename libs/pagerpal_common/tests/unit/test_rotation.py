"""Whose turn it is: the rules one by one, then every transition of every zone, then random rotations and windows."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagerpal_common.rotation import Rotation, Turn, Window, stretches, turns, with_stand_ins
from pagerpal_common.vocabulary import RotationKind as Kind
from pagerpal_common.wall_clock import first_shown, shown_at

from .wall import MINUTE, is_to_come, moves, shown_by, watch

ANA, BO, CY = 1, 2, 3
BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEKDAYS, WEEK = frozenset(range(5)), frozenset(range(7))


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rotation(
    kind: Kind,
    handoff_at: str,
    *windows: Window,
    people: tuple[int, ...] = (ANA, BO, CY),
    length: int = 1,
    zone: ZoneInfo = BERLIN,
) -> Rotation:
    return Rotation(4, 7, people, kind, length, wall(handoff_at), zone, windows)


def window(weekdays: frozenset[int], begins: str, ends: str) -> Window:
    return Window(weekdays, time.fromisoformat(begins), time.fromisoformat(ends))


def at(each: Rotation, instant: datetime) -> Turn | None:
    """The turn under way, cut to the windows."""
    found = next(stretches(each, instant), None)
    return found if found is not None and found.starts_at <= instant else None


def shown(found: Iterator[Turn], number: int, zone: ZoneInfo = BERLIN) -> list[tuple[int, str, str]]:
    """The first of these, on the wall."""
    return [
        (turn.user_id, shown_at(turn.starts_at, zone).isoformat(), shown_at(turn.ends_at, zone).isoformat())
        for turn in islice(found, number)
    ]


def test_people_take_turns_in_order_from_the_first_handoff_on() -> None:
    weekly = rotation(Kind.WEEKLY, "2026-01-05T09:00", people=(ANA, BO))

    assert at(weekly, utc("2026-01-05T07:59:59")) is None
    assert shown(turns(weekly, utc("2020-01-01T00:00")), 3) == [
        (ANA, "2026-01-05T09:00:00", "2026-01-12T09:00:00"),
        (BO, "2026-01-12T09:00:00", "2026-01-19T09:00:00"),
        (ANA, "2026-01-19T09:00:00", "2026-01-26T09:00:00"),
    ]


def test_a_turn_may_last_several_units_and_somebody_may_stand_twice() -> None:
    shifts = rotation(Kind.HOURLY, "2026-01-05T06:00", people=(ANA, BO, ANA, CY), length=12)

    assert shown(turns(shifts, utc("2026-01-05T20:00")), 4) == [
        (BO, "2026-01-05T18:00:00", "2026-01-06T06:00:00"),
        (ANA, "2026-01-06T06:00:00", "2026-01-06T18:00:00"),
        (CY, "2026-01-06T18:00:00", "2026-01-07T06:00:00"),
        (ANA, "2026-01-07T06:00:00", "2026-01-07T18:00:00"),
    ]


def test_a_monthly_handoff_on_the_31st_is_on_the_last_day_of_shorter_months() -> None:
    monthly = rotation(Kind.MONTHLY, "2027-12-31T09:00")

    starts = [start[:10] for _, start, _ in shown(turns(monthly, utc("2027-01-01T00:00")), 6)]

    assert starts == ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31"]


def test_handoffs_keep_their_time_on_the_wall_through_daylight_saving() -> None:
    daily = rotation(Kind.DAILY, "2026-01-05T09:00")

    for day in ("2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"):
        (_, start, _), *_ = shown(turns(daily, utc(f"{day}T20:00")), 1)
        assert start == f"{day}T09:00:00"


def test_a_handoff_that_comes_twice_happens_the_first_time() -> None:
    daily = rotation(Kind.DAILY, "2026-10-24T02:30")

    before, first, second, after = (
        at(daily, utc(f"2026-10-25T{text}")) for text in ("00:29:59", "00:30", "01:30", "23:00")
    )

    assert [turn and turn.user_id for turn in (before, first, second, after)] == [ANA, BO, BO, BO]
    assert second is not None
    assert second.ends_at - second.starts_at == 25 * HOUR


def test_a_handoff_that_never_comes_happens_when_the_clocks_jump_over_it() -> None:
    daily = rotation(Kind.DAILY, "2026-03-28T02:30")

    assert [(turn.user_id, turn.ends_at) for turn in islice(turns(daily, utc("2026-03-28T12:00")), 2)] == [
        (ANA, utc("2026-03-29T01:00")),
        (BO, utc("2026-03-30T00:30")),
    ]


def test_hours_are_those_on_the_wall() -> None:
    hourly = rotation(Kind.HOURLY, "2026-03-29T00:00")
    autumn = replace(hourly, handoff_at=wall("2026-10-25T00:00"))

    # From 2 to 3 there is no hour: the third person's turn has no time, and the fourth comes at once.
    assert [turn.number for turn in islice(turns(hourly, utc("2026-03-28T23:00")), 4)] == [0, 1, 3, 4]
    # From 2 to 3 there are two: the third person has both.
    lengths = [turn.ends_at - turn.starts_at for turn in islice(turns(autumn, utc("2026-10-24T22:00")), 4)]
    assert lengths == [HOUR, HOUR, 2 * HOUR, HOUR]


def test_a_window_limits_the_rotation_to_hours_of_the_week() -> None:
    office = rotation(Kind.WEEKLY, "2026-01-05T09:00", window(WEEKDAYS, "09:00", "17:00"))

    assert shown(stretches(office, utc("2026-01-08T20:00")), 3) == [
        (ANA, "2026-01-09T09:00:00", "2026-01-09T17:00:00"),
        (BO, "2026-01-12T09:00:00", "2026-01-12T17:00:00"),
        (BO, "2026-01-13T09:00:00", "2026-01-13T17:00:00"),
    ]


def test_a_window_that_runs_past_midnight_belongs_to_the_day_it_begins_on() -> None:
    friday_night = rotation(Kind.WEEKLY, "2026-01-05T09:00", window(frozenset({4}), "22:00", "06:00"))

    assert shown(stretches(friday_night, utc("2026-01-05T12:00")), 2) == [
        (ANA, "2026-01-09T22:00:00", "2026-01-10T06:00:00"),
        (BO, "2026-01-16T22:00:00", "2026-01-17T06:00:00"),
    ]
    assert at(friday_night, utc("2026-01-10T04:59")) is not None


def test_a_handoff_inside_a_window_cuts_it() -> None:
    nights = rotation(Kind.DAILY, "2026-01-05T00:00", window(WEEK, "22:00", "06:00"))

    assert shown(stretches(nights, utc("2026-01-05T12:00")), 2) == [
        (ANA, "2026-01-05T22:00:00", "2026-01-06T00:00:00"),
        (BO, "2026-01-06T00:00:00", "2026-01-06T06:00:00"),
    ]


def test_windows_that_touch_or_overlap_are_one() -> None:
    whole_days = window(frozenset({5, 6}), "00:00", "00:00")  # from midnight to midnight
    off_hours = rotation(
        Kind.MONTHLY,
        "2026-01-01T00:00",
        window(WEEKDAYS, "17:00", "09:00"),
        window(WEEKDAYS, "20:00", "22:00"),
        whole_days,
    )

    assert shown(stretches(off_hours, utc("2026-01-09T17:00")), 2) == [
        (ANA, "2026-01-09T18:00:00", "2026-01-12T00:00:00"),
        (ANA, "2026-01-12T17:00:00", "2026-01-13T09:00:00"),
    ]


@pytest.mark.parametrize(
    ("monday", "expected"),
    [
        ("07:00", (ANA, "2026-01-01T00:00:00", "2026-02-01T00:00:00")),
        ("07:01", (ANA, "2026-01-10T13:00:00", "2026-01-12T07:00:00")),
    ],
)
def test_windows_that_leave_no_part_of_a_week_out_are_no_limit(monday: str, expected: tuple[int, str, str]) -> None:
    around_the_clock = rotation(
        Kind.MONTHLY,
        "2026-01-01T00:00",
        window(frozenset({0}), monday, "10:00"),
        window(WEEKDAYS, "09:00", "09:00"),
        window(frozenset({5}), "09:00", "08:00"),
        window(frozenset({6}), "07:00", "07:00"),
    )

    assert shown(stretches(around_the_clock, utc("2026-01-10T12:00")), 1) == [expected]


@pytest.mark.parametrize("begins", ["00:00", "18:00", "23:59"])
@pytest.mark.parametrize("more", [(), (window(frozenset({0}), "04:00", "07:00"), window(WEEKDAYS, "00:00", "05:00"))])
def test_whole_days_are_no_limit_whenever_they_begin_and_whatever_else_there_is(
    begins: str, more: tuple[Window, ...]
) -> None:
    around_the_clock = rotation(Kind.MONTHLY, "2026-01-01T00:00", window(WEEK, begins, begins), *more)

    assert shown(stretches(around_the_clock, utc("2026-01-10T12:00")), 1) == [
        (ANA, "2026-01-01T00:00:00", "2026-02-01T00:00:00")
    ]


def test_a_window_on_no_day_of_the_week_is_never_open() -> None:
    never = rotation(Kind.DAILY, "2026-01-05T09:00", window(frozenset({9}), "09:00", "17:00"))

    assert next(stretches(never, utc("2026-01-06T00:00")), None) is None


def test_a_window_ends_when_its_end_is_last_shown_so_that_the_next_one_leaves_no_hole() -> None:
    early = rotation(Kind.MONTHLY, "2026-10-01T00:00", window(WEEK, "22:00", "02:30"))
    late = rotation(Kind.MONTHLY, "2026-10-01T00:00", window(WEEK, "02:30", "10:00"))

    assert next(stretches(early, utc("2026-10-24T22:00"))).ends_at == utc("2026-10-25T01:30")
    assert next(stretches(late, utc("2026-10-24T22:00"))).starts_at == utc("2026-10-25T00:30")


def test_the_turns_of_whoever_is_inactive_go_to_the_next_in_order_and_nobody_elses_move() -> None:
    daily = rotation(Kind.DAILY, "2026-01-05T09:00", people=(ANA, BO, CY, BO))

    assert with_stand_ins(daily, {ANA, CY}).user_ids == (ANA, CY, CY, ANA)
    assert with_stand_ins(daily, {BO}).user_ids == (BO, BO, BO, BO)
    assert with_stand_ins(daily, {ANA, BO, CY, 99}) == daily


@pytest.mark.parametrize("windows", [(), (window(WEEKDAYS, "09:00", "17:00"),)])
def test_a_rotation_of_which_nobody_is_active_names_nobody(windows: tuple[Window, ...]) -> None:
    daily = with_stand_ins(rotation(Kind.DAILY, "2026-01-05T09:00", *windows), {99})

    assert next(stretches(daily, utc("2026-01-06T00:00")), None) is None


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("windows", [(), (window(WEEKDAYS, "17:00", "09:00"),)])
def test_an_instant_a_century_away_takes_a_few_steps(
    kind: Kind, windows: tuple[Window, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[datetime] = []

    def counting(time_on_wall: datetime, zone: ZoneInfo) -> datetime:
        looked.append(time_on_wall)
        return first_shown(time_on_wall, zone)

    monkeypatch.setattr("pagerpal_common.rotation.first_shown", counting)

    assert at(rotation(kind, "2000-01-01T00:00", *windows), utc("2099-12-24T23:00")) is not None
    assert len(looked) < 200


# --- every transition of every zone -----------------------------------------------------------------------------------


def test_no_transition_of_any_zone_opens_a_hole_or_leaves_two_people() -> None:
    for zone, transition in moves():
        seen = watch(zone, transition)
        shown = seen.shown
        for each in _handed_over_near(zone, transition):
            # From the turn before to the turn after; there one ends the next begins.
            found = _turns_between(each, seen.at(120), seen.at(480))
            assert found[0].starts_at <= seen.at(120), each
            assert all(one.starts_at < one.ends_at == two.starts_at for one, two in pairwise(found)), each
            for minute in range(120, 481, 45):
                turn = next(turns(each, seen.at(minute)))
                assert turn in found
                assert turn.starts_at <= seen.at(minute) < turn.ends_at, (each, seen.at(minute))
                assert turn.number == _number(each, shown[minute]), (each, seen.at(minute))


def _turns_between(each: Rotation, since: datetime, until: datetime) -> list[Turn]:
    return list(takewhile(lambda turn: turn.starts_at <= until, turns(each, since)))


def _handed_over_near(zone: ZoneInfo, transition: datetime) -> Iterator[Rotation]:
    """Rotations whose handoffs are before, inside and after the times that come twice or never."""
    for minutes in (-30, 0, 30):
        near = shown_at(transition, zone) + minutes * MINUTE
        for kind, begins in (
            (Kind.HOURLY, near - DAY),
            (Kind.DAILY, near - 3 * DAY),
            (Kind.WEEKLY, near - 14 * DAY),
            (Kind.MONTHLY, near.replace(year=near.year - 1)),
        ):
            yield Rotation(4, 7, (ANA, BO), kind, 1, begins, zone)


# --- random rotations, watched minute by minute -----------------------------------------------------------------------


def _handoffs(each: Rotation) -> Iterator[datetime]:
    """Every handoff on the wall, one after the other."""
    time_on_wall, months = each.handoff_at, 0
    while True:
        yield time_on_wall
        months += each.length
        year, month = each.handoff_at.year, each.handoff_at.month + months
        while month > 12:
            year, month = year + 1, month - 12
        day = min(each.handoff_at.day, monthrange(year, month)[1])
        time_on_wall = {
            Kind.HOURLY: time_on_wall + each.length * HOUR,
            Kind.DAILY: time_on_wall + each.length * DAY,
            Kind.WEEKLY: time_on_wall + each.length * 7 * DAY,
            Kind.MONTHLY: each.handoff_at.replace(year=year, month=month, day=day),
        }[each.kind]


def _number(each: Rotation, latest: datetime) -> int:
    """The number of the latest handoff once the clocks have shown `latest`, by counting; -1 before the first."""
    return len(list(takewhile(lambda handoff: handoff <= latest, _handoffs(each)))) - 1


def _expected(each: Rotation, instant: datetime) -> int | None:
    """The number of the turn at an instant, from what the clocks have shown and are still to show."""
    latest = shown_by(each.zone, instant)
    number = _number(each, latest)
    is_open = not each.windows or any(
        (latest.date() - ago * DAY).weekday() in one.weekdays
        and datetime.combine(latest.date() - ago * DAY, one.begins) <= latest
        and is_to_come(each.zone, instant, _end(one, latest - ago * DAY))
        for one in each.windows
        for ago in (0, 1, 2)
    )
    return number if number >= 0 and is_open else None


def _end(one: Window, day: datetime) -> datetime:
    return datetime.combine(day if one.ends > one.begins else day + DAY, one.ends)


ODD = [
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("America/Havana", "2026-11-01T05:00"),
    ("America/Santiago", "2026-04-05T03:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("Antarctica/Troll", "2026-10-25T01:00"),
    ("Africa/Casablanca", "2026-02-15T02:00"),
    ("Africa/Cairo", "2026-10-29T21:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Asia/Kathmandu", "2026-06-01T12:00"),
]
_times = st.builds(time, hour=st.integers(0, 23), minute=st.sampled_from((0, 15, 30, 59)))
_windows = st.builds(Window, st.frozensets(st.integers(0, 6), min_size=1), _times, _times)


@st.composite
def rotations_near_a_transition(draw: st.DrawFn) -> tuple[Rotation, datetime]:
    """A rotation that began at most two months before or just after an instant near the transition of a zone."""
    name, text = draw(st.sampled_from(ODD))
    zone, transition = ZoneInfo(name), utc(text)
    begins = shown_at(transition, zone) + draw(st.integers(-60 * 24 * 4, 8)) * 15 * MINUTE
    people = tuple(draw(st.lists(st.sampled_from((ANA, BO, CY)), min_size=1, max_size=4)))
    windows = tuple(draw(st.lists(_windows, max_size=3)))
    length = draw(st.integers(1, 30))
    each = Rotation(4, 7, people, draw(st.sampled_from(Kind)), length, begins, zone, windows)
    return each, transition + draw(st.integers(-36 * 60, 36 * 60)) * MINUTE


@settings(deadline=None)
@given(rotations_near_a_transition())
def test_whose_turn_it_is_agrees_with_a_watcher_of_the_clock(given_one: tuple[Rotation, datetime]) -> None:
    each, instant = given_one

    found = at(each, instant)

    assert (found and found.number) == _expected(each, instant)
    assert found is None or found.user_id == each.user_ids[found.number % len(each.user_ids)]


@settings(deadline=None)
@given(rotations_near_a_transition())
def test_stretches_are_in_order_and_agree_with_each_instant(given_one: tuple[Rotation, datetime]) -> None:
    each, instant = given_one

    found = list(islice(stretches(each, instant), 12))

    assert found[0].ends_at > instant
    for before, after in pairwise(found):
        assert before.starts_at < before.ends_at <= after.starts_at
        last = at(each, before.ends_at - timedelta(seconds=1))
        assert last is not None
        assert (last.number, last.ends_at) == (before.number, before.ends_at)
        next_one = at(each, before.ends_at)
        if before.ends_at < after.starts_at:
            assert next_one is None
            assert at(each, after.starts_at - timedelta(seconds=1)) is None
        else:
            assert next_one == after
