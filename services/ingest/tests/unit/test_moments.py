"""When did it happen, by the sender's clock?"""

from datetime import UTC, datetime, timedelta

import pytest
from pagerpal_ingest.domain.moments import moment, news_of

NOON = datetime(2026, 5, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-05-21T12:00:00Z",
        "2026-05-21T14:00:00+02:00",
        "2026-05-21T12:00:00.000000000Z",
        "2026-05-21T12:00:00+0000",
        " 2026-05-21 12:00:00 ",
        1779364800,
        1779364800.0,
        1779364800000,
    ],
)
def test_an_instant_is_read_in_every_form_that_senders_use(value: object) -> None:
    assert moment(value) == NOON


def test_nanoseconds_are_read_as_far_as_a_clock_here_goes() -> None:
    found = moment("2018-12-25T15:47:47.377363608Z")

    assert found == datetime(2018, 12, 25, 15, 47, 47, 377363, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00-14:00",
        "9999-12-31T23:59:59-14:00",
        "1999-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "soon",
        "",
        None,
        True,
        0,
        -1,
        1e400,
        float("nan"),
        10**30,
        [],
        {},
    ],
)
def test_year_one_and_nonsense_are_no_instant(value: object) -> None:
    assert moment(value) is None


def test_all_that_is_said_of_an_episode_is_older_than_its_end_and_the_next_is_newer() -> None:
    def news(*, is_over: bool, start: int, end: int | None = None) -> datetime | None:
        ends_at = None if end is None else NOON + timedelta(minutes=end)
        return news_of(is_over=is_over, starts_at=NOON + timedelta(minutes=start), ends_at=ends_at)

    first = news(is_over=False, start=0)
    again_from_a_slower_peer = news(is_over=False, start=0)
    over = news(is_over=True, start=0, end=10)
    next_one = news(is_over=False, start=11)

    assert first == again_from_a_slower_peer
    assert sorted([over, next_one, first], key=str) == [first, over, next_one]


def test_an_end_is_after_its_own_start_whatever_the_clocks_say() -> None:
    for ends_at in (NOON, NOON - timedelta(hours=1)):
        assert news_of(is_over=True, starts_at=NOON, ends_at=ends_at) == NOON + timedelta(microseconds=1)


def test_an_end_without_a_time_is_of_the_moment_it_arrives() -> None:
    assert news_of(is_over=True, starts_at=NOON, ends_at=None) is None
    assert news_of(is_over=True, starts_at=None, ends_at=NOON) == NOON
