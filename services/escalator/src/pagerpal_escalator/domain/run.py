"""What does one look at an escalation mean: wait, ask for the next step, or end? Pure: the time is an argument.

A run follows its incident, which alone says what has really been entered. Each look compares the two and finds its
move in `MOVES`; whatever message or timer caused the look, and however often, the move is the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pagerpal_common.contracts.escalations import EscalateIncident, Position
from pagerpal_common.escalation import START, Facts, Policy, next_step, wait_at
from pagerpal_common.vocabulary import IncidentStatus

ASK_AGAIN = timedelta(seconds=2)
"""How long a step that was asked for may take to be seen entered, before it is planned anew and asked for again."""

LONGEST_ASK_AGAIN = timedelta(seconds=30)
"""The pause doubles up to this: the row of the run says what is wanted, so further messages only pile up."""


class State(StrEnum):
    ASKING = "asking"  # a step is asked for, and not yet seen entered
    WAITING = "waiting"  # a level is entered, and has its time
    ACKNOWLEDGED = "acknowledged"  # somebody is on it
    OVER = "over"  # nothing is left to do


class Situation(StrEnum):
    """What the incident shows, against what the run last knew."""

    CLOSED = "closed"  # it is resolved, reopened into a newer run, or gone
    ACKNOWLEDGED = "acknowledged"
    UNMOVED = "unmoved"  # somebody is wanted, and it stands where the run last saw it
    MOVED = "moved"  # somebody is wanted, and it has entered another position


@dataclass(frozen=True)
class Incident:
    """As much of an incident as its escalation depends on."""

    incident_id: int
    escalation_id: int
    team_id: int
    escalation_policy_id: int | None
    status: IncidentStatus
    position: Position
    level_entered_at: datetime
    acknowledged_at: datetime | None


@dataclass(frozen=True)
class Run:
    """One run of a policy for one incident, as kept in `escalation.escalations`."""

    escalation_id: int
    incident_id: int
    team_id: int
    policy: Policy  # as it stood when the run began
    state: State
    position: Position  # the one last seen entered
    asked: EscalateIncident | None
    due_at: datetime | None  # when to look again; None once only a message can change anything
    started_at: datetime


@dataclass(frozen=True)
class Verdict:
    """The run as it is to be kept; when it `asks`, its next step is first to be planned and asked for, now."""

    run: Run
    asks: bool = False


def new_run(incident: Incident, policy: Policy, at: datetime) -> Run:
    """A run that has yet to ask for its first step: at the first look, or else soon."""
    return Run(
        escalation_id=incident.escalation_id,
        incident_id=incident.incident_id,
        team_id=incident.team_id,
        policy=policy,
        state=State.ASKING,
        position=START,
        asked=None,
        due_at=at + ASK_AGAIN,
        started_at=at,
    )


def decide(run: Run, incident: Incident | None, at: datetime) -> Verdict:
    """What to do about a run at this instant. Deciding again at the same instant changes nothing more."""
    situation = situation_of(run, incident)
    if incident is None:
        return _finish(run)
    return MOVES[run.state, situation](run, incident, at)


def situation_of(run: Run, incident: Incident | None) -> Situation:
    """Where the incident stands, seen from the run."""
    is_same_run = incident is not None and incident.escalation_id == run.escalation_id
    if incident is None or not is_same_run or incident.status is IncidentStatus.RESOLVED:
        return Situation.CLOSED
    if incident.status is IncidentStatus.ACKNOWLEDGED:
        return Situation.ACKNOWLEDGED
    return Situation.UNMOVED if incident.position == run.position else Situation.MOVED


def ask(run: Run, incident: Incident, facts: Facts, at: datetime) -> tuple[Run, EscalateIncident]:
    """The run that asks for the step after the incident's position, and the request itself."""
    step = next_step(run.policy, facts, incident.position)
    asked = EscalateIncident(
        incident_id=run.incident_id,
        escalation_id=run.escalation_id,
        expected=incident.position,
        entering=step.entering,
        people=step.people,
        notes=step.notes,
        is_unreached=step.is_unreached,
        after_ack_timeout=incident.status is IncidentStatus.ACKNOWLEDGED,
        occurred_at=at,
    )
    due_at = at + _pause(run)
    return replace(run, state=State.ASKING, position=incident.position, asked=asked, due_at=due_at), asked


