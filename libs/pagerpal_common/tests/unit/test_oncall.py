"""Who is on call, checked against a brute-force oracle on random shifts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.oncall import OnCall, Shift, who_is_on_call
from pagerpal_common.vocabulary import OnCallReason

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
ANA, BO, CY = 1, 2, 3


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def shift(
    user_id: int, starts: float, ends: float, *, entry_id: int = 1, override: bool = False, created: float = -100
) -> Shift:
    return Shift(entry_id, 7, user_id, hours(starts), hours(ends), override, hours(created))


def test_nobody_is_on_call_without_shifts() -> None:
    assert who_is_on_call([], NOON) is None


def test_a_shift_holds_from_its_start_up_to_but_not_including_its_end() -> None:
    shifts = [shift(ANA, 0, 8)]

    assert who_is_on_call(shifts, NOON) == OnCall(ANA, 7, 1, OnCallReason.ENTRY, hours(8))
    assert who_is_on_call(shifts, hours(8) - timedelta(microseconds=1)) is not None
    assert who_is_on_call(shifts, hours(8)) is None
    assert who_is_on_call(shifts, NOON - timedelta(microseconds=1)) is None


def test_a_handover_leaves_no_hole() -> None:
    shifts = [shift(ANA, 0, 8), shift(BO, 8, 16, entry_id=2)]

    found = who_is_on_call(shifts, hours(8))

    assert found is not None
    assert found.user_id == BO


def test_an_override_wins_over_an_entry_whenever_either_was_made() -> None:
    shifts = [shift(ANA, 0, 8, created=5), shift(BO, 2, 4, entry_id=2, override=True, created=-5)]

    assert who_is_on_call(shifts, hours(3)) == OnCall(BO, 7, 2, OnCallReason.OVERRIDE, hours(4))


def test_of_two_overrides_the_one_created_later_wins() -> None:
    shifts = [
        shift(ANA, 0, 8, entry_id=9, override=True, created=-2),
        shift(BO, 2, 4, entry_id=3, override=True, created=-1),
    ]

    assert who_is_on_call(shifts, hours(3)) == OnCall(BO, 7, 3, OnCallReason.OVERRIDE, hours(4))


def test_the_answer_holds_only_until_an_override_begins() -> None:
    shifts = [shift(ANA, 0, 8), shift(BO, 2, 4, entry_id=2, override=True)]

    assert who_is_on_call(shifts, hours(1)) == OnCall(ANA, 7, 1, OnCallReason.ENTRY, hours(2))


def test_an_older_override_to_come_does_not_end_a_newer_one() -> None:
    shifts = [
        shift(ANA, 0, 8, entry_id=1, override=True, created=-1),
        shift(BO, 2, 4, entry_id=2, override=True, created=-2),
    ]

    found = who_is_on_call(shifts, hours(1))

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

    found, expected = who_is_on_call(shifts, at), _oracle(shifts, at)

    assert (found and found.entry_id) == (expected and expected.entry_id)
    if found is not None and expected is not None:
        assert found.user_id == expected.user_id
        assert (found.reason is OnCallReason.OVERRIDE) == expected.is_override


@given(shifts_of_one_schedule, st.integers(-14, 28))
def test_the_answer_is_constant_up_to_its_until_and_no_longer(shifts: list[Shift], half_hours: int) -> None:
    at = hours(half_hours / 2)
    found = who_is_on_call(shifts, at)
    if found is None:
        return

    instant = at
    while instant < found.until:
        same = who_is_on_call(shifts, instant)
        assert same is not None
        assert (same.entry_id, same.until) == (found.entry_id, found.until)
        instant += timedelta(minutes=30)
    after = who_is_on_call(shifts, found.until)
    assert after is None or after.entry_id != found.entry_id


@given(shifts_of_one_schedule)
def test_the_order_of_the_shifts_does_not_matter(shifts: list[Shift]) -> None:
    shuffled = sorted(shifts, key=lambda each: each.entry_id)

    assert who_is_on_call(shuffled, NOON) == who_is_on_call(shuffled[::-1], NOON) == who_is_on_call(shifts, NOON)
