"""Would a page wake somebody? Pure: what is planned for them is the argument."""

from collections.abc import Collection, Sequence
from enum import StrEnum

from pagerpal_common.notification_rules import Planned
from pagerpal_common.vocabulary import Channel


class Reach(StrEnum):
    """How sure it is that a page is noticed at night."""

    RINGS = "rings"
    TEXTS = "texts"  # an SMS comes, and no call follows it
    QUIET = "quiet"  # it goes somewhere, but not to a phone
    NOWHERE = "nowhere"


def reach_of(planned: Sequence[Planned], unserved: Collection[Channel] = ()) -> Reach:
    """How far these notifications go.

    Args:
        unserved: channels by which nothing leaves this PagerPal (`domain/lacks.py`).
    """
    channels = {one.channel for one in planned if one.problem is None} - set(unserved)
    if not channels:
        return Reach.NOWHERE
    if Channel.VOICE in channels:
        return Reach.RINGS
    return Reach.TEXTS if Channel.SMS in channels else Reach.QUIET
