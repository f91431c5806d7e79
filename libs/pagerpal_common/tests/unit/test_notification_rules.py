"""Which notifications fulfil a page request?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.notification_rules import Addressee, PersonalRule, Planned
from pagerpal_common.notification_rules import plan as plan_of_severity
from pagerpal_common.vocabulary import Channel, RuleSeverity, Severity

T0 = datetime(2026, 5, 21, 3, tzinfo=UTC)
WITH_PHONE = Addressee(is_active=True, has_phone=True, has_email=True)
NO_PHONE = Addressee(is_active=True, has_phone=False, has_email=True)

plan = partial(plan_of_severity, severity=Severity.CRITICAL)


def rule(
    number: int, channel: Channel, seconds: int = 0, *, severity: str = "any", method: int | None = None
) -> PersonalRule:
    """A rule whose contact method, if it has one, is verified."""
    delay = timedelta(seconds=seconds)
    return PersonalRule(number, RuleSeverity(severity), delay, channel, method, is_proven=method is not None)


def unproven(number: int, seconds: int = 0, *, method: int = 1001) -> PersonalRule:
    return PersonalRule(number, RuleSeverity.ANY, timedelta(seconds=seconds), Channel.SMS, method, is_proven=False)


def somebody(*rules: PersonalRule, has_phone: bool = True, has_email: bool = True) -> Addressee:
    return Addressee(is_active=True, has_phone=has_phone, has_email=has_email, rules=rules)


def seen(planned: Sequence[Planned]) -> list[tuple[str, int, float, int | None]]:
    return [(one.channel, one.step, (one.due_at - T0).total_seconds(), one.method_id) for one in planned]


def test_with_a_phone_it_is_sms_at_once_and_a_call_after_two_minutes() -> None:
    sms, call = plan(WITH_PHONE, requested_at=T0, now=T0)

    assert (sms.channel, sms.step, sms.due_at) == (Channel.SMS, 1, T0)
    assert (call.channel, call.step, call.due_at) == (Channel.VOICE, 2, T0 + timedelta(seconds=120))
    assert (sms.why, call.why) == ("default rule: SMS at once", "default rule: call after 120 s")
    assert sms.problem is None
    assert call.problem is None


def test_without_a_phone_it_is_mail_at_once() -> None:
    (mail,) = plan(NO_PHONE, requested_at=T0, now=T0)

    assert (mail.channel, mail.step, mail.due_at, mail.problem) == (Channel.EMAIL, 1, T0, None)
    assert mail.why == "default rule: mail at once, as there is no phone number"


def test_a_request_taken_up_a_little_late_keeps_the_time_of_the_call() -> None:
    now = T0 + timedelta(seconds=30)

    sms, call = plan(WITH_PHONE, requested_at=T0, now=now)

    assert sms.due_at == now
    assert call.due_at == T0 + timedelta(seconds=120)


def test_a_request_taken_up_very_late_moves_nothing_into_the_past() -> None:
    now = T0 + timedelta(hours=1)

    assert [planned.due_at for planned in plan(WITH_PHONE, requested_at=T0, now=now)] == [now, now]


def test_a_clock_that_runs_behind_never_makes_it_early() -> None:
    sms, _ = plan(WITH_PHONE, requested_at=T0, now=T0 - timedelta(seconds=3))

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
    (planned,) = plan(person, requested_at=T0, now=T0)

    assert planned.channel is channel
    assert problem in (planned.problem or "")


def test_rules_of_the_severity_and_rules_for_any_hold_together_in_order_of_their_delay() -> None:
    ana = somebody(
        rule(1, Channel.VOICE, 300),
        rule(2, Channel.SLACK, 0, severity="critical", method=1001),
        rule(3, Channel.EMAIL, 0, severity="info"),
        rule(4, Channel.SMS, 60),
    )

    planned = plan(ana, requested_at=T0, now=T0)

    assert seen(planned) == [("slack", 1, 0, 1001), ("sms", 2, 60, None), ("voice", 3, 300, None)]
    assert [one.why for one in planned] == [
        "rule 2 for critical: chat at once",
        "rule 4 for any: SMS after 60 s",
        "rule 1 for any: call after 300 s",
    ]


def test_what_two_rules_say_is_done_once_and_the_exact_one_is_its_reason() -> None:
    ana = somebody(rule(1, Channel.SMS), rule(2, Channel.SMS, severity="critical"), rule(3, Channel.SMS, method=1001))

    planned = plan(ana, requested_at=T0, now=T0)

    assert [(one.why[:6], one.method_id) for one in planned] == [("rule 2", None), ("rule 3", 1001)]


def test_rules_for_other_severities_leave_the_defaults_which_say_so() -> None:
    ana = somebody(rule(1, Channel.EMAIL, severity="info"))

    planned = plan(ana, requested_at=T0, now=T0)

    assert seen(planned) == [("sms", 1, 0, None), ("voice", 2, 120, None)]
    assert planned[0].why == "default rule: SMS at once; no rule of their own is for critical"


def test_what_follows_a_failure_goes_when_that_would_have_gone() -> None:
    ana = somebody(unproven(1, 0), unproven(2, 60), rule(3, Channel.EMAIL, 600), rule(4, Channel.VOICE, 900))

    planned = plan(ana, requested_at=T0, now=T0)

    assert seen(planned) == [("sms", 1, 0, 1001), ("sms", 2, 0, 1001), ("email", 3, 0, None), ("voice", 4, 900, None)]
    assert [one.problem for one in planned] == ["contact method 1001 is not verified"] * 2 + [None, None]


def test_when_no_rule_leads_anywhere_the_defaults_go_at_once() -> None:
    ana = somebody(rule(1, Channel.SMS, 60), rule(2, Channel.VOICE, 90), unproven(3, 100), has_phone=False)

    planned = plan(ana, requested_at=T0, now=T0)

    assert [one.problem for one in planned] == [
        "the person has no phone number",
        "the person has no phone number",
        "contact method 1001 is not verified",
        None,
    ]
    assert seen(planned)[-1] == ("email", 4, 0, None)
    assert planned[-1].why.endswith("; no rule of their own leads anywhere")


def test_somebody_with_nothing_but_a_verified_method_is_reached_by_it() -> None:
    ana = somebody(rule(1, Channel.SLACK, method=1001), has_phone=False, has_email=False)

    assert [(one.channel, one.problem) for one in plan(ana, requested_at=T0, now=T0)] == [("slack", None)]


rules = st.builds(
    PersonalRule,
    rule_id=st.integers(1, 50),
    severity=st.sampled_from(RuleSeverity),
    delay=st.integers(0, 600).map(lambda seconds: timedelta(seconds=seconds)),
    channel=st.sampled_from([Channel.SMS, Channel.VOICE, Channel.EMAIL]),
    method_id=st.none() | st.integers(1001, 1004),
    is_proven=st.booleans(),
)
people = st.builds(
    Addressee,
    is_active=st.booleans(),
    has_phone=st.booleans(),
    has_email=st.booleans(),
    rules=st.lists(rules, max_size=8, unique_by=lambda one: one.rule_id).map(tuple),
)


@given(person=st.none() | people, severity=st.sampled_from(Severity), late=st.integers(-60, 1200))
def test_whatever_the_rules_no_page_is_lost_early_or_out_of_order(
    person: Addressee | None, severity: Severity, late: int
) -> None:
    now = T0 + timedelta(seconds=late)

    planned = plan_of_severity(person, severity=severity, requested_at=T0, now=now)

    assert planned
    assert [one.step for one in planned] == list(range(1, len(planned) + 1))
    going = [one.due_at for one in planned if one.problem is None]
    assert going == sorted(going)
    assert all(one.due_at >= max(T0, now) for one in planned)
    assert all(one.why for one in planned)
    if person is not None and person.is_active and (person.has_phone or person.has_email):
        assert any(one.problem is None for one in planned), "somebody who can be reached is left asleep"


@given(person=people, severity=st.sampled_from(Severity))
def test_the_first_thing_that_can_go_never_waits_for_longer_than_the_persons_rules_say(
    person: Addressee, severity: Severity
) -> None:
    usable = [
        one.delay
        for one in person.rules
        if one.severity in {severity.value, "any"}
        and (one.is_proven if one.method_id else person.has_email if one.channel == "email" else person.has_phone)
    ]
    planned = plan_of_severity(person, severity=severity, requested_at=T0, now=T0)
    going = [one.due_at - T0 for one in planned if one.problem is None]

    if person.is_active and usable:
        assert going[0] <= min(usable)
