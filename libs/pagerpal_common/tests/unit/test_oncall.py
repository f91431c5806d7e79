"""Who is on call, checked against a brute-force oracle on random shifts; then rotations beneath them, and timelines."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from pagerpal_common.oncall import Gap, OnCall, Roster, Shift, Span, timeline, who_is_on_call
from pagerpal_common.rotation import Rotation, Window, stretches
from pagerpal_common.vocabulary import OnCallReason, RotationKind

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
ANA, BO, CY = 1, 2, 3
EVERYBODY = {ANA, BO, CY}
BERLIN = ZoneInfo("Europe/Berlin")
ALL_WEEK = frozenset(range(7))


def roster(shifts: Sequence[Shift], *rotations: Rotation) -> Roster:
    return Roster(7, "primary", tuple(shifts), rotations)


def rotation(
    number: int, *people: int, priority: int = 0, begins: str = "2026-03-01T14:00", windows: tuple[Window, ...] = ()
) -> Rotation:
    """Handed over daily at noon in UTC as long as Berlin has summer time, which begins on the 29th."""
    handoff_at = datetime.fromisoformat(begins)
    return Rotation(number, 7, people, RotationKind.DAILY, 1, handoff_at, BERLIN, windows, priority)


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def shift(
    user_id: int, starts: float, ends: float, *, entry_id: int = 1, override: bool = False, created: float = -100
) -> Shift:
    return Shift(entry_id, 7, user_id, hours(starts), hours(ends), override, hours(created))


def on_call(shifts: Sequence[Shift], at: datetime) -> OnCall | None:
    return who_is_on_call(roster(shifts), at, EVERYBODY)


def test_nobody_is_on_call_without_shifts() -> None:
    assert on_call([], NOON) is None


def test_a_shift_holds_from_its_start_up_to_but_not_including_its_end() -> None:
    shifts = [shift(ANA, 0, 8)]

    assert on_call(shifts, NOON) == OnCall(ANA, 7, 1, OnCallReason.ENTRY, hours(8))
    assert on_call(shifts, hours(8) - timedelta(microseconds=1)) is not None
    assert on_call(shifts, hours(8)) is None
    assert on_call(shifts, NOON - timedelta(microseconds=1)) is None


def test_a_handover_leaves_no_hole() -> None:
    shifts = [shift(ANA, 0, 8), shift(BO, 8, 16, entry_id=2)]

    found = on_call(shifts, hours(8))

    assert found is not None
    assert found.user_id == BO


def test_an_override_wins_over_an_entry_whenever_either_was_made() -> None:
    shifts = [shift(ANA, 0, 8, created=5), shift(BO, 2, 4, entry_id=2, override=True, created=-5)]

    assert on_call(shifts, hours(3)) == OnCall(BO, 7, 2, OnCallReason.OVERRIDE, hours(4))


def test_of_two_overrides_the_one_created_later_wins() -> None:
    shifts = [
        shift(ANA, 0, 8, entry_id=9, override=True, created=-2),
        shift(BO, 2, 4, entry_id=3, override=True, created=-1),
    ]

    assert on_call(shifts, hours(3)) == OnCall(BO, 7, 3, OnCallReason.OVERRIDE, hours(4))


def test_the_answer_holds_only_until_an_override_begins() -> None:
    shifts = [shift(ANA, 0, 8), shift(BO, 2, 4, entry_id=2, override=True)]

    assert on_call(shifts, hours(1)) == OnCall(ANA, 7, 1, OnCallReason.ENTRY, hours(2))


def test_an_older_override_to_come_does_not_end_a_newer_one() -> None:
    shifts = [
        shift(ANA, 0, 8, entry_id=1, override=True, created=-1),
        shift(BO, 2, 4, entry_id=2, override=True, created=-2),
    ]

    found = on_call(shifts, hours(1))

    assert found is not None
    assert found.until == hours(8)


@st.composite
def _shift(draw: st.DrawFn) -> Shift:
    starts = draw(st.integers(-6, 6))
    return Shift(
        entry_id=draw(st.integers(1, 50)),
        schedule_id=7,
        user_id=draw(st.sampled_from((ANA, BO, CY))),
        starts_at=hours(starts),
        ends_at=hours(starts + draw(st.integers(1, 6))),
        is_override=draw(st.booleans()),
        created_at=hours(draw(st.integers(-20, -18))),
    )


shifts_of_one_schedule = st.lists(_shift(), max_size=8, unique_by=lambda each: each.entry_id)


def _oracle(shifts: list[Shift], at: datetime) -> Shift | None:
    """Knock out every shift that another one beats."""

    def beats(one: Shift, other: Shift) -> bool:
        if one.is_override != other.is_override:
            return one.is_override
        if one.created_at != other.created_at:
            return one.created_at > other.created_at
        return one.entry_id > other.entry_id

    holding = [each for each in shifts if each.starts_at <= at and at < each.ends_at]
    unbeaten = [each for each in holding if not any(beats(rival, each) for rival in holding)]
    return unbeaten[0] if unbeaten else None


@given(shifts_of_one_schedule, st.integers(-14, 28))
def test_random_shifts_agree_with_the_oracle(shifts: list[Shift], half_hours: int) -> None:
    at = hours(half_hours / 2)

    found, expected = on_call(shifts, at), _oracle(shifts, at)

    assert (found and found.entry_id) == (expected and expected.entry_id)
    if found is not None and expected is not None:
        assert found.user_id == expected.user_id
        assert (found.reason is OnCallReason.OVERRIDE) == expected.is_override


@given(shifts_of_one_schedule, st.integers(-14, 28))
def test_the_answer_is_constant_up_to_its_until_and_no_longer(shifts: list[Shift], half_hours: int) -> None:
    at = hours(half_hours / 2)
    found = on_call(shifts, at)
    if found is None:
        return

    instant = at
    while instant < found.until:
        same = on_call(shifts, instant)
        assert same is not None
        assert (same.entry_id, same.until) == (found.entry_id, found.until)
        instant += timedelta(minutes=30)
    after = on_call(shifts, found.until)
    assert after is None or after.entry_id != found.entry_id


@given(shifts_of_one_schedule)
def test_the_order_of_the_shifts_does_not_matter(shifts: list[Shift]) -> None:
    shuffled = sorted(shifts, key=lambda each: each.entry_id)

    assert on_call(shuffled, NOON) == on_call(shuffled[::-1], NOON) == on_call(shifts, NOON)


# --- rotations --------------------------------------------------------------------------------------------------------


def test_a_rotation_answers_where_no_entry_does_and_only_until_one_begins() -> None:
    beneath = rotation(5, ANA, BO)
    shifts = [shift(CY, 2, 4)]

    answers = [who_is_on_call(roster(shifts, beneath), hours(number), EVERYBODY) for number in (0, 2, 4, 24)]

    # The 28th handoff is on the day of the 29th, the clocks of Berlin having been set forward that night.
    assert answers == [
        OnCall(ANA, 7, None, OnCallReason.ROTATION, hours(2), 5),
        OnCall(CY, 7, 1, OnCallReason.ENTRY, hours(4)),
        OnCall(ANA, 7, None, OnCallReason.ROTATION, hours(24), 5),
        OnCall(BO, 7, None, OnCallReason.ROTATION, hours(48), 5),
    ]


def test_of_two_rotations_the_one_with_the_higher_priority_wins_and_of_equals_the_older() -> None:
    low, high, equal = rotation(1, ANA), rotation(3, BO, priority=2), rotation(2, CY, priority=2)

    for several, expected in (((low, high), BO), ((high, equal, low), CY), ((equal, low), CY)):
        found = who_is_on_call(roster([], *several), NOON, EVERYBODY)
        assert found is not None
        assert found.user_id == expected


def test_beyond_its_windows_a_rotation_leaves_the_answer_to_the_next_one() -> None:
    nights = rotation(1, BO, priority=1, windows=(Window(ALL_WEEK, time(22), time(6)),))
    always = rotation(2, ANA)

    at_noon, at_night = (who_is_on_call(roster([], nights, always), hours(n), EVERYBODY) for n in (0, 9))

    assert at_noon == OnCall(ANA, 7, None, OnCallReason.ROTATION, hours(8), 2)
    assert at_night == OnCall(BO, 7, None, OnCallReason.ROTATION, hours(16), 1)


def test_a_rotation_that_has_yet_to_begin_ends_the_answer_of_a_weaker_one() -> None:
    to_come = rotation(1, BO, priority=1, begins="2026-03-29T15:00")

    found = who_is_on_call(roster([], to_come, rotation(2, ANA)), NOON, EVERYBODY)

    assert found == OnCall(ANA, 7, None, OnCallReason.ROTATION, hours(1), 2)


def test_whoever_is_inactive_is_passed_over_wherever_they_stand() -> None:
    shifts = [shift(ANA, 0, 8), shift(BO, 0, 8, entry_id=2, override=True)]
    own, next_one = rotation(1, ANA, BO, priority=1), rotation(2, CY)

    answers = [
        who_is_on_call(roster(shifts, own, next_one), NOON, active) for active in ({ANA, BO, CY}, {ANA, CY}, {CY}, {9})
    ]

    assert [found and (found.user_id, found.reason, found.until) for found in answers] == [
        (BO, OnCallReason.OVERRIDE, hours(8)),
        (ANA, OnCallReason.ENTRY, hours(8)),
        (CY, OnCallReason.ROTATION, hours(24)),
        None,
    ]


def test_an_inactive_persons_turn_is_taken_by_the_next_of_the_same_rotation_first() -> None:
    found = who_is_on_call(roster([], rotation(1, ANA, BO, priority=1), rotation(2, CY)), NOON, {BO, CY})

    assert found == OnCall(BO, 7, None, OnCallReason.ROTATION, hours(24), 1)


# --- timelines --------------------------------------------------------------------------------------------------------


def test_a_timeline_is_spans_and_gaps_in_order() -> None:
    office = rotation(5, ANA, BO, windows=(Window(ALL_WEEK, time(9), time(17)),))
    shifts = [shift(CY, 1, 2, override=True)]

    found = timeline(roster(shifts, office), hours(0), hours(22), EVERYBODY)

    by_rotation, by_override = (OnCallReason.ROTATION, None, 5), (OnCallReason.OVERRIDE, 1, None)
    assert found.spans == (
        Span(hours(0), hours(1), ANA, *by_rotation),
        Span(hours(1), hours(2), CY, *by_override),
        Span(hours(2), hours(3), ANA, *by_rotation),
        Span(hours(19), hours(22), ANA, *by_rotation),
    )
    assert found.gaps == (Gap(hours(3), hours(19)),)


def test_turns_of_the_same_person_are_one_span_and_so_is_what_an_inactive_one_leaves() -> None:
    found = timeline(roster([shift(BO, 30, 40)], rotation(5, ANA, BO, ANA)), hours(1), hours(200), {ANA})

    assert found.spans == (Span(hours(1), hours(200), ANA, OnCallReason.ROTATION, None, 5),)
    assert found.gaps == ()


def test_without_anybody_a_timeline_is_one_gap() -> None:
    found = timeline(roster([shift(ANA, 3, 5)]), hours(0), hours(48), {BO})

    assert (found.spans, found.gaps) == ((), (Gap(hours(0), hours(48)),))


_windows = st.builds(
    Window,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 23).map(time),
    st.integers(0, 23).map(time),
)


@st.composite
def _rotation(draw: st.DrawFn) -> Rotation:
    return Rotation(
        rotation_id=draw(st.integers(1, 50)),
        schedule_id=7,
        user_ids=tuple(draw(st.lists(st.sampled_from((ANA, BO, CY)), min_size=1, max_size=3))),
        kind=draw(st.sampled_from(RotationKind)),
        length=draw(st.integers(1, 3)),
        handoff_at=datetime.fromisoformat("2026-03-30") - timedelta(hours=draw(st.integers(0, 1000))),
        zone=draw(st.sampled_from((BERLIN, ZoneInfo("UTC"), ZoneInfo("America/New_York")))),
        windows=tuple(draw(st.lists(_windows, max_size=2))),
        priority=draw(st.integers(0, 2)),
    )


rosters = st.builds(
    Roster,
    st.just(7),
    st.just("primary"),
    shifts_of_one_schedule.map(tuple),
    st.lists(_rotation(), max_size=3, unique_by=lambda each: each.rotation_id).map(tuple),
)
_some = st.sets(st.sampled_from((ANA, BO, CY)), min_size=1)


@settings(deadline=None)
@given(rosters, _some, st.integers(-60, 60))
def test_beneath_shifts_the_strongest_rotation_answers(given_roster: Roster, active: set[int], half_hours: int) -> None:
    at = hours(half_hours / 2)
    found = who_is_on_call(given_roster, at, active)
    if _oracle([each for each in given_roster.shifts if each.user_id in active], at) is not None:
        assert found is not None
        assert found.reason is not OnCallReason.ROTATION
        return

    expected = [
        (-each.priority, each.rotation_id)
        for each in given_roster.rotations
        if next(stretches(each, at)).starts_at <= at and active & set(each.user_ids)
    ]

    assert (found and found.rotation_id) == (min(expected)[1] if expected else None)
    assert found is None or found.user_id in active


@settings(deadline=None)
@given(rosters, _some, st.integers(-60, 60))
def test_with_rotations_too_the_answer_is_constant_up_to_its_until(
    given_roster: Roster, active: set[int], half_hours: int
) -> None:
    at = hours(half_hours / 2)
    found = who_is_on_call(given_roster, at, active)
    if found is None:
        return

    assert found.until > at
    instants = [at + number * timedelta(minutes=30) for number in range(100)]
    for instant in [*(each for each in instants if each < found.until), found.until - timedelta(seconds=1)]:
        assert who_is_on_call(given_roster, instant, active) == found


@settings(deadline=None)
@given(rosters, _some, st.integers(-60, 60), st.integers(1, 200), st.lists(st.floats(0, 0.999), min_size=8, max_size=8))
def test_a_timeline_agrees_with_who_is_on_call_at_any_instant(
    given_roster: Roster, active: set[int], half_hours: int, length: int, places: list[float]
) -> None:
    since = hours(half_hours / 2)
    until = since + length * timedelta(minutes=30)

    found = timeline(given_roster, since, until, active)

    both: list[Span | Gap] = [*found.spans, *found.gaps]
    pieces = sorted(both, key=lambda piece: piece.starts_at)
    assert (pieces[0].starts_at, pieces[-1].ends_at) == (since, until)
    assert all(before.ends_at == after.starts_at for before, after in pairwise(pieces))
    assert all(_holder(before) != _holder(after) for before, after in pairwise(pieces))
    edges = [instant for piece in pieces for instant in (piece.starts_at, piece.ends_at - timedelta(seconds=1))]
    for instant in [*edges, *(since + place * (until - since) for place in places)]:
        piece = next(each for each in pieces if each.starts_at <= instant < each.ends_at)
        assert _holder(who_is_on_call(given_roster, instant, active)) == _holder(piece)


def _holder(piece: Span | Gap | OnCall | None) -> tuple[object, ...] | None:
    if piece is None or isinstance(piece, Gap):
        return None
    return piece.user_id, piece.reason, piece.entry_id, piece.rotation_id
