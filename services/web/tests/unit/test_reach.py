"""Would a page wake somebody, by what is planned for them?"""

from datetime import UTC, datetime

import pytest
from pagerpal_common.notification_rules import Planned
from pagerpal_common.vocabulary import Channel
from pagerpal_web.domain.reach import Reach, reach_of

AT = datetime(2026, 5, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("planned", "reach"),
    [
        ({}, Reach.NOWHERE),
        ({Channel.SMS: "the person has no phone number"}, Reach.NOWHERE),
        ({Channel.EMAIL: None}, Reach.QUIET),
        ({Channel.WEBHOOK: None, Channel.SLACK: None}, Reach.QUIET),
        ({Channel.VOICE: "the person has no phone number", Channel.EMAIL: None}, Reach.QUIET),
        ({Channel.EMAIL: None, Channel.VOICE: None}, Reach.RINGS),
        ({Channel.SMS: None}, Reach.TEXTS),
        ({Channel.SMS: None, Channel.VOICE: "the person has no phone number"}, Reach.TEXTS),
    ],
    ids=str,
)
def test_only_a_call_rings_and_only_an_sms_comes_near_it(planned: dict[Channel, str | None], reach: Reach) -> None:
    steps = enumerate(planned.items(), start=1)
    assert reach_of([Planned(channel, step, AT, "", problem) for step, (channel, problem) in steps]) is reach


def test_what_has_no_provider_reaches_nobody() -> None:
    planned = [Planned(channel, 1, AT, "", None) for channel in (Channel.SMS, Channel.VOICE, Channel.EMAIL)]
    assert reach_of(planned, {Channel.VOICE}) is Reach.TEXTS
    assert reach_of(planned, {Channel.VOICE, Channel.SMS}) is Reach.QUIET
    assert reach_of(planned, set(Channel)) is Reach.NOWHERE
