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
        ({Channel.SMS: None}, Reach.RINGS),
    ],
    ids=str,
)
def test_only_what_goes_by_telephone_wakes_anybody(planned: dict[Channel, str | None], reach: Reach) -> None:
    steps = enumerate(planned.items(), start=1)
    assert reach_of([Planned(channel, step, AT, "", problem) for step, (channel, problem) in steps]) is reach
