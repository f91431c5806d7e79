"""The table of a run: every state in every situation, then the times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from pagerpal_common.contracts.escalations import EscalateIncident, Position
from pagerpal_common.escalation import START, Assignee, Facts, Level, Person, Policy
from pagerpal_common.vocabulary import IncidentStatus
from pagerpal_escalator.domain.run import (
    ASK_AGAIN,
    LONGEST_ASK_AGAIN,
    MOVES,
    Incident,
    Run,
    Situation,
    State,
    ask,
    decide,
    new_run,
    situation_of,
)

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
ANA, BO = 1, 2
FACTS = Facts({ANA: Person(ANA, "Ana"), BO: Person(BO, "Bo")}, {}, {}, (), ())
FIRST, SECOND = Position(pass_number=1, level=1), Position(pass_number=1, level=2)
HOUR = timedelta(hours=1)


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def policy(ack_timeout: timedelta | None = None) -> Policy:
    levels = (
        Level(1, timedelta(minutes=5), (Assignee(user_id=ANA),)),
        Level(2, timedelta(minutes=10), (Assignee(user_id=BO),)),
    )
    return Policy(3, "nights", 1, timedelta(minutes=30), ack_timeout, levels)


def incident(
    status: IncidentStatus = IncidentStatus.TRIGGERED,
    position: Position = FIRST,
    *,
    entered: float = 0,
    escalation_id: int = 70,
    acknowledged: float | None = None,
) -> Incident:
    at = None if acknowledged is None else minutes(acknowledged)
    return Incident(7, escalation_id, 4, None, status, position, minutes(entered), at)


def run(
    state: State,
    *,
    position: Position = FIRST,
    due: float | None = None,
    asked: EscalateIncident | None = None,
    ack_timeout: timedelta | None = None,
) -> Run:
    due_at = None if due is None else minutes(due)
    return Run(70, 7, 4, policy(ack_timeout), state, position, asked, due_at, NOON)


def request(occurred: float, *, expected: Position = FIRST, after_ack_timeout: bool = False) -> EscalateIncident:
    return EscalateIncident(
        incident_id=7,
        escalation_id=70,
        expected=expected,
        entering=SECOND,
        people=(),
        after_ack_timeout=after_ack_timeout,
        occurred_at=minutes(occurred),
    )


OF_SITUATION = {
    Situation.CLOSED: incident(IncidentStatus.RESOLVED),
    Situation.ACKNOWLEDGED: incident(IncidentStatus.ACKNOWLEDGED, acknowledged=1),
    Situation.UNMOVED: incident(),
    Situation.MOVED: incident(position=SECOND, entered=1),
}
OF_STATE = {
    State.ASKING: run(State.ASKING, due=2, asked=request(1.9)),
    State.WAITING: run(State.WAITING, due=5),
    State.ACKNOWLEDGED: run(State.ACKNOWLEDGED),
    State.OVER: run(State.OVER),
}
# One minute after noon; level 1 was entered at noon, level 2 just now: the state it ends in, and when it is due.
OUTCOMES: dict[tuple[State, Situation], tuple[State, float | None]] = {
    (State.ASKING, Situation.CLOSED): (State.OVER, None),
    (State.ASKING, Situation.ACKNOWLEDGED): (State.ACKNOWLEDGED, None),
    (State.ASKING, Situation.UNMOVED): (State.ASKING, 1.5),
    (State.ASKING, Situation.MOVED): (State.WAITING, 11),
    (State.WAITING, Situation.CLOSED): (State.OVER, None),
    (State.WAITING, Situation.ACKNOWLEDGED): (State.ACKNOWLEDGED, None),
    (State.WAITING, Situation.UNMOVED): (State.WAITING, 5),
    (State.WAITING, Situation.MOVED): (State.WAITING, 11),
    (State.ACKNOWLEDGED, Situation.CLOSED): (State.OVER, None),
    (State.ACKNOWLEDGED, Situation.ACKNOWLEDGED): (State.ACKNOWLEDGED, None),
    (State.ACKNOWLEDGED, Situation.UNMOVED): (State.WAITING, 5),
    (State.ACKNOWLEDGED, Situation.MOVED): (State.WAITING, 11),
    (State.OVER, Situation.CLOSED): (State.OVER, None),
    (State.OVER, Situation.ACKNOWLEDGED): (State.ACKNOWLEDGED, None),
    (State.OVER, Situation.UNMOVED): (State.WAITING, 5),
    (State.OVER, Situation.MOVED): (State.WAITING, 11),
}


def test_the_table_has_a_move_for_every_state_in_every_situation() -> None:
    assert set(MOVES) == set(OUTCOMES) == set(product(State, Situation))


@pytest.mark.parametrize(("state", "situation"), OUTCOMES)
def test_each_move_ends_in_its_state_with_its_time(state: State, situation: Situation) -> None:
    before, seen = OF_STATE[state], OF_SITUATION[situation]
    assert situation_of(before, seen) is situation

    verdict = decide(before, seen, minutes(1))

    expected_state, due = OUTCOMES[state, situation]
    assert (verdict.run.state, verdict.asks) == (expected_state, False)
    assert verdict.run.due_at == (None if due is None else minutes(due))
    assert (verdict.run.asked is not None) == (expected_state is State.ASKING)
    if situation is not Situation.CLOSED:
        assert verdict.run.position == seen.position


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("closed", [None, incident(escalation_id=71), incident(IncidentStatus.RESOLVED)])
def test_a_run_ends_when_its_incident_is_gone_reopened_or_resolved(state: State, closed: Incident | None) -> None:
    verdict = decide(OF_STATE[state], closed, minutes(99))

    assert (verdict.run.state, verdict.run.due_at, verdict.run.asked) == (State.OVER, None, None)
    assert not verdict.asks


def test_a_new_run_asks_at_its_first_look_and_has_a_time_of_its_own_should_that_never_come() -> None:
    untouched = incident(position=START)
    begun = new_run(untouched, policy(), NOON)

    assert begun.due_at == NOON + ASK_AGAIN
    assert decide(begun, untouched, NOON).asks


def test_asking_plans_the_step_after_the_incidents_position() -> None:
    asking, asked = ask(run(State.WAITING, due=5), incident(), FACTS, minutes(5))

    assert (asking.state, asking.asked, asking.due_at) == (State.ASKING, asked, minutes(5) + ASK_AGAIN)
    assert (asked.expected, asked.entering) == (FIRST, SECOND)
    assert [target.user_id for target in asked.people] == [BO]
    assert (asked.by, asked.after_ack_timeout, asked.occurred_at) == (None, False, minutes(5))


def test_deciding_again_at_the_same_instant_asks_for_nothing_more() -> None:
    verdict = decide(run(State.WAITING, due=5), incident(), minutes(5))
    assert verdict.asks

    asking, _ = ask(verdict.run, incident(), FACTS, minutes(5))

    assert decide(asking, incident(), minutes(5)).run == asking
    assert not decide(asking, incident(), minutes(5)).asks


def test_what_is_asked_in_vain_is_asked_again_ever_more_slowly() -> None:
    at, asking = minutes(5), run(State.WAITING, due=5)
    pauses = []
    for _ in range(7):
        verdict = decide(asking, incident(), at)
        assert verdict.asks
        asking, _ = ask(verdict.run, incident(), FACTS, at)
        assert asking.due_at is not None
        pauses.append((asking.due_at - at).total_seconds())
        assert not decide(asking, incident(), asking.due_at - timedelta(microseconds=1)).asks
        at = asking.due_at

    assert pauses == [2, 4, 8, 16, 30, 30, 30]


def test_a_level_has_its_time_from_when_it_was_really_entered() -> None:
    asking = run(State.ASKING, position=START, due=1, asked=request(0, expected=START))

    followed = decide(asking, incident(entered=3), minutes(3.5))

    assert followed.run.due_at == minutes(8)
    assert not followed.asks


def test_a_level_found_overdue_on_return_leads_to_one_step() -> None:
    asking = run(State.ASKING, position=START, due=1, asked=request(0, expected=START))

    verdict = decide(asking, incident(entered=0), minutes(180))

    assert verdict.asks
    _, asked = ask(verdict.run, incident(), FACTS, minutes(180))
    assert asked.entering == SECOND


def test_an_escalator_whose_clock_is_ahead_does_not_find_a_fresh_level_overdue() -> None:
    asking = run(State.ASKING, position=START, due=60, asked=request(60, expected=START))

    verdict = decide(asking, incident(entered=0), minutes(60.1))

    assert not verdict.asks
    assert verdict.run.due_at == minutes(65)


def test_an_escalator_whose_clock_is_behind_gives_a_level_no_more_than_its_time() -> None:
    asking = run(State.ASKING, position=START, due=1, asked=request(0, expected=START))

    verdict = decide(asking, incident(entered=60), minutes(0.1))

    assert verdict.run.due_at == minutes(5.1)


@pytest.mark.parametrize(
    ("before", "seen", "longest"),
    [
        (run(State.WAITING, due=5), incident(), timedelta(minutes=5)),
        (run(State.ASKING, due=5, asked=request(5)), incident(), LONGEST_ASK_AGAIN),
        (
            run(State.ACKNOWLEDGED, due=20, ack_timeout=timedelta(minutes=20)),
            incident(IncidentStatus.ACKNOWLEDGED, acknowledged=0),
            timedelta(minutes=20),
        ),
    ],
)
def test_after_the_clock_was_set_back_nothing_lies_further_ahead_than_its_own_time(
    before: Run, seen: Incident, longest: timedelta
) -> None:
    now = NOON - HOUR

    verdict = decide(before, seen, now)

    assert verdict.run.due_at == now + longest
    assert decide(verdict.run, seen, now + timedelta(seconds=1)).run == verdict.run
    if verdict.run.asked is not None:
        assert ask(verdict.run, seen, FACTS, now + longest)[0].due_at == now + longest + ASK_AGAIN


def test_a_pause_is_never_shorter_than_the_first_whatever_the_clock_did() -> None:
    before = replace(run(State.ASKING, asked=request(60)), due_at=minutes(1))

    asking, _ = ask(before, incident(), FACTS, minutes(1))

    assert asking.due_at == minutes(1) + ASK_AGAIN


def test_without_a_timeout_an_acknowledgement_rests_for_ever() -> None:
    verdict = decide(run(State.WAITING, due=5), incident(IncidentStatus.ACKNOWLEDGED, acknowledged=1), minutes(9999))

    assert (verdict.run.due_at, verdict.asks) == (None, False)


def test_an_acknowledgement_whose_time_is_up_leads_to_the_next_level() -> None:
    held = incident(IncidentStatus.ACKNOWLEDGED, acknowledged=1)
    rested = decide(run(State.WAITING, due=5, ack_timeout=timedelta(minutes=20)), held, minutes(2)).run
    assert rested.due_at == minutes(21)

    verdict = decide(rested, held, minutes(21))
    assert verdict.asks
    asking, asked = ask(verdict.run, held, FACTS, minutes(21))

    assert (asked.after_ack_timeout, asked.expected, asked.entering) == (True, FIRST, SECOND)
    assert not decide(asking, held, minutes(21.01)).asks
    assert decide(asking, held, minutes(21) + ASK_AGAIN).asks


def test_an_acknowledgement_after_the_last_one_timed_out_has_a_time_of_its_own() -> None:
    timeout = timedelta(minutes=20)
    asking = run(State.ASKING, due=21, asked=request(21, after_ack_timeout=True), ack_timeout=timeout)
    held_again = incident(IncidentStatus.ACKNOWLEDGED, SECOND, entered=21, acknowledged=22)

    verdict = decide(asking, held_again, minutes(23))

    assert (verdict.run.state, verdict.run.due_at, verdict.asks) == (State.ACKNOWLEDGED, minutes(42), False)


def test_a_step_asked_for_before_the_acknowledgement_is_not_asked_for_again() -> None:
    asking = run(State.ASKING, due=1, asked=request(0))

    verdict = decide(asking, incident(IncidentStatus.ACKNOWLEDGED, acknowledged=0.5), minutes(9))

    assert (verdict.run.state, verdict.run.asked, verdict.asks) == (State.ACKNOWLEDGED, None, False)
