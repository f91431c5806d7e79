"""Which status may follow which? The only authority on a notification's life.

| status    | means                                           | goes on by                                           |
|-----------|-------------------------------------------------|------------------------------------------------------|
| queued    | waits for its time; the provider has nothing    | a claim, an answer to the incident, a dead end       |
| sending   | the provider may have it                        | the provider's answer, a receipt, and all of `queued`|
| sent      | the provider has it                             | a receipt                                            |
| delivered | the handset has it                              | nothing: this is the last word                       |
| failed    | definitely refused, or definitely not delivered | a receipt that it was, after all; a person's retry   |
| exhausted | every try is spent                              | the same                                             |
| cancelled | nobody wants it any more                        | a receipt that it was delivered, after all           |

A try after `queued` is made with a new message id, one after `sending` with the same: neither lost nor doubled. So a
person's retry leads to `queued` when the last try is known to have failed, and to `sending` when nobody knows.
"""

from collections.abc import Mapping

from pagerpal_common.errors import Invalid
from pagerpal_common.vocabulary import NotificationStatus as S

MOVES: Mapping[S, frozenset[S]] = {
    S.QUEUED: frozenset({S.SENDING, S.DELIVERED, S.FAILED, S.EXHAUSTED, S.CANCELLED}),
    # Sending again is a try with the same message id; queued again a definite refusal that may pass.
    S.SENDING: frozenset({S.SENDING, S.QUEUED, S.SENT, S.DELIVERED, S.FAILED, S.EXHAUSTED, S.CANCELLED}),
    S.SENT: frozenset({S.DELIVERED, S.FAILED}),
    S.DELIVERED: frozenset(),
    S.FAILED: frozenset({S.DELIVERED, S.QUEUED, S.SENDING}),
    S.EXHAUSTED: frozenset({S.DELIVERED, S.QUEUED, S.SENDING}),
    S.CANCELLED: frozenset({S.DELIVERED}),
}

WAITING = frozenset({S.QUEUED, S.SENDING})
"""Something is still to be done: such a row has a due time. All others are settled, and have none."""

TOLD = frozenset({S.SENT, S.DELIVERED, S.FAILED, S.EXHAUSTED})
"""Ends that incidents hears of. A cancelled page is none: whoever cancelled it knows."""

LOST = frozenset({S.FAILED, S.EXHAUSTED})
"""Ends after which the person's next step is due at once, and which a person may have tried again."""


def check_move(before: S, after: S) -> None:
    """Refuse what the table does not list.

    Raises:
        Invalid: this status may not follow that one.
    """
    if after not in MOVES[before]:
        raise Invalid(f"a notification that is {before} does not become {after}")
