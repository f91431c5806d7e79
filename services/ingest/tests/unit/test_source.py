"""Where may a source's alerts go, and how long is what fires again still the same trouble?"""

from typing import Any

import pytest
from pagerpal_common.errors import Forbidden
from pagerpal_ingest.domain.source import Routing, Source, route


def source(config: Any = None) -> Source:
    return Source(source_id=7, team_id=3, escalation_policy_id=11, config=config, is_active=True)


@pytest.mark.parametrize("team_id", [None, 3])
@pytest.mark.parametrize("source_id", [None, 7])
def test_a_source_routes_to_its_own_team_by_its_own_policy(team_id: int | None, source_id: int | None) -> None:
    assert route(source(), source_id=source_id, team_id=team_id) == Routing(3, 11)


def test_another_team_that_is_allowed_keeps_its_own_policy() -> None:
    assert route(source({"routing_team_ids": [5, 4]}), source_id=None, team_id=4) == Routing(4, None)


@pytest.mark.parametrize(
    "config",
    [
        None,
        {},
        {"routing_team_ids": []},
        {"routing_team_ids": [5, "4", 4.0]},
        {"routing_team_ids": "4"},
        {"other": [4]},
    ],
)
def test_any_other_team_is_forbidden(config: Any) -> None:
    with pytest.raises(Forbidden):
        route(source(config), source_id=None, team_id=4)


def test_true_is_not_team_one() -> None:
    with pytest.raises(Forbidden):
        route(source({"routing_team_ids": [True]}), source_id=None, team_id=1)


@pytest.mark.parametrize("source_id", [8, 0, -7, 10**4000])
def test_another_source_is_forbidden(source_id: int) -> None:
    with pytest.raises(Forbidden):
        route(source(), source_id=source_id, team_id=None)


@pytest.mark.parametrize("seconds", [0, 1, 300, 86_400])
def test_a_source_says_within_which_time_it_flaps(seconds: int) -> None:
    assert source({"flap_seconds": seconds}).flap_seconds == seconds


@pytest.mark.parametrize(
    "config",
    [None, {}, *({"flap_seconds": odd} for odd in (-1, 1.5, "300", True, None, [300]))],
)
def test_a_flap_time_that_is_no_number_of_seconds_is_none(config: Any) -> None:
    assert source(config).flap_seconds == 0


@pytest.mark.parametrize("seconds", [86_401, 10**30])
def test_nothing_flaps_for_longer_than_a_day(seconds: int) -> None:
    assert source({"flap_seconds": seconds}).flap_seconds == 86_400
