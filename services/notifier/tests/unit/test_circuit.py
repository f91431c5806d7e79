"""When a provider is left alone, and when it is asked again."""

from datetime import UTC, datetime, timedelta

import pytest
from pagerpal_common.vocabulary import CircuitState as C
from pagerpal_common.vocabulary import NotificationStatus
from pagerpal_notifier.domain.circuit import (
    AFTER,
    PAUSES,
    THRESHOLD,
    Circuit,
    Sign,
    after_outage,
    after_outcomes,
    after_probe,
    is_probe_due,
    sign,
)
from pagerpal_notifier.domain.delivery import DEADLINE, Outcome, Verdict

T0 = datetime(2026, 5, 21, 3, tzinfo=UTC)
TROUBLE = Outcome(Verdict.UNKNOWN, "no answer in time", is_outage=True)
ANSWER = Outcome(Verdict.ACCEPTED, "taken")
REFUSAL = Outcome(Verdict.REFUSED, "not this number")
TOO_MANY = Outcome(Verdict.DEFERRED, "HTTP 429")
LOCKED_OUT = Outcome(Verdict.DEFERRED, "HTTP 401", is_outage=True, is_locked_out=True)
BUG = Outcome(Verdict.UNKNOWN, "a bug of ours")


def after(circuit: Circuit, *outcomes: Outcome, at: datetime = T0, draw: float = 0.0) -> Circuit:
    return after_outcomes(circuit, outcomes, now=at, draw=draw)


def opened() -> Circuit:
    return after(Circuit(), *[TROUBLE] * THRESHOLD)


def test_the_table_says_of_every_state_and_sign_what_follows() -> None:
    unthinkable = {(C.CLOSED, Sign.PROBE)}  # nobody probes what is closed

    assert {(state, one) for state in C for one in Sign} - set(AFTER) == unthinkable
    assert all(AFTER[state, Sign.ANSWER] is C.CLOSED for state in C)


def test_a_row_of_troubles_opens_it_and_one_less_does_not() -> None:
    circuit = Circuit()
    for number in range(1, THRESHOLD):
        circuit = after(circuit, TROUBLE)
        assert (circuit.state, circuit.failures) == (C.CLOSED, number)

    circuit = after(circuit, TROUBLE)

    assert circuit == Circuit(C.OPEN, THRESHOLD, 1, T0, T0 + PAUSES[0])


def test_one_is_enough_when_it_does_not_let_us_in() -> None:
    assert after(Circuit(), LOCKED_OUT) == Circuit(C.OPEN, THRESHOLD, 1, T0, T0 + PAUSES[0])
    assert after(Circuit(), LOCKED_OUT, ANSWER) == Circuit()


@pytest.mark.parametrize("answer", [ANSWER, REFUSAL, TOO_MANY])
def test_any_answer_ends_the_row(answer: Outcome) -> None:
    circuit = after(Circuit(), *[TROUBLE] * (THRESHOLD - 1))

    assert after(circuit, answer) == Circuit()
    assert after(circuit, TROUBLE, answer, TROUBLE) == Circuit()
    assert after(opened(), answer) == Circuit()
    assert after(after_probe(opened(), now=T0), answer) == Circuit()


def test_a_bug_of_ours_says_nothing_of_the_provider() -> None:
    assert sign(BUG) is None
    assert after(opened(), BUG) == opened()
    assert after(Circuit(), *[BUG] * 100) == Circuit()


def test_what_was_under_way_when_it_opened_makes_no_pause_longer() -> None:
    late = after(opened(), TROUBLE, TROUBLE, at=T0 + timedelta(seconds=3))

    assert (late.state, late.pauses, late.probe_at) == (C.OPEN, 1, T0 + PAUSES[0])


def test_pauses_grow_to_an_end_with_their_jitter_and_the_beginning_is_kept() -> None:
    circuit, at = opened(), T0
    pauses = []
    for draw in (0.0, 0.5, 1.0, 0.0, 0.0):
        assert circuit.probe_at is not None
        assert not is_probe_due(circuit, circuit.probe_at - timedelta(milliseconds=1))
        at = circuit.probe_at
        assert is_probe_due(circuit, at)
        circuit = after(after_probe(circuit, now=at), TROUBLE, at=at, draw=draw)
        assert (circuit.state, circuit.opened_at) == (C.OPEN, T0)
        assert circuit.probe_at is not None
        pauses.append((circuit.probe_at - at).total_seconds())

    assert pauses == [10, 22, 36, 30, 30]


def test_while_one_probe_is_out_no_other_goes_before_its_sender_must_be_dead() -> None:
    probing = after_probe(opened(), now=T0)

    assert probing.state is C.PROBING
    assert not is_probe_due(probing, T0 + DEADLINE - timedelta(seconds=1))
    assert is_probe_due(probing, T0 + DEADLINE)
    assert not is_probe_due(Circuit(), T0)


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(Verdict.UNKNOWN, NotificationStatus.SENDING), (Verdict.DEFERRED, NotificationStatus.QUEUED)],
)
def test_what_may_have_gone_keeps_its_message_id_while_it_waits(verdict: Verdict, status: NotificationStatus) -> None:
    change = after_outage(Outcome(verdict, "away", is_outage=True), now=T0)

    assert (change.status, change.due_at, change.error) == (status, T0, "away")
