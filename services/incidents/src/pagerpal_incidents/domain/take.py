"""What does one alert change for its dedup key? Pure: what is known of the key goes in, what holds after comes out.

The newest word of a source decides (`order.py` says which that is); what is older, or is said again, is counted and
wakes nobody. What a person has done stands until the source says something new.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.vocabulary import AlertOutcome, AlertStatus

from pagerpal_incidents.domain.history import Case, History, Step, Supply, routing_of
from pagerpal_incidents.domain.incident import (
    Event,
    Incident,
    acknowledge,
    links_of,
    open_incident,
    resolve,
    restart,
)
from pagerpal_incidents.domain.lines import tell, tell_note, tell_repeat
from pagerpal_incidents.domain.order import Word, compare, is_back, silence, word_of
from pagerpal_incidents.domain.told import FLAPS


def take(history: History, alert: Alert, supply: Supply, at: datetime) -> Step:
    """Take one alert in."""
    case = Case(history, alert, word_of(alert), supply, at)
    step = _tested(case) if alert.is_test else _TAKES[alert.status](case)
    if alert.note is None or step.incident is None or step.outcome == AlertOutcome.IGNORED:
        return step
    return _with_note(step, step.incident, alert.note, at)


def _firing(case: Case) -> Step:
    history = case.history
    if history.open is not None:
        return _repeated(case, history.open)
    if history.closed is not None:
        if _is_old(case, history.closed):
            return _counted(case, history.closed)
        if _is_flapping(case, history.closed):
            return _reopened(case, history.closed)
    elif history.early is not None and _is_late(case.word, history.early, case.at):
        return _came_late(case, history.early)
    return _opened(case)


def _is_late(word: Word, early: Word, at: datetime) -> bool:
    return compare(word, early, at) < 0 and not is_back(word, early)


def _opened(case: Case) -> Step:
    incident = _new(case)
    event = Event(incident.id, "triggered", f"Incident triggered: {incident.title}", case.at)
    return Step(History(open=incident), AlertOutcome.OPENED, incident, (event,))


def _new(case: Case) -> Incident:
    incident_id, escalation_id = next(case.supply.numbers)
    return open_incident(
        case.alert,
        incident_id=incident_id,
        escalation_id=escalation_id,
        assigned_user_id=case.supply.assigned.get(routing_of(case.alert)),
        at=case.at,
    )


def _came_late(case: Case, early: Word) -> Step:
    """Its end was told before its beginning: it is on record, and nobody is woken for it."""
    incident = replace(_new(case), **_marked(early))
    step = _over_at_once(case, incident, "Resolved at once: its alert source had said so before this alert arrived")
    return replace(step, history=History(closed=step.incident))


def _over_at_once(case: Case, incident: Incident, why: str) -> Step:
    resolved = resolve(incident, by=None, at=case.at).incident
    events = (
        Event(incident.id, "triggered", f"Incident triggered: {incident.title}", case.at),
        Event(incident.id, "resolved", f"{why}; nobody is paged", case.at),
    )
    return Step(case.history, AlertOutcome.OPENED, resolved, events)


def _repeated(case: Case, incident: Incident) -> Step:
    """The same thing again: it is counted, and the newest words and severity hold."""
    news = _news(case, incident)
    changed = replace(incident, **_counts(case, incident), **news, **(_words(case.alert) if news else {}))
    changed, lines = tell_repeat(incident, changed, case.at)
    return Step(History(open=changed), AlertOutcome.UPDATED, changed, lines)


def _is_old(case: Case, closed: Incident) -> bool:
    """Whether it speaks of what is resolved already, by its source or by a person."""
    word = case.word
    if _is_same_episode(word, closed) or compare(word, closed.last_word, case.at) <= 0:
        return not is_back(word, closed.last_word)
    if closed.resolved_by is None or closed.resolved_at is None or word.event_at or word.episode_at:
        return False
    # Undated, so by its arrival: what had come before a person resolved it is what they resolved.
    return compare(word, Word(True, closed.resolved_at, None, None), case.at) < 0


def _is_same_episode(word: Word, incident: Incident) -> bool:
    return word.episode_at is not None and word.episode_at == incident.episode_at


def _counted(case: Case, closed: Incident) -> Step:
    """Nobody is paged for what is resolved. Said once: that it is old news, or that it fires on at its source."""
    counted = replace(closed, **_counts(case, closed), **_news(case, closed))
    kind, text = "late_alert", "An alert from before it was resolved has arrived, late or once more"
    if _is_same_episode(case.word, closed) and not closed.last_word.is_over:
        kind, text = "still_firing", "Resolved here, still firing at its alert source"
    changed, lines = tell(counted, kind, text, case.at)
    return Step(History(closed=changed), AlertOutcome.NOTED, changed, lines)


def _is_flapping(case: Case, closed: Incident) -> bool:
    """Firing again so soon after its source, not a person, resolved it that it is still the same trouble."""
    window = timedelta(seconds=case.alert.flap_seconds)
    is_its_own = closed.is_resolved_by_source and closed.flap_count < FLAPS
    return bool(window) and is_its_own and silence(case.word, closed.last_word) <= window


def _reopened(case: Case, closed: Incident) -> Step:
    """A new run of its policy, whoever had acknowledged the one before: somebody must know."""
    _, escalation_id = next(case.supply.numbers)
    assigned = case.supply.assigned.get(routing_of(closed))
    begun = restart(closed, at=case.at, escalation_id=escalation_id, assigned_user_id=assigned)
    flaps = closed.flap_count + 1
    changes = _counts(case, closed) | _words(case.alert) | _marked(case.word)
    incident = replace(begun, flap_count=flaps, **changes)
    gap = max(0, round(silence(case.word, closed.last_word).total_seconds()))
    text = f"Firing again {gap} s after its alert source resolved it: incident reopened (flap {flaps})"
    event = Event(incident.id, "reopened", text, case.at, data={"flap_count": flaps})
    return Step(History(open=incident), AlertOutcome.REOPENED, incident, (event,))


def _resolved(case: Case) -> Step:
    history, incident = case.history, case.history.open
    if incident is not None:
        if compare(case.word, incident.last_word, case.at) <= 0:
            return Step(history, AlertOutcome.IGNORED, incident)
        change = resolve(replace(incident, **_marked(case.word)), by=None, at=case.at)
        closed = change.incident
        return Step(
            History(closed=closed), AlertOutcome.RESOLVED, closed, change.events, change.messages, closes_pages=True
        )
    if history.closed is not None:
        return _over_again(case, history.closed)
    if history.early is None or compare(case.word, history.early, case.at) > 0:
        history = History(early=case.word)
    return Step(history, AlertOutcome.IGNORED, None)


def _over_again(case: Case, closed: Incident) -> Step:
    """An end of what is resolved. A newer one is remembered: what it ends may still be on its way."""
    news = _news(case, closed)
    if not news:
        return Step(case.history, AlertOutcome.IGNORED, closed)
    changed = replace(closed, **news)
    if closed.last_word.is_over:
        return Step(History(closed=changed), AlertOutcome.IGNORED, changed)
    event = Event(changed.id, "source_resolved", "Resolved at its alert source, too", case.at)
    return Step(History(closed=changed), AlertOutcome.NOTED, changed, (event,))


def _acknowledged(case: Case) -> Step:
    incident = _still_spoken_of(case)
    if incident is None:
        return _ignored(case)
    change = acknowledge(incident, by=None, at=case.at)
    return Step(
        History(open=change.incident),
        AlertOutcome.ACKNOWLEDGED,
        change.incident,
        change.events,
        change.messages,
        closes_pages=change.closes_pages,
    )


def _unknown(case: Case) -> Step:
    incident = _still_spoken_of(case)
    if incident is None:
        return _ignored(case)
    text = "Its alert source cannot tell at present whether it still fires"
    changed, lines = tell(incident, "unknown", text, case.at)
    return Step(History(open=changed), AlertOutcome.NOTED, changed, lines)


def _tested(case: Case) -> Step:
    """Somebody has pressed "test": they want to see that it arrived, and nobody wants to be woken."""
    if case.alert.status != AlertStatus.FIRING:
        return _ignored(case)
    incident = case.history.open
    if incident is None:
        return _over_at_once(case, _new(case), "Resolved at once: it was a test")
    text = "A test alert with the same external id has arrived; it changes nothing"
    changed, lines = tell(replace(incident, **_counts(case, incident)), "test_alert", text, case.at)
    return Step(History(open=changed), AlertOutcome.NOTED, changed, lines)


def _still_spoken_of(case: Case) -> Incident | None:
    """The open incident, if the alert is not older than what is known of it."""
    incident = case.history.open
    return None if incident is None or compare(case.word, incident.last_word, case.at) < 0 else incident


def _ignored(case: Case) -> Step:
    return Step(case.history, AlertOutcome.IGNORED, case.history.open or case.history.closed)


def _with_note(step: Step, incident: Incident, note: str, at: datetime) -> Step:
    changed, lines = tell_note(incident, note, at)
    history = step.history
    if history.open is incident:
        history = replace(history, open=changed)
    elif history.closed is incident:
        history = replace(history, closed=changed)
    return replace(step, history=history, incident=changed, events=step.events + lines)


def _counts(case: Case, incident: Incident) -> dict[str, Any]:
    return {
        "alert_count": incident.alert_count + 1,
        "last_alert_at": max(incident.last_alert_at, case.alert.received_at),
    }


def _words(alert: Alert) -> dict[str, Any]:
    return {
        "title": alert.title,
        "description": alert.description,
        "severity": alert.severity,
        "labels": alert.labels,
        "links": links_of(alert),
    }


def _news(case: Case, incident: Incident) -> dict[str, Any]:
    """What is to be remembered of the alert if it is the newest word; of one that is said again, the later copy is."""
    news = compare(case.word, incident.last_word, case.at)
    is_newest = news > 0 or (news == 0 and case.word.heard_at >= incident.heard_at)
    return _marked(case.word) if is_newest else {}


def _marked(word: Word) -> dict[str, Any]:
    return {
        "is_over": word.is_over,
        "heard_at": word.heard_at,
        "last_event_at": word.event_at,
        "episode_at": word.episode_at,
    }


_TAKES: Mapping[AlertStatus, Callable[[Case], Step]] = {
    AlertStatus.FIRING: _firing,
    AlertStatus.RESOLVED: _resolved,
    AlertStatus.ACKNOWLEDGED: _acknowledged,
    AlertStatus.UNKNOWN: _unknown,
}
