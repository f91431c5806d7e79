"""When is a provider left alone, and when is it asked again? A circuit breaker, as a table; no clock, no I/O.

| state   | means                                            | goes on by                                              |
|---------|--------------------------------------------------|---------------------------------------------------------|
| closed  | pages go out                                     | trouble, once there is `THRESHOLD` of it in a row: open |
| open    | pages are held back, until a pause is over       | the pause's end: probing; any answer: closed            |
| probing | one page is out, to see whether there is answer  | an answer: closed; trouble: open, with a longer pause   |

An answer is whatever the provider itself has decided, a refusal included. Trouble is what says something of the
provider and nothing of the message: it cannot be reached, is silent, or fails. That it does not let us in is as good as
`THRESHOLD` of them: the next message would hear the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pagerpal_common.vocabulary import CircuitState as C
from pagerpal_common.vocabulary import NotificationStatus

from pagerpal_notifier.domain.delivery import DEADLINE, Change, Outcome, Verdict
from pagerpal_notifier.domain.lifecycle import check_move

THRESHOLD = 5
"""Troubles in a row, of all notifiers together, after which a provider is left alone."""

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 10, 20, 30))
"""Before the first, second, … probe; the last holds for all that follow."""

JITTER = 0.2
"""Up to this part of a pause is added."""


LOOK_AGAIN = timedelta(hours=1)
"""What is held back is due again after this time at the latest, and is held back again. It is let go by the closing of
the circuit: until then its row is left alone, however many wait."""


class Sign(StrEnum):
    """What a circuit goes on by."""

    ANSWER = "answer"
    TROUBLE = "trouble"
    LAST_STRAW = "last straw"  # the trouble that makes the row full
    PROBE = "probe"  # a page goes out to see


AFTER: Mapping[tuple[C, Sign], C] = {
    (C.CLOSED, Sign.ANSWER): C.CLOSED,
    (C.CLOSED, Sign.TROUBLE): C.CLOSED,
    (C.CLOSED, Sign.LAST_STRAW): C.OPEN,
    (C.OPEN, Sign.ANSWER): C.CLOSED,
    (C.OPEN, Sign.TROUBLE): C.OPEN,  # of what was under way when it opened
    (C.OPEN, Sign.LAST_STRAW): C.OPEN,
    (C.OPEN, Sign.PROBE): C.PROBING,
    (C.PROBING, Sign.ANSWER): C.CLOSED,
    (C.PROBING, Sign.TROUBLE): C.OPEN,
    (C.PROBING, Sign.LAST_STRAW): C.OPEN,
    (C.PROBING, Sign.PROBE): C.PROBING,  # whoever was to see has died
}


@dataclass(frozen=True)
class Circuit:
    """How all notifiers together stand with one provider."""

    state: C = C.CLOSED
    failures: int = 0
    """Troubles in a row."""
    pauses: int = 0
    """How many there have been since it opened."""
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    """When the next page may go out to see; None while it is closed."""


def sign(outcome: Outcome) -> Sign | None:
    """What a try says of its provider; None when it says nothing."""
    if outcome.is_outage:
        return Sign.TROUBLE
    return None if outcome.verdict is Verdict.UNKNOWN else Sign.ANSWER


def after_outcomes(circuit: Circuit, outcomes: Iterable[Outcome], *, now: datetime, draw: float) -> Circuit:
    """What becomes of a circuit by tries that have ended together. One answer among them is enough.

    Args:
        draw: from 0 to 1, at random: the jitter.
    """
    ended = list(outcomes)
    signs = [sign(outcome) for outcome in ended]
    if Sign.ANSWER in signs:
        return Circuit(AFTER[circuit.state, Sign.ANSWER])
    troubles = signs.count(Sign.TROUBLE)
    if any(outcome.is_locked_out for outcome in ended):
        troubles = max(troubles, THRESHOLD)
    if not troubles:
        return circuit
    failures = circuit.failures + troubles
    state = AFTER[circuit.state, Sign.LAST_STRAW if failures >= THRESHOLD else Sign.TROUBLE]
    if state is circuit.state:
        return replace(circuit, failures=failures)
    pause = PAUSES[min(circuit.pauses, len(PAUSES) - 1)] * (1 + JITTER * draw)
    return Circuit(state, failures, circuit.pauses + 1, circuit.opened_at or now, now + pause)


def is_probe_due(circuit: Circuit, now: datetime) -> bool:
    """Whether a page may go out to see how the provider does."""
    return circuit.probe_at is not None and circuit.probe_at <= now


def after_probe(circuit: Circuit, *, now: datetime) -> Circuit:
    """A page is claimed to see. Nobody else sends one before its sender must be dead."""
    return replace(circuit, state=AFTER[circuit.state, Sign.PROBE], probe_at=now + DEADLINE)


def held_because(name: str) -> str:
    """What the log says of a notification that waits for its provider."""
    return f"held back: {name} is in trouble; it goes out once that answers again"


def after_outage(outcome: Outcome, *, now: datetime) -> Change:
    """What becomes of a notification whose try has met a provider in trouble: it is due, and is put off by the next
    claim like all that is due by that provider."""
    status = NotificationStatus.SENDING if outcome.verdict is Verdict.UNKNOWN else NotificationStatus.QUEUED
    check_move(NotificationStatus.SENDING, status)
    return Change(status, now, outcome.detail)
