"""Is a guarantee broken right now, and who has to hear of it? Pure: the time is an argument.

The auditor looks every few seconds for the traces that a broken guarantee leaves in the rows (docs/guarantees.md,
`research/reliability.md` §4). A check is red once several looks in a row have found something that is late by more than
`LATE`: what a restart delays is put right by then, and so is what looks late only because a clock has jumped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pagerpal_common.contracts.escalations import EscalateIncident
from pagerpal_common.escalation import Policy, wait_at
from pagerpal_common.vocabulary import AlertStatus, IncidentStatus

from pagerpal_web.domain.jobs import LATE

LOOK_SECONDS = 5.0
"""Between two looks, however many replicas there are. `LATE`, this, and the looks it takes to be sure end within the
60 s of guarantee I19."""

LOOKS = 3
"""Looks in a row that must find something before it is believed."""

AGAIN = timedelta(minutes=30)
"""How often an alert of what stays red is repeated: should somebody have resolved its incident by hand, a new one
opens."""

FLAP_SECONDS = 600
"""Red again so soon after it was green, it goes on in the same incident."""


class Check(StrEnum):
    """The checks, as the API names them."""

    ONE_OPEN_INCIDENT = "one_open_incident"
    LEVELS_ON_TIME = "levels_on_time"
    PAGES_TAKEN_UP = "pages_taken_up"
    NOTIFICATIONS_SETTLED = "notifications_settled"
    OUTBOXES_DRAINED = "outboxes_drained"
    SPOOL_DRAINED = "spool_drained"


@dataclass(frozen=True)
class Meaning:
    """What a check is for."""

    guarantee: str
    """Its name in docs/guarantees.md."""
    breach: str
    """What it means when it is red, as the title of an incident says it."""


MEANINGS: Mapping[Check, Meaning] = {
    Check.ONE_OPEN_INCIDENT: Meaning("I3", "several incidents are open for the same alert"),
    Check.LEVELS_ON_TIME: Meaning("I5", "incidents wait for an escalation level that is overdue"),
    Check.PAGES_TAKEN_UP: Meaning("I9", "people who are to be paged have no notification"),
    Check.NOTIFICATIONS_SETTLED: Meaning("I10", "notifications are overdue, neither sent nor given up"),
    Check.OUTBOXES_DRAINED: Meaning("I14", "messages between the services are not handed over"),
    Check.SPOOL_DRAINED: Meaning("I14", "alerts that were accepted are not taken in"),
}


@dataclass(frozen=True)
class Found:
    """What one look has found."""

    breaches: int
    """Counted up to 1000."""
    oldest_at: datetime | None
    """Since when the oldest of them is due; None when nothing says it."""


@dataclass(frozen=True)
class CheckState:
    """How a check stands after a look."""

    found: Found
    looks: int
    """In a row that have found something."""
    red_since: datetime | None
    checked_at: datetime
    told_at: datetime | None
    """When an alert of it was last handed over; None once its end was."""


@dataclass(frozen=True)
class Asked:
    """A step that an escalation asks for, and whose incident has not entered it."""

    asked: EscalateIncident
    policy: Policy
    status: IncidentStatus
    level_entered_at: datetime
    acknowledged_at: datetime | None


def after_look(before: CheckState | None, found: Found, at: datetime) -> CheckState:
    """How a check stands once this has been found of it."""
    told_at = None if before is None else before.told_at
    if not found.breaches:
        return CheckState(found, 0, None, at, told_at)
    looks = 1 if before is None else before.looks + 1
    red_since = None if before is None else before.red_since
    return CheckState(found, looks, red_since or (at if looks >= LOOKS else None), at, told_at)


def is_looked_at(before: Mapping[Check, CheckState], at: datetime) -> bool:
    """Whether somebody has looked just now. A time in the future says nothing: a clock was set back."""
    lately = timedelta(seconds=LOOK_SECONDS * 0.8)
    return len(before) == len(Check) and all(abs(at - state.checked_at) < lately for state in before.values())


def to_tell(state: CheckState, at: datetime) -> AlertStatus | None:
    """What an alert has to say of a check now; None when what was said last still holds."""
    if state.red_since is None:
        return None if state.told_at is None else AlertStatus.RESOLVED
    is_said = state.told_at is not None and timedelta(0) <= at - state.told_at < AGAIN
    return None if is_said else AlertStatus.FIRING


def told(state: CheckState, status: AlertStatus, at: datetime) -> CheckState:
    """The same once it has been said."""
    return replace(state, told_at=at if status is AlertStatus.FIRING else None)


def overdue(step: Asked, at: datetime) -> datetime | None:
    """Since when a step that was asked for should have been entered; None as long as it is in time.

    The run's own due time does not say it: each time that it asks again it sets itself a new one. A step that a person
    asked for is not due before it would have been by itself: they have been told that it failed.
    """
    due_at = _due_at(step)
    return due_at if due_at is not None and at - due_at > LATE else None


def _due_at(step: Asked) -> datetime | None:
    if step.status is IncidentStatus.TRIGGERED:
        return step.level_entered_at + wait_at(step.policy, step.asked.expected)
    if not step.asked.after_ack_timeout or step.policy.ack_timeout is None or step.acknowledged_at is None:
        return None
    return step.acknowledged_at + step.policy.ack_timeout


def problems(states: Mapping[Check, CheckState], at: datetime) -> list[str]:
    """Why the auditor's job is not healthy, a line each."""
    oldest = min((state.checked_at for state in states.values()), default=None)
    if oldest is None or len(states) < len(Check):
        return ["not every check has been made yet"]
    if abs(at - oldest) > LATE:
        return [f"nobody has looked since {oldest:%Y-%m-%dT%H:%M:%SZ}"]
    return [_problem(check, state.found) for check, state in states.items() if state.red_since is not None]


def _problem(check: Check, found: Found) -> str:
    return f"{check} ({MEANINGS[check].guarantee}): {MEANINGS[check].breach} ({found.breaches})"
