"""A list of who is on call has a line for each time it changes hands, and none besides."""

from datetime import UTC, datetime, timedelta

from pagerpal_common.oncall import Gap, Span, Timeline
from pagerpal_common.vocabulary import OnCallReason
from pagerpal_web.domain.coverage import turns

T0 = datetime(2026, 5, 21, tzinfo=UTC)
ANA, BO = 1, 2


def at(hour: int) -> datetime:
    return T0 + timedelta(hours=hour)


def test_what_follows_on_for_one_person_is_one_turn() -> None:
    spans = (
        Span(at(0), at(1), ANA, OnCallReason.ROTATION, None, 7),
        Span(at(1), at(2), ANA, OnCallReason.OVERRIDE, 3, None),
        Span(at(2), at(3), BO, OnCallReason.ENTRY, 4, None),
        Span(at(4), at(5), BO, OnCallReason.ENTRY, 5, None),
    )

    found = turns(Timeline(spans, (Gap(at(3), at(4)),)))

    assert found == (
        (at(0), at(2), ANA),
        (at(2), at(3), BO),
        (at(3), at(4), None),
        (at(4), at(5), BO),
    )


def test_nothing_is_nothing() -> None:
    assert turns(Timeline((), ())) == ()
