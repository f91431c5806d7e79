"""What becomes of alerts that arrived together."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import IncidentResolved, IncidentsTriggered
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, IncidentStatus, Severity
from pagerpal_incidents.domain.fold import Folded, Key, Known, fold, openings
from pagerpal_incidents.domain.incident import Incident

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
NOTHING = Known(open={}, latest={}, handled={}, assigned={})
O = AlertOutcome  # noqa: E741 - the outcomes are what every test here is about


def an_alert(number: int, external_id: str | None = "cpu", **changes: object) -> Alert:
    alert = Alert(
        alert_id=UUID(int=number),
        source_id=1,
        team_id=3,
        external_id=external_id,
        status=AlertStatus.FIRING,
        severity=Severity.CRITICAL,
        title="CPU > 95%",
        description="for 10 minutes",
        received_at=T0 + timedelta(seconds=number),
    )
    return alert.model_copy(update=changes)


def over(number: int, external_id: str | None = "cpu") -> Alert:
    return an_alert(number, external_id, status=AlertStatus.RESOLVED)


def numbers() -> Iterator[tuple[int, int]]:
    return zip(count(1), count(101), strict=False)


def folded(*alerts: Alert, known: Known = NOTHING) -> Folded:
    return fold(alerts, known, numbers(), T0)


def outcomes(result: Folded) -> list[tuple[AlertOutcome, int | None]]:
    return [(outcome, incident_id) for _, outcome, incident_id in result.results]


def test_the_first_alert_opens_an_incident_that_nobody_has_been_paged_for() -> None:
    result = folded(an_alert(1), known=Known({}, {}, {}, assigned={(3, None): 9}))

    incident = result.incidents[1]
    assert outcomes(result) == [(O.OPENED, 1)]
    assert (incident.current_escalation_level, incident.escalation_id, incident.assigned_user_id) == (0, 101, 9)
    assert [event.event_type for event in result.events] == ["triggered"]
    (told,) = result.messages
    assert isinstance(told, IncidentsTriggered)
    assert [(run.incident_id, run.escalation_id) for run in told.incidents] == [(1, 101)]


def test_repeats_are_counted_on_the_open_incident_and_the_newest_words_hold() -> None:
    result = folded(an_alert(1), an_alert(2, title="CPU > 99%"), an_alert(3, title="CPU > 99%", severity="warning"))

    incident = result.incidents[1]
    assert outcomes(result) == [(O.OPENED, 1), (O.UPDATED, 1), (O.UPDATED, 1)]
    assert (incident.alert_count, incident.title, incident.severity) == (3, "CPU > 99%", Severity.WARNING)
    assert incident.last_alert_at == T0 + timedelta(seconds=3)


def test_without_an_external_id_every_alert_opens_its_own() -> None:
    assert outcomes(folded(an_alert(1, None), an_alert(2, None))) == [(O.OPENED, 1), (O.OPENED, 2)]


def test_the_same_external_id_of_another_source_is_another_incident() -> None:
    assert outcomes(folded(an_alert(1), an_alert(2, source_id=2))) == [(O.OPENED, 1), (O.OPENED, 2)]


def test_resolved_closes_and_the_next_firing_opens_a_new_one() -> None:
    result = folded(an_alert(1), over(2), an_alert(3))

    assert outcomes(result) == [(O.OPENED, 1), (O.RESOLVED, 1), (O.OPENED, 2)]
    assert result.incidents[1].status == IncidentStatus.RESOLVED
    assert result.incidents[2].status == IncidentStatus.TRIGGERED
    assert result.closed == [1]
    resolved, triggered = result.messages
    assert isinstance(resolved, IncidentResolved)
    assert isinstance(triggered, IncidentsTriggered)
    assert [run.incident_id for run in triggered.incidents] == [2], "the first is over already"


def test_what_a_storm_opens_travels_together() -> None:
    result = folded(*(an_alert(n, None) for n in range(1, 61)))

    assert [len(message.incidents) for message in result.messages if isinstance(message, IncidentsTriggered)] == [
        25,
        25,
        10,
    ]


def test_a_resolve_of_nothing_is_ignored_and_leaves_no_zombie() -> None:
    result = folded(over(1))

    assert outcomes(result) == [(O.IGNORED, None)]
    assert not result.incidents
    assert not result.messages


def test_a_resolve_that_a_newer_alert_has_overtaken_ends_nothing() -> None:
    """A retry or a second replica may commit the later one first; who is wanted must not be let sleep."""
    result = folded(an_alert(1), an_alert(9), over(5))

    assert outcomes(result) == [(O.OPENED, 1), (O.UPDATED, 1), (O.IGNORED, 1)]
    assert result.incidents[1].status == IncidentStatus.TRIGGERED
    assert not result.closed


def test_an_older_alert_is_counted_and_puts_no_old_words_back() -> None:
    result = folded(an_alert(9, title="CPU > 99%"), an_alert(5, title="CPU > 95%", severity="info"))

    incident = result.incidents[1]
    assert (incident.title, incident.severity, incident.alert_count) == ("CPU > 99%", Severity.CRITICAL, 2)


def test_an_alert_handled_before_changes_nothing_and_names_its_incident() -> None:
    earlier = folded(an_alert(1)).incidents[1]

    result = folded(an_alert(1), known=Known({}, {}, {UUID(int=1): earlier}, {}))

    assert outcomes(result) == [(O.DUPLICATE, 1)]
    assert not result.opened
    assert not result.changed
    assert not result.events


def test_an_acknowledged_incident_stays_so_when_its_alert_repeats() -> None:
    from_rows = folded(an_alert(1)).incidents[1]
    taken = type(from_rows)(
        **{name: getattr(from_rows, name) for name in from_rows.__slots__} | {"status": IncidentStatus.ACKNOWLEDGED}
    )

    result = folded(an_alert(2), known=Known({(1, "cpu"): taken}, {}, {}, {}))

    assert result.incidents[1].status == IncidentStatus.ACKNOWLEDGED
    assert not result.messages


def test_a_storm_of_repeats_leaves_a_handful_of_lines() -> None:
    result = folded(*(an_alert(n) for n in range(1, 5001)))

    assert result.incidents[1].alert_count == 5000
    assert [e.message for e in result.events if e.event_type == "alert_repeated"] == [
        f"Alert received {n} times" for n in (2, 10, 100, 1000)
    ]


histories = st.lists(
    st.tuples(st.sampled_from(["cpu", "disk", None]), st.sampled_from(AlertStatus)), min_size=1, max_size=40
)


@given(histories)
def test_a_batch_ends_as_its_alerts_would_one_by_one(history: list[tuple[str | None, AlertStatus]]) -> None:
    """Grouping is for speed alone: any split of the same alerts leaves the same incidents."""
    alerts = [an_alert(n, key, status=status) for n, (key, status) in enumerate(history, start=1)]
    together = folded(*alerts)

    open_now: dict[Key, Incident] = {}
    alone: dict[int, Incident] = {}
    fresh = numbers()
    seen: list[tuple[AlertOutcome, int | None]] = []
    for alert in alerts:
        step = fold([alert], Known(open_now, {}, {}, {}), fresh, T0)
        alone |= step.incidents
        seen += outcomes(step)
        open_now = {(i.source_id, i.external_id or ""): i for i in alone.values() if i.status != "resolved"}

    assert seen == outcomes(together)
    assert alone == together.incidents


@given(histories)
def test_openings_foresees_exactly_what_opens(history: list[tuple[str | None, AlertStatus]]) -> None:
    alerts = [an_alert(n, key, status=status) for n, (key, status) in enumerate(history, start=1)]

    result = folded(*alerts)

    assert len(openings(alerts, {})) == len(result.opened)
    opened = Counter(i.external_id for i in result.incidents.values() if i.status != "resolved" and i.external_id)
    assert all(number == 1 for number in opened.values())
