"""Of which providers is it said that they are in trouble?"""

from datetime import UTC, datetime, timedelta

from pagerpal_web.domain.providers import QUIET, Trouble, in_trouble

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)


def trouble(waiting: int, *, ago: timedelta) -> Trouble:
    """The probe was due so long ago."""
    return Trouble("infobip", T0 - timedelta(hours=3), T0 - ago, waiting)


def test_what_waits_for_a_provider_is_said_however_long_it_has_been_away() -> None:
    since = "infobip has been in trouble since 2026-05-21T09:00:00Z"

    assert in_trouble([trouble(1, ago=timedelta(days=2))], T0) == [f"{since}; 1 notification waits for it"]
    assert in_trouble([trouble(40, ago=timedelta(0))], T0) == [f"{since}; 40 notifications wait for it"]


def test_a_provider_that_nobody_could_have_heard_of_since_is_not_said_to_be_in_trouble() -> None:
    """With nothing to send, nothing shows that it is well again: that alone is no alarm for days."""
    lately = in_trouble([trouble(0, ago=QUIET - timedelta(seconds=1))], T0)

    assert lately == ["infobip has been in trouble since 2026-05-21T09:00:00Z; no notification waits for it"]
    assert in_trouble([trouble(0, ago=QUIET)], T0) == []
