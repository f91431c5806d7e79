"""What changes when an incident enters an escalation level, or its people are reminded?"""

from dataclasses import replace
from datetime import datetime

from pagerpal_common.contracts.escalations import EscalateIncident
from pagerpal_common.contracts.incidents import IncidentEscalated
from pagerpal_common.vocabulary import IncidentStatus

from pagerpal_incidents.domain.incident import Change, Event, Incident, is_wanted


def enter_level(incident: Incident, asked: EscalateIncident, *, at: datetime) -> Change:
    """Enter the level and page its people, by compare-and-set: what does not fit any more changes nothing."""
    if not is_wanted(incident, asked):
        return Change(incident)
    changed = replace(
        incident,
        status=IncidentStatus.TRIGGERED,
        acknowledged_by=None,
        acknowledged_at=None,
        current_escalation_level=asked.entering.level,
        escalation_pass=asked.entering.pass_number,
        escalation_reminder=asked.entering.reminder,
        level_entered_at=at,
        assigned_user_id=asked.people[0].user_id if asked.people else incident.assigned_user_id,
        is_unreached=incident.is_unreached or asked.is_unreached,
    )
    told = IncidentEscalated(
        incident_id=incident.id,
        escalation_id=incident.escalation_id,
        occurred_at=at,
        request_id=asked.request_id,
        traceparent=asked.traceparent,
    )
    return Change(
        changed,
        _events(changed, asked, at),
        (told,),
        pages=asked.people,
        request_id=asked.request_id,
        traceparent=asked.traceparent,
    )


def _events(incident: Incident, asked: EscalateIncident, at: datetime) -> tuple[Event, ...]:
    events = [Event(incident.id, "level_skipped", note, at) for note in asked.notes]
    if asked.is_unreached:
        events.append(Event(incident.id, "unreached", "Nobody of the escalation policy could be reached", at))
    place = asked.entering
    kind, text = "escalated", f"Escalated to level {place.level}"
    if place.reminder:
        kind, text = "reminded", f"Reminder {place.reminder} to level {place.level}"
    if place.pass_number > 1:
        text += f" (pass {place.pass_number})"
    events.append(
        Event(
            incident.id,
            kind,
            f"{text}: {_people(len(asked.people))} to be paged",
            at,
            actor_user_id=asked.by.actor_user_id if asked.by else None,
            acting_as_user_id=asked.by.acting_as_user_id if asked.by else None,
            data={
                "pass": place.pass_number,
                "level": place.level,
                "people": [person.model_dump(mode="json") for person in asked.people],
            },
        )
    )
    return tuple(events)


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"
