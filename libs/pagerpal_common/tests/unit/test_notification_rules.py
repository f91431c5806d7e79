"""Which notifications fulfil a page request?"""

from datetime import UTC, datetime, timedelta

import pytest
from pagerpal_common.notification_rules import Addressee, plan
from pagerpal_common.vocabulary import Channel, Severity

T0 = datetime(2026, 5, 21, 3, tzinfo=UTC)
WITH_PHONE = Addressee(is_active=True, has_phone=True, has_email=True)


def test_with_a_phone_it_is_sms_at_once_and_a_call_after_two_minutes() -> None:
    sms, call = plan(WITH_PHONE, severity=Severity.CRITICAL, requested_at=T0, now=T0)

    assert (sms.channel, sms.step, sms.due_at) == (Channel.SMS, 1, T0)
    assert (call.channel, call.step, call.due_at) == (Channel.VOICE, 2, T0 + timedelta(seconds=120))
    assert sms.problem is None
    assert call.problem is None


def test_without_a_phone_it_is_mail_at_once() -> None:
    (mail,) = plan(
        Addressee(is_active=True, has_phone=False, has_email=True), severity=Severity.CRITICAL, requested_at=T0, now=T0
    )

    assert (mail.channel, mail.step, mail.due_at, mail.problem) == (Channel.EMAIL, 1, T0, None)


def test_a_request_taken_up_a_little_late_keeps_the_time_of_the_call() -> None:
    now = T0 + timedelta(seconds=30)

    sms, call = plan(WITH_PHONE, severity=Severity.CRITICAL, requested_at=T0, now=now)

    assert sms.due_at == now
    assert call.due_at == T0 + timedelta(seconds=120)


def test_a_request_taken_up_very_late_moves_nothing_into_the_past() -> None:
    now = T0 + timedelta(hours=1)

    assert [planned.due_at for planned in plan(WITH_PHONE, severity=Severity.CRITICAL, requested_at=T0, now=now)] == [
        now,
        now,
    ]


def test_a_clock_that_runs_behind_never_makes_it_early() -> None:
    sms, _ = plan(WITH_PHONE, severity=Severity.CRITICAL, requested_at=T0, now=T0 - timedelta(seconds=3))

    assert sms.due_at == T0


@pytest.mark.parametrize(
    ("person", "channel", "problem"),
    [
        (None, Channel.EMAIL, "not in the directory any more"),
        (Addressee(is_active=False, has_phone=True, has_email=True), Channel.SMS, "deactivated"),
        (
            Addressee(is_active=True, has_phone=False, has_email=False),
            Channel.EMAIL,
            "neither a phone number nor a mail",
        ),
    ],
)
def test_somebody_who_cannot_be_reached_gets_one_notification_that_says_why(
    person: Addressee | None, channel: Channel, problem: str
) -> None:
    (planned,) = plan(person, severity=Severity.CRITICAL, requested_at=T0, now=T0)

    assert planned.channel is channel
    assert problem in (planned.problem or "")
