"""What happens next with an incident, and when, while nobody does anything? Pure: what the rows say goes in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.escalation import Step
from pagerpal_common.vocabulary import Channel, IncidentStatus

CHANNELS = {
    Channel.SMS: "SMS",
    Channel.VOICE: "Call",
    Channel.EMAIL: "Mail",
    Channel.WEBHOOK: "Webhook",
    Channel.SLACK: "Chat message",
    Channel.APPRISE: "Messenger",
    Channel.WEB_PUSH: "Push notification",
}
"""How a page by each channel is called; as the timeline calls it."""


@dataclass(frozen=True)
class Way:
    """A notification that has not gone out yet."""

    channel: str
    person: str
    is_sending: bool
    due_at: datetime | None
    tries: int
    held_by: str | None = None
    """The provider in trouble for which it waits."""


@dataclass(frozen=True)
class Coming:
    """Something that will happen."""

    text: str
    at: datetime | None
    """None for what is under way."""


@dataclass(frozen=True)
class Standing:
    """As much of an incident as what happens next depends on."""

    status: IncidentStatus
    is_test: bool
    ways: Sequence[Way]
    due_at: datetime | None
    """When its escalation goes on."""
    step: Step | None
    """What it does then, as the directory stands now."""
    people: Sequence[str]
    """Whom that step pages."""


def coming(standing: Standing, now: datetime) -> list[Coming]:
    """What will happen, the next thing first; nothing when nobody is paged any more."""
    if standing.status is IncidentStatus.RESOLVED or standing.is_test:
        return []
    found = [*_ways(standing, now), *_step(standing, now)]
    return sorted(found, key=lambda one: one.at or now)


def _ways(standing: Standing, now: datetime) -> Iterator[Coming]:
    if standing.status is not IncidentStatus.TRIGGERED:
        return
    for way in standing.ways:
        name = f"{CHANNELS[Channel(way.channel)]} to {way.person}"
        if way.held_by is not None:
            yield Coming(f"{name} goes out once {way.held_by} answers again", None)
        elif way.is_sending:
            yield Coming(f"{name} is being sent", None)
        elif way.due_at is not None and way.due_at > now:
            yield Coming(f"{name}, try {way.tries + 1}" if way.tries else name, way.due_at)
        else:
            yield Coming(f"{name} goes out", None)


def _step(standing: Standing, now: datetime) -> Iterator[Coming]:
    if standing.due_at is None or standing.step is None:
        return
    at = standing.due_at if standing.due_at > now else None
    pages = f"{_place(standing.step)} pages {_listed(standing.people)}"
    if standing.status is IncidentStatus.ACKNOWLEDGED:
        yield Coming(f"Triggered again, and {pages}", at)
    else:
        yield Coming(f"{pages[0].upper()}{pages[1:]}", at)


def _place(step: Step) -> str:
    place = step.entering
    name = f"level {place.level}" if place.pass_number == 1 else f"level {place.level} of pass {place.pass_number}"
    return f"reminder {place.reminder}" if place.reminder else name


def _listed(people: Sequence[str]) -> str:
    if not people:
        return "nobody"
    return people[0] if len(people) == 1 else f"{', '.join(people[:-1])} and {people[-1]}"
