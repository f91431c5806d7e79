"""Which status may follow which? The only authority on a notification's life.

`queued` says that the provider has certainly nothing; `sending` that it may have something. A try after the first is
therefore made with a new message id, one after the second with the same: neither lost nor doubled.
"""

from collections.abc import Mapping

from pagerpal_common.errors import Invalid
from pagerpal_common.vocabulary import NotificationStatus as S

MOVES: Mapping[S, frozenset[S]] = {
    S.QUEUED: frozenset({S.SENDING, S.FAILED, S.EXHAUSTED, S.CANCELLED}),
    # Sending again is a try with the same message id; queued again a definite refusal that may pass.
    S.SENDING: frozenset({S.SENDING, S.QUEUED, S.SENT, S.FAILED, S.EXHAUSTED, S.CANCELLED}),
    S.SENT: frozenset({S.DELIVERED, S.FAILED}),
    S.DELIVERED: frozenset(),
    S.FAILED: frozenset(),
    S.EXHAUSTED: frozenset(),
    S.CANCELLED: frozenset(),
}

WAITING = frozenset({S.QUEUED, S.SENDING})
"""Something is still to be done: such a row has a due time. All others are settled, and have none."""

TOLD = frozenset({S.SENT, S.FAILED, S.EXHAUSTED})
"""Ends that incidents hears of. A cancelled page is none: whoever cancelled it knows."""

LOST = frozenset({S.FAILED, S.EXHAUSTED})
"""Ends after which the person's next step is due at once."""


def check_move(before: S, after: S) -> None:
    """Refuse what the table does not list.

    Raises:
        Invalid: this status may not follow that one.
    """
    if after not in MOVES[before]:
        raise Invalid(f"a notification that is {before} does not become {after}")
