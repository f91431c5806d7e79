"""How are guessers slowed down, and whom does that never touch?"""

from datetime import UTC, datetime, timedelta

import pytest
from pagerpal_web.domain import attempts
from pagerpal_web.domain.attempts import LONGEST_DELAY, Attempts, Guessing
from pagerpal_web.domain.budget import ROWS, Budget
from pagerpal_web.domain.recent import Recent

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
NOW = timedelta(0)
ANA = Guessing("ana", "192.0.2.1")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def wrong(counted: Attempts, guessing: Guessing, times: int, at: datetime = T0) -> datetime:
    """So many wrong tries, each as soon as it may be; the moment of the last."""
    for _ in range(times):
        while (wait := counted.begin(guessing, at)) > NOW:
            at += wait
    return at


def test_the_first_five_tries_cost_nothing_and_then_each_costs_twice_as_much_up_to_half_a_minute() -> None:
    counted, at, waits = Attempts(), T0, []
    for _ in range(12):
        wait = counted.begin(ANA, at)
        if wait > NOW:
            waits.append(wait.total_seconds())
            at += wait
            assert counted.begin(ANA, at) == NOW
    assert waits == [pytest.approx(expected, rel=0.3) for expected in (1, 2, 4, 8, 16, 30, 30)]


def test_a_try_that_has_to_wait_is_not_counted() -> None:
    counted = Attempts()
    wrong(counted, ANA, 5)
    for _ in range(1000):
        assert NOW < counted.begin(ANA, T0) <= seconds(1)


def test_nobody_waits_longer_than_half_a_minute_however_long_it_has_gone_on() -> None:
    counted = Attempts()
    at = wrong(counted, ANA, 500)
    assert counted.begin(ANA, at) <= LONGEST_DELAY
    assert counted.begin(ANA, at + LONGEST_DELAY) == NOW


def test_another_address_is_not_touched() -> None:
    counted = Attempts()
    at = wrong(counted, ANA, 500)
    assert counted.begin(Guessing("ana", "192.0.2.2"), at) == NOW


def test_another_account_from_the_same_address_is_not_touched_by_a_few_mistakes() -> None:
    counted = Attempts()
    wrong(counted, ANA, 5)
    assert counted.begin(Guessing("bo", ANA.address), T0) == NOW


def test_one_password_for_many_accounts_is_slowed_down_by_the_address() -> None:
    counted = Attempts()
    free = [counted.begin(Guessing(number, ANA.address), T0) for number in range(30)]
    assert free == [NOW] * 30
    assert counted.begin(Guessing("the next", ANA.address), T0) > NOW


def test_an_address_that_has_to_wait_fills_no_memory_with_accounts() -> None:
    counted = Attempts()
    for number in range(1000):
        counted.begin(Guessing(number, ANA.address), T0)
    assert len(counted._tries) == 1 + 30


def test_the_right_password_wipes_the_account_clean_and_gives_the_address_its_try_back() -> None:
    counted = Attempts()
    wrong(counted, ANA, 4)
    counted.begin(ANA, T0)
    counted.was_right(ANA)
    assert [counted.begin(ANA, T0) for _ in range(5)] == [NOW] * 5
    assert counted._tries[ANA.address].level == pytest.approx(4 + 5)


def test_many_who_are_right_at_once_do_not_slow_their_address_down() -> None:
    counted = Attempts()
    for number in range(1000):
        guessing = Guessing(number, ANA.address)
        assert counted.begin(guessing, T0) == NOW
        counted.was_right(guessing)


def test_what_was_wrong_is_forgiven_in_time() -> None:
    counted = Attempts()
    at = wrong(counted, ANA, 100)
    later = at + timedelta(minutes=30)
    assert [counted.begin(ANA, later) for _ in range(5)] == [NOW] * 5


def test_a_clock_that_is_set_back_makes_nobody_wait_for_longer() -> None:
    counted = Attempts()
    at = wrong(counted, ANA, 100)
    assert counted.begin(ANA, at - timedelta(days=1)) <= LONGEST_DELAY
    assert counted.begin(ANA, at - timedelta(days=1) + LONGEST_DELAY) == NOW


def test_what_is_counted_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "COUNTED_LIMIT", 10)
    counted = Attempts()
    for number in range(1000):
        counted.begin(Guessing("ana", f"192.0.2.{number}"), T0)
    assert len(counted._tries) == 10


def test_rows_of_failures_are_bounded_and_those_left_out_are_told_of() -> None:
    budget = Budget()
    assert [budget.spend(T0) for _ in range(ROWS)] == [0] * ROWS
    assert [budget.spend(T0) for _ in range(7)] == [None] * 7
    assert budget.spend(T0 + seconds(1)) == 7
    assert budget.spend(T0 + seconds(1)) is None
    assert [budget.spend(T0 + timedelta(days=1)) for _ in range(3)] == [1, 0, 0]


def test_a_day_of_guessing_writes_no_more_than_a_row_a_second() -> None:
    budget = Budget()
    written = [budget.spend(T0 + seconds(tenth / 10)) for tenth in range(36_000)]
    assert sum(row is not None for row in written) <= ROWS + 3600
    assert sum(row or 0 for row in written) >= 36_000 - ROWS - 3600 - 20


def test_what_is_recent_is_so_for_a_while_and_the_oldest_makes_room() -> None:
    recent = Recent(seconds(60), 2)
    for number in range(3):
        recent.add(number, T0)
    assert [recent.has(number, T0 + seconds(59)) for number in range(3)] == [False, True, True]
    assert not recent.has(2, T0 + seconds(60))
    assert not recent.has(2, T0 - seconds(1))
