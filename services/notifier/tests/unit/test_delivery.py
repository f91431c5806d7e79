"""What becomes of a notification after a try, and without one."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pagerpal_common.ids import uuid7
from pagerpal_common.vocabulary import Channel
from pagerpal_common.vocabulary import NotificationStatus as S
from pagerpal_notifier.domain.delivery import (
    BACKOFF,
    DEADLINE,
    JITTER,
    SEND_SECONDS,
    TRIES,
    Change,
    Outcome,
    Verdict,
    after_retry,
    after_send,
    without_send,
)
from pagerpal_notifier.domain.page import Lost, Unsendable

T0 = datetime(2026, 5, 21, 3, tzinfo=UTC)
NO_JITTER = UUID(int=0)
MOST_JITTER = UUID(int=0xFFFF)


def after(verdict: Verdict, *, tries: int = 1, wait: float = 0, attempt_id: UUID = NO_JITTER) -> Change:
    outcome = Outcome(verdict, "so it said", timedelta(seconds=wait))
    return after_send(outcome, tries=tries, attempt_id=attempt_id, now=T0)


def test_accepted_is_sent() -> None:
    assert after(Verdict.ACCEPTED) == Change(S.SENT, None, None)


def test_accepted_at_the_last_try_is_sent_too() -> None:
    assert after(Verdict.ACCEPTED, tries=TRIES).status is S.SENT


def test_refused_is_failed_with_the_reason() -> None:
    assert after(Verdict.REFUSED) == Change(S.FAILED, None, "so it said")


def test_a_definite_refusal_for_now_goes_back_to_the_queue_where_it_gets_a_new_id() -> None:
    assert after(Verdict.DEFERRED) == Change(S.QUEUED, T0 + timedelta(seconds=2), "so it said")


def test_an_unknown_outcome_stays_sending_where_it_keeps_its_id() -> None:
    assert after(Verdict.UNKNOWN) == Change(S.SENDING, T0 + timedelta(seconds=2), "so it said")


@pytest.mark.parametrize(
    ("tries", "seconds"), [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (TRIES - 1, 60)]
)
def test_the_waits_double_up_to_a_minute(tries: int, seconds: int) -> None:
    assert after(Verdict.UNKNOWN, tries=tries).due_at == T0 + timedelta(seconds=seconds)


def test_jitter_adds_up_to_a_fifth() -> None:
    due_at = after(Verdict.UNKNOWN, attempt_id=MOST_JITTER).due_at

    assert due_at is not None
    assert timedelta(seconds=2.39) < due_at - T0 < timedelta(seconds=2.4)


def test_jitter_differs_from_one_message_id_to_the_next() -> None:
    assert len({after(Verdict.UNKNOWN, attempt_id=uuid7()).due_at for _ in range(20)}) > 10


def test_a_wait_that_the_provider_asks_for_is_kept() -> None:
    assert after(Verdict.DEFERRED, wait=30).due_at == T0 + timedelta(seconds=30)
    assert after(Verdict.DEFERRED, wait=1).due_at == T0 + timedelta(seconds=2)


@pytest.mark.parametrize("verdict", [Verdict.DEFERRED, Verdict.UNKNOWN])
def test_the_last_try_ends_it(verdict: Verdict) -> None:
    change = after(verdict, tries=TRIES)

    assert (change.status, change.due_at) == (S.EXHAUSTED, None)
    assert "given up after 10 tries" in (change.error or "")
    assert ("may have gone" in (change.error or "")) == (verdict is Verdict.UNKNOWN)


def test_all_tries_together_take_at_most_fifteen_minutes() -> None:
    waits = sum((max(DEADLINE, BACKOFF[min(n, len(BACKOFF)) - 1] * (1 + JITTER)) for n in range(1, TRIES)), timedelta())

    assert waits + TRIES * timedelta(seconds=SEND_SECONDS) < timedelta(minutes=15)


def test_a_send_is_over_well_before_its_deadline_and_within_the_bound_after_an_acknowledgement() -> None:
    assert timedelta(seconds=SEND_SECONDS) * 4 < DEADLINE
    assert SEND_SECONDS < 5


def unsendable(*, status: S = S.QUEUED, tries: int = 0, channel: Channel = Channel.SMS, flags: str = "") -> Unsendable:
    return Unsendable(
        notification_id=1,
        incident_id=1,
        page_request_id=1,
        channel=channel,
        step=1,
        attempts=TRIES + tries,  # retried once before
        tries=tries,
        status=status,
        is_wanted="wanted" in flags,
        is_active="active" in flags,
        has_address="address" in flags,
    )


@pytest.mark.parametrize("status", [S.QUEUED, S.SENDING])
@pytest.mark.parametrize("tries", [1, TRIES])
def test_what_nobody_wants_is_cancelled_whatever_else_is_wrong(status: S, tries: int) -> None:
    change = without_send(unsendable(status=status, tries=tries))

    assert (change.status, change.due_at) == (S.CANCELLED, None)
    assert ("not known" in (change.error or "")) == (status is S.SENDING)


def test_what_was_tried_often_enough_is_exhausted() -> None:
    change = without_send(unsendable(status=S.SENDING, tries=TRIES, flags="wanted active address"))

    assert change.status is S.EXHAUSTED


@pytest.mark.parametrize(
    ("flags", "channel", "reason"),
    [
        ("wanted address", Channel.SMS, "the person is deactivated or gone"),
        ("wanted active", Channel.SMS, "the person has no phone number any more"),
        ("wanted active", Channel.VOICE, "the person has no phone number any more"),
        ("wanted active", Channel.EMAIL, "the person has no mail address any more"),
    ],
)
def test_somebody_who_cannot_be_reached_any_more_is_a_failure_and_not_silence(
    flags: str, channel: Channel, reason: str
) -> None:
    assert without_send(unsendable(channel=channel, flags=flags)) == Change(S.FAILED, None, reason)


def lost(*, status: S = S.FAILED, flags: str = "wanted active address", is_in_doubt: bool = False) -> Lost:
    return Lost(1, status, "wanted" in flags, "active" in flags, "address" in flags, is_in_doubt)


@pytest.mark.parametrize("status", [S.FAILED, S.EXHAUSTED])
def test_a_retry_of_a_definite_failure_waits_for_a_new_message_id(status: S) -> None:
    assert after_retry(lost(status=status)) is S.QUEUED


@pytest.mark.parametrize("status", [S.FAILED, S.EXHAUSTED])
def test_a_retry_of_what_is_in_doubt_keeps_its_message_id(status: S) -> None:
    assert after_retry(lost(status=status, is_in_doubt=True)) is S.SENDING


@pytest.mark.parametrize("flags", ["active address", "wanted address", "wanted active"])
def test_a_retry_pages_nobody_who_is_not_wanted_or_cannot_be_reached(flags: str) -> None:
    assert after_retry(lost(flags=flags)) is None
