"""What do people write down about an incident? Pure: what they have written lately is an argument."""

from collections.abc import Collection
from datetime import datetime, timedelta

from pagerpal_incidents.domain.incident import Change, Event, Incident, Person

NOTE_TWICE = timedelta(minutes=1)
"""The same words by the same people within this time are one note: a second click, or a request that came twice."""


def note(incident: Incident, words: str, *, by: Person, at: datetime, lately: Collection[str]) -> Change:
    """A line of somebody's own on the timeline; the incident stays as it is.

    Args:
        lately: the notes of the same people that are no older than `NOTE_TWICE`.
    """
    if words in lately:
        return Change(incident)
    event = Event(incident.id, "note", words, at, by.actor_user_id, by.acting_as_user_id)
    return Change(incident, (event,))
