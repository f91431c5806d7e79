"""What becomes of alerts that arrived together? Pure: what is already open is an argument.

Alerts count in the order given, but for what is older than the newest alert of its incident: a retry, a second replica
or the spool may let a later alert overtake it, and what is older must neither end the incident nor put old words back.
Those with one dedup key (source + external id) fold into one incident while it is
open; without an external id each opens its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import TRIGGERED_TOGETHER, IncidentsTriggered, TriggeredIncident
from pagerpal_common.contracts.message import Message
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, IncidentStatus

from pagerpal_incidents.domain.incident import Event, Incident, open_incident, resolve

Key = tuple[int, str]
Routing = tuple[int, int | None]


@dataclass(frozen=True)
class Known:
    """What the rows say before the batch: open incidents by dedup key, and alerts handled before."""

    open: Mapping[Key, Incident]
    latest: Mapping[Key, Incident]  # the newest, for keys that are resolved but not open
    handled: Mapping[UUID, Incident | None]
    assigned: Mapping[Routing, int | None]  # the first person of level 1, by team and policy


@dataclass
class Folded:
    """What the batch makes true. `incidents` holds the last state of each that it touched."""

    results: list[tuple[Alert, AlertOutcome, int | None]] = field(default_factory=list)
    incidents: dict[int, Incident] = field(default_factory=dict)
    opened: list[int] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    closed: list[int] = field(default_factory=list)  # their pages are not wanted any more
    events: list[Event] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)


def key_of(alert: Alert) -> Key | None:
    """The dedup key; None when the alert has no external id."""
    return None if alert.external_id is None else (alert.source_id, alert.external_id)


def routing_of(alert: Alert) -> Routing:
    """What decides who is paged for it."""
    return alert.team_id, alert.escalation_policy_id


def openings(alerts: Sequence[Alert], known_open: Mapping[Key, Incident]) -> list[Alert]:
    """The alerts that will each open an incident: so many numbers are needed, and no more are used up."""
    opened: list[Alert] = []
    is_open = set(known_open)
    for alert in alerts:
        key = key_of(alert)
        if key is None:
            opened += [alert] if alert.status == AlertStatus.FIRING else []
        elif alert.status == AlertStatus.RESOLVED:
            is_open.discard(key)
        elif key not in is_open:
            is_open.add(key)
            opened.append(alert)
    return opened


def fold(alerts: Sequence[Alert], known: Known, numbers: Iterator[tuple[int, int]], at: datetime) -> Folded:
    """Fold a batch. `numbers` gives the id and the escalation id of each incident that `openings` foresaw."""
    folded = Folded()
    now_open = dict(known.open)
    for alert in alerts:
        if alert.alert_id in known.handled:
            _note(folded, alert, AlertOutcome.DUPLICATE, known.handled[alert.alert_id])
            continue
        key = key_of(alert)
        incident = now_open.get(key) if key else None
        if alert.status == AlertStatus.RESOLVED:
            outcome, after = _resolved(folded, alert, incident or (known.latest.get(key) if key else None), at)
        elif incident is None:
            outcome, after = AlertOutcome.OPENED, _open(folded, alert, known, numbers, at)
        else:
            outcome, after = AlertOutcome.UPDATED, _repeat(folded, alert, incident, at)
        _note(folded, alert, outcome, after)
        if key and after and outcome != AlertOutcome.IGNORED:
            now_open[key] = after
        if key and outcome == AlertOutcome.RESOLVED:
            del now_open[key]
    folded.messages.extend(_triggered(folded, at))
    return folded


def _note(folded: Folded, alert: Alert, outcome: AlertOutcome, incident: Incident | None) -> None:
    folded.results.append((alert, outcome, incident.id if incident else None))
    if incident is not None:
        folded.incidents.setdefault(incident.id, incident)


def _open(folded: Folded, alert: Alert, known: Known, numbers: Iterator[tuple[int, int]], at: datetime) -> Incident:
    incident_id, escalation_id = next(numbers)
    assigned = known.assigned.get(routing_of(alert))
    incident = open_incident(
        alert, incident_id=incident_id, escalation_id=escalation_id, assigned_user_id=assigned, at=at
    )
    folded.incidents[incident.id] = incident
    folded.opened.append(incident.id)
    folded.events.append(Event(incident.id, "triggered", f"Incident triggered: {incident.title}", at))
    return incident


def _triggered(folded: Folded, at: datetime) -> Iterator[IncidentsTriggered]:
    """What the batch opened and left open, a few to a message."""
    still_open = [number for number in folded.opened if number not in folded.closed]
    runs = [
        TriggeredIncident(incident_id=number, escalation_id=folded.incidents[number].escalation_id)
        for number in still_open
    ]
    for start in range(0, len(runs), TRIGGERED_TOGETHER):
        yield IncidentsTriggered(incidents=tuple(runs[start : start + TRIGGERED_TOGETHER]), occurred_at=at)


def _repeat(folded: Folded, alert: Alert, incident: Incident, at: datetime) -> Incident:
    """The same thing again: the newest words and severity hold, and it is counted."""
    changed = replace(incident, alert_count=incident.alert_count + 1)
    if alert.received_at >= incident.last_alert_at:
        changed = replace(
            changed,
            title=alert.title,
            description=alert.description,
            severity=alert.severity,
            last_alert_at=alert.received_at,
        )
    folded.incidents[incident.id] = changed
    folded.changed.add(incident.id)
    folded.events.extend(_told_of_repeat(incident, changed, at))
    return changed


def _told_of_repeat(before: Incident, after: Incident, at: datetime) -> Iterator[Event]:
    """A line when severity or title changes, and at the 2nd, 10th, 100th, … alert: a storm must not flood it."""
    if after.severity != before.severity:
        text = f"Severity changed from {before.severity} to {after.severity}"
        yield Event(after.id, "severity_changed", text, at)
    if after.title != before.title:
        yield Event(after.id, "alert_updated", f"Alert updated: {after.title}", at)
    count = after.alert_count
    if count == 2 or str(count).rstrip("0") == "1":
        yield Event(after.id, "alert_repeated", f"Alert received {count} times", at, data={"alert_count": count})


def _resolved(
    folded: Folded, alert: Alert, incident: Incident | None, at: datetime
) -> tuple[AlertOutcome, Incident | None]:
    is_open = incident is not None and incident.status != IncidentStatus.RESOLVED
    if incident is None or not is_open or alert.received_at < incident.last_alert_at:
        return AlertOutcome.IGNORED, incident
    change = resolve(incident, by=None, at=at)
    folded.incidents[incident.id] = change.incident
    folded.changed.add(incident.id)
    folded.closed.append(incident.id)
    folded.events.extend(change.events)
    folded.messages.extend(change.messages)
    return AlertOutcome.RESOLVED, change.incident
