"""Which alerts of an incident are kept as they were sent?"""

from datetime import timedelta

import pytest
from pagerpal_common.contracts.alerts import Alert, RawAlert
from pagerpal_common.vocabulary import RawPlace, Severity
from pagerpal_incidents.domain.fold import Folded, Known
from pagerpal_incidents.domain.history import History

from .given import NOW, T0, A, an_alert, folded, over, second


def sent(number: float, **changes: object) -> Alert:
    """The alert that arrived in this second, as it was sent."""
    raw = RawAlert(text=f"sent in second {number}", size=20)
    return an_alert(1).model_copy(update={"raw": raw, "received_at": second(number)} | changes)


def kept(result: Folded) -> dict[tuple[int, RawPlace], str | None]:
    return {at: alert.raw.text for at, alert in result.raws.items() if alert.raw is not None}


def after(*earlier: Alert) -> Known:
    """What is known after these alerts, the open incident of their dedup key."""
    (incident,) = folded(*earlier).incidents.values()
    return Known(histories={(1, "cpu"): History(open=incident)})


def test_the_alert_that_opened_an_incident_stays_and_the_newest_after_it_too() -> None:
    result = folded(sent(0), sent(20), sent(40))

    assert kept(result) == {(1, RawPlace.FIRST): "sent in second 0", (1, RawPlace.LAST): "sent in second 40"}


def test_in_a_storm_the_first_of_each_minute_is_kept() -> None:
    storm = [sent(number / 10) for number in range(1500)]

    known = after(storm[0])
    written: list[str | None] = []
    for alert in storm[1:]:
        result = folded(alert, known=known)
        written += kept(result).values()
        known = Known(histories={(1, "cpu"): History(open=result.incidents[1])})

    assert written == ["sent in second 60.0", "sent in second 120.0"]


@pytest.mark.parametrize(
    "news", [{"severity": Severity.WARNING}, {"status": A}, {"status": "resolved"}], ids=["severity", "taken", "over"]
)
def test_what_changes_how_the_incident_stands_is_kept_however_soon(news: dict[str, object]) -> None:
    assert kept(folded(sent(1, **news), known=after(sent(0)))) == {(1, RawPlace.LAST): "sent in second 1"}
    assert kept(folded(sent(1), known=after(sent(0)))) == {}


def test_what_comes_late_does_not_take_the_place_of_what_is_newer() -> None:
    late = sent(30, severity=Severity.INFO, event_at=second(30))

    assert kept(folded(late, known=after(sent(0), sent(100)))) == {}


def test_each_incident_of_a_dedup_key_has_its_own() -> None:
    result = folded(sent(0), sent(10, status="resolved"), sent(20))

    assert kept(result) == {
        (1, RawPlace.FIRST): "sent in second 0",
        (1, RawPlace.LAST): "sent in second 10",
        (2, RawPlace.FIRST): "sent in second 20",
    }


def test_what_is_ignored_is_not_kept_and_what_was_not_sent_cannot_be() -> None:
    assert folded(sent(0, status="resolved"), sent(10, status="resolved")).raws == {}
    assert folded(an_alert(1), over(70), at=NOW + timedelta(days=1)).raws == {}


def test_time_is_that_of_arrival_whatever_the_source_says() -> None:
    result = folded(sent(0, event_at=T0 - timedelta(days=1)), sent(10, event_at=T0 - timedelta(days=2)))

    assert (1, RawPlace.LAST) in kept(result)
