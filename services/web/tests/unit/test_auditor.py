"""When is a check believed, when is it told, and since when is a step overdue?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pagerpal_common.contracts.escalations import EscalateIncident, Position
from pagerpal_common.escalation import Assignee, Level, Policy
from pagerpal_common.vocabulary import AlertStatus, IncidentStatus
from pagerpal_web.domain.auditor import (
    AGAIN,
    LOOK_SECONDS,
    LOOKS,
    MEANINGS,
    Asked,
    Check,
    CheckState,
    Found,
    after_look,
    is_looked_at,
    overdue,
    problems,
    to_tell,
    told,
)
from pagerpal_web.domain.jobs import LATE

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
NOTHING = Found(0, None)
SOMETHING = Found(2, T0)
GREEN = CheckState(NOTHING, 0, None, T0, None)
RED = CheckState(SOMETHING, LOOKS, T0, T0, None)
POLICY = Policy(
    1,
    "Nights",
    0,
    timedelta(minutes=30),
    timedelta(minutes=10),
    tuple(Level(number, timedelta(minutes=5), (Assignee(user_id=1),)) for number in (1, 2)),
)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_a_breach_is_known_within_a_minute() -> None:
    """The late one, a look that has just missed it, and the looks that make sure (I19)."""
    assert LATE + seconds(LOOK_SECONDS) * LOOKS < seconds(60)


def test_every_check_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Check)


def test_a_check_is_red_once_enough_looks_in_a_row_have_found_something() -> None:
    state: CheckState | None = None
    seen = []
    for number, found in enumerate([SOMETHING, SOMETHING, NOTHING, *[SOMETHING] * (LOOKS + 1), NOTHING]):
        state = after_look(state, found, T0 + seconds(number))
        seen.append(state.red_since)

    assert seen == [None] * 5 + [T0 + seconds(5)] * 2 + [None]


@pytest.mark.parametrize(
    ("state", "at", "expected"),
    [
        (GREEN, T0, None),
        (RED, T0, AlertStatus.FIRING),
        (replace(RED, told_at=T0), T0 + AGAIN - seconds(1), None),
        (replace(RED, told_at=T0), T0 + AGAIN, AlertStatus.FIRING),
        (replace(RED, told_at=T0), T0 - seconds(1), AlertStatus.FIRING),  # a clock was set back
        (replace(GREEN, told_at=T0), T0, AlertStatus.RESOLVED),
    ],
)
def test_what_was_not_said_yet_is_said(state: CheckState, at: datetime, expected: AlertStatus | None) -> None:
    assert to_tell(state, at) == expected
    if expected is not None:
        assert to_tell(told(state, expected, at), at) is None


def test_one_look_is_enough_for_all_replicas() -> None:
    states = dict.fromkeys(Check, GREEN)

    assert is_looked_at(states, T0 + seconds(1))
    assert not is_looked_at(states, T0 + seconds(LOOK_SECONDS))
    assert not is_looked_at(states, T0 - timedelta(hours=1))
    assert not is_looked_at({}, T0)
    assert not is_looked_at({Check.SPOOL_DRAINED: GREEN}, T0)  # a version that knows fewer checks was here


def step(level: int, **changes: object) -> Asked:
    """Somebody is wanted since noon at this level, and the next one is asked for."""
    here = Position(pass_number=1, level=level)
    asked = EscalateIncident(
        incident_id=1,
        escalation_id=1,
        expected=here,
        entering=Position(pass_number=1, level=level + 1),
        people=(),
        after_ack_timeout=bool(changes.pop("after_ack_timeout", False)),
        occurred_at=T0,
    )
    given = {"status": IncidentStatus.TRIGGERED, "acknowledged_at": None, **changes}
    return replace(Asked(asked, POLICY, IncidentStatus.TRIGGERED, T0, None), **given)  # type: ignore[arg-type]


ACKNOWLEDGED = {"status": IncidentStatus.ACKNOWLEDGED, "acknowledged_at": T0 + seconds(60)}


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (step(0), T0),
        (step(1), T0 + timedelta(minutes=5)),
        (step(2), T0 + timedelta(minutes=30)),  # the reminder
        (step(1, **ACKNOWLEDGED, after_ack_timeout=True), T0 + timedelta(minutes=11)),
    ],
)
def test_a_step_is_overdue_by_its_policys_own_time(asked: Asked, due: datetime) -> None:
    assert overdue(asked, due + LATE) is None
    assert overdue(asked, due + LATE + seconds(1)) == due


def test_what_somebody_is_on_is_not_overdue_unless_their_time_is_up() -> None:
    asked = step(1, **ACKNOWLEDGED)
    without = replace(step(1, **ACKNOWLEDGED, after_ack_timeout=True), policy=replace(POLICY, ack_timeout=None))

    assert overdue(asked, T0 + timedelta(days=1)) is None
    assert overdue(without, T0 + timedelta(days=1)) is None


def test_the_job_says_what_is_red_and_when_nobody_looks() -> None:
    green = dict.fromkeys(Check, GREEN)

    assert problems(green, T0) == []
    assert problems({}, T0) == ["not every check has been made yet"]
    assert problems(green, T0 + LATE + seconds(1)) == ["nobody has looked since 2026-05-21T12:00:00Z"]
    assert problems({**green, Check.SPOOL_DRAINED: RED}, T0) == [
        "spool_drained (I14): alerts that were accepted are not taken in (2)"
    ]
