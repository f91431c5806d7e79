"""Who may take back an override, and what they are told when somebody was first."""

from datetime import UTC, datetime, timedelta

import pytest
from pagerpal_common.errors import Conflict, Forbidden
from pagerpal_web.domain.undo import UNDO_WITHIN, Done, check_undo

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
ANA, BO = 1, 2
MADE = Done("created", ANA, "Ana", T0)
SECOND = timedelta(seconds=1)


def test_whoever_has_just_made_it_may_take_it_back() -> None:
    check_undo([MADE], me=ANA, now=T0 + UNDO_WITHIN)


@pytest.mark.parametrize("history", [[], [Done("created", BO, "Bo", T0)], [Done("created", None, None, T0)]])
def test_what_others_have_made_stays(history: list[Done]) -> None:
    with pytest.raises(Forbidden, match="only whoever has made an override"):
        check_undo(history, me=ANA, now=T0)


def test_what_others_rely_on_by_now_stays() -> None:
    with pytest.raises(Forbidden, match="for 10 minutes"):
        check_undo([MADE], me=ANA, now=T0 + UNDO_WITHIN + SECOND)


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (Done("deleted", BO, "Bo", T0 + SECOND), "Bo removed this override 4 s before you. Nothing was changed."),
        (Done("changed", BO, "Bo", T0 + SECOND), "Bo changed this override 4 s before you. Nothing was changed."),
        (Done("deleted", BO, None, T0 + SECOND), "Somebody removed this override 4 s before you. Nothing was changed."),
        (Done("deleted", ANA, "Ana", T0 + SECOND), "You had removed this override already. Nothing was changed."),
    ],
    ids=["removed", "changed", "by whoever is deleted", "by oneself"],
)
def test_of_two_the_second_is_told_who_was_first(then: Done, said: str) -> None:
    with pytest.raises(Conflict) as refused:
        check_undo([MADE, then], me=ANA, now=T0 + 5 * SECOND)

    assert refused.value.detail == said