def _pause(run: Run) -> timedelta:
    """Until the step is asked for once more; each time twice as long as before."""
    if run.state is not State.ASKING or run.asked is None or run.due_at is None:
        return ASK_AGAIN
    return max(ASK_AGAIN, min(2 * (run.due_at - run.asked.occurred_at), LONGEST_ASK_AGAIN))


def _finish(run: Run, *_: object) -> Verdict:
    return Verdict(replace(run, state=State.OVER, asked=None, due_at=None))


def _ask_in_time(run: Run, _: Incident, at: datetime) -> Verdict:
    """Nothing was entered since the step was asked for."""
    due_at = _no_later_than(run.due_at, at + LONGEST_ASK_AGAIN)
    return Verdict(replace(run, due_at=due_at), asks=run.asked is None or due_at <= at)


def _follow(run: Run, incident: Incident, at: datetime) -> Verdict:
    """A position was entered: by the step asked for, or by hand. Its time counts from when that really happened."""
    due_at = _entered_at(run, incident, at) + wait_at(run.policy, incident.position)
    followed = replace(run, state=State.WAITING, position=incident.position, asked=None, due_at=due_at)
    return Verdict(followed, asks=due_at <= at)


def _entered_at(run: Run, incident: Incident, at: datetime) -> datetime:
    """When the position was entered, on this clock: not before it was asked for, and not after it was seen.

    The two services may run on hosts whose clocks disagree. Without the first bound an escalator that is ahead would
    find each level overdue on entry, and burst through all of them; without the second one that is behind would sleep.
    """
    earliest = run.asked.occurred_at if run.asked else incident.level_entered_at
    return min(at, max(earliest, incident.level_entered_at))


def _wait(run: Run, incident: Incident, at: datetime) -> Verdict:
    """The level entered has its time, and no more of it than the policy gives, should the clock have been set back."""
    due_at = _no_later_than(run.due_at, at + wait_at(run.policy, incident.position))
    return Verdict(replace(run, due_at=due_at), asks=due_at <= at)


def _rest(run: Run, incident: Incident, at: datetime) -> Verdict:
    """Somebody is on it: nothing is due, but for the time the policy gives the acknowledger."""
    rested = replace(run, state=State.ACKNOWLEDGED, position=incident.position, asked=None, due_at=None)
    timeout = run.policy.ack_timeout
    if timeout is None:
        return Verdict(rested)
    is_known = run.state is State.ACKNOWLEDGED and run.position == incident.position
    since = min(at, incident.acknowledged_at or at)
    due_at = _no_later_than(run.due_at if is_known else since + timeout, at + timeout)
    return Verdict(replace(rested, due_at=due_at), asks=due_at <= at)


def _rest_unless_asked(run: Run, incident: Incident, at: datetime) -> Verdict:
    """Acknowledged while a step is asked for. Only a step that ends this very acknowledgement is still wanted."""
    is_wanted = run.asked is not None and run.asked.after_ack_timeout and run.asked.expected == incident.position
    return _ask_in_time(run, incident, at) if is_wanted else _rest(run, incident, at)


def _no_later_than(due_at: datetime | None, latest: datetime) -> datetime:
    return latest if due_at is None else min(due_at, latest)


Move = Callable[[Run, Incident, datetime], Verdict]

MOVES: Mapping[tuple[State, Situation], Move] = {
    (State.ASKING, Situation.CLOSED): _finish,
    (State.ASKING, Situation.ACKNOWLEDGED): _rest_unless_asked,
    (State.ASKING, Situation.UNMOVED): _ask_in_time,
    (State.ASKING, Situation.MOVED): _follow,
    (State.WAITING, Situation.CLOSED): _finish,
    (State.WAITING, Situation.ACKNOWLEDGED): _rest,
    (State.WAITING, Situation.UNMOVED): _wait,
    (State.WAITING, Situation.MOVED): _follow,
    (State.ACKNOWLEDGED, Situation.CLOSED): _finish,
    (State.ACKNOWLEDGED, Situation.ACKNOWLEDGED): _rest,
    (State.ACKNOWLEDGED, Situation.UNMOVED): _follow,
    (State.ACKNOWLEDGED, Situation.MOVED): _follow,
    (State.OVER, Situation.CLOSED): _finish,
    # An end is final, but somebody may be waiting for a page: should a run ever have ended in error, it goes on.
    (State.OVER, Situation.ACKNOWLEDGED): _rest,
    (State.OVER, Situation.UNMOVED): _follow,
    (State.OVER, Situation.MOVED): _follow,
}
"""The move for each state of a run and each situation of its incident."""
