"""The table of moves: what it allows, what it refuses, and that a repeat changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pagerpal_common.contracts.escalations import EscalateIncident, EscalationRequester, PageTarget, Position
from pagerpal_common.contracts.incidents import (
    IncidentAcknowledged,
    IncidentResolved,
    IncidentsTriggered,
    TriggeredIncident,
)
from pagerpal_common.errors import Conflict, Invalid
from pagerpal_common.vocabulary import IncidentStatus, Severity
from pagerpal_incidents.domain.escalate import enter_level
from pagerpal_incidents.domain.incident import (
    TRANSITIONS,
    Action,
    Change,
    Incident,
    Person,
    acknowledge,
    after,
    refuse_unwanted,
    reopen,
    resolve,
)

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
LATER = T0 + timedelta(minutes=7)
ANA = Person(actor_user_id=1, acting_as_user_id=2)


def an_incident(**changes: object) -> Incident:
    incident = Incident(
        id=42,
        title="CPU > 95%",
        description="",
        severity=Severity.CRITICAL,
        external_id="cpu",
        source_id=1,
        team_id=1,
        escalation_policy_id=None,
        status=IncidentStatus.TRIGGERED,
        current_escalation_level=0,
        escalation_id=7,
        escalation_pass=1,
        escalation_reminder=0,
        level_entered_at=T0,
        assigned_user_id=1,
        acknowledged_by=None,
        acknowledged_at=None,
        resolved_by=None,
        resolved_at=None,
        first_notified_at=None,
        last_notified_at=None,
        notification_count=0,
        created_at=T0,
        alert_count=1,
        last_alert_at=T0,
        links=(),
        labels={},
        is_unreached=False,
        is_test=False,
        flap_count=0,
        is_over=False,
        heard_at=T0,
        last_event_at=None,
        episode_at=None,
        told={},
    )
    return replace(incident, **changes)  # type: ignore[arg-type]


def move(incident: Incident, action: Action) -> Change:
    """Any action on any incident."""
    if action == Action.ACKNOWLEDGE:
        return acknowledge(incident, by=ANA, at=LATER)
    if action == Action.RESOLVE:
        return resolve(incident, by=ANA, at=LATER)
    if action == Action.REOPEN:
        return reopen(incident, by=ANA, at=LATER, escalation_id=8, assigned_user_id=3)
    step = a_step(by=EscalationRequester(actor_user_id=1, acting_as_user_id=2))
    refuse_unwanted(incident, step)
    return enter_level(incident, step, at=LATER)


def a_step(**changes: object) -> EscalateIncident:
    step = EscalateIncident(
        incident_id=42,
        escalation_id=7,
        expected=Position(pass_number=1, level=0),
        entering=Position(pass_number=1, level=1),
        people=(PageTarget(user_id=5, reason=("because",)),),
        occurred_at=LATER,
    )
    return step.model_copy(update=changes)


@pytest.mark.parametrize("status", IncidentStatus)
@pytest.mark.parametrize("action", Action)
def test_a_move_follows_the_table_and_what_is_not_in_it_is_refused(status: IncidentStatus, action: Action) -> None:
    incident = an_incident(status=status)
    expected = TRANSITIONS[status].get(action)

    if expected is None:
        with pytest.raises(Invalid):
            move(incident, action)
    else:
        assert move(incident, action).incident.status == expected


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (IncidentStatus.TRIGGERED, Action.REOPEN),
        (IncidentStatus.ACKNOWLEDGED, Action.ACKNOWLEDGE),
        (IncidentStatus.RESOLVED, Action.RESOLVE),
    ],
)
def test_asking_for_the_state_it_is_in_changes_nothing(status: IncidentStatus, action: Action) -> None:
    incident = an_incident(status=status, acknowledged_by=9, resolved_by=9)

    assert move(incident, action) == Change(incident)


def test_the_table_is_what_the_product_promises() -> None:
    """triggered → acknowledged → resolved, reopen → triggered, escalate from the first two."""
    s, a = IncidentStatus, Action
    refused = {(status, action) for status in s for action in a if action not in TRANSITIONS[status]}

    assert refused == {(s.RESOLVED, a.ACKNOWLEDGE), (s.RESOLVED, a.ESCALATE), (s.ACKNOWLEDGED, a.REOPEN)}
    assert after(s.ACKNOWLEDGED, a.ESCALATE) == s.TRIGGERED


def test_acknowledging_records_both_who_is_logged_in_and_in_whose_name() -> None:
    change = acknowledge(an_incident(), by=ANA, at=LATER)

    assert (change.incident.acknowledged_by, change.incident.acknowledged_at) == (2, LATER)
    assert (change.events[0].actor_user_id, change.events[0].acting_as_user_id) == (1, 2)
    assert isinstance(change.messages[0], IncidentAcknowledged)
    assert change.closes_pages


def test_a_source_resolves_in_nobodys_name() -> None:
    change = resolve(an_incident(), by=None, at=LATER)

    assert (change.incident.resolved_by, change.incident.resolved_at) == (None, LATER)
    assert change.events[0].actor_user_id is None
    assert isinstance(change.messages[0], IncidentResolved)
    assert change.closes_pages


def test_a_source_acknowledges_in_nobodys_name_and_never_for_a_second_time() -> None:
    change = acknowledge(an_incident(), by=None, at=LATER)

    assert (change.incident.acknowledged_by, change.incident.acknowledged_at) == (None, LATER)
    assert change.events[0].actor_user_id is None
    assert "alert source" in change.events[0].message
    assert isinstance(change.messages[0], IncidentAcknowledged)
    assert change.closes_pages
    assert acknowledge(change.incident, by=ANA, at=LATER) == Change(change.incident)


def test_reopening_keeps_what_the_source_last_said_and_makes_a_test_a_real_one() -> None:
    resolved = an_incident(
        status=IncidentStatus.RESOLVED, is_test=True, is_over=True, episode_at=T0, told={"late_alert": 1, "note 1": 1}
    )

    incident = reopen(resolved, by=ANA, at=LATER, escalation_id=8, assigned_user_id=3).incident

    assert (incident.is_test, incident.is_over, incident.episode_at) == (False, True, T0)
    assert incident.told == {"note 1": 1}, "what is told once a run may be told again"


def test_reopening_starts_over_with_a_run_of_its_own() -> None:
    spent = an_incident(
        status=IncidentStatus.RESOLVED,
        current_escalation_level=3,
        escalation_pass=2,
        escalation_reminder=4,
        acknowledged_by=1,
        acknowledged_at=T0,
        resolved_by=1,
        resolved_at=T0,
        is_unreached=True,
    )

    reopened = reopen(spent, by=ANA, at=LATER, escalation_id=8, assigned_user_id=3)

    assert reopened.incident == an_incident(escalation_id=8, level_entered_at=LATER, assigned_user_id=3, created_at=T0)
    (told,) = reopened.messages
    assert isinstance(told, IncidentsTriggered)
    assert told.incidents == (TriggeredIncident(incident_id=42, escalation_id=8),)


@pytest.mark.parametrize(
    "late",
    [
        a_step(escalation_id=6),
        a_step(expected=Position(pass_number=1, level=1)),
        a_step(expected=Position(pass_number=2, level=0)),
        a_step(expected=Position(pass_number=1, level=0, reminder=1)),
    ],
    ids=["another run", "another level", "another pass", "another reminder"],
)
def test_a_step_that_does_not_fit_any_more_changes_nothing(late: EscalateIncident) -> None:
    incident = an_incident()

    assert enter_level(incident, late, at=LATER) == Change(incident)
    with pytest.raises(Conflict, match="level 0"):
        refuse_unwanted(incident, late)


@pytest.mark.parametrize("status", [IncidentStatus.ACKNOWLEDGED, IncidentStatus.RESOLVED])
def test_the_timer_never_pages_for_what_somebody_has_taken(status: IncidentStatus) -> None:
    incident = an_incident(status=status)

    assert enter_level(incident, a_step(), at=LATER) == Change(incident)


def test_an_acknowledgement_that_timed_out_goes_on_to_the_next_level() -> None:
    incident = an_incident(status=IncidentStatus.ACKNOWLEDGED, acknowledged_by=1, acknowledged_at=T0)

    change = enter_level(incident, a_step(after_ack_timeout=True), at=LATER)

    assert change.incident.status == IncidentStatus.TRIGGERED
    assert change.incident.acknowledged_by is None
    assert change.pages


def test_entering_a_level_assigns_its_first_person_and_tells_what_was_passed_over() -> None:
    people = (PageTarget(user_id=5, reason=("a",)), PageTarget(user_id=6, reason=("b",)))
    step = a_step(people=people, notes=("Level 1 passed over: nobody is reachable",), is_unreached=True)

    change = enter_level(an_incident(), step, at=LATER)

    assert change.incident.assigned_user_id == 5
    assert change.incident.current_escalation_level == 1
    assert change.incident.level_entered_at == LATER
    assert change.incident.is_unreached
    assert change.pages == people
    assert [event.event_type for event in change.events] == ["level_skipped", "unreached", "escalated"]
