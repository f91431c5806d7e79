"""What each receipt says, and that any order, repetition and batch of them ends the same."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.contracts.receipts import DeliveryReceipt
from pagerpal_common.vocabulary import NotificationStatus as S
from pagerpal_common.vocabulary import ReceiptState as R
from pagerpal_notifier.domain.delivery import Change
from pagerpal_notifier.domain.lifecycle import MOVES
from pagerpal_notifier.domain.receipts import AFTER, GROUPS, Word, after_word, join, read

T0 = datetime(2026, 5, 21, 3, tzinfo=UTC)
MESSAGE = UUID("01935a7e-0000-7000-8000-000000000001")
CODES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "infobip" / "status_codes_general.json").read_text()
)


def said(group: str | None = None, name: str | None = None) -> R | None:
    word = read(DeliveryReceipt(message_id=MESSAGE, group=group, name=name), at=T0)
    return None if word is None else word.state


def expected(code: dict[str, Any]) -> R:
    """By Infobip's own column "final"; a refused repeat (23) says nothing of the message that it repeats."""
    if code["groupName"] == "PENDING" or code["id"] == 23:
        return R.PENDING
    if code["groupName"] == "DELIVERED":
        return R.DELIVERED if code["final"] else R.AT_OPERATOR
    return R.FAILED


@pytest.mark.parametrize("code", CODES, ids=lambda code: code["name"])
def test_every_general_status_is_understood_with_its_group_and_without(code: dict[str, Any]) -> None:
    assert said(code["groupName"], code["name"]) is expected(code)
    assert said(None, code["name"]) is expected(code)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("DELIVERED", R.DELIVERED),
        ("UNDELIVERABLE", R.FAILED),
        ("EXPIRED", R.FAILED),
        ("REJECTED", R.FAILED),
        ("FAILED", R.FAILED),
    ],
)
def test_the_short_names_of_the_reference(name: str, state: R) -> None:
    assert said(name=name) is said(group=name) is state


def test_the_group_goes_before_the_name() -> None:
    assert said("UNDELIVERABLE", "SOME_NEW_NAME") is R.FAILED
    assert said("PENDING", "DELIVERED_LOOKALIKE") is R.PENDING


def test_an_unknown_group_leaves_it_to_the_name() -> None:
    assert said("NEW_GROUP", "DELIVERED_TO_HANDSET") is R.DELIVERED


@pytest.mark.parametrize(("group", "name"), [(None, None), ("", ""), ("OK", "NO_ERROR"), (None, "DELIVEREDISH")])
def test_what_is_not_understood_says_nothing(group: str | None, name: str | None) -> None:
    assert said(group, name) is None


def test_that_the_operator_has_it_is_not_that_the_handset_does() -> None:
    assert said("DELIVERED", "DELIVERED_TO_OPERATOR") is R.AT_OPERATOR
    assert AFTER[R.AT_OPERATOR] == {}


def test_a_failed_receipt_fails_what_was_sent_and_says_why() -> None:
    word = Word(R.FAILED, "UNDELIVERABLE_NOT_DELIVERED", 27, True, T0)

    assert after_word(S.SENT, word) == Change(S.FAILED, None, "Infobip: UNDELIVERABLE_NOT_DELIVERED (error 27)")


def test_a_delivered_receipt_has_its_time_and_clears_the_error() -> None:
    assert after_word(S.FAILED, Word(R.DELIVERED, "DELIVERED", None, None, T0)) == Change(
        S.DELIVERED, None, None, delivered_at=T0
    )


def test_receipts_move_only_as_the_lifecycle_allows_and_never_away_from_delivered() -> None:
    for moves in AFTER.values():
        assert all(after in MOVES[before] for before, after in moves.items())
        assert S.DELIVERED not in moves
    assert set(AFTER) == set(R)
    assert set(GROUPS.values()) <= set(R)


words = st.builds(
    Word,
    state=st.sampled_from(R),
    name=st.sampled_from(["", "A", "B"]),
    error_code=st.sampled_from([None, 0, 27]),
    is_permanent=st.sampled_from([None, False, True]),
    received_at=st.integers(0, 5).map(lambda seconds: T0 + timedelta(seconds=seconds)),
)


@given(st.lists(words, min_size=1, max_size=6), st.data())
def test_joining_does_not_depend_on_order_repetition_or_grouping(said: list[Word], data: st.DataObject) -> None:
    again = data.draw(st.permutations(said + data.draw(st.lists(st.sampled_from(said), max_size=4))))
    cut = data.draw(st.integers(1, len(again)))
    groups = [group for group in (again[:cut], again[cut:]) if group]

    assert join([join(group) for group in groups]) == join(said)


@given(st.lists(words, min_size=1, max_size=6), st.sampled_from([S.SENDING, S.SENT]), st.data())
def test_a_notification_ends_the_same_in_whatever_batches_its_receipts_come(
    said: list[Word], status: S, data: st.DataObject
) -> None:
    def end(batches: list[list[Word]]) -> S:
        now, known = status, batches[0][0]
        for batch in batches:
            known = join([known, *batch])
            change = after_word(now, known)
            now = change.status if change else now
        return now

    shuffled = data.draw(st.permutations(said * 2))
    size = data.draw(st.integers(1, len(shuffled)))
    batches = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]

    states = {word.state for word in said}
    strongest = S.DELIVERED if R.DELIVERED in states else S.FAILED if R.FAILED in states else status
    assert end(batches) == end([said]) == strongest
