"""One dedup key, told one thing after another."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import IncidentAcknowledged, Link
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, IncidentStatus, Severity
from pagerpal_incidents.domain.history import History
from pagerpal_incidents.domain.incident import Person, acknowledge, reopen, resolve
from pagerpal_incidents.domain.told import FLAPS, NOTES

from .given import NOW, A, F, R, Told, U, an_alert, over, second

O = AlertOutcome  # noqa: E741 - the outcomes are what every test here is about
S = IncidentStatus
ANA = Person(actor_user_id=1, acting_as_user_id=1)


def firing(heard: int, *, at: int | None = None, episode: int | None = None, **changes: Any) -> Alert:
    return an_alert(heard, **_times(at, episode), **changes)


def ended(heard: int, *, at: int | None = None, episode: int | None = None, **changes: Any) -> Alert:
    return over(heard, **_times(at, episode), **changes)


def _times(at: int | None, episode: int | None) -> dict[str, Any]:
    return {
        "event_at": None if at is None else second(at),
        "starts_at": None if episode is None else second(episode),
    }


def by_hand(key: Told, *, at: int) -> None:
    key.becomes(resolve(key.now, by=ANA, at=second(at)).incident)


# What is old


def test_a_firing_of_the_episode_that_its_source_has_ended_pages_nobody() -> None:
    """Two Alertmanagers say "firing, resolved" each; the second pair comes within seconds of the first."""
    key = Told()
    key.hears(firing(1, episode=0), ended(2, at=2, episode=0))

    again = key.hears(firing(3, episode=0))
    key.hears(ended(4, at=2, episode=0))

    assert (again.outcome, again.messages) == (O.NOTED, ())
    assert list(key.incidents) == [1]
    assert (key.now.status, key.now.alert_count) == (S.RESOLVED, 2)
    assert key.lines() == ["triggered", "resolved", "late_alert"]


@pytest.mark.parametrize(("flap_seconds", "outcome"), [(0, O.OPENED), (300, O.REOPENED), (200, O.OPENED)])
def test_an_episode_that_fires_minutes_after_its_end_is_back_and_wakes_somebody(
    flap_seconds: int, outcome: AlertOutcome
) -> None:
    """Alertmanager heard nothing from Prometheus, called it over, and fires with the same start once it hears again."""
    key = Told()
    key.hears(firing(1, at=0, episode=0), ended(300, at=299, episode=0))
    assert key.hears(firing(419, at=0, episode=0)).outcome == O.NOTED, "a slower peer may say so"

    back = key.hears(firing(510, at=0, episode=0, flap_seconds=flap_seconds))

    assert (back.outcome, key.now.status) == (outcome, S.TRIGGERED)
    assert key.hears(ended(900, at=880, episode=0)).outcome == O.RESOLVED


def test_the_end_of_what_began_earlier_at_another_prometheus_is_an_end() -> None:
    """Two of them watch one rule; their Alertmanager tells the start that it knew first, and then the earliest."""
    key = Told()
    key.hears(firing(16, at=15, episode=15))

    assert key.hears(ended(121, at=120, episode=5)).outcome == O.RESOLVED
    assert key.hears(firing(125, at=15, episode=15)).outcome == O.NOTED, "its peer says late what it knew first"
    assert key.lines() == ["triggered", "resolved", "late_alert"]


def test_what_began_earlier_at_another_prometheus_is_back_minutes_after_its_end_and_wakes_somebody() -> None:
    key = Told()
    key.hears(firing(16, at=15, episode=15), ended(121, at=120, episode=15))
    assert key.hears(firing(130, at=5, episode=5)).outcome == O.NOTED

    assert key.hears(firing(481, at=5, episode=5)).outcome == O.OPENED


def test_minutes_after_an_end_of_which_there_was_no_incident_a_firing_wakes_somebody() -> None:
    key = Told()
    key.hears(ended(121, at=120, episode=5))

    back = key.hears(firing(481, at=5, episode=5))

    assert (back.outcome, key.now.status) == (O.OPENED, S.TRIGGERED)


def test_an_event_with_a_time_of_its_own_is_old_however_late_it_comes() -> None:
    key = Told()
    key.hears(firing(1, at=1, episode=0), ended(300, at=299, episode=0))

    assert key.hears(firing(9999, at=1, episode=0)).outcome == O.NOTED


def test_what_is_back_after_a_person_and_its_source_resolved_it_is_new() -> None:
    key = Told()
    key.hears(firing(1, episode=0))
    by_hand(key, at=2)
    assert key.hears(firing(500, episode=0)).outcome == O.NOTED, "it has never ended"

    key.hears(ended(600, at=600, episode=0))

    assert key.hears(firing(900, episode=0)).outcome == O.OPENED


def test_an_old_firing_is_told_of_once_however_often_it_comes() -> None:
    key = Told()
    key.hears(firing(1, at=1), ended(2, at=2))

    key.hears(*(firing(n, at=1) for n in range(3, 1003)))

    assert key.now.alert_count == 1001
    assert key.now.last_alert_at == second(1002)
    assert key.lines() == ["triggered", "resolved", "late_alert"]


def test_an_end_that_is_older_than_the_newest_firing_ends_nothing() -> None:
    key = Told()
    key.hears(firing(1, at=1), firing(2, at=9))

    late = key.hears(ended(3, at=5))

    assert (late.outcome, key.now.status) == (O.IGNORED, S.TRIGGERED)


def test_an_older_episode_on_an_open_incident_is_counted_and_puts_no_old_words_back() -> None:
    key = Told()
    key.hears(firing(1, episode=5, title="new words", severity="warning"))

    key.hears(firing(2, episode=0, title="old words"), ended(3, at=4, episode=0))

    assert (key.now.status, key.now.alert_count, key.now.title) == (S.TRIGGERED, 2, "new words")
    assert key.now.severity == "warning"


def test_a_clock_of_ours_that_was_set_back_leaves_nobody_asleep() -> None:
    key = Told()
    key.hears(firing(7000), ended(7200), at=second(7200))

    fresh = key.hears(firing(3601), at=second(3601))

    assert fresh.outcome == O.OPENED
    assert key.hears(ended(3602), at=second(3602)).outcome == O.RESOLVED


@pytest.mark.parametrize("history", [(F, R), (R, F), (F, R, F), (F, F, R), (R, F, R), (F, A, R)])
def test_any_order_of_a_doubled_history_ends_as_its_newest_event(history: tuple[AlertStatus, ...]) -> None:
    """F8: each permutation of up to three events, each of them twice."""
    events = [
        an_alert(0, status=status, event_at=second(n), alert_id=an_alert(n).alert_id)
        for n, status in enumerate(history, start=1)
    ]
    expected = {F: S.TRIGGERED, R: S.RESOLVED}[history[-1]]

    for order in set(permutations([*range(len(events))] * 2)):
        key = Told()
        key.hears(*(events[n].model_copy(update={"received_at": second(i)}) for i, n in enumerate(order)))

        assert key.now.status == expected, order
        assert sum(incident.status != S.RESOLVED for incident in key.incidents.values()) <= 1


# Ends before their beginnings


def test_a_firing_whose_end_came_first_is_on_record_and_pages_nobody() -> None:
    key = Told()
    key.hears(ended(1, at=6, episode=5))

    late = key.hears(firing(2, at=5, episode=5))

    assert (late.outcome, late.messages) == (O.OPENED, ())
    assert (key.now.status, key.now.resolved_by, key.now.alert_count) == (S.RESOLVED, None, 1)
    assert [event.event_type for event in late.events] == ["triggered", "resolved"]
    assert "nobody is paged" in late.events[1].message


def test_what_fires_after_an_end_that_was_remembered_pages() -> None:
    key = Told()
    key.hears(ended(1, at=6, episode=5))

    assert key.hears(firing(2, at=9, episode=9)).outcome == O.OPENED
    assert key.now.status == S.TRIGGERED


def test_of_several_early_ends_the_newest_counts() -> None:
    for ends in permutations([ended(1, at=2), ended(2, at=8), ended(3, at=5)]):
        key = Told()
        key.hears(*ends, firing(4, at=7))

        assert key.now.status == S.RESOLVED


def test_an_end_that_overtakes_a_second_firing_is_remembered_too() -> None:
    key = Told()
    key.hears(firing(1, at=1), ended(2, at=2))

    key.hears(ended(3, at=4), firing(4, at=3))

    assert key.now.status == S.RESOLVED
    assert list(key.incidents) == [1]


# Flapping


def test_firing_again_soon_reopens_the_incident_in_a_run_of_its_own() -> None:
    key = Told()
    key.hears(firing(1, at=1))
    key.becomes(acknowledge(key.now, by=ANA, at=second(2)).incident)
    key.hears(ended(3, at=3))

    again = key.hears(firing(60, at=60, flap_seconds=60, title="CPU > 99%"))

    assert (again.outcome, key.now.id, key.now.status) == (O.REOPENED, 1, S.TRIGGERED)
    assert (key.now.escalation_id, key.now.current_escalation_level) == (102, 0)
    assert (key.now.acknowledged_by, key.now.resolved_at) == (None, None)
    assert (key.now.flap_count, key.now.alert_count, key.now.title) == (1, 2, "CPU > 99%")
    (event,) = again.events
    assert (event.event_type, event.data) == ("reopened", {"flap_count": 1})
    assert "57 s" in event.message


@pytest.mark.parametrize("changes", [{}, {"flap_seconds": 0}, {"flap_seconds": 56}])
def test_firing_again_after_the_flap_time_is_another_incident(changes: dict[str, Any]) -> None:
    key = Told()
    key.hears(firing(1, at=1), ended(3, at=3))

    assert key.hears(firing(60, at=60, **changes)).outcome == O.OPENED
    assert key.now.id == 2


def test_undated_flaps_are_measured_by_arrival() -> None:
    key = Told()
    key.hears(firing(1), ended(3))

    assert key.hears(firing(60, flap_seconds=57)).outcome == O.REOPENED
    key.hears(ended(61))
    assert key.hears(firing(120, flap_seconds=58)).outcome == O.OPENED


def test_what_a_person_resolved_is_no_flap() -> None:
    key = Told()
    key.hears(firing(1, at=1))
    by_hand(key, at=2)
    key.hears(ended(3, at=3))

    assert key.hears(firing(4, at=4, flap_seconds=60)).outcome == O.OPENED


def test_an_incident_that_has_flapped_too_often_gives_way_to_a_new_one() -> None:
    """So no timeline grows for ever."""
    key = Told()
    key.hears(firing(0, at=0))

    for n in range(2, 2 * FLAPS + 4, 2):
        key.hears(ended(n, at=n), firing(n + 1, at=n + 1, flap_seconds=60))

    assert [incident.flap_count for incident in key.incidents.values()] == [FLAPS, 0]
    assert key.now.status == S.TRIGGERED


# A person, and a source that goes on


def test_what_a_person_resolved_while_it_fires_on_is_told_and_opens_nothing() -> None:
    key = Told()
    key.hears(firing(1, episode=0))
    by_hand(key, at=2)

    key.hears(*(firing(n, episode=0) for n in range(3, 103)))
    end = key.hears(ended(200, at=150, episode=0))
    key.hears(ended(201, at=150, episode=0))

    assert list(key.incidents) == [1]
    assert (key.now.resolved_by, key.now.alert_count) == (1, 101)
    assert key.lines() == ["triggered", "still_firing", "source_resolved"]
    assert (end.outcome, end.events[0].message) == (O.NOTED, "Resolved at its alert source, too")


def test_the_next_episode_after_a_person_resolved_it_pages_again() -> None:
    key = Told()
    key.hears(firing(1, episode=0))
    by_hand(key, at=2)
    key.hears(firing(3, episode=0))

    assert key.hears(firing(4, episode=4)).outcome == O.OPENED
    assert key.now.id == 2


def test_what_fires_on_after_its_end_was_told_is_late_and_not_still_firing() -> None:
    key = Told()
    key.hears(firing(1, episode=0))
    by_hand(key, at=2)

    key.hears(ended(3, at=3, episode=0), firing(4, episode=0))

    assert key.lines() == ["triggered", "source_resolved", "late_alert"]


def test_a_source_without_episodes_opens_a_new_incident_after_a_person_resolved_one() -> None:
    key = Told()
    key.hears(firing(1))
    by_hand(key, at=2)

    assert key.hears(firing(3)).outcome == O.OPENED


def test_what_arrived_before_a_person_resolved_it_is_what_they_resolved() -> None:
    """It waited in the spool while they clicked."""
    key = Told()
    key.hears(firing(1))
    by_hand(key, at=5)

    assert key.hears(firing(3)).outcome == O.NOTED
    assert key.hears(firing(5)).outcome == O.OPENED


def test_a_dated_event_that_was_on_its_way_when_a_person_resolved_wakes_somebody() -> None:
    """It is newer than all they knew of."""
    key = Told()
    key.hears(firing(1, at=1))
    by_hand(key, at=5)

    assert key.hears(firing(6, at=1)).outcome == O.NOTED, "the same event again"
    assert key.hears(firing(7, at=4)).outcome == O.OPENED


def test_an_end_said_again_does_not_undo_that_a_person_reopened_it() -> None:
    key = Told()
    key.hears(firing(1, at=1, episode=0), ended(2, at=2, episode=0))
    key.becomes(reopen(key.now, by=ANA, at=second(3), escalation_id=9, assigned_user_id=None).incident)

    again = key.hears(ended(4, at=2, episode=0))

    assert (again.outcome, key.now.status) == (O.IGNORED, S.TRIGGERED)
    assert key.hears(firing(5, at=5, episode=5), ended(6, at=6, episode=5)).outcome == O.RESOLVED


# Acknowledged, unknown, tests


def test_a_source_may_acknowledge_and_its_repeats_do_not_undo_it() -> None:
    key = Told()
    key.hears(firing(1))

    step = key.hears(an_alert(2, status=A))
    key.hears(an_alert(3, status=A), firing(4))

    assert (step.outcome, step.closes_pages) == (O.ACKNOWLEDGED, True)
    assert isinstance(step.messages[0], IncidentAcknowledged)
    assert (key.now.status, key.now.acknowledged_by) == (S.ACKNOWLEDGED, None)
    assert key.lines() == ["triggered", "acknowledged", "alert_repeated"]


def test_the_first_to_acknowledge_stays() -> None:
    key = Told()
    key.hears(firing(1))
    key.becomes(acknowledge(key.now, by=ANA, at=second(2)).incident)

    step = key.hears(an_alert(3, status=A))

    assert (key.now.acknowledged_by, step.events) == (1, ())


@pytest.mark.parametrize("status", [A, U])
def test_what_is_not_open_or_old_is_neither_acknowledged_nor_unknown(status: str) -> None:
    never, key = Told(), Told()
    assert never.hears(an_alert(1, status=status)).outcome == O.IGNORED
    assert never.history == History()

    key.hears(firing(1, at=5))
    assert key.hears(an_alert(2, status=status, event_at=second(4))).outcome == O.IGNORED
    key.hears(ended(3, at=6))
    assert key.hears(an_alert(4, status=status, event_at=second(7))).outcome == O.IGNORED
    assert key.now.status == S.RESOLVED


def test_unknown_neither_opens_nor_ends_and_is_told_once() -> None:
    key = Told()
    key.hears(firing(1))

    outcomes = {key.hears(an_alert(n, status=U)).outcome for n in range(2, 500)}

    assert outcomes == {O.NOTED}
    assert (key.now.status, key.now.alert_count) == (S.TRIGGERED, 1)
    assert key.lines() == ["triggered", "unknown"]


def test_a_test_is_seen_and_wakes_nobody() -> None:
    key = Told()

    step = key.hears(firing(1, is_test=True), firing(2, is_test=True))

    assert (step.outcome, step.messages) == (O.OPENED, ())
    assert {incident.status for incident in key.incidents.values()} == {S.RESOLVED}
    assert all(incident.is_test for incident in key.incidents.values())
    assert "test" in step.events[1].message


def test_a_test_is_no_history_and_real_trouble_after_it_pages() -> None:
    key = Told()
    key.hears(firing(5, at=5, episode=5, is_test=True))

    assert key.hears(firing(6, at=4, episode=4, flap_seconds=60)).outcome == O.OPENED


def test_a_test_changes_no_real_incident() -> None:
    key = Told()
    key.hears(firing(1, title="real"))

    key.hears(*(firing(n, title="test", is_test=True) for n in (2, 3)), ended(4, is_test=True))

    assert (key.now.status, key.now.title, key.now.is_test) == (S.TRIGGERED, "real", False)
    assert key.lines() == ["triggered", "test_alert"]


# Words and lines


def test_the_newest_labels_and_links_hold() -> None:
    key = Told()
    link = Link(href="https://grafana.example/d/1", text="Dashboard")
    key.hears(firing(1, at=1, labels={"host": "a"}, links=(link,)))
    assert (key.now.labels, key.now.links) == ({"host": "a"}, ({"href": link.href, "text": "Dashboard"},))

    key.hears(firing(2, at=3, labels={"host": "b"}), firing(3, at=2, labels={"host": "old"}))

    assert (key.now.labels, key.now.links) == ({"host": "b"}, ())


def test_a_note_is_told_once_for_each_text_and_not_without_end() -> None:
    key = Told()

    key.hears(*(firing(n, note="3 alerts were cut off") for n in range(1, 50)))
    assert key.lines().count("note") == 1

    key.hears(*(firing(n, note=f"{n} alerts were cut off") for n in range(50, 100)))
    assert key.lines().count("note") == NOTES


def test_a_note_on_what_ends_it_is_told_and_on_what_is_ignored_is_not() -> None:
    key = Told()
    key.hears(firing(1), ended(2, note="1 alert was cut off"), ended(2, note="2 alerts were cut off"))

    assert key.lines() == ["triggered", "resolved", "note"]
    assert key.history.closed == key.now


def test_words_that_change_with_every_alert_do_not_flood_the_timeline() -> None:
    key = Told()

    for n in range(1, 2001):
        severity = Severity.CRITICAL if n % 2 else Severity.WARNING
        key.hears(firing(n, title=f"CPU at {n} %", severity=severity))

    lines = key.lines()
    assert (key.now.title, key.now.severity) == ("CPU at 2000 %", Severity.WARNING)
    assert (lines.count("alert_updated"), lines.count("severity_changed")) == (20, 50)
    assert len(lines) < 80


def test_a_row_of_the_version_before_reads_as_what_it_means() -> None:
    """It does not say that its source ended it, but that no person did."""
    key = Told()
    key.hears(firing(1, at=1), ended(2, at=2))
    key.becomes(replace(key.now, is_over=False, last_event_at=None))

    assert key.hears(firing(1, at=1), at=NOW + timedelta(days=1)).outcome == O.NOTED
    assert key.hears(firing(5, at=5, flap_seconds=60)).outcome == O.REOPENED
