"""How often may a person have codes and test pages sent? Each costs money, and may ring somebody else's phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pagerpal_common.vocabulary import CheckKind

WINDOW = timedelta(minutes=10)
OF_A_METHOD = 3
"""Of each kind, to one contact method."""
OF_A_PERSON = 12
"""Of all kinds and to all methods: one that is deleted and made anew begins at nothing."""

MOST_TRIES = 5
"""How many codes may be typed in for one that was sent."""


@dataclass(frozen=True)
class Sent:
    """A check within the window."""

    method_id: int
    kind: CheckKind
    at: datetime


def wait_for_check(sent: Sequence[Sent], method_id: int, kind: CheckKind, at: datetime) -> timedelta:
    """How long until another check may be sent; nothing when it may be now."""
    everything = sorted(one.at for one in sent if one.at > at - WINDOW)
    alike = sorted(one.at for one in sent if one.at > at - WINDOW and (one.method_id, one.kind) == (method_id, kind))
    waits = [_free_again(everything, OF_A_PERSON, at), _free_again(alike, OF_A_METHOD, at)]
    return max(timedelta(0), *waits)


def _free_again(times: Sequence[datetime], limit: int, at: datetime) -> timedelta:
    """Until so many of them have left the window that fewer than `limit` are in it."""
    if len(times) < limit:
        return timedelta(0)
    return times[-limit] + WINDOW - at
