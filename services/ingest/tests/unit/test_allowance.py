"""How many alerts may one source send at once, and in the long run?"""

import pytest
from pagerpal_ingest.domain.allowance import BURST_SECONDS, full, rate_of
from pagerpal_ingest.domain.source import Source


def test_a_quiet_source_may_burst_and_then_gets_its_rate() -> None:
    allowance = full(2.0, 100.0)

    burst = [allowance.take(100.0) for _ in range(2 * BURST_SECONDS + 1)]
    later = [allowance.take(101.0) for _ in range(3)]

    assert burst == [True] * (2 * BURST_SECONDS) + [False]
    assert later == [True, True, False]


def test_what_is_not_used_does_not_pile_up_beyond_the_burst() -> None:
    allowance = full(1.0, 0.0)

    taken = sum(allowance.take(86_400.0) for _ in range(1000))

    assert taken == BURST_SECONDS


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    allowance = full(0.1, 50.0)
    assert allowance.take(50.0)

    assert not allowance.take(40.0)
    assert not allowance.take(49.0)


def test_only_a_full_allowance_may_be_forgotten() -> None:
    allowance = full(1.0, 0.0)
    assert allowance.is_full(0.0)

    allowance.take(0.0)

    assert not allowance.is_full(0.5)
    assert allowance.is_full(1.0)


@pytest.mark.parametrize(
    ("config", "rate"),
    [
        (None, 1000.0),
        ({}, 1000.0),
        ({"alerts_per_second": 5}, 5.0),
        ({"alerts_per_second": 0.5}, 0.5),
        ({"alerts_per_second": 0}, 1000.0),
        ({"alerts_per_second": -1}, 1000.0),
        ({"alerts_per_second": True}, 1000.0),
        ({"alerts_per_second": "5"}, 1000.0),
        ({"alerts_per_second": 10**9}, 1000.0),
    ],
)
def test_a_configuration_sets_the_rate_if_it_says_anything_sensible(
    config: dict[str, object] | None, rate: float
) -> None:
    source = Source(source_id=7, team_id=3, escalation_policy_id=None, config=config, is_active=True)

    assert rate_of(source, 1000.0) == rate
