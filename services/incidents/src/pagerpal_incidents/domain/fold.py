"""What becomes of alerts that arrived together? Pure: what the rows say before is an argument.

Alerts with one dedup key (source + external id) are taken one after the other, each with what is known of its key by
then (`take.py`); without an external id each opens its own incident. Grouping is for speed alone: any split of the same
alerts leaves the same incidents.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import TRIGGERED_TOGETHER, IncidentsTriggered, TriggeredIncident
from pagerpal_common.contracts.message import Message
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus, IncidentStatus, RawPlace

from pagerpal_incidents.domain.history import History, Routing, Step, Supply
from pagerpal_incidents.domain.incident import Event, Incident
from pagerpal_incidents.domain.order import Word
from pagerpal_incidents.domain.raw import place_of
from pagerpal_incidents.domain.take import take

Key = tuple[int, str]

NOTHING = History()


@dataclass(frozen=True)
class Known:
    """What the rows say before the batch."""

    histories: Mapping[Key, History] = field(default_factory=dict)
    handled: Mapping[UUID, Incident | None] = field(default_factory=dict)  # alerts, and the incident of each
    assigned: Mapping[Routing, int | None] = field(default_factory=dict)  # the first person of level 1


@dataclass
class Folded:
    """What the batch makes true. `incidents` holds the last state of each that it touched."""

    results: list[tuple[Alert, AlertOutcome, int | None]] = field(default_factory=list)
    incidents: dict[int, Incident] = field(default_factory=dict)
    opened: set[int] = field(default_factory=set)
    changed: dict[int, Incident] = field(default_factory=dict)  # as they were before
    closed: list[int] = field(default_factory=list)  # their pages are not wanted any more
    begun: dict[int, Alert] = field(default_factory=dict)  # a run of their policy begins, by which alert
    early: dict[Key, Word] = field(default_factory=dict)  # ends to be remembered, of what has no incident
    raws: dict[tuple[int, RawPlace], Alert] = field(default_factory=dict)  # to be kept as they were sent, by incident
    events: list[Event] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)


def key_of(alert: Alert) -> Key | None:
    """The dedup key; None when the alert has no external id."""
    return None if alert.external_id is None else (alert.source_id, alert.external_id)


def most_openings(alerts: Sequence[Alert], known: Mapping[Key, History]) -> int:
    """How many new incidents and new runs there can be: so many numbers are needed.

    `known` need only hold the keys that have an open incident, or an early end. Exact where alerts arrive in order; one
    that comes late may leave a number unused.
    """
    number = 0
    is_open = {key for key, history in known.items() if history.open}
    may_be_late = {key for key, history in known.items() if history.early and not history.closed}
    for alert in alerts:
        key = key_of(alert)
        if alert.status == AlertStatus.RESOLVED and key is not None:
            may_be_late |= set() if key in is_open else {key}
            is_open.discard(key)
        elif alert.status == AlertStatus.FIRING and (key is None or alert.is_test):
            number += 1
        elif alert.status == AlertStatus.FIRING and key is not None and key not in is_open:
            number += 1 + (key in may_be_late)  # one that came late is over at once: the next may open another
            may_be_late.discard(key)
            is_open.add(key)
    return number


def fold(alerts: Sequence[Alert], known: Known, numbers: Iterator[tuple[int, int]], at: datetime) -> Folded:
    """Fold a batch. `numbers` gives the id and the escalation id of each incident that `most_openings` foresaw."""
    folded = Folded()
    histories = dict(known.histories)
    supply = Supply(numbers, known.assigned)
    for alert in alerts:
        if alert.alert_id in known.handled:
            handled = known.handled[alert.alert_id]
            folded.results.append((alert, AlertOutcome.DUPLICATE, handled.id if handled else None))
            if handled is not None:
                folded.incidents.setdefault(handled.id, handled)
            continue
        key = key_of(alert)
        before = NOTHING if key is None else histories.get(key, NOTHING)
        step = take(before, alert, supply, at)
        _keep(folded, alert, before, step)
        if key is not None:
            histories[key] = step.history
            if step.history.early is not None and step.history.early is not before.early:
                folded.early[key] = step.history.early
    folded.messages.extend(_triggered(folded, at))
    return folded


def _keep(folded: Folded, alert: Alert, before: History, step: Step) -> None:
    incident = step.incident
    folded.results.append((alert, step.outcome, incident.id if incident else None))
    if incident is None:
        return
    folded.incidents[incident.id] = incident
    was = before.open or before.closed
    if step.outcome == AlertOutcome.OPENED:
        folded.opened.add(incident.id)
    elif was is not None and was is not incident and incident.id not in folded.opened:
        folded.changed.setdefault(incident.id, was)
    if alert.raw is not None and (place := place_of(alert, step.outcome, was, incident)) is not None:
        folded.raws[incident.id, place] = alert
    if step.outcome in {AlertOutcome.OPENED, AlertOutcome.REOPENED}:
        folded.begun[incident.id] = alert
    if step.closes_pages:
        folded.closed.append(incident.id)
    folded.events.extend(step.events)
    cause = {"request_id": alert.request_id, "traceparent": alert.traceparent}
    folded.messages.extend(message.model_copy(update=cause) for message in step.messages)


def _triggered(folded: Folded, at: datetime) -> Iterator[IncidentsTriggered]:
    """The runs that the batch has begun and that still go on, a few to a message."""
    begun = [(folded.incidents[number], alert) for number, alert in folded.begun.items()]
    runs = [
        TriggeredIncident(
            incident_id=incident.id,
            escalation_id=incident.escalation_id,
            request_id=alert.request_id,
            traceparent=alert.traceparent,
        )
        for incident, alert in begun
        if incident.status == IncidentStatus.TRIGGERED
    ]
    for start in range(0, len(runs), TRIGGERED_TOGETHER):
        some = tuple(runs[start : start + TRIGGERED_TOGETHER])
        yield IncidentsTriggered(incidents=some, occurred_at=at)
