"""What is an incident, which moves does it allow, and what does each move change?"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.escalations import EscalateIncident, PageTarget, Position
from pagerpal_common.contracts.incidents import (
    IncidentAcknowledged,
    IncidentResolved,
    IncidentsTriggered,
    TriggeredIncident,
)
from pagerpal_common.contracts.message import Message
from pagerpal_common.errors import Conflict, Invalid
from pagerpal_common.escalation import START
from pagerpal_common.vocabulary import IncidentStatus, Severity

from pagerpal_incidents.domain.order import Word, word_of
from pagerpal_incidents.domain.told import told_anew


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident as its row holds it; `schema/incidents.py` says what each column means."""

    id: int
    title: str
    description: str
    severity: Severity
    external_id: str | None
    source_id: int
    team_id: int
    escalation_policy_id: int | None
    status: IncidentStatus
    current_escalation_level: int
    escalation_id: int
    escalation_pass: int
    escalation_reminder: int
    level_entered_at: datetime
    assigned_user_id: int | None
    acknowledged_by: int | None
    acknowledged_at: datetime | None
    resolved_by: int | None
    resolved_at: datetime | None
    first_notified_at: datetime | None
    last_notified_at: datetime | None
    notification_count: int
    created_at: datetime
    alert_count: int
    last_alert_at: datetime
    links: tuple[Mapping[str, str], ...]
    labels: Mapping[str, str]
    is_unreached: bool
    is_test: bool
    flap_count: int
    is_over: bool
    heard_at: datetime
    last_event_at: datetime | None
    episode_at: datetime | None
    told: Mapping[str, int]

    @property
    def last_word(self) -> Word:
        """The newest that its source has said of it."""
        is_over = self.is_over or self.is_resolved_by_source  # an older version did not write the first
        return Word(is_over, self.heard_at, self.last_event_at, self.episode_at)

    @property
    def is_resolved_by_source(self) -> bool:
        return self.status == IncidentStatus.RESOLVED and self.resolved_by is None

    @property
    def position(self) -> Position:
        """Where its escalation stands."""
        return Position(
            pass_number=self.escalation_pass, level=self.current_escalation_level, reminder=self.escalation_reminder
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an incident's timeline. Both are told: who did it, and in whose name."""

    incident_id: int
    event_type: str
    message: str
    created_at: datetime
    actor_user_id: int | None = None
    acting_as_user_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """Who asks for a move."""

    actor_user_id: int
    acting_as_user_id: int


@dataclass(frozen=True)
class Change:
    """Everything a move makes true, to be saved as one: the row, its timeline, who is to be paged, who is told."""

    incident: Incident
    events: tuple[Event, ...] = ()
    messages: tuple[Message, ...] = ()
    pages: tuple[PageTarget, ...] = ()
    closes_pages: bool = False
    request_id: str | None = None  # what its pages go back to, and the trace that they go on in
    traceparent: str | None = None


class Action(StrEnum):
    """What people ask of an incident."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    ESCALATE = "escalate"


_S, _A = IncidentStatus, Action

TRANSITIONS: Mapping[IncidentStatus, Mapping[Action, IncidentStatus]] = {
    _S.TRIGGERED: {
        _A.ACKNOWLEDGE: _S.ACKNOWLEDGED,
        _A.RESOLVE: _S.RESOLVED,
        _A.REOPEN: _S.TRIGGERED,
        _A.ESCALATE: _S.TRIGGERED,
    },
    _S.ACKNOWLEDGED: {
        _A.ACKNOWLEDGE: _S.ACKNOWLEDGED,
        _A.RESOLVE: _S.RESOLVED,
        _A.ESCALATE: _S.TRIGGERED,
    },
    _S.RESOLVED: {
        _A.RESOLVE: _S.RESOLVED,
        _A.REOPEN: _S.TRIGGERED,
    },
}
"""Every move there is. What is not here is refused; a move to the state it is already in changes nothing, so that
a repeated click is harmless and the first to acknowledge stays."""


def after(status: IncidentStatus, action: Action) -> IncidentStatus:
    """The status that a move leads to.

    Raises:
        Invalid: the table does not know the move.
    """
    found = TRANSITIONS[status].get(action)
    if found is None:
        raise Invalid(f"an incident that is {status} does not allow to {action}")
    return found


def open_incident(
    alert: Alert, *, incident_id: int, escalation_id: int, assigned_user_id: int | None, at: datetime
) -> Incident:
    """A new incident. Level 0: it exists, and nobody has been paged yet."""
    word = word_of(alert)
    return Incident(
        id=incident_id,
        title=alert.title,
        description=alert.description,
        severity=alert.severity,
        external_id=alert.external_id,
        source_id=alert.source_id,
        team_id=alert.team_id,
        escalation_policy_id=alert.escalation_policy_id,
        status=IncidentStatus.TRIGGERED,
        current_escalation_level=START.level,
        escalation_id=escalation_id,
        escalation_pass=START.pass_number,
        escalation_reminder=START.reminder,
        level_entered_at=at,
        assigned_user_id=assigned_user_id,
        acknowledged_by=None,
        acknowledged_at=None,
        resolved_by=None,
        resolved_at=None,
        first_notified_at=None,
        last_notified_at=None,
        notification_count=0,
        created_at=at,
        alert_count=1,
        last_alert_at=alert.received_at,
        links=links_of(alert),
        labels=alert.labels,
        is_unreached=False,
        is_test=alert.is_test,
        flap_count=0,
        is_over=False,
        heard_at=word.heard_at,
        last_event_at=word.event_at,
        episode_at=word.episode_at,
        told={},
    )


def links_of(alert: Alert) -> tuple[Mapping[str, str], ...]:
    """Its links as an incident keeps them."""
    return tuple({"href": link.href, "text": link.text} for link in alert.links)


def acknowledge(incident: Incident, *, by: Person | None, at: datetime) -> Change:
    """Somebody is on it: nobody else is paged. `by` is None when the monitoring system says so, and not who."""
    status = after(incident.status, Action.ACKNOWLEDGE)
    if status == incident.status:
        return Change(incident)
    person = by.acting_as_user_id if by else None
    changed = replace(incident, status=status, acknowledged_by=person, acknowledged_at=at)
    told = IncidentAcknowledged(incident_id=incident.id, escalation_id=incident.escalation_id, occurred_at=at)
    message = "Incident acknowledged" if by else "Incident acknowledged at its alert source"
    return Change(changed, (_event(changed, "acknowledged", message, at, by),), (told,), closes_pages=True)


def resolve(incident: Incident, *, by: Person | None, at: datetime) -> Change:
    """It is over; `by` is None when the monitoring system says so."""
    status = after(incident.status, Action.RESOLVE)
    if status == incident.status:
        return Change(incident)
    person = by.acting_as_user_id if by else None
    changed = replace(incident, status=status, resolved_by=person, resolved_at=at)
    told = IncidentResolved(incident_id=incident.id, escalation_id=incident.escalation_id, occurred_at=at)
    message = "Incident resolved" if by else "Incident resolved by its alert source"
    return Change(changed, (_event(changed, "resolved", message, at, by),), (told,), closes_pages=True)


def reopen(incident: Incident, *, by: Person, at: datetime, escalation_id: int, assigned_user_id: int | None) -> Change:
    """It was not over after all: a new run of its policy begins."""
    changed = restart(incident, at=at, escalation_id=escalation_id, assigned_user_id=assigned_user_id)
    if changed is incident:
        return Change(incident)
    triggered = TriggeredIncident(incident_id=incident.id, escalation_id=escalation_id)
    told = IncidentsTriggered(incidents=(triggered,), occurred_at=at)
    return Change(changed, (_event(changed, "reopened", "Incident reopened", at, by),), (told,))


def restart(incident: Incident, *, at: datetime, escalation_id: int, assigned_user_id: int | None) -> Incident:
    """The incident triggered again, in a run of its own; the same one when it is triggered already.

    What its source last said stays: that an end is told once more must not undo a person's reopening.

    Raises:
        Invalid: it is acknowledged.
    """
    status = after(incident.status, Action.REOPEN)
    if status == incident.status:
        return incident
    return replace(
        incident,
        status=status,
        escalation_id=escalation_id,
        current_escalation_level=START.level,
        escalation_pass=START.pass_number,
        escalation_reminder=START.reminder,
        level_entered_at=at,
        assigned_user_id=assigned_user_id,
        acknowledged_by=None,
        acknowledged_at=None,
        resolved_by=None,
        resolved_at=None,
        is_unreached=False,
        is_test=False,
        told=told_anew(incident.told),
    )


def is_wanted(incident: Incident, asked: EscalateIncident) -> bool:
    """Whether an escalation still fits: the same run, standing where the escalator believed it to stand."""
    may_move = incident.status == IncidentStatus.TRIGGERED or (
        incident.status == IncidentStatus.ACKNOWLEDGED and (asked.by is not None or asked.after_ack_timeout)
    )
    return may_move and incident.escalation_id == asked.escalation_id and incident.position == asked.expected


def refuse_unwanted(incident: Incident, asked: EscalateIncident) -> None:
    """Say why a person's escalation is not applied.

    Raises:
        Invalid: it is resolved.
        Conflict: it has moved on meanwhile: a second click must not skip a level.
    """
    after(incident.status, Action.ESCALATE)
    if not is_wanted(incident, asked):
        raise Conflict(f"the incident has moved on: it is at level {incident.current_escalation_level}")


def _event(incident: Incident, kind: str, message: str, at: datetime, by: Person | None) -> Event:
    return Event(
        incident_id=incident.id,
        event_type=kind,
        message=message,
        created_at=at,
        actor_user_id=by.actor_user_id if by else None,
        acting_as_user_id=by.acting_as_user_id if by else None,
    )
