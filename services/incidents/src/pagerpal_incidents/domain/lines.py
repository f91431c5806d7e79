"""Which lines do alerts put on a timeline? Few: whatever a storm repeats is told at its beginning, and then rarely."""

from dataclasses import replace
from datetime import datetime

from pagerpal_incidents.domain.incident import Event, Incident
from pagerpal_incidents.domain.told import noting, telling

Lines = tuple[Event, ...]


def tell(incident: Incident, kind: str, text: str, at: datetime) -> tuple[Incident, Lines]:
    """The incident with this line told; as it is, and no line, when there have been enough of its kind."""
    told = telling(incident.told, kind)
    if told is None:
        return incident, ()
    return replace(incident, told=told), (Event(incident.id, kind, text, at),)


def tell_note(incident: Incident, note: str, at: datetime) -> tuple[Incident, Lines]:
    """What an alert says of its own delivery: alerts that were cut off at the sender, say."""
    told = noting(incident.told, note)
    if told is None:
        return incident, ()
    return replace(incident, told=told), (Event(incident.id, "note", note, at),)


def tell_repeat(before: Incident, after: Incident, at: datetime) -> tuple[Incident, Lines]:
    """A line when severity or title changes, and at the 2nd, 10th, 100th, … alert."""
    lines: Lines = ()
    if after.severity != before.severity:
        text = f"Severity changed from {before.severity} to {after.severity}"
        after, told = tell(after, "severity_changed", text, at)
        lines += told
    if after.title != before.title:
        after, told = tell(after, "alert_updated", f"Alert updated: {after.title}", at)
        lines += told
    count = after.alert_count
    if count == 2 or str(count).rstrip("0") == "1":
        text = f"Alert received {count} times"
        lines += (Event(after.id, "alert_repeated", text, at, data={"alert_count": count}),)
    return after, lines
