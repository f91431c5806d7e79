"""The table of moves, pair by pair."""

import pytest
from pagerpal_common.errors import Invalid
from pagerpal_common.vocabulary import NotificationStatus as S
from pagerpal_notifier.domain.lifecycle import LOST, MOVES, TOLD, WAITING, check_move

ALLOWED = {
    (S.QUEUED, S.SENDING),
    (S.QUEUED, S.FAILED),
    (S.QUEUED, S.EXHAUSTED),
    (S.QUEUED, S.CANCELLED),
    (S.SENDING, S.SENDING),
    (S.SENDING, S.QUEUED),
    (S.SENDING, S.SENT),
    (S.SENDING, S.FAILED),
    (S.SENDING, S.EXHAUSTED),
    (S.SENDING, S.CANCELLED),
    (S.SENT, S.DELIVERED),
    (S.SENT, S.FAILED),
    # A receipt that the handset has it beats whatever was believed.
    (S.QUEUED, S.DELIVERED),
    (S.SENDING, S.DELIVERED),
    (S.FAILED, S.DELIVERED),
    (S.EXHAUSTED, S.DELIVERED),
    (S.CANCELLED, S.DELIVERED),
    # A person wants it tried again.
    (S.FAILED, S.QUEUED),
    (S.FAILED, S.SENDING),
    (S.EXHAUSTED, S.QUEUED),
    (S.EXHAUSTED, S.SENDING),
}


@pytest.mark.parametrize("before", S)
@pytest.mark.parametrize("after", S)
def test_every_pair_is_allowed_or_refused_as_the_table_says(before: S, after: S) -> None:
    if (before, after) in ALLOWED:
        check_move(before, after)
    else:
        with pytest.raises(Invalid, match=f"is {before} does not become {after}"):
            check_move(before, after)


def test_every_status_has_its_row() -> None:
    assert set(MOVES) == set(S)


def test_what_waits_can_still_be_cancelled_and_only_what_was_lost_ever_waits_again() -> None:
    for status in S:
        assert (S.CANCELLED in MOVES[status]) == (status in WAITING)
        assert bool(MOVES[status] & WAITING) == (status in WAITING | LOST)


def test_delivered_is_the_last_word_and_may_follow_everything_else() -> None:
    assert MOVES[S.DELIVERED] == frozenset()
    assert all(S.DELIVERED in MOVES[status] for status in S if status is not S.DELIVERED)


def test_incidents_hears_of_all_that_is_lost() -> None:
    assert LOST < TOLD
