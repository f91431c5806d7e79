"""What becomes of alerts that arrived together."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import IncidentResolved, IncidentsTriggered
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, IncidentStatus, Severity
from pagerpal_incidents.domain.fold import Key, Known, fold, most_openings
from pagerpal_incidents.domain.history import History
from pagerpal_incidents.domain.incident import Incident
from pagerpal_incidents.domain.order import Word

from .given import NOW, T0, an_alert, folded, numbers, outcomes, over, second

O = AlertOutcome  # noqa: E741 - the outcomes are what every test here is about


def test_the_first_alert_opens_an_incident_that_nobody_has_been_paged_for() -> None:
    result = folded(an_alert(1), known=Known(assigned={(3, None): 9}))

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

    result = folded(an_alert(1), known=Known(handled={UUID(int=1): earlier}))

    assert outcomes(result) == [(O.DUPLICATE, 1)]
    assert not result.opened
    assert not result.changed
    assert not result.events


def test_an_acknowledged_incident_stays_so_when_its_alert_repeats() -> None:
    taken = replace(folded(an_alert(1)).incidents[1], status=IncidentStatus.ACKNOWLEDGED)

    result = folded(an_alert(2), known=Known({(1, "cpu"): History(open=taken)}))

    assert result.incidents[1].status == IncidentStatus.ACKNOWLEDGED
    assert not result.messages


def test_a_storm_of_repeats_leaves_a_handful_of_lines() -> None:
    result = folded(*(an_alert(n) for n in range(1, 5001)))

    assert result.incidents[1].alert_count == 5000
    assert [e.message for e in result.events if e.event_type == "alert_repeated"] == [
        f"Alert received {n} times" for n in (2, 10, 100, 1000)
    ]


statuses = st.sampled_from([*AlertStatus, AlertStatus.FIRING, AlertStatus.RESOLVED])
times = st.none() | st.integers(0, 6).map(second)
alerts = st.builds(
    an_alert,
    st.just(0),
    st.sampled_from(["cpu", "disk", None]),
    status=statuses,
    received_at=st.integers(0, 9).map(second),
    event_at=times,
    starts_at=times,
    flap_seconds=st.sampled_from([0, 0, 2, 100]),
    is_test=st.sampled_from([False, False, False, True]),
    note=st.sampled_from([None, None, "3 alerts were cut off", "4 alerts were cut off"]),
    title=st.sampled_from(["CPU > 95%", "CPU > 99%"]),
    labels=st.sampled_from([{}, {"host": "a"}]),
)
histories = st.lists(alerts, min_size=1, max_size=30).map(
    lambda given: [alert.model_copy(update={"alert_id": UUID(int=n)}) for n, alert in enumerate(given)]
)
cuts = st.lists(st.integers(1, 5), min_size=30, max_size=30)


class Rows:
    """What the tables would hold, batch by batch."""

    def __init__(self) -> None:
        self.incidents: dict[int, Incident] = {}
        self.early: dict[Key, Word] = {}
        self.seen: list[tuple[AlertOutcome, int | None]] = []
        self._numbers = numbers()

    def take(self, batch: list[Alert]) -> None:
        known = Known({key: self._history(key) for key in [(1, "cpu"), (1, "disk")]})
        step = fold(batch, known, self._numbers, NOW)
        self.incidents |= step.incidents
        self.early |= step.early
        self.seen += outcomes(step)

    def _history(self, key: Key) -> History:
        ours = [i for i in self.incidents.values() if (i.source_id, i.external_id) == key and not i.is_test]
        for incident in ours:
            if incident.status != IncidentStatus.RESOLVED:
                return History(open=incident)
        return History(closed=ours[-1] if ours else None, early=self.early.get(key))


@given(histories, cuts)
def test_any_grouping_ends_as_the_alerts_would_one_by_one(history: list[Alert], sizes: list[int]) -> None:
    """Grouping is for speed alone: any split of the same alerts leaves the same incidents."""
    alone, grouped, together = Rows(), Rows(), Rows()
    for alert in history:
        alone.take([alert])
    rest = list(history)
    for size in sizes:
        grouped.take(rest[:size])
        rest = rest[size:]
    together.take(history)

    assert alone.seen == grouped.seen == together.seen
    assert alone.incidents == grouped.incidents == together.incidents
    assert alone.early == grouped.early == together.early


@given(histories)
def test_there_are_numbers_for_all_that_opens(history: list[Alert]) -> None:
    """However the alerts are ordered, also when ends are known whose beginnings are still to come."""
    early = Word(True, T0 + timedelta(seconds=5), None, None)
    for known in ({}, {(1, "cpu"): History(early=early)}):
        enough = list(zip(range(most_openings(history, known)), numbers(), strict=False))

        result = fold(history, Known(known), iter([pair for _, pair in enough]), NOW)

        opened = Counter(i.external_id for i in result.incidents.values() if i.status != "resolved" and i.external_id)
        assert all(number == 1 for number in opened.values())


def test_no_number_is_taken_in_vain_where_alerts_arrive_in_order() -> None:
    history = [an_alert(1), an_alert(2), over(3), an_alert(4), an_alert(5, None), an_alert(6, "disk"), over(7, "disk")]

    assert most_openings(history, {}) == len(folded(*history).opened) == 4
