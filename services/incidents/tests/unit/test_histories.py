"""Whole histories of sources, delayed, doubled, out of order, in batches, with people acting in between.

What must come of them is said by a model of a few lines, which knows nothing of incidents: the newest event so far, and
whether somebody is wanted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import IncidentsTriggered
from pagerpal_common.vocabulary import AlertStatus, IncidentStatus
from pagerpal_incidents.domain.fold import Key, Known, fold
from pagerpal_incidents.domain.history import History
from pagerpal_incidents.domain.incident import Change, Event, Incident, Person, acknowledge, reopen, resolve
from pagerpal_incidents.domain.order import Word

from .given import NOW, A, F, R, U, an_alert, numbers, second

ANA = Person(actor_user_id=1, acting_as_user_id=1)
WAYS = ("undated", "by events", "by episodes", "by both")
KEYS = ("cpu", "disk")


@dataclass(frozen=True)
class Said:
    """One thing that a source says, at a second of its own: of an episode, which is named by its first second."""

    key: str
    way: str
    status: AlertStatus
    second: int
    episode: int
    flap_seconds: int = 0

    @property
    def rank(self) -> tuple[int, ...]:
        """The later, the newer, as the source means it."""
        is_over = self.status == R
        if self.way in {"undated", "by events"}:
            return self.second, is_over
        return self.episode, is_over, 0 if is_over or self.way == "by episodes" else self.second

    def alert(self, number: int, heard: int) -> Alert:
        has_event = self.way in {"by events", "by both"} or (self.way == "by episodes" and self.status == R)
        return an_alert(
            number,
            self.key,
            status=self.status,
            alert_id=UUID(int=number),
            event_at=second(self.second) if has_event else None,
            starts_at=second(self.episode) if self.way in {"by episodes", "by both"} else None,
            received_at=second(self.second if self.way == "undated" else heard),
            flap_seconds=self.flap_seconds,
        )


@dataclass(frozen=True)
class Act:
    """A person does something to the incident of a key that was last in anybody's hands."""

    key: str
    action: str


@st.composite
def courses(draw: st.DrawFn) -> list[list[Said | Act]]:
    """Batches of what two sources say, each in one way, in any order, with people in between."""
    said: list[Said | Act] = []
    for key in KEYS:
        history = draw(_history(key))
        copies = 1 if history[0].way == "undated" else 2  # a repeat of what is undated is news
        said += [word for word in history for _ in range(draw(st.integers(1, copies)))]
    said = draw(st.permutations(said))
    for _ in range(draw(st.integers(0, 4))):
        act = Act(draw(st.sampled_from(KEYS)), draw(st.sampled_from(["acknowledge", "resolve", "reopen"])))
        said.insert(draw(st.integers(0, len(said))), act)
    return list(_batches(said, draw(st.lists(st.integers(1, 6), min_size=40, max_size=40))))


@st.composite
def _history(draw: st.DrawFn, key: str) -> list[Said]:
    """Episodes that follow each other: each begins, may be repeated, acknowledged or lost sight of, and ends."""
    way, flaps = draw(st.sampled_from(WAYS)), draw(st.sampled_from([0, 3, 1000]))
    clock = count(1)
    history: list[Said] = []
    for is_last in [False] * draw(st.integers(0, 2)) + [True]:
        episode = next(clock)
        history.append(Said(key, way, F, episode, episode, flaps))
        more = draw(st.lists(st.sampled_from([F, F, A, U]), max_size=2))
        history += [Said(key, way, status, next(clock), episode, flaps) for status in more]
        if not is_last or draw(st.booleans()):
            history.append(Said(key, way, R, next(clock), episode, flaps))
    return history


def _batches(said: list[Said | Act], sizes: Iterable[int]) -> Iterator[list[Said | Act]]:
    """People act between batches, never within one."""
    batch: list[Said | Act] = []
    limits = iter(sizes)
    limit = next(limits)
    for item in said:
        if isinstance(item, Act) or len(batch) == limit:
            yield batch
            batch, limit = [], next(limits)
        if isinstance(item, Act):
            yield [item]
        else:
            batch.append(item)
    yield batch


@dataclass
class Model:
    """What a person would expect, who hears everything in the order in which it is handled."""

    newest: Said | None = None
    state: str = "never"  # open, taken (by whoever acknowledged it), over; "put away" by a person
    woken: int = 0

    def hears(self, said: Said) -> None:
        is_new = self.newest is None or said.rank > self.newest.rank
        if said.status == A:
            is_current = self.newest is not None and said.rank >= self.newest.rank
            self.state = "taken" if self.state == "open" and is_current else self.state
        if said.status == F and not is_new and self.state == "never":
            self.state = "over"  # its end has been told before: it is on record, at once
        if said.status in {A, U} or not is_new:
            return
        before, self.newest = self.newest, said
        if said.status == R:
            self.state = "over" if self.state in {"open", "taken"} else self.state
        elif self.state in {"never", "over"} or (self.state == "put away" and self._is_another(said, before)):
            self.state = "open"
            self.woken += 1

    def _is_another(self, said: Said, before: Said | None) -> bool:
        """Whether it is not what the person knew of. What is undated here had come before they acted."""
        if said.way == "undated":
            return False
        return said.way == "by events" or before is None or said.episode != before.episode

    def does(self, action: str) -> None:
        if action == "acknowledge" and self.state == "open":
            self.state = "taken"
        if action == "resolve" and self.state in {"open", "taken"}:
            self.state = "put away"
        if action == "reopen" and self.state in {"over", "put away"}:
            self.state = "open"
            self.woken += 1


