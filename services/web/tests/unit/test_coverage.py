"""What is different between two timelines, who may cover for whom, when clocks change, and where bars stand."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.errors import Forbidden, Invalid
from pagerpal_common.oncall import Gap, Span, Timeline
from pagerpal_common.vocabulary import OnCallReason
from pagerpal_web.domain.clock_changes import clock_changes
from pagerpal_web.domain.cover import check_cover
from pagerpal_web.domain.coverage import (
    HORIZON,
    cut,
    differences,
    gaps_within,
    holders,
    in_all,
    joined,
    new_gaps,
    next_holder,
    standing,
)
from pagerpal_web.domain.picture import NAMES, WIDTH, Row, Stretch, bar, days, laid_out

T0 = datetime(2026, 5, 21, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANA, BO = 1, 2


def at(hour: float) -> datetime:
    return T0 + hour * HOUR


def timeline_of(users: Sequence[int | None]) -> Timeline:
    """One hour after the other; None is nobody's. Every other hour of somebody's is an override."""
    spans = [
        Span(at(hour), at(hour + 1), user, OnCallReason.OVERRIDE if hour % 2 else OnCallReason.ENTRY, hour + 1, None)
        for hour, user in enumerate(users)
        if user is not None
    ]
    gaps = [Gap(at(hour), at(hour + 1)) for hour, user in enumerate(users) if user is None]
    return Timeline(tuple(spans), tuple(gaps))


people = st.lists(st.one_of(st.none(), st.integers(1, 3)), min_size=1, max_size=12)


@given(people, people)
def test_differences_are_what_turns_the_one_into_the_other(old: list[int | None], new: list[int | None]) -> None:
    length = min(len(old), len(new))
    before, after = timeline_of(old[:length]), timeline_of(new[:length])

    found = differences(before, after)

    for hour in range(length):
        said = [(each.before, each.after) for each in found if each.starts_at <= at(hour) < each.ends_at]
        assert said == ([] if old[hour] == new[hour] else [(old[hour], new[hour])])
    for first, second in pairwise(found):
        assert first.ends_at <= second.starts_at
        assert first.ends_at < second.starts_at or (first.before, first.after) != (second.before, second.after)
    assert new_gaps(found) == tuple(each for each in found if each.after is None)


@given(people, st.integers(-2, 14), st.integers(1, 14))
def test_a_part_of_a_timeline_is_what_would_have_been_worked_out_of_it(users: list[int | None], a: int, n: int) -> None:
    since, until = at(a + 0.5), at(a + n + 0.5)

    part = cut(timeline_of(users), since, until)

    assert all(since <= start < end <= until for start, end, _ in holders(part))
    for half in range(2 * a, 2 * (a + n) + 2):
        instant = at(half / 2 + 0.25)
        said = [user for start, end, user in holders(part) if start <= instant < end]
        is_known = since <= instant < until and 0 <= half < 2 * len(users)
        assert said == ([users[half // 2]] if is_known else [])


def test_a_schedule_stands_as_its_timeline_says_and_gaps_count_up_to_the_horizon() -> None:
    day = timedelta(days=1)
    spans = [Span(T0 - day, T0 + day, ANA, OnCallReason.ENTRY, 1, None)]
    spans += [Span(T0 + day, T0 + 2 * day, ANA, OnCallReason.OVERRIDE, 2, None)]
    whole = Timeline((*spans,), (Gap(T0 + 2 * day, T0 + 3 * day), Gap(T0 + HORIZON - HOUR, T0 + HORIZON + HOUR)))

    its = standing(whole, T0)

    assert (its.holder, its.until, its.next_user) == (ANA, T0 + 2 * day, None)
    assert its.gaps == (Gap(T0 + 2 * day, T0 + 3 * day), Gap(T0 + HORIZON - HOUR, T0 + HORIZON))
    assert in_all(standing(whole, T0 + 2.5 * day).gaps) == day / 2 + 2 * HOUR
    assert standing(timeline_of([ANA, ANA]), at(0)).until is None
    assert standing(timeline_of([None, BO]), at(0)).next_user == BO


def test_cuts_at_different_places_are_no_difference() -> None:
    whole = Timeline((Span(at(0), at(4), ANA, OnCallReason.ENTRY, 1, None),), ())

    assert differences(whole, timeline_of([ANA, ANA, ANA, ANA])) == ()
    assert [(each.starts_at, each.ends_at) for each in differences(whole, timeline_of([ANA, BO, BO, ANA]))] == [
        (at(1), at(3))
    ]


def test_shifts_that_follow_each_other_are_one_and_the_next_is_somebody_else() -> None:
    its = timeline_of([ANA, ANA, None, ANA, BO])

    assert joined(its, ANA) == ((at(0), at(2)), (at(3), at(4)))
    assert next_holder(its, at(0)) == Gap(at(2), at(3))
    following = next_holder(its, at(2.5))
    assert isinstance(following, Span)
    assert following.user_id == ANA
    assert next_holder(its, at(4.5)) is None
    assert [user for _, _, user in holders(its)] == [ANA, ANA, None, ANA, BO]
    assert in_all(gaps_within(its, at(2.5), at(9))) == HOUR / 2
    assert in_all(gaps_within(its, at(3), at(9))) == timedelta()


def test_a_cover_has_oneself_on_one_side() -> None:
    mine, theirs, mixed, nobodys = (timeline_of(users) for users in ([ANA], [BO], [ANA, BO], [None, None]))

    for its, stand_in in ((mine, BO), (theirs, ANA), (mixed, ANA), (nobodys, ANA)):
        check_cover(its, HOUR, me=ANA, stand_in=stand_in, colleagues={ANA, BO})
    for its in (mixed, nobodys, timeline_of([3]), timeline_of([ANA, None])):
        with pytest.raises(Forbidden):
            check_cover(its, HOUR, me=ANA, stand_in=BO, colleagues={ANA, BO})
    with pytest.raises(Invalid):
        check_cover(mine, timedelta(days=31, seconds=1), me=ANA, stand_in=BO, colleagues={ANA, BO})
    with pytest.raises(Invalid):
        check_cover(mine, HOUR, me=ANA, stand_in=BO, colleagues={ANA})
    with pytest.raises(Invalid):
        check_cover(mine, HOUR, me=ANA, stand_in=ANA, colleagues={ANA})


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", []),
        ("Europe/Berlin", [("2026-03-29T01:00", 60), ("2026-10-25T01:00", -60)]),
        ("America/New_York", [("2026-03-08T07:00", 60), ("2026-11-01T06:00", -60)]),
        ("Australia/Lord_Howe", [("2026-04-04T15:00", -30), ("2026-10-03T15:30", 30)]),
    ],
)
def test_clock_changes_of_a_year(zone: str, expected: list[tuple[str, int]]) -> None:
    year = datetime(2026, 1, 1, tzinfo=UTC)

    found = list(clock_changes(ZoneInfo(zone), year, year + timedelta(days=365)))

    assert [(f"{each.at:%Y-%m-%dT%H:%M}", each.by / timedelta(minutes=1)) for each in found] == expected


def test_a_day_on_which_clocks_change_is_as_wide_as_it_is_long() -> None:
    zone = ZoneInfo("Europe/Berlin")
    stretch = Stretch(datetime(2026, 10, 23, 22, tzinfo=UTC), datetime(2026, 10, 26, 23, tzinfo=UTC))

    saturday, sunday, monday = days(stretch, zone, stretch.since)

    assert (saturday.text, sunday.text, monday.text) == ("Sat 24", "Sun 25", "Mon 26")
    assert (saturday.is_weekend, sunday.is_weekend, monday.is_weekend) == (True, True, False)
    assert (saturday.is_today, sunday.is_today) == (True, False)
    assert sunday.width / saturday.width == pytest.approx(25 / 24, rel=0.01)
    assert saturday.x == NAMES
    assert monday.x + monday.width == WIDTH


def test_bars_stay_within_the_picture_can_be_seen_and_hold_what_there_is_room_for() -> None:
    stretch = Stretch(at(0), at(24))

    long = bar(stretch, at(-5), at(30), kinds="bar", text="Bo", words="")
    short = bar(stretch, at(1), at(1.01), kinds="bar", text="Bo", words="")
    full = bar(stretch, at(0), at(3), kinds="bar", text="Bartholomew Longfellow", words="")

    assert (long.x, long.x + long.width, long.text) == (NAMES, WIDTH, "Bo")
    assert (short.width, short.text) == (2.0, "")
    assert full.text.endswith("…")
    drawn = laid_out(stretch, ZoneInfo("UTC"), at(12), [Row(0, "A" * 60, "A" * 60, (long,)), Row(0, "B", "B")])
    assert drawn.rows[0].name.endswith("…")
    assert drawn.rows[0].y < drawn.rows[1].y < drawn.height
    assert drawn.now == (NAMES + WIDTH) / 2
    assert laid_out(stretch, ZoneInfo("UTC"), at(24), []).now is None
