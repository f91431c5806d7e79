"""Which of two things that a source says is the newer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_incidents.domain.order import Word, compare, silence, word_of

from .given import NOW, T0, an_alert, over, second


def fires(heard: int, event: int | None = None, episode: int | None = None) -> Word:
    return _word(False, heard, event, episode)


def ends(heard: int, event: int | None = None, episode: int | None = None) -> Word:
    return _word(True, heard, event, episode)


def _word(is_over: bool, heard: int, event: int | None, episode: int | None) -> Word:
    return Word(is_over, second(heard), *(None if at is None else second(at) for at in (event, episode)))


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        pytest.param(fires(9, 5), ends(1, 4), 1, id="the later event is newer"),
        pytest.param(fires(9, 3), ends(1, 4), -1, id="an older event is old, however late it arrives"),
        pytest.param(ends(1, 4), fires(9, 4), 1, id="at the same instant it is over"),
        pytest.param(fires(9, 4), ends(1, 4), -1, id="and does not fire again"),
        pytest.param(ends(9, 4), ends(1, 4), 0, id="the same event again is no news"),
        pytest.param(fires(1, 4), fires(9, 4), 0, id="nor is the same firing again"),
        pytest.param(fires(9, 9, episode=3), ends(1, 4, episode=3), -1, id="an episode that ended is over for good"),
        pytest.param(
            ends(1, 2, episode=3), fires(9, 9, episode=3), 1, id="its end is its last word, whatever its time"
        ),
        pytest.param(ends(9, None, episode=3), fires(1, 3, episode=3), 1, id="or when that has none"),
        pytest.param(ends(9, 4, episode=3), ends(1, 4, episode=3), 0, id="its end said again is no news"),
        pytest.param(ends(9, 8, episode=3), ends(1, 4, episode=3), 1, id="a later end of it is"),
        pytest.param(fires(1, None, episode=9), ends(9, 8, episode=3), 1, id="a later episode is newer"),
        pytest.param(fires(1, 8, episode=8), ends(9, 8, episode=3), 1, id="one that begins as the other ends, too"),
        pytest.param(fires(9, 5, episode=5), ends(1, 8, episode=3), -1, id="a start within what is over is old"),
        pytest.param(ends(9, 8, episode=3), fires(1, 5, episode=5), 1, id="for an end is one of all that began before"),
        pytest.param(ends(9, 4, episode=3), fires(1, 5, episode=5), -1, id="but of nothing that began after it"),
        pytest.param(fires(9, 3, episode=3), fires(1, 5, episode=5), -1, id="an earlier start is no news"),
        pytest.param(
            fires(9, 6, episode=3), fires(1, 5, episode=3), 1, id="within an episode the later event is newer"
        ),
        pytest.param(fires(9), ends(8), 1, id="undated: what arrived later is newer"),
        pytest.param(fires(7), ends(8), -1, id="undated: what arrived earlier is old"),
        pytest.param(fires(8), ends(8), 1, id="undated, at once: what is handled later is newer"),
        pytest.param(fires(9, 1), ends(8), 1, id="one dated, one not: by arrival, the source's clock may be slow"),
        pytest.param(ends(7), fires(8, 99), -1, id="one dated, one not: by arrival, the source's clock may be fast"),
        pytest.param(fires(9, 5, episode=1), ends(1, 4), 1, id="an episode against none: by their events"),
    ],
)
def test_the_rules(word: Word, known: Word, expected: int) -> None:
    assert compare(word, known, NOW) == expected


instants = st.integers(0, 6)
DATED_ALIKE: dict[str, Callable[[bool, int, int, int], Word]] = {
    "by nothing": lambda is_over, heard, _event, _episode: _word(is_over, heard, None, None),
    "by events": lambda is_over, heard, event, _episode: _word(is_over, heard, event, None),
    "by episodes": lambda is_over, heard, _event, episode: _word(is_over, heard, None, episode),
    "by both": _word,
}


@pytest.mark.parametrize("way", DATED_ALIKE)
@given(
    words=st.lists(st.tuples(st.booleans(), instants, instants), min_size=3, max_size=3),
    arrivals=st.permutations([1, 2, 3]),
)
def test_words_that_are_dated_alike_are_in_one_order(
    way: str, words: list[tuple[bool, int, int]], arrivals: list[int]
) -> None:
    """So the newest of any number of them is the same one, in whatever order they are compared."""
    a, b, c = (
        DATED_ALIKE[way](is_over, heard, event, episode)
        for (is_over, event, episode), heard in zip(words, arrivals, strict=True)
    )

    assert compare(a, b, NOW) == -compare(b, a, NOW)
    if compare(a, b, NOW) >= 0 and compare(b, c, NOW) >= 0:
        assert compare(a, c, NOW) == max(compare(a, b, NOW), compare(b, c, NOW))


def test_a_clock_that_was_set_back_makes_nothing_old() -> None:
    """Otherwise nobody would be woken until it has caught up."""
    an_hour_ahead = ends(3600)

    assert compare(fires(10), an_hour_ahead, at=second(10)) == 1
    assert compare(fires(10), an_hour_ahead, at=second(3600)) == -1, "it has arrived late, and that is all"
    assert compare(fires(10), ends(11), at=second(10)) == -1, "two hosts are never quite in step"


@pytest.mark.parametrize(
    "absurd",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1999, 12, 31, tzinfo=UTC),
        T0 + timedelta(minutes=5, seconds=2),
        datetime(9999, 12, 31, tzinfo=UTC),
    ],
)
def test_a_time_that_cannot_be_counts_as_none(absurd: datetime) -> None:
    word = word_of(an_alert(1, event_at=absurd, starts_at=absurd))

    assert word == Word(False, second(1), None, None)


def test_a_source_s_clock_may_be_five_minutes_ahead() -> None:
    ahead = T0 + timedelta(minutes=5)

    assert word_of(over(1, event_at=ahead, starts_at=T0)) == Word(True, second(1), ahead, T0)


def test_a_silence_is_measured_by_the_source_s_clock_when_it_gives_both_ends() -> None:
    assert silence(fires(90, 70, episode=60), ends(50, 40)) == timedelta(seconds=20)
    assert silence(fires(90, 70), ends(50, 40)) == timedelta(seconds=30)
    assert silence(fires(90), ends(50, 40)) == timedelta(seconds=40)
    assert silence(fires(90, 70), ends(50)) == timedelta(seconds=40)
    assert silence(fires(90, 10, episode=10), ends(50, 40)) == timedelta(seconds=40), "it began before that end"


@given(st.permutations([fires(1, 1), ends(2, 2), fires(3, 3), ends(4, 4), fires(5, 5)]))
def test_the_newest_is_found_in_any_order(words: list[Word]) -> None:
    newest = words[0]
    for _, word in pairwise(words):
        newest = word if compare(word, newest, NOW) > 0 else newest

    assert newest == fires(5, 5)