@dataclass
class World:
    """What the tables would hold; batches and people change it as the service does."""

    incidents: dict[int, Incident] = field(default_factory=dict)
    early: dict[Key, Word] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    woken: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 0))
    recorded: int = 0

    def __post_init__(self) -> None:
        self._numbers, self._runs, self._clock = numbers(), count(10_000), count(1)

    def takes(self, said: list[Said]) -> None:
        at = NOW + timedelta(seconds=next(self._clock))
        alerts = [word.alert(self.recorded + n, 1000 + self.recorded + n) for n, word in enumerate(said, start=1)]
        self.recorded += len(alerts)
        known = {(1, key): self._history((1, key)) for key in KEYS}
        folded = fold(alerts, Known(known), self._numbers, at)
        self.incidents |= folded.incidents
        self.early |= folded.early
        self.events += folded.events
        for message in folded.messages:
            if isinstance(message, IncidentsTriggered):
                for run in message.incidents:
                    self.woken[str(self.incidents[run.incident_id].external_id)] += 1

    def does(self, act: Act) -> None:
        at = NOW + timedelta(seconds=next(self._clock))
        incident = self.last(act.key)
        if incident is None:
            return
        status = incident.status
        change = Change(incident)
        if act.action == "acknowledge" and status == IncidentStatus.TRIGGERED:
            change = acknowledge(incident, by=ANA, at=at)
        if act.action == "resolve":
            change = resolve(incident, by=ANA, at=at)
        if act.action == "reopen" and status == IncidentStatus.RESOLVED:
            change = reopen(incident, by=ANA, at=at, escalation_id=next(self._runs), assigned_user_id=None)
            self.woken[act.key] += 1
        self.incidents[incident.id] = change.incident
        self.events += change.events

    def last(self, key: str) -> Incident | None:
        history = self._history((1, key))
        return history.open or history.closed

    def _history(self, key: Key) -> History:
        ours = [i for i in self.incidents.values() if (i.source_id, i.external_id) == key]
        for incident in ours:
            if incident.status != IncidentStatus.RESOLVED:
                return History(open=incident)
        ours.sort(key=lambda incident: (incident.resolved_at or NOW, incident.id))
        return History(closed=ours[-1] if ours else None, early=self.early.get(key))


STATUS = {
    "open": IncidentStatus.TRIGGERED,
    "taken": IncidentStatus.ACKNOWLEDGED,
    "over": IncidentStatus.RESOLVED,
    "put away": IncidentStatus.RESOLVED,
}


@settings(max_examples=200, deadline=None)
@given(courses())
def test_whatever_the_network_does_a_key_ends_as_its_newest_event_and_people_say(
    course: list[list[Said | Act]],
) -> None:
    world, models = World(), {key: Model() for key in KEYS}
    for batch in course:
        news = {key: model.woken for key, model in models.items()}
        woken = dict(world.woken)
        world.takes([item for item in batch if isinstance(item, Said)])
        for item in batch:
            if isinstance(item, Act):
                _act(world, models[item.key], item)
            else:
                models[item.key].hears(item)

        for key, model in models.items():
            last = world.last(key)
            assert (last and last.status) == STATUS.get(model.state), key
            assert world.woken[key] - woken[key] <= model.woken - news[key], "nobody is woken but for what is news"
            is_wanted = model.state == "open" and model.woken > news[key]
            assert not is_wanted or world.woken[key] > woken[key], "and for what is news somebody is"
            assert len([i for i in world.incidents.values() if i.external_id == key and i.status != "resolved"]) <= 1


def _act(world: World, model: Model, act: Act) -> None:
    """People act on incidents: on what never came to one they do not."""
    if world.last(act.key) is None:
        return
    world.does(act)
    model.does(act.action)


@settings(max_examples=80, deadline=None)
@given(courses())
def test_every_alert_is_counted_once_and_timelines_replay_to_the_rows(course: list[list[Said | Act]]) -> None:
    world = World()
    firing = 0
    for batch in course:
        world.takes(said := [item for item in batch if isinstance(item, Said)])
        firing += sum(item.status == F for item in said)
        for item in batch:
            if isinstance(item, Act):
                world.does(item)

    assert sum(incident.alert_count for incident in world.incidents.values()) == firing
    for incident in world.incidents.values():
        lines = [event for event in world.events if event.incident_id == incident.id]
        assert replayed(lines, incident) == incident


def replayed(lines: list[Event], row: Incident) -> Incident:
    """The row as its timeline tells it."""
    assert lines[0].event_type == "triggered"
    incident = replace(row, status=IncidentStatus.TRIGGERED, flap_count=0, created_at=lines[0].created_at, **_nobody())
    for line in lines[1:]:
        by = line.acting_as_user_id
        if line.event_type == "acknowledged":
            incident = replace(
                incident, status=IncidentStatus.ACKNOWLEDGED, acknowledged_by=by, acknowledged_at=line.created_at
            )
        if line.event_type == "resolved":
            incident = replace(incident, status=IncidentStatus.RESOLVED, resolved_by=by, resolved_at=line.created_at)
        if line.event_type == "reopened":
            flaps = line.data.get("flap_count", incident.flap_count)
            incident = replace(incident, status=IncidentStatus.TRIGGERED, flap_count=flaps, **_nobody())
    return incident


def _nobody() -> dict[str, Any]:
    return dict.fromkeys(("acknowledged_by", "acknowledged_at", "resolved_by", "resolved_at"))
